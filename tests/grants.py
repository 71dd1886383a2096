"""Operations for tests that need no world around them: the evidence a wider consent asks for is made up here."""

from datetime import UTC, datetime
from typing import Any

from sync_daemon.model.contact import Consent, Snapshot, Source
from sync_daemon.model.grants import ConsentHistory, Grant, LiftedInGhl, NotRevoked, OptedInAgain
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.policy import Resubscribe
from sync_daemon.model.system import SystemName

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def operation(
    system: SystemName, action: Action, ghl_id: str | None, emailoctopus_id: str | None, reason: str, **more: Any
) -> Operation:
    """An operation; `consent` is the one it sends, with whatever entitles to it. A creation subscribes."""
    consent = more.pop("consent", None)
    if action is Action.SET_DND or (consent is Consent.REVOKED):
        more["sets"] = Consent.REVOKED
    elif action is Action.LIFT_DND:
        more["sets"] = opted_in_again(ghl_id, emailoctopus_id)
    elif action is Action.SET_STATUS:
        more["sets"] = lifted_in_ghl(ghl_id, emailoctopus_id, consent)
    elif (system, action) == (EMAILOCTOPUS, Action.CREATE):
        more["sets"] = NotRevoked(consent=consent or Consent.GRANTED, ghl=_read(GHL, ghl_id, Consent.GRANTED))
    return Operation(system, action, *_filled(ghl_id, emailoctopus_id, more.get("sets")), reason, **more)


def opted_in_again(ghl_id: str | None, emailoctopus_id: str | None) -> OptedInAgain:
    return OptedInAgain(
        ghl=_read(GHL, ghl_id, Consent.REVOKED),
        emailoctopus=_read(EMAILOCTOPUS, emailoctopus_id, Consent.GRANTED),
        history=ConsentHistory(dnd_by_us=True),
    )


def lifted_in_ghl(ghl_id: str | None, emailoctopus_id: str | None, consent: Consent) -> LiftedInGhl:
    return LiftedInGhl(
        ghl=_read(GHL, ghl_id, Consent.GRANTED),
        emailoctopus=_read(EMAILOCTOPUS, emailoctopus_id, Consent.REVOKED),
        agreed=Consent.REVOKED,
        history=ConsentHistory(),
        resubscribe=Resubscribe.PENDING if consent is Consent.PENDING else Resubscribe.ALLOW,
        double_opt_in=True,
    )


def _read(system: SystemName, contact_id: str | None, consent: Consent) -> Snapshot:
    return Snapshot(system, contact_id or f"some {system}", WHEN, "ada@example.com", Source.READ, consent)


def _filled(
    ghl_id: str | None, emailoctopus_id: str | None, sets: Consent | Grant | None
) -> tuple[str | None, str | None]:
    """The two ids; a missing one is that of the made-up contact that the evidence shows."""
    if isinstance(sets, NotRevoked):
        return sets.ghl.contact_id, emailoctopus_id
    if isinstance(sets, OptedInAgain | LiftedInGhl):
        return sets.ghl.contact_id, sets.emailoctopus.contact_id
    return ghl_id, emailoctopus_id
