"""POST /contacts/search: filters, sorts, cursors, the window and the refusals (facts: GHL §4.1)."""

from datetime import timedelta
from typing import Any

import pytest

from tests.sandbox.ghl.agency import BY_ADDED, BY_UPDATED, Agency, where

TEXT = "eq not_eq contains not_contains exists not_exists"
EXACT = "eq not_eq exists not_exists"
DATE = "range exists not_exists"
FIELDS = {
    "id": "eq not_eq",
    **dict.fromkeys(("contactName", "email", "website"), EXACT),
    **dict.fromkeys(("phone", "firstNameLowerCase", "lastNameLowerCase", "companyName", "businessName"), TEXT),
    **dict.fromkeys(("address", "city", "state", "postalCode", "source", "tags"), TEXT),
    **dict.fromkeys(("assignedTo", "country", "dnd", "followers", "isValidWhatsapp"), EXACT),
    **dict.fromkeys(("timezone", "type", "validEmail", "activeWorkflows", "finishedWorkflows"), EXACT),
    **dict.fromkeys(("dateAdded", "dateUpdated", "dateOfBirth"), DATE),
    **dict.fromkeys(("lastEmailClickedDate", "lastEmailOpenedDate", "lastAppointment"), DATE),
    **dict.fromkeys([f"dndSettings.{channel}.status" for channel in ("Email", "SMS", "Call")], "eq not_eq"),
    "inboundDndSettings.all.status": "eq not_eq",
}
"""Every filter field that is documented (ClickUp page, issue 279) with its operators."""


@pytest.fixture
def agency() -> Agency:
    return Agency()


def nested(depth: int) -> list[Any]:
    filters = [where("email", "exists")]
    for _ in range(depth):
        filters = [{"group": "AND", "filters": filters}]
    return filters


@pytest.mark.parametrize(("field", "operators"), FIELDS.items())
def test_documented_filters_and_no_other_operator(agency: Agency, field: str, operators: str) -> None:
    values = {"range": {"gte": "2026-01-01T00:00:00Z"}, "exists": None, "not_exists": None}
    asked = {operator: where(field, operator, values.get(operator, "x")) for operator in (*TEXT.split(), "range")}
    answers = {operator: agency.search(filters=[one]).status for operator, one in asked.items()}
    assert answers == {operator: 200 if operator in operators.split() else 422 for operator in asked}


def test_contacts_are_found_by_their_business(agency: Agency) -> None:
    contact_id, _ = agency.added(email="ada@example.com"), agency.added(email="bob@example.com")
    body = {"locationId": agency.location.id, "ids": [contact_id], "businessId": agency.world.add_business("Acme Ltd")}
    assert agency.ask("POST", "/contacts/bulk/business", body).status == 200
    assert agency.found(where("businessName", "contains", "acme")) == [contact_id]


def test_a_hit_has_its_own_names_and_a_cursor(agency: Agency) -> None:
    contact_id = agency.added(email="ada@example.com", address1="1 Main St", firstName="Ada", tags=["One"])
    answer = agency.search(sort=BY_UPDATED).json()
    hit = answer["contacts"][0]
    assert (answer["total"], hit["address"], hit["firstNameLowerCase"]) == (1, "1 Main St", "ada")
    assert "address1" not in hit
    assert hit["searchAfter"] == [int(agency.clock.now().timestamp() * 1000), contact_id]
    assert answer["traceId"]


def test_cursors_go_through_everything_once_and_stand_on_the_last_row_too(agency: Agency) -> None:
    crowd = [contact.id for contact in agency.crowd(23)]
    seen: list[str] = []
    body: dict[str, Any] = {"sort": BY_ADDED, "pageLimit": 10}
    while True:
        page = agency.search(**body).json()
        seen += [hit["id"] for hit in page["contacts"]]
        assert page["total"] == 23
        if len(page["contacts"]) < 10:
            break
        body["searchAfter"] = page["contacts"][-1]["searchAfter"]
    assert seen == crowd
    assert page["contacts"][-1]["searchAfter"][1] == crowd[-1]
    assert agency.search(sort=BY_ADDED, searchAfter=page["contacts"][-1]["searchAfter"]).json()["contacts"] == []


def test_equal_timestamps_are_told_apart_by_id(agency: Agency) -> None:
    at = agency.clock.now()
    ids = sorted(agency.world.create(at=at, firstName=f"P{n}").id for n in range(5))
    seen: list[str] = []
    after: dict[str, Any] = {}
    for _ in range(5):
        hit = agency.search(sort=BY_UPDATED, pageLimit=1, **after).json()["contacts"][0]
        after = {"searchAfter": hit["searchAfter"]}
        seen.append(hit["id"])
    assert seen == ids


def test_classic_paging_reaches_the_window_and_no_further(agency: Agency) -> None:
    crowd = agency.crowd(30)
    assert agency.found(page=3, pageLimit=10) == [contact.id for contact in crowd[20:]]
    assert agency.search(sort=BY_ADDED, page=100, pageLimit=100).json()["contacts"] == []
    assert agency.search(sort=BY_ADDED, page=101, pageLimit=100).status == 400
    assert agency.search(sort=BY_ADDED, page=21, pageLimit=500).status == 400


def test_without_a_sort_the_order_moves_under_the_client(agency: Agency) -> None:
    crowd = agency.crowd(4)
    first = [hit["id"] for hit in agency.search(pageLimit=2).json()["contacts"]]
    agency.world.touch(crowd[0].id)
    second = [hit["id"] for hit in agency.search(pageLimit=2, page=2).json()["contacts"]]
    assert crowd[0].id not in first + second


def test_two_sorts_and_missing_values_last(agency: Agency) -> None:
    start = agency.clock.now()
    names = [("Ben", 1), ("ann", 2), (None, 3), ("Ann", 4)]
    ids = [agency.world.create(at=start + timedelta(seconds=n), firstName=name).id for name, n in names]
    by_name = [{"field": "firstNameLowerCase", "direction": "asc"}, {"field": "dateAdded", "direction": "desc"}]
    assert agency.found(sort=by_name) == [ids[3], ids[1], ids[0], ids[2]]
    by_name[0]["direction"] = "desc"
    assert agency.found(sort=by_name) == [ids[0], ids[3], ids[1], ids[2]]
    seen: list[str] = []
    body: dict[str, Any] = {"sort": by_name, "pageLimit": 1}
    while hits := agency.search(**body).json()["contacts"]:
        seen.append(hits[0]["id"])
        body["searchAfter"] = hits[0]["searchAfter"]
    assert seen == [ids[0], ids[3], ids[1], ids[2]]


def test_ranges_of_the_sorted_field_in_both_directions(agency: Agency) -> None:
    crowd = agency.crowd(10)
    at = [agency.get(contact.id)["dateUpdated"] for contact in crowd]
    ids = [contact.id for contact in crowd]
    for operator, limit, expected in (
        ("gte", at[6], ids[6:]),
        ("gt", at[6], ids[7:]),
        ("lte", at[3], ids[:4]),
        ("lt", at[3], ids[:3]),
    ):
        asked = where("dateUpdated", "range", {operator: limit})
        assert agency.found(asked, sort=BY_UPDATED) == expected
        descending = [{"field": "dateUpdated", "direction": "desc"}]
        assert agency.found(asked, sort=descending) == expected[::-1]
        assert agency.found(asked, sort=BY_ADDED) == expected
    both = where("dateUpdated", "range", {"gte": at[2], "lt": at[5]})
    assert agency.found(both, sort=BY_UPDATED) == ids[2:5]
    assert agency.search(filters=[both], sort=BY_UPDATED, pageLimit=1).json()["total"] == 3
    future = where("dateUpdated", "range", {"gte": "2030-01-01T00:00:00Z"})
    assert agency.search(filters=[future], sort=BY_UPDATED).json()["total"] == 0


def test_a_day_is_one_of_the_locations_calendar(agency: Agency) -> None:
    # Five hours behind UTC: 2026-01-04 ends there at 2026-01-05T05:00Z.
    late = agency.world.create(at=agency.clock.now().replace(hour=4, minute=59), firstName="Late").id
    early = agency.world.create(at=agency.clock.now().replace(hour=5, minute=0), firstName="Early").id
    for operator, expected in (("lte", [late]), ("gt", [early])):
        assert agency.found(where("dateAdded", "range", {operator: "2026-01-04"})) == expected
    for operator, expected in (("gte", [early]), ("lt", [late])):
        assert agency.found(where("dateAdded", "range", {operator: "2026-01-05"})) == expected


def test_groups_nest(agency: Agency) -> None:
    ids = [contact.id for contact in agency.crowd(4)]
    either = {"group": "OR", "filters": [where("id", "eq", ids[0]), where("id", "eq", ids[3])]}
    assert agency.found(either) == [ids[0], ids[3]]
    deep = {"group": "AND", "filters": [either, where("firstNameLowerCase", "not_eq", "P3")]}
    assert agency.found({"group": "OR", "filters": [deep, where("email", "eq", "P1@EXAMPLE.com")]}) == ids[:2]


def test_a_hundred_ids_in_one_question(agency: Agency) -> None:
    ids = [contact.id for contact in agency.crowd(120)]
    asked = {"group": "OR", "filters": [where("id", "eq", one) for one in ids[10:110]]}
    assert agency.found(asked) == ids[10:110]


@pytest.mark.parametrize(
    ("field", "operator", "value", "expected"),
    [
        ("tags", "eq", "VIP", "a"),
        ("tags", "not_eq", "vip", "bc"),
        ("tags", "contains", "i", "ab"),
        ("tags", "exists", None, "ab"),
        ("tags", "not_exists", None, "c"),
        ("phone", "contains", "0100", "a"),
        ("dnd", "eq", True, "b"),
        ("dnd", "not_eq", True, "ac"),
        ("dndSettings.Email.status", "eq", "active", "c"),
        ("dndSettings.Email.status", "not_eq", "active", "ab"),
        ("contactName", "eq", "ada l", "a"),
        ("companyName", "contains", "cm", "b"),
        ("email", "exists", None, "ab"),
        ("validEmail", "eq", False, "b"),
        ("dateOfBirth", "range", {"gte": "1815-12-10", "lte": "1815-12-10"}, "a"),
        ("dateOfBirth", "exists", None, "a"),
        ("country", "eq", "us", "abc"),
        ("type", "eq", "lead", "abc"),
        ("lastEmailOpenedDate", "not_exists", None, "abc"),
        ("opportunities.status", "exists", None, ""),
    ],
)
def test_each_kind_of_filter(agency: Agency, field: str, operator: str, value: object, expected: str) -> None:
    now = agency.clock.now()
    world = agency.world
    ids = {
        "a": world.create(
            at=now,
            email="ada@example.com",
            name="Ada L",
            tags=["vip"],
            phone="+14155550100",
            dateOfBirth="1815-12-10",
        ).id,
        "b": world.create(
            at=now + timedelta(seconds=1), email="no address", companyName="Acme", tags=["sip"], dnd=True
        ).id,
        "c": world.create(at=now + timedelta(seconds=2), dndSettings={"Email": {"status": "active"}}).id,
    }
    assert agency.found(where(field, operator, value)) == [ids[name] for name in expected]


@pytest.mark.parametrize(
    ("data_type", "value", "asked", "is_found"),
    [
        ("TEXT", "Professional", ("eq", "professional"), True),
        ("LARGE_TEXT", "Professional", ("contains", "fess"), True),
        ("NUMERICAL", 5, ("range", {"gt": 4, "lte": 5}), True),
        ("NUMERICAL", 5, ("eq", 5), True),
        ("MONETORY", 5.5, ("range", {"lt": 5.5}), False),
        ("CHECKBOX", ["One", "Two"], ("eq", "two"), True),
        ("DATE", "2026-03-01", ("range", {"gte": "2026-03-01", "lt": "2026-03-02"}), True),
        ("DATE", "2026-03-01", ("not_exists", None), False),
    ],
)
def test_custom_fields_are_asked_by_id(
    agency: Agency, data_type: str, value: object, asked: tuple[str, Any], is_found: bool
) -> None:
    field = agency.world.add_field("Plan", data_type)
    contact = agency.world.create(at=agency.clock.now(), custom={"plan": value})
    found = agency.found(where(f"customFields.{field.id}", *asked))
    assert found == ([contact.id] if is_found else [])
    assert agency.search(filters=[where("customFields.plan", *asked)]).status == 400


@pytest.mark.parametrize("limit", ["5", True, None, [5]])
def test_a_range_of_numbers_takes_numbers(agency: Agency, limit: object) -> None:
    field = agency.world.add_field("Score", "NUMERICAL")
    assert agency.search(filters=[where(f"customFields.{field.id}", "range", {"gte": limit})]).status == 422


@pytest.mark.parametrize(
    ("body", "status", "line"),
    [
        ({"filters": [where("contact_name", "eq", "x")]}, 400, "Invalid field contact_name"),
        ({"sort": [{"field": "lastName", "direction": "asc"}]}, 400, "Invalid field lastName"),
        ({"filters": [where("date_added", "gte", 1)]}, 422, "Invalid Operator (gte) passed for field date_added"),
        ({"filters": [where("email", "contains", "x")]}, 422, "Invalid Operator (contains) passed for field email"),
        ({"filters": [where("dateAdded", "eq", 1)]}, 422, "Invalid Operator (eq) passed for field dateAdded"),
        ({"filters": [where("id", "exists")]}, 422, "Invalid Operator (exists) passed for field id"),
        ({"filters": [where("city", "eq", ["x"])]}, 422, "Invalid value passed for field city"),
        ({"filters": [where("city", "contains", "a*b")]}, 422, "Invalid value passed for field city"),
        ({"filters": [where("dateAdded", "range", 5)]}, 422, "Invalid value passed for field dateAdded"),
        ({"filters": [where("dateAdded", "range", {"from": 5})]}, 422, "Invalid value passed for field dateAdded"),
        ({"filters": [where("dateAdded", "range", {"gte": "soon"})]}, 422, "Invalid value passed for field dateAdded"),
        ({"filters": [where("city", "eq", "x" * 76)]}, 422, "value must be shorter than or equal to 75 characters"),
        ({"filters": [where("businessId", "exists")]}, 400, "Invalid field businessId"),
        ({"filters": [{"field": "city", "operator": ["eq"]}]}, 422, "Invalid Operator (['eq']) passed for field city"),
        ({"sort": [{"field": ["email"]}]}, 400, "Invalid field ['email']"),
        ({"filters": nested(51)}, 422, "filters must not be nested more than 50 deep"),
        ({"filters": [{"group": "NOT", "filters": []}]}, 422, "a group must be AND or OR and hold filters"),
        ({"filters": {}}, 422, "filters must be an array"),
        ({"filters": [{"field": "city", "op": "eq"}]}, 422, "property op should not exist"),
        ({"pageLimit": 501}, 422, "pageLimit must be an integer between 1 and 500"),
        ({"pageLimit": None}, 422, "pageLimit must be an integer between 1 and 500"),
        ({"page": 0}, 422, "page must be an integer not less than 1"),
        ({"page": 1, "searchAfter": [1, "x"]}, 422, "page and searchAfter can't be sent together"),
        ({"query": "x" * 76}, 422, "query must be a string of at most 75 characters"),
        ({"sort": BY_ADDED * 3}, 422, "sort must contain no more than 2 elements"),
        ({"sort": [{"field": "email", "direction": "up"}]}, 422, "sort direction must be one of the following"),
        ({"limit": 10}, 422, "property limit should not exist"),
        ({"sort": BY_ADDED, "searchAfter": ["x"]}, 400, "searchAfter must have one value for each sort entry"),
        ({"sort": BY_ADDED, "searchAfter": ["x", "y"]}, 400, "searchAfter holds a wrong value for dateAdded"),
    ],
)
def test_refusals(agency: Agency, body: dict[str, Any], status: int, line: str) -> None:
    answer = agency.search(**body)
    message = answer.json()["message"]
    assert answer.status == status, message
    assert any(line in one for one in ([message] if isinstance(message, str) else message))


def test_query_looks_into_names_addresses_and_numbers(agency: Agency) -> None:
    ada = agency.added(email="ada@example.com", name="Ada Lovelace", phone="+14155550100")
    agency.added(email="bob@example.org")
    for query in ("LOVE", "ada@", "5550100"):
        assert agency.found(query=query) == [ada]
    assert agency.found(query="x" * 75) == []
    assert agency.found(where("city", "eq", "x" * 75)) == []


def test_answers_are_remembered_only_until_something_changes(agency: Agency) -> None:
    agency.crowd(3)
    asked = where("city", "eq", "Rome")
    assert agency.found(asked) == []
    contact_id = agency.added(email="ada@example.com", city="Rome")
    assert agency.found(asked) == [contact_id]
    agency.put(contact_id, city="Paris")
    assert agency.found(asked) == []
