"""The service: a runner for each pair, and what the clock makes them do."""

import random
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from sync_daemon.model.errors import StateStoreError
from sync_daemon.model.health import PairHealth
from sync_daemon.model.report import READ_ALL, CycleOutcome, CycleReport, Mode
from sync_daemon.ports import PairStore
from sync_daemon.service.agenda import Agenda
from sync_daemon.service.metrics import Figures, Metrics
from sync_daemon.service.runner import PairRunner
from sync_daemon.service.schedule import Schedule
from sync_daemon.settings.configuration import Changes
from sync_daemon.settings.pair import PairSection
from sync_daemon.store.pair import SqlPairStore
from sync_daemon.wiring.alerts import Alerts
from sync_daemon.wiring.installation import Installation

_LOOK_EVERY = timedelta(seconds=15)
"""How often what waits is looked at: parked changes whose time has come, hints that nobody woke the runner for."""
_TIDY_EVERY = timedelta(hours=1)
_SCANS_LOOKED_AT = 10
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Served:
    """One pair as the service has it, with its state."""

    runner: PairRunner
    store: SqlPairStore


@dataclass(slots=True)
class Service:
    """Every pair of an installation, kept equal until the process is told to stop."""

    installation: Installation
    metrics: Metrics
    alerts: Alerts
    served: Mapping[str, Served] = field(default_factory=dict)
    """Pairs that are worked on; replaced as a whole when one comes or goes, so that threads may look at it."""
    refused: dict[str, PairHealth] = field(default_factory=dict)
    """Pairs that can't be worked on as configured, and why."""
    _schedule: Schedule = field(default_factory=Schedule)
    _leaving: dict[str, Served] = field(default_factory=dict)
    _coming: dict[str, PairSection] = field(default_factory=dict)
    _turn: threading.RLock = field(default_factory=threading.RLock)

    def open(self, sections: Iterable[PairSection]) -> None:
        """Take pairs up; nothing begins yet. A pair whose state is another account's is left out, and told.

        Raises `StateStoreError` when that is so of every pair.
        """
        self.served = {section.name: one for section in sections if (one := self._opened(section)) is not None}
        if self.refused and not self.served:
            raise StateStoreError("\n".join(one.message for one in self.refused.values()))
        self.metrics.watch(self._figures, self.installation.clock.now)

    def start(self) -> None:
        """Begin: at once a look at every pair, in full where that is due, then by the clock."""
        for name, one in self.served.items():
            self._begin(name, one)
        self._schedule.every(_TIDY_EVERY, "housekeeping", self.installation.tidy, first=self._now())
        self._schedule.every(_LOOK_EVERY, "silence", self._watch)
        self._schedule.start()
        _log.info("service_started", pairs=len(self.served))

    def stop(self, within: float) -> bool:
        """Wait for every runner to finish its cycle, or just the record in hand where the process is told to stop.

        Whether all did.
        """
        self._schedule.stop()
        deadline = self.installation.clock.monotonic() + within
        every = [*self.served.values(), *self._leaving.values()]
        ended = [one.runner.end(max(0.0, deadline - self.installation.clock.monotonic())) for one in every]
        return all(ended)

    def is_alive(self) -> bool:
        """Whether every pair's thread works."""
        return all(one.runner.health().alive for one in self.served.values())

    def told(self, pair: str) -> None:
        """Look at what a webhook told of a pair."""
        if (one := self.served.get(pair)) is not None:
            one.runner.want(Mode.HINTS)

    def follow(self, changes: Changes) -> None:
        """Have pairs come, change and go as they are configured now; to be called at intervals, too.

        A pair that was given another location or list comes anew once its last cycle has ended.
        """
        with self._turn:
            for name in changes.removed:
                self._remove(name)
            for section in changes.changed:
                self.take(section)
            self._coming.update({section.name: section for section in changes.added})
            self._leaving = {name: one for name, one in self._leaving.items() if not one.runner.has_left}
            for name in [name for name in self._coming if name not in self._leaving]:
                if not self._database_answers():
                    return
                self._add(self._coming.pop(name))

    def take(self, section: PairSection) -> None:
        """Work by another section of a pair: from its next cycle on, or anew where it is of other accounts."""
        with self._turn:
            one = self.served.get(section.name)
            if one is None or _place(one.runner.section) != _place(section):
                self._remove(section.name)
                self._coming[section.name] = section
            elif not one.runner.section.says_the_same(section):
                one.runner.take(section)
                _log.info("configuration_taken", pair=section.name)

    def _opened(self, section: PairSection) -> Served | None:
        try:
            store = self.installation.open_store(section)
        except StateStoreError as error:
            self._refuse(section.name, error)
            return None
        return Served(PairRunner(section, self.installation, Agenda(random.random), self._heed), store)

    def _begin(self, name: str, one: Served) -> None:
        service = self.installation.settings.service
        full_scan = self._next_full_scan(one.store, service.full_scan_every)
        one.runner.start()
        one.runner.want(Mode.INCREMENTAL if full_scan else Mode.FULL)
        jobs = (
            ("poll", service.poll_every, partial(one.runner.want, Mode.INCREMENTAL), None),
            ("full scan", service.full_scan_every, partial(one.runner.want, Mode.FULL), full_scan),
            ("retries", _LOOK_EVERY, _look(one.runner, one.store, self._now), None),
        )
        for what, every, job, first in jobs:
            self._schedule.every(every, f"{what} {name}", job, first=first)

    def _add(self, section: PairSection) -> None:
        self.refused.pop(section.name, None)
        if (one := self._opened(section)) is not None:
            self.served = {**self.served, section.name: one}
            self._begin(section.name, one)
            _log.info("pair_added", pair=section.name)

    def _remove(self, name: str) -> None:
        self._coming.pop(name, None)
        self.refused.pop(name, None)
        one = self.served.get(name)
        if one is None:
            return
        self.served = {other: served for other, served in self.served.items() if other != name}
        self._schedule.drop([f"{what} {name}" for what in ("poll", "full scan", "retries")])
        one.runner.leave()
        self._leaving[name] = one
        _log.info("pair_removed", pair=name)

    def _database_answers(self) -> bool:
        try:
            self.installation.store.answers()
        except StateStoreError as error:
            _log.warning("pairs_wait_for_the_database", why=str(error))
            return False
        return True

    def health(self) -> list[PairHealth]:
        """How each pair stands now. Raises `StateStoreError` when the database doesn't answer."""
        paused = self.installation.store.paused_pairs()
        known = [replace(one.runner.health(), paused=name in paused) for name, one in self.served.items()]
        return [*known, *self.refused.values()]

    def _refuse(self, pair: str, error: StateStoreError) -> None:
        self.refused[pair] = PairHealth(pair, self._now(), CycleOutcome.ERROR, str(error))
        self.alerts.heed_refusal(pair, error)
        _log.error("pair_refused", pair=pair, why=str(error))

    def _heed(self, report: CycleReport) -> None:
        self.metrics.cycle_ended(report)
        self.alerts.heed(report)

    def _watch(self) -> None:
        """Notice which pairs are silent: runners that stand still, too, and those whose database is away."""
        try:
            paused = self.installation.store.paused_pairs()
        except StateStoreError:  # while the database doesn't say, nobody paused any
            paused = frozenset()
        for name, one in self.served.items():
            if name not in paused:
                self.alerts.watch(name, one.runner.health().silent_since())

    def _figures(self) -> Iterator[Figures]:
        for health in self.health():
            one = self.served.get(health.pair)
            yield Figures(
                health,
                one.runner.report if one else None,
                one.store.count_waiting_events() if one else 0,
                self.alerts.open_now(health.pair),
                one.store.count_deeds() if one else {},
            )

    def _next_full_scan(self, store: PairStore, every: timedelta) -> datetime | None:
        """When the next one is due: an interval after the last that came to its end; None: now."""
        ended = (run["started"] for run in store.last_runs(_SCANS_LOOKED_AT, Mode.FULL) if run["outcome"] in READ_ALL)
        last = next((moment for moment in ended if isinstance(moment, datetime)), None)
        return last + every if last is not None and last + every > self._now() else None

    def _now(self) -> datetime:
        return self.installation.clock.now()


def _place(section: PairSection) -> tuple[str, str]:
    """The location and list that a pair's state belongs to."""
    return section.ghl.location_id, section.emailoctopus.list_id


def _look(runner: PairRunner, store: PairStore, now: Callable[[], datetime]) -> Callable[[], None]:
    """Wake a runner when something waits whose time has come."""

    def look() -> None:
        if store.count_waiting_events() or store.parked(due=now()):
            runner.want(Mode.HINTS)

    return look
