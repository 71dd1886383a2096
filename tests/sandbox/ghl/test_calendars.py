"""Calendars, groups, appointments and blocked slots (facts: GHL §6.3)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sync_daemon.sandbox.ghl.recurrence import starts
from tests.sandbox.ghl.agency import Agency
from tests.sandbox.inprocess import Answer

START = datetime(2026, 1, 6, 15, 0, tzinfo=UTC)  # ten o'clock in New York


class Bookable(Agency):
    """A location with a calendar of a group, and a contact."""

    def __init__(self) -> None:
        super().__init__()
        body = {"locationId": self.location.id, "name": "Team", "description": "The team", "slug": "team"}
        self.group = str(self.cal("POST", "/calendars/groups", body).json()["group"]["id"])
        self.calendar = str(self.world.add_calendar("Calls", self.group)["id"])
        self.contact = self.added(email="ada@example.com", name="Ada L")

    def cal(self, method: str, url: str, body: Any = None) -> Answer:
        return self.ask(method, url, body, version="2021-04-15")

    def book(self, start: datetime = START, **more: Any) -> Answer:
        body = {"calendarId": self.calendar, "locationId": self.location.id, "contactId": self.contact}
        return self.cal("POST", "/calendars/events/appointments", {**body, "startTime": start.isoformat(), **more})

    def window(self, kind: str = "events", **query: Any) -> Answer:
        start, end = int(START.timestamp() * 1000), int((START + timedelta(days=30)).timestamp() * 1000)
        asked = {"locationId": self.location.id, "startTime": start, "endTime": end, **query}
        return self.cal("GET", f"/calendars/{kind}?" + "&".join(f"{k}={v}" for k, v in asked.items() if v))


@pytest.fixture
def agency() -> Bookable:
    return Bookable()


def test_a_creation_is_answered_bare_and_without_dates(agency: Bookable) -> None:
    answer = agency.book(title="First call", appointmentStatus="new")
    assert answer.status == 200
    made = answer.json()
    assert (made["startTime"], made["endTime"]) == ("2026-01-06T10:00:00-05:00", "2026-01-06T10:30:00-05:00")
    assert (made["appointmentStatus"], made["title"]) == ("new", "First call")
    assert "dateAdded" not in made


def test_events_are_asked_by_window_and_by_whom(agency: Bookable) -> None:
    made = agency.book(assignedUserId="una").json()["id"]
    for who in ({"calendarId": agency.calendar}, {"groupId": agency.group}, {"userId": "una"}):
        assert [event["id"] for event in agency.window(**who).json()["events"]] == [made]
    assert agency.window(calendarId="x").json()["events"] == []
    assert agency.window(calendarId=agency.calendar, endTime=int(START.timestamp() * 1000) - 1).json()["events"] == []
    for wrong in ({}, {"calendarId": "x", "startTime": None}, {"calendarId": "x", "endTime": "soon"}):
        assert agency.window(**wrong).status == 422


def test_appointments_are_read_moved_and_deleted(agency: Bookable) -> None:
    one = f"/calendars/events/appointments/{agency.book().json()['id']}"
    agency.clock.advance(60)
    moved = agency.cal(
        "PUT", one, {"startTime": (START + timedelta(hours=1)).isoformat(), "appointmentStatus": "confirmed"}
    )
    assert moved.json()["endTime"] == "2026-01-06T11:30:00-05:00"
    told = agency.cal("GET", one).json()["appointment"]
    assert (told["groupId"], told["appointmentStatus"]) == (agency.group, "confirmed")
    assert told["dateUpdated"] > told["dateAdded"]
    assert agency.cal("DELETE", one.replace("/appointments", ""), {}).status == 201
    assert agency.cal("GET", one).status == 404
    assert agency.window(calendarId=agency.calendar).json()["events"] == []


def test_a_contacts_appointments(agency: Bookable) -> None:
    agency.book()
    events = agency.ask("GET", f"/contacts/{agency.contact}/appointments").json()["events"]
    assert [(event["startTime"], event["appointmentStatus"]) for event in events] == [
        ("2026-01-06 10:00:00", "confirmed")
    ]


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"appointmentStatus": "showed"}, 200),
        ({"appointmentStatus": "completed"}, 422),  # writable in v3 only
        ({"startTime": "soon"}, 422),
        ({"endTime": START.isoformat()}, 400),
        ({"calendarId": "x"}, 404),
        ({"contactId": "x"}, 400),
        ({"colour": "red"}, 422),
        ({"rrule": "RRULE:FREQ=HOURLY"}, 422),
        ({"rrule": "RRULE:FREQ=MONTHLY;INTERVAL=100000"}, 422),
    ],
)
def test_what_a_booking_may_say(agency: Bookable, more: dict[str, Any], status: int) -> None:
    assert agency.book(**more).status == status


def test_a_slot_is_taken_once_unless_that_is_ignored(agency: Bookable) -> None:
    first = agency.book().json()["id"]
    taken = agency.book(START + timedelta(minutes=15))
    assert (taken.status, taken.json()["message"]) == (400, "The slot you have selected is no longer available.")
    assert agency.book(START + timedelta(minutes=15), ignoreFreeSlotValidation=True).status == 200
    agency.world.set_appointment(first, "cancelled")
    assert agency.book(START - timedelta(minutes=15)).status == 200


def test_recurring_instances_are_named_by_master_start_and_length(agency: Bookable) -> None:
    made = agency.book(rrule="RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=3").json()
    events = agency.window(calendarId=agency.calendar).json()["events"]
    starts = [START + timedelta(weeks=2 * n) for n in range(3)]
    assert [event["id"] for event in events] == [f"{made['id']}_{int(at.timestamp() * 1000)}_1800" for at in starts]
    assert {event["masterEventId"] for event in events} == {made["id"]}
    one = agency.cal("GET", f"/calendars/events/appointments/{events[1]['id']}")
    assert one.status == 200


@pytest.mark.parametrize(
    ("rrule", "days"),
    [
        ("FREQ=DAILY;COUNT=2", [6, 7]),
        ("FREQ=DAILY;UNTIL=20260108T150000Z", [6, 7, 8]),
        ("FREQ=MONTHLY;COUNT=2", [6]),
        ("FREQ=DAILY;INTERVAL=10", [6, 16, 26, 5]),
    ],
)
def test_recurrence_rules(agency: Bookable, rrule: str, days: list[int]) -> None:
    agency.book(rrule=rrule)
    events = agency.window(calendarId=agency.calendar).json()["events"]
    assert [int(event["startTime"][8:10]) for event in events] == days


def test_months_go_over_the_year_and_past_days_they_lack() -> None:
    first = datetime(2026, 10, 31, 9, 0, tzinfo=UTC)
    told = [at.date().isoformat() for at in starts("FREQ=MONTHLY;COUNT=4", first)]
    assert told == ["2026-10-31", "2026-12-31", "2027-01-31", "2027-03-31"]


def test_an_appointment_moved_by_hand_keeps_its_length(agency: Bookable) -> None:
    made = agency.book(endTime=(START + timedelta(minutes=45)).isoformat()).json()["id"]
    moved = agency.world.set_appointment(made, "confirmed", START + timedelta(days=1))
    assert moved.end - moved.start == 45 * 60_000
    told = agency.cal("GET", f"/calendars/events/appointments/{made}").json()["appointment"]
    assert (told["startTime"], told["appointmentStatus"]) == ("2026-01-07T10:00:00-05:00", "confirmed")


def test_blocked_slots_stand_apart(agency: Bookable) -> None:
    body = {
        "calendarId": agency.calendar,
        "locationId": agency.location.id,
        "startTime": START.isoformat(),
        "endTime": (START + timedelta(hours=2)).isoformat(),
    }
    made = agency.cal("POST", "/calendars/events/block-slots", body)
    assert made.status == 201
    block = made.json()["id"]
    changed = agency.cal("PUT", f"/calendars/events/block-slots/{block}", {**body, "title": "Holiday"})
    assert (changed.status, changed.json()["title"]) == (201, "Holiday")
    assert agency.window(calendarId=agency.calendar).json()["events"] == []
    assert [one["id"] for one in agency.window("blocked-slots", calendarId=agency.calendar).json()["events"]] == [block]
    assert agency.book().status == 400
    assert agency.cal("GET", f"/calendars/events/appointments/{block}").status == 404


def test_calendars_and_groups_are_made_changed_and_deleted(agency: Bookable) -> None:
    where = f"locationId={agency.location.id}"
    made = agency.cal("POST", "/calendars/", {"locationId": agency.location.id, "name": "New one", "isActive": False})
    calendar = made.json()["calendar"]
    assert (calendar["slug"], calendar["slotDuration"]) == ("new-one", 30)
    assert (
        agency.cal("PUT", f"/calendars/{calendar['id']}", {"slotDuration": 60}).json()["calendar"]["slotDuration"] == 60
    )
    assert len(agency.cal("GET", f"/calendars/?{where}").json()["calendars"]) == 2
    assert len(agency.cal("GET", f"/calendars/?{where}&showDrafted=false").json()["calendars"]) == 1
    assert len(agency.cal("GET", f"/calendars/?{where}&groupId={agency.group}").json()["calendars"]) == 1
    assert agency.cal("DELETE", f"/calendars/{calendar['id']}").json()["success"] is True
    assert agency.cal("GET", f"/calendars/{calendar['id']}").status == 404
    assert agency.cal("POST", "/calendars/", {"locationId": agency.location.id, "colour": "red"}).status == 422
    slug = {"locationId": agency.location.id, "slug": "team"}
    assert agency.cal("POST", "/calendars/groups/validate-slug", slug).json()["available"] is False
    assert agency.cal("POST", "/calendars/groups", {**slug, "name": "A", "description": "B"}).status == 400
    path = f"/calendars/groups/{agency.group}"
    assert agency.cal("PUT", f"{path}/status", {"isActive": False}).json()["success"] is True
    renamed = agency.cal("PUT", path, {"name": "Crew", "description": "D", "slug": "crew"})
    assert renamed.json()["group"]["name"] == "Crew"
    assert agency.cal("GET", f"/calendars/groups?{where}").json()["groups"][0]["isActive"] is False
    assert agency.cal("DELETE", path).json()["success"] is True
    assert agency.cal("DELETE", path).status == 404


def test_free_slots_of_at_most_31_days(agency: Bookable) -> None:
    agency.book()
    start = int(START.timestamp() * 1000)
    path = f"/calendars/{agency.calendar}/free-slots?startDate={start}&endDate="
    days = agency.cal("GET", f"{path}{start + 86_400_000}").json()
    assert sorted(days) == ["2026-01-06", "2026-01-07"]
    assert days["2026-01-06"]["slots"][0] == "2026-01-06T10:30:00-05:00"
    assert days["2026-01-06"]["slots"][-1] == "2026-01-06T16:30:00-05:00"
    assert agency.cal("GET", f"{path}{start + 31 * 86_400_000}").status == 200
    assert agency.cal("GET", f"{path}{start + 31 * 86_400_000 + 1}").status == 400
    assert agency.cal("GET", path).status == 422


def test_notes_of_an_appointment(agency: Bookable) -> None:
    path = f"/calendars/appointments/{agency.book().json()['id']}/notes"
    note = agency.cal("POST", path, {"body": "Bring the contract"}).json()["note"]
    assert agency.cal("PUT", f"{path}/{note['id']}", {"body": "Bring cake"}).json()["note"]["body"] == "Bring cake"
    listed = agency.cal("GET", f"{path}?limit=1&offset=0").json()
    assert (len(listed["notes"]), listed["hasMore"]) == (1, False)
    assert agency.cal("GET", path).status == 422
    assert agency.cal("GET", f"{path}?limit=21&offset=0").status == 422
    assert agency.cal("POST", path, {"body": "x" * 5001}).status == 422
    assert agency.cal("DELETE", f"{path}/{note['id']}").json()["success"] is True
