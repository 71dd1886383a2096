"""Every system that a pair can join: a new one is a folder with the same rooms, and one line here."""

from collections.abc import Callable, Mapping

from sync_daemon.http.rates import OwnRates
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Clock, Rates, System
from sync_daemon.systems.emailoctopus.system import connect as connect_emailoctopus
from sync_daemon.systems.ghl.system import connect as connect_ghl

CONNECT: Mapping[SystemName, Callable[..., System]] = {
    SystemName.GHL: connect_ghl,
    SystemName.EMAILOCTOPUS: connect_emailoctopus,
}
"""Each system's `connect(settings, clock, *, transport, patience_s, before_each, observe, rates)` by its settings."""


def own_rates(clock: Clock) -> Rates:
    """Where the pairs of one process that share an account keep to its limit together."""
    return OwnRates(clock)
