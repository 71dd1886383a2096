"""Processes that share an account keep to its limit together; real ones, and the vendors' own windows."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from sync_daemon.http.allowance import SlidingWindow, TokenBucket
from sync_daemon.http.limits import Limiter
from sync_daemon.http.rates import OwnRates, packed, unpacked
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.clock import SystemClock as SandboxClock
from sync_daemon.sandbox.emailoctopus.quirks import Quirks
from sync_daemon.sandbox.limits import GhlWindow
from sync_daemon.sandbox.limits import Limiter as Vendor
from sync_daemon.sandbox.limits import TokenBucket as VendorsBucket
from sync_daemon.store.cluster import Cluster
from sync_daemon.store.engine import open_engine
from sync_daemon.wiring.clock import SystemClock
from tests.databases import Server
from tests.e2e.forked import Forked

PROGRAM = """
import sys, time
from sync_daemon.http.allowance import TokenBucket
from sync_daemon.http.limits import Limiter
from sync_daemon.model.system import SystemName
from sync_daemon.store.cluster import Cluster
from sync_daemon.store.engine import open_engine
from sync_daemon.wiring.clock import SystemClock

clock, engine = SystemClock(), open_engine(sys.argv[1])
limiter = Limiter(SystemName.EMAILOCTOPUS, TokenBucket(20, 10.0), clock, refill_s=10.0, account="one",
                  rates=Cluster(engine, clock))
print("ready", flush=True)
sys.stdin.readline()
until = time.time() + 2.5
while time.time() < until:
    limiter.wait_turn()
    print(time.time(), flush=True)
engine.dispose()
"""


def test_two_processes_together_never_send_more_than_the_vendor_allows(postgres_server: Server, tmp_path: Path) -> None:
    program, database_url = tmp_path / "sender.py", postgres_server.emptied_database()
    program.write_text(PROGRAM, encoding="utf-8")
    with ExitStack() as stack:
        processes = [Forked((database_url,), tmp_path, os.environ, program=program, listens=True) for _ in range(2)]
        for process in processes:
            stack.callback(process.close)
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.say("go\n")
        with ThreadPoolExecutor(2) as pool:
            said = list(pool.map(lambda process: process.communicate(60)[0].split(), processes))
    assert all(len(one) > 5 for one in said), "each has its share"
    moments = sorted(float(moment) for one in said for moment in one)
    for first, begin in enumerate(moments):
        for last in range(first, len(moments)):
            assert last - first + 1 <= 20 + 10 * (moments[last] - begin) + 1e-6, "a bucket of 20, 10 more each second"
    assert len(moments) >= 0.8 * (20 + 10 * 2.5)


@pytest.mark.parametrize("kind", [GhlWindow, VendorsBucket])
def test_of_limiters_with_one_account_none_is_refused(kind: type, postgres_server: Server) -> None:
    clock, url = SystemClock(), postgres_server.emptied_database()
    vendor: Vendor = (
        GhlWindow(SandboxClock(), per_window=25) if kind is GhlWindow else VendorsBucket(SandboxClock(), Quirks())
    )
    allowance = SlidingWindow(25, 10.0) if kind is GhlWindow else TokenBucket(100, 10.0)
    lock, statuses = threading.Lock(), list[int]()

    def send(_: int) -> None:
        engine = open_engine(url)
        limiter = Limiter(SystemName.GHL, allowance, clock, refill_s=10.0, rates=Cluster(engine, clock), account="one")
        try:
            for _ in range(8 if kind is GhlWindow else 60):
                sent_at = limiter.wait_turn()
                with lock:
                    status = 200 if vendor.take() else 429
                    headers = {name.lower(): value for name, value in vendor.headers(status)}
                    statuses.append(status)
                limiter.answered(sent_at, status, headers)
        finally:
            engine.dispose()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(send, range(2)))
    assert (len(statuses), 429 in statuses) == (16 if kind is GhlWindow else 120, False)


def test_whoever_shares_an_account_hears_of_a_429_at_once() -> None:
    clock = SystemClock()
    rates = OwnRates(clock)
    one, other = (
        Limiter(SystemName.GHL, SlidingWindow(25, 10.0), clock, refill_s=10.0, rates=rates, account="a")
        for _ in range(2)
    )
    third = Limiter(SystemName.GHL, SlidingWindow(25, 10.0), clock, refill_s=10.0, rates=rates, account="b")
    one.answered(one.wait_turn(), 429, {"retry-after": "30"})
    assert other._take(clock.monotonic(), revokes=False) == pytest.approx(30, abs=1)
    assert third._take(clock.monotonic(), revokes=False) == 0.0


def test_what_a_daily_quota_has_left_is_known_to_all() -> None:
    clock = SystemClock()
    rates = OwnRates(clock)
    one, other = (
        Limiter(SystemName.GHL, SlidingWindow(25, 10.0), clock, refill_s=10.0, rates=rates, account="a")
        for _ in range(2)
    )
    told = {"x-ratelimit-limit-daily": "1000", "x-ratelimit-daily-remaining": "300"}
    one.answered(one.wait_turn(), 200, told)
    one.wait_turn()
    other.wait_turn()
    assert other.usage().daily_remaining == 298


@pytest.mark.parametrize("allowance", [SlidingWindow(25, 10.0, 0.5), TokenBucket(100, 10.0, 0.5)])
def test_a_pace_comes_back_as_it_was_with_the_share_of_whoever_asks(allowance: SlidingWindow | TokenBucket) -> None:
    pace, _ = unpacked(b"", allowance).take(1000.0)
    pace = pace.throttled(1000.0, 1000.0, 10.0)
    assert unpacked(packed(pace), allowance) == pace
    half = SlidingWindow(25, 10.0, 0.25) if isinstance(allowance, SlidingWindow) else TokenBucket(100, 10.0, 0.25)
    assert unpacked(packed(pace), half).allowance.share == 0.25
