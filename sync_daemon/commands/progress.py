"""What a person sees on standard error while a cycle runs: a live line on a terminal, now and then one elsewhere."""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from sync_daemon.commands.printing import plural, seconds
from sync_daemon.model.system import SystemName
from sync_daemon.ports import CycleProgress, SecondsFor

_QUIET_S = 10.0
"""How long a plain log stays silent between two lines."""


class Tally:
    """What was read, planned and sent so far."""

    def __init__(self) -> None:
        self.begin("", lambda _system, _requests: 0.0)

    def begin(self, pair: str, seconds_for: SecondsFor) -> None:
        """Start over with another pair."""
        self.pair = pair
        self._seconds_for = seconds_for
        self.read: Counter[SystemName] = Counter()
        self.pages: Counter[SystemName] = Counter()
        self.records = 0
        self.to_send: Counter[SystemName] = Counter()
        self.ahead: Counter[SystemName] = Counter()
        self.answered: Counter[SystemName] = Counter()
        self.written: Counter[SystemName] = Counter()

    def pages_read(self, system: SystemName, records: int) -> None:
        """A page came in."""
        self.read[system] += records
        self.pages[system] += 1

    def records_planned(self, records: int) -> None:
        """So many more records are to be written."""
        self.records += records

    def planned(self, system: SystemName, requests: int) -> None:
        """So many more requests are to be sent."""
        self.to_send[system] += requests

    def foreseen(self, system: SystemName, requests: int) -> None:
        """So many requests are likely to follow those planned; the newest estimate counts."""
        self.ahead[system] = requests

    def sent(self, system: SystemName, requests: int) -> None:
        """So many requests were answered."""
        self.answered[system] += requests

    def writes_done(self, system: SystemName, writes: int) -> None:
        """So many more writes were taken by the system."""
        self.written[system] += writes

    @property
    def expected(self) -> Counter[SystemName]:
        """The requests of the whole cycle as far as can be told: planned ones, and those likely to follow."""
        return self.to_send + self.ahead

    @property
    def seconds_left(self) -> float:
        """The least time that what is still to be sent takes; both systems are written at the same time."""
        open_requests = self.expected - self.answered
        return max((self._seconds_for(system, count) for system, count in open_requests.items()), default=0.0)

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


class LiveProgress(Tally):
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


class PlainProgress(Tally):
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
