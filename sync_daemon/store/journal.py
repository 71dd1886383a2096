"""What is only ever added: tombstones, the audit log of every run, and how much of a kind was changed when."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select

from sync_daemon.model.contact import Consent
from sync_daemon.model.person import Person
from sync_daemon.model.plan import GUARDED_FOR
from sync_daemon.model.state import Change, Tombstone
from sync_daemon.model.system import SystemName
from sync_daemon.store.many import Among, Insertion
from sync_daemon.store.moments import to_datetime, to_micros
from sync_daemon.store.room import AnyRow, Room
from sync_daemon.store.tables import changes, mass_changes, tombstones

_BURY = Insertion(tombstones)
_BURIED = select(tombstones).where(tombstones.c.pair_id == bindparam("pair"))
_BURIED_BY_GHL = _BURIED.where(Among(tombstones.c.ghl_id))
_BURIED_BY_EMAILOCTOPUS = _BURIED.where(Among(tombstones.c.emailoctopus_id))
_BURIED_AT = _BURIED.where(Among(tombstones.c.address))
_LOG = Insertion(changes)
_COUNT = insert(mass_changes)
_WRITTEN = (
    select(changes)
    .where(changes.c.pair_id == bindparam("pair"), changes.c.run_id == bindparam("run"), changes.c.kind == "written")
    .order_by(changes.c.id)
)
_FORGET = delete(mass_changes).where(
    mass_changes.c.pair_id == bindparam("pair"), mass_changes.c.at < bindparam("until")
)
_COUNTED = (
    select(mass_changes.c.kind, func.sum(mass_changes.c.changes))
    .where(mass_changes.c.pair_id == bindparam("pair"), mass_changes.c.at >= bindparam("since"))
    .group_by(mass_changes.c.kind)
)


class Journal(Room):
    """The rows of tombstones, changes and mass changes."""

    def written_beside(self, run_id: str, because: Collection[str]) -> list[Change]:
        """The lines of a run's audit log about what was written for a reason that begins with one of these."""
        begins = or_(*(changes.c.reason.startswith(reason, autoescape=True) for reason in because))
        return [_change(row) for row in self._read(_WRITTEN.where(begins), run=run_id)]

    def mass_changes(self, since: datetime) -> dict[str, int]:
        """How many changes of each kind that the guard counts were made since then."""
        return {kind: int(made) for kind, made in self._read(_COUNTED, since=to_micros(since))}

    def tombstones_of(self, person: Person) -> list[Tombstone]:
        """What is remembered of deletions that concern one person, oldest first."""
        rows = {row.id: row for row in self._buried(person)}
        return [_tombstone(rows[one]) for one in sorted(rows)]

    def _buried(self, person: Person) -> Iterator[AnyRow]:
        yield from self._read_by(_BURIED_BY_GHL, person.ghl)
        yield from self._read_by(_BURIED_BY_EMAILOCTOPUS, person.emailoctopus)
        yield from self._read_by(_BURIED_AT, person.addresses)

    def _write_mass_changes(self, connection: Connection, made: Mapping[str, int]) -> None:
        now = self._clock.now()
        if made:
            at = to_micros(now)
            connection.execute(_FORGET, {"pair": self._pair_id, "until": to_micros(now - GUARDED_FOR)})
            rows = [{"kind": kind, "at": at, "changes": number} for kind, number in made.items()]
            connection.execute(_COUNT, self._rows(rows))

    def _write_tombstones(self, connection: Connection, new: Collection[Tombstone]) -> None:
        _BURY.write(connection, self._rows([_tombstone_row(tombstone) for tombstone in new]))

    def _write_changes(self, connection: Connection, new: Collection[Change], run_id: str) -> None:
        at = to_micros(self._clock.now())
        _LOG.write(connection, self._rows([{"run_id": run_id, "at": at, **_change_row(change)} for change in new]))


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


def _tombstone(row: AnyRow) -> Tombstone:
    return Tombstone(
        row.ghl_id or None,
        row.emailoctopus_id or None,
        SystemName(row.deleted_in),
        to_datetime(row.at),
        row.done,
        Consent(row.consent) if row.consent else None,
        row.address,
    )


def _change(row: AnyRow) -> Change:
    system = SystemName(row.system) if row.system else None
    return Change(row.kind, system, row.ghl_id or None, row.emailoctopus_id or None, row.what, row.reason)


def _change_row(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "system": change.system,
        "ghl_id": change.ghl_id or "",
        "emailoctopus_id": change.emailoctopus_id or "",
        "what": change.what,
        "reason": change.reason,
    }
