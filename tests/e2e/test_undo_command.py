"""`undo RUN` as a user meets it: the plan first, the question, what comes of it, and every wrong way to ask."""

from signal import SIGKILL, Signals
from typing import Any

import pytest
from sqlalchemy import text

from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.weather import Weather
from sync_daemon.store.engine import open_engine, writing
from tests.e2e.terminal import answered
from tests.e2e.trial import Answer, Trial, finished, let_leases_run_out
from tests.worlds import state_of

pytestmark = pytest.mark.usefixtures("with_tables")

WEEK = 7 * 86_400


def ada(trial: Trial, **fields: Any) -> str:
    """Somebody in both; her id in GHL."""
    ghl_id = str(trial.ghl.create(email="ada.undo@example.com", firstName="Ada", **fields).id)
    assert trial.run("reconcile").status == 0
    return ghl_id


def renamed(trial: Trial) -> str:
    """A run that wrote Ada's new name to EmailOctopus; its id."""
    trial.ghl.edit(ada(trial), firstName="Augusta")
    answer = trial.run("reconcile", "--json")
    assert name_there(trial) == "Augusta"
    trial.forget_requests()
    return str(answer.pair["run_id"])


def name_there(trial: Trial) -> Any:
    rows = state_of(trial.sandbox.emailoctopus_app)
    return next(row for row in rows if row["email_address"] == "ada.undo@example.com")["fields"]["FirstName"]


def set_undo_days(trial: Trial, days: int) -> None:
    trial.config += f"\nretention: {{undo_days: {days}}}\n"


def age(trial: Trial, seconds: int) -> None:
    """Let everything be so much older."""
    engine = open_engine(f"sqlite:///{trial.folder / 'sync.db'}")
    with writing(engine) as connection:
        micros = {"micros": seconds * 1_000_000}
        connection.execute(text("UPDATE undo_journal SET at = at - :micros"), micros)
        connection.execute(text("UPDATE runs SET started = started - :micros, ended = ended - :micros"), micros)
    engine.dispose()


@pytest.mark.usefixtures("after_first_load")
def test_it_shows_first_and_does_nothing_unasked(trial: Trial) -> None:
    run_id = renamed(trial)
    answer = trial.run("undo", run_id)
    assert answer.status == 2
    assert "Nothing was done: say it with --yes." in answer.out
    assert f"what undoing {run_id} would write" in answer.out
    assert "emailoctopus: 1 request, at least <1 s." in answer.out
    assert "its automations may start" in answer.out
    assert "Augusta" not in answer.out + answer.err
    told = trial.run("undo", run_id, "--json")
    assert (told.status, told.json["done"], told.json["report"]) == (2, False, None)
    assert [(one["system"], one["action"], one["fields"]) for one in told.json["operations"]] == [
        ("emailoctopus", "update", ["FirstName"])
    ]
    assert (trial.writes(), name_there(trial)) == ([], "Augusta")


@pytest.mark.usefixtures("after_first_load")
def test_with_yes_it_is_done_and_can_be_taken_back_again(trial: Trial) -> None:
    run_id = renamed(trial)
    answer = trial.run("undo", run_id, "--yes", "--json")
    assert (answer.status, answer.json["done"]) == (0, True)
    report = answer.json["report"]
    assert (report["mode"], report["outcome"], report["written"]["emailoctopus"]["updated"]) == ("undo", "ok", 1)
    assert name_there(trial) == "Ada"
    assert trial.run("reconcile", "--full", "--json").pair["written"]["emailoctopus"]["updated"] == 0
    assert trial.run("status", "--json").pair["diverged"] == 1
    again = trial.run("undo", report["run_id"], "--yes")
    assert again.status == 0
    assert "It is a run of its own: `sync-daemon undo " in again.out
    assert name_there(trial) == "Augusta"


@pytest.mark.usefixtures("after_first_load")
@pytest.mark.parametrize(("word", "status", "name"), [("yes", 0, "Ada"), ("no", 2, "Augusta"), ("", 2, "Augusta")])
def test_on_a_terminal_it_asks(trial: Trial, word: str, status: int, name: str) -> None:
    run_id = renamed(trial)
    ended, shown = answered(trial, word, "undo", run_id)
    assert (ended, name_there(trial)) == (status, name)
    assert "Type `yes` to do it:" in shown


@pytest.mark.usefixtures("after_first_load")
def test_what_was_created_goes_on_demand_alone(trial: Trial) -> None:
    ghl_id = str(trial.ghl.create(email="new.undo@example.com", firstName="New").id)
    run_id = str(trial.run("reconcile", "--json").pair["run_id"])
    listed = trial.run("undo", run_id, "--json")
    assert (listed.status, listed.json["operations"]) == (0, [])
    assert [(one["ghl_id"], one["what"]) for one in listed.json["left"]] == [(ghl_id, "creation")]
    assert "--delete-created" in listed.json["left"][0]["reason"]
    assert f"nothing of {run_id} is to be undone" in trial.run("undo", run_id).out
    done = trial.run("undo", run_id, "--delete-created", "--yes", "--json")
    assert (done.status, done.json["report"]["written"]["emailoctopus"]["deleted"]) == (0, 1)
    assert trial.run("reconcile", "--full", "--json").pair["written"]["emailoctopus"]["created"] == 0


@pytest.mark.usefixtures("after_first_load")
def test_a_run_that_wrote_nothing(trial: Trial) -> None:
    run_id = trial.run("reconcile", "--json").pair["run_id"]
    answer = trial.run("undo", run_id, "--yes")
    assert answer.status == 0
    assert "nothing of" in answer.out


@pytest.mark.parametrize("before", [False, True])
def test_a_run_that_nobody_knows(trial: Trial, *, before: bool) -> None:
    if before:
        trial.run("reconcile")
    complained(
        trial.run("undo", "20260101T000000-abcdef", "--yes"), "No run 20260101T000000-abcdef of sandbox is known"
    )


@pytest.mark.usefixtures("after_first_load")
def test_a_run_that_was_erased(trial: Trial) -> None:
    run_id = renamed(trial)
    age(trial, WEEK + 60)
    trial.run("reconcile")
    complained(trial.run("undo", run_id, "--yes"), "was erased: it is kept for 7 days (retention.undo_days)")
    assert name_there(trial) == "Augusta"


@pytest.mark.usefixtures("after_first_load")
def test_where_nothing_is_kept(trial: Trial) -> None:
    set_undo_days(trial, 0)
    run_id = renamed(trial)
    complained(trial.run("undo", run_id, "--yes"), "retention.undo_days is 0")


@pytest.mark.usefixtures("after_first_load")
def test_a_run_of_another_pair_is_named(trial: Trial) -> None:
    run_id = renamed(trial)
    other = trial.config.split("pairs:\n")[1].replace("name: sandbox", "name: other")
    trial.config += other.replace(trial.sandbox.list_id, "7c0f1d2e-5858-488b-8a33-5cd075f8c895")
    complained(
        trial.run("undo", run_id, "--pair", "other"), f"Run {run_id} is one of the pair sandbox: say --pair sandbox."
    )
    assert trial.run("undo", run_id, "--pair", "sandbox", "--yes").status == 0
    assert name_there(trial) == "Ada"


@pytest.mark.usefixtures("after_first_load")
def test_a_run_that_is_going_on(trial: Trial) -> None:
    run_id = renamed(trial)
    engine = open_engine(f"sqlite:///{trial.folder / 'sync.db'}")
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM runs WHERE run_id = :run"), {"run": run_id})
        connection.execute(text("UPDATE leases SET holder = 'it', expires_at = 9000000000000000"))
    complained(trial.run("undo", run_id, "--yes"), f"Run {run_id} of the pair sandbox is going on")
    with writing(engine) as connection:
        connection.execute(text("UPDATE leases SET expires_at = 0"))
    engine.dispose()
    assert trial.run("undo", run_id, "--yes").status == 0, "it didn't get to its end, and was written down so far"


@pytest.mark.usefixtures("after_first_load")
def test_another_process_holds_the_pair(trial: Trial) -> None:
    run_id = renamed(trial)
    engine = open_engine(f"sqlite:///{trial.folder / 'sync.db'}")
    with writing(engine) as connection:
        connection.execute(text("UPDATE leases SET holder = 'it', expires_at = 9000000000000000"))
    engine.dispose()
    answer = trial.run("undo", run_id, "--yes", "--json")
    assert (answer.status, answer.json["report"]["outcome"], trial.writes()) == (6, "busy", [])


@pytest.mark.parametrize(
    "arguments", [("undo",), ("undo", "a", "b"), ("undo", "a", "--nonsense"), ("undo", "a", "--pair", "x")]
)
def test_wrong_input_is_told_without_a_trace(trial: Trial, arguments: tuple[str, ...]) -> None:
    answer = trial.run(*arguments)
    assert answer.status == 2
    assert "Traceback" not in answer.out + answer.err


@pytest.mark.usefixtures("after_first_load")
def test_killed_in_the_middle_it_is_brought_to_its_end_by_repeating_it(trial: Trial) -> None:
    ids = [str(trial.ghl.create(email=f"u{each}@example.com", firstName=f"U{each}").id) for each in range(5)]
    trial.run("reconcile")
    for ghl_id in ids:
        trial.ghl.edit(ghl_id, firstName="Same")
    run_id = str(trial.run("reconcile", "--json").pair["run_id"])
    process = trial.start_and_signal(SystemName.EMAILOCTOPUS, 1, Signals.SIGKILL, "undo", run_id, "--yes")
    assert finished(process).status == -SIGKILL
    trial.sandbox.emailoctopus.weather = Weather()
    let_leases_run_out(f"sqlite:///{trial.folder / 'sync.db'}")
    answer = trial.run("undo", run_id, "--yes", "--json")
    assert (answer.status, answer.json["left"]) == (0, [])
    names = {
        row["fields"]["FirstName"] for row in state_of(trial.sandbox.emailoctopus_app) if row["email_address"][0] == "u"
    }
    assert {f"U{each}" for each in range(5)} <= names
    assert trial.run("reconcile", "--full", "--json").pair["written"]["emailoctopus"]["updated"] == 0


def complained(answer: Answer, words: str) -> None:
    assert answer.status == 2
    assert words in answer.err
    assert "Traceback" not in answer.err
    assert answer.out == ""
