"""Who may call: private integration tokens, installed apps, and the tokens these trade (facts: GHL §1)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from sync_daemon.sandbox.clock import Clock
from sync_daemon.sandbox.ghl.errors import ApiError, refusal, unauthorized
from sync_daemon.sandbox.ghl.ids import Ids
from sync_daemon.sandbox.ghl.location import Location

UserType = Literal["Location", "Company"]
ACCESS_TOKEN_S = 86_399  # documented
REFRESH_TOKEN_DAYS = 365  # when unused (documented)
ALL_SCOPES = frozenset(
    [
        "contacts.readonly",
        "contacts.write",
        "locations.readonly",
        "locations/customFields.readonly",
        "locations/customFields.write",
        "locations/tags.readonly",
        "locations/tags.write",
        "locations/tasks.readonly",
        "calendars.readonly",
        "calendars.write",
        "calendars/groups.readonly",
        "calendars/groups.write",
        "calendars/events.readonly",
        "calendars/events.write",
        "users.readonly",
        "workflows.readonly",
        "campaigns.readonly",
        "oauth.readonly",
        "oauth.write",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a token allows. `location_id` is None for an agency's; `app_id` is empty for a private token."""

    user_type: UserType
    company_id: str
    location_id: str | None
    scopes: frozenset[str]
    user_id: str
    app_id: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A Marketplace app; its Target User, `Company` for agencies, can't be changed (observed)."""

    client_id: str
    client_secret: str
    app_id: str
    version_id: str
    redirect_uris: tuple[str, ...]
    target: UserType


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ticket:
    """An authorization code or a refresh token: what it can be traded for, and when it was."""

    client_id: str
    grant: Grant
    redirect_uri: str = ""
    expires_at: datetime | None = None
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A fresh pair of tokens."""

    access_token: str
    refresh_token: str
    grant: Grant


class Accounts:
    """Tokens of every kind, and what they stand for."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self.apps: dict[str, App] = {}
        self.tokens: dict[str, Grant] = {}
        self._tickets: dict[str, _Ticket] = {}
        self._clock = clock
        self._ids = ids

    def add_private_token(
        self,
        company_id: str,
        location_id: str | None,
        scopes: Iterable[str] = ALL_SCOPES,
        token: str | None = None,
    ) -> str:
        """Make a private integration token, of a location or of the agency when that is None."""
        token = token or f"pit-{self._ids.secret()}"
        self.tokens[token] = Grant(
            user_type="Location" if location_id else "Company",
            company_id=company_id,
            location_id=location_id,
            scopes=frozenset(scopes),
            user_id=self._ids.record(),
        )
        return token

    def add_app(
        self, client_id: str, client_secret: str, redirect_uris: Iterable[str], target: UserType = "Location"
    ) -> App:
        """Register an app."""
        app = App(
            client_id=client_id,
            client_secret=client_secret,
            app_id=self._ids.record(),
            version_id=self._ids.record(),
            redirect_uris=tuple(redirect_uris),
            target=target,
        )
        self.apps[client_id] = app
        return app

    def expire(self, token: str, after_s: float = 0) -> None:
        """End a token now, or after a while, as a rotation does (documented: seven days at most)."""
        ends = self._clock.now() + timedelta(seconds=after_s)
        self.tokens[token] = replace(self.tokens[token], expires_at=ends)

    def consent(self, app: App, location: Location | None, company_id: str, scopes: Iterable[str], uri: str) -> str:
        """Let a person install an app: gives the one-use code of the redirect."""
        grant = Grant(
            user_type="Location" if location else "Company",
            company_id=company_id,
            location_id=location.id if location else None,
            scopes=frozenset(scopes),
            user_id=self._ids.record(),
            app_id=app.app_id,
        )
        code = self._ids.secret()
        self._tickets[code] = _Ticket(client_id=app.client_id, grant=grant, redirect_uri=uri)
        return code

    def grant_of(self, token: str) -> Grant:
        """Tell what a token allows. Raises ApiError 401 for an unknown or expired one."""
        grant = self.tokens.get(token)
        if grant is None or (grant.expires_at is not None and grant.expires_at <= self._clock.now()):
            raise unauthorized("Invalid token: access token is invalid")
        return grant

    def app_of(self, client_id: str, client_secret: str) -> App:
        """Check an app's keys. Raises ApiError 401."""
        app = self.apps.get(client_id)
        if app is None or app.client_secret != client_secret:
            raise unauthorized("Invalid client: client is invalid")
        return app

    def trade_code(self, app: App, code: str, redirect_uri: str | None) -> Issued:
        """Trade an authorization code, once. Raises ApiError 400."""
        ticket = self._ticket(app, code, "authorization code", grace_s=0)
        if redirect_uri is not None and redirect_uri != ticket.redirect_uri:
            raise invalid_grant("Invalid grant: `redirect_uri` is not a valid URI")
        return self._trade(app, code, ticket)

    def trade_refresh_token(self, app: App, token: str, locations: dict[str, Location], grace_s: float) -> Issued:
        """Trade a refresh token for the next pair; it dies by that. Raises ApiError 400."""
        ticket = self._ticket(app, token, "refresh token", grace_s)
        location = locations.get(ticket.grant.location_id or "")
        if location is not None and not location.active:
            raise refusal(400, "Location is not active")  # issue 249
        return self._trade(app, token, ticket)

    def issue(self, app_client_id: str, grant: Grant) -> Issued:
        """Make a fresh access token with a refresh token of its own."""
        now = self._clock.now()
        fresh = replace(grant, expires_at=now + timedelta(seconds=ACCESS_TOKEN_S))
        issued = Issued(access_token=self._ids.secret(), refresh_token=self._ids.secret(), grant=fresh)
        self.tokens[issued.access_token] = fresh
        ends = now + timedelta(days=REFRESH_TOKEN_DAYS)
        self._tickets[issued.refresh_token] = _Ticket(client_id=app_client_id, grant=grant, expires_at=ends)
        return issued

    def _trade(self, app: App, ticket_id: str, ticket: _Ticket) -> Issued:
        if ticket.used_at is None:
            self._tickets[ticket_id] = replace(ticket, used_at=self._clock.now())
        return self.issue(app.client_id, ticket.grant)

    def _ticket(self, app: App, ticket_id: str, kind: str, grace_s: float) -> _Ticket:
        ticket = self._tickets.get(ticket_id)
        now = self._clock.now()
        if ticket is None or ticket.client_id != app.client_id:
            raise invalid_grant(f"Invalid grant: {kind} is invalid")
        if ticket.expires_at is not None and ticket.expires_at <= now:
            raise invalid_grant(f"Invalid grant: {kind} has expired")
        if ticket.used_at is not None and now >= ticket.used_at + timedelta(seconds=grace_s):
            raise invalid_grant(f"Invalid grant: {kind} is invalid")
        return ticket


def invalid_grant(message: str) -> ApiError:
    """400 of the token route."""
    return ApiError(
        400, {"statusCode": 400, "message": message, "error": "invalid_grant", "error_description": message}
    )
