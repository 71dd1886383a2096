"""Exit statuses, as documented for shells and schedulers."""

from collections.abc import Iterable, Sequence

from sync_daemon.model.errors import (
    ConfigurationError,
    CredentialsRefused,
    IncompleteRead,
    PairBusy,
    QuotaExhausted,
    StateStoreAway,
    SyncError,
    Unreachable,
)
from sync_daemon.model.report import CycleOutcome, CycleReport

DONE = 0
UNEXPECTED = 1
BAD_USAGE = 2
WAITING = 3
CREDENTIALS = 4
HELD = 5
BUSY = 6
UNREACHABLE = 7
INTERRUPTED = 130
TERMINATED = 143

_BY_OUTCOME = {
    CycleOutcome.OK: DONE,
    CycleOutcome.PARKED: WAITING,
    CycleOutcome.HELD: HELD,
    CycleOutcome.INCOMPLETE: WAITING,
    CycleOutcome.AUTH: CREDENTIALS,
    CycleOutcome.BUSY: BUSY,
    CycleOutcome.UNREACHABLE: UNREACHABLE,
    CycleOutcome.QUOTA: WAITING,
    CycleOutcome.ERROR: UNEXPECTED,
}
_BY_ERROR: dict[type[SyncError], int] = {
    StateStoreAway: UNREACHABLE,  # before what it is one of
    ConfigurationError: BAD_USAGE,
    PairBusy: BUSY,
    CredentialsRefused: CREDENTIALS,
    Unreachable: UNREACHABLE,
    QuotaExhausted: WAITING,
    IncompleteRead: WAITING,
}
_PRECEDENCE = (UNEXPECTED, CREDENTIALS, UNREACHABLE, BUSY, HELD, WAITING, DONE)


def status_after_stop(status: int) -> int:
    """The exit status of a command that finished what it had in hand because it was told to: only failures count."""
    return status if status in (UNEXPECTED, CREDENTIALS, UNREACHABLE) else DONE


def status_of(error: SyncError) -> int:
    """The exit status of a command that an error ended."""
    return next((status for kind, status in _BY_ERROR.items() if isinstance(error, kind)), UNEXPECTED)


def status_of_errors(errors: Iterable[SyncError]) -> int:
    """The one exit status that tells most about errors of several pairs."""
    return _most_telling(map(status_of, errors))


def status_of_outcomes(outcomes: Iterable[CycleOutcome]) -> int:
    """The one exit status that tells most about several pairs."""
    return _most_telling(_BY_OUTCOME[outcome] for outcome in outcomes)


def status_of_reports(reports: Sequence[CycleReport]) -> int:
    """The same where some cycles carried out a plan: what of it was refused, or not reached, waits."""
    plans = [report.plan for report in reports if report.plan is not None]
    waits = any(plan.refused or plan.unsent for plan in plans)
    return _most_telling([status_of_outcomes(report.outcome for report in reports), WAITING if waits else DONE])


def _most_telling(statuses: Iterable[int]) -> int:
    return min(statuses, key=_PRECEDENCE.index, default=DONE)
