"""The sandbox as a whole: both APIs with one clock and one seed, and real sockets to serve them on."""

import socket
import threading
from asyncio import Transport
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from sync_daemon.sandbox.clock import Clock, SystemClock
from sync_daemon.sandbox.emailoctopus.app import build_app as build_emailoctopus
from sync_daemon.sandbox.emailoctopus.context import emailoctopus_context
from sync_daemon.sandbox.emailoctopus.quirks import Quirks
from sync_daemon.sandbox.ghl.app import build_app as build_ghl
from sync_daemon.sandbox.ghl.context import ghl_context
from sync_daemon.sandbox.ghl.quirks import GhlQuirks
from sync_daemon.sandbox.middleware import CONNECTION
from sync_daemon.sandbox.seed import Population, Seeded, populate


class Sandbox:
    """Both systems: one GHL location and one EmailOctopus list, with the keys to them.

    `ghl` and `emailoctopus` are the contexts (world, weather, limiter, request log); `ghl_app` and
    `emailoctopus_app` the ASGI applications over them.
    """

    def __init__(
        self,
        seed: int = 0,
        clock: Clock | None = None,
        *,
        ghl_quirks: GhlQuirks | None = None,
        emailoctopus_quirks: Quirks | None = None,
    ) -> None:
        self.seed = seed
        self.clock = clock if clock is not None else SystemClock()
        self.ghl = ghl_context(self.clock, seed, ghl_quirks)
        self.emailoctopus = emailoctopus_context(self.clock, seed, emailoctopus_quirks)
        self.ghl_app = build_ghl(self.ghl)
        self.emailoctopus_app = build_emailoctopus(self.emailoctopus)
        self.ghl_token = self.ghl.world.private_token()
        self.emailoctopus_key = f"eo_{self.emailoctopus.world.new_id()}"
        self.emailoctopus.world.api_keys.add(self.emailoctopus_key)
        self.location_id = self.ghl.world.location.id
        self.list_id = self.emailoctopus.world.create_list("Newsletter").id

    def populate(self, population: Population) -> Seeded:
        """Fill both worlds with invented people."""
        return populate(self.ghl.world, self.emailoctopus.world, self.list_id, population, self.seed)


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A sandbox on real sockets."""

    sandbox: Sandbox
    ghl_url: str
    emailoctopus_url: str


class _BreakableProtocol(H11Protocol):
    """HTTP whose connection the weather can close under an answer."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn itself does
        super().connection_made(transport)
        self.app_state = {**self.app_state, CONNECTION: transport}


class _Server(uvicorn.Server):
    """A server that tells when it is listening."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start and tell."""
        await super().startup(sockets)
        self.listening.set()


@contextmanager
def serve(app: ASGIApp, port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve an application on a real socket, in a thread, as long as the context lasts; yields its base URL.

    Port 0 takes a free one. Raises OSError when the port is taken.
    """
    with _listener(host, port) as listener:
        config = uvicorn.Config(
            app,
            http=_BreakableProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        server = _Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name="sandbox", daemon=True)
        thread.start()
        server.listening.wait(timeout=10)
        try:
            yield f"http://{host}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=10)


@contextmanager
def running_sandbox(
    sandbox: Sandbox | None = None, *, ghl_port: int = 0, emailoctopus_port: int = 0
) -> Iterator[RunningSandbox]:
    """Serve both APIs as long as the context lasts, and their webhooks as soon as they have an address: the given
    sandbox, else an empty one on the machine's clock.
    """
    served = sandbox if sandbox is not None else Sandbox()
    with ExitStack() as stack:
        stack.callback(served.ghl.webhooks.stop)
        stack.callback(served.emailoctopus.webhooks.stop)
        ghl_url = stack.enter_context(serve(served.ghl_app, ghl_port))
        emailoctopus_url = stack.enter_context(serve(served.emailoctopus_app, emailoctopus_port))
        yield RunningSandbox(served, ghl_url, emailoctopus_url)


def _listener(host: str, port: int) -> socket.socket:
    # The protocol is named because asyncio sets TCP_NODELAY only where it is; without it, each answer's body
    # waits some 40 ms for the client to acknowledge the head.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener
