"""GHL's webhooks: its signature, its events, and the unsigned ones that its workflows send (facts, section 8).

An event is believed no further than that its contact may have changed: ContactUpdate leaves fields out, inbound
blocks raise none, and deliveries repeat and overtake each other.
"""

import base64
import binascii
import hashlib
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.model.system import SystemName
from sync_daemon.model.webhook import Delivery, EventKind, WebhookEvent
from sync_daemon.systems.event_times import moment_of

SIGNATURE_HEADER = "x-ghl-signature"
VENDOR_KEY = "MCowBQYDK2VwAyEAi2HR1srL4o18O8BRa7gVJY7G7bupbN3H9AwJrHCDiOg="
"""GHL's published Ed25519 key, SPKI in base64 (its webhook guide)."""

_KINDS = {
    "ContactCreate": EventKind.CHANGED,
    "ContactUpdate": EventKind.CHANGED,
    "ContactTagUpdate": EventKind.CHANGED,
    "ContactDndUpdate": EventKind.REVOKED,
    "ContactDelete": EventKind.DELETED,
    **{
        f"{record}{what}": EventKind.ACTIVITY
        for record in ("Task", "Note", "Appointment")
        for what in ("Create", "Update", "Complete", "Delete")
    },
}


class _Appointment(msgspec.Struct, rename="camel"):
    contact_id: str | None = None


class _Event(msgspec.Struct, rename="camel"):
    type: str
    location_id: str | None = None
    id: str | None = None
    contact_id: str | None = None
    appointment: _Appointment | None = None
    webhook_id: str | None = None
    timestamp: Any = None
    dnd: Any = None


class _Location(msgspec.Struct):
    id: str | None = None


class _FromWorkflow(msgspec.Struct):
    contact_id: str
    location: _Location | None = None


_event = msgspec.json.Decoder(_Event)
_from_workflow = msgspec.json.Decoder(_FromWorkflow)


def load_key(text: str | None) -> Ed25519PublicKey:
    """The key that GHL signs with: SPKI in base64, as it is published. Raises `ConfigurationError`."""
    try:
        key = load_der_public_key(base64.b64decode(text or VENDOR_KEY, validate=True))
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigurationError(
            "`ghl.webhook_public_key` isn't an Ed25519 key in base64 (44 bytes that begin with MCowBQ…). Copy it from "
            "GHL's webhook guide, or leave it out: the key that GHL has published is built in."
        )
    return key


def is_signed(body: bytes, signature: str | None, key: Ed25519PublicKey) -> bool:
    """Whether a header of `X-GHL-Signature` is GHL's signature of these very bytes."""
    try:
        key.verify(base64.b64decode(signature or "", validate=True), body)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def events_of(body: bytes) -> Delivery:
    """The event of a verified request. One without an id of its own is known again by its bytes."""
    try:
        told = _event.decode(body)
    except msgspec.MsgspecError:
        return Delivery(malformed=1)
    kind = _KINDS.get(told.type)
    if kind is None:
        return Delivery(ignored=1)
    contact_id = _of_whom(told, kind)
    if contact_id is None and kind is EventKind.ACTIVITY:
        return Delivery(ignored=1)  # observed: TaskCreate lacks it; the next look at the location's tasks shows it
    if not contact_id or not told.location_id:
        return Delivery(malformed=1)
    event = WebhookEvent(
        SystemName.GHL,
        told.webhook_id or hashlib.sha256(body).hexdigest(),
        contact_id,
        EventKind.REVOKED if told.dnd is True and kind is EventKind.CHANGED else kind,
        moment_of(told.timestamp),
    )
    return Delivery(((told.location_id, event),))


def _of_whom(told: _Event, kind: EventKind) -> str | None:
    """The contact that an event is about: its own id is the contact's, the task's or the note's."""
    if kind is not EventKind.ACTIVITY:
        return told.id
    return (told.appointment.contact_id if told.appointment else told.contact_id) or None


def event_of_workflow(body: bytes, event_id: str) -> Delivery:
    """What a workflow's webhook action says: a contact's id and its location's. It has no id and no signature.

    The location is "" where the request told none.
    """
    try:
        told = _from_workflow.decode(body)
    except msgspec.MsgspecError:
        return Delivery(malformed=1)
    if not told.contact_id:
        return Delivery(malformed=1)
    event = WebhookEvent(SystemName.GHL, event_id, told.contact_id, EventKind.CHANGED, None, verified=False)
    return Delivery((((told.location and told.location.id) or "", event),))
