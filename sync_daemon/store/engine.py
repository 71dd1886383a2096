"""How the database is opened, read and written; every failure of it becomes a `StateStoreError`.

SQLite runs in WAL mode with one writer at a time; PostgreSQL through psycopg 3. No message ever holds the
password of a database URL, nor a value that a statement carried.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Dialect, Engine, Executable, create_engine, event, make_url
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidatePoolError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util import LRUCache

from sync_daemon.model.errors import StateStoreError
from sync_daemon.store.complaints import explain, shown

BUSY_SECONDS = 10
"""How long SQLite waits for another process's transaction; the lease is renewed with more than this left."""
_CACHE_KIB = 16 * 1024
_FORMS = "write sqlite:///data/sync.db for a file, or postgresql+psycopg://user:password@host/database"


def parse_url(database_url: str) -> URL:
    """The parts of a `database_url`; `StateStoreError` unless it names a SQLite file or a PostgreSQL database."""
    try:
        url = make_url(database_url)
    except (ArgumentError, ValueError):
        # The original error can quote the URL, password included.
        raise StateStoreError(f"database_url can't be read: {_FORMS} (special characters as %xx)") from None
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() != "sqlite":
        raise StateStoreError(f"database_url names {url.get_backend_name()}, which isn't supported: {_FORMS}")
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise StateStoreError(f"database_url names no file, and the state must outlive the process: {_FORMS}")
    return url


def open_engine(database_url: str) -> Engine:
    """The engine for a `database_url`, the folder of a SQLite file made; nothing is asked of the database yet."""
    url = parse_url(database_url)
    try:
        return _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
    except ModuleNotFoundError as error:
        raise StateStoreError("PostgreSQL needs its driver: pip install 'sync-daemon[postgres]'") from error
    except NoSuchModuleError:
        raise StateStoreError(f"database_url names an unknown driver: {_FORMS}") from None


def is_yet_to_be_made(database_url: str) -> bool:
    """Whether the first use will make the database, a SQLite file; nothing is made here.

    Raises `StateStoreError` where it can't be made for want of rights.
    """
    url = parse_url(database_url)
    path = Path(url.database or "").absolute()
    if url.get_backend_name() != "sqlite" or path.exists():
        return False
    nearest = next(folder for folder in path.parents if folder.exists())
    if not nearest.is_dir():
        raise StateStoreError(f"{shown(url)} can't be made: {nearest} is no folder; name another file in database_url")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise StateStoreError(f"{shown(url)} can't be made: give this user the right to write to {nearest}")
    return True


class SQLite(SQLiteDialect_pysqlite):
    """SQLAlchemy's own dialect, of which one is as good as another: what it compiled for one file serves every file.

    A plan, an explanation and a backup each open files of their own, and would begin by compiling all statements.
    """

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))


registry.register("sqlite", __name__, SQLite.__name__)
_COMPILED = LRUCache[Any, Any](1000)
"""Statements as SQLite takes them, of every file that this process opens."""


def _sqlite(url: URL) -> Engine:
    _make_folder(url)
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_use_lifo=True,
        connect_args={"timeout": BUSY_SECONDS},
        execution_options={"compiled_cache": _COMPILED},
    )
    event.listen(engine, "connect", _set_pragmas)
    return engine


def _make_folder(url: URL) -> None:
    """Make the folder of a SQLite file unless it is there. Raises `StateStoreError`."""
    folder = Path(url.database or "").parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StateStoreError(
            f"the folder {folder} of the database can't be made: {error.strerror}; make it, or name another file in "
            "database_url"
        ) from error


def _set_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    cursor.close()


_CONNECTING = {
    "connect_timeout": BUSY_SECONDS,
    "application_name": "sync-daemon",
    # A server that vanished without a word is missed within half a minute, not after a quarter of an hour.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}
"""What libpq is told of each connection, unless `database_url` says otherwise."""
ASK_AFTER_S = 1.0
"""A connection that lay unused so long is tried before it is used."""
_USED_AT = "sync_daemon.used_at"
_UNPREPARED = {"prepare_threshold": None}
"""Statements are planned for the pair that they are about, and a pooler between may hand on another connection."""


def _postgresql(url: URL) -> Engine:
    said_otherwise = url.query.keys()
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_use_lifo=True,
        # Most of what is asked are single reads: a BEGIN and a ROLLBACK around each would go over the network, too.
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        connect_args={name: value for name, value in _CONNECTING.items() if name not in said_otherwise} | _UNPREPARED,
    )
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", partial(_ask_after_a_while, engine.dialect))
    return engine


def _note_use(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info[_USED_AT] = time.monotonic()


def _ask_after_a_while(dialect: Dialect, connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Have a connection replaced if it died unused: a server that was restarted meanwhile is no failure.

    SQLAlchemy's own `pool_pre_ping` asks before each use, which doubles the questions of a cycle.
    """
    used_at = record.info.get(_USED_AT)
    if used_at is None or time.monotonic() - used_at < ASK_AFTER_S:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Turn whatever goes wrong with the database into a `StateStoreError` that says what to change."""
    try:
        yield
    except DBAPIError as error:
        raise explain(url, error) from error
    except SQLAlchemyError as error:
        raise StateStoreError(f"{shown(url)} didn't work as a database: {type(error).__name__}") from error


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for reads, which see what was committed; no transaction is open between two of them."""
    with explained(engine.url), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine, *, durable: bool = False, erasing: bool = False) -> Iterator[Connection]:
    """One transaction, committed at the end, undone when anything is raised.

    A `durable` one survives a power cut as soon as it is committed; of others the last ones may be lost together,
    which whoever can read the systems again puts up with. An `erasing` one is durable, and overwrites what it deletes.
    """
    with (
        explained(engine.url),
        engine.connect() as connection,
        _as_safe_as(connection, durable=durable or erasing),
        transactional(connection).begin(),
    ):
        if engine.dialect.name == "sqlite":
            if erasing:  # and from now on: that some builds of SQLite do it anyway is nothing to rely on
                connection.exec_driver_sql("PRAGMA secure_delete = ON").close()
            # Taking the write lock first is what lets others wait for it instead of failing half way.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


def write_once(engine: Engine, statement: Executable, parameters: Mapping[str, object]) -> int:
    """One statement that is a transaction of its own; how many rows it changed."""
    with explained(engine.url), engine.connect() as connection:
        changed = connection.execute(statement, parameters).rowcount
        connection.commit()
        return changed


def transactional(connection: Connection, isolation_level: str = "READ COMMITTED") -> Connection:
    """The connection, from now on in transactions that end with a commit or a rollback, on PostgreSQL, too."""
    if connection.dialect.name == "postgresql":
        connection.execution_options(isolation_level=isolation_level)
    return connection


def rewrite(engine: Engine) -> None:
    """Leave nothing in a SQLite file, or in its log, of what was deleted; PostgreSQL does that in its own time."""
    if engine.dialect.name != "sqlite":
        return
    with explained(engine.url), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM")
        busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    if busy:
        raise StateStoreError(f"{shown(engine.url)} is being read by another process, whose reading didn't end in time")


@contextmanager
def _as_safe_as(connection: Connection, *, durable: bool) -> Iterator[None]:
    if not durable or connection.dialect.name != "sqlite":  # PostgreSQL's commits are durable
        yield
        return
    _set_synchronous(connection, "FULL")
    try:
        yield
    finally:
        _set_synchronous(connection, "NORMAL")


def _set_synchronous(connection: Connection, level: str) -> None:
    connection.exec_driver_sql(f"PRAGMA synchronous = {level}")
    connection.rollback()  # what SQLAlchemy began for it
