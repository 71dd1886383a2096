"""The configuration with the pairs that are in the database."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from sync_daemon.model.errors import ConfigurationError, StateStoreError
from sync_daemon.settings.configuration import Configuration, in_database
from sync_daemon.settings.files import CHANGED_MEANWHILE, Written
from sync_daemon.settings.installation import InstallationSection
from sync_daemon.settings.variables import Variables
from sync_daemon.store.configured_pairs import ConfiguredPairs, are_there, names_in
from sync_daemon.store.engine import is_yet_to_be_made
from sync_daemon.wiring.clock import SystemClock
from sync_daemon.wiring.state import known_secrets, opened


def configuration_of(path: Path, variables: Variables) -> Configuration:
    """Everything that is configured, once; `Configuration.follow` lets it go on with an open store.

    Raises `ConfigurationError`, and `StateStoreError` where the database can't be asked.
    """
    return Configuration(path, variables, stored_pairs)


@dataclass(frozen=True, slots=True)
class StoredOnce:
    """The pairs in the database at one time."""

    number: int = 0
    texts: Mapping[str, str] = field(default_factory=dict)

    def revision(self) -> int:
        """The number that it had then."""
        return self.number

    def changed_since(self, revision: int) -> Mapping[str, str]:
        """All of them, or none for the number that it had then."""
        return {} if revision == self.number else self.texts

    def names(self) -> Collection[str]:
        """The names of all."""
        return list(self.texts)


def stored_pairs(outside: InstallationSection) -> StoredOnce:
    """The pairs in the database that settings name; none where it is yet to be made, or to get a place for them."""
    url = outside.database_url.get_secret_value()
    if is_yet_to_be_made(url):
        return StoredOnce()
    with opened(url) as engine:
        if not are_there(engine) or not (names := names_in(engine)):
            return StoredOnce()
        if (secrets := known_secrets(outside)) is None:
            raise StateStoreError(
                f"the settings of {len(names):,} pairs in the database can't be read: the key file beside it is "
                "missing. Put it back. If it is lost, `sync-daemon pairs remove` takes each out, to be added anew"
            )
        stored = ConfiguredPairs(engine, secrets, SystemClock())
        return StoredOnce(stored.revision(), stored.changed_since(0))


def stored_names(outside: InstallationSection) -> list[str]:
    """The names of the pairs in the database, which no secret is needed for. Raises `StateStoreError`."""
    url = outside.database_url.get_secret_value()
    if is_yet_to_be_made(url):
        return []
    with opened(url) as engine:
        return names_in(engine) if are_there(engine) else []


@dataclass(frozen=True, slots=True)
class StoredText:
    """The text of one pair in the database, for an editor."""

    stored: ConfiguredPairs
    place: str

    @property
    def path(self) -> str:
        """How people call it."""
        return in_database(self.place)

    def read(self) -> Written:
        """What it says now."""
        text = self.stored.text(self.place) or ""
        return Written(text, sha256(text.encode()).hexdigest())

    def obstacle(self) -> str:
        """Nothing keeps this process from writing it."""
        return ""

    def save(self, text: str, instead_of: str) -> None:
        """Store another text. Raises `ConfigurationError` where it says something else meanwhile."""
        before = self.read()
        if before.digest != instead_of:
            raise ConfigurationError(f"Nothing was saved: {CHANGED_MEANWHILE.format(self.path)}")
        self.stored.save({self.place: text}, {self.place: before.text})
