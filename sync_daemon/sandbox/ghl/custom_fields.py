"""Custom field definitions of a location, and what becomes of the values written to them (facts: GHL §3.2, §6.4)."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, Final

from sync_daemon.sandbox.ghl.moments import from_ms, iso, parse_instant, to_ms
from sync_daemon.sandbox.ghl.quirks import GhlQuirks

DATA_TYPES = frozenset(
    [
        "TEXT",
        "LARGE_TEXT",
        "NUMERICAL",
        "PHONE",
        "MONETORY",
        "CHECKBOX",
        "SINGLE_OPTIONS",
        "MULTIPLE_OPTIONS",
        "DATE",
        "TEXTBOX_LIST",
        "FILE_UPLOAD",
        "RADIO",
        "EMAIL",
        "FLOAT",
        "TIME",
        "SIGNATURE",
    ]
)
NUMBERS = frozenset({"NUMERICAL", "MONETORY", "FLOAT"})
CHOICES = frozenset({"SINGLE_OPTIONS", "RADIO"})
MULTIPLE = frozenset({"CHECKBOX", "MULTIPLE_OPTIONS"})
MAPS = frozenset({"TEXTBOX_LIST", "FILE_UPLOAD"})
TEXT_LIMIT = 256  # characters of a TEXT value; what is longer is cut without a word (observed)

DROPPED: Final = object()
"""What `stored_value` gives for a value that GHL passes over without an error."""


@dataclass(slots=True, kw_only=True)
class CustomField:
    """One definition. `text_boxes` are the parts of a TEXTBOX_LIST: [{id, label, prefillValue}]."""

    id: str
    location_id: str
    name: str
    field_key: str
    data_type: str
    model: str = "contact"
    placeholder: str = ""
    position: float = 0
    options: list[str] = field(default_factory=list)
    text_boxes: list[dict[str, str]] = field(default_factory=list)
    multiple_files: bool = False
    max_files: int = 1

    def document(self) -> dict[str, Any]:
        """The definition as the API tells it."""
        shown = {
            "id": self.id,
            "name": self.name,
            "fieldKey": self.field_key,
            "placeholder": self.placeholder,
            "dataType": self.data_type,
            "position": self.position,
            "locationId": self.location_id,
            "model": self.model,
            "isAllowedCustomOption": False,
        }
        if self.data_type in CHOICES | MULTIPLE:
            shown |= {"picklistOptions": list(self.options), "picklistImageOptions": []}
        if self.data_type == "TEXTBOX_LIST":
            shown["textBoxListOptions"] = [dict(box) for box in self.text_boxes]
        if self.data_type == "FILE_UPLOAD":
            shown |= {"isMultiFileAllowed": self.multiple_files, "maxFileLimit": self.max_files}
        return shown


def field_key(model: str, name: str) -> str:
    """Derive a fieldKey from a name: `Favourite colour` becomes `contact.favourite_colour`."""
    return f"{model}.{re.sub(r'[^a-z0-9]+', '_', name.lower()).strip('_')}"


def stored_value(definition: CustomField, value: Any, quirks: GhlQuirks) -> Any:
    """Turn a written value into the one that is kept, or DROPPED when GHL would pass over it."""
    if definition.data_type in CHOICES | MULTIPLE:
        return _chosen(definition, value, quirks)
    return _CONVERSIONS.get(definition.data_type, _text)(value)


def shown_value(definition: CustomField, value: Any, quirks: GhlQuirks) -> Any:
    """Turn a kept value into what a read gives; only dates have more than one form."""
    if definition.data_type != "DATE" or quirks.date_field_form == "date":
        return value
    midnight = to_ms(datetime.combine(date.fromisoformat(value), time.min, UTC))
    return midnight if quirks.date_field_form == "epoch_ms" else iso(midnight)


def _text(value: Any) -> Any:
    return DROPPED if isinstance(value, (list, dict)) else str(value)


def _short_text(value: Any) -> Any:
    text = _text(value)
    return text if text is DROPPED else text[:TEXT_LIMIT]


def _number(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        return DROPPED
    if not math.isfinite(number):
        return DROPPED
    return int(number) if number.is_integer() else number


def _date(value: Any) -> Any:
    try:
        at = from_ms(value) if isinstance(value, int) else parse_instant(str(value), UTC)
    except (ValueError, OverflowError):
        return DROPPED
    return at.astimezone(UTC).date().isoformat()


def _map(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else DROPPED


def _chosen(definition: CustomField, value: Any, quirks: GhlQuirks) -> Any:
    values = [str(one) for one in value] if isinstance(value, list) else [str(value)]
    if quirks.unknown_option == "dropped":
        values = [one for one in values if one in definition.options]
    if definition.data_type in MULTIPLE:
        return values if values or value == [] else DROPPED
    return values[0] if len(values) == 1 else DROPPED


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "TEXT": _short_text,
    **dict.fromkeys(NUMBERS, _number),
    "DATE": _date,
    **dict.fromkeys(MAPS, _map),
}
