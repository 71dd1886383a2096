from sync_daemon.http.streak import Streak


def test_five_in_a_row_are_the_systems_fault() -> None:
    streak = Streak()
    for moment in range(4):
        streak.failed(float(moment), float(moment))
    assert not streak.is_broken
    streak.failed(4.0, 4.0)
    assert streak.is_broken


def test_a_success_between_begins_anew() -> None:
    streak = Streak()
    for moment in range(20):
        if moment % 5 == 4:
            streak.ended()
        else:
            streak.failed(float(moment), float(moment))
        assert not streak.is_broken


def test_failures_under_way_together_are_one() -> None:
    streak = Streak()
    for _ in range(8):
        streak.failed(sent_at=0.0, now=1.0)
    assert not streak.is_broken
    for moment in (2.0, 4.0, 6.0, 8.0):
        streak.failed(sent_at=moment, now=moment + 1)
    assert streak.is_broken
