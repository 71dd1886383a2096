"""The thread that delivers: what is due first goes first, and what isn't acknowledged goes again."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from heapq import heapify, heappop, heappush
from http.client import HTTPException
from random import Random
from typing import Any

import msgspec

from sync_daemon.sandbox.webhooks.deliveries import Attempt, DeliveryLog, Event, Parcel
from sync_daemon.sandbox.webhooks.settings import WebhookSettings
from sync_daemon.sandbox.webhooks.wire import Letter, Wire

Write = Callable[[Parcel], Letter | None]
"""Writes and signs a parcel's letter as it is sent; None when it has nowhere to go any more."""


class Courier:
    """Takes events from whichever thread, without ever making it wait, and delivers them in its own.

    Times are the machine's, whatever clock the API lives by. The weather's dice are thrown as events come in, so
    that the same events meet the same weather.
    """

    def __init__(self, name: str, settings: WebhookSettings, write: Write) -> None:
        self._settings = settings
        self._write = write
        self._fates, self._jitter = Random(f"{name} fates"), Random(f"{name} jitter")
        self._changed = threading.Condition()
        self._queue: list[Parcel] = []
        self._open: dict[str, Parcel] = {}  # those that take more events, by destination
        self._log = DeliveryLog()
        self._stopping = False
        self._wire = Wire()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def tell(self, event: Event, to: str, *, buffer_s: float = 0.0, most: int = 1) -> None:
        """Let an event be delivered, together with others of the next `buffer_s` seconds, `most` of them at most."""
        with self._changed:
            if self._settings.weather.drop > self._fates.random():
                lost = self._log.open(to, datetime.now(UTC))
                lost.events.append(event.told)
                lost.outcome = "dropped"
                return
            parcel = self._open.get(to) or self._opened(to, buffer_s)
            parcel.delivery.events.append(event.told)
            parcel.contents.append(event.content)
            if len(parcel.contents) >= most:
                self._close(parcel, buffer_s)
            self._changed.notify_all()

    def flush(self) -> int:
        """Let everything that waits be due now; gives how many deliveries that are."""
        with self._changed:
            for parcel in self._queue:
                parcel.due = 0.0
            heapify(self._queue)
            self._changed.notify_all()
            return len(self._queue)

    def deliveries(self, after: int) -> tuple[int, list[dict[str, Any]]]:
        """Give how many deliveries there were, and the kept ones after a number, as JSON values."""
        with self._changed:
            return self._log.total, msgspec.to_builtins(self._log.after(after))

    def forget(self) -> None:
        """Forget the record of all deliveries."""
        with self._changed:
            self._log.clear()

    def stop(self) -> None:
        """End the thread, in the middle of a request too; what waits is lost."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._wire.cut()
        self._thread.join(timeout=self._settings.timeout_s + 1)

    def _opened(self, to: str, buffer_s: float) -> Parcel:
        weather = self._settings.weather
        delivery = self._log.open(to, datetime.now(UTC))
        held_s = self._fates.uniform(0, weather.shuffle_s) if weather.shuffle > self._fates.random() else 0.0
        parcel = Parcel(time.monotonic() + buffer_s + weather.delay_s + held_s, delivery.number, delivery)
        parcel.repeats = weather.repeat > self._fates.random()
        self._open[to] = parcel
        heappush(self._queue, parcel)
        return parcel

    def _close(self, parcel: Parcel, buffer_s: float) -> None:
        """A full parcel waits for no more events."""
        self._open.pop(parcel.delivery.to, None)
        if buffer_s:
            parcel.due -= buffer_s
            heapify(self._queue)

    def _run(self) -> None:
        while (parcel := self._next()) is not None:
            letter = self._write(parcel)
            if letter is None:
                parcel.delivery.outcome = "discarded"
            else:
                self._deliver(parcel, letter)

    def _next(self) -> Parcel | None:
        """Wait for what is due; None when it is time to stop."""
        with self._changed:
            while not self._stopping:
                wait_s = self._queue[0].due - time.monotonic() if self._queue else None
                if wait_s is not None and wait_s <= 0:
                    parcel = heappop(self._queue)
                    if self._open.get(parcel.delivery.to) is parcel:
                        del self._open[parcel.delivery.to]
                    self._shuffle(parcel)
                    return parcel
                self._changed.wait(wait_s)
        return None

    def _shuffle(self, parcel: Parcel) -> None:
        first = not parcel.delivery.attempts
        if first and len(parcel.contents) > 1 and self._settings.weather.shuffle > self._jitter.random():
            self._jitter.shuffle(parcel.contents)

    def _deliver(self, parcel: Parcel, letter: Letter) -> None:
        attempt = Attempt(sent_at=datetime.now(UTC))
        with self._changed:
            parcel.delivery.attempts.append(attempt)
        status, problem = None, None
        try:
            status = self._wire.post(letter, self._settings.timeout_s)
        except (OSError, HTTPException, ValueError) as error:  # ValueError: a name that no resolver takes
            problem = type(error).__name__
        with self._changed:
            attempt.answered_at = datetime.now(UTC)
            attempt.status, attempt.problem = status, problem
            self._settle(parcel, attempt)

    def _settle(self, parcel: Parcel, attempt: Attempt) -> None:
        delivery, base_s = parcel.delivery, self._settings.retry_base_s
        if delivery.outcome == "acknowledged":
            return  # this was the repetition
        tries = len(delivery.attempts)
        if attempt.status is not None and 200 <= attempt.status < 300:
            delivery.outcome, delivery.acknowledged_at = "acknowledged", attempt.answered_at
            if parcel.repeats:
                self._again(parcel, base_s)
        elif tries < self._settings.attempts:
            self._again(parcel, base_s * 2 ** (tries - 1) * self._jitter.uniform(1.0, 1.1))
        else:
            delivery.outcome = "given up"

    def _again(self, parcel: Parcel, after_s: float) -> None:
        parcel.due = time.monotonic() + after_s
        heappush(self._queue, parcel)
