"""The API as an application: which operation answers which path (documented: the specs of contacts, locations,
calendars, users, workflows, campaigns and oauth).
"""

import re

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sync_daemon.sandbox import control
from sync_daemon.sandbox.context import Context
from sync_daemon.sandbox.ghl.calls import Operation, endpoint, error_response
from sync_daemon.sandbox.ghl.errors import unauthorized, unknown_path
from sync_daemon.sandbox.ghl.routes import (
    activities,
    appointment_notes,
    calendars,
    contact_lists,
    contacts,
    custom_fields,
    events,
    locations,
    oauth,
)
from sync_daemon.sandbox.ghl.routes.outside import outside_routes
from sync_daemon.sandbox.ghl.world import GhlWorld
from sync_daemon.sandbox.middleware import Gate

OPERATIONS: dict[str, dict[str, Operation]] = {
    **contacts.OPERATIONS,
    **contact_lists.OPERATIONS,
    **activities.OPERATIONS,
    **custom_fields.OPERATIONS,
    **locations.OPERATIONS,
    **events.OPERATIONS,
    **appointment_notes.OPERATIONS,
    **calendars.OPERATIONS,
    **oauth.OPERATIONS,
}
"""Path -> method -> operation; of two paths that fit, the earlier one answers."""

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def build_app(context: Context[GhlWorld]) -> Gate:
    """Put the operations, the control routes and the outside world behind the gate of limits and weather."""
    world = context.world
    routes: list[BaseRoute] = [
        Route(path, endpoint(context, operations), methods=_METHODS) for path, operations in OPERATIONS.items()
    ]
    routes += [
        Route("/oauth/token", oauth.token_endpoint(world), methods=["POST"]),
        Route("/v2/oauth/chooselocation", oauth.consent_page(world), methods=["GET"]),
        Route("/oauth/chooselocation", oauth.consent_page(world), methods=["GET"]),
        control.mount(context, outside_routes(world)),
    ]

    async def refused(request: Request, _error: Exception) -> Response:
        miscased = any(path.fullmatch(request.url.path) for path in _PATHS)
        return error_response(world, unauthorized("Unauthorized") if miscased else unknown_path())

    app = Starlette(routes=routes, exception_handlers={HTTPException: refused})
    app.router.redirect_slashes = False
    return Gate(app, context)


_PATHS = [re.compile(re.sub(r"\{\w+\}", "[^/]+", path), re.IGNORECASE) for path in OPERATIONS]
"""What a path with wrong letter case fits; that answers 401 (observed)."""
