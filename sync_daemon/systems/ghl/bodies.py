"""What is written to GHL, as JSON bodies (contacts.json CreateContactDto, UpdateContactDto; v3 where it differs).

A body holds what must change and nothing else: never tags for a contact that exists, never a location there.
"""

from collections.abc import Mapping
from typing import Any

from sync_daemon.model.contact import Consent, Value
from sync_daemon.model.plan import Action, Operation
from sync_daemon.systems.ghl import consent, values
from sync_daemon.systems.ghl.fields import Columns, is_custom
from sync_daemon.systems.ghl.settings import Version

NO_BLANKS: Mapping[str, str | None] = {}
"""Null clears every field."""
_CUSTOM_VALUE = {"2021-07-28": "field_value", "v3": "fieldValue"}


def creation(operation: Operation, columns: Columns, location_id: str, version: Version) -> dict[str, Any]:
    """The body of POST /contacts/; blank fields are left out, `source` too unless it is mapped."""
    filled = {name: value for name, value in operation.fields.items() if value is not None}
    body = {"locationId": location_id, "email": operation.address, **_fields(filled, columns, version)}
    if operation.tags:
        body["tags"] = list(operation.tags)
    if operation.consent is Consent.REVOKED:
        body |= consent.blocked(version)
    return body


def changes(
    operation: Operation, columns: Columns, version: Version, blanks: Mapping[str, str | None] = NO_BLANKS
) -> dict[str, Any]:
    """The body of PUT /contacts/{id} for an update, or for one step of the e-mail channel.

    `blanks` tells what clears a field by its name: null, or "" where null was seen not to.
    """
    if operation.action is Action.SET_DND:
        return consent.blocked(version)
    if operation.action is Action.LIFT_DND:
        return consent.freed(version)
    address = {} if operation.address is None else {"email": operation.address}
    return address | _fields(operation.fields, columns, version, blanks)


def names_of(columns: Columns) -> dict[str, str]:
    """Configuration names by what a body calls the field: a standard key, or a custom field's id."""
    return {"email": "address", **{spec.wire: name for name, spec in columns.items()}}


def _fields(
    fields: Mapping[str, Value], columns: Columns, version: Version, blanks: Mapping[str, str | None] = NO_BLANKS
) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name, value in fields.items():
        spec = columns[name]
        content = values.written(blanks.get(name) if value is None else value, spec.type)
        if is_custom(spec):
            body.setdefault("customFields", []).append({"id": spec.wire, _CUSTOM_VALUE[version]: content})
        else:
            body[spec.wire] = content
    return body
