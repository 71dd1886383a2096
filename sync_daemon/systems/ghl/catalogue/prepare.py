"""From an operation and values to a checked request, or to every reason why there is none. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.systems.ghl.catalogue.check import Check, marks_of
from sync_daemon.systems.ghl.catalogue.operation import Mark, Operation, Parameter
from sync_daemon.systems.ghl.settings import Version

_FORBIDDEN_IN_RULES = frozenset({Mark.EMAIL_DND, Mark.ADDRESS, Mark.ALL_TAGS})


class BadParameters(ConfigurationError):
    """An operation can't be called with such values; `problems` names each wrong parameter, and holds no value."""

    def __init__(self, operation: Operation, problems: Sequence[str]) -> None:
        lines = "".join(f"\n  {problem}" for problem in problems)
        super().__init__(
            f"{operation.name} can't be called like this:{lines}\n"
            f"`sync-daemon ghl describe {operation.kebab}` shows what it takes."
        )
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class PreparedCall:
    """A request that is as the operation wants it. `marks` is what its values do, `ids` what its path names.

    `body` None: there is none.
    """

    operation: Operation = field(repr=False)
    version: str
    path: str
    query: Mapping[str, str | list[str]] = field(repr=False)
    body: Any = field(repr=False)
    ids: Mapping[str, Any]
    marks: frozenset[Mark]

    @property
    def idempotent(self) -> bool:
        """Whether sending it twice is as good as once."""
        return self.operation.idempotent and Mark.DUPLICATES not in self.marks

    @property
    def destructive(self) -> bool:
        """Whether it takes away what the same API can't put back."""
        return self.operation.effect == "delete" or Mark.REMOVES in self.marks

    @property
    def touches(self) -> frozenset[Mark]:
        """What of e-mail DND, addresses and whole sets of tags it changes: nothing that a rule may."""
        return self.marks & _FORBIDDEN_IN_RULES


def prepare(operation: Operation, values: Mapping[str, Any], location_id: str, version: Version) -> PreparedCall:
    """The request that calls an operation with these values.

    A key `a.b` means b in the object a; `Written` texts are read by the parameter's type, other values must have it,
    and `TO_COME` has every type (of a call with one, only what can be known now is checked). The location is filled in.
    Raises `BadParameters` with every problem.
    """
    path = operation.path_in(version)
    if path is None:
        instead = f"use {operation.instead}, or " if operation.instead else ""
        raise BadParameters(operation, [f"v3 has done away with it: {instead}set ghl.version to {operation.version}."])
    takes = operation.takes(version)
    check = Check(version)
    sent = check.fields(list(takes.values()), _filled(takes, _nested(values, check), location_id))
    if operation.any_of and not any(name in sent for name in operation.any_of):
        check.object_to(" or ".join(operation.any_of), "one of them at least is needed")
    for name, value in sent.items():
        _keep_within(check, takes[name], value, location_id)
    if check.problems:
        raise BadParameters(operation, check.problems)
    ids, query, body = (_placed(place, takes, sent) for place in ("path", "query", "body"))
    return PreparedCall(
        operation,
        "v3" if version == "v3" else operation.version,
        path.format_map({name: quote(str(value), safe="") for name, value in ids.items()}),
        {name: _in_query(takes[name], value) for name, value in query.items()},
        {"none": None, "object": body, "list": [body]}[operation.body],
        ids,
        frozenset(mark for name, value in sent.items() for mark in marks_of(takes[name], value)),
    )


def _nested(values: Mapping[str, Any], check: Check) -> dict[str, Any]:
    """The values with `a.b` as b in the object a."""
    nested: dict[str, Any] = {}
    child: dict[str, Any]
    made: set[int] = set()
    for key, value in values.items():
        *above, last = key.split(".")
        place = nested
        for name in above:
            if name not in place:
                place[name] = child = {}
                made.add(id(child))
            if id(place[name]) not in made:
                check.object_to(key, f"{name} is given as a whole, too; give one of the two")
                break
            place = place[name]
        else:
            if last in place:
                check.object_to(key, "is given as a whole and in parts; give one of the two")
            place[last] = value
    return nested


def _filled(takes: Mapping[str, Parameter], values: Mapping[str, Any], location_id: str) -> dict[str, Any]:
    """The values with the pair's location and presets for what isn't given."""
    filled: dict[str, Any] = {}
    for name, one in takes.items():
        if one.location == "id":
            filled[name] = location_id
        elif one.location == "ids" and one.required:
            filled[name] = [location_id]
        elif one.preset is not None:
            filled[name] = one.preset
    return filled | dict(values)


def _keep_within(check: Check, parameter: Parameter, value: Any, location_id: str) -> None:
    """Object to what would lead to another location, or along another path."""
    if any(one != location_id for one in _locations(parameter, value)):
        check.object_to(
            parameter.name, f"is the pair's own location, {location_id}, and can't name another; leave it out"
        )
    if parameter.place == "path" and value in ("", ".", ".."):
        check.object_to(parameter.name, "expected an id")


def _placed(place: str, takes: Mapping[str, Parameter], sent: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sent.items() if takes[name].place == place}


def _locations(parameter: Parameter, value: Any) -> list[Any]:
    """The locations that a value names."""
    if parameter.location is None:
        return []
    return list(value) if isinstance(value, Mapping | list) else [value]


def _in_query(parameter: Parameter, value: Any) -> str | list[str]:
    if isinstance(value, list):
        texts = [_text(one) for one in value]
        return ",".join(texts) if parameter.joined else texts
    return _text(value)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
