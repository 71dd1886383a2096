from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from sync_daemon.http.allowance import Allowance, SlidingWindow, TokenBucket
from sync_daemon.http.limits import Limiter
from sync_daemon.model.errors import QuotaExhausted
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox import limits as vendor
from sync_daemon.sandbox.emailoctopus.quirks import Quirks
from tests.unit.http.virtual_clock import VirtualClock


def limiter(allowance: Allowance, clock: VirtualClock, *, patience_s: float = 60.0) -> Limiter:
    return Limiter(SystemName.GHL, allowance, clock, refill_s=10.0, patience_s=patience_s)


def told(server: vendor.Limiter, status: int) -> dict[str, str]:
    return {name.lower(): value for name, value in server.headers(status)}


def refused(client: Limiter, server: vendor.Limiter, clock: VirtualClock, requests: int) -> int:
    """Send so many requests, each taking a moment; how many the vendor refused."""
    count = 0
    for _ in range(requests):
        sent_at = client.wait_turn()
        clock.advance(0.001)
        status = 200 if server.take() else 429
        client.answered(sent_at, status, told(server, status))
        count += status == 429
    return count


SERVERS: dict[str, Callable[[VirtualClock], vendor.Limiter]] = {
    "25 in a fixed window": lambda clock: vendor.GhlWindow(clock, per_window=25, per_day=10_000),
    "25 in a sliding window": lambda clock: vendor.GhlWindow(clock, per_window=25, per_day=10_000, sliding=True),
    "100 in a fixed window": vendor.GhlWindow,
    "100 in a sliding window": lambda clock: vendor.GhlWindow(clock, sliding=True),
}


@pytest.mark.parametrize("server", SERVERS.values(), ids=SERVERS.keys())
def test_a_vendor_with_windows_never_refuses_and_is_used_to_nine_tenths(
    server: Callable[[VirtualClock], vendor.Limiter],
) -> None:
    clock = VirtualClock()
    window = server(clock)
    client = limiter(SlidingWindow(25, 10.0), clock)
    assert refused(client, window, clock, 300) == 0
    begin = clock.monotonic()
    assert refused(client, window, clock, 2000) == 0
    allowed = window.settings.per_window / 10  # type: ignore[attr-defined]  # every one of these servers has it
    assert 2000 / (clock.monotonic() - begin) >= 0.9 * allowed


@pytest.mark.parametrize("headers", [True, False])
def test_a_vendor_with_a_bucket_never_refuses_and_is_used_to_nine_tenths(*, headers: bool) -> None:
    clock = VirtualClock()
    bucket = vendor.TokenBucket(clock, Quirks(rate_headers_on_success=headers))
    client = limiter(TokenBucket(100, 10.0), clock)
    assert refused(client, bucket, clock, 300) == 0
    begin = clock.monotonic()
    assert refused(client, bucket, clock, 2000) == 0
    assert 2000 / (clock.monotonic() - begin) >= 9.0


def test_another_tool_on_the_same_account_is_made_room_for() -> None:
    clock = VirtualClock()
    bucket = vendor.TokenBucket(clock, Quirks())
    client = limiter(TokenBucket(100, 10.0), clock)
    count = 0
    for _ in range(300):
        bucket.take()  # the other tool's, as many as ours
        count += refused(client, bucket, clock, 1)
    assert count <= 20
    assert client.usage().throttled == count


def test_a_429_without_a_word_waits_for_the_documented_refill() -> None:
    clock = VirtualClock()
    client = limiter(SlidingWindow(25, 10.0), clock)
    client.answered(client.wait_turn(), 429, {})
    client.wait_turn()
    assert clock.monotonic() == pytest.approx(10.0)
    assert client.usage().rate_per_second == pytest.approx(25 / 10.5 * (0.5 + 0.5 * 10 / 600))


def test_the_daily_quota_keeps_its_last_requests_for_revocations() -> None:
    clock = VirtualClock()
    window = vendor.GhlWindow(clock, per_window=100, per_day=300)
    client = limiter(SlidingWindow(25, 10.0), clock)
    with pytest.raises(QuotaExhausted) as stop:
        refused(client, window, clock, 300)
    assert client.usage().requests == 200
    assert stop.value.reset_in == pytest.approx(86_400 - clock.monotonic(), abs=1)
    assert "quota" in str(stop.value)
    for _ in range(100):
        client.answered(client.wait_turn(revokes=True), 200, told(window, 200))
        window.take()
    client.answered(0.0, 200, told(window, 200))
    with pytest.raises(QuotaExhausted):
        client.wait_turn(revokes=True)
    clock.advance(86_400)
    client.wait_turn()
    assert client.usage().daily_limit == 300


def test_a_wait_beyond_the_patience_is_a_quota_that_ran_out() -> None:
    clock = VirtualClock()
    client = limiter(TokenBucket(100, 10.0), clock, patience_s=60.0)
    client.answered(client.wait_turn(), 429, {"retry-after": "61"})
    with pytest.raises(QuotaExhausted) as stop:
        client.wait_turn()
    assert stop.value.reset_in == 61.0
    assert clock.slept == []


def test_threads_wait_in_turn_and_none_is_counted_twice() -> None:
    clock = VirtualClock()
    client = limiter(SlidingWindow(25, 10.0), clock)
    with ThreadPoolExecutor(10) as pool:
        sent = sorted(pool.map(lambda _: client.wait_turn(), range(200)))
    assert client.usage().requests == 200
    assert [round(moment, 1) for moment in sent[::25]] == [pytest.approx(10.5 * n, abs=0.2) for n in range(8)]


def test_seconds_for_follows_the_limits_told() -> None:
    clock = VirtualClock()
    client = limiter(SlidingWindow(25, 10.0), clock)
    assert client.seconds_for(100) == pytest.approx(31.5)
    client.answered(client.wait_turn(), 200, told(vendor.GhlWindow(clock), 200))
    assert client.seconds_for(100) == 0
