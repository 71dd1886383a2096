"""A small server that receives webhooks on a real socket, and answers as it is told."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: Message
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Receiver:
    """What came in, oldest first; `answers` are the next statuses, 200 when there are none."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: deque[int] = deque()
        self.gate = threading.Event()
        self.gate.set()
        self.came: list[Received] = []
        self._more = threading.Condition()

    def take(self, received: Received) -> int:
        with self._more:
            self.came.append(received)
            self._more.notify_all()
        self.gate.wait(timeout=20)
        return self.answers.popleft() if self.answers else 200

    def wait(self, count: int, seconds: float = 20) -> list[Received]:
        """Everything that came, once it is so many requests."""
        with self._more:
            assert self._more.wait_for(lambda: len(self.came) >= count, seconds), f"{len(self.came)} of {count} came"
            return list(self.came)

    def events(self, count: int, seconds: float = 20) -> list[dict[str, Any]]:
        """Every event in whatever requests, once there are so many."""
        with self._more:
            enough = self._more.wait_for(lambda: len(self._events()) >= count, seconds)
            assert enough, f"{len(self._events())} of {count} came"
            return self._events()

    def _events(self) -> list[dict[str, Any]]:
        bodies = [received.json() for received in self.came]
        return [event for body in bodies for event in (body if isinstance(body, list) else [body])]


@contextmanager
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = box.take(Received(self.path, self.headers, body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Whoever hung up needs no answer."""

    with Server(("127.0.0.1", 0), Handler) as server:
        box = Receiver(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield box
        finally:
            box.gate.set()
            server.shutdown()
            thread.join()
