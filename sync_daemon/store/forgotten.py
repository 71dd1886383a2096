"""Who was forgotten, by digests: what tells of them isn't written down again, whoever brings it."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from sync_daemon.changes.digests import Digester
from sync_daemon.model.system import SystemName
from sync_daemon.store.many import Among
from sync_daemon.store.room import Room, chunks
from sync_daemon.store.tables import forgotten

_PAIR = forgotten.c.pair_id == bindparam("pair")
_ALL = select(forgotten.c.digest).where(_PAIR)
_AMONG = _ALL.where(Among(forgotten.c.digest))
PEOPLE = forgotten.c.digest == forgotten.c.person
"""The rows of addresses: one for each person."""
_COUNT = select(func.count()).where(_PAIR, PEOPLE)
Rows = list[dict[str, Any]]


class Forgotten(Room):
    """The rows of who was forgotten. `digest_keys` are the keys in force, as `Digester` takes them."""

    digest_keys: Callable[[], tuple[bytes, ...]]

    def forgotten(self) -> set[bytes]:
        """The digests of every address and contact that was forgotten."""
        return {row.digest for row in self._read(_ALL)}

    def is_forgotten(self, address_or_id: str) -> bool:
        """Whether an address, or a contact's id in either system, is that of somebody who was forgotten."""
        digester = self._digester()
        digests = [digester.address(address_or_id), *(digester.contact(name, address_or_id) for name in SystemName)]
        return any(True for _ in self._read_by(_AMONG, digests))

    def _count_forgotten(self) -> int:
        """How many people were forgotten."""
        return int(self._read(_COUNT)[0][0])

    def _digester(self) -> Digester:
        return Digester(*self.digest_keys())

    def _let_in(self, connection: Connection, rows: Rows, digest: Callable[[Digester, dict[str, Any]], bytes]) -> Rows:
        """Those of some rows that tell of nobody who was forgotten; `digest` is what each would be known by."""
        digester = self._digester()
        digests = [digest(digester, row) for row in rows]
        known = set(self._among(connection, digests))
        return [row for row, one in zip(rows, digests, strict=True) if one not in known]

    def _among(self, connection: Connection, digests: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks(set(digests)):
            yield from connection.scalars(_AMONG, {"pair": self._pair_id, "ids": chunk})


def of_contact(digester: Digester, row: dict[str, Any]) -> bytes:
    """What the contact of a row with `system` and `contact_id` is known by."""
    return digester.contact(row["system"], row["contact_id"])
