"""What the catalogue tells of operations, in words and as JSON."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from rich.console import RenderableType

from sync_daemon.commands.printing import table
from sync_daemon.systems.ghl.catalogue.operation import Field, Operation, Parameter, Shape
from sync_daemon.systems.ghl.settings import Version

_DOES = {"read": "reads", "write": "writes", "delete": "deletes"}
_MANY = 16
_GONE = "not in v3"


def row(operation: Operation, version: Version) -> tuple[str, ...]:
    """A line of the list."""
    path = operation.path_in(version)
    request = _GONE if path is None else f"{operation.method} {path}"
    return operation.name, operation.category, _DOES[operation.effect], request


def listed(operation: Operation, version: Version) -> dict[str, Any]:
    """An operation as JSON without its parameters; `path` null where the version has done away with it."""
    return {
        "name": operation.name,
        "id": operation.operation_id,
        "category": operation.category,
        "method": operation.method,
        "path": operation.path_in(version),
        "version": "v3" if version == "v3" else operation.version,
        "scopes": operation.scopes,
        "access": operation.access,
        "effect": operation.effect,
        "idempotent": operation.idempotent,
        "answer": operation.answer,
    }


def as_json(operation: Operation, version: Version) -> dict[str, Any]:
    """An operation as JSON, parameters and all."""
    parameters = [msgspec.to_builtins(one) for one in operation.takes(version).values()]
    return {
        **listed(operation, version),
        "any_of": operation.any_of,
        "note": operation.note,
        "parameters": parameters,
    }


def description(operation: Operation, version: Version) -> Iterator[RenderableType]:
    """What a person should know before he calls an operation."""
    path = operation.path_in(version)
    yield f"{operation.name}: {operation.method} {path or f'{operation.path} ({_GONE})'}"
    yield " · ".join(_facts(operation, version))
    if operation.note:
        yield operation.note
    takes = operation.takes(version)
    if takes:
        rows = [each for one in takes.values() for each in _rows(one, one.name, _needed(one), one.place)]
        yield table(("parameter", "in", "type", "needed", "about"), rows)
    if operation.any_of:
        yield f"One at least of {', '.join(operation.any_of)} is needed."
    yield f"Example: {_example(operation, list(takes.values()))}"


def _facts(operation: Operation, version: Version) -> Iterator[str]:
    yield operation.category
    yield _DOES[operation.effect] + (", asks first" if operation.effect == "delete" else "")
    if operation.effect != "read":
        yield "twice is as good as once" if operation.idempotent else "twice is once too many"
    yield f"scope {' '.join(operation.scopes)}"
    if "sub-account" not in operation.access:
        yield "only with a token of the agency"
    if operation.answer == "file":
        yield "answers with a file (--out)"
    yield f"Version {'v3' if version == 'v3' else operation.version}"


def _rows(one: Field, name: str, needed: str, place: str = "") -> Iterator[tuple[str, ...]]:
    yield name, place, _type(one), needed, _about(one)
    for inner, suffix in ((one, ""), (one.items, "[]")):
        for child in inner.fields if inner is not None else ():
            yield from _rows(child, f"{name}{suffix}.{child.name}", "with it" if child.required else "")


def _needed(one: Parameter) -> str:
    if one.location is not None and (one.location == "id" or one.required):
        return "filled in"
    if one.preset is not None:
        return f"{one.preset} unless given"
    return "yes" if one.required else ""


def _type(shape: Shape) -> str:
    inner = f"list of {shape.items.type}" if shape.items is not None else shape.type
    return f"{inner} or null" if shape.nullable else inner


def _about(one: Field) -> str:
    values = one.enum or (one.items.enum if one.items is not None else ())
    return ". ".join(part for part in (one.about, _values(values), _bounds(one)) if part)


def _values(values: Sequence[object]) -> str:
    if len(values) > _MANY:
        return f"One of {len(values)} values, which --json lists"
    return f"One of {', '.join(map(str, values))}" if values else ""


def _bounds(one: Field) -> str:
    most = one.maximum or one.max_items
    return f"At most {most}" if most else f"At most {one.max_length} characters" if one.max_length else ""


def _example(operation: Operation, takes: Sequence[Parameter]) -> str:
    needed = [one for one in takes if _needed(one) == "yes" or one.name in operation.any_of[:1]]
    words = [f"{one.name}={_sample(one)}" for one in needed]
    out = ["--out FILE"] if operation.answer == "file" else []
    return " ".join(["sync-daemon ghl call", operation.kebab, *words, *out])


def _sample(shape: Shape) -> str:
    if shape.enum:
        return str(shape.enum[0])
    plain = {"boolean": "true", "number": "1", "integer": "1", "date-time": "2026-11-26T10:00:00Z"}
    if shape.type == "array" and shape.items is not None and shape.items.type == "string":
        return "ONE,TWO"
    return plain.get(shape.type, "'[…]'" if shape.type == "array" else "'{…}'" if shape.type == "object" else "…")
