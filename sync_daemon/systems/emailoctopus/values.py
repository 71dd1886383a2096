"""One field's value between EmailOctopus's JSON and plain terms, by the field's type (facts: §7). Pure."""

from typing import Any

from sync_daemon.model.contact import Value

_DATE_LENGTH = len("2026-11-21")


class UnreadableValue(ValueError):
    """A value has a shape that its field can't have; the text never holds the value."""


def read(value: Any, type_: str) -> Value:
    """A value as EmailOctopus returned it, in plain terms; None when blank.

    A number that isn't one stays the text it is: conversion then refuses that field alone. Raises
    `UnreadableValue` for a structure where a plain value belongs.
    """
    if type_ == "choice_multiple":
        return _choices(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if type_ == "number":
        return _number(value)
    text = _text(value)
    return text[:_DATE_LENGTH] if text and type_ == "date" else text


def written(value: Value) -> Any:
    """A value as EmailOctopus takes it; None removes the field's value (documented: OpenAPI)."""
    return list(value) if isinstance(value, tuple) else value


def is_blank(value: Value) -> bool:
    """Whether a value that is written removes what was there."""
    return value is None or value in ("", ())


def _text(value: Any) -> str | None:
    if value is None or value == []:
        return None
    if not isinstance(value, str | int | float):
        raise UnreadableValue("a structure stands where a text belongs")
    text = str(value)
    return text if text.strip() else None


def _number(value: Any) -> Value:
    if isinstance(value, int | float):
        return _whole(value)
    text = _text(value)
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        return _decimal(text)


def _decimal(text: str) -> Value:
    try:
        number = float(text)
    except ValueError:
        return text
    return _whole(number) if number - number == 0 else text  # neither infinite nor "not a number"


def _whole(number: float) -> int | float:
    return int(number) if float(number).is_integer() else number


def _choices(value: Any) -> Value:
    items = value if isinstance(value, list) else [value]
    chosen = {text for text in map(_text, items) if text is not None}
    return tuple(sorted(chosen)) or None
