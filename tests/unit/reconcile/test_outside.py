"""Contract, section 3: what leaving the scope does, and that nothing but revocations travels outside of it."""

from dataclasses import replace
from typing import Any

import pytest

from sync_daemon.changes.cases import Case, CaseSide
from sync_daemon.model.contact import Source
from sync_daemon.model.plan import Action, MassChange, Operation
from sync_daemon.model.policy import OnLeaveScope, ScopeRule
from sync_daemon.model.state import Cause, Held, Link, Parked, Unlinked
from sync_daemon.reconcile.consents import set_dnd, unsubscribe
from sync_daemon.reconcile.decide import decide
from sync_daemon.reconcile.decision import Decision, left_as_it_is
from tests.unit.changes.values import (
    EMAILOCTOPUS,
    GRANTED,
    REVOKED,
    agreed,
    at,
    book,
    detector,
    person,
    staged,
    subscriber,
)
from tests.unit.reconcile.cases import context, ghl, linked, there, unmet

SCOPE, ANOTHER = b"the scope", b"another"
CLUB = ScopeRule(tags_all=("club",))
BY = detector(tags=book(["vip"], ["News"]))
IN = Link("g1", "e1", scope_generation=SCOPE, diverged=frozenset({"tags"}), bounces={"city=City": (at(0),)})
OUT = Link("g1", "e1", scope_generation=SCOPE, in_scope=False)
LEFT = "the contact left the scope; on_leave_scope: "
UNSUBSCRIBE = replace(unsubscribe("g1", "e1", LEFT + "unsubscribe"), policy=MassChange.LEAVE_SCOPE)
BLOCKED_HERE = unsubscribe("g1", "e1", "e-mail DND in GHL: revoked wins")
PARKED = Parked("g1", "e1", "consent", "refused", "", 1, at(99))
HELD = Held("g1", "e1", "leave_scope", "too many", at(0))


def untag(*names: str) -> Operation:
    reason, policy = LEFT + "remove_tags", MassChange.LEAVE_SCOPE
    return Operation(EMAILOCTOPUS, Action.REMOVE_TAGS, "g1", "e1", reason, tags=names, parts=("tags",), policy=policy)


def decided(case: Case, rule: OnLeaveScope = OnLeaveScope.KEEP, **more: Any) -> Decision:
    given = context(scope=CLUB, on_leave_scope=rule)
    answer = decide(case, replace(given, detector=BY, scope_generation=SCOPE, **more))
    assert isinstance(answer, Decision), answer
    return answer


def left(case: Case, *operations: Operation, link: Link = OUT, **more: Any) -> Decision:
    """The whole of a decision about a contact that is out of scope."""
    usual: dict[str, Any] = {
        "settles": frozenset({"consent"}),
        "unlinked": Unlinked.OUT_OF_SCOPE,
        "unparks": tuple(case.parked.values()),
        "forget_fields": True,
    }
    return Decision(case, operations, link=link, **{**usual, **more})


def pair(link: Link | None = IN, there_now: Any = GRANTED, ghl_now: Any = GRANTED, **more: Any) -> Case:
    return replace(linked(ghl(GRANTED, ghl_now), there(GRANTED, there_now), **more), link=link)


def test_by_default_nothing_is_done_to_whoever_leaves() -> None:
    assert decided(pair()) == left(pair())


def test_unsubscribe() -> None:
    after = replace(OUT, cause=Cause.POLICY)
    assert decided(pair(), OnLeaveScope.UNSUBSCRIBE) == left(pair(), UNSUBSCRIBE, link=after)


def test_whoever_is_unsubscribed_is_not_again() -> None:
    case = replace(pair(replace(IN, cause=Cause.POLICY)), emailoctopus=there(REVOKED, REVOKED))
    assert decided(case, OnLeaveScope.UNSUBSCRIBE) == left(case, link=replace(OUT, cause=Cause.POLICY))


@pytest.mark.parametrize("rule", OnLeaveScope)
def test_a_persons_revocation_goes_out_of_scope_as_anywhere(rule: OnLeaveScope) -> None:
    case = pair(OUT, ghl_now=REVOKED)
    after, cause = replace(OUT, cause=Cause.PERSON_GHL), Cause.PERSON_GHL
    assert decided(case, rule) == left(case, BLOCKED_HERE, link=after, remember=cause)
    blocked = set_dnd("g1", "e1", "unsubscribed in EmailOctopus: revoked wins")
    case, cause = pair(OUT, there_now=REVOKED), Cause.PERSON_EMAILOCTOPUS
    after = replace(OUT, cause=cause, dnd_by_us=True)
    assert decided(case, rule) == left(case, blocked, link=after, remember=cause)


def test_whoever_blocks_and_leaves_at_once_is_unsubscribed_by_himself() -> None:
    case, cause = pair(ghl_now=REVOKED), Cause.PERSON_GHL
    after = left(case, BLOCKED_HERE, link=replace(OUT, cause=cause), remember=cause)
    assert decided(case, OnLeaveScope.UNSUBSCRIBE) == after


def tagged(now: CaseSide) -> Case:
    return replace(pair(), emailoctopus=now)


@pytest.mark.parametrize(
    ("side", "tags"),
    [
        (CaseSide(agreed(subscriber(), BY), staged(subscriber(tags={"VIP", "News", "other"}))), ("News", "VIP")),
        (CaseSide(agreed(subscriber(), BY), staged(subscriber(tags={"vip", "VIP"}))), ("VIP", "vip")),
        (CaseSide(agreed(subscriber(tags={"News"}), BY)), ("News",)),
        (CaseSide(agreed(subscriber(tags={"News"}), BY), staged(subscriber())), ()),
    ],
)
def test_remove_tags(side: CaseSide, tags: tuple[str, ...]) -> None:
    case = tagged(side)
    assert decided(case, OnLeaveScope.REMOVE_TAGS) == left(case, *([untag(*tags)] if tags else []))


NARROWED = replace(IN, scope_generation=ANOTHER)
LEFT_BY_CONFIGURATION = replace(OUT, left_by_configuration=True)
UNSUBSCRIBED = replace(OUT, cause=Cause.POLICY)


@pytest.mark.parametrize("link", [NARROWED, LEFT_BY_CONFIGURATION])
def test_leaving_because_the_scope_was_narrowed_does_nothing_until_it_is_applied(link: Link) -> None:
    case = pair(link)
    assert decided(case, OnLeaveScope.UNSUBSCRIBE) == left(case, link=LEFT_BY_CONFIGURATION)
    applied = left(case, UNSUBSCRIBE, link=UNSUBSCRIBED)
    assert decided(case, OnLeaveScope.UNSUBSCRIBE, apply_scope=True) == applied
    assert decided(case, OnLeaveScope.KEEP, apply_scope=True) == left(case, link=LEFT_BY_CONFIGURATION)


def test_whoever_was_out_of_scope_stays_as_he_was_left_whatever_the_scope_is_now() -> None:
    link = replace(OUT, scope_generation=ANOTHER)
    for apply_scope in (False, True):
        case = pair(link)
        assert decided(case, OnLeaveScope.UNSUBSCRIBE, apply_scope=apply_scope) == left(case)


@pytest.mark.parametrize(
    ("link", "changes", "done"),
    [
        (OUT, {"held": (HELD,)}, True),
        (OUT, {"held": (replace(HELD, action="blank"),)}, False),
        (OUT, {"parked": {"consent": PARKED}}, True),
        (OUT, {"parked": {"tags": replace(PARKED, what="tags")}}, False),
        (OUT, {}, False),
        (LEFT_BY_CONFIGURATION, {"held": (HELD,)}, True),
    ],
)
def test_what_leaving_asked_for_is_tried_again_while_it_waits(link: Link, changes: dict[str, Any], done: bool) -> None:
    decision = decided(pair(link, **changes), OnLeaveScope.UNSUBSCRIBE)
    assert decision.operations == ((UNSUBSCRIBE,) if done else ())


def test_what_is_parked_of_a_contact_in_scope_is_not_what_leaving_asked_for() -> None:
    case = pair(NARROWED, parked={"consent": PARKED})
    assert decided(case, OnLeaveScope.UNSUBSCRIBE) == left(case, link=LEFT_BY_CONFIGURATION)


@pytest.mark.parametrize(("rule", "what"), [(OnLeaveScope.UNSUBSCRIBE, "consent"), (OnLeaveScope.REMOVE_TAGS, "tags")])
def test_what_leaving_asked_for_can_be_dropped(rule: OnLeaveScope, what: str) -> None:
    case = pair(OUT, parked={what: replace(PARKED, what=what, dropped=True)})
    case = replace(case, emailoctopus=CaseSide(agreed(subscriber()), staged(subscriber(tags={"vip"}))))
    assert decided(case, rule) == left(case, notices=(left_as_it_is(what),))
    assert decided(case, OnLeaveScope.KEEP) == left(case)


def test_a_persons_revocation_is_not_dropped_with_it() -> None:
    case = pair(OUT, ghl_now=REVOKED, parked={"consent": replace(PARKED, dropped=True)})
    decision = decided(case, OnLeaveScope.UNSUBSCRIBE)
    assert (decision.operations, decision.notices) == ((BLOCKED_HERE,), ())


def test_no_step_toward_consent_is_taken_and_none_counts_as_agreed() -> None:
    link = replace(OUT, cause=Cause.PERSON_EMAILOCTOPUS, dnd_by_us=True, consent_held=True)
    case = replace(pair(link), ghl=ghl(REVOKED, REVOKED), emailoctopus=there(REVOKED, GRANTED))
    assert decided(case) == left(case, link=link, settles=frozenset())


def test_what_stands_stands_out_of_scope_too() -> None:
    link = replace(OUT, cause=Cause.PERSON_GHL, dnd_by_us=True, consent_held=True)
    case = replace(pair(link), ghl=ghl(REVOKED, REVOKED), emailoctopus=there(GRANTED, GRANTED))
    assert decided(case) == left(case, link=link)
    opted_in = replace(
        pair(replace(OUT, dnd_by_us=False)), ghl=ghl(REVOKED, REVOKED), emailoctopus=there(REVOKED, GRANTED)
    )
    after = replace(OUT, cause=Cause.PERSON_GHL, consent_held=True)
    assert decided(opted_in) == left(opted_in, link=after)


def test_two_that_meet_out_of_scope_get_a_link_that_has_carried_nothing() -> None:
    case = Case(ghl=unmet(person()), emailoctopus=unmet(subscriber()))
    assert decided(case, OnLeaveScope.UNSUBSCRIBE) == left(case)


def test_whoever_was_not_read_is_where_he_was() -> None:
    unread = CaseSide(agreed(person()))
    case = replace(pair(OUT), ghl=unread)
    assert decided(case).unlinked is Unlinked.OUT_OF_SCOPE
    assert decided(replace(case, link=IN)).unlinked is None
    listed = CaseSide(agreed(subscriber()), staged(subscriber(source=Source.LISTING)))
    assert decided(replace(case, emailoctopus=listed)).link == OUT
