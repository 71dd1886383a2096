"""What the state store needn't keep any longer: old runs with their changes, events that were heeded long ago."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, and_, bindparam, delete, exists, func, or_, select

from sync_daemon.model.report import CycleOutcome
from sync_daemon.store.engine import writing
from sync_daemon.store.moments import to_micros
from sync_daemon.store.tables import changes, events, runs

_UNEVENTFUL_FOR = timedelta(days=1)
"""How long runs are kept in which nothing happened: an idle service makes one a minute."""

_AT_ONCE = 5000
_later = runs.alias("later")
_ISNT_THE_LAST = exists().where(_later.c.pair_id == runs.c.pair_id, _later.c.started > runs.c.started)
_SOMETHING_HAPPENED = exists().where(changes.c.pair_id == runs.c.pair_id, changes.c.run_id == runs.c.run_id)
_RUNS = delete(runs).where(
    _ISNT_THE_LAST,
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
_OLD_EVENTS = delete(events).where(
    events.c.received_at < bindparam("old"),
    events.c.heeded_at.is_not(None),
    or_(func.coalesce(events.c.campaign_id, "") == "", events.c.received_at < bindparam("reported")),
)


@dataclass(frozen=True, slots=True)
class Removed:
    """How many rows were removed."""

    runs: int
    changes: int
    events: int


def tidy(engine: Engine, now: datetime, *, keep_runs: timedelta, keep_events: timedelta) -> Removed:
    """Remove what is older than it must be; in small transactions, so that no cycle waits for long."""
    old = {"old": to_micros(now - keep_runs), "idle": to_micros(now - _UNEVENTFUL_FOR)}
    with writing(engine) as connection:
        removed_runs = connection.execute(_RUNS, old).rowcount
    with writing(engine) as connection:
        until = {"old": to_micros(now - keep_events), "reported": to_micros(now - _REPORTED_FOR)}
        removed_events = connection.execute(_OLD_EVENTS, until).rowcount
    removed_changes = 0
    while True:
        with writing(engine) as connection:
            removed = connection.execute(_OLD_CHANGES, {"old": old["old"]}).rowcount
        removed_changes += removed
        if removed < _AT_ONCE:
            return Removed(removed_runs, removed_changes, removed_events)
