"""Contract, section 7: who comes after a crash, and who comes back from standing still.

What a crash leaves is proved point by point in tests/kills.
"""

import os
import time
from signal import SIGKILL, Signals

import pytest
from sqlalchemy import select

from sync_daemon.model.system import SystemName
from sync_daemon.store.engine import open_engine, reading
from sync_daemon.store.tables import metadata
from tests.e2e.test_reconcile import differences
from tests.e2e.trial import COMMAND, Trial, finished, let_leases_run_out

pytestmark = pytest.mark.usefixtures("with_tables")

_LOOKS_AT_ITS_LEASE_S = 5


def test_who_comes_after_a_crash_waits_for_the_lease(trial: Trial) -> None:
    died = trial.start_and_signal(SystemName.EMAILOCTOPUS, 5, Signals.SIGKILL, "reconcile")
    assert finished(died).status == -SIGKILL
    assert differences(trial) != []

    assert finished(trial.start("reconcile")).status == 6
    began = time.monotonic()
    again = finished(trial.start("reconcile", "--json", "--wait", "60"))

    assert (again.status, again.pair["outcome"], differences(trial)) == (0, "ok", [])
    assert time.monotonic() - began < 45, "30 seconds of a lease, and a cycle"


def test_who_stood_still_past_its_lease_sends_and_stores_nothing_more(trial: Trial) -> None:
    trial.run("reconcile")
    people = [one for one in trial.ghl.contacts if one.email and not one.dnd_settings]
    for one in people[:10]:
        trial.ghl.edit(one.id, firstName="Augusta")
    # A revocation goes out alone: while it is under way nothing else is.
    trial.ghl.set_dnd(people[0].id)
    process = trial.start_and_signal(
        SystemName.EMAILOCTOPUS, 1, Signals.SIGSTOP, "reconcile", "--json", command=COMMAND
    )
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    stopped = time.monotonic()
    database_url = f"sqlite:///{trial.folder / 'sync.db'}"
    let_leases_run_out(database_url)
    assert (trial.run("reconcile").status, differences(trial)) == (0, [])
    time.sleep(max(0.0, stopped + _LOOKS_AT_ITS_LEASE_S - time.monotonic()))
    stored = everything(database_url)
    trial.forget_requests()

    process.send_signal(Signals.SIGCONT)

    answer = finished(process)
    assert (answer.status, answer.pair["outcome"], trial.writes()) == (6, "busy", [])
    assert everything(database_url) == stored


def everything(database_url: str) -> list[tuple[object, ...]]:
    """Every row of the state store."""
    engine = open_engine(database_url)
    with reading(engine) as connection:
        rows = [tuple(row) for table in metadata.sorted_tables for row in connection.execute(select(table)).all()]
    engine.dispose()
    return rows
