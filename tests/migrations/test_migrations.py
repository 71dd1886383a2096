"""The migrations make the tables the program works with, on both databases, however they are run."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from sync_daemon.model.errors import StateStoreError
from sync_daemon.store import migrate
from sync_daemon.store.engine import open_engine, reading, writing
from sync_daemon.store.tables import metadata
from tests.e2e.trial import finished, start

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[Engine]:
    opened = open_engine(empty_database_url)
    yield opened
    opened.dispose()


def differences(engine: Engine) -> list[object]:
    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))


def test_migrations_make_exactly_the_tables_the_program_knows(engine: Engine) -> None:
    migrate.upgrade(engine)

    assert differences(engine) == []


def test_up_down_and_up_again(engine: Engine) -> None:
    migrate.upgrade(engine)
    with migrate.migrating(engine) as connection:
        command.downgrade(migrate.configuration(connection), "base")
    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    assert migrate.current(engine) is None

    migrate.upgrade(engine)

    assert differences(engine) == []
    assert migrate.current(engine) == migrate.head()


def test_the_version_named_in_the_program_is_the_newest_migration(engine: Engine) -> None:
    with reading(engine) as connection:
        assert ScriptDirectory.from_config(migrate.configuration(connection)).get_heads() == [migrate.head()]


def test_a_database_without_tables_has_no_version(engine: Engine) -> None:
    assert migrate.current(engine) is None
    with pytest.raises(StateStoreError, match=r"no tables yet.*sync-daemon db upgrade"):
        migrate.verify(engine)


def test_a_database_at_its_head_is_left_alone(engine: Engine) -> None:
    migrate.upgrade(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE installation SET key_check = :check"), {"check": b"kept"})

    migrate.upgrade(engine)
    migrate.verify(engine)

    with reading(engine) as connection:
        assert connection.execute(text("SELECT key_check FROM installation")).scalar_one() == b"kept"


@pytest.mark.parametrize("step", [migrate.upgrade, migrate.verify])
def test_a_database_of_a_newer_program_is_refused_in_plain_words(engine: Engine, step: object) -> None:
    migrate.upgrade(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(StateStoreError, match=r"newer version of sync-daemon.*9999.*backup"):
        step(engine)  # type: ignore[operator]  # both take the engine

    assert migrate.current(engine) == "9999"


def test_foreign_keys_hold_again_after_a_migration(engine: Engine) -> None:
    migrate.upgrade(engine)

    with pytest.raises(StateStoreError), writing(engine) as connection:
        connection.execute(text("INSERT INTO watermarks (pair_id, stream, reached) VALUES (77, 'x', 1)"))


def test_a_failed_migration_leaves_nothing_behind(engine: Engine) -> None:
    def break_off() -> None:
        with migrate.migrating(engine) as connection:
            command.upgrade(migrate.configuration(connection), "head")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()

    assert inspect(engine).get_table_names() == []


def test_processes_may_migrate_at_once(empty_database_url: str, tmp_path: Path) -> None:
    variables = {**os.environ, "SYNC_DAEMON_DATABASE_URL": empty_database_url}
    processes = [start("db", "upgrade", folder=tmp_path, variables=variables) for _ in range(4)]
    ends = [finished(process, seconds=60) for process in processes]

    assert [(end.status, end.err) for end in ends] == [(0, "")] * 4
    engine = open_engine(empty_database_url)
    assert migrate.current(engine) == migrate.head()
    assert differences(engine) == []
    engine.dispose()


_ONE_AFTER_THE_OTHER = """
import sys
from alembic.config import main
for line in sys.argv[1:]:
    main(argv=line.split(), prog="alembic")
"""
"""What `python -m alembic` does, for several command lines: a new interpreter imports for more than a second."""


def alembic(database_url: str | None, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "SYNC_DAEMON_DATABASE_URL"}
    if database_url:
        environment["SYNC_DAEMON_DATABASE_URL"] = database_url
    return subprocess.run(
        [sys.executable, "-W", "error", *command],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_alembic_works_on_the_command_line(empty_database_url: str) -> None:
    lines = ("upgrade head", "check", "downgrade base", "upgrade head", "current")
    done = alembic(empty_database_url, "-c", _ONE_AFTER_THE_OTHER, *lines)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert done.stdout.splitlines()[-1].split()[0] == migrate.head()


def test_alembic_without_a_database_says_how_to_name_one(tmp_path: Path) -> None:
    missing, offline = (
        alembic(None, "-m", "alembic", "upgrade", "head"),
        alembic(f"sqlite:///{tmp_path}/a.db", "-m", "alembic", "upgrade", "head", "--sql"),
    )

    assert (missing.returncode, offline.returncode) == (255, 255)
    assert "set SYNC_DAEMON_DATABASE_URL" in missing.stdout + missing.stderr
    assert "leave out --sql" in offline.stdout + offline.stderr


def test_migrations_are_found_in_a_folder_with_odd_signs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "100% of it" / "sync_daemon"
    package.mkdir(parents=True)
    (package / "migrations").symlink_to(REPOSITORY / "migrations")
    monkeypatch.setattr(migrate, "_PACKAGE", package)
    engine = open_engine(f"sqlite:///{tmp_path / 'a.db'}")

    migrate.upgrade(engine)

    assert migrate.migrations_folder() == package / "migrations"
    assert differences(engine) == []
    engine.dispose()
