"""A store on each database, with one pair, and a clock that stands still."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import open_engine
from sync_daemon.store.installation import StateStore
from sync_daemon.store.pair import SqlPairStore

SECRET = "a secret of this installation, long enough"


class StoppedClock:
    """A clock that moves only when a test moves it."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    opened = open_engine(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def store(engine: Engine, clock: StoppedClock) -> StateStore:
    return StateStore(engine, Secrets(SECRET), clock)


@pytest.fixture
def pair(store: StateStore) -> SqlPairStore:
    return store.open_pair("main", "location", "list")


@pytest.fixture
def other_pair(store: StateStore) -> SqlPairStore:
    """A second pair of the same store, which must never see the first one's rows."""
    return store.open_pair("other", "location-2", "list-2")
