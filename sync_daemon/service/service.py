"""The service: a runner for each pair, and what the clock makes them do."""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from sync_daemon.model.errors import StateStoreAway, StateStoreError
from sync_daemon.model.health import PairHealth
from sync_daemon.model.report import READ_ALL, CycleOutcome, CycleReport, Mode
from sync_daemon.ports import PairStore
from sync_daemon.service.agenda import Agenda
from sync_daemon.service.metrics import Figures, Metrics
from sync_daemon.service.runner import PairRunner
from sync_daemon.service.schedule import Schedule
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
    served: dict[str, Served] = field(default_factory=dict)
    refused: dict[str, PairHealth] = field(default_factory=dict)
    """Pairs that can't be worked on as configured, and why."""
    _schedule: Schedule = field(default_factory=Schedule)

    def open(self, sections: Iterable[PairSection]) -> None:
        """Take pairs up; nothing begins yet. A pair whose state is another account's is left out, and told.

        Raises `StateStoreError` when that is so of every pair, `StateStoreAway` when the database is away.
        """
        for section in sections:
            try:
                store = self.installation.open_store(section)
            except StateStoreAway:
                raise  # of no pair can be told whose state it is
            except StateStoreError as error:
                self._refuse(section.name, error)
                continue
            runner = PairRunner(section, self.installation, Agenda(random.random), self._heed)
            self.served[section.name] = Served(runner, store)
        if self.refused and not self.served:
            raise StateStoreError("\n".join(one.message for one in self.refused.values()))
        self.metrics.watch(self._figures, self.installation.clock.now)

    def start(self) -> None:
        """Begin: at once a look at every pair, in full where that is due, then by the clock."""
        service = self.installation.settings.service
        for name, one in self.served.items():
            full_scan = self._next_full_scan(one.store, service.full_scan_every)
            one.runner.start()
            one.runner.want(Mode.INCREMENTAL if full_scan else Mode.FULL)
            self._schedule.every(service.poll_every, f"poll {name}", partial(one.runner.want, Mode.INCREMENTAL))
            self._schedule.every(
                service.full_scan_every, f"full scan {name}", partial(one.runner.want, Mode.FULL), first=full_scan
            )
            self._schedule.every(_LOOK_EVERY, f"retries {name}", _look(one.runner, one.store, self._now))
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
        ended = [
            one.runner.end(max(0.0, deadline - self.installation.clock.monotonic())) for one in self.served.values()
        ]
        return all(ended)

    def is_alive(self) -> bool:
        """Whether every pair's thread works."""
        return all(one.runner.health().alive for one in self.served.values())

    def told(self, pair: str) -> None:
        """Look at what a webhook told of a pair."""
        self.served[pair].runner.want(Mode.HINTS)

    def take(self, section: PairSection) -> bool:
        """Work by another section of a pair from its next cycle on; False for one of other accounts or credentials."""
        runner = self.served[section.name].runner
        now = runner.section
        if (section.ghl, section.emailoctopus) != (now.ghl, now.emailoctopus):
            return False
        runner.take(section)
        _log.info("configuration_taken", pair=section.name)
        return True

    def health(self) -> list[PairHealth]:
        """How each pair stands now. Raises `StateStoreError` when the database doesn't answer."""
        known = [replace(one.runner.health(), paused=one.store.state().paused) for one in self.served.values()]
        return [*known, *self.refused.values()]

    def _refuse(self, pair: str, error: StateStoreError) -> None:
        self.refused[pair] = PairHealth(pair, self._now(), CycleOutcome.ERROR, str(error))
        self.alerts.heed_refusal(pair, error)
        _log.error("pair_refused", pair=pair, why=str(error))

    def _heed(self, report: CycleReport) -> None:
        self.metrics.cycle_ended(report)
        self.alerts.heed(report)

    def _watch(self) -> None:
        """Notice which pairs are silent, runners that stand still too, and whether the database answers."""
        for name, one in self.served.items():
            health, paused, error = one.runner.health(), False, None
            try:
                paused = one.store.state().paused
            except StateStoreError as failure:  # as long as it doesn't say, nobody paused the pair
                error = failure
            self.alerts.watch_database(name, error)
            if not paused:
                self.alerts.watch(name, health.silent_since())

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


def _look(runner: PairRunner, store: PairStore, now: Callable[[], datetime]) -> Callable[[], None]:
    """Wake a runner when something waits whose time has come."""

    def look() -> None:
        if store.count_waiting_events() or store.parked(due=now()):
            runner.want(Mode.HINTS)

    return look
