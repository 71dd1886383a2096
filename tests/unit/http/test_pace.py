import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_daemon.http.allowance import SlidingWindow, TokenBucket
from sync_daemon.http.headers import Told
from sync_daemon.http.pace import DailyQuota, Pace


def pace() -> Pace:
    return Pace(TokenBucket(100, 10.0))


def test_after_a_429_nothing_goes_until_the_wait_is_over() -> None:
    throttled = pace().throttled(100.0, sent_at=99.0, wait=30.0)
    assert throttled.take(100.0)[1] == 30.0
    assert throttled.take(129.0)[1] == 1.0
    assert 0 < throttled.take(130.0)[1] < 1, "a bucket that was refused begins to fill, it isn't full"


def test_a_429_halves_the_speed_and_ten_minutes_bring_it_back() -> None:
    throttled = pace().throttled(0.0, sent_at=0.0, wait=10.0)
    assert throttled.factor(0.0) == 0.5
    assert throttled.factor(300.0) == pytest.approx(0.75)
    assert throttled.factor(600.0) == 1.0
    assert throttled.factor(9000.0) == 1.0


def test_the_speed_never_falls_below_a_tenth() -> None:
    throttled = pace()
    for n in range(20):
        throttled = throttled.throttled(n * 10.0, sent_at=n * 10.0, wait=10.0)
    assert throttled.brake == 0.1


def test_several_429_of_one_moment_halve_once() -> None:
    throttled = pace().throttled(10.0, sent_at=9.9, wait=10.0)
    for _ in range(7):
        throttled = throttled.throttled(10.1, sent_at=9.9, wait=10.0)
    assert throttled.brake == 0.5
    assert throttled.closed_until == 20.1


def test_a_shorter_wait_does_not_open_what_a_longer_one_closed() -> None:
    throttled = pace().throttled(0.0, sent_at=0.0, wait=60.0).throttled(1.0, sent_at=1.0, wait=1.0)
    assert throttled.closed_until == 60.0


@given(limit=st.integers(0, 300_000), remaining=st.integers(0, 300_000))
def test_two_percent_but_at_least_a_hundred_are_kept_for_revocations(limit: int, remaining: int) -> None:
    quota = DailyQuota(limit, remaining)
    assert quota.allows(0.0, revokes=True) == (remaining > 0)
    assert quota.allows(0.0, revokes=False) == (remaining > 100 and remaining > limit * 0.02)


def test_after_its_reset_a_quota_is_full_again() -> None:
    quota = DailyQuota(10_000, 0, resets_at=50.0)
    assert not quota.allows(49.0, revokes=True)
    assert quota.reset_in(49.0) == 1.0
    assert quota.allows(50.0, revokes=False)


def test_the_quota_is_counted_down_between_answers_and_corrected_by_them() -> None:
    told = Told(daily_limit=10_000, daily_remaining=500, daily_reset=60.0)
    known = Pace(SlidingWindow(25, 10.0)).told(5.0, 5.0, told)
    assert known.daily == DailyQuota(10_000, 500, 65.0)
    assert known.take(5.0)[0].daily == DailyQuota(10_000, 499, 65.0)
    assert known.told(6.0, 6.0, Told(daily_remaining=450)).daily == DailyQuota(10_000, 450, 65.0)
    assert known.told(6.0, 6.0, Told()).daily == known.daily


def test_a_vendor_without_a_daily_quota_has_none() -> None:
    assert pace().told(0.0, 0.0, Told(remaining=5)).daily is None
