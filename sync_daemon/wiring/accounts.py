"""What two credentials open, before there is a configuration: locations and lists; and a pair on a store of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory

from sync_daemon.model.contact import AccountSchema
from sync_daemon.settings.installation import Settings
from sync_daemon.store import migrate
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import open_engine
from sync_daemon.store.installation import StateStore
from sync_daemon.systems.emailoctopus.settings import EmailOctopusSettings
from sync_daemon.systems.emailoctopus.system import connect as connect_emailoctopus
from sync_daemon.systems.ghl.settings import GhlSettings
from sync_daemon.systems.ghl.system import GhlSystem
from sync_daemon.systems.ghl.system import connect as connect_ghl
from sync_daemon.wiring.clock import SystemClock
from sync_daemon.wiring.installation import Installation


def ghl_location(pair: str, token: str, base_url: str, location_id: str = "") -> GhlSystem:
    """What a token opens: one location, or, without its id, whichever it sees; nothing is asked of it yet."""
    return connect_ghl(GhlSettings(pair, location_id, token, base_url), SystemClock())


def emailoctopus_lists(pair: str, api_key: str, base_url: str) -> dict[str, AccountSchema]:
    """The lists that a key opens, by id. Raises `StopSystem`, `IncompleteRead`."""
    return connect_emailoctopus(EmailOctopusSettings(pair, "", api_key, base_url), SystemClock()).lists()


@contextmanager
def passing_installation(settings: Settings) -> Iterator[Installation]:
    """An installation that remembers nothing: on an empty store that ends with the context."""
    with TemporaryDirectory(prefix="sync-daemon-") as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'passing.db'}")
        try:
            migrate.upgrade(engine)
            yield Installation(settings, StateStore(engine, Secrets(token_urlsafe(32), []), SystemClock()))
        finally:
            engine.dispose()
