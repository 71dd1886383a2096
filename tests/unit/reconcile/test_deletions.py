"""Contract, section 6: the policy table, and what it makes of a link of which a contact is gone."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from sync_daemon.changes.cases import Case, CaseSide, Found
from sync_daemon.model.contact import Consent, Source
from sync_daemon.model.plan import Action, MassChange, Operation
from sync_daemon.model.policy import (
    DeletedInEmailOctopus,
    DeletedInGhl,
    DeleteRule,
    PairPolicy,
    Resubscribe,
    ScopeRule,
)
from sync_daemon.model.state import Cause, Held, KnownContact, Link, Parked, Sent, Tombstone
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.consents import set_dnd, unsubscribe
from sync_daemon.reconcile.decide import decide
from sync_daemon.reconcile.decision import Context, Decision, Needs, Notice, revocations_of
from sync_daemon.reconcile.deletions import Effect, effect_of
from tests.unit.changes.values import (
    ADA,
    BOB,
    EMAILOCTOPUS,
    GHL,
    GRANTED,
    PENDING,
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


def context(rule: DeleteRule | None = None, **policy: Any) -> Context:
    return Context(
        PairPolicy("main", deletes=rule or DeleteRule(), **policy),
        (),
        detector(),
        NOW,
        timedelta(minutes=10),
        search_tells_consent=True,
        generation=b"",
        scope_generation=b"",
    )


def case(gone: SystemName, *, link: Link = LINK, searched: bool = True, **survivor: Any) -> Case:
    """A link of which one contact is gone, the other read by id."""
    snapshot = subscriber(**survivor) if gone is GHL else person(**survivor)
    left = CaseSide(agreed(subscriber() if gone is GHL else person()), staged(snapshot))
    lost = CaseSide(agreed(person() if gone is GHL else subscriber()))
    ends = (lost, left) if gone is GHL else (left, lost)
    return Case(link, *ends, gone=(lost,), found=Found() if searched else None)


def decided(one: Case, rule: DeleteRule | None = None, **policy: Any) -> Decision:
    answer = decide(one, context(rule, **policy))
    assert isinstance(answer, Decision), answer
    return answer


def buried(one: Case, deleted_in: SystemName, done: str, *operations: Operation, **more: Any) -> Decision:
    """The whole of a decision that ends a link."""
    where = "GoHighLevel" if deleted_in is GHL else "EmailOctopus"
    return Decision(
        one,
        operations,
        settles=frozenset({"consent"}),
        dissolves=LINK,
        notices=(Notice("deletion", f"deleted in {where}: {done}"),),
        tombstone=Tombstone("g1", "e1", deleted_in, NOW, done, GRANTED, digest(ADA)),
        **more,
    )


SUPPRESSED = "deleted in EmailOctopus; deletes.in_emailoctopus: suppress"
BY_POLICY: dict[str, Any] = {"policy": MassChange.DELETION}
BLOCK = replace(set_dnd("g1", "e1", SUPPRESSED), **BY_POLICY)
MARK = Operation(
    GHL, Action.ADD_TAGS, "g1", "e1", SUPPRESSED, tags=("deleted-in-emailoctopus",), parts=("tags",), **BY_POLICY
)


def test_unsubscribe() -> None:
    operation = unsubscribe("g1", "e1", "deleted in GoHighLevel; deletes.in_ghl: unsubscribe")
    expected = buried(case(GHL), GHL, "unsubscribe", replace(operation, **BY_POLICY), remember=Cause.POLICY)
    assert decided(case(GHL)) == expected


def test_delete() -> None:
    reason = "deleted in GoHighLevel; deletes.in_ghl: delete"
    operation = Operation(EMAILOCTOPUS, Action.DELETE, "g1", "e1", reason, parts=("deletion",), **BY_POLICY)
    assert decided(case(GHL), DeleteRule(in_ghl=DeletedInGhl.DELETE)) == buried(case(GHL), GHL, "delete", operation)


def test_suppress() -> None:
    expected = buried(case(EMAILOCTOPUS), EMAILOCTOPUS, "suppress", BLOCK, MARK, remember=Cause.POLICY)
    assert decided(case(EMAILOCTOPUS)) == expected


CLUB = ScopeRule(tags_all=("club",))


@pytest.mark.parametrize(
    ("gone", "in_scope", "tags", "done"),
    [
        (GHL, True, None, "unsubscribe"),
        (GHL, False, None, "nothing"),
        (EMAILOCTOPUS, True, ["club"], "suppress"),
        (EMAILOCTOPUS, True, [], "nothing"),
        (EMAILOCTOPUS, False, ["club"], "nothing"),
    ],
)
def test_out_of_scope_a_deletion_does_nothing(
    gone: SystemName, in_scope: bool, tags: list[str] | None, done: str
) -> None:
    more: dict[str, Any] = {} if tags is None else {"tags": tags}
    decision = decided(case(gone, link=replace(LINK, in_scope=in_scope), **more), scope=CLUB)
    assert decision.tombstone is not None
    assert (decision.tombstone.done, bool(decision.operations)) == (done, done != "nothing")


def test_who_is_marked_and_blocked_already_is_left_alone() -> None:
    decision = decided(case(EMAILOCTOPUS, consent=REVOKED, tags=["Deleted-In-EmailOctopus"]))
    assert decision.operations == ()
    assert decision.tombstone is not None
    assert decision.tombstone.done == "nothing"


def test_recreate() -> None:
    decision = decided(case(EMAILOCTOPUS), DeleteRule(in_emailoctopus=DeletedInEmailOctopus.RECREATE))
    [operation] = decision.operations
    assert (operation.action, operation.consent, operation.policy) == (Action.CREATE, GRANTED, None)
    assert decision.case == replace(case(EMAILOCTOPUS), link=None, emailoctopus=None, former=LINK)
    assert decision.dissolves == LINK
    assert decision.notices == (Notice("deletion", "deleted in EmailOctopus: recreate"),)
    assert decision.tombstone == Tombstone("g1", "e1", EMAILOCTOPUS, NOW, "recreate", GRANTED, digest(ADA))


RECREATE = DeleteRule(in_emailoctopus=DeletedInEmailOctopus.RECREATE)


def test_whoever_had_not_confirmed_has_yet_to_when_he_is_recreated() -> None:
    lost = CaseSide(agreed(subscriber(consent=PENDING)))
    decision = decided(replace(case(EMAILOCTOPUS), emailoctopus=lost, gone=(lost,)), RECREATE)
    assert [(op.action, op.consent) for op in decision.operations] == [(Action.CREATE, PENDING)]


def test_whom_a_policy_had_unsubscribed_is_recreated_as_resubscribe_says() -> None:
    one = case(EMAILOCTOPUS, link=replace(LINK, cause=Cause.POLICY))
    lost = CaseSide(agreed(subscriber(consent=REVOKED)))
    decision = decided(replace(one, emailoctopus=lost, gone=(lost,)), RECREATE, resubscribe=Resubscribe.ALLOW)
    assert [(op.action, op.consent) for op in decision.operations] == [(Action.CREATE, GRANTED)]
    assert (decision.remember, decision.regrant) == (None, True)


def test_an_address_that_a_person_had_revoked_is_not_recreated() -> None:
    decision = decided(replace(case(EMAILOCTOPUS), remembered=Cause.PERSON_EMAILOCTOPUS), RECREATE)
    assert Action.CREATE not in {op.action for op in decision.operations}
    assert decision.case.remembered is Cause.PERSON_EMAILOCTOPUS


def test_a_block_in_ghl_is_a_persons_when_the_other_contact_is_to_be_recreated() -> None:
    decision = decided(case(EMAILOCTOPUS, consent=REVOKED), RECREATE)
    assert (decision.operations, decision.case.remembered) == ((), Cause.PERSON_GHL)
    assert decision.remember is Cause.PERSON_GHL


def test_a_refused_creation_of_the_former_link_does_not_keep_anybody_from_being_recreated() -> None:
    parked = Parked("g1", "e1", "creation", "refused", "", 1, NOW, value=b"x", dropped=True)
    held = Held("g1", "e1", "deletion", "too many", NOW, approved=True)
    decision = decided(replace(case(EMAILOCTOPUS), parked={"creation": parked}, held=(held,)), RECREATE)
    assert [op.action for op in decision.operations] == [Action.CREATE]
    assert (decision.unparks, decision.unholds) == ((parked,), (held,))


@pytest.mark.parametrize("cause", Cause)
def test_who_was_revoked_is_not_recreated(cause: Cause) -> None:
    one = case(EMAILOCTOPUS, link=replace(LINK, cause=cause))
    lost = CaseSide(agreed(subscriber(consent=REVOKED)))
    one = replace(one, emailoctopus=lost, gone=(lost,))
    decision = decided(one, DeleteRule(in_emailoctopus=DeletedInEmailOctopus.RECREATE))
    assert Action.CREATE not in {op.action for op in decision.operations}
    assert (Action.SET_DND in {op.action for op in decision.operations}) is cause.by_person
    assert decision.tombstone is not None
    assert decision.tombstone.done == "nothing"
    assert decision.remember is cause


def test_both_gone() -> None:
    lost = CaseSide(agreed(person())), CaseSide(agreed(subscriber()))
    one = Case(LINK, *lost, gone=lost)
    notice = Notice("deletion", "deleted in GoHighLevel and EmailOctopus: nothing")
    assert decided(one) == replace(buried(one, GHL, "nothing"), notices=(notice,))


def test_what_was_never_known_is_not_in_the_tombstone() -> None:
    lost = CaseSide(KnownContact(GHL, "g1")), CaseSide(KnownContact(EMAILOCTOPUS, "e1"))
    stone = decided(Case(LINK, *lost, gone=lost)).tombstone
    assert stone == Tombstone("g1", "e1", GHL, NOW, "nothing", None, None)


def test_only_a_link_is_buried() -> None:
    with pytest.raises(ValueError, match=r"^only a link's contacts are buried$"):
        decide(replace(case(GHL), link=None), context())


def test_a_revocation_that_is_over_is_nobodys() -> None:
    one = case(GHL, link=replace(LINK, cause=Cause.PERSON_GHL))
    assert decided(one, DeleteRule(in_ghl=DeletedInGhl.IGNORE)).remember is None


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
    assert decision.operations == (unsubscribe("g1", "e1", "revoked in GoHighLevel, then deleted there"),)
    assert decision.remember is Cause.PERSON_GHL


@pytest.mark.parametrize(
    ("rule", "consent", "operations"),
    [
        (DeletedInEmailOctopus.IGNORE, GRANTED, ["block"]),
        (DeletedInEmailOctopus.SUPPRESS, GRANTED, ["block", "mark"]),
        (DeletedInEmailOctopus.SUPPRESS, REVOKED, ["mark"]),
        (DeletedInEmailOctopus.IGNORE, REVOKED, []),
    ],
)
def test_whoever_unsubscribed_and_then_was_deleted_is_blocked_whatever_the_policy(
    rule: DeletedInEmailOctopus, consent: Consent, operations: list[str]
) -> None:
    one = case(EMAILOCTOPUS, consent=consent)
    lost = CaseSide(replace(agreed(subscriber()), consent=REVOKED))
    decision = decided(replace(one, emailoctopus=lost, gone=(lost,)), DeleteRule(in_emailoctopus=rule))
    block = set_dnd("g1", "e1", "revoked in EmailOctopus, then deleted there")
    assert decision.operations == tuple({"block": block, "mark": MARK}[name] for name in operations)


@pytest.mark.parametrize("gone", [GHL, EMAILOCTOPUS])
def test_who_is_left_with_an_address_that_a_person_revoked_is_revoked(gone: SystemName) -> None:
    ignored = DeleteRule(in_ghl=DeletedInGhl.IGNORE, in_emailoctopus=DeletedInEmailOctopus.IGNORE)
    revoke = unsubscribe if gone is GHL else set_dnd
    revoked = replace(case(gone), remembered=Cause.PERSON_EMAILOCTOPUS)
    assert decided(revoked, ignored).operations == (revoke("g1", "e1", "the address is revoked"),)
    assert decided(replace(revoked, remembered=Cause.POLICY), ignored).operations == ()
    assert decided(case(gone, consent=REVOKED), ignored).operations == ()


def test_nothing_of_a_deletion_goes_out_ahead_of_it() -> None:
    assert revocations_of(decided(case(GHL))) is None


def test_the_survivor_is_read_by_id_first() -> None:
    one = case(GHL)
    for row in (None, staged(subscriber(source=Source.HINT))):
        there = CaseSide(agreed(subscriber()), row)
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
    notice = Notice("deletion", "deleted in GoHighLevel, where another contact has the address now: relink")
    assert decision.notices == (notice,)
    assert decision.tombstone is not None
    assert decision.tombstone.done == "relink"


def test_what_waited_of_the_link_is_over_when_an_heir_takes_it_over() -> None:
    parked = Parked("g1", "e1", "tags", "refused", "", 1, NOW)
    held = Held("g1", "e1", "deletion", "too many", NOW)
    heir = CaseSide(agreed(person("g2"), baseline=None), staged(person("g2")))
    decision = decided(replace(case(GHL), found=Found(heir), parked={"tags": parked}, held=(held,)))
    assert (decision.unparks, decision.unholds) == ((parked,), (held,))


def test_an_heir_in_emailoctopus_meets_the_ghl_contact_and_is_no_namesake_any_more() -> None:
    heir = CaseSide(agreed(subscriber("e2"), baseline=None), staged(subscriber("e2")))
    other, duplicate = agreed(subscriber("e3")), CaseSide(agreed(person("g3")), staged(person("g3")))
    one = replace(case(EMAILOCTOPUS), found=Found(heir), namesakes=(heir.known, other), duplicates=(duplicate,))
    decision = decided(one)
    expected = replace(one, link=None, former=LINK, emailoctopus=heir, namesakes=(other,))
    assert (decision.case, decision.operations) == (expected, ())
    assert decision.link is not None
    assert (decision.link.ghl_id, decision.link.emailoctopus_id) == ("g1", "e2")


def test_our_own_block_is_lifted_for_an_heir_that_is_subscribed() -> None:
    heir = CaseSide(agreed(subscriber("e2"), baseline=None), staged(subscriber("e2")))
    link = replace(LINK, cause=Cause.POLICY, dnd_by_us=True)
    one = replace(case(EMAILOCTOPUS, link=link, consent=REVOKED), found=Found(heir))
    assert [op.action for op in decided(one).operations] == [Action.LIFT_DND]


def test_a_duplicate_that_is_there_takes_the_link_over_unasked() -> None:
    heir = CaseSide(agreed(person("g2"), baseline=None), staged(person("g2")))
    decision = decided(replace(case(GHL, searched=False), duplicates=(heir,)))
    assert decision.link is not None
    assert (decision.link.ghl_id, decision.case.duplicates) == ("g2", ())


def test_of_several_duplicates_the_others_stay_duplicates() -> None:
    first, second = (CaseSide(agreed(person(one), baseline=None), staged(person(one))) for one in ("g2", "g3"))
    decision = decided(replace(case(GHL), duplicates=(first, second)))
    assert (decision.case.ghl, decision.case.duplicates) == (first, (second,))


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
    one = replace(case(GHL), found=Found(claimed=True))
    notice = Notice("deletion", "deleted in GoHighLevel, where another contact has the address now: nothing")
    assert decided(one) == replace(buried(one, GHL, "nothing"), notices=(notice,))
    lost = CaseSide(replace(agreed(person()), consent=REVOKED))
    assert [op.revokes for op in decided(replace(one, ghl=lost, gone=(lost,))).operations] == [True]


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
    for row in (lost, CaseSide(replace(lost.known, consent=GRANTED))):
        stone = decided(replace(one, ghl=row, gone=(row,))).tombstone
        assert stone is not None
        assert stone.consent is REVOKED


def with_sent(side: CaseSide, sent: Sent) -> CaseSide:
    return replace(side, known=replace(side.known, sent=sent))


def test_a_revocation_that_a_run_had_begun_is_not_the_consent_that_the_link_had() -> None:
    one = case(GHL, consent=REVOKED)
    assert one.emailoctopus is not None
    seen = replace(one.emailoctopus, known=replace(one.emailoctopus.known, consent=REVOKED))
    again = replace(one, emailoctopus=with_sent(seen, Sent(consent=REVOKED, since=NOW)))
    stone = decided(again).tombstone
    assert stone is not None
    assert (stone.consent, stone.done) == (GRANTED, "unsubscribe")
    stone = decided(replace(one, emailoctopus=seen)).tombstone
    assert stone is not None
    assert stone.consent is REVOKED


def test_what_a_run_had_begun_to_delete_is_no_deletion_of_somebody_elses() -> None:
    one = case(EMAILOCTOPUS)
    lost = with_sent(one.gone[0], Sent(deletion=True))
    stone = decided(replace(one, emailoctopus=lost, gone=(lost,), found=Found(claimed=True))).tombstone
    assert stone is not None
    assert (stone.deleted_in, stone.done) == (GHL, "delete")
    both = case(GHL)
    ends = (both.gone[0], lost)
    stone = decided(replace(both, emailoctopus=lost, gone=ends)).tombstone
    assert stone is not None
    assert (stone.deleted_in, stone.done) == (GHL, "delete")
