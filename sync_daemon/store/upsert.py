"""Insert, or replace what stands: one statement for all rows on PostgreSQL, one for each on SQLite."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Executable, Table, case, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from sync_daemon.store.many import Rows, as_columns, insert_given

Proposed = ReadOnlyColumnCollection[str, Column[Any]]


class Upsert:
    """Rows of one table, replaced where a row with the same values of `key` stands.

    `where` tells from the proposed columns whether the row that stands may be replaced. Columns that are
    None in the proposed row stay as they stand if they are among `kept`; those of `guarded` where its condition
    holds; those of `lasting`, and the id of the row, are never replaced. With `first`, none ever is.
    """

    def __init__(
        self,
        table: Table,
        key: tuple[str, ...],
        where: Callable[[Proposed], ColumnElement[bool]] | None = None,
        kept: tuple[str, ...] = (),
        lasting: tuple[str, ...] = (),
        guarded: tuple[tuple[str, ...], Callable[[Proposed], ColumnElement[bool]]] | None = None,
        *,
        first: bool = False,
    ) -> None:
        self._table, self._key, self._where = table, key, where
        self._kept, self._lasting, self._guarded, self._first = kept, lasting, guarded, first
        self._each = self._on_conflict(sqlite.insert(table))
        self._all: dict[tuple[str, ...], Executable] = {}

    def write(self, connection: Connection, rows: Rows) -> None:
        """Store rows one after the other: of several with one key each is weighed against the one before."""
        if not rows:
            return
        if connection.dialect.name != "postgresql":
            connection.execute(self._each, rows)
            return
        for turn in _turns(rows, self._key):
            connection.execute(self._of(tuple(turn[0])), as_columns(turn))

    def _of(self, names: tuple[str, ...]) -> Executable:
        """The statement for all rows that have these columns."""
        if names not in self._all:
            self._all[names] = self._on_conflict(insert_given(postgresql.insert(self._table), names))
        return self._all[names]

    def _on_conflict(self, insert: postgresql.Insert | sqlite.Insert) -> Executable:
        if self._first:
            return insert.on_conflict_do_nothing()
        proposed: Any = insert.excluded
        return insert.on_conflict_do_update(
            index_elements=self._key,
            set_={
                standing.name: func.coalesce(new, standing) if standing.name in self._kept else new
                for standing, new in zip(self._table.c, proposed, strict=True)
                if standing.name not in {*self._key, *self._lasting, "id"}
            }
            | _guarded(self._table, proposed, self._guarded),
            where=None if self._where is None else self._where(proposed),
        )


def _turns(rows: Rows, key: tuple[str, ...]) -> list[list[Mapping[str, Any]]]:
    """The rows in as few parts as it takes to have no key twice in one: a statement can replace a row only once."""
    turns: list[list[Mapping[str, Any]]] = []
    met: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        place = tuple(row[name] for name in key)
        if met[place] == len(turns):
            turns.append([])
        turns[met[place]].append(row)
        met[place] += 1
    return turns


def _guarded(
    table: Table, proposed: Proposed, guarded: tuple[tuple[str, ...], Callable[[Proposed], ColumnElement[bool]]] | None
) -> dict[str, ColumnElement[Any]]:
    if guarded is None:
        return {}
    names, stays = guarded
    return {name: case((stays(proposed), table.c[name]), else_=proposed[name]) for name in names}
