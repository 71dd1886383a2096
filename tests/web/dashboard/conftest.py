"""Dashboards to visit."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.dashboard.house import House, furnish, standing_house


@pytest.fixture
def folder(tmp_path: Path, sqlite_template: Path) -> Path:
    """A folder with an empty store."""
    shutil.copyfile(sqlite_template, tmp_path / "sync.db")
    return tmp_path


@pytest.fixture
def house(folder: Path) -> Iterator[House]:
    """One pair in which something of everything waits."""
    with standing_house(folder) as house:
        furnish(house.pairs["main"])
        yield house
