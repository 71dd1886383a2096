from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_daemon.http.allowance import Allowance, SlidingWindow, TokenBucket
from sync_daemon.http.headers import Told

JITTER_S = 0.4
"""How much later than another a request may arrive that was sent at the same distance."""


def send(allowance: Allowance, arrivals: list[float], factor: float = 1.0) -> list[float]:
    """When requests go that are asked for at these moments, one after the other."""
    now, sent = 0.0, []
    for arrival in arrivals:
        now = max(now, arrival)
        while True:
            allowance, wait = allowance.take(now, factor)
            if wait <= 0:
                break
            now += wait
        sent.append(now)
    return sent


def most_within(moments: list[float], seconds: float) -> int:
    """The most moments that any window of this length holds, its beginning left out."""
    moments = sorted(moments)
    return max(sum(end - seconds < moment <= end for moment in moments) for end in moments)


gaps = st.lists(st.floats(0, 3), min_size=1, max_size=120)
jitters = st.lists(st.floats(0, JITTER_S), min_size=120, max_size=120)


@given(gaps=gaps, jitters=jitters, requests=st.integers(1, 30), seconds=st.sampled_from([10.0, 20.0]))
def test_no_window_holds_more_than_the_limit_even_when_answers_take_different_times(
    gaps: list[float], jitters: list[float], requests: int, seconds: float
) -> None:
    arrivals = [sum(gaps[:n]) for n in range(len(gaps))]
    sent = send(SlidingWindow(requests, seconds), arrivals)
    received = [moment + jitter for moment, jitter in zip(sent, jitters, strict=False)]
    assert most_within(received, seconds) <= requests


@given(gaps=gaps, share=st.floats(0.05, 1))
def test_a_bucket_never_runs_dry(gaps: list[float], share: float) -> None:
    arrivals = [sum(gaps[:n]) / 20 for n in range(len(gaps))]
    tokens, filled_at = 100.0 * share, 0.0
    for moment in send(TokenBucket(100, 10.0, share), arrivals):
        tokens = min(100.0 * share, tokens + (moment - filled_at) * 10.0 * share) - 1
        filled_at = moment
        assert tokens > -1e-6


@pytest.mark.parametrize("share", [1.0, 0.5, 0.2])
@pytest.mark.parametrize(
    ("make", "per_second"),
    [
        (lambda share: SlidingWindow(100, 10.0, share), 10.0),
        (lambda share: SlidingWindow(25, 10.0, share), 2.5),
        (lambda share: TokenBucket(100, 10.0, share), 10.0),
    ],
    ids=["window of 100", "window of 25", "bucket"],
)
def test_a_steady_load_uses_nine_tenths_of_the_limit(
    make: Callable[[float], Allowance], per_second: float, share: float
) -> None:
    sent = send(make(share), [0.0] * 3000)
    after_the_burst = len(sent) - sent.count(0.0)
    assert 0.9 <= after_the_burst / sent[-1] / (per_second * share) <= 1.0
    assert 0.9 <= make(share).rate / (per_second * share) <= 1.0


def test_a_window_goes_at_once_as_far_as_it_is_open() -> None:
    assert send(SlidingWindow(25, 10.0), [3.0] * 26) == [3.0] * 25 + [pytest.approx(13.5, abs=0.01)]


def test_a_bucket_goes_at_once_until_it_is_empty() -> None:
    sent = send(TokenBucket(100, 10.0), [0.0] * 100)
    assert sent[:95] == [0.0] * 95
    assert [later - sooner for sooner, later in pairwise(sent[95:])] == [pytest.approx(0.103, abs=0.002)] * 4


def test_a_window_grows_and_shrinks_as_the_vendor_says() -> None:
    window = SlidingWindow(25, 10.0, share=0.5).told(0.0, Told(window_requests=100, window_seconds=5.0))
    assert (window.requests, window.seconds, window.share) == (100, 5.0, 0.5)
    assert window.rate == pytest.approx(50 / 5.25)


def test_what_others_used_of_a_window_is_not_used_again() -> None:
    window = SlidingWindow(25, 10.0)
    for _ in range(5):
        window, _wait = window.take(1.0, 1.0)
    window = window.told(1.0, Told(remaining=3))
    assert send(window, [1.0] * 4) == [1.0, 1.0, 1.0, pytest.approx(11.5, abs=0.01)]


def test_an_old_answer_does_not_count_our_own_requests_as_those_of_others() -> None:
    window = SlidingWindow(100, 10.0)
    for _ in range(90):
        window, _wait = window.take(0.0, 1.0)
    window, _wait = window.take(9.0, 1.0)
    after_long = window.told(9.0, Told(remaining=9))  # comes at 17.0
    assert send(after_long, [17.0] * 99) == [17.0] * 99


def test_fewer_tokens_at_the_vendor_are_fewer_tokens_here() -> None:
    bucket = TokenBucket(100, 10.0)
    bucket, _wait = bucket.take(0.0, 1.0)
    assert send(bucket.told(0.0, Told(remaining=2)), [0.0] * 4)[2] > 0
    assert send(bucket.told(0.0, Told(remaining=99)), [0.0] * 94) == [0.0] * 94


@pytest.mark.parametrize("allowance", [SlidingWindow(100, 10.0), TokenBucket(100, 10.0)])
def test_half_the_speed_is_half_the_speed(allowance: Allowance) -> None:
    sent = send(allowance, [0.0] * 2000, factor=0.5)
    assert 1000 / (sent[-1] - sent[1000 - 1]) == pytest.approx(allowance.rate / 2, rel=0.05)


def test_the_least_time_is_that_of_a_rested_allowance() -> None:
    assert SlidingWindow(100, 10.0).seconds_for(100) == 0
    assert SlidingWindow(100, 10.0).seconds_for(101) == pytest.approx(10.5)
    assert SlidingWindow(100, 10.0).seconds_for(1000) == pytest.approx(94.5)
    assert TokenBucket(100, 10.0).seconds_for(95) == 0
    assert TokenBucket(100, 10.0).seconds_for(1065) == pytest.approx(100.0)
