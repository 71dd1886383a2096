"""A private copy of one pair's state: a plan works on it, so that looking ahead changes nothing and disturbs nobody."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, Table, and_, insert, or_, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable, DDLElement

from sync_daemon.model.person import Person
from sync_daemon.model.system import SystemName
from sync_daemon.store import tables
from sync_daemon.store.engine import explained, open_engine, transactional, writing
from sync_daemon.store.tables import installation, metadata, pairs

_ROWS = 1000
_SQLITE = sqlite.dialect(paramstyle="qmark")
_STAYING = (
    tables.runs,
    tables.changes,
    tables.undo_journal,
    tables.oauth_tokens,
    tables.oauth_logins,
    tables.configured_pairs,
)
"""What no plan asks about stays behind, and so do tokens, which have one place alone where they are refreshed."""


@contextmanager
def private_copy(engine: Engine, pair: str, person: Person | None = None) -> Iterator[Engine]:
    """A pair's rows of one moment in a SQLite file of its own, gone at the end; those of one person alone if given.

    Raises `StateStoreError`.
    """
    with TemporaryDirectory(prefix="sync-daemon-") as folder:
        copy = open_engine(f"sqlite:///{Path(folder) / 'copy.db'}")
        try:
            with _one_moment(engine) as source, writing(copy) as target:
                for statement in _tables(indexed=person is None):
                    target.exec_driver_sql(statement)
                pair_id = source.scalar(select(pairs.c.id).where(pairs.c.name == pair))
                only = _of_person(person) if person is not None else {}
                for table in metadata.sorted_tables:
                    if table not in _STAYING:
                        rows = _of_pair(table, pair_id)
                        rows = rows.where(only[table]) if table in only else rows
                        _copy(rows, source, _insert_into(table), target)
            yield copy
        finally:
            copy.dispose()


@cache
def _tables(*, indexed: bool) -> tuple[str, ...]:
    """The statements that make every table; one person's few rows need no index."""
    made: list[DDLElement] = [CreateTable(table) for table in metadata.sorted_tables]
    made += [CreateIndex(index) for table in metadata.sorted_tables for index in table.indexes if indexed]
    return tuple(str(one.compile(dialect=_SQLITE)) for one in made)


@cache
def _insert_into(table: Table) -> str:
    return str(insert(table).compile(dialect=_SQLITE))


@contextmanager
def _one_moment(engine: Engine) -> Iterator[Connection]:
    """A connection whose reads all see the same state, whatever others commit meanwhile."""
    with explained(engine.url), engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        else:
            transactional(connection, "REPEATABLE READ")
        yield connection


def _of_pair(table: Table, pair_id: int | None) -> Select[*tuple[Any, ...]]:
    if table is installation:
        return select(table)
    return select(table).where((table.c.id if table is pairs else table.c.pair_id) == pair_id)


def _of_person(person: Person) -> Mapping[Table, ColumnElement[bool]]:
    """Which rows of the tables that hold a row for each contact, change or event concern one person."""
    ghl, emailoctopus = sorted(person.ghl), sorted(person.emailoctopus)

    def named(table: Table) -> ColumnElement[bool]:
        return or_(table.c.ghl_id.in_(ghl), table.c.emailoctopus_id.in_(emailoctopus))

    def seen(table: Table) -> ColumnElement[bool]:
        sides = ((SystemName.GHL, ghl), (SystemName.EMAILOCTOPUS, emailoctopus))
        return or_(*(and_(table.c.system == name, table.c.contact_id.in_(ids)) for name, ids in sides))

    addresses = sorted(person.addresses)
    return {
        tables.contacts: seen(tables.contacts),
        tables.additional_addresses: or_(
            tables.additional_addresses.c.ghl_id.in_(ghl), tables.additional_addresses.c.address.in_(addresses)
        ),
        tables.links: named(tables.links),
        tables.inbox: seen(tables.inbox),
        tables.calls: seen(tables.calls),
        tables.parked: named(tables.parked),
        tables.held: named(tables.held),
        tables.tombstones: or_(named(tables.tombstones), tables.tombstones.c.address.in_(addresses)),
        tables.revocations: tables.revocations.c.address.in_(addresses),
        # A hint that was heeded tells nothing any more but repetitions.
        tables.events: and_(
            seen(tables.events), or_(tables.events.c.heeded_at.is_(None), tables.events.c.engagement.is_not(None))
        ),
        tables.activity: tables.activity.c.ghl_id.in_(ghl),
        tables.deeds: tables.deeds.c.ghl_id.in_(ghl),
    }


def _copy(rows: Select[*tuple[Any, ...]], source: Connection, into: str, target: Connection) -> None:
    """Both databases keep the same plain types, so rows go over as they are."""
    for part in source.execution_options(yield_per=_ROWS).execute(rows).partitions():
        target.exec_driver_sql(into, [tuple(row) for row in part])
