"""Values held against what an operation takes. Pure; what it complains of names parameters and never a value."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from sync_daemon.systems.ghl.catalogue.catalogue import did_you_mean
from sync_daemon.systems.ghl.catalogue.operation import Field, Mark, Shape
from sync_daemon.systems.ghl.catalogue.texts import TO_COME, WORDS, Unreadable, Written, is_date_time, read_text
from sync_daemon.systems.ghl.settings import Version

_FEW = 12
_ANYTHING = Shape(type="any")


@dataclass(slots=True)
class Check:
    """Checks values for one version, and gathers every problem they have: `problems` are lines for a person."""

    version: Version
    problems: list[str] = field(default_factory=list)

    def fit(self, shape: Shape, value: Any, where: str) -> Any:
        """The value as it is to be sent; what is wrong with it becomes a problem of the parameter `where`."""
        if isinstance(value, Written):
            try:
                value = read_text(shape, value)
            except Unreadable as error:
                return self.object_to(where, f"expected {error}")
        if value is TO_COME or (value is None and shape.nullable):
            return value
        if shape.type == "array" and isinstance(value, list | tuple):
            return self._list(shape, value, where)
        if shape.type == "object" and isinstance(value, Mapping):
            return self.fields(shape.fields, value, where) if shape.fields else _plain(value)
        if not _is(shape.type, value):
            return self.object_to(where, f"expected {WORDS[shape.type]}")
        for problem in _outside(shape, value):
            self.object_to(where, problem)
        return _plain(value)

    def fields(self, fields: Sequence[Field], values: Mapping[str, Any], where: str = "") -> dict[str, Any]:
        """The values of an object, or of an operation, by their names; unknown and missing ones are problems."""
        known = {one.name: one for one in fields if one.is_in(self.version)}
        prefix = f"{where}." if where else ""
        for name in values:
            if name not in known:
                self.object_to(f"{prefix}{name}", f"there is no such parameter{_near(str(name), list(known))}")
        for name, one in known.items():
            if one.required and name not in values:
                self.object_to(f"{prefix}{name}", "is missing" + (f" ({one.about})" if one.about else ""))
        given = {name: value for name, value in values.items() if name in known}
        return {name: self.fit(known[name], value, f"{prefix}{name}") for name, value in given.items()}

    def object_to(self, where: str, problem: str) -> None:
        """Note a problem of one parameter."""
        self.problems.append(f"{where}: {problem}")

    def _list(self, shape: Shape, values: Sequence[Any], where: str) -> list[Any]:
        if shape.max_items is not None and len(values) > shape.max_items:
            self.object_to(where, f"expected {shape.max_items} at most")
        items = shape.items or _ANYTHING
        return [self.fit(items, one, f"{where}[{at}]") for at, one in enumerate(values)]


def marks_of(shape: Shape, value: Any) -> Iterator[Mark]:
    """What a value, and whatever is in it, does according to the marks."""
    if shape.mark is not None and (not shape.mark_values or value in shape.mark_values or value is TO_COME):
        yield shape.mark
    if isinstance(value, Mapping):
        for one in shape.fields:
            if one.name in value:
                yield from marks_of(one, value[one.name])
    elif value is TO_COME:
        for one in shape.fields:
            yield from marks_of(one, value)


def _is(kind: str, value: Any) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "date-time":
            return isinstance(value, str) and is_date_time(value)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return kind == "any"


def _outside(shape: Shape, value: Any) -> Iterator[str]:
    """What is wrong with a value of the right type."""
    if shape.enum and value not in shape.enum:
        yield f"expected one of {', '.join(map(str, shape.enum))}"
    if shape.minimum is not None and value < shape.minimum:
        yield f"expected {shape.minimum} at least"
    if shape.maximum is not None and value > shape.maximum:
        yield f"expected {shape.maximum} at most"
    if shape.max_length is not None and len(value) > shape.max_length:
        yield f"expected {shape.max_length} characters at most"


def _plain(value: Any) -> Any:
    """The same value without a `Written` in it: as text where no type says more."""
    if isinstance(value, Written):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _near(name: str, known: Sequence[str]) -> str:
    folded = {one.lower(): one for one in known}
    near = [folded[one] for one in get_close_matches(name.lower(), folded, n=3, cutoff=0.6)]
    if not near and known and len(known) <= _FEW:
        return f"; there are {', '.join(known)}."
    return did_you_mean(near)
