"""The control routes under /_sandbox: weather, faults, quirks, limits, webhooks, the request log and the clock.

They ask for no token and feel neither limits nor weather. The routes by which the outside world acts stand in
each API's folder.
"""

from collections.abc import Callable
from inspect import signature
from typing import Any, get_type_hints

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from sync_daemon.sandbox.changing import change
from sync_daemon.sandbox.clock import ManualClock
from sync_daemon.sandbox.context import Context
from sync_daemon.sandbox.middleware import CONTROL
from sync_daemon.sandbox.weather import Fault, Weather
from sync_daemon.sandbox.webhooks.routes import webhook_routes


class Advance(msgspec.Struct, forbid_unknown_fields=True):
    """How far to move the clock."""

    seconds: float


class LogSettings(msgspec.Struct, forbid_unknown_fields=True):
    """Whether bodies are kept."""

    recording: bool


class Control:
    """The endpoints over one API's context."""

    def __init__(self, context: Context[Any]) -> None:
        self._context = context

    async def weather(self, request: Request) -> Response:
        """GET the weather; PUT a new one (what isn't named becomes fair)."""
        if request.method == "PUT":
            fresh = msgspec.json.decode(await request.body(), type=Weather)
            change(self._context.weather, msgspec.to_builtins(fresh))
        return JSONResponse(msgspec.to_builtins(self._context.weather))

    async def faults(self, request: Request) -> Response:
        """POST faults to the end of the script; DELETE what is left of it."""
        faults = self._context.weather.faults
        if request.method == "DELETE":
            faults.clear()
        else:
            faults.extend(msgspec.json.decode(await request.body(), type=list[Fault]))
        return JSONResponse(msgspec.to_builtins(faults))

    async def quirks(self, request: Request) -> Response:
        """GET the switches; PUT those that change."""
        quirks = self._context.world.quirks
        if request.method == "PUT":
            change(quirks, msgspec.json.decode(await request.body(), type=dict[str, Any]))
        return JSONResponse(msgspec.to_builtins(quirks))

    async def limits(self, request: Request) -> Response:
        """GET the limits' figures, and whether they hold; PUT those that change."""
        limits = self._context.limiter.settings
        if request.method == "PUT":
            change(limits, msgspec.json.decode(await request.body(), type=dict[str, Any]))
        return JSONResponse(msgspec.to_builtins(limits))

    async def requests(self, request: Request) -> Response:
        """GET the log; PUT whether bodies are kept; DELETE to start anew."""
        log = self._context.log
        if request.method == "PUT":
            log.recording = msgspec.json.decode(await request.body(), type=LogSettings).recording
        if request.method == "DELETE":
            log.clear()
        exchanges = msgspec.to_builtins(log.exchanges())
        return JSONResponse({"total": log.total, "recording": log.recording, "requests": exchanges})

    async def advance(self, request: Request) -> Response:
        """POST how many seconds a clock that stands still moves on."""
        clock = self._context.clock
        if not isinstance(clock, ManualClock):
            raise TypeError("This sandbox runs on the machine's clock, which can't be moved.")
        clock.advance(msgspec.json.decode(await request.body(), type=Advance).seconds)
        return JSONResponse({"now": clock.now().isoformat()})


def call(action: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Call a method of a world with arguments from JSON, checked by the method's own annotations.

    Raises TypeError for a wrong or missing name, and a ValidationError (a ValueError) for a wrong value.
    """
    known = signature(action).parameters
    unknown = sorted(arguments.keys() - known.keys())
    if unknown:
        raise TypeError(f"{action.__name__} takes no {', '.join(unknown)}, but {', '.join(known)}.")
    hints = get_type_hints(action)
    return action(**{name: msgspec.convert(value, hints[name]) for name, value in arguments.items()})


def mount(context: Context[Any], outside: list[Route]) -> Mount:
    """Give everything under /_sandbox: the control routes and an API's own routes for the outside world.

    `GET /_sandbox` lists them, each with what it does.
    """
    control = Control(context)
    routes = [
        Route("/weather", control.weather, methods=["GET", "PUT"]),
        Route("/faults", control.faults, methods=["POST", "DELETE"]),
        Route("/quirks", control.quirks, methods=["GET", "PUT"]),
        Route("/limits", control.limits, methods=["GET", "PUT"]),
        Route("/requests", control.requests, methods=["GET", "PUT", "DELETE"]),
        Route("/clock/advance", control.advance, methods=["POST"]),
    ]
    routes += webhook_routes(context.webhooks) + outside
    known = {_named(one): (one.endpoint.__doc__ or "").partition("\n")[0] for one in routes}

    async def index(_request: Request) -> Response:
        return JSONResponse(known)

    async def lost(request: Request, _error: Exception) -> Response:
        said = f"There is no {request.method} {request.url.path}; there are {', '.join(known)}."
        return JSONResponse({"error": said}, status_code=404)

    refusals = dict.fromkeys((msgspec.MsgspecError, ValueError, TypeError, LookupError), _refused)
    there = [Route("/", index, methods=["GET"]), *routes]
    return Mount(CONTROL, app=Starlette(routes=there, exception_handlers={**refusals, HTTPException: lost}))


def _named(route: Route) -> str:
    return f"{'/'.join(sorted((route.methods or set()) - {'HEAD'}))} {CONTROL}{route.path}"


async def _refused(_request: Request, error: Exception) -> Response:
    return JSONResponse({"error": _said(error)}, status_code=400)


def _said(error: Exception) -> str:
    """Give an error's sentence; a look-up that failed holds only what was looked for."""
    if not isinstance(error, KeyError):
        return str(error)
    looked_for = str(error.args[0])
    return looked_for if " " in looked_for else f"There is no {looked_for!r} here."
