"""The service: every pair at work, whoever works on it, and what is told of it."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from sync_daemon.settings.configuration import Changes
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
    served: Mapping[str, Served] = field(default_factory=dict)
    """Pairs that are worked on; replaced as a whole when one comes or goes, so that threads may look at it."""
    refused: dict[str, PairHealth] = field(default_factory=dict)
    """Pairs that can't be worked on as configured, and why."""
    _coming: dict[str, PairSection] = field(default_factory=dict)
    _turn: threading.RLock = field(default_factory=threading.RLock)

    def open(self, sections: Iterable[PairSection]) -> None:
        """Take pairs up; nothing begins yet. A pair whose state is another account's is left out, and told.

        Raises `StateStoreError` when that is so of every pair, `StateStoreAway` when the database is away.
        """
        self.served = {section.name: one for section in sections if (one := self._opened(section)) is not None}
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
        if (one := self.served.get(pair)) is not None:
            one.desk.want(Mode.HINTS)

    def follow(self, changes: Changes, configured: Sequence[PairSection]) -> None:
        """Have pairs come, change and go; to be called at intervals, too. `configured` are all there are now.

        A pair that was given another location or list comes anew once its last cycle has ended; those that share one
        with a pair that was touched learn of it in their next cycle.
        """
        with self._turn:
            self._tell_neighbours(changes, configured)
            for name in changes.removed:
                self._remove(name)
            for section in changes.changed:
                self.take(section)
            self._coming.update({section.name: section for section in changes.added})
            for name in [name for name in self._coming if self.hands.has_let_go(name)]:
                try:
                    self._add(self._coming[name])
                except StateStoreAway as error:
                    _log.warning("pairs_wait_for_the_database", why=str(error))
                    return
                del self._coming[name]

    def take(self, section: PairSection) -> None:
        """Work by another section of a pair: from its next cycle on, or anew where it is of other accounts."""
        with self._turn:
            one = self.served.get(section.name)
            if one is None or one.turn.section.accounts != section.accounts:
                self._remove(section.name)
                self._coming[section.name] = section
            elif not one.turn.section.says_the_same(section):
                one.turn.take(section)
                one.desk.begin_anew()
                _log.info("configuration_taken", pair=section.name)

    def health(self) -> list[PairHealth]:
        """How each pair stands now. Raises `StateStoreError` when the database doesn't answer."""
        paused = self.installation.store.paused_pairs()
        known = [replace(one.desk.health(), paused=name in paused) for name, one in self.served.items()]
        return [*known, *self.refused.values()]

    def _opened(self, section: PairSection) -> Served | None:
        try:
            store = self.installation.open_store(section)
        except StateStoreAway:
            raise  # of no pair can be told whose state it is
        except StateStoreError as error:
            self._refuse(section.name, error)
            return None
        turn = PairTurn(section, self.installation, self._heed)
        return Served(turn, store, self.hands.take_up(turn, store))

    def _tell_neighbours(self, changes: Changes, configured: Sequence[PairSection]) -> None:
        touched = {*changes.removed, *(one.name for one in (*changes.added, *changes.changed))}
        if not touched:
            return
        every = (*self.installation.configured, *configured)
        places = {place for one in every if one.name in touched for place in one.accounts}
        self.installation.configured[:] = configured
        for name, one in self.served.items():
            if name not in touched and not places.isdisjoint(one.turn.section.accounts):
                one.turn.take(one.turn.section)

    def _add(self, section: PairSection) -> None:
        self.refused.pop(section.name, None)
        if (one := self._opened(section)) is not None:
            self.served = {**self.served, section.name: one}
            _log.info("pair_added", pair=section.name)

    def _remove(self, name: str) -> None:
        self._coming.pop(name, None)
        self.refused.pop(name, None)
        if name in self.served:
            self.served = {other: served for other, served in self.served.items() if other != name}
            self.hands.let_go(name)
            _log.info("pair_removed", pair=name)

    def _refuse(self, pair: str, error: StateStoreError) -> None:
        self.refused[pair] = PairHealth(pair, self._now(), CycleOutcome.ERROR, str(error))
        self.alerts.heed_refusal(pair, error)
        _log.error("pair_refused", pair=pair, why=str(error))

    def _heed(self, report: CycleReport) -> None:
        self.metrics.cycle_ended(report)
        self.alerts.heed(report)

    def _watch(self) -> None:
        """Notice which pairs are silent, runners that stand still too, and whether the database answers."""
        paused, error = frozenset[str](), None
        try:
            paused = self.installation.store.paused_pairs()
        except StateStoreError as failure:  # as long as it doesn't say, nobody paused any
            error = failure
        for name, one in self.served.items():
            self.alerts.watch_database(name, error)
            if name not in paused:
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
