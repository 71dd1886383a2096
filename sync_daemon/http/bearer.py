"""What a request shows to be let in: a fixed token, or one that ends and is followed by another."""

from typing import Protocol

from sync_daemon.model.errors import CredentialsRefused


class TokenExpired(CredentialsRefused):
    """The token isn't accepted any more, or never was; what else a 401 can mean is another error."""


class Bearer(Protocol):
    """Gives the token of each request. Safe for threads; both may raise `StopSystem` and `StateStoreError`."""

    def token(self) -> str:
        """The token to send now."""

    def renew(self, refused: str) -> bool:
        """Get another token than the one that was refused as expired; False when there is none to be had."""


class FixedToken:
    """A token that a person made and changes."""

    def __init__(self, token: str) -> None:
        self._token = token

    def token(self) -> str:
        """The same at any time."""
        return self._token

    def renew(self, refused: str) -> bool:  # noqa: ARG002 - whichever was refused
        """None: a person must make it."""
        return False
