"""What webhooks told (contract, sections 2 and 6): a hint, read by id before anything is decided."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from sync_daemon.cycle.hints import MOST_BY_ID
from sync_daemon.model.policy import ConflictRule, GuardLimits
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.model.system import SystemName
from sync_daemon.model.webhook import EventKind, WebhookEvent
from sync_daemon.reconcile.deletions import DELETION
from tests.scenarios.test_deletions_proof import WhileReading
from tests.worlds import EMAILOCTOPUS, GHL, World, neighbours, tombstones, world

ADA, BOB = "ada@example.com", "bob@example.com"
CHANGED, REVOKED, DELETED = EventKind.CHANGED, EventKind.REVOKED, EventKind.DELETED


def tell(
    here: World, system: SystemName, ids: Iterable[str], kind: EventKind = CHANGED, *, verified: bool = True
) -> None:
    """A webhook tells about contacts, just now."""
    now = here.clock.now()
    told = [WebhookEvent(system, f"{kind} {one} {now}", one, kind, now, verified) for one in ids]
    here.pair_store.save_events(told)


def heed(here: World) -> CycleReport:
    here.later(seconds=1)
    here.forget_requests()
    return here.reconcile(Mode.HINTS)


def paths(here: World, system: SystemName) -> list[str]:
    return [f"{method} {path.rsplit('/', 1)[-1]}" for method, path in here.requests(system)]


def test_a_change_that_was_told_goes_over_without_any_listing(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.edit_person(ghl_id, firstName="Augusta")
        tell(here, GHL, [ghl_id])
        report = heed(here)
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Augusta"
        assert paths(here, GHL) == [f"GET {ghl_id}"]
        assert paths(here, EMAILOCTOPUS)[0] == f"GET {subscriber_id}"
        assert all(method != "GET" for method, _ in here.requests(EMAILOCTOPUS)[1:])
        assert (report.mode, report.proven) == (Mode.HINTS, set())


def test_nothing_told_asks_for_nothing(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked()
        here.edit_person(ghl_id, firstName="Augusta")
        heed(here)
        assert (here.requests(GHL), here.requests(EMAILOCTOPUS)) == ([], [])


def test_a_burst_about_one_contact_is_one_read(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked()
        for name in ("Augusta", "Byron", "King"):
            here.edit_person(ghl_id, firstName=name)
            tell(here, GHL, [ghl_id])
        heed(here)
        assert paths(here, GHL) == [f"GET {ghl_id}"]
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "King"


@pytest.mark.parametrize("system", [GHL, EMAILOCTOPUS])
def test_somebody_new_is_created_on_the_other_side(database_url: str, system: SystemName) -> None:
    with world(database_url) as here:
        here.linked()
        new = here.person(BOB) if system is GHL else here.subscriber(BOB)
        tell(here, system, [new])
        heed(here)
        assert here.has(GHL, BOB)
        assert here.has(EMAILOCTOPUS, BOB)
        here.assert_quiet()


@pytest.mark.parametrize("system", [GHL, EMAILOCTOPUS])
def test_a_revocation_that_no_poll_shows_is_carried(database_url: str, system: SystemName) -> None:
    with world(database_url) as here:
        here.sandbox.emailoctopus.world.quirks.unsubscribe_touches = False
        ghl_id, subscriber_id = here.linked()
        if system is GHL:
            here.ghl.set_dnd(ghl_id)
        else:
            here.emailoctopus.unsubscribe(subscriber_id)
        tell(here, system, [ghl_id if system is GHL else subscriber_id], REVOKED)
        heed(here)
        assert (here.blocked(ADA), here.status(ADA)) == (True, "unsubscribed")


def test_many_hints_are_answered_by_one_poll(database_url: str) -> None:
    with world(database_url) as here:
        here.sandbox.ghl.world.quirks.hits_carry_dnd = "always"  # else each hit that changed is read by id
        people = [here.person(f"person{number}@example.com") for number in range(MOST_BY_ID + 1)]
        here.reconcile()
        here.later(days=1)
        for one in people:
            here.edit_person(one, firstName="Augusta")
        tell(here, GHL, people)
        heed(here)
        asked = paths(here, GHL)
        assert (asked.count("POST search"), sum(one.startswith("GET") for one in asked)) == (1, 0)
        assert {row["fields"]["FirstName"] for row in here.subscribers().values()} == {"Augusta"}
        heed(here)
        assert here.requests(GHL) == []  # what was answered doesn't wait any more


def test_what_is_told_once_the_poll_has_begun_is_read_by_id_though_many_wait(database_url: str) -> None:
    with world(database_url) as here:
        people = [here.person(f"person{number}@example.com") for number in range(MOST_BY_ID + 2)]
        here.reconcile()
        here.later(days=1)

        def late() -> None:
            here.edit_person(people[0], firstName="Augusta")
            tell(here, GHL, people[:1])

        tell(here, GHL, people[1:])
        here.pair = replace(here.pair, progress=WhileReading(GHL, late))
        heed(here)
        assert [path for path in paths(here, GHL) if path.startswith("GET")] == [f"GET {people[0]}"]
        assert here.in_emailoctopus("person0@example.com")["fields"]["FirstName"] == "Augusta"


def test_one_hint_less_is_read_one_by_one(database_url: str) -> None:
    with world(database_url) as here:
        people = [here.person(f"person{number}@example.com") for number in range(MOST_BY_ID)]
        here.reconcile()
        tell(here, GHL, people)
        heed(here)
        asked = paths(here, GHL)
        assert (asked.count("POST search"), len(asked)) == (0, MOST_BY_ID)


@pytest.mark.parametrize("touches", [True, False])
def test_of_many_unsubscribes_those_that_the_poll_does_not_show_are_read_by_id(
    database_url: str, *, touches: bool
) -> None:
    with world(database_url) as here:
        here.sandbox.emailoctopus.world.quirks.unsubscribe_touches = touches
        neighbours(here, MOST_BY_ID + 1)
        here.reconcile()
        here.later(days=1)
        subscribers = list(here.subscribers())
        for one in subscribers:
            here.emailoctopus.unsubscribe(one)
        tell(here, EMAILOCTOPUS, subscribers, REVOKED)
        heed(here)
        reads = [path for method, path in here.requests(EMAILOCTOPUS) if path.rsplit("/", 1)[-1] in subscribers]
        assert len(reads) == (0 if touches else len(subscribers))
        assert all(here.blocks(one) for one in here.people())


@pytest.mark.parametrize("system", [GHL, EMAILOCTOPUS])
@pytest.mark.parametrize("verified", [True, False])
def test_a_deletion_that_was_told_and_a_read_agrees_with_counts(
    database_url: str, system: SystemName, *, verified: bool
) -> None:
    with world(database_url) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        if system is GHL:
            here.ghl.delete(ghl_id)
        else:
            here.emailoctopus.delete(subscriber_id)
        tell(here, system, [ghl_id if system is GHL else subscriber_id], DELETED, verified=verified)
        heed(here)
        assert len(tombstones(here)) == verified
        if verified:
            assert here.status(ADA) == "unsubscribed" if system is GHL else here.blocked(ADA)
        here.later(days=1)
        here.full()
        here.assert_quiet()


def test_a_link_is_inherited_while_the_schema_is_read_for_anothers_blank(database_url: str) -> None:
    with world(database_url) as here:
        neighbours(here)
        other, _ = here.linked(BOB)
        ghl_id, subscriber_id = here.linked()
        here.ghl.delete(ghl_id)
        heir = here.person(ADA)
        here.edit_person(other, firstName="")
        tell(here, GHL, [ghl_id], DELETED)
        tell(here, GHL, [ghl_id, other], REVOKED)
        heed(here)
        assert [(link.ghl_id, link.emailoctopus_id) for link in here.pair_store.links(ghl=[heir])] == [
            (heir, subscriber_id)
        ]
        assert [stone.done for stone in tombstones(here)] == ["relink"]
        here.assert_quiet()


def test_a_deletion_that_was_told_of_somebody_who_is_there_does_nothing(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        tell(here, GHL, [ghl_id, "nobody"], DELETED)
        tell(here, EMAILOCTOPUS, [subscriber_id], DELETED)
        report = heed(here)
        assert not report.written
        assert tombstones(here) == []
        assert paths(here, GHL) == [f"GET {ghl_id}"]  # who was never known needn't be looked for
        here.assert_quiet()


def test_an_address_change_is_held_with_the_others_though_a_deletion_was_told_of_who_is_there(
    database_url: str,
) -> None:
    nothing = GuardLimits(max_destructive_count=0, max_destructive_percent=0)
    with world(database_url, guard=nothing) as here:
        neighbours(here)
        here.linked(BOB)
        ghl_id, subscriber_id = here.linked()
        here.edit_person(ghl_id, email=BOB)
        tell(here, EMAILOCTOPUS, [subscriber_id], DELETED)
        here.full()
        assert here.pair_store.links(ghl=[ghl_id]) == []
        (held,) = here.pair_store.held(everything=True)
        assert (held.emailoctopus_id, held.action) == (subscriber_id, DELETION)


def test_an_event_that_is_told_again_is_no_second_hint(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked()
        event = WebhookEvent(GHL, "e1", ghl_id, CHANGED, here.clock.now())
        here.pair_store.save_events([event])
        heed(here)
        here.pair_store.save_events([event, event])
        heed(here)
        assert here.requests(GHL) == []


def test_the_other_side_takes_part_in_the_merge(database_url: str) -> None:
    """It changed, too, and later: without a look at it the older value would win."""
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        fields = tuple(
            type(rule)(**{**{name: getattr(rule, name) for name in rule.__slots__}, "conflict": ConflictRule.NEWEST})
            for rule in here.pair.policy.fields
        )
        here.with_policy(fields=fields)
        here.later(days=1)
        here.edit_person(ghl_id, firstName="Augusta")
        here.later(hours=1)
        here.edit_subscriber(subscriber_id, FirstName="Byron")
        tell(here, GHL, [ghl_id])
        heed(here)
        assert here.in_ghl(ADA)["firstName"] == here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Byron"


def test_what_a_system_that_is_down_owes_waits(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked()
        here.edit_person(ghl_id, firstName="Augusta")
        tell(here, GHL, [ghl_id])
        here.fault(GHL, kind="error", times=50)
        assert heed(here).outcome == "unreachable"
        here.sandbox.ghl.weather.faults.clear()
        heed(here)
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Augusta"


def test_a_poll_heeds_what_it_does_not_show(database_url: str) -> None:
    with world(database_url) as here:
        here.sandbox.emailoctopus.world.quirks.unsubscribe_touches = False
        _, subscriber_id = here.linked()
        here.emailoctopus.unsubscribe(subscriber_id)
        tell(here, EMAILOCTOPUS, [subscriber_id], REVOKED)
        here.later(minutes=1)
        report = here.reconcile()
        assert (here.blocked(ADA), report.proven) == (True, {GHL, EMAILOCTOPUS})


def test_a_run_that_finds_its_own_echo_is_not_written_down(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked()
        here.edit_person(ghl_id, firstName="Augusta")
        tell(here, GHL, [ghl_id])
        first = heed(here)
        tell(here, GHL, [ghl_id])
        assert not heed(here).written
        modes = [(run["run_id"], run["mode"]) for run in here.pair_store.last_runs(10)]
        assert modes == [(first.run_id, "hints"), (here.reports[0].run_id, "full")]
        assert [run["mode"] for run in here.pair_store.last_runs(10, Mode.FULL)] == ["full"]
