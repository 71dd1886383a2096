"""Somebody at a terminal: a real process on a pseudo-terminal of its own, read and typed into."""

import errno
import os
import pty
import select
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.e2e.forked import at_a_terminal
from tests.e2e.trial import Trial

_PATIENCE_S = 60.0
CTRL_C, CTRL_D = "\x03", "\x04"


class Terminal:
    """`sync-daemon` with all three streams on a terminal. `shown` is everything that stood on it so far."""

    def __init__(self, *arguments: str, folder: Path, variables: Mapping[str, str]) -> None:
        self._master, slave = pty.openpty()
        everything = {**os.environ, "TERM": "dumb", "COLUMNS": "200", **variables}
        self._process = at_a_terminal(arguments, folder, everything, slave)
        self.shown = ""
        self._read = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.join()
        os.close(self._master)

    def answer(self, question: str, text: str, *, end: str = "\r") -> None:
        """Wait for a question that hasn't been answered yet, and type."""
        self.wait_for(question)
        os.write(self._master, (text + end).encode())

    def wait_for(self, text: str) -> None:
        """Wait until something stands on the terminal, below what was waited for before."""
        ends = time.monotonic() + _PATIENCE_S
        while (at := self.shown.find(text, self._read)) < 0:
            if not self._read_more(ends):
                raise AssertionError(f"{text!r} doesn't stand on the terminal:\n{self.shown}")
        self._read = at + len(text)

    def ended(self) -> int:
        """Wait for the end; the exit status."""
        ends = time.monotonic() + _PATIENCE_S
        while self._read_more(ends):
            pass
        self._process.join(max(1.0, ends - time.monotonic()))
        assert self._process.exitcode is not None, f"it goes on without its terminal:\n{self.shown}"
        return self._process.exitcode

    def _read_more(self, ends: float) -> bool:
        """Read what is there; False when nothing comes any more."""
        ready, _, _ = select.select([self._master], [], [], max(0.0, ends - time.monotonic()))
        try:
            more = os.read(self._master, 65536) if ready else b""
        except OSError as error:  # so Linux says that nobody has the other end open
            if error.errno != errno.EIO:
                raise
            more = b""
        self.shown += more.decode(errors="replace").replace("\r\n", "\n")
        return bool(more)


def answered(trial: Trial, said: str, *arguments: str, config: str | None = None) -> tuple[int, str]:
    """A command line that asks at a terminal whether to do it, and gets an answer; exit status and what was shown."""
    command = (*arguments, "--config", str(trial.write(config)))
    with Terminal(*command, folder=trial.folder, variables=trial.variables) as terminal:
        terminal.answer("to do it: ", said)
        return terminal.ended(), terminal.shown
