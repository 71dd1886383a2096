"""What every test may ask for: both databases; and how random tests are run."""

import gc
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings

from tests import databases

settings.register_profile("default", deadline=None, print_blob=True)
settings.register_profile("thorough", deadline=None, print_blob=True, max_examples=1000)
# A mutant is killed by the first failing example; what the smallest one is doesn't matter.
settings.register_profile("mutants", deadline=None, derandomize=True, database=None, phases=[Phase.generate])
settings.load_profile("default")

_COLLECT_AFTER = 10_000
"""Objects; Python's own 700 is for programs that hold less than a test run does."""


@pytest.hookimpl(optionalhook=True)  # `make mutants` goes without xdist
def pytest_xdist_auto_num_workers() -> int:
    """Twice as many workers as processors: much of the time is spent waiting for disks, servers and processes."""
    return 2 * (os.cpu_count() or 1)


def pytest_configure(config: pytest.Config) -> None:
    """Make the run's folder, in the process that hands tests out to workers; let each of them begin elsewhere."""
    if not hasattr(config, "workerinput"):
        databases.prepare_run()
    elif [Path(one).resolve() for one in config.args] == [Path(__file__).parent]:
        config.args = _beginning_elsewhere(int(config.workerinput["workerid"].removeprefix("gw")))


def _beginning_elsewhere(worker: int) -> list[str]:
    """Every room of tests, beginning with one of the largest: what this worker compiles of it the others read.

    Were all to begin with the same file, each would compile them all, with their assertions, for fifteen seconds.
    """
    here = Path(__file__).parent
    sizes = {one: sum(file.stat().st_size for file in one.rglob("test_*.py")) for one in here.iterdir() if one.is_dir()}
    rooms = sorted([*(one for one, size in sizes.items() if size), *here.glob("test_*.py")])
    largest = sorted(sizes, key=lambda one: (sizes[one], one), reverse=True)
    first = rooms.index(largest[worker]) if worker < len(largest) and sizes[largest[worker]] else 0
    return [str(one) for one in (*rooms[first:], *rooms[:first])]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what the run started, in the process that outlives its workers."""
    if not hasattr(config, "workerinput"):
        databases.finish_run()


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what lives as long as the run: 8% less CPU for scenarios."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[databases.Server]:
    """The run's PostgreSQL; skips, and says why, when none can be had."""
    try:
        server = databases.server()
    except databases.NoPostgres as error:
        pytest.skip(f"NO POSTGRESQL, so nothing is proved about it: {error}")
    yield server
    server.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables, to be copied."""
    path = tmp_path_factory.mktemp("template") / "sync.db"
    databases.make_sqlite(path)
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables, of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'sync.db'}"
    else:
        with request.getfixturevalue("postgres_server").fresh_database(migrated=False) as url:
            yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database with all tables, empty, of each kind; the same for each test of this process."""
    if request.param == "sqlite":
        path = tmp_path_factory.getbasetemp() / "sync.db"
        for beside in ("-wal", "-shm"):
            path.with_name(path.name + beside).unlink(missing_ok=True)
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
    else:
        yield request.getfixturevalue("postgres_server").emptied_database()


ONE_DATABASE_IS_ENOUGH = {
    "test_activity",
    "test_addresses",
    "test_addresses_moves",
    "test_alerts",
    "test_automations",
    "test_bad_luck",
    "test_clears",
    "test_consent",
    "test_consent_again",
    "test_consent_blind",
    "test_consent_creating",
    "test_consent_order",
    "test_consent_ratchet",
    "test_consent_reading",
    "test_consent_unread",
    "test_deletions",
    "test_deletions_again",
    "test_deletions_proof",
    "test_emailoctopus_switches",
    "test_explain",
    "test_faults_records",
    "test_faults_systems",
    "test_faults",
    "test_fields_directions",
    "test_fields_merge",
    "test_first_load",
    "test_forgotten",
    "test_guards",
    "test_hints",
    "test_laws",
    "test_logs",
    "test_matching",
    "test_matching_first_meeting",
    "test_parked",
    "test_paused",
    "test_plan_beyond_contacts",
    "test_plan_followed",
    "test_plan_moved_on",
    "test_progress",
    "test_reading",
    "test_rules",
    "test_rules_once",
    "test_rules_when",
    "test_scope",
    "test_scope_leaving",
    "test_several_lists",
    "test_several_locations",
    "test_starting_over",
    "test_tags",
    "test_undo",
    "test_undo_conflicts",
    "test_undo_kept",
    "test_undo_property",
    "test_webhooks",
    "test_writes_create",
    "test_writes_echo",
}
"""Scenarios of what is decided or answered, in which the database has no part: on SQLite alone, unless asked for."""


CASES_ENOUGH = {"e2e": 1, "kills": 1, "machine": 4, "scenarios": 1, "web": 1}
"""Of each parametrised test in these folders so many cases, spread over all of them, unless all are asked for."""


_LEFT_OUT = pytest.StashKey[dict[str, int]]()
_SCENARIOS = "scenarios on PostgreSQL; --every-database runs them, too"
_CASES = "further cases of tests that have many; --every-case runs them, too"
_BROWSER = "tests in a browser; make test-browser runs them"
_IMAGE = "tests of the container image; make test-image runs them"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every-case", action="store_true", help="run every case of the tests that have many")
    parser.addoption("--every-database", action="store_true", help="run every scenario on PostgreSQL, too")
    parser.addoption("--image", action="store_true", help="build and run the container image, too")
    parser.addoption("--browser", metavar="FOLDER", help="look at the dashboard in a browser, too; pictures go there")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.parts)  # wherever it was begun
    why = {item: _why_left_out(config, item) for item in items}
    if not config.getoption("--every-case"):
        why |= dict.fromkeys(_further_cases([item for item in items if not why[item]]), _CASES)
    left_out = Counter(filter(None, why.values()))
    config.stash[_LEFT_OUT] = dict(left_out)
    if hasattr(config, "workeroutput"):
        config.workeroutput["left_out"] = dict(left_out)
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if why[item]])
        items[:] = [item for item in items if not why[item]]


def _why_left_out(config: pytest.Config, item: pytest.Item) -> str | None:
    rooms = item.path.relative_to(Path(__file__).parent).parts
    if "image" in rooms and not config.getoption("--image"):
        return _IMAGE
    if "browser" in rooms and not config.getoption("--browser"):
        return _BROWSER
    on_postgres = item.get_closest_marker("postgres") is not None and item.path.stem in ONE_DATABASE_IS_ENOUGH
    return _SCENARIOS if on_postgres and not config.getoption("--every-database") else None


def _further_cases(items: list[pytest.Item]) -> Iterator[pytest.Item]:
    """The cases of each test that are beyond those that are enough, on each database by itself."""
    tests: dict[tuple[str, bool], list[pytest.Item]] = {}
    for item in items:
        on_postgres = item.get_closest_marker("postgres") is not None
        tests.setdefault((item.nodeid.partition("[")[0], on_postgres), []).append(item)
    for cases in tests.values():
        room, *_ = cases[0].path.relative_to(Path(__file__).parent).parts
        enough = CASES_ENOUGH.get(room, len(cases))
        kept = {round(number * (len(cases) - 1) / max(1, enough - 1)) for number in range(enough)}
        yield from (case for number, case in enumerate(cases) if number not in kept)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear from a worker what it left out: all of them were handed the same tests."""
    node.config.stash[_LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what wasn't run."""
    for what, number in config.stash.get(_LEFT_OUT, {}).items():
        terminalreporter.write_line(f"left out: {number} {what}")
