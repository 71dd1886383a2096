"""One POST over real HTTP, which somebody else can cut off."""

from contextlib import suppress
from http.client import HTTPConnection, HTTPSConnection
from socket import SHUT_RDWR
from typing import NamedTuple
from urllib.parse import urlsplit


class Letter(NamedTuple):
    """What is posted, and where to."""

    url: str
    body: bytes
    headers: dict[str, str]


class Wire:
    """Posts one letter at a time, each over a connection of its own."""

    def __init__(self) -> None:
        self._connection: HTTPConnection | None = None
        self._cut = False

    def post(self, letter: Letter, timeout_s: float) -> int:
        """Give the status of the answer. Raises OSError, HTTPException or ValueError when there is none."""
        parts = urlsplit(letter.url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = connection = kind(parts.hostname or "", parts.port, timeout=timeout_s)
        try:
            connection.connect()
            if self._cut:
                raise ConnectionAbortedError
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", target, letter.body, {**letter.headers, "Connection": "close"})
            return connection.getresponse().status
        finally:
            connection.close()

    def cut(self) -> None:
        """End a request under way, and let none begin; from another thread."""
        self._cut = True
        socket = self._connection.sock if self._connection is not None else None
        if socket is not None:
            with suppress(OSError):  # it was closed in the meantime
                socket.shutdown(SHUT_RDWR)
