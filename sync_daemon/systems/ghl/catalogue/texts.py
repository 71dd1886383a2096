"""Values that somebody wrote as text, on a command line or in a configuration, read by their parameter's type. Pure."""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

import msgspec

from sync_daemon.systems.ghl.catalogue.operation import Shape

_WHOLE = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_BOOLEANS = {"true": True, "false": False}
WORDS = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "date-time": "a date and time with an offset, such as 2026-11-26T10:00:00Z",
    "array": "a list",
    "object": "an object",
    "any": "a value",
}
"""What each type expects, in an error."""


class Written(str):
    """A text whose parameter's type says what value it means: `12` is a number, or a text."""

    __slots__ = ()


class ToCome(Enum):
    """Stands for a value that will be known later: it fits everywhere."""

    TO_COME = "to come"


TO_COME = ToCome.TO_COME


class Unreadable(ValueError):
    """A text means no value of the type; its message is what was expected."""


def written(value: Any) -> Any:
    """The same value with every text in it, however deep, as `Written`."""
    if isinstance(value, str):
        return Written(value)
    if isinstance(value, Mapping):
        return {name: written(one) for name, one in value.items()}
    return [written(one) for one in value] if isinstance(value, list | tuple) else value


def read_text(shape: Shape, text: str) -> Any:
    """The value that a text means. Raises `Unreadable`."""
    plain = str(text)
    if shape.nullable and plain == "null":
        return None
    match shape.type:
        case "integer" if _WHOLE.fullmatch(plain):
            return int(plain)
        case "number" if _NUMBER.fullmatch(plain):
            return int(plain) if _WHOLE.fullmatch(plain) else float(plain)
        case "boolean" if plain.lower() in _BOOLEANS:
            return _BOOLEANS[plain.lower()]
        case "array":
            return _list(shape, plain)
        case "object":
            return _json(plain, 'an object in JSON, such as {"name": "value"}')
        case "any" if plain.lstrip().startswith(("[", "{")):
            return _json(plain, "a text, or a list or object in JSON")
        case "any" | "string" | "date-time":
            return plain
    raise Unreadable(WORDS[shape.type])


def is_date_time(text: str) -> bool:
    """Whether a text is a moment: ISO 8601 with date, time and offset."""
    try:
        return "T" in text and datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _list(shape: Shape, text: str) -> Any:
    if text.lstrip().startswith("["):
        return _json(text, "a list in JSON")
    items = shape.items
    if items is None or items.type in ("object", "array", "any"):
        raise Unreadable('a list in JSON, such as [{"name": "value"}]')
    return [Written(one.strip()) for one in text.split(",")] if text.strip() else []


def _json(text: str, expected: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise Unreadable(expected) from None
