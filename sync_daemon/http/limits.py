"""Where requests wait for their turn: one limiter for each system and account, in however many processes."""

import threading
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from sync_daemon.http.allowance import Allowance
from sync_daemon.http.headers import Told, read_headers
from sync_daemon.http.pace import Pace
from sync_daemon.http.rates import OwnRates, packed, unpacked
from sync_daemon.model.errors import QuotaExhausted, Stopped, ToldToStop
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Clock, Rates, Usage

_IN_HAND_S = 0.25
"""How long requests that were counted together may go: less than what the allowances keep as a margin."""
T = TypeVar("T")


class _Heard(NamedTuple):
    """What an answer told of the limits, in monotonic seconds; `wait` is what a 429 asks for."""

    sent_at: float
    at: float
    told: Told
    wait: float | None


class Limiter:
    """Lets requests go one after the other, at the speed that the vendor allows. Safe for threads.

    `refill_s` is the documented wait after a 429 that names none; a wait for a window that is longer than
    `patience_s` is a `QuotaExhausted`. All limiters with the same `rates` and `account` keep to one limit together.
    """

    def __init__(
        self,
        system: SystemName,
        allowance: Allowance,
        clock: Clock,
        *,
        refill_s: float,
        patience_s: float = 60.0,
        rates: Rates | None = None,
        account: str = "",
    ) -> None:
        self._system = system
        self._clock = clock
        self._refill_s = refill_s
        self._patience_s = patience_s
        self._rates = rates or OwnRates(clock)
        self._key = f"{system} {account}"
        self._allowance = allowance
        self._pace = Pace(allowance)
        self._ahead = 0.0
        self._heard: list[_Heard] = []
        self._in_hand = 0
        self._in_hand_until = 0.0
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
        """Learn from an answer to a request that went at `sent_at`; names of headers are in lower case.

        Whoever shares the limit hears of a 429 at once, and of what else was told together with the next request.
        """
        now = self._clock.monotonic()
        told = read_headers(headers, self._clock.now())
        with self._state:
            refused = status == 429
            wait = (self._refill_s if told.retry_after is None else told.retry_after) if refused else None
            self._heard.append(_Heard(sent_at, now, told, wait))
            if refused:
                self._throttled += 1
                self._in_hand = 0
                self._change(lambda pace, _now: (pace, None))

    def usage(self) -> Usage:
        """What was sent since the start, and what is known of the limits."""
        with self._state:
            pace = self._learned(self._pace)
            daily = pace.daily
            return Usage(
                requests=self._requests,
                throttled=self._throttled,
                daily_limit=daily.limit if daily else None,
                daily_remaining=daily.remaining if daily else None,
                rate_per_second=pace.allowance.rate * pace.factor(self._clock.monotonic() + self._ahead),
            )

    def seconds_for(self, requests: int) -> float:
        """The least time that many requests take under the limits known now."""
        with self._state:
            return self._learned(self._pace).allowance.seconds_for(requests)

    def _take(self, now: float, *, revokes: bool) -> float:
        """Count one request and wait 0 seconds, or tell the seconds to wait. Raises `QuotaExhausted`."""
        with self._state:
            if self._in_hand and now < self._in_hand_until:
                self._in_hand -= 1
            else:
                taken, wait = self._change(lambda pace, at: self._taken(pace, at, revokes=revokes))
                if isinstance(wait, QuotaExhausted):
                    raise wait
                if wait > 0:
                    return wait
                self._in_hand, self._in_hand_until = taken - 1, now + _IN_HAND_S
            self._requests += 1
            return 0.0

    def _taken(self, pace: Pace, at: float, *, revokes: bool) -> tuple[Pace, tuple[int, float | QuotaExhausted]]:
        """The pace after as many requests as may go now, up to a block; how many, and the wait where none may."""
        daily = pace.daily
        if daily is not None and not daily.allows(at, revokes=revokes):
            return pace, (0, QuotaExhausted(self._system, self._out_of_quota(), reset_in=daily.reset_in(at)))
        for taken in range(self._rates.block):
            pace, wait = pace.take(at)
            if wait > 0:
                return pace, (taken, 0.0 if taken else wait)
        return pace, (self._rates.block, 0.0)

    def _change(self, change: Callable[[Pace, float], tuple[Pace, T]]) -> T:
        """Change the pace that all share, after what was heard since the last time."""

        def turn(state: bytes, at: float) -> tuple[bytes, T]:
            self._ahead = at - self._clock.monotonic()
            pace, result = change(self._learned(unpacked(state, self._allowance)), at)
            self._pace = pace
            return packed(pace), result

        result = self._rates.change(self._key, turn)
        self._heard.clear()
        return result

    def _learned(self, pace: Pace) -> Pace:
        """A pace after what was heard and isn't shared yet."""
        for one in self._heard:
            sent_at, at = one.sent_at + self._ahead, one.at + self._ahead
            pace = pace.told(at, sent_at, one.told)
            if one.wait is not None:
                pace = pace.throttled(at, sent_at, one.wait)
        return pace

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
