"""What `Version: v3` changes (facts: GHL §9)."""

from typing import Any

import pytest

from tests.sandbox.ghl.agency import Agency
from tests.sandbox.inprocess import Answer


@pytest.fixture
def agency() -> Agency:
    return Agency()


def v3(agency: Agency, method: str, url: str, body: Any = None) -> Answer:
    return agency.ask(method, url, body, version="v3")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/contacts/?locationId={location}"),
        ("GET", "/users/?locationId={location}"),
        ("DELETE", "/contacts/{contact}/campaigns/removeAll"),
        ("POST", "/oauth/locationToken"),
        ("GET", "/oauth/installedLocations"),
    ],
)
def test_removed_routes_answer_400_and_say_so(agency: Agency, method: str, path: str) -> None:
    contact = agency.added(email="ada@example.com")
    answer = v3(agency, method, path.format(location=agency.location.id, contact=contact))
    assert answer.status == 400
    assert "not available in version v3" in answer.json()["message"]


def test_new_paths_are_unknown_before(agency: Agency) -> None:
    path = f"/contacts/{agency.added(email='ada@example.com')}/campaigns/remove-all"
    assert agency.ask("DELETE", path).status == 404
    assert v3(agency, "DELETE", path).json()["succeeded"] is True
    for method, path in (("POST", "/oauth/location-token"), ("GET", "/oauth/installed-locations")):
        assert agency.ask(method, path).status == 404
        assert v3(agency, method, path).status == 403


def test_success_is_spelled_right(agency: Agency) -> None:
    contact_id = agency.added(email="ada@example.com")
    put = v3(agency, "PUT", f"/contacts/{contact_id}", {"firstName": "Ada"}).json()
    assert put["succeeded"] is True
    assert "succeded" not in put
    deleted = v3(agency, "DELETE", f"/contacts/{contact_id}").json()
    assert (deleted["succeeded"], deleted["succeded"]) == (True, True)


def test_custom_values_are_written_as_field_value_in_either_spelling(agency: Agency) -> None:
    field = agency.world.add_field("Plan").id
    contact_id = agency.added(email="ada@example.com")
    for key in ("fieldValue", "field_value"):
        body = {"customFields": [{"id": field, key: key}]}
        contact = v3(agency, "PUT", f"/contacts/{contact_id}", body).json()["contact"]
        assert contact["customFields"] == [{"id": field, "value": key}]


def test_channels_are_written_in_lower_case(agency: Agency) -> None:
    contact_id = agency.added(email="ada@example.com")
    url, active = f"/contacts/{contact_id}", {"status": "active"}
    answer = v3(agency, "PUT", url, {"dndSettings": {"email": active, "whatsApp": active}})
    assert answer.json()["contact"]["dndSettings"] == {"email": active, "whatsApp": active}
    assert agency.get(contact_id)["dndSettings"] == {"Email": active, "WhatsApp": active}
    assert v3(agency, "PUT", url, {"dndSettings": {"Email": active}}).status == 422
    hit = v3(agency, "POST", "/contacts/search", {"locationId": agency.location.id, "pageLimit": 1}).json()["contacts"][
        0
    ]
    assert hit["dndSettings"]["email"] == active


def test_a_creation_is_answered_with_the_full_contact(agency: Agency) -> None:
    body = {"locationId": agency.location.id, "name": "Ada L", "timezone": "Europe/Berlin"}
    contact = v3(agency, "POST", "/contacts/", body).json()["contact"]
    assert (contact["name"], contact["timezone"]) == ("Ada L", "Europe/Berlin")
    assert "deleted" not in contact


def test_appointments_tell_their_dates_and_deletion(agency: Agency) -> None:
    contact_id, calendar = agency.added(email="ada@example.com"), agency.world.add_calendar("Calls")["id"]
    body = {
        "calendarId": calendar,
        "locationId": agency.location.id,
        "contactId": contact_id,
        "startTime": "2026-01-06T10:00:00Z",
        "appointmentStatus": "active",
    }
    made = v3(agency, "POST", "/calendars/events/appointments", body)
    assert made.json()["dateAdded"] == "2026-01-05T09:00:00.000Z"
    told = v3(agency, "GET", f"/calendars/events/appointments/{made.json()['id']}").json()["appointment"]
    assert (told["deleted"], told["appointmentStatus"]) == (False, "active")
    before = agency.ask("POST", "/calendars/events/appointments", body, version="2021-04-15")
    assert before.status == 422
