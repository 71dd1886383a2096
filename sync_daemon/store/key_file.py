"""The secret of an installation that configured none: a random one in a file beside its SQLite database."""

import os
import secrets
from pathlib import Path

from sync_daemon.model.errors import ConfigurationError, StateStoreError
from sync_daemon.store.crypto import checked
from sync_daemon.store.engine import parse_url

_BYTES = 32


def key_path(database: str) -> Path:
    """Where the key of a SQLite database file lies."""
    return Path(f"{database}.key")


def configured_secret(database_url: str, configured: str | None) -> str | None:
    """`secret_key`, checked; None where it is left out and the key file counts.

    Raises `ConfigurationError` where it is too short, and with PostgreSQL where it is left out.
    """
    if configured:
        return checked(configured)
    if parse_url(database_url).get_backend_name() != "sqlite":
        raise ConfigurationError(
            "secret_key is required with PostgreSQL: set it to any text of at least 32 characters, for example "
            "from: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    return None


def load_or_make_secret(database_url: str, *, may_make: bool = True) -> tuple[str, bool]:
    """The secret in the key file, and whether it was made just now (then say so: who loses it starts anew).

    It is made at first use, readable by its owner alone; a database in use must not get another one, so then
    (`may_make` False) a missing file is a `StateStoreError`.
    """
    path = key_path(parse_url(database_url).database or "")
    try:
        if not may_make and not path.exists():
            raise StateStoreError(
                f"the key file {path} is missing, and without it the database can't be used: put it back, or set "
                "secret_key to what it held; if it is lost, `sync-daemon adopt` goes on with the links alone"
            )
        made = not path.exists() and _make(path)
        return checked(path.read_text(encoding="utf-8").strip(), f"the key in {path}"), made
    except (OSError, UnicodeDecodeError) as error:
        raise StateStoreError(
            f"the key file {path} can't be used ({type(error).__name__}): make it readable for this user, "
            "or set secret_key"
        ) from error


def _make(path: Path) -> bool:
    """Write a random secret; False when another process was quicker, whose secret then counts."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link appears whole or not at all, and never over another one.
        path.hardlink_to(draft)
    except FileExistsError:
        return False
    else:
        return True
    finally:
        draft.unlink(missing_ok=True)
