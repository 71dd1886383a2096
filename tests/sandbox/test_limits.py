"""The limits of both APIs and the headers that tell of them."""

import pytest

from sync_daemon.sandbox.clock import ManualClock
from sync_daemon.sandbox.emailoctopus.quirks import Quirks
from sync_daemon.sandbox.limits import GhlWindow, Limiter, TokenBucket
from tests.sandbox.api import counter_api
from tests.sandbox.inprocess import ask


def taken(limiter: Limiter, attempts: int) -> int:
    return sum(limiter.take() for _ in range(attempts))


def test_ghl_window_is_fixed_by_default() -> None:
    clock = ManualClock()
    window = GhlWindow(clock, per_window=25)
    clock.advance(8)
    assert taken(window, 30) == 25
    clock.advance(1.9)
    assert taken(window, 1) == 0
    clock.advance(0.1)
    assert taken(window, 30) == 25


def test_ghl_window_can_slide() -> None:
    clock = ManualClock()
    window = GhlWindow(clock, per_window=25, sliding=True)
    assert taken(window, 10) == 10
    clock.advance(8)
    assert taken(window, 30) == 15
    clock.advance(2)
    assert taken(window, 30) == 10


def test_ghl_day_ends_after_24_hours() -> None:
    clock = ManualClock()
    window = GhlWindow(clock, per_window=100, per_day=3)
    assert taken(window, 5) == 3
    clock.advance(60)
    assert taken(window, 5) == 0
    clock.advance(86_340)
    assert taken(window, 5) == 3


def test_ghl_headers_are_those_of_the_facts() -> None:
    clock = ManualClock()
    window = GhlWindow(clock)
    clock.advance(57)
    assert taken(window, 3) == 3
    assert dict(window.headers(200)) == {
        "x-ratelimit-limit-daily": "200000",
        "x-ratelimit-daily-remaining": "199997",
        "x-ratelimit-daily-reset": "86343000",
        "x-ratelimit-interval-milliseconds": "10000",
        "x-ratelimit-max": "100",
        "x-ratelimit-remaining": "97",
    }


def test_emailoctopus_bucket_holds_100_and_fills_by_10_a_second() -> None:
    clock = ManualClock()
    bucket = TokenBucket(clock, Quirks())
    assert taken(bucket, 150) == 100
    clock.advance(0.5)
    assert taken(bucket, 10) == 5
    clock.advance(3600)
    assert taken(bucket, 150) == 100


def test_emailoctopus_can_block_for_a_minute() -> None:
    clock = ManualClock()
    bucket = TokenBucket(clock, Quirks(throttle_block_s=60))
    assert taken(bucket, 101) == 100
    assert dict(bucket.headers(429)) == {"X-RateLimiting-Remaining": "0", "X-RateLimit-Retry-After": "60"}
    clock.advance(59)
    assert taken(bucket, 1) == 0
    clock.advance(1)
    assert taken(bucket, 1) == 1


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, {"X-RateLimiting-Remaining": "99"}),
        (401, {}),
        (404, {"X-RateLimiting-Remaining": "99"}),
        (429, {"X-RateLimiting-Remaining": "0", "X-RateLimit-Retry-After": "1"}),  # of the weather's making
    ],
)
def test_emailoctopus_headers_by_status(status: int, headers: dict[str, str]) -> None:
    bucket = TokenBucket(ManualClock(), Quirks())
    bucket.take()
    assert dict(bucket.headers(status)) == headers


@pytest.mark.parametrize("limiter", [GhlWindow(ManualClock()), TokenBucket(ManualClock(), Quirks())])
def test_limits_can_be_switched_off(limiter: Limiter) -> None:
    limiter.settings.enabled = False
    untouched = limiter.headers(200)
    assert taken(limiter, 300) == 300
    assert limiter.headers(200) == untouched != []


def test_a_refused_request_is_429_with_headers_and_changes_nothing() -> None:
    clock = ManualClock()
    context, app = counter_api(clock, GhlWindow(clock, per_window=2))
    assert [ask(app, "POST", "/count").status for _ in range(3)] == [200, 200, 429]
    refused = ask(app, "POST", "/count")
    assert (refused.headers["x-ratelimit-remaining"], refused.json()) == ("0", {"error": 429})
    assert context.world.count == 2
    assert ask(app, "PUT", "/_sandbox/limits", {"enabled": False}).json()["enabled"] is False
    assert ask(app, "POST", "/count").status == 200


def test_the_figures_are_changed_over_http() -> None:
    _, app = counter_api()
    told = ask(app, "PUT", "/_sandbox/limits", {"per_window": 25, "per_day": 26}).json()
    assert told == {"enabled": True, "per_window": 25, "per_day": 26, "sliding": False}
    assert ask(app, "GET", "/_sandbox/limits").json() == told
    answers = [ask(app, "POST", "/count") for _ in range(26)]
    assert [answer.status for answer in answers] == [200] * 25 + [429]
    assert answers[0].headers["x-ratelimit-max"] == "25"
    assert ask(app, "PUT", "/_sandbox/limits", {"sliding": True, "per_window": 0}).status == 400
    assert ask(app, "GET", "/_sandbox/limits").json() == told


def test_the_bucket_is_changed_over_http() -> None:
    clock = ManualClock()
    _, app = counter_api(clock, TokenBucket(clock, Quirks()))
    told = ask(app, "PUT", "/_sandbox/limits", {"capacity": 5, "per_second": 0.5}).json()
    assert told == {"enabled": True, "capacity": 5, "per_second": 0.5}
    assert [ask(app, "POST", "/count").status for _ in range(6)] == [200] * 5 + [429]
    clock.advance(2)
    assert [ask(app, "POST", "/count").status for _ in range(2)] == [200, 429]
