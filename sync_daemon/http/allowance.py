"""How many requests a vendor's limit lets through: a sliding window, or a token bucket. Pure.

Both keep a margin, so that requests which arrive closer together than they were sent don't break the limit:
nine tenths of it and more are used, and none of a steady load is refused. Times are monotonic seconds.
"""

from bisect import bisect_left, insort
from dataclasses import dataclass, replace
from typing import Protocol, Self

from pyrate_limiter import Rate, SlidingWindowLog
from pyrate_limiter import TokenBucket as TokenBucketAlgorithm

from sync_daemon.http.headers import Told

_WINDOW_MARGIN = 1.05
_RATE_MARGIN = 0.97
_BURST_MARGIN = 0.95
_LONGEST_ANSWER_MS = 20_000
"""Entries are kept so long beyond their window, to compare them with an answer that was long in coming."""


class Allowance(Protocol):
    """The requests that fit, as a dataclass. `factor` (0..1] slows it down for the time being."""

    @property
    def share(self) -> float:
        """The part of the vendor's limit that is ours."""

    @property
    def rate(self) -> float:
        """Requests a second that a steady load may send."""

    def take(self, now: float, factor: float) -> tuple[Self, float]:
        """Count one request and wait 0 seconds, or count nothing and tell the seconds to wait."""

    def told(self, sent_at: float, told: Told) -> Self:
        """The allowance after what an answer to a request of `sent_at` told of the limit."""

    def emptied(self, at: float) -> Self:
        """The allowance when the vendor says that nothing is left before `at`."""

    def seconds_for(self, requests: int) -> float:
        """The least time that so many requests take."""


@dataclass(frozen=True, slots=True)
class SlidingWindow:
    """At most `requests` within `seconds`, of which `share` is ours (GHL; right for fixed windows as well)."""

    requests: int
    seconds: float
    share: float = 1.0
    sent_ms: tuple[int, ...] = ()

    @property
    def rate(self) -> float:
        """Requests a second that a steady load may send."""
        return self._limit(1.0) * 1000 / self._interval_ms

    def take(self, now: float, factor: float) -> tuple[Self, float]:
        """Count one request and wait 0 seconds, or count nothing and tell the seconds to wait."""
        now_ms = int(now * 1000)
        rate = Rate(self._limit(factor), self._interval_ms)
        decision = SlidingWindowLog().decide(
            [rate], [self._count_since(now_ms - self._interval_ms)], 1, now_ms, lambda offset: self.sent_ms[-1 - offset]
        )
        if decision.retry_after_ms is not None:
            return self, decision.retry_after_ms / 1000
        kept = self.sent_ms[bisect_left(self.sent_ms, now_ms - self._interval_ms - _LONGEST_ANSWER_MS) :]
        return replace(self, sent_ms=(*kept, now_ms)), 0.0

    def told(self, sent_at: float, told: Told) -> Self:
        """Take over the vendor's figures; what others have spent of them counts as spent by us."""
        window = replace(
            self, requests=told.window_requests or self.requests, seconds=told.window_seconds or self.seconds
        )
        if told.remaining is None:
            return window
        sent_ms = int(sent_at * 1000)
        left = window._limit(1.0) - window._count_since(sent_ms - window._interval_ms)  # noqa: SLF001 - one of ours
        entries = list(window.sent_ms)
        for _ in range(left - told.remaining):
            insort(entries, sent_ms)
        return replace(window, sent_ms=tuple(entries))

    def emptied(self, at: float) -> Self:  # noqa: ARG002 - a window that was waited for is open again
        """Nothing more than the wait itself: by then the window has passed."""
        return self

    def seconds_for(self, requests: int) -> float:
        """The least time that so many requests take: a full window at once, then the next."""
        return max(0, requests - 1) // self._limit(1.0) * self._interval_ms / 1000

    @property
    def _interval_ms(self) -> int:
        return int(self.seconds * 1000 * _WINDOW_MARGIN)

    def _limit(self, factor: float) -> int:
        return max(1, int(self.requests * self.share * factor))

    def _count_since(self, since_ms: int) -> int:
        return len(self.sent_ms) - bisect_left(self.sent_ms, since_ms)


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """A bucket of `capacity` requests refilled by `per_second`, of which `share` is ours (EmailOctopus).

    `full_at_us` is the moment, in microseconds, when the bucket will be full again.
    """

    capacity: int
    per_second: float
    share: float = 1.0
    full_at_us: int = 0

    @property
    def rate(self) -> float:
        """Requests a second that a steady load may send."""
        return self.per_second * self.share * _RATE_MARGIN

    def take(self, now: float, factor: float) -> tuple[Self, float]:
        """Count one request and wait 0 seconds, or count nothing and tell the seconds to wait."""
        # pyrate-limiter rounds the time between two requests up to whole microseconds: 1000 of them in this interval.
        rate = Rate(1000, round(self._token_us / factor), burst=self._burst(factor))
        state, decision = TokenBucketAlgorithm().step([rate], (self.full_at_us,), int(now * 1000), 1)
        if decision.retry_after_ms is not None:
            return self, decision.retry_after_ms / 1000
        return replace(self, full_at_us=int(state[0])), 0.0

    def told(self, sent_at: float, told: Told) -> Self:
        """Take fewer when the vendor has fewer left than we think."""
        if told.remaining is None:
            return self
        full_at_us = int(sent_at * 1e6) + int((self._burst(1.0) - told.remaining) * self._token_us)
        return replace(self, full_at_us=max(self.full_at_us, full_at_us))

    def emptied(self, at: float) -> Self:
        """The bucket begins to fill at `at`."""
        return replace(self, full_at_us=int(at * 1e6) + int(self._burst(1.0) * self._token_us))

    def seconds_for(self, requests: int) -> float:
        """The least time that so many requests take, beginning with a full bucket."""
        return max(0, requests - self._burst(1.0)) / self.rate

    @property
    def _token_us(self) -> float:
        return 1e6 / self.rate

    def _burst(self, factor: float) -> int:
        return max(1, int(self.capacity * self.share * _BURST_MARGIN * factor))
