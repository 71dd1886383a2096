"""GHL's OAuth routes as they are spelled before v3 and in it (oauth.json, oauth-v3.json; facts: GHL section 1.3)."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from sync_daemon.http.answers import Response
from sync_daemon.model.errors import Refused
from sync_daemon.systems.ghl.settings import Version

_LIFE_S = 86_399.0
"""How long an access token lives (documented)."""
_CAMEL = {
    "client_id": "clientId",
    "client_secret": "clientSecret",
    "grant_type": "grantType",
    "refresh_token": "refreshToken",
    "user_type": "userType",
    "redirect_uri": "redirectUri",
}
_SNAKE = {"accessToken": "access_token", "refreshToken": "refresh_token", "expiresIn": "expires_in"}


@dataclass(frozen=True, slots=True)
class App:
    """The keys of a Marketplace app."""

    client_id: str
    client_secret: str = field(repr=False)


class Issued(msgspec.Struct, rename={"user_type": "userType", "location_id": "locationId", "company_id": "companyId"}):
    """Tokens as GHL gives them; `location_id` is empty in those of an agency."""

    access_token: str
    refresh_token: str = ""
    expires_in: float = _LIFE_S
    user_type: str = ""
    location_id: str = ""
    company_id: str = ""

    def __repr__(self) -> str:
        return f"Issued({self.user_type}, {self.location_id or self.company_id})"


class Refusal(msgspec.Struct):
    """What a refused request to the token route says: OAuth's `error`, and GHL's `message`."""

    error: Any = ""
    message: Any = ""


@dataclass(frozen=True, slots=True)
class Route:
    """Where tokens are exchanged, in one version of the API."""

    version: Version

    @property
    def headers(self) -> dict[str, str]:
        """What the token route wants: before v3, no Version."""
        return {"Version": self.version} if self.version == "v3" else {}

    @property
    def location_token(self) -> str:
        """The path that gives a location's token for an agency's."""
        return "/oauth/location-token" if self.version == "v3" else "/oauth/locationToken"

    def form(self, fields: dict[str, str]) -> dict[str, str]:
        """A form of the token route in the version's spelling."""
        return {_CAMEL.get(name, name): value for name, value in fields.items()} if self.version == "v3" else fields


def issued_of(response: Response) -> Issued:
    """The tokens in an answer, in either spelling. Raises `Refused` with the code `malformed`."""
    told = response.decode(dict[str, Any])
    try:
        found = msgspec.convert({_SNAKE.get(name, name): value for name, value in told.items()}, Issued)
    except msgspec.ValidationError as error:
        raise Refused("malformed", f"The answer has another form than documented: {error}.") from error
    if not found.access_token:
        raise Refused("malformed", "The answer holds no access token.")
    return found


def refusal_of(response: Response) -> tuple[str, str]:
    """OAuth's error word and GHL's own text; empty where the body is of another form."""
    try:
        told = msgspec.json.decode(response.data, type=Refusal)
    except msgspec.MsgspecError:
        return "", ""
    return str(told.error), str(told.message)
