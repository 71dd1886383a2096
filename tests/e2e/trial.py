"""A folder with a configuration, a sandbox behind it, and the command line to try on both."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from signal import Signals
from typing import Any

from sqlalchemy import text

from sync_daemon.cli import run
from sync_daemon.commands.sandbox_configuration import configuration
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.emailoctopus.world import EmailOctopusWorld
from sync_daemon.sandbox.ghl.world import GhlWorld
from sync_daemon.sandbox.server import RunningSandbox, Sandbox
from sync_daemon.sandbox.weather import Fault, Weather
from sync_daemon.store.engine import open_engine, writing
from tests.e2e.forked import Forked

ROOT = Path(__file__).parents[2]
WRITES = {"POST", "PUT", "DELETE", "PATCH"}
COMMAND = (sys.executable, "-m", "sync_daemon")
"""The program in an interpreter that is the test's own child."""
Process = subprocess.Popen[str] | Forked
_STARTED: list[Process] = []
SEARCHES = re.compile(r"/contacts/search$|/tasks/search$")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command line gave: its exit status, standard output and standard error."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object on standard output."""
        return json.loads(self.out)

    @property
    def pair(self) -> Any:
        """The first pair of the JSON answer."""
        return self.json["pairs"][0]


class Lightning(Weather, kw_only=True):
    """Weather that acts once, while the nth request with one of some methods waits for its answer."""

    nth: int
    methods: set[str]
    path: str = ""
    act: Callable[[], object]

    def strike(self, random: Random, method: str, path: str) -> Fault | None:
        """Count, and act when the request has come; what the API does with it isn't changed."""
        if method in self.methods and not SEARCHES.search(path) and re.search(self.path, path):
            self.nth -= 1
            if self.nth == 0:
                self.act()
        return super().strike(random, method, path)


@dataclass
class Trial:
    """`run` calls the command line in this process, `start` in one of its own."""

    folder: Path
    running: RunningSandbox
    capture: Any
    config: str = ""
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.config = self.config or configuration(self.running, f"sqlite:///{self.folder / 'sync.db'}")

    @property
    def sandbox(self) -> Sandbox:
        return self.running.sandbox

    @property
    def ghl(self) -> GhlWorld:
        return self.sandbox.ghl.world

    @property
    def emailoctopus(self) -> EmailOctopusWorld:
        return self.sandbox.emailoctopus.world

    @property
    def path(self) -> Path:
        return self.folder / "sync.yaml"

    def write(self, config: str | None = None) -> Path:
        """Put the configuration on the disk."""
        self.path.write_text(self.config if config is None else config, encoding="utf-8")
        return self.path

    def run(self, *arguments: str, config: str | None = None) -> Answer:
        """One command line on the configuration, in this process."""
        path = self.write(config)
        self.capture.readouterr()
        status = run([*arguments, "--config", str(path)])
        printed = self.capture.readouterr()
        return Answer(status, printed.out, printed.err)

    def start(self, *arguments: str, config: str | None = None, command: Sequence[str] = ()) -> Process:
        """One command line in a process of its own."""
        line = (*arguments, "--config", str(self.write(config)))
        return start(*line, folder=self.folder, variables=self.variables, command=command)

    def start_and_signal(
        self,
        system: SystemName,
        nth: int,
        signal: Signals,
        *arguments: str,
        methods: set[str] = WRITES,
        path: str = "",
        command: Sequence[str] = (),
    ) -> Process:
        """`start`, and send the process a signal while its nth request of a kind to a system is under way."""
        context = self.sandbox.ghl if system is SystemName.GHL else self.sandbox.emailoctopus
        started: list[Process] = []
        context.weather = Lightning(nth=nth, methods=methods, path=path, act=lambda: started[0].send_signal(signal))
        started.append(self.start(*arguments, command=command))
        return started[0]

    def writes(self) -> list[str]:
        """The requests to both systems that write, since `forget_requests`."""
        exchanges = [*self.sandbox.ghl.log.exchanges(), *self.sandbox.emailoctopus.log.exchanges()]
        return [
            f"{exchange.method} {exchange.path}"
            for exchange in exchanges
            if exchange.method in WRITES and not SEARCHES.search(exchange.path)
        ]

    def forget_requests(self) -> None:
        """Start counting anew."""
        self.sandbox.ghl.log.clear()
        self.sandbox.emailoctopus.log.clear()


def start(
    *arguments: str,
    folder: Path,
    variables: Mapping[str, str] | None = None,
    command: Sequence[str] = (),
    stderr: Path | None = None,
    **options: Any,
) -> Process:
    """A `sync-daemon` process in a folder, or another `command`; `end_all` ends it if the test doesn't."""
    everything = {**os.environ, "PYTHONPATH": str(ROOT), **(variables or {})}
    process: Process
    if command:
        with nullcontext(subprocess.PIPE) if stderr is None else stderr.open("w", encoding="utf-8") as told:
            process = subprocess.Popen(
                [*command, *arguments], cwd=folder, env=everything, stdout=subprocess.PIPE, stderr=told, text=True,
                **options,
            )  # fmt: skip
    else:
        process = Forked(arguments, folder, everything, stderr)
    _STARTED.append(process)
    return process


def let_leases_run_out(database_url: str) -> None:
    """What the clock does half a minute after a process was killed."""
    engine = open_engine(database_url)
    with writing(engine) as connection:
        connection.execute(text("UPDATE leases SET expires_at = 0"))
    engine.dispose()


def let_refused_deeds_be_due(database_url: str) -> None:
    """What the clock does in a minute, or in a day."""
    engine = open_engine(database_url)
    with writing(engine) as connection:
        connection.execute(text("UPDATE deeds SET next_try = 0 WHERE state = 'refused'"))
    engine.dispose()


def end_all() -> None:
    """Kill what is still running, and close every pipe."""
    while _STARTED:
        process = _STARTED.pop()
        process.kill()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        process.wait()


def finished(process: Process, seconds: float = 180) -> Answer:
    """What a process gave when it ended; it is killed when it doesn't in time."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"{process.args!r} didn't end within {seconds} s:\n{out}\n{err}") from None
    return Answer(process.wait(), out, err)
