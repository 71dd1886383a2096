"""What EmailOctopus shows of tasks, notes and appointments: values only."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_daemon.model.activity import (
    ActivityPolicy,
    Appointment,
    AppointmentFields,
    KnownActivity,
    Note,
    NoteFields,
    Task,
    TaskFields,
)
from sync_daemon.model.contact import AccountSchema, FieldSpec, Value
from sync_daemon.model.state import Link
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.activity import (
    MOST_CHARACTERS,
    Moment,
    appointment_values,
    can_hold,
    completed_task_values,
    field_types,
    latest_completed,
    latest_note,
    new_activity_fields,
    news,
    note_values,
    open_task_values,
    plain,
    shorten,
    showing,
)
from sync_daemon.reconcile.activity_seen import Seen, shown

NOW = datetime(2026, 11, 26, 23, 30, tzinfo=UTC)
HERE = Moment(NOW, UTC)
TASKS = TaskFields("count", "next", "due", "done", "done_on")
APPOINTMENTS = AppointmentFields("title", "on", "time", "status", "last")
NOTES = NoteFields("note", "note_on")
LINK = Link("g1", "e1")


def task(name: str, due: float | None = 1, *, completed: bool = False, updated: float | None = None) -> Task:
    """A task due in so many days, updated so many days ago."""
    at = NOW + timedelta(days=due) if due is not None else None
    updated_at = NOW - timedelta(days=updated) if updated is not None else None
    return Task(name, "g1", name, at, completed, NOW, updated_at)


def appointment(name: str, days: float, status: str = "confirmed") -> Appointment:
    return Appointment(name, "g1", name, NOW + timedelta(days=days), status, NOW)


def note(name: str, days_ago: float, body: str | None = None) -> Note:
    return Note(name, body if body is not None else name, NOW - timedelta(days=days_ago))


def digest(contact_id: str, name: str, value: Value) -> bytes:
    return f"{contact_id} {name} {value!r}".encode()


def test_the_task_due_first_is_next_overdue_ones_before_all() -> None:
    tasks = [task("later", 2), task("overdue", -3), task("some day", None)]
    assert open_task_values(TASKS, tasks, HERE) == {"count": 3, "next": "overdue", "due": "2026-11-23"}


def test_a_task_without_a_due_time_is_last_and_shows_none() -> None:
    assert open_task_values(TASKS, [task("some day", None)], HERE) == {"count": 1, "next": "some day", "due": None}


def test_no_open_task_is_told_as_none() -> None:
    assert open_task_values(TASKS, [], HERE) == {"count": 0, "next": None, "due": None}


def test_days_and_times_are_the_locations() -> None:
    sydney = Moment(NOW, ZoneInfo("Australia/Sydney"))
    assert open_task_values(TASKS, [task("call", 0)], sydney)["due"] == "2026-11-27"
    told = appointment_values(APPOINTMENTS, [appointment("call", 0)], sydney)
    assert (told["on"], told["time"]) == ("2026-11-27", "10:30")


def test_what_is_not_named_is_not_shown() -> None:
    assert open_task_values(TaskFields(next_title="next"), [task("call")], HERE) == {"next": "call"}
    assert appointment_values(AppointmentFields(last_start="last"), [appointment("call", -1)], HERE) == {
        "last": "2026-11-25"
    }


def test_the_task_completed_last_counts_as_far_as_times_are_known() -> None:
    tasks = [task("old", completed=True, updated=3), task("new", completed=True, updated=1), task("open", updated=0)]
    last = latest_completed(tasks, lambda one: one.updated_at)
    assert last is not None
    assert completed_task_values(TASKS, last, last.updated_at, HERE) == {"done": "new", "done_on": "2026-11-25"}
    assert completed_task_values(TASKS, None, None, HERE) == {"done": None, "done_on": None}


@pytest.mark.parametrize(
    ("status", "next_", "last"),
    [
        ("new", "soon", "2026-11-25"),
        ("confirmed", "soon", "2026-11-25"),
        ("showed", "later", "2026-11-25"),
        ("cancelled", "later", None),
        ("noshow", "later", None),
        ("invalid", "later", None),
    ],
)
def test_only_what_is_to_take_place_is_next_and_only_what_took_place_was_last(
    status: str, next_: str, last: str | None
) -> None:
    booked = [appointment("soon", 1, status), appointment("later", 2), appointment("past", -1, status)]
    told = appointment_values(APPOINTMENTS, booked, HERE)
    assert (told["title"], told["last"]) == (next_, last)


def test_an_appointment_that_begins_now_is_next_and_not_yet_the_last() -> None:
    told = appointment_values(APPOINTMENTS, [appointment("now", 0)], HERE)
    assert (told["title"], told["last"]) == ("now", None)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>one</p><p>two</p>", "one two"),
        ("a <b>b</b>old<br>c", "a bold c"),
        ("<style>p {color: red}</style>x<script>y()</script>", "x"),
        ("a &amp; b &lt;c&gt;", "a & b <c>"),
        ("1 < 2", "1 < 2"),
        ("  plain \n text ", "plain text"),
        ("<ul><li>milk</li><li>eggs</li></ul>", "milk eggs"),
        ("", ""),
    ],
)
def test_markup_goes_and_the_text_stays(markup: str, text: str) -> None:
    assert plain(markup) == text


@given(st.text().map(lambda text: " ".join(text.split())), st.integers(2, 700))
def test_a_text_is_shortened_to_at_most_so_much_and_only_where_it_must(text: str, most: int) -> None:
    cut = shorten(text, most)
    assert len(cut) <= most
    assert cut == text if len(text) <= most else cut.endswith("…")


def test_a_text_is_cut_at_a_word_unless_it_is_one() -> None:
    assert shorten("the quick brown fox", 12) == "the quick …"
    assert shorten("x" * 20, 12) == "x" * 11 + "…"


def test_no_value_is_longer_than_a_field_of_the_free_plan() -> None:
    long = task("word " * 400)
    told = note_values(replace(NOTES, max_length=5000), latest_note(NOTES, [note("n", 1, "word " * 400)]), HERE)
    for value in (open_task_values(TASKS, [long], HERE)["next"], told["note"]):
        assert isinstance(value, str)
        assert len(value) <= MOST_CHARACTERS


def test_the_newest_note_that_may_be_shown_is() -> None:
    shared = replace(NOTES, include=("#share*", "*for the customer"))
    notes = [note("a", 3, "#SHARE a"), note("b", 2, "<i>b for the Customer</i>"), note("c", 1, "don't #share this")]
    found = latest_note(shared, notes)
    assert found is not None
    assert note_values(shared, found, HERE) == {"note": "b for the Customer", "note_on": "2026-11-24"}
    assert latest_note(shared, notes[2:]) is None
    assert note_values(shared, None, HERE) == {"note": None, "note_on": None}


def test_a_note_without_a_word_is_none() -> None:
    assert latest_note(NOTES, [note("a", 3, "<p></p>")]) is None


def test_fields_have_types_and_only_those_named_are_there() -> None:
    policy = ActivityPolicy(tasks=TASKS, notes=NoteFields(latest="note"), appointments=AppointmentFields("title", "on"))
    assert field_types(policy) == {
        "count": "number",
        "next": "text",
        "due": "date",
        "done": "text",
        "done_on": "date",
        "note": "text",
        "title": "text",
        "on": "date",
    }
    schema = AccountSchema(SystemName.EMAILOCTOPUS, {"next": FieldSpec("next", "next", "text")})
    assert {one.spec.name for one in new_activity_fields(policy, schema)} == field_types(policy).keys() - {"next"}
    assert new_activity_fields(None, schema) == []


@pytest.mark.parametrize(
    ("type_", "kind", "fits"),
    [("text", "number", True), ("text", "date", True), ("date", "date", True), ("number", "date", False)],
)
def test_a_text_holds_everything(type_: str, kind: str, fits: bool) -> None:
    assert can_hold(FieldSpec("f", "f", type_), kind) is fits


def test_only_what_differs_from_what_was_told_last_is_news() -> None:
    known = KnownActivity("g1", "e1", {"next": digest("e1", "next", "call"), "count": digest("e1", "count", 1)})
    values: dict[str, Value] = {"next": "call", "count": 0, "due": "2026-11-27"}
    assert news(values, [*values, "done"], known, LINK, digest) == {"count": 0, "due": "2026-11-27"}


def test_what_never_was_anything_is_not_written_as_nothing() -> None:
    values: dict[str, Value] = {"next": None, "count": 0}
    assert news(values, [*values, "done"], None, LINK, digest) == {}
    elsewhere = KnownActivity("g1", "e0", {"next": digest("e0", "next", None)})
    # Those fields may show somebody else's: of what isn't known yet nothing is shown.
    assert news(values, [*values, "done"], elsewhere, LINK, digest) == {**values, "done": None}


def test_a_number_is_written_as_text_where_the_field_is_one() -> None:
    specs = {name: FieldSpec(name, name, "text") for name in ("count", "next")}
    assert showing(LINK, {"count": 2, "next": None}, specs).fields == {"count": "2", "next": None}
    specs["count"] = FieldSpec("count", "count", "number")
    assert showing(LINK, {"count": 2, "next": None}, specs).fields == {"count": 2, "next": None}


def test_a_task_that_was_open_at_the_last_look_was_completed_since() -> None:
    before = KnownActivity("g1", "e1", open_tasks=frozenset({"call"}))
    seen = Seen(NOW, everybody=True, told={"g1": [task("call", completed=True)]})
    look = shown(seen, ActivityPolicy(tasks=TASKS), before, HERE)
    assert look.values == {"count": 0, "next": None, "due": None, "done": "call", "done_on": "2026-11-26"}
    assert (look.known.open_tasks, look.known.completed_task) == (frozenset(), "call")
    assert [one.id for one in look.completed] == ["call"]


def test_a_time_that_is_told_no_more_stays_as_it_was_told() -> None:
    before = KnownActivity("g1", "e1", completed_task="call")
    seen = Seen(NOW, told={"g1": [task("call", completed=True)]})
    assert "done_on" not in shown(seen, ActivityPolicy(tasks=TASKS), before, HERE).values


def test_of_whom_nothing_was_read_nothing_changes() -> None:
    before = KnownActivity("g1", "e1", open_tasks=frozenset({"call"}), completed_task="old", note="n")
    policy = ActivityPolicy(tasks=TASKS, notes=NOTES, appointments=APPOINTMENTS)
    look = shown(Seen(NOW, notes={"g2": []}), policy, before, HERE)
    assert (look.values, look.known, look.booked) == ({}, before, ())


def test_whoever_a_look_at_all_did_not_find_has_nothing() -> None:
    before = KnownActivity("g1", "e1", open_tasks=frozenset({"call"}))
    policy = ActivityPolicy(tasks=TASKS, appointments=APPOINTMENTS)
    look = shown(Seen(NOW, everybody=True), policy, before, HERE)
    assert look.values["count"] == 0
    assert look.values["title"] is None
    assert "done" not in look.values  # completed tasks weren't looked at
