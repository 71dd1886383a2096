"""Conversions between the two systems' field types: one table, exact, lossy or refused.

GHL types are the `dataType` words of locations.json, plus `STANDARD` and `COUNTRY` for its standard
fields; EmailOctopus types are those of its OpenAPI (`text`, `number`, `date`, `choice_single`,
`choice_multiple`). Values on both sides are `Value`s as the systems' mapping rooms give them.
"""

import re
from collections.abc import Callable
from datetime import date
from enum import StrEnum

import phonenumbers

from sync_daemon.model.contact import Value


class Fidelity(StrEnum):
    """What survives a round trip between two types."""

    EXACT = "exact"
    LOSSY = "lossy"
    REFUSED = "refused"


class NotConvertible(ValueError):
    """The value has no form in the other type; the text names the types, never the value."""


_TEXTUAL = ("STANDARD", "TEXT", "LARGE_TEXT")
_CHOICE = ("SINGLE_OPTIONS", "RADIO")
_MULTIPLE = ("MULTIPLE_OPTIONS", "CHECKBOX")
_NUMERIC = ("NUMERICAL", "MONETORY", "FLOAT")
_EXACT, _LOSSY, _REFUSED = Fidelity.EXACT, Fidelity.LOSSY, Fidelity.REFUSED

_COLUMNS = ("text", "number", "date", "choice_single", "choice_multiple")
_ROWS: dict[tuple[str, ...], tuple[Fidelity, ...]] = {
    #                 text    number    date      choice_single  choice_multiple
    _TEXTUAL: (_EXACT, _LOSSY, _LOSSY, _LOSSY, _REFUSED),
    ("PHONE", "EMAIL", "COUNTRY"): (_EXACT, _REFUSED, _REFUSED, _REFUSED, _REFUSED),
    ("TIME",): (_EXACT, _REFUSED, _REFUSED, _REFUSED, _REFUSED),
    _CHOICE: (_EXACT, _REFUSED, _REFUSED, _EXACT, _LOSSY),
    _MULTIPLE: (_LOSSY, _REFUSED, _REFUSED, _LOSSY, _EXACT),
    _NUMERIC: (_LOSSY, _LOSSY, _REFUSED, _REFUSED, _REFUSED),
    ("DATE",): (_LOSSY, _REFUSED, _EXACT, _REFUSED, _REFUSED),
    ("TEXTBOX_LIST", "FILE_UPLOAD", "SIGNATURE"): (_REFUSED,) * 5,
}
TABLE: dict[tuple[str, str], Fidelity] = {
    (ghl, emailoctopus): fidelity
    for types, row in _ROWS.items()
    for ghl in types
    for emailoctopus, fidelity in zip(_COLUMNS, row, strict=True)
}
"""GHL type x EmailOctopus type. `number` is lossy for GHL's numbers: EmailOctopus documents integers only."""

_EMAILOCTOPUS_COUNTERPARTS = {
    **dict.fromkeys((*_TEXTUAL, "PHONE", "EMAIL", "COUNTRY", "TIME", *_CHOICE, *_NUMERIC), "text"),
    **dict.fromkeys(_MULTIPLE, "choice_multiple"),
    "DATE": "date",
}
_GHL_COUNTERPARTS = {
    "text": "LARGE_TEXT",
    "number": "NUMERICAL",
    "date": "DATE",
    "choice_single": "SINGLE_OPTIONS",
    "choice_multiple": "MULTIPLE_OPTIONS",
}


def fidelity(ghl_type: str, emailoctopus_type: str) -> Fidelity:
    """How well values of two types travel both ways; types nobody documented are refused."""
    return TABLE.get((ghl_type, emailoctopus_type), Fidelity.REFUSED)


def emailoctopus_type_for(ghl_type: str) -> str | None:
    """The EmailOctopus type to create for a GHL field, None where there is none that keeps its values."""
    return _EMAILOCTOPUS_COUNTERPARTS.get(ghl_type)


def ghl_type_for(emailoctopus_type: str) -> str | None:
    """The GHL type to create for an EmailOctopus field; `LARGE_TEXT` because `TEXT` is cut at 256 characters."""
    return _GHL_COUNTERPARTS.get(emailoctopus_type)


def convert(value: Value, to_type: str, *, country: str | None = None) -> Value:
    """The form `value` takes in a field of type `to_type` (of either system); None stays None.

    Raises `NotConvertible`.
    """
    if value is None:
        return None
    kind = _KINDS.get(to_type)
    if kind is None:
        raise NotConvertible(f"fields of type {to_type} can't be written")
    return kind(value, country)


def known_form(value: Value, type_: str, *, country: str | None = None) -> Value:
    """`value` without what systems are known to change: case, outer blanks, phone, number and date formats."""
    kind = _KINDS.get(type_, _text)
    try:
        plain = kind(value, country) if value is not None else None
    except NotConvertible:
        plain = value
    if isinstance(plain, str):
        return plain.strip().casefold() or None
    if isinstance(plain, tuple):
        return tuple(sorted(item.strip().casefold() for item in plain)) or None
    return plain


def is_cut(short: Value, long: Value) -> bool:
    """Whether `short` looks like `long` cut off by a length limit (GHL cuts TEXT at 256 characters)."""
    if not isinstance(short, str) or not isinstance(long, str):
        return False
    return long.startswith(short) and len(short) in range(_SHORTEST_CUT, len(long))


_SHORTEST_CUT = 200
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_LEADING_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:$|[T ])")


def _text(value: Value, country: str | None) -> Value:
    del country
    if isinstance(value, tuple):
        return "; ".join(value)
    return _plain_number(value) if isinstance(value, (int, float)) else value


def _plain_number(value: float) -> str:
    return str(_without_fraction(value))


def _without_fraction(value: float) -> int | float:
    """The same number, whole if it is; a float must not come near a whole number that is too long for one."""
    return value if isinstance(value, int) or not value.is_integer() else int(value)


def _number(value: Value, country: str | None) -> Value:
    del country
    number = _read_number(value) if isinstance(value, str) else value
    if not isinstance(number, (int, float)) or number - number != 0:  # not a number, or infinite
        raise NotConvertible("the value is not a number")
    return _without_fraction(number)


def _read_number(text: str) -> float | None:
    plain = text.strip()
    if _NUMBER.fullmatch(plain) is None:
        return None
    try:
        return int(plain)
    except ValueError:
        return float(plain)


def _integer(value: Value, country: str | None) -> Value:
    del country
    number = _number(value, None)
    if not isinstance(number, int):
        raise NotConvertible("EmailOctopus numbers are whole numbers")
    return number


def _date(value: Value, country: str | None) -> Value:
    del country
    match = _LEADING_DATE.match(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise NotConvertible("the value is not a date (YYYY-MM-DD)")
    try:
        return date.fromisoformat(match.group(1)).isoformat()
    except ValueError:
        raise NotConvertible("the value is not a date of the calendar") from None


def _phone(value: Value, country: str | None) -> Value:
    if not isinstance(value, str):
        raise NotConvertible("the value is not a phone number")
    try:
        number = phonenumbers.parse(value, country)
    except phonenumbers.NumberParseException:
        return value
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _single(value: Value, country: str | None) -> Value:
    del country
    if isinstance(value, tuple):
        if len(value) != 1:
            raise NotConvertible("several choices don't fit a field with one")
        return value[0]
    return _text(value, None)


def _multiple(value: Value, country: str | None) -> Value:
    del country
    if isinstance(value, tuple):
        return tuple(sorted(value))
    return (value,) if isinstance(value, str) else (_plain_number(value or 0),)


_KINDS: dict[str, Callable[[Value, str | None], Value]] = {
    **dict.fromkeys((*_TEXTUAL, "EMAIL", "COUNTRY", "TIME", "text"), _text),
    **dict.fromkeys((*_CHOICE, "choice_single"), _single),
    **dict.fromkeys((*_MULTIPLE, "choice_multiple"), _multiple),
    **dict.fromkeys(_NUMERIC, _number),
    "number": _integer,
    **dict.fromkeys(("DATE", "date"), _date),
    "PHONE": _phone,
}
