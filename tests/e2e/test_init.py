"""`init`: from two credentials to a configuration, by questions on a terminal and by flags; never half of it."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from dotenv import dotenv_values

from sync_daemon.cli import run
from sync_daemon.sandbox.emailoctopus.model import Field
from sync_daemon.sandbox.ghl.accounts import ALL_SCOPES
from tests.e2e.terminal import CTRL_C, CTRL_D, Terminal
from tests.e2e.trial import Answer, Trial

CONFIG, ENV = Path("config/sync.yaml"), Path(".env")


def addresses(trial: Trial) -> dict[str, str]:
    return {
        "SYNC_DAEMON_GHL__BASE_URL": trial.running.ghl_url,
        "SYNC_DAEMON_EMAILOCTOPUS__BASE_URL": trial.running.emailoctopus_url,
    }


def keys(trial: Trial) -> dict[str, str]:
    return {"GHL_TOKEN": trial.sandbox.ghl_token, "EMAILOCTOPUS_API_KEY": trial.sandbox.emailoctopus_key}


def at_a_terminal(trial: Trial, *arguments: str, **variables: str) -> Terminal:
    return Terminal("init", *arguments, folder=trial.folder, variables={**addresses(trial), **variables})


@pytest.fixture
def script(trial: Trial, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """`init` as a script calls it, with variables for both addresses and both keys; another value replaces one."""

    def call(*arguments: str, command: str = "init", **variables: str) -> Answer:
        for name, value in {**addresses(trial), **keys(trial), **variables}.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        status = run([command, *arguments])
        printed = capsys.readouterr()
        return Answer(status, printed.out, printed.err)

    return call


def nothing_was_written() -> bool:
    return not CONFIG.exists() and not ENV.exists()


def test_somebody_gets_from_two_keys_to_a_plan_and_files_that_work(
    trial: Trial, capsys: pytest.CaptureFixture[str]
) -> None:
    with at_a_terminal(trial) as terminal:
        terminal.answer("Token:", trial.sandbox.ghl_token)
        terminal.wait_for("opens the location Sandbox Location")
        terminal.answer("API key:", trial.sandbox.emailoctopus_key)
        terminal.answer("leave out", "4")
        terminal.answer("see what a first reconcile would do?", "y")
        terminal.wait_for("what would be written")
        terminal.answer("Write config/sync.yaml and GHL_TOKEN, EMAILOCTOPUS_API_KEY in .env?", "")
        terminal.wait_for("sync-daemon reconcile")
        assert terminal.ended() == 0

    assert not [secret for secret in keys(trial).values() if secret in terminal.shown + CONFIG.read_text()]
    assert dotenv_values(ENV) == keys(trial)
    assert stat.S_IMODE(ENV.stat().st_mode) == 0o600
    assert "# - {ghl: city, emailoctopus: City}" in CONFIG.read_text()
    assert trial.writes() == []
    assert sorted(path.name for path in trial.folder.iterdir()) == [".env", "config"]
    assert (run(["check"]), run(["plan"]), run(["reconcile"])) == (0, 0, 0)
    assert "can't" not in capsys.readouterr().err


def test_wrong_answers_are_told_and_asked_for_again(trial: Trial) -> None:
    trial.emailoctopus.create_list("Customers")
    with at_a_terminal(trial) as terminal:
        terminal.answer("Token:", "")
        terminal.wait_for("An answer is needed")
        terminal.answer("Token:", "two words")
        terminal.wait_for("holds spaces")
        terminal.answer("Token:", "pit-nonsense")
        terminal.wait_for("refused the token")
        terminal.answer("try the same again:", trial.sandbox.ghl_token)
        terminal.answer("API key:", "eo_nonsense")
        terminal.wait_for("Legacy keys")
        terminal.answer("try the same again:", trial.sandbox.emailoctopus_key)
        terminal.answer("Which list", "9")
        terminal.wait_for("No list, or more than one, is meant by 9")
        terminal.answer("Which list", "newsletter")
        terminal.answer("leave out", "all")
        terminal.wait_for("Numbers from 1 to 5")
        terminal.answer("leave out", "1, 7")
        terminal.wait_for("Numbers from 1 to 5")
        terminal.answer("leave out", "1, 2")
        terminal.answer("see what a first reconcile would do?", "perhaps")
        terminal.answer("would do?", "n")
        terminal.answer("Write config/sync.yaml", "n")
        terminal.wait_for("Nothing was written.")
        assert terminal.ended() == 2
    assert nothing_was_written()


def test_what_is_mended_meanwhile_is_tried_again(trial: Trial) -> None:
    ghl, emailoctopus = trial.ghl, trial.emailoctopus
    token = ghl.accounts.add_private_token(
        "company", trial.sandbox.location_id, ALL_SCOPES - {"locations/tags.readonly"}
    )
    (the_list,) = emailoctopus.lists.values()
    emailoctopus.lists.clear()
    with at_a_terminal(trial) as terminal:
        terminal.answer("Token:", token)
        terminal.wait_for("lacks the scope `locations/tags.readonly`")
        ghl.accounts.add_private_token("company", trial.sandbox.location_id, token=token)
        terminal.answer("Enter to try the same again:", "")
        terminal.answer("API key:", trial.sandbox.emailoctopus_key)
        terminal.wait_for("has no list")
        emailoctopus.lists[the_list.id] = the_list
        terminal.answer("Enter, once there is one", "")
        terminal.wait_for("The list is Newsletter")


@pytest.mark.parametrize(
    ("question", "end"),
    [("Token:", CTRL_C), ("API key:", CTRL_D), ("leave out", CTRL_D), ("Write config/sync.yaml", CTRL_C)],
)
def test_who_gives_up_in_the_middle_leaves_nothing_half_written(trial: Trial, question: str, end: str) -> None:
    answers = {
        "Token:": trial.sandbox.ghl_token,
        "API key:": trial.sandbox.emailoctopus_key,
        "leave out": "",
        "see what a first": "n",
        "Write config/sync.yaml": "y",
    }
    with at_a_terminal(trial) as terminal:
        for one, answer in answers.items():
            if one == question:
                break
            terminal.answer(one, answer)
        terminal.answer(question, end, end="")
        assert terminal.ended() == (130 if end == CTRL_C else 2)
        assert "Nothing was written." in terminal.shown
        assert "Traceback" not in terminal.shown
    assert nothing_was_written()


def test_a_script_needs_variables_and_one_flag(trial: Trial, script: Callable[..., Answer]) -> None:
    answer = script("--yes", "--json")

    assert answer.status == 0
    assert answer.json["location"] == {"id": trial.sandbox.location_id, "name": "Sandbox Location"}
    assert answer.json["list"] == {"id": trial.sandbox.list_id, "name": "Newsletter", "double_opt_in": False}
    assert {"ghl": "firstName", "emailoctopus": "FirstName", "direction": "both", "conversion": "exact"} in answer.json[
        "fields"
    ]
    assert answer.json["plan"]["pairs"][0]["operations"]
    assert not ENV.exists()  # who keeps secrets elsewhere has a reason
    assert trial.writes() == []
    assert script(command="check").status == 0
    planned = script("--json", command="plan")
    assert planned.status == 0
    assert planned.json["pairs"][0]["requests"] == answer.json["plan"]["pairs"][0]["requests"]


def test_without_a_terminal_everything_that_is_missing_is_named_at_once(script: Callable[..., Answer]) -> None:
    answer = script(GHL_TOKEN="", EMAILOCTOPUS_API_KEY="")
    assert (answer.status, answer.out) == (2, "")
    assert all(name in answer.err for name in ("GHL_TOKEN", "EMAILOCTOPUS_API_KEY", "--yes"))
    assert script("--json").status == 2
    assert nothing_was_written()


def test_what_a_script_gave_wrongly_is_an_exit_status_and_a_sentence(
    trial: Trial, script: Callable[..., Answer]
) -> None:
    def refused(*arguments: str, **variables: str) -> tuple[int, str]:
        answer = script("--yes", *arguments, **variables)
        assert (answer.out, "Traceback" in answer.err) == ("", False)
        return answer.status, answer.err

    def status_and(words: str, answer: tuple[int, str]) -> int:
        assert words in answer[1]
        return answer[0]

    poor = trial.ghl.accounts.add_private_token("company", trial.sandbox.location_id, ["contacts.readonly"])
    agency = trial.ghl.accounts.add_private_token("company", None)
    assert status_and("variable GHL_TOKEN holds", refused(GHL_TOKEN="pit-nonsense")) == 4
    assert status_and("GHL_TOKEN holds spaces", refused(GHL_TOKEN="two words")) == 2
    assert (
        status_and(
            "ending in nse0", refused(GHL_TOKEN=trial.sandbox.ghl_token, EMAILOCTOPUS_API_KEY="eo_00000-nonsense0")
        )
        == 4
    )
    lacking = refused("--location-id", trial.sandbox.location_id, GHL_TOKEN=poor, EMAILOCTOPUS_API_KEY="x")
    assert lacking[0] == 4
    for scope in ("locations.readonly", "locations/customFields.readonly", "locations/tags.readonly"):
        assert f"`{scope}`" in lacking[1]
    other = trial.ghl.add_location(name="Another")
    good = keys(trial)
    assert status_and("agency", refused(GHL_TOKEN=agency)) == 4
    assert status_and("location_id", refused("--location-id", other.id, **good)) == 2
    assert status_and("no list nowhere", refused("--list-id", "nowhere", **good)) == 2
    customers = trial.emailoctopus.create_list("Customers")
    assert status_and(f"{customers.id}  Customers", refused(**good)) == 2
    nobody = "http://127.0.0.1:9"
    assert status_and("can't be reached", refused("--ghl-url", nobody, **good)) == 7
    assert status_and("--ghl-url no address: expected an address", refused("--ghl-url", "no address", **good)) == 2
    trial.emailoctopus.lists.clear()
    assert status_and("has no list", refused(**good)) == 2
    assert nothing_was_written()


def test_nothing_that_is_there_is_overwritten(trial: Trial, script: Callable[..., Answer]) -> None:
    CONFIG.parent.mkdir()
    CONFIG.write_text("mine")
    assert script("--yes").status == 2
    assert CONFIG.read_text() == "mine"
    assert trial.sandbox.ghl.log.total == 0
    assert script("--yes", "--config", "config/other.yaml").status == 0


def test_an_env_file_keeps_what_it_has_and_gets_what_it_lacks(trial: Trial) -> None:
    ENV.write_text(f"OTHER=1\nGHL_TOKEN={trial.sandbox.ghl_token}\nLAST=2")
    ENV.chmod(0o644)
    with at_a_terminal(trial) as terminal:
        terminal.answer("API key:", trial.sandbox.emailoctopus_key)
        terminal.answer("leave out", "")
        terminal.answer("see what a first", "n")
        terminal.answer("Write config/sync.yaml and EMAILOCTOPUS_API_KEY in .env?", "y")
        terminal.wait_for("could be read by others")
        assert terminal.ended() == 0
    assert dotenv_values(ENV) == {"OTHER": "1", "LAST": "2", **keys(trial)}
    assert stat.S_IMODE(ENV.stat().st_mode) == 0o600


def test_an_env_file_that_cant_be_written_leaves_no_configuration(trial: Trial) -> None:
    with at_a_terminal(trial) as terminal:
        terminal.answer("Token:", trial.sandbox.ghl_token)
        terminal.answer("API key:", trial.sandbox.emailoctopus_key)
        terminal.answer("leave out", "")
        terminal.answer("see what a first", "n")
        ENV.mkdir()
        terminal.answer("Write config/sync.yaml", "y")
        assert terminal.ended() == 2
        assert ".env can't be written" in terminal.shown
    assert not CONFIG.exists()


def test_a_list_that_asks_for_confirmation_is_said_to(trial: Trial, script: Callable[..., Answer]) -> None:
    trial.emailoctopus.set_double_opt_in(trial.sandbox.list_id, double_opt_in=True)
    answer = script("--yes")
    assert answer.status == 0
    assert "double opt-in" in answer.err
    assert script(command="check").status == 0


def test_fields_are_proposed_by_name_and_type(trial: Trial, script: Callable[..., Answer]) -> None:
    trial.emailoctopus.add_field(trial.sandbox.list_id, Field("Lead Score", "LeadScore", "number"))
    trial.emailoctopus.add_field(trial.sandbox.list_id, Field("Renewal", "Renewal", "date"))
    rows = {row["ghl"]: row for row in script("--yes", "--json").json["fields"]}
    assert rows["custom.renewal"]["conversion"] == "exact"
    assert (rows["custom.lead_score"]["conversion"], rows["custom.lead_score"]["direction"]) == (
        "lossy",
        "to_emailoctopus",
    )
    assert script(command="check").status == 0
