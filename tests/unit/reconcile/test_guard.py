"""How many changes of a kind a day has room for, what counts as one, and what is left of a case that is held."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from sync_daemon.apply.intents import before_intents, intents
from sync_daemon.changes.cases import Case, CaseSide
from sync_daemon.model.contact import Consent
from sync_daemon.model.plan import Action, MassChange, Operation
from sync_daemon.model.policy import FieldRule, GuardLimits
from sync_daemon.model.state import Cause, Held, KnownContact, Link, Parked, Sent, Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.decision import Decision, ToPark, revocations_of
from sync_daemon.reconcile.fields import FieldConflict
from sync_daemon.reconcile.foreseen import asking
from sync_daemon.reconcile.guard import (
    OF_NO_CASE,
    asked,
    begun,
    fresh,
    guarded,
    kind_of,
    refused,
    room_left,
    split,
    stuck_parts,
    why_held,
    within_reach,
)
from tests import grants
from tests.unit.reconcile.cases import context

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
LIMITS = GuardLimits(max_destructive_percent=10, max_destructive_count=20, max_create_percent=50, max_create_count=1000)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST, LAST = FieldRule("firstName", "FirstName"), FieldRule("lastName", "LastName")
RULES = (FIRST, LAST)
LINK = Link("g1", "e1", bounces={LAST.key: (NOW,)})
GUARDED = [kind for kind in MassChange if kind not in OF_NO_CASE]


def operation(action: Action, system: SystemName = EMAILOCTOPUS, **more: Any) -> Operation:
    return grants.operation(system, action, "g1", "e1", "why", **more)


BLANK = operation(Action.UPDATE, fields={"FirstName": "Ida", "LastName": None}, parts=(FIRST.key, LAST.key))
UNTAG = operation(Action.REMOVE_TAGS, tags=("news",), parts=("tags",))
TAG = operation(Action.ADD_TAGS, tags=("vip",), parts=("tags",))
LEAVE = operation(Action.SET_STATUS, consent=Consent.REVOKED, parts=("consent",), policy=MassChange.LEAVE_SCOPE)
DELETE = operation(Action.DELETE, parts=("deletion",), policy=MassChange.DELETION)
CREATE = grants.operation(EMAILOCTOPUS, Action.CREATE, "g1", None, "why", address="a@example.com", parts=("creation",))
CREATE_IN_GHL = Operation(GHL, Action.CREATE, None, "e1", "why", address="a@example.com", parts=("creation",))
DND = operation(Action.SET_DND, GHL, consent=Consent.REVOKED, parts=("consent",))
EACH = {
    MassChange.BLANK: BLANK,
    MassChange.TAG_REMOVAL: UNTAG,
    MassChange.LEAVE_SCOPE: LEAVE,
    MassChange.DELETION: DELETE,
    MassChange.CREATE_IN_EMAILOCTOPUS: CREATE,
    MassChange.CREATE_IN_GHL: CREATE_IN_GHL,
}


def held(kind: str, **orders: bool) -> Held:
    return Held("g1", "e1", kind, "too many", NOW, **orders)


def case(*entries: Held, **more: Any) -> Case:
    sides = {name: CaseSide(KnownContact(name, contact_id)) for name, contact_id in ((GHL, "g1"), (EMAILOCTOPUS, "e1"))}
    return Case(LINK, sides[GHL], sides[EMAILOCTOPUS], held=entries, **more)


def decided(*operations: Operation, of: Case | None = None, **more: Any) -> Decision:
    settles = frozenset({FIRST.key, LAST.key, "tags", "consent"})
    return Decision(of or case(), operations, **{"settles": settles, "link": LINK, **more})


def hold(decision: Decision, *kinds: MassChange, first_load: bool = False) -> Decision:
    return guarded(decision, dict.fromkeys(kinds, "too many"), RULES, NOW, first_load=first_load)


# room


@pytest.mark.parametrize(
    ("kind", "links", "made_before", "left"),
    [
        (MassChange.DELETION, 0, 0, 20),
        (MassChange.DELETION, 100, 0, 20),
        (MassChange.DELETION, 300, 0, 30),
        (MassChange.DELETION, 309, 0, 30),
        (MassChange.DELETION, 300, 12, 18),
        (MassChange.DELETION, 300, 40, 0),
        (MassChange.LEAVE_SCOPE, 210, 1, 20),
        (MassChange.RULE_REMOVAL, 300, 0, 30),
        (MassChange.UNDO, 300, 2, 28),
        (MassChange.RULE_ACTION, 300, 0, 1000),
        (MassChange.RULE_ACTION, 3000, 100, 1400),
        (MassChange.BLANK, 210, 1, 20),
        (MassChange.TAG_REMOVAL, 300, 30, 0),
        (MassChange.CREATE_IN_GHL, 300, 0, 1000),
        (MassChange.CREATE_IN_EMAILOCTOPUS, 4000, 500, 1500),
    ],
)
def test_a_limit_is_passed_when_both_its_share_and_its_count_are(
    kind: MassChange, links: int, made_before: int, left: int
) -> None:
    assert room_left(kind, LIMITS, links=links, made=made_before) == left


def test_why_something_is_held_tells_the_numbers_that_hold_it() -> None:
    assert why_held(MassChange.BLANK, LIMITS, links=1234, made=0, asked=130) == (
        "contacts with cleared fields: 130 in one cycle, more than 20 and more than 10% of 1,234 links"
    )
    assert why_held(MassChange.CREATE_IN_GHL, LIMITS, links=10, made=900, asked=101) == (
        "new contacts in GoHighLevel: 101 in one cycle after 900 in the 24 hours before, "
        "more than 1,000 and more than 50% of 10 links"
    )


# kinds


@pytest.mark.parametrize("kind", GUARDED)
def test_each_kind_is_known_by_its_operation(kind: MassChange) -> None:
    assert kind_of(EACH[kind]) is kind


@pytest.mark.parametrize(
    "operation",
    [TAG, DND, replace(LEAVE, policy=None), replace(BLANK, fields={"FirstName": "Ida"}), replace(DELETE, policy=None)],
)
def test_what_a_person_does_and_what_destroys_nothing_is_of_no_kind(operation: Operation) -> None:
    assert kind_of(operation) is None


def test_the_mark_of_a_deletion_is_one() -> None:
    assert kind_of(replace(TAG, policy=MassChange.DELETION)) is MassChange.DELETION


def test_one_change_is_one_contact_whatever_its_writes() -> None:
    both = decided(BLANK, replace(BLANK, system=GHL), UNTAG, replace(UNTAG, system=GHL), TAG, DND)
    assert asked(both) == {MassChange.BLANK: ("g1", "e1"), MassChange.TAG_REMOVAL: ("g1", "e1")}
    assert asked(decided(CREATE)) == {MassChange.CREATE_IN_EMAILOCTOPUS: ("g1", None)}


def test_a_deletion_is_about_the_link_and_an_orphan_about_itself() -> None:
    unsubscribe = replace(LEAVE, ghl_id=None, policy=MassChange.DELETION)
    assert asked(decided(unsubscribe)) == {MassChange.DELETION: ("g1", "e1")}
    assert asked(decided(replace(unsubscribe, emailoctopus_id="e0"), orphan="e0")) == {
        MassChange.DELETION: (None, "e0")
    }
    alone = Case(emailoctopus=CaseSide(KnownContact(EMAILOCTOPUS, "e1")))
    assert asked(Decision(alone, (unsubscribe,))) == {MassChange.DELETION: (None, "e1")}


def test_links_that_exchange_their_contacts_lose_nothing() -> None:
    assert asked(decided(BLANK, UNTAG, of=case(exchanged=True))) == {}


def test_the_revocations_sent_ahead_of_the_rest_ask_for_nothing() -> None:
    assert asked(decided(LEAVE, partial=True)) == {}
    assert hold(decided(LEAVE, partial=True), MassChange.LEAVE_SCOPE).operations == (LEAVE,)


def test_a_revocation_by_policy_is_not_sent_ahead() -> None:
    assert revocations_of(decided(LEAVE)) is None
    ahead = revocations_of(decided(LEAVE, DND))
    assert ahead is not None
    assert ahead.operations == (DND,)


def test_what_waits_for_a_person_or_is_a_first_load_needs_no_room() -> None:
    assert set(fresh(decided(UNTAG, BLANK, of=case(held("blank"))), first_load=False)) == {MassChange.TAG_REMOVAL}
    assert fresh(decided(CREATE), first_load=True) == {}
    assert set(fresh(decided(UNTAG, CREATE), first_load=True)) == {MassChange.TAG_REMOVAL}
    first = hold(decided(CREATE), MassChange.CREATE_IN_EMAILOCTOPUS, first_load=True)
    assert (first.operations, first.holds, first.counted) == ((CREATE,), (), frozenset())
    assert asking(decided(UNTAG, CREATE), RULES, first_load=True).asking == {MassChange.TAG_REMOVAL}


def cut_off(*kinds: MassChange) -> Case:
    """The case that a run had counted with some kinds when it was cut off."""
    known = KnownContact(EMAILOCTOPUS, "e1", sent=Sent(counted=frozenset(kinds)))
    return replace(case(), emailoctopus=CaseSide(known))


@pytest.mark.parametrize("kind", GUARDED)
def test_what_a_run_that_was_cut_off_had_begun_needs_no_further_room(kind: MassChange) -> None:
    again = decided(EACH[kind], of=cut_off(kind))
    assert fresh(again, first_load=False) == {}
    after = hold(again, kind)
    assert (after.operations, after.holds, after.counted) == ((EACH[kind],), (), frozenset({kind}))
    assert list(refused(after, ())) == [kind]


def test_what_else_is_asked_of_a_case_that_was_cut_off_needs_room() -> None:
    again = decided(UNTAG, BLANK, of=cut_off(MassChange.BLANK, MassChange.DELETION))
    assert set(fresh(again, first_load=False)) == {MassChange.TAG_REMOVAL}
    after = hold(again, *GUARDED)
    assert (after.operations, after.counted) == ((BLANK,), frozenset({MassChange.BLANK}))


def test_what_was_begun_with_a_contact_that_the_link_left_behind_was_begun_with_the_case() -> None:
    left = replace(case(), left_behind=cut_off(MassChange.DELETION).emailoctopus)
    assert begun(left) == {MassChange.DELETION}


@pytest.mark.parametrize(
    ("closed", "counts", "written_down"),
    [({GHL}, True, [EMAILOCTOPUS]), ({EMAILOCTOPUS}, True, [GHL]), ({GHL, EMAILOCTOPUS}, False, [])],
)
def test_what_reaches_nobody_is_not_written_down_as_sent_and_counts_when_it_does(
    closed: set[SystemName], counts: bool, written_down: list[SystemName]
) -> None:
    decision = decided(DND, DELETE, counted=frozenset({MassChange.DELETION}))
    within = within_reach(decision, frozenset(closed))
    assert within.operations == decision.operations, "it is undone still"
    assert within.counted == (decision.counted if counts else frozenset())
    assert [row.system for row in intents(within, context())] == written_down


def test_what_was_written_down_for_the_unsent_alone_is_found_as_it_was() -> None:
    namesake = KnownContact(EMAILOCTOPUS, "e2", sent=Sent(creation=True))
    for_namesake = replace(DND, system=EMAILOCTOPUS, action=Action.SET_STATUS, emailoctopus_id="e2")
    unsent = decided(DND, for_namesake, of=case(namesakes=(namesake,)))
    assert before_intents([unsent], [], context()) == [namesake, KnownContact(GHL, "g1")]
    another = decided(for_namesake, of=case(namesakes=(replace(namesake, sent=None),)))
    assert before_intents([unsent], [another], context()) == [KnownContact(GHL, "g1")]


# what is left


@pytest.mark.parametrize("kind", GUARDED)
def test_what_has_room_goes_through_and_is_counted(kind: MassChange) -> None:
    after = hold(decided(EACH[kind]))
    assert (after.operations, after.holds, after.counted) == ((EACH[kind],), (), frozenset({kind}))
    assert list(refused(after, after.operations)) == []
    assert list(refused(after, ())) == [kind]


@pytest.mark.parametrize("kind", GUARDED)
def test_what_is_over_its_limit_is_held_with_the_reason(kind: MassChange) -> None:
    after = hold(decided(EACH[kind], DND), kind)
    ids = (EACH[kind].ghl_id, EACH[kind].emailoctopus_id) if kind is not MassChange.DELETION else ("g1", "e1")
    why = "LastName in EmailOctopus: too many" if kind is MassChange.BLANK else "too many"
    assert after.holds == (Held(*ids, kind, why, NOW),)
    assert EACH[kind] not in after.operations
    assert DND in after.operations
    assert (after.counted, list(refused(after, ()))) == (frozenset(), [])


def test_the_other_fields_of_an_update_go() -> None:
    after = hold(
        decided(
            BLANK, UNTAG, conflicts=(FieldConflict(LAST.key, GHL, NOW, NOW), FieldConflict(FIRST.key, GHL, NOW, NOW))
        ),
        MassChange.BLANK,
    )
    assert after.operations == (replace(BLANK, fields={"FirstName": "Ida"}, parts=(FIRST.key,)), UNTAG)
    assert after.settles == {FIRST.key, "tags", "consent"}
    assert [conflict.part for conflict in after.conflicts] == [FIRST.key]
    assert after.counted == {MassChange.TAG_REMOVAL}


def test_whatever_else_is_written_on_both_sides_goes_beside_held_fields() -> None:
    here = replace(BLANK, system=GHL, fields={"firstName": None, "lastName": "Day"}, parts=(FIRST.key, LAST.key))
    after = hold(decided(TAG, BLANK, here, DND), MassChange.BLANK)
    assert after.operations == (
        TAG,
        replace(BLANK, fields={"FirstName": "Ida"}, parts=(FIRST.key,)),
        replace(here, fields={"lastName": "Day"}, parts=(LAST.key,)),
        DND,
    )
    assert after.settles == {"tags", "consent"}


def test_each_kind_over_its_limit_is_held_by_itself() -> None:
    after = hold(decided(BLANK, UNTAG), MassChange.BLANK, MassChange.TAG_REMOVAL)
    assert [entry.action for entry in after.holds] == ["blank", "tag_removal"]


def test_held_fields_leave_a_decision_without_a_link_and_one_that_makes_it_as_they_are() -> None:
    assert hold(decided(BLANK, link=None), MassChange.BLANK).link is None
    assert hold(decided(BLANK, of=replace(case(), link=None)), MassChange.BLANK).link == LINK


def test_a_held_field_is_no_further_answer_to_an_echo() -> None:
    more = replace(LINK, bounces={LAST.key: (NOW, NOW), FIRST.key: (NOW,)})
    after = hold(decided(BLANK, link=more), MassChange.BLANK)
    assert after.link is not None
    assert after.link.bounces == {LAST.key: (NOW,), FIRST.key: (NOW,)}


def test_an_address_goes_though_all_fields_beside_it_are_cleared() -> None:
    update = replace(BLANK, fields={"LastName": None}, address="a@example.com", parts=("address", LAST.key))
    after = hold(decided(update), MassChange.BLANK)
    assert after.operations == (replace(update, fields={}, parts=("address",)),)
    assert hold(decided(replace(update, address=None)), MassChange.BLANK).operations == ()


def test_tags_are_added_though_removals_are_held() -> None:
    after = hold(decided(TAG, UNTAG, replace(UNTAG, system=GHL)), MassChange.TAG_REMOVAL)
    assert after.operations == (TAG,)
    assert "tags" not in after.settles


def test_who_left_the_scope_is_out_of_it_though_nothing_is_done() -> None:
    after = hold(decided(LEAVE, link=replace(LINK, in_scope=False)), MassChange.LEAVE_SCOPE)
    assert (after.operations, "consent" in after.settles) == ((), False)
    assert after.link == replace(LINK, in_scope=False)


def test_a_held_creation_leaves_the_contact_unlinked_and_blocks_go() -> None:
    after = hold(decided(DND, CREATE, to_park=(ToPark(LAST.key, "x"),)), MassChange.CREATE_IN_EMAILOCTOPUS)
    assert (after.operations, after.unlinked, after.to_park) == ((DND,), Unlinked.HELD, ())


def test_a_held_deletion_leaves_the_link_as_it_was() -> None:
    before = decided(DELETE, dissolves=LINK, link=None, unlinked=Unlinked.DELETED, remember=Cause.POLICY)
    after = hold(before, MassChange.DELETION)
    entry = Held("g1", "e1", "deletion", "too many", NOW)
    assert after == Decision(before.case, link=LINK, unlinked=Unlinked.HELD, holds=(entry,))
    alone = Case(emailoctopus=CaseSide(KnownContact(EMAILOCTOPUS, "e1")))
    assert hold(Decision(alone, (DELETE,)), MassChange.DELETION).link is None


def test_a_persons_revocation_goes_out_though_the_deletion_after_it_is_held() -> None:
    mark = replace(TAG, system=GHL, policy=MassChange.DELETION)
    after = hold(decided(DND, mark, link=None, dissolves=LINK, remember=Cause.PERSON_GHL), MassChange.DELETION)
    assert (after.operations, after.settles, after.dissolves) == ((DND,), frozenset({"consent"}), None)
    assert (after.link, after.remember) == (replace(LINK, cause=Cause.PERSON_GHL), Cause.PERSON_GHL)


def test_a_held_orphan_does_not_keep_its_link_from_moving_and_waits_for_its_end() -> None:
    orphan = replace(DELETE, ghl_id=None, emailoctopus_id="e0")
    after = hold(decided(orphan, TAG, dissolves=Link("g1", "e0"), orphan="e0"), MassChange.DELETION)
    assert (after.operations, after.orphan, after.link) == ((TAG,), "e0", LINK)
    again = Decision(Case(emailoctopus=CaseSide(KnownContact(EMAILOCTOPUS, "e0")), held=(held("deletion"),)), (orphan,))
    assert hold(replace(again, orphan="e0")).orphan is None


# a person's word


@pytest.mark.parametrize("kind", GUARDED)
def test_what_waits_for_a_person_waits_though_there_is_room(kind: MassChange) -> None:
    after = hold(decided(EACH[kind], of=case(held(kind))))
    assert EACH[kind] not in after.operations
    assert (after.holds, after.unholds) == ((), ())


@pytest.mark.parametrize("kind", GUARDED)
def test_what_is_approved_is_made_over_the_limit_and_not_counted(kind: MassChange) -> None:
    entry = held(kind, approved=True)
    after = hold(decided(EACH[kind], of=case(entry)), kind)
    assert (after.operations, after.unholds, after.counted, after.holds) == ((EACH[kind],), (entry,), frozenset(), ())


@pytest.mark.parametrize("kind", GUARDED)
def test_what_is_discarded_counts_as_agreed(kind: MassChange) -> None:
    entry = held(kind, discarded=True)
    before = decided(EACH[kind], of=case(entry))
    after = hold(before, kind)
    assert EACH[kind] not in after.operations
    assert (after.unholds, after.holds, after.counted) == ((entry,), (), frozenset())
    if kind in (MassChange.BLANK, MassChange.TAG_REMOVAL):
        assert after.settles == before.settles
        assert after.link is not None
        assert after.link.diverged == {LAST.key if kind is MassChange.BLANK else "tags"}
    if kind in (MassChange.CREATE_IN_GHL, MassChange.CREATE_IN_EMAILOCTOPUS):
        assert after.unlinked is Unlinked.DISCARDED


@pytest.mark.parametrize("kind", GUARDED)
def test_what_is_not_asked_for_any_more_leaves_the_queue(kind: MassChange) -> None:
    entries = held(kind), held("change_address")
    assert hold(decided(TAG, of=case(*entries))).unholds == entries[:1]


def test_what_is_parked_meanwhile_stays_approved() -> None:
    parked = Parked("g1", "e1", "tags", "refused", "", 1, NOW)
    waits = case(held("tag_removal", approved=True), parked={"tags": parked})
    assert hold(decided(of=waits)).unholds == ()
    assert hold(decided(of=waits, unparks=(parked,))).unholds == waits.held


def test_what_a_decision_holds_and_releases_by_itself_stays() -> None:
    address, other, gone = held("change_address"), held("other"), held("blank")
    after = hold(decided(UNTAG, of=case(gone), holds=(address,), unholds=(other, gone)), MassChange.TAG_REMOVAL)
    assert (after.holds[0], len(after.holds), after.unholds) == (address, 2, (other, gone))


def test_the_revocations_sent_ahead_release_nothing() -> None:
    assert hold(decided(DND, of=case(held("blank")), partial=True)).unholds == ()


def test_a_discarded_deletion_ends_the_link_with_nothing_done() -> None:
    entry = held("deletion", discarded=True)
    after = hold(decided(DELETE, dissolves=LINK, link=None, of=case(entry)))
    assert (after.operations, after.dissolves, after.unholds) == ((), LINK, (entry,))


def test_what_was_approved_is_not_counted_beside_what_is() -> None:
    after = hold(decided(UNTAG, BLANK, of=case(held("blank", approved=True))))
    assert after.counted == {MassChange.TAG_REMOVAL}
    assert list(refused(after, after.operations)) == []


# parts, plans


@pytest.mark.parametrize(
    ("action", "parts"),
    [
        ("blank", {FIRST.key, LAST.key}),
        ("tag_removal", {"tags"}),
        ("leave_scope", {"consent", "tags", "deletion", "scope"}),
        ("create_in_ghl", {"creation"}),
        ("change_address", {"address"}),
    ],
)
def test_the_parts_that_something_held_is_about(action: str, parts: set[str]) -> None:
    assert stuck_parts(action, [FIRST.key, LAST.key]) == parts


def test_an_operation_is_split_by_what_it_clears() -> None:
    rest, part = split(BLANK, MassChange.BLANK, RULES)
    assert rest == replace(BLANK, fields={"FirstName": "Ida"}, parts=(FIRST.key,))
    assert part == replace(BLANK, fields={"LastName": None}, parts=(LAST.key,))
    assert split(UNTAG, MassChange.TAG_REMOVAL, RULES) == (None, UNTAG)
    moves = replace(BLANK, address="a@example.com")
    rest, part = split(moves, MassChange.BLANK, RULES)
    assert (rest and rest.address, part.address) == ("a@example.com", None)


def test_a_plan_parts_what_is_written_from_what_is_held() -> None:
    waits = case(held("tag_removal"), held("leave_scope", approved=True))
    one = asking(decided(BLANK, UNTAG, LEAVE, of=waits), RULES, first_load=False)
    parts = list(one.parted({MassChange.BLANK: "too many"}, RULES))
    assert [written for written, _ in parts] == [split(BLANK, MassChange.BLANK, RULES)[0], None, LEAVE]
    assert [part.reason if part else None for _, part in parts] == [
        "would be held, too many; why",
        "held until somebody approves it, too many; why",
        None,
    ]
    discarded = case(held("blank", discarded=True))
    assert asking(decided(BLANK, of=discarded), RULES, first_load=False).operations[0].fields == {"FirstName": "Ida"}


def test_what_is_held_names_the_fields_that_would_be_cleared() -> None:
    here = replace(BLANK, system=GHL, fields={"firstName": None}, parts=(FIRST.key,))
    over = {MassChange.BLANK: "too many", MassChange.TAG_REMOVAL: "too many tags"}

    after = guarded(decided(BLANK, here, UNTAG), over, RULES, NOW, first_load=False)

    assert {entry.action: entry.reason for entry in after.holds} == {
        MassChange.BLANK: "LastName in EmailOctopus, firstName in GoHighLevel: too many",
        MassChange.TAG_REMOVAL: "too many tags",
    }
