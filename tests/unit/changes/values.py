"""What tests of the pure rooms are made of: snapshots, rows of known contacts, tag books, detectors."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sync_daemon.changes.detect import Detector
from sync_daemon.changes.digests import Digester
from sync_daemon.changes.tagbook import TagBook
from sync_daemon.model.contact import Consent, Snapshot, Source
from sync_daemon.model.policy import FieldRule, TagRule
from sync_daemon.model.state import Baseline, KnownContact, KnownTag, Staged
from sync_daemon.model.system import SystemName

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
GRANTED: Final = Consent.GRANTED
PENDING: Final = Consent.PENDING
REVOKED: Final = Consent.REVOKED
ADA, BOB, EVE = "ada@example.com", "bob@example.com", "eve@example.com"
DIGESTER = Digester(b"a key of thirty-two bytes, or so")


class CountingDigester(Digester):
    """A digester that counts the names of tags it is asked about."""

    asked = 0

    def tag(self, system: SystemName, contact_id: str, name: str) -> bytes:
        self.asked += 1
        return super().tag(system, contact_id, name)


NAME = FieldRule("firstName", "FirstName")
CITY = FieldRule("city", "City")
RULES = (NAME, CITY)


def at(minutes: float) -> datetime:
    """A moment, in minutes after a certain one."""
    return datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(minutes=minutes)


def person(contact_id: str = "g1", address: str | None = ADA, *, minutes: float = 0, **more: Any) -> Snapshot:
    """A GHL contact as a read by id shows it. `fields` and `tags` as in a Snapshot."""
    return _snapshot(GHL, contact_id, address, minutes, more)


def subscriber(contact_id: str = "e1", address: str | None = ADA, *, minutes: float = 0, **more: Any) -> Snapshot:
    """An EmailOctopus contact as a read by id shows it."""
    return _snapshot(EMAILOCTOPUS, contact_id, address, minutes, more)


def _snapshot(system: SystemName, contact_id: str, address: str | None, minutes: float, more: Any) -> Snapshot:
    more = {"source": Source.READ, "consent": GRANTED, **more}
    more["tags"] = frozenset(more.get("tags", ()))
    return Snapshot(system, contact_id, at(minutes), address, **more)


def book(
    ghl: Iterable[str] = (),
    emailoctopus: Iterable[str] = (),
    *,
    rule: TagRule | None = None,
    known: Iterable[KnownTag] = (),
    generation: int = 0,
    reserved: Iterable[str] = (),
) -> TagBook:
    """A tag book that has met these names."""
    made = TagBook(known, rule or TagRule(), generation, frozenset(reserved))
    made.meet({GHL: ghl, EMAILOCTOPUS: emailoctopus})
    return made


def detector(*rules: FieldRule, tags: TagBook | None = None) -> Detector:
    """What compares snapshots under these rules; the usual two without any."""
    return Detector(DIGESTER, rules or RULES, tags or book())


def digest(address: str) -> bytes:
    """The digest an address is stored by."""
    return DIGESTER.address(address)


def baseline_of(snapshot: Snapshot, by: Detector, generation: int = 0) -> Baseline:
    """The baseline of a contact when all of this snapshot was agreed."""
    system, contact_id = snapshot.system, snapshot.contact_id
    return Baseline(
        fields={
            rule.key: DIGESTER.field(system, contact_id, rule.key, snapshot.fields.get(rule.name_in(system)))
            for rule in by.rules
        },
        tags=frozenset(DIGESTER.tag(system, contact_id, ghl_name(system, name, by)) for name in snapshot.tags),
        consent=snapshot.consent,
        address=digest(snapshot.address) if snapshot.address else None,
        generation=generation,
    )


def ghl_name(system: SystemName, name: str, by: Detector) -> str:
    """What GHL calls a tag, its own name if the pair has never seen it."""
    tag = by.tags.find(system, name)
    return by.tags.ghl_name(tag) if tag else name


def agreed(snapshot: Snapshot, by: Detector | None = None, **more: Any) -> KnownContact:
    """The row of a linked contact that was last agreed as this snapshot shows it."""
    row: dict[str, Any] = {
        "updated_at": snapshot.updated_at,
        "consent": snapshot.consent,
        "address": digest(snapshot.address) if snapshot.address else None,
        "seen": DIGESTER.snapshot(snapshot),
        "baseline": baseline_of(snapshot, by or detector()),
    }
    return KnownContact(snapshot.system, snapshot.contact_id, **{**row, **more})


def seen(snapshot: Snapshot, **more: Any) -> KnownContact:
    """The row of a contact that was seen as this snapshot shows it, and never linked."""
    return agreed(snapshot, **{"baseline": Baseline(consent=snapshot.consent), "seen": None, **more})


def staged(snapshot: Snapshot, *parts: str, **more: Any) -> Staged:
    """The inbox row of a snapshot whose parts changed when it says."""
    changed_at = dict.fromkeys(parts, snapshot.updated_at)
    return Staged(snapshot.system, snapshot.contact_id, snapshot, **{"changed_at": changed_at, **more})
