"""What a login with OAuth leaves behind: tokens of a GHL location, or of an agency for all of its locations."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class OwnerKind(StrEnum):
    """Whose tokens they are."""

    LOCATION = "location"
    AGENCY = "agency"


@dataclass(frozen=True, slots=True)
class TokenOwner:
    """A GHL location or agency; `id` is GHL's locationId or companyId."""

    kind: OwnerKind
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What one app may call with until `ends_at`.

    A location's that were given for an agency's have no `refresh_token`, but the agency's id in `agency_id`.
    """

    client_id: str
    access_token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    ends_at: datetime
    agency_id: str = ""


@dataclass(frozen=True, slots=True)
class KeptTokens:
    """Tokens as the state store has them. `edition` tells them from every other that this owner ever had.

    `refused_at` is when GHL refused the refresh token for good: somebody must log in again.
    """

    owner: TokenOwner
    tokens: Tokens
    edition: int
    refused_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A login that was begun: which app asks for whose tokens, and where GHL sends the answer."""

    client_id: str
    redirect_uri: str
    agency: bool


@dataclass(frozen=True, slots=True)
class LoginEnd:
    """What came of a login: the owner whose tokens are stored now, or else why there are none."""

    owner: TokenOwner | None
    problem: str = ""
