"""The contacts that a pair is to look at again, as another pair of its location or list found."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from sync_daemon.model.state import Call
from sync_daemon.model.system import SystemName
from sync_daemon.store.many import Among, ForEach
from sync_daemon.store.room import Room
from sync_daemon.store.tables import calls, pairs
from sync_daemon.store.upsert import Upsert

_PAIR = calls.c.pair_id == bindparam("pair")
_WAITING = select(calls.c.system, calls.c.contact_id).where(_PAIR).order_by(calls.c.system, calls.c.contact_id)
_HEARD = ForEach(
    {"in_system": calls.c.system, "of_contact": calls.c.contact_id},
    lambda given: delete(calls).where(
        _PAIR, calls.c.system == given("in_system"), calls.c.contact_id == given("of_contact")
    ),
)
_IDS = select(pairs.c.name, pairs.c.id).where(Among(pairs.c.name, "names"))
_ADD = Upsert(calls, ("pair_id", "system", "contact_id"), first=True)


class Calls(Room):
    """The rows of calls."""

    def called(self) -> list[tuple[SystemName, str]]:
        """The contacts that other pairs call this one's attention to."""
        return [(SystemName(row.system), row.contact_id) for row in self._read(_WAITING)]

    def _remove_heard(self, connection: Connection, heard: Collection[tuple[SystemName, str]]) -> None:
        self._delete(connection, _HEARD, [{"in_system": name, "of_contact": one} for name, one in heard])

    def _write_calls(self, connection: Connection, new: Collection[Call]) -> None:
        """Call other pairs; one that this store doesn't know, as it is a copy of one pair's rows, isn't called."""
        if not new:
            return
        known: dict[str, int] = {
            row.name: row.id for row in connection.execute(_IDS, {"names": sorted({call.pair for call in new})})
        }
        rows: list[dict[str, Any]] = [
            {"pair_id": known[call.pair], "system": call.system, "contact_id": call.contact_id}
            for call in sorted(set(new), key=lambda one: (one.pair, one.system, one.contact_id))
            if call.pair in known
        ]
        _ADD.write(connection, rows)
