"""What the program's own work costs: CPU seconds and contacts a second without limits, and what it is spent on."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pstats import Stats

from sqlalchemy import text

from sync_daemon.store.engine import open_engine, reading
from tests import databases
from tests.benchmarks.accounts import Twins, twins
from tests.benchmarks.figures import Figure
from tests.benchmarks.jobs import Bench, Job, bench

_RUNS, _IDLE_RUNS = 3, 10
_CYCLES = text("SELECT ended - started AS took FROM runs WHERE started > :since ORDER BY started")
_EACH_SECOND = "service: {http: {port: 0}, poll_every: 1s}\n"
_COMPARE_CPU_S, _IDLE_S = 20.0, 0.050
_PER = 100_000
_ROOT = Path(__file__).parents[2]


def measure(compared: int, written: int) -> Iterator[Figure]:
    """Full compares of so many contacts on each side, first loads and updates of fewer: on SQLite and on PostgreSQL."""
    for database in ("SQLite", "PostgreSQL"):
        with _database(database) as url:
            yield from _writes(database, url, written)
        with _database(database) as url:
            yield from _compares(database, url, compared)


@contextmanager
def _database(name: str) -> Iterator[str]:
    """The URL of an empty database; "" for a SQLite file of the bench's own."""
    if name != "PostgreSQL":
        yield ""
        return
    server = databases.server()
    try:
        with server.fresh_database(migrated=False) as url:
            yield url
    finally:
        server.close()


def _writes(database: str, url: str, contacts: int) -> Iterator[Figure]:
    """To GHL, which tells its limit itself: to EmailOctopus the program keeps to the documented one."""
    one = twins(contacts, in_ghl=False)
    with bench(one.sandbox, limits=False, database_url=url) as running:
        yield from _figures(f"first load, {database}", contacts, [running.reconcile()])
        one.grow_old()
        running.reconcile()
        updates = []
        for number in range(_RUNS):
            share = slice(number * contacts // _RUNS, (number + 1) * contacts // _RUNS)
            one.changed(share, lambda sandbox, _, other: sandbox.emailoctopus.world.edit(other, {"City": "Elsewhere"}))
            updates.append(running.reconcile())
        yield from _figures(f"updates, {database}", contacts // _RUNS, updates)


def _compares(database: str, url: str, contacts: int) -> Iterator[Figure]:
    """Of accounts that are equal: the first compare links everybody, the second one keeps what their records are."""
    one = twins(contacts)
    with bench(one.sandbox, limits=False, database_url=url, settings=_EACH_SECOND) as running:
        yield from _figures(f"first compare, {database}", contacts, [running.reconcile("--full")])
        yield from _figures(f"second compare, {database}", contacts, [running.reconcile("--full")])
        goal = _COMPARE_CPU_S if database == "SQLite" else None
        jobs = [running.reconcile("--full") for _ in range(_RUNS)]
        yield from _figures(f"full compare, {database}", contacts, jobs, goal)
        if database == "SQLite":
            for room, share in profiled(running).most_common(12):
                yield Figure("cost", f"full compare, share of {room}", "%", (share * 100,))
        yield _idle(f"idle cycle with {contacts:,} links, {database}", url, one, running)


def _figures(what: str, contacts: int, jobs: list[Job], goal: float | None = None) -> Iterator[Figure]:
    """Contacts a second by the clock; CPU seconds for 100,000, the process's start included."""
    rates = tuple(contacts / job.seconds for job in jobs)
    yield Figure("cost", f"{what}, {contacts:,}", "contacts/s", rates)
    cpu = tuple(job.cpu_seconds * _PER / contacts for job in jobs)
    yield Figure("cost", f"{what}, CPU for 100,000", "CPU s", cpu, None, goal)


def _idle(what: str, url: str, one: Twins, running: Bench) -> Figure:
    """What the service writes down of its cycles with nothing to do, begun a second after each other."""
    for _ in range(2):
        one.grow_old()
        running.reconcile()
    engine = open_engine(url or f"sqlite:///{running.config.with_name('sync.db')}")
    began, seconds = int(time.time() * 1e6), list[float]()
    with running.service():
        while len(seconds) < _IDLE_RUNS:
            time.sleep(1.0)
            with reading(engine) as connection:
                rows = connection.execute(_CYCLES, {"since": began}).all()
            seconds = [float(row.took) / 1e6 for row in rows[1:]]  # the first one connects
    engine.dispose()
    return Figure("cost", what, "s", tuple(seconds), None, _IDLE_S)


def profiled(running: Bench) -> Counter[str]:
    """The shares of a full compare's seconds that each package, and each room of ours, spends itself."""
    out = running.config.with_name("profile")
    subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.profiled", str(out), "--config", str(running.config)],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=_ROOT,
    )  # fmt: skip
    spent: Counter[str] = Counter()
    rows = Stats(str(out)).stats  # type: ignore[attr-defined]  # typeshed leaves it out
    for (file, _, function), (_, _, own, _, _) in rows.items():
        spent[_room(file, function)] += own
    total = sum(spent.values())
    return Counter({room: seconds / total for room, seconds in spent.items()})


def _room(file: str, function: str) -> str:
    path = file.replace("\\", "/")
    if "/sync_daemon/" in path:
        return "our " + path.rpartition("/sync_daemon/")[2].partition("/")[0]
    if "/site-packages/" in path:
        return path.rpartition("/site-packages/")[2].partition("/")[0].removesuffix(".py")
    return "Python itself" if path != "~" else _built_in(function)


def _built_in(function: str) -> str:
    for name in ("sqlite3", "msgspec", "hashlib", "_hashlib", "ssl", "socket"):
        if name in function:
            return name.strip("_")
    return "Python itself"
