"""What waits: parked changes for another try, held changes for a person."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    CompoundSelect,
    Connection,
    Delete,
    Select,
    Table,
    bindparam,
    case,
    delete,
    func,
    literal,
    not_,
    select,
    true,
    union_all,
    update,
)

from sync_daemon.model.state import NEVER, Held, Parked, Stuck
from sync_daemon.model.system import SystemName
from sync_daemon.store.engine import writing
from sync_daemon.store.many import Among, ForEach, Given
from sync_daemon.store.moments import to_datetime, to_micros
from sync_daemon.store.room import AnyRow, Room, chunks
from sync_daemon.store.tables import ORDERED, held, pairs, parked
from sync_daemon.store.upsert import Upsert

# As a cycle's commits do: no two processes can block each other half way.
_LOCK = select(pairs.c.id).where(pairs.c.id == bindparam("pair")).with_for_update()


def _all_of(table: Table) -> Select[Any]:
    return select(table).where(table.c.pair_id == bindparam("pair")).order_by(table.c.id)


def _count_of(table: Table) -> Select[Any]:
    """How many contacts wait, those with several changes once."""
    contact = case((table.c.ghl_id != "", "g" + table.c.ghl_id), else_="e" + table.c.emailoctopus_id)
    return select(func.count(contact.distinct())).where(table.c.pair_id == bindparam("pair"))


def _page_of(table: Table) -> Select[Any]:
    return _all_of(table).where(table.c.id > bindparam("after")).limit(bindparam("limit"))


def _keys(table: Table, what: Column[str]) -> dict[str, Column[Any]]:
    return {"ghl": table.c.ghl_id, "emailoctopus": table.c.emailoctopus_id, "what": what}


def _key(table: Table, what: Column[str], key: Given) -> Delete:
    return delete(table).where(
        table.c.pair_id == bindparam("pair"),
        table.c.ghl_id == key("ghl"),
        table.c.emailoctopus_id == key("emailoctopus"),
        what == key("what"),
    )


_PARKED = _all_of(parked)
_LET_BE = (parked.c.dropped == true()) & (parked.c.next_try >= to_micros(NEVER))
_PARKED_WAITING = _PARKED.where(not_(_LET_BE))
_PARKED_PAGE = _page_of(parked).where(not_(_LET_BE))
DUE = parked.c.next_try <= bindparam("due")
"""Parked changes whose time has come by `:due`, in microseconds."""
_PARKED_DUE = _PARKED.where(DUE)
_PARKED_BY_GHL = _PARKED.where(Among(parked.c.ghl_id))
_PARKED_BY_EMAILOCTOPUS = _PARKED.where(Among(parked.c.emailoctopus_id))
COUNT_PARKED = _count_of(parked).where(not_(_LET_BE))
# An order that was given since the row was read stands, though what it is about be parked again.
_PARK = Upsert(
    parked,
    ("pair_id", "ghl_id", "emailoctopus_id", "what"),
    guarded=(("next_try", "dropped", "orders"), lambda proposed: parked.c.orders > proposed.orders),
)
_UNPARK = ForEach(
    {**_keys(parked, parked.c.what), "seen": parked.c.orders},
    lambda key: _key(parked, parked.c.what, key).where(parked.c.orders <= key("seen")),
)
_IDS_PARKED = select(parked.c.id).where(parked.c.pair_id == bindparam("pair"))
_ORDER = (
    update(parked)
    .where(parked.c.pair_id == bindparam("pair"), parked.c.id == bindparam("of"))
    .values(next_try=bindparam("at"), dropped=bindparam("drop"), orders=parked.c.orders + 1)
)

_HELD = _all_of(held)
_HELD_PAGE = _page_of(held)
_HELD_BY_GHL = _HELD.where(Among(held.c.ghl_id))
_HELD_BY_EMAILOCTOPUS = _HELD.where(Among(held.c.emailoctopus_id))
_HELD_AND_ORDERED = _HELD.where(ORDERED)
COUNT_HELD = _count_of(held)
# What is held again has been held since it was first, and a person may have said meanwhile what is to be done.
_HOLD = Upsert(held, ("pair_id", "ghl_id", "emailoctopus_id", "action"), lasting=("since", "approved", "discarded"))
_ORDER_HELD = (
    update(held)
    .where(held.c.pair_id == bindparam("pair"), held.c.id == bindparam("row"))
    .values(approved=bindparam("approve"), discarded=bindparam("discard"))
)


def _stuck_by(system: SystemName) -> CompoundSelect[Any]:
    def of(table: Table, what: Column[str], *, is_held: bool) -> Select[Any]:
        contact_id = table.c.ghl_id if system is SystemName.GHL else table.c.emailoctopus_id
        chosen = select(contact_id.label("contact_id"), what.label("what"), literal(is_held).label("is_held"))
        return chosen.where(table.c.pair_id == bindparam("pair"), Among(contact_id))

    return union_all(of(parked, parked.c.what, is_held=False), of(held, held.c.action, is_held=True))


_STUCK_BY = {name: _stuck_by(name) for name in SystemName}
_RELEASE = ForEach(_keys(held, held.c.action), lambda key: _key(held, held.c.action, key))


class Waiting(Room):
    """The rows of parked and held changes; a row that is replaced keeps the id that people use for it."""

    def parked(
        self,
        *,
        ghl: Collection[str] = (),
        emailoctopus: Collection[str] = (),
        due: datetime | None = None,
        everything: bool = False,
    ) -> list[Parked]:
        """Parked changes of the contacts named, those whose time has come, or all that wait; oldest id first.

        What a person dropped and is let be doesn't wait, but belongs to its contacts still.
        """
        if everything:
            return [self._parked(row) for row in self._read(_PARKED_WAITING)]
        rows = [*self._read_by(_PARKED_BY_GHL, ghl), *self._read_by(_PARKED_BY_EMAILOCTOPUS, emailoctopus)]
        if due is not None:
            rows += self._read(_PARKED_DUE, due=to_micros(due))
        return [self._parked(row) for row in _each_once(rows)]

    def stuck(self, system: SystemName, ids: Collection[str]) -> list[Stuck]:
        """What is parked or held of a system's contacts."""
        rows = self._read_by(_STUCK_BY[system], ids)
        return [Stuck(row.contact_id, row.what, is_held=row.is_held) for row in rows]

    def parked_after(self, after: int, limit: int) -> list[Parked]:
        """Some of all that wait, those with a higher id, lowest first."""
        return [self._parked(row) for row in self._read(_PARKED_PAGE, after=after, limit=limit)]

    def parked_ids(self) -> set[int]:
        """The ids of every parked change, those that are let be too."""
        return {row.id for row in self._read(_IDS_PARKED)}

    def order(self, ids: Collection[int], *, drop: bool) -> None:
        """Have the next cycle try some parked changes again, or drop them; needs no lease, the last order counts."""
        order = {"at": to_micros(self._clock.now()), "drop": drop}
        for chunk in chunks(sorted(ids)):
            with writing(self._engine) as connection:
                connection.execute(_ORDER, [{"pair": self._pair_id, "of": one, **order} for one in chunk])

    def held(
        self,
        *,
        ghl: Collection[str] = (),
        emailoctopus: Collection[str] = (),
        ordered: bool = False,
        everything: bool = False,
    ) -> list[Held]:
        """Held changes of the contacts named, those a person decided about, or all; each once, oldest id first."""
        if everything or ordered:
            return [_held(row) for row in self._read(_HELD if everything else _HELD_AND_ORDERED)]
        rows = [*self._read_by(_HELD_BY_GHL, ghl), *self._read_by(_HELD_BY_EMAILOCTOPUS, emailoctopus)]
        return [_held(row) for row in _each_once(rows)]

    def held_after(self, after: int, limit: int) -> list[Held]:
        """Some of all that are held, those with a higher id, lowest first."""
        return [_held(row) for row in self._read(_HELD_PAGE, after=after, limit=limit)]

    def order_held(self, ids: Collection[int], *, approve: bool) -> None:
        """A person's word about held changes: to be made, or to be left as it is; the last word counts."""
        rows = [{"pair": self._pair_id, "row": one, "approve": approve, "discard": not approve} for one in ids]
        if rows:
            with writing(self._engine) as connection:
                connection.execute(_LOCK, {"pair": self._pair_id})
                connection.execute(_ORDER_HELD, rows)

    def _remove_waiting(self, connection: Connection, unparked: Collection[Parked], unheld: Collection[Held]) -> None:
        self._delete(connection, _UNPARK, [{**_ids(row), "what": row.what, "seen": row.orders} for row in unparked])
        self._delete(connection, _RELEASE, [{**_ids(row), "what": row.action} for row in unheld])

    def _write_waiting(self, connection: Connection, park: Collection[Parked], hold: Collection[Held]) -> None:
        _PARK.write(connection, self._rows([self._parked_row(row) for row in park]))
        _HOLD.write(connection, self._rows([_held_row(row) for row in hold]))

    def _parked(self, row: AnyRow) -> Parked:
        return Parked(
            ghl_id=row.ghl_id or None,
            emailoctopus_id=row.emailoctopus_id or None,
            what=row.what,
            code=row.code,
            message=self._secrets.decrypt(row.message).decode(),
            attempts=row.attempts,
            next_try=to_datetime(row.next_try),
            value=row.value,
            dropped=row.dropped,
            orders=row.orders,
            id=row.id,
        )

    def _parked_row(self, row: Parked) -> dict[str, Any]:
        return {
            "ghl_id": row.ghl_id or "",
            "emailoctopus_id": row.emailoctopus_id or "",
            "what": row.what,
            "code": row.code,
            "message": self._secrets.encrypt(row.message.encode()),
            "attempts": row.attempts,
            "next_try": to_micros(row.next_try),
            "value": row.value,
            "dropped": row.dropped,
            "orders": row.orders,
        }


def _each_once(rows: Sequence[AnyRow]) -> list[AnyRow]:
    return [row for _, row in sorted({row.id: row for row in rows}.items())]


def _ids(row: Parked | Held) -> dict[str, str]:
    return {"ghl": row.ghl_id or "", "emailoctopus": row.emailoctopus_id or ""}


def _held(row: AnyRow) -> Held:
    return Held(
        ghl_id=row.ghl_id or None,
        emailoctopus_id=row.emailoctopus_id or None,
        action=row.action,
        reason=row.reason,
        since=to_datetime(row.since),
        approved=row.approved,
        discarded=row.discarded,
        id=row.id,
    )


def _held_row(row: Held) -> dict[str, Any]:
    return {
        "ghl_id": row.ghl_id or "",
        "emailoctopus_id": row.emailoctopus_id or "",
        "action": row.action,
        "reason": row.reason,
        "since": to_micros(row.since),
        "approved": row.approved,
        "discarded": row.discarded,
    }
