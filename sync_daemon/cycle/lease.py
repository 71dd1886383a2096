"""The lease as a process lives with it: taken for a cycle, renewed on the way, never taken back once it is lost."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from sync_daemon.model.errors import PairBusy, StateStoreAway
from sync_daemon.ports import Clock, PairStore

LEASE_S = 30.0
_RENEW_AFTER = timedelta(seconds=5)
"""Renewed when it is this old: even a renewal that waits for the database leaves more than 10 s for a request."""


@dataclass(slots=True)
class Lease:
    """One process's hold on a pair, safe to share between threads. `holder` names the process.

    `keep` is called before every request and every commit of a cycle: a process that was stopped for too long must
    not go on with what it decided before another one had the pair.
    """

    pair: str
    store: PairStore
    holder: str
    clock: Clock
    _renewed: datetime | None = None
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the pair as long as the context lasts. Raises `PairBusy` when another process has it."""
        asked = self.clock.now()
        if not self.store.acquire(self.holder, LEASE_S):
            raise PairBusy(f"another process holds the pair `{self.pair}`")
        self._renewed = asked
        try:
            yield
        finally:
            self._renewed = None
            with suppress(StateStoreAway):  # it runs out by itself
                self.store.release(self.holder)

    @property
    def holds(self) -> str | None:
        """The holder while the lease is held: what a commit must prove to be true still."""
        return self.holder if self._renewed is not None else None

    def keep(self) -> None:
        """Renew the lease when it is time. Does nothing while it isn't held; raises `PairBusy` when it was lost."""
        with self._lock:
            now = self.clock.now()
            if self._renewed is None or abs(now - self._renewed) < _RENEW_AFTER:
                return
            if not self.store.renew(self.holder, LEASE_S):
                raise PairBusy(f"another process took over the pair `{self.pair}` while this one stood still")
            self._renewed = now
