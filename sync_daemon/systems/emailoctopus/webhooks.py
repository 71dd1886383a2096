"""EmailOctopus's webhooks: its signature, and its arrays of up to 1,000 events (facts, section 15)."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

import msgspec

from sync_daemon.model.engagement import OF_MAIL, Occasion
from sync_daemon.model.engagement import told as occasion
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
_ENGAGEMENT = {f"contact.{kind}": kind for kind in OF_MAIL}


class _Event(msgspec.Struct):
    type: str
    id: str | None = None
    list_id: str | None = None
    contact_id: str | None = None
    occurred_at: Any = None
    contact_status: Any = None
    campaign_id: Any = None


@dataclass(frozen=True, slots=True)
class _Told:
    """What one event is: a hint at its contact, an occasion for rules, or both."""

    list_id: str
    hint: WebhookEvent | None
    occasion: Occasion | None


_batch = msgspec.json.Decoder(list[msgspec.Raw])
_event = msgspec.json.Decoder(_Event)


def is_signed(body: bytes, signature: str | None, secret: str) -> bool:
    """Whether a header of `EmailOctopus-Signature` is `sha256=` and the HMAC of these very bytes; no secret: never."""
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return bool(secret) and hmac.compare_digest(expected.encode(), (signature or "").encode())


def events_of(body: bytes) -> Delivery:
    """The events of a verified request; one that can't be read is counted and fails no other.

    What is opened and clicked is of use to rules alone; an opt-out is a hint, too.
    """
    try:
        rows = _batch.decode(body)
    except msgspec.MsgspecError:
        return Delivery(malformed=1)
    told = [_read(bytes(row)) for row in rows]
    read = [one for one in told if isinstance(one, _Told)]
    return Delivery(
        tuple((one.list_id, one.hint) for one in read if one.hint is not None),
        told.count("ignored"),
        told.count("malformed"),
        tuple((one.list_id, one.occasion) for one in read if one.occasion is not None),
    )


def _read(row: bytes) -> _Told | str:
    """An event with its list, or why there is none. One without an id of its own is known again by its bytes."""
    try:
        told = _event.decode(row)
    except msgspec.MsgspecError:
        return "malformed"
    kind, engagement = _KINDS.get(told.type), _ENGAGEMENT.get(told.type)
    if kind is None and engagement is None:
        return "ignored"
    if not told.contact_id or not told.list_id:
        return "malformed"
    if str(told.contact_status).upper() == "UNSUBSCRIBED" and kind is EventKind.CHANGED:
        kind = EventKind.REVOKED
    event_id, at = told.id or hashlib.sha256(row).hexdigest(), moment_of(told.occurred_at)
    campaign = told.campaign_id if isinstance(told.campaign_id, str) else ""
    return _Told(
        told.list_id,
        WebhookEvent(SystemName.EMAILOCTOPUS, event_id, told.contact_id, kind, at) if kind is not None else None,
        occasion(engagement, told.contact_id, campaign, at, event_id) if engagement is not None else None,
    )
