"""A trial for each test."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from sync_daemon.sandbox.seed import Population
from sync_daemon.sandbox.server import Sandbox, running_sandbox
from tests.e2e.trial import Trial, end_all


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("SYNC_DAEMON_") and name != "SYNC_DAEMON_TEST_RUN":
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _log_configuration_of_its_own() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _no_process_outlives_its_test() -> Iterator[None]:
    yield
    end_all()


@pytest.fixture
def trial(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Trial]:
    """Two small accounts that share most of their people."""
    sandbox = Sandbox(seed=1)
    sandbox.populate(Population(ghl=30, emailoctopus=30, shared=24))
    with running_sandbox(sandbox) as running:
        yield Trial(tmp_path, running, capsys)


@pytest.fixture
def with_tables(tmp_path: Path, sqlite_template: Path) -> None:
    """A database as `db upgrade` leaves it, for tests that aren't about the first start: making it takes a while."""
    shutil.copyfile(sqlite_template, tmp_path / "sync.db")
