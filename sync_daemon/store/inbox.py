"""The inbox: what changed, durable and encrypted, until it is done."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from itertools import product
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, or_, select, true, update

from sync_daemon.model.contact import Snapshot
from sync_daemon.model.state import Staged
from sync_daemon.model.system import SystemName
from sync_daemon.store.many import Among, ForEach
from sync_daemon.store.moments import to_micros
from sync_daemon.store.room import AnyRow, Room
from sync_daemon.store.tables import inbox, pairs
from sync_daemon.store.upsert import Upsert


class _Payload(msgspec.Struct, array_like=True, frozen=True):
    """What may name a person. JSON, as msgpack has no integers beyond 64 bits and a field may hold one."""

    snapshot: Snapshot | None
    changed_at: dict[str, datetime]
    echo: bool = False


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Payload).decode

_PAIR = inbox.c.pair_id == bindparam("pair")
_SYSTEM = inbox.c.system == bindparam("system")
_BY_ID = select(inbox).where(_PAIR, _SYSTEM, Among(inbox.c.contact_id))
_NEXT = (
    select(inbox)
    .where(_PAIR, _SYSTEM, inbox.c.sequence > bindparam("after"))
    .order_by(inbox.c.sequence)
    .limit(bindparam("limit"))
)
_FLAGS = (inbox.c.revoked, inbox.c.moved, inbox.c.absent)
_NEXT_OF = {
    asked: _NEXT.where(*(flag == true() for flag, wanted in zip(_FLAGS, asked, strict=True) if wanted))
    for asked in product((False, True), repeat=len(_FLAGS))
}
_COUNT = select(inbox.c.system, func.count()).where(_PAIR).group_by(inbox.c.system)
_DONE = ForEach(
    {"of": inbox.c.system, "id": inbox.c.contact_id, "staged_as": inbox.c.sequence},
    lambda key: delete(inbox).where(
        _PAIR,
        inbox.c.system == key("of"),
        inbox.c.contact_id == key("id"),
        inbox.c.sequence == key("staged_as"),
    ),
)
_RESERVE = (
    update(pairs)
    .where(pairs.c.id == bindparam("pair"))
    .values(last_sequence=pairs.c.last_sequence + bindparam("count"))
    .returning(pairs.c.last_sequence)
)
# A hint has no time of its own: it replaces any snapshot, but keeps the time of the newest one it replaced.
_UPSERT = Upsert(
    inbox,
    ("pair_id", "system", "contact_id"),
    where=lambda proposed: or_(
        proposed.updated_at.is_(None), inbox.c.updated_at.is_(None), inbox.c.updated_at <= proposed.updated_at
    ),
    kept=("updated_at",),
)


class Inbox(Room):
    """The rows of the inbox, numbered in the order they were staged; staged anew means a new number."""

    def staged(self, system: SystemName, ids: Collection[str]) -> dict[str, Staged]:
        """Inbox rows by contact id."""
        return {row.contact_id: self._staged(row) for row in self._read_by(_BY_ID, ids, system=system)}

    def next_staged(
        self,
        system: SystemName,
        after: int,
        limit: int,
        *,
        revoked: bool = False,
        moved: bool = False,
        absent: bool = False,
    ) -> list[Staged]:
        """Inbox rows of a system with a sequence above `after`, in order; only those with all marks asked for."""
        rows = self._read(_NEXT_OF[revoked, moved, absent], system=system, after=after, limit=limit)
        return [self._staged(row) for row in rows]

    def count_staged(self) -> dict[SystemName, int]:
        """How many inbox rows wait, for both systems."""
        waiting = {SystemName(system): count for system, count in self._read(_COUNT)}
        return {system: waiting.get(system, 0) for system in SystemName}

    def _remove_done(self, connection: Connection, done: Collection[Staged]) -> None:
        rows = [{"of": row.system, "id": row.contact_id, "staged_as": row.sequence} for row in done]
        self._delete(connection, _DONE, rows)

    def _write_staged(self, connection: Connection, staged: Sequence[Staged]) -> None:
        if not staged:
            return
        # The pair's own counter, not the database's: numbers become visible in their order.
        last = connection.execute(_RESERVE, {"pair": self._pair_id, "count": len(staged)}).scalar_one()
        first = last - len(staged) + 1
        rows = [self._inbox_row(row, sequence) for sequence, row in enumerate(staged, start=first)]
        _UPSERT.write(connection, self._rows(rows))

    def _staged(self, row: AnyRow) -> Staged:
        payload = _decode(self._secrets.decrypt(row.payload))
        return Staged(
            system=SystemName(row.system),
            contact_id=row.contact_id,
            snapshot=payload.snapshot,
            changed_at=payload.changed_at,
            revoked=row.revoked,
            moved=row.moved,
            echo=payload.echo,
            absent=row.absent,
            sequence=row.sequence,
        )

    def _inbox_row(self, row: Staged, sequence: int) -> dict[str, Any]:
        changed_at = {key: moment.astimezone(UTC) for key, moment in row.changed_at.items()}
        return {
            "system": row.system,
            "contact_id": row.contact_id,
            "sequence": sequence,
            "updated_at": to_micros(row.snapshot.updated_at) if row.snapshot else None,
            "revoked": row.revoked,
            "moved": row.moved,
            "absent": row.absent,
            "payload": self._secrets.encrypt(_encode(_Payload(row.snapshot, changed_at, row.echo))),
        }
