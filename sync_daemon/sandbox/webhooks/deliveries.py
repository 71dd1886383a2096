"""What is delivered, and the record of it: ids, kinds and times, and no personal data."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msgspec

Outcome = Literal["waiting", "acknowledged", "given up", "dropped", "discarded"]
"""given up: every attempt failed; dropped: lost by the weather; discarded: its address was taken away."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One event by name. `id` and `type` are empty where the vendor's webhook has none."""

    id: str
    type: str
    contact_id: str


class Attempt(msgspec.Struct, kw_only=True):
    """One request, by the machine's clock. `status` is what was answered, `problem` why nothing was."""

    sent_at: datetime
    answered_at: datetime | None = None
    status: int | None = None
    problem: str | None = None


class Delivery(msgspec.Struct, kw_only=True):
    """What became of one request's worth of events. `number` counts from 1; `to` is a destination."""

    number: int
    to: str
    made_at: datetime
    events: list[Told] = msgspec.field(default_factory=list)
    outcome: Outcome = "waiting"
    acknowledged_at: datetime | None = None
    attempts: list[Attempt] = msgspec.field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Event:
    """One event: how it is recorded, and what is sent of it."""

    told: Told
    content: dict[str, Any]


@dataclass(order=True, slots=True)
class Parcel:
    """A delivery on its way: `due` by time.monotonic(), then in the order of making."""

    due: float
    number: int
    delivery: Delivery = field(compare=False)
    contents: list[dict[str, Any]] = field(compare=False, default_factory=list)
    repeats: bool = field(compare=False, default=False)


class DeliveryLog:
    """The newest deliveries, oldest first, and how many there were altogether."""

    def __init__(self, keep: int = 100_000) -> None:
        self.total = 0
        self._kept: deque[Delivery] = deque(maxlen=keep)

    def open(self, to: str, at: datetime) -> Delivery:
        """Take up a new delivery."""
        self.total += 1
        delivery = Delivery(number=self.total, to=to, made_at=at)
        self._kept.append(delivery)
        return delivery

    def after(self, number: int) -> list[Delivery]:
        """Give the kept deliveries that were made after one."""
        return [delivery for delivery in self._kept if delivery.number > number]

    def clear(self) -> None:
        """Forget every delivery; numbers go on."""
        self._kept.clear()
