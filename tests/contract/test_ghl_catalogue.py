"""Every row of the operations catalogue against the vendor's own OpenAPI and the facts, in both versions."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import httpx
import pytest

from sync_daemon.systems.ghl.catalogue.catalogue import operations
from sync_daemon.systems.ghl.catalogue.operation import Field, Operation, Parameter, Shape
from sync_daemon.systems.ghl.settings import Version
from tests.contract.catalogue_examples import VERSIONS, example_call, in_versions
from tests.contract.ghl_documented import defects
from tests.contract.openapi import SPECS, contract, needs_specs, repaired

pytestmark = needs_specs

FACTS = SPECS.parent / "facts" / "ghl_operations.json"
ROWS = [pytest.param(one, id=one.kebab) for one in operations()]

# Where a row knowingly says something else than the specification; each must be found.
KNOWN = {
    r"(Search|Find) Contacts? body \w+: not documented": "the body is described outside of the specification (CU)",
    r"Bulk Update Contact Tags path type: not documented": "the path has it (facts, section 5)",
    r"(Update|Delete) Appointment Note path noteId: not documented": "the path has it",
    r"(Update|Delete) User path userId: not documented": "the path has it",
    r"Get (Email|Message) by ID path id: not documented": "the path has it",
    r"Update Blog Post path postId: not documented": "the path has it",
    r"Get Messages by Conversation query type: array for string": "several with commas (its own description)",
    r"Search Conversations query startAfterDate: array for any": "a number, or several",
    r"\w+ (Contact|Opportunity) body customFields\[\]: object for anyOf": "one form, the value is any",
    r"Bulk Business Update body ids: max_items 50 for None": "stands at the items by mistake (facts, section 5)",
    r"Bulk Business Update body ids\[\]: max_length None for 50": "see above",
    r".* query (limit|skip|offset): minimum [01] for None": "none is less",
    r".* query \w+: integer for string": "a number in digits, as its default or description says",
}
ASSUMED_SCOPES = {
    "Bulk Update Contact Tags": "contacts.write",
    "Bulk Business Update": "contacts.write",
    "Get Email by ID": "conversations/message.readonly",
    "List Snapshots": "snapshots.readonly",
}
"""Of operations whose specification names none (facts, sections 1.4 and 11; the e-mail's by analogy)."""

# Where a request of ours, in an official schema's eyes, has a defect that is the schema's own.
REQUEST_DEVIATIONS = {
    r"(Search|Find) Contacts? \$: Additional properties": "the body is described outside of the specification (CU)",
}


@cache
def facts() -> dict[str, dict[str, Any]]:
    """The vendor's operations that the catalogue must have, by name."""
    return {row["name"]: row for row in json.loads(FACTS.read_text(encoding="utf-8"))}


def spec_name(operation: Operation, version: Version) -> str | None:
    """The specification of an operation, None where there is none of that version here."""
    family = operation.path.split("/")[1]
    name = f"ghl-v3/{family}-v3.json" if version == "v3" else f"ghl/{family}.json"
    return name if (SPECS / name).exists() else None


@cache
def spec(name: str) -> Any:
    return repaired(json.loads((SPECS / name).read_text(encoding="utf-8")), defects)


def test_they_are_exactly_the_operations_of_the_facts() -> None:
    assert len(operations()) == len(facts()) == 124
    assert {one.name: one.category for one in operations()} == {name: row["category"] for name, row in facts().items()}


@pytest.mark.parametrize("operation", ROWS)
def test_a_row_goes_where_the_facts_say(operation: Operation) -> None:
    row = facts()[operation.name]
    scopes = row["scopes"] or [ASSUMED_SCOPES[operation.name]]
    assert (operation.method, operation.path, operation.operation_id) == (
        row["method"],
        row["path"],
        row["operationId"],
    )
    assert operation.path_in("v3") == row["v3_path"]
    assert operation.version == (row["version"] or "2021-04-15")
    assert list(operation.scopes) == scopes
    assert list(operation.access) == (row["access"] or ["sub-account"])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("operation", ROWS)
def test_a_row_is_what_the_vendor_documents(operation: Operation, version: Version) -> None:
    differences = list(differences_of(operation, version))
    assert [one for one in differences if not any(re.fullmatch(known, one) for known in KNOWN)] == []


def test_no_difference_is_known_that_is_none() -> None:
    found = [line for one in operations() for version in VERSIONS for line in differences_of(one, version)]
    assert [known for known in KNOWN if not any(re.fullmatch(known, line) for line in found)] == []


@pytest.mark.parametrize("everything", [True, False], ids=["everything", "needed"])
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("operation", ROWS)
def test_a_request_is_as_documented(operation: Operation, version: Version, everything: bool) -> None:
    name = spec_name(operation, version)
    if name is None or operation.path_in(version) is None:
        assert version == "v3"
        return
    call = example_call(operation, version, everything=everything)
    request = httpx.Request(
        operation.method,
        f"https://services.leadconnectorhq.com{call.path}",
        params=call.query,
        json=call.body,
        headers={"Version": call.version, "Authorization": "Bearer pit-1"},
    )
    if call.body is None:
        request = httpx.Request(request.method, request.url, headers=dict(request.headers))
    lines = contract(name, defects, closed=True).request_violations(request)
    named = [f"{operation.name} {line}" for line in lines]
    assert [line for line in named if not any(re.match(known, line) for known in REQUEST_DEVIATIONS)] == []


def differences_of(operation: Operation, version: Version) -> Iterator[str]:
    """What a row says of its parameters that the specification doesn't, and the other way round."""
    name, path = spec_name(operation, version), operation.path_in(version)
    if name is None or path is None:
        return
    document = spec(name)
    documented = document["paths"][path][operation.method.lower()]
    assert documented["operationId"] == operation.operation_id
    assert {scope for kind in documented.get("security", []) for scopes in kind.values() for scope in scopes} in (
        set(operation.scopes),
        set(),
    )
    theirs = dict(_theirs(document, documented))
    ours = {(one.place, one.name): one for one in operation.takes(version).values()}
    header = theirs.pop(("header", "Version"), None)
    if header is not None:
        assert header["enum"] == ["v3" if version == "v3" else operation.version]
    for (place, key), schema in theirs.items():
        if (place, key) not in ours and not schema.get("readOnly"):
            yield f"{operation.name} {place} {key}: missing"
    for (place, key), one in ours.items():
        where = f"{operation.name} {place} {key}"
        if (place, key) not in theirs:
            yield f"{where}: not documented"
        else:
            yield from _compared(document, where, one, theirs[place, key])


def _theirs(document: Any, documented: Any) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    """The parameters and properties of the body, by place and name; `needed` is added to what is required."""
    for parameter in documented.get("parameters", []):
        one = _resolved(document, parameter)
        needed = one.get("required", False) or one["in"] == "path"
        yield (one["in"], one["name"]), {**_resolved(document, one.get("schema", {})), "needed": needed}
    if "requestBody" in documented:
        schema = _resolved(document, documented["requestBody"]["content"]["application/json"]["schema"])
        schema = _resolved(document, schema["items"]) if schema["type"] == "array" else schema
        for key, one in schema.get("properties", {}).items():
            yield ("body", key), {**_resolved(document, one), "needed": key in schema.get("required", [])}


def _compared(document: Any, where: str, ours: Shape, theirs: Mapping[str, Any]) -> Iterator[str]:
    kind = theirs.get("type", next((key for key in ("anyOf", "oneOf", "allOf") if key in theirs), None))
    alike = {"integer": ("number",), "date-time": ("string",)}.get(ours.type, ())
    if ours.type != kind and kind not in alike:
        yield f"{where}: {ours.type} for {kind}"
        return
    if isinstance(ours, Field) and ours.required != theirs.get("needed", False):
        yield f"{where}: required {ours.required} for {theirs.get('needed', False)}"
    limits = {"max_length": "maxLength", "max_items": "maxItems", "minimum": "minimum", "maximum": "maximum"}
    for own, official in limits.items():
        if getattr(ours, own) != theirs.get(official):
            yield f"{where}: {own} {getattr(ours, own)} for {theirs.get(official)}"
    if list(ours.enum) != theirs.get("enum", []):
        yield f"{where}: enum {list(ours.enum)} for {theirs.get('enum')}"
    if ours.nullable != theirs.get("nullable", False):
        yield f"{where}: nullable {ours.nullable}"
    if ours.items is not None:
        yield from _compared(document, f"{where}[]", ours.items, _resolved(document, theirs["items"]))
    yield from _inside(document, where, ours, theirs)


def _inside(document: Any, where: str, ours: Shape, theirs: Mapping[str, Any]) -> Iterator[str]:
    fields = {one.name: one for one in ours.fields}
    properties = {key: _resolved(document, one) for key, one in theirs.get("properties", {}).items()}
    for key in fields.keys() - properties.keys():
        yield f"{where}.{key}: not documented"
    for key, one in properties.items():
        if key in fields:
            needed = {**one, "needed": key in theirs.get("required", [])}
            yield from _compared(document, f"{where}.{key}", fields[key], needed)
        elif not one.get("readOnly"):
            yield f"{where}.{key}: missing"


def _resolved(document: Any, node: Mapping[str, Any]) -> dict[str, Any]:
    """A schema without references, and without the allOf of one."""
    found = dict(node)
    while "$ref" in found or len(found.get("allOf", [])) == 1:
        (inner,) = found.pop("allOf", None) or [found.pop("$ref")]
        target = inner
        if isinstance(target, Mapping):
            found = {**target, **found}
            continue
        target = document
        for part in inner.removeprefix("#/").split("/"):
            target = target[part]
        found = {**target, **found}
    return found


def test_names_are_told_apart_in_each_version() -> None:
    assert len({one.kebab for one in operations()}) == len(operations())
    for one in operations():
        for version in in_versions(one):
            names = [parameter.name for parameter in one.parameters if parameter.is_in(version)]
            assert len(names) == len(set(names)), one.name
            assert set(re.findall(r"{(\w+)}", one.path_in(version) or "")) == {
                parameter.name for parameter in one.takes(version).values() if parameter.place == "path"
            }
            assert set(one.any_of) <= set(names)


def test_locations_are_filled_in_wherever_one_is_named() -> None:
    named: list[Parameter] = [one for row in operations() for one in row.parameters if "location" in one.name.lower()]
    meetings = {"locationConfigurations", "meetingLocationType", "meetingLocationId", "overrideLocationConfig"}
    assert {one.name for one in named if one.location is None} == meetings
