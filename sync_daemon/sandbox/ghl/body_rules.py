"""GHL's validator: known keys only, one line for each thing that is wrong (documented: 422; observed: wording)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sync_daemon.sandbox.ghl.errors import unprocessable

Rule = Callable[[str, Any], Iterator[str]]
"""Checks the value under a key and gives a line for each thing wrong; null is checked by nobody."""
Rules = Mapping[str, Rule]


def check(body: Mapping[str, Any], rules: Rules, required: Iterable[str] = ()) -> None:
    """Refuse a body with 422 and every problem it has."""
    found = problems(body, rules, required)
    if found:
        raise unprocessable(found)


def problems(body: Mapping[str, Any], rules: Rules, required: Iterable[str] = ()) -> list[str]:
    """List what is wrong with a body."""
    found = [f"property {key} should not exist" for key in body if key not in rules]
    found += [f"{key} should not be empty" for key in required if body.get(key) in (None, "")]
    for key, value in body.items():
        if value is not None and key in rules:
            found.extend(rules[key](key, value))
    return found


def text(key: str, value: Any) -> Iterator[str]:
    """A string."""
    if not isinstance(value, str):
        yield f"{key} must be a string"


def label(key: str, value: Any) -> Iterator[str]:
    """A string with something in it."""
    if isinstance(value, str) and value and not value.strip():
        yield f"{key} should not be empty"
    yield from text(key, value)


def anything(_key: str, _value: Any) -> Iterator[str]:
    """No check at all."""
    return iter(())


def boolean(key: str, value: Any) -> Iterator[str]:
    """True or false."""
    if not isinstance(value, bool):
        yield f"{key} must be a boolean value"


def number(key: str, value: Any) -> Iterator[str]:
    """A number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        yield f"{key} must be a number conforming to the specified constraints"


def texts(key: str, value: Any) -> Iterator[str]:
    """A list of strings."""
    if not isinstance(value, list):
        yield f"{key} must be an array"
    elif not all(isinstance(one, str) for one in value):
        yield f"each value in {key} must be a string"


def objects(key: str, value: Any) -> Iterator[str]:
    """A list of objects."""
    if not isinstance(value, list):
        yield f"{key} must be an array"
    elif not all(isinstance(one, dict) for one in value):
        yield f"each value in {key} must be an object"


def mapping(key: str, value: Any) -> Iterator[str]:
    """An object."""
    if not isinstance(value, dict):
        yield f"{key} must be an object"


def instant(key: str, value: Any) -> Iterator[str]:
    """An ISO 8601 date or instant."""
    try:
        datetime.fromisoformat(value).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        yield f"{key} must be a valid ISO 8601 date string"


def one_of(choices: Sequence[str]) -> Rule:
    """One of some strings."""

    def rule(key: str, value: Any) -> Iterator[str]:
        if value not in choices:
            yield f"{key} must be one of the following values: {', '.join(choices)}"

    return rule


def at_most(length: int, rule: Rule = text) -> Rule:
    """A string or list that is not too long."""

    def bounded(key: str, value: Any) -> Iterator[str]:
        wrong = list(rule(key, value))
        yield from wrong
        if not wrong and len(value) > length:
            yield f"{key} must not have more than {length} elements or characters"

    return bounded
