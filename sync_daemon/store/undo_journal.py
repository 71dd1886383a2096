"""The undo journal: what a run's writes replaced, encrypted, for `retention.undo_days`."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, Select, and_, bindparam, exists, func, select, true, tuple_

from sync_daemon.model.plan import Action
from sync_daemon.model.system import SystemName
from sync_daemon.model.undo import Replaced, Swap
from sync_daemon.store.many import Among, Insertion
from sync_daemon.store.moments import to_datetime, to_micros
from sync_daemon.store.room import AnyRow, Room
from sync_daemon.store.tables import inbox, links, undo_journal


class _Payload(msgspec.Struct, array_like=True, frozen=True):
    """What may name a person. JSON, as msgpack has no integers beyond 64 bits and a field may hold one."""

    fields: dict[str, Swap]
    unread: list[str]
    address: Swap | None
    tags: tuple[str, ...]
    conflicts: list[str]
    updated_at: datetime | None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Payload).decode
_PAIR = undo_journal.c.pair_id == bindparam("pair")
_ADD = Insertion(undo_journal)
_PLACE = (undo_journal.c.ghl_id, undo_journal.c.emailoctopus_id, undo_journal.c.id)
_OF_RUN = (
    select(undo_journal)
    .where(
        _PAIR,
        undo_journal.c.run_id == bindparam("run"),
        tuple_(*_PLACE) > tuple_(bindparam("ghl"), bindparam("emailoctopus"), bindparam("row")),
    )
    .order_by(*_PLACE)
    .limit(bindparam("limit"))
)
_COUNT = (
    select(undo_journal.c.run_id, func.count().label("writes"))
    .where(_PAIR, Among(undo_journal.c.run_id))
    .group_by(undo_journal.c.run_id)
)
_BY_ID = select(undo_journal).where(_PAIR, undo_journal.c.id == bindparam("row"))
_CONFLICTS = (
    select(undo_journal)
    .where(_PAIR, undo_journal.c.conflict == true(), undo_journal.c.id < bindparam("before"))
    .order_by(undo_journal.c.id.desc())
    .limit(bindparam("limit"))
)
_NEWEST = 2**31 - 1
_other = inbox.alias("other")


def _partners(own: Column[Any], other: Column[Any]) -> Select[tuple[str]]:
    """The contacts of a system with nothing in the inbox whose link's other contact is there."""
    waits = exists().where(
        _other.c.pair_id == links.c.pair_id, _other.c.system == bindparam("of"), _other.c.contact_id == own
    )
    return (
        select(own)
        .join(inbox, and_(inbox.c.pair_id == links.c.pair_id, inbox.c.contact_id == other))
        .where(links.c.pair_id == bindparam("pair"), inbox.c.system == bindparam("others"), ~waits)
    )


_PARTNERS = {
    SystemName.GHL: _partners(links.c.ghl_id, links.c.emailoctopus_id),
    SystemName.EMAILOCTOPUS: _partners(links.c.emailoctopus_id, links.c.ghl_id),
}
_COUNT_PARTNERS = {system: select(func.count()).select_from(query.subquery()) for system, query in _PARTNERS.items()}
_PARTNERS_AMONG = {
    SystemName.GHL: _PARTNERS[SystemName.GHL].where(Among(links.c.ghl_id)),
    SystemName.EMAILOCTOPUS: _PARTNERS[SystemName.EMAILOCTOPUS].where(Among(links.c.emailoctopus_id)),
}


class UndoJournal(Room):
    """The rows of the undo journal, numbered in the order in which the writes were answered."""

    def replaced(self, run_id: str, after: Replaced | None, limit: int) -> list[Replaced]:
        """What a run's writes replaced, contact by contact, from the row after `after` on."""
        place = ("", "", 0) if after is None else (after.ghl_id or "", after.emailoctopus_id or "", after.id)
        where = dict(zip(("ghl", "emailoctopus", "row"), place, strict=True))
        return [self._replaced(row) for row in self._read(_OF_RUN, run=run_id, limit=limit, **where)]

    def replaced_by(self, row_id: int) -> Replaced | None:
        """One row of the journal, None when it was erased or never was."""
        return next((self._replaced(row) for row in self._read(_BY_ID, row=row_id)), None)

    def count_replaced(self, run_ids: Collection[str]) -> dict[str, int]:
        """How many writes of each of these runs the journal has; a run without any is left out."""
        return {row.run_id: row.writes for row in self._read_by(_COUNT, run_ids)}

    def conflicts(self, limit: int, before: int | None = None) -> list[Replaced]:
        """The newest writes by which a value lost against the other side's, newest first; those before a row."""
        rows = self._read(_CONFLICTS, before=_NEWEST if before is None else before, limit=limit)
        return [self._replaced(row) for row in rows]

    def count_to_be_overwritten(self, system: SystemName) -> int:
        """How many contacts with nothing in the inbox have a link to one that is there: it may be written to them."""
        ((count,),) = self._read(_COUNT_PARTNERS[system], of=system, others=system.other)
        return int(count)

    def to_be_overwritten(self, system: SystemName, ids: Collection[str]) -> set[str]:
        """Those of some contacts that `count_to_be_overwritten` counts."""
        rows = self._read_by(_PARTNERS_AMONG[system], ids, of=system, others=system.other)
        return {contact_id for (contact_id,) in rows}

    def _write_replaced(self, connection: Connection, new: Sequence[Replaced], run_id: str) -> None:
        at = to_micros(self._clock.now())
        _ADD.write(connection, self._rows([{"run_id": run_id, "at": at, **self._undo_row(one)} for one in new]))

    def _replaced(self, row: AnyRow) -> Replaced:
        payload = _decode(self._secrets.decrypt(row.payload))
        return Replaced(
            SystemName(row.system),
            Action(row.action),
            row.ghl_id or None,
            row.emailoctopus_id or None,
            payload.fields,
            frozenset(payload.unread),
            payload.address,
            payload.tags,
            frozenset(payload.conflicts),
            row.digest,
            payload.updated_at,
            row.run_id,
            to_datetime(row.at),
            row.id,
        )

    def _undo_row(self, one: Replaced) -> dict[str, Any]:
        payload = _Payload(
            dict(one.fields), sorted(one.unread), one.address, one.tags, sorted(one.conflicts), one.updated_at
        )
        return {
            "system": one.system,
            "action": one.action,
            "ghl_id": one.ghl_id or "",
            "emailoctopus_id": one.emailoctopus_id or "",
            "conflict": bool(one.conflicts),
            "digest": one.digest,
            "payload": self._secrets.encrypt(_encode(payload)),
        }
