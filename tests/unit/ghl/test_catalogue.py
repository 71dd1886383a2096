"""Values become a checked request, or every reason why there is none; names are found however they are written."""

from typing import Any

import pytest

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.systems.ghl.catalogue.catalogue import in_category, operation, operations
from sync_daemon.systems.ghl.catalogue.operation import Mark
from sync_daemon.systems.ghl.catalogue.prepare import BadParameters, PreparedCall, prepare
from sync_daemon.systems.ghl.catalogue.texts import TO_COME, written
from sync_daemon.systems.ghl.settings import Version

BOOKING = {"calendarId": "k", "contactId": "c"}
NOTE = {"contactId": "c1", "body": "Hello"}


def call(name: str, version: Version = "2021-07-28", /, **values: Any) -> PreparedCall:
    return prepare(operation(name), values, "L1", version)


def from_texts(name: str, version: Version = "2021-07-28", /, **values: Any) -> PreparedCall:
    return call(name, version, **written(values))


def problems(name: str, version: Version = "2021-07-28", /, **values: Any) -> list[str]:
    """What is wrong with values that somebody wrote; nothing of them is repeated."""
    with pytest.raises(BadParameters) as refused:
        call(name, version, **values)
    assert all(problem in str(refused.value) for problem in refused.value.problems)
    return list(refused.value.problems)


@pytest.mark.parametrize("name", ["Create Contact Note", "create contact NOTE", "create-contact-note"])
def test_names(name: str) -> None:
    assert operation(name).name == "Create Contact Note"


def test_an_unknown_name_has_neighbours() -> None:
    with pytest.raises(ConfigurationError, match="did you mean Create Contact Note"):
        operation("create-contact-nots")
    with pytest.raises(ConfigurationError, match=r"no operation 'zzz' here\. `sync-daemon ghl list`"):
        operation("zzz")
    assert {one.category for one in in_category("workflows-campaigns")} == {"Workflows & Campaigns"}
    with pytest.raises(ConfigurationError, match=r"there are .*Contacts, .*Users"):
        in_category("people")


def test_a_call() -> None:
    prepared = call("Create Contact Note", **NOTE, pinned=True)
    assert (prepared.path, prepared.version) == ("/contacts/c1/notes", "2021-07-28")
    assert (prepared.query, prepared.body) == ({}, {"body": "Hello", "pinned": True})


def test_the_location_is_filled_in_wherever_it_stands() -> None:
    assert call("Find Location by ID").path == "/locations/L1"
    assert call("List Workflows").query == {"locationId": "L1"}
    assert call("Search Opportunities").query == {"location_id": "L1"}
    assert call("Create Business", name="Engines").body == {"name": "Engines", "locationId": "L1"}
    assert call("List Workflows", locationId="L1").query == {"locationId": "L1"}
    assert "locationIds" not in call("Update User", userId="u1").body
    needed = ("companyId", "firstName", "lastName", "email", "password", "type", "role")
    assert call("Create User", **dict.fromkeys(needed, "x")).body["locationIds"] == ["L1"]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("List Workflows", {"locationId": "L2"}),
        ("List Workflows", {"locationId": TO_COME}),
        ("Update User", {"userId": "u1", "locationIds": ["L1", "L2"]}),
        ("Update User", {"userId": "u1", "twilioPhone": {"L2": "+1"}}),
    ],
)
def test_no_other_location_can_be_named(name: str, values: dict[str, Any]) -> None:
    (problem,) = problems(name, **values)
    assert "is the pair's own location, L1, and can't name another" in problem


def test_every_problem_is_told_at_once() -> None:
    assert problems("Create Contact Note", contactID="c1", bodi="Hello", pinned="yes") == [
        "contactID: there is no such parameter; did you mean contactId?",
        "bodi: there is no such parameter; did you mean body?",
        "contactId: is missing",
        "body: is missing",
        "pinned: expected true or false",
    ]


@pytest.mark.parametrize(
    ("name", "values", "problem"),
    [
        ("Create Contact Note", {**NOTE, "x": 1}, "x: there is no such parameter; there are contactId, body, userId"),
        ("Create Contact Note", {**NOTE, "body": 7}, "body: expected a text"),
        ("Create Contact Note", {**NOTE, "body": None}, "body: expected a text"),
        ("Create Contact Note", {**NOTE, "contactId": ""}, "contactId: expected an id"),
        ("Create Contact Note", {**NOTE, "contactId": ".."}, "contactId: expected an id"),
        ("Search Contacts", {"pageLimit": True}, "pageLimit: expected a whole number"),
        ("Search Contacts", {"pageLimit": 501}, "pageLimit: expected 500 at most"),
        ("Search Contacts", {"page": 0}, "page: expected 1 at least"),
        ("Search Contacts", {"query": "x" * 76}, "query: expected 75 characters at most"),
        ("Search Contacts", {"sort": [{"field": "email"}]}, "sort[0].direction: is missing"),
        ("Search Contacts", {"sort": [{"field": "email", "direction": "asc"}] * 3}, "sort: expected 2 at most"),
        ("Add Tags to Contact", {"contactId": "c", "tags": "vip"}, "tags: expected a list"),
        ("Add Tags to Contact", {"contactId": "c", "tags": ["vip", 1]}, "tags[1]: expected a text"),
        ("Update Contact", {"contactId": "c", "dndSettings": []}, "dndSettings: expected an object"),
        ("Update Contact", {"contactId": "c", "dndSettings.SMS.status": "off"}, "dndSettings.SMS.status: expected"),
        ("Update Contact", {"contactId": "c", "dndSettings.Fax.status": "x"}, "dndSettings.Fax: there is no such"),
        ("Update Contact", {"contactId": "c", "dndSettings.SMS": {}}, "dndSettings.SMS.status: is missing"),
        ("Update Contact", {"contactId": "c", "dndSettings": {}, "dndSettings.SMS": {}}, "dndSettings.SMS: "),
        ("Update Contact", {"contactId": "c", "dndSettings.SMS": {}, "dndSettings": {}}, "dndSettings: is given"),
        ("Update Opportunity", {"id": "o", "monetaryValue": float("nan")}, "monetaryValue: expected a number"),
        ("Create Appointment", {**BOOKING, "startTime": "2026-12-01"}, "startTime: expected a date and time"),
        ("List Calendar Events", {"startTime": 1, "endTime": 2}, "calendarId or userId or groupId: one"),
    ],
)  # fmt: skip
def test_a_problem(name: str, values: dict[str, Any], problem: str) -> None:
    (found,) = problems(name, **values)
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("name", "values", "problem"),
    [
        ("Search Contacts", {"pageLimit": "ten"}, "pageLimit: expected a whole number"),
        ("Search Contacts", {"filters": "email"}, "filters: expected a list in JSON"),
        ("Search Contacts", {"filters": "[{]"}, "filters: expected a list in JSON"),
        ("Search Contacts", {"filters": '[{"operator": "is"}]'}, "filters[0].operator: expected one of eq, "),
        ("Update Contact", {"contactId": "c", "dnd": "1"}, "dnd: expected true or false"),
        ("Update Contact", {"contactId": "c", "dndSettings": "SMS"}, "dndSettings: expected an object in JSON"),
        ("Update Opportunity", {"id": "o", "monetaryValue": "1,5"}, "monetaryValue: expected a number"),
    ],
)
def test_a_text_that_means_nothing(name: str, values: dict[str, Any], problem: str) -> None:
    (found,) = problems(name, **written(values))
    assert found.startswith(problem)


def test_texts_are_read_by_the_type_of_their_parameter() -> None:
    body = from_texts(
        "Update Contact",
        contactId="12",
        city="12",
        email="null",
        dnd="True",
        tags="a, b",
        customFields='[{"id": "f1", "field_value": 12}]',
        **{"dndSettings.SMS.status": "active", "dndSettings.SMS.code": "1"},
    )
    assert body.path == "/contacts/12"
    assert body.body == {
        "city": "12",
        "email": None,
        "dnd": True,
        "tags": ["a", "b"],
        "customFields": [{"id": "f1", "field_value": 12}],
        "dndSettings": {"SMS": {"status": "active", "code": "1"}},
    }
    assert all(type(tag) is str for tag in body.body["tags"])
    assert from_texts("Update Opportunity", id="o", monetaryValue="1.5").body == {"monetaryValue": 1.5}
    assert from_texts("Search Contacts", searchAfter='[17, "id"]', pageLimit="5").body["searchAfter"] == [17, "id"]
    assert from_texts("Add Tags to Contact", contactId="c", tags="").body == {"tags": []}
    nested = from_texts("Update Contact", contactId="c", customFields=[{"id": "f1", "field_value": "12"}])
    assert nested.body == {"customFields": [{"id": "f1", "field_value": "12"}]}


def test_a_query_is_text() -> None:
    free = call("Get Free Slots", calendarId="k", startDate=1, endDate=2, userIds=["u1", "u2"])
    assert free.query == {"startDate": "1", "endDate": "2", "userIds": ["u1", "u2"]}
    assert call("List Calendars", showDrafted=False).query["showDrafted"] == "false"
    listed = call("Get Messages by Conversation", conversationId="v", type=["TYPE_SMS", "TYPE_CALL"])
    assert listed.query == {"type": "TYPE_SMS,TYPE_CALL"}


def test_an_id_stays_within_its_part_of_the_path() -> None:
    assert call("Get Contact", contactId="a/b?c").path == "/contacts/a%2Fb%3Fc"


def test_bodies() -> None:
    assert call("Get Contact", contactId="c").body is None
    assert call("Delete Event", eventId="e").body == {}
    one = {"receiverType": "contact", "channel": "email", "notificationType": "booked"}
    assert call("Create Calendar Notification", calendarId="k", **one).body == [one]
    assert call("Search Contacts").body == {"locationId": "L1", "pageLimit": 100}


def test_v3_has_its_own_paths_and_forms() -> None:
    away = call("Remove from All Campaigns", "v3", contactId="c")
    assert (away.path, away.version) == ("/contacts/c/campaigns/remove-all", "v3")
    assert call("Update Contact", "v3", contactId="c", **{"dndSettings.sms.status": "active"}).body
    assert "did you mean sms?" in problems("Update Contact", "v3", contactId="c", **{"dndSettings.SMS.status": "x"})[0]
    assert problems("List Contacts (Deprecated)", "v3") == [
        "v3 has done away with it: use Search Contacts, or set ghl.version to 2021-07-28."
    ]
    assert call("List Calendars", "2021-07-28").version == "2021-04-15"


def test_what_is_to_come_fits_everywhere_and_nothing_else_goes_unchecked() -> None:
    prepared = call("Create Contact Task", contactId=TO_COME, title=TO_COME, dueDate=TO_COME, completed=TO_COME)
    assert not prepared.touches
    assert problems("Create Contact Note", contactId=TO_COME, bodi=TO_COME) == [
        "bodi: there is no such parameter; did you mean body?",
        "body: is missing",
    ]
    assert call("Update Contact", contactId="c", dndSettings=TO_COME).touches == {Mark.EMAIL_DND}
    assert call("Bulk Update Contact Tags", type=TO_COME, contacts=["c"], tags=["t"]).destructive


@pytest.mark.parametrize(
    ("name", "values", "touched"),
    [
        ("Update Contact", {"dnd": False}, {Mark.EMAIL_DND}),
        ("Update Contact", {"dndSettings.Email.status": "inactive"}, {Mark.EMAIL_DND}),
        ("Update Contact", {"dndSettings.SMS.status": "active"}, set()),
        ("Update Contact", {"email": "ada@example.com"}, {Mark.ADDRESS}),
        ("Update Contact", {"phone": "+1", "tags": []}, {Mark.ADDRESS, Mark.ALL_TAGS}),
        ("Update Contact", {"city": "London"}, set()),
        ("Add Tags to Contact", {"tags": ["vip"]}, set()),
    ],
)
def test_what_a_call_touches(name: str, values: dict[str, Any], touched: set[Mark]) -> None:
    assert call(name, contactId="c", **values).touches == touched
    if name == "Update Contact" and touched == {Mark.EMAIL_DND}:
        assert call(name, "v3", contactId="c", **{"dndSettings.email.status": "active"}).touches == touched


def test_bulk_tags_touch_all_of_them_only_if_told() -> None:
    bulk = {"contacts": ["c"], "tags": ["t"]}
    assert not call("Bulk Update Contact Tags", type="add", **bulk).destructive
    assert call("Bulk Update Contact Tags", type="remove", **bulk).destructive
    assert not call("Bulk Update Contact Tags", type="remove", **bulk, removeAllTags=False).touches
    assert call("Bulk Update Contact Tags", type="remove", **bulk, removeAllTags=True).touches == {Mark.ALL_TAGS}


def test_what_deletes() -> None:
    """Every DELETE but those that take away what is named and can be put back as it was."""
    by_method = {one.name for one in operations() if one.method == "DELETE"}
    deleting = {one.name for one in operations() if one.effect == "delete"}
    assert by_method - deleting == {"Remove Tags from Contact", "Remove Followers", "Remove Contact Followers"}
    assert deleting <= by_method
    assert call("Remove Followers", id="o", followers=["u"], isRemoveAllFollowers=True).destructive
    assert not call("Remove Followers", id="o", followers=["u"]).destructive
    assert call("Update Notification", calendarId="k", notificationId="n", deleted=True).destructive


def test_what_may_be_sent_again() -> None:
    again = {one.name for one in operations() if one.method == "POST" and one.effect != "read" and one.idempotent}
    assert again == {
        "Add Tags to Contact",
        "Bulk Update Contact Tags",
        "Upsert Contact",
        "Add Contact Followers",
        "Bulk Business Update",
        "Add Followers",
        "Agent Typing Indicator",
    }
    assert all(one.idempotent for one in operations() if one.method != "POST" or one.effect == "read")
    assert call("Upsert Contact", email="a@b.example").idempotent
    assert not call("Upsert Contact", email="a@b.example", createNewIfDuplicateAllowed=True).idempotent


def test_what_reads_without_a_get() -> None:
    reading = {one.name for one in operations() if one.method != "GET" and one.effect == "read"}
    assert reading == {"Search Contacts", "Find Contact", "Filter Users by Email", "Validate Group Slug"}
    assert all(one.effect == "read" for one in operations() if one.method == "GET")


def test_no_value_is_shown() -> None:
    prepared = call("Create Contact Note", contactId="c1", body="a secret")
    assert "a secret" not in repr(prepared)
    assert "a secret" not in str(problems("Create Contact Note", contactId="c1", body="a secret", pinned="a secret"))
