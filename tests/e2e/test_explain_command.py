"""`explain` and `changes` as a person calls them: what they answer, what they cost, and what they never say."""

import csv
import hashlib
import io
import json
from pathlib import Path

import pytest

from sync_daemon.sandbox.weather import Fault
from tests.e2e.trial import Answer, Trial, finished

ADA = "ada.lovelace@example.com"
NAME = "Augustaaugusta"


@pytest.fixture
def ada(trial: Trial, after_first_load: None) -> str:
    """Somebody on both sides; her id in GHL."""
    ghl_id = str(trial.ghl.create(email=ADA, firstName=NAME, tags=["vip"]).id)
    assert trial.run("reconcile").status == 0
    trial.forget_requests()
    return ghl_id


def person(answer: Answer) -> dict[str, object]:
    (one,) = answer.pair["persons"]
    assert isinstance(one, dict)
    return one


def there(trial: Trial, ghl_id: str) -> str:
    """Her id in EmailOctopus."""
    contacts = trial.run("explain", ghl_id, "--offline", "--json").pair["persons"][0]["contacts"]
    return str(next(one["id"] for one in contacts if one["system"] == "emailoctopus"))


def test_a_person_by_address_and_by_either_id(trial: Trial, ada: str) -> None:
    for asked in (ADA, ADA.upper(), ada, there(trial, ada)):
        answer = trial.run("explain", asked, "--json")
        assert (answer.status, answer.pair["unread"]) == (0, {})
        assert [one["state"] for one in answer.pair["persons"][0]["findings"]] == ["equal"]
        assert max(answer.pair["requests"].values()) <= 2
    assert trial.writes() == []


def test_what_it_foretells_the_next_cycle_does(trial: Trial, ada: str) -> None:
    trial.ghl.edit(ada, lastName="Byron")
    trial.emailoctopus.unsubscribe(there(trial, ada))
    told = trial.run("explain", ADA, "--json").pair["persons"][0]["next_cycle"]["operations"]
    words = trial.run("explain", ADA)

    trial.run("reconcile")

    done = trial.run("changes", "--contact", ADA, "--last", "20", "--json").json["changes"]
    written = [(one["system"], one["what"], one["reason"]) for one in done if one["kind"] == "written"]
    for one in told:
        what = one["fields"][0] if one["action"] == "update" else one["action"]
        assert (one["system"], what, one["reason"]) in written
    assert {(one["system"], one["action"]) for one in told} == {("ghl", "set_dnd"), ("emailoctopus", "update")}
    assert words.status == 0
    for text in ("the next cycle (a poll): writes", "set dnd", "Byron", NAME, ADA, "unsubscribed in EmailOctopus"):
        assert text in words.out


def test_offline_asks_nobody_and_needs_no_credentials(trial: Trial, ada: str) -> None:
    config = trial.config.replace(trial.sandbox.ghl_token, "pit-wrong")

    answer = trial.run("explain", ADA, "--offline", config=config)

    assert answer.status == 0
    assert [*trial.sandbox.ghl.log.exchanges(), *trial.sandbox.emailoctopus.log.exchanges()] == []
    assert ada in answer.out
    assert NAME not in answer.out
    assert "What the next cycle does can't be told without reading GoHighLevel and EmailOctopus." in answer.out


@pytest.mark.parametrize(("status", "code"), [(401, 4), (503, 7)])
def test_what_one_system_doesn_t_tell_is_named_and_the_rest_is_answered(
    trial: Trial, ada: str, status: int, code: int
) -> None:
    trial.sandbox.emailoctopus.weather.faults.append(Fault(kind="error", status=status, times=999))

    answer = trial.run("explain", ADA, "--json")

    assert (answer.status, set(answer.pair["unread"])) == (code, {"emailoctopus"})
    assert answer.pair["persons"][0]["next_cycle"] is None
    assert answer.pair["persons"][0]["fields"][0]["ghl"]["value"] == NAME
    assert ada in {one["id"] for one in answer.pair["persons"][0]["contacts"]}


def test_a_paused_pair_says_so(trial: Trial, ada: str) -> None:
    assert trial.run("explain", ada, "--json").pair["paused_since"] is None
    assert trial.run("pause").status == 0
    assert "The pair is paused since" in trial.run("explain", ada).out
    assert trial.run("explain", ada, "--json").pair["paused_since"].endswith("Z")


def test_nobody(trial: Trial, ada: str) -> None:
    del ada
    for asked in ("nobody@example.com", "no-such-id"):
        answer = trial.run("explain", asked)
        assert (answer.status, answer.out) == (2, "")
        assert "nobody has that address or id" in answer.err
        assert asked not in answer.err
    assert trial.run("explain", "nobody@example.com", "--json").json["pairs"][0]["persons"] == []
    assert trial.run("explain", "").status == trial.run("explain").status == 2
    assert "without --offline" in trial.run("explain", "nobody@example.com", "--offline").err


def test_before_any_cycle_and_of_every_pair(trial: Trial) -> None:
    trial.ghl.create(email=ADA, firstName=NAME)
    list_id = trial.emailoctopus.create_list("Another").id
    other = trial.config.split("pairs:\n")[1].replace("name: sandbox", "name: other")
    both = trial.config + other.replace(trial.sandbox.list_id, list_id)

    answer = trial.run("explain", ADA, "--json", config=both)

    assert [(one["pair"], len(one["persons"])) for one in answer.json["pairs"]] == [("sandbox", 1), ("other", 1)]
    for one in answer.json["pairs"]:
        assert one["persons"][0]["next_cycle"]["mode"] == "full"
        assert [each["action"] for each in one["persons"][0]["next_cycle"]["operations"]] == ["create"]
    words = trial.run("explain", ADA, config=both).out
    assert "pair sandbox" in words
    assert "pair other" in words
    assert len(trial.run("explain", ADA, "--pair", "other", "--json", config=both).json["pairs"]) == 1
    assert trial.run("status", "--json", config=both).pair["links"] == 0
    assert trial.writes() == []


def test_the_answer_alone_names_the_person(trial: Trial, ada: str, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    trial.variables = {"SYNC_DAEMON_LOG_LEVEL": "debug", "TMPDIR": str(scratch)}
    trial.ghl.edit(ada, lastName="Byron")
    told = [finished(trial.start("explain", ADA)), finished(trial.start("changes", "--contact", ADA, "--json"))]

    assert [one.status for one in told] == [0, 0]
    assert NAME in told[0].out
    md5 = hashlib.md5(ADA.encode(), usedforsecurity=False).hexdigest()
    for secret in (ADA, NAME, "Byron", md5, trial.sandbox.ghl_token, trial.sandbox.emailoctopus_key):
        assert secret not in told[0].err + told[1].err
        assert secret not in told[1].out
    assert list(scratch.iterdir()) == [], "the copy is gone"


# changes


def test_the_log_by_run_contact_field_system_and_time(trial: Trial, ada: str) -> None:
    trial.ghl.edit(ada, lastName="Byron")
    run_id = trial.run("reconcile", "--json").pair["run_id"]

    def asked(*arguments: str) -> list[dict[str, str]]:
        answer = trial.run("changes", *arguments, "--json")
        assert (answer.status, set(answer.json)) == (0, {"changes", "more"})
        rows: list[dict[str, str]] = answer.json["changes"]
        return rows

    (line,) = asked("--run", run_id)
    assert (line["pair"], line["kind"], line["system"], line["ghl_id"]) == ("sandbox", "written", "emailoctopus", ada)
    assert (line["what"], line["reason"]) == ("LastName", "lastName changed in GoHighLevel")
    for name in ("lastName", "lastname", "LastName", "lastName=LastName"):
        assert line in asked("--field", name)
    assert asked("--contact", ADA) == asked("--contact", there(trial, ada)) == asked("--contact", ada)
    assert {row["ghl_id"] for row in asked("--contact", ada)} == {ada}
    assert {row["system"] for row in asked("--system", "ghl")} == {"ghl"}
    assert line in asked("--since", line["at"][:10])
    assert line not in asked("--until", line["at"][:10])
    assert asked("--contact", "nobody@example.com") == asked("--run", "nix") == []
    assert trial.run("changes", "--run", "nix").out == "Nothing is logged that fits.\n"
    assert len(asked("--last", "3")) == 3
    assert trial.run("changes", "--last", "3", "--json").json["more"] is True
    assert "--last N shows more" in trial.run("changes", "--last", "3").out


def test_the_log_exported(trial: Trial, ada: str) -> None:
    lines = [json.loads(one) for one in trial.run("changes", "--format", "jsonl").out.splitlines()]
    rows = list(csv.DictReader(io.StringIO(trial.run("changes", "--format", "csv").out)))

    assert [one["at"] for one in lines] == sorted(one["at"] for one in lines)
    assert all(one["at"].endswith("Z") for one in lines)
    assert [{name: value or "" for name, value in one.items()} for one in lines] == rows
    assert any(row["ghl_id"] == ada for row in rows)
    for answer, word in (
        (trial.run("changes", "--format", "csv", "--json"), "--format"),
        (trial.run("changes", "--format", "csv", "--last", "2"), "--since"),
        (trial.run("changes", "--since", "yesterday"), "--since takes a date"),
        (trial.run("changes", "--last", "0"), ""),
        (trial.run("changes", "--format", "xml"), "xml"),
    ):
        assert (answer.status, answer.out) == (2, "")
        assert word in answer.err


def test_nothing_is_logged_before_the_first_cycle(trial: Trial) -> None:
    assert trial.run("changes").out == "Nothing is logged that fits.\n"
    assert trial.run("changes", "--json").json == {"changes": [], "more": False}
    assert trial.run("changes", "--format", "jsonl").out == ""
    assert not (trial.folder / "sync.db").exists()
