"""Automations that a completed task and a booked appointment start, once for each (contract, section 9)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from sync_daemon.model.activity import ActivityPolicy, AppointmentFields, TaskFields
from sync_daemon.model.deeds import DeedState
from tests.scenarios.test_activity import ADA, ahead, book, look, there
from tests.scenarios.test_bad_luck import try_to_die
from tests.worlds import EMAILOCTOPUS, World, world


@contextmanager
def studio(database_url: str, **options: Any) -> Iterator[tuple[World, str]]:
    """A linked contact, and an automation for bookings and one for completed tasks that are active since a look."""
    with world(database_url, **options) as here:
        booked, completed = (automation(here, repeats=False) for _ in range(2))
        tasks = TaskFields(open_count="OpenTasks", on_completed=completed)
        appointments = AppointmentFields(next_title="NextAppt", on_booked=booked)
        here.pair = replace(here.pair, activity=ActivityPolicy(tasks=tasks, appointments=appointments))
        ghl_id, _ = here.linked()
        look(here)
        here.later(minutes=1)
        yield here, ghl_id


def automation(here: World, *, repeats: bool) -> str:
    made = here.emailoctopus.create_automation(here.sandbox.list_id, trigger="api", repeats=repeats)
    return str(made.id)


def starts(here: World) -> list[tuple[str, str]]:
    """Who entered which automation, in words."""
    policy = here.pair.activity
    assert policy is not None
    assert policy.tasks is not None
    names = {policy.tasks.on_completed: "completed"}
    return [
        (names.get(one.automation_id, "booked"), here.subscribers()[one.contact_id]["email_address"])
        for one in here.emailoctopus.automations.starts
    ]


def test_a_booking_starts_its_automation_once_and_after_the_fields(database_url: str) -> None:
    with studio(database_url) as (here, ghl_id):
        here.forget_requests()
        event = book(here, ghl_id, ahead(here, days=3))
        look(here)
        assert starts(here) == [("booked", ADA)]
        writes = [path.rpartition("/")[2] for _, path in here.writes(EMAILOCTOPUS)]
        assert writes[-1] == "queue"
        assert len(writes) == 2
        here.ghl.set_appointment(event.id, "confirmed", ahead(here, days=5))
        look(here)
        here.later(days=1)
        here.full()
        assert starts(here) == [("booked", ADA)]
        here.assert_quiet()


def test_a_completed_task_starts_its_automation_once(database_url: str) -> None:
    with studio(database_url) as (here, ghl_id):
        task = here.ghl.add_task(ghl_id, "Send the offer", ahead(here, days=1))
        look(here)
        assert starts(here) == []
        here.ghl.complete_task(task.id)
        look(here)
        here.later(days=1)
        here.full()
        assert starts(here) == [("completed", ADA)]


def test_a_task_that_was_open_before_its_automation_was_active_starts_it_when_it_is_completed(
    database_url: str,
) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked()
        task = here.ghl.add_task(ghl_id, "Send the offer", ahead(here, days=1))
        fields = TaskFields(open_count="OpenTasks", on_completed=automation(here, repeats=False))
        here.pair = replace(here.pair, activity=ActivityPolicy(tasks=fields))
        look(here)
        here.ghl.complete_task(task.id)
        look(here)
        assert starts(here) == [("completed", ADA)]


def test_a_task_made_and_completed_between_two_looks_starts_it_with_the_next_full_scan(database_url: str) -> None:
    with studio(database_url) as (here, ghl_id):
        here.ghl.add_task(ghl_id, "Send the offer", ahead(here, days=1), completed=True)
        here.later(days=1)
        here.full()
        assert starts(here) == [("completed", ADA)]


def test_what_was_there_before_starts_nothing(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked()
        book(here, ghl_id, ahead(here, days=3))
        here.ghl.add_task(ghl_id, "Send the offer", ahead(here, days=1), completed=True)
        opened = here.ghl.add_task(ghl_id, "Call back", ahead(here, days=1))
        fields = TaskFields(open_count="OpenTasks")
        here.pair = replace(here.pair, activity=ActivityPolicy(tasks=fields))
        look(here)
        here.ghl.complete_task(opened.id)
        booked, completed = (automation(here, repeats=True) for _ in range(2))
        policy = ActivityPolicy(
            tasks=replace(fields, on_completed=completed), appointments=AppointmentFields(on_booked=booked)
        )
        here.pair = replace(here.pair, activity=policy)
        here.later(days=1)
        here.full()
        here.later(days=1)
        here.full()
        assert starts(here) == []


def test_a_booking_that_is_called_off_before_it_is_seen_starts_nothing(database_url: str) -> None:
    with studio(database_url) as (here, ghl_id):
        here.ghl.set_appointment(book(here, ghl_id, ahead(here, days=3)).id, "cancelled")
        look(here)
        assert starts(here) == []


@pytest.mark.parametrize("revoked_in", ["ghl", "emailoctopus"])
def test_nothing_is_started_for_who_revoked_then_or_later(database_url: str, revoked_in: str) -> None:
    with studio(database_url) as (here, ghl_id):
        book(here, ghl_id, ahead(here, days=3))
        here.later(minutes=15)
        if revoked_in == "ghl":
            here.ghl.set_dnd(ghl_id)
        else:
            here.emailoctopus.unsubscribe(here.in_emailoctopus(ADA)["id"])
        here.reconcile()
        (deed,) = here.pair_store.deeds_of([ghl_id])
        assert (starts(here), deed.state, deed.code) == ([], DeedState.DONE, "revoked")


def test_a_revocation_that_no_poll_shows_stops_it_all_the_same(database_url: str) -> None:
    with studio(database_url) as (here, ghl_id):
        here.sandbox.emailoctopus.world.quirks.unsubscribe_touches = False
        book(here, ghl_id, ahead(here, days=3))
        here.later(minutes=15)
        here.emailoctopus.unsubscribe(here.in_emailoctopus(ADA)["id"])
        here.reconcile()
        assert starts(here) == []


def test_who_has_yet_to_confirm_is_waited_for(database_url: str) -> None:
    with studio(database_url, double_opt_in=True) as (here, ghl_id):
        assert here.status(ADA) == "pending"
        book(here, ghl_id, ahead(here, days=3))
        look(here)
        assert starts(here) == []
        here.emailoctopus.confirm(here.in_emailoctopus(ADA)["id"])
        look(here)
        assert starts(here) == [("booked", ADA)]


def test_who_does_not_confirm_within_a_day_is_not_mailed_about_it(database_url: str) -> None:
    with studio(database_url, double_opt_in=True) as (here, ghl_id):
        book(here, ghl_id, ahead(here, days=3))
        look(here)
        here.later(hours=25)
        here.reconcile()
        here.emailoctopus.confirm(here.in_emailoctopus(ADA)["id"])
        look(here)
        here.later(days=1)
        here.reconcile()
        assert starts(here) == []


def test_a_newcomer_who_books_is_mailed_once_he_has_a_link(database_url: str) -> None:
    with studio(database_url) as (here, _):
        book(here, here.person("bob@example.com"), ahead(here, days=3))
        look(here)
        assert starts(here) == [("booked", "bob@example.com")]


def test_of_a_series_one_booking_is_told(database_url: str) -> None:
    with studio(database_url) as (here, ghl_id):
        event = book(here, ghl_id, ahead(here, days=3))
        here.ghl.calendars.events[event.id] = replace(event, rrule="FREQ=DAILY;COUNT=4")
        look(here)
        assert starts(here) == [("booked", ADA)]


def test_an_automation_that_is_not_active_is_told_and_tried_again(database_url: str) -> None:
    with studio(database_url) as (here, ghl_id):
        policy = here.pair.activity
        assert policy is not None
        assert policy.appointments is not None
        made = here.emailoctopus.automations.find(policy.appointments.on_booked)
        made.active = False
        book(here, ghl_id, ahead(here, days=3))
        look(here)
        (deed,) = here.pair_store.deeds_of([ghl_id])
        assert (deed.state, deed.code, starts(here)) == (DeedState.REFUSED, "automation", [])
        assert "must be active" in deed.message
        made.active = True
        here.later(minutes=2)
        here.reconcile()
        assert starts(here) == [("booked", ADA)]


@pytest.mark.parametrize("kind", ["lost_answer", "drop", "error"])
def test_a_start_without_an_answer_is_made_again_and_counts_once(database_url: str, kind: str) -> None:
    with studio(database_url) as (here, ghl_id):
        book(here, ghl_id, ahead(here, days=3))
        here.fault(EMAILOCTOPUS, kind=kind, method="POST", path="/queue", times=3, status=503)
        look(here)
        look(here)
        assert starts(here) == [("booked", ADA)]
        assert [one.state for one in here.pair_store.deeds_of([ghl_id])] == [DeedState.DONE]


def test_a_start_that_went_out_and_never_got_an_answer_is_uncertain_after_a_day(database_url: str) -> None:
    with studio(database_url) as (here, ghl_id):
        book(here, ghl_id, ahead(here, days=3))
        here.fault(EMAILOCTOPUS, kind="lost_answer", method="POST", path="/queue", times=99)
        look(here)
        here.later(hours=25)
        here.reconcile()
        assert [one.state for one in here.pair_store.deeds_of([ghl_id])] == [DeedState.UNCERTAIN]
        assert starts(here) == [("booked", ADA)]


@pytest.mark.parametrize("commits", range(8))
def test_a_kill_at_any_commit_starts_it_once(database_url: str, commits: int) -> None:
    with studio(database_url) as (here, ghl_id):
        book(here, ghl_id, ahead(here, days=3))
        here.later(minutes=15)
        try_to_die(here, commits)
        here.settle()
        look(here)
        assert starts(here) == [("booked", ADA)]
        assert there(here) == {"NextAppt": "Fitting"}
