"""Lives of two accounts: Hypothesis plays the outside, the weather and the program's misfortunes.

One life is one run of the machine below; `tests/machine/__main__.py` and `test_lives.py` run as many as are wanted,
each by a seed of its own.
"""

import io
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from sync_daemon.cycle import reconcile
from sync_daemon.model.policy import (
    AddressChange,
    Blanks,
    ConflictRule,
    DeletedInEmailOctopus,
    DeletedInGhl,
    DeleteRule,
    Direction,
    FieldRule,
    NewContactStatus,
    OnLeaveScope,
    PairPolicy,
    Resubscribe,
    ScopeRule,
    TagRule,
)
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.emailoctopus.model import Field
from sync_daemon.sandbox.weather import Fault, Weather
from tests.machine.house import TALLY, House, Process, broke
from tests.machine.outside import Memory, Outside
from tests.machine.quiet import DELETIONS, Quiet
from tests.machine.watch import Watch

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
FIELDS = {
    GHL: ("firstName", "lastName", "website", "city"),
    EMAILOCTOPUS: ("FirstName", "LastName", "Site", "Shoe"),
}
EXCLUDED, STRANGER = "private-*", "stranger"
WHO = st.sampled_from([f"{name}@example.com" for name in ("ada", "bob", "eve", "Zoë", "kim")])
TAG = st.sampled_from(["vip", "News", "Web Inar", "private-x", STRANGER])
TAGS = st.sets(st.sampled_from(["vip", "News", "Web Inar", "private-x"]), max_size=2).map(sorted)
PICK = st.integers(0, 6)
"""Which of those who are there: counted round and round."""
SYSTEM = st.sampled_from(list(SystemName))
POINT = st.integers(0, 40)
"""After how many requests, or points at which a process can be killed, something happens."""
COMPLETE = ("ok", "parked", "held")


@dataclass(frozen=True)
class Terms:
    """What is drawn for a whole life: policies, and facts about the systems that are uncertain."""

    prefix: str
    conflict: ConflictRule
    blanks: Blanks
    resubscribe: Resubscribe
    deletes: DeleteRule
    on_leave_scope: OnLeaveScope
    new_contact_status: NewContactStatus
    address_change: AddressChange
    create_suppressed: bool
    double_opt_in: bool
    hits_carry_dnd: Any
    duplicates_allowed: bool
    skew_s: int

    def policy(self) -> PairPolicy:
        """The pair's policy."""
        return PairPolicy(
            "main",
            fields=(
                FieldRule("firstName", "FirstName", conflict=self.conflict, blanks=self.blanks),
                FieldRule("lastName", "LastName", conflict=ConflictRule.NEWEST),
                FieldRule("website", "Site", direction=Direction.TO_EMAILOCTOPUS),
            ),
            tags=TagRule(exclude=(EXCLUDED,), prefix=self.prefix),
            scope=ScopeRule(tags_none=(STRANGER,)),
            on_leave_scope=self.on_leave_scope,
            create_suppressed=self.create_suppressed,
            new_contact_status=self.new_contact_status,
            resubscribe=self.resubscribe,
            address_change=self.address_change,
            deletes=self.deletes,
            double_opt_in=self.double_opt_in,
        )


@st.composite
def terms(draw: Callable[[Any], Any]) -> Terms:
    """Terms that a configuration could have: nobody is asked on a list without double opt-in."""
    double_opt_in = draw(st.booleans())
    asks = [NewContactStatus.PENDING] if double_opt_in else []
    return Terms(
        prefix=draw(st.sampled_from(["", "", "eo "])),
        conflict=draw(st.sampled_from(list(ConflictRule))),
        blanks=draw(st.sampled_from(list(Blanks))),
        resubscribe=draw(st.sampled_from(list(Resubscribe))),
        deletes=DeleteRule(
            draw(st.sampled_from(list(DeletedInGhl))), draw(st.sampled_from(list(DeletedInEmailOctopus)))
        ),
        on_leave_scope=draw(st.sampled_from(list(OnLeaveScope))),
        new_contact_status=draw(st.sampled_from([NewContactStatus.LIST_DEFAULT, NewContactStatus.SUBSCRIBED, *asks])),
        address_change=draw(st.sampled_from(list(AddressChange))),
        create_suppressed=draw(st.booleans()),
        double_opt_in=double_opt_in,
        hits_carry_dnd=draw(st.sampled_from(["when_set", "always", "never"])),
        duplicates_allowed=draw(st.booleans()),
        skew_s=draw(st.sampled_from([0, 90, -90, 7200, -7200])),
    )


@st.composite
def faults(draw: Callable[[Any], Any]) -> tuple[SystemName, Fault]:
    """A system and what befalls some of its next requests."""
    return draw(SYSTEM), Fault(
        kind=draw(st.sampled_from(["error", "lost_answer", "truncate", "throttle", "drop", "html_error"])),
        method=draw(st.sampled_from(["", "POST", "PUT"])),
        status=503,
        after=draw(st.integers(0, 6)),
        times=draw(st.integers(1, 6)),
    )


class Lives(RuleBasedStateMachine):
    """One life: outside acts in any order, cycles in between, bad luck of every kind; quiet spells, and the laws."""

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
        self.house = house = House(terms.policy())
        sandbox = house.sandbox
        sandbox.ghl.world.quirks.hits_carry_dnd = terms.hits_carry_dnd
        sandbox.ghl.world.location.allow_duplicate_contact = terms.duplicates_allowed
        sandbox.emailoctopus.world.set_double_opt_in(sandbox.list_id, double_opt_in=terms.double_opt_in)
        for tag in ("Site", "Shoe"):
            sandbox.emailoctopus.world.add_field(sandbox.list_id, Field(tag=tag, type="text", label=tag))
        house.program_clock.skew = timedelta(seconds=terms.skew_s)
        self.outside = Outside(sandbox, Memory(), STRANGER)
        self.watch = Watch(house, self.outside, EXCLUDED)
        house.watch = self.watch.before
        for who, tags in people:
            self.somebody_appears(who, tags)
        for who, tags in subscribers:
            self.somebody_signs_up(who, tags)
        if starts:
            self._cycle(full=True)

    # The outside in GHL

    @rule(who=WHO, tags=TAGS)
    def somebody_appears(self, who: str, tags: list[str]) -> None:
        """Somebody is added in GHL."""
        self._tick()
        names = {name: self.outside.word() for name in ("firstName", "lastName", "website")}
        self.outside.person(who, dict(names), tags)

    @rule(pick=PICK, who=st.one_of(WHO, st.none()))
    def person_changes_address(self, pick: int, who: str | None) -> None:
        """An address is corrected or emptied in GHL."""
        if person := self._person(pick):
            self.outside.change_persons_address(person, who)

    @rule(pick=PICK, other=PICK)
    def people_exchange_addresses(self, pick: int, other: int) -> None:
        """Two addresses were mixed up in GHL."""
        one, two = self._person(pick), self._person(other)
        if one and two and one != two:
            mine, theirs = (self.outside.ghl.contacts.get(each).email for each in (one, two))
            self.outside.change_persons_address(one, theirs)
            self.outside.change_persons_address(two, mine)

    @rule(pick=PICK, who=WHO, on=st.booleans())
    def person_has_another_address(self, pick: int, who: str, on: bool) -> None:
        """An additional address comes or goes in GHL."""
        if person := self._person(pick):
            self.outside.additional_address(person, who, on=on)

    @rule(
        pick=PICK,
        how=st.sampled_from(["unsubscribe", "by hand", "all channels", "bounce", "complain", "other channel"]),
    )
    def person_is_blocked(self, pick: int, how: str) -> None:
        """Do not disturb, of every kind."""
        if person := self._person(pick):
            self.outside.block(person, how)

    @rule(pick=PICK)
    def person_is_freed(self, pick: int) -> None:
        """Somebody lifts every block of a GHL contact."""
        if person := self._person(pick):
            self.outside.lift(person)

    @rule(pick=PICK, other=PICK)
    def people_are_merged(self, pick: int, other: int) -> None:
        """Two GHL contacts become one."""
        one, two = self._person(pick), self._person(other)
        if DELETIONS and one and two and one != two:
            self.outside.merge(one, two)

    # The outside in EmailOctopus

    @rule(who=WHO, tags=TAGS)
    def somebody_signs_up(self, who: str, tags: list[str]) -> None:
        """Somebody fills in a form, new or again."""
        self._tick()
        names = {name: self.outside.word() for name in ("FirstName", "LastName")}
        self.outside.sign_up(who, dict(names), tags)

    @rule(pick=PICK, how=st.sampled_from(["unsubscribe", "complain", "bounce", "by hand"]))
    def subscriber_opts_out(self, pick: int, how: str) -> None:
        """A subscription ends, in every way."""
        if subscriber := self._subscriber(pick):
            self.outside.opt_out(subscriber, how)

    @rule(pick=PICK)
    def subscriber_opts_in(self, pick: int) -> None:
        """A pending contact confirms, anybody else is subscribed again by hand."""
        if subscriber := self._subscriber(pick):
            self.outside.opt_in(subscriber)

    # The outside in either

    @rule(system=SYSTEM, pick=PICK, field=st.integers(0, 3), blank=st.sampled_from([False, False, False, True]))
    def somebody_is_edited(self, system: SystemName, pick: int, field: int, blank: bool) -> None:
        """A value changes, a mapped one or not."""
        if contact := self._contact(system, pick):
            self.outside.edit(system, contact, FIELDS[system][field], None if blank else self.outside.word())

    @rule(system=SYSTEM, pick=PICK, tag=TAG, on=st.booleans())
    def somebody_is_tagged(self, system: SystemName, pick: int, tag: str, on: bool) -> None:
        """A tag comes or goes; one of them means out of scope."""
        if contact := self._contact(system, pick):
            self.outside.tag(system, contact, [tag.lower() if system is GHL else tag], on=on)

    @rule(pick=PICK, who=WHO)
    def subscriber_changes_address(self, pick: int, who: str) -> None:
        """An address is corrected in EmailOctopus."""
        if subscriber := self._subscriber(pick):
            self.outside.change_subscribers_address(subscriber, who)

    @rule(system=SYSTEM, pick=PICK)
    def somebody_is_deleted(self, system: SystemName, pick: int) -> None:
        """A contact is deleted in one of the systems."""
        if DELETIONS and (contact := self._contact(system, pick)):
            self.outside.delete(system, contact)

    @rule(system=SYSTEM, tags=TAGS, on=st.booleans())
    def tag_storm(self, system: SystemName, tags: list[str], on: bool) -> None:
        """A workflow tags everybody."""
        self._tick()
        for one in self.outside.people() if system is GHL else self.outside.subscribers():
            self.outside.tag(system, one.id, [name.lower() for name in tags] if system is GHL else tags, on=on)

    # The weather

    @rule(fault=faults())
    def fault(self, fault: tuple[SystemName, Fault]) -> None:
        """Some of the next requests will fare badly."""
        self._weather(fault[0]).faults.append(copy(fault[1]))

    @rule(turn=st.sampled_from(["index lags", "index lags more", "short", "empty", "full plan", "fair"]), system=SYSTEM)
    def weather_turns(self, turn: str, system: SystemName) -> None:
        """GHL's search shows what was there a while ago, listings lack their end, the plan is full, or all is fair."""
        weather = self._weather(system)
        match turn:
            case "index lags" | "index lags more":
                self._weather(GHL).index_lag_s = 30.0 if turn == "index lags" else 300.0
            case "short" | "empty":
                weather.short_listing, weather.short_total = (0.4, False) if turn == "short" else (1.0, True)
            case "full plan":
                self._weather(EMAILOCTOPUS).plan_limit = 1
            case _:
                self._clear_weather()

    # The program

    @rule()
    def a_minute_passes(self) -> None:
        """Nothing happens. Of the emptiest life, with which Hypothesis begins every run, this is every step."""
        self.the_house.clock.advance(60)

    @rule()
    def poll(self) -> None:
        """The program looks for changes."""
        self.the_house.clock.advance(60)
        self._cycle(full=False)

    @rule(before=st.sampled_from(["", "", "half an hour", "restart", "clock back", "clock on", "database lost"]))
    def full_scan(self, before: str) -> None:
        """The program reads everything, perhaps after a misfortune."""
        house = self.the_house
        match before:
            case "half an hour":
                house.clock.advance(1800)
            case "restart":
                TALLY["restarts"] += 1
                house.restart()
            case "clock back" | "clock on":
                if house.left_behind is None:
                    TALLY["clocks set"] += 1
                    house.program_clock.skew += timedelta(seconds=120 if before == "clock on" else -120)
            case "database lost":
                TALLY["databases lost"] += 1
                self.outside.database_was_lost()
                self.watch.created.clear()  # what the search doesn't show yet, nobody can know then
                house.lose_database()
        self._cycle(full=True)

    @rule(unlucky=st.lists(faults(), min_size=1, max_size=3), full=st.booleans())
    def unlucky_cycle(self, unlucky: list[tuple[SystemName, Fault]], full: bool) -> None:
        """The program runs through trouble."""
        for system, fault in unlucky:
            self._weather(system).faults.append(copy(fault))
        self._cycle(full=full)

    @rule(after=POINT, full=st.booleans(), wait=st.booleans())
    def killed_cycle(self, after: int, full: bool, wait: bool) -> None:
        """The program is killed somewhere in a cycle; another process comes at once, or when the lease has ended."""
        self.the_house.process.dies_at = after
        self._cycle(full=full)
        self.the_house.clock.advance(31 if wait else 1)
        self._cycle(full=False)

    @rule(after=POINT, act=st.sampled_from(["block", "opt out", "edit", "edit there", "tag", "sign up"]), pick=PICK)
    def cycle_and_meanwhile(self, after: int, act: str, pick: int) -> None:
        """Somebody does something in the middle of a cycle."""

        def meanwhile() -> None:
            TALLY["acts in the middle of a cycle"] += 1
            match act:
                case "block":
                    self.person_is_blocked(pick, "by hand")
                case "opt out":
                    self.subscriber_opts_out(pick, "unsubscribe")
                case "edit":
                    self.somebody_is_edited(GHL, pick, 0, blank=False)
                case "edit there":
                    self.somebody_is_edited(EMAILOCTOPUS, pick, 0, blank=False)
                case "tag":
                    self.somebody_is_tagged(GHL, pick, "vip", on=True)
                case _:
                    self.somebody_signs_up("kim@example.com", ["News"])

        self._cycle(full=False, hook=(after, meanwhile))

    @rule(after=POINT, stands_still=st.booleans())
    def another_process_starts(self, after: int, stands_still: bool) -> None:
        """A second process starts in the middle of a cycle, whose own perhaps stands still for too long."""
        house = self.the_house

        def starts() -> None:
            another = house.start()
            if stands_still:
                house.clock.advance(40)
            began = house.started
            house.started = house.clock.now()
            report = reconcile(another.pair, Mode.INCREMENTAL)
            house.started = began
            TALLY["concurrent starts"] += 1
            if not stands_still and report.outcome != "busy":
                self.watch.broken.append(f"one runner: a second process had {report.outcome}")

        self._cycle(full=False, hook=(after, starts), overtaken=stands_still)

    @rule()
    def quiet_spell(self) -> None:
        """The weather clears, nobody touches anything: soon both sides are equal and nothing is sent any more."""
        house = self.the_house
        self._clear_weather()
        house.clock.advance(900)
        self._cycle(full=True)
        for _ in range(8):
            house.clock.advance(86_400 + 900)
            report = self._cycle(full=False)
            if report is not None and not report.written and not any(report.changed.values()):
                break
        else:
            raise broke(f"L1 still busy after eight cycles of peace: {report}")
        _demand(report.outcome in COMPLETE, f"L1 a cycle in peace ended as {report.outcome}: {report}")
        TALLY["quiet spells"] += 1
        quiet = Quiet(house, self.outside, EXCLUDED)
        broken = quiet.broken()
        _demand(not broken, "\n".join(broken))
        quiet.agree()
        self._idle_cycle()
        self._nothing_personal_is_logged()

    def teardown(self) -> None:
        """A life ends in peace."""
        if self.house is not None and (self.outside.people() or self.outside.subscribers()):
            TALLY["lives"] += 1
            self.quiet_spell()

    @property
    def the_house(self) -> House:
        assert self.house is not None
        return self.house

    def _tick(self) -> None:
        self.the_house.clock.advance(1)

    def _person(self, pick: int) -> str | None:
        return self._one_of(self.outside.people(), pick)

    def _subscriber(self, pick: int) -> str | None:
        return self._one_of(self.outside.subscribers(), pick)

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
            weather.plan_limit = None

    def _cycle(
        self, *, full: bool, hook: tuple[int, Callable[[], None]] | None = None, overtaken: bool = False
    ) -> CycleReport | None:
        """One cycle, and what must hold of it whatever happened."""
        house = self.the_house
        process: Process = house.process
        process.hooks = [hook] if hook else []
        left = house.lease_is_left()
        self.watch.cycle_begins()
        started, blind = house.clock.now(), self._is_blind()
        report = house.cycle(Mode.FULL if full else Mode.INCREMENTAL)
        self.outside.cycle += 1
        _demand(not self.watch.broken, "\n".join(self.watch.broken))
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

    def _is_blind(self) -> bool:
        """Whether a listing may hide somebody."""
        return any(self._weather(name).index_lag_s or self._weather(name).short_listing for name in SystemName)

    def _idle_cycle(self) -> None:
        """L2 and L8: no write, one search, three listings, and the list's counts, which are due."""
        house = self.the_house
        house.clock.advance(660)
        due = house.process.pair.store.parked(due=house.program_clock.now())
        self._cycle(full=False)
        logs = {name: context.log.exchanges() for name, context in self._contexts()}
        writes = [
            f"{one.method} {one.path}"
            for exchanges in logs.values()
            for one in exchanges
            if one.method != "GET" and not one.path.endswith("/search")
        ]
        _demand(bool(due) or not writes, f"L2 an idle cycle wrote: {writes}")
        counted = [one.path for one in logs[EMAILOCTOPUS]]
        listings = sum(path.endswith("/contacts") for path in counted)
        asked = (len(logs[GHL]), listings, len(counted))
        _demand(bool(due) or asked == (1, 3, 4), f"L8 an idle cycle asked {asked}: {logs}")

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
