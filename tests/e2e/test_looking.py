"""`check`, `status` and `db`: commands that only look, and the database brought up to date."""

import json
import re
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from sync_daemon.cli import run
from sync_daemon.sandbox.weather import Fault
from sync_daemon.store import migrate
from tests.e2e.trial import ROOT, Trial


def test_check_tells_accounts_mapping_and_quotas(trial: Trial) -> None:
    answer = trial.run("check", "--json")

    assert (answer.status, answer.pair["ok"], answer.pair["problems"]) == (0, True, [])
    assert answer.pair["accounts"]["ghl"] == "Sandbox Location: 30 contacts"
    assert answer.pair["accounts"]["emailoctopus"].startswith("Newsletter: ")
    assert answer.pair["mapping"][4] == {
        "ghl": "custom.plan",
        "ghl_type": "SINGLE_OPTIONS",
        "emailoctopus": "Plan",
        "emailoctopus_type": "text",
        "direction": "both",
        "conversion": "exact",
    }
    # A minute's polls, an hour's sweeps, one full scan; three statuses, ten minutes' counts, one full scan.
    assert answer.pair["requests_a_day"] == {"ghl": 1440 + 24 + 4, "emailoctopus": 3 * 1440 + 144 + 5}
    assert answer.pair["quotas"]["ghl"]["daily_limit"] == 200_000
    assert answer.pair["advice"] == ["reconcile will make the field Renewal (date) in emailoctopus."]


def test_check_changes_nothing(trial: Trial) -> None:
    trial.run("check")
    assert trial.writes() == []
    assert sorted(path.name for path in trial.folder.iterdir()) == ["sync.yaml"]


def test_check_in_words(trial: Trial) -> None:
    answer = trial.run("check")
    assert "custom.plan" in answer.out
    assert "Nothing stops a reconcile." in answer.out


def test_check_advises_on_what_is_odd_but_works(trial: Trial) -> None:
    odd = trial.config.replace("Plan}", "Plan, conflict: newest}")
    odd += "    rules: [{when: {event: opened}, then: [{add_tag: reader}]}]\n"
    advice = " ".join(trial.run("check", "--json", config=odd).pair["advice"])
    assert "any touch counts" in advice
    assert "pairs.sandbox.rules[0] acts on opened" in advice


def test_check_counts_the_reads_by_id_that_a_time_zone_costs(trial: Trial) -> None:
    zoned = trial.config.replace("    fields:\n", "    fields:\n      - {ghl: timezone, emailoctopus: Zone}\n")
    answer = trial.run("check", "--json", config=zoned)
    assert answer.pair["requests_a_day"]["ghl"] == 1440 + 24 + 4 + 30
    assert any("reads every contact by id (30 requests)" in line for line in answer.pair["advice"])


def test_check_tells_every_problem_at_once(trial: Trial) -> None:
    broken = trial.config.replace("location_id: ", "location_id: x").replace("list_id: ", "list_id: 0")
    answer = trial.run("check", "--json", config=broken)
    told = " ".join(answer.pair["problems"])
    assert (answer.status, answer.pair["ok"]) == (2, False)
    assert "pairs.sandbox.ghl.location_id" in told
    assert "pairs.sandbox.emailoctopus.list_id" in told


@pytest.mark.usefixtures("after_first_load")
def test_check_knows_a_store_made_with_another_secret(trial: Trial) -> None:
    answer = trial.run("check", config=f"secret_key: {'another' * 10}\n{trial.config}")
    assert (answer.status, "another secret_key" in answer.err) == (2, True)


@pytest.mark.parametrize("command", [["check"], ["status"], ["plan"], ["reconcile"], ["db", "upgrade"]])
def test_a_database_of_a_newer_version_is_left_alone(trial: Trial, command: list[str]) -> None:
    trial.run("status")
    with closing(sqlite3.connect(trial.folder / "sync.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")

    answer = trial.run(*command)

    assert (answer.status, answer.out) == (2, "")
    assert "made by a newer version of sync-daemon" in answer.err


def test_a_database_where_no_folder_can_be_is_told(trial: Trial) -> None:
    answer = trial.run("status", config=trial.config.replace("sync.db", "sync.yaml/sync.db"))
    assert answer.status == 2
    assert "sync.yaml is no folder; name another file in database_url" in answer.err


@pytest.mark.parametrize("command", ["reconcile", "plan", "status", "check"])
def test_a_lost_key_file_is_asked_for_and_not_replaced(trial: Trial, command: str) -> None:
    trial.run("status")
    (trial.folder / "sync.db.key").unlink()

    answer = trial.run(command)

    assert (answer.status, trial.writes()) == (2, [])
    assert re.search(r"sync\.db\.key is missing.*put it back", answer.err)
    assert not (trial.folder / "sync.db.key").exists()


def test_status_before_and_after_a_run(trial: Trial) -> None:
    before = trial.run("status", "--json")
    assert (before.status, before.pair["runs"], before.pair["lag_s"]) == (0, [], None)

    trial.run("reconcile")
    after = trial.run("status", "--json").pair

    assert after["links"] > 20
    assert after["runs"][0]["outcome"] == "ok"
    assert after["runs"][0]["report"]["mode"] == "full"
    assert after["lag_s"] < 60
    assert set(after["watermarks"]) == {
        "ghl.contacts", "emailoctopus.subscribed", "emailoctopus.unsubscribed", "emailoctopus.pending"
    }  # fmt: skip
    assert after["unlinked"]["duplicate"] > 0
    assert "full, " in trial.run("status").out


def test_status_tells_what_is_parked_and_why(trial: Trial) -> None:
    refusal = Fault(kind="error", status=422, method="POST", path="/contacts$", times=1)
    trial.sandbox.emailoctopus.weather.faults.append(refusal)
    done = trial.run("reconcile", "--json")
    assert (done.status, done.pair["parked"]) == (3, 1)
    assert done.pair["written"]["emailoctopus"]["created"] > 0

    pair, words = trial.run("status", "--json").pair, trial.run("status").out

    (parked,) = pair["parked_changes"]
    assert (parked["what"], parked["attempts"], parked["emailoctopus_id"]) == ("creation", 1, None)
    for told in (parked["ghl_id"], parked["code"], "creation"):
        assert told in words
    # The API's own words may repeat the value that was sent: they are for `parked list` alone.
    (listed,) = trial.run("parked", "list", "--json").json["parked"]
    assert listed["error"]
    assert "error" not in parked
    assert listed["error"] not in words + done.err
    (logged,) = [line for line in map(json.loads, done.err.splitlines()) if line["event"] == "parked"]
    assert {name: logged[name] for name in ("pair", "ghl_id", "emailoctopus_id", "what", "code", "attempts")} == {
        "pair": "sandbox",
        **{name: parked[name] for name in ("ghl_id", "emailoctopus_id", "what", "code", "attempts")},
    }
    assert 0 < pair["quota_left"]["ghl"] < 200_000
    assert f"{pair['quota_left']['ghl']:,} requests of ghl's daily quota" in words
    assert "quota_left" not in pair["runs"][0]


@pytest.mark.usefixtures("after_first_load")
def test_status_tells_of_a_changed_location(trial: Trial) -> None:
    answer = trial.run("status", "--json", config=trial.config.replace("location_id: ", "location_id: x"))
    assert (answer.status, "put the old ids back" in answer.pair["problem"]) == (0, True)


@pytest.mark.parametrize("command", ["status", "check"])
def test_who_only_looks_leaves_what_was_known_of_another_list(trial: Trial, command: str) -> None:
    alone = trial.config.replace(
        "    fields:", "    create_in_ghl: false\n    create_in_emailoctopus: false\n    fields:"
    )
    other = trial.emailoctopus.create_list("Another").id
    empty = alone.replace(f"list_id: {trial.sandbox.list_id}", f"list_id: {other}")
    assert trial.run("reconcile", config=empty).status == 0
    before = dump(trial)

    answer = trial.run(command, "--json")

    assert answer.status == 0
    assert dump(trial) == before
    if command == "status":
        assert (answer.pair["problem"], answer.pair["watermarks"], answer.pair["staged"]) == (None, {}, 0)


def test_status_names_the_tags_that_collide(trial: Trial) -> None:
    ghl = trial.ghl.create(email="ada@example.com", tags=["eo: summer"])
    trial.emailoctopus.add(trial.sandbox.list_id, "ada@example.com", {}, ["Summer"])
    prefixed = trial.config.replace("    fields:", "    tags: {prefix_from_emailoctopus: 'eo: '}\n    fields:")
    done = trial.run("reconcile", config=prefixed)
    assert (done.status, ghl.tags) == (0, ("eo: summer",))
    assert '"event": "tags_collide"' in done.err
    assert "summer" not in done.err.lower()

    assert trial.run("status", "--json").pair["colliding_tags"] == [{"tag": "Summer", "system": "emailoctopus"}]
    assert (
        "tags left alone, as they would become one with another tag: Summer (emailoctopus)" in trial.run("status").out
    )


def dump(trial: Trial) -> list[str]:
    """Every row of the state store."""
    with closing(sqlite3.connect(trial.folder / "sync.db")) as database:
        return list(database.iterdump())


def test_status_waits_for_nothing_it_does_not_need() -> None:
    code = (
        "import sys, sync_daemon.cli, sync_daemon.commands.status\n"
        "print({'httpx', 'alembic', 'uvicorn', 'starlette', 'phonenumbers', 'asyncpg'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_key_file_is_its_owners_alone_and_said_so(trial: Trial) -> None:
    answer = trial.run("status")
    assert stat.S_IMODE((trial.folder / "sync.db.key").stat().st_mode) == 0o600
    assert '"event": "key_file_made"' in answer.err


def test_db_needs_no_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["db", "current"]) == 0
    assert capsys.readouterr().out.startswith("no tables yet")

    assert run(["db", "upgrade"]) == 0
    assert run(["db", "upgrade"]) == 0
    head = migrate.head()
    assert capsys.readouterr().out == f"Upgraded from nothing to {head}.\nUp to date already.\n"
    assert (tmp_path / "data" / "sync.db").exists()

    assert run(["db", "current", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"version": head, "head": head}
    assert run(["db", "upgrade", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"before": head, "version": head}


def test_db_takes_a_file_that_is_named_at_its_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["db", "upgrade", "--config", "nowhere.yaml"]) == 2
    assert "There is no configuration file nowhere.yaml" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["reconcile", "plan", "status", "check"])
def test_an_old_database_may_be_kept_from_being_upgraded(
    trial: Trial, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite3.connect(trial.folder / "sync.db").close()
    (trial.folder / "sync.db").touch()
    monkeypatch.setenv("SYNC_DAEMON_AUTO_MIGRATE", "0")

    answer = trial.run(command)

    assert answer.status == 2
    assert "run `sync-daemon db upgrade`" in answer.err + answer.out
    monkeypatch.delenv("SYNC_DAEMON_AUTO_MIGRATE")
    assert trial.run(command).status == 0
