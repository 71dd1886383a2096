"""The HTTP server, in a thread of its own."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from sync_daemon.model.errors import ConfigurationError

_KEEP_ALIVE_S = 15
_GOODBYE_S = 2


@contextmanager
def serving(routes: Sequence[BaseRoute], host: str, port: int, trusted_proxies: Sequence[str] = ()) -> Iterator[str]:
    """Serve routes as long as the context lasts; yields the base address. Port 0 takes a free one.

    What `trusted_proxies` say in X-Forwarded-For and X-Forwarded-Proto of whom they speak for is believed.
    Raises `ConfigurationError` when the address can't be had.
    """
    with _listener(host, port) as listener:
        server = _server(routes, trusted_proxies)
        thread = threading.Thread(target=server.run, args=([listener],), name="http", daemon=True)
        thread.start()
        name, number = listener.getsockname()[:2]
        try:
            yield f"http://[{name}]:{number}" if ":" in name else f"http://{name}:{number}"
        finally:
            server.should_exit = True
            thread.join(_GOODBYE_S + 1)


def _server(routes: Sequence[BaseRoute], trusted_proxies: Sequence[str]) -> uvicorn.Server:
    config = uvicorn.Config(
        Starlette(routes=routes),
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GOODBYE_S,
    )
    return uvicorn.Server(config)


def _listener(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _not_had(host, port, error) from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()  # whoever calls before the thread has begun waits a moment
    except OSError as error:
        listener.close()
        raise _not_had(host, port, error) from None
    return listener


def _not_had(host: str, port: int, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"`service.http`: {host}:{port} can't be listened on: {error.strerror}. Is another sync-daemon running? Name "
        "another port, or 0 for any that is free."
    )
