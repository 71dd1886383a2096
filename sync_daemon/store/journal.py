"""What is only ever added: tombstones, and the audit log of every run."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, insert

from sync_daemon.model.state import Change, Tombstone
from sync_daemon.store.moments import to_micros
from sync_daemon.store.room import Room
from sync_daemon.store.tables import changes, tombstones

_BURY = insert(tombstones)
_LOG = insert(changes)


class Journal(Room):
    """The rows of tombstones and changes."""

    def _write_tombstones(self, connection: Connection, new: Collection[Tombstone]) -> None:
        if new:
            connection.execute(_BURY, self._rows([_tombstone_row(tombstone) for tombstone in new]))

    def _write_changes(self, connection: Connection, new: Collection[Change], run_id: str) -> None:
        at = to_micros(self._clock.now())
        if new:
            connection.execute(
                _LOG, self._rows([{"run_id": run_id, "at": at, **_change_row(change)} for change in new])
            )


def _tombstone_row(tombstone: Tombstone) -> dict[str, Any]:
    return {
        "ghl_id": tombstone.ghl_id or "",
        "emailoctopus_id": tombstone.emailoctopus_id or "",
        "deleted_in": tombstone.deleted_in,
        "at": to_micros(tombstone.at),
        "done": tombstone.done,
        "consent": tombstone.consent,
        "address": tombstone.address,
    }


def _change_row(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "system": change.system,
        "ghl_id": change.ghl_id or "",
        "emailoctopus_id": change.emailoctopus_id or "",
        "what": change.what,
        "reason": change.reason,
    }
