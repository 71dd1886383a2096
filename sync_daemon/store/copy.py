"""A private copy of one pair's state: a plan works on it, so that looking ahead changes nothing and disturbs nobody."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, Engine, Select, Table, insert, select

from sync_daemon.store.engine import explained, open_engine, writing
from sync_daemon.store.tables import changes, installation, metadata, pairs, runs, undo_journal

_ROWS = 1000
_LOGS = (runs, changes, undo_journal)
"""What no plan asks about stays behind."""


@contextmanager
def private_copy(engine: Engine, pair: str) -> Iterator[Engine]:
    """A pair's rows of one moment in a SQLite file of its own, gone at the end. Raises `StateStoreError`."""
    with TemporaryDirectory(prefix="sync-daemon-") as folder:
        copy = open_engine(f"sqlite:///{Path(folder) / 'copy.db'}")
        try:
            with explained(copy.url):
                metadata.create_all(copy)
            with _one_moment(engine) as source, writing(copy) as target:
                pair_id = source.scalar(select(pairs.c.id).where(pairs.c.name == pair))
                for table in metadata.sorted_tables:
                    if table not in _LOGS:
                        _copy(_of_pair(table, pair_id), source, str(insert(table).compile(copy)), target)
            yield copy
        finally:
            copy.dispose()


@contextmanager
def _one_moment(engine: Engine) -> Iterator[Connection]:
    """A connection whose reads all see the same state, whatever others commit meanwhile."""
    with explained(engine.url), engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        else:
            connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def _of_pair(table: Table, pair_id: int | None) -> Select[*tuple[Any, ...]]:
    if table is installation:
        return select(table)
    return select(table).where((table.c.id if table is pairs else table.c.pair_id) == pair_id)


def _copy(rows: Select[*tuple[Any, ...]], source: Connection, into: str, target: Connection) -> None:
    """Both databases keep the same plain types, so rows go over as they are."""
    for part in source.execution_options(yield_per=_ROWS).execute(rows).partitions():
        target.exec_driver_sql(into, [tuple(row) for row in part])
