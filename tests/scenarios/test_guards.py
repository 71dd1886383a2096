"""Contract, section 7: mass changes are held as a whole until a person approves them; everything else goes on."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
import structlog
from sqlalchemy import select

from sync_daemon.cycle import inbox
from sync_daemon.model.plan import Action, MassChange
from sync_daemon.model.policy import Blanks, FieldRule, GuardLimits, OnLeaveScope, Resubscribe, ScopeRule
from sync_daemon.model.report import Mode
from sync_daemon.model.state import Held, Unlinked
from sync_daemon.sandbox.weather import Fault
from sync_daemon.store import tables
from sync_daemon.store.engine import reading
from tests.worlds import EMAILOCTOPUS, GHL, World, neighbours, world

TWO = GuardLimits(0, 2, 0, 2)
"""Two changes of each kind within a day, whatever the number of links."""
NONE = GuardLimits(0, 0, 0, 0)
ADDRESSES = [f"p{number}@example.com" for number in range(5)]
VIP = ScopeRule(tags_any=("vip",))


def crowd(here: World, number: int = 5) -> list[str]:
    """So many links, each with two tags; the ids in GHL."""
    ids = [here.person(address, tags=["vip", "news"]) for address in ADDRESSES[:number]]
    here.reconcile()
    here.settle()
    here.forget_requests()
    return ids


def untag(here: World, ids: Sequence[str]) -> None:
    for ghl_id in ids:
        here.clock.advance(1)
        here.ghl.remove_tags(ghl_id, ["news"])


def clear(here: World, ids: Sequence[str]) -> None:
    for ghl_id in ids:
        here.edit_person(ghl_id, lastName=None)


def tagged(here: World) -> int:
    return sum("news" in row["tags"] for row in here.subscribers().values())


def named(here: World) -> int:
    return sum("LastName" in row["fields"] for row in here.subscribers().values())


def waiting(here: World) -> list[Held]:
    return here.pair_store.held(everything=True)


def order(here: World, *, approve: bool, only: Sequence[int] | None = None) -> None:
    ids = [entry.id for entry in waiting(here) if entry.id is not None]
    here.pair_store.order_held(ids if only is None else [ids[index] for index in only], approve=approve)


def assert_quiet_after_a_full_scan(here: World) -> None:
    here.later(minutes=11)
    assert not here.full().written
    here.assert_quiet()


DESTRUCTIVE = [(MassChange.TAG_REMOVAL, untag, tagged), (MassChange.BLANK, clear, named)]
"""A kind of change, how the outside asks for it, and how many haven't got it yet."""
EACH_KIND = pytest.mark.parametrize(("kind", "ask", "left"), DESTRUCTIVE, ids=["tags", "blanks"])


def counted(here: World) -> dict[str, int]:
    """How many changes of each kind were made within a day."""
    found = here.pair_store.mass_changes(here.pair.clock.now() - timedelta(days=1))
    return {kind: number for kind, number in found.items() if number}


Ask = Callable[[World, Sequence[str]], None]
Left = Callable[[World], int]


# held, and none goes through


@EACH_KIND
def test_as_many_as_the_limit_go_through_and_one_more_holds_them_all(
    database_url: str, kind: MassChange, ask: Ask, left: Left
) -> None:
    with world(database_url, guard=TWO) as here:
        ids = crowd(here)
        ask(here, ids[:2])
        assert here.reconcile().outcome == "ok"
        assert left(here) == 3
        here.later(hours=25)
        ask(here, ids[2:])
        with structlog.testing.capture_logs() as logs:
            report = here.reconcile()
        assert (report.outcome, report.held, report.new_held, left(here)) == ("held", 3, 3, 3)
        assert {entry.action for entry in waiting(here)} == {kind}
        assert {entry.ghl_id for entry in waiting(here)} == set(ids[2:])
        [alert] = [entry for entry in logs if entry["event"] == "mass_change_held"]
        assert (alert["log_level"], alert["kind"]) == ("error", kind)
        which = "LastName in EmailOctopus: " if kind is MassChange.BLANK else ""
        assert waiting(here)[0].reason == which + alert["reason"]
        again = here.reconcile()
        assert (again.outcome, again.held, again.new_held) == ("held", 3, 0)
        assert here.full().held == 3
        here.assert_quiet()


@EACH_KIND
def test_what_a_crash_cut_off_had_been_let_through_and_is_not_held(
    database_url: str, kind: MassChange, ask: Ask, left: Left
) -> None:
    with world(database_url, guard=TWO) as here:
        ids = crowd(here)
        ask(here, ids[:2])
        here.cut_off()
        assert left(here) == 5
        ask(here, ids[2:3])
        report = here.reconcile()
        assert (report.outcome, report.held, left(here)) == ("held", 1, 3)
        assert [(entry.ghl_id, entry.action) for entry in waiting(here)] == [(ids[2], kind)]
        assert counted(here) == {kind: 2}


def test_the_reason_tells_the_numbers(database_url: str) -> None:
    with world(database_url, guard=TWO) as here:
        ids = crowd(here)
        untag(here, ids[:1])
        here.reconcile()
        untag(here, ids[1:3])
        here.reconcile()
        assert waiting(here)[0].reason == (
            "contacts with removed tags: 2 in one cycle after 1 in the 24 hours before, "
            "more than 2 and more than 0% of 5 links"
        )


def test_a_limit_is_passed_only_when_the_share_of_the_links_is_too(database_url: str) -> None:
    with world(database_url, guard=GuardLimits(60, 1)) as here:
        ids = crowd(here)
        untag(here, ids[:3])
        assert here.reconcile().outcome == "ok"
        assert tagged(here) == 2


def test_none_goes_through_though_the_inbox_is_decided_batch_by_batch(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(database_url, guard=TWO) as here:
        ids = crowd(here)
        monkeypatch.setattr(inbox, "_BATCH", 1)
        monkeypatch.setattr(inbox, "_ROOM", dict.fromkeys((GHL, EMAILOCTOPUS), 1))
        untag(here, ids)
        here.edit_person(ids[4], firstName="Augusta")
        assert here.reconcile().held == 5
        assert tagged(here) == 5
        assert here.in_emailoctopus(ADDRESSES[4])["fields"]["FirstName"] == "Augusta"


def test_what_turns_up_after_the_others_were_judged_is_held_alone(database_url: str) -> None:
    with world(database_url, guard=TWO) as here:
        ids = crowd(here)
        untag(here, ids[:2])

        def meanwhile() -> None:
            untag(here, ids[2:3])
            here.clock.advance(61)

        here.before_writing(meanwhile)
        report = here.reconcile()
        assert (report.held, tagged(here)) == (1, 3)
        assert [entry.ghl_id for entry in waiting(here)] == ids[2:3]


def test_nothing_is_judged_by_a_cycle_that_had_to_stop(database_url: str) -> None:
    with world(database_url, guard=TWO) as here:
        ids = crowd(here)
        untag(here, ids[:2])
        here.edit_person(ids[4], firstName="Augusta")
        here.fault(EMAILOCTOPUS, kind="error", method="PUT", status=401)
        assert here.reconcile().outcome == "auth"
        assert (tagged(here), waiting(here), counted(here)) == (5, [], {})
        untag(here, ids[2:3])
        here.later(minutes=1)
        assert here.reconcile().held == 3
        assert tagged(here) == 5


def test_what_an_outage_cut_off_had_been_let_through_and_is_not_held(database_url: str) -> None:
    with world(database_url, guard=TWO) as here:
        ids = crowd(here)
        untag(here, ids[:2])
        here.fault(EMAILOCTOPUS, kind="error", method="PUT", status=503, times=50)
        here.fault(
            EMAILOCTOPUS, kind="error", path=r"^/lists/[^/]+$", status=503, times=50
        )  # whether it answers at all
        assert here.reconcile().outcome == "unreachable"
        here.sandbox.emailoctopus.weather.faults.clear()
        here.later(minutes=1)
        report = here.reconcile()
        assert (report.outcome, report.held, tagged(here)) == ("ok", 0, 3)
        assert counted(here) == {MassChange.TAG_REMOVAL: 2}


def test_what_an_outage_left_unsent_counts_once_it_is_sent(database_url: str) -> None:
    with world(database_url, guard=TWO) as here:
        crowd(here)
        for address in ("eve@example.com", "bob@example.com"):
            here.subscriber(address)
        here.before_writing(lambda: here.fault(GHL, kind="drop", method="", path="", times=100))
        assert here.reconcile().outcome == "unreachable"
        assert counted(here) == {MassChange.CREATE_IN_GHL: 1}
        here.sandbox.ghl.weather.faults.clear()
        here.later(minutes=1)
        assert here.reconcile().outcome == "ok"
        assert counted(here) == {MassChange.CREATE_IN_GHL: 2}


def test_those_of_an_earlier_cycle_count_for_24_hours(database_url: str) -> None:
    with world(database_url, guard=TWO) as here:
        ids = crowd(here)
        untag(here, ids[:2])
        here.reconcile()
        here.later(hours=23)
        untag(here, ids[2:3])
        assert here.reconcile().held == 1
        assert tagged(here) == 3
        here.later(hours=2)
        untag(here, ids[3:])
        report = here.reconcile()
        assert (report.held, tagged(here)) == (1, 1)  # what is held waits for a person, not for the next day


def test_everything_else_goes_on(database_url: str) -> None:
    with world(database_url, guard=NONE) as here:
        ids = crowd(here, 2)
        for ghl_id in ids:
            here.edit_person(ghl_id, firstName="Augusta", lastName=None)
            here.ghl.remove_tags(ghl_id, ["news"])
            here.ghl.add_tags(ghl_id, ["more"])
        assert (here.reconcile().held, len(waiting(here))) == (2, 4)
        for row in here.subscribers().values():
            assert row["fields"] == {"FirstName": "Augusta", "LastName": "Lovelace"}
            assert sorted(row["tags"]) == ["more", "news", "vip"]
        subscriber_id = here.in_emailoctopus(ADDRESSES[0])["id"]
        here.edit_subscriber(subscriber_id, FirstName="Ida")
        here.emailoctopus.add_tags(subscriber_id, ["octopus"])
        here.reconcile()
        ghl = here.in_ghl(ADDRESSES[0])
        assert (ghl["firstName"], ghl.get("lastName"), sorted(ghl["tags"])) == ("Ida", None, ["more", "octopus", "vip"])
        assert here.full().held == 2
        here.assert_quiet()


def test_emailoctopus_asks_the_same_of_ghl(database_url: str) -> None:
    rows = (FieldRule("firstName", "FirstName"), FieldRule("lastName", "LastName", blanks=Blanks.PROPAGATE))
    with world(database_url, guard=NONE, fields=rows) as here:
        crowd(here, 1)
        subscriber_id = here.in_emailoctopus(ADDRESSES[0])["id"]
        here.edit_subscriber(subscriber_id, LastName=None)
        here.emailoctopus.remove_tags(subscriber_id, ["news"])
        here.reconcile()
        ghl = here.in_ghl(ADDRESSES[0])
        assert (ghl["lastName"], sorted(ghl["tags"])) == ("Lovelace", ["news", "vip"])
        assert {entry.action for entry in waiting(here)} == {MassChange.BLANK, MassChange.TAG_REMOVAL}
        here.later(minutes=11)
        order(here, approve=True)
        assert here.reconcile().held == 0
        ghl = here.in_ghl(ADDRESSES[0])
        assert (ghl.get("lastName"), sorted(ghl["tags"])) == (None, ["vip"])
        assert_quiet_after_a_full_scan(here)


def test_a_persons_revocation_is_never_held(database_url: str) -> None:
    with world(database_url, guard=NONE) as here:
        ids = crowd(here)
        for number, ghl_id in enumerate(ids):
            here.clock.advance(1)
            if number % 2:
                here.ghl.set_dnd(ghl_id)
            else:
                here.emailoctopus.unsubscribe(here.in_emailoctopus(ADDRESSES[number])["id"])
        assert here.reconcile().held == 0
        for address in ADDRESSES:
            assert (here.blocked(address), here.status(address)) == (True, "unsubscribed")


def test_the_revocation_of_somebody_with_a_held_change_goes_out(database_url: str) -> None:
    with world(database_url, guard=NONE) as here:
        [ghl_id] = crowd(here, 1)
        untag(here, [ghl_id])
        here.reconcile()
        here.ghl.set_dnd(ghl_id)
        here.clock.advance(1)
        assert here.reconcile().held == 1
        assert here.status(ADDRESSES[0]) == "unsubscribed"


def test_a_revocation_does_not_wait_for_a_record_that_has_a_held_change_and_cannot_be_read(database_url: str) -> None:
    with world(database_url, guard=NONE) as here:
        [ghl_id] = crowd(here, 1)
        untag(here, [ghl_id])
        here.reconcile()
        here.later(minutes=11)
        here.sandbox.ghl.weather.faults = [Fault(kind="error", method="GET", path=f"/contacts/{ghl_id}", status=422)]
        here.emailoctopus.unsubscribe(here.in_emailoctopus(ADDRESSES[0])["id"])
        here.clock.advance(1)
        here.forget_requests()
        here.reconcile()
        assert here.blocked(ADDRESSES[0])
        assert next(method for method, path in here.requests(GHL) if path == f"/contacts/{ghl_id}") == "PUT"


# heals


def test_what_heals_itself_leaves_the_queue(database_url: str) -> None:
    with world(database_url, guard=NONE) as here:
        ids = crowd(here)
        untag(here, ids[:2])
        clear(here, ids[2:])
        assert here.reconcile().held == 5
        here.clock.advance(1)
        here.ghl.add_tags(ids[0], ["news"])  # the tag is back
        here.emailoctopus.remove_tags(here.in_emailoctopus(ADDRESSES[1])["id"], ["news"])  # somebody did it by hand
        here.edit_person(ids[2], lastName="Lovelace")  # back as it was
        here.edit_person(ids[3], lastName="King")  # filled with something new
        report = here.reconcile()
        assert (report.held, [entry.ghl_id for entry in waiting(here)]) == (1, ids[4:])
        assert here.in_emailoctopus(ADDRESSES[3])["fields"]["LastName"] == "King"
        assert here.full().held == 1
        here.assert_quiet()


# approve, discard


@EACH_KIND
def test_what_is_approved_is_made_though_it_is_over_the_limit(
    database_url: str, kind: MassChange, ask: Ask, left: Left
) -> None:
    with world(database_url, guard=TWO) as here:
        ids = crowd(here)
        ask(here, ids)
        here.reconcile()
        here.later(minutes=11)
        order(here, approve=True, only=[0, 1, 2])
        here.forget_requests()
        report = here.reconcile()
        read = [path for method, path in here.requests(GHL) if method == "GET"]
        assert {f"/contacts/{ghl_id}" for ghl_id in ids[:3]} <= set(read)  # proven again
        assert (report.outcome, report.held, left(here)) == ("held", 2, 2)
        order(here, approve=True)
        report = here.reconcile()
        assert (report.outcome, report.held, left(here)) == ("ok", 0, 0)
        assert here.pair_store.mass_changes(here.clock.now().replace(year=2000)).get(kind, 0) == 0
        assert_quiet_after_a_full_scan(here)


def test_what_is_approved_and_holds_true_no_more_is_not_made(database_url: str) -> None:
    with world(database_url, guard=NONE) as here:
        ids = crowd(here, 2)
        untag(here, ids[:1])
        clear(here, ids[1:])
        here.reconcile()
        order(here, approve=True)
        here.ghl.add_tags(ids[0], ["news"])
        here.ghl.edit(ids[1], lastName="Lovelace")
        report = here.reconcile()
        assert (report.outcome, report.held, tagged(here), named(here)) == ("ok", 0, 2, 2)


def test_what_is_approved_and_refused_needs_no_second_approval(database_url: str) -> None:
    with world(database_url, guard=NONE) as here:
        [ghl_id] = crowd(here, 1)
        untag(here, [ghl_id])
        here.reconcile()
        order(here, approve=True)
        here.sandbox.emailoctopus.weather.faults = [Fault(kind="error", method="PUT", status=422, times=1)]
        assert here.reconcile().parked == 1
        here.reconcile()
        here.later(minutes=2)
        report = here.reconcile()
        assert (report.outcome, report.held, report.parked, tagged(here)) == ("ok", 0, 0, 0)


@EACH_KIND
def test_what_is_discarded_stays_as_it_is_until_it_changes_again(
    database_url: str, kind: MassChange, ask: Ask, left: Left
) -> None:
    with world(database_url, guard=NONE) as here:
        [ghl_id] = crowd(here, 1)
        ask(here, [ghl_id])
        here.reconcile()
        here.later(minutes=11)
        order(here, approve=False)
        report = here.reconcile()
        assert (report.outcome, report.held, report.diverged, left(here)) == ("ok", 0, 1, 1)
        assert_quiet_after_a_full_scan(here)
        here.edit_person(ghl_id, firstName="Augusta", lastName="King", tags=["vip", "news"])
        report = here.reconcile()
        row = here.in_emailoctopus(ADDRESSES[0])
        assert (row["fields"]["LastName"], sorted(row["tags"])) == ("King", ["news", "vip"])
        assert (report.held, report.diverged) == (0, 0)
        assert_quiet_after_a_full_scan(here)


def test_orders_are_obeyed_by_whoever_runs_next(database_url: str) -> None:
    with world(database_url, guard=NONE) as here:
        [ghl_id] = crowd(here, 1)
        untag(here, [ghl_id])
        here.reconcile()
        order(here, approve=False)
        order(here, approve=True)  # the last word counts
        here.pair = here.another_process()
        assert here.reconcile().held == 0
        assert tagged(here) == 0


# creations


def test_a_first_load_is_not_limited_and_what_comes_after_is(database_url: str) -> None:
    with world(database_url, guard=TWO) as here:
        crowd(here)
        assert len(here.subscribers()) == 5  # a first load
        new = [here.person(f"new{number}@example.com") for number in range(3)]
        report = here.reconcile()
        assert (report.outcome, report.held, report.new_held, len(here.subscribers())) == ("held", 3, 3, 5)
        assert {(entry.action, entry.ghl_id) for entry in waiting(here)} == {("create_in_emailoctopus", i) for i in new}
        here.later(minutes=11)
        order(here, approve=True, only=[0])
        order(here, approve=False, only=[1])
        report = here.reconcile()
        assert (report.held, len(here.subscribers())) == (1, 6)
        here.later(hours=25)
        assert here.full().held == 1
        here.later(minutes=11)
        here.with_policy(guard=GuardLimits(), resubscribe=Resubscribe.PENDING)  # everybody is decided anew
        assert here.full().held == 1
        assert len(here.subscribers()) == 6
        discarded = next(i for i in new if here.pair_store.contacts(GHL, [i])[i].unlinked is Unlinked.DISCARDED)
        here.edit_person(discarded, firstName="Augusta")
        here.reconcile()
        assert len(here.subscribers()) == 7  # it changed, so it is asked about again


def test_creations_in_ghl_are_limited_too(database_url: str) -> None:
    with world(database_url, guard=TWO) as here:
        crowd(here)
        for number in range(3):
            here.subscriber(f"new{number}@example.com")
        report = here.reconcile()
        assert (report.held, len(here.people())) == (3, 5)
        here.emailoctopus.unsubscribe(here.in_emailoctopus("new0@example.com")["id"])
        here.clock.advance(1)
        assert here.reconcile().held == 2  # it isn't to be created any more
        order(here, approve=True)
        assert (here.reconcile().held, len(here.people())) == (0, 7)
        assert_quiet_after_a_full_scan(here)


def test_what_was_put_off_when_the_process_died_is_judged_by_the_next(database_url: str) -> None:
    with world(database_url, guard=TWO) as here:
        ids = crowd(here)
        untag(here, ids[:3])
        here.edit_person(ids[4], firstName="Augusta")

        def die() -> None:
            raise KilledError

        here.before_writing(die)
        with pytest.raises(KilledError):
            here.reconcile()
        here.pair = here.another_process()
        here.later(minutes=1)
        assert here.reconcile().held == 3
        assert tagged(here) == 5
        assert here.in_emailoctopus(ADDRESSES[4])["fields"]["FirstName"] == "Augusta"


class KilledError(BaseException):
    """The process dies."""


def test_a_first_load_that_was_killed_goes_on_without_a_limit(database_url: str) -> None:
    with world(database_url, guard=TWO) as here:
        for address in ADDRESSES:
            here.person(address)
        for number in range(5):
            here.subscriber(f"s{number}@example.com")

        def die() -> None:
            raise KilledError

        here.before_writing(die)
        with pytest.raises(KilledError):
            here.reconcile()
        here.pair = here.another_process()
        here.later(minutes=1)
        assert here.reconcile().outcome == "ok"
        assert len(here.subscribers()) == len(here.people()) == 10
        for number in range(3):
            here.person(f"new{number}@example.com")
        assert here.reconcile().held == 3


def test_a_held_creation_whose_contact_went_leaves_the_queue_when_it_is_approved(database_url: str) -> None:
    with world(database_url, guard=NONE) as here:
        crowd(here, 1)
        new = here.person("new@example.com")
        assert here.reconcile().held == 1
        here.ghl.delete(new)
        order(here, approve=True)
        with structlog.testing.capture_logs() as logs:
            report = here.reconcile()
        assert (report.held, len(here.subscribers())) == (0, 1)
        [told] = [entry for entry in logs if entry["event"] == "reported"]
        assert (told["ghl_id"], told["what"]) == (new, MassChange.CREATE_IN_EMAILOCTOPUS)
        assert "doesn't exist any more" in told["reason"]
        with reading(here.engine) as connection:
            changes = tables.changes.c
            rows = connection.execute(select(changes.ghl_id, changes.reason).where(changes.kind == "reported")).all()
        assert [tuple(row) for row in rows] == [(new, told["reason"])]


# the scope


@pytest.mark.parametrize("rule", [OnLeaveScope.UNSUBSCRIBE, OnLeaveScope.REMOVE_TAGS])
@pytest.mark.parametrize("approve", [True, False])
def test_what_follows_from_leaving_the_scope_is_held(database_url: str, rule: OnLeaveScope, approve: bool) -> None:
    with world(database_url, guard=TWO, scope=VIP, on_leave_scope=rule) as here:
        ids = crowd(here)
        for ghl_id in ids:
            here.clock.advance(1)
            here.ghl.remove_tags(ghl_id, ["vip"])
        assert here.reconcile().held == 5
        assert {entry.action for entry in waiting(here)} == {MassChange.LEAVE_SCOPE}
        here.clock.advance(1)
        here.ghl.add_tags(ids[0], ["vip"])  # comes back
        here.reconcile()
        assert len(waiting(here)) == 4
        assert_nothing_done(here)
        order(here, approve=approve)
        assert here.reconcile().held == 0
        if not approve:
            assert_nothing_done(here)
        elif rule is OnLeaveScope.UNSUBSCRIBE:
            assert [here.status(address) for address in ADDRESSES] == ["subscribed"] + ["unsubscribed"] * 4
            assert not any(here.blocked(address) for address in ADDRESSES)
        else:
            assert [len(here.in_emailoctopus(address)["tags"]) for address in ADDRESSES] == [2, 0, 0, 0, 0]
        assert_quiet_after_a_full_scan(here)
        if approve and rule is OnLeaveScope.UNSUBSCRIBE:
            here.ghl.add_tags(ids[1], ["vip"])
            assert here.settle().consent_held == 1  # what policy did isn't taken back
            assert not here.blocked(ADDRESSES[1])


def assert_nothing_done(here: World) -> None:
    assert {row["status"] for row in here.subscribers().values()} == {"subscribed"}
    assert {tuple(sorted(row["tags"])) for row in here.subscribers().values()} == {("news", "vip")}


def test_leaving_by_the_configuration_is_keep_until_it_is_applied(database_url: str) -> None:
    with world(database_url, on_leave_scope=OnLeaveScope.UNSUBSCRIBE) as here:
        ids = crowd(here, 2)
        here.later(minutes=11)
        here.with_policy(scope=ScopeRule(tags_any=("gold",)))
        assert not here.full().written
        here.reconcile()
        here.later(minutes=11)
        here.with_policy(on_leave_scope=OnLeaveScope.KEEP)
        assert not here.reconcile(apply_scope=True).written
        here.with_policy(on_leave_scope=OnLeaveScope.UNSUBSCRIBE)
        plan = here.plan(Mode.FULL, apply_scope=True)
        assert {(op.action, op.ghl_id) for op in plan.operations} == {(Action.SET_STATUS, ghl_id) for ghl_id in ids}
        assert here.plan(Mode.FULL).operations == ()
        report = here.reconcile(apply_scope=True)
        assert (report.mode, report.written) == (Mode.FULL, {(EMAILOCTOPUS, "unsubscribed"): 2})
        assert not here.reconcile(apply_scope=True).written
        assert_quiet_after_a_full_scan(here)
        assert not any(here.blocked(address) for address in ADDRESSES[:2])


def test_a_scope_narrowed_and_applied_at_once_is_guarded(database_url: str) -> None:
    with world(database_url, guard=TWO, on_leave_scope=OnLeaveScope.UNSUBSCRIBE) as here:
        crowd(here)
        here.later(minutes=11)
        here.with_policy(scope=ScopeRule(tags_any=("gold",)))
        report = here.reconcile(apply_scope=True)
        assert (report.outcome, report.held) == ("held", 5)
        assert_nothing_done(here)
        assert here.full().held == 5
        here.later(minutes=11)
        order(here, approve=True)
        assert here.reconcile().written == {(EMAILOCTOPUS, "unsubscribed"): 5}
        assert_quiet_after_a_full_scan(here)


def test_applying_the_scope_leaves_alone_who_left_by_a_change_under_keep(database_url: str) -> None:
    with world(database_url, scope=VIP) as here:
        [ghl_id] = crowd(here, 1)
        here.ghl.remove_tags(ghl_id, ["vip"])
        here.clock.advance(1)
        here.reconcile()
        here.with_policy(on_leave_scope=OnLeaveScope.UNSUBSCRIBE)
        here.later(minutes=11)
        assert not here.reconcile(apply_scope=True).written


# orphans


def tombstones(here: World) -> list[tuple[str, str]]:
    """Who was left behind, and what was done about it."""
    with reading(here.store._engine) as connection:
        rows = connection.execute(select(tables.tombstones.c.emailoctopus_id, tables.tombstones.c.done)).all()
    return sorted((contact_id, done) for contact_id, done in rows)


def orphans(here: World) -> list[str]:
    """Every link moves to another EmailOctopus contact; the ids of those left behind."""
    left = [str(here.in_emailoctopus(address)["id"]) for address in ADDRESSES[:3]]
    ids = [str(here.in_ghl(address)["id"]) for address in ADDRESSES[:3]]
    for number, ghl_id in enumerate(ids):
        here.subscriber(f"other{number}@example.com")
        here.edit_person(ghl_id, email=f"other{number}@example.com")
    return left


@pytest.mark.parametrize("approve", [True, False])
def test_an_orphan_that_is_held_does_not_stop_its_link_from_moving(database_url: str, approve: bool) -> None:
    with world(database_url, guard=TWO) as here:
        crowd(here, 3)
        left = orphans(here)
        report = here.reconcile()
        assert (report.outcome, report.held) == ("held", 3)
        assert {(entry.action, entry.ghl_id, entry.emailoctopus_id) for entry in waiting(here)} == {
            ("deletion", None, contact_id) for contact_id in left
        }
        assert {link.emailoctopus_id for link in here.pair_store.links(ghl=list(here.people()))}.isdisjoint(left)
        assert {here.status(address) for address in ADDRESSES[:3]} == {"subscribed"}
        assert here.full().held == 3
        here.assert_quiet()
        assert tombstones(here) == []
        order(here, approve=approve)
        report = here.reconcile()
        assert (report.outcome, report.held) == ("ok", 0)
        assert {here.status(address) for address in ADDRESSES[:3]} == {"unsubscribed" if approve else "subscribed"}
        assert len(here.people()) == 3
        done = "set_status" if approve else "nothing"
        assert tombstones(here) == sorted((contact_id, done) for contact_id in left)
        assert_quiet_after_a_full_scan(here)


def test_a_held_orphan_whose_address_comes_back_leaves_the_queue(database_url: str) -> None:
    with world(database_url, guard=NONE) as here:
        crowd(here, 3)
        orphans(here)
        assert here.reconcile().held == 3
        here.person(ADDRESSES[0])
        assert here.reconcile().held == 2
        assert here.status(ADDRESSES[0]) == "subscribed"


# addresses


def held_address(here: World) -> str:
    [ghl_id] = crowd(here, 1)
    here.emailoctopus.set_status(here.in_emailoctopus(ADDRESSES[0])["id"], "subscribed")
    here.clock.advance(1)
    here.reconcile()
    here.edit_person(ghl_id, email="new@example.com")
    assert here.reconcile().held == 1
    return ghl_id


def test_a_held_address_travels_when_it_is_approved(database_url: str) -> None:
    with world(database_url, double_opt_in=True) as here:
        held_address(here)
        order(here, approve=True)
        assert here.reconcile().held == 0
        assert here.has(EMAILOCTOPUS, "new@example.com")
        assert_quiet_after_a_full_scan(here)


def test_a_discarded_address_stays_different_until_one_side_changes_again(database_url: str) -> None:
    with world(database_url, double_opt_in=True) as here:
        ghl_id = held_address(here)
        here.later(minutes=11)
        order(here, approve=False)
        report = here.reconcile()
        assert (report.outcome, report.held) == ("ok", 0)
        assert_quiet_after_a_full_scan(here)
        assert (here.has(GHL, "new@example.com"), here.has(EMAILOCTOPUS, ADDRESSES[0])) == (True, True)
        here.edit_person(ghl_id, email="newer@example.com")
        assert here.reconcile().held == 1


# a plan


def test_a_plan_says_what_would_be_held(database_url: str) -> None:
    with world(database_url, guard=TWO) as here:
        ids = crowd(here)
        untag(here, ids)
        here.edit_person(ids[0], firstName="Augusta", lastName=None)
        here.later(minutes=11)
        plan = here.plan()
        assert [(op.action, set(op.fields)) for op in plan.operations] == [(Action.UPDATE, {"FirstName", "LastName"})]
        assert {(op.action, op.ghl_id) for op in plan.held} == {(Action.REMOVE_TAGS, ghl_id) for ghl_id in ids}
        assert plan.held[0].reason.startswith("would be held, contacts with removed tags: 5 in one cycle, more than 2")
        here.with_policy(guard=NONE)
        plan = here.plan()
        assert [set(op.fields) for op in plan.operations] == [{"FirstName"}]
        here.reconcile()
        here.later(minutes=11)
        order(here, approve=True, only=[1])
        approved, other = waiting(here)[1].ghl_id, waiting(here)[2].ghl_id
        here.edit_person(str(other), firstName="Ida")
        plan = here.plan()
        assert {(op.ghl_id, op.reason.split(",")[0]) for op in plan.held} == {
            (other, "held until somebody approves it")
        }
        assert {(op.action, op.ghl_id) for op in plan.operations} >= {(Action.UPDATE, other)}
        assert approved in {op.ghl_id for op in plan.operations}


def test_an_approved_change_of_who_is_deleted_meanwhile_is_not_looked_at_for_ever(database_url: str) -> None:
    nothing = GuardLimits(max_destructive_percent=0, max_destructive_count=0)
    with world(database_url, double_opt_in=True, guard=nothing) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        here.emailoctopus.confirm(subscriber_id)
        here.reconcile()
        here.edit_person(ghl_id, email="ada@example.org")
        here.reconcile()
        assert [one.action for one in waiting(here)] == ["change_address"]
        order(here, approve=True)
        here.later(days=1)
        here.ghl.delete(ghl_id)
        here.full()
        assert [one.action for one in waiting(here)] == [MassChange.DELETION]
        here.later(minutes=15)
        here.forget_requests()
        here.reconcile()
        assert all(ghl_id not in path for _, path in here.requests(GHL))
