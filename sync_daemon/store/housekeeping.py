"""What the state store keeps no longer: old runs with their changes, events heeded long ago, what can be undone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Delete, Engine, and_, bindparam, delete, exists, func, or_, select, tuple_

from sync_daemon.model.report import CycleOutcome
from sync_daemon.store.engine import reading, writing
from sync_daemon.store.moments import to_micros
from sync_daemon.store.tables import changes, events, runs, undo_journal

_UNEVENTFUL_FOR = timedelta(days=1)
"""How long runs are kept in which nothing happened: an idle service makes one a minute."""

_AT_ONCE = 5000
_later = runs.alias("later")
_LAST = select(func.max(_later.c.started)).where(_later.c.pair_id == runs.c.pair_id).scalar_subquery()
_SOMETHING_HAPPENED = exists().where(changes.c.pair_id == runs.c.pair_id, changes.c.run_id == runs.c.run_id)
_RUNS = delete(runs).where(
    runs.c.started < _LAST,
    or_(
        runs.c.started < bindparam("old"),
        and_(runs.c.started < bindparam("idle"), runs.c.outcome == CycleOutcome.OK, ~_SOMETHING_HAPPENED),
    ),
)
_OLD_CHANGES = delete(changes).where(
    changes.c.id.in_(select(changes.c.id).where(changes.c.at < bindparam("old")).limit(_AT_ONCE))
)
_REPORTED_FOR = timedelta(days=100)
"""How long what a campaign's report may tell again is kept: reports are read for 90 days after the campaign."""
_EVENT = (events.c.pair_id, events.c.system, events.c.event_id)
_OLD_EVENTS = delete(events).where(
    tuple_(*_EVENT).in_(
        select(*_EVENT)
        .where(
            events.c.received_at < bindparam("old"),
            events.c.heeded_at.is_not(None),
            or_(func.coalesce(events.c.campaign_id, "") == "", events.c.received_at < bindparam("reported")),
        )
        .limit(_AT_ONCE)
    )
)
_OLD_UNDO = delete(undo_journal).where(
    undo_journal.c.id.in_(select(undo_journal.c.id).where(undo_journal.c.at < bindparam("old")).limit(_AT_ONCE))
)
_HAS_OLD_UNDO = select(undo_journal.c.id).where(undo_journal.c.at < bindparam("old")).limit(1)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long each is kept; `undo` 0 keeps nothing of what writes replaced."""

    runs: timedelta
    events: timedelta
    undo: timedelta


@dataclass(frozen=True, slots=True)
class Removed:
    """How many rows were removed."""

    runs: int
    changes: int
    events: int
    undo: int


def tidy(engine: Engine, now: datetime, keep: Retention) -> Removed:
    """Remove what is older than it must be; in small transactions, so that no cycle waits for long."""
    undo = _erase_undo(engine, to_micros(now - keep.undo))
    runs, events, changes = _tidy_logs(engine, now, keep.runs, keep.events)
    return Removed(runs, changes, events, undo)


def _tidy_logs(engine: Engine, now: datetime, keep_runs: timedelta, keep_events: timedelta) -> tuple[int, int, int]:
    """How many runs, events and changes were removed."""
    old = {"old": to_micros(now - keep_runs), "idle": to_micros(now - _UNEVENTFUL_FOR)}
    with writing(engine) as connection:
        removed_runs = connection.execute(_RUNS, old).rowcount
    until = {"old": to_micros(now - keep_events), "reported": to_micros(now - _REPORTED_FOR)}
    return removed_runs, _remove(engine, _OLD_EVENTS, until), _remove(engine, _OLD_CHANGES, {"old": old["old"]})


def _remove(engine: Engine, some: Delete, until: Mapping[str, int], *, erasing: bool = False) -> int:
    """Remove some at a time until none is left; how many rows that were."""
    total = 0
    while True:
        with writing(engine, erasing=erasing) as connection:
            removed = connection.execute(some, until).rowcount
        total += removed
        if removed < _AT_ONCE:
            return total


def _erase_undo(engine: Engine, old: int) -> int:
    """Erase what is older from the journal so that the file holds nothing of it either; how many rows that were."""
    with reading(engine) as connection:
        if connection.execute(_HAS_OLD_UNDO, {"old": old}).first() is None:
            return 0
    erased = _remove(engine, _OLD_UNDO, {"old": old}, erasing=True)
    if engine.dialect.name == "sqlite":
        with reading(engine) as connection:  # its log holds the pages as they were until they are back in the file
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return erased
