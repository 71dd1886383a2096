"""The two systems of a pair, as its settings name them."""

from collections.abc import Callable, Mapping
from functools import partial

from sync_daemon.model.system import SystemName
from sync_daemon.ports import Clock, Rates, System, TokenStore
from sync_daemon.settings.installation import Settings
from sync_daemon.settings.pair import PairSection
from sync_daemon.systems.emailoctopus.settings import EmailOctopusSettings
from sync_daemon.systems.ghl import system as ghl_system
from sync_daemon.systems.ghl.settings import GhlSettings
from sync_daemon.systems.ghl.system import GhlSystem
from sync_daemon.systems.registry import CONNECT
from sync_daemon.wiring.oauth.bearers import bearer_of

Systems = Mapping[SystemName, System]


Traffic = Callable[[str, SystemName, int | None, float], None]
"""Told of each request that was sent: its pair and system, the answer's status (None: no answer) and the seconds."""


def unobserved(_pair: str, _system: SystemName, _status: int | None, _seconds: float) -> None:
    """Nobody watches the traffic of a command that runs once."""


def connect(
    section: PairSection,
    settings: Settings,
    clock: Clock,
    tokens: TokenStore | None,
    before_each: Callable[[], None] = lambda: None,
    traffic: Traffic = unobserved,
    rates: Rates | None = None,
) -> Systems:
    """Both systems of a pair; nothing is asked of them yet. `before_each` is called before each request.

    `tokens` are OAuth's; None where there is no state store. All pairs with the same `rates` keep to one limit for
    each account.
    """
    emailoctopus = EmailOctopusSettings(
        pair=section.name,
        list_id=section.emailoctopus.list_id,
        api_key=section.emailoctopus.api_key.get_secret_value(),
        base_url=settings.emailoctopus.base_url,
        share=settings.emailoctopus.share,
    )
    own = {SystemName.GHL: _ghl(section, settings, clock, tokens), SystemName.EMAILOCTOPUS: emailoctopus}
    return {
        name: CONNECT[name](
            own[name], clock, before_each=before_each, observe=partial(traffic, section.name, name), rates=rates
        )
        for name in SystemName
    }


def connect_ghl(section: PairSection, settings: Settings, clock: Clock, tokens: TokenStore | None) -> GhlSystem:
    """A pair's GHL location alone, for calls of its catalogue; nothing is asked of it yet."""
    return ghl_system.connect(_ghl(section, settings, clock, tokens), clock)


def _ghl(section: PairSection, settings: Settings, clock: Clock, tokens: TokenStore | None) -> GhlSettings:
    return GhlSettings(
        pair=section.name,
        location_id=section.ghl.location_id,
        token=section.ghl.token.get_secret_value() if section.ghl.token else "",
        base_url=settings.ghl.base_url,
        version=settings.ghl.version,
        share=settings.ghl.share,
        bearer=bearer_of(section, settings, clock, tokens),
    )
