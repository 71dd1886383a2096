"""Tasks, notes and appointments of GHL contacts, shown in EmailOctopus's fields (contract, section 9)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from sync_daemon.model.activity import ActivityPolicy, AppointmentFields, NoteFields, TaskFields
from sync_daemon.model.deeds import DeedState
from sync_daemon.model.policy import Blanks
from sync_daemon.model.report import Mode
from sync_daemon.model.webhook import EventKind, WebhookEvent
from sync_daemon.sandbox.ghl.accounts import ALL_SCOPES
from sync_daemon.sandbox.server import Sandbox
from tests.scenarios.test_bad_luck import try_to_die
from tests.worlds import EMAILOCTOPUS, GHL, NAMES, World, add_field, neighbours, world

ADA, BOB = "ada@example.com", "bob@example.com"
TASKS = TaskFields("OpenTasks", "NextTask", "NextTaskDue", "TaskDone", "TaskDoneOn")
NOTES = NoteFields("LastNote", "LastNoteOn", max_length=40)
APPOINTMENTS = AppointmentFields("NextAppt", "NextApptOn", "NextApptTime", "NextApptStatus", "LastApptOn")
ALL = ActivityPolicy(tasks=TASKS, notes=NOTES, appointments=APPOINTMENTS)


def shown(here: World, email: str = ADA) -> dict[str, Any]:
    """What EmailOctopus shows beside the names."""
    fields = here.in_emailoctopus(email)["fields"]
    return {name: value for name, value in fields.items() if name not in ("FirstName", "LastName") and value != ""}


def there(here: World, email: str = ADA) -> dict[str, Any]:
    """What EmailOctopus shows that isn't blank."""
    return {name: value for name, value in shown(here, email).items() if value is not None}


def look(here: World) -> None:
    """The next look at activity."""
    here.later(minutes=15)
    here.reconcile()


def ahead(here: World, **duration: float) -> datetime:
    return here.clock.now() + timedelta(**duration)


def day(here: World, moment: datetime) -> str:
    return moment.astimezone(here.ghl.location.zone).date().isoformat()


def book(here: World, ghl_id: str, start: datetime, title: str = "Fitting") -> Any:
    calendars = here.ghl.calendars.of_location(here.sandbox.location_id)
    calendar = (calendars[0] if calendars else here.ghl.add_calendar("Fittings"))["id"]
    return here.ghl.book(ghl_id, calendar, start, title=title)


def test_the_open_task_that_is_due_first_is_shown_overdue_or_not(database_url: str) -> None:
    with world(database_url, activity=ALL) as here:
        ghl_id, _ = here.linked()
        here.ghl.add_task(ghl_id, "Call back", ahead(here, days=3))
        due = ahead(here, days=-2)
        here.ghl.add_task(ghl_id, "Send the offer", due)
        look(here)
        assert there(here) == {"OpenTasks": 2, "NextTask": "Send the offer", "NextTaskDue": day(here, due)}
        here.assert_quiet()


def test_a_task_that_is_completed_moves_on(database_url: str) -> None:
    with world(database_url, activity=ALL) as here:
        ghl_id, _ = here.linked()
        task = here.ghl.add_task(ghl_id, "Send the offer", ahead(here, days=1))
        look(here)
        here.ghl.complete_task(task.id)
        done_on = day(here, here.clock.now())
        look(here)
        assert there(here) == {"OpenTasks": 0, "TaskDone": "Send the offer", "TaskDoneOn": done_on}
        here.ghl.complete_task(task.id, completed=False)
        look(here)
        assert (there(here)["OpenTasks"], there(here)["NextTask"]) == (1, "Send the offer")
        assert "TaskDone" in there(here)  # until a look at everything
        here.later(days=1)
        here.full()
        assert "TaskDone" not in there(here)
        here.assert_quiet()


@pytest.mark.parametrize("mode", [Mode.INCREMENTAL, Mode.FULL])
def test_a_task_that_is_deleted_clears_its_fields(database_url: str, mode: Mode) -> None:
    with world(database_url, activity=ALL) as here:
        ghl_id, _ = here.linked()
        task = here.ghl.add_task(ghl_id, "Send the offer", ahead(here, days=1))
        look(here)
        here.ghl.delete_task(task.id)
        here.later(minutes=15)
        here.reconcile(mode)
        assert there(here) == {"OpenTasks": 0}
        here.assert_quiet()


def test_a_completed_task_that_is_deleted_is_missed_by_the_next_full_scan(database_url: str) -> None:
    with world(database_url, activity=ALL) as here:
        ghl_id, _ = here.linked()
        task = here.ghl.add_task(ghl_id, "Send the offer", ahead(here, days=1), completed=True)
        here.later(days=1)
        here.full()
        assert there(here)["TaskDone"] == "Send the offer"
        here.ghl.delete_task(task.id)
        here.later(days=1)
        here.full()
        assert there(here) == {"OpenTasks": 0} or there(here) == {}
        here.assert_quiet()


def test_of_several_completed_tasks_the_last_one_counts(database_url: str) -> None:
    with world(database_url, activity=ALL) as here:
        ghl_id, _ = here.linked()
        first, second = (here.ghl.add_task(ghl_id, one, ahead(here, days=1)) for one in ("First", "Second"))
        look(here)
        here.ghl.complete_task(second.id)
        look(here)
        here.later(days=2)
        here.ghl.complete_task(first.id)
        done_on = day(here, here.clock.now())
        look(here)
        assert (there(here)["TaskDone"], there(here)["TaskDoneOn"]) == ("First", done_on)
        here.later(days=1)
        here.full()
        assert (there(here)["TaskDone"], there(here)["TaskDoneOn"]) == ("First", done_on)


def test_an_appointment_is_shown_in_the_locations_time_until_it_is_past(database_url: str) -> None:
    with world(database_url, activity=ALL) as here:
        ghl_id, _ = here.linked()
        start = ahead(here, hours=30)
        event = book(here, ghl_id, start)
        look(here)
        local = start.astimezone(here.ghl.location.zone)
        assert there(here) == {
            "NextAppt": "Fitting",
            "NextApptOn": local.date().isoformat(),
            "NextApptTime": f"{local:%H:%M}",
            "NextApptStatus": "confirmed",
        }
        here.assert_quiet()
        here.ghl.set_appointment(event.id, "new", start + timedelta(days=1))
        look(here)
        assert (there(here)["NextApptOn"], there(here)["NextApptStatus"]) == (
            day(here, start + timedelta(days=1)),
            "new",
        )
        here.later(days=3)
        here.reconcile()
        assert there(here) == {"LastApptOn": day(here, start + timedelta(days=1))}
        here.ghl.set_appointment(event.id, "noshow")
        look(here)
        assert there(here) == {}
        here.assert_quiet()


@pytest.mark.parametrize("how", ["cancelled", "deleted"])
def test_an_appointment_that_is_called_off_clears_its_fields(database_url: str, how: str) -> None:
    with world(database_url, activity=ALL) as here:
        ghl_id, _ = here.linked()
        event = book(here, ghl_id, ahead(here, days=2))
        book(here, ghl_id, ahead(here, days=9), "Later")
        look(here)
        assert there(here)["NextAppt"] == "Fitting"
        if how == "cancelled":
            here.ghl.set_appointment(event.id, "cancelled")
        else:
            del here.ghl.calendars.events[event.id]
        look(here)
        assert there(here)["NextAppt"] == "Later"


def test_the_latest_note_is_shown_without_markup_and_cut_at_a_word(database_url: str) -> None:
    with world(database_url, activity=ALL) as here:
        ghl_id, _ = here.linked()
        here.ghl.add_note(ghl_id, "An old one")
        here.later(minutes=1)
        note = here.ghl.add_note(ghl_id, "<p>The <b>blue</b> coat &amp; the hat</p><p>are ready for collection</p>")
        wrote = day(here, here.clock.now())
        look(here)
        assert there(here) == {"LastNote": "The blue coat & the hat are ready for …", "LastNoteOn": wrote}
        here.assert_quiet()
        here.ghl.notes.remove(ghl_id, note.id)
        here.ghl.touch(ghl_id)
        look(here)
        assert there(here)["LastNote"] == "An old one"


def test_notes_that_no_pattern_lets_through_are_never_shown(database_url: str) -> None:
    notes = NoteFields("LastNote", include=("#share*",))
    with world(database_url, activity=ActivityPolicy(notes=notes)) as here:
        ghl_id, _ = here.linked()
        here.ghl.add_note(ghl_id, "<b>#Share</b> ready on Friday")
        here.later(minutes=1)
        here.ghl.add_note(ghl_id, "pays late, be careful")
        look(here)
        assert there(here) == {"LastNote": "#Share ready on Friday"}


def test_notes_are_read_within_a_days_budget_those_of_whom_something_changed_first(database_url: str) -> None:
    with world(database_url, activity=ActivityPolicy(notes=NOTES, notes_a_day=4)) as here:
        people = [here.person(f"p{number}@example.com") for number in range(6)]
        here.later(minutes=5)
        here.reconcile()
        first = people[:1:-1]  # who came last was changed last
        assert notes_read(here) == first
        here.forget_requests()
        here.later(hours=6)
        here.edit_person(first[2], firstName="Augusta")
        here.later(minutes=5)
        here.reconcile()
        assert notes_read(here) == [first[2]]
        here.forget_requests()
        here.later(minutes=15)
        here.reconcile()
        assert notes_read(here) == []
        here.later(hours=12)
        here.reconcile()
        assert notes_read(here) == people[1::-1]


def notes_read(here: World) -> list[str]:
    return [path.split("/")[2] for _, path in here.requests(GHL) if path.endswith("/notes")]


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        (None, set()),
        (ActivityPolicy(tasks=TASKS), {"tasks"}),
        (ActivityPolicy(appointments=APPOINTMENTS), {"calendars"}),
    ],
)
def test_what_is_not_named_is_not_read(database_url: str, policy: ActivityPolicy | None, told: set[str]) -> None:
    with world(database_url, activity=policy) as here:
        here.linked()
        here.forget_requests()
        look(here)
        asked = {word for _, path in here.requests(GHL) for word in ("tasks", "notes", "calendars") if word in path}
        assert asked == told


def test_an_idle_cycle_is_as_cheap_as_without_activity_until_the_interval_has_passed(database_url: str) -> None:
    with world(database_url, activity=ALL) as here:
        ghl_id, _ = here.linked()
        here.ghl.add_task(ghl_id, "Call back", ahead(here, days=3))
        look(here)
        here.later(minutes=9)
        here.forget_requests()
        here.reconcile()
        assert [path for _, path in here.requests(GHL)] == ["/contacts/search"]


def test_fields_of_the_list_are_made_with_their_types(database_url: str) -> None:
    with world(database_url, activity=ALL) as here:
        here.linked()
        fields = here.emailoctopus.lists[here.sandbox.list_id].fields
        types = {name: field.type for name, field in fields.items()}
        assert (types["OpenTasks"], types["NextTaskDue"], types["NextTask"]) == ("number", "date", "text")


def test_a_text_that_is_there_shows_numbers_and_days_and_is_written_when_they_change(database_url: str) -> None:
    with world(database_url) as here:
        for name in ("OpenTasks", "NextTaskDue"):
            add_field(here.sandbox, name, "text")
        here.pair = replace(here.pair, activity=ActivityPolicy(tasks=TaskFields("OpenTasks", next_due="NextTaskDue")))
        ghl_id, _ = here.linked()
        due = ahead(here, days=3)
        task = here.ghl.add_task(ghl_id, "Call back", due)
        look(here)
        assert there(here) == {"OpenTasks": "1", "NextTaskDue": day(here, due)}
        here.forget_requests()
        look(here)
        assert here.writes(EMAILOCTOPUS) == []
        here.ghl.delete_task(task.id)
        look(here)
        assert there(here) == {"OpenTasks": "0"}
        here.forget_requests()
        look(here)
        assert here.writes(EMAILOCTOPUS) == []


def test_a_list_with_no_room_for_a_field_is_told_so_and_the_rest_is_shown(database_url: str) -> None:
    with world(database_url, activity=ActivityPolicy(tasks=TASKS)) as here:
        ghl_id, _ = here.linked()
        del here.emailoctopus.lists[here.sandbox.list_id].fields["TaskDoneOn"]
        here.sandbox.emailoctopus.world.quirks.field_limit = 1
        here.ghl.add_task(ghl_id, "Call back", ahead(here, days=3))
        here.later(days=1)
        report = here.full()
        assert report.outcome == "incomplete"
        assert "refuses to make the field TaskDoneOn" in report.message
        assert there(here)["NextTask"] == "Call back"
        here.later(minutes=15)
        assert here.reconcile().outcome == "ok"  # asked again by the next full scan alone


def test_a_token_without_the_scope_keeps_no_contact_from_being_reconciled(database_url: str) -> None:
    def lack_scope(sandbox: Sandbox) -> None:
        sandbox.ghl_token = sandbox.ghl.world.private_token(set(ALL_SCOPES) - {"locations/tasks.readonly"})

    with world(database_url, activity=ALL, prepare=lack_scope) as here:
        ghl_id, _ = here.linked()
        here.edit_person(ghl_id, firstName="Augusta")
        here.later(minutes=15)
        report = here.reconcile()
        assert report.outcome == "incomplete"
        assert "lacks the scope `locations/tasks.readonly`" in report.message
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Augusta"


def test_a_contact_whose_tasks_cannot_be_read_waits_and_disturbs_nobody(database_url: str) -> None:
    with world(database_url, activity=ALL) as here:
        ada, _ = here.linked()
        bob, _ = here.linked(BOB)
        tasks = [here.ghl.add_task(one, "Call back", ahead(here, days=3)) for one in (ada, bob)]
        look(here)
        for one in tasks:
            here.ghl.complete_task(one.id)
        here.fault(GHL, kind="error", method="GET", path=f"/contacts/{ada}/tasks", status=422)
        look(here)
        assert (there(here)["NextTask"], there(here, BOB)["TaskDone"]) == ("Call back", "Call back")
        look(here)
        assert (there(here)["OpenTasks"], there(here)["TaskDone"]) == (0, "Call back")


@pytest.mark.parametrize("mode", [Mode.HINTS, Mode.INCREMENTAL])
def test_what_webhooks_tell_of_it_does_not_wait_for_a_scope_that_lacks(database_url: str, mode: Mode) -> None:
    def lack_scope(sandbox: Sandbox) -> None:
        sandbox.ghl_token = sandbox.ghl.world.private_token(set(ALL_SCOPES) - {"calendars/events.readonly"})

    with world(database_url, activity=ALL, prepare=lack_scope) as here:
        ghl_id, _ = here.linked()
        book(here, ghl_id, ahead(here, days=3))
        here.pair_store.save_events([WebhookEvent(GHL, "e1", ghl_id, EventKind.ACTIVITY, here.clock.now())])
        here.later(minutes=15)
        assert here.reconcile(mode).outcome == "incomplete"
        assert here.pair_store.count_waiting_events() == 0


def test_nothing_is_shown_of_who_is_out_of_scope_or_has_no_link(database_url: str) -> None:
    with world(database_url, activity=ALL, create_in_emailoctopus=False) as here:
        alone = here.person(BOB)
        here.ghl.add_task(alone, "Call back", ahead(here, days=3))
        here.ghl.add_task(None, "Nobody's", ahead(here, days=3))
        here.reconcile()
        assert here.pair_store.ids_with_activity() == []


def test_what_is_shown_is_never_read_back(database_url: str) -> None:
    with world(database_url, activity=ALL) as here:
        ghl_id, subscriber_id = here.linked()
        here.ghl.add_task(ghl_id, "Call back", ahead(here, days=3))
        look(here)
        before = here.people()[ghl_id]
        here.edit_subscriber(subscriber_id, NextTask="Do nothing")
        here.later(minutes=1)
        report = here.reconcile()
        assert (report.written, here.people()[ghl_id]) == ({}, before)


def test_an_edit_at_the_same_time_is_not_taken_for_an_echo(database_url: str) -> None:
    with world(database_url, activity=ALL) as here:
        ghl_id, subscriber_id = here.linked()
        here.ghl.add_task(ghl_id, "Call back", ahead(here, days=3))
        here.later(minutes=15)
        here.before_writing(lambda: here.edit_subscriber(subscriber_id, LastName="King"))
        here.reconcile()
        here.settle()
        assert here.in_ghl(ADA)["lastName"] == "King"
        assert there(here)["NextTask"] == "Call back"


@pytest.mark.parametrize("told", ["task", "note", "appointment"])
def test_a_webhook_shows_it_at_once(database_url: str, told: str) -> None:
    with world(database_url, activity=ALL) as here:
        ghl_id, _ = here.linked()
        here.later(minutes=1)
        if told == "task":
            here.ghl.add_task(ghl_id, "Call back", ahead(here, days=3))
        elif told == "note":
            here.ghl.add_note(ghl_id, "Call back")
        else:
            book(here, ghl_id, ahead(here, days=3), "Call back")
        here.pair_store.save_events([WebhookEvent(GHL, "e1", ghl_id, EventKind.ACTIVITY, here.clock.now())])
        here.reconcile(Mode.HINTS)
        assert "Call back" in there(here).values()
        assert here.pair_store.count_waiting_events() == 0
        here.assert_quiet()


def test_what_webhooks_tell_of_activity_that_nobody_wants_to_see_does_not_wait(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked()
        here.pair_store.save_events([WebhookEvent(GHL, "e1", ghl_id, EventKind.ACTIVITY, here.clock.now())])
        here.forget_requests()
        here.reconcile(Mode.HINTS)
        assert (here.pair_store.count_waiting_events(), here.requests(GHL)) == (0, [])


def test_a_link_that_moves_takes_its_activity_along(database_url: str) -> None:
    with world(database_url, activity=ALL) as here:
        ada, _ = here.linked()
        here.ghl.add_task(ada, "Call back", ahead(here, days=3))
        look(here)
        here.subscriber(BOB)
        here.edit_person(ada, email=BOB)
        here.later(minutes=15)
        here.reconcile()
        look(here)
        assert there(here, BOB)["NextTask"] == "Call back"
        assert there(here, ADA) == {"OpenTasks": 0} or there(here, ADA) == {}
        here.forget_requests()
        look(here)
        assert here.writes(EMAILOCTOPUS) == []


def test_what_was_shown_of_somebody_who_is_deleted_is_cleared(database_url: str) -> None:
    with world(database_url, activity=ALL) as here:
        ada, _ = here.linked()
        neighbours(here)
        here.ghl.add_task(ada, "Call back", ahead(here, days=3))
        look(here)
        assert there(here)["NextTask"] == "Call back"
        here.ghl.delete(ada)
        here.later(days=1)
        here.full()
        here.settle()
        look(here)
        assert (here.status(ADA), there(here)) == ("unsubscribed", {})
        assert ada not in here.pair_store.ids_with_activity()
        here.forget_requests()
        look(here)
        assert here.writes(EMAILOCTOPUS) == []


def test_who_takes_over_the_contact_of_somebody_else_shows_nothing_of_him(database_url: str) -> None:
    with world(database_url, activity=ALL) as here:
        ada, _ = here.linked()
        book(here, ada, ahead(here, days=3))
        look(here)
        assert there(here)["NextAppt"] == "Fitting"
        heir = here.person(ADA, "Ada")
        here.edit_person(ada, email=BOB)
        here.settle()
        look(here)
        assert here.pair_store.links(ghl=[heir])[0].emailoctopus_id == here.in_emailoctopus(ADA)["id"]
        assert there(here, ADA) == {}
        assert there(here, BOB)["NextAppt"] == "Fitting"
        here.forget_requests()
        look(here)
        assert here.writes(EMAILOCTOPUS) == []


def test_who_exchanges_contacts_with_somebody_else_shows_no_completed_task_of_him(database_url: str) -> None:
    with world(database_url, activity=ALL) as here:
        (ada, _), (bob, _) = here.linked(ADA), here.linked(BOB)
        here.ghl.add_task(ada, "Call back", ahead(here, days=3), completed=True)
        here.later(days=1)
        here.full()
        assert there(here, ADA)["TaskDone"] == "Call back"
        here.edit_person(ada, email="carl@example.com")
        here.edit_person(bob, email=ADA)
        here.edit_person(ada, email=BOB)
        look(here)  # completed tasks are looked at in full scans alone
        assert here.pair_store.links(ghl=[bob])[0].emailoctopus_id == here.in_emailoctopus(ADA)["id"]
        assert there(here, ADA).keys() <= {"OpenTasks"}
        here.later(days=1)
        here.full()
        assert (there(here, ADA).keys() <= {"OpenTasks"}, there(here, BOB)["TaskDone"]) == (True, "Call back")


@pytest.mark.parametrize("kind", ["lost_answer", "truncate"])
def test_what_no_answer_came_to_may_be_shown_and_is_written_again(database_url: str, kind: str) -> None:
    with world(database_url, activity=ALL) as here:
        ada, _ = here.linked()
        task = here.ghl.add_task(ada, "Call back", ahead(here, days=3), completed=True)
        here.later(days=1)
        here.full()
        here.ghl.complete_task(task.id, completed=False)
        here.fault(EMAILOCTOPUS, kind=kind, method="PUT", path="/contacts/", times=5)
        here.later(days=1)
        here.full()
        assert "TaskDone" not in there(here)  # it was cleared, though nobody said so
        here.sandbox.emailoctopus.weather.faults.clear()
        here.ghl.complete_task(task.id)
        here.later(days=1)
        here.full()
        assert there(here)["TaskDone"] == "Call back"


@pytest.mark.parametrize("commits", range(5, 10))
def test_what_a_run_wrote_that_was_killed_is_written_again_though_it_went_back(database_url: str, commits: int) -> None:
    with world(database_url, activity=ALL) as here:
        ada, _ = here.linked()
        event = book(here, ada, ahead(here, days=3))
        look(here)
        before = there(here)["NextApptStatus"]
        here.ghl.set_appointment(event.id, "new")
        here.later(minutes=15)
        try_to_die(here, commits)
        here.ghl.set_appointment(event.id, before)
        look(here)
        assert there(here)["NextApptStatus"] == before == "confirmed"


def test_a_refused_value_is_tried_again_by_the_schedule_and_disturbs_nobody(database_url: str) -> None:
    with world(database_url, activity=ActivityPolicy(tasks=TASKS)) as here:
        ada, subscriber_id = here.linked()
        bob, _ = here.linked(BOB)
        look(here)
        for one in (ada, bob):
            here.ghl.add_task(one, "Call back", ahead(here, days=3))
        path = f"/contacts/{subscriber_id}"
        here.fault(EMAILOCTOPUS, kind="error", method="PUT", path="/contacts/batch", status=422, times=9)
        here.fault(EMAILOCTOPUS, kind="error", method="PUT", path=path, status=422, times=99)
        look(here)
        assert (there(here), there(here, BOB)["NextTask"]) == ({}, "Call back")
        (deed,) = here.pair_store.deeds_of([ada])
        assert (deed.state, deed.attempts) == (DeedState.REFUSED, 1)
        here.sandbox.emailoctopus.weather.faults = []
        look(here)
        assert there(here)["NextTask"] == "Call back"
        assert here.pair_store.deeds_of([ada])[0].state is DeedState.DONE
        here.assert_quiet()


@pytest.mark.parametrize("kind", ["lost_answer", "drop"])
def test_a_write_without_an_answer_is_sent_again(database_url: str, kind: str) -> None:
    with world(database_url, activity=ALL) as here:
        ghl_id, _ = here.linked()
        here.ghl.add_task(ghl_id, "Call back", ahead(here, days=3))
        here.fault(EMAILOCTOPUS, kind=kind, method="PUT", times=2)
        look(here)
        here.settle()
        look(here)
        assert there(here)["NextTask"] == "Call back"
        here.assert_quiet()


def test_an_update_that_empties_what_it_does_not_name_costs_ghl_nothing(database_url: str) -> None:
    fields = tuple(replace(rule, blanks=Blanks.PROPAGATE) for rule in NAMES)
    with world(database_url, activity=ALL, fields=fields) as here:
        here.sandbox.emailoctopus.world.quirks.omitted_fields_kept = False
        ghl_id, _ = here.linked()
        here.ghl.add_task(ghl_id, "Call back", ahead(here, days=3))
        look(here)
        here.settle()
        assert (here.in_ghl(ADA)["firstName"], here.in_ghl(ADA)["lastName"]) == ("Ada", "Lovelace")
