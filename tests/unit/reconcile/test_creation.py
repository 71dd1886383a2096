"""Contract, sections 3 and 4: who is created on the other side, with what, and who isn't, for which reason."""

from dataclasses import replace
from typing import Any

import pytest

from sync_daemon.changes.cases import Case, CaseSide
from sync_daemon.model.contact import Consent, Source
from sync_daemon.model.grants import NotRevoked
from sync_daemon.model.plan import Action, MassChange, Operation
from sync_daemon.model.policy import Direction, FieldRule, NewContactStatus, Resubscribe, ScopeRule, TagRule
from sync_daemon.model.state import NEVER, Baseline, Cause, Held, KnownContact, Link, Parked, Sent, Unlinked
from sync_daemon.reconcile.consents import set_dnd, unsubscribe
from sync_daemon.reconcile.creation import decide_ghl_only, revocations_of_one
from sync_daemon.reconcile.decide import decide
from sync_daemon.reconcile.decision import Context, Decision, Needs, Notice, ToPark, operations_digest
from sync_daemon.reconcile.fields import MappedField
from tests.unit.changes.values import (
    ADA,
    CITY,
    DIGESTER,
    EMAILOCTOPUS,
    GHL,
    GRANTED,
    NAME,
    PENDING,
    REVOKED,
    at,
    book,
    detector,
    person,
    staged,
    subscriber,
)
from tests.unit.reconcile.cases import at_rest, context, ghl, there, unmet

SCORE = FieldRule("custom.score", "Score")
LED_HERE = FieldRule("source", "Source", direction=Direction.TO_EMAILOCTOPUS)
LED_THERE = FieldRule("website", "Site", direction=Direction.TO_GHL)
MAPPED = (
    *(MappedField(rule, "TEXT", "text") for rule in (NAME, CITY, LED_HERE, LED_THERE)),
    MappedField(SCORE, "TEXT", "number"),
    MappedField(FieldRule("phone", "Phone"), "PHONE", "text", country="CH"),
)
BY = detector(*(mapped.rule for mapped in MAPPED), tags=book(["vip"], ["News"], rule=TagRule(prefix="eo ")))
CONSENT = frozenset({"consent"})
HERE = {"firstName": "Ada", "source": "fair", "website": "x.test"}
THERE = {"FirstName": "Ada", "Source": "fair", "Site": "x.test"}
REVOKED_ADDRESS = "the address is revoked"


def given(**policy: Any) -> Context:
    return replace(context(**policy), detector=BY, fields=MAPPED)


def decided(case: Case, **policy: Any) -> Decision:
    answer = decide(case, given(**policy))
    assert isinstance(answer, Decision), answer
    return answer


def new_here(**more: Any) -> CaseSide:
    return unmet(person(fields=HERE, tags={"VIP", "eo news", "unknown"}, **more))


def new_there(**more: Any) -> CaseSide:
    return unmet(subscriber(fields=THERE, tags={"vip", "NEWS"}, **more))


def alone(side: CaseSide) -> Case:
    return Case(ghl=side) if side.system is GHL else Case(emailoctopus=side)


def create_there(side: CaseSide, sets: Any = None, **changes: Any) -> Operation:
    assert side.snapshot is not None
    made = Operation(
        EMAILOCTOPUS,
        Action.CREATE,
        side.contact_id,
        None,
        "only GoHighLevel has this contact" + (", unsubscribed" if sets is REVOKED else ""),
        fields={"FirstName": "Ada", "Source": "fair"},
        address=ADA,
        tags=("News", "vip"),
        sets=sets or NotRevoked(consent=GRANTED, ghl=side.snapshot, others=(GRANTED,)),
        parts=("creation",),
    )
    return replace(made, **changes)


def create_here(sets: Any = None, **changes: Any) -> Operation:
    made = Operation(
        GHL,
        Action.CREATE,
        None,
        "e1",
        "only EmailOctopus has this contact" + (", unsubscribed" if sets is REVOKED else ""),
        fields={"firstName": "Ada", "website": "x.test"},
        address=ADA,
        tags=("eo news", "vip"),
        sets=sets,
        parts=("creation",),
    )
    return replace(made, **changes)


def created(case: Case, create: Operation, *blocks: Operation, **more: Any) -> Decision:
    """The whole of a decision to create the other contact."""
    digests = {"creation": operations_digest((create,), "creation", given())}
    unparks = tuple(case.parked.values())
    return Decision(case, (*blocks, create), CONSENT, digests=digests, **{"unparks": unparks, **more})


def passed_over(case: Case, why: Unlinked, *blocks: Operation, **more: Any) -> Decision:
    """The whole of a decision not to."""
    return Decision(case, blocks, CONSENT, unlinked=why, unparks=tuple(case.parked.values()), **more)


PARKED = Parked("g1", None, "creation", "refused", "", 1, at(99), value=b"another")


# From GHL to EmailOctopus


def test_a_contact_of_ghl_is_created_in_emailoctopus_with_what_travels_there() -> None:
    for parked in ({}, {"creation": PARKED}):
        case = Case(ghl=new_here(), parked=parked)
        assert decided(case) == created(case, create_there(new_here()))


def test_what_has_no_form_there_is_parked_and_the_rest_created() -> None:
    side = unmet(person(fields={**HERE, "custom.score": "many"}, tags={"vip", "eo news"}))
    case = Case(ghl=side)
    assert decided(case) == created(case, create_there(side), to_park=(ToPark(SCORE.key, "not_convertible"),))


def test_a_creation_that_may_have_been_sent_before_says_so() -> None:
    side = replace(new_here(), known=KnownContact(GHL, "g1", sent=Sent(creation=True)))
    assert decided(Case(ghl=side)).operations == (create_there(side, resend=True),)
    other = replace(new_there(), known=KnownContact(EMAILOCTOPUS, "e1", sent=Sent(creation=True)))
    assert decided(Case(emailoctopus=other)).operations == (create_here(resend=True),)


@pytest.mark.parametrize(
    ("status", "double_opt_in", "consent"),
    [
        (NewContactStatus.LIST_DEFAULT, False, GRANTED),
        (NewContactStatus.LIST_DEFAULT, True, PENDING),
        (NewContactStatus.PENDING, True, PENDING),
        (NewContactStatus.SUBSCRIBED, True, GRANTED),
    ],
)
def test_the_status_of_a_new_contact(status: NewContactStatus, double_opt_in: bool, consent: Consent) -> None:
    [create] = decided(Case(ghl=new_here()), new_contact_status=status, double_opt_in=double_opt_in).operations
    assert create.consent is consent


@pytest.mark.parametrize(
    ("side", "policy", "why"),
    [
        (unmet(person(address=None)), {}, Unlinked.NO_EMAIL),
        (unmet(person(address="ada@@example.com")), {}, Unlinked.INVALID_EMAIL),
        (new_here(), {"scope": ScopeRule(tags_all=("club",))}, Unlinked.OUT_OF_SCOPE),
        (new_here(), {"create_in_emailoctopus": False}, Unlinked.CREATION_OFF),
        (replace(new_here(), known=KnownContact(GHL, "g1", unlinked=Unlinked.ORPHAN)), {}, Unlinked.ORPHAN),
    ],
)
def test_who_is_not_created_in_emailoctopus(side: CaseSide, policy: dict[str, Any], why: Unlinked) -> None:
    case = Case(ghl=side, parked={"creation": PARKED})
    assert decided(case, **policy) == passed_over(case, why)


def test_what_a_person_discarded_is_not_created_until_it_changes() -> None:
    for side, create in ((new_here(), create_there(new_here())), (new_there(), create_here())):
        assert side.snapshot is not None
        row = replace(side.known, unlinked=Unlinked.DISCARDED, seen=DIGESTER.snapshot(side.snapshot))
        case = alone(replace(side, known=row))
        assert decided(case) == passed_over(case, Unlinked.DISCARDED)
        for other in (replace(row, seen=b"before"), replace(row, unlinked=Unlinked.HELD)):
            assert decided(alone(replace(side, known=other))).operations == (create,)


def test_a_contact_alone_is_read_by_id_unless_a_page_showed_it() -> None:
    assert decide(Case(ghl=at_rest(person())), given()) == Needs(frozenset({(GHL, "g1")}))
    assert decide(Case(emailoctopus=at_rest(subscriber())), given()) == Needs(frozenset({(EMAILOCTOPUS, "e1")}))
    other = unmet(person("g2", consent=None, source=Source.HINT))
    untold = replace(given(), search_tells_consent=False)
    assert decide(Case(ghl=new_here(), duplicates=(other,)), untold) == Needs(frozenset({(GHL, "g2")}))
    listed = unmet(subscriber(source=Source.LISTING))
    held = (Held(None, "e1", "create_in_ghl", "too many", at(0), approved=True),)
    assert decide(Case(emailoctopus=listed, held=held), given()) == Needs(frozenset({(EMAILOCTOPUS, "e1")}))
    hint = unmet(subscriber(source=Source.HINT), written_at=at(59))
    assert decide(Case(emailoctopus=hint), given()) == Needs(frozenset({(EMAILOCTOPUS, "e1")}))
    assert decide(Case(), given()) == decide_ghl_only(Case(), given()) == Needs(frozenset())


# Blocked addresses


def test_a_blocked_contact_is_not_created_and_whoever_shares_its_address_is_blocked() -> None:
    case = Case(ghl=unmet(person(consent=REVOKED)), duplicates=(unmet(person("g2")),))
    block = set_dnd("g2", None, REVOKED_ADDRESS)
    assert decided(case) == passed_over(case, Unlinked.SUPPRESSED, block, remember=Cause.PERSON_GHL)


def test_a_block_that_everybody_met_asks_for_nothing_more() -> None:
    case = Case(ghl=ghl(REVOKED, REVOKED), duplicates=(ghl(GRANTED, GRANTED, "g2"),))
    assert decided(case) == passed_over(case, Unlinked.SUPPRESSED, remember=Cause.PERSON_GHL)
    for newcomer in (unmet(person("g2")), CaseSide(KnownContact(GHL, "g2", baseline=Baseline()), staged(person("g2")))):
        joined = replace(case, duplicates=(newcomer,))
        assert decided(joined).operations == (set_dnd("g2", None, REVOKED_ADDRESS),)


def test_a_duplicates_block_blocks_the_contact_itself() -> None:
    case = Case(ghl=new_here(), duplicates=(unmet(person("g2", consent=REVOKED)),))
    block = set_dnd("g1", None, REVOKED_ADDRESS)
    assert decided(case) == passed_over(case, Unlinked.SUPPRESSED, block, remember=Cause.PERSON_GHL)


def test_it_is_created_unsubscribed_where_that_is_policy() -> None:
    side = new_here(consent=REVOKED)
    case = Case(ghl=side)
    expected = created(case, create_there(side, REVOKED), remember=Cause.PERSON_GHL)
    assert decided(case, create_suppressed=True) == expected


def test_an_address_that_a_person_revoked_once_is_blocked_wherever_it_appears() -> None:
    case = Case(ghl=new_here(), duplicates=(unmet(person("g2")),), remembered=Cause.PERSON_EMAILOCTOPUS)
    blocks = [set_dnd(one, None, REVOKED_ADDRESS) for one in ("g1", "g2")]
    assert decided(case) == passed_over(case, Unlinked.SUPPRESSED, *blocks)
    shown = decided(case, create_suppressed=True)
    assert shown == created(case, create_there(new_here(), REVOKED), *blocks)


def test_whoever_was_blocked_in_ghl_and_is_no_more_is_created_on_the_evidence_of_a_read() -> None:
    side = replace(new_here(), known=ghl(REVOKED, GRANTED).known)
    case = Case(ghl=side, remembered=Cause.PERSON_GHL)
    assert side.snapshot is not None
    evidence = NotRevoked(
        consent=GRANTED, ghl=side.snapshot, others=(GRANTED,), remembered=Cause.PERSON_GHL, lifted=side.snapshot
    )
    assert decided(case) == created(case, create_there(side, evidence), regrant=True)
    hint = replace(side, staged=staged(replace(side.snapshot, source=Source.HINT)))
    assert decide(replace(case, ghl=hint), given()) == Needs(frozenset({(GHL, "g1")}))


def test_a_block_that_is_lifted_on_one_and_stands_on_another_stands() -> None:
    lifted = replace(new_here(), known=ghl(REVOKED, GRANTED).known)
    case = Case(ghl=lifted, duplicates=(ghl(REVOKED, REVOKED, "g2"),), remembered=Cause.PERSON_GHL)
    block = set_dnd("g1", None, REVOKED_ADDRESS)
    assert decided(case) == passed_over(case, Unlinked.SUPPRESSED, block)


@pytest.mark.parametrize("remembered", [Cause.PERSON_EMAILOCTOPUS, None])
def test_only_a_block_of_ghl_ends_when_it_is_lifted_there(remembered: Cause | None) -> None:
    side = replace(new_here(), known=ghl(REVOKED, GRANTED).known)
    decision = decided(Case(ghl=side, remembered=remembered))
    assert not decision.regrant
    assert (decision.unlinked is Unlinked.SUPPRESSED) is (remembered is not None)


@pytest.mark.parametrize(
    ("resubscribe", "double_opt_in", "consent"),
    [
        (Resubscribe.NEVER, True, None),
        (Resubscribe.PENDING, False, None),
        (Resubscribe.PENDING, True, PENDING),
        (Resubscribe.ALLOW, False, GRANTED),
        (Resubscribe.ALLOW, True, PENDING),
    ],
)
def test_an_address_that_a_policy_unsubscribed_is_created_again_as_resubscribe_says(
    resubscribe: Resubscribe, double_opt_in: bool, consent: Any
) -> None:
    side, policy = new_here(), {"resubscribe": resubscribe, "double_opt_in": double_opt_in}
    case = Case(ghl=side, remembered=Cause.POLICY)
    assert side.snapshot is not None
    if consent is None:
        assert decided(case, **policy) == passed_over(case, Unlinked.SUPPRESSED)
        unsubscribed = created(case, create_there(side, REVOKED))
        assert decided(case, create_suppressed=True, **policy) == unsubscribed
        return
    evidence = NotRevoked(
        consent=consent,
        ghl=side.snapshot,
        others=(GRANTED,),
        remembered=Cause.POLICY,
        **policy,  # type: ignore[arg-type]
    )
    assert decided(case, **policy) == created(case, create_there(side, evidence), regrant=True)
    outside = decided(case, create_in_emailoctopus=False, **policy)
    assert outside == passed_over(case, Unlinked.CREATION_OFF)


BLOCKED_BY_POLICY: dict[str, Any] = {"unlinked": Unlinked.ORPHAN, "baseline": Baseline(consent=REVOKED)}


def test_a_block_by_the_delete_policy_is_nobodys() -> None:
    side = unmet(person(consent=REVOKED), **BLOCKED_BY_POLICY)
    case = Case(ghl=side, duplicates=(unmet(person("g2")),), remembered=Cause.POLICY)
    assert decided(case) == passed_over(case, Unlinked.ORPHAN)


@pytest.mark.parametrize(("resubscribe", "why"), [(Resubscribe.NEVER, Unlinked.ORPHAN), (Resubscribe.ALLOW, None)])
def test_whom_emailoctopus_deleted_is_created_again_only_for_a_lifted_block_and_by_policy(
    resubscribe: Resubscribe, why: Unlinked | None
) -> None:
    side = unmet(person(), **BLOCKED_BY_POLICY)
    assert decided(Case(ghl=side, remembered=Cause.POLICY), resubscribe=resubscribe).unlinked is why
    for case in (Case(ghl=side), Case(ghl=new_here(), duplicates=(unmet(person("g2"), unlinked=Unlinked.ORPHAN),))):
        assert decided(case).unlinked is Unlinked.ORPHAN


# What waits, and what was dropped


def test_a_creation_that_was_refused_waits_until_its_time_and_blocks_go() -> None:
    side = unmet(person(fields={**HERE, "custom.score": "many"}, tags={"vip", "eo news"}))
    create = create_there(side, REVOKED)
    digest = operations_digest((create,), "creation", given())
    case = Case(ghl=side, parked={"creation": replace(PARKED, value=digest)}, remembered=Cause.PERSON_EMAILOCTOPUS)
    block = set_dnd("g1", None, REVOKED_ADDRESS)
    waiting = Decision(case, (block,), CONSENT, unlinked=Unlinked.PARKED, digests={"creation": digest})
    assert decided(case, create_suppressed=True) == waiting
    let_be = replace(case, parked={"creation": replace(PARKED, value=digest, dropped=True, next_try=NEVER)})
    expected = replace(waiting, case=let_be, unlinked=Unlinked.DROPPED)
    assert decided(let_be, create_suppressed=True) == expected


def test_what_was_held_of_a_creation_is_over_once_that_is_let_be() -> None:
    side = unmet(person(fields={**HERE, "custom.score": "many"}, tags={"vip", "eo news"}))
    digest = operations_digest((create_there(side),), "creation", given())
    held = (Held("g1", None, MassChange.CREATE_IN_EMAILOCTOPUS, "too many", at(0)),)
    waiting = Case(ghl=side, parked={"creation": replace(PARKED, value=digest)}, held=held)
    assert decided(waiting).unholds == ()
    let_be = replace(waiting, parked={"creation": replace(PARKED, value=digest, dropped=True, next_try=NEVER)})
    assert decided(let_be).unholds == held
    assert decided(replace(waiting, parked={})).unholds == ()


def test_a_creation_that_a_person_dropped_is_let_be_until_the_contact_changes() -> None:
    side = unmet(person(fields={**HERE, "custom.score": "many"}, tags={"vip", "eo news"}))
    dropped = replace(PARKED, dropped=True)
    case = Case(ghl=side, parked={"creation": dropped})
    digest = operations_digest((create_there(side),), "creation", given())
    notice = Notice("creation", "dropped by a person's order: not created until the contact changes")
    let_be = (replace(dropped, value=digest, next_try=NEVER),)
    expected = Decision(case, (), CONSENT, unlinked=Unlinked.DROPPED, let_be=let_be, notices=(notice,))
    assert decided(case) == expected
    blocked = replace(case, remembered=Cause.PERSON_EMAILOCTOPUS)
    assert decided(blocked, create_suppressed=True).operations == (set_dnd("g1", None, REVOKED_ADDRESS),)
    unread = replace(case, parked={"creation": replace(dropped, value=None)})
    assert decided(unread).operations == (create_there(side),)


# From EmailOctopus to GHL


def test_a_contact_of_emailoctopus_is_created_in_ghl_with_what_travels_there() -> None:
    case = Case(emailoctopus=new_there(), parked={"creation": PARKED})
    assert decided(case) == created(case, create_here())
    scope = ScopeRule(tags_all=("club",), add_tags=("Club",), types=("lead",))
    assert decided(case, scope=scope) == created(case, create_here(tags=("club", "eo news", "vip")))
    named = ScopeRule(field={"firstName": ("ada",)})
    assert decided(case, scope=named) == created(case, create_here())


def test_values_are_converted_as_ghl_takes_them() -> None:
    side = unmet(subscriber(fields={"Score": 5.0, "Phone": "079 100 00 00"}))
    [create] = decided(Case(emailoctopus=side)).operations
    assert create.fields == {"custom.score": "5", "phone": "+41791000000"}


@pytest.mark.parametrize(
    ("side", "policy", "why"),
    [
        (unmet(subscriber(address=None)), {}, Unlinked.NO_EMAIL),
        (unmet(subscriber(address="ada@@example.com")), {}, Unlinked.INVALID_EMAIL),
        (unmet(subscriber(consent=PENDING)), {}, Unlinked.PENDING),
        (unmet(subscriber(), unlinked=Unlinked.ORPHAN), {}, Unlinked.ORPHAN),
        (there(REVOKED, PENDING, unlinked=Unlinked.ORPHAN), {}, Unlinked.ORPHAN),
        (new_there(), {"scope": ScopeRule(tags_all=("club",))}, Unlinked.OUT_OF_SCOPE),
        (new_there(), {"scope": ScopeRule(types=("customer",))}, Unlinked.OUT_OF_SCOPE),
        (new_there(), {"scope": ScopeRule(field={"firstName": ("bob",)})}, Unlinked.OUT_OF_SCOPE),
        (new_there(), {"create_in_ghl": False}, Unlinked.CREATION_OFF),
    ],
)
def test_who_is_not_created_in_ghl(side: CaseSide, policy: dict[str, Any], why: Unlinked) -> None:
    case = Case(emailoctopus=side, parked={"creation": PARKED})
    assert decided(case, **policy) == passed_over(case, why)


def test_whoever_is_unsubscribed_is_remembered_and_created_blocked_where_that_is_policy() -> None:
    case, person_there = Case(emailoctopus=new_there(consent=REVOKED)), Cause.PERSON_EMAILOCTOPUS
    assert decided(case) == passed_over(case, Unlinked.SUPPRESSED, remember=person_there)
    expected = created(case, create_here(REVOKED), remember=person_there)
    assert decided(case, create_suppressed=True) == expected


@pytest.mark.parametrize(("before", "remember"), [(REVOKED, None), (GRANTED, Cause.PERSON_EMAILOCTOPUS)])
def test_what_the_delete_policy_unsubscribed_is_no_persons_revocation(before: Consent, remember: Cause | None) -> None:
    case = Case(emailoctopus=there(before, REVOKED, unlinked=Unlinked.ORPHAN))
    assert decided(case) == passed_over(case, Unlinked.ORPHAN, remember=remember)


def test_an_orphan_that_subscribed_again_is_created_and_its_revocation_over() -> None:
    row = there(REVOKED, GRANTED, unlinked=Unlinked.ORPHAN).known
    case = Case(emailoctopus=replace(new_there(), known=row))
    assert decided(case) == created(case, create_here(), regrant=True)


AGAIN = replace(new_there(), known=there(REVOKED, GRANTED).known)
"""Somebody in EmailOctopus who was unsubscribed and isn't any more."""
CONFIRMED = replace(new_there(), known=there(PENDING, GRANTED).known)
SINCE_LONG = replace(new_there(), known=there(GRANTED, GRANTED).known)


@pytest.mark.parametrize("side", [AGAIN, CONFIRMED])
def test_who_unsubscribed_in_emailoctopus_takes_it_back_there(side: CaseSide) -> None:
    case = Case(emailoctopus=side, remembered=Cause.PERSON_EMAILOCTOPUS)
    assert decided(case) == created(case, create_here(), regrant=True)
    assert decided(case, create_in_ghl=False) == passed_over(case, Unlinked.CREATION_OFF, regrant=True)


@pytest.mark.parametrize(
    ("side", "remembered"),
    [
        (AGAIN, Cause.PERSON_GHL),
        (CONFIRMED, Cause.PERSON_GHL),
        (SINCE_LONG, Cause.PERSON_GHL),
        (SINCE_LONG, Cause.PERSON_EMAILOCTOPUS),
    ],
)
def test_what_is_remembered_of_an_address_outlasts_the_contact(side: CaseSide, remembered: Cause) -> None:
    case = Case(emailoctopus=side, remembered=remembered)
    assert decided(case) == passed_over(case, Unlinked.SUPPRESSED)
    assert decided(case, create_suppressed=True) == created(case, create_here(REVOKED))


@pytest.mark.parametrize("remembered", [Cause.PERSON_GHL, Cause.PERSON_EMAILOCTOPUS])
def test_another_contact_with_a_revoked_address_is_unsubscribed(remembered: Cause) -> None:
    case = Case(emailoctopus=new_there(), remembered=remembered)
    end = unsubscribe(None, "e1", REVOKED_ADDRESS)
    for suppressed in (False, True):
        assert decided(case, create_suppressed=suppressed) == passed_over(case, Unlinked.SUPPRESSED, end)
    asked = Case(emailoctopus=new_there(consent=PENDING), remembered=remembered)
    assert decided(asked) == passed_over(asked, Unlinked.PENDING)
    unsubscribed = Case(emailoctopus=new_there(consent=REVOKED), remembered=remembered)
    assert decided(unsubscribed) == passed_over(unsubscribed, Unlinked.SUPPRESSED)


def test_what_policy_revoked_is_nothing_that_a_person_must_take_back() -> None:
    case = Case(emailoctopus=new_there(), remembered=Cause.POLICY)
    assert decided(case) == created(case, create_here())


def test_what_a_guard_holds_of_an_orphan_is_asked_for_again() -> None:
    held = (Held(None, "e1", "deletion", "too many", at(0)),)
    case = Case(emailoctopus=unmet(subscriber(), unlinked=Unlinked.ORPHAN), held=held)
    reason = "its GoHighLevel contact has another address now; deletes.in_ghl: unsubscribe"
    end = replace(unsubscribe(None, "e1", reason), policy=MassChange.DELETION)
    assert decided(case) == passed_over(case, Unlinked.ORPHAN, end, orphan="e1")
    linked_again = Case(emailoctopus=unmet(subscriber(consent=PENDING)), held=held)
    assert decided(linked_again) == passed_over(linked_again, Unlinked.PENDING)


def test_an_address_that_a_person_revoked_once_is_unsubscribed_when_it_appears_in_emailoctopus() -> None:
    case = Case(emailoctopus=new_there(), remembered=Cause.PERSON_GHL, parked={"creation": PARKED})
    end = unsubscribe(None, "e1", REVOKED_ADDRESS)
    assert decided(case) == passed_over(case, Unlinked.SUPPRESSED, end)


# Additional addresses


ADDITIONAL = "an additional address of this contact is unsubscribed in EmailOctopus"
HOLDERS = (KnownContact(GHL, "g5", consent=GRANTED), KnownContact(GHL, "g6", consent=REVOKED))


@pytest.mark.parametrize(
    ("side", "blocked"),
    [
        (unmet(subscriber(consent=REVOKED)), True),
        (unmet(subscriber()), False),
        (there(REVOKED, REVOKED), False),
        (CaseSide(there(REVOKED, REVOKED).known, staged(subscriber(consent=REVOKED), revoked=True)), True),
        (CaseSide(there(REVOKED, GRANTED).known, staged(subscriber(), revoked=True)), False),
    ],
)
def test_the_revocation_of_an_additional_address_blocks_whoever_has_it(side: CaseSide, blocked: bool) -> None:
    case = Case(emailoctopus=side, additional_holders=HOLDERS, parked={"creation": PARKED})
    blocks = (set_dnd("g5", "e1", ADDITIONAL),) if blocked else ()
    assert decided(case) == passed_over(case, Unlinked.ADDITIONAL_ADDRESS, *blocks)
    assert revocations_of_one(case) == blocks


def test_of_a_contact_of_ghl_alone_nothing_is_asked_of_others() -> None:
    assert revocations_of_one(Case(ghl=unmet(person(consent=REVOKED)), additional_holders=HOLDERS)) == ()
    assert revocations_of_one(Case()) == ()


# Contacts that can't be linked


OTHER = Link("g2", "e2")
NAMESAKES = (KnownContact(EMAILOCTOPUS, "e2", consent=GRANTED),)


def blocked(case: Case, *operations: Operation, **more: Any) -> Decision:
    usual: dict[str, Any] = {"unlinked": Unlinked.HELD, "duplicate_of": "g2", "unparks": tuple(case.parked.values())}
    return Decision(case, operations, CONSENT, **{**usual, **more})


def test_the_revocation_of_who_cannot_be_linked_goes_to_everybody_with_the_address() -> None:
    usual: dict[str, Any] = {"blocked_by": OTHER, "additional_holders": HOLDERS, "namesakes": NAMESAKES}
    sent = (
        set_dnd("g5", "e1", "the address is unsubscribed in EmailOctopus"),
        unsubscribe(None, "e2", "the address is revoked in GoHighLevel"),
    )
    case = Case(emailoctopus=unmet(subscriber(consent=REVOKED)), parked={"creation": PARKED}, **usual)
    assert decided(case) == blocked(case, *sent, remember=Cause.PERSON_EMAILOCTOPUS)
    assert revocations_of_one(case) == sent
    here = Case(ghl=unmet(person(consent=REVOKED)), blocked_by=OTHER, namesakes=NAMESAKES)
    assert decided(here) == blocked(here, sent[1], remember=Cause.PERSON_GHL)
    old = replace(case, emailoctopus=there(REVOKED, REVOKED))
    assert decided(old) == blocked(old)


def test_the_revocation_of_a_duplicate_of_who_cannot_be_linked_blocks_both_and_who_shares_the_address() -> None:
    duplicates = (unmet(person("g3", consent=REVOKED)), unmet(person("g4")))
    case = Case(ghl=unmet(person()), duplicates=duplicates, blocked_by=OTHER, namesakes=NAMESAKES)
    sent = (
        set_dnd("g1", None, REVOKED_ADDRESS),
        set_dnd("g4", None, REVOKED_ADDRESS),
        unsubscribe(None, "e2", "the address is revoked in GoHighLevel"),
    )
    assert decided(case) == blocked(case, *sent, remember=Cause.PERSON_GHL)


def test_whom_the_other_side_deleted_stays_an_orphan_while_it_cannot_be_linked() -> None:
    case = Case(emailoctopus=unmet(subscriber(), unlinked=Unlinked.ORPHAN), blocked_by=OTHER)
    assert decided(case) == blocked(case, unlinked=Unlinked.ORPHAN)


@pytest.mark.parametrize(
    ("side", "remembered", "done"),
    [
        (unmet(person()), Cause.PERSON_EMAILOCTOPUS, set_dnd("g1", None, REVOKED_ADDRESS)),
        (unmet(subscriber()), Cause.PERSON_GHL, unsubscribe(None, "e1", REVOKED_ADDRESS)),
        (unmet(person()), Cause.POLICY, None),
        (unmet(person()), None, None),
        (ghl(GRANTED, GRANTED), Cause.PERSON_EMAILOCTOPUS, None),
    ],
)
def test_an_address_that_a_person_revoked_is_so_for_who_cannot_be_linked(
    side: CaseSide, remembered: Cause | None, done: Operation | None
) -> None:
    case = Case(blocked_by=OTHER, remembered=remembered, **{str(side.system): side})  # type: ignore[arg-type]
    assert decided(case) == blocked(case, *([done] if done else []))


def test_who_cannot_be_linked_is_read_first() -> None:
    untold = replace(given(), search_tells_consent=False)
    for side in (at_rest(person()), unmet(person(consent=None, source=Source.HINT))):
        assert decide(Case(ghl=side, blocked_by=OTHER), untold) == Needs(frozenset({(GHL, "g1")}))
