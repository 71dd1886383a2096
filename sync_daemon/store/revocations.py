"""Addresses whose owner, or a policy, revoked consent: by keyed digest, for ever (contract, section 4)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, or_, select

from sync_daemon.model.state import Cause
from sync_daemon.store.many import Among, ForEach
from sync_daemon.store.room import Room
from sync_daemon.store.tables import revocations
from sync_daemon.store.upsert import Upsert

_PAIR = revocations.c.pair_id == bindparam("pair")
_CAUSES = select(revocations.c.address, revocations.c.cause).where(_PAIR, Among(revocations.c.address))
_REGRANT = ForEach(
    {"digest": revocations.c.address},
    lambda key: delete(revocations).where(_PAIR, revocations.c.address == key("digest")),
)
_UPSERT = Upsert(
    revocations,
    ("pair_id", "address"),
    where=lambda proposed: or_(proposed.cause != Cause.POLICY, revocations.c.cause == Cause.POLICY),
)


class Revocations(Room):
    """The rows of remembered revocations; a person's is never replaced by a policy's."""

    def revoked_at(self, addresses: Collection[bytes]) -> dict[bytes, str]:
        """The cause of the remembered revocation of each address that has one."""
        return {row.address: row.cause for row in self._read_by(_CAUSES, addresses)}

    def _regrant(self, connection: Connection, addresses: Collection[bytes]) -> None:
        self._delete(connection, _REGRANT, [{"digest": address} for address in addresses])

    def _write_revoked(self, connection: Connection, revoked: Mapping[bytes, str]) -> None:
        rows = [{"address": address, "cause": cause} for address, cause in revoked.items()]
        remember(connection, self._rows(rows))


def remember(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Store revocations: `pair_id`, `address`, `cause`."""
    _UPSERT.write(connection, rows)
