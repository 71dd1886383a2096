"""How one EmailOctopus list is reached."""

from dataclasses import dataclass, field

from sync_daemon.model.errors import ConfigurationError

BASE_URL = "https://api.emailoctopus.com"
"""The API's host; its paths have no version (documented: OpenAPI)."""

_SHOWN_FROM = 16
"""Keys seen are much longer than this many characters."""


@dataclass(frozen=True, slots=True)
class EmailOctopusSettings:
    """One list's connection: `share` (0..1] is the part of the allowed rate to use; `pair` names it in errors."""

    pair: str
    list_id: str
    api_key: str = field(repr=False)
    base_url: str = BASE_URL
    share: float = 1.0

    def __post_init__(self) -> None:
        if not self.api_key.isascii() or not self.api_key.isprintable() or not self.api_key.strip():
            raise ConfigurationError(
                f"{self.key}.api_key can't be an API key: it is empty or holds characters that no key has. "
                "Copy it again from EmailOctopus's account settings, Integrations & API."
            )

    @property
    def key(self) -> str:
        """Where the configuration file holds this list."""
        return f"pairs.{self.pair}.emailoctopus"

    @property
    def key_ending(self) -> str:
        """What the dashboard shows of the API key: its last four characters; nothing of one too short to be one."""
        return self.api_key[-4:] if len(self.api_key) > _SHOWN_FROM else "…"
