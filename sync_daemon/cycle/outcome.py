"""How a cycle ended: what waits or differs, and the one word for it (interface.md, exit status)."""

from sync_daemon.cycle.alarms import notice
from sync_daemon.cycle.pair import BATCH, Run, log
from sync_daemon.model.errors import (
    CredentialsRefused,
    IncompleteRead,
    NotShown,
    PairBusy,
    PairPaused,
    QuotaExhausted,
    Refused,
    StateStoreAway,
    Stopped,
    SyncError,
    Unreachable,
)
from sync_daemon.model.report import CycleOutcome, CycleReport, Mode
from sync_daemon.ports import Commit
from sync_daemon.reconcile.alerting import alarm_of


def conclude(run: Run) -> None:
    """What waits or differs now, and the outcome that follows from it."""
    report, totals = run.report, run.pair.store.totals_waiting()
    report.parked, report.held = totals.parked, totals.held
    report.diverged, report.consent_held = totals.diverged, totals.consent_held
    if run.following is not None:
        cut_short = bool(run.stopped or run.failed or run.interrupted or run.pair.told_to_stop())
        report.plan = run.following.outcome(run.pair.store, cut_short=cut_short)
    batch = run.sender.batch
    if batch.shrunk or batch.size != run.state.batch_size:
        run.commit(Commit(batch_size=batch.size, looked_at={BATCH: run.pair.clock.now()}))
    if run.book.collisions:  # names of tags are nowhere in plain text; `status` tells them
        log.warning("tags_collide", pair=run.pair.name, tags=len(run.book.collisions))
    if run.sender.plan_limit is not None:
        log.error("plan_limit_reached", pair=run.pair.name)
    interrupted = [one for one in (run.interrupted, run.unread_reports) if one is not None]
    report.proven = set(run.polled)
    errors = [*run.stopped.values(), *run.failed.values(), *run.short.values(), *interrupted]
    for kind, reason in run.guard.over.items():
        log.error("mass_change_held", pair=run.pair.name, kind=kind, reason=reason)
    waits = [error.reset_in for error in errors if isinstance(error, QuotaExhausted) and error.reset_in is not None]
    report.resume_in_s = max(waits, default=None)
    notice(run, totals)
    outcomes = {_outcome_of(error) for error in errors}
    outcomes |= {CycleOutcome.HELD} if totals.held else set()
    outcomes |= {CycleOutcome.PARKED} if totals.parked else set()
    report.outcome = next((outcome for outcome in _PRECEDENCE if outcome in outcomes), CycleOutcome.OK)
    report.message = "; ".join(
        dict.fromkeys(error.shown if isinstance(error, SyncError) else type(error).__name__ for error in errors)
    )


_DATABASE_ASKED_EVERY_S = 5.0
"""How soon a database that is away is asked again: it is the installation's own, and nothing goes on without it."""
_PRECEDENCE = (
    CycleOutcome.AUTH,
    CycleOutcome.UNREACHABLE,
    CycleOutcome.HELD,
    CycleOutcome.QUOTA,
    CycleOutcome.INCOMPLETE,
    CycleOutcome.PARKED,
)


def report_of(error: SyncError, pair: str, run_id: str, mode: Mode) -> CycleReport:
    """The report of a cycle that an error kept from beginning."""
    alarm = alarm_of(error)
    alarms = dict([alarm] if alarm is not None else [])
    report = CycleReport(pair, run_id, mode, _outcome_of(error), error.shown, alarms=alarms)
    report.paused = isinstance(error, PairPaused)
    report.resume_in_s = _DATABASE_ASKED_EVERY_S if isinstance(error, StateStoreAway) else None
    return report


def _outcome_of(error: Exception) -> CycleOutcome:
    match error:
        case PairBusy():
            return CycleOutcome.BUSY
        case CredentialsRefused():
            return CycleOutcome.AUTH
        case Unreachable() | StateStoreAway():
            return CycleOutcome.UNREACHABLE
        case QuotaExhausted():
            return CycleOutcome.QUOTA
        case IncompleteRead() | Refused() | Stopped() | NotShown():
            return CycleOutcome.INCOMPLETE
        case _:
            return CycleOutcome.ERROR
