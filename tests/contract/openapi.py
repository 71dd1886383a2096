"""Checks one request and its response against an official OpenAPI specification.

The specifications lie beside the repository (`../shared/specs`); a test that needs them carries `needs_specs`
and is skipped, with the reason, where that folder is missing.
"""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue
from werkzeug.datastructures import Headers, ImmutableMultiDict

SPECS = Path(__file__).parents[3] / "shared" / "specs"

needs_specs = pytest.mark.skipif(
    not SPECS.is_dir(), reason=f"NOT CHECKED: the official OpenAPI specifications are not in {SPECS}"
)

Repair = Callable[[dict[str, Any]], dict[str, Any] | None]


class _Request:
    """An httpx request as openapi-core wants to see it, with the specification's own server as its host."""

    def __init__(self, request: httpx.Request, server: str) -> None:
        self.host_url = server
        self.path = request.url.raw_path.decode().partition("?")[0]
        self.method = request.method.lower()
        self.body = request.read() or None
        self.content_type = request.headers.get("content-type", "").lower()
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(request.url.params.multi_items()),
            header=Headers(list(request.headers.items())),
        )


class _Response:
    def __init__(self, response: httpx.Response) -> None:
        self.status_code = response.status_code
        self.data = response.read() or None
        self.content_type = response.headers.get("content-type", "").lower()
        self.headers = Headers(list(response.headers.items()))


class Contract:
    """One specification. `closed` treats every object as having no other properties than the documented ones."""

    def __init__(self, spec: dict[str, Any], base_uri: str, *, closed: bool) -> None:
        policy: Literal["allow", "forbid"] = "forbid" if closed else "allow"
        # None: the specifications are checked against, not checked themselves
        config = Config(spec_validator_cls=None, additional_properties_default_policy=policy)
        self._api = OpenAPI.from_dict(spec, config=config, base_uri=base_uri)
        self._server = spec["servers"][0]["url"]
        self._paths: dict[str, dict[str, Any]] = spec["paths"]
        self._judged: dict[tuple[object, ...], list[str]] = {}

    def operations(self) -> dict[tuple[str, str], set[int]]:
        """Give every operation, as method and path, with the statuses it documents."""
        return {
            (method.upper(), path): {int(status) for status in operation["responses"]}
            for path, item in self._paths.items()
            for method, operation in item.items()
            if method in ("get", "post", "put", "patch", "delete")
        }

    def request_violations(self, request: httpx.Request) -> list[str]:
        """Say what in a request isn't as documented."""
        seen = _seen_of(request)
        if seen not in self._judged:
            self._judged[seen] = list(_worded(self._api.iter_request_errors(_Request(request, self._server))))
        return self._judged[seen]

    def response_violations(self, response: httpx.Response) -> list[str]:
        """Say what in a response isn't as documented for its request."""
        seen = (*_seen_of(response.request), response.status_code, response.read(), _headers(response))
        if seen not in self._judged:
            asked = _Request(response.request, self._server)
            self._judged[seen] = list(_worded(self._api.iter_response_errors(asked, _Response(response))))
        return self._judged[seen]


def _seen_of(request: httpx.Request) -> tuple[object, ...]:
    """All that the judgement about a request depends on: tests repeat most of what they send."""
    return request.method, request.url.raw_path, request.read(), _headers(request)


def _headers(message: httpx.Request | httpx.Response) -> tuple[tuple[str, str], ...]:
    """All but what no specification names and each server and second changes."""
    return tuple((name, value) for name, value in message.headers.items() if name not in ("host", "date"))


@cache
def contract(name: str, repair: Repair = lambda schema: schema, *, closed: bool = False) -> Contract:
    """Load a specification by its path under the specs folder.

    `repair` sees each JSON object of it and may give back another one: for a specification's own defects.
    """
    path = SPECS / name
    spec = repaired(json.loads(path.read_text()), repair)
    return Contract(spec, path.as_uri(), closed=closed)


def repaired(node: Any, repair: Repair) -> Any:
    if isinstance(node, list):
        return [repaired(each, repair) for each in node]
    if not isinstance(node, dict):
        return node
    known = repair(node)
    return {key: repaired(value, repair) for key, value in (node if known is None else known).items()}


def _worded(errors: Iterator[Exception]) -> Iterator[str]:
    for error in errors:
        cause = error.__cause__
        if isinstance(cause, InvalidSchemaValue):
            yield from (f"{each.json_path}: {each.message}" for each in cause.schema_errors)  # type: ignore[attr-defined]  # jsonschema's errors, typed as any exception
        else:
            yield f"{error}: {cause}" if cause is not None else str(error)
