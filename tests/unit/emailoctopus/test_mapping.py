import json
from datetime import UTC, datetime
from typing import Any

import pytest

from sync_daemon.model.contact import Consent, FieldSpec, Malformed, Snapshot, Source
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.system import SystemName
from sync_daemon.systems.emailoctopus import mapping
from tests import grants

COLUMNS = {
    "FirstName": FieldSpec("FirstName", "FirstName", "text"),
    "Visits": FieldSpec("Visits", "Visits", "number"),
    "Likes": FieldSpec("Likes", "Likes", "choice_multiple"),
}


def raw(**changes: Any) -> bytes:
    contact = {
        "id": "8d091a5a-5ad6-11ef-b6e8-0565847a7cd6",
        "email_address": " Ada@example.com ",
        "fields": {"FirstName": "Ada", "Visits": 3, "Likes": ["b", "a"], "Hidden": "x"},
        "tags": ["VIP", "beta"],
        "status": "subscribed",
        "created_at": "2026-01-01T00:00:00+00:00",
        "last_updated_at": "2026-01-05T10:00:00+01:00",
    }
    return json.dumps({**contact, **changes}).encode()


def read(data: bytes) -> Snapshot:
    snapshot = mapping.read_contact(data, COLUMNS, Source.LISTING)
    assert isinstance(snapshot, Snapshot), snapshot
    return snapshot


def test_a_contact_becomes_a_snapshot_of_the_mapped_fields() -> None:
    assert read(raw()) == Snapshot(
        system=SystemName.EMAILOCTOPUS,
        contact_id="8d091a5a-5ad6-11ef-b6e8-0565847a7cd6",
        updated_at=datetime(2026, 1, 5, 9, 0, tzinfo=UTC),
        address="Ada@example.com",
        source=Source.LISTING,
        consent=Consent.GRANTED,
        fields={"FirstName": "Ada", "Visits": 3, "Likes": ("a", "b")},
        tags=frozenset({"VIP", "beta"}),
    )


@pytest.mark.parametrize("fields", [[], {}, None, {"FirstName": " ", "Visits": None, "Likes": []}])
def test_blanks_are_left_out(fields: Any) -> None:
    assert read(raw(fields=fields)).fields == {}


def test_a_time_without_an_offset_is_utc() -> None:
    assert read(raw(last_updated_at="2026-01-05T09:00:00")).updated_at == datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "consent"),
    [
        ("subscribed", Consent.GRANTED),
        ("SUBSCRIBED", Consent.GRANTED),
        ("pending", Consent.PENDING),
        ("unsubscribed", Consent.REVOKED),
    ],
)
def test_a_status_is_consent(status: str, consent: Consent) -> None:
    snapshot = read(raw(status=status))
    assert (snapshot.consent, snapshot.remark) == (consent, None)


@pytest.mark.parametrize("status", ["bounced", "COMPLAINED", "archived", "", " "])
def test_a_status_that_nobody_knows_revokes_and_is_remarked(status: str) -> None:
    snapshot = read(raw(status=status))
    assert snapshot.consent is Consent.REVOKED
    assert repr(status.strip().lower()) in (snapshot.remark or "")


@pytest.mark.parametrize("status", ["ada@example.com", "+14155550101", "ada lovelace", "a" * 25])
def test_a_status_that_may_hold_anything_is_not_shown(status: str) -> None:
    snapshot = read(raw(status=status))
    assert snapshot.consent is Consent.REVOKED
    assert snapshot.remark == f"status of {len(status)} characters isn't known; it counts as revoked"


def test_a_contact_without_a_status_is_malformed_but_in_the_answer_to_a_write() -> None:
    data = raw(status=None)
    for source in (Source.LISTING, Source.READ):
        assert isinstance(mapping.read_contact(data, COLUMNS, source), Malformed)
    written = mapping.read_contact(data, COLUMNS, Source.WRITE)
    assert isinstance(written, Snapshot)
    assert written.consent is None


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"email_address": {"secret": 1}}, "$.email_address"),
        ({"last_updated_at": "secret"}, "$.last_updated_at"),
        ({"tags": ["a", {"secret": 1}]}, "$.tags"),
        ({"fields": {"FirstName": {"secret": 1}}}, "$.fields.FirstName"),
    ],
)
def test_a_malformed_record_names_its_id_and_the_key_but_no_value(changes: dict[str, Any], key: str) -> None:
    broken = mapping.read_contact(raw(**changes), COLUMNS, Source.LISTING)
    assert isinstance(broken, Malformed)
    assert broken.contact_id == "8d091a5a-5ad6-11ef-b6e8-0565847a7cd6"
    assert key in broken.why
    assert "secret" not in broken.why


@pytest.mark.parametrize("data", [b"null", b"[]", b'"x"', b"{}", b'{"id": 7}'])
def test_what_is_no_record_at_all_is_malformed_too(data: bytes) -> None:
    assert isinstance(mapping.read_contact(data, COLUMNS, Source.LISTING), Malformed)


def operation(action: Action, **changes: Any) -> Operation:
    return grants.operation(SystemName.EMAILOCTOPUS, action, "g1", "e1", "why", **changes)


def test_a_creation_carries_tags_as_an_array_and_no_blanks() -> None:
    fields = {"FirstName": "Ada", "Likes": ("a", "b"), "Visits": None}
    creation = operation(Action.CREATE, address="ada@example.com", fields=fields, tags=("VIP",))
    assert mapping.creation(creation) == {
        "email_address": "ada@example.com",
        "fields": {"FirstName": "Ada", "Likes": ["a", "b"]},
        "tags": ["VIP"],
        "status": "subscribed",
    }


@pytest.mark.parametrize(
    ("consent", "status"),
    [(Consent.GRANTED, "subscribed"), (Consent.PENDING, "pending"), (Consent.REVOKED, "unsubscribed")],
)
def test_a_status_is_sent_only_by_a_creation_and_a_change_of_status(consent: Consent, status: str) -> None:
    created = mapping.creation(operation(Action.CREATE, address="ada@example.com", consent=consent))
    assert created == {"email_address": "ada@example.com", "status": status}
    assert mapping.update([operation(Action.SET_STATUS, consent=consent)]) == {"status": status}


def test_the_operations_of_one_contact_make_one_body() -> None:
    operations = [
        operation(Action.UPDATE, fields={"FirstName": None, "Visits": 4}, address="a@example.com"),
        operation(Action.ADD_TAGS, tags=("VIP", "new")),
        operation(Action.REMOVE_TAGS, tags=("old",)),
    ]
    assert mapping.update(operations) == {
        "email_address": "a@example.com",
        "fields": {"FirstName": None, "Visits": 4},
        "tags": {"VIP": True, "new": True, "old": False},
    }
