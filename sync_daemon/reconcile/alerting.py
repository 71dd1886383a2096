"""When somebody is told: once when a condition begins, once when it is over, never while it lasts. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sync_daemon.model.alarm import Condition, Noticed
from sync_daemon.model.errors import (
    ConfigurationError,
    CredentialsRefused,
    IncompleteRead,
    NotShown,
    PairBusy,
    QuotaExhausted,
    Refused,
    StateStoreAway,
    Stopped,
    SyncError,
    ToldToStop,
    Unreachable,
)
from sync_daemon.model.report import CycleOutcome, CycleReport

TOLD_AFTER = {Condition.DOWN: timedelta(minutes=5), Condition.DATABASE: timedelta(minutes=1)}
"""How long a condition must last before it is told; those not named are told at once."""
OVER_AFTER = timedelta(minutes=2)
"""How long a condition must be gone before it counts as over: two polls. What comes back sooner was never over."""


class Turn(StrEnum):
    """What is told of a condition."""

    BEGUN = "begun"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Standing:
    """A condition as it stands: `sentence` says what is so, empty where only an earlier process knew.

    `told` says that it was told and isn't over; `gone_since` when it was first found not to be so any more.
    """

    sentence: str
    since: datetime
    told: bool = False
    gone_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to be told. `lasted` is how long a condition that is over was so."""

    condition: Condition
    turn: Turn
    sentence: str
    since: datetime
    lasted: timedelta = timedelta(0)


Standings = Mapping[Condition, Standing]


def weigh(standings: Standings, noticed: Noticed, now: datetime) -> tuple[dict[Condition, Standing], list[Notice]]:
    """What stands after a look at a pair, and what is to be told now.

    What a look says nothing about stays as it was; only its time may have come.
    """
    known = {condition: _seen(condition, standing, noticed, now) for condition, standing in standings.items()}
    for condition in noticed.so.keys() - known.keys():
        known[condition] = Standing(noticed.so[condition], noticed.since or now)
    after: dict[Condition, Standing] = {}
    notices: list[Notice] = []
    for condition in Condition:
        standing = known.get(condition)
        if standing is None or _passed_untold(standing):
            continue
        if _is_over(standing, now):
            lasted = (standing.gone_since or now) - standing.since
            notices.append(Notice(condition, Turn.OVER, standing.sentence, standing.since, lasted))
            continue
        if _is_due(condition, standing, now):
            notices.append(Notice(condition, Turn.BEGUN, standing.sentence, standing.since))
            standing = replace(standing, told=True)
        after[condition] = standing
    return after, notices


def _seen(condition: Condition, standing: Standing, noticed: Noticed, now: datetime) -> Standing:
    """A standing condition after a look."""
    if condition in noticed.so:
        return replace(standing, sentence=noticed.so[condition], gone_since=None)
    if condition in noticed.judged and standing.gone_since is None:
        return replace(standing, gone_since=now)
    return standing


def _passed_untold(standing: Standing) -> bool:
    return not standing.told and standing.gone_since is not None


def _is_over(standing: Standing, now: datetime) -> bool:
    return standing.gone_since is not None and now - standing.gone_since >= OVER_AFTER


def _is_due(condition: Condition, standing: Standing, now: datetime) -> bool:
    return not standing.told and now - standing.since >= TOLD_AFTER.get(condition, timedelta(0))


def alarm_of(error: SyncError) -> tuple[Condition, str] | None:
    """What an error that ends a cycle, or keeps it from beginning, is an alert about; None where it is none."""
    match error:
        case CredentialsRefused():
            return Condition.CREDENTIALS, error.shown
        case Unreachable():
            return Condition.DOWN, error.shown
        case QuotaExhausted():
            return Condition.QUOTA, error.shown
        case StateStoreAway():
            return Condition.DATABASE, error.shown
        case ConfigurationError() | NotShown():
            return Condition.CONFIGURATION, error.shown
        case PairBusy() | Stopped() | ToldToStop() | IncompleteRead() | Refused():
            return None
        case _:
            return Condition.FAILING, error.shown


def noticed_in(report: CycleReport, parked_above: int) -> Noticed:
    """What the report of a cycle tells; a cycle that another process kept from beginning tells nothing."""
    if report.outcome is CycleOutcome.BUSY:
        return Noticed()
    so = dict(report.alarms)
    if report.outcome is CycleOutcome.ERROR and not so:
        so[Condition.FAILING] = f"A cycle failed in a way that nobody foresaw: {report.message or 'see the log'}."
    if Condition.PARKED in report.judged and report.parked > parked_above:
        so[Condition.PARKED] = (
            f"{report.parked:,} contacts are parked, more than {parked_above:,} (alerts.parked_above): "
            "what was to be written to them was refused."
        )
    return Noticed(so, frozenset(report.judged))


def noticed_in_refusal(error: SyncError) -> Noticed:
    """What an error tells that kept a pair from being taken up at all."""
    alarm = alarm_of(error)
    return Noticed(dict([alarm] if alarm is not None else []))


def noticed_of_database(error: SyncError | None) -> Noticed:
    """Whether the database is away: what it was asked for ended in `error`, or was answered."""
    alarm = alarm_of(error) if error is not None else None
    return Noticed(dict([alarm] if alarm is not None else []), frozenset({Condition.DATABASE}))


def noticed_silence(fresh_at: datetime, silent_after: timedelta, now: datetime) -> Noticed:
    """Whether a pair is silent: since `fresh_at` nothing was read of it or proven to be as known."""
    so = {}
    if now - fresh_at > silent_after:
        minutes = silent_after / timedelta(minutes=1)
        so[Condition.SILENT] = f"Nothing was read or proven fresh for more than {minutes:g} minutes."
    return Noticed(so, frozenset({Condition.SILENT}), fresh_at)
