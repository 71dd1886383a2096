"""Logins: begun by a command, finished by whoever GHL's answer comes to: that command, or the service."""

import secrets
from dataclasses import dataclass

import structlog

from sync_daemon.model.errors import AnswerLost, ConfigurationError, CredentialsRefused, SyncError
from sync_daemon.model.oauth import Login, LoginEnd, OwnerKind, TokenOwner
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Clock
from sync_daemon.settings.installation import Settings
from sync_daemon.store.oauth import OAuthStore
from sync_daemon.systems.ghl.oauth.authority import GrantRefused
from sync_daemon.systems.ghl.oauth.bearer import first_tokens
from sync_daemon.systems.ghl.oauth.consent import consent_url, scopes
from sync_daemon.systems.ghl.oauth.wire import Issued
from sync_daemon.wiring.oauth.apps import UsedApp, apps_of
from sync_daemon.wiring.oauth.bearers import authority_of

_AGAIN = "Begin again: sync-daemon oauth login"
_UNKNOWN = f"No login waits for this answer: it is finished, was begun too long ago, or never was. {_AGAIN}"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Begun:
    """A login that waits for a person: he opens `url`, and `state` comes back with the answer."""

    url: str
    state: str


@dataclass(frozen=True, slots=True)
class Logins:
    """Begins and finishes logins. Every method may raise `StateStoreError`."""

    settings: Settings
    store: OAuthStore
    clock: Clock

    def begin(self, used: UsedApp, redirect_uri: str, seconds: float, *, agency: bool) -> Begun:
        """A login with an app, to be finished within some seconds."""
        state = secrets.token_urlsafe(32)
        client_id = used.app.client_id
        self.store.begin(state, Login(client_id=client_id, redirect_uri=redirect_uri, agency=agency), seconds)
        activity = any(pair.activity.policy() is not None for pair in used.pairs)
        wanted = scopes(activity=activity, agency=agency)
        return Begun(consent_url(self.settings.ghl.base_url, client_id, redirect_uri, state, wanted), state)

    def finish(self, state: str, code: str) -> LoginEnd:
        """Trade a code for tokens and store them, once; whoever waits for the login is told what came of it."""
        login = self.store.take(state)
        if login is None:
            return LoginEnd(None, _UNKNOWN)
        try:
            end = LoginEnd(self._traded(login, code))
        except SyncError as error:
            end = LoginEnd(None, error.shown)
        self.store.conclude(state, end)
        _log.info("login_finished", owner=end.owner and f"{end.owner.kind} {end.owner.id}", problem=end.problem or None)
        return end

    def refuse(self, state: str, error: str) -> LoginEnd:
        """End a login that was refused at GHL's page."""
        if self.store.take(state) is None:
            return LoginEnd(None, _UNKNOWN)
        end = LoginEnd(None, f"GHL let nobody in ({error[:40]}). {_AGAIN}")
        self.store.conclude(state, end)
        return end

    def _traded(self, login: Login, code: str) -> TokenOwner:
        used = apps_of(self.settings.pairs).get(login.client_id)
        if used is None:
            raise ConfigurationError(
                "The app that this login was begun with isn't in the configuration that the service was started with: "
                f"restart the service. {_AGAIN}"
            )
        asked_at = self.clock.now()
        try:
            issued = authority_of(used.app, self.settings, self.clock).trade(
                code, login.redirect_uri, agency=login.agency
            )
        except GrantRefused as refusal:
            raise CredentialsRefused(
                SystemName.GHL,
                f"GHL refused the code ({refusal}): it was used already, is too old, or the redirect address is "
                f"another one than the app's. {_AGAIN}",
            ) from refusal
        except AnswerLost as lost:
            text = f"GHL's answer was lost, and a code works once. {_AGAIN}"
            raise CredentialsRefused(SystemName.GHL, text) from lost
        owner = _owner_of(issued, used, agency=login.agency)
        self.store.put(owner, first_tokens(login.client_id, issued, asked_at))
        return owner


def _owner_of(issued: Issued, used: UsedApp, *, agency: bool) -> TokenOwner:
    """Whose tokens were given. Raises `ConfigurationError` for those of nobody that a pair needs."""
    if agency:
        if issued.location_id or not issued.company_id:
            raise ConfigurationError(
                "GHL gave a location's tokens and not an agency's: leave --agency away, or make the app one for "
                "agencies (its Target User). Nothing was stored."
            )
        return TokenOwner(OwnerKind.AGENCY, issued.company_id)
    if not issued.location_id:
        raise ConfigurationError(
            "GHL gave an agency's tokens and not a location's: log in with --agency. Nothing was stored."
        )
    if issued.location_id not in used.locations:
        raise ConfigurationError(
            f"You chose the location {issued.location_id}, which is no pair's with this app (they have "
            f"{', '.join(used.locations)}): choose another one, or correct `location_id`. Nothing was stored."
        )
    return TokenOwner(OwnerKind.LOCATION, issued.location_id)
