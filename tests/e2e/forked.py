"""`sync-daemon` as a process of its own that needn't import anything first: forked off one that has it all.

A new interpreter imports for two seconds, a fork takes 20 ms; the tests start hundreds. What is forked has no thread
and no connection yet, calls the program's own `main`, and takes signals and dies like any other process. That a new
interpreter does the same is tested in test_process.py, test_packaging.py, and wherever a shell is part of the test.
"""

import io
import os
import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing import forkserver, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from threading import Thread
from typing import IO
from unittest.mock import patch

_ROOT = Path(__file__).parents[2]


class Forked:
    """What tests use of `subprocess.Popen`, of a forked `sync-daemon`; standard error can go to a file instead.

    With the file of a `program` it is that, which has the modules of `sync-daemon` to import from. `listens`: there is
    a standard input to write to; without, it is empty.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path,
        variables: Mapping[str, str],
        stderr: Path | None = None,
        program: Path | None = None,
        *,
        listens: bool = False,
    ) -> None:
        self.args = ("sync-daemon", *arguments)
        self.stdout, out = _pipe()
        if stderr is not None:
            stderr.write_text("", encoding="utf-8")
        self.stderr: IO[str] | None = None
        err: Connection | Path | None = stderr
        if err is None:
            self.stderr, err = _pipe()
        given: Connection | None = None
        self.stdin: IO[str] | None = None
        if listens:
            reading, writing = os.pipe()
            given, self.stdin = Connection(reading, writable=False), os.fdopen(writing, "w", encoding="utf-8")
        everything = (self.args, folder, dict(variables), given, out, err, program)
        self._process = _server().Process(target=_be, args=everything, daemon=True)
        self._process.start()
        for end in (given, out, err):
            if isinstance(end, Connection):
                end.close()
        assert self._process.pid is not None
        self.pid = self._process.pid
        self._printed: dict[IO[str], str] = {}
        self._readers: list[Thread] = []

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return self._process.exitcode

    def say(self, text: str) -> None:
        """Write to its standard input at once."""
        assert self.stdin is not None
        self.stdin.write(text)
        self.stdin.flush()

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Everything that it still printed, when it has ended; the same if it didn't end in time and is asked again.

        Its standard input ends here.
        """
        if self.stdin is not None:
            self.stdin.close()
        if not self._readers:
            pipes = [pipe for pipe in (self.stdout, self.stderr) if pipe is not None and not pipe.closed]
            self._readers = [Thread(target=self._read, args=(pipe,), daemon=True) for pipe in pipes]
            for reader in self._readers:
                reader.start()
        self.wait(timeout)
        for reader in self._readers:
            reader.join()
        return self._printed.get(self.stdout, ""), self._printed.get(self.stderr, "") if self.stderr else ""

    def send_signal(self, number: int) -> None:
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        """Kill it if it still runs, and close every pipe."""
        self.kill()
        for pipe in (self.stdin, self.stdout, self.stderr):
            if pipe is not None:
                pipe.close()
        self.wait()

    def _read(self, pipe: IO[str]) -> None:
        with pipe:
            self._printed[pipe] = pipe.read()


def _pipe() -> tuple[IO[str], Connection]:
    """The end that is read here, as text, and the one for the process."""
    reading, writing = os.pipe()
    return os.fdopen(reading, encoding="utf-8"), Connection(writing, readable=False)


@cache
def _server() -> ForkServerContext:
    """What forks: it imports all modules of the program, once for each process that runs tests."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.preloaded"])
    with patch.dict(os.environ, {"PYTHONPATH": str(_ROOT)}):
        forkserver.ensure_running()
    return context


def at_a_terminal(
    arguments: Sequence[str], folder: Path, variables: Mapping[str, str], terminal: int
) -> ForkServerProcess:
    """A `sync-daemon` in front of a terminal, given as a descriptor, which is closed here."""
    command, end = ("sync-daemon", *arguments), Connection(terminal)
    process = _server().Process(target=_be_in_front, args=(command, folder, dict(variables), end), daemon=True)
    process.start()
    end.close()
    return process


def _be_in_front(command: Sequence[str], folder: Path, variables: Mapping[str, str], terminal: Connection) -> None:
    """Be a `sync-daemon` whose controlling terminal it is: hidden input is read there, and Ctrl-C comes from it."""
    os.setsid()
    opened = os.open(os.ttyname(terminal.fileno()), os.O_RDWR)
    terminal.close()
    for stream in (0, 1, 2):
        os.dup2(opened, stream)
    os.close(opened)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    for printed in (sys.stdout, sys.stderr):
        assert isinstance(printed, io.TextIOWrapper)
        printed.reconfigure(line_buffering=True)
    _run(command, folder, variables)


def _be(
    command: Sequence[str],
    folder: Path,
    variables: Mapping[str, str],
    given: Connection | None,
    out: Connection,
    err: Connection | Path,
    program: Path | None,
) -> None:
    if given is not None:
        os.dup2(given.fileno(), 0)
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno() if isinstance(err, Connection) else os.open(err, os.O_WRONLY | os.O_APPEND), 2)
    for end in (given, out, err):
        if isinstance(end, Connection):
            end.close()
    assert isinstance(sys.stdout, io.TextIOWrapper)
    sys.stdout.reconfigure(line_buffering=bool(variables.get("PYTHONUNBUFFERED")))
    _run(command, folder, variables, program)


def _run(command: Sequence[str], folder: Path, variables: Mapping[str, str], program: Path | None = None) -> None:
    """Be a `sync-daemon`, or another program, in a folder, with these environment variables and no others."""
    from sync_daemon.__main__ import main  # noqa: PLC0415 - what starts processes needn't have it

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    sys.argv = list(command)
    if program is None:
        main()
    else:
        runpy.run_path(str(program), run_name="__main__")
