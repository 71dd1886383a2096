"""The service under way for long: `make soak MINUTES=60`.

The real process between two sandboxes with their documented limits; somebody acts all the time, and every other
while the weather is foul: errors, lost answers, broken connections, throttling, webhooks that are lost, repeated and
out of order. In fair weather it is measured how long a change takes to the other side by webhook. At the end both
sides must be equal, the process's memory flat, and 95 of 100 changes across within two seconds; else it exits with 1.
"""

import argparse
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from sync_daemon.commands.demo.sides import Sides
from sync_daemon.commands.sandbox_configuration import configuration
from sync_daemon.sandbox.ghl.webhooks import GhlWebhooks
from sync_daemon.sandbox.seed import Population
from sync_daemon.sandbox.server import RunningSandbox, Sandbox, running_sandbox
from sync_daemon.settings.load import load
from sync_daemon.settings.variables import Variables
from tests.benchmarks.figures import percentile
from tests.benchmarks.jobs import is_ready
from tests.soak.burst import burst
from tests.soak.outside import Outside

ROOT = Path(__file__).parents[2]
_FOUL = {"error_rate": 0.05, "drop_rate": 0.03, "lost_answer_rate": 0.03, "truncate_rate": 0.02, "latency_s": 0.05}
_FOUL_WEBHOOKS = {"drop": 0.1, "repeat": 0.2, "shuffle": 0.3}
_SPELL_S = 90.0
"""How long the weather stays as it is."""
_ACT_EVERY_S = 1.0
_PROBE_EVERY_S = 4.0
_SETTLES_WITHIN_S = 600.0
_ACROSS_AT_MOST_S = 2.0
_MEMORY_GROWS_AT_MOST = 1.15
"""Of what it was after the first quarter: caches fill up to their bounds, what leaks goes on."""
_SETTINGS = """\
service: {{http: {{port: {port}}}, poll_every: 30s, full_scan_every: 10m, counts_every: 2m}}
alerts: {{silent_after: 5m}}
"""
_GUARD = "    guard: {max_destructive_percent: 100, max_destructive_count: 1000000}\n"


@dataclass
class Soak:
    """A service under way, and what is measured of it."""

    running: RunningSandbox
    outside: Outside
    process: "subprocess.Popen[bytes]"
    url: str
    folder: Path
    out: Console
    to_emailoctopus: list[float] = field(default_factory=list)
    to_ghl: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def run(self, minutes: float) -> None:
        """Act until the time is over."""
        self._until_ready()
        began = time.monotonic()
        next_probe = next_told = began
        foul = False
        while (now := time.monotonic()) - began < minutes * 60:
            if foul != (foul := int((now - began) / _SPELL_S) % 2 == 1):
                self.outside.weather(**(_FOUL if foul else {}))
                self.outside.webhook_weather(**(_FOUL_WEBHOOKS if foul else {}))
                if foul:
                    self.outside.throttle_once()
                calm_from = now + _SPELL_S / 3
            self.outside.act()
            self.memory_mb.append(_memory_mb(self.process.pid))
            if not foul and now >= next_probe and (now - began < _SPELL_S or now >= calm_from):
                self._probe()
                next_probe = now + _PROBE_EVERY_S
            if now >= next_told:
                self._tell(now - began, foul=foul)
                next_told = now + 60
            if self.process.poll() is not None:
                self.failures.append(f"the service ended by itself, with {self.process.returncode}")
                return
            time.sleep(max(0.0, now + _ACT_EVERY_S - time.monotonic()))

    def settle(self) -> None:
        """Fair weather and peace: soon both sides are equal."""
        self.outside.weather()
        self.outside.webhook_weather()
        rules = load(self.folder / "sync.yaml", Variables({})).pairs[0].policy().fields
        sides = Sides(self.running.sandbox, rules)
        if not _within(_SETTLES_WITHIN_S, lambda: not sides.compare().differences):
            self.failures.append(f"they differ after {_SETTLES_WITHIN_S:.0f} s: {sides.compare().differences[:5]}")
        self.out.print(f"equal on both sides: {sides.compare().equal}")

    def _probe(self) -> None:
        """How long a change takes to the other side, each way."""
        people, subscribers = self.outside.people(), self.outside.subscribers()
        subscribed = [one for one, row in subscribers.items() if row["status"] == "subscribed" and one in people]
        address = self.outside.random.choice(sorted(subscribed))
        person, subscriber = people[address]["id"], subscribers[address]["id"]
        word = f"Probe{len(self.to_emailoctopus)}"
        self.outside.edit_person(person, firstName=word)
        self._time(self.to_emailoctopus, lambda: self.outside.subscriber(subscriber)["fields"].get("FirstName") == word)
        self.outside.edit_subscriber(subscriber, LastName=word)
        self._time(self.to_ghl, lambda: self.outside.person(person).get("lastName") == word)

    def _time(self, into: list[float], arrived: Callable[[], bool]) -> None:
        began = time.monotonic()
        if not _within(60, arrived):
            self.failures.append("a change was not across after 60 s of fair weather")
        into.append(time.monotonic() - began)

    def _until_ready(self) -> None:
        if not _within(120, lambda: is_ready(self.url)):
            raise SystemExit(f"the service isn't ready: {(self.folder / 'service.log').read_text()[-2000:]}")

    def _tell(self, seconds: float, *, foul: bool) -> None:
        weather = "foul" if foul else "fair"
        self.out.print(
            f"{seconds / 60:5.1f} min, {weather} weather, {sum(self.outside.acts.values())} acts, "
            f"{self.memory_mb[-1]:.0f} MB, across: {_percentiles(self.to_emailoctopus + self.to_ghl)}"
        )


def main() -> int:
    """Soak, and print what came of it; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="The service under way for long.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    asked = parser.parse_args()
    out = Console(soft_wrap=True, markup=False, highlight=False)
    out.print(f"{asked.minutes:g} minutes, again with: make soak MINUTES={asked.minutes:g} SEED={asked.seed}")
    sandbox = Sandbox(seed=asked.seed)
    sandbox.populate(Population())
    webhooks = sandbox.ghl.webhooks
    assert isinstance(webhooks, GhlWebhooks)
    with tempfile.TemporaryDirectory() as folder, running_sandbox(sandbox) as running:
        soak = _start(running, Path(folder), random.Random(asked.seed), out)
        try:
            soak.run(asked.minutes)
            soak.settle()
            acknowledged = burst(soak.url, webhooks, sandbox.location_id)
            soak.process.terminate()
            if soak.process.wait(15) != 0:
                soak.failures.append(f"it ended with {soak.process.returncode} at SIGTERM")
        finally:
            soak.process.kill()
        _conclude(soak, acknowledged)
    for failure in soak.failures:
        out.print(f"FAILED: {failure}")
    return 1 if soak.failures else 0


def _start(running: RunningSandbox, folder: Path, dice: random.Random, out: Console) -> Soak:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = configuration(running, f"sqlite:///{folder / 'sync.db'}") + _GUARD + _SETTINGS.format(port=port)
    (folder / "sync.yaml").write_text(text, encoding="utf-8")
    url = f"http://127.0.0.1:{port}"
    running.sandbox.ghl.webhooks.set(url=f"{url}/webhooks/ghl")
    running.sandbox.emailoctopus.webhooks.set(url=f"{url}/webhooks/emailoctopus", buffer_s=0.0)
    with (folder / "service.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sync_daemon", "run", "--config", str(folder / "sync.yaml")],
            cwd=folder, stderr=log, env={**os.environ, "PYTHONPATH": str(ROOT), "SYNC_DAEMON_LOG_FORMAT": "json"},
        )  # fmt: skip
    outside = Outside(running.ghl_url, running.emailoctopus_url, dice)
    return Soak(running, outside, process, url, folder, out)


def _conclude(soak: Soak, acknowledged: list[float]) -> None:
    out, failures = soak.out, soak.failures
    for name, count in sorted(soak.outside.acts.items()):
        out.print(f"{count:6} {name}")
    out.print(
        f"GHL to EmailOctopus by webhook: {_percentiles(soak.to_emailoctopus)} ({len(soak.to_emailoctopus)} probes)"
    )
    out.print(f"EmailOctopus to GHL by webhook: {_percentiles(soak.to_ghl)} ({len(soak.to_ghl)} probes)")
    out.print(f"acknowledged at 50 requests a second: {_percentiles(acknowledged)} ({len(acknowledged)} requests)")
    quarter = soak.memory_mb[len(soak.memory_mb) // 4 :] or soak.memory_mb
    first, last = _average(quarter[:60]), _average(quarter[-60:])
    out.print(f"memory: {first:.0f} MB after a quarter, {last:.0f} MB at the end, at most {max(soak.memory_mb):.0f} MB")
    across = sorted(soak.to_emailoctopus + soak.to_ghl)
    if across and percentile(across, 95) > _ACROSS_AT_MOST_S:
        failures.append(f"95 of 100 changes took up to {percentile(across, 95):.2f} s")
    if last > first * _MEMORY_GROWS_AT_MOST:
        failures.append(f"its memory grew from {first:.0f} to {last:.0f} MB")
    events = [json.loads(line) for line in _log_lines(soak.folder)]
    unforeseen = [one for one in events if one["event"] in ("unexpected_failure", "job_failed")]
    out.print(f"log: {len(events)} lines, {sum(one['level'] == 'error' for one in events)} of them errors")
    if unforeseen:
        failures.append(f"nobody foresaw: {unforeseen[0]}")


def _log_lines(folder: Path) -> list[str]:
    lines = (folder / "service.log").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith("{")]


def _within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether something comes to pass in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _memory_mb(pid: int) -> float:
    """The process's resident memory, as Linux tells it."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _percentiles(seconds: list[float]) -> str:
    if not seconds:
        return "nothing measured"
    return ", ".join(f"p{share} {percentile(seconds, share):.3f} s" for share in (50, 95, 99))


def _average(values: list[float]) -> float:
    return sum(values) / len(values)


if __name__ == "__main__":
    sys.exit(main())
