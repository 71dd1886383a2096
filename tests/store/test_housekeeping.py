"""What is old goes; what somebody may still ask for stays."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from sync_daemon.model.report import CycleOutcome, CycleReport, Mode
from sync_daemon.model.state import Change
from sync_daemon.ports import Commit, PairStore
from sync_daemon.store.engine import reading
from sync_daemon.store.housekeeping import _AT_ONCE, Retention
from sync_daemon.store.installation import StateStore
from sync_daemon.store.tables import changes
from tests.store.conftest import StoppedClock

DAY = 86_400
MONTH = timedelta(days=30)
KEEP = Retention(MONTH, MONTH, timedelta(days=7))


def run(
    pair: PairStore, clock: StoppedClock, run_id: str, outcome: CycleOutcome = CycleOutcome.OK, did: int = 0
) -> None:
    if did:
        pair.commit(Commit(changes=[Change("write", None, "g", "e", "tags", "")] * did), run_id)
    pair.save_run(CycleReport("main", run_id, Mode.INCREMENTAL, outcome), clock.now(), clock.now())
    clock.sleep(60)


def kept(pair: PairStore) -> list[object]:
    return [one["run_id"] for one in pair.last_runs(100)]


def logged(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.scalars(select(changes.c.run_id).order_by(changes.c.id)))


def test_runs_in_which_nothing_happened_go_after_a_day(
    store: StateStore, pair: PairStore, clock: StoppedClock, engine: Engine
) -> None:
    run(pair, clock, "idle")
    run(pair, clock, "writes", did=2)
    run(pair, clock, "parked", CycleOutcome.PARKED)
    clock.sleep(DAY - 600)
    assert store.tidy(KEEP).runs == 0
    run(pair, clock, "new and idle")
    clock.sleep(600)
    removed = store.tidy(KEEP)
    assert (removed.runs, removed.changes) == (1, 0)
    assert kept(pair) == ["new and idle", "parked", "writes"]
    assert logged(engine) == ["writes", "writes"]


def test_runs_and_their_changes_go_after_their_time(
    store: StateStore, pair: PairStore, clock: StoppedClock, engine: Engine
) -> None:
    run(pair, clock, "old", did=3)
    clock.sleep(20 * DAY)
    run(pair, clock, "newer", did=1)
    clock.sleep(11 * DAY)
    removed = store.tidy(KEEP)
    assert (removed.runs, removed.changes) == (1, 3)
    assert (kept(pair), logged(engine)) == (["newer"], ["newer"])


@pytest.mark.parametrize("did", [0, 1])
def test_the_last_run_stays_however_old_it_is(
    store: StateStore, pair: PairStore, clock: StoppedClock, did: int
) -> None:
    """`status` tells when somebody last looked, and how that ended."""
    run(pair, clock, "before", did=did)
    run(pair, clock, "last", did=did)
    clock.sleep(400 * DAY)
    assert store.tidy(KEEP).runs == 1
    assert kept(pair) == ["last"]


def test_the_last_run_of_one_pair_is_not_another_pairs(
    store: StateStore, pair: PairStore, other_pair: PairStore, clock: StoppedClock
) -> None:
    run(pair, clock, "mine")
    run(other_pair, clock, "theirs")
    clock.sleep(400 * DAY)
    assert store.tidy(KEEP).runs == 0


def test_more_changes_than_go_in_one_transaction(
    store: StateStore, pair: PairStore, clock: StoppedClock, engine: Engine
) -> None:
    run(pair, clock, "large", did=_AT_ONCE + 1)
    clock.sleep(31 * DAY)
    assert store.tidy(KEEP).changes == _AT_ONCE + 1
    assert logged(engine) == []
