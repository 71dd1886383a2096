"""Operations: what is to be written, as plain data that can be printed, saved, refused and tested."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from sync_daemon.model.contact import Consent, Snapshot, Value
from sync_daemon.model.errors import Refused
from sync_daemon.model.grants import ContactKey, Grant, LiftedInGhl, NotRevoked, OptedInAgain, WithoutEvidence
from sync_daemon.model.system import SystemName


class Action(StrEnum):
    """What an operation does; the words of `plan --json`."""

    CREATE = "create"
    UPDATE = "update"
    ADD_TAGS = "add_tags"
    REMOVE_TAGS = "remove_tags"
    SET_STATUS = "set_status"
    """EmailOctopus: set the status that `consent` names."""
    SET_DND = "set_dnd"
    """GHL: block the e-mail channel."""
    LIFT_DND = "lift_dnd"
    """GHL: free the e-mail channel, that one alone."""
    DELETE = "delete"
    START_AUTOMATION = "start_automation"
    """EmailOctopus: let the contact enter an automation; only plans hold it, a cycle keeps a deed for each."""


GUARDED_FOR = timedelta(hours=24)
"""How far back a guard counts."""
_REVOKED = Consent.REVOKED
_MAY_SET: Mapping[tuple[SystemName, Action], tuple[object, ...]] = {
    (SystemName.EMAILOCTOPUS, Action.CREATE): (_REVOKED, NotRevoked),
    (SystemName.EMAILOCTOPUS, Action.SET_STATUS): (_REVOKED, LiftedInGhl),
    (SystemName.GHL, Action.CREATE): (None, _REVOKED),
    (SystemName.GHL, Action.SET_DND): (_REVOKED,),
    (SystemName.GHL, Action.LIFT_DND): (OptedInAgain,),
}
"""What an operation may say of consent; one that isn't listed says nothing."""
_ABOUT_CONSENT = (Action.SET_STATUS, Action.SET_DND, Action.LIFT_DND)


class MassChange(StrEnum):
    """The kinds of change of which a guard lets only so many through in a day (contract, section 7)."""

    DELETION = "deletion"
    """Whatever the delete policy does: deletions, unsubscribes, DND, the mark in GHL."""
    LEAVE_SCOPE = "leave_scope"
    BLANK = "blank"
    """A field that is cleared."""
    TAG_REMOVAL = "tag_removal"
    RULE_ACTION = "rule_action"
    """What rules add in GHL: tags, tasks, notes, enrolments, and whatever they call that takes nothing away."""
    RULE_REMOVAL = "rule_removal"
    """What rules take away in GHL."""
    UNDO = "undo"
    """A contact of which an undo clears a field, takes away a tag, or which it deletes."""
    CREATE_IN_GHL = "create_in_ghl"
    CREATE_IN_EMAILOCTOPUS = "create_in_emailoctopus"


@dataclass(frozen=True, slots=True)
class Operation:
    """One write to one contact of one system.

    `system` is the one written to; the id of that system is None for a creation. `fields` maps
    configuration names of the target system to values already converted for it, None clears. `address`
    is a new primary address. `tags` are names as the target system spells them: those a creation
    carries, or those to add or remove. `sets` is what the operation makes of consent: REVOKED, or the evidence for
    anything wider, which tells what that is (`consent`); without it a wider one can't be expressed: `WithoutEvidence`.
    `parts` are the mapping row keys, "tags", "consent", "address", "creation" this operation settles or,
    when refused, parks. `resend` marks a creation that may have been sent before. `policy` names the policy
    whose effect this is, None where a person's change is only carried over: a revocation by policy is guarded.
    """

    system: SystemName
    action: Action
    ghl_id: str | None
    emailoctopus_id: str | None
    reason: str
    fields: Mapping[str, Value] = field(default_factory=dict)
    address: str | None = None
    tags: tuple[str, ...] = ()
    sets: Literal[Consent.REVOKED] | Grant | None = None
    parts: tuple[str, ...] = ()
    resend: bool = False
    policy: MassChange | None = None

    def __post_init__(self) -> None:
        said = self.sets if isinstance(self.sets, Consent) or self.sets is None else type(self.sets)
        if said not in _MAY_SET.get((self.system, self.action), () if self.action in _ABOUT_CONSENT else (None,)):
            raise WithoutEvidence(f"{self.action} in {self.system} can't set consent by {said}.")
        if isinstance(self.sets, Grant) and self._ids_shown(self.sets) - {self.ghl_id, self.emailoctopus_id}:
            raise WithoutEvidence(f"{self.action} in {self.system} rests on what another contact shows.")

    @staticmethod
    def _ids_shown(grant: Grant) -> set[str]:
        return {grant.ghl.contact_id} | (set() if isinstance(grant, NotRevoked) else {grant.emailoctopus.contact_id})

    @property
    def consent(self) -> Consent | None:
        """The consent that is sent, None when the operation says nothing of it."""
        return self.sets.consent if isinstance(self.sets, Grant) else self.sets

    def demand_reads(self, read_now: AbstractSet[ContactKey]) -> None:
        """Raise `WithoutEvidence` unless what this rests on was read by id in this cycle."""
        if isinstance(self.sets, Grant) and not self.sets.read <= read_now:
            raise WithoutEvidence(f"{self.action} in {self.system} rests on what an earlier cycle read.")

    @property
    def target_id(self) -> str | None:
        """The id of the contact written to, None before it is created."""
        return self.ghl_id if self.system is SystemName.GHL else self.emailoctopus_id

    @property
    def revokes(self) -> bool:
        """Whether this narrows consent: such operations go first and alone."""
        if self.action is Action.SET_DND:
            return True
        return self.action is Action.SET_STATUS and self.consent is Consent.REVOKED

    @property
    def steps_up(self) -> bool:
        """Whether this widens an existing contact's consent: it is never sent twice without a look between."""
        return self.action is Action.LIFT_DND or (self.action is Action.SET_STATUS and not self.revokes)


@dataclass(frozen=True, slots=True)
class RuleAction:
    """What a rule would do in GHL for one contact, as a plan shows it.

    `reason` names the rule and the event, `key` is that of the deed which a cycle makes of it.
    """

    ghl_id: str
    emailoctopus_id: str
    action: str
    reason: str
    key: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """Operations that one HTTP request carries. `route` tells the writer which."""

    system: SystemName
    route: str
    operations: tuple[Operation, ...]

    @property
    def revokes(self) -> bool:
        """Whether it may use the part of a daily quota that is kept for revocations."""
        return all(operation.revokes for operation in self.operations)


@dataclass(frozen=True, slots=True)
class Returned:
    """What a write answered, as far as it did; None is untold. `contact` is the whole record if it came back."""

    contact_id: str
    contact: Snapshot | None = None
    tags: frozenset[str] | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The outcome of one operation: what came back, or the refusal. Exactly one of the two is set."""

    operation: Operation
    returned: Returned | None = None
    refusal: Refused | None = None
