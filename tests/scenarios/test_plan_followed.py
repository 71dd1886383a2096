"""A plan carried out: exactly its operations, refused record by record where the world has moved on since."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from sync_daemon.model.planned import Followed
from sync_daemon.model.policy import (
    Blanks,
    ConflictRule,
    DeletedInGhl,
    DeleteRule,
    FieldRule,
    GuardLimits,
    OnLeaveScope,
    Resubscribe,
    ScopeRule,
)
from sync_daemon.model.report import CycleOutcome, Mode
from sync_daemon.model.system import SystemName
from sync_daemon.store.engine import reading
from sync_daemon.store.tables import metadata
from tests.worlds import World, neighbours, world

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
FEW = GuardLimits(max_destructive_percent=0, max_destructive_count=1)


def counts(followed: Followed) -> dict[str, int]:
    """What came of a plan, in numbers that aren't zero."""
    told = {
        "done": followed.done,
        "held": followed.held,
        "parked": followed.parked,
        "unsent": followed.unsent,
        "refused": len(followed.refused),
        "left": followed.left,
        "revocations": followed.revocations,
    }
    return {what: count for what, count in told.items() if count}


def reasons(followed: Followed) -> list[str]:
    return [refusal.reason for refusal in followed.refused]


def test_a_plan_of_a_still_world_is_done_whole_and_leaves_nothing(database_url: str) -> None:
    with world(database_url) as w:
        w.person("ada@example.com", "Ada", tags=["customer"])
        w.subscriber("alan@example.com", "Alan", "Turing")
        w.person("grace@example.com", "Grace")
        w.subscriber("grace@example.com", "Gracie", tags=["blog"])
        plan = w.foresee()

        report, followed = w.follow(plan)

        assert counts(followed) == {"done": len(plan.operations)}
        assert report.outcome is CycleOutcome.OK
        assert w.in_emailoctopus("grace@example.com")["fields"]["FirstName"] == "Grace"
        w.assert_quiet()


def test_what_is_new_since_stays_for_the_next_cycle(database_url: str) -> None:
    with world(database_url) as w:
        w.linked()
        w.person("alan@example.com", "Alan")
        w.later(minutes=11)
        plan = w.foresee()
        w.person("grace@example.com", "Grace")

        _, followed = w.follow(plan)

        assert counts(followed) == {"done": 1, "left": 1}
        assert w.has(EMAILOCTOPUS, "alan@example.com")
        assert not w.has(EMAILOCTOPUS, "grace@example.com")
        w.settle()
        assert w.has(EMAILOCTOPUS, "grace@example.com")


def first_name_again(w: World, ghl_id: str, _there: str) -> None:
    w.edit_person(ghl_id, firstName="Countess")


def last_name_too(w: World, ghl_id: str, _there: str) -> None:
    w.edit_person(ghl_id, lastName="King")


def a_tag_too(w: World, ghl_id: str, _there: str) -> None:
    w.clock.advance(1)
    w.ghl.add_tags(ghl_id, ["vip"])


def first_name_there(w: World, _ghl_id: str, there: str) -> None:
    w.edit_subscriber(there, FirstName="Addie")


def first_name_back(w: World, ghl_id: str, _there: str) -> None:
    w.edit_person(ghl_id, firstName="Ada")


@pytest.mark.parametrize(
    ("moves", "reason", "left"),
    [
        (first_name_again, "something else would be written by now", 1),
        (last_name_too, "FirstName, LastName would be written by now, not FirstName", 1),
        (a_tag_too, "more is to be written to the contact by now: add tags in EmailOctopus", 1),
        (first_name_there, "what EmailOctopus has there changed since", 1),
        (first_name_back, "nothing of the kind is to be done any more", 0),
    ],
)
def test_a_record_that_has_moved_on_is_refused_and_the_others_are_done(
    database_url: str, moves: Callable[[World, str, str], None], reason: str, left: int
) -> None:
    with world(database_url) as w:
        ada, there = w.linked()
        alan, _ = w.linked("alan@example.com", "Alan")
        w.edit_person(ada, firstName="Augusta")
        w.edit_person(alan, firstName="Alan Mathison")
        w.later(minutes=11)
        plan = w.foresee()
        moves(w, ada, there)
        before = w.in_emailoctopus("ada@example.com")

        _, followed = w.follow(plan)

        assert counts(followed) == {"done": 1, "refused": 1, **({"left": left} if left else {})}
        assert reasons(followed)[0].startswith(reason)
        assert w.in_emailoctopus("ada@example.com")["fields"] == before["fields"]
        assert w.in_emailoctopus("ada@example.com")["tags"] == before["tags"]
        assert w.in_emailoctopus("alan@example.com")["fields"]["FirstName"] == "Alan Mathison"

        w.settle()
        expected = w.people()[ada]["firstName"]
        assert w.in_emailoctopus("ada@example.com")["fields"]["FirstName"] == expected
        w.assert_quiet()


def test_a_creation_of_who_exists_by_now_is_refused_and_the_two_meet_in_the_next_cycle(database_url: str) -> None:
    with world(database_url) as w:
        w.linked()
        w.person("alan@example.com", "Alan")
        w.later(minutes=11)
        plan = w.foresee()
        w.subscriber("alan@example.com", "Al")

        _, followed = w.follow(plan)

        assert counts(followed) == {"refused": 1, "left": 1}
        assert w.in_emailoctopus("alan@example.com")["fields"]["FirstName"] == "Al"
        w.settle()
        assert w.in_emailoctopus("alan@example.com")["fields"]["FirstName"] == "Alan"


def test_who_turns_up_between_reading_and_writing_is_met_by_the_next_cycle(database_url: str) -> None:
    with world(database_url) as w:
        w.linked()
        w.person("alan@example.com", "Alan")
        w.later(minutes=11)
        plan = w.foresee()
        w.before_writing(lambda: w.subscriber("alan@example.com", "Al"))

        _, followed = w.follow(plan)

        assert counts(followed)["refused"] == 1
        assert w.in_emailoctopus("alan@example.com")["fields"]["FirstName"] == "Al"
        w.settle()
        assert w.in_emailoctopus("alan@example.com")["fields"]["FirstName"] == "Alan"


def test_a_persons_revocation_goes_out_unplanned_though_all_else_of_the_record_waits(database_url: str) -> None:
    with world(database_url) as w:
        ada, there = w.linked()
        w.later(minutes=11)
        plan = w.foresee()
        assert plan.operations == ()
        w.edit_person(ada, firstName="Augusta")
        w.clock.advance(1)
        w.emailoctopus.set_status(there, "unsubscribed")

        _, followed = w.follow(plan)

        assert counts(followed) == {"revocations": 1, "left": 1}
        assert w.blocked("ada@example.com")
        assert w.in_emailoctopus("ada@example.com")["fields"]["FirstName"] == "Ada"
        w.settle()
        assert w.in_emailoctopus("ada@example.com")["fields"]["FirstName"] == "Augusta"


def test_a_persons_revocation_of_who_was_deleted_then_goes_out_unplanned(database_url: str) -> None:
    """GHL's block was lifted by hand; it comes back with the deletion, whose mark the plan doesn't hold."""
    with world(database_url) as w:
        ada, there = w.linked()
        neighbours(w)
        w.emailoctopus.set_status(there, "unsubscribed")
        w.settle()
        w.ghl.set_dnd(ada, "inactive")
        w.settle()
        assert not w.blocks(ada)
        plan = w.foresee(Mode.FULL)
        w.later(minutes=11)
        w.emailoctopus.delete(there)

        _, followed = w.follow(plan)

        assert counts(followed) == {"revocations": 1, "left": 1}
        assert w.blocks(ada)
        assert w.people()[ada]["tags"] == []
        w.later(minutes=11)
        w.full()
        assert w.people()[ada]["tags"] == ["deleted-in-emailoctopus"]


def test_a_resubscription_is_no_revocation_and_needs_the_plan(database_url: str) -> None:
    with world(database_url, resubscribe=Resubscribe.ALLOW) as w:
        ada, there = w.linked()
        w.emailoctopus.set_status(there, "unsubscribed")
        w.settle()
        w.later(minutes=11)
        plan = w.foresee()
        w.clock.advance(1)
        w.emailoctopus.set_status(there, "subscribed")

        _, followed = w.follow(plan)

        assert counts(followed) == {"left": 1}
        assert w.blocks(ada)
        w.settle()
        assert not w.blocks(ada)


def test_a_deletion_that_the_plan_does_not_hold_waits_and_one_that_it_holds_is_done(database_url: str) -> None:
    with world(database_url, deletes=DeleteRule(in_ghl=DeletedInGhl.DELETE)) as w:
        ada, _ = w.linked()
        alan, _ = w.linked("alan@example.com", "Alan")
        neighbours(w, 4)
        w.later(minutes=11)
        w.ghl.delete(ada)
        plan = w.foresee(Mode.FULL)
        w.ghl.delete(alan)

        _, followed = w.follow(plan)

        assert counts(followed) == {"done": 1, "left": 1}
        assert not w.has(EMAILOCTOPUS, "ada@example.com")
        assert w.has(EMAILOCTOPUS, "alan@example.com")
        w.settle()
        assert not w.has(EMAILOCTOPUS, "alan@example.com")


def test_who_was_edited_since_is_not_deleted_by_the_plan(database_url: str) -> None:
    with world(database_url, deletes=DeleteRule(in_ghl=DeletedInGhl.DELETE)) as w:
        ada, there = w.linked()
        neighbours(w, 4)
        w.later(minutes=11)
        w.ghl.delete(ada)
        plan = w.foresee(Mode.FULL)
        w.edit_subscriber(there, LastName="Byron")

        _, followed = w.follow(plan)

        assert counts(followed) == {"refused": 1, "left": 1}
        assert reasons(followed) == ["what EmailOctopus has there changed since"]
        assert w.has(EMAILOCTOPUS, "ada@example.com")


def test_a_moved_address_that_moves_on_is_refused(database_url: str) -> None:
    with world(database_url) as w:
        ada, _ = w.linked()
        alan, _ = w.linked("alan@example.com", "Alan")
        w.edit_person(ada, email="countess@example.com")
        w.edit_person(alan, email="turing@example.com")
        w.later(minutes=11)
        plan = w.foresee()
        w.edit_person(ada, email="lovelace@example.com")

        _, followed = w.follow(plan)

        assert counts(followed) == {"done": 1, "refused": 1, "left": 1}
        assert w.has(EMAILOCTOPUS, "ada@example.com")
        assert w.has(EMAILOCTOPUS, "turing@example.com")
        w.settle()
        assert w.has(EMAILOCTOPUS, "lovelace@example.com")


def cleared(w: World, number: int) -> list[str]:
    """Linked people whose first names were cleared in GHL."""
    ids = [w.linked(f"p{each}@example.com", "Ada")[0] for each in range(number)]
    w.later(minutes=11)
    for ghl_id in ids:
        w.edit_person(ghl_id, firstName="")
    w.later(minutes=11)
    return ids


BLANKS = (FieldRule("firstName", "FirstName", blanks=Blanks.PROPAGATE), FieldRule("lastName", "LastName"))


def test_what_the_plan_shows_as_held_is_held_and_done_once_it_was_approved(database_url: str) -> None:
    with world(database_url, fields=BLANKS, guard=FEW) as w:
        cleared(w, 3)
        plan = w.foresee()
        assert [one.held for one in plan.operations] == [True] * 3

        report, followed = w.follow(plan)
        assert counts(followed) == {"held": 3}
        assert report.outcome is CycleOutcome.HELD

        w.pair_store.order_held([one.id or 0 for one in w.pair_store.held(everything=True)], approve=True)
        _, followed = w.follow(plan)
        assert counts(followed) == {"done": 3}
        assert not any(row["fields"].get("FirstName") for row in w.subscribers().values())


def test_what_the_plan_shows_as_held_is_not_done_because_the_guard_lets_it_pass_by_now(database_url: str) -> None:
    with world(database_url, fields=BLANKS, guard=FEW) as w:
        ids = cleared(w, 2)
        plan = w.foresee()
        w.edit_person(ids[0], firstName="Ada")

        _, followed = w.follow(plan)

        assert counts(followed) == {"refused": 2, "left": 1}
        assert "held and nobody approved it" in " ".join(reasons(followed))
        assert w.in_emailoctopus("p1@example.com")["fields"]["FirstName"] == "Ada"


def test_the_guard_holds_what_the_plan_would_have_done(database_url: str) -> None:
    """Others used the day's room up since."""
    with world(database_url, fields=BLANKS, guard=FEW) as w:
        first, second = (w.linked(f"p{each}@example.com", "Ada")[0] for each in range(2))
        w.later(minutes=11)
        w.edit_person(second, firstName="")
        w.later(minutes=11)
        plan = w.foresee()
        assert [one.held for one in plan.operations] == [False]
        w.edit_person(second, firstName="Ada")
        w.edit_person(first, firstName="")
        w.settle()
        w.edit_person(second, firstName="")
        w.later(minutes=11)

        report, followed = w.follow(plan)

        assert counts(followed) == {"held": 1}
        assert report.outcome is CycleOutcome.HELD


def test_what_the_plan_does_not_hold_takes_no_room_of_the_guard(database_url: str) -> None:
    with world(database_url, fields=BLANKS, guard=FEW) as w:
        ids = [w.linked(f"p{each}@example.com", "Ada")[0] for each in range(3)]
        w.edit_person(ids[0], firstName="")
        w.later(minutes=11)
        plan = w.foresee()
        for ghl_id in ids[1:]:
            w.edit_person(ghl_id, firstName="")
        w.later(minutes=11)

        _, followed = w.follow(plan)

        assert counts(followed) == {"done": 1, "left": 2}
        assert w.pair_store.held(everything=True) == []


def test_a_first_load_is_not_over_while_something_of_it_was_left(database_url: str) -> None:
    with world(database_url, guard=GuardLimits(max_create_percent=0, max_create_count=1)) as w:
        w.person("ada@example.com")
        plan = w.foresee()
        for each in range(3):
            w.person(f"p{each}@example.com")

        w.follow(plan)
        report = w.settle()

        assert len(w.subscribers()) == 4
        assert report.held == 0


def test_apply_scope_is_carried_out_as_planned(database_url: str) -> None:
    with world(database_url, on_leave_scope=OnLeaveScope.UNSUBSCRIBE) as w:
        w.linked(tags=["vip"])
        w.linked("alan@example.com", "Alan")
        w.linked("grace@example.com", "Grace")
        w.with_policy(scope=ScopeRule(tags_any=("vip",)))
        assert w.foresee().operations == ()
        plan = w.foresee(apply_scope=True)
        assert [one.action for one in plan.operations] == ["set_status"] * 2
        w.ghl.add_tags(str(w.in_ghl("grace@example.com")["id"]), ["vip"])
        w.later(minutes=11)

        _, followed = w.follow(plan)

        assert (followed.done, len(followed.refused)) == (1, 1)
        assert (w.status("alan@example.com"), w.status("grace@example.com")) == ("unsubscribed", "subscribed")


def test_a_refused_write_is_parked_and_a_broken_off_cycle_leaves_the_rest_unsent(database_url: str) -> None:
    with world(database_url) as w:
        ada, _ = w.linked()
        w.edit_person(ada, firstName="Augusta")
        w.later(minutes=11)
        plan = w.foresee()
        w.fault(EMAILOCTOPUS, kind="error", method="PUT", status=422)
        _, followed = w.follow(plan)
        assert counts(followed) == {"parked": 1}

        w.settle()
        w.edit_person(ada, firstName="Countess")
        w.later(minutes=11)
        plan = w.foresee()
        w.fault(EMAILOCTOPUS, kind="error", status=503, times=50)
        report, followed = w.follow(plan)
        assert report.outcome is CycleOutcome.UNREACHABLE
        assert counts(followed) == {"unsent": 1}


def test_a_run_that_was_cut_off_is_followed_on(database_url: str) -> None:
    with world(database_url) as w:
        ids = [w.linked(f"p{each}@example.com", "Ada")[0] for each in range(3)]
        for ghl_id in ids:
            w.edit_person(ghl_id, firstName="Augusta")
        w.later(minutes=11)
        plan = w.foresee()
        whole = w.pair
        w.pair = replace(w.pair, plan=plan)
        w.cut_off()
        w.pair = whole
        w.later(minutes=1)

        _, followed = w.follow(plan)

        assert counts(followed) == {"done": 3}
        w.assert_quiet()


def test_planning_leaves_nothing_behind(database_url: str) -> None:
    with world(database_url) as w:
        ada, _ = w.linked()
        w.edit_person(ada, firstName="Augusta")
        w.later(minutes=11)
        before = stored(w)
        first = w.foresee()
        assert stored(w) == before
        assert w.foresee() == first


def stored(w: World) -> Any:
    """Every row of every table."""
    with reading(w.engine) as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table)).all())) for table in metadata.sorted_tables
        }


def test_a_conflict_that_the_plan_decided_is_refused_when_the_loser_changes_again(database_url: str) -> None:
    names = (FieldRule("firstName", "FirstName", conflict=ConflictRule.GHL), FieldRule("lastName", "LastName"))
    with world(database_url, fields=names) as w:
        ada, there = w.linked()
        w.edit_person(ada, firstName="Augusta")
        w.edit_subscriber(there, FirstName="Addie")
        w.later(minutes=11)
        plan = w.foresee()
        w.edit_subscriber(there, FirstName="Adele")

        _, followed = w.follow(plan)

        assert counts(followed) == {"refused": 1, "left": 1}
        assert w.in_emailoctopus("ada@example.com")["fields"]["FirstName"] == "Adele"
