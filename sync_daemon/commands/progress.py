"""What a person sees on standard error while a cycle runs: a live line on a terminal, now and then one elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from sync_daemon.commands.printing import plural, seconds
from sync_daemon.model.system import SystemName
from sync_daemon.ports import CycleProgress
from sync_daemon.wiring.tally import Tally

_QUIET_S = 10.0
"""How long a plain log stays silent between two lines."""


class Spoken(Tally):
    """The tally in words."""

    def sentence(self) -> str:
        """The state of affairs in one line."""
        read = ", ".join(f"{self.read[name]:,} {name} ({plural(self.pages[name], 'page')})" for name in SystemName)
        said = f"{self.pair}: read {read}"
        if self.records:
            said += f"; planned {plural(self.records, 'record')}"
        if self.to_send.total():
            wrote = ", ".join(f"{self.written[name]:,} to {name}" for name in SystemName)
            said += f"; wrote {wrote}; {seconds(self.seconds_left)} left"
        return said


class LiveProgress(Spoken):
    """The tally as one line that is drawn anew."""

    def __rich__(self) -> Table:
        """Draw it."""
        line = Table.grid(padding=(0, 1))
        if not self.pair:
            return line
        total = self.expected.total()
        bar = ProgressBar(total=total, completed=self.answered.total(), width=24) if total else Text("…")
        line.add_row(bar, Text(self.sentence()))
        return line


class PlainProgress(Spoken):
    """The tally as a line on standard error at most every few seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._next = time.monotonic() + _QUIET_S

    def pages_read(self, system: SystemName, records: int) -> None:
        """Count a page, and say so if it is time."""
        super().pages_read(system, records)
        self._say()

    def sent(self, system: SystemName, requests: int) -> None:
        """Count answers, and say so if it is time."""
        super().sent(system, requests)
        self._say()

    def _say(self) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _QUIET_S
            sys.stderr.write(self.sentence() + "\n")


@contextmanager
def shown_progress() -> Iterator[CycleProgress]:
    """Show the progress of cycles while the context lasts."""
    if not sys.stderr.isatty():
        yield PlainProgress()
        return
    progress = LiveProgress()
    with Live(progress, console=Console(stderr=True), transient=True, refresh_per_second=8):
        yield progress
