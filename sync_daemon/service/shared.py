"""Pairs worked on together with other processes: wishes stand in the database, and jobs have them worked off.

Whoever takes a wish up leaves its row in the database until the cycle has ended: what a killed process had in hand is
due again as soon as its lease is over.
"""

import random
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from sync_daemon.model.errors import StateStoreError
from sync_daemon.model.health import PairHealth
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.model.wishes import DuePair, Wishes
from sync_daemon.ports import Clock
from sync_daemon.service.agenda import Agenda
from sync_daemon.service.looks import has_something_due, health_for_all, next_full_scan
from sync_daemon.service.runner import BURST_S
from sync_daemon.service.turn import PairTurn
from sync_daemon.service.working import Desk, Rounds
from sync_daemon.settings.installation import ServiceSection
from sync_daemon.store.agendas import ABANDONED_AFTER
from sync_daemon.store.cluster import Cluster
from sync_daemon.store.pair import SqlPairStore
from sync_daemon.wiring.installation import Installation

_LATE = timedelta(seconds=10)
"""A pair that is due for so long goes before hints that came later, and before a cycle that has had its time."""
_AHEAD = 500
"""Pairs that wait for a worker at a time: more than all workers together take before the next look."""
_DUTY, _DUTY_S = "dispatch", 10.0
_LOOK_AGAIN_S = 1.0
_JITTER = 0.1
_log = structlog.get_logger(__name__)


class Queue(Protocol):
    """Jobs that any of the processes does: one at a time of each pair."""

    def start(self, work: Callable[[str], None], tick: Callable[[], None], tidy: Callable[[], None]) -> None:
        """Begin to do jobs: `work` is told the pair; `tick` is called every second, `tidy` by one process an hour."""

    def put(self, pair: DuePair, *, urgent: bool = False, after: float = 0.0) -> None:
        """Have a pair worked on, `after` some seconds; urgent ones go before others. Never raises, and never waits."""

    def put_all(self, pairs: Collection[DuePair]) -> None:
        """Have those pairs worked on, in their order, that don't wait for it yet; abandoned ones before all others.

        Never raises, and never waits.
        """

    def stop(self, within: float) -> bool:
        """Begin no further job; whether those under way ended in time."""

    def is_alive(self) -> bool:
        """Whether jobs are done."""


@dataclass(slots=True)
class SharedDesk:
    """A pair whose wishes stand in the database."""

    turn: PairTurn
    store: SqlPairStore
    every: ServiceSection
    hurry: Callable[[DuePair, float], None]
    taken_over: Callable[[str], None]

    @property
    def _clock(self) -> Clock:
        return self.turn.installation.clock

    @property
    def _pair(self) -> DuePair:
        return DuePair(self.turn.section.name, self.store.number)

    def begin(self) -> None:
        """Put on the agenda what isn't there by the clock: at once, in full where that is due."""
        now = self._clock.now()
        by_the_clock = {
            Mode.INCREMENTAL: now,
            Mode.FULL: next_full_scan(self.store, self.every.full_scan_every, now) or now,
        }
        self.store.change_wishes(lambda wishes: replace(wishes, wanted={**by_the_clock, **wishes.wanted}))

    def want(self, mode: Mode) -> None:
        """Wish for a cycle by whichever process."""
        delay = BURST_S if mode is Mode.HINTS else 0.0
        self._wish(lambda agenda, now: agenda.want(mode, now, delay), delay)

    def begin_anew(self) -> None:
        """Have the pair looked at at once, however its last cycles ended."""

        def look(agenda: Agenda, now: float) -> None:
            agenda.lose_patience()
            agenda.want(Mode.INCREMENTAL, now)

        self._wish(look, 0.0)

    def work(self) -> None:
        """Take a wish up and have its cycle made; what can't be stored of its end is done again."""
        token, leased = secrets.token_hex(8), self.store.is_leased()
        taken: list[Mode] = []
        self.store.change_wishes(lambda wishes: self._take(wishes, token, taken, leased=leased))
        if not taken:
            return
        report = self.turn.work(taken[0])
        self.store.change_wishes(lambda wishes: self._ended(wishes, token, taken[0], report))

    def _wish(self, change: Callable[[Agenda, float], None], delay: float) -> None:
        """Change the agenda, and have somebody work it off after a delay."""
        try:
            self.store.change_wishes(lambda wishes: self._changed(wishes, change))
        except StateStoreError as error:  # what waits is found at the next look
            _log.warning("wish_not_stored", pair=self._pair.name, why=str(error))
            return
        self.hurry(self._pair, delay)

    def health(self) -> PairHealth:
        """How the pair stands, whoever works on it."""
        return health_for_all(self.turn.health(), self.store, self._clock.now())

    def report(self) -> CycleReport | None:
        """How the last cycle ended, if this process made it."""
        last = next(iter(self.store.last_runs(1)), None)
        ended, mine = last["ended"] if last else None, self.turn.health().ended
        is_mine = mine is not None and (not isinstance(ended, datetime) or mine >= ended)
        return self.turn.report if is_mine else None

    def _take(self, wishes: Wishes, token: str, taken: list[Mode], *, leased: bool) -> Wishes:
        """The wishes once the strongest that is due is in hand, and the next one by the clock is wished for."""
        taken.clear()
        now = self._clock.now()
        if wishes.taken is not None and (leased or now - (wishes.taken_at or now) < ABANDONED_AFTER):
            return wishes
        mode: Mode | None = None

        def take(agenda: Agenda, at: float) -> None:
            nonlocal mode
            mode = agenda.take(at)
            if mode is not None:
                taken.append(mode)
                self._wish_for_next(agenda, mode, at)

        after = self._changed(_given_back(wishes), take)
        if mode is None:
            return wishes
        if wishes.taken is not None:
            self.taken_over(self._pair.name)
        return replace(after, taken=mode, taken_at=now, taken_by=token)

    def _wish_for_next(self, agenda: Agenda, mode: Mode, now: float) -> None:
        if mode is not Mode.HINTS:
            agenda.wanted[Mode.INCREMENTAL] = now + _spread(self.every.poll_every)
        if mode is Mode.FULL:
            agenda.wanted[Mode.FULL] = now + _spread(self.every.full_scan_every)

    def _ended(self, wishes: Wishes, token: str, mode: Mode, report: CycleReport) -> Wishes:
        """The wishes after a cycle; those of another turn that took this one over are left alone."""
        if wishes.taken_by != token:
            return wishes
        more = self.turn.left_over(report)

        def end(agenda: Agenda, now: float) -> None:
            agenda.ended(mode, report.outcome, now, report.resume_in_s)
            if more is not None:
                agenda.want(more, now)

        return self._changed(replace(wishes, taken=None, taken_at=None, taken_by=""), end)

    def _changed(self, wishes: Wishes, change: Callable[[Agenda, float], None]) -> Wishes:
        """The wishes after something was done with them as an agenda, in seconds of the wall clock."""
        agenda = Agenda(
            random.random,
            {mode: at.timestamp() for mode, at in wishes.wanted.items()},
            wishes.resume_at.timestamp() if wishes.resume_at else 0.0,
            wishes.in_a_row,
        )
        now = self._clock.now()
        change(agenda, now.timestamp())
        return replace(
            wishes,
            wanted={mode: datetime.fromtimestamp(at, now.tzinfo) for mode, at in agenda.wanted.items()},
            resume_at=datetime.fromtimestamp(agenda.resume_at, now.tzinfo) if agenda.resume_at else None,
            in_a_row=agenda.in_a_row,
        )


def _given_back(wishes: Wishes) -> Wishes:
    """The wishes where the one in hand is wished for again, by when it was taken."""
    if wishes.taken is None or wishes.taken_at is None:
        return wishes
    at = min(wishes.taken_at, wishes.wanted.get(wishes.taken, wishes.taken_at))
    return replace(wishes, wanted={**wishes.wanted, wishes.taken: at}, taken=None, taken_at=None)


def _spread(interval: timedelta) -> float:
    """An interval in seconds, a little more or less, so that pairs don't ask at the same second."""
    return interval.total_seconds() * (1 + _JITTER * (2 * random.random() - 1))


@dataclass(slots=True)
class Shared:
    """`service.working.Hands` of one of several processes."""

    installation: Installation
    queue: Queue
    taken_over: Callable[[str], None]
    _desks: dict[str, SharedDesk] = field(default_factory=dict)
    """Replaced as a whole when a pair comes or goes, so that threads may look at it."""
    _leaving: dict[str, SharedDesk] = field(default_factory=dict)
    _rounds: Rounds | None = None
    _looked_at: float = 0.0
    _waits: tuple[float, bool] = (0.0, False)

    @property
    def _cluster(self) -> Cluster:
        return self.installation.store.cluster

    def take_up(self, turn: PairTurn, store: SqlPairStore) -> Desk:
        """Have a pair worked on by whichever process."""
        turn.give_way = self.somebody_waits
        every = self.installation.settings.service
        desk = SharedDesk(turn, store, every, self._hurry, self.taken_over)
        if self._rounds is not None:
            desk.begin()
        self._desks = {**self._desks, turn.section.name: desk}
        return desk

    def let_go(self, pair: str) -> None:
        """Take no more of a pair's jobs; the cycle under way ends with the record in hand."""
        desk = self._leaving[pair] = self._desks[pair]
        self._desks = {name: one for name, one in self._desks.items() if name != pair}
        desk.turn.leave()

    def has_let_go(self, pair: str) -> bool:
        """Whether nobody of this process works on a pair that was let go any more."""
        if pair in self._leaving and not self._leaving[pair].turn.is_under_way():
            del self._leaving[pair]
        return pair not in self._leaving

    def start(self, rounds: Rounds) -> None:
        """Put on the agenda what isn't there, and begin to do jobs."""
        self._rounds = rounds
        for desk in self._desks.values():
            desk.begin()
        self.queue.start(self.work, self.tick, rounds.tidy)

    def stop(self, within: float) -> bool:
        """End, once the process is told to stop; other processes go on with what is left over."""
        return self.queue.stop(within)

    def is_alive(self) -> bool:
        """Whether jobs are done."""
        return self.queue.is_alive()

    def work(self, pair: str) -> None:
        """Do a job: work one pair's wishes off, if this process knows it."""
        desk = self._desks.get(pair)
        if desk is None:
            _log.warning("pair_unknown_here", pair=pair, advice="give every worker the same pairs")
            return
        desk.work()

    def tick(self) -> None:
        """What one process at a time does for all: have those worked on that are due, look at what waits, watch."""
        if not self._cluster.on_duty(_DUTY, self.installation.holder, _DUTY_S):
            return
        self.queue.put_all(self._cluster.due(self._desks, most=_AHEAD))
        now = self.installation.clock.monotonic()
        if self._rounds is not None and now - self._looked_at >= self._rounds.look_every.total_seconds():
            self._looked_at = now
            for desk in self._desks.values():
                if has_something_due(desk.store, self.installation.clock.now()):
                    desk.want(Mode.HINTS)
            self._rounds.watch()

    def somebody_waits(self) -> bool:
        """Whether some pair has been due for long and nobody works on it; asked of the database once a second."""
        now = self.installation.clock.monotonic()
        asked_at, waits = self._waits
        if now - asked_at >= _LOOK_AGAIN_S:
            waits = bool(self._cluster.due(self._desks, _LATE, most=1))
            self._waits = now, waits
        return waits

    def _hurry(self, pair: DuePair, after: float) -> None:
        """Have a pair worked on before others, unless some of these have waited for long."""
        try:
            urgent = not self.somebody_waits()
        except StateStoreError:
            urgent = False
        self.queue.put(pair, urgent=urgent, after=after)
