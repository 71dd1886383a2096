"""One job of the real program against a sandbox in this process: what it asked, how long it took, what it weighed."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from sync_daemon.commands.sandbox_configuration import configuration
from sync_daemon.cycle.pair import Pair
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.clock import ManualClock
from sync_daemon.sandbox.limits import WindowLimits
from sync_daemon.sandbox.server import RunningSandbox, Sandbox, running_sandbox
from sync_daemon.settings.load import load
from sync_daemon.settings.variables import Variables
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import open_engine
from sync_daemon.store.installation import StateStore
from sync_daemon.store.migrate import upgrade
from sync_daemon.systems.registry import own_rates
from sync_daemon.wiring.installation import Installation
from tests.plain import PLAIN
from tests.worlds import NoProgress, VirtualClock

_UNLIMITED = 1_000_000
_LOOK_EVERY_S = 0.02
UNGUARDED = "    guard: {max_destructive_percent: 100, max_destructive_count: 1000000, max_create_count: 10000000}\n"
_SECRET = "secret_key: a secret of at least 32 characters, for benchmarks\n"
GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS


@dataclass(frozen=True)
class Job:
    """A finished `reconcile`: its report, seconds, CPU seconds, peak memory in MB, and the requests' kinds.

    `writing` tells for each system how many requests came from the first creation to the last, in how many seconds;
    `asked` counts all requests to both.
    """

    report: dict[str, Any]
    seconds: float
    cpu_seconds: float
    peak_mb: float
    requests: dict[SystemName, Counter[str]]
    writing: dict[SystemName, tuple[int, float]]
    asked: int


class Bench:
    """A sandbox on real sockets and a configuration for it."""

    def __init__(self, running: RunningSandbox, config: Path) -> None:
        self.running = running
        self.sandbox = running.sandbox
        self.config = config

    def reconcile(self, *options: str) -> Job:
        """Run the program as a process of its own and measure it."""
        for context in (self.sandbox.ghl, self.sandbox.emailoctopus):
            context.log.clear()
        command = [sys.executable, "-m", "sync_daemon", "reconcile", "--config", str(self.config), "--json", *options]
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as log:
            cost = finished(subprocess.Popen(command, stdout=out, stderr=log, cwd=self.config.parent))
            out.seek(0)
            log.seek(0)
            if cost.status not in (0, 3):
                raise SystemExit(f"reconcile ended with {cost.status}:\n{log.read().decode()}")
            report = json.load(out)["pairs"][0]
        return Job(
            report,
            cost.seconds,
            cost.cpu_seconds,
            cost.peak_mb,
            {GHL: _kinds(self.sandbox.ghl), EMAILOCTOPUS: _kinds(self.sandbox.emailoctopus)},
            {GHL: _writing(self.sandbox.ghl), EMAILOCTOPUS: _writing(self.sandbox.emailoctopus)},
            self.sandbox.ghl.log.total + self.sandbox.emailoctopus.log.total,
        )

    @contextmanager
    def at_virtual_time(self) -> Iterator[tuple[Installation, Pair]]:
        """The installation and its pair in this process, on the sandbox's clock.

        Requests wait, and what is stored grows old, by that one, too.
        """
        assert isinstance(self.sandbox.clock, ManualClock)
        settings, clock = load(self.config, Variables({})), VirtualClock(self.sandbox.clock)
        engine = open_engine(settings.database_url.get_secret_value())
        upgrade(engine)
        with StateStore(engine, Secrets(settings.secret_key.get_secret_value()), clock) as store:
            installation = Installation(settings, store, clock, rates=own_rates(clock))
            pair = installation.open(settings.pairs[0], NoProgress())
            yield installation, replace(pair, workers=1, schema_fresh=False)  # one thread moves the clock

    @contextmanager
    def service(self) -> Iterator[None]:
        """The long-running service in a process of its own as long as the context lasts."""
        command = [sys.executable, "-m", "sync_daemon", "run", "--config", str(self.config)]
        process = subprocess.Popen(command, cwd=self.config.parent, stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            process.terminate()
            process.wait(15)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took: its exit status, seconds by the clock and of CPU, megabytes at most."""

    status: int
    seconds: float
    cpu_seconds: float
    peak_mb: float


def finished(process: "subprocess.Popen[bytes]") -> Cost:
    """Wait for a process that was just started, and tell what it took.

    Its memory is looked at meanwhile: what the kernel tells at the end counts the process that started it, too.
    """
    began, peak, ended = time.monotonic(), 0.0, 0
    while not ended:
        peak = max(peak, _peak_mb(process.pid))
        time.sleep(_LOOK_EVERY_S)
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(process.returncode, time.monotonic() - began, usage.ru_utime + usage.ru_stime, peak)


def window_of(sandbox: Sandbox) -> WindowLimits:
    """The figures of GHL's limit, to be changed."""
    assert isinstance(sandbox.ghl.limiter.settings, WindowLimits)
    return sandbox.ghl.limiter.settings


def is_ready(url: str) -> bool:
    """Whether a service that was started is ready for its pairs."""
    try:
        return httpx.get(f"{url}/readyz", verify=PLAIN).status_code == 200
    except httpx.TransportError:
        return False


def _peak_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024  # none: it has ended


@contextmanager
def bench(sandbox: Sandbox, *, limits: bool, database_url: str = "", settings: str = "") -> Iterator[Bench]:
    """A sandbox served as long as the context lasts, with the documented limits, or with none that GHL tells of.

    `settings` are more lines of YAML; without a database's URL it is a SQLite file.
    """
    window = window_of(sandbox)
    sandbox.emailoctopus.limiter.settings.enabled = window.enabled = limits
    if not limits:  # it tells its figures all the same
        window.per_window = window.per_day = _UNLIMITED
    with tempfile.TemporaryDirectory() as folder, running_sandbox(sandbox) as running:
        config = Path(folder) / "sync.yaml"
        text = configuration(running, database_url or f"sqlite:///{folder}/sync.db") + UNGUARDED + settings
        config.write_text(text + _SECRET, encoding="utf-8")
        yield Bench(running, config)


def _kinds(context: Any) -> Counter[str]:
    return Counter(_kind(exchange.method, exchange.path) for exchange in context.log.exchanges())


def _writing(context: Any) -> tuple[int, float]:
    exchanges = context.log.exchanges()
    creations = [n for n, exchange in enumerate(exchanges) if _kind(exchange.method, exchange.path) == "create"]
    if not creations:
        return 0, 0.0
    during = exchanges[creations[0] : creations[-1] + 1]
    return len(during), (during[-1].at - during[0].at).total_seconds()


def _kind(method: str, path: str) -> str:
    """What a request is for: a page, a creation, an update, tags, or anything else."""
    if path.endswith("/contacts/search") or (method == "GET" and path.endswith("/contacts")):
        return "page"
    if method == "POST" and path.rstrip("/").endswith("/contacts"):
        return "create"
    if method == "GET" and path.rsplit("/", 2)[-2] == "contacts":
        return "read by id"
    if method == "POST" and path.startswith("/lists/"):
        return "definition"
    if "/tags" in path and not path.startswith(("/lists/", "/locations/")):
        return "tags"
    return "update" if method == "PUT" else "other"
