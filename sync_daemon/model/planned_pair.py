"""The plan of one pair, as it stands in a plan's file."""

from dataclasses import dataclass

from sync_daemon.model.planned import Planned
from sync_daemon.model.report import Mode


@dataclass(frozen=True, slots=True)
class PlannedPair:
    """The plan of one pair, and what it was made from: how much was read, of which accounts, by which settings."""

    pair: str
    mode: Mode
    apply_scope: bool
    location_id: str
    list_id: str
    configuration: bytes
    operations: tuple[Planned, ...]
