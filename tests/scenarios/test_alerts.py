"""What a cycle notices is told when it begins and when it is over, whatever else goes on, restarts included."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest
import structlog
from sqlalchemy import text

from sync_daemon.cycle import report_of
from sync_daemon.model.alarm import Condition
from sync_daemon.model.errors import ConfigurationError, StateStoreAway, SyncError
from sync_daemon.model.policy import GuardLimits
from sync_daemon.model.report import CycleOutcome, CycleReport, Mode
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.context import Context
from sync_daemon.sandbox.limits import GhlWindow
from sync_daemon.settings.installation import AlertsSection
from sync_daemon.store.engine import writing
from sync_daemon.wiring.alerts import Alerts
from sync_daemon.wiring.targets import Message, Tone
from tests.worlds import EMAILOCTOPUS, GHL, VirtualClock, World, add_field, neighbours, world

SECTION = AlertsSection(silent_after=timedelta(minutes=15), parked_above=2)


@dataclass
class Mailbox:
    """Where alerts arrive."""

    messages: list[Message] = field(default_factory=list)

    def tell(self, message: Message) -> None:
        self.messages.append(message)

    def new(self) -> list[Message]:
        found, self.messages = self.messages, []
        return found


@dataclass
class Watched:
    """A world whose cycles are heeded, as by the service."""

    here: World
    mailbox: Mailbox
    alerts: Alerts

    def cycle(self, *, full: bool = False) -> CycleReport:
        report = self.here.full() if full else self.here.reconcile()
        self.alerts.heed(report)
        return report

    def restart(self) -> None:
        """Another process takes over."""
        self.alerts = Alerts(self.here.store, SECTION, self.here.pair.clock, self.mailbox)

    def open(self) -> set[Condition]:
        return set(self.alerts.open_now("main"))


@contextmanager
def watched(database_url: str, **options: Any) -> Iterator[Watched]:
    with world(database_url, **options) as here:
        mailbox = Mailbox()
        yield Watched(here, mailbox, Alerts(here.store, SECTION, here.pair.clock, mailbox))


def assert_told(one: Watched, *conditions: Condition, words: str = "") -> None:
    messages = one.mailbox.new()
    assert [message.tone for message in messages] == [Tone.BAD] * len(conditions)
    assert one.open() == set(conditions)
    assert words in " ".join(message.body for message in messages)


def assert_over(one: Watched, *, full: bool = False) -> None:
    """It is over once it has been well for long enough."""
    one.cycle(full=full)
    assert one.mailbox.new() == []
    one.here.later(minutes=2)
    one.alerts.watch("main", one.here.pair.clock.now())
    (message,) = one.mailbox.new()
    assert (message.tone, "over: " in message.title) == (Tone.GOOD, True)
    assert one.open() == set()


def test_a_pair_that_is_well_tells_nothing(database_url: str) -> None:
    with watched(database_url) as one:
        one.here.linked()
        for full in (False, True, False):
            one.here.later(minutes=11)
            report = one.cycle(full=full)
            assert (report.outcome, report.alarms) == (CycleOutcome.OK, {})
        # Nobody was refused by a plan, yet nobody could have been.
        assert set(Condition) - report.judged == {Condition.SILENT, Condition.SHORT_READ, Condition.CONSENT_MISSED}
        assert (one.mailbox.new(), one.open()) == ([], set())


def test_refused_credentials(database_url: str) -> None:
    with watched(database_url) as one:
        one.here.linked()
        kept = dict(one.here.ghl.accounts.tokens)
        one.here.ghl.accounts.tokens.clear()
        for _ in range(3):
            one.cycle()
        assert_told(one, Condition.CREDENTIALS, words="pairs.main.ghl.token")
        one.here.ghl.accounts.tokens.update(kept)
        assert_over(one)


def test_a_database_that_is_away_is_told_after_a_minute(database_url: str) -> None:
    """Whether a cycle met it or a look: a restart between two looks is no news."""
    away = StateStoreAway("the database refuses connections: start it")
    with watched(database_url) as one:
        one.here.linked()
        one.alerts.heed(report_of(away, "main", "run-1", Mode.INCREMENTAL))
        one.here.later(seconds=15)
        one.alerts.watch_database("main", None)
        one.here.later(minutes=2)
        one.alerts.watch_database("main", away)
        assert (one.mailbox.new(), one.open()) == ([], set())
        one.here.later(minutes=1)
        one.alerts.watch_database("main", away)
        assert_told(one, Condition.DATABASE, words="refuses connections")
        assert_over(one)


def context(one: Watched, system: SystemName) -> Context[Any]:
    return one.here.sandbox.ghl if system is GHL else one.here.sandbox.emailoctopus


@pytest.mark.parametrize("system", SystemName)
def test_a_system_that_is_down_is_told_after_five_minutes(database_url: str, system: SystemName) -> None:
    with watched(database_url) as one:
        one.here.linked()
        context(one, system).weather.drop_rate = 1.0
        began = one.here.pair.clock.now()
        while one.here.pair.clock.now() - began < timedelta(minutes=4):
            assert one.cycle().outcome is CycleOutcome.UNREACHABLE
            one.here.later(seconds=20)
        assert (one.mailbox.new(), one.open()) == ([], set())
        one.here.later(minutes=2)
        one.cycle()
        assert_told(one, Condition.DOWN, words=f"{system} can't be reached")
        context(one, system).weather.drop_rate = 0.0
        assert_over(one)


def test_a_cycle_that_asks_nobody_says_nothing_of_either_system(database_url: str) -> None:
    with watched(database_url) as one:
        one.here.linked()
        report = one.here.reconcile(Mode.HINTS)
        assert one.here.requests(GHL) + one.here.requests(EMAILOCTOPUS) == []
        of_systems = {Condition.CREDENTIALS, Condition.DOWN, Condition.QUOTA, Condition.FAILING}
        assert report.judged & of_systems == set()


def test_where_one_system_refuses_and_answers_nobody_is_down(database_url: str) -> None:
    with watched(database_url) as one:
        one.here.linked()
        one.here.ghl.accounts.tokens.clear()
        judged = one.cycle().judged
        assert Condition.DOWN in judged
        assert judged & {Condition.QUOTA, Condition.FAILING, Condition.HELD} == set()
        one.here.sandbox.emailoctopus.weather.drop_rate = 1.0
        report = one.cycle()
        assert {Condition.CREDENTIALS, Condition.DOWN} <= report.alarms.keys()


def test_a_cycle_that_a_refusal_cut_short_says_nothing_of_what_it_never_came_to(database_url: str) -> None:
    with watched(database_url) as one:
        one.here.linked()
        one.here.fault(GHL, kind="error", path="/tags$", status=500, times=99)
        report = one.cycle(full=True)
        assert report.outcome is CycleOutcome.INCOMPLETE
        assert report.judged == {Condition.PARKED, Condition.CONFIGURATION, Condition.DATABASE, Condition.FIELD_GONE}
        assert (one.mailbox.new(), one.open()) == ([], set())


def test_held_mass_changes_also_while_a_system_is_down(database_url: str) -> None:
    with watched(database_url, guard=GuardLimits(0, 2, 0, 2)) as one:
        here = one.here
        people = [here.person(f"p{number}@example.com", tags=["news"]) for number in range(5)]
        here.reconcile()
        here.settle()
        for ghl_id in people:
            here.ghl.remove_tags(ghl_id, ["news"])
        here.later(minutes=1)
        one.cycle()
        assert_told(one, Condition.HELD, words="sync-daemon held list --pair main")
        here.sandbox.emailoctopus.weather.drop_rate = 1.0
        assert Condition.HELD not in one.cycle().judged
        here.sandbox.emailoctopus.weather.drop_rate = 0.0
        ids = [entry.id for entry in here.pair_store.held(everything=True) if entry.id is not None]
        here.pair_store.order_held(ids, approve=False)
        here.later(minutes=1)
        assert_over(one)


def test_deletions_held_unproven(database_url: str) -> None:
    with watched(database_url, guard=GuardLimits(0, 1, 0, 1000)) as one:
        links = neighbours(one.here, 12)
        one.here.later(days=1)
        for ghl_id, _ in links[:5]:
            one.here.ghl.delete(ghl_id)
        one.cycle(full=True)
        assert_told(one, Condition.HELD, words="5 contacts have changes that wait")


def test_a_full_plan_is_over_when_somebody_is_created_again(database_url: str) -> None:
    with watched(database_url) as one:
        here = one.here
        here.linked()
        here.sandbox.emailoctopus.weather.plan_limit = 1
        people = [here.person(f"p{number}@example.com", f"P{number}") for number in range(2)]
        one.cycle()
        assert_told(one, Condition.PLAN_LIMIT, words="nobody new is created")
        # A cycle that creates nobody says nothing of the plan.
        one.cycle()
        here.later(minutes=3)
        one.alerts.watch("main", here.pair.clock.now())
        assert (one.mailbox.new(), one.open()) == ([], {Condition.PLAN_LIMIT})
        here.sandbox.emailoctopus.weather.plan_limit = None
        here.edit_person(people[0], firstName="New")
        here.later(days=1)
        assert_over(one)


def test_more_are_parked_than_was_set(database_url: str) -> None:
    with watched(database_url) as one:
        here = one.here
        for number in range(2):
            here.person(f"p{number}@example.com", f"P{number}")
        here.fault(EMAILOCTOPUS, kind="error", method="POST", status=422, times=99)
        one.cycle()
        assert (one.mailbox.new(), one.open()) == ([], set())
        here.person("one-more@example.com")
        one.cycle()
        assert_told(one, Condition.PARKED, words="3 contacts are parked, more than 2")
        here.sandbox.emailoctopus.weather.faults.clear()
        here.later(days=1)
        assert_over(one)


@pytest.mark.parametrize("system", SystemName)
def test_a_full_scan_that_came_back_short_is_over_after_a_whole_one(database_url: str, system: SystemName) -> None:
    with watched(database_url) as one:
        here = one.here
        neighbours(here, 8)
        here.later(days=1)
        context(one, system).weather.short_listing = 0.25
        one.cycle(full=True)
        assert_told(one, Condition.SHORT_READ, words=f"The full scan of {system.label} ")
        context(one, system).weather.short_listing = 0.0
        # A poll says nothing of full scans.
        one.cycle()
        here.later(minutes=3)
        one.alerts.watch("main", here.pair.clock.now())
        assert (one.mailbox.new(), one.open()) == ([], {Condition.SHORT_READ})
        assert_over(one, full=True)


def test_a_full_scan_that_broke_off_counts_as_short(database_url: str) -> None:
    with watched(database_url) as one:
        here = one.here
        for number in range(301):
            here.ghl.create(email=f"p{number}@example.com", firstName="P")
            here.emailoctopus.add(here.sandbox.list_id, f"p{number}@example.com", {"FirstName": "P"})
        here.reconcile()
        here.sandbox.emailoctopus.weather.repeated_cursor = True
        one.cycle(full=True)
        assert_told(one, Condition.SHORT_READ)


def test_changes_of_consent_that_polls_missed(database_url: str) -> None:
    with watched(database_url) as one:
        here = one.here
        here.ghl.quirks.dnd_touches = False
        ghl_id, _ = here.linked()
        here.later(minutes=20)
        here.person("bob@example.com", first="Bob")
        here.reconcile()
        here.later(minutes=5)
        here.reconcile()
        here.ghl.set_dnd(ghl_id)
        one.cycle(full=True)
        assert_told(one, Condition.CONSENT_MISSED, words="in GoHighLevel that polls had not told: 1")
        here.later(minutes=20)
        assert_over(one, full=True)


def test_a_mapped_field_that_is_gone(database_url: str) -> None:
    with watched(database_url) as one:
        here = one.here
        here.linked()
        here.emailoctopus.delete_field(here.sandbox.list_id, "LastName")
        one.cycle(full=True)
        assert_told(one, Condition.FIELD_GONE, words="gone from EmailOctopus and left alone: LastName.")
        add_field(here.sandbox, "LastName", "text")
        here.later(minutes=11)
        assert_over(one, full=True)


def test_a_quota_that_is_used_up(database_url: str) -> None:
    with watched(database_url, limits=True) as one:
        here = one.here
        _, subscriber_id = here.linked()
        limiter = here.sandbox.ghl.limiter
        assert isinstance(limiter, GhlWindow)
        limiter.settings.per_day = here.sandbox.ghl.log.total + 101
        here.edit_subscriber(subscriber_id, FirstName="New")
        assert one.cycle().outcome is CycleOutcome.QUOTA
        assert_told(one, Condition.QUOTA)
        limiter.settings.per_day = 200_000
        here.later(days=1)
        assert_over(one)


@pytest.mark.parametrize(
    ("error", "condition"),
    [
        (ConfigurationError("pairs.main.fields[0]: no such field."), Condition.CONFIGURATION),
        (SyncError("no such thing"), Condition.FAILING),
    ],
    ids=["configuration", "failing"],
)
def test_what_keeps_a_pair_from_running_is_over_when_it_runs(
    database_url: str, error: SyncError, condition: Condition
) -> None:
    with watched(database_url) as one:
        one.here.linked()
        one.alerts.heed_refusal("main", error)
        one.alerts.heed(report_of(error, "main", "run", Mode.INCREMENTAL))
        assert_told(one, condition, words="no such ")
        assert_over(one)


def test_silence(database_url: str) -> None:
    with watched(database_url) as one:
        fresh_at = one.here.pair.clock.now()
        one.here.later(minutes=15)
        one.alerts.watch("main", fresh_at)
        assert one.mailbox.new() == []
        one.here.later(seconds=1)
        one.alerts.watch("main", fresh_at)
        assert_told(one, Condition.SILENT, words=f"Since {fresh_at:%Y-%m-%d %H:%M} UTC")
        assert one.alerts.open_now("main") == {Condition.SILENT: fresh_at}
        one.here.linked()
        one.alerts.watch("main", one.here.pair.clock.now())
        assert_over(one)


def test_a_service_that_starts_anew_tells_nothing_twice_and_the_end_all_the_same(database_url: str) -> None:
    with watched(database_url) as one:
        one.here.linked()
        kept = dict(one.here.ghl.accounts.tokens)
        one.here.ghl.accounts.tokens.clear()
        one.cycle()
        since = one.alerts.open_now("main")
        assert_told(one, Condition.CREDENTIALS)
        one.restart()
        assert one.alerts.open_now("main") == since
        one.cycle()
        assert one.mailbox.new() == []
        one.restart()
        one.here.ghl.accounts.tokens.update(kept)
        assert_over(one)
        one.restart()
        assert one.open() == set()


def test_of_several_processes_one_tells(database_url: str) -> None:
    with watched(database_url) as one:
        one.here.linked()
        other = Alerts(one.here.store, SECTION, one.here.pair.clock, one.mailbox)
        kept = dict(one.here.ghl.accounts.tokens)
        one.here.ghl.accounts.tokens.clear()
        one.cycle()
        other.heed(one.here.reconcile())
        other.watch("main", one.here.pair.clock.now())
        assert_told(one, Condition.CREDENTIALS)
        one.here.ghl.accounts.tokens.update(kept)
        other.heed(one.here.reconcile())
        one.here.later(minutes=2)
        for alerts in (one.alerts, other, one.alerts):
            alerts.watch("main", one.here.pair.clock.now())
        assert [message.tone for message in one.mailbox.new()] == [Tone.GOOD]
        assert (one.open(), other.open_now("main")) == (set(), {})


def test_what_the_store_does_not_take_is_told_all_the_same_and_stored_later(database_url: str) -> None:
    with watched(database_url) as one, structlog.testing.capture_logs() as logs:
        refuse = ConfigurationError("pairs.main: a mistake.")
        with writing(one.here.engine) as connection:
            connection.execute(text("ALTER TABLE alerts RENAME TO elsewhere"))
        one.alerts.heed_refusal("main", refuse)
        assert_told(one, Condition.CONFIGURATION)
        assert {entry["event"] for entry in logs} >= {"alerts_not_read", "alerts_not_stored"}
        with writing(one.here.engine) as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO alerts"))
        one.alerts.heed_refusal("main", refuse)
        assert one.mailbox.new() == []
        assert one.here.pair_store.open_alerts().keys() == {Condition.CONFIGURATION}


class HesitantClock(VirtualClock):
    """Lets other threads go first whenever it is asked."""

    def now(self) -> datetime:
        Event().wait(0.01)
        return super().now()


def test_many_threads_tell_once(database_url: str) -> None:
    with watched(database_url) as one, ThreadPoolExecutor(8) as pool:
        one.alerts = Alerts(one.here.store, SECTION, HesitantClock(one.here.clock), one.mailbox)
        list(pool.map(lambda _: one.alerts.heed_refusal("main", SyncError("a fault")), range(16)))
        assert_told(one, Condition.FAILING)
