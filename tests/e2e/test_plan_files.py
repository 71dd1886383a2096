"""`plan --out` and `reconcile --plan` as a user runs them: files, refusals in words, exit statuses, crashes."""

import json
import re
import stat
from pathlib import Path
from signal import SIGKILL, Signals
from typing import Any

import pytest

from sync_daemon.model.report import Mode
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.weather import Weather
from sync_daemon.settings.load import load
from sync_daemon.settings.variables import Variables
from sync_daemon.wiring.installation import open_installation
from sync_daemon.wiring.planning import FullPlan, plan_pair
from sync_daemon.wiring.tally import Tally
from tests.e2e.test_personal_data import telling
from tests.e2e.test_reconcile import differences, state
from tests.e2e.trial import Trial, finished, let_leases_run_out

pytestmark = pytest.mark.usefixtures("with_tables")


@pytest.fixture
def planned(trial: Trial) -> Path:
    """The file of a first load's plan."""
    path = trial.folder / "first.plan"
    assert trial.run("plan", "--out", str(path)).status == 0
    trial.forget_requests()
    return path


def linked(trial: Trial, number: int = 0) -> Any:
    """Somebody in GHL who has an address and a name."""
    return [one for one in trial.ghl.contacts if one.email and "firstName" in one.fields][number]


def test_a_plan_is_carried_out_whole(trial: Trial, planned: Path) -> None:
    answer = trial.run("reconcile", "--plan", str(planned), "--json")

    followed = answer.pair["plan"]
    assert (answer.status, answer.pair["outcome"], answer.pair["mode"]) == (0, "ok", "full")
    assert followed["operations"] == followed["done"] == len(json.loads(planned.read_text())["pairs"][0]["operations"])
    assert (followed["refused"], followed["left"]) == ([], 0)
    assert differences(trial) == []


def test_what_has_moved_on_is_listed_and_left_to_the_next_reconcile(trial: Trial, planned: Path) -> None:
    trial.ghl.edit(linked(trial).id, firstName="Somebody", lastName="Else")
    trial.ghl.create(firstName="New", email="new@example.com")

    answer = trial.run("reconcile", "--plan", str(planned), "--json")

    followed = answer.pair["plan"]
    assert (answer.status, answer.pair["outcome"]) == (3, "ok")
    assert followed["left"] == 2
    assert followed["done"] + len(followed["refused"]) == followed["operations"]
    assert {one["ghl_id"] for one in followed["refused"]} == {linked(trial).id}
    assert list(followed["refused"][0]) == [
        "system", "action", "ghl_id", "emailoctopus_id", "fields", "code", "reason",
    ]  # fmt: skip
    assert {one["code"] for one in followed["refused"]} == {"moved_on"}
    assert trial.run("reconcile", "--json").status == 0
    assert differences(trial) == []


def test_a_table_lists_what_was_refused(trial: Trial, planned: Path) -> None:
    trial.ghl.edit(linked(trial).id, firstName="Somebody", lastName="Else")
    answer = trial.run("reconcile", "--plan", str(planned))
    assert answer.status == 3
    assert re.search(r"sandbox: \d+ planned operations: \d+ done, \d+ refused, as the world has moved on", answer.out)
    assert "1 record has changes that the plan doesn't hold: they wait for the next reconcile" in answer.out
    assert re.search(rf"emailoctopus +\w+ +{linked(trial).id}", answer.out)


def test_a_plan_that_was_carried_out_has_nothing_left_to_do(trial: Trial, planned: Path) -> None:
    trial.run("reconcile", "--plan", str(planned))
    trial.forget_requests()
    again = trial.run("reconcile", "--plan", str(planned), "--json")
    assert (again.status, again.pair["plan"]["done"], trial.writes()) == (3, 0, [])
    assert len(again.pair["plan"]["refused"]) == again.pair["plan"]["operations"]


def test_the_file_is_for_its_owner_alone_and_names_nobody(trial: Trial, planned: Path) -> None:
    assert stat.S_IMODE(planned.stat().st_mode) == 0o600
    assert [path.name for path in trial.folder.iterdir() if "plan" in path.name] == ["first.plan"]
    text = planned.read_text().lower()
    assert [one for one in telling(trial) if one.lower() in text] == []
    names = {str(each.fields.get("firstName") or "") for each in trial.ghl.contacts}
    assert [one for one in names if len(one) > 4 and one.lower() in text] == []  # shorter ones are in digests by chance


def test_the_answer_tells_the_digest_of_the_file_and_whom_it_touches(trial: Trial, planned: Path) -> None:
    again = trial.folder / "again.plan"
    answer = trial.run("plan", "--json", "--out", str(again))

    assert answer.json["file"] == str(again)
    assert json.loads(again.read_text())["digest"] == json.loads(planned.read_text())["digest"] == answer.json["digest"]
    created = [one["system"] for one in answer.pair["operations"] if one["action"] == "create"]
    people = answer.pair["people"]
    assert people["added"] == {system: created.count(system) for system in ("ghl", "emailoctopus")}
    dnd, status = (
        [one for one in answer.pair["operations"] if one["action"] == what] for what in ("set_dnd", "set_status")
    )
    assert people["unsubscribed"] == {"ghl": len(dnd), "emailoctopus": len(status)}
    assert created.count("emailoctopus") <= people["mailable"] <= len(trial.ghl.contacts)
    trial.ghl.edit(linked(trial).id, firstName="Somebody")
    assert trial.run("plan", "--json").json["digest"] != answer.json["digest"]


def test_a_plan_gives_way_to_a_newer_one_and_nothing_else_does(trial: Trial, planned: Path) -> None:
    before = planned.read_text()
    trial.ghl.edit(linked(trial).id, firstName="Somebody")
    assert trial.run("plan", "--out", str(planned)).status == 0
    assert planned.read_text() != before

    config = trial.write().read_text()
    answer = trial.run("plan", "--out", str(trial.path))
    assert (answer.status, trial.path.read_text()) == (2, config)
    assert "is there and isn't a plan" in answer.err

    answer = trial.run("plan", "--out", str(trial.folder / "nowhere" / "first.plan"))
    assert answer.status == 2
    assert "there is no folder" in answer.err


def refused(trial: Trial, plan: Path, told: str, *more: str, config: str | None = None) -> None:
    answer = trial.run("reconcile", "--plan", str(plan), *more, config=config)
    assert (answer.status, trial.writes()) == (2, []), answer.err
    assert told in " ".join(answer.err.split())
    assert "Traceback" not in answer.err


def test_what_is_no_plan_is_refused_in_words(trial: Trial, planned: Path) -> None:
    refused(trial, trial.folder / "none.plan", "can't be read: No such file")
    refused(trial, trial.path, "isn't a plan")
    planned.write_text(planned.read_text().replace('"action": "create"', '"action": "delete"', 1))
    refused(trial, planned, "was changed since it was made, or is damaged")


def test_a_plan_of_another_installation(trial: Trial, planned: Path) -> None:
    other = trial.config.replace("database_url", "secret_key: " + "x" * 40 + "\ndatabase_url").replace(
        "sync.db", "new.db"
    )
    refused(trial, planned, "made by another installation, or with another secret_key", config=other)


def test_a_plan_for_another_configuration(trial: Trial, planned: Path) -> None:
    for before, after, told in (
        ("name: sandbox", "name: other", "has a pair sandbox, which the configuration hasn't"),
        ("list_id: ", "list_id: 0", "the configuration names location"),
        ("emailoctopus: City}", "emailoctopus: City, direction: to_ghl}", "configuration of pair sandbox has changed"),
    ):
        refused(trial, planned, told, config=trial.config.replace(before, after, 1))
    for option in ("--full", "--apply-scope"):
        refused(trial, planned, "leave --full and --apply-scope away", option)


def test_other_credentials_and_intervals_are_no_other_configuration(trial: Trial, planned: Path) -> None:
    config = trial.config + "service: {poll_every: 30s}\n"
    assert trial.run("reconcile", "--plan", str(planned), config=config).status == 0


def test_one_pair_of_a_plan_can_be_chosen(trial: Trial, planned: Path) -> None:
    assert trial.run("reconcile", "--plan", str(planned), "--pair", "sandbox").status == 0
    pair = trial.config[trial.config.index("  - name:") :]
    trial.forget_requests()
    two = trial.config + pair.replace("name: sandbox", "name: second").replace("list_id: ", "list_id: 0")
    refused(trial, planned, "has no pair second; it has sandbox", "--pair", "second", config=two)


def test_a_field_is_made_as_planned_and_one_that_lacks_since_is_not(trial: Trial, planned: Path) -> None:
    fields = trial.emailoctopus.lists[trial.sandbox.list_id].fields
    trial.emailoctopus.delete_field(trial.sandbox.list_id, "Plan")

    refused(trial, planned, "lacks the field Plan by now, and the plan doesn't hold that it is made")
    assert not {"Plan", "Renewal"} & fields.keys()

    trial.run("plan", "--out", str(planned))
    assert trial.run("reconcile", "--plan", str(planned)).status == 0
    assert fields.keys() >= {"Plan", "Renewal"}


def test_a_killed_run_is_carried_on_by_the_same_plan(trial: Trial, planned: Path) -> None:
    died = trial.start_and_signal(SystemName.EMAILOCTOPUS, 5, Signals.SIGKILL, "reconcile", "--plan", str(planned))
    assert finished(died).status == -SIGKILL
    trial.sandbox.emailoctopus.weather = Weather()
    let_leases_run_out(f"sqlite:///{trial.folder / 'sync.db'}")

    answer = finished(trial.start("reconcile", "--plan", str(planned), "--json"))

    followed = answer.pair["plan"]
    assert answer.status in (0, 3)
    assert followed["left"] == 0
    assert {one["reason"].partition(":")[0] for one in followed["refused"]} <= {
        "nothing of the kind is to be done any more", "the account has the field by now",
    }  # fmt: skip
    assert differences(trial) == []
    trial.forget_requests()
    assert finished(trial.start("reconcile")).status == 0
    assert trial.writes() == []


def test_plans_reach_a_pipe_that_closes_early(trial: Trial) -> None:
    path = trial.folder / "first.plan"
    process = trial.start("plan", "--out", str(path))
    assert process.stdout is not None
    assert process.stdout.readline().startswith("sandbox: what would be written")
    process.stdout.close()
    process.wait(120)
    assert path.exists()


def foreseen(trial: Trial, config: str | None = None, *, apply_scope: bool = False) -> FullPlan:
    """The plan that an edit of the configuration would cause, which isn't on the disk."""
    settings = load(trial.write(), Variables({}))
    edited = load(trial.write(config), Variables({})).pairs[0]
    trial.write()
    with open_installation(settings) as installation:
        return plan_pair(installation, edited, Mode.FULL, Tally(), apply_scope=apply_scope)


@pytest.mark.usefixtures("after_first_load")
def test_an_edit_of_the_configuration_is_foreseen_before_it_is_written_and_leaves_nothing_behind(trial: Trial) -> None:
    before, fields = state(trial), dict(trial.emailoctopus.lists[trial.sandbox.list_id].fields)
    trial.forget_requests()

    assert foreseen(trial).planned.operations == ()

    more = trial.config + "      - {ghl: custom.lead_score, emailoctopus: Score, direction: to_emailoctopus}\n"
    mapping = foreseen(trial, more)
    assert [one.spec.name for one in mapping.new_fields] == ["Score"]
    updates = [one for one in mapping.cycle.operations if one.action == "update"]
    assert updates
    assert all(set(one.fields) == {"Score"} for one in updates)

    scope = trial.config + "    scope: {tags_any: [customer]}\n    on_leave_scope: unsubscribe\n"
    assert foreseen(trial, scope).cycle.operations == ()
    left = foreseen(trial, scope, apply_scope=True).cycle
    assert {one.action for one in (*left.operations, *left.held)} == {"set_status"}
    inside = {one.id for one in trial.ghl.contacts if "customer" in one.tags}
    assert not {one.ghl_id for one in (*left.operations, *left.held)} & inside

    policy = foreseen(trial, trial.config + "    guard: {max_destructive_percent: 0, max_destructive_count: 0}\n")
    assert policy.planned.operations == ()

    assert (trial.writes(), state(trial)) == ([], before)
    assert trial.emailoctopus.lists[trial.sandbox.list_id].fields == fields


def test_the_plan_of_an_edit_does_what_it_showed_once_the_edit_is_there(trial: Trial) -> None:
    trial.run("reconcile")
    scope = trial.config + "    scope: {tags_any: [customer]}\n    on_leave_scope: unsubscribe\n"
    scope += "    guard: {max_destructive_percent: 100}\n"
    path = trial.folder / "scope.plan"
    planned = trial.run("plan", "--apply-scope", "--out", str(path), "--json", config=scope).pair["operations"]
    assert planned

    answer = trial.run("reconcile", "--plan", str(path), "--json", config=scope)

    assert (answer.status, answer.pair["plan"]["done"]) == (0, len(planned))
    assert answer.pair["written"]["emailoctopus"]["unsubscribed"] == len(planned)
