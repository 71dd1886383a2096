"""What was found out about the server where the facts are uncertain, for all rooms of a connection."""

from dataclasses import dataclass


@dataclass(slots=True)
class Dialect:
    """Each answer is found by trying, once."""

    epoch: bool = False
    """Whether it wants date ranges in milliseconds; ISO is tried first."""
    blank: str | None = None
    """What clears a field; null is tried first, then ""."""
    blank_known: bool = False
    """Whether that was tried: neither is tried again."""
