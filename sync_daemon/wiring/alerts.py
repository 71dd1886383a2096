"""Who is alerted to what, over the life of a process and the next one."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Lock
from typing import Protocol

import structlog

from sync_daemon.model.alarm import Condition, Noticed
from sync_daemon.model.errors import StateStoreError, SyncError
from sync_daemon.model.report import CycleReport
from sync_daemon.ports import Clock
from sync_daemon.reconcile.alert_words import words, words_on_configuration
from sync_daemon.reconcile.alerting import (
    Notice,
    Standings,
    Turn,
    noticed_in,
    noticed_in_refusal,
    noticed_of_database,
    noticed_silence,
    weigh,
)
from sync_daemon.settings.installation import AlertsSection
from sync_daemon.store.installation import StateStore
from sync_daemon.wiring.notify import BackgroundNotifier
from sync_daemon.wiring.targets import Message, Tone, read_targets

_AT_THE_END_S = 2.0
_log = structlog.get_logger(__name__)


class Notifier(Protocol):
    """Takes an alert to whoever wants it."""

    def tell(self, message: Message) -> None:
        """Take over a message and return at once; what becomes of it is logged."""


class Alerts:
    """Tells when a condition of a pair begins and when it is over; safe to share between threads.

    `heed` is for the end of each cycle, whatever its outcome; `heed_refusal` for a pair that no cycle is made of;
    `heed_configuration` for a changed configuration;
    `watch` for a timer of half a minute or so: it notices silence, and what has lasted, or been over, for long
    enough. None of them raises, or waits for a target.
    """

    def __init__(self, store: StateStore, section: AlertsSection, clock: Clock, notifier: Notifier) -> None:
        self._store = store
        self._section = section
        self._clock = clock
        self._notifier = notifier
        self._installation = socket.gethostname()
        self._lock = Lock()
        self._last: dict[str, Standings] = {}
        self._unsaved: set[str] = set()
        self._refused = ""

    def heed(self, report: CycleReport) -> None:
        """Take up what a cycle of a pair noticed."""
        self._weigh(report.pair, noticed_in(report, self._section.parked_above))

    def heed_refusal(self, pair: str, error: SyncError) -> None:
        """Take up why a pair can't be worked on at all."""
        self._weigh(pair, noticed_in_refusal(error))

    def heed_configuration(self, error: SyncError | None) -> None:
        """Tell that a changed configuration has mistakes, or None: that it has none any more."""
        with self._lock:
            before, self._refused = self._refused, error.shown if error is not None else ""
            if self._refused == before:
                return
            _log.warning("alert" if self._refused else "alert_over", condition="configuration")
            title, body = words_on_configuration(self._refused, before, self._installation)
            self._notifier.tell(Message(title, body, Tone.BAD if self._refused else Tone.GOOD))

    def watch(self, pair: str, fresh_at: datetime) -> None:
        """Notice silence: `fresh_at` is when the pair was last read, or proven fresh; at first, when watching began.

        Not to be called of a pair that is paused.
        """
        self._weigh(pair, noticed_silence(fresh_at, self._section.silent_after, self._clock.now()))

    def watch_database(self, pair: str, error: StateStoreError | None) -> None:
        """Notice whether the database answers: `error` is what it last made of a question, None for an answer."""
        self._weigh(pair, noticed_of_database(error))

    def open_now(self, pair: str) -> dict[Condition, datetime]:
        """The conditions of a pair that were told and aren't over, and since when they are so."""
        with self._lock:
            return _told(self._standing(pair))

    def _weigh(self, pair: str, noticed: Noticed) -> None:
        """Tell what is to be told, whether it can be stored or not; of several processes one does."""
        with self._lock:
            before, now = self._standing(pair), self._clock.now()
            if pair not in self._unsaved and weigh(before, noticed, now) == (before, []):
                return
            judged: list[Standings] = []

            def judge(stored: Standings) -> Standings:
                judged.append(self._judged(pair, before if pair in self._unsaved else stored, noticed, now))
                return judged[-1]

            saved = self._saved(pair, judge)
            self._last[pair] = judged[-1] if judged else judge(before)
            (self._unsaved.discard if saved else self._unsaved.add)(pair)

    def _saved(self, pair: str, judge: Callable[[Standings], Standings]) -> bool:
        """Whether what `judge` made of what is stored could be stored."""
        try:
            known = self._store.known_pair(pair)
            if known is not None:
                known.weigh_alerts(judge)
        except StateStoreError as error:
            _log.warning("alerts_not_stored", pair=pair, why=str(error))
            return False
        return known is not None

    def _judged(self, pair: str, standings: Standings, noticed: Noticed, now: datetime) -> Standings:
        """What stands after a look, once what is to be told of it was told."""
        after, notices = weigh(standings, noticed, now)
        for notice in notices:
            self._tell(pair, notice)
        return after

    def _tell(self, pair: str, notice: Notice) -> None:
        over = notice.turn is Turn.OVER
        event = "alert_over" if over else "alert"
        _log.warning(event, pair=pair, condition=notice.condition, since=notice.since.isoformat())
        title, body = words(notice, pair, self._installation)
        self._notifier.tell(Message(title, body, Tone.GOOD if over else Tone.BAD))

    def _standing(self, pair: str) -> Standings:
        """How a pair stands: as all processes together have stored it, unless something is yet to be stored."""
        if pair in self._unsaved:
            return self._last[pair]
        try:
            known = self._store.known_pair(pair)
            self._last[pair] = known.standings() if known is not None else {}
        except StateStoreError as error:
            _log.warning("alerts_not_read", pair=pair, why=str(error))
        return self._last.get(pair, {})


def _told(standings: Standings) -> dict[Condition, datetime]:
    return {condition: standing.since for condition, standing in standings.items() if standing.told}


@contextmanager
def open_alerts(section: AlertsSection, store: StateStore, clock: Clock) -> Iterator[Alerts]:
    """Alerts to the targets of the configuration; what waits at the end is tried once more, for two seconds.

    Raises `ConfigurationError` for a target whose address can't be read.
    """
    notifier = BackgroundNotifier(read_targets(section.urls))
    try:
        yield Alerts(store, section, clock, notifier)
    finally:
        notifier.close(_AT_THE_END_S)
