"""What is done once for something that happened: automations started, actions of rules (contract, section 9)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DeedState(StrEnum):
    """How far a deed has come."""

    INTENDED = "intended"
    """Written down before the call: it may have been made, or not."""
    DONE = "done"
    REFUSED = "refused"
    """The API said no; it is tried again when its time comes."""
    UNCERTAIN = "uncertain"
    """No answer came, the call may have been obeyed, and nothing tells: it isn't made again."""
    GIVEN_UP = "given_up"
    """It can't be done, and isn't tried again: whom it is about is gone, or the rule is."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One call that is made once, whatever happens.

    `key` is the identity of the occasion and what is done for it, unique in a pair; `what` names the call for people.
    `at` is when it was intended, `occurred_at` when the occasion was; `message` has the API's words. `digest` is that
    of what is written, where it can be looked for before it is written again.
    """

    key: str
    what: str
    ghl_id: str
    emailoctopus_id: str
    state: DeedState
    at: datetime
    occurred_at: datetime | None = None
    attempts: int = 0
    next_try: datetime | None = None
    code: str = ""
    message: str = ""
    digest: bytes = b""
