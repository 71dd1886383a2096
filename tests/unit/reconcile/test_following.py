"""A decision held against a plan: what the plan holds exactly so, and in what others differ."""

from dataclasses import replace
from typing import Any

import pytest

from sync_daemon.model.plan import Action, MassChange, Operation
from sync_daemon.model.planned import Area, Planned
from sync_daemon.model.policy import FieldRule
from sync_daemon.model.state import Cause, Held, Tombstone
from sync_daemon.reconcile.consents import set_dnd, unsubscribe
from sync_daemon.reconcile.decision import Decision
from sync_daemon.reconcile.following import PlanBook, in_what, persons_part, refusals, unapproved, unplanned
from sync_daemon.reconcile.planned import may_be_mailed, planned
from tests.unit.changes.values import DIGESTER, EMAILOCTOPUS, GHL, GRANTED, PENDING, REVOKED, at
from tests.unit.reconcile.cases import LINK, context, ghl, linked, there

CONTEXT = context(fields=(FieldRule("firstName", "FirstName"), FieldRule("lastName", "LastName")))
CASE = linked(ghl(GRANTED, GRANTED), there(GRANTED, GRANTED))
UPDATE = Operation(EMAILOCTOPUS, Action.UPDATE, "g1", "e1", "why", fields={"FirstName": "Eva"}, parts=("a",))
TAGS = Operation(EMAILOCTOPUS, Action.ADD_TAGS, "g1", "e1", "why", tags=("vip",), parts=("tags",))
CLEAR = replace(UPDATE, fields={"FirstName": None})
REVOKE = unsubscribe("g1", "e1", "why")


def as_planned(*operations: Operation, **more: Any) -> PlanBook:
    """A plan of a decision with these operations."""
    decision = Decision(CASE, operations)
    return PlanBook(tuple(planned(one, decision, CONTEXT, **more) for one in operations))


def left_over(book: PlanBook, *operations: Operation, **decided: Any) -> list[str]:
    found = unplanned(Decision(decided.pop("case", CASE), operations, **decided), CONTEXT, book, first_load=False)
    return [one.action for one in found]


def test_the_same_is_planned_and_a_part_of_it_too() -> None:
    book = as_planned(UPDATE, TAGS)
    assert left_over(book, UPDATE, TAGS) == []
    assert left_over(book, replace(UPDATE, reason="another", resend=True)) == []
    assert left_over(book) == []


@pytest.mark.parametrize(
    "now",
    [
        replace(UPDATE, fields={"FirstName": "Ada"}),
        replace(UPDATE, fields={"LastName": "Eva"}),
        replace(UPDATE, fields={"FirstName": "Eva", "LastName": "Eva"}),
        replace(UPDATE, address="eva@example.com"),
        replace(UPDATE, emailoctopus_id="e2"),
        replace(UPDATE, system=GHL, fields={"firstName": "Eva"}),
        CLEAR,
        replace(TAGS, tags=("vip", "blog")),
        replace(TAGS, tags=("blog",)),
        replace(TAGS, action=Action.REMOVE_TAGS),
        replace(REVOKE, policy=MassChange.LEAVE_SCOPE),
    ],
)
def test_whatever_differs_is_not_planned(now: Operation) -> None:
    assert left_over(as_planned(UPDATE, TAGS), now) == [now.action]


def test_a_persons_revocation_needs_no_plan_and_lets_the_rest_be_done() -> None:
    assert left_over(as_planned(UPDATE), UPDATE, REVOKE) == []
    assert left_over(as_planned(), set_dnd("g1", "e1", "why")) == []


def test_what_is_there_before_counts() -> None:
    book = as_planned(UPDATE)
    moved = linked(ghl(GRANTED, GRANTED), changed(FirstName="Addie"))
    assert left_over(book, UPDATE, case=moved) == ["update"]
    elsewhere = linked(ghl(GRANTED, GRANTED), changed(LastName="Byron"))
    assert left_over(book, UPDATE, case=elsewhere) == []


def changed(**fields: str) -> Any:
    """The EmailOctopus contact with other fields."""
    side = there(GRANTED, GRANTED)
    assert side.staged is not None
    assert side.snapshot is not None
    snapshot = replace(side.snapshot, fields={**side.snapshot.fields, **fields})
    return replace(side, staged=replace(side.staged, snapshot=snapshot))


@pytest.mark.parametrize("what", ["consent", "fields"])
def test_who_would_be_deleted_must_be_as_he_was(what: str) -> None:
    delete = Operation(EMAILOCTOPUS, Action.DELETE, "g1", "e1", "why", policy=MassChange.DELETION)
    other = there(GRANTED, PENDING) if what == "consent" else changed(LastName="Byron")
    assert left_over(as_planned(delete), delete) == []
    assert left_over(as_planned(delete), delete, case=linked(ghl(GRANTED, GRANTED), other)) == ["delete"]


def test_what_a_person_discarded_since_is_not_new() -> None:
    discarded = replace(CASE, held=(Held("g1", "e1", MassChange.BLANK, "why", at(0), discarded=True),))
    assert left_over(as_planned(), CLEAR, case=discarded) == []


def test_the_reasons_name_in_what_the_world_moved_on() -> None:
    book = as_planned(UPDATE, TAGS)

    def why(*operations: Operation, case: Any = CASE) -> dict[str, str]:
        found = refusals(Decision(case, operations), CONTEXT, book, first_load=False)
        return {one.action: reason for one, reason in found}

    more = replace(UPDATE, fields={"FirstName": "Eva", "LastName": "Eva"})
    assert why(more, TAGS) == {
        "update": "FirstName, LastName would be written by now, not FirstName",
        "add_tags": "more is to be written to the contact by now: update FirstName, LastName in EmailOctopus",
    }
    assert why(replace(UPDATE, fields={"FirstName": "Ada"})) == {"update": "something else would be written by now"}
    moved = linked(ghl(GRANTED, GRANTED), changed(FirstName="Addie"))
    assert why(UPDATE, case=moved) == {"update": "what EmailOctopus has there changed since"}
    nothing = replace(UPDATE, fields={}, address="eva@example.com")
    assert in_what(book.operations[0], planned(nothing, Decision(CASE, (nothing,)), CONTEXT)).startswith("no field")


@pytest.mark.parametrize(("approved", "found"), [(False, ["update"]), (True, [])])
def test_what_was_shown_as_held_must_be_approved(found: list[str], *, approved: bool) -> None:
    book = as_planned(CLEAR, held=True)
    case = replace(CASE, held=(Held("g1", "e1", MassChange.BLANK, "why", at(0), approved=approved),))
    assert [one.action for one in unapproved(Decision(case, (CLEAR,)), CONTEXT, book)] == found
    assert unapproved(Decision(CASE, (CLEAR,)), CONTEXT, as_planned(CLEAR)) == []


def test_the_rest_of_an_update_is_done_though_what_it_clears_is_held() -> None:
    both = replace(UPDATE, fields={"FirstName": "Eva", "LastName": None})
    rest = replace(UPDATE, fields={"FirstName": "Eva"})
    assert unapproved(Decision(CASE, (rest,)), CONTEXT, as_planned(both, held=True)) == []


def test_of_a_deletion_that_is_left_the_persons_revocation_goes_out_and_the_link_stays() -> None:
    mark = replace(TAGS, system=GHL, policy=MassChange.DELETION)
    block = set_dnd("g1", "e1", "why")
    tombstone = Tombstone("g1", "e1", EMAILOCTOPUS, at(0), "suppress", REVOKED, None)
    cause = Cause.PERSON_EMAILOCTOPUS
    whole = Decision(CASE, (block, mark), frozenset({"consent"}), dissolves=LINK, remember=cause, tombstone=tombstone)
    part = persons_part(whole)
    assert part == Decision(
        CASE, (block,), frozenset({"consent"}), link=replace(LINK, cause=cause), remember=cause, partial=True
    )
    assert persons_part(replace(whole, operations=(mark,))) is None


def test_a_plan_holds_no_value() -> None:
    decision = Decision(CASE, (replace(UPDATE, address="eva@example.com"), TAGS))
    told = repr([planned(one, decision, CONTEXT) for one in decision.operations])
    assert [value for value in ("Eva", "eva@", "vip") if value in told] == []
    assert planned(UPDATE, decision, CONTEXT).after != DIGESTER.field(EMAILOCTOPUS, "e1", "FirstName", "Eva")


@pytest.mark.parametrize(
    ("operation", "consent", "mails"),
    [
        (UPDATE, GRANTED, True),
        (TAGS, PENDING, True),
        (TAGS, REVOKED, False),
        (REVOKE, GRANTED, False),
        (replace(TAGS, action=Action.REMOVE_TAGS), GRANTED, False),
        (replace(UPDATE, system=GHL, fields={"firstName": "Eva"}), GRANTED, False),
    ],
)
def test_whom_automations_may_mail(operation: Operation, consent: Any, *, mails: bool) -> None:
    case = linked(ghl(GRANTED, GRANTED), there(consent, consent))
    assert may_be_mailed(operation, Decision(case, (operation,))) is mails


def test_several_deeds_about_one_contact_are_told_apart() -> None:
    one, other = (
        Planned(Area.RULES, GHL, "create_task", "g1", "e1", (), "why", b"", after) for after in (b"first", b"second")
    )
    book = PlanBook((one, other))
    assert (book.deed(b"first"), book.deed(b"second"), book.deed(b"third")) == (one, other, None)
