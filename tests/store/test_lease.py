"""One holder at a time; a crashed one loses the lease by the clock."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from sync_daemon.model.contact import AccountSchema
from sync_daemon.model.errors import PairBusy
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit, PairStore
from sync_daemon.store.engine import writing
from sync_daemon.store.installation import StateStore
from sync_daemon.store.tables import pairs
from tests.e2e.forked import Forked
from tests.store.conftest import SECRET, StoppedClock
from tests.store.examples import NOON


def test_a_free_lease_is_taken_once(pair: PairStore) -> None:
    assert pair.acquire("one", 30)
    assert not pair.acquire("other", 30)


def test_a_lease_can_be_taken_again_by_its_holder(pair: PairStore, clock: StoppedClock) -> None:
    assert pair.acquire("one", 30)
    clock.sleep(25)
    assert pair.acquire("one", 30)
    clock.sleep(25)
    assert not pair.acquire("other", 30)


def test_a_lease_ends_at_its_time(pair: PairStore, clock: StoppedClock) -> None:
    assert pair.acquire("one", 30)
    clock.sleep(29.999)
    assert not pair.acquire("other", 30)
    clock.sleep(0.001)
    assert pair.acquire("other", 30)
    assert not pair.acquire("one", 30)


def test_a_lease_is_renewed_only_by_who_has_it(pair: PairStore, clock: StoppedClock) -> None:
    assert not pair.renew("one", 30)
    assert pair.acquire("one", 30)
    clock.sleep(60)
    assert pair.renew("one", 30)
    assert not pair.acquire("other", 30)
    clock.sleep(30)
    assert pair.acquire("other", 30)
    pair.release("other")
    assert not pair.renew("one", 30)


def test_a_lease_is_given_back_by_its_holder_alone(pair: PairStore) -> None:
    pair.acquire("one", 30)
    pair.release("other")
    assert not pair.acquire("other", 30)
    pair.release("one")
    assert pair.acquire("other", 30)


def test_a_lease_taken_before_the_clock_was_turned_back_ends_in_its_time(pair: PairStore, clock: StoppedClock) -> None:
    assert pair.acquire("crashed", 30)
    clock.sleep(-3600)
    assert not pair.acquire("other", 30)
    clock.sleep(29.999)
    assert not pair.acquire("other", 30)
    clock.sleep(0.001)
    assert pair.acquire("other", 30)


def test_who_renews_a_lease_keeps_it_though_the_clock_was_turned_back(pair: PairStore, clock: StoppedClock) -> None:
    assert pair.acquire("one", 30)
    clock.sleep(-3600)
    for _ in range(8):
        assert not pair.acquire("other", 30)
        clock.sleep(10)
        assert pair.renew("one", 30)


def test_who_lost_the_lease_stores_nothing_more(pair: PairStore, clock: StoppedClock) -> None:
    assert pair.acquire("one", 30)
    pair.commit(Commit(batch_size=50), "run", "one")
    clock.sleep(30)
    pair.commit(Commit(batch_size=51), "run", "one")  # nobody has taken it over
    assert pair.acquire("other", 30)
    with pytest.raises(PairBusy, match="took the pair over"):
        pair.commit(Commit(batch_size=52), "run", "one")
    assert pair.state().batch_size == 51


def test_who_was_overtaken_stores_nothing_though_the_one_who_did_has_the_same_name(store: StateStore) -> None:
    """Such as a worker that stood still, and was given the same pair again before it noticed."""
    before, after = (store.open_pair("main", "location", "list") for _ in range(2))
    assert before.acquire("worker", 30)
    before.begin_scan()
    assert after.acquire("worker", 30)
    known = after.state()
    late: list[Callable[[], object]] = [
        lambda: before.commit(Commit(batch_size=52), "run", "worker"),
        lambda: before.commit(Commit(batch_size=52)),
        lambda: before.configure(generation=b"1", scope_generation=b"2", tag_filter=b"3"),
        before.begin_scan,
        lambda: before.save_schema(AccountSchema(SystemName.GHL, {})),
        lambda: before.save_run(CycleReport("main", "run", Mode.FULL), NOON, NOON),
        lambda: before.forget(b"somebody"),
        lambda: before.forget_contacts([(SystemName.GHL, "g1")]),
    ]
    for write in late:
        with pytest.raises(PairBusy, match="took the pair over"):
            write()
    assert not before.renew("worker", 30)
    before.release("worker")
    assert (after.state(), after.schemas(), after.last_runs(1)) == (known, {}, [])
    assert after.renew("worker", 30)
    after.commit(Commit(batch_size=51), "run", "worker")


def test_a_lease_is_taken_over_when_the_commit_under_way_is_done(
    pair: PairStore, clock: StoppedClock, engine: Engine
) -> None:
    assert pair.acquire("one", 30)
    clock.sleep(30)
    order: list[str] = []

    def take_over() -> bool:
        taken = pair.acquire("other", 30)
        order.append("taken over")
        return taken

    with ThreadPoolExecutor(1) as pool:
        with writing(engine) as connection:
            connection.execute(select(pairs.c.id).with_for_update())
            other = pool.submit(take_over)
            wait([other], timeout=0.5)  # time enough, if it were possible
            order.append("committed")
        assert other.result()
    assert order == ["committed", "taken over"]


def test_each_pair_has_its_own_lease(pair: PairStore, other_pair: PairStore) -> None:
    assert pair.acquire("one", 30)
    assert other_pair.acquire("other", 30)


def test_of_many_threads_one_gets_it(pair: PairStore, clock: StoppedClock) -> None:
    together = threading.Barrier(4)

    def try_to_get(holder: str) -> list[bool]:
        got = []
        for _ in range(5):
            together.wait()
            got.append(pair.acquire(holder, 30))
            if together.wait() == 0:
                clock.sleep(30)
        return got

    with ThreadPoolExecutor(4) as pool:
        rounds = zip(*pool.map(try_to_get, "abcd"), strict=True)

    assert [sum(got) for got in rounds] == [1] * 5


PROGRAM = """
import sys
from datetime import UTC, datetime
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import open_engine
from sync_daemon.store.installation import StateStore

class Clock:
    def now(self):
        return datetime(2026, 11, 1, tzinfo=UTC)

url, secret, holder = sys.argv[1:]
with StateStore(open_engine(url), Secrets(secret), Clock()) as store:
    pair = store.open_pair("main", "location", "list")
    print("ready", flush=True)
    for line in sys.stdin:
        print(pair.acquire(holder, 30), flush=True)
"""


def test_of_several_processes_one_gets_it(database_url: str, tmp_path: Path) -> None:
    program = tmp_path / "holder.py"
    program.write_text(PROGRAM, encoding="utf-8")

    def asked_three_times(process: Forked) -> str:
        process.say("go\n" * 3)
        return process.communicate(60)[0]

    with ExitStack() as stack:
        processes = [
            Forked((database_url, SECRET, holder), tmp_path, os.environ, program=program, listens=True)
            for holder in ("one", "other", "third")
        ]
        for process in processes:
            stack.callback(process.close)
            assert process.stdout.readline() == "ready\n"
        with ThreadPoolExecutor(len(processes)) as pool:
            answers = list(pool.map(asked_three_times, processes))

    assert sorted(answers) == ["False\n" * 3] * 2 + ["True\n" * 3]
