"""Contract, section 6: the policy table, and what it makes of a link of which a contact is gone."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from sync_daemon.changes.cases import Case, CaseSide, Found
from sync_daemon.model.plan import Action, MassChange
from sync_daemon.model.policy import DeletedInEmailOctopus, DeletedInGhl, DeleteRule, PairPolicy
from sync_daemon.model.state import Cause, Held, Link, Parked
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.decide import decide
from sync_daemon.reconcile.decision import Context, Decision, Needs, revocations_of
from sync_daemon.reconcile.deletions import Effect, effect_of
from tests.unit.changes.values import (
    ADA,
    BOB,
    EMAILOCTOPUS,
    GHL,
    GRANTED,
    REVOKED,
    agreed,
    at,
    detector,
    digest,
    person,
    staged,
    subscriber,
)

IN_GHL, IN_EMAILOCTOPUS, BOTH = frozenset({GHL}), frozenset({EMAILOCTOPUS}), frozenset(SystemName)
ROWS = {
    # deleted in GHL, and what the policy says of that
    (IN_GHL, "unsubscribe"): Effect.UNSUBSCRIBE,
    (IN_GHL, "delete"): Effect.DELETE,
    (IN_GHL, "ignore"): Effect.NOTHING,
    # deleted in EmailOctopus
    (IN_EMAILOCTOPUS, "suppress"): Effect.SUPPRESS,
    (IN_EMAILOCTOPUS, "ignore"): Effect.NOTHING,
    (IN_EMAILOCTOPUS, "recreate"): Effect.RECREATE,
}
RULES = [DeleteRule(*each) for each in product(DeletedInGhl, DeletedInEmailOctopus)]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("deleted_in", [IN_GHL, IN_EMAILOCTOPUS, BOTH])
@pytest.mark.parametrize("inside", [True, False])
def test_the_policy_table(deleted_in: frozenset[SystemName], rule: DeleteRule, inside: bool) -> None:
    said = rule.in_ghl if deleted_in == IN_GHL else rule.in_emailoctopus
    expected = ROWS[deleted_in, said] if inside and deleted_in != BOTH else Effect.NOTHING
    assert effect_of(deleted_in, rule, inside=inside) is expected


NOW = at(60 * 24)
LINK = Link("g1", "e1")


def context(rule: DeleteRule | None = None) -> Context:
    return Context(
        PairPolicy("main", deletes=rule or DeleteRule()),
        (),
        detector(),
        NOW,
        timedelta(minutes=10),
        search_tells_consent=True,
        generation=b"",
        scope_generation=b"",
    )


def case(gone: SystemName, *, link: Link = LINK, searched: bool = True, **survivor: object) -> Case:
    """A link of which one contact is gone, the other read by id."""
    snapshot = subscriber(**survivor) if gone is GHL else person(**survivor)  # type: ignore[arg-type]
    left = CaseSide(agreed(subscriber() if gone is GHL else person()), staged(snapshot))
    lost = CaseSide(agreed(person() if gone is GHL else subscriber()))
    ends = (lost, left) if gone is GHL else (left, lost)
    return Case(link, *ends, gone=(lost,), found=Found() if searched else None)


def decided(one: Case, rule: DeleteRule | None = None) -> Decision:
    answer = decide(one, context(rule))
    assert isinstance(answer, Decision)
    return answer


def test_unsubscribe() -> None:
    decision = decided(case(GHL))
    [operation] = decision.operations
    assert (operation.system, operation.action, operation.consent) == (EMAILOCTOPUS, Action.SET_STATUS, REVOKED)
    assert (operation.ghl_id, operation.emailoctopus_id) == ("g1", "e1")
    assert operation.policy is MassChange.DELETION
    assert decision.remember is Cause.POLICY
    assert decision.dissolves == LINK
    stone = decision.tombstone
    assert stone is not None
    assert (stone.deleted_in, stone.done, stone.at) == (GHL, "unsubscribe", NOW)
    assert (stone.consent, stone.address) == (GRANTED, digest(ADA))


def test_delete() -> None:
    decision = decided(case(GHL), DeleteRule(in_ghl=DeletedInGhl.DELETE))
    [operation] = decision.operations
    assert (operation.action, operation.emailoctopus_id) == (Action.DELETE, "e1")
    assert operation.policy is MassChange.DELETION
    assert decision.remember is None


def test_suppress() -> None:
    decision = decided(case(EMAILOCTOPUS))
    block, mark = decision.operations
    assert (block.system, block.action, block.ghl_id) == (GHL, Action.SET_DND, "g1")
    assert (mark.system, mark.action, mark.tags) == (GHL, Action.ADD_TAGS, ("deleted-in-emailoctopus",))
    assert {block.policy, mark.policy} == {MassChange.DELETION}
    assert decision.remember is Cause.POLICY


def test_who_is_marked_and_blocked_already_is_left_alone() -> None:
    decision = decided(case(EMAILOCTOPUS, consent=REVOKED, tags=["Deleted-In-EmailOctopus"]))
    assert decision.operations == ()
    assert decision.tombstone is not None
    assert decision.tombstone.done == "nothing"


def test_recreate() -> None:
    decision = decided(case(EMAILOCTOPUS), DeleteRule(in_emailoctopus=DeletedInEmailOctopus.RECREATE))
    [operation] = decision.operations
    assert (operation.action, operation.consent, operation.policy) == (Action.CREATE, GRANTED, None)
    assert decision.dissolves == LINK


@pytest.mark.parametrize("cause", Cause)
def test_who_was_revoked_is_not_recreated(cause: Cause) -> None:
    one = case(EMAILOCTOPUS, link=replace(LINK, cause=cause))
    lost = CaseSide(agreed(subscriber(consent=REVOKED)))
    one = replace(one, emailoctopus=lost, gone=(lost,))
    decision = decided(one, DeleteRule(in_emailoctopus=DeletedInEmailOctopus.RECREATE))
    assert Action.CREATE not in {op.action for op in decision.operations}
    assert (Action.SET_DND in {op.action for op in decision.operations}) is cause.by_person
    assert decision.remember is cause


def test_both_gone() -> None:
    lost = CaseSide(agreed(person())), CaseSide(agreed(subscriber()))
    decision = decided(Case(LINK, *lost, gone=lost))
    assert decision.operations == ()
    assert (decision.dissolves, decision.remember) == (LINK, None)
    assert decision.tombstone is not None
    assert decision.tombstone.done == "nothing"


@pytest.mark.parametrize("cause", [Cause.PERSON_GHL, Cause.PERSON_EMAILOCTOPUS])
def test_a_persons_cause_is_kept(cause: Cause) -> None:
    one = case(GHL, link=replace(LINK, cause=cause), consent=REVOKED)
    assert decided(one).remember is cause


def test_a_revocation_seen_with_the_deletion_is_a_persons() -> None:
    decision = decided(case(GHL, consent=REVOKED))
    assert (decision.operations, decision.remember) == ((), Cause.PERSON_EMAILOCTOPUS)


def test_a_revocation_last_seen_of_who_is_gone_is_carried_past_the_guard() -> None:
    one = case(GHL)
    lost = CaseSide(replace(agreed(person()), consent=REVOKED))
    decision = decided(replace(one, ghl=lost, gone=(lost,)), DeleteRule(in_ghl=DeletedInGhl.IGNORE))
    [operation] = decision.operations
    assert (operation.action, operation.policy) == (Action.SET_STATUS, None)
    assert decision.remember is Cause.PERSON_GHL


def test_nothing_of_a_deletion_goes_out_ahead_of_it() -> None:
    assert revocations_of(decided(case(GHL))) is None


def test_the_survivor_is_read_by_id_first() -> None:
    one = case(GHL)
    there = CaseSide(agreed(subscriber()))
    assert decide(replace(one, emailoctopus=there), context()) == Needs(frozenset({(EMAILOCTOPUS, "e1")}))


@pytest.mark.parametrize("gone", list(SystemName))
def test_then_the_address_is_looked_up(gone: SystemName) -> None:
    needs = decide(case(gone, searched=False), context())
    assert needs == Needs(frozenset(), frozenset({(gone, ADA)}))


def test_without_an_address_nobody_is_asked() -> None:
    assert len(decided(case(EMAILOCTOPUS, searched=False, address=None)).operations) == 2


def test_an_heir_takes_the_link_over() -> None:
    heir = CaseSide(agreed(person("g2"), baseline=None), staged(person("g2")))
    decision = decided(replace(case(GHL), found=Found(heir)))
    assert decision.link is not None
    assert (decision.link.ghl_id, decision.link.emailoctopus_id, decision.dissolves) == ("g2", "e1", LINK)
    assert decision.operations == ()
    assert decision.tombstone is not None
    assert decision.tombstone.done == "relink"


def test_a_duplicate_that_is_there_takes_the_link_over_unasked() -> None:
    heir = CaseSide(agreed(person("g2"), baseline=None), staged(person("g2")))
    decision = decided(replace(case(GHL, searched=False), duplicates=(heir,)))
    assert decision.link is not None
    assert (decision.link.ghl_id, decision.case.duplicates) == ("g2", ())


def test_a_duplicate_is_read_before_it_takes_over() -> None:
    other = CaseSide(agreed(person("g2"), baseline=None))
    assert decide(replace(case(GHL), duplicates=(other,)), context()) == Needs(frozenset({(GHL, "g2")}))


def test_a_block_of_the_former_contact_is_not_our_own_on_the_heir() -> None:
    link = replace(LINK, cause=Cause.PERSON_EMAILOCTOPUS, dnd_by_us=True)
    heir = CaseSide(agreed(person("g2"), baseline=None), staged(person("g2", consent=REVOKED)))
    decision = decided(replace(case(GHL, link=link, consent=REVOKED), found=Found(heir)))
    assert decision.link is not None
    assert not decision.link.dnd_by_us


@pytest.mark.parametrize(("cause", "blocked"), [(Cause.PERSON_GHL, True), (None, True), (Cause.POLICY, False)])
def test_who_was_blocked_hands_that_on_unless_a_policy_did_it(cause: Cause | None, blocked: bool) -> None:
    lost = CaseSide(replace(agreed(person()), consent=REVOKED))
    heir = CaseSide(agreed(person("g2"), baseline=None), staged(person("g2")))
    one = replace(case(GHL, link=replace(LINK, cause=cause)), ghl=lost, gone=(lost,), found=Found(heir))
    actions = {op.action for op in decided(one).operations}
    assert (Action.SET_DND in actions) is blocked


def test_an_address_that_lives_on_elsewhere_is_no_deletion() -> None:
    decision = decided(replace(case(GHL), found=Found(claimed=True)))
    assert (decision.operations, decision.dissolves) == ((), LINK)


def test_what_waited_of_the_link_is_over() -> None:
    parked = Parked("g1", "e1", "creation", "missing_in_ghl", "", 1, NOW)
    held = Held("g1", "e1", "deletion", "too many", NOW, approved=True)
    decision = decided(replace(case(GHL), parked={"creation": parked}, held=(held,)))
    assert (decision.unparks, decision.unholds) == ((parked,), (held,))
    assert len(decision.operations) == 1


def test_a_discarded_deletion_does_nothing() -> None:
    held = Held("g1", "e1", "deletion", "too many", NOW, discarded=True)
    decision = decided(replace(case(GHL), held=(held,)))
    assert (decision.operations, decision.unholds) == ((), (held,))
    assert decision.tombstone is not None


def test_a_held_deletion_of_who_is_there_leaves_the_queue_once_both_were_read() -> None:
    held = Held("g1", "e1", "deletion", "too many", NOW)
    unread = Case(LINK, CaseSide(agreed(person())), CaseSide(agreed(subscriber())), held=(held,))
    assert decide(unread, context()) == Needs(frozenset({(GHL, "g1"), (EMAILOCTOPUS, "e1")}))
    read = unread.with_reads({(GHL, "g1"): person(), (EMAILOCTOPUS, "e1"): subscriber()})
    assert decided(read).unholds == (held,)


def test_another_address_is_looked_up_as_it_is_now() -> None:
    needs = decide(case(GHL, searched=False, address=BOB), context())
    assert isinstance(needs, Needs)
    assert needs.holders == {(GHL, BOB)}


def test_the_tombstone_has_the_consent_that_the_link_had() -> None:
    stone = decided(case(GHL, consent=REVOKED)).tombstone
    assert stone is not None
    assert stone.consent is GRANTED
    one = case(GHL)
    lost = CaseSide(agreed(person(consent=REVOKED)))
    stone = decided(replace(one, ghl=lost, gone=(lost,))).tombstone
    assert stone is not None
    assert stone.consent is REVOKED
