"""What the program's own work costs: CPU seconds and contacts a second without limits, and what it is spent on."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from pstats import Stats

from tests import databases
from tests.benchmarks.accounts import twins
from tests.benchmarks.figures import Figure
from tests.benchmarks.jobs import Bench, Job, bench

_RUNS = 3
_COMPARE_CPU_S, _IDLE_S = 20.0, 0.050
_PER = 100_000
_ROOT = Path(__file__).parents[2]


def measure(contacts: int) -> Iterator[Figure]:
    """First load, updates and full compares of so many contacts on each side, on SQLite and on PostgreSQL."""
    yield from _on("SQLite", contacts)
    yield from _on("PostgreSQL", contacts)
    yield from _idle(contacts)
    yield from _profile(contacts)


def _on(database: str, contacts: int) -> Iterator[Figure]:
    with ExitStack() as stack:
        url = ""
        if database == "PostgreSQL":
            server = databases.server()
            stack.callback(server.close)
            url = stack.enter_context(server.fresh_database(migrated=False))
        one = twins(contacts, in_emailoctopus=False)
        running = stack.enter_context(bench(one.sandbox, limits=False, database_url=url))
        yield from _figures(f"first load, {database}", contacts, [running.reconcile()])
        one.grow_old()
        running.reconcile()
        updates = []
        for number in range(_RUNS):
            share = slice(number * contacts // 10, (number + 1) * contacts // 10)
            one.changed(share, lambda sandbox, ghl_id, _: sandbox.ghl.world.edit(ghl_id, city="Elsewhere"))
            updates.append(running.reconcile())
        yield from _figures(f"updates, {database}", contacts // 10, updates)
        goal = _COMPARE_CPU_S if database == "SQLite" else None
        jobs = [running.reconcile("--full") for _ in range(_RUNS)]
        yield from _figures(f"full compare, {database}", contacts, jobs, goal)


def _figures(what: str, contacts: int, jobs: list[Job], goal: float | None = None) -> Iterator[Figure]:
    """Contacts a second by the clock, CPU seconds for 100,000 without what a start costs."""
    rates = tuple(contacts / job.seconds for job in jobs)
    yield Figure("cost", f"{what}, {contacts:,}", "contacts/s", rates)
    cpu = tuple(job.cpu_seconds * _PER / contacts for job in jobs)
    yield Figure("cost", f"{what}, CPU for 100,000", "CPU s", cpu, None, goal)


def _idle(contacts: int) -> Iterator[Figure]:
    """A cycle of a service under way with nothing to do, by its own report."""
    one = twins(contacts)
    with bench(one.sandbox, limits=False) as running:
        running.reconcile("--full")
        one.grow_old()
        running.reconcile()
        one.grow_old()
        running.reconcile()
        seconds = tuple(running.reconcile().report["duration_s"] for _ in range(5))
    yield Figure("cost", f"idle cycle with {contacts:,} links, by the clock", "s", seconds, None, _IDLE_S)


def _profile(contacts: int) -> Iterator[Figure]:
    """Where the time of a full compare goes: shares of its own seconds, by package and by room."""
    one = twins(contacts)
    with bench(one.sandbox, limits=False) as running:
        running.reconcile("--full")
        shares = profiled(running)
    for room, share in shares.most_common(12):
        yield Figure("cost", f"full compare, share of {room}", "%", (share * 100,))


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
