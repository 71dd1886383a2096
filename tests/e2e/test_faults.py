"""Contract, section 8, as the one who calls the program sees it: exit status, sentence, and what is stored."""

import resource
import sqlite3
import time
from contextlib import closing

import pytest

from sync_daemon.sandbox.limits import GhlWindow
from sync_daemon.sandbox.weather import Weather
from sync_daemon.store import engine as engine_module
from tests.e2e.trial import COMMAND, Trial, finished, let_leases_run_out, start

pytestmark = pytest.mark.usefixtures("with_tables")


@pytest.mark.usefixtures("after_first_load")
@pytest.mark.parametrize("rate", ["drop_rate", "error_rate"])
def test_a_system_that_cannot_be_reached_is_given_up_within_a_minute(trial: Trial, rate: str) -> None:
    trial.sandbox.emailoctopus.weather = Weather(**{rate: 1.0})  # type: ignore[arg-type]  # both are shares
    began = time.monotonic()
    answer = trial.run("reconcile", "--json")
    assert (answer.status, answer.pair["outcome"]) == (7, "unreachable")
    assert time.monotonic() - began < 60
    assert "Traceback" not in answer.err


@pytest.mark.usefixtures("after_first_load")
def test_a_used_up_daily_quota_is_told_and_waited_for_by_nobody(trial: Trial) -> None:
    limiter = trial.sandbox.ghl.limiter
    assert isinstance(limiter, GhlWindow)
    limiter.settings.per_day = trial.sandbox.ghl.log.total + 20  # of which all are kept for revocations
    began = time.monotonic()
    answer = trial.run("reconcile", "--full", "--json")
    assert (answer.status, answer.pair["outcome"]) == (3, "quota")
    assert time.monotonic() - began < 60


@pytest.mark.usefixtures("after_first_load")
def test_a_locked_database_is_told_and_nothing_is_lost(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    contact = next(iter(trial.ghl.contacts))
    trial.ghl.edit(contact.id, firstName="Augusta")
    monkeypatch.setattr(engine_module, "BUSY_SECONDS", 0.2)
    trial.forget_requests()
    with closing(sqlite3.connect(trial.folder / "sync.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = trial.run("reconcile")
    assert answer.status == 2
    assert "is in use by another process for too long" in answer.err
    assert trial.writes() == []
    assert trial.run("reconcile", "--json").status == 0


def test_a_disk_that_fills_up_in_the_middle_is_told_and_nothing_counts_that_is_not_stored(trial: Trial) -> None:
    assert trial.run("status").status == 0  # the tables are there
    room = 100_000  # bytes of each file: of SQLite's log of what isn't in the database yet, too

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    line = ("reconcile", "--config", str(trial.write()))
    answer = finished(start(*line, folder=trial.folder, command=COMMAND, preexec_fn=little_room))
    assert answer.status == 2
    assert "room" in answer.err
    assert "Traceback" not in answer.err

    let_leases_run_out(f"sqlite:///{trial.folder / 'sync.db'}")
    again = trial.run("reconcile", "--json")
    assert (again.status, again.pair["mode"]) == (0, "full"), "it starts from what is stored"
    addresses = [one.email_address.lower() for one in trial.emailoctopus.lists[trial.sandbox.list_id].contacts]
    assert len(addresses) == len(set(addresses))
    trial.forget_requests()
    assert trial.run("reconcile").status == 0
    assert trial.writes() == []
