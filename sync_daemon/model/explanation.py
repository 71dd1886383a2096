"""What is known of one person, and what the next cycle will do and why: plain data, shown by commands and pages.

It holds the person's values: it is for whoever asked, never for a log.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sync_daemon.model.activity import KnownActivity
from sync_daemon.model.audit import LoggedChange
from sync_daemon.model.contact import Consent, Snapshot, Value
from sync_daemon.model.deeds import Deed
from sync_daemon.model.errors import StopSystem
from sync_daemon.model.plan import Operation, RuleAction
from sync_daemon.model.policy import FieldRule
from sync_daemon.model.report import Mode
from sync_daemon.model.state import Cause, Change, Held, KnownContact, Link, Parked, Staged, Tombstone
from sync_daemon.model.system import SystemName
from sync_daemon.model.webhook import WebhookEvent


class Seen(StrEnum):
    """What one system says of a field or tag now, held against what it held when the two last agreed."""

    AGREED = "as agreed"
    CHANGED = "changed"
    NEVER_MET = "never agreed"
    UNREAD = "not read"
    NO_CONTACT = "no contact"


class State(StrEnum):
    """What can be the matter with somebody (contract, sections 3 to 8): why not all of him is equal on both sides."""

    NO_EMAIL = "no_email"
    INVALID_EMAIL = "invalid_email"
    DUPLICATE = "duplicate"
    OUT_OF_SCOPE = "out_of_scope"
    SUPPRESSED = "suppressed"
    PENDING = "pending"
    FORGOTTEN = "forgotten"
    CREATION_OFF = "creation_off"
    ADDITIONAL_ADDRESS = "additional_address"
    ORPHAN = "orphan"
    KEPT = "kept"
    ELSEWHERE = "elsewhere"
    THIS_LIST = "this_list"
    DISCARDED = "discarded"
    DROPPED = "dropped"
    DELETED = "deleted"
    PARKED = "parked"
    HELD = "held"
    DIVERGED = "diverged"
    CONSENT_HELD = "consent_held"
    CONFLICT = "conflict"
    TOMBSTONE = "tombstone"
    REVOKED = "revoked"
    WAITING = "waiting"
    UNFINISHED = "unfinished"
    UNCERTAIN = "uncertain"
    SUSPENDED = "suspended"
    MISSING = "missing"
    NEW = "new"
    EQUAL = "equal"


@dataclass(frozen=True, slots=True)
class Finding:
    """One state, and in a sentence what it means here and what helps; no value."""

    state: State
    words: str


@dataclass(frozen=True, slots=True)
class ContactNow:
    """One contact: what the store knows of it, and what its system says now.

    `known` is None for one that the store hasn't seen yet; `now` what was read by id just now, `unread` why nothing
    was; both None: the contact doesn't exist. `staged` is the change that waits in the inbox.
    """

    system: SystemName
    contact_id: str
    known: KnownContact | None
    now: Snapshot | None
    unread: str | None
    staged: Staged | None
    role: str

    @property
    def exists(self) -> bool | None:
        """Whether its system has it; None when that couldn't be asked."""
        return None if self.unread is not None else self.now is not None


@dataclass(frozen=True, slots=True)
class FieldNow:
    """One row of the mapping: both values, who changed, and which rule decides.

    A value is worth something only where its side was read. `writes` is the system that the rules would write
    to for it, None for neither; times are those of the snapshots that showed the change; `state` is CONFLICT or
    SUSPENDED where it is that.
    """

    rule: FieldRule
    values: Mapping[SystemName, Value]
    seen: Mapping[SystemName, Seen]
    changed_at: Mapping[SystemName, datetime | None]
    verdict: str
    writes: SystemName | None = None
    diverged: bool = False
    state: State | None = None


@dataclass(frozen=True, slots=True)
class TagNow:
    """One tag that travels, by GHL's name: who has it (None: not read), who had it when the two last agreed."""

    name: str
    has: Mapping[SystemName, bool | None]
    had: Mapping[SystemName, bool | None]
    verdict: str


@dataclass(frozen=True, slots=True)
class ConsentNow:
    """Who may be mailed, as each side says it now and as it was last agreed, and who revoked.

    `cause` is the link's, `remembered` that of the address, kept for ever; `dnd_by_us` says that GHL's block is this
    program's own, `permanent` that it can't be lifted by the e-mail channel alone, `held` that somebody's wish waits.
    """

    now: Mapping[SystemName, Consent | None]
    """None where the contact wasn't read, or there is none."""
    agreed: Mapping[SystemName, Consent | None]
    cause: Cause | None
    remembered: Cause | None
    dnd_by_us: bool
    permanent: bool
    held: bool
    unconfirmed: bool
    verdict: str


@dataclass(frozen=True, slots=True)
class ScopeNow:
    """Whether the GHL contact takes part: now (None: not read), and as the link was last judged; why not."""

    inside: bool | None
    before: bool | None
    verdict: str


@dataclass(frozen=True, slots=True)
class AddressNow:
    """The address on both sides, None for none, and held against the one that was last agreed; what becomes of it."""

    values: Mapping[SystemName, str | None]
    seen: Mapping[SystemName, Seen]
    verdict: str


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a cycle would do about one person if everything is accepted.

    `operations` would be written, in this order; `actions` done by rules, `held_actions` held; `changes` is what else
    would be logged: conflicts, what is held, parked, skipped, linked, left different, reported. A guard's verdict on
    what others of the same cycle ask for can't be told from one person. Contacts to be created have ids such as
    `new-1`.
    """

    mode: Mode
    operations: tuple[Operation, ...] = ()
    actions: tuple[RuleAction, ...] = ()
    held_actions: tuple[RuleAction, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def does_nothing(self) -> bool:
        """Whether nothing at all would be written, held, parked or reported."""
        return not any((self.operations, self.actions, self.held_actions, self.changes))

    def logged(self, kind: str) -> list[Change]:
        """What would be logged of one kind."""
        return [one for one in self.changes if one.kind == kind]


@dataclass(frozen=True, slots=True)
class PersonNow:
    """Everything about one link, or what may become one: GHL's contact, EmailOctopus's, GHL's duplicates.

    `next_cycle` is what the next cycle does, None where that can't be told without what couldn't be read
    (`Explanation.unread`); `full_scan` what the next full scan does, None where it is the same.
    """

    findings: tuple[Finding, ...]
    contacts: tuple[ContactNow, ...]
    link: Link | None = None
    address: AddressNow | None = None
    fields: tuple[FieldNow, ...] = ()
    tags: tuple[TagNow, ...] = ()
    consent: ConsentNow | None = None
    scope: ScopeNow | None = None
    parked: tuple[Parked, ...] = ()
    held: tuple[Held, ...] = ()
    tombstones: tuple[Tombstone, ...] = ()
    events: tuple[WebhookEvent, ...] = ()
    """What webhooks told and no cycle has heeded yet."""
    deeds: tuple[Deed, ...] = ()
    activity: KnownActivity | None = None
    history: tuple[LoggedChange, ...] = ()
    """The newest lines of the audit log, newest first."""
    next_cycle: Forecast | None = None
    full_scan: Forecast | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer for one pair. `persons` is empty when neither the store nor a system knows whom was asked for.

    `unread` tells for each system that couldn't be read, or wasn't to be, why; `requests` what the answer cost; while
    the pair is paused (`paused_since`) no cycle comes.
    """

    pair: str
    persons: tuple[PersonNow, ...] = ()
    unread: Mapping[SystemName, StopSystem] = field(default_factory=dict)
    requests: Mapping[SystemName, int] = field(default_factory=dict)
    last_cycle: datetime | None = None
    paused_since: datetime | None = None
