"""The outside world over HTTP, under /_sandbox: what the methods of the world do, without tokens, limits or weather."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sync_daemon.sandbox.control import call
from sync_daemon.sandbox.ghl import contact_documents
from sync_daemon.sandbox.ghl.contact import Contact
from sync_daemon.sandbox.ghl.contact_documents import Style
from sync_daemon.sandbox.ghl.errors import ApiError
from sync_daemon.sandbox.ghl.location import Location
from sync_daemon.sandbox.ghl.routes.by_hand import Added, Edited, entered
from sync_daemon.sandbox.ghl.world import GhlWorld

_ON_CONTACT = (
    "merge",
    "add_tags",
    "remove_tags",
    "add_email",
    "add_phone",
    "touch",
    "set_dnd",
    "set_dnd_all",
    "unsubscribe",
    "complain",
    "bounce",
    "add_note",
    "edit_note",
    "delete_note",
    "add_task",
    "book",
)
_ON_ACCOUNT = (
    "complete_task",
    "move_task",
    "delete_task",
    "set_appointment",
    "delete_appointment",
    "add_field",
    "delete_field",
    "add_user",
    "add_calendar",
    "add_workflow",
    "add_campaign",
    "add_business",
    "private_token",
    "expire_token",
    "add_app",
    "open_location",
    "change_location",
)
_TARGETS = {"merge": "winner_id"}


class Outside:
    """The endpoints over one world. Actions name a method of the world and give its arguments as a JSON object."""

    def __init__(self, world: GhlWorld) -> None:
        self._world = world

    async def contacts(self, request: Request) -> Response:
        """GET every contact of every location as it is now; POST the fields of one that somebody adds."""
        if request.method == "POST":
            fields = entered(await request.body(), Added)
            _check_custom(self._world.location_of(fields.get("location_id")), fields)
            return _json(self._shown(self._world.create(**fields)))
        return _json([self._shown(contact) for contact in self._world.contacts])

    async def contact(self, request: Request) -> Response:
        """GET one contact, PATCH its fields, DELETE it."""
        contact_id = request.path_params["contact_id"]
        if request.method == "DELETE":
            self._world.delete(_found(self._world, contact_id).id)
            return _json({})
        contact = _found(self._world, contact_id)
        if request.method == "PATCH":
            fields = entered(await request.body(), Edited)
            _check_custom(self._world.locations[contact.location_id], fields)
            contact = self._world.edit(contact_id, **fields)
        return _json(self._shown(contact))

    async def on_contact(self, request: Request) -> Response:
        """POST something that happens to one contact; an unknown action is answered with all there are."""
        contact = _found(self._world, request.path_params["contact_id"])
        action = _allowed(request.path_params["action"], _ON_CONTACT)
        target = {_TARGETS.get(action, "contact_id"): contact.id}
        return await self._act(request, action, **target)

    async def on_account(self, request: Request) -> Response:
        """POST something that happens to the account, a task or an appointment; an unknown action: all there are."""
        action = _allowed(request.path_params["action"], _ON_ACCOUNT)
        return await self._act(request, action)

    async def enrolments(self, _request: Request) -> Response:
        """GET who entered which workflow."""
        return _json(self._world.enrolments)

    async def _act(self, request: Request, action: str, **target: str) -> Response:
        raw = await request.body()
        arguments = msgspec.json.decode(raw, type=dict[str, Any]) if raw else {}
        try:
            outcome = call(getattr(self._world, action), {**arguments, **target})
        except ApiError as error:  # a record that doesn't exist, in the API's words
            raise LookupError((error.body or {}).get("message") or (error.body or {}).get("error")) from None
        return _json(self._shown(outcome))

    def _shown(self, outcome: Any) -> Any:
        if isinstance(outcome, Contact):
            location = self._world.locations[outcome.location_id]
            return contact_documents.by_id(outcome, Style(location, self._world.quirks, v3=False))
        return {"id": outcome} if isinstance(outcome, str) else outcome


def outside_routes(world: GhlWorld) -> list[Route]:
    """Give the routes, to be mounted under /_sandbox."""
    outside = Outside(world)
    return [
        Route("/contacts", outside.contacts, methods=["GET", "POST"]),
        Route("/contacts/{contact_id}", outside.contact, methods=["GET", "PATCH", "DELETE"]),
        Route("/contacts/{contact_id}/{action}", outside.on_contact, methods=["POST"]),
        Route("/account/{action}", outside.on_account, methods=["POST"]),
        Route("/enrolments", outside.enrolments, methods=["GET"]),
    ]


def _found(world: GhlWorld, contact_id: str) -> Contact:
    try:
        return world.contacts.get(contact_id)
    except ApiError:
        raise KeyError(f"No location has a contact {contact_id}.") from None


def _allowed(action: str, allowed: tuple[str, ...]) -> str:
    if action not in allowed:
        raise ValueError(f"There is no {action} here; there are {', '.join(allowed)}.")
    return action


def _check_custom(location: Location, fields: dict[str, Any]) -> None:
    for reference in fields.get("custom", {}):
        if location.find_field(reference, long_keys=True) is None:
            raise ValueError(f"The location has no custom field {reference}; add it with /_sandbox/account/add_field.")


def _json(content: Any) -> Response:
    return Response(msgspec.json.encode(content), media_type="application/json")
