"""A clock for both ends of a test: it moves when the client waits, and when it is told to."""

import threading

from sync_daemon.sandbox.clock import ManualClock


class VirtualClock(ManualClock):
    """Waiting costs no time and moves the clock by as much; `slept` tells every wait."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.advance(seconds)
