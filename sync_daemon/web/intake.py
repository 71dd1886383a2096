"""Webhook events on their way into the state store: those that come together are stored together, then acknowledged."""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import structlog

from sync_daemon.model.engagement import Occasion
from sync_daemon.model.webhook import WebhookEvent

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Told:
    pair: str
    events: Sequence[WebhookEvent | Occasion]
    stored: "Future[None]"


@dataclass(slots=True)
class Intake:
    """One thread that stores events: one transaction for all that wait, so that a burst costs one write to disk.

    `save` stores a pair's events for good, `wake` is told which pair has new ones.
    """

    save: Callable[[str, Sequence[WebhookEvent | Occasion]], None]
    wake: Callable[[str], None]
    _queue: "queue.SimpleQueue[_Told | None]" = field(default_factory=queue.SimpleQueue)
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._work, name="webhook intake", daemon=True)

    def start(self) -> None:
        """Begin to store."""
        self._thread.start()

    def is_alive(self) -> bool:
        """Whether somebody stores what comes."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Store what waits, and end."""
        self._queue.put(None)
        self._thread.join()

    def take(self, pair: str, events: Sequence[WebhookEvent | Occasion]) -> "Future[None]":
        """Have events stored; the future is done when they are, or holds why they aren't."""
        stored: Future[None] = Future()
        self._queue.put(_Told(pair, events, stored))
        return stored

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            together, goes_on = [first], True
            while goes_on and not self._queue.empty():
                following = self._queue.get()
                goes_on = following is not None
                together += [following] if following is not None else []
            self._store(together)
            if not goes_on:
                return

    def _store(self, together: Sequence[_Told]) -> None:
        for pair in dict.fromkeys(one.pair for one in together):
            mine = [one for one in together if one.pair == pair]
            try:
                self.save(pair, [event for one in mine for event in one.events])
            except Exception as error:  # noqa: BLE001 - whoever sent it is told that it isn't stored, and sends it again
                _log.error("webhook_not_stored", pair=pair, error=type(error).__name__)
                for one in mine:
                    one.stored.set_exception(error)
            else:
                self.wake(pair)
                for one in mine:
                    one.stored.set_result(None)
