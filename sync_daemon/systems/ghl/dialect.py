"""What was found out about the server where the facts are uncertain, for all rooms of a connection."""

from dataclasses import dataclass, field

from sync_daemon.systems.blanks import Blanks


@dataclass(slots=True)
class Dialect:
    """Each answer is found by trying, once."""

    epoch: bool = False
    """Whether it wants date ranges in milliseconds; ISO is tried first."""
    blanks: Blanks = field(default_factory=Blanks)
