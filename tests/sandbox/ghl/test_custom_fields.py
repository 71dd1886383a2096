"""Custom fields: their definitions, and what becomes of written values (facts: GHL §3.2, §6.4)."""

from typing import Any

import pytest

from tests.sandbox.ghl.agency import Agency


@pytest.fixture
def agency() -> Agency:
    return Agency()


def values(agency: Agency, contact_id: str) -> dict[str, Any]:
    return {entry["id"]: entry["value"] for entry in agency.get(contact_id)["customFields"]}


@pytest.mark.parametrize(
    ("data_type", "sent", "kept"),
    [
        ("TEXT", "x" * 300, "x" * 256),
        ("TEXT", 12, "12"),
        ("LARGE_TEXT", "x" * 300, "x" * 300),
        ("PHONE", "+1 415", "+1 415"),
        ("NUMERICAL", 12, 12),
        ("NUMERICAL", "12", 12),
        ("MONETORY", 12.5, 12.5),
        ("NUMERICAL", "a dozen", None),
        ("NUMERICAL", "nan", None),
        ("CHECKBOX", ["One", "Two"], ["One", "Two"]),
        ("MULTIPLE_OPTIONS", "One", ["One"]),
        ("RADIO", "One", "One"),
        ("SINGLE_OPTIONS", ["One", "Two"], None),
        ("DATE", "2026-03-01", "2026-03-01"),
        ("DATE", "2026-03-01T10:00:00Z", "2026-03-01"),
        ("DATE", 1772323200000, "2026-03-01"),
        ("DATE", "in March", None),
        ("TEXT", ["a", "list"], None),
        ("FILE_UPLOAD", {"uuid": {"url": "https://example.com/a"}}, {"uuid": {"url": "https://example.com/a"}}),
    ],
)
def test_what_each_type_keeps_of_a_value(agency: Agency, data_type: str, sent: object, kept: object) -> None:
    field = agency.world.add_field("Field", data_type, ["One", "Two"])
    contact_id = agency.added(email="ada@example.com", customFields=[{"id": field.id, "field_value": sent}])
    assert values(agency, contact_id).get(field.id) == kept


def test_text_boxes_are_written_by_option(agency: Agency) -> None:
    field = agency.world.add_field("Boxes", "TEXTBOX_LIST", ["Left", "Right"])
    box = field.text_boxes[0]["id"]
    contact_id = agency.added(email="ada@example.com", customFields=[{"id": field.id, "field_value": {box: "hello"}}])
    assert values(agency, contact_id) == {field.id: {box: "hello"}}
    name = f"customFields.{field.id}.{box}"
    assert agency.found({"field": name, "operator": "eq", "value": "Hello"}) == [contact_id]


def test_entries_merge_and_unknown_ids_are_dropped_without_a_word(agency: Agency) -> None:
    plan, score = agency.world.add_field("Plan"), agency.world.add_field("Score", "NUMERICAL")
    contact_id = agency.added(
        email="ada@example.com",
        customFields=[{"key": "plan", "field_value": "Pro"}, {"id": score.id, "field_value": 5}],
    )
    answer = agency.put(
        contact_id, customFields=[{"id": "ghost", "field_value": "x"}, {"id": score.id, "field_value": 6}]
    )
    assert answer.status == 200
    assert values(agency, contact_id) == {plan.id: "Pro", score.id: 6}
    agency.put(contact_id, customFields=[{"id": score.id, "field_value": ""}])
    assert values(agency, contact_id) == {plan.id: "Pro"}


def test_a_deleted_field_is_no_longer_told(agency: Agency) -> None:
    field = agency.world.add_field("Plan")
    contact_id = agency.added(email="ada@example.com", customFields=[{"id": field.id, "field_value": "Pro"}])
    path = f"/locations/{agency.location.id}/customFields/{field.id}"
    assert agency.ask("DELETE", path).json()["succeded"] is True
    assert values(agency, contact_id) == {}
    assert agency.ask("GET", path).status == 404


def test_definitions_are_made_read_and_changed(agency: Agency) -> None:
    path = f"/locations/{agency.location.id}/customFields"
    made = agency.ask("POST", path, {"name": "Favourite colour", "dataType": "RADIO", "options": ["Red", "Blue"]})
    assert made.status == 201
    field = made.json()["customField"]
    assert (field["fieldKey"], field["picklistOptions"]) == ("contact.favourite_colour", ["Red", "Blue"])
    again = agency.ask("POST", path, {"name": "Favourite colour", "dataType": "TEXT", "model": "opportunity"})
    assert again.json()["customField"]["fieldKey"] == "opportunity.favourite_colour"
    assert [one["id"] for one in agency.ask("GET", path).json()["customFields"]] == [field["id"]]
    assert len(agency.ask("GET", f"{path}?model=all").json()["customFields"]) == 2
    changed = agency.ask("PUT", f"{path}/{field['id']}", {"name": "Colour", "placeholder": "Which?"}).json()
    assert (changed["customField"]["name"], changed["customField"]["placeholder"]) == ("Colour", "Which?")
    assert agency.ask("GET", f"{path}/{field['id']}").json()["customField"]["fieldKey"] == "contact.favourite_colour"


def test_names_may_repeat_but_keys_not(agency: Agency) -> None:
    keys = [agency.world.add_field("Plan").field_key for _ in range(3)]
    assert keys == ["contact.plan", "contact.plan_1", "contact.plan_2"]


@pytest.mark.parametrize(
    ("query", "body", "line"),
    [
        ("?locationId=x", {"name": "A", "dataType": "TEXT"}, "property locationId should not exist"),
        ("", {"name": "A", "dataType": "TEXT", "locationId": "x"}, "property locationId should not exist"),
        ("", {"dataType": "TEXT"}, "name should not be empty"),
    ],
)
def test_definitions_refuse_the_location_and_want_a_name(agency: Agency, query: str, body: object, line: str) -> None:
    answer = agency.ask("POST", f"/locations/{agency.location.id}/customFields{query}", body)
    assert answer.status == 422
    assert line in answer.json()["message"]
