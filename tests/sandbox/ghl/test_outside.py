"""The outside world acting, by method and over HTTP; it knows no limits, tokens or weather."""

from datetime import timedelta
from typing import Any

import pytest

from sync_daemon.sandbox.weather import Fault
from tests.sandbox.ghl.agency import Agency
from tests.sandbox.inprocess import Answer, ask


@pytest.fixture
def agency() -> Agency:
    return Agency()


def outside(agency: Agency, method: str, path: str, body: Any = None) -> Answer:
    return ask(agency.app, method, f"/_sandbox{path}", body)


def test_contacts_over_http_without_token_limit_or_weather(agency: Agency) -> None:
    agency.context.limiter.settings.enabled = True
    agency.weather.faults.append(Fault(kind="error", times=1000))
    agency.world.add_field("Plan")
    for n in range(120):
        fields = {"email": f"P{n}@Example.com", "tags": [" One "], "custom": {"plan": "Pro"}}
        assert outside(agency, "POST", "/contacts", fields).status == 200
    contacts = outside(agency, "GET", "/contacts").json()
    assert len(contacts) == 120
    assert (contacts[0]["email"], contacts[0]["tags"]) == ("p0@example.com", ["one"])
    one = f"/contacts/{contacts[0]['id']}"
    assert outside(agency, "PATCH", one, {"firstName": "Ada", "city": None}).json()["firstName"] == "Ada"
    assert outside(agency, "DELETE", one).status == 200
    assert outside(agency, "GET", one).status == 400
    assert agency.context.log.total == 0


@pytest.mark.parametrize(
    ("action", "body", "key", "value"),
    [
        ("add_tags", {"tags": ["VIP"]}, "tags", ["one", "vip"]),
        ("remove_tags", {"tags": ["ONE"]}, "tags", []),
        ("unsubscribe", {}, "dndSettings", {"Email": {"status": "active", "message": "Unsubscribed by link"}}),
        ("complain", {}, "dndSettings", {"Email": {"status": "active", "message": "Marked as spam"}}),
        ("bounce", {}, "dndSettings", {"Email": {"status": "permanent", "message": "Permanent bounce"}}),
        ("set_dnd", {"status": "inactive"}, "dndSettings", {"Email": {"status": "inactive"}}),
        ("set_dnd", {"channel": "SMS"}, "dndSettings", {"SMS": {"status": "active"}}),
        ("set_dnd_all", {"dnd": True}, "dnd", True),
        ("add_email", {"email": "B@example.com"}, "additionalEmails", [{"email": "b@example.com"}]),
        ("add_phone", {"phone": "(415) 555-0100"}, "additionalPhones", [{"phone": "+14155550100"}]),
    ],
)
def test_what_happens_to_a_contact(agency: Agency, action: str, body: object, key: str, value: object) -> None:
    contact_id = agency.added(email="ada@example.com", tags=["one"])
    agency.clock.advance(1)
    assert outside(agency, "POST", f"/contacts/{contact_id}/{action}", body).json()[key] == value
    contact = agency.get(contact_id)
    assert contact[key] == value
    assert contact["dateUpdated"] == "2026-01-05T09:00:01.000Z"


def test_merge_and_activity_over_http(agency: Agency) -> None:
    ada, twin = agency.added(email="ada@example.com"), agency.added(email="twin@example.com")
    assert outside(agency, "POST", f"/contacts/{ada}/merge", {"loser_id": twin}).json()["id"] == ada
    due = (agency.clock.now() + timedelta(days=1)).isoformat()
    task = outside(agency, "POST", f"/contacts/{ada}/add_task", {"title": "Call", "due": due}).json()
    assert outside(agency, "POST", "/account/complete_task", {"task_id": task["id"]}).json()["completed"] is True
    assert outside(agency, "POST", "/account/delete_task", {"task_id": task["id"]}).status == 200
    assert outside(agency, "POST", f"/contacts/{ada}/add_note", {"body": "Hello"}).json()["body"] == "Hello"
    calendar = outside(agency, "POST", "/account/add_calendar", {"name": "Calls"}).json()["id"]
    event = outside(agency, "POST", f"/contacts/{ada}/book", {"calendar_id": calendar, "start": due}).json()["id"]
    moved = outside(agency, "POST", "/account/set_appointment", {"event_id": event, "status": "noshow"}).json()
    assert moved["status"] == "noshow"


def test_set_up_over_http(agency: Agency) -> None:
    field = outside(
        agency, "POST", "/account/add_field", {"name": "Plan", "data_type": "RADIO", "options": ["A"]}
    ).json()
    assert agency.location.custom_fields[field["id"]].options == ["A"]
    outside(agency, "POST", "/account/delete_field", {"field_id": field["id"]})
    assert agency.location.custom_fields == {}
    token = outside(agency, "POST", "/account/private_token", {"scopes": ["contacts.readonly"]}).json()["id"]
    assert agency.ask("GET", "/contacts/x", token=token).status == 400
    business = outside(agency, "POST", "/account/add_business", {"name": "Acme"}).json()["id"]
    assert agency.location.businesses == {business: "Acme"}
    workflow = outside(agency, "POST", "/account/add_workflow", {"name": "Welcome"}).json()["id"]
    contact_id = agency.added(email="ada@example.com")
    agency.ask("POST", f"/contacts/{contact_id}/workflow/{workflow}", {})
    assert outside(agency, "GET", "/enrolments").json()[0]["workflow_id"] == workflow


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/contacts/ghost/touch", {}),
        ("/contacts/{contact}/delete_everything", {}),
        ("/contacts/{contact}/add_tags", {"names": ["x"]}),
        ("/contacts/{contact}/add_tags", {"tags": "x"}),
        ("/account/explode", {}),
    ],
)
def test_what_makes_no_sense_is_400(agency: Agency, path: str, body: object) -> None:
    contact_id = agency.added(email="ada@example.com")
    answer = outside(agency, "POST", path.format(contact=contact_id), body)
    assert answer.status == 400
    assert answer.json()["error"]


def test_the_outside_may_make_duplicates_and_nonsense(agency: Agency) -> None:
    first, second = (agency.world.create(email=email) for email in ("ada@example.com", "ADA@example.com"))
    assert first.id != second.id
    assert agency.get(agency.world.create(email="no address").id)["email"] == "no address"
    assert agency.duplicate("email=ada@example.com") == agency.get(first.id)


def test_clearing_by_hand_always_clears() -> None:
    agency = Agency(null_clears=False)
    contact_id = agency.added(email="ada@example.com", firstName="Ada")
    agency.world.edit(contact_id, firstName=None, email=None)
    assert not {"firstName", "email"} & agency.get(contact_id).keys()
    assert agency.duplicate("email=ada@example.com") is None
