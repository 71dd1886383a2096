"""What GHL does with the values it is given, and when it refuses them (facts: GHL §3, §5)."""

from typing import Any

import pytest

from tests.sandbox.ghl.agency import Agency


@pytest.fixture
def agency() -> Agency:
    return Agency()


def test_tags_come_back_trimmed_and_in_lower_case_and_are_defined_for_good(agency: Agency) -> None:
    contact_id = agency.added(email="ada@example.com", tags=["  VIP ", "vip", "New York"])
    assert agency.get(contact_id)["tags"] == ["vip", "new york"]
    agency.ask("DELETE", f"/contacts/{contact_id}/tags", {"tags": ["VIP", "New York"]})
    assert agency.get(contact_id)["tags"] == []
    defined = agency.ask("GET", f"/locations/{agency.location.id}/tags").json()["tags"]
    assert [tag["name"] for tag in defined] == ["vip", "new york"]


def test_tags_in_put_and_upsert_replace_all(agency: Agency) -> None:
    contact_id = agency.added(email="ada@example.com", tags=["one", "two"])
    assert agency.put(contact_id, tags=["three"]).json()["contact"]["tags"] == ["three"]
    assert agency.upsert(email="ada@example.com", tags=["four"]).json()["contact"]["tags"] == ["four"]
    assert agency.put(contact_id, firstName="Ada").json()["contact"]["tags"] == ["four"]


def test_tag_routes_add_and_remove_single_ones(agency: Agency) -> None:
    contact_id = agency.added(email="ada@example.com", tags=["one"])
    added = agency.ask("POST", f"/contacts/{contact_id}/tags", {"tags": ["One", "TWO"]})
    assert (added.status, added.json()["tags"], added.json()["tagsAdded"]) == (201, ["one", "two"], ["two"])
    removed = agency.ask("DELETE", f"/contacts/{contact_id}/tags", {"tags": ["One", "nobody's"]})
    assert (removed.status, removed.json()["tags"]) == (200, ["two"])


def test_bulk_tags_answer_for_each_contact(agency: Agency) -> None:
    ada, gone = agency.added(email="ada@example.com", tags=["one"]), agency.added(email="gone@example.com")
    agency.world.delete(gone)
    elsewhere = agency.world.create(location_id=agency.world.add_location().id, email="else@example.com").id
    body: dict[str, Any] = {
        "contacts": [ada, gone, "abc", elsewhere],
        "tags": ["Two"],
        "locationId": agency.location.id,
    }
    answer = agency.ask("POST", "/contacts/bulk/tags/update/add", body)
    assert answer.status == 201
    assert answer.json()["errorCount"] == 3
    assert answer.json()["responses"] == [
        {
            "contactId": ada,
            "message": "Tags updated",
            "type": "success",
            "oldTags": ["one"],
            "tagsAdded": ["two"],
            "tagsRemoved": [],
        },
        {"contactId": gone, "message": "contact is deleted", "type": "error"},
        {"contactId": "abc", "message": "contact id is not a valid firebase id", "type": "error"},
        {"contactId": elsewhere, "message": "contact does not belong to location", "type": "error"},
    ]
    body |= {"contacts": [ada], "tags": ["one"]}
    assert agency.ask("POST", "/contacts/bulk/tags/update/remove", body).status == 201
    assert agency.get(ada)["tags"] == ["two"]
    body |= {"removeAllTags": True, "tags": []}
    assert agency.ask("POST", "/contacts/bulk/tags/update/add", body).status == 400
    assert agency.ask("POST", "/contacts/bulk/tags/update/remove", body).status == 201
    assert agency.get(ada)["tags"] == []
    assert agency.ask("POST", "/contacts/bulk/tags/update/swap", body).status == 404


def test_bulk_business_links_and_unlinks(agency: Agency) -> None:
    business, contact_id = agency.world.add_business("Acme"), agency.added(email="ada@example.com")
    body = {"locationId": agency.location.id, "ids": [contact_id], "businessId": business}
    assert agency.ask("POST", "/contacts/bulk/business", body).json()["ids"] == [contact_id]
    listed = agency.ask("GET", f"/contacts/business/{business}?locationId={agency.location.id}").json()
    assert (listed["count"], listed["contacts"][0]["id"]) == (1, contact_id)
    assert agency.ask("POST", "/contacts/bulk/business", body | {"businessId": None}).status == 200
    assert "businessId" not in agency.get(contact_id)
    assert agency.ask("POST", "/contacts/bulk/business", body | {"ids": [contact_id] * 50}).status == 200
    assert agency.ask("POST", "/contacts/bulk/business", body | {"ids": [contact_id] * 51}).status == 422


def test_phone_is_returned_in_e164_of_the_locations_country(agency: Agency) -> None:
    assert agency.get(agency.added(phone="(415) 555-2671"))["phone"] == "+14155552671"
    assert agency.get(agency.added(phone="+44 20 7946 0018", country="US"))["phone"] == "+442079460018"


def test_country_is_the_locations_unless_given(agency: Agency) -> None:
    assert agency.get(agency.added(email="ada@example.com"))["country"] == "US"
    assert agency.get(agency.added(email="bob@example.com", country="DE"))["country"] == "DE"


def test_unknown_id_is_400_with_its_own_body(agency: Agency) -> None:
    for method, body in (("GET", None), ("PUT", {"firstName": "Ada"}), ("DELETE", None)):
        answer = agency.ask(method, "/contacts/ghost", body)
        assert answer.status == 400
        assert {**answer.json(), "traceId": ""} == {
            "error": "Contact with id ghost not found",
            "status": 400,
            "traceId": "",
        }


@pytest.mark.parametrize(
    ("kind", "body", "line"),
    [
        ("create", {"email": "a@example.com", "nickname": "x"}, "property nickname should not exist"),
        ("create", {"email": "a@example.com", "additionalEmails": []}, "property additionalEmails should not exist"),
        ("create", {"email": "not an address"}, "email must be an email"),
        ("create", {"email": "a@example.com", "tags": "one"}, "tags must be an array"),
        ("create", {"email": "a@example.com", "tags": [1]}, "each value in tags must be a string"),
        ("create", {"email": "a@example.com", "dnd": "yes"}, "dnd must be a boolean value"),
        ("create", {"email": "a@example.com", "firstName": 5}, "firstName must be a string"),
        ("create", {"email": "a@example.com", "dateOfBirth": "1.2.3"}, "dateOfBirth must be a date such as YYYY-MM-DD"),
        ("update", {"locationId": "x"}, "property locationId should not exist"),
        ("update", {"gender": "x"}, "property gender should not exist"),
        ("update", {"dndSettings": {"email": {}}}, "dndSettings.property email should not exist"),
        ("update", {"dndSettings": {"Email": {}}}, "dndSettings.Email.status should not be empty"),
        (
            "update",
            {"dndSettings": {"Email": {"status": "on"}}},
            "dndSettings.Email.status must be one of the following values: active, inactive, permanent",
        ),
        ("update", {"customFields": {"plan": "x"}}, "customFields must be an array"),
        ("create", {"email": "a@example.com", "customFields": [{"id": ["x"]}]}, "customFields.0.id must be a string"),
        ("update", {"customFields": [{"key": 5, "field_value": "x"}]}, "customFields.0.key must be a string"),
        (
            "update",
            {"customFields": [{"id": "x", "fieldValue": "y"}]},
            "customFields.0.property fieldValue should not exist",
        ),
    ],
)
def test_what_a_write_may_not_hold_is_422(agency: Agency, kind: str, body: dict[str, Any], line: str) -> None:
    contact_id = agency.added(email="ada@example.com")
    answer = agency.create(**body) if kind == "create" else agency.put(contact_id, **body)
    assert answer.status == 422
    assert line in answer.json()["message"]
    assert (answer.json()["statusCode"], answer.json()["error"]) == (422, "Unprocessable Entity")
    assert len(agency.world.contacts) == 1


def test_put_is_partial(agency: Agency) -> None:
    contact_id = agency.added(email="ada@example.com", firstName="Ada", city="London")
    answer = agency.put(contact_id, lastName="Lovelace")
    assert answer.json()["succeded"] is True
    contact = agency.get(contact_id)
    assert (contact["firstName"], contact["name"], contact["city"]) == ("Ada", "Ada Lovelace", "London")


def test_name_is_first_and_last_name(agency: Agency) -> None:
    contact = agency.get(agency.added(name="Ada King Lovelace"))
    assert (contact["firstName"], contact["lastName"]) == ("Ada", "King Lovelace")
    agency.put(contact["id"], name="Grace")
    assert "lastName" not in agency.get(contact["id"])


def test_creation_without_anybody_is_400_whose_body_says_422(agency: Agency) -> None:
    for answer in (agency.create(), agency.create(email=None, tags=["x"]), agency.upsert(firstName="Ada")):
        assert (answer.status, answer.json()["statusCode"]) == (400, 422)
    assert len(agency.world.contacts) == 0


def test_creation_answers_in_a_schema_of_its_own(agency: Agency) -> None:
    contact = agency.create(email="ada@example.com", name="Ada L", dateOfBirth="12/10/1815").json()["contact"]
    assert "name" not in contact
    assert (contact["deleted"], contact["birthMonth"], contact["birthDay"]) == (False, 12, 10)


def test_delete_takes_everything_along(agency: Agency) -> None:
    contact_id = agency.added(email="ada@example.com")
    agency.world.add_task(contact_id, "Call", agency.clock.now())
    calendar = agency.world.add_calendar("Calls")["id"]
    agency.world.book(contact_id, calendar, agency.clock.now())
    assert agency.ask("DELETE", f"/contacts/{contact_id}").json()["succeded"] is True
    assert agency.ask("GET", f"/contacts/{contact_id}/notes").status == 400
    assert agency.ask("POST", f"/locations/{agency.location.id}/tasks/search", {}).json()["tasks"] == []
    assert agency.world.calendars.events == {}
    assert agency.added(email="ada@example.com") != contact_id


def test_dates_are_milliseconds_of_the_servers_time(agency: Agency) -> None:
    contact_id = agency.added(email="ada@example.com")
    agency.clock.advance(0.257)
    agency.put(contact_id, firstName="Ada")
    contact = agency.get(contact_id)
    assert (contact["dateAdded"], contact["dateUpdated"]) == ("2026-01-05T09:00:00.000Z", "2026-01-05T09:00:00.257Z")


@pytest.mark.parametrize("text", ["1815-12-10", "12-10-1815", "12/10/1815", "1815.12.10", "12_10_1815"])
def test_date_of_birth_is_read_in_every_documented_form(agency: Agency, text: str) -> None:
    contact_id = agency.added(email="ada@example.com", dateOfBirth=text)
    assert agency.get(contact_id)["dateOfBirth"] == "1815-12-10"


def test_followers_and_campaigns(agency: Agency) -> None:
    contact_id, campaign = agency.added(email="ada@example.com"), agency.world.add_campaign("Spring")["id"]
    user = agency.world.add_user("Una", "User", "una@example.com")["id"]
    path = f"/contacts/{contact_id}/followers"
    assert agency.ask("POST", path, {"followers": [user]}).json()["followersAdded"] == [user]
    assert agency.ask("DELETE", path, {"followers": [user]}).json()["followersRemoved"] == [user]
    path = f"/contacts/{contact_id}/campaigns"
    assert agency.ask("POST", f"{path}/{campaign}", {}).status == 201
    assert agency.world.contacts.get(contact_id).campaigns == (campaign,)
    assert agency.ask("DELETE", f"{path}/removeAll").status == 200
    assert agency.world.contacts.get(contact_id).campaigns == ()
    assert agency.ask("POST", f"{path}/ghost", {}).status == 404


def test_workflow_enrolment(agency: Agency) -> None:
    contact_id = agency.added(email="ada@example.com")
    often = agency.world.add_workflow("Welcome")["id"]
    once = agency.world.add_workflow("Birthday", reentry=False)["id"]
    for workflow in (often, often, once, once):
        path = f"/contacts/{contact_id}/workflow/{workflow}"
        assert agency.ask("POST", path, {"eventStartTime": "2026-01-06T09:00:00+01:00"}).json()["succeded"]
    assert [one.workflow_id for one in agency.world.enrolments] == [often, often, once]
    assert agency.ask("DELETE", f"/contacts/{contact_id}/workflow/{often}").status == 200
    assert agency.world.contacts.get(contact_id).workflows == (once,)
    assert agency.ask("POST", f"/contacts/{contact_id}/workflow/ghost", {}).status == 404
    assert agency.ask("POST", f"/contacts/{contact_id}/workflow/{once}", {"eventStartTime": "soon"}).status == 422


def test_old_listing_pages_only_with_both_cursors(agency: Agency) -> None:
    crowd = agency.crowd(5)
    base = f"/contacts/?locationId={agency.location.id}&limit=2"
    first = agency.ask("GET", base).json()
    assert [row["id"] for row in first["contacts"]] == [crowd[4].id, crowd[3].id]
    assert (first["count"], first["contacts"][0]["firstName"], first["contacts"][0]["firstNameRaw"]) == (5, "p4", "P4")
    after, after_id = first["meta"]["startAfter"], first["meta"]["startAfterId"]
    second = agency.ask("GET", f"{base}&startAfter={after}&startAfterId={after_id}").json()
    assert [row["id"] for row in second["contacts"]] == [crowd[2].id, crowd[1].id]
    assert agency.ask("GET", f"{base}&startAfter={after}").json()["contacts"] == first["contacts"]
    assert agency.ask("GET", f"/contacts/?locationId={agency.location.id}&limit=101").status == 422
