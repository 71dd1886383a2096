"""GHL's authority: what gives tokens for a code, for a refresh token, and a location's for an agency's."""

import re

from sync_daemon.http.allowance import SlidingWindow
from sync_daemon.http.answers import Response
from sync_daemon.http.bearer import Bearer, TokenExpired
from sync_daemon.http.limits import Limiter
from sync_daemon.http.session import Retry, Session, Transport
from sync_daemon.model.errors import CredentialsRefused, SyncError, Unreachable
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Clock
from sync_daemon.systems.ghl.oauth.wire import App, Issued, Route, issued_of, refusal_of
from sync_daemon.systems.ghl.settings import Version

PATIENCE_S = 10.0
"""How long one exchange is tried: it ends before the lock of whoever refreshes does."""
_WINDOW_REQUESTS, _WINDOW_S = 25, 10.0
_GHL = SystemName.GHL
_WORD = re.compile(r"[a-z_]{3,40}")


class GrantRefused(CredentialsRefused):
    """The code or refresh token was used, is too old or was revoked: only another login helps."""


class LocationRefused(CredentialsRefused):
    """The agency's tokens open no such location."""


class Authority:
    """The OAuth routes for one app. Safe for threads.

    Every function may raise `CredentialsRefused`, `Unreachable`, `QuotaExhausted`, and `Refused` for an answer that
    makes no sense.
    """

    def __init__(
        self, base_url: str, version: Version, app: App, clock: Clock, transport: Transport | None = None
    ) -> None:
        self._base_url = base_url
        self._route = Route(version)
        self.app = app
        self._clock = clock
        self._transport = transport
        self._keyed = self._session({}, None)

    def trade(self, code: str, redirect_uri: str, *, agency: bool) -> Issued:
        """The first tokens, for a code. Raises `GrantRefused`, and `AnswerLost` when the code may have been used."""
        wanted = {"code": code, "redirect_uri": redirect_uri, "user_type": "Company" if agency else "Location"}
        return self._token({"grant_type": "authorization_code", **wanted}, Retry.LOOK_FIRST)

    def refresh(self, refresh_token: str) -> Issued:
        """The next tokens; the refresh token dies by it. Raises `GrantRefused`.

        Sent again when its answer is lost: GHL may honour a token that was just used for a while (uncertain), and where
        it doesn't, nothing is worse than before.
        """
        return self._token({"grant_type": "refresh_token", "refresh_token": refresh_token}, Retry.SAFE)

    def location_token(self, agency: Bearer, agency_id: str, location_id: str) -> Issued:
        """A location's tokens, for an agency's. Raises `LocationRefused`."""
        session = self._session({"Version": self._route.version}, agency)
        form = {"companyId": agency_id, "locationId": location_id}
        return issued_of(session.request("POST", self._route.location_token, form=form))

    def _token(self, fields: dict[str, str], retry: Retry) -> Issued:
        form = {"client_id": self.app.client_id, "client_secret": self.app.client_secret, **fields}
        sent = self._route.form(form)
        return issued_of(
            self._keyed.request("POST", "/oauth/token", form=sent, headers=self._route.headers, retry=retry)
        )

    def _session(self, headers: dict[str, str], bearer: Bearer | None) -> Session:
        limiter = Limiter(
            _GHL, SlidingWindow(_WINDOW_REQUESTS, _WINDOW_S), self._clock, refill_s=_WINDOW_S, patience_s=PATIENCE_S
        )
        return Session(
            _GHL,
            self._base_url,
            {"Accept": "application/json", "User-Agent": "sync-daemon", **headers},
            limiter,
            self._clock,
            classify=_classify if bearer is None else _classify_agency,
            probe="/oauth/installedLocations",
            bearer=bearer,
            patience_s=PATIENCE_S,
            at_once=1,
            transport=self._transport,
        )


def _classify(response: Response) -> SyncError:
    """What the token route refuses; the API's own words are told where they are one of OAuth's alone."""
    error, text = refusal_of(response)
    if "timed out" in text.lower() or response.status in (404, 408, 425):
        return Unreachable(_GHL, f"HTTP {response.status} that stands for a time-out")
    if "not active" in text.lower():
        return CredentialsRefused(
            _GHL, "GHL gives no token, as the location is not active: have the sub-account reactivated in GHL."
        )
    if error == "invalid_grant":
        return GrantRefused(_GHL, f"HTTP {response.status}, invalid_grant")
    if response.status == 401:
        return CredentialsRefused(
            _GHL,
            "GHL refused the keys of the app (HTTP 401): copy client_id and client_secret again from the Marketplace "
            "app, its settings, Auth.",
        )
    word = f", {error}" if _WORD.fullmatch(error) else ""
    return CredentialsRefused(_GHL, f"GHL gave no token (HTTP {response.status}{word}).")


def _classify_agency(response: Response) -> SyncError:
    """What the exchange of an agency's token for a location's refuses."""
    _, text = refusal_of(response)
    if "timed out" in text.lower():
        return Unreachable(_GHL, f"HTTP {response.status} that stands for a time-out")
    if response.status == 401 and "token" in text.lower() and "scope" not in text.lower():
        return TokenExpired(_GHL, "GHL refused the agency's token as expired, though it was just renewed (HTTP 401).")
    if response.status in (401, 403):
        return CredentialsRefused(
            _GHL,
            f"GHL gives this app no location's token for the agency's (HTTP {response.status}): it needs the scope "
            "`oauth.write`, and must be one for agencies.",
        )
    return LocationRefused(
        _GHL,
        f"GHL gives no token of the location for the agency's (HTTP {response.status}): the app must be installed in "
        "that location.",
    )
