"""What GHL's webhooks say of a contact: the app's events, and a workflow's webhook (facts: GHL §8.2, §8.5)."""

from collections.abc import Iterator
from typing import Any

from sync_daemon.sandbox.ghl import contact_documents
from sync_daemon.sandbox.ghl.contact import Contact
from sync_daemon.sandbox.ghl.contact_documents import Style
from sync_daemon.sandbox.ghl.location import Location
from sync_daemon.sandbox.ghl.moments import iso
from sync_daemon.sandbox.ghl.quirks import GhlQuirks

_TOLD = (
    "locationId",
    "id",
    "name",
    "firstName",
    "lastName",
    "email",
    "phone",
    "address1",
    "city",
    "state",
    "postalCode",
    "country",
    "companyName",
    "website",
    "source",
    "dateAdded",
    "dateOfBirth",
    "dnd",
    "tags",
    "assignedTo",
    "customFields",
)
_UPDATING = ("timezone", *(name for name in _TOLD if name not in ("dnd", "tags", "dateAdded")))
"""What raises ContactUpdate: a change of what it tells, and of the time zone (issue 77)."""


def event_types(before: Contact | None, after: Contact | None, style: Style) -> Iterator[str]:
    """Tell which events a change raises; None before is a creation, None after a deletion."""
    if before is None or after is None:
        yield "ContactCreate" if before is None else "ContactDelete"
        return
    quirks = style.quirks
    old, new = contact_documents.by_id(before, style), contact_documents.by_id(after, style)
    retagged = set(before.tags) != set(after.tags)
    disturbed = (before.dnd, before.dnd_settings) != (after.dnd, after.dnd_settings)
    disturbed |= quirks.webhook_inbound_dnd and before.inbound_dnd != after.inbound_dnd
    if any(old.get(name) != new.get(name) for name in _UPDATING) or (
        quirks.webhook_update_always and (retagged or disturbed)
    ):
        yield "ContactUpdate"
    if retagged:
        yield "ContactTagUpdate"
    if disturbed:
        yield "ContactDndUpdate"


def event_payload(kind: str, contact: Contact, style: Style) -> dict[str, Any]:
    """Write an event without what every delivery adds; attachments are never filled (issue 324)."""
    shown = contact_documents.by_id(contact, style)
    payload: dict[str, Any] = {
        "type": kind,
        **{name: shown[name] for name in _TOLD if name in shown},
        "attachments": [],
    }
    if kind == "ContactDndUpdate":
        payload["dndSettings"] = shown.get("dndSettings", {})
        if style.quirks.webhook_inbound_dnd:
            payload["inboundDndSettings"] = shown.get("inboundDndSettings", {})
    return payload


def workflow_payload(
    contact: Contact, location: Location, workflow: dict[str, str], custom: dict[str, str], quirks: GhlQuirks
) -> dict[str, Any]:
    """Write what a workflow's webhook action posts; `custom` are the keys that its author added (captured)."""
    first, last = contact.fields.get("firstName"), contact.fields.get("lastName")
    payload: dict[str, Any] = {
        "contact_id": contact.id,
        "first_name": first,
        "last_name": last,
        "full_name": contact.name or None,
        "email": contact.email,
        "phone": contact.phone,
        "tags": ",".join(contact.tags),
        "country": contact.fields.get("country"),
        "date_created": iso(contact.date_added),
        "contact_type": contact.type,
        "location": {"id": location.id, "name": location.name, "country": location.country},
        "workflow": workflow,
        "triggerData": {},
        "customData": custom,
        "contact": {"attributionSource": {}, "lastAttributionSource": {}},
    }
    shown = {name: value for name, value in payload.items() if value is not None}
    return {**_by_name(contact, location), **shown} if quirks.workflow_webhook_custom_fields else shown


def _by_name(contact: Contact, location: Location) -> dict[str, Any]:
    fields = location.custom_fields
    return {fields[one].name: value for one, value in contact.custom.items() if one in fields}
