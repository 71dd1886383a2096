"""All pairs worked on by this process alone: each has a thread of its own, and the clock wishes for its cycles."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from sync_daemon.model.health import PairHealth
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.service.agenda import Agenda
from sync_daemon.service.looks import has_something_due, next_full_scan
from sync_daemon.service.runner import PairRunner
from sync_daemon.service.schedule import Schedule
from sync_daemon.service.turn import PairTurn
from sync_daemon.service.working import Desk, Rounds
from sync_daemon.store.pair import SqlPairStore
from sync_daemon.wiring.installation import Installation


@dataclass(frozen=True, slots=True)
class OwnDesk:
    """A pair with the thread that works on it."""

    runner: PairRunner
    store: SqlPairStore

    def want(self, mode: Mode) -> None:
        """Wish for a cycle; it is made as soon as the one under way has ended."""
        self.runner.want(mode)

    def health(self) -> PairHealth:
        """How the pair stands now."""
        return replace(self.runner.turn.health(), alive=self.runner.is_alive())

    def report(self) -> CycleReport | None:
        """How the last cycle ended; None before the first has."""
        return self.runner.turn.report


@dataclass(slots=True)
class Threads:
    """`service.working.Hands` of one process."""

    installation: Installation
    _desks: dict[str, OwnDesk] = field(default_factory=dict)
    _schedule: Schedule = field(default_factory=Schedule)

    def take_up(self, turn: PairTurn, store: SqlPairStore) -> Desk:
        """Have a pair worked on from `start` on."""
        desk = self._desks[turn.section.name] = OwnDesk(PairRunner(turn, Agenda(random.random)), store)
        return desk

    def start(self, rounds: Rounds) -> None:
        """Begin: at once a look at every pair, in full where that is due, then by the clock."""
        service, now = self.installation.settings.service, self.installation.clock.now
        for name, desk in self._desks.items():
            full_scan = next_full_scan(desk.store, service.full_scan_every, now())
            desk.runner.start()
            desk.want(Mode.INCREMENTAL if full_scan else Mode.FULL)
            self._schedule.every(service.poll_every, f"poll {name}", partial(desk.want, Mode.INCREMENTAL))
            self._schedule.every(
                service.full_scan_every, f"full scan {name}", partial(desk.want, Mode.FULL), first=full_scan
            )
            self._schedule.every(rounds.look_every, f"retries {name}", _look(desk, now))
        self._schedule.every(rounds.tidy_every, "housekeeping", rounds.tidy, first=now())
        self._schedule.every(rounds.look_every, "silence", rounds.watch)
        self._schedule.start()

    def stop(self, within: float) -> bool:
        """End, once the process is told to stop; whether every record in hand was finished in time."""
        self._schedule.stop()
        clock = self.installation.clock
        deadline = clock.monotonic() + within
        ended = [desk.runner.end(max(0.0, deadline - clock.monotonic())) for desk in self._desks.values()]
        return all(ended)

    def is_alive(self) -> bool:
        """Whether every pair's thread works."""
        return all(desk.runner.is_alive() for desk in self._desks.values())


def _look(desk: OwnDesk, now: Callable[[], datetime]) -> Callable[[], None]:
    """Wish for a cycle when something waits whose time has come."""

    def look() -> None:
        if has_something_due(desk.store, now()):
            desk.want(Mode.HINTS)

    return look
