"""The outside world over HTTP, under /_sandbox: what the methods of the world do, without keys, limits or weather."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sync_daemon.sandbox.control import call
from sync_daemon.sandbox.emailoctopus.calls import json_response
from sync_daemon.sandbox.emailoctopus.errors import ProblemError
from sync_daemon.sandbox.emailoctopus.model import Contact
from sync_daemon.sandbox.emailoctopus.rendering import contact_json, list_json
from sync_daemon.sandbox.emailoctopus.world import EmailOctopusWorld

_ON_CONTACT = (
    "confirm",
    "unsubscribe",
    "complain",
    "bounce",
    "open_mail",
    "click",
    "edit",
    "change_address",
    "add_tags",
    "remove_tags",
    "set_status",
    "delete",
)
_ON_LIST = (
    "sign_up",
    "add",
    "import_rows",
    "set_double_opt_in",
    "add_field",
    "rename_field",
    "delete_field",
    "rename_tag",
    "delete_tag",
    "create_automation",
)
_ON_ACCOUNT = ("create_list", "create_campaign", "send_campaign")


class Outside:
    """The endpoints over one world. Each names a method of the world and gives its arguments as a JSON object."""

    def __init__(self, world: EmailOctopusWorld) -> None:
        self._world = world

    async def lists(self, _request: Request) -> Response:
        """GET every list, however its quirks would show it to a client."""
        return json_response([list_json(each, self._world) for each in self._world.lists.values()])

    async def contacts(self, _request: Request) -> Response:
        """GET every contact of every list, also those that no listing shows."""
        world = self._world
        return json_response([self._written(each) for one in world.lists.values() for each in one.contacts])

    async def contact(self, request: Request) -> Response:
        """GET one contact by its id."""
        return json_response(self._written(self._world.contact(request.path_params["contact_id"])))

    async def on_contact(self, request: Request) -> Response:
        """POST something that happens to one contact; an unknown action is answered with all there are."""
        return await self._act(request, _ON_CONTACT, contact_id=request.path_params["contact_id"])

    async def on_list(self, request: Request) -> Response:
        """POST something that happens to one list; an unknown action is answered with all there are."""
        return await self._act(request, _ON_LIST, list_id=request.path_params["list_id"])

    async def on_account(self, request: Request) -> Response:
        """POST something that happens to the account; an unknown action is answered with all there are."""
        return await self._act(request, _ON_ACCOUNT)

    async def automation_starts(self, _request: Request) -> Response:
        """GET who entered which automation."""
        return json_response(self._world.automations.starts)

    async def _act(self, request: Request, allowed: tuple[str, ...], **target: str) -> Response:
        action = request.path_params["action"]
        if action not in allowed:
            raise ValueError(f"There is no {action} here; there are {', '.join(allowed)}.")
        try:
            outcome = call(getattr(self._world, action), {**await _arguments(request), **target})
        except ProblemError as problem:  # a full plan: the dashboard and forms refuse as the API does
            raise ValueError(problem.detail) from problem
        return json_response(self._shown(outcome))

    def _shown(self, outcome: Any) -> Any:
        if isinstance(outcome, Contact):
            return self._written(outcome)
        if isinstance(outcome, list):
            return [self._shown(each) for each in outcome]
        return {"id": outcome.id} if hasattr(outcome, "id") else {}

    def _written(self, contact: Contact) -> dict[str, Any]:
        mailing_list = self._world.lists[contact.list_id]
        written = contact_json(contact, mailing_list, self._world.quirks)
        return {**written, "list_id": contact.list_id, "suppressed": contact.suppressed}


def outside_routes(world: EmailOctopusWorld) -> list[Route]:
    """Give the routes, to be mounted under /_sandbox."""
    outside = Outside(world)
    return [
        Route("/lists", outside.lists, methods=["GET"]),
        Route("/contacts", outside.contacts, methods=["GET"]),
        Route("/automation-starts", outside.automation_starts, methods=["GET"]),
        Route("/contacts/{contact_id}", outside.contact, methods=["GET"]),
        Route("/contacts/{contact_id}/{action}", outside.on_contact, methods=["POST"]),
        Route("/lists/{list_id}/{action}", outside.on_list, methods=["POST"]),
        Route("/account/{action}", outside.on_account, methods=["POST"]),
    ]


async def _arguments(request: Request) -> dict[str, Any]:
    raw = await request.body()
    return msgspec.json.decode(raw, type=dict[str, Any]) if raw else {}
