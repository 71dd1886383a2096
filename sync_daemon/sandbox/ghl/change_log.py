"""The lag of GHL's search index: which changes it has seen by now, and the way back when the lag grows."""

from typing import Generic, NamedTuple, TypeVar

from sync_daemon.sandbox.clock import Clock

T = TypeVar("T")
_KEEP_S = 3600.0  # the longest lag that can be shown
_TRIM_ABOVE = 4096  # entries, so that trimming is rare


class Step(NamedTuple, Generic[T]):
    """One change to take: `before` None makes a record, `after` None removes one."""

    before: T | None
    after: T | None


class ChangeLog(Generic[T]):
    """Remembers when which record became what, so that an index can stand at any moment of the last hour."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changes: list[tuple[float, T | None, T | None]] = []
        self._taken = 0  # how many of them the index has

    def record(self, before: T | None, after: T | None) -> None:
        """Take up a change that was made just now."""
        self._changes.append((self._clock.monotonic(), before, after))

    def steps(self, lag_s: float) -> list[Step[T]]:
        """Give the steps, forward or back, that bring the index to how things were `lag_s` ago."""
        at = self._clock.monotonic() - lag_s
        steps: list[Step[T]] = []
        while self._taken < len(self._changes) and self._changes[self._taken][0] <= at:
            _, before, after = self._changes[self._taken]
            steps.append(Step(before, after))
            self._taken += 1
        while self._taken and self._changes[self._taken - 1][0] > at:
            self._taken -= 1
            _, before, after = self._changes[self._taken]
            steps.append(Step(after, before))
        self._trim()
        return steps

    def _trim(self) -> None:
        if self._taken < _TRIM_ABOVE or self._changes[_TRIM_ABOVE - 1][0] > self._clock.monotonic() - _KEEP_S:
            return
        del self._changes[:_TRIM_ABOVE]
        self._taken -= _TRIM_ABOVE
