"""Lives of two accounts: Hypothesis plays the outside, the weather and the program's misfortunes.

One life is one run of the machine below; `tests/machine/__main__.py` and `test_lives.py` run as many as are wanted,
each by a seed of its own. What people do is in `acts.py`, how a life is judged in `life.py`, `watch.py` and `quiet.py`.
"""

from collections.abc import Callable
from copy import copy
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from sync_daemon.cycle import reconcile
from sync_daemon.model.report import Mode
from sync_daemon.model.system import SystemName
from sync_daemon.model.webhook import EventKind
from sync_daemon.sandbox.weather import Fault
from tests.machine.house import TALLY
from tests.machine.mail import Mail
from tests.machine.terms import KIND, MODE, PICK, POINT, SYSTEM, faults

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS

TURNS = ["index lags", "index lags more", "short", "short and says so", "empty", "full plan", "fair"]
MEANWHILE: dict[str, Callable[[Mail, int], None]] = {
    "block": lambda life, pick: life.person_is_blocked(pick, "by hand"),
    "free": lambda life, pick: life.person_is_freed(pick),
    "opt out": lambda life, pick: life.subscriber_opts_out(pick, "unsubscribe"),
    "opt in": lambda life, pick: life.subscriber_opts_in(pick),
    "edit": lambda life, pick: life.somebody_is_edited(GHL, pick, 0, blank=False),
    "edit there": lambda life, pick: life.somebody_is_edited(EMAILOCTOPUS, pick, 0, blank=False),
    "tag": lambda life, pick: life.somebody_is_tagged(GHL, pick, "vip", on=True),
    "sign up": lambda life, _: life.somebody_signs_up("kim@example.com", ["News"]),
    "delete": lambda life, pick: life.somebody_is_deleted(GHL, pick),
    "delete there": lambda life, pick: life.somebody_is_deleted(EMAILOCTOPUS, pick),
    "merge": lambda life, pick: life.people_are_merged(pick, pick + 1),
    "work": lambda life, pick: life.work_goes_on(pick),
    "read": lambda life, pick: life.mail_is_read(pick),
}


class Lives(Mail):
    """One life: outside acts in any order, cycles in between, bad luck of every kind; quiet spells, and the laws."""

    # The weather

    @rule(fault=faults())
    def fault(self, fault: tuple[SystemName, Fault]) -> None:
        """Some of the next requests will fare badly."""
        self._weather(fault[0]).faults.append(copy(fault[1]))

    @rule(turn=st.sampled_from(TURNS), system=SYSTEM)
    def weather_turns(self, turn: str, system: SystemName) -> None:
        """GHL's search shows what was there a while ago, listings lack their end, the plan is full, or all is fair."""
        weather = self._weather(system)
        match turn:
            case "index lags" | "index lags more":
                self._weather(GHL).index_lag_s = 30.0 if turn == "index lags" else 300.0
            case "short" | "short and says so" | "empty":
                weather.short_listing = 1.0 if turn == "empty" else 0.4
                weather.short_total = turn != "short"
            case "full plan":
                self._weather(EMAILOCTOPUS).plan_limit = 1
            case _:
                self._clear_weather()

    # Webhooks

    @rule(
        tells=st.lists(st.tuples(SYSTEM, PICK, KIND, st.booleans()), min_size=1, max_size=4), minutes=st.integers(-5, 5)
    )
    def webhooks_tell(self, tells: list[tuple[SystemName, int, EventKind, bool]], minutes: int) -> None:
        """Webhooks say something of some who are there or were: true or not, late, in any order, signed or not."""
        now = self.the_house.clock.now() + timedelta(minutes=minutes)
        gone = sorted(self.outside.memory.deleted)
        for system, pick, kind, verified in tells:
            those = [str(one.id) for one in self.outside.picked(system)] + [one for name, one in gone if name is system]
            if those:
                self._hear(system, those[pick % len(those)], kind, now, verified=verified)

    @rule()
    def hints_are_heeded(self) -> None:
        """The program looks at what webhooks told, and at nothing else."""
        self._tick()
        self._cycle(Mode.HINTS)

    # The program

    @rule()
    def a_minute_passes(self) -> None:
        """Nothing happens. Of the emptiest life, with which Hypothesis begins every run, this is every step."""
        self.the_house.clock.advance(60)

    @rule()
    def poll(self) -> None:
        """The program looks for changes."""
        self.the_house.clock.advance(60)
        self._cycle(Mode.INCREMENTAL)

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
                self.starts.database_was_lost()
                self.acts.database_was_lost()
                self.owed.database_was_lost()
                self.watch.created.clear()  # what the search doesn't show yet, nobody can know then
                house.lose_database()
        self._cycle(Mode.FULL)

    @rule(unlucky=st.lists(faults(), min_size=1, max_size=3), mode=MODE)
    def unlucky_cycle(self, unlucky: list[tuple[SystemName, Fault]], mode: Mode) -> None:
        """The program runs through trouble."""
        for system, fault in unlucky:
            self._weather(system).faults.append(copy(fault))
        self._cycle(mode)

    @rule(after=POINT, mode=MODE, wait=st.booleans())
    def killed_cycle(self, after: int, mode: Mode, wait: bool) -> None:
        """The program is killed somewhere in a cycle; another process comes at once, or when the lease has ended."""
        self.the_house.process.dies_at = after
        self._cycle(mode)
        self.the_house.clock.advance(31 if wait else 1)
        self._cycle(Mode.INCREMENTAL)

    @rule(after=POINT, act=st.sampled_from(sorted(MEANWHILE)), pick=PICK, mode=MODE)
    def cycle_and_meanwhile(self, after: int, act: str, pick: int, mode: Mode) -> None:
        """Somebody does something in the middle of a cycle."""

        def meanwhile() -> None:
            TALLY["acts in the middle of a cycle"] += 1
            MEANWHILE[act](self, pick)

        self._cycle(mode, hook=(after, meanwhile))

    @rule(order=st.sampled_from(["approve", "discard", "retry", "drop"]), pick=PICK, everything=st.booleans())
    def somebody_decides(self, order: str, pick: int, everything: bool) -> None:
        """A person says what is to become of what waits."""
        store = self.the_house.process.pair.store
        waiting = store.held(everything=True) if order in ("approve", "discard") else store.parked(everything=True)
        chosen = waiting if everything or not waiting else [waiting[pick % len(waiting)]]
        ids = [entry.id for entry in chosen if entry.id is not None]
        if order in ("approve", "discard"):
            store.order_held(ids, approve=order == "approve")
        else:
            store.order(ids, drop=order == "drop")
        TALLY[f"orders to {order}"] += len(ids)
        if order in ("discard", "drop"):
            ends = [(GHL, one.ghl_id) for one in chosen] + [(EMAILOCTOPUS, one.emailoctopus_id) for one in chosen]
            self.outside.memory.disturbed.update((name, one) for name, one in ends if one is not None)
            self.outside.memory.let_be.update(one for _, one in ends if one)

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

        self._cycle(Mode.INCREMENTAL, hook=(after, starts), overtaken=stands_still)
