"""`parked list|retry|drop`: what a person sees of refused changes, and the orders he gives."""

import pytest

from sync_daemon.sandbox.weather import Fault
from tests.e2e.test_reconcile import pair_ids, pair_store
from tests.e2e.trial import Trial


@pytest.fixture
def refused(trial: Trial, after_first_load: None) -> Trial:
    """A cycle of which EmailOctopus refused two creations."""
    for name in ("one", "other"):
        trial.ghl.create(email=f"{name}@example.com", firstName=name)
    trial.sandbox.emailoctopus.weather.faults.append(
        Fault(kind="error", status=422, method="POST", path="/contacts$", times=2)
    )
    assert trial.run("reconcile").status == 3
    return trial


def test_list_tells_what_is_parked_in_the_api_s_own_words(refused: Trial) -> None:
    answer = refused.run("parked", "list", "--json")

    assert (answer.status, set(answer.json)) == (0, {"parked"})
    one, other = answer.json["parked"]
    assert list(one) == ["id", "pair", "ghl_id", "emailoctopus_id", "what", "error", "attempts", "next_try"]
    assert (one["pair"], one["emailoctopus_id"], one["what"], one["attempts"]) == ("sandbox", None, "creation", 1)
    assert one["next_try"].endswith("Z")
    words = refused.run("parked", "list")
    for told in (str(one["id"]), one["ghl_id"], other["ghl_id"], one["error"], "creation", "again at"):
        assert told in words.out
    assert [row["id"] for row in refused.run("parked", "list", str(other["id"]), "--json").json["parked"]] == [
        other["id"]
    ]


def test_retry_and_drop_are_orders_that_the_next_cycle_obeys(refused: Trial) -> None:
    one, other = refused.run("parked", "list", "--json").json["parked"]
    refused.forget_requests()

    asked = refused.run("parked", "retry", str(one["id"]))
    assert (asked.status, asked.out.startswith("1 change is tried again by the next cycle")) == (0, True)
    assert refused.run("parked", "drop", str(other["id"]), "--json").json == {"dropped": [other["id"]]}
    assert "dropped by the next cycle" in refused.run("parked", "list").out
    assert refused.writes() == [], "an order alone writes nothing"

    done = refused.run("reconcile", "--json")

    assert (done.status, done.pair["parked"]) == (0, 0)
    assert done.pair["written"]["emailoctopus"]["created"] == 1
    assert refused.run("parked", "list").out == "Nothing is parked.\n"
    # Who changed his mind about what he dropped says so by the id he noted.
    assert refused.run("parked", "retry", str(other["id"]), "--json").json == {"retried": [other["id"]]}
    assert refused.run("reconcile", "--json").pair["written"]["emailoctopus"]["created"] == 1


def test_without_ids_all_of_the_pair(refused: Trial) -> None:
    ids = [row["id"] for row in refused.run("parked", "list", "--json").json["parked"]]
    assert refused.run("parked", "retry", "--pair", "sandbox", "--json").json == {"retried": ids}
    assert refused.run("reconcile").status == 0
    assert refused.run("parked", "retry").out == refused.run("parked", "drop").out == "Nothing is parked.\n"


@pytest.mark.parametrize("command", ["list", "retry", "drop"])
def test_an_unknown_id_is_refused_and_nothing_is_done(refused: Trial, command: str) -> None:
    known = refused.run("parked", "list", "--json").json["parked"]
    answer = refused.run("parked", command, str(known[0]["id"]), "4711")
    assert (answer.status, answer.out) == (2, "")
    assert "No parked change has the id 4711: nothing was done." in answer.err
    assert refused.run("parked", "list", "--json").json["parked"] == known


@pytest.mark.parametrize("words", [["drop", "first"], ["drop", "--pair", "nobody"], ["throw"]])
def test_wrong_usage_is_told(trial: Trial, words: list[str]) -> None:
    answer = trial.run("parked", *words)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err


def test_before_anything_ran(trial: Trial) -> None:
    assert trial.run("parked", "list").out == "Nothing is parked.\n"
    assert trial.run("parked", "list", "--json").json == {"parked": []}
    assert trial.run("parked", "drop", "--json").json == {"dropped": []}
    answer = trial.run("parked", "retry", "1")
    assert (answer.status, "No parked change has the id 1" in answer.err) == (2, True)
    assert not (trial.folder / "sync.db").exists(), "who only looks makes no database"


def test_orders_need_no_lease(refused: Trial) -> None:
    with pair_store(refused) as store:
        assert store.open_pair(*pair_ids(refused)).acquire("another process", 30)
        assert refused.run("parked", "retry").status == 0
