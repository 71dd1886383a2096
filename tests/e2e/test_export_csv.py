"""`export-csv` and what follows: the dashboard imports the file, and the next full scan adopts everybody."""

import csv
import io
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync_daemon.sandbox.emailoctopus.model import Field, FieldValue
from sync_daemon.sandbox.seed import Population
from sync_daemon.sandbox.server import Sandbox, running_sandbox
from sync_daemon.sandbox.weather import Weather
from tests.e2e.trial import Trial

pytestmark = pytest.mark.usefixtures("with_tables")

NOBODY_WRITTEN = {
    "ghl": {"created": 0, "updated": 0, "dnd_set": 0, "dnd_lifted": 0, "deleted": 0},
    "emailoctopus": {"created": 0, "updated": 0, "unsubscribed": 0, "deleted": 0},
}


@pytest.fixture
def first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Trial]:
    """A location with a few people, odd ones among them, and a list that is empty but has their fields."""
    sandbox = Sandbox(seed=1)
    sandbox.populate(Population(ghl=0, emailoctopus=0, shared=0))
    sandbox.emailoctopus.world.add_field(sandbox.list_id, Field("Renewal", "Renewal", "date"))
    with running_sandbox(sandbox) as running:
        yield Trial(tmp_path, running, capsys)


def person(trial: Trial, email: str, first: str = "Ada", **fields: Any) -> str:
    return trial.ghl.create(email=email, firstName=first, **fields).id


def rows_of(text: str) -> dict[str, dict[str, str]]:
    return {row["EmailAddress"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}


def exported(trial: Trial, *arguments: str) -> dict[str, dict[str, str]]:
    answer = trial.run("export-csv", *arguments)
    assert answer.status == 0, answer.err
    return rows_of(answer.out)


def imported(trial: Trial, rows: dict[str, dict[str, str]], *, tags: bool = True) -> None:
    """What the dashboard makes of a file, as subscribed, existing contacts skipped (facts: EmailOctopus §17)."""
    the_list = trial.emailoctopus.lists[trial.sandbox.list_id]
    for address, row in rows.items():
        if the_list.contacts.with_address(address) is None:
            fields: dict[str, FieldValue | None] = {
                tag: int(row[tag]) if field.type == "number" else row[tag].strip()
                for tag, field in the_list.fields.items()
                if row.get(tag)
            }
            named = row["Tags"].split(",") if tags and row["Tags"] else []
            trial.emailoctopus.add(the_list.id, address, fields, named, "subscribed")


def statuses(trial: Trial) -> dict[str, str]:
    return {one.email_address: one.status for one in trial.emailoctopus.lists[trial.sandbox.list_id].contacts}


def test_whoever_is_imported_is_adopted_without_a_single_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox = Sandbox(seed=1)
    sandbox.populate(Population(ghl=60, emailoctopus=0, shared=0))
    sandbox.emailoctopus.world.add_field(sandbox.list_id, Field("Renewal", "Renewal", "date"))
    sandbox.emailoctopus.world.add_field(sandbox.list_id, Field("Score", "Score", "number"))
    with running_sandbox(sandbox) as running:
        trial = Trial(tmp_path, running, capsys)
        trial.config += "      - {ghl: custom.lead_score, emailoctopus: Score, direction: to_emailoctopus}\n"
        person(trial, "quotes@example.com", 'Ada "Countess", of\nLovelace', lastName="Größe", phone="+4917012345678")
        planned = trial.run("plan", "--full", "--json").pair["operations"]
        rows = exported(trial)
        assert len(rows) == sum(one["action"] == "create" for one in planned) > 30
        imported(trial, rows)
        trial.forget_requests()

        report = trial.run("reconcile", "--full", "--json")

        assert (report.status, report.pair["written"], trial.writes()) == (0, NOBODY_WRITTEN, [])
        assert trial.run("status", "--json").pair["links"] == len(rows)
        assert trial.run("plan", "--full", "--json").pair["operations"] == []


def test_an_import_that_passes_tags_over_leaves_them_alone_to_reconcile(first: Trial) -> None:
    person(first, "ada@example.com", tags=["vip", "customer"])
    imported(first, exported(first), tags=False)
    assert {one["action"] for one in first.run("plan", "--full", "--json").pair["operations"]} == {"add_tags"}


def test_nobody_is_exported_who_may_not_be_mailed(first: Trial) -> None:
    first.config += "    create_suppressed: true\n    resubscribe: allow\n    scope: {tags_none: [staff]}\n"
    person(first, "ada@example.com")
    first.ghl.unsubscribe(person(first, "dnd@example.com"))
    first.ghl.set_dnd_all(person(first, "all@example.com"), dnd=True)
    twice = person(first, "twice@example.com")
    first.ghl.create(email="twice@example.com", firstName="Her")
    first.ghl.unsubscribe(twice)
    person(first, "staff@example.com", tags=["staff"])
    for status in ("subscribed", "unsubscribed", "pending"):
        person(first, f"{status}@example.com")
        first.emailoctopus.add(first.sandbox.list_id, f"{status.upper()}@example.com", None, None, status)
    lifted = person(first, "lifted@example.com")
    first.ghl.unsubscribe(lifted)
    first.config = first.config.replace("create_suppressed: true", "create_suppressed: false")
    assert first.run("reconcile", "--full", config=first.config + "    create_in_emailoctopus: false\n").status == 0
    first.ghl.set_dnd(lifted, "inactive")
    first.config = first.config.replace("create_suppressed: false", "create_suppressed: true")

    answer = first.run("export-csv")

    assert list(rows_of(answer.out)) == ["ada@example.com"]
    assert "1 blocked or unsubscribed before" in answer.err
    assert "3 to be created as unsubscribed" in answer.err


def test_a_list_that_asks_for_confirmation_takes_no_file(first: Trial) -> None:
    first.emailoctopus.set_double_opt_in(first.sandbox.list_id, double_opt_in=True)
    person(first, "ada@example.com")
    answer = first.run("export-csv", "--out", "x.csv")
    assert (answer.status, answer.out, Path("x.csv").exists()) == (2, "", False)
    assert "an import asks nobody" in answer.err
    first.config += "    new_contact_status: subscribed\n"
    assert list(exported(first)) == ["ada@example.com"]


def test_whom_emailoctopus_refused_before_is_left_out_and_told(first: Trial) -> None:
    first.sandbox.emailoctopus.weather.plan_limit = 1
    person(first, "ada@example.com", "Ada")
    person(first, "bob@example.com", "Bob")
    assert first.run("reconcile").status == 3
    answer = first.run("export-csv")
    assert rows_of(answer.out) == {}
    assert "1 parked, as EmailOctopus refused it before" in answer.err


def test_what_a_guard_holds_is_left_out_until_somebody_approves(first: Trial) -> None:
    for n in range(4):
        person(first, f"old{n}@example.com")
    assert first.run("reconcile", "--full").status == 0
    for n in range(5):
        person(first, f"new{n}@example.com")
    assert len(exported(first)) == 5
    first.config += "    guard: {max_create_percent: 50, max_create_count: 3}\n"
    answer = first.run("export-csv")
    assert rows_of(answer.out) == {}
    assert "5 held until somebody approves it" in answer.err
    assert first.run("reconcile", "--full").status == 5
    assert first.run("held", "approve").status == 0
    assert len(exported(first)) == 5


@pytest.mark.parametrize("value", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd|x", " =x", "\uff1d1", "\t=1"])
def test_no_cell_is_a_formula_and_reconcile_writes_what_was_left(first: Trial, value: str) -> None:
    person(first, "ada@example.com", value, city="-7", phone="+4917012345678", tags=["=tag", "one, two", "fine"])
    person(first, "=eve@example.com")
    answer = first.run("export-csv")
    rows = rows_of(answer.out)
    ada = rows["ada@example.com"]
    assert list(rows) == ["ada@example.com"]
    assert (ada["FirstName"], ada["City"], ada["Phone"], ada["Tags"]) == ("", "-7", "+4917012345678", "fine")
    assert "1 with an address that a spreadsheet would run as a formula" in answer.err
    assert "1 value left to reconcile" in answer.err
    assert "2 tags left to reconcile" in answer.err

    imported(first, rows)
    assert first.run("reconcile", "--full").status == 0
    adopted = first.emailoctopus.lists[first.sandbox.list_id].contacts.with_address("ada@example.com")
    assert adopted is not None
    assert str(adopted.fields["FirstName"]).strip() == value.strip()
    assert set(adopted.tags) == {"=tag", "one, two", "fine"}


def test_missing_fields_and_several_choices_are_said_first(first: Trial) -> None:
    first.emailoctopus.delete_field(first.sandbox.list_id, "Renewal")
    first.ghl.add_field("Kinds", "MULTIPLE_OPTIONS", ["a", "b"])
    first.emailoctopus.add_field(first.sandbox.list_id, Field("Kinds", "Kinds", "choice_multiple", choices=["a", "b"]))
    first.config += "      - {ghl: custom.kinds, emailoctopus: Kinds}\n"
    person(first, "ada@example.com", custom={"kinds": ["a", "b"], "renewal": "2026-05-01"})
    answer = first.run("export-csv")
    assert "The list lacks 1 field: Renewal (date)" in answer.err
    assert "several choices: Kinds" in answer.err
    assert rows_of(answer.out)["ada@example.com"]["Renewal"] == "2026-05-01"
    assert "Kinds" not in answer.out.splitlines()[0]


def test_a_file_is_its_owners_alone_and_never_written_over(first: Trial) -> None:
    person(first, "ada@example.com")
    answer = first.run("export-csv", "--out", "x.csv")
    assert (answer.status, answer.out) == (0, "")
    assert "personal data" in answer.err
    assert "@" not in answer.err
    written = Path("x.csv").read_bytes()
    assert list(rows_of(written.decode())) == ["ada@example.com"]
    assert stat.S_IMODE(Path("x.csv").stat().st_mode) == 0o600
    again = first.run("export-csv", "--out", "x.csv")
    assert (again.status, "exists already" in again.err) == (2, True)
    assert Path("x.csv").read_bytes() == written
    assert first.run("export-csv", "--out", "nowhere/x.csv").status == 2
    assert first.writes() == []
    assert statuses(first) == {}


def test_half_a_file_is_none(first: Trial) -> None:
    person(first, "ada@example.com")
    first.sandbox.emailoctopus.weather = Weather(error_rate=1.0)
    answer = first.run("export-csv", "--out", "x.csv")
    assert answer.status in (3, 7)
    assert not Path("x.csv").exists()


def test_each_list_is_exported_by_itself(first: Trial) -> None:
    other = first.emailoctopus.create_list("Other")
    pair = first.config[first.config.index("  - name: sandbox") :]
    first.config += pair.replace("name: sandbox", "name: other").replace(first.sandbox.list_id, other.id)
    answer = first.run("export-csv")
    assert (answer.status, "--pair (sandbox, other)" in answer.err) == (2, True)
    assert exported(first, "--pair", "other") == {}
