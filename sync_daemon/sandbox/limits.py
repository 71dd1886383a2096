"""The rate limits of both APIs, with the headers they are told in (facts: GHL §2, EmailOctopus §2)."""

import math
from collections import deque
from datetime import timedelta
from email.utils import format_datetime
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

from sync_daemon.sandbox.clock import Clock

Headers = list[tuple[str, str]]
RetryAfterForm = Literal["seconds", "epoch", "http_date"]
Count = Annotated[int, Meta(ge=1)]


class Limits(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What can be changed about a limit; every limit can be switched off."""

    enabled: bool = True


class WindowLimits(Limits, kw_only=True, forbid_unknown_fields=True):
    """GHL's figures. Defaults are those of an installed app (documented: Authorization.md); a trial's private
    integration tokens were measured at 25 and 10,000 (observed by users). Whether the window slides is not
    documented, so both exist.
    """

    per_window: Count = 100
    per_day: Count = 200_000
    sliding: bool = False


class BucketLimits(Limits, kw_only=True, forbid_unknown_fields=True):
    """EmailOctopus's figures (documented: OpenAPI)."""

    capacity: Count = 100
    per_second: Annotated[float, Meta(gt=0)] = 10.0


class Limiter(Protocol):
    """Counts the requests of one account and tells what stands in the headers of each answer."""

    @property
    def settings(self) -> Limits:
        """The figures, which may change at any time."""
        ...

    def take(self) -> bool:
        """Count one request; False when it is one too many. Always True when not enabled."""
        ...

    def headers(self, status: int) -> Headers:
        """Give the limit's headers for an answer with this status."""
        ...


class GhlWindow:
    """GHL: so many requests in a window of ten seconds, and so many in a day."""

    window_s = 10.0
    day_s = 86_400.0

    def __init__(self, clock: Clock, *, per_window: int = 100, per_day: int = 200_000, sliding: bool = False) -> None:
        self.settings = WindowLimits(per_window=per_window, per_day=per_day, sliding=sliding)
        self._clock = clock
        self._recent: deque[float] = deque()
        self._window_start = self._day_start = clock.monotonic()
        self._today = 0

    def take(self) -> bool:
        """Count one request in the window and in the day; a refused one counts in neither, nor any without a limit."""
        self._expire()
        limits = self.settings
        if not limits.enabled:
            return True
        if len(self._recent) >= limits.per_window or self._today >= limits.per_day:
            return False
        self._recent.append(self._clock.monotonic())
        self._today += 1
        return True

    def headers(self, status: int) -> Headers:  # noqa: ARG002 - GHL sends them whatever the status
        """Give the six x-ratelimit headers; the daily reset is a duration in milliseconds."""
        self._expire()
        limits = self.settings
        reset = self.day_s - (self._clock.monotonic() - self._day_start)
        return [
            ("x-ratelimit-limit-daily", str(limits.per_day)),
            ("x-ratelimit-daily-remaining", str(max(0, limits.per_day - self._today))),
            ("x-ratelimit-daily-reset", str(round(reset * 1000))),
            ("x-ratelimit-interval-milliseconds", str(round(self.window_s * 1000))),
            ("x-ratelimit-max", str(limits.per_window)),
            ("x-ratelimit-remaining", str(max(0, limits.per_window - len(self._recent)))),
        ]

    def _expire(self) -> None:
        now = self._clock.monotonic()
        if now - self._day_start >= self.day_s:
            self._day_start += (now - self._day_start) // self.day_s * self.day_s
            self._today = 0
        if self.settings.sliding:
            while self._recent and self._recent[0] <= now - self.window_s:
                self._recent.popleft()
        elif now - self._window_start >= self.window_s:
            self._window_start += (now - self._window_start) // self.window_s * self.window_s
            self._recent.clear()


class RateHeaderQuirks(Protocol):
    """What is not documented about EmailOctopus's rate headers; the quirks of that API hold it."""

    rate_headers_on_success: bool
    retry_after_form: RetryAfterForm
    throttle_block_s: float


class TokenBucket:
    """EmailOctopus: a bucket of tokens filled by so many a second, one for each request (documented: OpenAPI).

    A refusal can block for a while (documented: help article 91, "up to a minute"): a quirk says how long.
    """

    def __init__(self, clock: Clock, quirks: RateHeaderQuirks) -> None:
        self.settings = BucketLimits()
        self._clock = clock
        self._quirks = quirks
        self._tokens = float(self.settings.capacity)
        self._filled_at = clock.monotonic()
        self._blocked_until = -math.inf

    def take(self) -> bool:
        """Take one token; without one the request is refused, and perhaps the following ones for a while."""
        self._fill()
        if not self.settings.enabled:
            return True
        now = self._clock.monotonic()
        if now < self._blocked_until:
            return False
        if self._tokens < 1:
            self._blocked_until = now + self._quirks.throttle_block_s
            return False
        self._tokens -= 1
        return True

    def headers(self, status: int) -> Headers:
        """Give the remaining tokens (never on 401: observed) and, on 429, when to come again."""
        if status == 429:
            return [
                ("X-RateLimiting-Remaining", "0"),
                ("X-RateLimit-Retry-After", self._retry_after()),
            ]
        if status == 401 or not self._quirks.rate_headers_on_success:
            return []
        return [("X-RateLimiting-Remaining", str(int(self._tokens)))]

    def _retry_after(self) -> str:
        now = self._clock.monotonic()
        empty_for = max(0.0, 1 - self._tokens) / self.settings.per_second
        seconds = max(1, math.ceil(max(empty_for, self._blocked_until - now)))
        at = self._clock.now() + timedelta(seconds=seconds)
        if self._quirks.retry_after_form == "epoch":
            return str(math.ceil(at.timestamp()))
        if self._quirks.retry_after_form == "http_date":
            return format_datetime(at, usegmt=True)
        return str(seconds)

    def _fill(self) -> None:
        now = self._clock.monotonic()
        filled = self._tokens + (now - self._filled_at) * self.settings.per_second
        self._tokens = min(float(self.settings.capacity), filled)
        self._filled_at = now
