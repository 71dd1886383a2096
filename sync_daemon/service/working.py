"""How a service has its pairs worked on: by threads of its own, or together with other processes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from sync_daemon.model.health import PairHealth
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.service.turn import PairTurn
from sync_daemon.store.pair import SqlPairStore


@dataclass(frozen=True, slots=True)
class Rounds:
    """What is done for all pairs by the clock: silence watched for, old rows removed; `look_every` what waits of each
    is looked at: parked changes whose time has come, hints that nobody told of.
    """

    watch: Callable[[], None]
    tidy: Callable[[], None]
    look_every: timedelta = timedelta(seconds=15)
    tidy_every: timedelta = timedelta(hours=1)


class Desk(Protocol):
    """Where one pair's wishes are worked off."""

    def want(self, mode: Mode) -> None:
        """Wish for a cycle, by whoever works on the pair; it is made after the one under way. Never raises."""

    def begin_anew(self) -> None:
        """Look at the pair at once, whatever it came to before: its settings changed. Never raises."""

    def health(self) -> PairHealth:
        """How the pair stands now. May raise `StateStoreError`."""

    def report(self) -> CycleReport | None:
        """How the pair's last cycle ended, where this process made it; None otherwise. May raise `StateStoreError`."""


class Hands(Protocol):
    """Who works on pairs."""

    def take_up(self, turn: PairTurn, store: SqlPairStore) -> Desk:
        """Have a pair worked on: from `start` on, or at once where that was. May raise `StateStoreError`."""

    def let_go(self, pair: str) -> None:
        """Begin nothing more with a pair; the cycle under way ends with the record in hand."""

    def has_let_go(self, pair: str) -> bool:
        """Whether nobody of this process works on a pair that was let go any more."""

    def start(self, rounds: Rounds) -> None:
        """Begin with every pair, and with what the clock asks for."""

    def stop(self, within: float) -> bool:
        """End, once the process is told to stop; whether every record in hand was finished in time."""

    def is_alive(self) -> bool:
        """Whether everybody works who should."""
