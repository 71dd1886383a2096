"""The sandbox's time: the machine's own, or one that moves only when it is told to."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the sandbox asks about time."""

    def now(self) -> datetime:
        """Tell the wall time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Tell seconds that never run backwards, from any start."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Tell the machine's wall time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Tell the machine's monotonic seconds."""
        return time.monotonic()


class ManualClock:
    """A time that stands still until `advance` is called; both readings move together."""

    def __init__(self, start: datetime = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)) -> None:
        self._now = start.astimezone(UTC)
        self._monotonic = 0.0

    def now(self) -> datetime:
        """Tell the time it was last moved to."""
        return self._now

    def monotonic(self) -> float:
        """Tell how many seconds it was moved altogether."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`; a negative number is refused with ValueError."""
        if seconds < 0:
            raise ValueError(f"A clock can't go back by {-seconds} s; give a positive number of seconds.")
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds
