"""EmailOctopus's webhooks: its signature, and its arrays of up to 1,000 events (facts, section 15)."""

import hashlib
import hmac
from typing import Any

import msgspec

from sync_daemon.model.system import SystemName
from sync_daemon.model.webhook import Delivery, EventKind, WebhookEvent
from sync_daemon.systems.event_times import moment_of

SIGNATURE_HEADER = "emailoctopus-signature"

_KINDS = {
    "contact.created": EventKind.CHANGED,
    "contact.updated": EventKind.CHANGED,
    "contact.unsubscribed": EventKind.REVOKED,
    "contact.bounced": EventKind.REVOKED,
    "contact.complained": EventKind.REVOKED,
    "contact.deleted": EventKind.DELETED,
}


class _Event(msgspec.Struct):
    type: str
    id: str | None = None
    list_id: str | None = None
    contact_id: str | None = None
    occurred_at: Any = None
    contact_status: Any = None


_batch = msgspec.json.Decoder(list[msgspec.Raw])
_event = msgspec.json.Decoder(_Event)


def is_signed(body: bytes, signature: str | None, secret: str) -> bool:
    """Whether a header of `EmailOctopus-Signature` is `sha256=` and the HMAC of these very bytes; no secret: never."""
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return bool(secret) and hmac.compare_digest(expected.encode(), (signature or "").encode())


def events_of(body: bytes) -> Delivery:
    """The events of a verified request; one that can't be read is counted and fails no other.

    What is opened and clicked is ignored.
    """
    try:
        rows = _batch.decode(body)
    except msgspec.MsgspecError:
        return Delivery(malformed=1)
    told = [_read(bytes(row)) for row in rows]
    return Delivery(
        tuple(one for one in told if isinstance(one, tuple)), told.count("ignored"), told.count("malformed")
    )


def _read(row: bytes) -> tuple[str, WebhookEvent] | str:
    """An event with its list, or why there is none. One without an id of its own is known again by its bytes."""
    try:
        told = _event.decode(row)
    except msgspec.MsgspecError:
        return "malformed"
    kind = _KINDS.get(told.type)
    if kind is None:
        return "ignored"
    if not told.contact_id or not told.list_id:
        return "malformed"
    if str(told.contact_status).upper() == "UNSUBSCRIBED" and kind is EventKind.CHANGED:
        kind = EventKind.REVOKED
    event_id = told.id or hashlib.sha256(row).hexdigest()
    event = WebhookEvent(SystemName.EMAILOCTOPUS, event_id, told.contact_id, kind, moment_of(told.occurred_at))
    return told.list_id, event
