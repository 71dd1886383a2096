"""How the API writes contacts, lists, fields and campaigns as JSON."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sync_daemon.sandbox.emailoctopus.model import Campaign, Contact, Field, FieldValue
from sync_daemon.sandbox.emailoctopus.quirks import Quirks
from sync_daemon.sandbox.emailoctopus.state import MailingList, State

_STATUSES = ("pending", "subscribed", "unsubscribed")


@lru_cache(maxsize=65_536)
def iso(seconds: int) -> str:
    """Write a time as `2015-12-01T12:59:37+00:00`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def contact_json(contact: Contact, mailing_list: MailingList, quirks: Quirks) -> dict[str, Any]:
    """Write a contact; only fields that the list has are shown."""
    fields = {
        tag: _value_json(field, contact.fields[tag], quirks) if tag in contact.fields else None
        for tag, field in mailing_list.fields.items()
        if tag in contact.fields or quirks.unset_fields == "null"
    }
    return {
        "id": contact.id,
        "email_address": contact.email_address,
        "fields": fields if fields or quirks.empty_fields == "object" else [],
        "tags": list(contact.tags),
        "status": contact.status,
        "created_at": iso(contact.created_at),
        "last_updated_at": iso(contact.last_updated_at),
    }


def _value_json(field: Field, value: FieldValue, quirks: Quirks) -> FieldValue:
    if field.type == "number" and quirks.number_form == "string":
        return str(value)
    if field.type == "date" and quirks.date_form == "datetime" and len(str(value)) == len("2015-12-01"):
        return f"{value}T00:00:00+00:00"
    return value


def list_json(mailing_list: MailingList, state: State) -> dict[str, Any]:
    """Write a list with its schema and its counts."""
    quirks = state.quirks
    counts = _counts(mailing_list, state)
    fields = [field_json(field) for field in mailing_list.fields.values()]
    if quirks.email_field_listed:
        address = Field("Email address", "EmailAddress", "text")
        fields.insert(0, field_json(address))
    return {
        "id": mailing_list.id,
        "name": mailing_list.name,
        "double_opt_in": mailing_list.double_opt_in,
        "fields": fields,
        "tags": list(mailing_list.tags)[: quirks.list_tags_shown],
        "counts": [counts] if quirks.counts_shape == "array" else counts,
        "created_at": iso(mailing_list.created_at),
        "last_updated_at": iso(mailing_list.last_updated_at),
    }


def _counts(mailing_list: MailingList, state: State) -> dict[str, int]:
    counts = {status: mailing_list.contacts.count(status) for status in _STATUSES}
    if not state.weather.short_total:
        return counts
    return {status: shown(count, state.weather.short_listing) for status, count in counts.items()}


def shown(count: int, short_listing: float) -> int:
    """Tell how many of so many rows a listing shows when it ends early."""
    return count - round(count * short_listing)


def field_json(field: Field) -> dict[str, Any]:
    """Write a field's definition; choices only where there can be some."""
    written: dict[str, Any] = {"label": field.label, "tag": field.tag, "type": field.type}
    if field.type.startswith("choice"):
        written["choices"] = field.choices
    written["fallback"] = field.fallback
    return written


def campaign_json(campaign: Campaign) -> dict[str, Any]:
    """Write a campaign; one that wasn't sent has no `sent_at`."""
    written: dict[str, Any] = {
        "id": campaign.id,
        "status": campaign.status,
        "name": campaign.name,
        "subject": campaign.subject,
        "to": campaign.list_ids,
        "from": {"name": campaign.from_name, "email_address": campaign.from_email_address},
        "content": {"html": campaign.html},
        "created_at": iso(campaign.created_at),
    }
    if campaign.sent_at is not None:
        written["sent_at"] = iso(campaign.sent_at)
    return written
