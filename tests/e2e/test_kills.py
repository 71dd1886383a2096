"""Contract, law L7: a kill anywhere changes the number of requests, never the final state of either side."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from signal import SIGKILL, Signals

import pytest

from sync_daemon.commands.demo.outside import live
from sync_daemon.commands.demo.sides import Sides
from sync_daemon.commands.sandbox_configuration import configuration
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.seed import Population
from sync_daemon.sandbox.server import Sandbox, running_sandbox
from sync_daemon.sandbox.weather import Weather
from sync_daemon.settings.load import load
from sync_daemon.settings.variables import Variables
from tests.e2e.test_reconcile import differences
from tests.e2e.trial import Trial, finished, let_leases_run_out

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
KEY = f"secret_key: {'a secret for tests ' * 2}\n"
State = list[tuple[object, ...]]
Two = Callable[[str], AbstractContextManager[Trial]]


@pytest.fixture
def two_accounts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Two:
    """Opens the same two accounts as often as it is asked, each time as new."""
    return partial(_two_accounts, tmp_path, capsys)


@contextmanager
def _two_accounts(folder: Path, capsys: object, database_url: str) -> Iterator[Trial]:
    sandbox = Sandbox(seed=1)
    sandbox.populate(Population(ghl=20, emailoctopus=20, shared=14))
    with running_sandbox(sandbox) as running:
        yield Trial(folder, running, capsys, KEY + configuration(running, database_url))


def killed(trial: Trial, database_url: str, system: SystemName, nth: int) -> None:
    """Kill a reconcile at its nth write to a system, and let its lease run out."""
    process = trial.start_and_signal(system, nth, Signals.SIGKILL, "reconcile")
    assert finished(process).status == -SIGKILL
    trial.sandbox.ghl.weather = trial.sandbox.emailoctopus.weather = Weather()
    let_leases_run_out(database_url)


def both_sides(trial: Trial) -> State:
    """All that anybody can see of both systems, but ids and times."""
    rules = load(trial.path, Variables({})).pairs[0].policy().fields
    sides = Sides(trial.sandbox, rules)
    people = [
        (one.email, one.name, *(sides.value(GHL, one.id, rule.ghl) for rule in rules), *sides.tags(GHL, one.id))
        for one in sides.contacts()
    ]
    blocked = [(one.email, one.dnd, str(one.dnd_settings)) for one in sides.contacts()]
    subscribers = [
        (one.email_address, one.status, *sorted(one.fields.items()), *sides.tags(EMAILOCTOPUS, one.id))
        for one in sides.subscribers()
    ]
    return [tuple(sorted(rows, key=str)) for rows in (people, blocked, subscribers)]


def undisturbed(two_accounts: Two, folder: Path) -> tuple[State, State]:
    """Both sides after a first load, and after a day's changes, of a program that nobody killed."""
    with two_accounts(f"sqlite:///{folder / 'undisturbed.db'}") as trial:
        assert trial.run("reconcile").status == 0
        loaded = both_sides(trial)
        live(Sides(trial.sandbox, load(trial.path, Variables({})).pairs[0].policy().fields))
        assert trial.run("reconcile").status == 0
        return loaded, both_sides(trial)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ([(GHL, 1)], [(EMAILOCTOPUS, 1)]),
        ([(EMAILOCTOPUS, 4), (EMAILOCTOPUS, 2)], [(GHL, 1)]),
    ],
)
def test_a_kill_changes_nothing_but_the_number_of_requests(
    two_accounts: Two,
    tmp_path: Path,
    database_url: str,
    first: list[tuple[SystemName, int]],
    then: list[tuple[SystemName, int]],
) -> None:
    loaded, lived = undisturbed(two_accounts, tmp_path)
    with two_accounts(database_url) as trial:
        for system, nth in first:
            killed(trial, database_url, system, nth)
        assert trial.run("reconcile").status == 0
        assert both_sides(trial) == loaded

        live(Sides(trial.sandbox, load(trial.path, Variables({})).pairs[0].policy().fields))
        for system, nth in then:
            killed(trial, database_url, system, nth)
        assert trial.run("reconcile").status == 0
        assert both_sides(trial) == lived

        trial.forget_requests()
        assert trial.run("reconcile").status == 0
        assert trial.writes() == []


def test_who_comes_after_a_crash_waits_for_the_lease(trial: Trial) -> None:
    assert finished(trial.start_and_signal(EMAILOCTOPUS, 5, Signals.SIGKILL, "reconcile")).status == -SIGKILL
    assert differences(trial) != []

    assert finished(trial.start("reconcile")).status == 6
    again = finished(trial.start("reconcile", "--json", "--wait", "60"))

    assert (again.status, again.pair["outcome"], differences(trial)) == (0, "ok", [])
