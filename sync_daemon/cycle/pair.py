"""A pair with everything a cycle works with, and the run that one cycle is."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from sync_daemon.apply.send import BatchSize, Sender
from sync_daemon.changes.cases import ContactKey
from sync_daemon.changes.detect import Detector
from sync_daemon.changes.digests import Digester
from sync_daemon.changes.forgotten import Forgotten
from sync_daemon.changes.tagbook import TagBook
from sync_daemon.cycle.following import Following
from sync_daemon.cycle.guard import Guard
from sync_daemon.cycle.lease import Lease
from sync_daemon.cycle.neighbours import NO_NEIGHBOURS, Neighbours
from sync_daemon.model.activity import ActivityPolicy
from sync_daemon.model.contact import AccountSchema, Snapshot
from sync_daemon.model.engagement import Campaign
from sync_daemon.model.errors import IncompleteRead, Stopped, StopSystem
from sync_daemon.model.planned_pair import PlannedPair
from sync_daemon.model.policy import PairPolicy
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.model.rules import NO_RULES, RuleBook
from sync_daemon.model.state import PairState
from sync_daemon.model.system import SystemName
from sync_daemon.model.undo import Left
from sync_daemon.ports import Clock, Commit, PairStore, Progress, System
from sync_daemon.reconcile.decision import Context, Decision
from sync_daemon.reconcile.fields import MappedField
from sync_daemon.reconcile.mapping_check import NewField

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
TELLS_CONSENT, SCANNED = "search_tells_consent", "full_scan"
BATCH = "batch_size"
_BATCH_GROWS_EVERY = timedelta(days=1)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """The intervals of the configuration that a cycle obeys."""

    index_lag: timedelta = timedelta(minutes=10)
    poll_every: timedelta = timedelta(seconds=60)
    counts_every: timedelta = timedelta(minutes=10)
    consent_sweep_every: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Pair:
    """One GHL location and one EmailOctopus list, open and ready; its mapping has been checked.

    `lease` is kept by the systems before each request; `workers` is how many requests to one system wait at once (1:
    nothing goes side by side); `schema_fresh` says that opening it has just read both schemas; `told_to_stop` that
    nothing more is to be begun; `activity` what is shown of tasks, notes and appointments, None for nothing. `plan` is
    all that a cycle may do, None for whatever is to be done; `made` are the fields that opening it made; `keeps_undo`
    says that what writes replace goes into the undo journal; `neighbours` are the other pairs of its location or list.
    """

    name: str
    policy: PairPolicy
    systems: Mapping[SystemName, System]
    store: PairStore
    digester: Digester
    clock: Clock
    progress: Progress
    new_run_id: Callable[[], str]
    lease: Lease
    timing: Timing = Timing()
    workers: int = 8
    schema_fresh: bool = False
    told_to_stop: Callable[[], bool] = lambda: False
    activity: ActivityPolicy | None = None
    rules: RuleBook = NO_RULES
    plan: PlannedPair | None = None
    made: tuple[NewField, ...] = ()
    keeps_undo: bool = False
    neighbours: Neighbours = NO_NEIGHBOURS


@dataclass(slots=True)
class Run:
    """One cycle under way. `failed` holds why a system couldn't be read to its end, `short` why a full scan that did
    come to its end proves nothing.

    `interrupted` is a refusal that no record can be blamed for; `newest` is the newest remote timestamp that
    this cycle has read of each stream; `read_now` are the contacts that it has read by id, `gone` those
    that don't exist; `apply_scope` is the order to do what `on_leave_scope` says about those who left because the
    scope was narrowed.
    """

    pair: Pair
    report: CycleReport
    state: PairState
    schemas: dict[SystemName, AccountSchema]
    systems: dict[SystemName, System]
    book: TagBook
    generation: bytes
    scope_generation: bytes
    search_tells_consent: bool
    guard: Guard
    forgotten: Forgotten
    following: Following | None = None
    """What becomes of the plan that this cycle carries out, None for one that does whatever is to be done."""
    apply_scope: bool = False
    schema_fresh: bool = False
    failed: dict[SystemName, Exception] = field(default_factory=dict)
    short: dict[SystemName, IncompleteRead] = field(default_factory=dict)
    interrupted: Exception | None = None
    polled_at: datetime | None = None
    polled: set[SystemName] = field(default_factory=set)
    """The systems that this cycle has read to their end: what changed, or everything."""
    newest: dict[tuple[SystemName, str], datetime] = field(default_factory=dict)
    revocations_sought: dict[SystemName, int] = field(default_factory=lambda: dict.fromkeys(SystemName, 0))
    """The last inbox row of each system that was looked at for a revocation."""
    readings: dict[SystemName, bytes] = field(default_factory=dict)
    """In a full scan the digest of all that it depends on what a system's record means."""
    read_now: set[ContactKey] = field(default_factory=set)
    skipped: set[ContactKey] = field(default_factory=set)
    """The contacts that this cycle met and passed over as forgotten."""
    gone: set[ContactKey] = field(default_factory=set)
    looked_up: dict[tuple[SystemName, str], Snapshot | None] = field(default_factory=dict)
    """Who was found, if anybody, under the address of a contact that is gone."""
    consent_missed: Counter[SystemName] = field(default_factory=Counter)
    """How many changes of consent this cycle found that polls had not told."""
    overwritten: dict[ContactKey, Snapshot] = field(default_factory=dict)
    """Contacts as they were read for the undo journal alone, just before they are written to."""
    left: list[Left] = field(default_factory=list)
    """What of an undo a system didn't take."""
    campaigns: dict[str, Campaign | None] = field(default_factory=dict)
    """The campaigns that rules asked about; None for one that isn't there."""
    unread_reports: IncompleteRead | None = None
    """Why campaign reports haven't been read for long."""
    sender: Sender = field(init=False)
    blanks: dict[SystemName, dict[str, str]] = field(init=False)
    """What clears fields of each system, as far as that is stored."""

    def __post_init__(self) -> None:
        self.blanks = {name: remembered_blanks(self.state, name) for name in SystemName}
        for name, system in self.systems.items():
            system.blanks.update(self.blanks[name])
        self.sender = Sender(
            systems=self.systems,
            progress=self.pair.progress,
            names={
                system: {rule.name_in(system): rule.key for rule in self.pair.policy.fields} for system in SystemName
            },
            workers=self.pair.workers,
            batch=BatchSize(self._batch_size()),
            tick=self.pair.lease.keep,
            create_without_phone=self.pair.policy.create_without_phone,
            told_to_stop=self.pair.told_to_stop,
        )

    def _batch_size(self) -> int:
        """How many updates EmailOctopus takes in one request, as learned; a day later twice as many are tried."""
        learned = self.state.looked_at.get(BATCH)
        grown = learned is not None and self.pair.clock.now() - learned >= _BATCH_GROWS_EVERY
        most = self.systems[EMAILOCTOPUS].max_batch
        return min(self.state.batch_size * 2, most) if grown else self.state.batch_size

    @property
    def full(self) -> bool:
        """Whether this cycle reads everything."""
        return self.report.mode is Mode.FULL

    @property
    def stopped(self) -> Mapping[SystemName, StopSystem]:
        """The systems that can't be written any more in this cycle, with the reason."""
        return self.sender.out_of_reach()

    @property
    def zone(self) -> tzinfo:
        """The location's time zone; UTC where it tells none that is known here."""
        try:
            return ZoneInfo(self.schemas[GHL].time_zone or "UTC")
        except (ZoneInfoNotFoundError, ValueError):
            return UTC

    def active_since(self, names: Collection[str]) -> dict[str, datetime]:
        """Since when what is configured by these names has been active: from now on, where it wasn't known."""
        looked_at, now = self.state.looked_at, self.pair.clock.now()
        new = {name: now for name in names if name not in looked_at}
        if new:
            self.commit(Commit(looked_at=new))
        return {name: looked_at.get(name, now) for name in names}

    def sift(self, decisions: Iterable[Decision]) -> tuple[list[Decision], list[Decision]]:
        """What can be carried out now, as the guard and the plan have it; and what must be put off."""
        if self.following is None:
            return self.guard.sift(decisions)
        return self.following.sift(decisions, self.guard, self.context())

    def tick(self) -> None:
        """Keep the lease while reading. Raises `PairBusy` when it was lost, `Stopped` when told to stop."""
        self.pair.lease.keep()
        if self.pair.told_to_stop():
            raise Stopped(GHL)

    def policy(self) -> PairPolicy:
        """The pair's policy, with the list's own setting as it was last read."""
        schema = self.schemas.get(EMAILOCTOPUS)
        return self.pair.policy if schema is None else replace(self.pair.policy, double_opt_in=schema.double_opt_in)

    def mapped_fields(self) -> tuple[MappedField, ...]:
        """The rows of the mapping that both accounts can hold; the others are suspended."""
        rows = []
        for rule in self.pair.policy.fields:
            ghl = self.schemas[GHL].field(rule.ghl)
            emailoctopus = self.schemas[EMAILOCTOPUS].field(rule.emailoctopus)
            if ghl is not None and emailoctopus is not None:
                rows.append(MappedField(rule, ghl.type, emailoctopus.type, self.schemas[GHL].country))
        return tuple(rows)

    def detector(self) -> Detector:
        """What compares snapshots with baselines."""
        rules = tuple(mapped.rule for mapped in self.mapped_fields())
        return Detector(self.pair.digester, rules, self.book)

    def context(self, *, consent_alone: bool = False) -> Context:
        """What decisions may know, at this moment."""
        return Context(
            policy=self.policy(),
            fields=self.mapped_fields(),
            detector=self.detector(),
            now=self.pair.clock.now(),
            index_lag=self.pair.timing.index_lag,
            search_tells_consent=self.search_tells_consent,
            generation=self.generation,
            scope_generation=self.scope_generation,
            full=self.full,
            apply_scope=self.apply_scope,
            consent_alone=consent_alone,
        )

    def commit(self, commit: Commit) -> None:
        """Store a transaction, with the tag names that turned up since the last one; say what it parks."""
        self.pair.lease.keep()
        commit.tags.extend(self.book.news.values())
        self.book.news.clear()
        commit.looked_at.update(self._new_blanks())
        self.forgotten.leave_out(commit)
        self.pair.store.commit(commit, self.report.run_id, self.pair.lease.holds)
        for entry in (entry for entry in commit.parked if not entry.let_be):
            log.warning(
                "parked",
                pair=self.pair.name,
                ghl_id=entry.ghl_id,
                emailoctopus_id=entry.emailoctopus_id,
                what=entry.what,
                code=entry.code,
                attempts=entry.attempts,
            )

    def _new_blanks(self) -> dict[str, datetime]:
        """What was found to clear fields since it was last stored, as `remembered_blanks` reads it."""
        now, news = self.pair.clock.now(), {}
        for name, system in self.systems.items():
            for kind, blank in dict(system.blanks).items() - self.blanks[name].items():
                self.blanks[name][kind] = blank
                news[f"{_clears(name)}{kind} by {blank}"] = now
        return news

    def use_schemas(self, schemas: Mapping[SystemName, AccountSchema]) -> None:
        """Read and write from here on as these schemas tell; what is gone there is suspended, and said so."""
        self.schemas.update(schemas)
        for name in SystemName:
            self.systems[name] = self.systems[name].with_schema(self.schemas[name], field_names(self.policy(), name))
        mapped = {row.rule.key for row in self.mapped_fields()}
        suspended = [rule.key for rule in self.policy().fields if rule.key not in mapped]
        for key in suspended:
            log.warning("field_suspended", pair=self.pair.name, field=key)
        # What changes in a suspended field, or in a tag outside the filter, is looked for when it is back.
        self.generation = self.pair.digester.configuration(self.policy(), self.state.tag_generation, *suspended)


def remembered_blanks(state: PairState, system: SystemName) -> dict[str, str]:
    """What was last found to clear fields of a system, by kind of field (contract, section 3)."""
    found = sorted((at, name) for name, at in state.looked_at.items() if name.startswith(_clears(system)))
    told = (name.removeprefix(_clears(system)).rpartition(" by ") for _, name in found)
    return {kind: blank for kind, _, blank in told}


def _clears(system: SystemName) -> str:
    return f"cleared {system} "


def field_names(policy: PairPolicy, system: SystemName) -> set[str]:
    """The fields of one system that are read: those mapped, and in GHL those the scope asks about."""
    names = {rule.name_in(system) for rule in policy.fields}
    return names | set(policy.scope.field) if system is GHL else names
