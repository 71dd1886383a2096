"""The fields GHL's search can filter by, the operators each takes, and where their values stand (facts: GHL §4.1)."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from sync_daemon.sandbox.ghl import custom_fields
from sync_daemon.sandbox.ghl.contact import Contact
from sync_daemon.sandbox.ghl.custom_fields import CustomField
from sync_daemon.sandbox.ghl.normalise import looks_like_email

Kind = Literal["text", "instant", "day", "number"]
Values = tuple[Any, ...]

_EXISTS = frozenset({"exists", "not_exists"})
_EQUAL = frozenset({"eq", "not_eq"})
_CONTAINS = frozenset({"contains", "not_contains"})
_RANGE = frozenset({"range"})
OPERATORS = _EXISTS | _EQUAL | _CONTAINS | _RANGE


class Field(NamedTuple):
    """A filterable field: `values` gives what a contact has there, an empty tuple when it has nothing."""

    name: str
    operators: frozenset[str]
    values: Callable[[Contact], Values]
    kind: Kind = "text"


def _one(value: Any) -> Values:
    return () if value is None or value == "" else (value,)


def _standard(name: str) -> Callable[[Contact], Values]:
    return lambda contact: _one(contact.fields.get(name))


def _status(channel: str) -> Callable[[Contact], Values]:
    return lambda contact: _one(contact.dnd_settings.get(channel, {}).get("status"))


def _nothing(_contact: Contact) -> Values:
    return ()


_EXACT = _EQUAL | _EXISTS
_TEXT = _EXACT | _CONTAINS
_DATE = _RANGE | _EXISTS

_VALUES: dict[frozenset[str], dict[str, Callable[[Contact], Values]]] = {
    _EQUAL: {
        "id": lambda contact: (contact.id,),
        "dndSettings.Email.status": _status("Email"),
        "dndSettings.SMS.status": _status("SMS"),
        "dndSettings.Call.status": _status("Call"),
        "inboundDndSettings.all.status": lambda c: _one(c.inbound_dnd.get("all", {}).get("status")),
    },
    _EXACT: {
        "contactName": lambda contact: _one(contact.name),
        "email": lambda contact: _one(contact.email),
        "website": _standard("website"),
        "assignedTo": _standard("assignedTo"),
        "country": _standard("country"),
        "timezone": _standard("timezone"),
        "type": lambda contact: (contact.type,),
        "dnd": lambda contact: (contact.dnd,),
        "followers": lambda contact: contact.followers,
        "isValidWhatsapp": _nothing,
        "validEmail": lambda contact: (looks_like_email(contact.email),) if contact.email else (),
        "activeWorkflows": lambda contact: contact.workflows,
        "finishedWorkflows": _nothing,
        "opportunities.pipelineId": _nothing,  # the sandbox keeps no opportunities
        "opportunities.pipelineStageId": _nothing,
        "opportunities.status": _nothing,
    },
    _TEXT: {
        "phone": lambda contact: _one(contact.phone),
        "firstNameLowerCase": _standard("firstName"),
        "lastNameLowerCase": _standard("lastName"),
        "companyName": _standard("companyName"),
        "businessName": _standard("businessName"),
        "address": _standard("address1"),
        "city": _standard("city"),
        "state": _standard("state"),
        "postalCode": _standard("postalCode"),
        "source": _standard("source"),
        "tags": lambda contact: contact.tags,
    },
}
_DATES: dict[str, Callable[[Contact], Values]] = {
    "dateAdded": lambda contact: (contact.date_added,),
    "dateUpdated": lambda contact: (contact.date_updated,),
    "dateOfBirth": _standard("dateOfBirth"),
    "lastEmailClickedDate": _nothing,
    "lastEmailOpenedDate": _nothing,
    "lastAppointment": _nothing,
}
_FIELDS: dict[str, Field] = {
    **{name: Field(name, operators, values) for operators, group in _VALUES.items() for name, values in group.items()},
    **{
        name: Field(name, _DATE, values, "day" if name == "dateOfBirth" else "instant")
        for name, values in _DATES.items()
    },
}


def find_field(name: object, definitions: Mapping[str, CustomField]) -> Field | None:
    """Find a filterable field; custom fields go by id (`customFields.{id}`), never by key or name (issue 42)."""
    if not isinstance(name, str):
        return None
    if name.startswith("customFields."):
        field_id, _, option = name.removeprefix("customFields.").partition(".")
        definition = definitions.get(field_id)
        return _custom(name, definition, option) if definition is not None else None
    return _FIELDS.get(name)


def _custom(name: str, definition: CustomField, option: str) -> Field | None:
    if (definition.data_type == "TEXTBOX_LIST") != bool(option):
        return None

    def values(contact: Contact) -> Values:
        value = contact.custom.get(definition.id)
        if option:
            value = value.get(option) if value else None
        return tuple(value) if isinstance(value, list) else _one(value)

    if definition.data_type == "DATE":
        return Field(name, _DATE, values, "day")
    if definition.data_type in custom_fields.NUMBERS:
        return Field(name, _RANGE | _EXACT, values, "number")
    if definition.data_type in custom_fields.MULTIPLE:
        return Field(name, _EXACT, values)
    return Field(name, _TEXT, values)
