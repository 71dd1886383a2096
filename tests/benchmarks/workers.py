"""Three hundred pairs on one, two and four workers: cycles a second against the ideal, fairness, takeover, and what the
database has to do.
"""

import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sync_daemon.sandbox.server import Sandbox, running_sandbox
from tests import databases
from tests.benchmarks.figures import Figure
from tests.e2e.office import Office, Worker, until, workers
from tests.e2e.trial import COMMAND

_LATENCY_S = 1.0
"""So slow that two processors have enough for four workers, PostgreSQL, and the sandbox."""
_CONCURRENCY = 3
_PEOPLE = 20
_STARTING_S = 20.0
"""After that a worker's first cycles, which read the schemas, are over."""
_LOOK_EVERY_S = 5.0
_ALWAYS_DUE = "http: {port: 0}, poll_every: 1s, counts_every: 1h"
_CYCLES_AN_HOUR = 60
"""At the default `poll_every` of a minute."""
_TAKEN_OVER_WITHIN_S = 60.0
_CYCLES = "SELECT name, started FROM runs JOIN pairs ON pairs.id = pair_id WHERE started > :since ORDER BY started"
_BEGUN = "SELECT DISTINCT name FROM runs JOIN pairs ON pairs.id = pair_id WHERE started > :since"


def measure(pairs: int, seconds: float) -> Iterator[Figure]:
    """Throughput where every pair is always due and has accounts of its own, each request a second under way.

    For so many seconds, and until each pair has begun two cycles.
    """
    alone = 0.0
    with _office(pairs) as office:
        with _working(office, 4):
            _load(office, pairs)
        sandbox = office.running.sandbox
        sandbox.ghl.weather.latency_s = sandbox.emailoctopus.weather.latency_s = _LATENCY_S
        for count in (1, 2, 4):
            with _working(office, count) as started:
                time.sleep(_STARTING_S)
                window = _Window.of(office, started, seconds)
                yield from _throughput(window, pairs, count, alone)
                alone = alone or window.rate
                if count == 1:
                    yield from _database(window)
                if count == 2:
                    yield _takeover(office, started)


@contextmanager
def _working(office: Office, count: int) -> Iterator[list[Worker]]:
    """So many workers, which finish what they have in hand at the end."""
    names = [f"worker{number}" for number in range(count)]
    with workers(office, *names, service=_ALWAYS_DUE, concurrency=_CONCURRENCY, command=COMMAND) as started:
        yield started
        for one in started:
            one.process.send_signal(signal.SIGTERM)
        for one in started:
            one.process.wait(30)


@dataclass(frozen=True, slots=True)
class _Window:
    """What happened in some seconds: when each cycle of which pair began, CPU seconds of the workers and of the
    database, the database's transactions, and bytes of its log.
    """

    seconds: float
    begun: list[tuple[str, float]]
    cpu_seconds: float
    database: "_DatabaseWork"

    @property
    def rate(self) -> float:
        return len(self.begun) / self.seconds

    @classmethod
    def of(cls, office: Office, started: list[Worker], seconds: float) -> "_Window":
        before, cpu, began = _DatabaseWork.of(office), _cpu_seconds(started), time.time()
        rows = list[Any]()
        while time.time() - began < seconds or _twice(rows) < len(office.tenants):
            time.sleep(_LOOK_EVERY_S)
            rows = office.rows(_CYCLES, since=int(began * 1e6))
        took, work = time.time() - began, _DatabaseWork.of(office).since(before)
        return cls(took, [(row.name, row.started / 1e6) for row in rows], _cpu_seconds(started) - cpu, work)

    def longest_pause(self) -> float:
        """Seconds from the beginning of a pair's cycle to that of its next one, of the pair that waited longest."""
        longest, last = 0.0, dict[str, float]()
        for name, at in self.begun:
            longest = max(longest, at - last.get(name, at))
            last[name] = at
        return longest


@dataclass(frozen=True, slots=True)
class _DatabaseWork:
    """What a PostgreSQL has done so far: transactions, bytes of its log, CPU seconds."""

    transactions: int
    log_bytes: int
    cpu_seconds: float

    @classmethod
    def of(cls, office: Office) -> "_DatabaseWork":
        row = office.rows(
            "SELECT xact_commit + xact_rollback AS transactions, pg_current_wal_lsn() - '0/0' AS written, "
            "current_setting('data_directory') AS folder FROM pg_stat_database WHERE datname = current_database()"
        )[0]
        server = int((Path(row.folder) / "postmaster.pid").read_text(encoding="utf-8").split()[0])
        return cls(int(row.transactions), int(row.written), _cpu_of_all(server))

    def since(self, before: "_DatabaseWork") -> "_DatabaseWork":
        return _DatabaseWork(
            self.transactions - before.transactions,
            self.log_bytes - before.log_bytes,
            self.cpu_seconds - before.cpu_seconds,
        )


def _throughput(window: _Window, pairs: int, count: int, alone: float) -> Iterator[Figure]:
    ideal, cycles = alone * count if alone else None, max(1, len(window.begun))
    yield Figure("workers", f"cycles a second of {pairs} pairs on {count}", "1/s", (window.rate,), ideal)
    yield Figure("workers", f"CPU of a cycle on {count}, workers", "s", (window.cpu_seconds / cycles,))
    yield Figure("workers", f"CPU of a cycle on {count}, database", "s", (window.database.cpu_seconds / cycles,))
    mean = pairs / window.rate
    yield Figure(
        "workers", f"longest pause between two cycles of a pair on {count}", "s", (window.longest_pause(),), mean
    )


def _database(window: _Window) -> Iterator[Figure]:
    cycles = max(1, len(window.begun))
    for what, amount, unit in (
        ("transactions", window.database.transactions, ""),
        ("log written", window.database.log_bytes / 1000, "kB"),
    ):
        figure = amount / cycles * _CYCLES_AN_HOUR
        yield Figure("workers", f"database, {what} for each pair and hour, polled every minute", unit, (figure,))


def _takeover(office: Office, started: list[Worker]) -> Figure:
    """From the death of a worker to the first cycle of the last of the pairs that it had."""
    victim = started[0]
    held = [one for one in office.tenants if one.name in _held(office, victim)]
    os.kill(victim.process.pid, signal.SIGKILL)
    killed = time.time()

    def gone_on() -> bool:
        begun = {row.name for row in office.rows(_BEGUN, since=int(killed * 1e6))}
        return begun >= {one.name for one in held}

    until(gone_on, "every pair of the dead worker goes on")
    taken = time.time() - killed
    what = f"takeover of {len(held)} pairs of a killed worker"
    return Figure("workers", what, "s", (taken,), None, _TAKEN_OVER_WITHIN_S)


def _held(office: Office, worker: Worker) -> set[str]:
    rows = office.rows("SELECT name, holder FROM leases JOIN pairs ON pairs.id = pair_id WHERE holder <> ''")
    return {row.name for row in rows if int(row.holder.split(":")[1]) == worker.process.pid}


@contextmanager
def _office(pairs: int) -> Iterator[Office]:
    sandbox = Sandbox(seed=1)
    sandbox.emailoctopus.limiter.settings.enabled = False
    server = databases.server()
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            server.fresh_database() as url,
            running_sandbox(sandbox) as running,
        ):
            office = Office(Path(folder), running, url)
            for number in range(pairs):
                tenant = office.add(f"pair{number}", _PEOPLE, api_key=f"eo_account_{number}")
                # Where search shows nobody's DND, everybody would be read by id.
                sandbox.ghl.world.unsubscribe(office.people(tenant)[0].id)
            yield office
            office.close()
    finally:
        server.close()


def _load(office: Office, pairs: int) -> None:
    """Wait until every pair has had its first load."""
    full = "SELECT count(DISTINCT pair_id) AS pairs FROM runs WHERE mode = 'full'"
    while office.rows(full)[0].pairs < pairs:
        time.sleep(0.5)


def _cpu_seconds(started: list[Worker]) -> float:
    return sum(_cpu_of(one.process.pid) for one in started)


def _cpu_of_all(server: int) -> float:
    """CPU seconds of a process, of its children, and of those that have ended."""
    everybody = (int(one.name) for one in Path("/proc").iterdir() if one.name.isdecimal())
    children = [one for one in everybody if (stat := _stat(one)) and int(stat[1]) == server]
    return _cpu_of(server, ended=True) + sum(map(_cpu_of, children))


def _cpu_of(process: int, *, ended: bool = False) -> float:
    stat = _stat(process)
    return sum(map(int, stat[11 : 15 if ended else 13])) / os.sysconf("SC_CLK_TCK")


def _stat(process: int) -> list[str]:
    """What `/proc` tells of a process after its name (proc_pid_stat(5)); nothing of one that has ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return []


def _twice(rows: Sequence[Any]) -> int:
    """How many pairs have begun two cycles."""
    return sum(cycles > 1 for cycles in Counter(row.name for row in rows).values())
