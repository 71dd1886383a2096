"""Consent as a ratchet: one table of what happened on the two sides, and what follows (contract, section 4)."""

from dataclasses import dataclass
from enum import Enum, auto

from sync_daemon.model.contact import Consent
from sync_daemon.model.grants import ConsentHistory
from sync_daemon.model.policy import Resubscribe
from sync_daemon.model.state import Cause

G, P, R = Consent.GRANTED, Consent.PENDING, Consent.REVOKED


class Event(Enum):
    """What happened, in words."""

    AGREE = auto()
    """Both sides say what they may say together."""
    STAND = auto()
    """They differ, as they did before: reported where it holds somebody's wish back, never changed."""
    REVOKED_IN_GHL = auto()
    """GHL blocks the address: EmailOctopus becomes unsubscribed."""
    REVOKED_IN_EMAILOCTOPUS = auto()
    """EmailOctopus lost the address: every GHL contact with it gets e-mail DND."""
    OPTED_IN = auto()
    """The person subscribed again in EmailOctopus while GHL blocks the address."""
    LIFTED = auto()
    """Somebody lifted GHL's block while EmailOctopus is unsubscribed."""


_E = Event
TABLE: dict[tuple[Consent, Consent, Consent, Consent], Event] = {
    # GHL before, now; EmailOctopus before, now
    (G, G, G, G): _E.AGREE,
    (G, G, G, P): _E.AGREE,
    (G, G, G, R): _E.REVOKED_IN_EMAILOCTOPUS,
    (G, G, P, G): _E.AGREE,
    (G, G, P, P): _E.AGREE,
    (G, G, P, R): _E.REVOKED_IN_EMAILOCTOPUS,
    (G, G, R, G): _E.AGREE,
    (G, G, R, P): _E.AGREE,
    (G, G, R, R): _E.STAND,
    (G, R, G, G): _E.REVOKED_IN_GHL,
    (G, R, G, P): _E.REVOKED_IN_GHL,
    (G, R, G, R): _E.AGREE,
    (G, R, P, G): _E.REVOKED_IN_GHL,
    (G, R, P, P): _E.REVOKED_IN_GHL,
    (G, R, P, R): _E.AGREE,
    (G, R, R, G): _E.REVOKED_IN_GHL,
    (G, R, R, P): _E.REVOKED_IN_GHL,
    (G, R, R, R): _E.AGREE,
    (R, R, G, G): _E.STAND,
    (R, R, G, P): _E.STAND,
    (R, R, G, R): _E.AGREE,
    (R, R, P, G): _E.OPTED_IN,
    (R, R, P, P): _E.STAND,
    (R, R, P, R): _E.AGREE,
    (R, R, R, G): _E.OPTED_IN,
    (R, R, R, P): _E.STAND,
    (R, R, R, R): _E.AGREE,
    (R, G, G, G): _E.AGREE,
    (R, G, G, P): _E.AGREE,
    (R, G, G, R): _E.REVOKED_IN_EMAILOCTOPUS,
    (R, G, P, G): _E.AGREE,
    (R, G, P, P): _E.AGREE,
    (R, G, P, R): _E.REVOKED_IN_EMAILOCTOPUS,
    (R, G, R, G): _E.AGREE,
    (R, G, R, P): _E.AGREE,
    (R, G, R, R): _E.LIFTED,
}
"""Every combination of what two linked contacts said when they last agreed and what they say now."""

FIRST_MEETING: dict[tuple[Consent, Consent], Event] = {
    # GHL now, EmailOctopus now
    (G, G): _E.AGREE,
    (G, P): _E.AGREE,
    (G, R): _E.REVOKED_IN_EMAILOCTOPUS,
    (R, G): _E.REVOKED_IN_GHL,
    (R, P): _E.REVOKED_IN_GHL,
    (R, R): _E.AGREE,
}
"""Two records without a history: revoked wins."""


@dataclass(frozen=True, slots=True)
class ConsentDecision:
    """What follows: at most one of the writes, and what is remembered.

    `emailoctopus` is the status to set there, `ghl` the consent to set there (REVOKED sets e-mail DND,
    GRANTED lifts it). `step_up` says that a write toward consent rests on what was read: it needs reads by id.
    `alone` and `lifted` are what the link remembers for the sake of the location's other lists (see `Sharing`).
    """

    ghl: Consent | None = None
    emailoctopus: Consent | None = None
    cause: Cause | None = None
    dnd_by_us: bool = False
    held: bool = False
    reason: str = ""
    step_up: bool = False
    alone: bool = False
    lifted: bool = False


@dataclass(frozen=True, slots=True)
class ConsentSide:
    """One side's consent: `before` None when it never met; `permanent` marks a block that can't be lifted.

    `unconfirmed` marks somebody who was asked to confirm and never did.
    """

    before: Consent | None
    now: Consent
    permanent: bool = False
    unconfirmed: bool = False


def classify(ghl: ConsentSide, emailoctopus: ConsentSide) -> Event:
    """Name what happened; a combination that isn't in the tables is an error."""
    if ghl.before is None or emailoctopus.before is None:
        return FIRST_MEETING[ghl.now, emailoctopus.now]
    return TABLE[ghl.before, ghl.now, emailoctopus.before, emailoctopus.now]


def _first(ghl: ConsentSide, emailoctopus: ConsentSide) -> bool:
    return ghl.before is None or emailoctopus.before is None


def decide_consent(
    ghl: ConsentSide,
    emailoctopus: ConsentSide,
    history: ConsentHistory,
    resubscribe: Resubscribe,
    *,
    double_opt_in: bool,
) -> ConsentDecision:
    """What the event asks for under the pair's policy."""
    match classify(ghl, emailoctopus):
        case Event.AGREE:
            return _agree(ghl, history)
        case Event.STAND:
            return ConsentDecision(cause=history.cause, dnd_by_us=history.dnd_by_us, held=history.held)
        case Event.REVOKED_IN_GHL:
            return _revoked_in_ghl(ghl, emailoctopus, history)
        case Event.REVOKED_IN_EMAILOCTOPUS:
            if _first(ghl, emailoctopus) and history.cause is Cause.POLICY:
                return _lifted(history, resubscribe, double_opt_in=double_opt_in, unconfirmed=emailoctopus.unconfirmed)
            return _revoked_in_emailoctopus()
        case Event.OPTED_IN:
            return _opted_in(ghl, history)
        case Event.LIFTED:
            return _lifted(history, resubscribe, double_opt_in=double_opt_in, unconfirmed=emailoctopus.unconfirmed)


def _agree(ghl: ConsentSide, history: ConsentHistory) -> ConsentDecision:
    if ghl.now is not Consent.REVOKED:
        return ConsentDecision()
    by_policy = history.cause is Cause.POLICY
    cause = Cause.PERSON_GHL if by_policy and ghl.before is Consent.GRANTED else history.cause or Cause.PERSON_GHL
    return ConsentDecision(cause=cause, dnd_by_us=history.dnd_by_us)


def _revoked_in_ghl(ghl: ConsentSide, emailoctopus: ConsentSide, history: ConsentHistory) -> ConsentDecision:
    by_policy = _first(ghl, emailoctopus) and history.cause is Cause.POLICY and history.dnd_by_us
    if by_policy and not ghl.permanent:
        if emailoctopus.now is Consent.PENDING:
            return ConsentDecision(cause=history.cause, dnd_by_us=True)
        return ConsentDecision(
            ghl=Consent.GRANTED, step_up=True, reason="subscribed again in EmailOctopus; the DND was this program's"
        )
    return ConsentDecision(
        emailoctopus=Consent.REVOKED, cause=Cause.PERSON_GHL, reason="e-mail DND in GHL: revoked wins"
    )


def _revoked_in_emailoctopus() -> ConsentDecision:
    return ConsentDecision(
        ghl=Consent.REVOKED,
        cause=Cause.PERSON_EMAILOCTOPUS,
        dnd_by_us=True,
        reason="unsubscribed in EmailOctopus: revoked wins",
    )


def _opted_in(ghl: ConsentSide, history: ConsentHistory) -> ConsentDecision:
    if history.dnd_by_us and not ghl.permanent:
        return ConsentDecision(
            ghl=Consent.GRANTED, step_up=True, reason="subscribed again in EmailOctopus; the DND was this program's"
        )
    return ConsentDecision(
        cause=history.cause or Cause.PERSON_GHL, held=True, reason="subscribed again, but the DND was set in GHL"
    )


def _lifted(
    history: ConsentHistory, resubscribe: Resubscribe, *, double_opt_in: bool, unconfirmed: bool
) -> ConsentDecision:
    if resubscribe is Resubscribe.ALLOW and unconfirmed and double_opt_in:
        return ConsentDecision(
            emailoctopus=Consent.PENDING,
            cause=history.cause,
            step_up=True,
            reason="GHL allows mail again; the person never confirmed, and is asked again",
        )
    if resubscribe is Resubscribe.ALLOW and not unconfirmed:
        return ConsentDecision(
            emailoctopus=Consent.GRANTED, step_up=True, reason="GHL allows mail again; resubscribe: allow"
        )
    if resubscribe is Resubscribe.PENDING and double_opt_in:
        return ConsentDecision(
            emailoctopus=Consent.PENDING,
            cause=history.cause,
            step_up=True,
            reason="GHL allows mail again; resubscribe: pending asks the person",
        )
    return ConsentDecision(
        cause=history.cause, held=True, reason="GHL allows mail again, but EmailOctopus stays unsubscribed"
    )
