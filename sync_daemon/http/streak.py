"""Telling a system that is down from a bad moment: failures in a row, over all threads."""

import math
import threading

_BROKEN_AT = 5


class Streak:
    """Counts failures without a success between. Safe for threads; times are monotonic seconds.

    Failures of requests that were under way at the same time are one: they tell of the same moment.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._last_at = -math.inf

    @property
    def is_broken(self) -> bool:
        """Whether so many failed in a row that it is the system's fault."""
        return self._failures >= _BROKEN_AT

    def failed(self, sent_at: float, now: float) -> None:
        """Count the failure of a request that was sent at `sent_at`."""
        with self._lock:
            if sent_at >= self._last_at:
                self._failures += 1
                self._last_at = now

    def ended(self) -> None:
        """Forget the failures: the system answered."""
        with self._lock:
            self._failures = 0
            self._last_at = -math.inf
