"""Values as YAML text."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sync_daemon.model.policy import Direction, FieldRule

_PLAIN = re.compile(r"[A-Za-z0-9](?:[\w./-]|:(?=\S))*", re.ASCII)
_STEP = 2


def scalar(text: str) -> str:
    """A text as a YAML scalar, in quotes where it needs them."""
    if _PLAIN.fullmatch(text) and text.lower() not in ("null", "~"):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(letter if letter.isprintable() else f"\\U{ord(letter):08X}" for letter in quoted)


def row(rule: FieldRule) -> str:
    """A row of the mapping, on one line."""
    direction = {} if rule.direction is Direction.BOTH else {"direction": str(rule.direction)}
    return inline({"ghl": rule.ghl, "emailoctopus": rule.emailoctopus, **direction})


def inline(value: Any) -> str:
    """A value of texts, lists and mappings on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key)}: {inline(one)}" for key, one in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(inline, value)) + "]"
    return scalar(str(value))


def placed(value: Any, column: int) -> str:
    """A value as people write it into a file, from a column on: lists of mappings go line by line."""
    new_line = "\n" + " " * column
    if isinstance(value, Mapping) and value and (len(value) == 1 or any(map(is_long, value.values()))):
        return new_line.join(entry(key, one, column) for key, one in value.items())
    if is_long(value):
        return new_line.join(f"- {placed(one, column + _STEP)}" for one in value)
    return inline(value)


def entry(key: str, value: Any, column: int) -> str:
    """A key with its value, the key at a column."""
    if is_long(value):
        below = column + _STEP
        return f"{scalar(key)}:\n{' ' * below}{placed(value, below)}"
    return f"{scalar(key)}: {inline(value)}"


def is_long(value: Any) -> bool:
    """Whether a value is a list of mappings, which goes line by line."""
    return isinstance(value, list) and any(isinstance(one, Mapping) for one in value)
