"""One field's value between GHL's JSON and plain terms, by GHL's dataType (facts: contacts.json, observed forms)."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sync_daemon.model.contact import Value

NUMBERS = ("NUMERICAL", "MONETORY", "FLOAT")
MULTIPLE = ("CHECKBOX", "MULTIPLE_OPTIONS")
OPAQUE = ("TEXTBOX_LIST", "FILE_UPLOAD", "SIGNATURE")
"""Types whose values are structures of their own; they are neither read nor written."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEADING_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?=$|[T ])")


class Unreadable(ValueError):
    """A value has a shape that its field can't have; the text never holds the value."""


def read(value: Any, type_: str) -> Value:
    """A value as GHL returned it, in plain terms; None when blank.

    A number or date that isn't one stays the text it is: conversion then refuses that field alone. Raises
    `Unreadable` for a structure where a plain value belongs.
    """
    if value is None or type_ in OPAQUE:
        return None
    return _READERS.get(type_, _text)(value)


def written(value: Value, type_: str) -> Any:
    """A value as GHL wants it; None stays null, a blank text empties several choices."""
    if type_ in MULTIPLE and value == "":
        return []
    return list(value) if isinstance(value, tuple) else value


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(_whole(value))
    raise Unreadable("a structure stands where a text belongs")


def _number(value: Any) -> Value:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _whole(value)
    text = _text(value)
    try:
        number = float(text or "nan")
    except ValueError:
        return text
    if number - number != 0:  # not a number, or infinite
        return text
    return int(text) if text and text.strip().lstrip("+-").isdigit() else _whole(number)


def _whole(number: float) -> int | float:
    return int(number) if float(number).is_integer() else number


def _date(value: Any) -> Value:
    text = _text(value)
    if text is None:
        return None
    stripped = text.strip()
    if stripped.lstrip("-").isdigit():
        return _day_of_epoch(int(stripped)) or text
    leading = _LEADING_DATE.match(stripped)
    try:
        return date.fromisoformat(leading.group()).isoformat() if leading else text
    except ValueError:
        return text


def _day_of_epoch(milliseconds: int) -> str | None:
    try:
        return (_EPOCH + timedelta(milliseconds=milliseconds)).date().isoformat()
    except OverflowError:
        return None


def _choices(value: Any) -> Value:
    items = value if isinstance(value, list) else [value]
    texts = {text for text in map(_text, items) if text is not None}
    return tuple(sorted(texts)) or None


_READERS: dict[str, Callable[[Any], Value]] = {
    **dict.fromkeys(NUMBERS, _number),
    **dict.fromkeys(MULTIPLE, _choices),
    "DATE": _date,
}
