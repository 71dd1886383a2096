"""What every API's webhooks have in common: settings that start and stop them, a courier, a record."""

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

from sync_daemon.sandbox.changing import change
from sync_daemon.sandbox.webhooks.courier import Courier
from sync_daemon.sandbox.webhooks.deliveries import Event, Parcel
from sync_daemon.sandbox.webhooks.settings import EVENTS, WebhookSettings
from sync_daemon.sandbox.webhooks.wire import Letter

S = TypeVar("S", bound=WebhookSettings)


class Webhooks(ABC, Generic[S]):
    """The webhooks of one API. Without an address nobody watches the world, and no thread runs."""

    def __init__(self, name: str, settings: S) -> None:
        self.settings = settings
        self._name = name
        self._courier: Courier | None = None

    @property
    @abstractmethod
    def key(self) -> str:
        """What a receiver checks signatures with."""

    @abstractmethod
    def watch(self, *, on: bool) -> None:
        """Let the world tell its changes, or not."""

    @abstractmethod
    def write(self, parcel: Parcel) -> tuple[bytes, dict[str, str]]:
        """Write a body and the headers that go with it, a signature above all."""

    def set(self, **changes: Any) -> None:
        """Change some settings. Raises ValueError, and nothing is changed then."""
        change(self.settings, changes)
        on = any(self.settings.urls().values())
        if on and self._courier is None:
            self._courier = Courier(self._name, self.settings, self._letter)
        self.watch(on=on)

    def tell(self, event: Event, to: str = EVENTS, *, buffer_s: float = 0.0, most: int = 1) -> None:
        """Let an event be delivered, if its destination has an address."""
        if self._courier is not None and self.settings.urls()[to]:
            self._courier.tell(event, to, buffer_s=buffer_s, most=most)

    def flush(self) -> int:
        """Send everything that waits now; gives how many deliveries that are."""
        return self._courier.flush() if self._courier is not None else 0

    def deliveries(self, after: int = 0) -> tuple[int, list[dict[str, Any]]]:
        """Give how many deliveries there were, and the kept ones after a number, as JSON values."""
        return self._courier.deliveries(after) if self._courier is not None else (0, [])

    def forget(self) -> None:
        """Forget the record of all deliveries."""
        if self._courier is not None:
            self._courier.forget()

    def stop(self) -> None:
        """Send nothing any more, and end the thread."""
        self.watch(on=False)
        if self._courier is not None:
            self._courier.stop()
            self._courier = None

    def _letter(self, parcel: Parcel) -> Letter | None:
        url = self.settings.urls()[parcel.delivery.to]
        if not url:
            return None
        body, headers = self.write(parcel)
        return Letter(url, body, {"Content-Type": "application/json", **headers})
