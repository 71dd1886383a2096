"""What every room of a pair's store shares: the pair it belongs to, and how its rows are read."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Executable, Row, bindparam, select

from sync_daemon.model.errors import PairBusy
from sync_daemon.ports import Clock
from sync_daemon.store.crypto import DerivedKeys, Secrets
from sync_daemon.store.engine import reading, writing
from sync_daemon.store.many import ForEach, Rows
from sync_daemon.store.tables import leases, pairs

_LOCK = select(pairs.c.id).where(pairs.c.id == bindparam("pair")).with_for_update()
_MINE = select(leases.c.holder).where(leases.c.pair_id == bindparam("pair"), leases.c.run_epoch == bindparam("mine"))
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
    """One part of what is remembered of a pair. Reads open a connection of their own; writes join a transaction.

    As long as a run holds the pair by this object, `_run_epoch` is the run's fencing number.
    """

    def __init__(self, engine: Engine, pair_id: int, secrets: Secrets, keys: DerivedKeys, clock: Clock) -> None:
        self._run_epoch: int | None = None
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

    @contextmanager
    def _writing(self, holder: str | None = None, *, erasing: bool = False) -> Iterator[Connection]:
        """A transaction that locks the pair.

        Raises `PairBusy`, and nothing is stored, when the run lost the pair, or a `holder` that is given hasn't it.
        """
        with writing(self._engine, erasing=erasing) as connection:
            self._lock(connection)
            if holder is not None or self._run_epoch is not None:
                self._refuse_late(connection, holder)
            yield connection

    def _lock(self, connection: Connection) -> None:
        """Let nobody else commit to the pair, or take it over, before this transaction has ended."""
        connection.execute(_LOCK, {"pair": self._pair_id})

    def _refuse_late(self, connection: Connection, holder: str | None) -> None:
        """Raise `PairBusy` unless the run's fencing number is the pair's newest, and `holder`, if given, has it."""
        found = connection.execute(_MINE, {"pair": self._pair_id, "mine": self._run_epoch}).one_or_none()
        if found is None or holder not in (None, found.holder):
            raise PairBusy("another process took the pair over while this one stood still; nothing more is stored")

    def _rows(self, rows: Collection[dict[str, Any]]) -> list[dict[str, Any]]:
        """Rows with the pair they belong to."""
        return [{"pair_id": self._pair_id, **row} for row in rows]

    def _delete(self, connection: Connection, some: ForEach, rows: Rows) -> None:
        """Run a statement that names the pair as `:pair` for each of some keys."""
        some.run(connection, rows, pair=self._pair_id)
