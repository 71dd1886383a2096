"""The log of what clients asked: enough to count requests and, when recording, to read every body."""

import json
from collections import deque
from datetime import datetime
from typing import Any

import msgspec


class Exchange(msgspec.Struct, kw_only=True):
    """One request and what became of it. `status` is what the API answered, None when it never ran;
    `fault` is the weather that struck, if any. Bodies are kept only while the log records.
    """

    method: str
    path: str
    query: str
    at: datetime
    status: int | None = None
    fault: str | None = None
    request: Any = None
    response: Any = None


class RequestLog:
    """The newest exchanges in the order they came in, and how many there were altogether."""

    def __init__(self, keep: int = 100_000) -> None:
        self.recording = False
        self.total = 0
        self._exchanges: deque[Exchange] = deque(maxlen=keep)

    def __len__(self) -> int:
        return len(self._exchanges)

    def add(self, exchange: Exchange) -> None:
        """Take up a request as it comes in; its status is filled in when it is answered."""
        self.total += 1
        self._exchanges.append(exchange)

    def exchanges(self) -> list[Exchange]:
        """Give the kept exchanges, oldest first."""
        return list(self._exchanges)

    def clear(self) -> None:
        """Forget every exchange and start counting again."""
        self.total = 0
        self._exchanges.clear()


def readable(body: bytes) -> Any:
    """Turn a recorded body into JSON, or into text where it is none."""
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
