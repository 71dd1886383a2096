"""`held`: what waits for a person, as a guard stopped it, and what comes of his word; wrong input too."""

import pytest

from tests.e2e.trial import Trial
from tests.worlds import state_of

pytestmark = pytest.mark.usefixtures("with_tables")

GUARD = "    guard: {max_destructive_percent: 0, max_destructive_count: 1}\n"
KEYS = ["id", "pair", "ghl_id", "emailoctopus_id", "action", "reason"]


def hold(trial: Trial, number: int = 3) -> list[str]:
    """Some links whose tags the outside removes, all of them held; their ids in GHL."""
    trial.config += GUARD
    ids = [str(trial.ghl.create(email=f"held{one}@example.com", tags=["goes"]).id) for one in range(number)]
    trial.run("reconcile")
    for ghl_id in ids:
        trial.ghl.remove_tags(ghl_id, ["goes"])
    answer = trial.run("reconcile", "--full", "--json")
    assert (answer.status, answer.pair["outcome"]) == (5, "held")
    assert (answer.pair["held"], answer.pair["new_held"]) == (number, number)
    return ids


def hold_in_the_last(trial: Trial) -> None:
    """The same in the last of several pairs, alone."""
    trial.config += GUARD
    ids = [str(trial.ghl.create(email=f"held{one}@example.com", tags=["goes"]).id) for one in range(3)]
    assert trial.run("reconcile").status == 0
    for ghl_id in ids:
        trial.ghl.remove_tags(ghl_id, ["goes"])
    assert trial.run("reconcile", "--full", "--pair", "other").status == 5


def goes(trial: Trial) -> int:
    return sum("goes" in row["tags"] for row in state_of(trial.sandbox.emailoctopus_app))


def held_ids(trial: Trial) -> list[str]:
    return [str(row["id"]) for row in trial.run("held", "list", "--json").json["held"]]


@pytest.mark.usefixtures("after_first_load")
def test_what_is_held_is_listed_with_the_reason(trial: Trial) -> None:
    ids = hold(trial)
    rows = trial.run("held", "list", "--json").json["held"]
    assert [list(row) for row in rows] == [KEYS] * 3
    assert {(row["pair"], row["ghl_id"], row["action"]) for row in rows} == {
        ("sandbox", ghl_id, "tag_removal") for ghl_id in ids
    }
    assert rows[0]["reason"].startswith("contacts with removed tags: 3 in one cycle, more than 1 and more than 0% of ")

    answer = trial.run("held", "list", "--pair", "sandbox")
    assert answer.status == 0
    assert all(ghl_id in answer.out for ghl_id in ids)
    assert "tag removal" in answer.out
    assert trial.run("status", "--json").pair["held"] == 3
    assert "@" not in answer.out + answer.err


@pytest.mark.usefixtures("after_first_load")
def test_a_plan_tells_what_waits_from_before(trial: Trial) -> None:
    assert "from before" not in trial.run("plan").out
    hold(trial)
    assert "3 contacts have something held from before: `held list` shows what." in trial.run("plan").out


@pytest.mark.usefixtures("after_first_load")
def test_the_next_reconcile_obeys(trial: Trial) -> None:
    hold(trial)
    first, second, _ = held_ids(trial)
    answer = trial.run("held", "approve", first)
    assert (answer.status, answer.out) == (
        0,
        "1 change approved: the next cycle proves each again, and makes it if it holds true still.\n",
    )
    assert "approved" in trial.run("held", "list").out
    assert trial.run("held", "discard", second).status == 0
    trial.forget_requests()
    assert trial.run("reconcile").status == 5
    assert (len(trial.writes()), goes(trial), len(held_ids(trial))) == (1, 2, 1)

    assert trial.run("held", "approve", "--pair", "sandbox").status == 0
    assert trial.run("reconcile").status == 0
    assert (goes(trial), held_ids(trial)) == (1, [])
    assert trial.run("held", "approve").out == "Nothing is held.\n"


@pytest.mark.usefixtures("after_first_load")
def test_an_id_that_nothing_is_held_under_changes_nothing(trial: Trial) -> None:
    hold(trial)
    first = held_ids(trial)[0]
    answer = trial.run("held", "approve", first, "77")
    assert (answer.status, answer.out) == (2, "")
    assert "Nothing is held under 77" in answer.err
    assert "Nothing was changed." in answer.err
    assert "approved" not in trial.run("held", "list").out


def test_a_pair_whose_location_changed_keeps_no_answer_of_the_others_back(trial: Trial) -> None:
    list_id = trial.emailoctopus.create_list("Another").id
    other = trial.config.split("pairs:\n")[1].replace("name: sandbox", "name: other")
    trial.config += other.replace(trial.sandbox.list_id, list_id)
    hold_in_the_last(trial)
    moved = trial.config.replace("location_id: ", "location_id: x", 1)
    answer = trial.run("held", "list", "--json", config=moved)
    assert answer.status == 2
    assert {row["pair"] for row in answer.json["held"]} == {"other"}
    assert len(answer.json["held"]) == 3
    assert "put the old ids back" in answer.err
    answer = trial.run("parked", "list", config=moved)
    assert (answer.status, answer.out) == (2, "Nothing is parked.\n")
    answer = trial.run("held", "approve", config=moved)
    assert (answer.status, answer.out.split(":")[0]) == (2, "3 changes approved")
    answer = trial.run("held", "list", "--pair", "sandbox", config=moved)
    assert (answer.status, answer.out) == (2, "")


@pytest.mark.parametrize(
    "arguments", [("approve", "x"), ("frob",), ("list", "--pair", "nope"), ("list", "7"), ("discard", "1.5")]
)
def test_wrong_input_is_told_without_a_trace(trial: Trial, arguments: tuple[str, ...]) -> None:
    answer = trial.run("held", *arguments)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err
    assert "Traceback" not in answer.err


def test_before_anything_ran_nothing_is_held(trial: Trial) -> None:
    assert (trial.run("held", "list").out, trial.run("held", "list", "--json").json) == (
        "Nothing is held.\n",
        {"held": []},
    )
    assert trial.run("held", "discard").out == "Nothing is held.\n"
    assert trial.run("held", "approve", "1").status == 2


@pytest.mark.usefixtures("after_first_load")
def test_a_plan_lists_what_would_be_held(trial: Trial) -> None:
    trial.config += GUARD
    ids = [str(trial.ghl.create(email=f"held{one}@example.com", tags=["goes"]).id) for one in range(2)]
    trial.run("reconcile")
    for ghl_id in ids:
        trial.ghl.remove_tags(ghl_id, ["goes"])
    plan = trial.run("plan", "--full", "--json")
    assert (plan.status, list(plan.pair)) == (0, ["pair", "operations", "requests", "least_seconds", "people"])
    assert {row["ghl_id"] for row in plan.pair["operations"]} == set(ids)
    assert all(row["reason"].startswith("would be held, ") for row in plan.pair["operations"])
    assert plan.pair["requests"] == {"ghl": 0, "emailoctopus": 0}
    words = trial.run("plan", "--full").out
    assert "sandbox: nothing to write." in words
    assert "sandbox: what would be held until somebody approves it" in words


@pytest.mark.usefixtures("after_first_load")
def test_a_narrowed_scope_is_applied_on_demand(trial: Trial) -> None:
    trial.ghl.create(email="vip@example.com", tags=["vip"])
    trial.run("reconcile")
    narrowed = f"{trial.config}{GUARD}    scope: {{tags_any: [vip]}}\n    on_leave_scope: unsubscribe\n"
    assert (
        trial.run("reconcile", "--full", "--json", config=narrowed).pair["written"]["emailoctopus"]["unsubscribed"] == 0
    )
    plan = trial.run("plan", "--apply-scope", "--json", config=narrowed).pair
    assert {row["action"] for row in plan["operations"]} == {"set_status"}
    left = len(plan["operations"])
    assert left > 1
    assert all("would be held" in row["reason"] for row in plan["operations"])
    answer = trial.run("reconcile", "--apply-scope", "--json", config=narrowed)
    assert (answer.status, answer.pair["mode"], answer.pair["held"]) == (5, "full", left)
    trial.run("held", "approve", config=narrowed)
    answer = trial.run("reconcile", "--json", config=narrowed)
    assert (answer.status, answer.pair["written"]["emailoctopus"]["unsubscribed"]) == (0, left)
