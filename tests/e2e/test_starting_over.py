"""A changed location, list or secret_key: refused, adopted, reset, or carried over (contract, section 7)."""

from typing import Any

import pytest
from sqlalchemy import text

from sync_daemon.sandbox.weather import Fault
from sync_daemon.store.engine import open_engine, reading, writing
from sync_daemon.store.tables import metadata
from tests.e2e.terminal import answered
from tests.e2e.trial import Answer, Trial
from tests.worlds import state_of

FIRST = "the first secret of this installation"
SECOND = "the second secret of this installation"
NEW_LIST = "0192f0aa-0000-7000-8000-00000000beef"


def with_secret(trial: Trial, secret: str, *previous: str) -> str:
    """The configuration under a secret."""
    return f"secret_key: {secret}\nprevious_secret_keys: [{', '.join(previous)}]\n{trial.config}"


@pytest.fixture
def settled(trial: Trial, database_url: str) -> Trial:
    """A pair that has run on either database, with people who revoked on both sides."""
    trial.config = trial.config.replace(f"sqlite:///{trial.folder / 'sync.db'}", database_url)
    trial.config = trial.config.replace("    fields:", "    create_in_ghl: false\n    fields:", 1)
    assert reconcile(trial, FIRST).status == 0
    ada, eve = links(trial)[:2]
    trial.ghl.unsubscribe(ada[0])
    trial.emailoctopus.unsubscribe(eve[1])
    assert reconcile(trial, FIRST).status == 0
    trial.forget_requests()
    return trial


def reconcile(trial: Trial, *secrets: str, full: bool = False) -> Answer:
    arguments = ["reconcile", "--json", *(["--full"] if full else [])]
    return trial.run(*arguments, config=with_secret(trial, *secrets))


def database_of(trial: Trial) -> str:
    return next(line.partition(": ")[2] for line in trial.config.splitlines() if line.startswith("database_url: "))


def rows(trial: Trial, table: str) -> list[Any]:
    engine = open_engine(database_of(trial))
    with reading(engine) as connection:
        found = list(connection.execute(metadata.tables[table].select()).mappings())
    engine.dispose()
    return found


def everything(trial: Trial) -> list[Any]:
    return [sorted(map(str, rows(trial, table))) for table in metadata.tables]


def links(trial: Trial) -> list[tuple[str, str]]:
    return sorted((row["ghl_id"], row["emailoctopus_id"]) for row in rows(trial, "links"))


def consents(trial: Trial) -> tuple[Any, Any]:
    """Who may be mailed, on both sides."""
    people = {row["id"]: (row.get("dnd"), str(row.get("dndSettings"))) for row in state_of(trial.sandbox.ghl_app)}
    return people, {row["id"]: row["status"] for row in state_of(trial.sandbox.emailoctopus_app)}


def move_list(trial: Trial, *, without: int = 0) -> None:
    """The list is there under another id, without some of its contacts; the configuration names it."""
    for _, subscriber_id in links(trial)[5 : 5 + without]:
        trial.emailoctopus.delete(subscriber_id)
    mailing_list = trial.emailoctopus.lists.pop(trial.sandbox.list_id)
    mailing_list.id = NEW_LIST
    for contact in mailing_list.contacts:
        contact.list_id = NEW_LIST
    trial.emailoctopus.lists[NEW_LIST] = mailing_list
    trial.config = trial.config.replace(trial.sandbox.list_id, NEW_LIST)


def test_a_changed_list_is_refused_with_what_to_do(settled: Trial) -> None:
    move_list(settled)
    before = everything(settled)
    for command in (["reconcile"], ["plan"], ["check"]):
        answer = settled.run(*command, config=with_secret(settled, FIRST))
        assert answer.status == 2
        said = answer.err + answer.out
        assert "`sync-daemon adopt` keeps the links whose contacts exist, `sync-daemon reset` keeps none" in said
    assert (settled.writes(), everything(settled)) == ([], before)


@pytest.mark.parametrize("command", ["adopt", "reset"])
def test_nothing_is_done_before_somebody_says_yes(settled: Trial, command: str) -> None:
    move_list(settled, without=2)
    before, count = everything(settled), len(links(settled))

    shown = settled.run(command, config=with_secret(settled, FIRST))
    told = settled.run(command, "--json", config=with_secret(settled, FIRST))

    assert (shown.status, told.status) == (2, 2)
    assert "Nothing was done: say it with --yes." in shown.out
    assert f"{settled.sandbox.list_id} -> {NEW_LIST}" in shown.out
    kept = count - 2 if command == "adopt" else 0
    [pair] = told.json["pairs"]
    assert (pair["links"], pair["kept"], pair["dropped"]) == (count, kept, count - kept)
    assert (pair["to"]["list_id"], told.json["done"]) == (NEW_LIST, False)
    assert (everything(settled), settled.writes()) == (before, [])


@pytest.mark.parametrize("command", ["adopt", "reset"])
def test_afterwards_all_meet_anew_and_nobody_is_mailed_against_his_will(settled: Trial, command: str) -> None:
    known, before = links(settled), consents(settled)
    move_list(settled, without=2)
    missing = {emailoctopus_id for _, emailoctopus_id in known[5:7]}
    causes = {row["ghl_id"]: row["cause"] for row in rows(settled, "links")}
    assert rows(settled, "undo_journal")

    done = settled.run(command, "--yes", "--json", config=with_secret(settled, FIRST))

    assert (done.status, done.json["done"]) == (0, True)
    kept = [link for link in known if link[1] not in missing] if command == "adopt" else []
    assert links(settled) == kept
    assert rows(settled, "watermarks") == rows(settled, "inbox") == rows(settled, "undo_journal") == []
    again = reconcile(settled, FIRST)
    assert (again.status, again.pair["mode"], again.pair["outcome"]) == (0, "full", "ok")
    assert {link for link in links(settled) if link[1] in {one for _, one in known}} == set(known) - set(known[5:7])
    people, subscribers = consents(settled)
    assert people == before[0]
    created = {one: status for one, status in subscribers.items() if one not in before[1]}
    assert {one: status for one, status in subscribers.items() if one in before[1]} == {
        one: status for one, status in before[1].items() if one not in missing
    }
    assert len(created) <= 2
    assert {row["ghl_id"]: row["cause"] for row in rows(settled, "links") if row["cause"]} == {
        ghl_id: cause for ghl_id, cause in causes.items() if cause
    }
    settled.forget_requests()
    assert reconcile(settled, FIRST, full=True).status == 0
    assert settled.writes() == []


def test_adopted_links_keep_who_set_the_block(settled: Trial) -> None:
    """Our own DND is lifted when the person subscribes again, as if nothing had happened between."""
    eve = next(row for row in rows(settled, "links") if row["cause"] == "person_emailoctopus" and row["dnd_by_us"])
    move_list(settled)
    settled.run("adopt", "--yes", config=with_secret(settled, FIRST))
    assert reconcile(settled, FIRST).status == 0
    settled.emailoctopus.set_status(eve["emailoctopus_id"], "subscribed")
    assert reconcile(settled, FIRST, full=True).pair["written"]["ghl"]["dnd_lifted"] == 1


def test_nothing_to_adopt(settled: Trial) -> None:
    before = everything(settled)
    answer = settled.run("adopt", "--yes", config=with_secret(settled, FIRST))
    assert (answer.status, "there is nothing to adopt" in answer.out) == (0, True)
    assert everything(settled) == before


@pytest.mark.parametrize("command", ["adopt", "reset"])
def test_before_anything_ran(trial: Trial, command: str) -> None:
    answer = trial.run(command, "--yes")
    assert (answer.status, "Nothing is stored yet" in answer.out) == (0, True)
    assert not (trial.folder / "sync.db").exists()


def test_a_pair_without_changes_can_be_reset(settled: Trial) -> None:
    before, known = consents(settled), links(settled)
    assert settled.run("reset", "--yes", config=with_secret(settled, FIRST)).status == 0
    assert links(settled) == []
    assert reconcile(settled, FIRST).pair["mode"] == "full"
    assert (links(settled), consents(settled)) == (known, before)


def test_nothing_is_adopted_while_a_side_cannot_be_read(settled: Trial) -> None:
    move_list(settled)
    before = everything(settled)
    settled.sandbox.ghl.weather.faults = [
        Fault(kind="error", method="POST", path="/contacts/search$", status=500, times=99)
    ]
    assert settled.run("adopt", "--yes", config=with_secret(settled, FIRST)).status in (3, 7)
    settled.sandbox.ghl.weather.faults = []
    settled.sandbox.emailoctopus.weather.short_listing = 0.5
    answer = settled.run("adopt", "--yes", config=with_secret(settled, FIRST))
    assert (answer.status, everything(settled)) == (3, before)


def test_nothing_is_started_over_while_somebody_works_on_it(settled: Trial) -> None:
    engine = open_engine(database_of(settled))
    with writing(engine) as connection:
        connection.execute(text("UPDATE leases SET holder = 'somebody', expires_at = 9000000000000000"))
    engine.dispose()
    before = everything(settled)
    answer = settled.run("reset", "--yes", config=with_secret(settled, FIRST))
    assert (answer.status, "another process works on the pair sandbox" in answer.err) == (6, True)
    assert everything(settled) == before


@pytest.mark.parametrize(("said", "done"), [("yes", True), ("y", False), ("", False)])
def test_on_a_terminal_it_asks(settled: Trial, said: str, *, done: bool) -> None:
    before = everything(settled)
    status, shown = answered(settled, said, "reset", config=with_secret(settled, FIRST))
    assert "Type `yes` to do it" in shown
    assert (status, "Nothing was done" in shown) == ((0, False) if done else (2, True))
    assert (everything(settled) == before) is not done


# another secret_key


def test_another_secret_is_refused_with_what_to_do(settled: Trial) -> None:
    answer = reconcile(settled, SECOND)
    assert (answer.status, settled.writes()) == (2, [])
    assert "another secret_key" in answer.err
    assert "`sync-daemon adopt` keeps the links" in answer.err
    assert SECOND not in answer.err


@pytest.mark.parametrize("command", ["adopt", "reset"])
def test_that_revocations_by_address_are_lost_with_the_secret_must_be_accepted(settled: Trial, command: str) -> None:
    before = everything(settled)
    for options in ([], ["--yes"], ["--lose-revocations"]):
        answer = settled.run(command, *options, config=with_secret(settled, SECOND))
        assert (answer.status, everything(settled)) == (2, before)
        assert "revocations kept by address and 0 forgotten people can't be carried over and are LOST" in answer.out
        assert "--lose-revocations" in answer.out
    told, consented = links(settled), consents(settled)

    answer = settled.run(command, "--yes", "--lose-revocations", config=with_secret(settled, SECOND))

    assert answer.status == 0
    assert links(settled) == (told if command == "adopt" else [])
    assert rows(settled, "revocations") == []
    done = reconcile(settled, SECOND)
    assert (done.status, done.pair["mode"]) == (0, "full")
    assert (links(settled), consents(settled)) == (told, consented)
    assert rows(settled, "revocations") != [], "who is seen revoked is remembered again"
    assert "another secret_key" in reconcile(settled, FIRST).err


def test_a_lost_secret_concerns_every_pair_of_the_store(settled: Trial) -> None:
    second = settled.config[settled.config.index("  - name:") :].replace("name: sandbox", "name: second")
    both = settled.config + second
    other = settled.emailoctopus.create_list("Another").id
    settled.config = both[: len(settled.config)] + second.replace(settled.sandbox.list_id, other)
    assert reconcile(settled, FIRST).status in (0, 3)
    answer = settled.run("adopt", "--yes", "--pair", "second", config=with_secret(settled, SECOND))
    assert (answer.status, "sandbox is in it too: leave --pair away" in answer.err) == (2, True)


def test_a_lost_key_file_can_be_gone_on_from(trial: Trial) -> None:
    trial.run("reconcile")
    known = links(trial)
    (trial.folder / "sync.db.key").unlink()
    refused = trial.run("reconcile")
    assert (refused.status, "sync-daemon adopt" in refused.err) == (2, True)
    shown = trial.run("adopt")
    assert (shown.status, (trial.folder / "sync.db.key").exists()) == (2, False), "a look makes no key"
    assert trial.run("adopt", "--yes", "--lose-revocations").status == 0
    assert trial.run("reconcile").status == 0
    assert links(trial) == known


# previous_secret_keys


def test_a_former_secret_is_needed_until_the_next_full_scan_alone(settled: Trial) -> None:
    before, known = consents(settled), links(settled)
    assert reconcile(settled, SECOND, FIRST).status == 0
    assert "another secret_key" in reconcile(settled, SECOND).err, "not carried over yet"

    renewed = reconcile(settled, SECOND, FIRST, full=True)

    assert (renewed.status, '"event": "secret_key_renewed"' in renewed.err) == (0, True)
    assert "secret_key_renewed" not in reconcile(settled, SECOND, FIRST, full=True).err
    settled.forget_requests()
    alone = reconcile(settled, SECOND, full=True)
    assert (alone.status, alone.pair["changed"], settled.writes()) == (0, {"ghl": 0, "emailoctopus": 0}, [])
    assert (consents(settled), links(settled)) == (before, known)
    # What changes later is a change of one side, no first meeting: a blank travels.
    ghl_id, subscriber_id = known[3]
    settled.ghl.edit(ghl_id, lastName="")
    assert reconcile(settled, SECOND).status == 0
    assert not settled.emailoctopus.contact(subscriber_id).fields.get("LastName")
    assert "another secret_key" in reconcile(settled, FIRST).err
