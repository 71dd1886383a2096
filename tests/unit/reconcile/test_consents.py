"""Contract, section 4: what the consent of one case asks to be written, to whom, and what is remembered of it."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from sync_daemon.changes.cases import CaseSide
from sync_daemon.model.contact import Consent, Source
from sync_daemon.model.grants import ConsentHistory, LiftedInGhl, OptedInAgain
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.policy import OnLeaveScope, Resubscribe, ScopeRule
from sync_daemon.model.state import Baseline, Cause, KnownContact, Link, Sent, Unlinked
from sync_daemon.reconcile.consents import (
    CaseConsent,
    block_duplicates,
    case_consent,
    set_dnd,
    unsubscribe,
    unsubscribe_namesakes,
)
from sync_daemon.reconcile.side_consent import consent_now, newly_revoked
from tests.unit.changes.values import EMAILOCTOPUS, GHL, GRANTED, PENDING, REVOKED, at, person, staged, subscriber
from tests.unit.reconcile.cases import LINK, at_rest, context, ghl, linked, there, unmet

OURS = Link("g1", "e1", cause=Cause.PERSON_EMAILOCTOPUS, dnd_by_us=True)
UNSUBSCRIBED_THERE = "unsubscribed in EmailOctopus: revoked wins"
BLOCKED_HERE = "e-mail DND in GHL: revoked wins"
ALL_BLOCKED, ENDED = "the address is revoked", "the address is revoked in GoHighLevel"


def known(consent: Consent | None, agreed: Consent | None = None, contact_id: str = "g1", **more: Any) -> KnownContact:
    return KnownContact(GHL, contact_id, consent=consent, baseline=Baseline(consent=agreed) if agreed else None, **more)


def decided(ghl_side: CaseSide, there_side: CaseSide, link: Link = LINK, **more: Any) -> CaseConsent:
    policies = "resubscribe", "double_opt_in", "on_leave_scope", "scope"
    policy = {name: more.pop(name) for name in policies if name in more}
    return case_consent(linked(ghl_side, there_side, link, **more), context(**policy), first=False)


def met_first(ghl_side: CaseSide, there_side: CaseSide, **more: Any) -> CaseConsent:
    case = replace(linked(ghl_side, there_side), link=None, **more)
    return case_consent(case, context(resubscribe=Resubscribe.ALLOW), first=True)


def sent(consent: Consent | None, since: datetime | None = None, seen_at: datetime | None = None) -> Sent:
    return Sent(consent=consent, since=since, at=seen_at)


# What a contact says now


@pytest.mark.parametrize(
    ("side", "now"),
    [
        (ghl(GRANTED, REVOKED), REVOKED),
        (ghl(REVOKED, None), GRANTED),
        (CaseSide(known(REVOKED, GRANTED)), REVOKED),
        (CaseSide(known(GRANTED, REVOKED)), REVOKED),
        (CaseSide(known(PENDING, GRANTED)), GRANTED),
        (CaseSide(known(PENDING)), PENDING),
        (CaseSide(known(None)), GRANTED),
    ],
)
def test_an_unread_contact_says_what_was_agreed_unless_it_was_revoked_since(side: CaseSide, now: Consent) -> None:
    assert consent_now(side) is now


@pytest.mark.parametrize(
    ("side", "new"),
    [
        (ghl(GRANTED, REVOKED), True),
        (ghl(REVOKED, REVOKED), False),
        (ghl(GRANTED, GRANTED), False),
        (unmet(person(consent=REVOKED)), True),
        (unmet(person(consent=GRANTED)), False),
    ],
)
def test_a_revocation_is_new_until_it_is_agreed(side: CaseSide, new: bool) -> None:
    assert newly_revoked(side) is new


# The operations, word by word


def test_what_revokes_is_one_operation_about_consent_alone() -> None:
    assert set_dnd("g1", "e1", "why") == Operation(
        GHL, Action.SET_DND, "g1", "e1", "why", sets=REVOKED, parts=("consent",)
    )
    assert unsubscribe("g1", "e1", "why") == Operation(
        EMAILOCTOPUS, Action.SET_STATUS, "g1", "e1", "why", sets=REVOKED, parts=("consent",)
    )


def test_every_other_contact_with_the_address_is_blocked_once() -> None:
    others = (
        ghl(GRANTED, GRANTED, "g2"),
        ghl(GRANTED, REVOKED, "g3"),
        ghl(REVOKED, GRANTED, "g4"),  # somebody lifted it: that one is left to him
        unmet(person("g5")),
    )
    case = linked(ghl(REVOKED, REVOKED), there(REVOKED, REVOKED), duplicates=others)
    assert list(block_duplicates(case, "e1", "why")) == [set_dnd("g2", "e1", "why"), set_dnd("g5", "e1", "why")]


def test_namesakes_without_a_link_are_unsubscribed_unless_they_are() -> None:
    namesakes = tuple(
        KnownContact(EMAILOCTOPUS, name, consent=consent) for name, consent in {"e2": GRANTED, "e3": REVOKED}.items()
    )
    case = linked(ghl(GRANTED, REVOKED), there(GRANTED, GRANTED), namesakes=namesakes)
    assert list(unsubscribe_namesakes(case)) == [unsubscribe(None, "e2", ENDED)]


# Pairs


def test_nothing_is_asked_for_when_nothing_changed() -> None:
    found = decided(ghl(GRANTED, GRANTED), there(GRANTED, GRANTED))
    assert (found.operations, found.revoked) == ((), False)


def test_a_block_in_ghl_ends_the_subscription() -> None:
    found = decided(ghl(GRANTED, REVOKED), there(GRANTED, GRANTED))
    assert found.operations == (unsubscribe("g1", "e1", BLOCKED_HERE),)
    assert found.revoked
    assert (found.decision.cause, found.decision.dnd_by_us) == (Cause.PERSON_GHL, False)


def test_the_end_of_a_subscription_blocks_everybody_with_the_address() -> None:
    found = decided(ghl(GRANTED, GRANTED), there(GRANTED, REVOKED), duplicates=(ghl(GRANTED, GRANTED, "g2"),))
    assert found.operations == (set_dnd("g1", "e1", UNSUBSCRIBED_THERE), set_dnd("g2", "e1", ALL_BLOCKED))
    assert found.revoked
    assert found.decision.dnd_by_us


def test_the_end_of_a_subscription_blocks_who_has_its_address_under_another_link() -> None:
    holders = (known(GRANTED, contact_id="g5"), known(REVOKED, contact_id="g6"))
    ended = decided(ghl(GRANTED, GRANTED), there(GRANTED, REVOKED), additional_holders=holders)
    assert ended.operations == (set_dnd("g1", "e1", UNSUBSCRIBED_THERE), set_dnd("g5", "e1", ALL_BLOCKED))
    blocked = decided(ghl(GRANTED, REVOKED), there(GRANTED, GRANTED), additional_holders=holders)
    assert blocked.operations == (unsubscribe("g1", "e1", BLOCKED_HERE),)


def test_both_revoked_at_once_needs_no_write_but_to_the_others() -> None:
    found = decided(ghl(GRANTED, REVOKED), there(GRANTED, REVOKED), duplicates=(ghl(GRANTED, GRANTED, "g2"),))
    assert found.operations == (set_dnd("g2", "e1", ALL_BLOCKED),)
    assert found.revoked
    assert not found.decision.dnd_by_us


def test_what_policy_revoked_is_nobodys_revocation_and_blocks_nobody() -> None:
    link = replace(LINK, cause=Cause.POLICY)
    found = decided(ghl(REVOKED, REVOKED), there(REVOKED, REVOKED), link, duplicates=(ghl(GRANTED, GRANTED, "g2"),))
    assert (found.operations, found.revoked) == ((), False)
    assert found.decision.cause is Cause.POLICY


def test_a_new_block_ends_the_subscription_of_namesakes_too() -> None:
    namesakes = (KnownContact(EMAILOCTOPUS, "e2", consent=GRANTED),)
    found = decided(ghl(GRANTED, REVOKED), there(GRANTED, GRANTED), namesakes=namesakes)
    assert found.operations == (unsubscribe("g1", "e1", BLOCKED_HERE), unsubscribe(None, "e2", ENDED))
    old = decided(ghl(REVOKED, REVOKED), there(GRANTED, REVOKED), namesakes=namesakes)
    assert (old.operations, old.revoked) == ((), True)
    there_first = decided(ghl(GRANTED, GRANTED), there(GRANTED, REVOKED), namesakes=namesakes)
    assert there_first.operations == (set_dnd("g1", "e1", UNSUBSCRIBED_THERE),)


def test_a_new_block_ends_a_subscription_of_which_no_poll_may_have_told() -> None:
    """Who is believed to be unsubscribed may have subscribed since; what was read of him says whether he has."""
    old = at_rest(subscriber(consent=REVOKED))
    again = (unsubscribe("g1", "e1", BLOCKED_HERE),)
    assert decided(ghl(GRANTED, REVOKED), old).operations == again
    assert decided(ghl(REVOKED, REVOKED), old, duplicates=(ghl(GRANTED, REVOKED, "g3"),)).operations == again
    assert decided(ghl(GRANTED, REVOKED), there(REVOKED, REVOKED)).operations == ()
    assert decided(ghl(REVOKED, REVOKED), old).operations == ()
    assert decided(ghl(GRANTED, REVOKED, sent=sent(REVOKED)), old).operations == ()


def test_a_duplicates_new_block_counts_for_the_whole_address() -> None:
    found = decided(ghl(GRANTED, GRANTED), there(GRANTED, GRANTED), duplicates=(ghl(GRANTED, REVOKED, "g2"),))
    assert found.operations == (unsubscribe("g1", "e1", BLOCKED_HERE), set_dnd("g1", "e1", BLOCKED_HERE))
    assert found.revoked
    # The block of the linked contact is this program's own, although a duplicate's was the reason.
    assert found.decision.dnd_by_us


def test_a_duplicates_new_block_ends_namesakes_too() -> None:
    namesakes = (KnownContact(EMAILOCTOPUS, "e2", consent=GRANTED),)
    duplicates = (ghl(GRANTED, REVOKED, "g2"),)
    found = decided(ghl(GRANTED, GRANTED), there(GRANTED, GRANTED), duplicates=duplicates, namesakes=namesakes)
    assert unsubscribe(None, "e2", ENDED) in found.operations


@pytest.mark.parametrize("permanent", [False, True])
@pytest.mark.parametrize("now", [GRANTED, REVOKED])
def test_a_duplicates_new_block_outweighs_that_the_person_opts_in_at_the_same_time(
    now: Consent, permanent: bool
) -> None:
    side = ghl(REVOKED, now)
    assert side.staged is not None
    side = side.with_read(person(consent=now, permanent=permanent and now is REVOKED))
    found = decided(side, there(REVOKED, GRANTED), OURS, duplicates=(ghl(GRANTED, REVOKED, "g2"),))
    ours = [] if now is REVOKED else [set_dnd("g1", "e1", BLOCKED_HERE)]
    assert list(found.operations) == [unsubscribe("g1", "e1", BLOCKED_HERE), *ours]


def test_a_duplicates_new_block_makes_a_person_the_cause_of_what_policy_revoked() -> None:
    link = replace(LINK, cause=Cause.POLICY)
    found = decided(ghl(REVOKED, REVOKED), there(REVOKED, REVOKED), link, duplicates=(ghl(GRANTED, REVOKED, "g2"),))
    assert (found.decision.cause, found.revoked) == (Cause.PERSON_GHL, True)


def test_a_duplicates_old_block_is_no_news() -> None:
    found = decided(ghl(GRANTED, GRANTED), there(GRANTED, GRANTED), duplicates=(ghl(REVOKED, REVOKED, "g2"),))
    assert found.operations == ()


def test_a_link_that_moved_from_a_revoked_address_brings_the_stricter_consent() -> None:
    left = there(REVOKED, REVOKED, "e0")
    found = decided(ghl(GRANTED, GRANTED), there(GRANTED, GRANTED), left_behind=left)
    assert found.operations == (unsubscribe("g1", "e1", BLOCKED_HERE), set_dnd("g1", "e1", BLOCKED_HERE))
    free = decided(ghl(GRANTED, GRANTED), there(GRANTED, GRANTED), left_behind=there(GRANTED, GRANTED, "e0"))
    assert free.operations == ()


def test_what_policy_revoked_does_not_come_along_when_a_link_moves() -> None:
    left = there(REVOKED, REVOKED, "e0")
    for cause, revoked in ((Cause.POLICY, False), (Cause.PERSON_GHL, True)):
        former = Link("g1", "e0", cause=cause)
        found = decided(ghl(GRANTED, GRANTED), there(GRANTED, GRANTED), left_behind=left, former=former)
        assert (bool(found.operations), found.revoked) == (revoked, revoked)


def test_a_new_address_that_a_person_had_revoked_is_revoked() -> None:
    found = decided(ghl(GRANTED, GRANTED), there(GRANTED, GRANTED), enters_revoked=True)
    assert found.operations == (unsubscribe("g1", "e1", BLOCKED_HERE), set_dnd("g1", "e1", BLOCKED_HERE))


# Steps toward consent


def test_an_own_block_is_lifted_on_the_evidence_of_both_reads() -> None:
    one, other = ghl(REVOKED, REVOKED), there(REVOKED, GRANTED)
    found = decided(one, other, OURS)
    [lift] = found.operations
    reason = "subscribed again in EmailOctopus; the DND was this program's"
    history = ConsentHistory(Cause.PERSON_EMAILOCTOPUS, dnd_by_us=True)
    assert one.snapshot is not None
    assert other.snapshot is not None
    evidence = OptedInAgain(ghl=one.snapshot, emailoctopus=other.snapshot, history=history)
    assert lift == Operation(GHL, Action.LIFT_DND, "g1", "e1", reason, sets=evidence, parts=("consent",))
    assert not found.revoked


def test_an_own_block_that_is_permanent_now_is_not_lifted() -> None:
    side = ghl(REVOKED, REVOKED).with_read(person(consent=REVOKED, permanent=True))
    found = decided(side, there(REVOKED, GRANTED), OURS)
    assert (found.operations, found.decision.held) == ((), True)


@pytest.mark.parametrize("resubscribe", [Resubscribe.PENDING, Resubscribe.ALLOW])
def test_a_status_is_set_on_the_evidence_of_both_reads(resubscribe: Resubscribe) -> None:
    one, other = ghl(REVOKED, GRANTED), there(REVOKED, REVOKED)
    link = replace(LINK, cause=Cause.PERSON_GHL)
    found = decided(one, other, link, resubscribe=resubscribe, double_opt_in=True)
    [step] = found.operations
    assert one.snapshot is not None
    assert other.snapshot is not None
    evidence = LiftedInGhl(
        ghl=one.snapshot,
        emailoctopus=other.snapshot,
        agreed=REVOKED,
        history=ConsentHistory(Cause.PERSON_GHL),
        resubscribe=resubscribe,
        double_opt_in=True,
    )
    reason = found.decision.reason
    assert step == Operation(EMAILOCTOPUS, Action.SET_STATUS, "g1", "e1", reason, sets=evidence, parts=("consent",))
    assert str(resubscribe) in reason
    assert not found.revoked


@pytest.mark.parametrize(
    ("which", "unread"),
    [("ghl", Source.HINT), ("ghl", Source.WRITE), ("ghl", None), ("emailoctopus", Source.LISTING)],
)
def test_without_both_reads_there_is_a_decision_but_no_operation(which: str, unread: Source | None) -> None:
    sides = {"ghl": ghl(REVOKED, REVOKED), "emailoctopus": there(REVOKED, GRANTED)}
    snapshot = sides[which].snapshot
    assert snapshot is not None
    row = staged(replace(snapshot, source=unread)) if unread else None
    sides[which] = replace(sides[which], staged=row)
    found = decided(sides["ghl"], sides["emailoctopus"], OURS)
    assert (found.operations, found.decision.step_up) == ((), True)


def test_whoever_never_confirmed_is_asked_again_where_the_list_asks() -> None:
    side = there(REVOKED, REVOKED)
    never = replace(side, known=replace(side.known, baseline=Baseline(consent=REVOKED, unconfirmed=True)))
    [step] = decided(ghl(REVOKED, GRANTED), never, resubscribe=Resubscribe.ALLOW, double_opt_in=True).operations
    assert isinstance(step.sets, LiftedInGhl)
    assert (step.consent, step.sets.unconfirmed) == (PENDING, True)
    held = decided(ghl(REVOKED, GRANTED), never, resubscribe=Resubscribe.ALLOW, double_opt_in=False)
    assert (held.operations, held.decision.held) == ((), True)


def test_pending_on_a_list_that_asks_nobody_holds_the_wish() -> None:
    found = decided(
        ghl(REVOKED, GRANTED), there(REVOKED, REVOKED), resubscribe=Resubscribe.PENDING, double_opt_in=False
    )
    assert (found.operations, found.decision.held) == ((), True)


# First meetings


def test_of_two_that_meet_the_revoked_one_wins() -> None:
    one = met_first(unmet(person(consent=REVOKED)), unmet(subscriber()))
    assert one.operations == (unsubscribe("g1", "e1", BLOCKED_HERE),)
    other = met_first(unmet(person()), unmet(subscriber(consent=REVOKED)))
    assert other.operations == (set_dnd("g1", "e1", UNSUBSCRIBED_THERE),)
    assert other.decision.dnd_by_us


def test_what_they_had_agreed_with_others_is_no_history_of_two_that_meet() -> None:
    found = met_first(ghl(REVOKED, REVOKED), there(REVOKED, GRANTED))
    assert found.operations == (unsubscribe("g1", "e1", BLOCKED_HERE),)


def test_a_duplicates_block_counts_when_two_meet() -> None:
    found = met_first(unmet(person()), unmet(subscriber()), duplicates=(unmet(person("g2", consent=REVOKED)),))
    assert found.operations == (unsubscribe("g1", "e1", BLOCKED_HERE), set_dnd("g1", "e1", BLOCKED_HERE))


ORPHAN = {"unlinked": Unlinked.ORPHAN, "baseline": Baseline(consent=REVOKED), "consent": REVOKED}


def test_an_orphan_that_policy_unsubscribed_may_come_back_by_allow() -> None:
    found = met_first(unmet(person()), unmet(subscriber(consent=REVOKED), **ORPHAN))
    [step] = found.operations
    assert step.consent is GRANTED
    assert isinstance(step.sets, LiftedInGhl)
    assert step.sets.history.cause is Cause.POLICY


@pytest.mark.parametrize(
    "changes",
    [
        {"unlinked": Unlinked.SUPPRESSED},
        {"baseline": Baseline(consent=GRANTED)},  # the person unsubscribed after that
        {"baseline": None},
    ],
)
def test_whoever_unsubscribed_himself_stays_so(changes: dict[str, Any]) -> None:
    found = met_first(unmet(person()), unmet(subscriber(consent=REVOKED), **{**ORPHAN, **changes}))
    assert found.operations == (set_dnd("g1", "e1", UNSUBSCRIBED_THERE),)


def test_a_remembered_person_outweighs_what_policy_did() -> None:
    found = met_first(
        unmet(person()), unmet(subscriber(consent=REVOKED), **ORPHAN), remembered=Cause.PERSON_EMAILOCTOPUS
    )
    assert found.operations == (set_dnd("g1", "e1", UNSUBSCRIBED_THERE),)


def test_a_block_that_a_person_had_set_is_his_again_on_two_that_meet() -> None:
    def ours(cause: Cause) -> bool:
        return met_first(unmet(person()), unmet(subscriber()), remembered=cause).decision.dnd_by_us

    assert (ours(Cause.PERSON_GHL), ours(Cause.PERSON_EMAILOCTOPUS)) == (False, True)


@pytest.mark.parametrize("remembered", [Cause.PERSON_GHL, Cause.PERSON_EMAILOCTOPUS])
def test_two_that_meet_with_an_address_that_a_person_revoked_are_revoked(remembered: Cause) -> None:
    found = met_first(unmet(person()), unmet(subscriber()), remembered=remembered)
    assert {op.system for op in found.operations} == {GHL, EMAILOCTOPUS}
    assert all(op.revokes for op in found.operations)
    assert found.revoked


@pytest.mark.parametrize(
    ("ghl_side", "there_side", "remembered"),
    [
        (ghl(REVOKED, GRANTED), unmet(subscriber()), Cause.PERSON_GHL),
        (unmet(person()), there(REVOKED, GRANTED), Cause.PERSON_EMAILOCTOPUS),
        (unmet(person()), there(PENDING, GRANTED), Cause.PERSON_EMAILOCTOPUS),
        (unmet(person()), unmet(subscriber(consent=PENDING)), Cause.PERSON_EMAILOCTOPUS),
        (unmet(person()), unmet(subscriber()), Cause.POLICY),
    ],
)
def test_who_took_back_what_he_had_revoked_meets_nothing_of_it(
    ghl_side: CaseSide, there_side: CaseSide, remembered: Cause
) -> None:
    assert met_first(ghl_side, there_side, remembered=remembered).operations == ()


def test_a_duplicate_takes_back_a_block_too() -> None:
    freed = (ghl(REVOKED, GRANTED, "g2"),)
    found = met_first(unmet(person()), unmet(subscriber()), remembered=Cause.PERSON_GHL, duplicates=freed)
    assert found.operations == ()


def test_a_link_decides_by_itself_whatever_is_remembered_of_the_address() -> None:
    case = replace(linked(ghl(GRANTED, GRANTED), there(GRANTED, GRANTED)), remembered=Cause.PERSON_GHL)
    assert case_consent(case, context(), first=True).operations == ()


def test_an_orphan_that_subscribed_again_has_no_policy_against_it() -> None:
    found = met_first(unmet(person()), unmet(subscriber(), **ORPHAN))
    assert (found.operations, found.decision.cause) == ((), None)


BLOCKED_BY_POLICY = {**ORPHAN, "remembered": Cause.POLICY}


@pytest.mark.parametrize(
    ("changes", "lifted"),
    [
        ({}, True),
        ({"unlinked": Unlinked.SUPPRESSED}, False),
        ({"unlinked": None}, False),
        ({"remembered": None}, False),
        ({"remembered": Cause.PERSON_EMAILOCTOPUS}, False),
        ({"baseline": Baseline(consent=GRANTED)}, False),  # somebody blocked it after that
    ],
)
def test_a_block_by_the_delete_policy_is_lifted_for_whoever_subscribed_again(
    changes: dict[str, Any], lifted: bool
) -> None:
    row = {**BLOCKED_BY_POLICY, **changes}
    remembered = row.pop("remembered")
    found = met_first(unmet(person(consent=REVOKED), **row), unmet(subscriber()), remembered=remembered)
    assert [one.action for one in found.operations] == [Action.LIFT_DND if lifted else Action.SET_STATUS]


@pytest.mark.parametrize(
    ("here", "duplicates", "there_", "his"),
    [
        (ORPHAN, (), {}, True),
        ({}, ("g2",), {}, True),  # the policy blocked whoever has the address beside this contact
        ({}, (), {}, False),  # nobody knows who blocked this one
        (ORPHAN, (), {"baseline": Baseline(consent=REVOKED)}, False),  # as the policy had left it
        (ORPHAN, (), {"sent": sent(REVOKED)}, False),  # this program was unsubscribing it
    ],
)
def test_who_unsubscribed_after_the_delete_policys_block_is_a_person(
    here: dict[str, Any], duplicates: tuple[str, ...], there_: dict[str, Any], *, his: bool
) -> None:
    found = met_first(
        unmet(person(consent=REVOKED), **here),
        unmet(subscriber(consent=REVOKED), **there_),
        remembered=Cause.POLICY,
        duplicates=tuple(unmet(person(one, consent=REVOKED), **ORPHAN) for one in duplicates),
    )
    assert (found.decision.cause is Cause.PERSON_EMAILOCTOPUS) is his


def test_a_contact_with_a_link_is_judged_by_it_and_not_by_who_was_blocked_beside_it() -> None:
    beside = (unmet(person("g2", consent=REVOKED), **ORPHAN),)
    both = ghl(REVOKED, REVOKED), unmet(subscriber(consent=REVOKED))
    found = decided(*both, replace(OURS, cause=None), remembered=Cause.POLICY, duplicates=beside)
    assert found.decision.cause is not Cause.PERSON_EMAILOCTOPUS


def test_a_link_that_this_one_replaces_is_the_history() -> None:
    former = replace(OURS, cause=Cause.POLICY, consent_held=True)
    found = met_first(unmet(person(consent=REVOKED)), unmet(subscriber()), former=former)
    [lift] = found.operations
    assert lift.action is Action.LIFT_DND


def test_a_duplicates_new_block_outweighs_that_policys_was_to_be_lifted() -> None:
    former, duplicates = replace(OURS, cause=Cause.POLICY), (ghl(GRANTED, REVOKED, "g2"),)
    for side in (unmet(person()), unmet(person(consent=REVOKED))):
        found = met_first(side, unmet(subscriber()), former=former, duplicates=duplicates)
        assert found.operations[0] == unsubscribe("g1", "e1", BLOCKED_HERE)


def test_who_revoked_the_address_is_remembered_where_the_link_says_nothing() -> None:
    both = ghl(REVOKED, REVOKED), there(REVOKED, REVOKED)
    assert decided(*both, remembered=Cause.PERSON_EMAILOCTOPUS).decision.cause is Cause.PERSON_EMAILOCTOPUS
    assert decided(*both, OURS, remembered=Cause.PERSON_GHL).decision.cause is Cause.PERSON_EMAILOCTOPUS
    held = decided(ghl(REVOKED, REVOKED), there(GRANTED, GRANTED), replace(OURS, consent_held=True))
    assert (held.decision.held, held.decision.dnd_by_us) == (True, True)


# When the process died between a write and writing it down


def test_a_revocation_that_was_being_carried_over_is_no_new_one() -> None:
    blocked = decided(ghl(GRANTED, REVOKED, sent=sent(REVOKED)), there(GRANTED, REVOKED))
    assert blocked.operations == ()
    assert (blocked.decision.cause, blocked.decision.dnd_by_us) == (Cause.PERSON_EMAILOCTOPUS, True)
    named = decided(
        ghl(GRANTED, REVOKED, sent=sent(REVOKED)), there(GRANTED, REVOKED), replace(LINK, cause=Cause.POLICY)
    )
    assert named.decision.cause is Cause.POLICY


def test_an_own_block_of_two_that_never_got_a_link_is_known_again() -> None:
    found = met_first(unmet(person(consent=REVOKED), sent=sent(REVOKED)), unmet(subscriber(consent=REVOKED)))
    assert (found.decision.cause, found.decision.dnd_by_us) == (Cause.PERSON_EMAILOCTOPUS, True)


def test_an_own_block_is_known_again_when_the_person_opted_in_meanwhile() -> None:
    found = decided(ghl(GRANTED, REVOKED, sent=sent(REVOKED)), there(GRANTED, GRANTED))
    [lift] = found.operations
    assert lift.action is Action.LIFT_DND
    assert not found.decision.dnd_by_us


@pytest.mark.parametrize(
    ("here_now", "there_now", "rest", "by_us"),
    [
        (REVOKED, GRANTED, [unsubscribe("g1", "e1", BLOCKED_HERE)], True),
        (GRANTED, REVOKED, [set_dnd("g1", "e1", UNSUBSCRIBED_THERE)], True),
        (REVOKED, REVOKED, [], True),
        (GRANTED, GRANTED, [], False),
    ],
)
def test_of_both_revocations_that_a_namesakes_block_asked_for_the_missing_one_is_made(
    here_now: Consent, there_now: Consent, rest: list[Operation], by_us: bool
) -> None:
    found = decided(ghl(GRANTED, here_now, sent=sent(REVOKED)), there(GRANTED, there_now, sent=sent(REVOKED)))
    assert (list(found.operations), found.decision.dnd_by_us) == (rest, by_us)


def test_the_half_of_them_that_arrived_is_our_own_on_two_that_meet_too() -> None:
    block = unmet(person("g2", consent=REVOKED))
    one, other = unmet(person(consent=REVOKED), sent=sent(REVOKED)), unmet(subscriber(), sent=sent(REVOKED))
    found = met_first(one, other, duplicates=(block,))
    assert (found.operations, found.decision.dnd_by_us) == ((unsubscribe("g1", "e1", BLOCKED_HERE),), True)


@pytest.mark.parametrize(
    ("minutes", "was_sent", "row", "ours"),
    [
        (0, Sent(creation=True, since=at(0)), {}, True),
        (2, Sent(creation=True, since=at(0)), {}, False),
        (0, Sent(creation=True), {}, False),
        (0, Sent(since=at(0)), {}, False),
        (0, Sent(creation=True, since=at(0)), {"baseline": Baseline()}, False),
    ],
)
def test_a_contact_that_was_being_created_blocked_has_our_own_block(
    minutes: float, was_sent: Sent, row: dict[str, Any], ours: bool
) -> None:
    made = unmet(person(consent=REVOKED, minutes=minutes), **row)
    found = met_first(made, unmet(subscriber(consent=REVOKED), sent=was_sent))
    cause = Cause.PERSON_EMAILOCTOPUS if ours else Cause.PERSON_GHL
    assert (found.decision.cause, found.decision.dnd_by_us) == (cause, ours)


def test_a_contact_that_is_linked_or_was_not_read_was_not_being_created() -> None:
    other = unmet(subscriber(consent=REVOKED), sent=Sent(creation=True, since=at(0)))
    for found in (decided(unmet(person(consent=REVOKED)), other), met_first(CaseSide(known(REVOKED)), other)):
        assert (found.decision.cause, found.decision.dnd_by_us) == (Cause.PERSON_GHL, False)


def test_a_block_that_was_lifted_meanwhile_is_known_to_have_been_there() -> None:
    found = decided(ghl(GRANTED, GRANTED), there(GRANTED, REVOKED, sent=sent(REVOKED)), resubscribe=Resubscribe.ALLOW)
    [step] = found.operations
    assert step.consent is GRANTED
    assert isinstance(step.sets, LiftedInGhl)
    assert (step.sets.agreed, step.sets.history.cause) == (REVOKED, Cause.POLICY)


IN_CLUB = ScopeRule(tags_all=("club",))


@pytest.mark.parametrize(
    ("on_leave_scope", "tags", "changes", "carried"),
    [
        (OnLeaveScope.UNSUBSCRIBE, (), {}, False),
        (OnLeaveScope.KEEP, (), {}, True),
        (OnLeaveScope.REMOVE_TAGS, (), {}, True),
        (OnLeaveScope.UNSUBSCRIBE, ("club",), {}, True),
        (OnLeaveScope.UNSUBSCRIBE, (), {"in_scope": False}, True),
    ],
)
def test_what_leaving_the_scope_was_unsubscribing_had_no_block_in_ghl_that_somebody_lifted(
    on_leave_scope: OnLeaveScope, tags: tuple[str, ...], changes: dict[str, Any], carried: bool
) -> None:
    side = ghl(GRANTED, GRANTED).with_read(person(tags=tags))
    died = there(GRANTED, REVOKED, sent=sent(REVOKED))
    found = decided(side, died, replace(LINK, **changes), on_leave_scope=on_leave_scope, scope=IN_CLUB)
    assert (found.operations, found.decision.held) == ((), carried)


def test_whoever_was_not_read_did_not_leave_the_scope() -> None:
    died = there(GRANTED, REVOKED, sent=sent(REVOKED))
    found = decided(CaseSide(known(GRANTED, GRANTED)), died, on_leave_scope=OnLeaveScope.UNSUBSCRIBE, scope=IN_CLUB)
    assert found.decision.held


def test_who_is_remembered_to_have_revoked_outweighs_policy_then_too() -> None:
    found = decided(
        ghl(GRANTED, GRANTED),
        there(GRANTED, REVOKED, sent=sent(REVOKED)),
        remembered=Cause.PERSON_GHL,
    )
    assert (found.decision.held, found.decision.cause) == (True, Cause.PERSON_GHL)


@pytest.mark.parametrize(("minutes", "ours"), [(0, True), (0.5, True), (0.51, False)])
def test_a_block_that_came_well_after_ours_was_sent_is_a_persons(minutes: float, ours: bool) -> None:
    side = ghl(GRANTED, REVOKED, sent=sent(REVOKED, since=at(0))).with_read(person(consent=REVOKED, minutes=minutes))
    found = decided(side, there(GRANTED, GRANTED))
    assert [one.action for one in found.operations] == [Action.LIFT_DND if ours else Action.SET_STATUS]


@pytest.mark.parametrize(("updated_at", "ours"), [(None, True), (at(0), True), (at(1), False)])
def test_the_time_of_an_unread_contact_is_the_one_known(updated_at: datetime | None, ours: bool) -> None:
    row = known(REVOKED, GRANTED, updated_at=updated_at, sent=sent(REVOKED, since=at(0)))
    found = decided(CaseSide(row), there(GRANTED, REVOKED))
    assert found.decision.dnd_by_us is ours


def test_without_a_time_of_sending_it_counts_as_ours() -> None:
    found = decided(ghl(GRANTED, REVOKED, sent=sent(REVOKED)), there(GRANTED, REVOKED))
    assert found.decision.dnd_by_us


def test_a_step_that_was_taken_and_revoked_again_is_a_new_revocation() -> None:
    """Without knowing that the step was taken, the block would look like the old one that it lifted."""
    side = ghl(REVOKED, REVOKED, sent=sent(GRANTED, seen_at=at(-1)))
    found = decided(side, there(REVOKED, GRANTED), OURS)
    assert found.operations == (unsubscribe("g1", "e1", BLOCKED_HERE),)


def test_a_step_of_which_the_time_is_unknown_counts_as_taken() -> None:
    found = decided(ghl(REVOKED, REVOKED, sent=sent(GRANTED)), there(REVOKED, GRANTED), OURS)
    assert found.operations == (unsubscribe("g1", "e1", BLOCKED_HERE),)


def test_a_contact_unchanged_since_shows_that_the_step_was_not_taken() -> None:
    found = decided(ghl(REVOKED, REVOKED, sent=sent(GRANTED, seen_at=at(0))), there(REVOKED, GRANTED), OURS)
    assert [one.action for one in found.operations] == [Action.LIFT_DND]


def test_an_unread_contact_shows_no_step() -> None:
    row = known(REVOKED, REVOKED, sent=sent(GRANTED, seen_at=at(0)))
    found = decided(CaseSide(row), there(REVOKED, GRANTED), OURS)
    assert (found.operations, found.decision.step_up) == ((), True)


@pytest.mark.parametrize("step", [GRANTED, PENDING])
def test_a_status_that_was_set_and_taken_back_is_a_new_revocation(step: Consent) -> None:
    side = there(REVOKED, REVOKED, sent=sent(step, seen_at=at(-1)))
    found = decided(ghl(REVOKED, GRANTED), side, resubscribe=Resubscribe.ALLOW)
    assert found.operations == (set_dnd("g1", "e1", UNSUBSCRIBED_THERE),)


def test_a_step_that_arrived_is_agreed() -> None:
    found = decided(ghl(REVOKED, GRANTED, sent=sent(GRANTED)), there(REVOKED, GRANTED), OURS)
    assert (found.operations, found.decision.dnd_by_us) == ((), False)


def test_a_person_who_blocks_after_the_step_arrived_is_heard() -> None:
    lifted = ghl(REVOKED, GRANTED, sent=sent(GRANTED))
    found = decided(lifted, there(REVOKED, REVOKED), replace(OURS, cause=Cause.POLICY))
    assert found.operations == (set_dnd("g1", "e1", UNSUBSCRIBED_THERE),)
    subscribed = there(REVOKED, GRANTED, sent=sent(GRANTED))
    found = decided(ghl(REVOKED, REVOKED), subscribed, replace(OURS, cause=Cause.POLICY))
    assert found.operations == (unsubscribe("g1", "e1", BLOCKED_HERE),)


def test_two_that_meet_know_nothing_of_what_was_on_its_way() -> None:
    found = met_first(unmet(person(consent=REVOKED), sent=sent(GRANTED)), unmet(subscriber(), sent=sent(GRANTED)))
    assert found.operations == (unsubscribe("g1", "e1", BLOCKED_HERE),)
    assert at_rest(person()).snapshot is None
