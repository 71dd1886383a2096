"""The smallest API there is: one counter behind the sandbox's gate, so that the frame is tested by itself."""

import json
from dataclasses import dataclass, field
from random import Random

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sync_daemon.sandbox import control
from sync_daemon.sandbox.clock import Clock, ManualClock
from sync_daemon.sandbox.context import Context
from sync_daemon.sandbox.limits import GhlWindow, Limiter
from sync_daemon.sandbox.middleware import Gate
from sync_daemon.sandbox.webhooks.deliveries import Event, Parcel, Told
from sync_daemon.sandbox.webhooks.settings import WebhookSettings
from sync_daemon.sandbox.webhooks.webhooks import Webhooks


@dataclass
class Switches:
    shouting: bool = False
    times: int = 1


@dataclass
class Counter:
    quirks: Switches = field(default_factory=Switches)
    count: int = 0


class CountWebhooks(Webhooks[WebhookSettings]):
    """Tells every number, in arrays of at most `most` of them."""

    buffer_s = 0.0
    most = 1
    watching = False

    def __init__(self, seed: int) -> None:
        super().__init__(f"{seed} count webhooks", WebhookSettings())

    @property
    def key(self) -> str:
        return "none"

    def watch(self, *, on: bool) -> None:
        self.watching = on

    def write(self, parcel: Parcel) -> tuple[bytes, dict[str, str]]:
        return json.dumps([content["n"] for content in parcel.contents]).encode(), {"Count": "signed"}

    def counted(self, n: int) -> None:
        if self.watching:
            told = Told(id=f"e{n}", type="counted", contact_id=f"c{n}")
            self.tell(Event(told, {"n": n}), buffer_s=self.buffer_s, most=self.most)


def counter_api(
    clock: Clock | None = None, limiter: Limiter | None = None, seed: int = 5
) -> tuple[Context[Counter], Gate]:
    """An API on which any request to /count counts one up."""
    clock = clock if clock is not None else ManualClock()
    webhooks = CountWebhooks(seed)
    context = Context(
        world=Counter(),
        clock=clock,
        limiter=limiter if limiter is not None else GhlWindow(clock),
        error_body=lambda status: b'{"error": %d}' % status,
        random=Random(seed),
        webhooks=webhooks,
    )

    async def count(request: Request) -> Response:
        context.world.count += context.world.quirks.times
        webhooks.counted(context.world.count)
        await request.body()
        return JSONResponse({"count": context.world.count, "filling": "." * 100})

    routes = [control.mount(context, []), Route("/count", count, methods=["GET", "POST"])]
    return context, Gate(Starlette(routes=routes), context)
