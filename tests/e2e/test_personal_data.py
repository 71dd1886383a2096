"""Contract, law L9: whatever a process says, at its most talkative, and leaves behind names nobody and no secret."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from signal import SIGKILL, Signals

import pytest

from sync_daemon.commands.demo.outside import live
from sync_daemon.commands.demo.sides import Sides
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.weather import Fault, Weather
from sync_daemon.settings.load import load
from sync_daemon.settings.variables import Variables
from tests.e2e.trial import Trial, finished, let_leases_run_out

pytestmark = pytest.mark.usefixtures("with_tables")


def telling(trial: Trial) -> Iterator[str]:
    """What would tell of a person or open an account; each long enough not to turn up by chance."""
    sides = Sides(trial.sandbox, ())
    people, subscribers = sides.contacts(), sides.subscribers()
    addresses = {one.email for one in people if one.email} | {one.email_address for one in subscribers}
    yield from addresses
    yield from (hashlib.md5(one.lower().encode(), usedforsecurity=False).hexdigest() for one in addresses)
    yield from (one.phone for one in people if one.phone)
    yield from (one.name for one in people if " " in one.name)
    yield from {tag for one in people for tag in one.tags if " " in tag}
    yield from (trial.sandbox.ghl_token, trial.sandbox.emailoctopus_key)
    yield (trial.folder / "sync.db.key").read_text().strip()


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Where the process may put temporary files."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def test_a_life_with_a_crash_a_conflict_and_refusals_names_nobody(trial: Trial, scratch: Path) -> None:
    trial.variables = {"SYNC_DAEMON_LOG_LEVEL": "debug", "TMPDIR": str(scratch)}
    crashed = finished(trial.start_and_signal(SystemName.EMAILOCTOPUS, 4, Signals.SIGKILL, "reconcile"))
    let_leases_run_out(f"sqlite:///{trial.folder / 'sync.db'}")
    said, statuses = [crashed.err], list[int]()
    trial.sandbox.emailoctopus.weather = Weather()
    trial.sandbox.ghl.weather.faults = [Fault(kind="error", method="POST", path="/contacts/$", status=422)]
    for arguments in (["reconcile", "--json"], ["plan", "--full", "--json"], ["reconcile"]):
        answer = finished(trial.start(*arguments))
        said += [answer.out, answer.err]
        statuses.append(answer.status)
        if arguments[0] == "reconcile":
            live(Sides(trial.sandbox, load(trial.path, Variables({})).pairs[0].policy().fields))
    # What the tables tell a person isn't searched; what is logged and stored is, what can be undone included.
    last_run = trial.run("status", "--json").pair["runs"][0]["run_id"]
    undone = finished(trial.start("undo", last_run, "--yes", "--json"))
    assert undone.json["report"]["written"]["emailoctopus"]["updated"]
    said.append(undone.err)
    trial.sandbox.emailoctopus.weather.error_rate = 1.0
    said.append(finished(trial.start("reconcile")).err)

    left = [path.read_bytes() for path in trial.folder.rglob("sync.db*") if path.suffix != ".key"]
    left += [path.read_bytes() for path in scratch.rglob("*") if path.is_file()]
    everything = "\n".join(said).encode() + b"\n".join(left)
    assert (crashed.status, statuses[:2]) == (-SIGKILL, [3, 0]), "it died, then parked what was refused"
    assert [event for event in (b"http.answered", b'"conflict"', b"http.failed") if event not in everything] == []
    assert [one for one in telling(trial) if one.lower().encode() in everything.lower()] == []
