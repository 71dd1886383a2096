"""The bearer of a pair's location: tokens of its own, or those that its agency's give."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from sync_daemon.model.errors import CredentialsRefused
from sync_daemon.model.oauth import KeptTokens, OwnerKind, TokenOwner, Tokens
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Clock, TokenStore
from sync_daemon.settings.installation import Settings
from sync_daemon.settings.pair import PairSection
from sync_daemon.systems.ghl.credential_words import log_in_again
from sync_daemon.systems.ghl.oauth.authority import Authority, LocationRefused
from sync_daemon.systems.ghl.oauth.bearer import Renewal, StoredBearer, first_tokens
from sync_daemon.systems.ghl.oauth.wire import App, Issued
from sync_daemon.wiring.oauth.apps import keys_of

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Locations:
    """The locations of one app: `advice` says what to do about those that nobody logged in for."""

    store: TokenStore
    authority: Authority
    clock: Clock
    advice: str

    def bearer(self, location_id: str) -> StoredBearer:
        """The bearer of a location; nothing is asked yet."""
        owner = TokenOwner(OwnerKind.LOCATION, location_id)

        def renewal(tokens: Tokens) -> Issued:
            if not tokens.agency_id:
                return self.authority.refresh(tokens.refresh_token)
            return self._exchanged(tokens.agency_id, location_id)

        return self._stored(owner, renewal, lambda: self.from_agencies(owner))

    def from_agencies(self, location: TokenOwner) -> KeptTokens | None:
        """The first tokens of a location, of whichever agency with this app has it; None where none has."""
        for agency in self.store.agencies(self.authority.app.client_id):
            asked_at = self.clock.now()
            try:
                issued = self._exchanged(agency.owner.id, location.id)
            except LocationRefused:
                continue
            _log.info("token_given_by_agency", location=location.id, agency=agency.owner.id)
            return self.store.put(
                location, first_tokens(self.authority.app.client_id, issued, asked_at, agency.owner.id)
            )
        return None

    def _exchanged(self, agency_id: str, location_id: str) -> Issued:
        agency = self._stored(
            TokenOwner(OwnerKind.AGENCY, agency_id),
            lambda tokens: self.authority.refresh(tokens.refresh_token),
            lambda: None,
        )
        return self.authority.location_token(agency, agency_id, location_id)

    def _stored(self, owner: TokenOwner, renewal: Renewal, first: Callable[[], KeptTokens | None]) -> StoredBearer:
        return StoredBearer(
            owner,
            self.authority.app.client_id,
            self.store,
            self.clock,
            renewal=renewal,
            first=first,
            advice=self.advice,
        )


class NotLoggedIn:
    """The bearer where there is no state store yet, so that nobody can have logged in."""

    def __init__(self, advice: str) -> None:
        self._advice = advice

    def token(self) -> str:
        """None. Raises `CredentialsRefused`."""
        raise CredentialsRefused(SystemName.GHL, f"Nobody has logged in yet. {self._advice}")

    def renew(self, refused: str) -> bool:  # noqa: ARG002 - nothing was sent
        """None."""
        return False


def authority_of(app: App, settings: Settings, clock: Clock) -> Authority:
    """GHL's authority for an app; nothing is asked of it yet."""
    return Authority(settings.ghl.base_url, settings.ghl.version, app, clock)


def bearer_of(
    section: PairSection, settings: Settings, clock: Clock, tokens: TokenStore | None
) -> StoredBearer | NotLoggedIn | None:
    """What opens the location of a pair with `oauth`; None for one with a private integration token."""
    if section.ghl.oauth is None:
        return None
    if tokens is None:
        return NotLoggedIn(log_in_again(section.name))
    return locations_of(keys_of(section.ghl.oauth), settings, clock, tokens, section.name).bearer(
        section.ghl.location_id
    )


def locations_of(app: App, settings: Settings, clock: Clock, tokens: TokenStore, pair: str) -> Locations:
    """The locations of an app; `pair` is one that words can name."""
    return Locations(tokens, authority_of(app, settings, clock), clock, log_in_again(pair))
