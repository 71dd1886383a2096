"""How much memory a scan takes, and how many bytes of state a link."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import create_engine, text

from tests.benchmarks.accounts import twins
from tests.benchmarks.figures import Figure
from tests.benchmarks.jobs import bench

_MOST_MB, _MOST_BYTES = 300.0, 1000.0
_FILLS_PAGES = 10_000
"""Links, of which an empty database's own pages are a small part."""


def measure(sizes: Sequence[int]) -> Iterator[Figure]:
    """Full scans of each size, smallest first."""
    for contacts in sizes:
        one = twins(contacts)
        with bench(one.sandbox, limits=False) as running:
            running.reconcile("--full")
            scan = running.reconcile("--full")
            whole = size_of_state(running.config)
            state = size_of_state(_without_log(running.config))
        yield Figure("memory", f"peak of a full scan of {contacts:,}", "MB", (scan.peak_mb,), None, _MOST_MB)
        goal = _MOST_BYTES if contacts >= _FILLS_PAGES else None
        yield Figure("memory", f"state of a link, of {contacts:,}", "bytes", (state / contacts,), None, goal)
        log = (whole - state) / contacts
        yield Figure("memory", f"log of a link made, of {contacts:,}, until its retention ends", "bytes", (log,))


def _without_log(config: Path) -> Path:
    """A configuration's path beside which a copy of the state lies that has no log: what retention leaves."""
    folder = config.with_name("without-log")
    folder.mkdir()
    shutil.copyfile(config.with_name("sync.db"), folder / "sync.db")
    engine = create_engine(f"sqlite:///{folder / 'sync.db'}", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in ("DELETE FROM changes", "VACUUM"):
            connection.execute(text(statement))
    engine.dispose()
    return folder / config.name


def size_of_state(config: Path) -> int:
    """Bytes that the SQLite file beside a configuration holds, free pages left out."""
    engine = create_engine(f"sqlite:///{config.with_name('sync.db')}")
    with engine.connect() as connection:
        pages, free, page = (
            connection.execute(text(f"PRAGMA {what}")).scalar_one()
            for what in ("page_count", "freelist_count", "page_size")
        )
    engine.dispose()
    return int((pages - free) * page)
