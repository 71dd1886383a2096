"""Texts with the contact's and campaign's values: `Call {first_name}`. Nothing but known names is allowed. Pure."""

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sync_daemon.model.contact import Value

CAMPAIGN_NAMES = ("campaign_name", "campaign_subject")
NAMES = ("first_name", "last_name", "email", *CAMPAIGN_NAMES, "event", "occurred_at")
_TIME = "occurred_at"
_FIELD = "field"
_HOW = "{first_name}, {field[Tag]}, {occurred_at:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Values:
    """What a template may name. `fields` go by whatever the template calls them."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    campaign_name: str = ""
    campaign_subject: str = ""
    event: str = ""
    occurred_at: datetime | None = None
    fields: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Named:
    """One place of a template: a name, or `field` with its key; `form` is what stands after the colon."""

    name: str
    key: str = ""
    form: str = ""


def named_in(template: str) -> Iterator[Named]:
    """The places of a template. Raises ValueError that says what is wrong with it."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"the braces don't fit: {error}; write a brace itself as {{{{ or }}}}") from None
    for _, name, form, conversion in parts:
        if name is None:
            continue
        if conversion:
            raise ValueError(f"there is nothing like !{conversion} here; write {_HOW}")
        yield _named(name, form or "")


def render(template: str, values: Values) -> str:
    """The text with its values in place; what nobody knows is empty."""
    return "".join(
        literal + (_text(_named(name, form or ""), values) if name is not None else "")
        for literal, name, form, _ in string.Formatter().parse(template)
    )


def rendered(value: Any, values: Values) -> Any:
    """The same value with every text in it, however deep, rendered."""
    if isinstance(value, str):
        return type(value)(render(value, values))
    if isinstance(value, Mapping):
        return {name: rendered(one, values) for name, one in value.items()}
    return [rendered(one, values) for one in value] if isinstance(value, list | tuple) else value


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from texts_in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from texts_in(one)


def _named(name: str, form: str) -> Named:
    head, bracket, rest = name.partition("[")
    if head == _FIELD and bracket and rest.endswith("]") and rest[:-1]:
        found = Named(_FIELD, rest[:-1])
    elif name in NAMES:
        found = Named(name)
    else:
        raise ValueError(f"{{{name}}} isn't known; there are {', '.join(NAMES)} and field[Tag]")
    if form and (name != _TIME or "{" in form):
        raise ValueError(f"{{{name}:{form}}} can't have a form; only {_TIME} has one, such as %Y-%m-%d")
    return Named(found.name, found.key, form)


def _text(place: Named, values: Values) -> str:
    if place.name == _FIELD:
        return _plain(values.fields.get(place.key))
    if place.name == _TIME:
        moment = values.occurred_at
        return "" if moment is None else moment.strftime(place.form or "%Y-%m-%d %H:%M")
    return str(getattr(values, place.name))


def _plain(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
