"""What the state store remembers: no names, no addresses, no values, only ids, digests and decisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sync_daemon.model.contact import Consent, Snapshot
from sync_daemon.model.sharing import UNSHARED, Sharing
from sync_daemon.model.system import SystemName

ON_ITS_WAY = timedelta(seconds=30)
"""How long after it was written down a write may reach its system: a dead process's lease ends by then."""


class Unlinked(StrEnum):
    """Why a contact that was seen has no link; the words of `reconcile --json`'s `skipped` and more."""

    NO_EMAIL = "no_email"
    INVALID_EMAIL = "invalid_email"
    DUPLICATE = "duplicate"
    OUT_OF_SCOPE = "out_of_scope"
    SUPPRESSED = "suppressed"
    PENDING = "pending"
    FORGOTTEN = "forgotten"
    CREATION_OFF = "creation_off"
    ADDITIONAL_ADDRESS = "additional_address"
    PARKED = "parked"
    DROPPED = "dropped"
    """Its creation was refused, and a person said to let it be until the contact changes."""
    HELD = "held"
    DISCARDED = "discarded"
    """A person decided that it isn't created on the other side: it is asked about again when it changes."""
    ORPHAN = "orphan"
    """Its partner was deleted or its link moved on; the delete policy was applied to it, or is held."""
    KEPT = "kept"
    """Its partner was deleted, and another location of the list has the address: no delete policy yet."""
    ELSEWHERE = "elsewhere"
    """Another location of the list has it: it isn't created in this one."""
    DELETED = "deleted"
    """A read by id said that it doesn't exist."""


class Cause(StrEnum):
    """Who revoked (contract, section 4). Only a person's revocation is carried to the other side."""

    PERSON_GHL = "person_ghl"
    PERSON_EMAILOCTOPUS = "person_emailoctopus"
    POLICY = "policy"

    @property
    def by_person(self) -> bool:
        """Whether a person, not one of this program's policies, revoked."""
        return self is not Cause.POLICY


@dataclass(frozen=True, slots=True)
class Baseline:
    """What one system held when the two last agreed, as keyed digests.

    `fields` by the mapping row's key; a row that is missing here meets anew. `tags` are digests of the
    synced names in lower case; None when tags never met. `consent` None when consent never met.
    `generation` is the tag filter's generation (see `KnownTag`) when the tags were written down.
    `unconfirmed` marks an EmailOctopus contact that was asked to confirm and hasn't been seen subscribed since.
    """

    fields: Mapping[str, bytes] = field(default_factory=dict)
    tags: frozenset[bytes] | None = None
    consent: Consent | None = None
    address: bytes | None = None
    generation: int = 0
    unconfirmed: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """What was about to be written when the process may have died: a later snapshot that equals it is our own.

    `at` is the contact's timestamp as it was known then, `since` our clock. `counted` are the kinds of mass change
    that a guard let it through with, and that were counted when it was written down. `namesake` says that the contact
    is unsubscribed for the sake of its address, which another case has, too.
    """

    fields: Mapping[str, bytes] = field(default_factory=dict)
    tags: frozenset[bytes] = frozenset()
    consent: Consent | None = None
    address: bytes | None = None
    creation: bool = False
    deletion: bool = False
    counted: frozenset[str] = frozenset()
    at: datetime | None = None
    since: datetime | None = None
    namesake: bool = False

    def explains(self, updated_at: datetime | None) -> bool:
        """Whether a contact's timestamp may be that of this write; a later one is somebody else's."""
        return self.since is None or updated_at is None or updated_at <= self.since + ON_ITS_WAY

    def made(self, updated_at: datetime) -> bool:
        """Whether a contact with that timestamp may be the one created by this write; an older one was there before."""
        return self.since is not None and abs(updated_at - self.since) <= ON_ITS_WAY


@dataclass(frozen=True, slots=True)
class KnownContact:
    """One row for every contact seen, linked or not.

    `updated_at` is the newest remote timestamp known; `seen` the digest of the last snapshot that was
    handled to its end (None: handle the next one whatever it says); `consent` and `address` are as last
    seen; `written_at` is our clock when this program last wrote to it; `generation` is the digest of the
    configuration under which it was handled; `scan` the number of the last full scan that saw it;
    `duplicate_of` the GHL contact that holds the link for this address. `record` is the digest of the record that a
    full scan has just found nothing to do about; it is stored and never read back, so that every other write ends it.
    """

    system: SystemName
    contact_id: str
    updated_at: datetime | None = None
    consent: Consent | None = None
    address: bytes | None = None
    seen: bytes | None = None
    unlinked: Unlinked | None = None
    duplicate_of: str | None = None
    baseline: Baseline | None = None
    sent: Sent | None = None
    written_at: datetime | None = None
    generation: bytes = b""
    scan: int = 0
    record: bytes | None = None

    @property
    def key(self) -> tuple[SystemName, str]:
        """What its row is found by."""
        return self.system, self.contact_id


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is known of a contact about which nothing waits: the digest of its last sight, consent and timestamp."""

    seen: bytes | None
    consent: Consent | None
    updated_at: datetime | None


@dataclass(frozen=True, slots=True)
class SeenAgain:
    """Contacts that a full scan found as the last one left them: nothing but its number changes in their rows."""

    system: SystemName
    scan: int
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """The lasting tie between one GHL contact and one EmailOctopus contact.

    `cause` says who revoked; `dnd_by_us` whether the e-mail DND in GHL was set by this program, the only
    one it ever lifts; `scope_generation` is the scope under which `in_scope` was judged, `left_by_configuration`
    that it left the scope because that was narrowed, so that nothing was done about it; `diverged` are the keys of
    the mapping rows, and "tags", left different on purpose; `address_emptied` that GHL lost its address.
    `bounces` are the times, by mapping row, of the writes since the last outside edit that only answered an
    echo of our own: a field that doesn't settle within a day is parked as `unstable`. `sharing` is what it remembers
    for the sake of other pairs of its location or list.
    """

    ghl_id: str
    emailoctopus_id: str
    cause: Cause | None = None
    dnd_by_us: bool = False
    in_scope: bool = True
    scope_generation: bytes = b""
    left_by_configuration: bool = False
    consent_held: bool = False
    diverged: frozenset[str] = frozenset()
    address_emptied: bool = False
    bounces: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)
    sharing: Sharing = UNSHARED

    def id_in(self, system: SystemName) -> str:
        """The contact's id in one system."""
        return self.ghl_id if system is SystemName.GHL else self.emailoctopus_id


@dataclass(frozen=True, slots=True)
class Staged:
    """One row of the inbox: a contact that changed, or of which we only heard that it may have.

    `snapshot` None is a hint: read the contact by id. `changed_at` tells for each mapping row's key,
    "tags", "consent" and "address" the remote timestamp of the first snapshot that showed the change.
    `revoked` and `moved` repeat, unencrypted, that consent is revoked and that the address isn't the
    agreed one, so that revocations can be sent first and moves decided together. `echo` marks a snapshot
    no newer than the answer to our own last write: whatever differs in it isn't an outside edit. `absent` marks
    the hint at a contact that a complete full scan lacks, or whose held deletion a person decided: when the read by
    id finds it gone, it is deleted. `sequence` orders rows.
    """

    system: SystemName
    contact_id: str
    snapshot: Snapshot | None
    changed_at: Mapping[str, datetime] = field(default_factory=dict)
    revoked: bool = False
    moved: bool = False
    echo: bool = False
    absent: bool = False
    sequence: int = 0


NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""The time of the next try of what a person dropped and what can be told apart by nothing but its `value`."""


@dataclass(frozen=True, slots=True)
class Parked:
    """A change whose write failed for a reason that retrying at once can't heal.

    `what` is a mapping row's key, "tags", "consent", "address", "creation" or "deletion"; `code` a stable word;
    `message` the API's own (encrypted at rest); `value` the keyed digest of what was to be written, so
    that a changed record is tried at once. `dropped` is a person's order that the next cycle obeys; `orders`
    counts them: who stores the row again tells by it which he has seen, so that no later one is lost.
    """

    ghl_id: str | None
    emailoctopus_id: str | None
    what: str
    code: str
    message: str
    attempts: int
    next_try: datetime
    value: bytes | None = None
    dropped: bool = False
    orders: int = 0
    id: int | None = None

    @property
    def let_be(self) -> bool:
        """Whether a person's `drop` was obeyed and what was dropped stays undone until its record changes."""
        return self.dropped and self.next_try >= NEVER


@dataclass(frozen=True, slots=True)
class Held:
    """A change that a guard or policy stopped until a person approves it.

    `action` is a `MassChange`, or "change_address"; `reason` says in words why it is held. `approved` and
    `discarded` are a person's orders that the next cycle obeys.
    """

    ghl_id: str | None
    emailoctopus_id: str | None
    action: str
    reason: str
    since: datetime
    approved: bool = False
    discarded: bool = False
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Stuck:
    """Of a contact something is parked (`what` is the part), or held (`what` is the action)."""

    contact_id: str
    what: str
    is_held: bool


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A link whose contact was deleted on one side, or moved away: where, when, what was done about it."""

    ghl_id: str | None
    emailoctopus_id: str | None
    deleted_in: SystemName
    at: datetime
    done: str
    consent: Consent | None
    address: bytes | None


@dataclass(frozen=True, slots=True)
class KnownTag:
    """A tag's name as the pair knows it, without who has it (encrypted at rest).

    `name` is its name in lower case in the system that owns it (where the pair first saw it, for ever),
    `spelling` how EmailOctopus spells it, None until it exists there; `entered` the tag filter's
    generation in which it last came under the filter, -1 while it isn't, -2 while it collides with another name.
    """

    name: str
    owner: SystemName
    spelling: str | None = None
    entered: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the audit log: what a run did or saw, in which record, and why; never a value.

    `kind` is "written", "conflict", "parked", "held", "settled" (parked or held no more), "skipped", "linked",
    "unlinked", "deleted", "diverged", "consent" or "reported"; `what` a field's configuration name or its mapping
    row's key, an action, or a part of the contact ("tags", "consent", "address", "creation", "deletion", "scope").
    """

    kind: str
    system: SystemName | None
    ghl_id: str | None
    emailoctopus_id: str | None
    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Call:
    """What one pair finds that another one of its location or list is to look at again: a contact."""

    pair: str
    system: SystemName
    contact_id: str


@dataclass(frozen=True, slots=True)
class PairState:
    """What is remembered of a pair as a whole.

    `watermarks` by "system.stream": the remote's own timestamp up to which changes are durably staged.
    `looked_at` by name ("counts", "consent_sweep", "schema", what clears a kind of field): our clock when that was
    last asked or found.
    `generation` digests mapping, scope and policies; `tag_generation` counts changes of the tag filter;
    `batch_size` is how many updates EmailOctopus took in one request so far; `paused_since` when a person paused it.
    """

    name: str
    location_id: str
    list_id: str
    watermarks: Mapping[str, datetime] = field(default_factory=dict)
    looked_at: Mapping[str, datetime] = field(default_factory=dict)
    generation: bytes = b""
    scope_generation: bytes = b""
    tag_filter: bytes = b""
    tag_generation: int = 0
    scan: int = 0
    batch_size: int = 100
    paused_since: datetime | None = None

    @property
    def paused(self) -> bool:
        """Whether a person said that nothing of the pair is to be read or written."""
        return self.paused_since is not None


@dataclass(frozen=True, slots=True)
class Totals:
    """What waits or differs in a pair, in contacts, and how many links there are."""

    links: int = 0
    staged: int = 0
    parked: int = 0
    held: int = 0
    diverged: int = 0
    consent_held: int = 0
    unlinked: Mapping[str, int] = field(default_factory=dict)
