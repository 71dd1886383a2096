"""Contacts of every shape become snapshots."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from sync_daemon.model.contact import Consent, FieldSpec, Malformed, Snapshot, Source
from sync_daemon.systems.ghl import mapping, wire
from sync_daemon.systems.ghl.fields import columns_of, schema_of

SCHEMA = schema_of(
    wire.Location(),
    [
        wire.CustomField(id="f1", name="Plan", field_key="contact.plan", data_type="TEXT"),
        wire.CustomField(id="f2", name="Seats", field_key="contact.seats", data_type="NUMERICAL"),
        wire.CustomField(id="f3", name="Likes", field_key="contact.likes", data_type="MULTIPLE_OPTIONS"),
        wire.CustomField(id="f4", name="Renewal", field_key="contact.renewal", data_type="DATE"),
    ],
)
BARE = {"id": "c1", "dateUpdated": "2026-03-04T05:06:07.890Z"}


def read(document: dict[str, Any], source: Source = Source.READ, names: tuple[str, ...] = ()) -> Snapshot | Malformed:
    return mapping.snapshot(msgspec.json.encode(document), source, columns_of(SCHEMA, names))


def understood(document: dict[str, Any], source: Source = Source.READ, names: tuple[str, ...] = ()) -> Snapshot:
    row = read(document, source, names)
    assert isinstance(row, Snapshot), row
    return row


def test_a_bare_contact() -> None:
    row = understood(BARE)
    assert (row.contact_id, row.address, row.tags, row.fields) == ("c1", None, frozenset(), {})
    assert row.updated_at == datetime(2026, 3, 4, 5, 6, 7, 890000, UTC)


def test_a_full_hit() -> None:
    hit = BARE | {
        "email": " Ada@Example.com ",
        "additionalEmails": [{"email": "b@example.com"}, "c@example.com", {"email": None}, 3],
        "tags": ["vip", "Beta List", ""],
        "type": "lead",
        "address": "1 Main St",
        "customFields": [{"id": "f1", "value": "gold"}, {"id": "gone", "value": {"x": 1}}],
        "searchAfter": [1, "c1"],
        "somethingNew": {"deep": [1]},
    }
    row = understood(hit, Source.HINT, ("address1", "custom.plan", "custom.f1", "city"))
    assert row.address == "Ada@Example.com"
    assert row.additional_addresses == ("b@example.com", "c@example.com")
    assert row.tags == {"vip", "Beta List"}
    assert row.contact_type == "lead"
    assert row.fields == {"address1": "1 Main St", "custom.plan": "gold", "custom.f1": "gold"}


@pytest.mark.parametrize(
    ("document", "name", "value"),
    [
        ({"firstName": "ada", "firstNameRaw": "Ada", "firstNameLowerCase": "ada"}, "firstName", "Ada"),
        ({"firstName": "Ada", "firstNameLowerCase": "ada"}, "firstName", "Ada"),
        ({"firstNameLowerCase": "ada"}, "firstName", "ada"),
        ({"lastName": "", "lastNameLowerCase": "king"}, "lastName", "king"),
        ({"name": "Ada King"}, "name", "Ada King"),
        ({"firstName": "Ada", "lastName": "King", "contactName": "ada king"}, "name", "Ada King"),
        ({"lastName": "King", "fullNameLowerCase": "king"}, "name", "King"),
        ({"address1": "1 Main St", "address": "other"}, "address1", "1 Main St"),
        ({"postalCode": 35061}, "postalCode", "35061"),
        ({"dateOfBirth": "1990-09-25T00:00:00.000Z"}, "dateOfBirth", "1990-09-25"),
        ({"dateAdded": "2026-01-02T03:04:05.678Z"}, "dateAdded", "2026-01-02"),
        ({"companyName": "Acme"}, "companyName", "Acme"),
        ({"type": "customer"}, "type", "customer"),
        ({"customFields": [{"id": "f2", "value": "12"}]}, "custom.seats", 12),
        ({"customFields": [{"id": "f2", "field_value": 12.5}]}, "custom.seats", 12.5),
        ({"customFields": [{"id": "f2", "fieldValue": 0}]}, "custom.seats", 0),
        ({"customFields": [{"id": "f3", "value": ["b", "a"]}]}, "custom.likes", ("a", "b")),
        ({"customFields": [{"id": "f4", "value": 1_771_372_800_000}]}, "custom.renewal", "2026-02-18"),
    ],
)
def test_fields_in_each_of_their_forms(document: dict[str, Any], name: str, value: object) -> None:
    assert understood(BARE | document, names=(name,)).fields == {name: value}


@pytest.mark.parametrize("blank", [None, "", "  ", []])
def test_blanks_are_left_out(blank: object) -> None:
    document = BARE | {"firstName": None, "customFields": [{"id": "f3", "value": blank}, {"id": "f1"}]}
    assert understood(document, names=("firstName", "custom.likes", "custom.plan", "website")).fields == {}


@pytest.mark.parametrize(
    "document",
    [{"dateUpdated": 1_771_372_800_123}, {"dateUpdated": "1771372800123"}, {"dateUpdated": "2026-02-18T00:00:00.123"}],
)
def test_timestamps_in_each_of_their_forms(document: dict[str, Any]) -> None:
    assert understood({"id": "c1", **document}).updated_at == datetime(2026, 2, 18, 0, 0, 0, 123000, UTC)


def test_a_contact_never_updated_counts_from_its_creation() -> None:
    assert understood({"id": "c1", "dateAdded": "2026-02-18T00:00:00Z"}).updated_at == datetime(2026, 2, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("document", "names_key"),
    [
        (BARE | {"dateUpdated": None}, "dateUpdated"),
        (BARE | {"dateUpdated": "yesterday"}, "dateUpdated"),
        (BARE | {"tags": "secret"}, "tags"),
        (BARE | {"email": {"secret": 1}}, "email"),
        (BARE | {"dnd": "secret"}, "dnd"),
        (BARE | {"dndSettings": {"Email": {"message": "secret"}}}, "dndSettings.Email"),
        (BARE | {"website": {"secret": 1}}, "website"),
        (BARE | {"customFields": [{"id": "f1", "value": {"secret": 1}}]}, "f1"),
    ],
)
def test_a_malformed_record_names_the_key_and_no_value(document: dict[str, Any], names_key: str) -> None:
    row = read(document, names=("website", "custom.plan"))
    assert isinstance(row, Malformed)
    assert row.contact_id == "c1"
    assert names_key in row.why
    assert "secret" not in row.why


@pytest.mark.parametrize("document", [{"dateUpdated": "2026-03-04T05:06:07Z"}, {"id": 7}, [], None, "text"])
def test_a_record_without_an_id_is_malformed(document: Any) -> None:
    row = read(document)
    assert isinstance(row, Malformed)
    assert row.contact_id == ""


def test_oddities_in_fields_nobody_maps_harm_nobody() -> None:
    document = BARE | {"website": {"odd": 1}, "customFields": [{"id": "f1", "value": {"odd": 1}}]}
    assert understood(document).fields == {}


def test_a_field_that_went_is_not_read() -> None:
    assert columns_of(SCHEMA, ("custom.gone", "city")) == {"city": SCHEMA.fields["city"]}


BLOCK = {"Email": {"status": "active", "message": "x"}}


@pytest.mark.parametrize("source", [Source.HINT, Source.READ, Source.WRITE])
@pytest.mark.parametrize(
    ("document", "consent", "permanent"),
    [
        ({"dnd": True}, Consent.REVOKED, True),
        ({"dnd": True, "dndSettings": {"Email": {"status": "inactive"}}}, Consent.REVOKED, True),
        ({"dnd": False, "dndSettings": BLOCK}, Consent.REVOKED, False),
        ({"dndSettings": {"email": {"status": "active"}}}, Consent.REVOKED, False),
        ({"dndSettings": {"EMAIL": {"status": "Permanent"}}}, Consent.REVOKED, True),
        (
            {"dndSettings": {"Email": {"status": "inactive"}, "email": {"status": "permanent"}}},
            Consent.REVOKED,
            True,
        ),
        ({"dnd": False, "dndSettings": {}}, Consent.GRANTED, False),
        ({"dnd": False, "dndSettings": None}, Consent.GRANTED, False),
        ({"dndSettings": {"Email": None, "SMS": {"status": "permanent"}}}, Consent.GRANTED, False),
        ({"dndSettings": {"Email": {"status": "inactive"}, "Call": "odd"}}, Consent.GRANTED, False),
    ],
)
def test_consent_where_the_settings_are_told(
    document: dict[str, Any], consent: Consent, permanent: bool, source: Source
) -> None:
    row = understood(BARE | document, source)
    assert (row.consent, row.permanent, row.remark) == (consent, permanent, None)


@pytest.mark.parametrize(
    ("source", "document", "consent"),
    [
        (Source.HINT, {"dnd": False}, None),
        (Source.HINT, {}, None),
        (Source.READ, {"dnd": False}, Consent.GRANTED),
        (Source.READ, {}, Consent.GRANTED),
        (Source.WRITE, {"dnd": False}, Consent.GRANTED),
        (Source.WRITE, {}, None),
    ],
)
def test_consent_where_they_are_not(source: Source, document: dict[str, Any], consent: Consent | None) -> None:
    assert understood(BARE | document, source).consent is consent


def test_an_unknown_status_blocks_and_is_remarked() -> None:
    row = understood(BARE | {"dndSettings": {"Email": {"status": "snoozed"}}})
    assert (row.consent, row.permanent) == (Consent.REVOKED, True)  # this program sets no such status
    assert row.remark == "unknown e-mail DND status 'snoozed'"


@pytest.mark.parametrize("status", ["ada@example.com", "+14155550101", "ada lovelace", "a" * 25])
def test_an_unknown_status_that_may_hold_anything_is_not_shown(status: str) -> None:
    row = understood(BARE | {"dndSettings": {"Email": {"status": status}}})
    assert row.consent is Consent.REVOKED
    assert row.remark == f"unknown e-mail DND status of {len(status)} characters"


def test_the_schema_names_custom_fields_by_key_and_by_id() -> None:
    definitions = [
        wire.CustomField(
            id="x1", name="Size", field_key="contact.size", data_type="RADIO", picklist_options=["S", {"label": "M"}]
        ),
        wire.CustomField(id="x2", name="Deal", field_key="opportunity.deal", data_type="TEXT", model="opportunity"),
        wire.CustomField(id="x3", name="Paper", data_type="FILE_UPLOAD"),
    ]
    schema = schema_of(wire.Location(id="l", name="Shop", country="DE", timezone="Europe/Berlin"), definitions)
    assert schema.field("custom.x1") is schema.field("custom.size")
    assert schema.field("custom.size") == FieldSpec("custom.size", "x1", "RADIO", "Size", ("S", "M"))
    assert schema.field("custom.deal") is None
    paper = schema.field("custom.x3")
    assert paper is not None
    assert not paper.writable
    assert (schema.title, schema.country, schema.time_zone) == ("Shop", "DE", "Europe/Berlin")


def test_standard_fields_and_which_can_be_written() -> None:
    writable = {name for name, spec in SCHEMA.fields.items() if spec.writable and not name.startswith("custom.")}
    assert sorted(writable) == [
        "address1",
        "assignedTo",
        "city",
        "country",
        "dateOfBirth",
        "firstName",
        "lastName",
        "name",
        "phone",
        "postalCode",
        "source",
        "state",
        "timezone",
        "website",
    ]
    read_only = {name for name, spec in SCHEMA.fields.items() if not spec.writable}
    assert read_only == {"companyName", "type", "dateAdded"}
    types = {name: SCHEMA.fields[name].type for name in ("city", "phone", "country", "dateOfBirth", "dateAdded")}
    assert types == {
        "city": "STANDARD",
        "phone": "PHONE",
        "country": "COUNTRY",
        "dateOfBirth": "DATE",
        "dateAdded": "DATE",
    }
