"""How often somebody may try to sign in: by address, and by the name that is tried from there and from anywhere."""

import threading
import time
from collections import OrderedDict
from math import ceil

from pyrate_limiter import Duration, InMemoryBucket, Rate, RateItem

_OF_ADDRESS = (Rate(20, Duration.MINUTE), Rate(100, Duration.HOUR))
_OF_NAME_THERE = (Rate(5, Duration.MINUTE), Rate(20, Duration.HOUR))
_OF_NAME = (Rate(100, Duration.HOUR),)
"""Somebody who guesses from many addresses; high enough that nobody is easily locked out by others."""
_MOST_BUCKETS = 10_000


class Attempts:
    """Counts attempts. Safe for threads; what it remembers is bounded."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[tuple[str, ...], InMemoryBucket] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, address: str, name: str | None) -> int:
        """Count an attempt and say 0, or say how many seconds to wait; `name` None is anybody who isn't known."""
        tried = "" if name is None else f"of {name}"
        asked: dict[tuple[str, ...], tuple[Rate, ...]] = {
            (address,): _OF_ADDRESS,
            (address, tried): _OF_NAME_THERE,
        }
        if name is not None:
            asked["", tried] = _OF_NAME
        with self._lock:
            now = int(time.monotonic() * 1000)
            return max(self._taken(key, rates, now) for key, rates in asked.items())

    def _taken(self, key: tuple[str, ...], rates: tuple[Rate, ...], now: int) -> int:
        bucket = self._buckets.setdefault(key, InMemoryBucket(list(rates)))
        self._buckets.move_to_end(key)
        if len(self._buckets) > _MOST_BUCKETS:
            self._buckets.popitem(last=False)
        bucket.leak(now)
        item = RateItem("", now)
        if bucket.put(item):
            return 0
        wait = bucket.waiting(item)
        return max(1, ceil(wait / 1000)) if isinstance(wait, int) else 1
