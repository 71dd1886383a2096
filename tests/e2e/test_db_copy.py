"""`sync-daemon db copy`: from a SQLite file to PostgreSQL, with nothing lost and nothing done twice."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text

from sync_daemon.store.engine import open_engine, reading, writing
from sync_daemon.store.moments import to_micros
from sync_daemon.store.tables import leases, metadata
from tests import databases
from tests.e2e.test_plan_files import linked
from tests.e2e.trial import Trial

pytestmark = pytest.mark.postgres
VARIABLE = "SYNC_DAEMON_SECRET_KEY"


@pytest.fixture
def postgresql_url(postgres_server: databases.Server) -> Iterator[str]:
    with postgres_server.fresh_database(migrated=False) as url:
        yield url


@pytest.fixture
def worked(trial: Trial, after_first_load: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The SQLite file of a pair that is equal, with what waits, and the secret of its key file in the environment."""
    trial.ghl.edit(linked(trial).id, firstName="Augusta")
    assert trial.run("reconcile").status == 0
    source = trial.folder / "sync.db"
    monkeypatch.setenv(VARIABLE, Path(f"{source}.key").read_text(encoding="utf-8").strip())
    return source


def on(url: str, trial: Trial) -> str:
    """The same configuration over another database."""
    return re.sub(r"database_url: .*", f"database_url: {url}", trial.config)


def rows(engine: Engine) -> dict[str, list[str]]:
    """Everything in every table, in an order of its own."""
    with reading(engine) as connection:
        return {table.name: sorted(map(repr, connection.execute(select(table)))) for table in metadata.sorted_tables}


def test_every_row_goes_over_and_work_goes_on_where_it_stood(trial: Trial, worked: Path, postgresql_url: str) -> None:
    config = on(postgresql_url, trial)
    answer = trial.run("db", "copy", str(worked), "--json", config=config)
    assert answer.status == 0, answer.err

    before, after = open_engine(f"sqlite:///{worked}"), open_engine(postgresql_url)
    expected = rows(before)
    assert rows(after) == expected
    assert answer.json["copied"] == {name: len(found) for name, found in expected.items()}
    assert answer.json["copied"]["links"] > 20
    before.dispose()
    after.dispose()

    trial.forget_requests()
    again = trial.run("reconcile", "--json", config=config)
    assert (again.status, again.pair["mode"], trial.writes()) == (0, "incremental", [])
    trial.ghl.edit(linked(trial).id, firstName="Betty")
    assert trial.run("reconcile", config=config).status == 0  # what is new is numbered after what is there
    assert len(trial.writes()) == 1


def test_ids_that_were_given_out_are_not_given_out_again(trial: Trial, worked: Path, postgresql_url: str) -> None:
    engine = open_engine(f"sqlite:///{worked}")
    with writing(engine) as connection:
        connection.execute(text("UPDATE sqlite_sequence SET seq = 5000 WHERE name = 'undo_journal'"))
    engine.dispose()
    assert trial.run("db", "copy", str(worked), config=on(postgresql_url, trial)).status == 0
    engine = open_engine(postgresql_url)
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT nextval(pg_get_serial_sequence('undo_journal', 'id'))")) == 5001
    engine.dispose()


def test_a_table_tells_people_what_went_over(trial: Trial, worked: Path, postgresql_url: str) -> None:
    answer = trial.run("db", "copy", str(worked), config=on(postgresql_url, trial))
    assert re.search(r"^links +\d+$", answer.out, re.MULTILINE)
    assert "rows are copied" in answer.out


def test_a_database_in_use_is_left_alone(trial: Trial, worked: Path, postgresql_url: str) -> None:
    config = on(postgresql_url, trial)
    assert trial.run("db", "copy", str(worked), config=config).status == 0
    answer = trial.run("db", "copy", str(worked), config=config)
    assert (answer.status, "holds a state already" in answer.err) == (2, True)


def test_nothing_goes_over_while_somebody_works_on_it(trial: Trial, worked: Path, postgresql_url: str) -> None:
    engine = open_engine(f"sqlite:///{worked}")
    until = to_micros(datetime.now(UTC) + timedelta(minutes=1))
    with writing(engine) as connection:
        connection.execute(leases.update().values(holder="somebody", expires_at=until))
    engine.dispose()
    config = on(postgresql_url, trial)
    answer = trial.run("db", "copy", str(worked), config=config)
    assert (answer.status, "a process works on sandbox" in answer.err) == (2, True)
    assert trial.run("status", "--json", config=config).status == 0  # an empty database as before


@pytest.mark.parametrize(
    ("secret", "told"),
    [("", "SYNC_DAEMON_SECRET_KEY"), ("another secret, which is long enough", "another secret_key")],
)
def test_the_secret_must_be_the_same(
    trial: Trial, worked: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch, secret: str, told: str
) -> None:
    monkeypatch.setenv(VARIABLE, secret)
    answer = trial.run("db", "copy", str(worked), config=on(postgresql_url, trial))
    assert (answer.status, told in answer.err, str(worked) in answer.err) == (2, True, True)
    assert "Traceback" not in answer.err


def test_wrong_ends_are_told(trial: Trial, worked: Path, postgresql_url: str) -> None:
    config = on(postgresql_url, trial)
    nowhere = trial.run("db", "copy", str(trial.folder / "nowhere.db"), config=config)
    assert (nowhere.status, "There is no database" in nowhere.err) == (2, True)
    (trial.folder / "text.db").write_text("no database at all, though it is long enough for one" * 20)
    garbage = trial.run("db", "copy", str(trial.folder / "text.db"), config=config)
    assert (garbage.status, "Traceback" in garbage.err) == (2, False)
    sqlite = trial.run("db", "copy", str(worked))
    assert (sqlite.status, "must name the PostgreSQL database" in sqlite.err) == (2, True)
    empty = trial.folder / "empty.db"
    empty.touch()
    assert "nothing to copy" in trial.run("db", "copy", str(empty), config=config).err
