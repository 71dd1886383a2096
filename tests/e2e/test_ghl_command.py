"""`ghl list|describe|call`: GHL's operations by hand, with right and wrong input."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_daemon.cli import run
from sync_daemon.sandbox.server import serve
from sync_daemon.sandbox.weather import Fault
from tests.contract.noting import FILE, Noting
from tests.e2e.terminal import Terminal
from tests.e2e.trial import Trial


@pytest.fixture
def contact_id(trial: Trial) -> str:
    return trial.ghl.create(email="ada@example.com").id


@pytest.fixture
def elsewhere(trial: Trial) -> Iterator[Noting]:
    """The configuration, of a location whose server has every route and notes what it is asked."""
    noting = Noting()
    with serve(noting.app) as url:
        trial.config = trial.config.replace(trial.running.ghl_url, url)
        yield noting


def test_list(trial: Trial) -> None:
    everything = trial.run("ghl", "list")
    assert (everything.status, "124 operations" in everything.out) == (0, True)
    assert "Create Contact Note  " in everything.out
    assert len(trial.run("ghl", "list", "--json").json["operations"]) == 124
    some = trial.run("ghl", "list", "--category", "users", "--search", "DELETE-", "--json").json["operations"]
    assert some == [
        {
            "name": "Delete User",
            "id": "delete-user",
            "category": "Users",
            "method": "DELETE",
            "path": "/users/{userId}",
            "version": "2021-07-28",
            "scopes": ["users.write"],
            "access": ["agency", "sub-account"],
            "effect": "delete",
            "idempotent": True,
            "answer": "json",
        }
    ]
    assert trial.run("ghl", "list", "--search", "zzz").out.startswith("No operation fits")
    wrong = trial.run("ghl", "list", "--category", "people")
    assert (wrong.status, "there are" in wrong.err) == (2, True)


def test_list_and_describe_need_no_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ghl", "list", "--search", "note"]) == 0
    assert run(["ghl", "describe", "Create", "Contact", "Note"]) == 0
    told = capsys.readouterr().out
    assert "Create Contact Note: POST /contacts/{contactId}/notes" in told
    assert "scope contacts.write" in told
    assert "Example: sync-daemon ghl call create-contact-note contactId=… body=…" in told


def test_describe(trial: Trial) -> None:
    told = trial.run("ghl", "describe", "update-contact").out
    for words in (
        "An outside change like any other for the sync.",
        "dndSettings.Email.status",
        "All tags: those left out",
    ):
        assert words in told
    assert "filled in" in trial.run("ghl", "describe", "list-workflows").out
    assert "100 unless given" in trial.run("ghl", "describe", "search-contacts").out
    assert "One at least of email, number" in trial.run("ghl", "describe", "get-duplicate-contact").out
    assert "only with a token of the agency" in trial.run("ghl", "describe", "get-company").out
    parameters = trial.run("ghl", "describe", "create-contact-note", "--json").json["parameters"]
    assert {"name": "body", "in": "body", "type": "string", "required": True} in parameters


def test_a_configuration_that_speaks_v3_tells_of_v3(trial: Trial) -> None:
    trial.config = trial.config.replace("ghl:\n  base_url", "ghl:\n  version: v3\n  base_url", 1)
    assert "/campaigns/remove-all" in trial.run("ghl", "describe", "remove-from-all-campaigns").out
    assert "not in v3" in trial.run("ghl", "list", "--search", "deprecated").out
    refused = trial.run("ghl", "call", "list-users-by-location")
    assert (refused.status, "v3 has done away with it: use Search Users" in refused.err) == (2, True)
    assert trial.run("ghl", "call", "find-location-by-id", "--json").status == 0


def test_call(trial: Trial, contact_id: str) -> None:
    made = trial.run("ghl", "call", "create-contact-note", f"contactId={contact_id}", "body=Hello = you", "--json")
    assert (made.status, made.json["note"]["body"]) == (0, "Hello = you")
    assert [note.body for note in trial.ghl.notes.of(contact_id)] == ["Hello = you"]
    told = trial.run("ghl", "call", "Get", "Contact", "Notes", f"contactId={contact_id}")
    assert (told.status, '"body": "Hello = you"' in told.out) == (0, True)
    assert "Hello" not in made.err + told.err


@pytest.mark.parametrize(
    "text",
    [
        "title: Call\ndueDate: 2026-12-01T10:00:00Z\ncompleted: false\nbody: no",
        '{"title": "Call", "dueDate": "2026-12-01T10:00:00Z", "completed": false, "body": "no"}',
    ],
    ids=["YAML", "JSON"],
)
def test_a_body_from_a_file_or_standard_input(
    trial: Trial, contact_id: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = tmp_path / "body"
    body.write_text(text, encoding="utf-8")
    words = ("ghl", "call", "create-contact-task", f"contactId={contact_id}", "--json", "--body")
    assert trial.run(*words, str(body)).status == 0
    with body.open(encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert trial.run(*words, "-").json["task"]["title"] == "Call"
    made = [(task.title, task.body, task.completed) for task in trial.ghl.tasks.of(contact_id)]
    assert made == [("Call", "no", False)] * 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "Name an operation"),
        (["contactId=c"], "Name an operation"),
        (["get-contct", "contactId=c"], "did you mean Get Contact"),
        (["get-contact", "c"], "no operation 'get-contact c'"),
        (["get-contact", "contactId=c", "more"], "more: write a parameter as key=value"),
        (["get-contact", "contactId=c", "=more"], "=more: write a parameter as key=value"),
        (["get-contact", "contactId=c", "contactId=d"], "contactId is given twice"),
        (["get-contact", "contactID=c"], "contactID: there is no such parameter; did you mean contactId?"),
        (["get-contact"], "contactId: is missing"),
        (["create-contact-note", "contactId=c", "body=b", "pinned=2"], "pinned: expected true or false"),
        (["update-opportunity-status", "id=o", "status=lots"], "status: expected one of open, won, lost"),
        (["list-workflows", "locationId=x"], "can't name another"),
        (["create-contact", "--body", "nowhere.yaml"], "nowhere.yaml can't be read"),
        (["get-contact", "contactId=c", "--out", "x"], "answers in JSON"),
        (["get-message-recording", "messageId=m", "--json"], "answers with a file"),
        (["get-message-recording", "messageId=m", "--out", "no/where"], "there is no folder no"),
        (["get-message-recording", "messageId=m", "--out", "sync.yaml"], "sync.yaml exists already"),
        (["get-contact", "contactId=c", "--pair", "other"], "has no pair other"),
    ],
)  # fmt: skip
def test_wrong_input_sends_nothing(trial: Trial, words: list[str], told: str) -> None:
    answer = trial.run("ghl", "call", *words)
    assert (answer.status, answer.out, told in answer.err) == (2, "", True), answer.err
    assert trial.sandbox.ghl.log.exchanges() == []


@pytest.mark.parametrize(("text", "told"), [("- a", "must hold one object"), ("a: [", "line 1: this is neither")])
def test_a_body_that_is_none(trial: Trial, tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "body").write_text(text, encoding="utf-8")
    answer = trial.run("ghl", "call", "create-contact", "--body", "body")
    assert (answer.status, told in answer.err) == (2, True), answer.err


def test_of_several_pairs_one_must_be_named(trial: Trial) -> None:
    pair = trial.config[trial.config.index("  - name: sandbox") :]
    other = pair.replace("name: sandbox", "name: other").replace(trial.sandbox.list_id, "1b1c")
    trial.config += other.replace(trial.sandbox.location_id, "L2")
    answer = trial.run("ghl", "call", "list-workflows")
    assert (answer.status, "by --pair: there are sandbox, other" in answer.err) == (2, True), answer.err
    assert trial.run("ghl", "call", "list-workflows", "--pair", "sandbox").status == 0
    refused = trial.run("ghl", "call", "list-workflows", "--pair", "other")
    assert (refused.status, "`pairs.other.ghl.token`" in refused.err) == (4, True)


def test_what_deletes_is_not_done_unasked(trial: Trial, contact_id: str) -> None:
    refused = trial.run("ghl", "call", "delete-contact", f"contactId={contact_id}")
    assert (refused.status, refused.out) == (2, "")
    assert f"Delete Contact (contactId={contact_id}) of pair sandbox deletes" in refused.err
    assert "--yes" in refused.err
    assert trial.writes() == []
    done = trial.run("ghl", "call", "delete-contact", f"contactId={contact_id}", "--yes", "--json")
    assert (done.status, done.json["succeded"]) == (0, True)
    assert trial.ghl.contacts.is_deleted(contact_id)


@pytest.mark.parametrize(("word", "status"), [("y\n", 0), ("\n", 2), ("no\n", 2)])
def test_on_a_terminal_it_asks(trial: Trial, contact_id: str, word: str, status: int) -> None:
    words = ["ghl", "call", "delete-contact", f"contactId={contact_id}", "--config", str(trial.write())]
    with Terminal(*words, folder=trial.folder, variables=trial.variables) as terminal:
        terminal.answer(f"Delete Contact (contactId={contact_id}) of pair sandbox? [y/N]", word, end="")
        assert terminal.ended() == status
    assert trial.ghl.contacts.is_deleted(contact_id) is (status == 0)


def test_a_scope_that_is_missing_is_named(trial: Trial, contact_id: str) -> None:
    trial.config = trial.config.replace(trial.sandbox.ghl_token, trial.ghl.private_token(["contacts.readonly"]))
    refused = trial.run("ghl", "call", "add-tags-to-contact", f"contactId={contact_id}", "tags=vip,new")
    assert (refused.status, refused.out) == (4, "")
    assert "lacks the scope `contacts.write`. Tick it in Settings > Private Integrations" in refused.err


def test_a_refusal_is_told_in_ghls_own_words(trial: Trial) -> None:
    refused = trial.run("ghl", "call", "get-contact", "contactId=nobody", "--json")
    assert (refused.status, refused.out) == (3, "")
    assert refused.err == "GHL refused Get Contact: Contact with id nobody not found\n"


def test_what_may_have_been_done_is_said_and_not_repeated(trial: Trial, contact_id: str) -> None:
    trial.sandbox.ghl.weather.faults.append(Fault(kind="lost_answer", method="POST", path="/notes$"))
    lost = trial.run("ghl", "call", "create-contact-note", f"contactId={contact_id}", "body=Once")
    assert (lost.status, lost.out) == (7, "")
    assert "It may have been done all the same: look before you call it again." in lost.err
    assert len(trial.ghl.notes.of(contact_id)) == 1


@pytest.mark.parametrize("name", ["get-message-recording", "download-transcription"])
def test_a_file_goes_where_it_is_sent(trial: Trial, elsewhere: Noting, tmp_path: Path, name: str) -> None:
    told = trial.run("ghl", "call", name, "messageId=m", "--out", "file.wav")
    assert (told.status, told.out) == (0, f"{len(FILE)} bytes are in file.wav.\n")
    assert (tmp_path / "file.wav").read_bytes() == FILE
    assert trial.sandbox.location_id in elsewhere.requests[0][0].url.path


def test_a_file_goes_into_a_pipe_but_never_to_a_terminal(trial: Trial, elsewhere: Noting) -> None:
    words = ["ghl", "call", "get-message-recording", "messageId=m"]
    piped = trial.start(*words)
    assert isinstance(piped.stdout, io.TextIOWrapper)
    assert piped.stdout.buffer.read() == FILE
    assert piped.wait(60) == 0
    with Terminal(*words, "--config", str(trial.path), folder=trial.folder, variables=trial.variables) as terminal:
        assert (terminal.ended(), "name one by --out FILE" in terminal.shown) == (2, True)
    assert len(elsewhere.requests) == 1


def test_an_answer_without_a_word(trial: Trial, elsewhere: Noting) -> None:
    elsewhere.words = b""
    assert trial.run("ghl", "call", "list-workflows").out == "Done; GHL answered without a word.\n"
    assert trial.run("ghl", "call", "list-workflows", "--json").json is None
