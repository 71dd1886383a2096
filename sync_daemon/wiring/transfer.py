"""From a SQLite file to the PostgreSQL database that the settings name."""

from pathlib import Path

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.installation import InstallationSection
from sync_daemon.store.engine import parse_url
from sync_daemon.store.key_file import configured_secret, key_path
from sync_daemon.store.transfer import transfer
from sync_daemon.wiring.clock import SystemClock
from sync_daemon.wiring.state import bring_up_to_date, opened, secrets_of


def copy_from(source: Path, settings: InstallationSection) -> dict[str, int]:
    """Copy all of a SQLite file into `database_url`; how many rows, by table. The file stays as it is.

    Raises `ConfigurationError` where either isn't named rightly, `StateStoreError` where they can't be used so.
    """
    url = settings.database_url.get_secret_value()
    if parse_url(url).get_backend_name() != "postgresql":
        raise ConfigurationError(
            "database_url must name the PostgreSQL database that gets the state: postgresql+psycopg://… there, or in "
            "SYNC_DAEMON_DATABASE_URL. A copy as SQLite: the file and its .key file, while nothing runs"
        )
    if not source.is_file():
        raise ConfigurationError(f"There is no database {source}.")
    key = key_path(str(source))
    if not settings.secret_key.get_secret_value() and key.exists():
        raise ConfigurationError(
            f"secret_key must be what {source} was made with: set it, or SYNC_DAEMON_SECRET_KEY, to what {key} holds"
        )
    secrets = secrets_of(configured_secret(url, settings.secret_key.get_secret_value()) or "", settings)
    with opened(f"sqlite:///{source}") as old, opened(url) as new:
        for engine in (old, new):
            bring_up_to_date(engine)
        return transfer(old, new, secrets, SystemClock().now())
