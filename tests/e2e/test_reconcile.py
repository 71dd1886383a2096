"""`reconcile` and `plan` on both APIs over real sockets: answers, exit statuses, and what reached the other side."""

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from sync_daemon.commands.demo.sides import Sides
from sync_daemon.sandbox.weather import Fault
from sync_daemon.settings.load import load
from sync_daemon.settings.variables import Variables
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import open_engine
from sync_daemon.store.installation import StateStore
from sync_daemon.wiring.clock import SystemClock
from tests.e2e.trial import Trial

pytestmark = pytest.mark.usefixtures("with_tables")

ZERO_WRITTEN = {
    "ghl": {"created": 0, "updated": 0, "dnd_set": 0, "dnd_lifted": 0, "deleted": 0},
    "emailoctopus": {"created": 0, "updated": 0, "unsubscribed": 0, "deleted": 0},
}
REPORT_KEYS = [
    "pair", "run_id", "mode", "outcome", "read", "changed", "written", "conflicts", "skipped", "parked", "new_parked",
    "held", "new_held", "diverged", "consent_held", "missed_by_poll", "requests", "throttled", "duration_s",
]  # fmt: skip


def differences(trial: Trial) -> list[str]:
    pair = load(trial.write(), Variables({})).pairs[0]
    return Sides(trial.sandbox, pair.policy().fields).compare().differences


def test_one_reconcile_makes_both_sides_equal_and_a_second_has_nothing_to_do(trial: Trial) -> None:
    assert differences(trial) != []

    first = trial.run("reconcile", "--json")
    assert (first.status, first.pair["outcome"], first.pair["mode"]) == (0, "ok", "full")
    assert list(first.pair) == REPORT_KEYS
    assert differences(trial) == []

    trial.forget_requests()
    second = trial.run("reconcile", "--json")
    assert (second.status, second.pair["written"], trial.writes()) == (0, ZERO_WRITTEN, [])
    assert second.pair["mode"] == "incremental"


def test_standard_output_is_the_answer_alone(trial: Trial) -> None:
    answer = trial.run("reconcile", "--json")
    assert answer.json["pairs"][0]["pair"] == "sandbox"
    assert '"event": "conflict"' in answer.err
    assert "@" not in answer.err


def test_a_table_tells_people_the_same(trial: Trial) -> None:
    answer = trial.run("reconcile")
    counts = re.search(r"sandbox +full +ok +30 / 30 +30 / 30 +(.*created.*)", answer.out)
    assert counts is not None, answer.out
    assert "skipped as no email" in answer.out


def test_a_plan_writes_nothing_and_foresees_what_reconcile_does(trial: Trial) -> None:
    plan = trial.run("plan", "--json")
    assert (plan.status, trial.writes()) == (0, [])
    assert re.fullmatch(r"[0-9a-f]{64}", plan.json["digest"])
    assert list(plan.pair) == ["pair", "operations", "requests", "least_seconds", "people"]
    operations = plan.pair["operations"]
    assert all(list(one) == ["system", "action", "ghl_id", "emailoctopus_id", "fields", "reason"] for one in operations)

    written = trial.run("reconcile", "--json").pair["written"]

    for system, word, action in [
        ("ghl", "created", "create"),
        ("emailoctopus", "created", "create"),
        ("ghl", "dnd_set", "set_dnd"),
    ]:
        planned = [one for one in operations if (one["system"], one["action"]) == (system, action)]
        assert len(planned) == written[system][word] > 0
    assert trial.run("plan", "--json").pair["operations"] == []


@pytest.mark.usefixtures("after_first_load")
def test_a_plan_leaves_the_state_as_it_is_though_another_process_holds_the_pair(trial: Trial) -> None:
    linked = next(contact for contact in trial.ghl.contacts if contact.email and "firstName" in contact.fields)
    trial.ghl.edit(linked.id, firstName="Renamed")
    before = state(trial)
    with held_by_another(trial):
        plan = trial.run("plan", "--full", "--json")

    assert [one["fields"] for one in plan.pair["operations"]] == [["FirstName"]]
    assert state(trial) == before


def state(trial: Trial) -> list[str]:
    """Every row of the state store but the lease."""
    with closing(sqlite3.connect(trial.folder / "sync.db")) as database:
        return [line for line in database.iterdump() if '"leases"' not in line]


@contextmanager
def held_by_another(trial: Trial) -> Iterator[None]:
    until = int((time.time() + 30) * 1_000_000)
    with closing(sqlite3.connect(trial.folder / "sync.db", isolation_level=None)) as database:
        database.execute("UPDATE leases SET holder = 'another', expires_at = ?", (until,))
        yield
        assert database.execute("SELECT holder FROM leases").fetchall() == [("another",)]


def test_a_plan_shows_values_of_a_field_that_is_yet_to_be_made(trial: Trial) -> None:
    operations = trial.run("plan", "--json").pair["operations"]

    assert operations[0] == {
        "system": "emailoctopus",
        "action": "create_field",
        "ghl_id": None,
        "emailoctopus_id": None,
        "fields": ["Renewal"],
        "reason": "the configuration names it and the account doesn't have it",
    }
    assert [one for one in operations if one["action"] == "update" and "Renewal" in one["fields"]]
    assert "Renewal" not in trial.emailoctopus.lists[trial.sandbox.list_id].fields


def test_a_plan_in_words_tells_what_it_costs(trial: Trial) -> None:
    answer = trial.run("plan")
    assert "emailoctopus gets the field Renewal (date) first." in answer.out
    assert re.search(r"emailoctopus: \d+ requests, which its rate limit lets pass in", answer.out)
    assert "could be mailed by EmailOctopus's automations" in answer.out
    assert "only GoHighLevel has this contact" in answer.out


@pytest.mark.usefixtures("after_first_load")
def test_missing_fields_are_made_once(trial: Trial) -> None:
    fields = trial.emailoctopus.lists[trial.sandbox.list_id].fields
    trial.run("reconcile")
    assert fields["Renewal"].type == "date"

    trial.emailoctopus.delete_field(trial.sandbox.list_id, "Renewal")
    answer = trial.run("reconcile", "--full", "--json")

    assert (answer.status, "Renewal" in fields) == (0, False)
    assert '"event": "field_suspended"' in answer.err


@pytest.mark.usefixtures("after_first_load")
def test_a_new_row_of_the_mapping_is_made_too(trial: Trial) -> None:
    more = trial.config + "      - {ghl: custom.lead_score, emailoctopus: Score, direction: to_emailoctopus}\n"

    assert trial.run("reconcile", config=more).status == 0
    assert "Score" in trial.emailoctopus.lists[trial.sandbox.list_id].fields


@pytest.mark.parametrize(
    ("added", "told"),
    [
        ("      - {ghl: custom.lead_score, emailoctopus: Score}\n", "say which way it goes"),
        (
            "      - {ghl: custom.nothing, emailoctopus: Nothing}\n",
            "pairs.sandbox.fields[6]: neither has the GHL location a field custom.nothing",
        ),
        (
            "    create_missing_fields: false\n",
            "sync.yaml, line 22: pairs.sandbox.fields[5]: the EmailOctopus list has no field Renewal",
        ),
        ("    new_contact_status: pending\n", "pairs.sandbox.new_contact_status: `pending` needs a list with double"),
        ("    resubscribe: pending\n", "pairs.sandbox.resubscribe: `pending` needs a list with double opt-in"),
        ("    nonsense: 1\n", "pairs.sandbox.nonsense: there is no such key"),
    ],
)
@pytest.mark.parametrize("command", ["reconcile", "plan", "check"])
def test_what_the_accounts_make_impossible_is_a_configuration_error(
    trial: Trial, command: str, added: str, told: str
) -> None:
    answer = trial.run(command, config=trial.config + added)

    assert (answer.status, trial.writes()) == (2, [])
    assert told in answer.err + answer.out
    assert "Traceback" not in answer.err


@pytest.mark.parametrize("command", ["reconcile", "plan", "check"])
def test_refused_credentials(trial: Trial, command: str) -> None:
    answer = trial.run(command, config=trial.config.replace("token: pit-", "token: pit-x"))

    assert (answer.status, trial.writes()) == (4, [])
    assert "pairs.sandbox.ghl.token" in answer.err + answer.out
    assert trial.sandbox.ghl_token[4:] not in answer.err + answer.out


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("command", [["reconcile"], ["reconcile", "--full"], ["plan", "--full"], ["check"]])
def test_both_credentials_that_are_refused_are_named(trial: Trial, command: list[str], *, before: bool) -> None:
    if before:
        trial.run("reconcile")
    wrong = trial.config.replace("token: pit-", "token: pit-x").replace("api_key: eo_", "api_key: eo_x")

    answer = trial.run(*command, config=wrong)

    assert answer.status == 4
    for key in ("pairs.sandbox.ghl.token", "pairs.sandbox.emailoctopus.api_key"):
        assert (answer.err + answer.out).count(key) == 1


def test_a_pair_that_is_refused_keeps_no_other_from_being_planned(trial: Trial, tmp_path: Path) -> None:
    pair = trial.config[trial.config.index("  - name: sandbox") :]
    other = pair.replace("name: sandbox", "name: other").replace("token: pit-", "token: pit-x")
    both, file = trial.config + other.replace("location_id: ", "location_id: x"), tmp_path / "both.plan"

    table, told = trial.run("plan", "--out", str(file), config=both), trial.run("plan", "--json", config=both)

    assert (table.status, told.status, file.exists()) == (4, 4, False)
    assert "sandbox: what would be written" in table.out
    assert "other: GHL refused the token of `pairs.other.ghl.token`" in table.err
    assert "both.plan wasn't written" in table.err
    assert [one["pair"] for one in told.json["pairs"]] == ["sandbox"]


@pytest.mark.parametrize("before", [False, True])
def test_status_tells_of_a_cycle_that_could_not_begin(trial: Trial, *, before: bool) -> None:
    wrong = trial.config.replace("token: pit-", "token: pit-x")
    if before:
        trial.run("reconcile")

    refused = trial.run("reconcile", config=wrong)

    answer, told = trial.run("status", config=wrong), trial.run("status", "--json", config=wrong)
    assert (refused.status, answer.status, told.status) == (4, 0, 0)
    assert "the last run ended as auth: GHL refused the token of `pairs.sandbox.ghl.token`" in " ".join(
        answer.out.split()
    )
    assert told.pair["runs"][0]["outcome"] == "auth"
    assert "pairs.sandbox.ghl.token" in told.pair["runs"][0]["message"]
    assert trial.sandbox.ghl_token[4:] not in answer.out + told.out


@pytest.mark.usefixtures("after_first_load")
def test_credentials_refused_later_are_the_outcome(trial: Trial) -> None:
    answer = trial.run("reconcile", "--json", config=trial.config.replace("api_key: eo_", "api_key: eo_x"))
    assert (answer.status, answer.pair["outcome"]) == (4, "auth")


@pytest.mark.usefixtures("after_first_load")
def test_a_pair_that_another_process_holds(trial: Trial) -> None:
    with pair_store(trial) as store:
        assert store.open_pair(*pair_ids(trial)).acquire("somebody else", 30)

        answer = trial.run("reconcile", "--json")
        assert (answer.status, answer.pair["outcome"]) == (6, "busy")

        assert store.open_pair(*pair_ids(trial)).acquire("somebody else", 0.5)
        waited = trial.run("reconcile", "--json", "--wait", "20")
        assert (waited.status, waited.pair["outcome"]) == (0, "ok")


def test_what_is_refused_waits_as_parked(trial: Trial) -> None:
    trial.sandbox.emailoctopus.weather.plan_limit = 10
    answer = trial.run("reconcile", "--json")

    assert (answer.status, answer.pair["outcome"]) == (3, "parked")
    assert answer.pair["parked"] > 0
    assert trial.run("status", "--json").pair["parked"] == answer.pair["parked"]


def test_the_table_says_that_something_is_parked_whatever_else_happened(trial: Trial) -> None:
    trial.sandbox.emailoctopus.weather.faults.append(
        Fault(kind="error", status=422, method="POST", path="/contacts$", times=1)
    )
    assert "1 contact is parked, to be tried again; `parked list` shows which and why" in trial.run("reconcile").out

    answer = trial.run("reconcile", config=trial.config.replace("api_key: ", "api_key: x"))

    assert answer.status == 4
    assert "1 contact is parked, to be tried again; `parked list` shows which and why" in answer.out


def test_the_gravest_outcome_of_several_pairs_is_the_status(trial: Trial) -> None:
    trial.sandbox.emailoctopus.weather.plan_limit = 10
    pair = trial.config[trial.config.index("  - name:") :]
    refused = pair.replace("name: sandbox", "name: refused").replace("token: pit-", "token: pit-x")
    answer = trial.run("reconcile", "--json", config=trial.config + refused.replace("list_id: ", "list_id: 0"))

    assert [pair["outcome"] for pair in answer.json["pairs"]] == ["parked", "auth"]
    assert answer.status == 4


def test_one_pair_can_be_chosen(trial: Trial) -> None:
    assert trial.run("reconcile", "--json", "--pair", "sandbox").status == 0
    answer = trial.run("reconcile", "--pair", "nobody")
    assert (answer.status, "has no pair nobody; it has sandbox" in answer.err) == (2, True)


def pair_store(trial: Trial) -> StateStore:
    url = f"sqlite:///{trial.folder / 'sync.db'}"
    secret = (trial.folder / "sync.db.key").read_text().strip()
    return StateStore(open_engine(url), Secrets(secret), SystemClock())


def pair_ids(trial: Trial) -> tuple[str, str, str]:
    return "sandbox", trial.sandbox.location_id, trial.sandbox.list_id
