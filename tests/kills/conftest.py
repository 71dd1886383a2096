"""A theatre of each kind for all tests of a module: a world is prepared, and the program imported, once for them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import Server
from tests.kills.theatre import Forking, SqliteFiles, Theatre, forking, theatre


@pytest.fixture(scope="session")
def forks() -> Iterator[Forking]:
    with forking() as process:
        yield process


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, forks: Forking) -> Iterator[Theatre]:
    folder = tmp_path_factory.mktemp("stage")
    with theatre(folder, SqliteFiles(sqlite_template, folder), forks) as opened:
        yield opened


@pytest.fixture(scope="module")
def stage_on_postgresql(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: Server, forks: Forking
) -> Iterator[Theatre]:
    with theatre(tmp_path_factory.mktemp("stage"), postgres_server, forks) as opened:
        yield opened


@pytest.fixture(scope="module")
def racing_stage(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: Server, forks: Forking
) -> Iterator[Theatre]:
    with theatre(tmp_path_factory.mktemp("stage"), postgres_server, forks, racing=True) as opened:
        yield opened


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def either_stage(request: pytest.FixtureRequest) -> Theatre:
    """One on each of the databases."""
    name = "stage" if request.param == "sqlite" else "stage_on_postgresql"
    return request.getfixturevalue(name)  # type: ignore[no-any-return]
