"""A life's frame: how it begins, what a cycle and a quiet spell must keep to, and how it ends."""

import io
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.emailoctopus.model import Field
from sync_daemon.sandbox.weather import Weather
from tests.machine.acted import Acts
from tests.machine.doings import Doings
from tests.machine.engaged import Engaged
from tests.machine.graves import broken_graves
from tests.machine.house import TALLY, House, Process, broke
from tests.machine.memory import Memory
from tests.machine.outside import Outside
from tests.machine.owed import Owed
from tests.machine.quiet import Quiet
from tests.machine.rest import Rest
from tests.machine.started import Starts
from tests.machine.terms import EXCLUDED, STRANGER, TAGS, WHO, Terms, terms
from tests.machine.watch import Watch

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
COMPLETE = ("ok", "parked", "held")
BYSTANDERS = 4
LABEL = {GHL: "GoHighLevel", EMAILOCTOPUS: "EmailOctopus"}


class Life(RuleBasedStateMachine):
    """Two accounts, the program, and the laws."""

    logs = io.StringIO()
    """What the program logs; whoever runs lives points structlog here."""

    def __init__(self) -> None:
        super().__init__()
        self.house: House | None = None
        self.lived = False

    # The first step

    @initialize(
        terms=terms(),
        people=st.lists(st.tuples(WHO, TAGS), max_size=3),
        subscribers=st.lists(st.tuples(WHO, TAGS), max_size=3, unique_by=lambda one: one[0]),
        starts=st.booleans(),
    )
    def begin(self, terms: Terms, people: list[Any], subscribers: list[Any], starts: bool) -> None:
        """Two accounts with some people, and perhaps a first cycle."""
        self.logs.seek(0)
        self.logs.truncate()
        self.house = house = House(terms.policy(), terms.busyness.prepare if terms.busyness else None)
        sandbox = house.sandbox
        book = terms.rulings.prepare(sandbox)
        house.rules = book.rules
        house.restart()
        sandbox.ghl.world.quirks.hits_carry_dnd = terms.hits_carry_dnd
        sandbox.ghl.world.location.allow_duplicate_contact = terms.duplicates_allowed
        sandbox.emailoctopus.world.set_double_opt_in(sandbox.list_id, double_opt_in=terms.double_opt_in)
        for tag in ("Site", "Shoe"):
            sandbox.emailoctopus.world.add_field(sandbox.list_id, Field(tag=tag, type="text", label=tag))
        quirks = sandbox.emailoctopus.world.quirks
        quirks.status_change_touches = quirks.unsubscribe_touches = quirks.confirm_touches = terms.opt_outs_touch
        house.program_clock.skew = timedelta(seconds=terms.skew_s)
        self.outside = Outside(sandbox, Memory(), STRANGER)
        self.doings = Doings(self.outside)
        self.starts = Starts(house, self.doings)
        self.engaged = Engaged(house, self.doings)
        self.acts = Acts(house, self.engaged, book)
        self.owed = Owed(self.acts)
        self.watch = Watch(house, self.outside, EXCLUDED, self.starts, self.acts)
        house.watch = self.watch.before
        for number in range(BYSTANDERS):
            self.outside.bystander(f"bystander{number}@example.com")
        for who, tags in people:
            self.somebody_appears(who, tags)
        for who, tags in subscribers:
            self.somebody_signs_up(who, tags)
        if starts:
            self._cycle(Mode.FULL)
        if self.has_rules:
            self.engaged.send_campaign(0)

    @abstractmethod
    def somebody_appears(self, who: str, tags: list[str]) -> None:
        """Somebody is added in GHL."""

    @abstractmethod
    def somebody_signs_up(self, who: str, tags: list[str]) -> None:
        """Somebody fills in a form, new or again."""

    @rule()
    def quiet_spell(self) -> None:
        """The weather clears, nobody touches anything: soon both sides are equal and nothing is sent any more."""
        house = self.the_house
        self._clear_weather()
        self.starts.peace_begins()
        house.clock.advance(9000)  # longer than a clock is wrong and an index lags: whoever is missing is old enough
        few = self._fewer_than_deleted()
        scan = self._cycle(Mode.FULL)
        rest = Rest(house, self.doings)
        unproven = {one for one in few if scan and f"{LABEL[one]} came back short" in scan.message}
        for _ in range(8):
            house.clock.advance(86_400 + 900)
            report = self._cycle(Mode.INCREMENTAL)
            if report is not None and not report.written and not any(report.changed.values()):
                break
        else:
            raise broke(f"L1 still busy after eight cycles of peace: {report}")
        _demand(report.outcome in COMPLETE, f"L1 a cycle in peace ended as {report.outcome}: {report}")
        TALLY["quiet spells"] += 1
        quiet = Quiet(house, self.outside, EXCLUDED)
        broken = [*quiet.broken(), *broken_graves(house, self.outside.memory, unproven)]
        broken += [*rest.broken(quiet), *self.starts.broken_in_peace()]
        broken += [*self.acts.broken_in_peace(), *self.owed.broken(quiet)]
        _demand(not broken, "\n".join(broken))
        quiet.agree()
        since = house.started + house.program_clock.skew
        self._idle_cycle(0, 0)
        if self.is_busy or self.has_rules:
            self._idle_cycle(rest.looks(), self.acts.reads(), unless=lambda: rest.passes(since))
        self._nothing_personal_is_logged()

    def _fewer_than_deleted(self) -> set[SystemName]:
        """Where a full scan may show less than half of those known: it proves nothing then (section 7)."""
        rows = {GHL: self.outside.people(), EMAILOCTOPUS: self.outside.subscribers()}
        deleted = Counter(system for system, _ in self.outside.memory.deleted)
        return {one for one, there in rows.items() if len(there) < deleted[one]}

    def teardown(self) -> None:
        """A life ends in peace."""
        if self.house is not None and (any(map(self.outside.picked, SystemName)) or self.outside.memory.deleted):
            TALLY["lives"] += 1
            self.quiet_spell()

    @property
    def is_busy(self) -> bool:
        """Whether the pair shows any activity."""
        return self.house is not None and self.house.activity is not None

    @property
    def has_rules(self) -> bool:
        """Whether the pair has any rules."""
        return self.house is not None and bool(self.house.rules)

    @property
    def the_house(self) -> House:
        assert self.house is not None
        return self.house

    def _tick(self) -> None:
        self.the_house.clock.advance(1)

    def _person(self, pick: int) -> str | None:
        return self._one_of(self.outside.picked(GHL), pick)

    def _subscriber(self, pick: int) -> str | None:
        return self._one_of(self.outside.picked(EMAILOCTOPUS), pick)

    def _contact(self, system: SystemName, pick: int) -> str | None:
        return self._person(pick) if system is GHL else self._subscriber(pick)

    def _one_of(self, rows: list[Any], pick: int) -> str | None:
        self._tick()
        return str(rows[pick % len(rows)].id) if rows else None

    def _weather(self, system: SystemName) -> Weather:
        sandbox = self.the_house.sandbox
        return sandbox.ghl.weather if system is GHL else sandbox.emailoctopus.weather

    def _clear_weather(self) -> None:
        for system in SystemName:
            weather = self._weather(system)
            weather.faults.clear()
            weather.index_lag_s = weather.short_listing = 0.0
            weather.short_total = False
            weather.plan_limit = None

    def _cycle(
        self, mode: Mode, *, hook: tuple[int, Callable[[], None]] | None = None, overtaken: bool = False
    ) -> CycleReport | None:
        """One cycle, and what must hold of it whatever happened."""
        house = self.the_house
        process: Process = house.process
        process.hooks = [hook] if hook else []
        left = house.lease_is_left()
        self.watch.cycle_begins()
        self.starts.cycle_begins()
        self.acts.cycle_begins()
        started, blind = house.clock.now(), self._is_blind(mode)
        report = house.cycle(mode)
        self.outside.cycle += 1
        self.starts.cycle_ended()
        self.acts.cycle_ended(started, cut_off=report is None or overtaken)
        broken = [*self.watch.broken, *self.starts.broken, *self.acts.broken]
        _demand(not broken, "\n".join(broken))
        self.outside.may_have_been_read()
        if report is None:
            return None
        busy = report.outcome == "busy"
        if left is not None and not overtaken:
            _demand(busy is left, f"one runner, lease left {left}: {report.outcome}")
        if not busy:
            house.left_behind = None
        if report.outcome in COMPLETE and not blind:
            self.outside.was_read(started)
        return report

    def _is_blind(self, mode: Mode) -> bool:
        """Whether listings may hide somebody, or polls who opted out; hints show those alone whom webhooks told."""
        weathers = list(map(self._weather, SystemName))
        hides = any(one.index_lag_s or one.short_listing for one in weathers)
        touches = self.the_house.sandbox.emailoctopus.world.quirks.unsubscribe_touches
        return hides or mode is Mode.HINTS or not (mode is Mode.FULL or touches)

    def _idle_cycle(self, looks: int, reads: int, unless: Callable[[], bool] = lambda: False) -> None:
        """L2 and L8: no write, one search, three listings, and the list's counts, which are due.

        `looks` is how many requests to GHL a look at activity adds, and `reads` how many to EmailOctopus the reading
        of campaign reports, which the cycle makes if their interval has passed.
        """
        house = self.the_house
        house.clock.advance(660)
        store, now = house.process.pair.store, house.program_clock.now()
        due = bool(store.parked(due=now) or store.open_deeds(now)) or unless()
        self._cycle(Mode.INCREMENTAL)
        logs = {name: context.log.exchanges() for name, context in self._contexts()}
        writes = [
            f"{one.method} {one.path}"
            for exchanges in logs.values()
            for one in exchanges
            if one.method != "GET" and not one.path.endswith("/search")
        ]
        _demand(due or not writes, f"L2 an idle cycle wrote: {writes}")
        counted = [one.path for one in logs[EMAILOCTOPUS]]
        listings = sum(path.endswith("/contacts") for path in counted)
        asked = (len(logs[GHL]), listings, len(counted))
        wanted = (1 + looks, 3, 4 + reads)
        _demand(due or asked == wanted, f"L8 an idle cycle asked {asked}, not {wanted}: {logs}")

    def _contexts(self) -> list[tuple[SystemName, Any]]:
        return [(GHL, self.the_house.sandbox.ghl), (EMAILOCTOPUS, self.the_house.sandbox.emailoctopus)]

    def _nothing_personal_is_logged(self) -> None:
        """L9: no name and no address in any log line of this life."""
        said = self.logs.getvalue()
        told = any(f'{word}"' in said or f"{word} " in said for word in self.outside.memory.secrets)
        _demand(not told and "@example" not in said, f"L9 somebody's name or address was logged: {said}")


def _demand(holds: bool, otherwise: str) -> None:
    """Raise what was broken unless it holds."""
    if not holds:
        raise broke(otherwise)
