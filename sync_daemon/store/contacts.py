"""Every contact seen, and the digests of GHL's additional addresses."""

from collections.abc import Collection, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    and_,
    bindparam,
    delete,
    exists,
    func,
    select,
    union_all,
    update,
)

from sync_daemon.model.contact import Consent
from sync_daemon.model.state import KnownContact, SeenAgain, Sighting, Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Clock, Seen
from sync_daemon.store.crypto import DerivedKeys, Secrets
from sync_daemon.store.forgotten import Forgotten
from sync_daemon.store.key_numbers import KeyNumbers
from sync_daemon.store.many import Among, ForEach, Insertion
from sync_daemon.store.moments import to_datetime, to_micros
from sync_daemon.store.packing import pack_baseline, pack_sent, unpack_baseline, unpack_sent
from sync_daemon.store.room import AnyRow, chunks
from sync_daemon.store.tables import additional_addresses, contacts, inbox, links
from sync_daemon.store.upsert import Upsert

_PAIR = contacts.c.pair_id == bindparam("pair")
_SYSTEM = contacts.c.system == bindparam("system")
_BY_ID = select(contacts).where(_PAIR, _SYSTEM, Among(contacts.c.contact_id))
_BY_ADDRESS = select(contacts).where(_PAIR, _SYSTEM, Among(contacts.c.address))
_BY_CONSENT = (
    select(contacts.c.consent, func.count())
    .where(_PAIR, _SYSTEM, func.coalesce(contacts.c.unlinked, "") != Unlinked.DELETED)
    .group_by(contacts.c.consent)
)
_HOLDERS = (
    select(additional_addresses.c.address, additional_addresses.c.ghl_id)
    .where(additional_addresses.c.pair_id == bindparam("pair"), Among(additional_addresses.c.address))
    .order_by(additional_addresses.c.ghl_id)
)
_HELD = select(additional_addresses.c.ghl_id, additional_addresses.c.address).where(
    additional_addresses.c.pair_id == bindparam("pair"), Among(additional_addresses.c.ghl_id)
)
_SCANNED = contacts.c.scan == bindparam("scan")
_HERE = func.coalesce(contacts.c.unlinked, "") != Unlinked.DELETED
_OLD = and_(
    func.coalesce(contacts.c.updated_at, 0) <= bindparam("before"),
    func.coalesce(contacts.c.written_at, 0) <= bindparam("before"),
)
_SEEN = select(
    func.count().filter(_SCANNED),
    func.count().filter(and_(_HERE, _OLD)),
    func.count().filter(and_(_HERE, _OLD, _SCANNED)),
).where(_PAIR, _SYSTEM)
_LINKED = {
    system: exists().where(links.c.pair_id == contacts.c.pair_id, column == contacts.c.contact_id)
    for system, column in ((SystemName.GHL, links.c.ghl_id), (SystemName.EMAILOCTOPUS, links.c.emailoctopus_id))
}
_UNSEEN = select(contacts.c.contact_id).where(_PAIR, _SYSTEM, contacts.c.scan < bindparam("scan"), _OLD)
# Two questions in one, as PostgreSQL would look for a link of every contact there is.
_ABSENT = {
    system: union_all(_UNSEEN.where(_HERE), _UNSEEN.where(contacts.c.unlinked == Unlinked.DELETED, linked))
    for system, linked in _LINKED.items()
}
_NOT_STAGED = ~exists().where(
    inbox.c.pair_id == contacts.c.pair_id,
    inbox.c.system == contacts.c.system,
    inbox.c.contact_id == contacts.c.contact_id,
)
_SETTLED = select(contacts.c.contact_id, contacts.c.record, contacts.c.updated_at).where(
    _PAIR, _SYSTEM, Among(contacts.c.contact_id), contacts.c.record.is_not(None), _NOT_STAGED
)
_SIGHTINGS = select(contacts.c.contact_id, contacts.c.seen, contacts.c.consent, contacts.c.updated_at).where(
    _PAIR, _SYSTEM, Among(contacts.c.contact_id), _NOT_STAGED
)
_SEEN_AGAIN = (
    update(contacts)
    .where(_PAIR, contacts.c.system == bindparam("of"), Among(contacts.c.contact_id))
    .values(scan=bindparam("scan_now"))
)
_UPSERT = Upsert(contacts, ("pair_id", "system", "contact_id"))
_FORGET_ADDITIONAL = ForEach(
    {"id": additional_addresses.c.ghl_id},
    lambda key: delete(additional_addresses).where(
        additional_addresses.c.pair_id == bindparam("pair"), additional_addresses.c.ghl_id == key("id")
    ),
)
_ADD_ADDITIONAL = Insertion(additional_addresses)


class Contacts(Forgotten):
    """The rows of contacts, their baselines packed."""

    def __init__(self, engine: Engine, pair_id: int, secrets: Secrets, keys: DerivedKeys, clock: Clock) -> None:
        super().__init__(engine, pair_id, secrets, keys, clock)
        self._numbers = KeyNumbers(engine, pair_id)

    def contacts(self, system: SystemName, ids: Collection[str]) -> dict[str, KnownContact]:
        """Known contacts by id."""
        return {row.contact_id: self._contact(row) for row in self._read_by(_BY_ID, ids, system=system)}

    def contacts_at(self, system: SystemName, addresses: Collection[bytes]) -> dict[bytes, list[KnownContact]]:
        """Known contacts by the digest of their current primary address, in order of their ids."""
        found: dict[bytes, list[KnownContact]] = {}
        # Sorted here: asked for in order, SQLite would go through every contact of the system instead of the addresses.
        rows = self._read_by(_BY_ADDRESS, addresses, system=system)
        for row in sorted(rows, key=attrgetter("contact_id")):
            found.setdefault(row.address, []).append(self._contact(row))
        return found

    def settled_records(self, system: SystemName, ids: Collection[str]) -> dict[str, tuple[bytes, datetime]]:
        """The digests of records that a full scan had nothing to do about, and their times."""
        rows = self._read_by(_SETTLED, ids, system=system)
        return {one: (record, at) for one, record, micros in rows if (at := to_datetime(micros)) is not None}

    def sightings(self, system: SystemName, ids: Collection[str]) -> dict[str, Sighting]:
        """What was last seen of contacts that nothing is staged of."""
        return {
            contact_id: Sighting(seen, Consent(consent) if consent else None, to_datetime(micros))
            for contact_id, seen, consent, micros in self._read_by(_SIGHTINGS, ids, system=system)
        }

    def holders_of_additional(self, addresses: Collection[bytes]) -> dict[bytes, list[str]]:
        """Ids of GHL contacts that have an address as an additional one."""
        found: dict[bytes, list[str]] = {}
        for address, ghl_id in self._read_by(_HOLDERS, addresses):
            found.setdefault(address, []).append(ghl_id)
        return found

    def additional_addresses(self, ids: Collection[str]) -> dict[str, set[bytes]]:
        """The additional addresses of GHL contacts by id; who has none is left out."""
        found: dict[str, set[bytes]] = {}
        for ghl_id, address in self._read_by(_HELD, ids):
            found.setdefault(ghl_id, set()).add(address)
        return found

    def count_contacts(self, system: SystemName) -> dict[str, int]:
        """Known contacts, deleted ones left out, by consent value; "unknown" where none was told."""
        return {consent or "unknown": count for consent, count in self._read(_BY_CONSENT, system=system)}

    def seen_by_scan(self, system: SystemName, scan: int, known_before: datetime) -> Seen:
        """How many of the known contacts a full scan saw."""
        ((listed, old, old_listed),) = self._read(_SEEN, system=system, scan=scan, before=to_micros(known_before))
        return Seen(listed, old, old_listed)

    def absent_from_scan(self, system: SystemName, scan: int, known_before: datetime) -> list[str]:
        """Ids of the old contacts that a full scan didn't see: linked ones, and others not known to be deleted."""
        rows = self._read(_ABSENT[system], system=system, scan=scan, before=to_micros(known_before))
        return sorted(row.contact_id for row in rows)

    def _write_contacts(
        self, connection: Connection, known: Collection[KnownContact], numbers: Mapping[str, int]
    ) -> None:
        _UPSERT.write(connection, self._rows([_row(contact, numbers) for contact in known]))

    def _write_seen_again(self, connection: Connection, again: Collection[SeenAgain]) -> None:
        for one in again:
            for chunk in chunks(one.ids):
                where = {"pair": self._pair_id, "of": one.system, "ids": chunk}
                connection.execute(_SEEN_AGAIN, {**where, "scan_now": one.scan})

    def _write_additional(self, connection: Connection, additional: Mapping[str, Collection[bytes]]) -> None:
        self._delete(connection, _FORGET_ADDITIONAL, [{"id": ghl_id} for ghl_id in additional])
        rows = [
            {"ghl_id": ghl_id, "address": address} for ghl_id, all_of in additional.items() for address in {*all_of}
        ]
        rows = self._let_in(connection, rows, lambda _, row: row["address"])
        _ADD_ADDITIONAL.write(connection, self._rows(rows))

    def _contact(self, row: AnyRow) -> KnownContact:
        return KnownContact(
            system=SystemName(row.system),
            contact_id=row.contact_id,
            updated_at=to_datetime(row.updated_at),
            consent=Consent(row.consent) if row.consent else None,
            address=row.address,
            seen=row.seen,
            unlinked=Unlinked(row.unlinked) if row.unlinked else None,
            duplicate_of=row.duplicate_of,
            baseline=unpack_baseline(row.baseline, self._numbers.key),
            sent=unpack_sent(row.sent, self._numbers.key),
            written_at=to_datetime(row.written_at),
            generation=row.generation,
            scan=row.scan,
        )


def _row(contact: KnownContact, numbers: Mapping[str, int]) -> dict[str, Any]:
    return {
        "system": contact.system,
        "contact_id": contact.contact_id,
        "updated_at": to_micros(contact.updated_at),
        "consent": contact.consent,
        "address": contact.address,
        "seen": contact.seen,
        "unlinked": contact.unlinked,
        "duplicate_of": contact.duplicate_of,
        "baseline": pack_baseline(contact.baseline, numbers),
        "sent": pack_sent(contact.sent, numbers),
        "written_at": to_micros(contact.written_at),
        "generation": contact.generation,
        "scan": contact.scan,
        "record": contact.record,
    }
