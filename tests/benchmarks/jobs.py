"""One job of the real program against a sandbox in this process: what it asked, how long it took, what it weighed."""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sync_daemon.commands.sandbox_configuration import configuration
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.server import Sandbox, running_sandbox

_UNLIMITED = 1_000_000
GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS


@dataclass(frozen=True)
class Job:
    """A finished `reconcile`: its report, CPU seconds, peak memory in MB, and the requests' kinds.

    `writing` tells for each system how many requests came from the first creation to the last, in how many seconds.
    """

    report: dict[str, Any]
    cpu_seconds: float
    peak_mb: float
    requests: dict[SystemName, Counter[str]]
    writing: dict[SystemName, tuple[int, float]]


class Bench:
    """A sandbox on real sockets and a configuration for it."""

    def __init__(self, sandbox: Sandbox, config: Path) -> None:
        self.sandbox = sandbox
        self._config = config

    def reconcile(self, *options: str) -> Job:
        """Run the program as a process of its own and measure it."""
        for context in (self.sandbox.ghl, self.sandbox.emailoctopus):
            context.log.clear()
        command = [sys.executable, "-m", "sync_daemon", "reconcile", "--config", str(self._config), "--json", *options]
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as log:
            process = subprocess.Popen(command, stdout=out, stderr=log, cwd=self._config.parent)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            log.seek(0)
            if process.returncode not in (0, 3):
                raise SystemExit(f"reconcile ended with {process.returncode}:\n{log.read().decode()}")
            report = json.load(out)["pairs"][0]
        return Job(
            report,
            usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss / 1024,
            {GHL: _kinds(self.sandbox.ghl), EMAILOCTOPUS: _kinds(self.sandbox.emailoctopus)},
            {GHL: _writing(self.sandbox.ghl), EMAILOCTOPUS: _writing(self.sandbox.emailoctopus)},
        )


@contextmanager
def bench(sandbox: Sandbox, *, limits: bool) -> Iterator[Bench]:
    """A sandbox served as long as the context lasts, with the documented limits, or with none that GHL tells of."""
    sandbox.emailoctopus.limiter.settings.enabled = limits
    if not limits:
        sandbox.ghl.limiter.settings.per_window = _UNLIMITED
    with tempfile.TemporaryDirectory() as folder, running_sandbox(sandbox) as running:
        config = Path(folder) / "sync.yaml"
        config.write_text(configuration(running, f"sqlite:///{folder}/sync.db"), encoding="utf-8")
        yield Bench(sandbox, config)


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
