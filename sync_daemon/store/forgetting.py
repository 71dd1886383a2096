"""Forgetting a person: every row that tells of him goes, keyed digests of the address and the ids stay.

Tables are found by their columns: `ghl_id`, `emailoctopus_id`, `system` with `contact_id`, and `address`, a digest.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, bindparam, delete, func, or_, select, update

from sync_daemon.model.grants import ContactKey
from sync_daemon.model.state import Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.store.engine import writing
from sync_daemon.store.forgotten import Forgotten
from sync_daemon.store.lease import Lease
from sync_daemon.store.tables import contacts, deeds, forgotten, links, metadata, parked, tombstones, watermarks
from sync_daemon.store.upsert import Upsert

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
Ids = Mapping[SystemName, set[str]]
_REMEMBER = Upsert(forgotten, ("pair_id", "digest"))
_RECALL = delete(forgotten).where(
    forgotten.c.pair_id == bindparam("pair"), forgotten.c.person == bindparam("of_person")
)
_READ_ANEW = delete(watermarks).where(watermarks.c.pair_id == bindparam("pair"))
_WORDS = ((parked, parked.c.id, parked.c.message), (deeds, deeds.c.key, deeds.c.message))
"""Where an API's words, encrypted, may name somebody else than the contact that the row is about."""


class Forgetting(Forgotten, Lease):
    """What `forget` finds, erases and takes back."""

    def records_of(self, address: bytes) -> dict[SystemName, set[str]]:
        """The ids of the contacts that are known to have an address, by its digest, and of those linked to them."""
        rows = self._read(_having(self._pair_id, address))
        found = {name: {row.contact_id for row in rows if row.system == name} for name in SystemName}
        return self._with_partners(found)

    def forget(self, address: bytes, found: Collection[ContactKey] = (), holder: str | None = None) -> dict[str, int]:
        """Erase what is stored of whoever has an address, and of the contacts `found`; how many rows of each table.

        Digests of the address and of every contact's id are kept. Raises `PairBusy`, and erases nothing, when
        `holder` lost the lease.
        """
        ids = self.records_of(address)
        for name in SystemName:
            ids[name].update(contact_id for system, contact_id in found if system is name)
        ids = self._with_partners(ids)
        digester = self._digester()
        known = {address, *(digester.contact(name, one) for name in SystemName for one in ids[name])}
        with self._writing(holder, erasing=True) as connection:
            buried = self._ids_buried(connection, address, ids)
            known.update(digester.contact(name, one) for name in SystemName for one in buried[name])
            everybody = {name: ids[name] | buried[name] for name in SystemName}
            erased = dict(self._erase(connection, address, everybody))
            self._blank_words(connection, {one for name in SystemName for one in everybody[name]})
            _REMEMBER.write(connection, self._rows([{"digest": one, "person": address} for one in known]))
        return erased

    def forget_contacts(self, found: Collection[ContactKey]) -> None:
        """Erase what came to be stored of contacts that were forgotten before, under their ids."""
        ids = {name: {contact_id for system, contact_id in found if system is name} for name in SystemName}
        with self._writing(erasing=True) as connection:
            dict(self._erase(connection, None, ids))

    def recall(self, address: bytes) -> bool:
        """Forget that a person was forgotten, by the digest of the address; False when that isn't so.

        The next cycle reads everything: no poll shows who didn't change.
        """
        with writing(self._engine) as connection:
            recalled = connection.execute(_RECALL, {"pair": self._pair_id, "of_person": address}).rowcount > 0
            if recalled:
                connection.execute(_READ_ANEW, {"pair": self._pair_id})
            return recalled

    def _with_partners(self, ids: Ids) -> dict[SystemName, set[str]]:
        """The contacts and those they are linked to."""
        mine = or_(links.c.ghl_id.in_(ids[GHL]), links.c.emailoctopus_id.in_(ids[EMAILOCTOPUS]))
        rows = self._read(select(links).where(links.c.pair_id == self._pair_id, mine))
        return {
            GHL: ids[GHL] | {row.ghl_id for row in rows},
            EMAILOCTOPUS: ids[EMAILOCTOPUS] | {row.emailoctopus_id for row in rows},
        }

    def _ids_buried(self, connection: Connection, address: bytes, ids: Ids) -> dict[SystemName, set[str]]:
        """The ids in tombstones of an address, but of those who are there under another address by now."""
        here = (tombstones.c.pair_id == self._pair_id, tombstones.c.address == address)
        found: dict[SystemName, set[str]] = {}
        for name, column in ((GHL, tombstones.c.ghl_id), (EMAILOCTOPUS, tombstones.c.emailoctopus_id)):
            dead = set(connection.scalars(select(column).where(*here, column != "")))
            alive = select(contacts.c.contact_id).where(
                contacts.c.pair_id == self._pair_id,
                contacts.c.system == name,
                contacts.c.contact_id.in_(dead - ids[name]),
                func.coalesce(contacts.c.unlinked, "") != Unlinked.DELETED,
            )
            found[name] = dead - set(connection.scalars(alive))
        return found

    def _erase(self, connection: Connection, address: bytes | None, ids: Ids) -> Iterator[tuple[str, int]]:
        for table in metadata.sorted_tables:
            conditions = list(tells_of(table, address, ids))
            if conditions:
                mine = and_(table.c.pair_id == self._pair_id, or_(*conditions))
                yield table.name, connection.execute(delete(table).where(mine)).rowcount
        theirs = and_(contacts.c.pair_id == self._pair_id, contacts.c.duplicate_of.in_(ids[GHL]))
        connection.execute(update(contacts).where(theirs).values(duplicate_of=None))

    def _blank_words(self, connection: Connection, ids: Collection[str]) -> None:
        """Blank the messages about others that name one of these contacts."""
        for table, key, message in _WORDS:
            rows = connection.execute(select(key, message).where(table.c.pair_id == self._pair_id, message != b""))
            for row in rows.all():
                words = self._secrets.decrypt(row.message).decode()
                if any(one in words for one in ids):
                    mine = and_(table.c.pair_id == self._pair_id, key == row[0])
                    connection.execute(update(table).where(mine).values(message=self._secrets.encrypt(b"")))


def tells_of(table: Table, address: bytes | None, ids: Ids) -> Iterator[ColumnElement[bool]]:
    """What the rows of a table that tell of a person are known by; nothing where it can't have any."""
    columns = table.c
    if "ghl_id" in columns:
        yield columns.ghl_id.in_(ids[GHL])
    if "emailoctopus_id" in columns:
        yield columns.emailoctopus_id.in_(ids[EMAILOCTOPUS])
    if "contact_id" in columns:
        yield from (and_(columns.system == name, columns.contact_id.in_(ids[name])) for name in SystemName)
    if "address" in columns and address is not None:
        yield columns.address == address


def _having(pair_id: int, address: bytes) -> Select[Any]:
    return select(contacts.c.system, contacts.c.contact_id).where(
        contacts.c.pair_id == pair_id, contacts.c.address == address
    )
