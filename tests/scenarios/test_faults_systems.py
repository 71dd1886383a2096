"""Contract, section 8: a system is slow, refuses, fails, or can't be reached; nothing is lost or done twice."""

from pathlib import Path
from typing import Any, Literal

import pytest
from structlog.testing import capture_logs

from sync_daemon.model.report import CycleOutcome, Mode
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.context import Context
from sync_daemon.sandbox.limits import GhlWindow
from sync_daemon.sandbox.seed import Population
from sync_daemon.sandbox.weather import Fault, FaultKind
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import open_engine
from sync_daemon.store.installation import StateStore
from tests import databases
from tests.worlds import EMAILOCTOPUS, GHL, SECRET, World, world


def context(here: World, system: SystemName) -> Context[Any]:
    return here.sandbox.ghl if system is GHL else here.sandbox.emailoctopus


def window_of(here: World) -> GhlWindow:
    limiter = here.sandbox.ghl.limiter
    assert isinstance(limiter, GhlWindow)
    return limiter


def edit_both(here: World, ids: tuple[str, str]) -> None:
    """An edit on each side, of different fields."""
    here.edit_person(ids[0], firstName="Augusta")
    here.edit_subscriber(ids[1], LastName="King")


def assert_both_arrived(here: World) -> None:
    row, there = here.in_ghl("ada@example.com"), here.in_emailoctopus("ada@example.com")
    assert (row["firstName"], row["lastName"]) == ("Augusta", "King")
    assert there["fields"] == {"FirstName": "Augusta", "LastName": "King"}


@pytest.mark.parametrize("system", list(SystemName))
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_a_throttled_request_waits_as_the_answer_says_and_is_counted(
    database_url: str, system: SystemName, method: str
) -> None:
    with world(database_url, sockets=True) as here:
        ids = here.linked()
        edit_both(here, ids)
        before = here.clock.monotonic()
        context(here, system).weather.faults = [Fault(kind="throttle", method=method)]
        report = here.reconcile()
        struck = method != "POST" or system is GHL  # EmailOctopus is asked for nothing by POST here
        assert (report.outcome, report.throttled[system]) == ("ok", int(struck))
        assert (here.clock.monotonic() - before >= 1) == struck
        assert_both_arrived(here)
        here.assert_quiet()


def test_with_both_limits_in_force_the_limiter_makes_throttling_rare(database_url: str) -> None:
    with world(database_url, sockets=True, limits=True) as here:
        window_of(here).settings.per_window = 25
        here.sandbox.populate(Population(ghl=170, emailoctopus=130, shared=20))
        report = here.reconcile()
        assert report.outcome in ("ok", "parked")
        assert min(report.requests.values()) > 100
        assert report.throttled == {GHL: 0, EMAILOCTOPUS: 0}


def test_a_used_up_daily_quota_ends_the_cycle_and_changes_wait(database_url: str) -> None:
    with world(database_url, sockets=True, limits=True) as here:
        people = [here.person(f"p{number}@example.com", f"P{number}") for number in range(6)]
        here.reconcile()
        subscribers = [here.in_emailoctopus(f"p{number}@example.com")["id"] for number in range(6)]
        # Of what is left, 100 requests are kept for revocations.
        window_of(here).settings.per_day = here.sandbox.ghl.log.total + 101
        for subscriber_id in subscribers[:4]:
            here.edit_subscriber(subscriber_id, FirstName="New")
        here.emailoctopus.unsubscribe(subscribers[5])
        report = here.reconcile()
        assert report.outcome == CycleOutcome.QUOTA
        assert here.pair_store.totals().staged > 0
        # Whoever opts out is heard all the same.
        assert here.people()[people[5]]["dndSettings"]["Email"]["status"] == "active"
        before = here.clock.monotonic()
        assert here.reconcile().outcome == CycleOutcome.QUOTA
        assert here.clock.monotonic() - before <= 60
        here.later(days=1)
        assert here.reconcile().outcome == "ok"
        assert sorted(row["firstName"] for row in here.people().values()) == ["New"] * 4 + ["P4", "P5"]
        here.assert_quiet()


@pytest.mark.parametrize("system", list(SystemName))
@pytest.mark.parametrize("kind", ["error", "html_error", "drop", "lost_answer", "truncate"])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_passing_fault_is_retried_and_nobody_notices(
    database_url: str, system: SystemName, kind: FaultKind, method: str
) -> None:
    with world(database_url, sockets=True) as here:
        ids = here.linked()
        edit_both(here, ids)
        context(here, system).weather.faults = [Fault(kind=kind, method=method, status=503, times=2)]
        report = here.reconcile()
        assert (report.outcome, report.parked) == ("ok", 0)
        assert context(here, system).weather.faults == []
        assert_both_arrived(here)
        here.assert_quiet()


@pytest.mark.parametrize("system", list(SystemName))
@pytest.mark.parametrize("kind", ["error", "drop", "lost_answer", "truncate", "throttle"])
def test_tags_survive_a_passing_fault(database_url: str, system: SystemName, kind: FaultKind) -> None:
    with world(database_url, sockets=True) as here:
        ada = here.linked(tags=["old"])
        bob = here.linked("bob@example.com", tags=["old"])
        # Routes of GHL for one contact and for several; EmailOctopus's route that defines a tag.
        for ids in (ada, bob):
            here.emailoctopus.add_tags(ids[1], ["both"])
        here.emailoctopus.remove_tags(ada[1], ["old"])
        here.ghl.add_tags(ada[0], ["new"])
        context(here, system).weather.faults = [
            Fault(kind=kind, path="/tags", method=method, status=503, times=times)
            for method, times in (("POST", 2), ("DELETE", 1))
        ]
        report = here.reconcile()
        assert (report.outcome, report.parked) == ("ok", 0)
        assert here.in_ghl("ada@example.com")["tags"] == ["new", "both"]
        assert sorted(here.in_emailoctopus("ada@example.com")["tags"]) == ["both", "new"]
        assert here.in_ghl("bob@example.com")["tags"] == ["old", "both"]
        here.assert_quiet()


def test_a_401_that_stands_for_a_time_out_is_retried(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        ids = here.linked()
        edit_both(here, ids)
        here.sandbox.ghl.weather.faults = [Fault(kind="error", status=401, times=2)]  # Command timed out (observed)
        assert here.reconcile().outcome == "ok"
        assert_both_arrived(here)
        here.assert_quiet()


def test_a_record_at_which_the_system_fails_again_and_again_is_parked_and_the_others_go_on(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        ada, bob = here.linked("ada@example.com"), here.linked("bob@example.com")
        here.edit_subscriber(ada[1], FirstName="New")
        here.edit_subscriber(bob[1], FirstName="New")
        here.sandbox.ghl.weather.faults = [Fault(kind="error", method="PUT", path=ada[0], status=500, times=99)]
        report = here.reconcile()
        assert (report.outcome, report.new_parked) == ("parked", 1)
        assert here.in_ghl("bob@example.com")["firstName"] == "New"
        here.sandbox.ghl.weather.faults = []
        here.later(minutes=2)
        assert here.reconcile().outcome == "ok"
        assert here.in_ghl("ada@example.com")["firstName"] == "New"
        here.assert_quiet()


@pytest.mark.parametrize("system", list(SystemName))
def test_a_system_that_fails_five_times_in_a_row_ends_the_cycle_and_changes_stay_staged(
    database_url: str, system: SystemName
) -> None:
    with world(database_url, sockets=True) as here:
        ids = here.linked()
        edit_both(here, ids)

        def fail() -> None:
            context(here, system).weather.error_rate = 1.0

        here.before_writing(fail)
        report = here.reconcile()
        assert (report.outcome, report.parked) == (CycleOutcome.UNREACHABLE, 0)
        assert str(system) in report.message
        assert here.pair_store.totals().staged > 0
        context(here, system).weather.error_rate = 0.0
        assert here.reconcile().outcome == "ok"
        assert_both_arrived(here)
        here.assert_quiet()


@pytest.mark.parametrize("system", list(SystemName))
@pytest.mark.parametrize("rate", ["drop_rate", "error_rate"])
def test_an_unreachable_system_loses_nothing(database_url: str, system: SystemName, rate: str) -> None:
    with world(database_url, sockets=True) as here:
        ids = here.linked()
        edit_both(here, ids)
        setattr(context(here, system).weather, rate, 1.0)
        for _ in range(2):
            here.later(minutes=1)
            report = here.reconcile()
            assert (report.outcome, dict(report.written)) == (CycleOutcome.UNREACHABLE, {})
        setattr(context(here, system).weather, rate, 0.0)
        here.later(minutes=1)
        assert here.reconcile().outcome == "ok"
        assert_both_arrived(here)
        here.assert_quiet()


def test_a_first_cycle_that_breaks_off_is_taken_up_by_the_next(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        here.sandbox.populate(Population(ghl=30, emailoctopus=30, shared=10))
        here.sandbox.emailoctopus.weather.faults = [
            Fault(kind="error", method="POST", path="/contacts$", status=502, times=99, after=3)
        ]
        report = here.reconcile()
        assert report.outcome in (CycleOutcome.UNREACHABLE, CycleOutcome.PARKED)
        here.sandbox.emailoctopus.weather.faults = []
        here.later(minutes=2)
        here.reconcile()
        here.settle()
        links = here.pair_store.links(ghl=list(here.people()))
        assert len({link.emailoctopus_id for link in links}) == len(links)
        addresses = [row["email_address"].lower() for row in here.subscribers().values()]
        assert len(set(addresses)) == len(addresses)
        here.assert_quiet()


# One side can't be read


def test_while_ghl_cannot_be_read_revocations_alone_go_on(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        ada, bob = here.linked("ada@example.com"), here.linked("bob@example.com")
        here.edit_subscriber(ada[1], FirstName="Augusta")
        here.subscriber("eve@example.com")
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(bob[1])
        here.sandbox.ghl.weather.faults = [
            Fault(kind="error", method="POST", path="/contacts/search$", status=500, times=99)
        ]
        here.forget_requests()
        report = here.reconcile()
        assert report.outcome == CycleOutcome.INCOMPLETE
        assert report.written == {(GHL, "dnd_set"): 1}
        [(method, path)] = [one for one in here.writes(GHL) if one[0] != "POST"]
        assert (method, path) == ("PUT", f"/contacts/{bob[0]}")
        here.sandbox.ghl.weather.faults = []
        here.later(minutes=1)
        assert here.reconcile().outcome == "ok"
        assert here.in_ghl("ada@example.com")["firstName"] == "Augusta"
        assert here.has(GHL, "eve@example.com")
        here.assert_quiet()


def test_while_one_status_of_emailoctopus_cannot_be_read_revocations_alone_go_on(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        ada, bob = here.linked("ada@example.com"), here.linked("bob@example.com")
        here.edit_person(ada[0], firstName="Augusta")
        here.person("eve@example.com")
        here.clock.advance(1)
        here.ghl.unsubscribe(bob[0])
        # Two of the three listings come through.
        here.sandbox.emailoctopus.weather.faults = [
            Fault(kind="error", method="GET", path="/contacts$", status=500, after=2, times=99)
        ]
        report = here.reconcile()
        assert report.outcome == CycleOutcome.INCOMPLETE
        assert report.written == {(EMAILOCTOPUS, "unsubscribed"): 1}
        here.sandbox.emailoctopus.weather.faults = []
        here.later(minutes=1)
        assert here.reconcile().outcome == "ok"
        assert here.in_emailoctopus("bob@example.com")["status"] == "unsubscribed"
        assert here.in_emailoctopus("ada@example.com")["fields"]["FirstName"] == "Augusta"
        assert here.has(EMAILOCTOPUS, "eve@example.com")
        here.assert_quiet()


# Refused credentials, a full plan, a lost state store


def test_a_refused_key_stops_the_pair_with_an_error_that_names_it(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        ids = here.linked()
        edit_both(here, ids)
        keys = here.emailoctopus.api_keys
        kept = set(keys)
        keys.clear()
        report = here.reconcile()
        assert (report.outcome, dict(report.written)) == (CycleOutcome.AUTH, {})
        assert "pairs.main.emailoctopus.api_key" in report.message
        assert here.sandbox.emailoctopus_key not in report.message
        keys.update(kept)
        assert here.reconcile().outcome == "ok"
        assert_both_arrived(here)
        here.assert_quiet()


def test_a_refused_token_stops_the_pair_with_an_error_that_names_it(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        ids = here.linked()
        edit_both(here, ids)
        kept = dict(here.ghl.accounts.tokens)
        here.ghl.accounts.tokens.clear()
        report = here.reconcile()
        assert (report.outcome, dict(report.written)) == (CycleOutcome.AUTH, {})
        assert "pairs.main.ghl.token" in report.message
        assert here.sandbox.ghl_token not in report.message
        here.ghl.accounts.tokens.update(kept)
        assert here.reconcile().outcome == "ok"
        assert_both_arrived(here)
        here.assert_quiet()


@pytest.mark.parametrize("status", [403, 422])
def test_at_the_plan_limit_creation_stops_and_everything_else_goes_on(
    database_url: str, status: Literal[403, 422]
) -> None:
    with world(database_url, sockets=True) as here, capture_logs() as logs:
        ada, bob = here.linked("ada@example.com"), here.linked("bob@example.com")
        here.emailoctopus.quirks.out_of_limits_status = status
        here.sandbox.emailoctopus.weather.plan_limit = 5
        for number in range(40):
            here.person(f"p{number}@example.com", f"P{number}")
        here.edit_person(ada[0], firstName="Augusta")
        here.ghl.unsubscribe(bob[0])
        report = here.reconcile()
        assert report.outcome == CycleOutcome.PARKED
        # Whoever unsubscribed made room for one more.
        assert report.written[EMAILOCTOPUS, "created"] == 4
        assert report.parked == 36
        assert here.in_emailoctopus("ada@example.com")["fields"]["FirstName"] == "Augusta"
        assert here.in_emailoctopus("bob@example.com")["status"] == "unsubscribed"
        tried = [path for method, path in here.writes(EMAILOCTOPUS) if method == "POST" and path.endswith("/contacts")]
        assert len(tried) <= 4 + here.pair.workers
        assert [entry["event"] for entry in logs].count("plan_limit_reached") == 1
        # Retries don't hammer a full plan; a bigger plan takes everybody.
        here.later(minutes=2)
        here.reconcile()
        tried = [path for method, path in here.writes(EMAILOCTOPUS) if method == "POST" and path.endswith("/contacts")]
        assert len(tried) <= here.pair.workers
        here.sandbox.emailoctopus.weather.plan_limit = None
        here.later(days=1)
        assert here.reconcile().outcome == "ok"
        assert len(here.subscribers()) == 42
        here.assert_quiet()


def test_a_lost_state_store_is_rebuilt_from_both_sides_in_one_run(database_url: str, tmp_path: Path) -> None:
    with world(database_url, sockets=True) as here:
        ada = here.linked("ada@example.com", tags=["vip"])
        bob = here.linked("bob@example.com", "Bob")
        here.linked("eve@example.com", "Eve")
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(bob[1])
        here.reconcile()
        here.settle()
        people, subscribers = outside(here)
        databases.make_sqlite(tmp_path / "new.db")
        engine = open_engine(f"sqlite:///{tmp_path / 'new.db'}")
        with StateStore(engine, Secrets(SECRET), here.pair.clock) as store:
            pair_store = store.open_pair("main", here.sandbox.location_id, here.sandbox.list_id)
            here.with_store(pair_store)
            here.later(minutes=20)
            report = here.reconcile()
            assert (report.mode, report.outcome, dict(report.written)) == (Mode.FULL, "ok", {})
            assert outside(here) == (people, subscribers)
            assert here.pair_store.totals().links == 3
            here.edit_subscriber(ada[1], FirstName="Augusta")
            here.reconcile()
            assert here.people()[ada[0]]["firstName"] == "Augusta"
            here.assert_quiet()


def outside(here: World) -> tuple[object, object]:
    """Both systems as they look from outside."""
    return here.people(), here.subscribers()
