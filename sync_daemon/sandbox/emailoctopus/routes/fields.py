"""/lists/{list_id}/fields: definitions are made, replaced and deleted here, and read in the list (facts: §9)."""

import re
from typing import Any

from starlette.responses import Response

from sync_daemon.sandbox.emailoctopus.account import BUILT_IN_FIELDS
from sync_daemon.sandbox.emailoctopus.calls import Call, json_response, no_content
from sync_daemon.sandbox.emailoctopus.errors import ProblemError, unprocessable
from sync_daemon.sandbox.emailoctopus.model import Field, FieldType
from sync_daemon.sandbox.emailoctopus.patches import required_text
from sync_daemon.sandbox.emailoctopus.rendering import field_json
from sync_daemon.sandbox.emailoctopus.state import MailingList
from sync_daemon.sandbox.emailoctopus.values import wrong_type
from sync_daemon.sandbox.emailoctopus.writes import conflict

_TAG = re.compile(r"[A-Za-z0-9_]+")
_TYPES: dict[str, FieldType] = {
    "text": "text",
    "number": "number",
    "date": "date",
    "choice_single": "choice_single",
    "choice_multiple": "choice_multiple",
}


def create_field(call: Call) -> Response:
    """POST a field; 409 when its tag is taken."""
    mailing_list = call.mailing_list()
    field = _read(call.body)
    field.choices = _choices(call.body, field.type)
    if field.tag in mailing_list.fields:
        raise conflict(call.world)
    _demand_room(call, mailing_list)
    call.world.add_field(mailing_list.id, field)
    return json_response(field_json(field), 201)


def update_field(call: Call) -> Response:
    """PUT a field: label, tag and type are all required; the type can't change, nor can choices."""
    mailing_list = call.mailing_list()
    field = _named(call, mailing_list)
    fresh = _read(call.body)
    if fresh.type != field.type:
        raise unprocessable("/type", "The type of a field can not be changed.")
    if fresh.tag != field.tag and fresh.tag in mailing_list.fields:
        raise conflict(call.world)
    call.world.rename_field(mailing_list.id, field.tag, fresh.tag)
    field.label, field.fallback = fresh.label, fresh.fallback
    return json_response(field_json(field))


def delete_field(call: Call) -> Response:
    """DELETE a field and, unless a switch keeps them, its values."""
    mailing_list = call.mailing_list()
    call.world.delete_field(mailing_list.id, _named(call, mailing_list).tag)
    return no_content()


def _named(call: Call, mailing_list: MailingList) -> Field:
    field = mailing_list.fields.get(call.path["tag"])
    if field is None:
        raise ProblemError(404)
    return field


def _demand_room(call: Call, mailing_list: MailingList) -> None:
    limit = call.world.quirks.field_limit
    custom = sum(tag not in BUILT_IN_FIELDS for tag in mailing_list.fields)
    if limit is not None and custom >= limit:
        raise call.world.out_of_limits("The list's number of fields would be exceeded.")


def _read(body: dict[str, Any]) -> Field:
    label, tag = required_text(body, "label"), required_text(body, "tag")
    if _TAG.fullmatch(tag) is None:
        raise unprocessable("/tag", "This value should contain only letters, digits and underscores.")
    kind = _TYPES.get(required_text(body, "type"))
    if kind is None:
        raise unprocessable("/type", "The value you selected is not a valid choice.")
    return Field(label, tag, kind, fallback=_fallback(body.get("fallback")))


def _fallback(value: Any) -> str | None:
    if value == "":  # observed: an empty one is refused
        raise unprocessable("/fallback", "This value should not be blank.")
    if value is not None and not isinstance(value, str):
        raise unprocessable("/fallback", str(wrong_type("string", value)))
    fallback: str | None = value
    return fallback


def _choices(body: dict[str, Any], kind: FieldType) -> list[str]:
    if not kind.startswith("choice"):
        return []
    choices = body.get("choices")
    if not isinstance(choices, list) or not all(isinstance(choice, str) for choice in choices):
        raise unprocessable("/choices", str(wrong_type("array", choices)))
    if not choices:
        raise unprocessable("/choices", "This value should not be blank.")
    return choices
