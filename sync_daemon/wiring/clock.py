"""The machine's own time."""

import time
from datetime import UTC, datetime

from sync_daemon.model.errors import ToldToStop
from sync_daemon.wiring.stopping import woken_within


class SystemClock:
    """`ports.Clock` on the machine's clocks."""

    def now(self) -> datetime:
        """The wall clock, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait. Raises `ToldToStop`, or `KeyboardInterrupt`, as soon as the process is to stop."""
        if woken_within(seconds):
            raise ToldToStop("The process was told to stop.")
