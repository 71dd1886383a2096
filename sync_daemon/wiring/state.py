"""The state store that the settings name; kept apart because `status` needs nothing else."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy import Engine

from sync_daemon.settings.installation import InstallationSection
from sync_daemon.store import migrate
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import is_yet_to_be_made, open_engine, parse_url
from sync_daemon.store.installation import StateStore, is_in_use
from sync_daemon.store.key_file import configured_secret, key_path, load_or_make_secret
from sync_daemon.store.starting_over import LockedStore
from sync_daemon.wiring.clock import SystemClock

_log = structlog.get_logger(__name__)


@contextmanager
def open_store(settings: InstallationSection) -> Iterator[StateStore]:
    """The state store, its tables brought up to date unless `SYNC_DAEMON_AUTO_MIGRATE` is 0.

    Raises `StateStoreError` for a database that can't be used, that is older and may not be upgraded, or that
    was made with another secret.
    """
    url = settings.database_url.get_secret_value()
    secret = configured_secret(url, settings.secret_key.get_secret_value())
    with opened(url) as engine:
        bring_up_to_date(engine)
        yield _store(engine, secret or _key_beside(url, engine), settings)


@contextmanager
def look_into_store(settings: InstallationSection) -> Iterator[StateStore | None]:
    """The state store as it is, None where the next reconcile will make or upgrade it; raises as `open_store`."""
    url = settings.database_url.get_secret_value()
    secret = configured_secret(url, settings.secret_key.get_secret_value())
    if is_yet_to_be_made(url):
        if not may_upgrade():
            raise migrate.too_old(parse_url(url))
        yield None
        return
    with opened(url) as engine:
        if not may_upgrade():
            migrate.verify(engine)
        if migrate.is_behind(engine) or not is_in_use(engine):
            yield None
        else:
            yield _store(engine, secret or _key_beside(url, engine), settings)


@contextmanager
def open_locked_store(settings: InstallationSection) -> Iterator[LockedStore | None]:
    """The state store as far as it needs no secret, None where nothing is stored yet; raises as `open_store`."""
    url = settings.database_url.get_secret_value()
    if is_yet_to_be_made(url):
        yield None
        return
    with opened(url) as engine:
        bring_up_to_date(engine)
        yield LockedStore(engine, SystemClock()) if is_in_use(engine) else None


def known_secrets(settings: InstallationSection) -> Secrets | None:
    """The secrets that are there: the configured ones, or the key file's; None where neither is."""
    url = settings.database_url.get_secret_value()
    secret = configured_secret(url, settings.secret_key.get_secret_value())
    if secret is None and not key_path(parse_url(url).database or "").exists():
        return None
    return secrets_of(secret or load_or_make_secret(url)[0], settings)


def make_secrets(settings: InstallationSection) -> Secrets:
    """`known_secrets`, where there are none from a new key file beside the database."""
    known = known_secrets(settings)
    if known is not None:
        return known
    secret, _ = load_or_make_secret(settings.database_url.get_secret_value())
    _say_that_a_key_was_made()
    return secrets_of(secret, settings)


def may_upgrade() -> bool:
    """Whether the database may be upgraded unasked."""
    return os.environ.get("SYNC_DAEMON_AUTO_MIGRATE") != "0"


def secrets_of(secret: str, settings: InstallationSection) -> Secrets:
    """A secret, and those before it that the settings know."""
    return Secrets(secret, [key.get_secret_value() for key in settings.previous_secret_keys])


def bring_up_to_date(engine: Engine) -> None:
    """Upgrade a database's tables; where that isn't allowed unasked, raise `StateStoreError` unless they are new."""
    if may_upgrade():
        migrate.upgrade(engine)
    else:
        migrate.verify(engine)


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """An engine that is closed at the end. Raises `StateStoreError`."""
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def _key_beside(url: str, engine: Engine) -> str:
    """The secret in the key file beside a SQLite database, made when the database is new."""
    secret, made = load_or_make_secret(url, may_make=not is_in_use(engine))
    if made:
        _say_that_a_key_was_made()
    return secret


def _say_that_a_key_was_made() -> None:
    _log.warning("key_file_made", advice="keep the .key file beside the database with your backups")


def _store(engine: Engine, secret: str, settings: InstallationSection) -> StateStore:
    return StateStore(engine, secrets_of(secret, settings), SystemClock())
