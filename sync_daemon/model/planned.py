"""What a plan holds of each operation, to know it again: ids, field names and keyed digests, no values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sync_daemon.model.system import SystemName


class Area(StrEnum):
    """The part of a cycle that an operation comes from."""

    FIELDS = "fields"
    """A field that an account lacks is made."""
    CONTACTS = "contacts"
    ACTIVITY = "activity"
    RULES = "rules"


PlannedKey = tuple[Area, SystemName, str, str | None, str | None]
"""What an operation is about: area, system, action, GHL's and EmailOctopus's id."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One operation of a plan.

    `before` is the digest of what the system held of it when the plan was made, `after` that of all that is to be
    written. `held`: a guard would hold it, or the part of it that the guard counts, until a person approves that.
    """

    area: Area
    system: SystemName
    action: str
    ghl_id: str | None
    emailoctopus_id: str | None
    fields: tuple[str, ...]
    reason: str
    before: bytes
    after: bytes
    held: bool = False

    @property
    def key(self) -> PlannedKey:
        """What it is about; automations and rules may do several things about one contact."""
        return self.area, self.system, self.action, self.ghl_id, self.emailoctopus_id

    @property
    def does(self) -> tuple[tuple[str, ...], bytes, bytes]:
        """To which fields it does what, and what was there."""
        return tuple(sorted(self.fields)), self.before, self.after


@dataclass(frozen=True, slots=True)
class People:
    """Whom a plan would touch, counted once each; what would be held is left out.

    `mailable` are the EmailOctopus contacts that get something which can start an automation, and can be mailed.
    """

    added: Mapping[SystemName, int] = field(default_factory=dict)
    unsubscribed: Mapping[SystemName, int] = field(default_factory=dict)
    mailable: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """A planned operation that wasn't carried out, as the world has moved on since: in what, in words."""

    planned: Planned
    reason: str


@dataclass(frozen=True, slots=True)
class Followed:
    """What came of a plan: of its `operations` some were `done`, are `held` or `parked`, or `unsent`, others refused.

    `left` counts the records with changes that the plan doesn't hold: they wait for the next cycle. `revocations`
    counts those by persons that went out though the plan didn't hold them.
    """

    operations: int
    done: int
    held: int
    parked: int
    unsent: int
    refused: tuple[Refusal, ...]
    left: int
    revocations: int
