"""Where requests wait for their turn: one limiter for each system and account."""

import threading
from collections.abc import Mapping

from sync_daemon.http.allowance import Allowance
from sync_daemon.http.headers import read_headers
from sync_daemon.http.pace import Pace
from sync_daemon.model.errors import QuotaExhausted, Stopped, ToldToStop
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Clock, Usage


class Limiter:
    """Lets requests go one after the other, at the speed that the vendor allows. Safe for threads.

    `refill_s` is the documented wait after a 429 that names none; a wait for a window that is longer than
    `patience_s` is a `QuotaExhausted`.
    """

    def __init__(
        self, system: SystemName, allowance: Allowance, clock: Clock, *, refill_s: float, patience_s: float = 60.0
    ) -> None:
        self._system = system
        self._clock = clock
        self._refill_s = refill_s
        self._patience_s = patience_s
        self._pace = Pace(allowance)
        self._requests = 0
        self._throttled = 0
        self._state = threading.Lock()
        self._turn = threading.Lock()

    def wait_turn(self, *, revokes: bool = False) -> float:
        """Wait until one request may go; the moment it goes, in monotonic seconds.

        Raises `QuotaExhausted` when the daily quota has no room (`revokes` may use what is kept for it) or the
        wait would be longer than the patience; `Stopped` when the process is told to stop meanwhile.
        """
        with self._turn:  # the first waits for the window, the others for the first
            while True:
                now = self._clock.monotonic()
                wait = self._take(now, revokes=revokes)
                if wait <= 0:
                    return now
                if wait > self._patience_s:
                    raise QuotaExhausted(self._system, self._waits_too_long(wait), reset_in=wait)
                self.pause(wait)

    def pause(self, seconds: float) -> None:
        """Wait. Raises `Stopped` when the process is told to stop."""
        try:
            self._clock.sleep(seconds)
        except ToldToStop as told:
            raise Stopped(self._system) from told

    def answered(self, sent_at: float, status: int, headers: Mapping[str, str]) -> None:
        """Learn from an answer to a request that went at `sent_at`; names of headers are in lower case."""
        now = self._clock.monotonic()
        told = read_headers(headers, self._clock.now())
        with self._state:
            self._pace = self._pace.told(now, sent_at, told)
            if status == 429:
                self._throttled += 1
                wait = self._refill_s if told.retry_after is None else told.retry_after
                self._pace = self._pace.throttled(now, sent_at, wait)

    def usage(self) -> Usage:
        """What was sent since the start, and what is known of the limits."""
        with self._state:
            daily = self._pace.daily
            return Usage(
                requests=self._requests,
                throttled=self._throttled,
                daily_limit=daily.limit if daily else None,
                daily_remaining=daily.remaining if daily else None,
                rate_per_second=self._pace.allowance.rate * self._pace.factor(self._clock.monotonic()),
            )

    def seconds_for(self, requests: int) -> float:
        """The least time that many requests take under the limits known now."""
        return self._pace.allowance.seconds_for(requests)

    def _take(self, now: float, *, revokes: bool) -> float:
        with self._state:
            daily = self._pace.daily
            if daily is not None and not daily.allows(now, revokes=revokes):
                raise QuotaExhausted(self._system, self._out_of_quota(), reset_in=daily.reset_in(now))
            self._pace, wait = self._pace.take(now)
            self._requests += wait <= 0
            return wait

    def _out_of_quota(self) -> str:
        return (
            f"The daily request quota of {self._system} is used up (its last requests are kept for revocations). "
            "What was read is stored; the next run after the reset goes on."
        )

    def _waits_too_long(self, wait: float) -> str:
        return (
            f"{self._system} asks to wait {wait:.0f} s before the next request, longer than the "
            f"{self._patience_s:.0f} s that a command waits. What was read is stored; run it again later, or "
            "lower `share` if other tools use the same account."
        )
