"""Where lives keep their state: a SQLite file in memory; or, for those that race, a database of a PostgreSQL server."""

import shutil
import tempfile
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path

from sqlalchemy import Engine, select

from sync_daemon.store.engine import open_engine
from sync_daemon.store.tables import metadata
from tests import databases

_SERVER: list[databases.Server] = []
"""The one that lives race on; none where they don't."""


def race_on(server: databases.Server) -> None:
    """Let two processes start each cycle together from now on, over PostgreSQL."""
    _SERVER[:] = [server]
    engine.cache_clear()


def race_no_more() -> None:
    """Let each cycle be started by one process, over a file."""
    if _SERVER:
        engine().dispose()
    _SERVER.clear()
    engine.cache_clear()


def is_race() -> bool:
    """Whether two processes start each cycle together."""
    return bool(_SERVER)


@cache
def folder() -> Path:
    """A folder in memory, where there is one: no life outlives its process."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    made = Path(tempfile.mkdtemp(prefix="sync-daemon-lives-", dir=memory if memory.is_dir() else None))
    Finalize(None, shutil.rmtree, args=(made, True), exitpriority=1)  # atexit is passed over in a pool's processes
    return made


@cache
def engine() -> Engine:
    """The one engine, which keeps its compiled statements from life to life."""
    return open_engine(_SERVER[0].emptied_database() if _SERVER else f"sqlite:///{folder() / 'life' / 'sync.db'}")


@cache
def _template() -> Path:
    path = folder() / "template.db"
    databases.make_sqlite(path)
    return path


def empty_database() -> None:
    """Put an empty database in the place of what is there."""
    engine().dispose()
    if _SERVER:
        _SERVER[0].emptied_database()
        return
    path = folder() / "life"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    shutil.copyfile(_template(), path / "sync.db")


def stored_bytes() -> bytes:
    """Everything the state store holds: on disk, or in its rows."""
    if not _SERVER:
        return b"".join(path.read_bytes() for path in (folder() / "life").iterdir())
    with engine().connect() as connection:
        rows = [row for table in metadata.sorted_tables for row in connection.execute(select(table))]
    return b"\n".join(value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row)
