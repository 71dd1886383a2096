"""What a pair's owner decided: mapping, filters, scope and rules, without credentials."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from sync_daemon.model.contact import Consent
from sync_daemon.model.system import SystemName


class Direction(StrEnum):
    """Which way a field's changes travel."""

    BOTH = "both"
    TO_GHL = "to_ghl"
    TO_EMAILOCTOPUS = "to_emailoctopus"

    @property
    def leader(self) -> SystemName | None:
        """The system whose changes travel, None when both do."""
        return {
            Direction.BOTH: None,
            Direction.TO_GHL: SystemName.EMAILOCTOPUS,
            Direction.TO_EMAILOCTOPUS: SystemName.GHL,
        }[self]


class ConflictRule(StrEnum):
    """Who wins when both sides changed a field to different values."""

    GHL = "ghl"
    EMAILOCTOPUS = "emailoctopus"
    NEWEST = "newest"


class Blanks(StrEnum):
    """Whether a blank from EmailOctopus erases GHL's value."""

    KEEP = "keep"
    PROPAGATE = "propagate"


class OnLeaveScope(StrEnum):
    """What happens to the EmailOctopus contact when its GHL contact leaves the scope."""

    KEEP = "keep"
    UNSUBSCRIBE = "unsubscribe"
    REMOVE_TAGS = "remove_tags"


class NewContactStatus(StrEnum):
    """The status a new EmailOctopus contact gets."""

    LIST_DEFAULT = "list_default"
    SUBSCRIBED = "subscribed"
    PENDING = "pending"


class Resubscribe(StrEnum):
    """What a lifted DND in GHL means for a contact that EmailOctopus shows unsubscribed."""

    NEVER = "never"
    PENDING = "pending"
    ALLOW = "allow"


class AddressChange(StrEnum):
    """What happens to a changed address of a subscribed contact on a double opt-in list."""

    HOLD = "hold"
    KEEP_STATUS = "keep_status"


class DeletedInGhl(StrEnum):
    """What a deletion in GHL does to the EmailOctopus contact."""

    UNSUBSCRIBE = "unsubscribe"
    DELETE = "delete"
    IGNORE = "ignore"


class DeletedInEmailOctopus(StrEnum):
    """What a deletion in EmailOctopus does to the GHL contact."""

    SUPPRESS = "suppress"
    IGNORE = "ignore"
    RECREATE = "recreate"


@dataclass(frozen=True, slots=True)
class FieldRule:
    """One row of the mapping. Names are the configuration's (`firstName`, `custom.plan`; `FirstName`)."""

    ghl: str
    emailoctopus: str
    direction: Direction = Direction.BOTH
    conflict: ConflictRule = ConflictRule.GHL
    blanks: Blanks = Blanks.KEEP

    @property
    def key(self) -> str:
        """What the store calls this row: a new partner makes it a new row that meets anew."""
        return f"{self.ghl}={self.emailoctopus}"

    def name_in(self, system: SystemName) -> str:
        """The field's configuration name in one system."""
        return self.ghl if system is SystemName.GHL else self.emailoctopus


@dataclass(frozen=True, slots=True)
class TagRule:
    """Which tags travel: globs over GHL's name in lower case, and the prefix for EmailOctopus's own."""

    sync: bool = True
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class ScopeRule:
    """Which GHL contacts take part. `field` maps a configuration name to the values that qualify."""

    tags_any: tuple[str, ...] = ()
    tags_all: tuple[str, ...] = ()
    tags_none: tuple[str, ...] = ()
    field: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    types: tuple[str, ...] = ()
    add_tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeleteRule:
    """What deletions do on the other side; `tag` marks what EmailOctopus deleted."""

    in_ghl: DeletedInGhl = DeletedInGhl.UNSUBSCRIBE
    in_emailoctopus: DeletedInEmailOctopus = DeletedInEmailOctopus.SUPPRESS
    tag: str = "deleted-in-emailoctopus"


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """How much a day may destroy or create before a person is asked (contract, section 7)."""

    max_destructive_percent: float = 10
    max_destructive_count: int = 20
    max_create_percent: float = 50
    max_create_count: int = 1000


@dataclass(frozen=True, slots=True)
class PairPolicy:
    """Everything the pure stages need to know of a pair's configuration and of its list."""

    name: str
    fields: tuple[FieldRule, ...] = ()
    tags: TagRule = TagRule()
    scope: ScopeRule = field(default_factory=ScopeRule)
    on_leave_scope: OnLeaveScope = OnLeaveScope.KEEP
    create_in_ghl: bool = True
    create_in_emailoctopus: bool = True
    create_suppressed: bool = False
    create_without_phone: bool = False
    create_missing_fields: bool = True
    new_contact_status: NewContactStatus = NewContactStatus.LIST_DEFAULT
    resubscribe: Resubscribe = Resubscribe.NEVER
    address_change: AddressChange = AddressChange.HOLD
    deletes: DeleteRule = DeleteRule()
    guard: GuardLimits = GuardLimits()
    double_opt_in: bool = False
    country: str | None = None

    @property
    def new_status(self) -> Literal[Consent.GRANTED, Consent.PENDING]:
        """The status a contact new to EmailOctopus is created with."""
        if self.new_contact_status is NewContactStatus.LIST_DEFAULT:
            return Consent.PENDING if self.double_opt_in else Consent.GRANTED
        pending = self.new_contact_status is NewContactStatus.PENDING
        return Consent.PENDING if pending else Consent.GRANTED
