"""What is wished for of one pair, as all processes that share it know it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sync_daemon.model.report import Mode


@dataclass(frozen=True, slots=True)
class Wishes:
    """Cycles that are wished for, by when; none before `resume_at`, after `in_a_row` that came to nothing.

    `taken` is the one that somebody has in hand since `taken_at`; `taken_by` names that turn, and no other one.
    """

    wanted: Mapping[Mode, datetime] = field(default_factory=dict)
    resume_at: datetime | None = None
    in_a_row: int = 0
    taken: Mode | None = None
    taken_at: datetime | None = None
    taken_by: str = ""


class DuePair(NamedTuple):
    """A pair that somebody should work on: its name, its number in the database, and whether it was left in the middle.

    Only a process that is no more leaves one so.
    """

    name: str
    number: int
    abandoned: bool = False
