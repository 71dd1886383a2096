"""One request of a client: who asks, for what, with which parameters and body; and how it is answered."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from sync_daemon.sandbox.emailoctopus.errors import ProblemError, bad_parameter, missing_key
from sync_daemon.sandbox.emailoctopus.model import Contact
from sync_daemon.sandbox.emailoctopus.state import MailingList
from sync_daemon.sandbox.emailoctopus.world import EmailOctopusWorld

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LIMIT = re.compile(r"[0-9]{1,3}")
_MD5 = re.compile(r"[0-9a-fA-F]{32}")


@dataclass(frozen=True, slots=True)
class Call:
    """A request that has a key and, where it needs one, a JSON object as its body."""

    world: EmailOctopusWorld
    path: dict[str, str]
    query: QueryParams
    body: dict[str, Any]
    url: str  # scheme, host and path, for the next page's address

    def uuid(self, name: str) -> str:
        """Read an id from the path; raises 400 when it is none, 403 when it is another account's."""
        value = self.path[name]
        if _UUID.fullmatch(value) is None:
            raise bad_parameter(name, "This value is not a valid UUID.")
        if value in self.world.foreign_ids:
            raise ProblemError(403)
        return value.lower()

    def mailing_list(self) -> MailingList:
        """Find the list that the path names; raises 404."""
        found = self.world.lists.get(self.uuid("list_id"))
        if found is None:
            raise ProblemError(404)
        return found

    def contact(self, mailing_list: MailingList) -> Contact:
        """Find the contact that the path names by UUID or MD5; raises 400 or 404."""
        key = self.path["contact_id"]
        if _UUID.fullmatch(key) is None and _MD5.fullmatch(key) is None:
            raise bad_parameter("contact_id", "This value is not a valid UUID.")
        found = mailing_list.contacts.find(key.lower())
        if found is None:
            raise ProblemError(404)
        return found

    def limit(self) -> int:
        """Read how many rows a page may have, 1 to 100; raises 400."""
        text = self.query.get("limit", "100")
        if _LIMIT.fullmatch(text) is None or not 1 <= int(text) <= 100:
            raise bad_parameter("limit", "This value should be between 1 and 100.")
        return int(text)

    def choice(self, name: str, choices: tuple[str, ...], default: str | None = None) -> str:
        """Read a parameter that knows only some values; raises 400."""
        value = self.query.get(name, default)
        if value is None:
            raise bad_parameter(name, "This value should not be blank.")
        if value not in choices:
            raise bad_parameter(name, "The value you selected is not a valid choice.")
        return value

    def moment(self, name: str, default: float) -> float:
        """Read a time in ISO 8601, as UTC where it has no offset; raises 400."""
        text = self.query.get(name)
        if text is None:
            return default
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise bad_parameter(name, "This value is not a valid datetime.") from None
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


Handler = Callable[[Call], Response]


def endpoint(world: EmailOctopusWorld, handlers: Mapping[str, Handler]) -> Callable[[Request], Awaitable[Response]]:
    """Turn one plain function for each method into an endpoint that checks key and body and writes problems."""

    async def answer(request: Request) -> Response:
        try:
            _demand_key(world, request.headers.get("authorization"))
            writes = request.method in ("POST", "PUT")
            body = _json_object(request, await request.body()) if writes else {}
            url = f"{request.url.scheme}://{request.url.netloc}{request.url.path}"
            handler = handlers["GET" if request.method == "HEAD" else request.method]
            world.cause = "api"
            return handler(Call(world, request.path_params, request.query_params, body, url))
        except ProblemError as problem:
            return problem_response(problem)
        finally:
            world.cause = "outside"

    return answer


def json_response(content: Any, status: int = 200) -> Response:
    """Answer with JSON."""
    return Response(msgspec.json.encode(content), status, media_type="application/json")


def problem_response(problem: ProblemError, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a problem; it is plain JSON, not problem+json (observed)."""
    return Response(problem.body(), problem.status, headers, media_type="application/json")


def no_content() -> Response:
    """Answer that it is done."""
    return Response(status_code=204)


def _demand_key(world: EmailOctopusWorld, header: str | None) -> None:
    if not header:
        raise missing_key()
    scheme, _, key = header.partition(" ")
    if scheme.lower() != "bearer" or key.strip() not in world.api_keys:
        raise ProblemError(401)


def _json_object(request: Request, raw: bytes) -> dict[str, Any]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ProblemError(415)
    try:
        body = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        raise ProblemError(400) from None
    if not isinstance(body, dict):
        raise ProblemError(400)
    return body
