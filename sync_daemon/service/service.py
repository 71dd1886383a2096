"""The service: every pair at work, whoever works on it, and what is told of it."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from sync_daemon.model.errors import StateStoreAway, StateStoreError
from sync_daemon.model.health import PairHealth
from sync_daemon.model.report import CycleOutcome, CycleReport, Mode
from sync_daemon.service.metrics import Figures, Metrics
from sync_daemon.service.turn import PairTurn
from sync_daemon.service.working import Desk, Hands, Rounds
from sync_daemon.settings.pair import PairSection
from sync_daemon.store.pair import SqlPairStore
from sync_daemon.wiring.alerts import Alerts
from sync_daemon.wiring.installation import Installation

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Served:
    """One pair as the service has it: its turns in this process, its state, and where its wishes are worked off."""

    turn: PairTurn
    store: SqlPairStore
    desk: Desk


@dataclass(slots=True)
class Service:
    """Every pair of an installation, kept equal by `hands` until the process is told to stop."""

    installation: Installation
    metrics: Metrics
    alerts: Alerts
    hands: Hands
    served: dict[str, Served] = field(default_factory=dict)
    refused: dict[str, PairHealth] = field(default_factory=dict)
    """Pairs that can't be worked on as configured, and why."""

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
            turn = PairTurn(section, self.installation, self._heed)
            self.served[section.name] = Served(turn, store, self.hands.take_up(turn, store))
        if self.refused and not self.served:
            raise StateStoreError("\n".join(one.message for one in self.refused.values()))
        self.metrics.watch(self._figures, self.installation.clock.now)

    def start(self) -> None:
        """Begin."""
        self.hands.start(Rounds(self._watch, self.installation.tidy))
        _log.info("service_started", pairs=len(self.served))

    def stop(self, within: float) -> bool:
        """Wait for every cycle under way, or just for the record in hand where the process is told to stop.

        Whether all came to their end in time.
        """
        return self.hands.stop(within)

    def is_alive(self) -> bool:
        """Whether everybody works who should."""
        return self.hands.is_alive()

    def told(self, pair: str) -> None:
        """Look at what a webhook told of a pair."""
        self.served[pair].desk.want(Mode.HINTS)

    def take(self, section: PairSection) -> bool:
        """Work by another section of a pair from its next cycle on; False for one of other accounts or credentials."""
        turn = self.served[section.name].turn
        now = turn.section
        if (section.ghl, section.emailoctopus) != (now.ghl, now.emailoctopus):
            return False
        turn.take(section)
        _log.info("configuration_taken", pair=section.name)
        return True

    def health(self) -> list[PairHealth]:
        """How each pair stands now. Raises `StateStoreError` when the database doesn't answer."""
        known = [replace(one.desk.health(), paused=one.store.state().paused) for one in self.served.values()]
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
            paused, error = False, None
            try:
                paused = one.store.state().paused
            except StateStoreError as failure:  # as long as it doesn't say, nobody paused the pair
                error = failure
            self.alerts.watch_database(name, error)
            if not paused:
                with suppress(StateStoreError):  # how a pair of several processes stands, the database alone knows
                    self.alerts.watch(name, one.desk.health().silent_since())

    def _figures(self) -> Iterator[Figures]:
        for health in self.health():
            one = self.served.get(health.pair)
            yield Figures(
                health,
                one.desk.report() if one else None,
                one.store.count_waiting_events() if one else 0,
                self.alerts.open_now(health.pair),
                one.store.count_deeds() if one else {},
            )

    def _now(self) -> datetime:
        return self.installation.clock.now()
