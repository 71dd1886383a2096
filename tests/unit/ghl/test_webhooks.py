"""GHL's webhooks: the signature over the raw bytes, and what an event comes to."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.model.system import SystemName
from sync_daemon.model.webhook import Delivery, EventKind, WebhookEvent
from sync_daemon.systems.ghl.webhooks import VENDOR_KEY, event_of_workflow, events_of, is_signed, load_key

OURS = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
BODY = b'{"type": "ContactUpdate", "id": "c1", "locationId": "l1", "webhookId": "w1"}'


def spki(key: Any) -> str:
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def signature(body: bytes = BODY) -> str:
    return base64.b64encode(OURS.sign(body)).decode()


def test_the_published_key_is_built_in() -> None:
    assert len(base64.b64decode(VENDOR_KEY)) == 44
    assert not is_signed(BODY, signature(), load_key(None))


def test_a_signature_over_the_very_bytes_is_good() -> None:
    assert is_signed(BODY, signature(), load_key(spki(OURS)))


@pytest.mark.parametrize("header", [None, "", "N/A", "!", signature()[:-4], signature(BODY + b" "), signature() + "é"])
def test_any_other_signature_is_not(header: str | None) -> None:
    assert not is_signed(BODY, header, load_key(spki(OURS)))


@pytest.mark.parametrize("text", ["not base64!", "AAAA", spki(X25519PrivateKey.from_private_bytes(bytes(range(32))))])
def test_a_key_that_is_none_is_a_mistake_in_the_configuration(text: str) -> None:
    with pytest.raises(ConfigurationError, match="webhook_public_key"):
        load_key(text)


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        ("ContactCreate", EventKind.CHANGED),
        ("ContactUpdate", EventKind.CHANGED),
        ("ContactTagUpdate", EventKind.CHANGED),
        ("ContactDndUpdate", EventKind.REVOKED),
        ("ContactDelete", EventKind.DELETED),
    ],
)
def test_what_is_told_of_a_contact(type_: str, kind: EventKind) -> None:
    told = {
        "type": type_, "id": "c1", "locationId": "l1", "webhookId": "w1", "email": "ada@example.com", "dnd": False,
        "timestamp": "2026-11-25T10:00:00.500Z",
    }  # fmt: skip
    at = datetime(2026, 11, 25, 10, 0, 0, 500_000, tzinfo=UTC)
    assert events_of(json.dumps(told).encode()) == Delivery(
        (("l1", WebhookEvent(SystemName.GHL, "w1", "c1", kind, at)),)
    )


def test_an_update_that_says_dnd_is_looked_at_first() -> None:
    [(_, event)] = events_of(b'{"type": "ContactUpdate", "id": "c1", "locationId": "l1", "dnd": true}').events
    assert event.kind is EventKind.REVOKED


def test_an_event_without_an_id_is_known_again_by_its_bytes() -> None:
    one, same, other = (
        b'{"type": "ContactUpdate", "id": "%s", "locationId": "l1"}' % who for who in (b"a", b"a", b"b")
    )
    ids = [events_of(body).events[0][1].event_id for body in (one, same, other)]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    ("told", "at"),
    [
        (1764064800000, datetime(2025, 11, 25, 10, tzinfo=UTC)),
        (1764064800, datetime(2025, 11, 25, 10, tzinfo=UTC)),
        ("2025-11-25T10:00:00", datetime(2025, 11, 25, 10, tzinfo=UTC)),
        ("yesterday", None),
        (None, None),
        (True, None),
        ([], None),
    ],
)
def test_times_of_any_form_or_none(told: Any, at: datetime | None) -> None:
    body = json.dumps({"type": "ContactUpdate", "id": "c1", "locationId": "l1", "timestamp": told}).encode()
    assert events_of(body).events[0][1].occurred_at == at


@pytest.mark.parametrize("type_", ["NoteCreate", "TaskComplete", "INSTALL", "InboundMessage", "SomethingNew", ""])
def test_what_nobody_reads_is_ignored(type_: str) -> None:
    assert events_of(json.dumps({"type": type_, "id": "x", "locationId": "l1"}).encode()) == Delivery(ignored=1)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"not json", b"[]", b"null", b"{}", b'{"type": "ContactUpdate"}', b'{"type": 7, "id": "c1"}',
        b'{"type": "ContactUpdate", "id": null, "locationId": "l1"}', b'{"type": "ContactUpdate", "id": {"a": 1}}',
        b"\xff\xfe", b'{"type": "ContactUpdate", "id": "c1", "locationId": ""}',
    ],
)  # fmt: skip
def test_what_can_not_be_read_is_malformed(body: bytes) -> None:
    assert events_of(body) == Delivery(malformed=1)


def test_a_workflow_tells_a_contact_and_proves_nothing() -> None:
    body = (
        b'{"contact_id": "c1", "email": "ada@example.com", "tags": "a,b", "location": {"id": "l1"}, "customData": {}}'
    )
    told = WebhookEvent(SystemName.GHL, "made up", "c1", EventKind.CHANGED, None, verified=False)
    assert event_of_workflow(body, "made up") == Delivery((("l1", told),))


@pytest.mark.parametrize("location", ["", ', "location": null', ', "location": {}', ', "location": {"id": null}'])
def test_a_workflow_need_not_tell_its_location(location: str) -> None:
    body = f'{{"contact_id": "c1"{location}}}'.encode()
    assert [account for account, _ in event_of_workflow(body, "x").events] == [""]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"contact_id": ""}', b'{"contact_id": 7}', b"contact_id=c1"])
def test_a_workflow_that_tells_no_contact_is_malformed(body: bytes) -> None:
    assert event_of_workflow(body, "x") == Delivery(malformed=1)


@pytest.mark.parametrize(
    "type_", ["TaskCreate", "TaskComplete", "TaskDelete", "NoteCreate", "NoteUpdate", "NoteDelete"]
)
def test_a_task_or_note_is_told_of_its_contact(type_: str) -> None:
    body = json.dumps({"type": type_, "id": "t1", "contactId": "c1", "locationId": "l1", "webhookId": "w1"})
    event = WebhookEvent(SystemName.GHL, "w1", "c1", EventKind.ACTIVITY, None)
    assert events_of(body.encode()) == Delivery((("l1", event),))


@pytest.mark.parametrize("type_", ["AppointmentCreate", "AppointmentUpdate", "AppointmentDelete"])
def test_an_appointment_is_told_of_its_contact(type_: str) -> None:
    told = {"type": type_, "locationId": "l1", "webhookId": "w1", "appointment": {"id": "a1", "contactId": "c1"}}
    event = WebhookEvent(SystemName.GHL, "w1", "c1", EventKind.ACTIVITY, None)
    assert events_of(json.dumps(told).encode()) == Delivery((("l1", event),))


def test_a_task_that_does_not_tell_its_contact_is_left_to_the_next_look() -> None:
    body = json.dumps({"type": "TaskCreate", "id": "t1", "locationId": "l1", "webhookId": "w1"})
    assert events_of(body.encode()) == Delivery(ignored=1)
