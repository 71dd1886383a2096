"""How one GHL location is reached."""

from dataclasses import dataclass, field
from typing import Literal

from sync_daemon.http.bearer import Bearer

BASE_URL = "https://services.leadconnectorhq.com"
"""The only server that the vendor's specs name."""

Version = Literal["2021-07-28", "v3"]
"""Values of the Version header that this room can speak (documented: every contacts and locations route)."""


@dataclass(frozen=True, slots=True)
class GhlSettings:
    """One location's connection: `share` (0..1] is the part of the allowed rate to use; `pair` names it in errors.

    It is opened by a private integration token, or by a `bearer` of OAuth's.
    """

    pair: str
    location_id: str
    token: str = field(repr=False)
    base_url: str = BASE_URL
    version: Version = "2021-07-28"
    share: float = 1.0
    bearer: Bearer | None = field(default=None, repr=False)

    @property
    def key(self) -> str:
        """Where the configuration file holds this location."""
        return f"pairs.{self.pair}.ghl"
