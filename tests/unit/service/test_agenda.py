"""What a pair's thread does next, and when."""

import pytest

from sync_daemon.model.report import CycleOutcome, Mode
from sync_daemon.service.agenda import Agenda

FULL, POLL, HINTS = Mode.FULL, Mode.INCREMENTAL, Mode.HINTS
HEALED = (CycleOutcome.OK, CycleOutcome.PARKED, CycleOutcome.HELD, CycleOutcome.INCOMPLETE)


def agenda(random: float = 0.0) -> Agenda:
    return Agenda(lambda: random)


def test_nothing_is_done_that_nobody_wishes_for() -> None:
    assert (agenda().take(5), agenda().wait(5)) == (None, None)


def test_a_wish_is_done_once() -> None:
    one = agenda()
    one.want(POLL, 5)
    one.want(POLL, 6)
    assert [one.take(6), one.take(7)] == [POLL, None]


@pytest.mark.parametrize("wishes", [(HINTS, POLL, FULL), (FULL, HINTS, POLL), (POLL, FULL, HINTS)])
def test_the_strongest_wish_fulfils_the_others(wishes: tuple[Mode, ...]) -> None:
    one = agenda()
    for mode in wishes:
        one.want(mode, 5)
    assert [one.take(5), one.take(6)] == [FULL, None]


def test_a_weaker_wish_leaves_a_stronger_one_that_is_not_due() -> None:
    one = agenda()
    one.want(FULL, 5, delay=10)
    one.want(HINTS, 5)
    assert [one.take(5), one.take(6), one.take(15)] == [HINTS, None, FULL]


def test_what_comes_while_hints_are_gathered_does_not_put_them_off() -> None:
    one = agenda()
    one.want(HINTS, 5, delay=2)
    one.want(HINTS, 6, delay=2)
    assert one.wait(6) == 1
    assert [one.take(6.9), one.take(7)] == [None, HINTS]


@pytest.mark.parametrize(
    ("outcome", "pauses"),
    [
        (CycleOutcome.UNREACHABLE, [5, 10, 20, 30, 30]),
        (CycleOutcome.BUSY, [1, 2, 4, 8, 10]),
        (CycleOutcome.ERROR, [10, 20, 40, 80, 160]),
        (CycleOutcome.QUOTA, [60, 120, 240, 480, 600]),
        (CycleOutcome.AUTH, [900, 900]),
    ],
)
def test_what_came_to_nothing_is_tried_again_after_longer_and_longer_pauses(
    outcome: CycleOutcome, pauses: list[float]
) -> None:
    one, now = agenda(), 0.0
    one.want(POLL, now)
    for pause in pauses:
        assert one.take(now) is POLL
        one.ended(POLL, outcome, now)
        assert one.wait(now) == pause
        assert one.take(now + pause - 0.1) is None
        now += pause


@pytest.mark.parametrize("outcome", HEALED)
def test_the_first_success_ends_the_patience(outcome: CycleOutcome) -> None:
    one = agenda()
    for now in (0, 100, 200):
        one.ended(POLL, CycleOutcome.UNREACHABLE, now)
    assert one.take(300) is POLL
    one.ended(POLL, outcome, 300)
    assert one.wait(300) is None
    one.ended(POLL, CycleOutcome.UNREACHABLE, 300)
    assert one.wait(300) == 5


def test_pauses_spread() -> None:
    one = agenda(random=0.5)
    one.ended(POLL, CycleOutcome.UNREACHABLE, 0)
    assert one.wait(0) == 5.5


def test_a_system_that_says_how_long_to_wait_is_believed() -> None:
    one = agenda()
    one.ended(POLL, CycleOutcome.QUOTA, 0, resume_in=3600)
    assert one.wait(0) == 3600


def test_nothing_shortens_a_pause() -> None:
    one = agenda()
    one.ended(POLL, CycleOutcome.AUTH, 0)
    one.want(HINTS, 1)
    one.want(FULL, 2)
    assert one.take(899) is None
    assert one.take(900) is FULL
