"""Who is alerted to what, over the life of a process and the next one."""

import socket
from collections.abc import Mapping
from datetime import datetime
from threading import Lock
from typing import Protocol

import structlog

from sync_daemon.model.alarm import Condition, Noticed
from sync_daemon.model.errors import StateStoreError
from sync_daemon.model.report import CycleReport
from sync_daemon.ports import Clock
from sync_daemon.reconcile.alert_words import words
from sync_daemon.reconcile.alerting import (
    Notice,
    Standing,
    Turn,
    noticed_in,
    noticed_in_failure,
    noticed_silence,
    weigh,
)
from sync_daemon.settings.installation import AlertsSection
from sync_daemon.store.installation import StateStore

_log = structlog.get_logger(__name__)


class Notifier(Protocol):
    """Takes an alert to whoever wants it."""

    def tell(self, title: str, body: str) -> None:
        """Take over an alert and return at once; what becomes of it is logged."""


class Alerts:
    """Tells when a condition of a pair begins and when it is over; safe to share between threads.

    `heed` and `heed_failure` are for the end of each cycle, `watch` for a timer of half a minute or so: it notices
    silence, and what has lasted, or been over, for long enough. None of them raises, or waits for a target.
    """

    def __init__(self, store: StateStore, section: AlertsSection, clock: Clock, notifier: Notifier) -> None:
        self._store = store
        self._section = section
        self._clock = clock
        self._notifier = notifier
        self._installation = socket.gethostname()
        self._lock = Lock()
        self._standings: dict[str, Mapping[Condition, Standing]] = {}
        self._stored: dict[str, Mapping[Condition, datetime]] = {}

    def heed(self, report: CycleReport) -> None:
        """Take up what a cycle of a pair noticed."""
        self._weigh(report.pair, noticed_in(report, self._section.parked_above))

    def heed_failure(self, pair: str, error: Exception) -> None:
        """Take up what kept a cycle from beginning, or cut it short without a report."""
        self._weigh(pair, noticed_in_failure(error))

    def watch(self, pair: str, fresh_at: datetime) -> None:
        """Notice silence: `fresh_at` is when the pair was last read, or proven fresh; at first, when watching began.

        Not to be called of a pair that is paused.
        """
        self._weigh(pair, noticed_silence(fresh_at, self._section.silent_after, self._clock.now()))

    def open_now(self, pair: str) -> dict[Condition, datetime]:
        """The conditions of a pair that were told and aren't over, and since when they are so."""
        with self._lock:
            return _told(self._standing(pair))

    def _weigh(self, pair: str, noticed: Noticed) -> None:
        with self._lock:
            standings, notices = weigh(self._standing(pair), noticed, self._clock.now())
            self._standings[pair] = standings
            for notice in notices:
                self._tell(pair, notice)
            self._save(pair, _told(standings))

    def _tell(self, pair: str, notice: Notice) -> None:
        event = "alert_over" if notice.turn is Turn.OVER else "alert"
        _log.warning(event, pair=pair, condition=notice.condition, since=notice.since.isoformat())
        self._notifier.tell(*words(notice, pair, self._installation))

    def _standing(self, pair: str) -> Mapping[Condition, Standing]:
        if pair not in self._standings:
            told = self._load(pair)
            self._stored[pair] = told
            self._standings[pair] = {one: Standing("", since, told=True) for one, since in told.items()}
        return self._standings[pair]

    def _load(self, pair: str) -> Mapping[Condition, datetime]:
        try:
            known = self._store.known_pair(pair)
            return known.open_alerts() if known is not None else {}
        except StateStoreError as error:
            _log.warning("alerts_not_read", pair=pair, why=str(error))
            return {}

    def _save(self, pair: str, told: Mapping[Condition, datetime]) -> None:
        """Store what is told where that has changed; what can't be stored now is stored at the next look."""
        if told == self._stored[pair]:
            return
        try:
            if (known := self._store.known_pair(pair)) is not None:
                known.save_alerts(told)
                self._stored[pair] = told
        except StateStoreError as error:
            _log.warning("alerts_not_stored", pair=pair, why=str(error))


def _told(standings: Mapping[Condition, Standing]) -> dict[Condition, datetime]:
    return {condition: standing.since for condition, standing in standings.items() if standing.told}
