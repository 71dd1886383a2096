"""`sync-daemon forget`, `pause` and `resume`, as their users meet them."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from sync_daemon.model.report import CycleOutcome, CycleReport, Mode
from sync_daemon.sandbox.weather import Fault
from sync_daemon.service.turn import PairTurn
from sync_daemon.settings.load import load
from sync_daemon.settings.variables import Variables
from sync_daemon.store.engine import open_engine, writing
from sync_daemon.store.tables import leases
from sync_daemon.wiring.installation import open_installation
from tests.e2e.test_service import service, somebody, until
from tests.e2e.test_starting_over import everything, with_secret
from tests.e2e.trial import Trial, finished

FIRST, SECOND = "the first secret of this installation", "the second secret of this installation"


def linked(trial: Trial) -> tuple[str, str, str]:
    """Somebody who is in sync: both ids and the address."""
    assert trial.run("reconcile").status == 0
    ghl_id, octopus_id = somebody(trial)
    return ghl_id, octopus_id, str(subscriber(trial, octopus_id).email_address)


def subscriber(trial: Trial, octopus_id: str) -> Any:
    found = [one for one in trial.emailoctopus.lists[trial.sandbox.list_id].contacts if one.id == octopus_id]
    return found[0] if found else None


def person(trial: Trial, ghl_id: str) -> Any:
    found = [one for one in trial.ghl.contacts if one.id == ghl_id]
    return found[0] if found else None


def traces(trial: Trial, *texts: str) -> list[str]:
    """Those of some texts whose bytes stand in any file of the database, its log included."""
    files = [path.read_bytes() for path in trial.folder.glob("sync.db*")]
    assert files
    return [text for text in texts if any(text.encode() in content for content in files)]


def test_no_file_of_the_database_holds_a_byte_of_who_was_forgotten(trial: Trial) -> None:
    """Through a life with webhooks, an undone delivery, a conflict and a refusal; and then in all that comes after."""
    ghl_id, octopus_id, address = linked(trial)
    with service(trial) as here:
        trial.ghl.edit(ghl_id, firstName="Forget", phone="+15550100")
        until(lambda: subscriber(trial, octopus_id).fields.get("FirstName") == "Forget")
        trial.sandbox.ghl.weather.faults = [Fault(kind="error", method="PUT", path=ghl_id, status=422)]
        trial.emailoctopus.edit(octopus_id, {"FirstName": "Refused"})
        until(lambda: here.get("/readyz").status_code == 200 and trial.run("parked", "list", "--json").json["parked"])
        trial.sandbox.ghl.weather.faults = []
        assert traces(trial, ghl_id, octopus_id) == [ghl_id, octopus_id]

        answer = finished(trial.start("forget", address, "--wait", "30"))

        assert (answer.status, "erased 2 contacts, 1 link" in answer.out) == (0, True), answer.out + answer.err
        assert address not in answer.out + answer.err
        assert traces(trial, ghl_id, octopus_id, address) == []
        before = here.figure("webhook_events_total", result="accepted")
        trial.ghl.edit(ghl_id, firstName="Back")
        trial.emailoctopus.unsubscribe(octopus_id)
        until(lambda: here.figure("webhook_events_total", result="accepted") >= before + 2)
        assert here.stop().status == 0
    assert address not in here.log.read_text(encoding="utf-8")

    report = trial.run("reconcile", "--full", "--json").pair
    assert (report["outcome"], report["skipped"]["forgotten"]) == ("ok", 2)
    assert (person(trial, ghl_id).dnd_settings, subscriber(trial, octopus_id).status) == ({}, "unsubscribed")
    assert traces(trial, ghl_id, octopus_id, address) == []


def test_he_stays_forgotten_under_a_new_secret_and_after_a_reset(trial: Trial, database_url: str) -> None:
    trial.config = trial.config.replace(f"sqlite:///{trial.folder / 'sync.db'}", database_url)
    original = trial.config
    trial.config = with_secret(trial, FIRST)
    ghl_id, octopus_id, address = linked(trial)
    assert trial.run("forget", address).status == 0
    for secrets, command in (
        ((SECOND, FIRST), ("reconcile", "--full")),
        ((SECOND,), ("reset", "--yes")),
        ((SECOND,), ("reconcile", "--full")),
    ):
        trial.config = original
        trial.config = with_secret(trial, *secrets)
        assert trial.run(*command).status == 0
    report = trial.run("reconcile", "--full", "--json").pair
    assert report["skipped"]["forgotten"] == 2
    assert not any(one in row for rows in everything(trial) for row in rows for one in (ghl_id, octopus_id))
    assert trial.run("status", "--json").pair["unlinked"]["forgotten"] == 1


@pytest.mark.usefixtures("after_first_load")
@pytest.mark.parametrize("delete", [False, True])
def test_everywhere_acts_on_every_record_and_is_asked_for(trial: Trial, *, delete: bool) -> None:
    ghl_id, octopus_id, address = linked(trial)
    twin = trial.ghl.create(email=address, firstName="Twin").id  # not seen by any cycle yet
    words = ["--everywhere", *(["--delete"] if delete else [])]
    trial.forget_requests()

    shown = trial.run("forget", address, *words)
    assert (shown.status, trial.writes()) == (2, [])
    assert all(one in shown.out for one in (ghl_id, octopus_id, twin, "--yes"))
    assert traces(trial, ghl_id) == [ghl_id]

    answer = trial.run("forget", address, *words, "--yes", "--json").json
    assert (answer["done"], answer["everywhere"]) == (True, "delete" if delete else "unsubscribe")
    assert {one["contact_id"] for one in answer["pairs"][0]["outside"]} == {ghl_id, octopus_id, twin}
    people = [person(trial, one) for one in (ghl_id, twin)]
    if delete:
        assert (people, subscriber(trial, octopus_id)) == ([None, None], None)
    else:
        assert [one.dnd_settings["Email"]["status"] for one in people] == ["active", "active"]
        assert subscriber(trial, octopus_id).status == "unsubscribed"
    assert traces(trial, ghl_id, octopus_id, twin) == []
    report = trial.run("reconcile", "--full", "--json").pair
    assert (report["skipped"]["forgotten"], traces(trial, twin)) == (0 if delete else 3, [])
    assert sum(sum(one.values()) for one in report["written"].values()) == 0


@pytest.mark.usefixtures("after_first_load")
@pytest.mark.parametrize(("status", "exit_status"), [(422, 3), (503, 3), (401, 4), (None, 7)])
def test_nothing_is_erased_while_a_system_refuses_or_is_away(
    trial: Trial, status: int | None, exit_status: int
) -> None:
    ghl_id, octopus_id, address = linked(trial)
    weather = trial.sandbox.emailoctopus.weather
    if status is None:
        weather.error_rate = 1.0
    else:
        weather.faults = [Fault(kind="error", method="PUT", path="/contacts", status=status, times=50)]

    answer = trial.run("forget", address, "--everywhere", "--yes")

    assert (answer.status, "Nothing is erased yet in sandbox" in answer.out) == (exit_status, True), answer.out
    assert traces(trial, ghl_id, octopus_id) == [ghl_id, octopus_id]
    weather.faults, weather.error_rate = [], 0.0
    assert trial.run("forget", address, "--everywhere", "--yes").status == 0
    assert traces(trial, ghl_id, octopus_id) == []
    assert subscriber(trial, octopus_id).status == "unsubscribed"


@pytest.mark.usefixtures("after_first_load")
def test_while_another_process_works_on_the_pair_nothing_is_done(trial: Trial) -> None:
    _, octopus_id, address = linked(trial)
    set_lease(trial, "another", 10**17)
    answer = trial.run("forget", address, "--json")
    assert (answer.status, answer.json["done"], traces(trial, octopus_id)) == (6, False, [octopus_id])
    set_lease(trial, "", 0)
    assert trial.run("forget", address, "--wait", "1").status == 0


def set_lease(trial: Trial, holder: str, until: int) -> None:
    engine = open_engine(f"sqlite:///{trial.folder / 'sync.db'}")
    with writing(engine) as connection:
        connection.execute(update(leases).values(holder=holder, expires_at=until))
    engine.dispose()


def test_an_unknown_address_is_remembered_and_can_be_taken_back(trial: Trial) -> None:
    assert "remembered as forgotten all the same" in trial.run("forget", "Nobody@Example.org").out
    trial.ghl.create(email="nobody@example.org", firstName="Somebody")
    assert trial.run("reconcile", "--json").pair["skipped"]["forgotten"] == 1
    assert trial.run("forget", "nobody@example.org", "--undo", "--json").json == {"pairs": ["sandbox"], "undone": True}
    assert "nothing to take back" in trial.run("forget", "nobody@example.org", "--undo").out
    assert trial.run("reconcile", "--full", "--json").pair["written"]["emailoctopus"]["created"] == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["ve9EPM428h8vShlRW1KT"], "is no e-mail address"),
        (["ada@"], "is no e-mail address"),
        (["a da@example.com"], "is no e-mail address"),
        (["ada@example.com", "--delete"], "--everywhere"),
        (["ada@example.com", "--undo", "--everywhere"], "--undo"),
        (["ada@example.com", "--pair", "nowhere"], "no pair nowhere"),
        ([], "EMAIL"),
    ],
)
def test_wrong_input_is_told_and_does_nothing(trial: Trial, arguments: list[str], says: str) -> None:
    answer = trial.run("forget", *arguments)
    assert (answer.status, answer.out) == (2, "")
    assert says in answer.err
    assert not (trial.folder / "sync.db").exists()


@pytest.mark.usefixtures("after_first_load")
def test_a_pair_that_the_configuration_names_no_more_forgets_him_too(trial: Trial) -> None:
    _, octopus_id, address = linked(trial)
    trial.config = trial.config.replace("- name: sandbox", "- name: another")
    assert trial.run("forget", address, "--pair", "another").status == 0
    assert traces(trial, octopus_id) == [octopus_id]
    answer = trial.run("forget", address, "--json").json
    assert [one["pair"] for one in answer["pairs"]] == ["another", "sandbox"]
    assert traces(trial, octopus_id) == []


# Pauses


@pytest.mark.usefixtures("after_first_load")
def test_a_paused_pair_is_left_alone_until_it_is_resumed(trial: Trial) -> None:
    ghl_id, octopus_id, _ = linked(trial)
    with service(trial) as here:
        answer = trial.run("pause", "--json", config=trial.path.read_text())
        [paused] = answer.json["pairs"]
        assert (paused["pair"], paused["paused"], paused["changed"]) == ("sandbox", True, True)
        until(lambda: here.figure("paused") == 1)
        trial.forget_requests()
        trial.ghl.edit(ghl_id, firstName="Later")
        until(lambda: here.figure("hints_waiting") >= 1)
        until(lambda: here.events("pair_paused"))
        assert here.get("/readyz").status_code == 200
        told = trial.run("status", "--json").pair
        assert (told["paused"], told["paused_since"]) == (True, paused["paused_since"])
        assert "paused since" in trial.run("status").out
        one_shot = trial.run("reconcile", "--wait", "30")
        assert (one_shot.status, "resume --pair sandbox" in one_shot.out) == (6, True)
        assert trial.run("plan").status == 0
        assert subscriber(trial, octopus_id).fields.get("FirstName") != "Later"
        assert "was paused already" in trial.run("pause").out

        assert "goes on" in trial.run("resume").out
        until(lambda: subscriber(trial, octopus_id).fields.get("FirstName") == "Later")
        until(lambda: here.figure("paused") == 0)
        assert not here.events("alert")
    assert "wasn't paused" in trial.run("resume").out


def test_silence_counts_from_the_end_of_a_pause(trial: Trial) -> None:
    settings = load(trial.write(), Variables({}))
    with open_installation(settings) as installation:
        turn = PairTurn(settings.pairs[0], installation, lambda _: None)
        later = installation.clock.now() + timedelta(hours=1)
        turn._heed(CycleReport("sandbox", "run", Mode.HINTS, CycleOutcome.BUSY), later)
        assert turn.health().silent_since() < later
        turn._heed(CycleReport("sandbox", "run", Mode.HINTS, CycleOutcome.BUSY, paused=True), later)
        assert turn.health().silent_since() == later


def test_a_pair_can_be_paused_before_its_first_run(trial: Trial) -> None:
    assert trial.run("pause").status == 0
    trial.forget_requests()
    answer = trial.run("reconcile", "--json")
    assert (answer.status, answer.pair["outcome"]) == (6, "busy")
    assert len(trial.sandbox.ghl.log.exchanges()) + len(trial.sandbox.emailoctopus.log.exchanges()) == 0
    assert trial.run("resume", "--pair", "sandbox").status == 0
    assert trial.run("reconcile").status == 0
    assert trial.run("pause", "--pair", "nowhere").status == 2
