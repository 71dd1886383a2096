"""Three hundred pairs on one, two and four workers: cycles a second against the ideal, fairness, takeover, and what the
database has to do.
"""

import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sync_daemon.sandbox.server import Sandbox, running_sandbox
from tests import databases
from tests.benchmarks.figures import Figure
from tests.e2e.office import Office, Worker, until, workers

_LATENCY_S = 0.3
_PEOPLE = 20
_ALWAYS_DUE = "http: {port: 0}, poll_every: 1s, counts_every: 1h"
_CYCLES_AN_HOUR = 60
"""At the default `poll_every` of a minute."""
_TAKEN_OVER_WITHIN_S = 60.0
_CYCLES = """\
SELECT name, count(*) AS cycles FROM runs JOIN pairs ON pairs.id = pair_id WHERE ended > :since GROUP BY name"""
_BEGUN = "SELECT DISTINCT name FROM runs JOIN pairs ON pairs.id = pair_id WHERE started > :since"


def measure(pairs: int, seconds: float) -> Iterator[Figure]:
    """Throughput over so many seconds in which every pair is always due, each request 0.3 s under way."""
    alone = 0.0
    for count in (1, 2, 4):
        with _office(pairs) as office, workers(office, *_names(count), service=_ALWAYS_DUE) as started:
            _loaded(office, pairs)
            window = _Window.of(office, started, seconds)
            yield from _throughput(window, pairs, count, alone)
            alone = alone or window.rate
            if count == 1:
                yield from _database(window)
            if count == 2:
                yield _takeover(office, started)


@dataclass(frozen=True, slots=True)
class _Window:
    """What happened in some seconds: cycles of each pair, CPU seconds of the workers, the database's transactions, and
    bytes of its log.
    """

    seconds: float
    cycles: Counter[str]
    cpu_seconds: float
    transactions: int
    log_bytes: int

    @property
    def rate(self) -> float:
        return self.cycles.total() / self.seconds

    @classmethod
    def of(cls, office: Office, started: list[Worker], seconds: float) -> "_Window":
        before, cpu, began = _database_work(office), _cpu_seconds(started), time.time()
        time.sleep(seconds)
        rows = office.rows(_CYCLES, since=int(began * 1e6))
        after = _database_work(office)
        cycles = Counter({row.name: int(row.cycles) for row in rows})
        took = time.time() - began
        return cls(took, cycles, _cpu_seconds(started) - cpu, after[0] - before[0], after[1] - before[1])


def _throughput(window: _Window, pairs: int, count: int, alone: float) -> Iterator[Figure]:
    ideal = alone * count if alone else None
    yield Figure("workers", f"cycles a second of {pairs} pairs on {count}", "1/s", (window.rate,), ideal)
    yield Figure(
        "workers", f"CPU of a cycle on {count}", "s", (window.cpu_seconds / max(1, window.cycles.total()),)
    )  # fmt: skip
    every = [window.cycles[name] for name in (f"pair{number}" for number in range(pairs))]
    yield Figure("workers", f"fairness on {count}: fewest cycles of a pair by most", "", (min(every) / max(every),))


def _database(window: _Window) -> Iterator[Figure]:
    cycles = max(1, window.cycles.total())
    for what, amount, unit in (
        ("transactions", window.transactions, ""),
        ("log written", window.log_bytes / 1000, "kB"),
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
    sandbox.ghl.weather.latency_s = sandbox.emailoctopus.weather.latency_s = _LATENCY_S
    server = databases.server()
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            server.fresh_database() as url,
            running_sandbox(sandbox) as running,
        ):
            office = Office(Path(folder), running, url)
            for number in range(pairs):
                office.add(f"pair{number}", _PEOPLE)
            yield office
            office.close()
    finally:
        server.close()


def _loaded(office: Office, pairs: int) -> None:
    """Every pair has had its first load."""
    full = "SELECT count(DISTINCT pair_id) AS pairs FROM runs WHERE mode = 'full'"
    while office.rows(full)[0].pairs < pairs:
        time.sleep(0.5)


def _database_work(office: Office) -> tuple[int, int]:
    row = office.rows(
        "SELECT xact_commit + xact_rollback AS transactions, pg_current_wal_lsn() - '0/0' AS written "
        "FROM pg_stat_database WHERE datname = current_database()"
    )[0]
    return int(row.transactions), int(row.written)


def _cpu_seconds(started: list[Worker]) -> float:
    ticks = 0
    for one in started:
        fields = Path(f"/proc/{one.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _names(count: int) -> list[str]:
    return [f"worker{number}" for number in range(count)]
