"""The control routes of webhooks, under /_sandbox/webhooks."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sync_daemon.sandbox.webhooks.webhooks import Webhooks


class _WebhookControl:
    """The endpoints over one API's webhooks."""

    def __init__(self, webhooks: Webhooks[Any]) -> None:
        self._webhooks = webhooks

    async def settings(self, request: Request) -> Response:
        """GET where webhooks go, how they are repeated, and their weather; PUT what changes (no url, no webhooks)."""
        if request.method == "PUT":
            self._webhooks.set(**msgspec.json.decode(await request.body(), type=dict[str, Any]))
        return JSONResponse(msgspec.to_builtins(self._webhooks.settings))

    async def key(self, _request: Request) -> Response:
        """GET what a receiver checks signatures with."""
        return JSONResponse({"key": self._webhooks.key})

    async def deliveries(self, request: Request) -> Response:
        """GET what was sent, when, and what was answered, with ?after=NUMBER only newer ones; DELETE to forget it."""
        if request.method == "DELETE":
            self._webhooks.forget()
        after = request.query_params.get("after", "0")
        if not (after.isascii() and after.isdigit()):
            raise ValueError(f"after must be a whole number, the number of a delivery, not {after!r}.")
        total, deliveries = self._webhooks.deliveries(int(after))
        return JSONResponse({"total": total, "deliveries": deliveries})

    async def flush(self, _request: Request) -> Response:
        """POST to send everything that waits now: what is buffered, delayed, or to be repeated later."""
        return JSONResponse({"sent": self._webhooks.flush()})


def webhook_routes(webhooks: Webhooks[Any]) -> list[Route]:
    """Give the routes, to be mounted under /_sandbox."""
    control = _WebhookControl(webhooks)
    return [
        Route("/webhooks", control.settings, methods=["GET", "PUT"]),
        Route("/webhooks/key", control.key, methods=["GET"]),
        Route("/webhooks/deliveries", control.deliveries, methods=["GET", "DELETE"]),
        Route("/webhooks/flush", control.flush, methods=["POST"]),
    ]
