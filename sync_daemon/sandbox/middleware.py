"""The way into an API: request log, then limits, then weather. Control routes go past all three."""

import asyncio
from typing import Any

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sync_daemon.sandbox.clock import ManualClock
from sync_daemon.sandbox.context import Context
from sync_daemon.sandbox.request_log import Exchange, readable
from sync_daemon.sandbox.weather import Fault

CONTROL = "/_sandbox"
CONNECTION = "sandbox_connection"
_EDGE_PAGE = b"<html><head><title>Error</title></head><body><h1>Web server is returning an error</h1></body></html>"


class ConnectionLostError(Exception):
    """The connection broke; raised where no real socket exists that could be closed."""


class Gate:
    """The ASGI application in front of an API's own."""

    def __init__(self, app: ASGIApp, context: Context[Any]) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Log a request, count it, let the weather at it, and hand it to the API."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROL):
            index = {"path": f"{CONTROL}/"} if scope["path"] == CONTROL else {}  # as people type it
            await self._app({**scope, **index}, receive, send)
            return
        context = self._context
        exchange = Exchange(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            at=context.clock.now(),
        )
        context.log.add(exchange)
        if context.log.recording:
            receive, send = _recording_request(exchange, receive), _recording_answer(exchange, send)
        if not context.limiter.take():
            await self._refuse(429, exchange, send)
            return
        fault = context.weather.strike(context.random, exchange.method, exchange.path)
        await self._wait(scope, context.weather.delay(fault))
        if fault is None or fault.kind == "latency":
            await self._app(scope, receive, self._with_limits(exchange, send))
        else:
            await self._suffer(fault, exchange, scope, receive, send)

    async def _suffer(self, fault: Fault, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        exchange.fault = fault.kind
        match fault.kind:
            case "throttle":
                await self._refuse(429, exchange, send)
            case "error":
                await self._refuse(fault.status, exchange, send, await _sent(scope, receive) if fault.echo else "")
            case "html_error":
                exchange.status = fault.status
                await _answer(fault.status, b"text/html", _EDGE_PAGE, send)
            case "lost_answer":
                await self._app(scope, receive, self._with_limits(exchange, _nowhere))
                await _break(scope, receive)
            case "truncate":
                await self._app(scope, receive, self._with_limits(exchange, _halving(send)))
                await _break(scope, receive)
            case _:
                await _break(scope, receive)

    async def _refuse(self, status: int, exchange: Exchange, send: Send, sent: str = "") -> None:
        body = self._context.error_body(status)
        if sent:
            body = _repeating(body, sent)
        await _answer(status, b"application/json", body, self._with_limits(exchange, send))

    def _with_limits(self, exchange: Exchange, send: Send) -> Send:
        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = status = message["status"]
                limits = self._context.limiter.headers(status)
                message["headers"] = [*message["headers"], *((k.encode(), v.encode()) for k, v in limits)]
            await send(message)

        return telling

    async def _wait(self, scope: Scope, seconds: float) -> None:
        if seconds <= 0:
            return
        clock = self._context.clock
        if isinstance(clock, ManualClock) and not _has_connection(scope):
            clock.advance(seconds)  # driven without an event loop: time passes, nobody sleeps
        else:
            await asyncio.sleep(seconds)


async def _answer(status: int, kind: bytes, body: bytes, send: Send) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _sent(scope: Scope, receive: Receive) -> str:
    """Everything that a request told: its query, its credentials, its body."""
    told = [scope["query_string"], *(value for name, value in scope["headers"] if name == b"authorization")]
    more = True
    while more:
        message = await receive()
        told.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b" ".join(told).decode("utf-8", "replace")


def _repeating(body: bytes, sent: str) -> bytes:
    """An error's body whose text repeats what was sent."""
    error = msgspec.json.decode(body)
    for key in error.keys() & {"message", "detail"}:
        error[key] = f"This can't be taken: {sent}"
    return msgspec.json.encode(error)


async def _nowhere(message: Message) -> None:
    """Take an answer that nobody will get."""


def _halving(send: Send) -> Send:
    async def halving(message: Message) -> None:
        if message["type"] == "http.response.body":
            body = message.get("body", b"")
            message = {**message, "body": body[: len(body) // 2], "more_body": True}
        await send(message)

    return halving


def _has_connection(scope: Scope) -> bool:
    return CONNECTION in scope.get("state", {})


async def _break(scope: Scope, receive: Receive) -> None:
    if not _has_connection(scope):
        raise ConnectionLostError(f"The sandbox broke the connection at {scope['method']} {scope['path']}.")
    scope["state"][CONNECTION].close()
    while (await receive())["type"] != "http.disconnect":
        pass


def _recording_request(exchange: Exchange, receive: Receive) -> Receive:
    parts: list[bytes] = []

    async def recording() -> Message:
        message = await receive()
        if message["type"] == "http.request":
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                exchange.request = readable(b"".join(parts))
        return message

    return recording


def _recording_answer(exchange: Exchange, send: Send) -> Send:
    async def recording(message: Message) -> None:
        if message["type"] == "http.response.body":
            exchange.response = readable(message.get("body", b""))
        await send(message)

    return recording
