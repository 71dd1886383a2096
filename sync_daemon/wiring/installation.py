"""An installation: its settings, its state store, and its pairs ready for a cycle."""

import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from sync_daemon.changes.digests import Digester
from sync_daemon.changes.others import Neighbour
from sync_daemon.cycle import Lease, Pair, Timing
from sync_daemon.cycle.neighbours import Neighbours, Shared
from sync_daemon.model.alarm import Condition
from sync_daemon.model.errors import PairPaused, StateStoreError
from sync_daemon.model.planned_pair import PlannedPair
from sync_daemon.model.policy import PairPolicy
from sync_daemon.model.report import READ_ALL, CycleOutcome, CycleReport, Mode
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Clock, Progress, Rates
from sync_daemon.reconcile.activity import new_activity_fields
from sync_daemon.reconcile.following import PlanBook
from sync_daemon.reconcile.mapping_check import NewField
from sync_daemon.reconcile.planned import planned_field
from sync_daemon.settings.installation import Settings
from sync_daemon.settings.pair import PairSection
from sync_daemon.store.housekeeping import Retention
from sync_daemon.store.installation import StateStore
from sync_daemon.store.pair import SqlPairStore
from sync_daemon.systems.registry import own_rates
from sync_daemon.wiring.clock import SystemClock
from sync_daemon.wiring.foreseen import foresee
from sync_daemon.wiring.set_up import SetUp
from sync_daemon.wiring.state import open_store
from sync_daemon.wiring.stopping import told_to_stop, told_to_stop_or_paused
from sync_daemon.wiring.systems import Systems, Traffic, connect, unobserved

_MOST_APART_S = 5.0
"""How far a worker's clock may be from the database's: a lease of half a minute must mean the same to all."""
_NOT_BEGUN = {CycleOutcome.AUTH, CycleOutcome.UNREACHABLE, CycleOutcome.QUOTA}
_log = structlog.get_logger(__name__)


def new_holder() -> str:
    """A name for whoever holds pairs: this process, or a part of it that may not hold them together with the rest."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


@dataclass(frozen=True, slots=True)
class Installation:
    """The state store and what it takes to open pairs on it.

    `traffic` is told of every request; `holder` names this process in leases; `rates` is where pairs that share an
    account keep to its limit together; `configured` are all pairs as they are configured now, in their order.
    """

    settings: Settings
    store: StateStore
    clock: Clock = field(default_factory=SystemClock)
    traffic: Traffic = unobserved
    rates: Rates | None = None
    holder: str = field(default_factory=new_holder)
    configured: list[PairSection] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.configured:
            self.configured.extend(self.settings.pairs)

    def new_run_id(self) -> str:
        """An id that sorts by time."""
        return f"{self.clock.now():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"

    def open(self, section: PairSection, progress: Progress, plan: PlannedPair | None = None) -> Pair:
        """A pair ready to be reconciled, or to have a plan carried out; fields that a side lacks are made.

        Raises `ConfigurationError` for a mapping that can't work, or needs a field that the plan doesn't make,
        `PairBusy` when fields must be made and another process holds the pair or a person paused it, `StopSystem` when
        a system can't be asked.
        """
        if (since := self.open_store(section).paused_since()) is not None:
            raise PairPaused(section.name, since)
        set_up = self.set_up(section, self.store)
        book, digester = PlanBook(plan.operations if plan else ()), self.digester
        policy = set_up.complete(lambda new: plan is None or book.same(planned_field(new, digester)) is not None)
        pair = self.pair_of(set_up, policy, set_up.systems, progress, self.store)
        stop = told_to_stop_or_paused(set_up.store, self.clock)
        return replace(pair, told_to_stop=stop, plan=plan, made=tuple(set_up.made) if plan else ())

    def neighbours(self, section: PairSection) -> Neighbours:
        """The other pairs of a pair's location and list, as far as the state store has them."""
        return Neighbours(
            tuple(self._shared(section, lambda one: one.ghl.location_id == section.ghl.location_id)),
            tuple(self._shared(section, lambda one: one.emailoctopus.list_id == section.emailoctopus.list_id)),
            section.unsubscribe_means,
        )

    def _shared(self, section: PairSection, shares: Callable[[PairSection], bool]) -> Iterator[Shared]:
        pairs = tuple(self.configured)
        names = [one.name for one in pairs]
        for index, one in enumerate(pairs):
            if one.name != section.name and shares(one):
                earlier = section.name in names[index:]
                yield Shared(Neighbour(one.name, earlier, one.policy().fields), partial(self._look_at, one))

    def _look_at(self, section: PairSection) -> SqlPairStore | None:
        """What is stored of a pair between the accounts that the configuration names."""
        store = self.store.known_pair(section.name)
        state = store.state() if store is not None else None
        return store if state is not None and (state.location_id, state.list_id) == section.accounts else None

    @property
    def digester(self) -> Digester:
        """What makes this installation's digests."""
        return Digester(*self.store.digest_keys)

    def open_store(self, section: PairSection) -> SqlPairStore:
        """The state of a pair. Raises `StateStoreError` when it has links between another location and list."""
        return self.store.open_pair(section.name, section.ghl.location_id, section.emailoctopus.list_id)

    def after(self, report: CycleReport) -> None:
        """What a cycle leaves to be done for the whole installation: a full scan makes former secrets needless."""
        if report.mode is Mode.FULL and report.outcome in READ_ALL and self.store.renew():
            _log.info("secret_key_renewed", advice="previous_secret_keys isn't needed any more: take it out")

    def not_begun(self, section: PairSection, report: CycleReport, began: datetime) -> None:
        """Write down a cycle that a system kept from beginning, for `status` and the pages to tell of it.

        Where the state store can't take it, the log alone tells.
        """
        if report.outcome not in _NOT_BEGUN or Condition.DATABASE in report.alarms:
            return
        try:
            self.open_store(section).save_run(report, began, self.clock.now())
        except StateStoreError as error:
            _log.warning("run_not_stored", pair=section.name, run=report.run_id, why=str(error))

    def tidy(self) -> None:
        """Remove what the configuration doesn't want kept any longer."""
        wanted = self.settings.retention
        removed = self.store.tidy(Retention(wanted.runs, wanted.events, timedelta(days=wanted.undo_days)))
        if any(astuple(removed)):
            _log.info("tidied", **asdict(removed))

    @contextmanager
    def foresee(self, section: PairSection, progress: Progress) -> Iterator[tuple[Pair, list[NewField]]]:
        """A pair ready to be planned, as it will be once the fields given with it are made; nothing is made.

        It works on a private copy of the pair's state, so that another process may reconcile the pair meanwhile.
        Raises `ConfigurationError` and `StopSystem` as `open` does.
        """
        with self.store.private_copy(section.name) as copy:
            set_up = self.set_up(section, copy)
            policy, new = set_up.check()
            if policy.create_missing_fields:
                schema = set_up.store.schemas().get(SystemName.EMAILOCTOPUS)
                new = [*new, *(new_activity_fields(section.activity.policy(), schema) if schema else ())]
            systems = foresee(set_up.systems, new, set_up.store) if new else set_up.systems
            yield self.pair_of(set_up, policy, systems, progress, copy), new

    def set_up(self, section: PairSection, state: StateStore) -> SetUp:
        """A pair's set-up, yet to be checked."""
        return self.set_up_on(
            section, state.open_pair(section.name, section.ghl.location_id, section.emailoctopus.list_id)
        )

    def set_up_on(self, section: PairSection, store: SqlPairStore) -> SetUp:
        """A pair's set-up on a store of its own."""
        lease = Lease(section.name, store, self.holder, self.clock)
        systems = connect(section, self.settings, self.clock, self.store.oauth, lease.keep, self.traffic, self.rates)
        return SetUp(section, store, systems, self.clock, lease)

    def pair_of(
        self, set_up: SetUp, policy: PairPolicy, systems: Systems, progress: Progress, state: StateStore
    ) -> Pair:
        """A pair whose set-up was checked, on the store that the set-up has."""
        service = self.settings.service
        return Pair(
            name=policy.name,
            policy=policy,
            systems=systems,
            store=set_up.store,
            digester=Digester(*state.digest_keys),
            clock=self.clock,
            progress=progress,
            new_run_id=self.new_run_id,
            lease=set_up.lease,
            timing=Timing(
                index_lag=self.settings.ghl.index_lag,
                poll_every=service.poll_every,
                counts_every=service.counts_every,
                consent_sweep_every=service.consent_sweep_every,
            ),
            schema_fresh=set_up.read == set(SystemName),
            told_to_stop=told_to_stop,
            activity=set_up.section.activity.policy(),
            rules=set_up.section.rule_book(),
            keeps_undo=self.settings.retention.undo_days > 0,
            neighbours=self.neighbours(set_up.section),
        )


@contextmanager
def open_installation(
    settings: Settings, traffic: Traffic = unobserved, *, shared: bool = False
) -> Iterator[Installation]:
    """The installation that settings describe, as long as the context lasts. Raises as `open_store`.

    A `shared` one is worked on by several processes, whose requests keep to one limit; only on PostgreSQL.
    """
    with open_store(settings) as store:
        if shared:
            store.cluster.refuse_another_time(_MOST_APART_S)
        rates = store.cluster if shared else own_rates(SystemClock())
        yield Installation(settings, store, traffic=traffic, rates=rates)
