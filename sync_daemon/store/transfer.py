"""All of a state store, moved from a SQLite file to an empty PostgreSQL database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection, Engine, Integer, Table, bindparam, delete, func, insert, select, text

from sync_daemon.model.errors import StateStoreError
from sync_daemon.store.complaints import shown
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import explained, writing
from sync_daemon.store.moments import to_micros
from sync_daemon.store.tables import installation, leases, metadata, pairs

_ROWS = 1000
_CHECK = select(installation.c.key_check)
_WORKED_ON = (
    select(pairs.c.name)
    .join(leases, leases.c.pair_id == pairs.c.id)
    .where(leases.c.expires_at > bindparam("now"))
    .order_by(pairs.c.name)
)
_GIVEN_OUT = text("SELECT seq FROM sqlite_sequence WHERE name = :table")
_GO_ON_AFTER = text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :last)")


def transfer(source: Engine, target: Engine, secrets: Secrets, now: datetime) -> dict[str, int]:
    """Copy every row of one moment in one transaction; how many there are, by table. Both are at `migrate.head()`.

    Nobody can write to the source meanwhile. Raises `StateStoreError` where a process works on it, where it is empty
    or was made with other secrets, and where the target holds a state already.
    """
    with _held_still(source) as rows, writing(target, durable=True) as into:
        _refuse_unless_ready(rows, secrets, now)
        if into.execute(_CHECK.with_for_update()).scalar_one() is not None:
            raise StateStoreError(f"{shown(target.url)} holds a state already: name an empty database")
        into.execute(delete(installation))  # the row that its tables were made with
        return {table.name: _copy(table, rows, into) for table in metadata.sorted_tables}


@contextmanager
def _held_still(engine: Engine) -> Iterator[Connection]:
    """A connection that reads one moment, and lets nobody write as long as it is open."""
    with explained(engine.url), engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection
        connection.rollback()


def _refuse_unless_ready(source: Connection, secrets: Secrets, now: datetime) -> None:
    where = shown(source.engine.url)
    check = source.execute(_CHECK).scalar_one()
    if check is None:
        raise StateStoreError(f"{where} holds no state yet: there is nothing to copy")
    if secrets.behind(check) is None:
        raise StateStoreError(
            f"{where} was made with another secret_key: set secret_key to that one, or to what the .key file beside "
            "the database holds"
        )
    at_work = source.execute(_WORKED_ON, {"now": to_micros(now)}).scalars().all()
    if at_work:
        raise StateStoreError(
            f"a process works on {', '.join(at_work)} in {where}: stop the service first, and don't start it on this "
            "file again (a crashed process lets go of it within two minutes)"
        )


def _copy(table: Table, source: Connection, target: Connection) -> int:
    """Both databases keep the same plain types, so rows go over as they are; new ones are numbered from there on."""
    count = 0
    names = table.c.keys()
    for part in source.execution_options(yield_per=_ROWS).execute(select(table)).partitions():
        target.execute(insert(table), [dict(zip(names, row, strict=True)) for row in part])
        count += len(part)
    if count and table.autoincrement_column is not None and isinstance(table.autoincrement_column.type, Integer):
        target.execute(_GO_ON_AFTER, {"table": table.name, "last": _last_number(table, source)})
    return count


def _last_number(table: Table, source: Connection) -> int:
    """The last id that was given out, though its row may be gone: it is never given to another one."""
    if table.dialect_options["sqlite"]["autoincrement"]:
        return int(source.execute(_GIVEN_OUT, {"table": table.name}).scalar_one())
    return int(source.execute(select(func.max(table.c.id))).scalar_one())
