"""The protocols between the rooms: systems, the state store, the clock, progress.

Everything above the pure rooms is written against these; `tests/contract` has one suite for each that
every implementation passes.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Protocol, Self, TypeVar

from sync_daemon.model.activity import Appointment, KnownActivity, Note, Task
from sync_daemon.model.alarm import Condition
from sync_daemon.model.audit import ChangeFilter, LoggedChange
from sync_daemon.model.contact import AccountSchema, Page, Snapshot
from sync_daemon.model.deeds import Deed, DeedState
from sync_daemon.model.engagement import Campaign, Kind, Occasion, ReportRead, ReportRow
from sync_daemon.model.grants import ContactKey
from sync_daemon.model.oauth import KeptTokens, TokenOwner, Tokens
from sync_daemon.model.person import Person
from sync_daemon.model.plan import Bundle, Operation, WriteResult
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.model.state import (
    Call,
    Change,
    Held,
    KnownContact,
    KnownTag,
    Link,
    PairState,
    Parked,
    SeenAgain,
    Sighting,
    Staged,
    Stuck,
    Tombstone,
    Totals,
)
from sync_daemon.model.system import SystemName
from sync_daemon.model.undo import Replaced
from sync_daemon.model.webhook import WebhookEvent

T = TypeVar("T")


class Clock(Protocol):
    """Time, injected everywhere."""

    def now(self) -> datetime:
        """The wall clock, aware, UTC."""

    def monotonic(self) -> float:
        """Seconds that only grow."""

    def sleep(self, seconds: float) -> None:
        """Wait. Raises `ToldToStop` as soon as the process is told to stop: what was waited for isn't done."""


class Rates(Protocol):
    """Where it is kept how fast accounts were asked, for everybody who asks them."""

    block: int
    """How many requests may be counted together, and go within a moment: what is far away is asked less often."""

    def change(self, key: str, change: Callable[[bytes, float], tuple[bytes, T]]) -> T:
        """Put in the place of what is kept under a key what `change` makes of it and of the time; what else it gives.

        The time is in seconds of one clock for all; nothing yet is b"". One at a time changes a key.
        """


class Reader(Protocol):
    """How one system is read. Every method may raise `StopSystem`."""

    streams: tuple[str, ...]
    """The listings that together hold every contact (GHL: contacts; EmailOctopus: the three statuses)."""
    revocation_streams: tuple[str, ...]
    """Those in which a contact turns up when its consent is revoked."""
    runs_behind: bool
    """Whether listings come from an index that runs behind, so that rows are hints (GHL)."""
    per_page: int
    """How many contacts one request of a listing brings."""

    def poll(self, stream: str, since: datetime) -> Iterator[Page]:
        """Contacts of a stream changed at or after `since`, oldest change first where the API can sort.

        Raises `IncompleteRead` when the listing breaks off or repeats a cursor.
        """

    def scan(self, stream: str) -> Iterator[Page]:
        """Every contact of a stream; raises `IncompleteRead` like `poll`.

        Its pages keep as `records` what needn't be read of a contact that stands as it was; all others are read.
        """

    def scan_revoked(self) -> Iterator[Page]:
        """Every contact whose consent the system lists as revoked."""

    def fetch(self, contact_id: str) -> Snapshot | None:
        """One contact by id, None when the system says that it doesn't exist."""

    def find(self, address: str) -> Snapshot | None:
        """The contact that the system finds for an address, None when it has none."""

    def holders(self, address: str) -> tuple[str, ...]:
        """The ids of the contacts that have an address as their own, as far as the system's listings know.

        Raises `IncompleteRead` like `poll`.
        """

    def tag_names(self) -> tuple[str, ...]:
        """The names of every tag the location or list defines, as it spells them."""


class ActivityReader(Protocol):
    """How GHL's tasks, notes and appointments are read. Every method may raise `StopSystem` and `Refused`."""

    def tasks(self, *, completed: bool) -> Iterator[Task]:
        """Every task of the location that is open, or that is completed, from an index that runs behind."""

    def tasks_of(self, contact_id: str) -> list[Task]:
        """The tasks of one contact. Raises `NotFound` when there is no such contact."""

    def notes_of(self, contact_id: str) -> list[Note]:
        """The notes of one contact. Raises `NotFound` when there is no such contact."""

    def appointments(self, start: datetime, end: datetime) -> Iterator[Appointment]:
        """The appointments of every calendar that begin between two moments."""

    def appointments_of(self, contact_id: str) -> list[Appointment]:
        """Every appointment of one contact. Raises `NotFound` when there is no such contact."""


class Automations(Protocol):
    """How EmailOctopus's automations are started."""

    def start(self, automation_id: str, contact_id: str) -> None:
        """Let a contact enter an automation; one who entered it already is fine.

        Raises `Refused` for an automation that can't be started so, and what every request may raise.
        """


class Writer(Protocol):
    """How one system is written. Every method may raise `StopSystem`."""

    def bundle(self, operations: Sequence[Operation], batch_size: int) -> list[Bundle]:
        """Group operations into as few requests as the API allows; pure, order of operations kept by contact.

        Operations that narrow consent never share a request with others.
        """

    def send(self, bundle: Bundle) -> list[WriteResult]:
        """Send one request; one result for each operation.

        Raises `BatchRefused` when a batch of several was refused as a whole.
        """

    def create_field(self, name: str, vendor_type: str, label: str, choices: tuple[str, ...]) -> None:
        """Create a custom field; one that exists already is fine. Raises `Refused`."""

    def create_tag(self, name: str) -> None:
        """Define a tag; one that exists already is fine. Raises `Refused`."""


class Engagement(Protocol):
    """What people did with the mails of one list. Every method may raise `StopSystem`, `Refused`."""

    def campaigns(self) -> Iterator[Campaign]:
        """The list's campaigns that were sent, in the order of the API. Raises `IncompleteRead`."""

    def campaign(self, campaign_id: str) -> Campaign | None:
        """One campaign, None when there is none such."""

    def summary(self, campaign_id: str) -> Mapping[Kind, int]:
        """How many contacts each kind of event has in a campaign."""

    def report(self, campaign_id: str, kind: Kind) -> Iterator[ReportRow]:
        """To whom something happened in a campaign. Raises `IncompleteRead`."""


class Actions(Protocol):
    """What can be done in one location beside writing contacts: operations of its catalogue, by their names.

    Every method may raise `StopSystem` and `Refused`.
    """

    def call(self, operation: str, values: Mapping[str, object]) -> None:
        """Do it. Raises `AnswerLost` when it may have been done, and twice would be once too often."""

    def repeatable(self, operation: str, values: Mapping[str, object]) -> bool:
        """Whether doing it twice is as good as doing it once."""

    def tasks(self, contact_id: str) -> list[Task]:
        """A contact's tasks."""

    def notes(self, contact_id: str) -> list[Note]:
        """A contact's notes."""


class System(Protocol):
    """One side of a pair: its rooms behind the ports. GHL has `actions` and `activity`, EmailOctopus `engagement` and
    `automations`, the other None.
    """

    name: SystemName
    reader: Reader
    writer: Writer
    actions: Actions | None
    activity: ActivityReader | None
    automations: Automations | None
    engagement: Engagement | None
    max_batch: int
    """How many operations one batch request may carry at most."""
    blanks: dict[str, str]
    """What was found to clear fields, by kind of field: for later processes to be given again."""

    def read_schema(self) -> AccountSchema:
        """What the account can hold now. Raises `StopSystem`, `ConfigurationError` for an unknown location or list."""

    def with_schema(self, schema: AccountSchema, names: Collection[str]) -> Self:
        """The same system, reading and writing the fields `names` (configuration names) as `schema` tells."""

    def usage(self) -> "Usage":
        """Requests since the start of the process."""

    def seconds_for(self, requests: int) -> float:
        """The least time that many requests take under the limits known now."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Requests sent and how many of them were throttled (429); quotas where the headers told them."""

    requests: int = 0
    throttled: int = 0
    daily_limit: int | None = None
    daily_remaining: int | None = None
    rate_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of one system's contacts after a full scan.

    `listed` are those that it saw; `old` those known for longer than the index lags, deleted ones left out,
    `old_listed` how many of these it saw. Nobody who was forgotten is known.
    """

    listed: int
    old: int
    old_listed: int


@dataclass(slots=True)
class Commit:
    """What one transaction stores. Rows replace those with the same key; lists of keys remove rows."""

    contacts: list[KnownContact] = field(default_factory=list)
    seen_again: list[SeenAgain] = field(default_factory=list)
    additional_addresses: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
    """GHL contact id -> digests of its additional addresses (replaces all of that contact)."""
    links: list[Link] = field(default_factory=list)
    unlink: list[Link] = field(default_factory=list)
    """Removed before `links` are written, so that contacts can change partners in one transaction."""
    staged: list[Staged] = field(default_factory=list)
    done: list[Staged] = field(default_factory=list)
    """Inbox rows to remove; one that was staged anew since (another `sequence`) stays."""
    heeded: list[WebhookEvent] = field(default_factory=list)
    """What webhooks told and is staged by this transaction, or answered by what was read."""
    parked: list[Parked] = field(default_factory=list)
    """Replace by (ghl_id, emailoctopus_id, what)."""
    unparked: list[Parked] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    """Replace by (ghl_id, emailoctopus_id, action); what a person said about one that stands stays, and since when."""
    unheld: list[Held] = field(default_factory=list)
    tombstones: list[Tombstone] = field(default_factory=list)
    tags: list[KnownTag] = field(default_factory=list)
    revoked_addresses: dict[bytes, str] = field(default_factory=dict)
    """Address digest -> cause of a revocation, kept for ever; a person's cause is never replaced by `policy`."""
    regranted_addresses: list[bytes] = field(default_factory=list)
    watermarks: dict[str, datetime] = field(default_factory=dict)
    """Only ever moved forward."""
    looked_at: dict[str, datetime] = field(default_factory=dict)
    batch_size: int | None = None
    activity: list[KnownActivity] = field(default_factory=list)
    activity_over: list[str] = field(default_factory=list)
    """GHL ids of which nothing is shown any more; removed before `activity` is written."""
    deeds: list[Deed] = field(default_factory=list)
    """Replace by key."""
    occasions: list[Occasion] = field(default_factory=list)
    """One that is known changes nothing."""
    judged: list[Occasion] = field(default_factory=list)
    """Occasions about which every rule was asked."""
    reports: list[ReportRead] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    replaced: list[Replaced] = field(default_factory=list)
    """What writes replaced, for the undo journal."""
    calls: list[Call] = field(default_factory=list)
    """What other pairs of the location or list are to look at again."""
    heard: list[ContactKey] = field(default_factory=list)
    """Contacts to which others called attention, and that are staged now, or nothing to look at."""
    mass_changes: dict[str, int] = field(default_factory=dict)
    """How many changes of each kind that the guard counts this transaction writes down as made."""

    def include(self, other: Self) -> None:
        """Store the rows of another commit in the same transaction, too. What is counted or measured stays apart."""
        for one in fields(self):
            mine, more = getattr(self, one.name), getattr(other, one.name)
            if isinstance(mine, list):
                mine.extend(more)
        self.additional_addresses.update(other.additional_addresses)
        self.revoked_addresses.update(other.revoked_addresses)


class PairStore(Protocol):
    """The state of one pair. Every method may raise `StateStoreError`; reads see what was committed."""

    def state(self) -> PairState:
        """The pair's row."""

    def paused_since(self) -> datetime | None:
        """When a person paused the pair, None while it isn't."""

    def configure(self, *, generation: bytes, scope_generation: bytes, tag_filter: bytes) -> PairState:
        """Write down the configuration in force; a changed `tag_filter` counts `tag_generation` up."""

    def begin_scan(self) -> int:
        """Count the full scans up; the new number."""

    def schemas(self) -> dict[SystemName, AccountSchema]:
        """The schema last saved for each system; one that was never read is left out."""

    def save_schema(self, schema: AccountSchema) -> None:
        """Remember a schema, so that idle cycles needn't ask for it."""

    def contacts(self, system: SystemName, ids: Collection[str]) -> dict[str, KnownContact]:
        """Known contacts by id."""

    def contacts_at(self, system: SystemName, addresses: Collection[bytes]) -> dict[bytes, list[KnownContact]]:
        """Known contacts by the digest of their current primary address."""

    def settled_records(self, system: SystemName, ids: Collection[str]) -> dict[str, tuple[bytes, datetime]]:
        """Of contacts that a full scan had nothing to do about, and that nothing was stored or staged of since:
        the digest of the record that it found, and their timestamp.
        """

    def sightings(self, system: SystemName, ids: Collection[str]) -> dict[str, Sighting]:
        """What was last seen of contacts that nothing is staged of."""

    def holders_of_additional(self, addresses: Collection[bytes]) -> dict[bytes, list[str]]:
        """Ids of GHL contacts that have an address as an additional one."""

    def additional_addresses(self, ids: Collection[str]) -> dict[str, set[bytes]]:
        """The additional addresses of GHL contacts by id; who has none is left out."""

    def links(self, *, ghl: Collection[str] = (), emailoctopus: Collection[str] = ()) -> list[Link]:
        """Links of any of the contacts named."""

    def shared_links(self) -> list[Link]:
        """The links that remember something for the sake of other pairs of the location or list."""

    def called(self) -> list[ContactKey]:
        """The contacts that other pairs of the location or list call this one's attention to."""

    def staged(self, system: SystemName, ids: Collection[str]) -> dict[str, Staged]:
        """Inbox rows by contact id."""

    def next_staged(
        self,
        system: SystemName,
        after: int,
        limit: int,
        *,
        revoked: bool = False,
        moved: bool = False,
        absent: bool = False,
    ) -> list[Staged]:
        """Inbox rows of a system with a sequence above `after`, in order; only those with all marks asked for."""

    def count_staged(self) -> dict[SystemName, int]:
        """How many inbox rows wait."""

    def has_work(self, now: datetime) -> bool:
        """Whether anything waits in the inbox, is parked and due, or is held and was decided about by a person."""

    def save_events(self, told: Collection[WebhookEvent]) -> None:
        """Keep what webhooks told, safe from a power cut when this returns; an event that is known changes nothing."""

    def waiting_events(self, system: SystemName, limit: int) -> list[WebhookEvent]:
        """Events about contacts that no cycle has heeded yet, oldest first."""

    def told_of(self) -> set[SystemName]:
        """The systems about whose contacts events wait that no cycle has heeded yet."""

    def waiting_activity(self, limit: int) -> list[WebhookEvent]:
        """Events about GHL contacts' activity that no cycle has heeded yet, oldest first."""

    def count_waiting_events(self) -> int:
        """How many events no cycle has heeded yet."""

    def save_occasions(self, told: Collection[Occasion]) -> None:
        """Keep what webhooks told for rules, safe from a power cut when this returns; one that is known stays."""

    def waiting_occasions(self, after: Occasion | None, limit: int) -> list[Occasion]:
        """Occasions that no rule was asked about yet, oldest first, from the one after `after` on."""

    def last_occasions(self, limit: int) -> list[Occasion]:
        """The newest occasions, whether judged or not."""

    def occasions(self, ids: Collection[str]) -> dict[str, Occasion]:
        """Occasions by their ids, as far as they are stored still."""

    def opt_outs_of(self, contacts: Collection[str]) -> list[Occasion]:
        """What is known of the unsubscribes, bounces and complaints of some EmailOctopus contacts."""

    def reports(self) -> dict[tuple[str, Kind], ReportRead]:
        """How far each campaign's reports were read."""

    def activity(self, ids: Collection[str]) -> dict[str, KnownActivity]:
        """What is known of the activity of GHL contacts."""

    def ids_with_activity(self, *, open_tasks: bool = False) -> list[str]:
        """Ids of the GHL contacts of which something was shown, or of which a task was open when last looked at."""

    def stale_notes(self, before: datetime, margin: timedelta, limit: int) -> list[str]:
        """Ids of the linked GHL contacts whose notes are to be read, the most urgent first.

        First those that changed after `before`, and since, or not longer than `margin` before, their notes were read,
        the newest change first; then those whose notes weren't read since `before`, longest ago first.
        """

    def deeds(self, keys: Collection[str]) -> dict[str, Deed]:
        """The deeds with these keys."""

    def deeds_of(self, ids: Collection[str]) -> list[Deed]:
        """Everything that was done, or is to be, with these GHL contacts."""

    def open_deeds(self, due: datetime) -> list[Deed]:
        """Those intended or refused whose time has come, oldest first."""

    def deeds_in(self, state: DeedState) -> list[Deed]:
        """Every deed in one state, oldest first."""

    def count_deeds(self) -> dict[DeedState, int]:
        """How many deeds are in each state; what was let be for a reason, as somebody had revoked, isn't done."""

    def open_alerts(self) -> dict[Condition, datetime]:
        """Each condition that was told and isn't over, and since when it is so."""

    def parked(
        self,
        *,
        ghl: Collection[str] = (),
        emailoctopus: Collection[str] = (),
        due: datetime | None = None,
        everything: bool = False,
    ) -> list[Parked]:
        """Parked changes of the contacts named, those whose time has come, or all that wait."""

    def stuck(self, system: SystemName, ids: Collection[str]) -> list[Stuck]:
        """What is parked or held of a system's contacts."""

    def parked_ids(self) -> set[int]:
        """The ids of every parked change, those that are let be too."""

    def order(self, ids: Collection[int], *, drop: bool) -> None:
        """Have the next cycle try some parked changes again, or drop them; needs no lease, the last order counts."""

    def held(
        self,
        *,
        ghl: Collection[str] = (),
        emailoctopus: Collection[str] = (),
        ordered: bool = False,
        everything: bool = False,
    ) -> list[Held]:
        """Held changes of the contacts named, those a person decided about, or all."""

    def order_held(self, ids: Collection[int], *, approve: bool) -> None:
        """A person's word about held changes, that the next cycle obeys: approved, or else discarded."""

    def tags(self) -> list[KnownTag]:
        """Every tag name the pair has seen."""

    def revoked_at(self, addresses: Collection[bytes]) -> dict[bytes, str]:
        """The cause of the remembered revocation of each address that has one."""

    def count_contacts(self, system: SystemName) -> dict[str, int]:
        """Known contacts, deleted ones left out, by consent value."""

    def seen_by_scan(self, system: SystemName, scan: int, known_before: datetime) -> Seen:
        """How many of the known contacts a full scan saw; `known_before` tells old ones, neither changed nor
        written since.
        """

    def absent_from_scan(self, system: SystemName, scan: int, known_before: datetime) -> list[str]:
        """Ids of the old contacts that a full scan didn't see: linked ones, and others not known to be deleted."""

    def replaced(self, run_id: str, after: Replaced | None, limit: int) -> list[Replaced]:
        """What a run's writes replaced, contact by contact, from the row after `after` on."""

    def replaced_by(self, row_id: int) -> Replaced | None:
        """One row of the undo journal, None when it was erased or never was."""

    def count_replaced(self, run_ids: Collection[str]) -> dict[str, int]:
        """How many writes of each of these runs the undo journal has; a run without any is left out."""

    def conflicts(self, limit: int, before: int | None = None) -> list[Replaced]:
        """The newest writes by which a value lost against the other side's, newest first; those before a row."""

    def count_to_be_overwritten(self, system: SystemName) -> int:
        """How many contacts with nothing in the inbox have a link to one that is there: it may be written to them."""

    def to_be_overwritten(self, system: SystemName, ids: Collection[str]) -> set[str]:
        """Those of some contacts that `count_to_be_overwritten` counts."""

    def written_beside(self, run_id: str, because: Collection[str]) -> list[Change]:
        """The lines of a run's audit log about what was written for a reason that begins with one of these."""

    def mass_changes(self, since: datetime) -> dict[str, int]:
        """How many changes of each kind that the guard counts were made since then; older ones may be forgotten."""

    def count_links(self) -> int:
        """How many links there are."""

    def totals(self) -> Totals:
        """What waits or differs, and how much there is of everything; that takes long where there is much."""

    def totals_waiting(self) -> Totals:
        """Of `totals` what is parked, held, diverged or `consent_held`, the rest 0: quick where little of it is so."""

    def forgotten(self) -> set[bytes]:
        """The digests of every address and contact that was forgotten."""

    def is_forgotten(self, address_or_id: str) -> bool:
        """Whether an address, or a contact's id in either system, is that of somebody who was forgotten."""

    def records_of(self, address: bytes) -> dict[SystemName, set[str]]:
        """The ids of the contacts that are known to have an address, by its digest, and of those linked to them."""

    def forget(self, address: bytes, found: Collection[ContactKey] = (), holder: str | None = None) -> dict[str, int]:
        """Erase what is stored of whoever has an address, and of the contacts `found`; how many rows of each table.

        Digests of the address and of every contact's id are kept. Raises `PairBusy`, and erases nothing, when
        `holder` lost the lease.
        """

    def forget_contacts(self, found: Collection[ContactKey]) -> None:
        """Erase what came to be stored of contacts that were forgotten before, under their ids."""

    def recall(self, address: bytes) -> bool:
        """Forget that a person was forgotten, by the digest of the address; False when that isn't so.

        The next cycle reads everything.
        """

    def pause(self) -> bool:
        """Have no process read or write the pair from now on; False when it was paused already. Needs no lease."""

    def resume(self) -> bool:
        """Let the pair be worked on again; False when it wasn't paused. Needs no lease."""

    def commit(self, commit: Commit, run_id: str = "", holder: str | None = None) -> None:
        """Store everything in one transaction. Raises `PairBusy`, and stores nothing, when `holder` lost the lease."""

    def acquire(self, holder: str, seconds: float) -> bool:
        """Take the pair's lease for `seconds` from now, or again if `holder` has it; False when another has it.

        A lease that ends later than that was taken before the clock was turned back: from now on it has `seconds`.
        """

    def renew(self, holder: str, seconds: float) -> bool:
        """Let the lease end `seconds` from now; False when `holder` has lost it, though it be free again."""

    def is_leased(self) -> bool:
        """Whether some process works on the pair now."""

    def release(self, holder: str) -> None:
        """Give the lease back."""

    def logged(
        self, asked: ChangeFilter, limit: int, *, beyond: tuple[datetime, int] | None = None, newest_first: bool = True
    ) -> list[LoggedChange]:
        """A page of the audit log's lines asked for, that after the line at the place `beyond`."""

    def every_logged(self, asked: ChangeFilter) -> Iterator[LoggedChange]:
        """All lines asked for, oldest first, a page at a time."""

    def tombstones_of(self, person: Person) -> list[Tombstone]:
        """What is remembered of deletions that concern one person, oldest first."""

    def save_run(self, report: CycleReport, started: datetime, ended: datetime) -> None:
        """Write down how a cycle ended."""

    def last_runs(self, limit: int, mode: Mode | None = None) -> list[Mapping[str, object]]:
        """The newest runs, of one mode or all.

        Each has run_id, mode, outcome, started, ended and report (as `reconcile --json` prints it).
        """

    def run(self, run_id: str) -> Mapping[str, object] | None:
        """One run, as `last_runs` tells it; None for one that has no row (any more, or yet)."""


class TokenStore(Protocol):
    """The tokens of OAuth, shared by every process. Every method may raise `StateStoreError`."""

    def find(self, owner: TokenOwner) -> KeptTokens | None:
        """The tokens of an owner, None when nobody logged in for it."""

    def agencies(self, client_id: str) -> list[KeptTokens]:
        """The agencies that an app is installed in."""

    def put(self, owner: TokenOwner, tokens: Tokens) -> KeptTokens:
        """Keep new tokens, whatever was kept before."""

    def replace(self, before: KeptTokens, tokens: Tokens) -> KeptTokens | None:
        """Keep new tokens instead of `before` for good; None, and nothing, when those aren't kept any more."""

    def refuse(self, kept: KeptTokens) -> None:
        """Note that the refresh token was refused for good; nothing when others are kept meanwhile."""

    def lock(self, owner: TokenOwner, holder: str, seconds: float) -> KeptTokens | None:
        """Be the only one to refresh an owner's tokens for `seconds` at most; the tokens as they are now.

        None while another holder does, or when there are none.
        """

    def unlock(self, owner: TokenOwner, holder: str) -> None:
        """Let others refresh; nothing happens when `holder` isn't the one."""


class Progress(Protocol):
    """What a person sees while a cycle runs."""

    def pages_read(self, system: SystemName, records: int) -> None:
        """A page came in."""

    def records_planned(self, records: int) -> None:
        """So many more records are to be written, each on one side or both."""

    def planned(self, system: SystemName, requests: int) -> None:
        """So many more requests are to be sent."""

    def foreseen(self, system: SystemName, requests: int) -> None:
        """So many requests are likely to follow those planned; the newest estimate counts."""

    def sent(self, system: SystemName, requests: int) -> None:
        """So many requests were answered."""

    def writes_done(self, system: SystemName, writes: int) -> None:
        """So many more writes were taken by the system."""


SecondsFor = Callable[[SystemName, int], float]
"""The least time that so many requests to a system take."""


class CycleProgress(Progress, Protocol):
    """Progress that is told which pair it is about and what requests cost there."""

    def begin(self, pair: str, seconds_for: SecondsFor) -> None:
        """Start over with another pair."""
