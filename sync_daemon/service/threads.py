"""All pairs worked on by this process alone: each has a thread of its own, and the clock wishes for its cycles."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
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

_JOBS = ("poll", "full scan", "retries")


@dataclass(frozen=True, slots=True)
class OwnDesk:
    """A pair with the thread that works on it."""

    runner: PairRunner
    store: SqlPairStore

    def want(self, mode: Mode) -> None:
        """Wish for a cycle; it is made as soon as the one under way has ended."""
        self.runner.want(mode)

    def begin_anew(self) -> None:
        """Look at the pair at once, however its last cycles ended."""
        self.runner.begin_anew()

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
    _leaving: dict[str, OwnDesk] = field(default_factory=dict)
    _schedule: Schedule = field(default_factory=Schedule)
    _rounds: Rounds | None = None

    def take_up(self, turn: PairTurn, store: SqlPairStore) -> Desk:
        """Have a pair worked on: from `start` on, or at once where that was."""
        desk = OwnDesk(PairRunner(turn, Agenda(random.random)), store)
        if self._rounds is not None:
            self._begin(turn.section.name, desk, self._rounds)
        self._desks[turn.section.name] = desk
        return desk

    def let_go(self, pair: str) -> None:
        """Begin nothing more with a pair; the cycle under way ends with the record in hand."""
        desk = self._leaving[pair] = self._desks.pop(pair)
        self._schedule.drop([f"{what} {pair}" for what in _JOBS])
        desk.runner.leave()

    def has_let_go(self, pair: str) -> bool:
        """Whether the thread of a pair that was let go has ended."""
        if pair in self._leaving and not self._leaving[pair].runner.is_alive():
            del self._leaving[pair]
        return pair not in self._leaving

    def start(self, rounds: Rounds) -> None:
        """Begin: at once a look at every pair, in full where that is due, then by the clock."""
        now, self._rounds = self.installation.clock.now, rounds
        for name, desk in self._desks.items():
            self._begin(name, desk, rounds)
        self._schedule.every(rounds.tidy_every, "housekeeping", rounds.tidy, first=now())
        self._schedule.every(rounds.look_every, "silence", rounds.watch)
        self._schedule.start()

    def stop(self, within: float) -> bool:
        """End, once the process is told to stop; whether every record in hand was finished in time."""
        self._schedule.stop()
        clock = self.installation.clock
        deadline = clock.monotonic() + within
        every = [*self._desks.values(), *self._leaving.values()]
        ended = [desk.runner.end(max(0.0, deadline - clock.monotonic())) for desk in every]
        return all(ended)

    def is_alive(self) -> bool:
        """Whether every pair's thread works."""
        return all(desk.runner.is_alive() for desk in self._desks.values())

    def _begin(self, name: str, desk: OwnDesk, rounds: Rounds) -> None:
        service, now = self.installation.settings.service, self.installation.clock.now
        full_scan = next_full_scan(desk.store, service.full_scan_every, now())
        desk.runner.start()
        desk.want(Mode.INCREMENTAL if full_scan else Mode.FULL)
        jobs: tuple[tuple[timedelta, Callable[[], None], datetime | None], ...] = (
            (service.poll_every, partial(desk.want, Mode.INCREMENTAL), None),
            (service.full_scan_every, partial(desk.want, Mode.FULL), full_scan),
            (rounds.look_every, _look(desk, now), None),
        )
        for what, (every, job, first) in zip(_JOBS, jobs, strict=True):
            self._schedule.every(every, f"{what} {name}", job, first=first)


def _look(desk: OwnDesk, now: Callable[[], datetime]) -> Callable[[], None]:
    """Wish for a cycle when something waits whose time has come."""

    def look() -> None:
        if has_something_due(desk.store, now()):
            desk.want(Mode.HINTS)

    return look
