"""What a cycle did, in the words of `reconcile --json` (interface.md)."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from sync_daemon.model.alarm import Condition
from sync_daemon.model.planned import Followed
from sync_daemon.model.system import SystemName


class Mode(StrEnum):
    """How much a cycle reads."""

    INCREMENTAL = "incremental"
    FULL = "full"
    HINTS = "hints"
    """Only what webhooks told, what is due again and what waits; the service alone works in this way."""
    UNDO = "undo"
    """Nothing but the contacts that another run wrote to: what it wrote is taken back."""


class CycleOutcome(StrEnum):
    """How a cycle ended."""

    OK = "ok"
    PARKED = "parked"
    HELD = "held"
    INCOMPLETE = "incomplete"
    AUTH = "auth"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    QUOTA = "quota"
    ERROR = "error"


READ_ALL = {CycleOutcome.OK, CycleOutcome.PARKED, CycleOutcome.HELD}
"""How a cycle ends that has read both sides to their end."""


def _per_system() -> dict[SystemName, int]:
    return dict.fromkeys(SystemName, 0)


@dataclass(slots=True)
class CycleReport:
    """The counters of one cycle of one pair. `written` counts by (system, word of `written` in the JSON).

    Not in the JSON: `quota_left` and `quota_limit`, what the headers told of a daily quota, which is stored; `proven`,
    the systems that were read to their end; `resume_in_s`, how long to wait as a quota or limit is used up, or the
    database away; `alarms`, a sentence for each condition that somebody is to be alerted to, and `judged`, the
    conditions about which the cycle could tell whether they are so; `paused`, that nothing was done, as a person paused
    the pair; `plan`, what came of the plan that was carried out, if one was.
    """

    pair: str
    run_id: str
    mode: Mode
    outcome: CycleOutcome = CycleOutcome.OK
    message: str = ""
    read: dict[SystemName, int] = field(default_factory=_per_system)
    changed: dict[SystemName, int] = field(default_factory=_per_system)
    written: Counter[tuple[SystemName, str]] = field(default_factory=Counter)
    conflicts: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    parked: int = 0
    new_parked: int = 0
    held: int = 0
    new_held: int = 0
    diverged: int = 0
    consent_held: int = 0
    missed_by_poll: int = 0
    requests: dict[SystemName, int] = field(default_factory=_per_system)
    throttled: dict[SystemName, int] = field(default_factory=_per_system)
    quota_left: dict[SystemName, int] = field(default_factory=dict)
    quota_limit: dict[SystemName, int] = field(default_factory=dict)
    duration_s: float = 0.0
    proven: set[SystemName] = field(default_factory=set)
    resume_in_s: float | None = None
    alarms: dict[Condition, str] = field(default_factory=dict)
    judged: set[Condition] = field(default_factory=set)
    paused: bool = False
    plan: Followed | None = None
