"""The machine's own time."""

import threading
import time
from datetime import UTC, datetime

_WOKEN = threading.Event()


def end_every_wait() -> None:
    """Let no thread of this process wait any more: it is about to stop."""
    _WOKEN.set()


class SystemClock:
    """`ports.Clock` on the machine's clocks."""

    def now(self) -> datetime:
        """The wall clock, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait. Raises `KeyboardInterrupt` when the process is about to stop: what was waited for isn't done."""
        if _WOKEN.wait(seconds):
            raise KeyboardInterrupt
