"""When the next request may go: a vendor's allowance, the brake after a 429, and the daily quota. Pure.

Times are the clock's monotonic seconds.
"""

import math
from dataclasses import dataclass, replace

from sync_daemon.http.allowance import Allowance
from sync_daemon.http.headers import Told

_LEAST_FACTOR = 0.1
_RECOVERY_S = 600.0
_RESERVED_SHARE = 0.02
_RESERVED_AT_LEAST = 100


@dataclass(frozen=True, slots=True)
class DailyQuota:
    """The requests left today. `resets_at` None: the vendor didn't tell."""

    limit: int
    remaining: int
    resets_at: float | None = None

    def allows(self, now: float, *, revokes: bool) -> bool:
        """Whether a request fits; the last ones of a day are kept for those that revoke a consent."""
        if self.resets_at is not None and now >= self.resets_at:
            return True
        kept = 0 if revokes else max(_RESERVED_AT_LEAST, math.ceil(self.limit * _RESERVED_SHARE))
        return self.remaining > kept

    def reset_in(self, now: float) -> float | None:
        """Seconds until the quota returns, if known."""
        return None if self.resets_at is None else max(0.0, self.resets_at - now)


@dataclass(frozen=True, slots=True)
class Pace:
    """All that decides about the next request.

    A 429 halves the speed to `brake` at `braked_at`, from where it climbs back over ten minutes.
    """

    allowance: Allowance
    daily: DailyQuota | None = None
    closed_until: float = -math.inf
    brake: float = 1.0
    braked_at: float = -math.inf

    def factor(self, now: float) -> float:
        """The share of the allowed rate in use, 1 unless a 429 came within the last ten minutes."""
        return min(1.0, self.brake + (1 - self.brake) * (now - self.braked_at) / _RECOVERY_S) if self.brake < 1 else 1.0

    def take(self, now: float) -> tuple["Pace", float]:
        """Count one request and wait 0 seconds, or count nothing and tell the seconds to wait."""
        if now < self.closed_until:
            return self, self.closed_until - now
        allowance, wait = self.allowance.take(now, self.factor(now))
        if wait > 0:
            return self, wait
        daily = replace(self.daily, remaining=self.daily.remaining - 1) if self.daily else None
        return replace(self, allowance=allowance, daily=daily), 0.0

    def told(self, now: float, sent_at: float, told: Told) -> "Pace":
        """The pace after an answer to a request of `sent_at`."""
        return replace(self, allowance=self.allowance.told(sent_at, told), daily=_daily(self.daily, now, told))

    def throttled(self, now: float, sent_at: float, wait: float) -> "Pace":
        """The pace after a 429: nothing for `wait` seconds, then at half the speed, never below a tenth.

        Those of one moment count once: a request sent before the brake was pulled says nothing new.
        """
        until = max(self.closed_until, now + wait)
        closed = replace(self, closed_until=until, allowance=self.allowance.emptied(until))
        if sent_at < self.braked_at:
            return closed
        return replace(closed, brake=max(_LEAST_FACTOR, self.factor(now) / 2), braked_at=now)


def _daily(known: DailyQuota | None, now: float, told: Told) -> DailyQuota | None:
    limit = told.daily_limit if told.daily_limit is not None else (known.limit if known else None)
    if limit is None or told.daily_remaining is None:
        return known
    resets_at = now + told.daily_reset if told.daily_reset is not None else (known.resets_at if known else None)
    return DailyQuota(limit, told.daily_remaining, resets_at)
