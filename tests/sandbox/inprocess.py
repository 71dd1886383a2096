"""Drives a sandbox application without an event loop: its coroutine is run to its end in one go."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


def ask(app: ASGIApp, method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
    """Send one request; raises what the application raises, and fails when it waits for anything."""
    parts = urlsplit(url)
    sent = b"" if body is None else json.dumps(body).encode()
    wire = {"host": "sandbox", **({"content-type": "application/json"} if body is not None else {}), **(headers or {})}
    scope = {
        "type": "http",
        "method": method,
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "scheme": "http",
        "server": ("sandbox", 80),
        "headers": [(name.lower().encode(), value.encode()) for name, value in wire.items()],
    }
    messages: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": sent, "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    coroutine = app(scope, receive, send)
    try:
        coroutine.send(None)  # type: ignore[attr-defined]  # every coroutine can be sent to
    except StopIteration:
        pass
    else:
        raise AssertionError(f"{method} {url} waited for something")
    start, *parts_sent = messages
    names = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], names, b"".join(part.get("body", b"") for part in parts_sent))
