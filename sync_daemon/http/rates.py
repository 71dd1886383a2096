"""Paces as bytes, so that they can be kept where every process finds them; and where one process alone keeps them."""

import threading
from collections.abc import Callable
from dataclasses import replace
from types import GenericAlias
from typing import TypeVar

import msgspec

from sync_daemon.http.allowance import Allowance
from sync_daemon.http.pace import DailyQuota, Pace
from sync_daemon.ports import Clock

T = TypeVar("T")


class OwnRates:
    """`ports.Rates` of one process, by its own clock. Safe for threads."""

    block = 1

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._states: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def change(self, key: str, change: Callable[[bytes, float], tuple[bytes, T]]) -> T:
        """Put in the place of what is kept under a key what `change` makes of it and of the time."""
        with self._lock:
            self._states[key], result = change(self._states.get(key, b""), self._clock.monotonic())
        return result


def packed(pace: Pace) -> bytes:
    """A pace as bytes."""
    return msgspec.msgpack.encode((pace.allowance, pace.daily, pace.closed_until, pace.brake, pace.braked_at))


def unpacked(state: bytes, allowance: Allowance) -> Pace:
    """The pace behind bytes, with the share that `allowance` has; a new one with this allowance for no bytes."""
    if not state:
        return Pace(allowance)
    form = GenericAlias(tuple, (type(allowance), DailyQuota | None, float, float, float))
    kept, *rest = msgspec.msgpack.decode(state, type=form)
    return Pace(replace(kept, share=allowance.share), *rest)
