"""GHL's app events of notes, tasks and appointments: what raises which, and how it looks (facts: GHL §8.2)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.sandbox.ghl.agency import Agency
from tests.sandbox.inprocess import ask
from tests.sandbox.webhooks import told, types

EVENTS = "/calendars/events/appointments"
ADDED = ("webhookId", "versionId", "appId", "timestamp")


@pytest.fixture
def agency() -> Agency:
    return Agency()


@pytest.fixture
def ada(agency: Agency) -> str:
    return str(agency.world.create(at=agency.clock.now() - timedelta(days=9), email="ada@example.com").id)


@pytest.fixture
def calendar(agency: Agency) -> str:
    return str(agency.world.add_calendar("Calls")["id"])


def told_of(agency: Agency, act: Callable[[], object]) -> list[dict[str, Any]]:
    return told(agency.context.webhooks, act, workflow_url="http://127.0.0.1:9/")


def tomorrow(agency: Agency) -> datetime:
    return agency.clock.now() + timedelta(days=1)


def test_every_act_in_the_app_raises_its_event_once(agency: Agency, ada: str, calendar: str) -> None:
    world, due = agency.world, tomorrow(agency)

    def act() -> None:
        note = world.add_note(ada, "called")
        world.edit_note(ada, note.id, "called twice")
        world.delete_note(ada, note.id)
        task = world.add_task(ada, "Call back", due)
        world.complete_task(task.id)
        world.delete_task(task.id)
        event = world.book(ada, calendar, due)
        world.set_appointment(event.id, "cancelled")
        world.delete_appointment(event.id)

    events = told_of(agency, act)
    assert types(events) == [
        *("NoteCreate", "NoteUpdate", "NoteDelete"),
        *("TaskCreate", "TaskComplete", "TaskDelete"),
        *("AppointmentCreate", "AppointmentUpdate", "AppointmentDelete"),
    ]
    assert len({event["webhookId"] for event in events}) == 9
    assert {event["locationId"] for event in events} == {agency.location.id}
    assert all(event[name] for event in events for name in ADDED)


def test_the_api_raises_the_same_events(agency: Agency, ada: str, calendar: str) -> None:
    due = tomorrow(agency).isoformat()

    def act() -> None:
        one = f"/contacts/{ada}"
        note = f"{one}/notes/{agency.ask('POST', f'{one}/notes', {'body': 'called'}).json()['note']['id']}"
        agency.ask("PUT", note, {"body": "called twice"})
        agency.ask("DELETE", note)
        body = {"title": "Call back", "dueDate": due, "completed": False}
        task = f"{one}/tasks/{agency.ask('POST', f'{one}/tasks', body).json()['task']['id']}"
        agency.ask("PUT", f"{task}/completed", {"completed": True})
        agency.ask("DELETE", task)
        booking = {"calendarId": calendar, "locationId": agency.location.id, "contactId": ada, "startTime": due}
        event = agency.ask("POST", EVENTS, booking, version="2021-04-15").json()["id"]
        agency.ask("PUT", f"{EVENTS}/{event}", {"title": "Fitting"}, version="2021-04-15")
        agency.ask("DELETE", f"/calendars/events/{event}", version="2021-04-15")

    assert types(told_of(agency, act)) == [
        *("NoteCreate", "NoteUpdate", "NoteDelete"),
        *("TaskCreate", "TaskComplete", "TaskDelete"),
        *("AppointmentCreate", "AppointmentUpdate", "AppointmentDelete"),
    ]


def test_a_note_has_the_documented_payload(agency: Agency, ada: str) -> None:
    (event,) = told_of(agency, lambda: agency.world.add_note(ada, "<p>called</p>", title="Call"))
    note = agency.world.notes.of(ada)[0]
    assert {name: value for name, value in event.items() if name not in ADDED} == {
        "type": "NoteCreate",
        "locationId": agency.location.id,
        "id": note.id,
        "body": "<p>called</p>",
        "contactId": ada,
        "dateAdded": "2026-01-05T09:00:00.000Z",
    }


def test_an_appointment_has_the_documented_payload(agency: Agency, ada: str, calendar: str) -> None:
    agency.world.change_location(timezone="Europe/Rome")
    start = tomorrow(agency)
    (event,) = told_of(agency, lambda: agency.world.book(ada, calendar, start, title="Fitting"))
    (booked,) = agency.world.calendars.events.values()
    assert {name: value for name, value in event.items() if name not in ADDED} == {
        "type": "AppointmentCreate",
        "locationId": agency.location.id,
        "appointment": {
            "id": booked.id,
            "address": "",
            "title": "Fitting",
            "calendarId": calendar,
            "contactId": ada,
            "groupId": "",
            "appointmentStatus": "confirmed",
            "assignedUserId": "",
            "users": [],
            "notes": "",
            "source": "booking_widget",
            "startTime": "2026-01-06T10:00:00+01:00",
            "endTime": "2026-01-06T10:30:00+01:00",
            "dateAdded": "2026-01-05T09:00:00.000Z",
            "dateUpdated": "2026-01-05T09:00:00.000Z",
        },
    }


def test_what_raises_no_event_of_activity(agency: Agency, ada: str, calendar: str) -> None:
    world, due = agency.world, tomorrow(agency)
    task = world.add_task(ada, "Call back", due, completed=True)
    note, event = world.add_note(ada, "called"), world.book(ada, calendar, due)
    twin = world.create(at=due, email="twin@example.com").id
    world.add_note(twin, "called")
    block = {
        "calendarId": calendar,
        "locationId": agency.location.id,
        "startTime": (due + timedelta(days=1)).isoformat(),
    }

    def act() -> None:
        world.move_task(task.id, due + timedelta(days=1))  # GHL has no TaskUpdate
        world.complete_task(task.id)
        world.complete_task(task.id, completed=False)
        world.edit_note(ada, note.id, "called")
        world.set_appointment(event.id, "confirmed")
        agency.ask("POST", "/calendars/events/block-slots", block, version="2021-04-15")
        world.merge(ada, twin)
        world.delete(ada)

    assert [one for one in types(told_of(agency, act)) if not one.startswith("Contact")] == []


def test_an_event_of_activity_is_no_event_of_the_contact(agency: Agency, ada: str) -> None:
    agency.quirks.activity_touches = True
    agency.clock.advance(1)
    assert types(told_of(agency, lambda: agency.world.add_note(ada, "called"))) == ["NoteCreate"]
    assert agency.get(ada)["dateUpdated"] == "2026-01-05T09:00:01.000Z"


def test_what_the_app_alone_can_do_goes_over_http(agency: Agency, ada: str, calendar: str) -> None:
    def outside(path: str, body: dict[str, Any]) -> Any:
        return ask(agency.app, "POST", f"/_sandbox{path}", body).json()

    due = tomorrow(agency)
    note = outside(f"/contacts/{ada}/add_note", {"body": "called"})["id"]
    assert outside(f"/contacts/{ada}/edit_note", {"note_id": note, "body": "twice"})["body"] == "twice"
    assert [one.body for one in agency.world.notes.of(ada)] == ["twice"]
    outside(f"/contacts/{ada}/delete_note", {"note_id": note})
    assert agency.world.notes.of(ada) == []
    task = outside(f"/contacts/{ada}/add_task", {"title": "Call", "due": due.isoformat()})["id"]
    outside("/account/move_task", {"task_id": task, "due": (due + timedelta(days=2)).isoformat()})
    found = agency.ask("GET", f"/contacts/{ada}/tasks/{task}").json()["task"]
    assert found["dueDate"] == "2026-01-08T09:00:00.000Z"
    event = outside(f"/contacts/{ada}/book", {"calendar_id": calendar, "start": due.isoformat()})["id"]
    outside("/account/delete_appointment", {"event_id": event})
    assert agency.world.calendars.events == {}
