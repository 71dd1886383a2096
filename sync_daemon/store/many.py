"""Many rows, or many ids, in one statement: PostgreSQL is given each column's values as an array, SQLite one by one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    Executable,
    Insert,
    Table,
    any_,
    bindparam,
    column,
    func,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import TableValuedAlias
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType, TypeEngine

InsertT = TypeVar("InsertT", bound=Insert)
Rows = Sequence[Mapping[str, Any]]
Given = Callable[[str], ColumnElement[Any]]
"""A column of the rows, by its name."""


class Among(FunctionElement[Any]):
    """Whether a column has one of the values that the statement is given as a list, `:ids` unless named otherwise.

    On PostgreSQL one array: a statement with 500 parameters is put together by SQLAlchemy, and taken apart by psycopg,
    anew each time, at four times the cost.
    """

    inherit_cache = True
    type = NullType()  # SQLite has no truth values: told that it is one, it would be asked whether it equals 1

    def __init__(self, one: Column[Any], name: str = "ids") -> None:
        super().__init__(one, bindparam(name, type_=ARRAY(one.type)))


@compiles(Among)
def _one_by_one(element: Among, compiler: SQLCompiler, **options: Any) -> str:
    one, ids = element.clauses
    return compiler.process(one.in_(bindparam(ids.key, expanding=True)), **options)


@compiles(Among, "postgresql")
def _as_array(element: Among, compiler: SQLCompiler, **options: Any) -> str:
    one, ids = element.clauses
    return compiler.process(one == any_(ids), **options)


class ForEach:
    """A DELETE or UPDATE for each of some rows. `make` builds it; `columns` tells the rows' names and their types."""

    def __init__(self, columns: Mapping[str, Column[Any]], make: Callable[[Given], Executable]) -> None:
        types = {name: one.type for name, one in columns.items()}
        parameters: dict[str, BindParameter[Any]] = {name: bindparam(name, type_=one) for name, one in types.items()}
        together = given(types)
        self._each = make(parameters.__getitem__)
        self._all = make(together.c.__getitem__)

    def run(self, connection: Connection, rows: Rows, **shared: object) -> None:
        """Execute it; `shared` are the parameters that are the same for all rows."""
        if not rows:
            return
        if connection.dialect.name == "postgresql":
            connection.execute(self._all, {**shared, **as_columns(rows)})
        else:
            connection.execute(self._each, [{**shared, **row} for row in rows])


class Insertion:
    """New rows of one table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._all: dict[tuple[str, ...], Executable] = {}

    def write(self, connection: Connection, rows: Rows) -> None:
        """Store rows, which all have the same columns."""
        if not rows:
            return
        if connection.dialect.name != "postgresql":
            connection.execute(insert(self._table), rows)
            return
        names = tuple(rows[0])
        if names not in self._all:
            self._all[names] = insert_given(insert(self._table), names)
        connection.execute(self._all[names], as_columns(rows))


def insert_given(statement: InsertT, names: Sequence[str]) -> InsertT:
    """An INSERT on PostgreSQL of rows that have these columns, given as `as_columns` has them."""
    table = statement.table
    source = given({name: table.c[name].type for name in names})
    return statement.from_select(names, select(*(source.c[name] for name in names)))


def given(types: Mapping[str, TypeEngine[Any]]) -> TableValuedAlias:
    """Rows that a statement on PostgreSQL is given as `as_columns` has them, to be read from like a table."""
    arrays: list[BindParameter[Any]] = [bindparam(name, type_=ARRAY(one)) for name, one in types.items()]
    return (
        func.unnest(*arrays)
        .table_valued(*(column(name, one) for name, one in types.items()), name="given")
        .render_derived()
    )


def as_columns(rows: Rows) -> dict[str, list[Any]]:
    """The values of each column; words of an enumeration as the plain text that an array can hold."""
    return {name: [_plain(row[name]) for row in rows] for name in rows[0]}


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value
