"""The undo of a run: what it wrote is taken back, where it is still what it wrote (interface.md, `undo RUN`)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from sync_daemon.cycle import Task, UndoPlan, plan_undo, undo
from sync_daemon.model.policy import Blanks, Direction, FieldRule, GuardLimits
from sync_daemon.model.report import CycleOutcome, CycleReport, Mode
from sync_daemon.model.state import Change
from sync_daemon.model.undo import Left
from sync_daemon.ports import Commit
from sync_daemon.reconcile.undo.inverse import Wish
from sync_daemon.reconcile.undo.words import (
    CHANGED,
    CONSENT,
    CREATED,
    GONE,
    IS_BACK,
    NO_LINK,
    NOT_MAPPED,
    OUT_OF_SCOPE,
    TO_COME,
    TOUCHED,
    WAITS,
)
from tests.worlds import EMAILOCTOPUS, GHL, NAMES, NoProgress, World, tombstones, world

ADA = "ada@example.com"


@pytest.fixture
def here(database_url: str) -> Iterator[World]:
    with world(database_url, keeps_undo=True) as made:
        yield made


def last_run(here: World) -> str:
    return here.reports[-1].run_id


def take_back(here: World, run_id: str = "", **wish: Any) -> tuple[CycleReport, list[Left]]:
    """Undo a run, the last one unless told otherwise."""
    report, left = undo(here.pair, Task(here.pair_store, run_id or last_run(here), Wish(**wish)))
    here.reports.append(report)
    return report, left


def foreseen(here: World, run_id: str = "", **wish: Any) -> UndoPlan:
    """What the undo would do."""
    return plan_undo(here.pair, Task(here.pair_store, run_id or last_run(here), Wish(**wish)))


def why(left: list[Left] | tuple[Left, ...]) -> dict[str, str]:
    return {one.what: one.why for one in left}


def renamed(here: World, **fields: Any) -> tuple[str, str]:
    """Somebody whose first name changed in GHL, and was written to EmailOctopus by the last run; both ids."""
    ghl_id, emailoctopus_id = here.linked(first="Ada", **fields)
    here.later(minutes=11)
    here.edit_person(ghl_id, firstName="Augusta")
    here.reconcile()
    assert first_in_emailoctopus(here) == "Augusta"
    return ghl_id, emailoctopus_id


def first_in_emailoctopus(here: World, email: str = ADA) -> Any:
    return here.in_emailoctopus(email)["fields"].get("FirstName")


def first_in_ghl(here: World, email: str = ADA) -> Any:
    return here.in_ghl(email).get("firstName")


# Fields


def test_a_field_is_put_back_where_it_was_written_and_nowhere_else(here: World) -> None:
    renamed(here)
    report, left = take_back(here)
    assert (report.mode, report.outcome, left) == (Mode.UNDO, CycleOutcome.OK, [])
    assert (first_in_emailoctopus(here), first_in_ghl(here)) == ("Ada", "Augusta")


def test_in_ghl_as_well(here: World) -> None:
    _, emailoctopus_id = here.linked(first="Ada")
    here.later(minutes=11)
    here.edit_subscriber(emailoctopus_id, FirstName="Augusta")
    here.reconcile()
    take_back(here)
    assert (first_in_emailoctopus(here), first_in_ghl(here)) == ("Augusta", "Ada")
    here.assert_quiet()


def test_no_cycle_fights_over_it_and_the_two_are_told_to_differ(here: World) -> None:
    renamed(here)
    take_back(here)
    assert here.assert_quiet().diverged == 1
    here.later(minutes=11)
    assert here.full().written == {}
    assert (first_in_emailoctopus(here), first_in_ghl(here)) == ("Ada", "Augusta")


@pytest.mark.parametrize("where", [GHL, EMAILOCTOPUS])
def test_the_next_change_of_either_side_travels_again(here: World, where: object) -> None:
    ghl_id, emailoctopus_id = renamed(here)
    take_back(here)
    here.later(minutes=11)
    if where is GHL:
        here.edit_person(ghl_id, firstName="Adele")
    else:
        here.edit_subscriber(emailoctopus_id, FirstName="Adele")
    assert here.reconcile().diverged == 0
    assert (first_in_emailoctopus(here), first_in_ghl(here)) == ("Adele", "Adele")
    here.assert_quiet()


def test_what_was_filled_is_blank_again(here: World) -> None:
    ghl_id, _ = here.linked(first="Ada", last="")
    here.later(minutes=11)
    here.edit_person(ghl_id, lastName="King")
    here.reconcile()
    take_back(here)
    assert "LastName" not in {name for name, value in here.in_emailoctopus(ADA)["fields"].items() if value}
    here.assert_quiet()


def test_what_has_changed_since_stays_and_is_listed(here: World) -> None:
    ghl_id, _ = renamed(here)
    run_id = last_run(here)
    here.later(minutes=11)
    here.edit_person(ghl_id, firstName="Adele")
    here.reconcile()
    report, left = take_back(here, run_id)
    assert (why(left), report.written) == ({"firstName=FirstName": CHANGED}, {})
    assert first_in_emailoctopus(here) == "Adele"


def test_what_changes_on_the_other_side_meanwhile_is_the_next_cycles(here: World) -> None:
    """No lost update: an edit that nobody has carried yet is neither overwritten nor forgotten."""
    ghl_id, _ = renamed(here)
    here.later(minutes=11)
    here.edit_person(ghl_id, firstName="Adele", lastName="King")
    _, left = take_back(here)
    assert why(left) == {"firstName=FirstName": TO_COME}
    here.later(minutes=1)
    here.reconcile()
    assert (first_in_emailoctopus(here), here.in_emailoctopus(ADA)["fields"]["LastName"]) == ("Adele", "King")


def test_another_field_that_changes_meanwhile_travels_all_the_same(here: World) -> None:
    ghl_id, emailoctopus_id = renamed(here)
    here.later(minutes=11)
    here.edit_person(ghl_id, lastName="King")
    take_back(here)
    here.later(minutes=1)
    here.reconcile()
    assert here.in_emailoctopus(ADA)["fields"]["LastName"] == "King"
    here.edit_subscriber(emailoctopus_id, LastName="Byron")
    here.later(minutes=1)
    here.reconcile()
    assert here.in_ghl(ADA)["lastName"] == "Byron"
    assert first_in_emailoctopus(here) == "Ada"


def test_what_is_back_already_is_not_written(here: World) -> None:
    _, emailoctopus_id = renamed(here)
    run_id = last_run(here)
    here.later(minutes=11)
    here.edit_subscriber(emailoctopus_id, FirstName="Ada")
    here.reconcile()
    report, left = take_back(here, run_id)
    assert (why(left), report.written) == ({"firstName=FirstName": IS_BACK}, {})


def test_a_field_that_the_mapping_lost_is_left_alone(here: World) -> None:
    renamed(here)
    here.with_policy(fields=NAMES[1:])
    report, left = take_back(here)
    assert (why(left), report.written) == ({"firstName=FirstName": NOT_MAPPED}, {})


def test_who_left_the_scope_is_left_alone(here: World) -> None:
    ghl_id, _ = renamed(here, tags=["in"])
    run_id = last_run(here)
    here.with_policy(scope=replace(here.pair.policy.scope, tags_any=("in",)))
    here.later(minutes=11)
    here.full()
    here.edit_person(ghl_id, tags=[])
    here.reconcile()
    report, left = take_back(here, run_id)
    assert (set(why(left).values()), report.written) == ({OUT_OF_SCOPE}, {})


def test_who_is_gone_or_was_unlinked_is_listed(here: World) -> None:
    _, emailoctopus_id = renamed(here)
    run_id = last_run(here)
    here.emailoctopus.delete(emailoctopus_id)
    assert set(why(take_back(here, run_id)[1]).values()) == {GONE}
    (link,) = here.pair_store.links(emailoctopus=[emailoctopus_id])
    here.pair_store.commit(Commit(unlink=[link]))
    assert set(why(take_back(here, run_id)[1]).values()) == {NO_LINK}


def test_what_waits_as_parked_is_left_alone(here: World) -> None:
    ghl_id, _ = renamed(here)
    run_id = last_run(here)
    here.later(minutes=11)
    here.fault(EMAILOCTOPUS, kind="error", method="PUT", status=422, times=9)
    here.edit_person(ghl_id, firstName="Adele")
    assert here.reconcile().parked == 1
    assert why(take_back(here, run_id)[1]) == {"firstName=FirstName": WAITS}


@pytest.mark.parametrize("direction", [Direction.TO_EMAILOCTOPUS, Direction.TO_GHL])
def test_a_field_of_one_direction(database_url: str, direction: Direction) -> None:
    rule = FieldRule("firstName", "FirstName", direction=direction, blanks=Blanks.PROPAGATE)
    with world(database_url, keeps_undo=True, fields=(rule,)) as here:
        ghl_id, emailoctopus_id = here.linked(first="Ada")
        here.later(minutes=11)
        here.edit_subscriber(emailoctopus_id, FirstName="Ada")
        here.reconcile(Mode.FULL)
        here.later(minutes=11)
        if direction is Direction.TO_EMAILOCTOPUS:
            here.edit_person(ghl_id, firstName="Augusta")
        else:
            here.edit_subscriber(emailoctopus_id, FirstName="Augusta")
        here.reconcile()
        take_back(here)
        written = first_in_emailoctopus(here) if direction is Direction.TO_EMAILOCTOPUS else first_in_ghl(here)
        assert written == "Ada"
        here.assert_quiet()


# The undo of an undo


def test_an_undo_can_be_undone(here: World) -> None:
    renamed(here)
    take_back(here)
    report, left = take_back(here)
    assert (left, report.diverged) == ([], 0)
    assert (first_in_emailoctopus(here), first_in_ghl(here)) == ("Augusta", "Augusta")
    here.assert_quiet()


def test_an_undo_that_is_repeated_does_nothing(here: World) -> None:
    renamed(here)
    run_id = last_run(here)
    take_back(here)
    report, left = take_back(here, run_id)
    assert (why(left), report.written) == ({"firstName=FirstName": IS_BACK}, {})


# Tags


def test_tags_that_were_added_go_and_those_removed_come_back(here: World) -> None:
    ghl_id, _ = here.linked(tags=["old", "both"])
    here.later(minutes=11)
    here.edit_person(ghl_id, tags=["new", "both"])
    here.reconcile()
    take_back(here)
    assert sorted(here.in_emailoctopus(ADA)["tags"]) == ["both", "old"]
    assert sorted(here.in_ghl(ADA)["tags"]) == ["both", "new"]
    assert here.assert_quiet().diverged == 1
    here.later(minutes=11)
    assert here.full().written == {}


def test_a_tag_that_somebody_took_away_since_is_listed(here: World) -> None:
    ghl_id, emailoctopus_id = here.linked()
    here.later(minutes=11)
    here.edit_person(ghl_id, tags=["new"])
    here.reconcile()
    run_id = last_run(here)
    here.later(minutes=11)
    here.clock.advance(1)
    here.emailoctopus.remove_tags(emailoctopus_id, ["new"])
    report, left = take_back(here, run_id)
    assert (why(left), report.written) == ({"tag new": IS_BACK}, {})
    here.later(minutes=1)
    here.reconcile()
    assert here.in_ghl(ADA)["tags"] == [], "what the person did travels"


def test_other_tags_that_change_meanwhile_travel(here: World) -> None:
    ghl_id, _ = here.linked()
    here.later(minutes=11)
    here.edit_person(ghl_id, tags=["new"])
    here.reconcile()
    here.later(minutes=11)
    here.edit_person(ghl_id, tags=["new", "newer"])
    take_back(here)
    here.later(minutes=1)
    here.reconcile()
    assert here.in_emailoctopus(ADA)["tags"] == ["newer"]


def test_a_tag_that_changes_meanwhile_is_the_next_cycles(here: World) -> None:
    ghl_id, _ = here.linked()
    here.later(minutes=11)
    here.edit_person(ghl_id, tags=["new"])
    here.reconcile()
    here.later(minutes=11)
    here.edit_person(ghl_id, tags=[])
    report, left = take_back(here)
    assert (why(left), report.written) == ({"tag new": TO_COME}, {})
    here.later(minutes=1)
    here.reconcile()
    assert here.in_emailoctopus(ADA)["tags"] == []


# Consent


def test_nobody_is_subscribed_by_it(here: World) -> None:
    ghl_id, _ = here.linked()
    here.later(minutes=11)
    here.edit_person(ghl_id, dndSettings={"Email": {"status": "active"}})
    here.reconcile()
    assert here.status(ADA) == "unsubscribed"
    report, left = take_back(here)
    assert (why(left), report.written) == ({"consent": CONSENT}, {})
    assert here.status(ADA) == "unsubscribed"
    assert here.blocked(ADA)


def test_no_block_is_lifted_by_it(here: World) -> None:
    _, emailoctopus_id = here.linked()
    here.later(minutes=11)
    here.clock.advance(1)
    here.emailoctopus.unsubscribe(emailoctopus_id)
    here.reconcile()
    assert here.blocked(ADA)
    _, left = take_back(here)
    assert why(left) == {"e-mail DND": CONSENT}
    assert here.blocked(ADA)


def test_who_unsubscribed_meanwhile_stays_so(here: World) -> None:
    _, emailoctopus_id = renamed(here)
    here.emailoctopus.unsubscribe(emailoctopus_id)
    take_back(here)
    assert (first_in_emailoctopus(here), here.status(ADA)) == ("Ada", "unsubscribed")
    here.later(minutes=1)
    here.reconcile()
    assert here.blocked(ADA), "the revocation that the undo read and left alone travels"


# What was created


def test_what_was_created_is_listed_and_stays(here: World) -> None:
    here.person(ADA)
    here.reconcile()
    report, left = take_back(here)
    assert (why(left), report.written) == ({"creation": CREATED}, {})
    assert here.has(EMAILOCTOPUS, ADA)


@pytest.mark.parametrize("where", [EMAILOCTOPUS, GHL])
def test_on_demand_it_is_deleted_and_not_made_again(here: World, where: Any) -> None:
    if where is EMAILOCTOPUS:
        here.person(ADA, tags=["vip"])
    else:
        here.subscriber(ADA, tags=["vip"])
    here.reconcile()
    report, left = take_back(here, deletes_created=True)
    assert left == []
    assert report.written[where, "deleted"] == 1
    assert not here.has(where, ADA)
    assert [(one.deleted_in, one.done) for one in tombstones(here)] == [(where, "undo")]
    here.assert_quiet()
    here.later(minutes=11)
    assert here.full().written == {}
    assert not here.has(where, ADA)
    if where is EMAILOCTOPUS:
        assert not here.blocked(ADA), "nobody asked for that"


def test_it_is_made_again_once_the_other_changes(here: World) -> None:
    ghl_id = here.person(ADA)
    here.reconcile()
    take_back(here, deletes_created=True)
    here.later(minutes=11)
    here.edit_person(ghl_id, firstName="Augusta")
    here.reconcile()
    assert first_in_emailoctopus(here) == "Augusta"
    here.assert_quiet()


@pytest.mark.parametrize("change", ["field", "tag", "consent", "source"])
def test_what_somebody_changed_since_is_not_deleted(here: World, change: str) -> None:
    ghl_id = here.person(ADA)
    here.reconcile()
    run_id = last_run(here)
    emailoctopus_id = here.in_emailoctopus(ADA)["id"]
    here.later(minutes=11)
    match change:
        case "field":
            here.edit_subscriber(emailoctopus_id, FirstName="Augusta")
        case "tag":
            here.emailoctopus.add_tags(emailoctopus_id, ["mine"])
        case "consent":
            here.emailoctopus.quirks.unsubscribe_touches = False
            here.emailoctopus.unsubscribe(emailoctopus_id)
        case _:
            here.edit_person(ghl_id, firstName="Augusta")
            here.reconcile()
    report, left = take_back(here, run_id, deletes_created=True)
    assert why(left)["creation"] == TOUCHED
    assert report.written == {}
    assert here.has(EMAILOCTOPUS, ADA)


def test_what_somebody_touched_where_nobody_looks_is_not_deleted(here: World) -> None:
    """Fields that aren't mapped, notes, workflows: its own timestamp tells."""
    here.subscriber(ADA)
    here.reconcile()
    here.later(minutes=11)
    here.edit_person(here.in_ghl(ADA)["id"], phone="+15550100")
    report, left = take_back(here, deletes_created=True)
    assert (why(left), report.written) == ({"creation": TOUCHED}, {})
    assert here.has(GHL, ADA)


# The guard


def many(here: World, number: int, **fields: Any) -> list[str]:
    return [here.person(f"p{each}@example.com", f"P{each}", **fields) for each in range(number)]


def test_too_many_at_once_are_held_until_a_person_approves_and_repeats_it(here: World) -> None:
    here.with_policy(guard=GuardLimits(max_destructive_count=3, max_destructive_percent=1))
    many(here, 5)
    here.reconcile()
    run_id = last_run(here)
    assert len(foreseen(here, run_id, deletes_created=True).held) == 5

    report, _ = take_back(here, run_id, deletes_created=True)

    assert (report.outcome, report.held, report.new_held, report.written) == (CycleOutcome.HELD, 5, 5, {})
    held = here.pair_store.held(everything=True)
    assert {one.action for one in held} == {"undo"}
    assert f"repeat the undo of {run_id}" in held[0].reason
    here.assert_quiet()
    here.pair_store.order_held([one.id for one in held if one.id is not None], approve=True)
    here.assert_quiet()
    report, _ = take_back(here, run_id, deletes_created=True)
    assert report.written[EMAILOCTOPUS, "deleted"] == 5
    assert here.pair_store.held(everything=True) == []


def test_what_is_held_of_an_undo_can_be_discarded(here: World) -> None:
    here.with_policy(guard=GuardLimits(max_destructive_count=1, max_destructive_percent=1))
    many(here, 3)
    here.reconcile()
    take_back(here, deletes_created=True)
    held = here.pair_store.held(everything=True)
    here.pair_store.order_held([one.id for one in held if one.id is not None], approve=False)
    here.assert_quiet()
    assert here.pair_store.held(everything=True) == []
    assert here.has(EMAILOCTOPUS, "p1@example.com")


def test_what_takes_nothing_away_is_not_held(here: World) -> None:
    here.with_policy(guard=GuardLimits(max_destructive_count=1, max_destructive_percent=1))
    ids = many(here, 4)
    here.reconcile()
    here.later(minutes=11)
    for ghl_id in ids:
        here.edit_person(ghl_id, firstName="Same")
    here.reconcile()
    report, left = take_back(here)
    assert (report.outcome, left) == (CycleOutcome.OK, [])
    assert first_in_emailoctopus(here, "p2@example.com") == "P2"


def test_a_day_counts_all_undos_together(here: World) -> None:
    here.with_policy(guard=GuardLimits(max_destructive_count=3, max_destructive_percent=1))
    many(here, 3)
    here.reconcile()
    assert take_back(here, deletes_created=True)[0].held == 0
    here.person("q1@example.com")
    here.reconcile()
    assert take_back(here, deletes_created=True)[0].held == 1


# The plan


def test_the_plan_writes_nothing_and_says_what_would_be_done(here: World) -> None:
    ghl_id, emailoctopus_id = renamed(here)
    here.forget_requests()
    plan = foreseen(here)
    assert here.writes(GHL) + here.writes(EMAILOCTOPUS) == []
    (operation,) = plan.operations
    assert (operation.system, operation.fields) == (EMAILOCTOPUS, {"FirstName": "Ada"})
    assert (operation.ghl_id, operation.emailoctopus_id) == (ghl_id, emailoctopus_id)
    assert (plan.requests[EMAILOCTOPUS], plan.requests[GHL], plan.left) == (1, 0, ())


def test_it_is_in_the_audit_log(here: World) -> None:
    renamed(here)
    run_id = last_run(here)
    report, _ = take_back(here)
    assert here.pair_store.count_replaced([report.run_id]) == {report.run_id: 1}
    assert here.pair_store.last_runs(1)[0]["mode"] == "undo"
    assert run_id != report.run_id


def test_what_rules_and_activity_did_is_listed(here: World) -> None:
    renamed(here)
    lines = [
        Change("written", GHL, "g1", "e1", "add_tag clicked", "a rule, for what happened at 2026-11-01 12:00 UTC"),
        Change("written", EMAILOCTOPUS, "g1", "e1", "GhlOpenTasks", "activity in GoHighLevel"),
        Change("written", EMAILOCTOPUS, "g1", "e1", "automation", "start the automation a1"),
    ]
    here.pair_store.commit(Commit(changes=lines), last_run(here))
    plan = foreseen(here)
    assert [one.what for one in plan.left] == ["add_tag clicked", "GhlOpenTasks", "automation"]
    assert len(plan.operations) == 1


# Faults


def test_an_undo_that_is_cut_off_is_brought_to_its_end_by_repeating_it(here: World) -> None:
    """The write got there, and the process died before it wrote that down."""
    renamed(here)
    run_id = last_run(here)
    _cut_off_after_the_write(here, run_id)
    assert first_in_emailoctopus(here) == "Ada"
    _, left = take_back(here, run_id)
    assert left == []
    assert (first_in_emailoctopus(here), first_in_ghl(here)) == ("Ada", "Augusta")
    assert here.assert_quiet().diverged == 1


def test_repeating_it_after_a_cycle_comes_to_the_same(here: World) -> None:
    renamed(here)
    run_id = last_run(here)
    _cut_off_after_the_write(here, run_id)
    here.later(minutes=11)
    here.reconcile()
    take_back(here, run_id)
    assert (first_in_emailoctopus(here), first_in_ghl(here)) == ("Ada", "Augusta")
    assert here.assert_quiet().diverged == 1


def test_tags_that_were_put_back_by_one_that_was_cut_off(here: World) -> None:
    ghl_id, _ = here.linked(tags=["old"])
    here.later(minutes=11)
    here.edit_person(ghl_id, tags=["new"])
    here.reconcile()
    run_id = last_run(here)
    _cut_off_after_the_write(here, run_id)
    take_back(here, run_id)
    assert here.in_emailoctopus(ADA)["tags"] == ["old"]
    here.assert_quiet()


@pytest.mark.parametrize("full", [False, True])
def test_a_deletion_that_was_cut_off_does_nothing_to_the_other(here: World, *, full: bool) -> None:
    """What this program deleted isn't taken for what somebody deleted: no block, no unsubscribe."""
    [here.person(f"n{each}@example.com") for each in range(4)]
    here.reconcile()
    here.later(minutes=11)
    here.person(ADA)
    here.reconcile()
    run_id = last_run(here)
    _cut_off_after_the_write(here, run_id, deletes_created=True)
    assert not here.has(EMAILOCTOPUS, ADA)
    here.later(minutes=11)
    if full:
        here.full()
        here.later(minutes=11)
        here.full()
    take_back(here, run_id, deletes_created=True)
    here.later(minutes=11)
    here.full()
    assert not here.blocked(ADA)
    assert not here.has(EMAILOCTOPUS, ADA)
    here.assert_quiet()


def _cut_off_after_the_write(here: World, run_id: str, **wish: Any) -> None:
    """An undo whose process dies when the first answer is in and nothing of it is stored."""

    class DiedError(BaseException):
        pass

    class Dies(type(here.pair.progress)):  # type: ignore[misc]  # whatever progress the world has
        def writes_done(self, system: object, writes: int) -> None:
            raise DiedError

    whole = here.pair
    here.pair = replace(whole, progress=Dies())
    with pytest.raises(DiedError):
        take_back(here, run_id, **wish)
    here.pair = whole


def test_a_refusal_is_listed_and_everything_else_goes_on(here: World) -> None:
    ids = [here.linked(f"p{each}@example.com", first=f"P{each}") for each in range(2)]
    here.later(minutes=11)
    for ghl_id, _ in ids:
        here.edit_person(ghl_id, firstName="Same")
    here.reconcile()
    here.fault(EMAILOCTOPUS, kind="error", method="PUT", path="batch", status=422)
    here.fault(EMAILOCTOPUS, kind="error", method="PUT", path=ids[0][1], status=422)

    report, left = take_back(here)

    (refused,) = left
    assert (refused.emailoctopus_id, refused.what) == (ids[0][1], "firstName=FirstName")
    assert refused.why.startswith("refused: ")
    assert report.written[EMAILOCTOPUS, "updated"] == 1
    assert first_in_emailoctopus(here, "p1@example.com") == "P1"
    assert here.assert_quiet().diverged == 1, "only the one that differs"


def test_another_process_holds_the_pair(here: World) -> None:
    renamed(here)
    assert here.pair_store.acquire("another", 30)
    report, _ = take_back(here)
    assert report.outcome is CycleOutcome.BUSY
    assert first_in_emailoctopus(here) == "Augusta"


class Unsubscribes(NoProgress):
    """Lets somebody opt out while the first write of an undo is under way, and the next poll be due."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act: Callable[[], object] | None = act

    def sent(self, system: object, requests: int) -> None:
        del system, requests
        if self._act is not None:
            act, self._act = self._act, None
            act()


def test_who_opts_out_while_it_lasts_is_heeded_first(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An undo of many contacts holds the pair for as long as it takes: revocations don't wait for its end."""
    monkeypatch.setattr("sync_daemon.cycle.undoing._AT_ONCE", 1)
    ids = [here.linked(f"p{each}@example.com", first=f"P{each}") for each in range(3)]
    here.later(minutes=11)
    for ghl_id, _ in ids:
        here.edit_person(ghl_id, firstName="Same")
    here.reconcile()
    here.forget_requests()

    def opt_out() -> None:
        here.later(minutes=2)
        here.emailoctopus.unsubscribe(ids[0][1])

    here.pair = replace(here.pair, progress=Unsubscribes(opt_out))
    report, left = take_back(here)
    assert (report.written[GHL, "dnd_set"], left) == (1, [])
    assert here.blocked("p0@example.com")
    assert [first_in_emailoctopus(here, f"p{each}@example.com") for each in range(3)] == ["P0", "P1", "P2"]


def test_nobody_is_read_for_what_the_journal_alone_can_tell(here: World) -> None:
    many(here, 3)
    here.reconcile()
    here.forget_requests()
    _, left = take_back(here)
    assert len(left) == 3
    assert not [path for _, path in here.requests(EMAILOCTOPUS) if "/contacts/" in path]
