"""Answers as bytes with a status, and what makes one useless whatever the system. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from sync_daemon.model.errors import Refused, SyncError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    data: bytes

    @property
    def ok(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status < 300

    def decode(self, form: type[T]) -> T:
        """The body as `form`. Raises `Refused` with the code `malformed` when it isn't one."""
        try:
            return msgspec.json.decode(self.data, type=form)
        except msgspec.MsgspecError as error:
            raise Refused("malformed", f"The answer has another form than documented: {error}.") from error


Classify = Callable[[Response], SyncError | None]
"""What a system's refusal means: the error to raise, or None to hand the answer to the caller.

It is asked about every answer but 2xx, 429 and 5xx. An `Unreachable` says that this refusal is a time-out or a
fault in disguise: the request is repeated like after a 5xx.
"""


def is_json(data: bytes) -> bool:
    """Whether a body is one JSON document; a cut one and a page from a proxy aren't."""
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except msgspec.MsgspecError:
        return False
    return True


def fault_of(response: Response, *, json: bool = True) -> str | None:
    """Why an answer is no answer: the server failed, or the body of a success, if it must be `json`, is cut or
    foreign; else None.
    """
    if response.status >= 500:
        return f"HTTP {response.status}"
    if json and response.ok and response.data.strip() and not is_json(response.data):
        return "an answer that isn't JSON"
    return None
