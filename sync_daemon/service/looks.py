"""What the state store tells of when a pair is to be worked on, and of how it stands."""

from dataclasses import replace
from datetime import datetime, timedelta

from sync_daemon.model.errors import STOPPED
from sync_daemon.model.health import PairHealth
from sync_daemon.model.report import READ_ALL, CycleOutcome, Mode
from sync_daemon.model.system import SystemName
from sync_daemon.ports import PairStore

_RUNS_LOOKED_AT = 10


def next_full_scan(store: PairStore, every: timedelta, now: datetime) -> datetime | None:
    """When the next one is due: an interval after the last that came to its end; None: now."""
    ended = (run["started"] for run in store.last_runs(_RUNS_LOOKED_AT, Mode.FULL) if run["outcome"] in READ_ALL)
    last = next((moment for moment in ended if isinstance(moment, datetime)), None)
    return last + every if last is not None and last + every > now else None


def has_something_due(store: PairStore, now: datetime) -> bool:
    """Whether something waits whose time has come: parked changes, hints that nobody told of."""
    return bool(store.count_waiting_events() or store.parked(due=now))


def health_for_all(own: PairHealth, store: PairStore, now: datetime) -> PairHealth:
    """How a pair stands whichever process works on it: as its last runs tell, unless this one knows something newer.

    Raises `StateStoreError`.
    """
    runs = store.last_runs(_RUNS_LOOKED_AT)
    read = (run["started"] for run in runs if run["mode"] != Mode.HINTS and run["outcome"] in READ_ALL)
    fresh = next((moment for moment in read if isinstance(moment, datetime)), None)
    health = own if fresh is None else replace(own, fresh={name: _later(own, name, fresh) for name in SystemName})
    if store.is_leased():  # whoever has it reads or writes
        health = replace(health, read=dict.fromkeys(SystemName, now))
    ended = runs[0]["ended"] if runs else None
    if not isinstance(ended, datetime) or (own.ended is not None and own.ended >= ended):
        return health
    outcome, message = CycleOutcome(str(runs[0]["outcome"])), str(runs[0]["message"])
    if (outcome, message) == (CycleOutcome.INCOMPLETE, STOPPED):
        outcome, message = CycleOutcome.OK, ""  # its turn was over: another one goes on
    return replace(health, outcome=outcome, message=message, ended=ended)


def _later(own: PairHealth, name: SystemName, fresh: datetime) -> datetime:
    return max(own.fresh.get(name, fresh), fresh)
