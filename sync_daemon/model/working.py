"""What a cycle under way has come to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sync_daemon.model.report import Mode
from sync_daemon.model.system import SystemName


@dataclass(frozen=True, slots=True)
class Working:
    """A cycle under way: contacts read, records to be written, requests expected and answered, writes taken.

    `seconds_left` is the least time that what is still to be sent takes.
    """

    mode: Mode
    since: datetime
    read: Mapping[SystemName, int]
    written: Mapping[SystemName, int]
    records: int
    expected: int
    answered: int
    seconds_left: float
