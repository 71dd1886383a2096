"""A house for each test, one server for all."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.ghl_place import Stage, served_stage
from tests.oauth.house import House, house
from tests.oauth.keys import AGENCY_APP


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Stage, str]]:
    with served_stage() as stage:
        yield stage


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    shutil.copyfile(sqlite_template, tmp_path / "sync.db")
    return f"sqlite:///{tmp_path / 'sync.db'}"


@pytest.fixture
def here(served: tuple[Stage, str], sqlite_url: str) -> Iterator[House]:
    with house(*served, sqlite_url) as one:
        yield one


@pytest.fixture
def agency(served: tuple[Stage, str], sqlite_url: str) -> Iterator[House]:
    with house(*served, sqlite_url, AGENCY_APP) as one:
        yield one
