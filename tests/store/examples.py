"""Rows that tests store, each with every part set, so that a part that gets lost is missed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sync_daemon.model.activity import KnownActivity
from sync_daemon.model.contact import Consent, Snapshot, Source
from sync_daemon.model.deeds import Deed, DeedState
from sync_daemon.model.plan import Action
from sync_daemon.model.sharing import Sharing
from sync_daemon.model.state import Baseline, Cause, Held, KnownContact, Link, Parked, Sent, Staged, Tombstone, Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.model.undo import Replaced, Swap

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
NOON = datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def digest(number: int) -> bytes:
    return number.to_bytes(12, "big")


def known(contact_id: str, system: SystemName = GHL, **changes: object) -> KnownContact:
    parts: dict[str, object] = {
        "updated_at": NOON,
        "consent": Consent.PENDING,
        "address": digest(1),
        "seen": digest(2),
        "unlinked": Unlinked.DUPLICATE,
        "duplicate_of": "another",
        "baseline": Baseline(
            fields={"firstName=FirstName": digest(3), "custom.plan=Plan": b""},
            tags=frozenset({digest(4), digest(5)}),
            consent=Consent.GRANTED,
            address=digest(6),
            generation=7,
        ),
        "sent": Sent(
            fields={"phone=Phone": digest(8)},
            tags=frozenset({digest(9)}),
            consent=Consent.REVOKED,
            address=digest(10),
            creation=True,
            deletion=True,
            counted=frozenset({"deletion"}),
            namesake=True,
            at=later(2),
            since=later(3),
        ),
        "written_at": later(1),
        "generation": digest(11),
        "scan": 12,
    }
    return KnownContact(system, contact_id, **(parts | changes))  # type: ignore[arg-type]  # parts by their name


def full_link(ghl_id: str, emailoctopus_id: str) -> Link:
    return Link(
        ghl_id,
        emailoctopus_id,
        cause=Cause.PERSON_GHL,
        dnd_by_us=True,
        in_scope=False,
        scope_generation=digest(1),
        left_by_configuration=True,
        consent_held=True,
        diverged=frozenset({"phone=Phone", "firstName=FirstName"}),
        address_emptied=True,
        bounces={"phone=Phone": (NOON, later(1))},
        sharing=Sharing(True, True, True, frozenset({"phone=Phone"}), frozenset({digest(2)})),
    )


def snapshot(contact_id: str, system: SystemName = GHL, *, at: datetime = NOON, **changes: object) -> Snapshot:
    parts: dict[str, object] = {
        "address": "Jane.Roe@example.org",
        "source": Source.READ,
        "consent": Consent.REVOKED,
        "permanent": True,
        "fields": {
            "firstName": "Jané-Margarethe",
            "custom.visits": 3,
            "custom.score": 2.0,
            "custom.share": 0.1,
            "custom.colours": ("red", "green"),
            "custom.account": 10**30,
            "custom.note": "Zürich-Seebach \U0001f600 \x00 end",
        },
        "tags": frozenset({"VIP customer", "very important"}),
        "additional_addresses": ("j.roe@example.com",),
        "contact_type": "former patient",
        "remark": "status oddly spelt",
    }
    return Snapshot(system, contact_id, at, **(parts | changes))  # type: ignore[arg-type]  # parts by their name


def staged(contact_id: str, system: SystemName = GHL, *, at: datetime | None = NOON, **changes: bool) -> Staged:
    """A staged contact; without a time a hint."""
    changed_at = {"phone=Phone": NOON, "tags": later(-1)}
    return Staged(
        system, contact_id, None if at is None else snapshot(contact_id, system, at=at), changed_at, **changes
    )


def parked(ghl_id: str | None, emailoctopus_id: str | None, what: str = "phone=Phone", **changes: object) -> Parked:
    parts: dict[str, object] = {
        "code": "not_taken",
        "message": "Phone +1 555 0100 isn't valid",
        "attempts": 2,
        "next_try": NOON,
        "value": digest(1),
    }
    return Parked(ghl_id, emailoctopus_id, what, **(parts | changes))  # type: ignore[arg-type]  # parts by their name


def held(ghl_id: str | None, emailoctopus_id: str | None, action: str = "delete", *, approved: bool = False) -> Held:
    return Held(ghl_id, emailoctopus_id, action, "more than 10% in a day", NOON, approved)


def replaced(ghl_id: str, emailoctopus_id: str, **changes: Any) -> Replaced:
    """What one write replaced, with every part there is."""
    written = Replaced(
        EMAILOCTOPUS,
        Action.UPDATE,
        ghl_id,
        emailoctopus_id,
        fields={"firstName=FirstName": Swap("Jané-Margarethe", None), "custom.n=N": Swap(10**30, 2.5)},
        unread=frozenset({"phone=Phone"}),
        address=Swap("Jane.Roe@example.org", "j.roe@example.com"),
        tags=("VIP customer",),
        conflicts=frozenset({"firstName=FirstName"}),
        digest=digest(9),
    )
    return replace(written, **changes)


def tombstone(ghl_id: str | None, emailoctopus_id: str | None) -> Tombstone:
    return Tombstone(ghl_id, emailoctopus_id, GHL, NOON, "unsubscribe", Consent.REVOKED, digest(1))


def shown(ghl_id: str, emailoctopus_id: str, **changes: Any) -> KnownActivity:
    """What was shown of a contact's activity."""
    written = {"GhlNextTask": digest(7), "GhlOpenTasks": digest(8)}
    known = KnownActivity(ghl_id, emailoctopus_id, written, frozenset({"t1", "t2"}), "t0", "n1", NOON)
    return replace(known, **changes)


def deed(key: str, state: DeedState = DeedState.INTENDED, **changes: Any) -> Deed:
    """Something that is done once."""
    return replace(Deed(key, "start the automation a", "g1", "e1", state, NOON, NOON), **changes)
