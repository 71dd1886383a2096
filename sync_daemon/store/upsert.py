"""Insert or replace, as one statement built once for each of the two databases."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Insert, Table, case, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import ReadOnlyColumnCollection

Proposed = ReadOnlyColumnCollection[str, Column[Any]]


class Upsert:
    """Rows of one table, replaced where a row with the same values of `key` stands.

    `where` tells from the proposed columns whether the row that stands may be replaced. Columns that are
    None in the proposed row stay as they stand if they are among `kept`; those of `guarded` where its condition
    holds; those of `lasting`, and the id of the row, are never replaced.
    """

    def __init__(
        self,
        table: Table,
        key: tuple[str, ...],
        where: Callable[[Proposed], ColumnElement[bool]] | None = None,
        kept: tuple[str, ...] = (),
        lasting: tuple[str, ...] = (),
        guarded: tuple[tuple[str, ...], Callable[[Proposed], ColumnElement[bool]]] | None = None,
    ) -> None:
        self._statements: dict[str, Insert] = {}
        for dialect in (sqlite, postgresql):
            insert = dialect.insert(table)
            self._statements[dialect.__name__.rpartition(".")[2]] = insert.on_conflict_do_update(
                index_elements=key,
                set_={
                    column.name: _kept(column, proposed) if column.name in kept else proposed
                    for column, proposed in zip(table.c, insert.excluded, strict=True)
                    if column.name not in {*key, *lasting, "id"}
                }
                | _guarded(table, insert.excluded, guarded),
                where=None if where is None else where(insert.excluded),
            )

    def write(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        """Store rows one after the other: of several with one key each is weighed against the one before."""
        if rows:
            connection.execute(self._statements[connection.dialect.name], rows)


def _kept(standing: Column[Any], proposed: Column[Any]) -> ColumnElement[Any]:
    return func.coalesce(proposed, standing)


def _guarded(
    table: Table, proposed: Proposed, guarded: tuple[tuple[str, ...], Callable[[Proposed], ColumnElement[bool]]] | None
) -> dict[str, ColumnElement[Any]]:
    if guarded is None:
        return {}
    names, stays = guarded
    return {name: case((stays(proposed), table.c[name]), else_=proposed[name]) for name in names}
