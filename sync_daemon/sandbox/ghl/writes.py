"""What a written body does to a contact: pure, one version in, the next one out (facts: GHL §3)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from sync_daemon.sandbox.ghl import dnd, normalise
from sync_daemon.sandbox.ghl.contact import TEXT_FIELDS, Contact
from sync_daemon.sandbox.ghl.custom_fields import DROPPED, stored_value
from sync_daemon.sandbox.ghl.location import Location
from sync_daemon.sandbox.ghl.quirks import GhlQuirks

_LEFT: Final = object()  # the write leaves the stored value alone
_TEXT = frozenset(TEXT_FIELDS)


def written(contact: Contact, body: Mapping[str, Any], location: Location, quirks: GhlQuirks) -> Contact:
    """Apply a validated body: absent keys stay, `tags` replaces, custom fields and DND channels merge.

    The dates of the contact don't move here. Raises nothing: what GHL can't use is passed over.
    """
    changes: dict[str, Any] = {}
    fields = _fields(contact.fields, body, quirks)
    if fields is not contact.fields:
        changes["fields"] = fields
    changes |= _addresses(contact, body, fields, location, quirks)
    if body.get("tags") is not None:
        changes["tags"] = normalise.tags(body["tags"])
    if body.get("customFields"):
        changes["custom"] = _custom(contact.custom, body["customFields"], location, quirks)
    changes |= _disturbance(contact, body, quirks)
    return replace(contact, **changes) if changes else contact


def phone_region(fields: Mapping[str, Any], location: Location, quirks: GhlQuirks) -> str:
    """Tell the country in which a number without +CC is read."""
    country = fields.get("country") if quirks.phone_region == "contact" else None
    return str(country or location.country)


def _meant(value: Any, quirks: GhlQuirks) -> Any:
    if value is None:
        return None if quirks.null_clears else _LEFT
    if value == "":
        return None if quirks.empty_text == "clears" else _LEFT
    return value


def _fields(stored: Mapping[str, Any], body: Mapping[str, Any], quirks: GhlQuirks) -> Mapping[str, Any]:
    wanted = {name: _meant(value, quirks) for name, value in body.items() if name in _TEXT}
    if "name" in body:
        wanted = _split(_meant(body["name"], quirks)) | wanted
    if "dateOfBirth" in body and not quirks.date_of_birth_dropped:
        wanted["dateOfBirth"] = _kept(body["dateOfBirth"], quirks, normalise.birth_date)
    if not wanted:
        return stored
    together = {**stored, **{name: value for name, value in wanted.items() if value is not _LEFT}}
    return {name: value for name, value in together.items() if value is not None}


def _split(name: Any) -> dict[str, Any]:
    if name is _LEFT:
        return {}
    first, last = normalise.split_name(name or "")
    return {"firstName": first or None, "lastName": last or None}


def _kept(value: Any, quirks: GhlQuirks, convert: Callable[[str], Any]) -> Any:
    meant = _meant(value, quirks)
    return meant if meant is None or meant is _LEFT else convert(str(meant))


def _addresses(
    contact: Contact,
    body: Mapping[str, Any],
    fields: Mapping[str, Any],
    location: Location,
    quirks: GhlQuirks,
) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if "email" in body:
        email = _kept(body["email"], quirks, str.lower if quirks.email_case == "lower" else str)
        if email is not _LEFT:
            changes["email"] = email
            # An additional address that becomes the primary one pushes the old one out (issue 337).
            changes["additional_emails"] = tuple(
                other for other in contact.additional_emails if email is None or other != email.lower()
            )
    if "phone" in body:
        region = phone_region(fields, location, quirks)
        phone = _kept(body["phone"], quirks, lambda number: normalise.e164(number, region) or number)
        if phone is not _LEFT:
            changes["phone"] = phone
    return changes


def _custom(
    stored: Mapping[str, Any], entries: list[dict[str, Any]], location: Location, quirks: GhlQuirks
) -> Mapping[str, Any]:
    custom = dict(stored)
    for entry in entries:
        reference = entry.get("id") or entry.get("key") or ""
        definition = location.find_field(reference, long_keys=quirks.long_custom_keys)
        if definition is None:
            continue  # an unknown field is dropped without a word (observed)
        sent = entry_value(entry)
        meant = _LEFT if sent is None and not quirks.custom_null_clears else _meant(sent, quirks)
        if meant is None:
            custom.pop(definition.id, None)
        elif meant is not _LEFT:
            value = stored_value(definition, meant, quirks)
            if value is not DROPPED:
                custom[definition.id] = value
    return custom


def entry_value(entry: Mapping[str, Any]) -> Any:
    """Give the value of a customFields entry, under whichever of its three names it came."""
    for key in ("fieldValue", "field_value", "value"):
        if key in entry:
            return entry[key]
    return None


def _disturbance(contact: Contact, body: Mapping[str, Any], quirks: GhlQuirks) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    settings = contact.dnd_settings
    if body.get("dnd") is not None:
        changes["dnd"] = body["dnd"]
        if not body["dnd"] and quirks.dnd_false_clears_channels:
            settings = dnd.all_inactive(settings)
    if body.get("dndSettings"):
        clearable = quirks.permanent_email_clearable
        settings = dnd.merged(settings, body["dndSettings"], permanent_email_clearable=clearable)
    if settings is not contact.dnd_settings:
        changes["dnd_settings"] = settings
    if body.get("inboundDndSettings"):
        changes["inbound_dnd"] = {**contact.inbound_dnd, **body["inboundDndSettings"]}
    return changes
