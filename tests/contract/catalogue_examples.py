"""Values that operations of the catalogue take: one for each shape, always the same."""

from collections.abc import Mapping
from typing import Any

from sync_daemon.systems.ghl.catalogue.operation import Operation, Shape
from sync_daemon.systems.ghl.catalogue.prepare import PreparedCall, prepare
from sync_daemon.systems.ghl.settings import Version

LOCATION = "ve9EPM428h8vShlRW1KT"
VERSIONS: tuple[Version, ...] = ("2021-07-28", "v3")
_PLAIN: Mapping[str, Any] = {
    "string": "text",
    "number": 1.5,
    "boolean": True,
    "date-time": "2026-11-26T10:00:00Z",
    "any": "whatever",
}


def example(shape: Shape, version: Version) -> Any:
    """A value of a shape, with all that can be in it."""
    if shape.enum:
        return shape.enum[0]
    if shape.type == "integer":
        return shape.minimum or 1
    if shape.type == "array":
        assert shape.items is not None
        return [example(shape.items, version)]
    if shape.type == "object":
        return {one.name: example(one, version) for one in shape.fields if one.is_in(version)}
    return _PLAIN[shape.type]


def values(operation: Operation, version: Version, *, everything: bool) -> dict[str, Any]:
    """What a call gives: everything, or no more than it must."""
    return {
        name: example(one, version)
        for name, one in operation.takes(version).items()
        if one.location is None and (everything or one.required or name in operation.any_of[:1])
    }


def example_call(operation: Operation, version: Version, *, everything: bool) -> PreparedCall:
    """A call with such values."""
    return prepare(operation, values(operation, version, everything=everything), LOCATION, version)


def in_versions(operation: Operation) -> list[Version]:
    """The versions that have an operation."""
    return [version for version in VERSIONS if operation.path_in(version) is not None]
