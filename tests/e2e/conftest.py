"""A trial for each test."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from sync_daemon.sandbox.seed import Population
from sync_daemon.sandbox.server import Sandbox, running_sandbox
from tests.e2e.trial import Trial, end_all, finished
from tests.twins import twin_of


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
def trial(request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Trial]:
    """Two small accounts that share most of their people; with `after_first_load`, as the first cycle left them."""
    if "after_first_load" in request.fixturenames:
        loaded: Trial = request.getfixturevalue("loaded")
        sandbox = twin_of(loaded.sandbox)
        for name in ("sync.db", "sync.db.key"):
            shutil.copyfile(loaded.folder / name, tmp_path / name)
    else:
        sandbox = _small()
    with running_sandbox(sandbox) as running:
        yield Trial(tmp_path, running, capsys)


@pytest.fixture
def after_first_load() -> None:
    """For tests that begin where a first `reconcile` has ended: one does for all of them."""


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Trial:
    """What a first load left behind, to be copied; nobody serves it any more."""
    folder = tmp_path_factory.mktemp("loaded")
    shutil.copyfile(sqlite_template, folder / "sync.db")
    with running_sandbox(_small()) as running:
        trial = Trial(folder, running, capture=None)
        assert finished(trial.start("reconcile")).status == 0
    trial.forget_requests()
    return trial


def _small() -> Sandbox:
    sandbox = Sandbox(seed=1)
    sandbox.populate(Population(ghl=30, emailoctopus=30, shared=24))
    return sandbox


@pytest.fixture
def with_tables(tmp_path: Path, sqlite_template: Path) -> None:
    """A database as `db upgrade` leaves it, for tests that aren't about the first start: making it takes a while."""
    if not (tmp_path / "sync.db").exists():
        shutil.copyfile(sqlite_template, tmp_path / "sync.db")
