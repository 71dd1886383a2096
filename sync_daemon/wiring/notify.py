"""Alerts on their way to their targets, in the background: nothing that happens to one delays syncing."""

from collections.abc import Sequence
from queue import Full, Queue
from threading import Event, Thread
from time import monotonic

import structlog

from sync_daemon.wiring.targets import Message, Target

ATTEMPT_S = 20.0
"""How long a target may take for one message."""
WAITS_S = (5.0, 30.0, 120.0)
"""How long to wait before a message that wasn't taken is sent again."""
_WAITING_AT_MOST = 100
_log = structlog.get_logger(__name__)


class BackgroundNotifier:
    """`Notifier` with a queue and a thread for each target, so that none waits for another one."""

    def __init__(
        self, targets: Sequence[Target], waits_s: Sequence[float] = WAITS_S, attempt_s: float = ATTEMPT_S
    ) -> None:
        self._waits_s = waits_s
        self._attempt_s = attempt_s
        self._closing = Event()
        self._queues = {target.name: Queue[Message | None](_WAITING_AT_MOST) for target in targets}
        self._threads = [
            Thread(target=self._deliver, args=(target,), name=f"alerts to {target.name}", daemon=True)
            for target in targets
        ]
        for thread in self._threads:
            thread.start()

    def tell(self, message: Message) -> None:
        """Take over a message for every target and return at once; what becomes of it is logged."""
        for name, queue in self._queues.items():
            try:
                queue.put_nowait(message)
            except Full:
                _log.error("alert_dropped", target=name, title=message.title, waiting=_WAITING_AT_MOST)

    def close(self, within_s: float) -> None:
        """Try what waits once more, for so many seconds at most; nothing is taken over any more."""
        deadline = monotonic() + within_s
        self._closing.set()
        for queue in self._queues.values():
            try:
                queue.put_nowait(None)
            except Full:
                continue
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))

    def _deliver(self, target: Target) -> None:
        queue = self._queues[target.name]
        while (message := queue.get()) is not None:
            if not self._delivered(target, message):
                _log.error("alert_given_up", target=target.name, title=message.title)

    def _delivered(self, target: Target, message: Message) -> bool:
        """Send a message until it is taken, or has been tried often enough."""
        if target.takes(message, self._attempt_s):
            return True
        for wait in self._waits_s:
            if self._closing.wait(wait):
                return False
            if target.takes(message, self._attempt_s):
                return True
        return False
