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
        ("/contacts/{contact}/set_dnd", {"channel": "email"}),
        ("/contacts/{contact}/merge", {"loser_id": "ghost"}),
        ("/contacts/{contact}/merge", {"loser_id": "{contact}"}),
        ("/contacts/{contact}/book", {"calendar_id": "ghost", "start": "2026-03-01T09:00:00Z"}),
        ("/contacts", {"nickname": "Ada"}),
        ("/contacts", {"tags": "vip"}),
        ("/contacts", {"dnd": "yes"}),
        ("/contacts", {"at": "yesterday"}),
        ("/contacts", {"custom": {"nowhere": 1}}),
        ("/contacts", {"location_id": "ghost"}),
        ("/contacts", {"dndSettings": {"email": {"status": "active"}}}),
        ("/account/explode", {}),
        ("/account/add_field", {"name": "Plan", "data_type": "POEM"}),
        ("/account/delete_field", {"field_id": "ghost"}),
        ("/account/complete_task", {"task_id": "ghost"}),
        ("/account/set_appointment", {"event_id": "ghost", "status": "confirmed"}),
        ("/account/expire_token", {"token": "ghost"}),
        ("/account/change_location", {"timezone": "Mars/Olympus"}),
    ],
)
def test_what_makes_no_sense_is_400(agency: Agency, path: str, body: dict[str, object]) -> None:
    contact_id = agency.added(email="ada@example.com")
    sent = {key: contact_id if value == "{contact}" else value for key, value in body.items()}
    answer = outside(agency, "POST", path.format(contact=contact_id), sent)
    assert answer.status == 400
    assert answer.json()["error"]
    assert [contact.id for contact in agency.world.contacts] == [contact_id]


def test_an_edit_with_an_unknown_name_changes_nothing(agency: Agency) -> None:
    contact_id = agency.added(email="ada@example.com")
    answer = outside(agency, "PATCH", f"/contacts/{contact_id}", {"city": "Oslo", "first_name": "Ada"})
    assert answer.json() == {"error": "Object contains unknown field `first_name`"}
    assert "city" not in agency.get(contact_id)


def test_a_contact_that_has_been_there_for_long(agency: Agency) -> None:
    agency.weather.index_lag_s = 60
    at = "2025-03-01T08:00:00.000Z"
    shown = outside(agency, "POST", "/contacts", {"email": "ada@example.com", "at": at}).json()
    assert (shown["dateAdded"], shown["dateUpdated"]) == (at, at)
    assert agency.found() == [shown["id"]]


def test_a_location_is_opened_and_changed(agency: Agency) -> None:
    other = outside(agency, "POST", "/account/open_location", {"name": "Second", "timezone": "Europe/Oslo"}).json()
    assert (other["name"], other["timezone"]) == ("Second", "Europe/Oslo")
    outside(agency, "POST", "/contacts", {"email": "ada@example.com", "location_id": other["id"]})
    token = outside(agency, "POST", "/account/private_token", {"location_id": other["id"]}).json()["id"]
    body = {"locationId": other["id"], "pageLimit": 10}
    assert agency.ask("POST", "/contacts/search", body, token=token).json()["total"] == 1
    assert agency.found() == []
    settings = {"allow_duplicate_contact": True, "unique_identifiers": ["phone"], "timezone": "Asia/Tokyo"}
    changed = outside(agency, "POST", "/account/change_location", settings).json()
    assert changed["timezone"] == "Asia/Tokyo"
    assert changed["settings"]["contactUniqueIdentifiers"] == ["phone"]
    assert [agency.create(email="twin@example.com").status for _ in range(2)] == [201, 201]
    assert agency.location.zone.key == "Asia/Tokyo"


def test_tokens_of_an_app_from_outside(agency: Agency) -> None:
    app = {"client_id": "client", "client_secret": "secret", "redirect_uris": ["https://example.com/back"]}
    assert outside(agency, "POST", "/account/add_app", app).json()["client_id"] == "client"
    query = "response_type=code&client_id=client&redirect_uri=https://example.com/back&scope=contacts.readonly"
    code = agency.ask("GET", f"/v2/oauth/chooselocation?{query}").headers["location"].partition("code=")[2]
    keys = {"clientId": "client", "clientSecret": "secret"}
    grant = {**keys, "grantType": "authorization_code", "code": code, "redirectUri": "https://example.com/back"}
    pair = agency.ask("POST", "/oauth/token", grant, version="v3").json()
    assert agency.ask("GET", "/contacts/ghost", token=pair["accessToken"]).status == 400
    outside(agency, "POST", "/account/expire_token", {"token": pair["accessToken"], "after_s": 60})
    assert agency.ask("GET", "/contacts/ghost", token=pair["accessToken"]).status == 400
    agency.clock.advance(60)
    assert agency.ask("GET", "/contacts/ghost", token=pair["accessToken"]).status == 401
    outside(agency, "POST", "/account/change_location", {"active": False})
    refresh = {**keys, "grantType": "refresh_token", "refreshToken": pair["refreshToken"]}
    refused = agency.ask("POST", "/oauth/token", refresh, version="v3")
    assert (refused.status, refused.json()["message"]) == (400, "Location is not active")


def test_a_path_that_is_not_there_names_those_that_are(agency: Agency) -> None:
    for method, path in (("GET", "/contact"), ("DELETE", "/quirks")):
        answer = outside(agency, method, path)
        assert answer.status == 404
        assert f"There is no {method} /_sandbox{path}; there are" in answer.json()["error"]
        assert "GET/PUT /_sandbox/weather" in answer.json()["error"]


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
