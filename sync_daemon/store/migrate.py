"""The database's version: what it is, what this program needs, and the way from one to the other."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, Engine, inspect, text

from sync_daemon.model.errors import StateStoreError
from sync_daemon.store.complaints import shown
from sync_daemon.store.engine import explained, reading, transactional

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0014"
"""The newest migration. Stands here so that a database that is up to date needs no alembic, which loads slowly."""
_LOCK = text("SELECT pg_advisory_xact_lock(7962305114)")
_PACKAGE = Path(__file__).resolve().parents[1]


def head() -> str:
    """The version this program works with."""
    return HEAD


def current(engine: Engine) -> str | None:
    """The database's version, None before the first `upgrade`."""
    with reading(engine) as connection:
        return _version(connection)


def is_behind(engine: Engine) -> bool:
    """Whether `upgrade` has something to do. Raises `StateStoreError` for a database of a newer version."""
    with reading(engine) as connection:
        version = _version(connection)
        if version != HEAD:
            _refuse_newer(connection, version)
        return version != HEAD


def upgrade(engine: Engine) -> None:
    """Bring the database to `head()`; does nothing when it is there, waits when another process is at it.

    Raises `StateStoreError` when a newer version of the program made the database.
    """
    if not is_behind(engine):
        return
    with migrating(engine) as connection:
        version = _version(connection)
        if version == HEAD:
            return
        _refuse_newer(connection, version)
        from alembic import command  # noqa: PLC0415  # see HEAD

        command.upgrade(configuration(connection), "head")


def verify(engine: Engine) -> None:
    """Raise `StateStoreError` unless the database is at `head()`, for when it may not be upgraded unasked."""
    if is_behind(engine):
        raise too_old(engine.url, current(engine))


def too_old(url: URL, version: str | None = None) -> StateStoreError:
    """What to say of a database that may not be upgraded unasked; `version` None while it has no tables."""
    is_at = f"has version {version}" if version else "has no tables yet"
    return StateStoreError(f"{shown(url)} {is_at}, this program needs {HEAD}: run `sync-daemon db upgrade`")


@contextmanager
def migrating(engine: Engine) -> Iterator[Connection]:
    """One transaction that changes tables, while every other process that wants to waits."""
    is_sqlite = engine.dialect.name == "sqlite"
    with explained(engine.url), engine.connect() as connection:
        transactional(connection)
        if is_sqlite:
            # Else a table that is made anew takes along the rows that refer to it.
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(_LOCK)
        try:
            yield connection
            connection.commit()
        finally:
            connection.rollback()
            if is_sqlite:
                connection.exec_driver_sql("PRAGMA foreign_keys = ON")


def configuration(connection: Connection) -> "Config":
    """Alembic's configuration for the migrations that travel with this program, on an open connection."""
    from alembic.config import Config  # noqa: PLC0415  # see HEAD

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def migrations_folder() -> Path:
    """Where the migrations lie: inside the installed package, or beside it in the repository."""
    packaged = _PACKAGE / "migrations"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "migrations"


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return version


def _refuse_newer(connection: Connection, version: str | None) -> None:
    from alembic.script import ScriptDirectory  # noqa: PLC0415  # see HEAD

    scripts = ScriptDirectory.from_config(configuration(connection))
    if version is not None and version not in {script.revision for script in scripts.walk_revisions()}:
        raise StateStoreError(
            f"{shown(connection.engine.url)} was made by a newer version of sync-daemon (it has version {version}, "
            f"this program knows up to {HEAD}): install that version again, or put back a backup from before"
        )
