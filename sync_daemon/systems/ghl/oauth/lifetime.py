"""When tokens are made new. Pure."""

from datetime import datetime, timedelta
from enum import Enum, auto

from sync_daemon.model.oauth import Tokens

AHEAD = timedelta(minutes=30)
"""How long before their end tokens are made new: long enough for a system that is down to come back."""


class Age(Enum):
    """How far tokens are from their end."""

    FRESH = auto()
    """To be used."""
    DUE = auto()
    """To be made new by whoever comes first; good until then."""
    ENDED = auto()
    """Of no use any more."""


def age_of(tokens: Tokens, now: datetime, refused: str = "") -> Age:
    """How old tokens are; what the system `refused` as expired has ended, whatever its time."""
    if tokens.access_token == refused or now >= tokens.ends_at:
        return Age.ENDED
    return Age.DUE if now >= tokens.ends_at - AHEAD else Age.FRESH
