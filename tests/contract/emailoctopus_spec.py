"""EmailOctopus's OpenAPI: its defects repaired, and where the live API or a switch of the sandbox departs from it."""

import re
from collections.abc import Iterable
from typing import Any

import httpx

from sync_daemon.sandbox.emailoctopus.quirks import Quirks
from tests.contract.openapi import SPECS, Contract, contract
from tests.plain import PLAIN

# Where the live API is known to differ from its own specification, and the sandbox follows the live API.
DEVIATIONS = {
    r"\$\.status: \d+ is not of type 'string'": "a problem's status is a number, though typed as a string",
    r"\$\.type: '/errors/401' is not one of": "without a key, the type of the 401 is a relative one (observed)",
    r"\$\.type: .*#out-of-limits' is not one of": "a plan's limit is told of in the introduction, for no operation",
}

# What the specification tells in its prose only, or leaves to whatever stands in front of the API.
PROSE = (
    r"Unknown response http status: (405|413|415|429|5\d\d)",
    r"DataValidationError: Content for the following mimetype not found: text/html",
    r"Server not found for https://api\.emailoctopus\.com/v2/",
)

# What a switch of the sandbox may do outside of the specification, because clients have to bear it.
OFF_SPEC_QUIRKS: list[tuple[str, Any, str]] = [
    ("counts_shape", "object", r"\.counts: .* is not of type 'array'"),
    ("conflict_slug", "already-exists", r"\$\.type: .*#already-exists' is not one of"),
    ("empty_fields", "array", r"\.fields: \[\] is not of type 'object'"),
    ("unset_fields", "null", r"\.fields\.\w+: None is not valid"),
    ("decimal_number", "stored", r"\.fields\.\w+: \d+\.\d+ is not valid"),
    ("last_page", "null", r"\$\.paging\.next: None is not of type 'object'"),
    ("last_page", "array", r"\$\.paging\.next: \[\] is not of type 'object'"),
    ("last_page", "paging_array", r"\$\.paging: \[\] is not of type 'object'"),
    ("suppressed_reads_as", "own", r"\.status: '(bounced|complained)' is not one of"),
]


def spec() -> Contract:
    """Give the specification; no object may have other properties than the documented ones."""
    return contract("emailoctopus-v2-openapi.json", _defects, closed=True)


def unexplained(violations: Iterable[str], quirks: Quirks) -> list[str]:
    """Leave out what is known to differ, and what the switches ask for as they stand."""
    asked_for = [pattern for name, value, pattern in OFF_SPEC_QUIRKS if getattr(quirks, name) == value]
    known = (*DEVIATIONS, *PROSE, *asked_for)
    return [each for each in violations if not any(re.search(pattern, each) for pattern in known)]


class Witness(httpx.BaseTransport):
    """Carries requests, and fails a test as soon as a request or its answer isn't as documented.

    Where the specification doesn't exist it only carries: tests marked `needs_specs` are skipped and say so.
    """

    def __init__(self, quirks: Quirks, tolerated: str) -> None:
        self._wire = httpx.HTTPTransport(verify=PLAIN)
        self._quirks = quirks
        self._tolerated = re.compile(tolerated)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        response = self._wire.handle_request(request)
        if SPECS.is_dir():
            self._check(request, response)
        return response

    def close(self) -> None:
        self._wire.close()

    def _check(self, request: httpx.Request, response: httpx.Response) -> None:
        response.request = request
        violations = spec().request_violations(request) + spec().response_violations(response)
        found = [each for each in unexplained(violations, self._quirks) if not self._tolerated.search(each)]
        assert found == [], f"{request.method} {request.url.path} {response.status_code}"


def _defects(schema: dict[str, Any]) -> dict[str, Any] | None:
    """Repair what isn't JSON Schema: types "Array of strings", "int" and null, defaults that are quoted."""
    kind = schema.get("type")
    if kind == "integer" and isinstance(schema.get("default"), str):
        return {**schema, "default": int(schema["default"])}
    if kind == "Array of strings":
        return {**schema, "type": "array", "items": {"type": "string"}}
    if kind == "int":
        return {**schema, "type": "integer"}
    if isinstance(kind, list) and None in kind:
        return {**schema, "type": ["null" if each is None else each for each in kind]}
    return None
