"""Contract, sections 6 and 7: when an absence is a deletion, and when it is a fault of the source."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Event

import pytest

from sync_daemon.model.contact import Page
from sync_daemon.model.policy import GuardLimits
from sync_daemon.model.report import Mode
from sync_daemon.model.state import Held
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit
from sync_daemon.sandbox.weather import Fault, Weather
from sync_daemon.systems.emailoctopus.reader import EmailOctopusReader
from tests.worlds import EMAILOCTOPUS, GHL, NoProgress, World, neighbours, tombstones, world

ADA = "ada@example.com"
BOTH = [GHL, EMAILOCTOPUS]
FEW = GuardLimits(max_destructive_percent=0, max_destructive_count=2)


def weather(here: World, system: SystemName) -> Weather:
    return here.sandbox.ghl.weather if system == GHL else here.sandbox.emailoctopus.weather


def delete(here: World, system: SystemName, link: tuple[str, str]) -> None:
    if system == GHL:
        here.ghl.delete(link[0])
    else:
        here.emailoctopus.delete(link[1])


def reads_by_id(here: World, system: SystemName) -> int:
    return sum(method == "GET" and "/contacts/" in path for method, path in here.requests(system))


def crowd(here: World, number: int) -> list[tuple[str, str]]:
    """Many people with a link, put together by one scan of both sides."""
    for each in range(number):
        here.ghl.create(email=f"p{each}@example.com", firstName=f"P{each}")
        here.emailoctopus.add(here.sandbox.list_id, f"p{each}@example.com", {"FirstName": f"P{each}"})
    here.reconcile()
    here.forget_requests()
    links = here.pair_store.links(ghl=here.people())
    assert len(links) == number
    return [(link.ghl_id, link.emailoctopus_id) for link in links]


# short and broken listings


@pytest.mark.parametrize("system", BOTH)
def test_a_listing_that_says_that_it_is_short_proves_nothing(database_url: str, system: SystemName) -> None:
    with world(database_url) as here:
        links = neighbours(here, 8)
        here.later(days=1)
        delete(here, system, links[-1])
        here.sandbox.ghl.weather.short_listing = 0.25 if system == GHL else 0.0
        here.sandbox.emailoctopus.weather.short_listing = 0.25 if system == EMAILOCTOPUS else 0.0
        report = here.full()
        assert report.outcome == "incomplete"
        assert "7" in report.message
        assert not report.written
        assert tombstones(here) == []
        here.sandbox.ghl.weather.short_listing = here.sandbox.emailoctopus.weather.short_listing = 0.0
        assert here.full().outcome == "ok"
        assert len(tombstones(here)) == 1


@pytest.mark.parametrize("system", BOTH)
@pytest.mark.parametrize("share", [0.25, 1.0])
def test_a_short_listing_with_a_short_total_takes_nobody_for_missing(
    database_url: str, system: SystemName, share: float
) -> None:
    with world(database_url) as here:
        neighbours(here, 8)
        here.later(days=1)
        theirs = weather(here, system)
        theirs.short_listing, theirs.short_total = share, True
        report = here.full()
        # Less than half of those known is a fault; of fewer each is read by id, and found.
        assert report.outcome == ("incomplete" if share == 1.0 else "ok")
        assert not report.written
        assert tombstones(here) == []
        assert here.pair_store.totals().links == 8
        theirs.short_listing, theirs.short_total = 0.0, False
        assert not here.full().written
        here.assert_quiet()


@pytest.mark.parametrize("system", BOTH)
def test_what_a_short_read_showed_is_used(database_url: str, system: SystemName) -> None:
    with world(database_url) as here:
        links = neighbours(here, 8)
        here.later(days=1)
        here.edit_person(links[0][0], firstName="Augusta")
        for _, there in links[1:]:
            here.edit_subscriber(there, FirstName="Beatrix")
        theirs = weather(here, system)
        theirs.short_listing, theirs.short_total = 0.6, True
        assert here.full().outcome == "incomplete"
        assert here.in_emailoctopus("neighbour0@example.com")["fields"]["FirstName"] == "Augusta"
        names = [here.in_ghl(f"neighbour{each}@example.com")["firstName"] for each in range(1, 8)]
        assert names.count("Beatrix") >= 2  # three of eight are listed, whichever they are


@pytest.mark.parametrize("system", BOTH)
def test_a_listing_that_repeats_a_cursor_proves_nothing(database_url: str, system: SystemName) -> None:
    with world(database_url) as here:
        links = crowd(here, 1101 if system == GHL else 301)
        here.later(days=1)
        delete(here, system, links[-1])
        theirs = weather(here, system)
        theirs.repeated_cursor = True
        report = here.full()
        assert (report.outcome, tombstones(here)) == ("incomplete", [])
        assert not report.written
        theirs.repeated_cursor = False
        assert here.full().outcome == "ok"
        assert len(tombstones(here)) == 1


@pytest.mark.parametrize("kind", ["error", "truncate", "drop", "html_error"])
@pytest.mark.parametrize("system", BOTH)
def test_a_listing_that_breaks_off_proves_nothing(database_url: str, system: SystemName, kind: str) -> None:
    with world(database_url) as here:
        links = neighbours(here)
        here.later(days=1)
        delete(here, system, links[0])
        path = "/contacts/search" if system == GHL else "/contacts$"
        here.fault(system, kind=kind, path=path, status=500, times=40)
        report = here.full()
        assert report.outcome in ("unreachable", "incomplete")
        assert not report.written
        assert tombstones(here) == []


def test_the_only_contact_can_not_be_told_from_an_empty_read(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked()
        here.later(days=1)
        here.ghl.delete(ghl_id)
        report = here.full()
        assert (report.outcome, tombstones(here)) == ("incomplete", [])
        assert "0 of the 1" in report.message
        assert here.status(ADA) == "subscribed"


# the read by id


@pytest.mark.parametrize("system", BOTH)
@pytest.mark.parametrize("status", [400, 422])
def test_another_refusal_of_the_read_by_id_proves_nothing(database_url: str, system: SystemName, status: int) -> None:
    with world(database_url) as here:
        links = neighbours(here)
        here.later(days=1)
        delete(here, system, links[0])
        here.fault(system, kind="error", method="GET", path="/contacts/[^/]+$", status=status)
        report = here.full()
        assert not report.written
        assert tombstones(here) == []
        here.later(days=1)
        here.full()
        assert len(tombstones(here)) == 1


@pytest.mark.parametrize("system", BOTH)
def test_a_page_of_the_network_in_front_proves_nothing(database_url: str, system: SystemName) -> None:
    with world(database_url) as here:
        links = neighbours(here)
        here.later(days=1)
        delete(here, system, links[0])
        here.fault(system, kind="html_error", method="GET", path="/contacts/[^/]+$", status=404, times=40)
        report = here.full()
        assert (report.outcome, tombstones(here)) == ("parked", [])
        weather(here, system).faults.clear()
        # That a complete scan lacks it isn't forgotten: the next try needn't come with a full scan.
        here.later(minutes=1)
        assert here.reconcile().outcome == "ok"
        assert len(tombstones(here)) == 1


def test_a_contact_that_the_index_lost_is_read_by_id_and_stays(database_url: str) -> None:
    with world(database_url) as here:
        links = neighbours(here, 4)
        here.later(days=1)
        here.edit_person(links[-1][0], firstName="Augusta")
        here.later(minutes=20)
        here.sandbox.ghl.weather.short_listing, here.sandbox.ghl.weather.short_total = 0.25, True
        report = here.full()
        assert (report.outcome, report.written) == ("ok", {(EMAILOCTOPUS, "updated"): 1})
        assert tombstones(here) == []
        assert here.in_emailoctopus("neighbour3@example.com")["fields"]["FirstName"] == "Augusta"


# patience


def test_who_is_too_new_for_the_index_is_not_missing(database_url: str) -> None:
    with world(database_url) as here:
        neighbours(here)
        here.later(days=1)
        here.sandbox.ghl.weather.index_lag_s = 300
        subscriber_id = here.subscriber(ADA)
        here.reconcile()  # creates in GHL
        here.forget_requests()
        here.later(minutes=1)
        here.full()
        assert reads_by_id(here, GHL) == 0
        assert here.has(GHL, ADA)
        assert here.pair_store.links(emailoctopus=[subscriber_id])


def test_who_was_deleted_while_the_index_ran_behind_is_missing_later(database_url: str) -> None:
    with world(database_url) as here:
        links = neighbours(here)
        here.later(days=1)
        here.sandbox.ghl.weather.index_lag_s = 300
        here.ghl.delete(links[0][0])
        here.later(minutes=1)
        assert not here.full().written
        here.later(minutes=10)
        assert here.full().written == {(EMAILOCTOPUS, "unsubscribed"): 1}


def test_who_was_written_lately_is_not_missing_yet(database_url: str) -> None:
    with world(database_url) as here:
        links = neighbours(here)
        here.later(days=1)
        here.edit_subscriber(links[0][1], FirstName="Augusta")
        here.reconcile()
        here.later(minutes=2)
        here.ghl.delete(links[0][0])
        assert not here.full().written
        here.later(minutes=11)
        assert here.full().written == {(EMAILOCTOPUS, "unsubscribed"): 1}


# meanwhile


class WhileReading(NoProgress):
    """Lets the outside act when the first page of a system has come in."""

    def __init__(self, system: SystemName, act: Callable[[], object]) -> None:
        self._system, self._act = system, act
        self._done = False

    def pages_read(self, system: SystemName, records: int) -> None:
        if system is self._system and not self._done:
            self._done = True
            self._act()


@pytest.mark.parametrize("system", BOTH)
def test_who_is_deleted_while_a_change_of_his_waits_is_read_by_id(database_url: str, system: SystemName) -> None:
    """What a listing showed of him before his deletion doesn't prove that he is there."""
    with world(database_url) as here:
        neighbours(here)
        link = here.linked()
        here.later(days=1)
        if system == GHL:
            here.edit_person(link[0], firstName="Augusta")
        else:
            here.edit_subscriber(link[1], FirstName="Augusta")
        there = weather(here, EMAILOCTOPUS if system == GHL else GHL)
        there.faults.append(Fault(kind="error", status=503, times=100))
        here.reconcile()
        assert here.pair_store.count_staged()[system] == 1
        there.faults.clear()
        delete(here, system, link)
        here.later(minutes=20)
        here.full()
        assert [(stone.ghl_id, stone.emailoctopus_id) for stone in tombstones(here)] == [link]
        here.assert_quiet()


@pytest.mark.parametrize("system", BOTH)
def test_a_deletion_during_the_scan_is_found_by_the_next(database_url: str, system: SystemName) -> None:
    with world(database_url) as here:
        links = neighbours(here)
        here.later(days=1)
        here.pair = replace(here.pair, progress=WhileReading(system, lambda: delete(here, system, links[0])))
        assert not here.full().written
        here.pair = replace(here.pair, progress=NoProgress())
        here.later(days=1)
        here.full()
        assert len(tombstones(here)) == 1


def test_who_changes_status_between_two_listings_is_not_missing(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(database_url) as here:
        links = neighbours(here, 4)
        here.later(minutes=1)
        here.emailoctopus.unsubscribe(links[0][1])
        here.reconcile()
        here.later(days=1)
        listed, plain = Event(), EmailOctopusReader.scan

        def in_turns(reader: EmailOctopusReader, stream: str) -> Iterator[Page]:
            if stream == "unsubscribed":
                assert listed.wait(10)
                here.emailoctopus.set_status(links[0][1], "subscribed")
            yield from plain(reader, stream)
            if stream == "subscribed":
                listed.set()

        monkeypatch.setattr(EmailOctopusReader, "scan", in_turns)
        report = here.full()
        assert report.outcome == "ok"
        assert tombstones(here) == []
        # Whoever was in no listing was read by id.
        assert here.status("neighbour0@example.com") == "subscribed"
        assert not here.blocked("neighbour0@example.com")


# the guard's limit


@pytest.mark.parametrize("system", BOTH)
def test_reads_by_id_stop_at_the_limit_and_the_rest_is_held(database_url: str, system: SystemName) -> None:
    with world(database_url, guard=FEW) as here:
        links = neighbours(here, 14)
        here.later(days=1)
        for link in links[:6]:
            delete(here, system, link)
        here.forget_requests()
        report = here.full()
        assert report.outcome == "held"
        # One more than may go through shows that it is too much.
        unproven = [held for held in here.pair_store.held(everything=True) if "not looked up" in held.reason]
        assert len(unproven) == 3
        assert {held.action for held in unproven} == {"deletion"}
        # Each is read once, and its address looked up once, though they are counted first and then judged.
        assert reads_by_id(here, system) <= 3 * 2
        # They stay held, and aren't read again, until a person says something.
        here.later(minutes=30)
        here.full()
        still = [held for held in here.pair_store.held(everything=True) if "not looked up" in held.reason]
        assert still == unproven


@pytest.mark.parametrize("system", BOTH)
def test_deletions_that_a_crash_cut_off_go_on_and_those_after_them_are_held(
    database_url: str, system: SystemName
) -> None:
    with world(database_url, guard=FEW) as here:
        links = neighbours(here, 14)
        here.later(days=1)
        for link in links[4:6]:
            delete(here, system, link)
        here.cut_off(Mode.FULL)
        for link in links[:2]:
            delete(here, system, link)
        report = here.full()
        assert (report.outcome, report.held) == ("held", 2)
        assert {held.ghl_id for held in here.pair_store.held(everything=True)} == {link[0] for link in links[:2]}
        assert {stone.ghl_id for stone in tombstones(here)} == {link[0] for link in links[4:6]}


def order(here: World, held: Held, *, approve: bool) -> None:
    here.pair_store.commit(Commit(held=[held]))
    [row] = [one for one in here.pair_store.held(everything=True) if one.ghl_id == held.ghl_id]
    here.pair_store.order_held([row.id or 0], approve=approve)


def unproven(here: World, system: SystemName, links: list[tuple[str, str]]) -> Held:
    """A deletion that was held without proof."""
    for link in links[:6]:
        delete(here, system, link)
    here.full()
    return next(held for held in here.pair_store.held(everything=True) if "not looked up" in held.reason)


@pytest.mark.parametrize("system", BOTH)
def test_an_approved_deletion_is_proven_and_done(database_url: str, system: SystemName) -> None:
    with world(database_url, guard=FEW) as here:
        links = neighbours(here, 14)
        here.later(days=1)
        held = unproven(here, system, links)
        order(here, held, approve=True)
        here.later(minutes=1)
        here.reconcile()
        assert held.id not in {one.id for one in here.pair_store.held(everything=True)}
        [stone] = [stone for stone in tombstones(here) if stone.ghl_id == held.ghl_id]
        assert stone.done == ("unsubscribe" if system == GHL else "suppress")
        assert here.pair_store.links(ghl=[held.ghl_id or ""]) == []


@pytest.mark.parametrize("system", BOTH)
def test_a_discarded_deletion_is_a_tombstone_with_nothing_done(database_url: str, system: SystemName) -> None:
    with world(database_url, guard=FEW) as here:
        links = neighbours(here, 14)
        here.later(days=1)
        held = unproven(here, system, links)
        order(here, held, approve=False)
        before = (here.people(), here.subscribers())
        here.later(minutes=1)
        here.reconcile()
        assert (here.people(), here.subscribers()) == before
        assert [stone.done for stone in tombstones(here) if stone.ghl_id == held.ghl_id] == ["nothing"]
        assert held.id not in {one.id for one in here.pair_store.held(everything=True)}
        here.later(days=1)
        here.full()
        assert held.ghl_id not in {one.ghl_id for one in here.pair_store.held(everything=True)}


@pytest.mark.parametrize("approve", [True, False])
def test_an_order_about_somebody_who_is_there_does_nothing(database_url: str, *, approve: bool) -> None:
    with world(database_url) as here:
        [link, *_] = neighbours(here)
        order(here, Held(*link, "deletion", "missing", here.clock.now()), approve=approve)
        assert not here.reconcile().written
        assert here.pair_store.held(everything=True) == []
        assert here.pair_store.totals().links == 3
        assert tombstones(here) == []


def test_an_order_about_a_link_that_is_gone_is_over(database_url: str) -> None:
    with world(database_url) as here:
        neighbours(here)
        order(here, Held("g-gone", "e-gone", "deletion", "missing", here.clock.now()), approve=True)
        here.reconcile()
        assert here.pair_store.held(everything=True) == []


def test_a_held_absence_that_shows_up_again_leaves_the_queue(database_url: str) -> None:
    with world(database_url) as here:
        [link, *_] = neighbours(here)
        here.pair_store.commit(Commit(held=[Held(*link, "deletion", "missing", here.clock.now())]))
        here.later(minutes=1)
        report = here.reconcile()
        assert (report.outcome, report.held) == ("held", 1)
        assert here.full().held == 0
        here.assert_quiet()


# plans, runs that die, counts


@pytest.mark.parametrize(("system", "action"), [(GHL, "set_status"), (EMAILOCTOPUS, "set_dnd")])
def test_a_full_plan_shows_what_the_next_scan_would_do(database_url: str, system: SystemName, action: str) -> None:
    with world(database_url) as here:
        links = neighbours(here)
        here.later(days=1)
        delete(here, system, links[0])
        planned = here.plan(Mode.FULL)
        assert action in {str(operation.action) for operation in planned.operations}
        assert {operation.policy for operation in planned.operations} == {"deletion"}
        assert here.status("neighbour0@example.com") == "subscribed" if system == GHL else True


@pytest.mark.parametrize("times", [1, 40])
def test_a_write_that_failed_is_tried_again_in_an_incremental_cycle(database_url: str, times: int) -> None:
    with world(database_url) as here:
        links = neighbours(here)
        here.later(days=1)
        here.ghl.delete(links[0][0])
        status = 422 if times == 1 else 500
        here.fault(EMAILOCTOPUS, kind="error", method="PUT", status=status, times=times)
        report = here.full()
        assert (report.outcome, report.parked) == ("parked", 1)
        [parked] = here.pair_store.parked(everything=True)
        assert (parked.ghl_id, parked.what) == (links[0][0], "deletion")
        assert tombstones(here) == []
        assert here.pair_store.totals().links == 3
        here.sandbox.emailoctopus.weather.faults.clear()
        here.later(minutes=1)
        report = here.reconcile()
        assert (report.written, report.parked) == ({(EMAILOCTOPUS, "unsubscribed"): 1}, 0)
        assert len(tombstones(here)) == 1
        here.settle()


def test_a_system_that_fails_in_the_middle_is_taken_up_by_an_incremental_cycle(database_url: str) -> None:
    with world(database_url) as here:
        links = neighbours(here)
        here.later(days=1)
        here.ghl.delete(links[0][0])

        def break_down() -> None:
            here.sandbox.emailoctopus.weather.error_rate = 1.0

        here.before_writing(break_down)
        assert here.full().outcome == "unreachable"
        assert tombstones(here) == []
        here.sandbox.emailoctopus.weather.error_rate = 0.0
        here.later(minutes=1)
        assert here.reconcile().written == {(EMAILOCTOPUS, "unsubscribed"): 1}
        assert len(tombstones(here)) == 1
        here.settle()
