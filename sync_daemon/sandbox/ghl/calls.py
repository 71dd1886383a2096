"""One request of a client: its version, token, parameters and body, checked in GHL's order; and the answer."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from sync_daemon.sandbox.context import Context
from sync_daemon.sandbox.ghl.accounts import Grant
from sync_daemon.sandbox.ghl.contact import Contact
from sync_daemon.sandbox.ghl.contact_documents import Style
from sync_daemon.sandbox.ghl.errors import (
    ApiError,
    bad_request,
    forbidden,
    no_access_to_location,
    refusal,
    removed_in_v3,
    unauthorized,
    unknown_path,
    unprocessable,
)
from sync_daemon.sandbox.ghl.location import Location
from sync_daemon.sandbox.ghl.world import GhlWorld

Version = Literal["2021-07-28", "2021-04-15"]
ANY_VERSION = frozenset({"v3", "2023-02-21", "2021-07-28", "2021-04-15", "legacy"})  # the vendor's list
V3 = "v3"


@dataclass(frozen=True, slots=True)
class Call:
    """A request that may go on: who asks (`grant`), where, with what. `body` is {} where none is sent."""

    world: GhlWorld
    context: Context[GhlWorld]
    grant: Grant
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: dict[str, Any]
    v3: bool
    url: str  # scheme, host and path

    @property
    def location(self) -> Location:
        """The location of the token; agency tokens never come to routes that ask for it."""
        return self.world.locations[self.grant.location_id or ""]

    @property
    def style(self) -> Style:
        """What the shape of a contact in the answer depends on."""
        return Style(self.location, self.world.quirks, self.v3)

    def contact(self) -> Contact:
        """Find the contact that the path names. Raises ApiError 400, or 403 for another location's."""
        return self.contact_named(self.path["contactId"])

    def contact_named(self, contact_id: str) -> Contact:
        """Find a contact of the token's location. Raises ApiError 400, or 403 for another location's."""
        contact = self.world.contacts.get(contact_id)
        if contact.location_id != self.grant.location_id:
            raise no_access_to_location()
        return contact

    def required(self, *names: str) -> None:
        """Refuse a query that lacks a parameter, with 422."""
        missing = [f"{name} should not be empty" for name in names if not self.query.get(name)]
        if missing:
            raise unprocessable(missing)

    def whole(self, name: str, default: int, low: int = 0, high: int = 2**53) -> int:
        """Read a whole number from the query. Raises ApiError 422."""
        text = self.query.get(name) or str(default)
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise unprocessable([f"{name} must be a number between {low} and {high}"])
        return int(text)

    def done(self, *, both: bool = True) -> dict[str, Any]:
        """Give the success flag in the version's spelling; v3 mostly sends both."""
        if not self.v3:
            return {"succeded": True}
        return {"succeeded": True, "succeded": True} if both else {"succeeded": True}


Answer = tuple[int, dict[str, Any]]
Run = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path, and what it asks of the caller.

    `names_location` says where the location id must stand; `access` which kind of token may come: `app` is an
    agency's token of an installed app, no private one. `since_v3` marks a path that older versions don't know,
    `form` a body that is no JSON.
    """

    run: Run
    scope: str = ""
    version: Version = "2021-07-28"
    access: Literal["location", "any", "app"] = "location"
    names_location: Literal["", "query", "body"] = ""
    removed_in_v3: bool = False
    since_v3: bool = False
    form: bool = False
    traced: bool = True


def endpoint(
    context: Context[GhlWorld], operations: Mapping[str, Operation]
) -> Callable[[Request], Awaitable[Response]]:
    """Turn the operations of one path, by method, into an endpoint."""
    world = context.world

    async def answer(request: Request) -> Response:
        try:
            operation = operations.get(request.method)
            if operation is None:
                raise unknown_path()
            version = request.headers.get("version", "")
            _check_version(operation, version, strict=world.quirks.strict_versions)
            grant = _granted(world, operation, request.headers.get("authorization", ""))
            body = (form_object if operation.form else json_object)(request, await request.body())
            call = Call(
                world,
                context,
                grant,
                request.path_params,
                request.query_params,
                body,
                version == V3,
                f"{request.url.scheme}://{request.url.netloc}{request.url.path}",
            )
            _check_location(call, operation)
            status, content = operation.run(call)
        except ApiError as error:
            return error_response(world, error)
        return json_response(world, status, content, traced=operation.traced)

    return answer


def json_response(world: GhlWorld, status: int, content: dict[str, Any], *, traced: bool = True) -> Response:
    """Answer with JSON; nearly every answer carries a traceId (documented)."""
    if traced:
        content["traceId"] = world.ids.trace()
    return Response(msgspec.json.encode(content), status, media_type="application/json")


def error_response(world: GhlWorld, error: ApiError) -> Response:
    """Answer with a refusal."""
    if error.body is None:
        return Response(status_code=error.status)
    return json_response(world, error.status, dict(error.body))


def json_object(request: Request, raw: bytes) -> dict[str, Any]:
    """Read a JSON body; what isn't declared as JSON is not read at all. Raises ApiError 400."""
    if not raw or request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return {}
    try:
        body = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        raise bad_request("The body is not valid JSON") from None
    if not isinstance(body, dict):
        raise bad_request("The body must be a JSON object")
    return body


def form_object(request: Request, raw: bytes) -> dict[str, Any]:
    """Read a form; what isn't declared as one is not read at all."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return {}
    return dict(parse_qsl(raw.decode(errors="replace")))


def _check_version(operation: Operation, version: str, *, strict: bool) -> None:
    allowed = {operation.version, "2023-02-21", V3} if strict else ANY_VERSION
    if not version:
        raise unauthorized("version header was not found.")
    if version not in allowed:
        raise unauthorized("version header is invalid")
    if operation.removed_in_v3 and version == V3:
        raise removed_in_v3()
    if operation.since_v3 and version != V3:
        raise unknown_path()


def _granted(world: GhlWorld, operation: Operation, header: str) -> Grant:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise unauthorized("Invalid token: access token is invalid")
    grant = world.accounts.grant_of(token.strip())
    agency = grant.user_type == "Company"
    if agency and operation.access == "location":
        raise forbidden("Forbidden resource")
    if operation.access == "app" and not (agency and grant.app_id):
        raise forbidden("Forbidden resource")
    if operation.scope and operation.scope not in grant.scopes:
        raise unauthorized("The token is not authorized for this scope.")
    return grant


def _check_location(call: Call, operation: Operation) -> None:
    named = call.path.get("locationId")
    if operation.names_location:
        source: Mapping[str, Any] = call.query if operation.names_location == "query" else call.body
        named = source.get("locationId")
        if not named:
            status = call.world.quirks.missing_location_status
            if status == 403:
                raise no_access_to_location()
            raise refusal(422, ["locationId should not be empty"])
    if named is not None and call.grant.location_id is not None and named != call.grant.location_id:
        raise no_access_to_location()
