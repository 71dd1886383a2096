"""What every room of a pair's store shares: the pair it belongs to, and how its rows are read."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Executable, Row

from sync_daemon.ports import Clock
from sync_daemon.store.crypto import DerivedKeys, Secrets
from sync_daemon.store.engine import reading
from sync_daemon.store.many import ForEach, Rows

CHUNK = 500
"""Ids in one statement: below what any of the databases allows as bound parameters."""


def chunks(ids: Collection[Any]) -> Iterator[list[Any]]:
    """Parts of a collection that fit into one statement."""
    waiting = list(ids)
    for start in range(0, len(waiting), CHUNK):
        yield waiting[start : start + CHUNK]


AnyRow = Row[*tuple[Any, ...]]
"""A row of whatever columns."""


class Room:
    """One part of what is remembered of a pair. Reads open a connection of their own; writes join a transaction."""

    def __init__(self, engine: Engine, pair_id: int, secrets: Secrets, keys: DerivedKeys, clock: Clock) -> None:
        self._engine = engine
        self._pair_id = pair_id
        self._secrets = secrets
        self._keys = keys
        self._clock = clock

    def _read(self, statement: Executable, **parameters: object) -> Sequence[AnyRow]:
        """Rows of a statement that names the pair as `:pair`."""
        with reading(self._engine) as connection:
            return connection.execute(statement, {"pair": self._pair_id, **parameters}).all()

    def _read_by(self, statement: Executable, ids: Collection[Any], **parameters: object) -> Iterator[AnyRow]:
        """Rows of a statement that names some ids as `:ids`, whatever their number."""
        for chunk in chunks(ids):
            yield from self._read(statement, ids=chunk, **parameters)

    def _rows(self, rows: Collection[dict[str, Any]]) -> list[dict[str, Any]]:
        """Rows with the pair they belong to."""
        return [{"pair_id": self._pair_id, **row} for row in rows]

    def _delete(self, connection: Connection, some: ForEach, rows: Rows) -> None:
        """Run a statement that names the pair as `:pair` for each of some keys."""
        some.run(connection, rows, pair=self._pair_id)
