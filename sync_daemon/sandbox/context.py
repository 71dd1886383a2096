"""What the rooms of one API's sandbox share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Generic, Protocol, TypeVar

from sync_daemon.sandbox.clock import Clock
from sync_daemon.sandbox.limits import Limiter
from sync_daemon.sandbox.request_log import RequestLog
from sync_daemon.sandbox.weather import Weather
from sync_daemon.sandbox.webhooks.webhooks import Webhooks


class World(Protocol):
    """The state of one API. The rest is its own; the control routes need only its switches."""

    @property
    def quirks(self) -> Any:
        """A mutable dataclass or struct of switches, one for each fact that could be either way."""
        ...


W = TypeVar("W", bound=World)


@dataclass(kw_only=True)
class Context(Generic[W]):
    """One API's sandbox: its state, time, weather, limits, webhooks and request log.

    `error_body` writes the API's own JSON body for a status (429 and 5xx at least), with which the weather
    and the limits answer. `random` is the weather's dice; ids are drawn by the world from a generator of
    its own, so that a fault doesn't shift them.
    """

    world: W
    clock: Clock
    limiter: Limiter
    error_body: Callable[[int], bytes]
    random: Random
    webhooks: Webhooks[Any]
    weather: Weather = field(default_factory=Weather)
    log: RequestLog = field(default_factory=RequestLog)
