"""What somebody may enter into a contact over the control API: the fields by name and type, nothing else."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from sync_daemon.sandbox.ghl.contact import TEXT_FIELDS
from sync_daemon.sandbox.ghl.dnd import Channel, Status


class Setting(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One channel's DND."""

    status: Status
    message: str = ""
    code: str = ""


class CustomValue(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One custom field's value, by its id or key."""

    id: str = ""
    key: str = ""
    field_value: Any = None


_FIELDS: list[tuple[str, Any, Any]] = [
    *((name, str | None | UnsetType, UNSET) for name in (*TEXT_FIELDS, "name", "email", "phone", "dateOfBirth")),
    ("tags", list[str] | UnsetType, UNSET),
    ("dnd", bool | UnsetType, UNSET),
    ("dndSettings", dict[Channel, Setting] | UnsetType, UNSET),
    ("inboundDndSettings", dict[Literal["all"], Setting] | UnsetType, UNSET),
    ("customFields", list[CustomValue] | UnsetType, UNSET),
    ("custom", dict[str, Any] | UnsetType, UNSET),
]
Edited = msgspec.defstruct("Edited", _FIELDS, forbid_unknown_fields=True)
"""What changes of a contact; null clears a text. An address or a number may be nonsense: the app takes any."""
Added = msgspec.defstruct(
    "Added",
    [
        *_FIELDS,
        ("at", Annotated[datetime, Meta(tz=True)] | UnsetType, UNSET),
        ("location_id", str | UnsetType, UNSET),
    ],
    forbid_unknown_fields=True,
)
"""A new contact; with `at` (RFC 3339) it has been there since then."""


def entered(raw: bytes, form: type[msgspec.Struct]) -> dict[str, Any]:
    """Read a body as what the world's methods take. Raises msgspec.MsgspecError for another name or type."""
    named: dict[str, Any] = msgspec.to_builtins(msgspec.json.decode(raw or b"{}", type=form), builtin_types=(datetime,))
    return named
