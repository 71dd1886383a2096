"""A theatre for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import Server
from tests.kills.theatre import SqliteFiles, Theatre, theatre


@pytest.fixture
def stage(tmp_path: Path, sqlite_template: Path) -> Iterator[Theatre]:
    with theatre(tmp_path, SqliteFiles(sqlite_template, tmp_path)) as opened:
        yield opened


@pytest.fixture
def stage_on_postgresql(tmp_path: Path, postgres_server: Server) -> Iterator[Theatre]:
    with theatre(tmp_path, postgres_server) as opened:
        yield opened


@pytest.fixture
def racing_stage(tmp_path: Path, postgres_server: Server) -> Iterator[Theatre]:
    with theatre(tmp_path, postgres_server, racing=True) as opened:
        yield opened


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def either_stage(request: pytest.FixtureRequest) -> Theatre:
    """One on each of the databases."""
    name = "stage" if request.param == "sqlite" else "stage_on_postgresql"
    return request.getfixturevalue(name)  # type: ignore[no-any-return]
