"""A backup from before, put back: both sides are equal again, nobody is there twice, and no consent is widened."""

import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests import databases
from tests.databases import Server
from tests.e2e.test_database_away import addresses
from tests.e2e.test_reconcile import differences
from tests.e2e.test_service import subscribers_of
from tests.e2e.test_starting_over import consents
from tests.e2e.trial import Trial

SECRET = "a secret of at least 32 characters, kept with the backups"
BackUp = Callable[[], Callable[[], None]]
"""Makes a backup, and gives what puts it back."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def back_up(request: pytest.FixtureRequest, trial: Trial) -> Iterator[BackUp]:
    """The trial's database and the way to back it up that README tells."""
    if request.param == "sqlite":
        yield lambda: _of_sqlite(trial.folder / "sync.db", trial.folder / "backup.db")
        return
    server: Server = request.getfixturevalue("postgres_server")
    with server.fresh_database(migrated=False) as url, server.fresh_database(migrated=False) as restored:
        sqlite = f"database_url: sqlite:///{trial.folder / 'sync.db'}"
        assert sqlite in trial.config
        trial.config = trial.config.replace(sqlite, f"database_url: {url}\nsecret_key: {SECRET}")
        yield lambda: _of_postgresql(url, restored, trial)


def _of_sqlite(path: Path, backup: Path) -> Callable[[], None]:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM INTO ?", (str(backup),))

    def restore() -> None:
        for beside in ("-wal", "-shm"):
            path.with_name(path.name + beside).unlink(missing_ok=True)
        shutil.copyfile(backup, path)

    return restore


def _of_postgresql(url: str, restored: str, trial: Trial) -> Callable[[], None]:
    dump, put_back = databases.program("pg_dump"), databases.program("pg_restore")
    if dump is None or put_back is None:
        pytest.skip("no pg_dump and pg_restore")
    file = str(trial.folder / "sync.dump")
    _run(dump, "--format=custom", f"--file={file}", _plain(url))

    def restore() -> None:
        _run(put_back, "--no-owner", "--exit-on-error", f"--dbname={_plain(restored)}", file)
        trial.config = trial.config.replace(url, restored)

    return restore


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=60, stdin=subprocess.DEVNULL)


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def revoked(trial: Trial) -> tuple[set[str], set[str]]:
    """Who may not be mailed, on both sides, by id."""
    in_ghl, subscribers = consents(trial)
    return (
        {one for one, (dnd, settings) in in_ghl.items() if dnd or "active" in settings},
        {one for one, status in subscribers.items() if status == "unsubscribed"},
    )


def test_a_backup_from_before_is_put_back(trial: Trial, back_up: BackUp) -> None:
    assert trial.run("reconcile").status == 0
    restore = back_up()

    ids = {one.email_address.lower(): one.id for one in subscribers_of(trial) if one.status == "subscribed"}
    both = [one for one in trial.ghl.contacts if one.email in ids and not one.dnd]
    trial.ghl.edit(both[0].id, firstName="Afterwards")
    trial.ghl.unsubscribe(both[1].id)
    trial.emailoctopus.unsubscribe(ids[both[2].email])
    trial.ghl.create(email="new@example.com", firstName="Newcomer")
    trial.ghl.delete(both[3].id)
    assert trial.run("reconcile", "--full").status == 0
    assert differences(trial) == []
    people, silent = addresses(trial), revoked(trial)
    assert len(silent[1]) > 2
    trial.ghl.edit(both[4].id, firstName="Not yet across")

    restore()
    answer = trial.run("reconcile", "--full", "--json")
    assert (answer.status, differences(trial)) == (0, []), answer.err
    assert addresses(trial) == people
    assert all(was <= now for was, now in zip(silent, revoked(trial), strict=True))
    written = answer.pair["written"]
    assert (written["ghl"]["created"], written["emailoctopus"]["created"]) == (0, 0)
    trial.forget_requests()
    assert (trial.run("reconcile").status, trial.writes()) == (0, [])
