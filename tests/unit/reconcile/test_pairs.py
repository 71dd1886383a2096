"""Contract, sections 2 to 5: all that is decided about two contacts, put together; and what waits or was dropped."""

from dataclasses import replace
from typing import Any

import pytest

from sync_daemon.changes.cases import Case, CaseSide
from sync_daemon.model.contact import Snapshot, Source
from sync_daemon.model.plan import Action, MassChange, Operation
from sync_daemon.model.policy import Resubscribe, ScopeRule, TagRule
from sync_daemon.model.state import Baseline, Cause, Held, KnownContact, Link, Parked, Sent
from sync_daemon.reconcile.consents import set_dnd, unsubscribe
from sync_daemon.reconcile.decide import decide, decide_unread
from sync_daemon.reconcile.decision import (
    NOT_DROPPED,
    Context,
    Decision,
    Needs,
    Notice,
    Shares,
    left_as_it_is,
    operations_digest,
)
from sync_daemon.reconcile.fields import FieldConflict, MappedField
from sync_daemon.reconcile.moves import Move, Step
from tests.unit.changes.values import (
    BOB,
    CITY,
    DIGESTER,
    EMAILOCTOPUS,
    GHL,
    GRANTED,
    NAME,
    PENDING,
    REVOKED,
    agreed,
    at,
    book,
    detector,
    person,
    staged,
    subscriber,
)
from tests.unit.reconcile.cases import at_rest, context, ghl, linked, met, there, unmet

SCOPE = b"the scope"
LINK = Link("g1", "e1", scope_generation=b"before", left_by_configuration=True)
NOW = Link("g1", "e1", scope_generation=SCOPE)
MAPPED = tuple(MappedField(rule, "TEXT", "text") for rule in (NAME, CITY))
BY = detector(tags=book(["vip"]))
SETTLED = frozenset({"consent", "tags"})
OURS: dict[str, Any] = {"cause": Cause.PERSON_EMAILOCTOPUS, "dnd_by_us": True}
BLOCKED_HERE = unsubscribe("g1", "e1", "e-mail DND in GHL: revoked wins")


def given(**policy: Any) -> Context:
    return replace(context(**policy), detector=BY, fields=MAPPED, scope_generation=SCOPE)


def decided(case: Case, move: Move | None = None, **policy: Any) -> Decision:
    answer = decide(case, given(**policy), move)
    assert isinstance(answer, Decision), answer
    return answer


def whole(case: Case, *operations: Operation, settles: Any = SETTLED, link: Link = NOW, **more: Any) -> Decision:
    """The whole of a decision about two contacts that may both be mailed afterwards, without its digests."""
    return Decision(case, operations, settles, link=link, **{"regrant": True, **more})


def without_digests(decision: Decision) -> Decision:
    """A decision without its digests, and without what concerns other pairs: test_shared_fields.py tells of that."""
    return replace(decision, digests={}, shares=Shares())


def digest_of(*operations: Operation, part: str = "consent") -> bytes:
    return operations_digest(operations, part, given())


def parked(what: str, *operations: Operation, **changes: Any) -> dict[str, Parked]:
    """What is parked of a part, under the digest of what was refused; a person's order makes it due."""
    due = at(60) if changes.get("dropped") else at(99)
    entry = Parked("g1", "e1", what, "refused", "", 1, due, value=digest_of(*operations, part=what))
    return {what: replace(entry, **changes)}


def changed(before: Snapshot, now: Snapshot) -> CaseSide:
    return CaseSide(agreed(before, BY), staged(now, NAME.key, CITY.key, "address", "tags"))


def update(system: Any, name: str, value: str, part: str, reason: str, **more: Any) -> Operation:
    return Operation(system, Action.UPDATE, "g1", "e1", reason, fields={name: value}, parts=(part,), **more)


def test_two_contacts_that_agree_need_nothing_and_are_within_the_scope() -> None:
    case = linked(ghl(GRANTED, GRANTED), there(GRANTED, GRANTED), LINK)
    decision = decided(case)
    assert without_digests(decision) == whole(case)
    digests = {
        "consent": digest_of(),
        "address": digest_of(part="address"),
        "tags": DIGESTER.field(GHL, "g1", "tags", ()),
    }
    assert decision.digests == digests


def test_each_part_of_a_change_is_in_the_decision() -> None:
    here = changed(
        person(fields={"firstName": "Ada"}),
        person(fields={"firstName": "Ida", "city": "Rome"}, minutes=1, consent=REVOKED),
    )
    other = changed(subscriber(fields={"FirstName": "Ada"}), subscriber(fields={"FirstName": "Eve"}, minutes=2))
    case = linked(here, other, replace(LINK, diverged=frozenset({NAME.key, "tags"})))
    reason = "firstName differs on both sides, GoHighLevel wins"
    write = replace(update(EMAILOCTOPUS, "FirstName", "Ida", NAME.key, ""), fields={"FirstName": "Ida", "City": "Rome"})
    write = replace(write, parts=(NAME.key, CITY.key), reason=f"{reason}; city changed in GoHighLevel")
    assert without_digests(decided(case)) == whole(
        case,
        BLOCKED_HERE,
        write,
        settles=SETTLED | {NAME.key, CITY.key},
        link=replace(NOW, cause=Cause.PERSON_GHL),
        conflicts=(FieldConflict(NAME.key, GHL, at(1), at(2)),),
        remember=Cause.PERSON_GHL,
        regrant=False,
    )


def test_a_link_that_comes_back_into_scope_is_in_it_and_an_outside_edit_ends_its_bounces() -> None:
    back = linked(ghl(GRANTED, GRANTED), there(GRANTED, GRANTED), replace(LINK, in_scope=False))
    assert decided(back).link == NOW
    here = changed(person(), person(fields={"firstName": "Ida"}))
    edited = linked(here, there(GRANTED, GRANTED), replace(LINK, bounces={NAME.key: (at(0),)}))
    assert decided(edited).link == NOW


def test_what_was_held_is_held_no_more_once_both_agree() -> None:
    case = linked(ghl(GRANTED, GRANTED), there(GRANTED, GRANTED), replace(LINK, consent_held=True))
    assert decided(case).link == NOW


def test_what_has_no_form_on_the_other_side_is_to_be_parked() -> None:
    mapped = MappedField(CITY, "TEXT", "number")
    case = linked(changed(person(), person(fields={"city": "Rome"})), there(GRANTED, GRANTED))
    answer = decide(case, replace(given(), fields=(mapped,)))
    assert isinstance(answer, Decision)
    assert [(one.part, one.code) for one in answer.to_park] == [(CITY.key, "not_convertible")]


# The address travels with the fields


CARRY = Move(LINK, Step.CHANGE_EMAILOCTOPUS)
CARRY_ADDRESS = Operation(
    EMAILOCTOPUS, Action.UPDATE, "g1", "e1", "address changed in GoHighLevel", address=BOB, parts=("address",)
)


def moved(**fields: str) -> CaseSide:
    return changed(person(), person(address=BOB, fields=fields))


def test_a_new_address_and_new_fields_are_one_update_for_each_side() -> None:
    other = changed(subscriber(), subscriber(fields={"City": "Rome"}))
    case = linked(moved(firstName="Ida"), other, LINK)
    both = replace(
        CARRY_ADDRESS,
        fields={"FirstName": "Ida"},
        parts=("address", NAME.key),
        reason="address changed in GoHighLevel; firstName changed in GoHighLevel",
    )
    back = update(GHL, "city", "Rome", CITY.key, "City changed in EmailOctopus")
    expected = whole(case, both, back, settles=SETTLED | {"address", NAME.key, CITY.key})
    assert without_digests(decided(case, CARRY)) == expected
    blocked = replace(case, ghl=changed(person(), person(address=BOB, consent=REVOKED, fields={"firstName": "Ida"})))
    assert decided(blocked, CARRY).operations == (BLOCKED_HERE, both, back)


def test_tags_of_both_sides_are_operations_of_their_own() -> None:
    here = changed(person(), person(tags={"vip"}))
    operations = decided(linked(here, there(GRANTED, GRANTED)), CARRY).operations
    assert [op.action for op in operations] == [Action.UPDATE, Action.ADD_TAGS]


# What is parked


def test_a_revocation_that_was_refused_waits_for_its_time_and_the_rest_goes_on() -> None:
    here = changed(person(), person(consent=REVOKED, fields={"firstName": "Ida"}))
    case = linked(here, there(GRANTED, GRANTED), LINK, parked=parked("consent", BLOCKED_HERE))
    write = update(EMAILOCTOPUS, "FirstName", "Ida", NAME.key, "firstName changed in GoHighLevel")
    expected = whole(case, write, settles={"tags", NAME.key}, remember=Cause.PERSON_GHL, regrant=False)
    assert without_digests(decided(case)) == replace(expected, settles=frozenset(expected.settles))
    over = replace(case, parked=parked("consent", BLOCKED_HERE, next_try=at(60)))
    assert decided(over).operations == (BLOCKED_HERE, write)
    assert decided(over).unparks == (over.parked["consent"],)


def test_an_address_that_was_refused_waits_for_its_time_and_the_rest_goes_on() -> None:
    case = linked(moved(firstName="Ida"), there(GRANTED, GRANTED), LINK, parked=parked("address", CARRY_ADDRESS))
    write = update(EMAILOCTOPUS, "FirstName", "Ida", NAME.key, "firstName changed in GoHighLevel")
    assert without_digests(decided(case, CARRY)) == whole(case, write, settles=SETTLED | {NAME.key})
    over = replace(case, parked=parked("address", CARRY_ADDRESS, next_try=at(60)))
    assert decided(over, CARRY).settles == SETTLED | {"address", NAME.key}
    assert decided(over, CARRY).unparks == (over.parked["address"],)


def test_nothing_to_write_never_waits() -> None:
    case = linked(ghl(GRANTED, GRANTED), there(GRANTED, GRANTED), parked={**parked("consent"), **parked("address")})
    agree = Move(LINK, Step.AGREE)
    decision = decided(case, agree)
    assert decision.settles == SETTLED | {"address"}
    assert set(decision.unparks) == set(case.parked.values())


LIFT: dict[str, Any] = {"ghl": ghl(REVOKED, REVOKED), "emailoctopus": there(REVOKED, GRANTED)}


def test_a_step_toward_consent_can_be_dropped_and_is_held_where_it_was() -> None:
    case = Case(replace(LINK, **OURS), **LIFT)
    [step] = decided(case).operations
    assert (step.action, decided(case).regrant) == (Action.LIFT_DND, True)
    dropped = replace(case, parked=parked("consent", step, dropped=True))
    expected = whole(
        dropped,
        link=replace(NOW, **OURS, consent_held=True),
        unparks=(dropped.parked["consent"],),
        notices=(left_as_it_is("consent"),),
    )
    assert without_digests(decided(dropped)) == expected


def test_a_revocation_cannot_be_dropped() -> None:
    case = linked(ghl(GRANTED, REVOKED), there(GRANTED, GRANTED), LINK, parked=parked("consent", dropped=True))
    decision = decided(case)
    assert (decision.operations, decision.notices) == ((BLOCKED_HERE,), (NOT_DROPPED,))
    without = decided(replace(case, parked={}))
    assert (without.operations, without.notices) == ((BLOCKED_HERE,), ())


def test_an_order_to_drop_what_nobody_asks_for_any_more_is_told_to_nobody() -> None:
    orders = {**parked("consent", dropped=True), **parked("address", dropped=True)}
    decision = decided(linked(ghl(GRANTED, GRANTED), there(GRANTED, GRANTED), parked=orders))
    assert (decision.notices, decision.link) == ((), NOW)


def test_a_new_address_can_be_dropped_and_both_count_as_agreed() -> None:
    case = linked(moved(), there(GRANTED, GRANTED), LINK, parked=parked("address", dropped=True))
    notices, unparks = (left_as_it_is("address"),), (case.parked["address"],)
    expected = whole(case, settles=SETTLED | {"address"}, unparks=unparks, notices=notices)
    assert without_digests(decided(case, CARRY)) == expected


@pytest.mark.parametrize(
    ("what", "sync", "over"),
    [
        ("creation", True, True),
        ("consent", True, True),
        ("address", True, False),
        (NAME.key, True, True),
        ("firstName=Gone", True, True),
        ("tags", False, True),
    ],
)
def test_what_is_parked_of_what_is_settled_or_is_no_more_is_over(what: str, sync: bool, over: bool) -> None:
    entries = parked(what)
    case = linked(ghl(GRANTED, GRANTED), there(GRANTED, GRANTED), parked=entries)
    assert decided(case, tags=TagRule(sync=sync)).unparks == (tuple(entries.values()) if over else ())


def test_what_is_parked_of_a_field_or_tags_that_wait_waits_on() -> None:
    case = linked(ghl(GRANTED, GRANTED), changed(subscriber(), subscriber(tags={"vip"})))
    digest = decided(case).digests["tags"]
    waits = replace(case, parked=parked("tags", value=digest))
    assert (decided(waits).unparks, decided(waits).operations) == ((), ())


# Links that move


def test_a_link_that_moves_dissolves_the_former_and_leaves_an_orphan() -> None:
    left = there(GRANTED, GRANTED, "e0")
    former = Link("g1", "e0")
    entries, held = parked("tags"), (Held("g1", "e0", "change_address", "why", at(0)),)
    case = Case(None, unmet(person()), unmet(subscriber()), former=former, left_behind=left, orphans=True)
    case = replace(case, parked=entries, held=held)
    reason = "its GoHighLevel contact has another address now; deletes.in_ghl: unsubscribe"
    end = replace(unsubscribe(None, "e0", reason), policy=MassChange.DELETION)
    move = Move(former, Step.RELINK, partner="e1", orphans=True)
    expected = whole(
        case,
        end,
        settles=SETTLED | {"address"} | {NAME.key, CITY.key},
        dissolves=former,
        orphan="e0",
        unparks=tuple(entries.values()),
        unholds=held,
        forget_fields=True,
    )
    assert without_digests(decided(case, move)) == expected
    kept = replace(case, orphans=False)
    assert without_digests(decided(kept, move)) == replace(expected, case=kept, operations=(), orphan=None)


def test_an_address_that_ghl_lost_is_told_once_and_the_link_stays() -> None:
    emptied, entries = Move(LINK, Step.EMPTIED), parked("address", CARRY_ADDRESS)
    case = linked(changed(person(), person(address=None)), there(GRANTED, GRANTED), LINK, parked=entries)
    notice = Notice("address", "GoHighLevel has no usable address any more; link and EmailOctopus contact stay")
    expected = whole(case, link=replace(NOW, address_emptied=True), unparks=tuple(entries.values()), notices=(notice,))
    assert without_digests(decided(case, emptied)) == expected
    known = replace(case, link=replace(LINK, address_emptied=True))
    assert decided(known, emptied).notices == ()
    assert decided(known).link == replace(NOW, address_emptied=True)
    assert decided(known, CARRY).link == replace(NOW, address_emptied=True)
    assert decided(known, Move(LINK, Step.AGREE)).link == NOW


# Reads, meetings, scope


def test_a_step_toward_consent_waits_for_reads_of_both() -> None:
    listed = met(subscriber(source=Source.LISTING), REVOKED)
    case = Case(replace(LINK, **OURS), ghl(REVOKED, REVOKED), listed)
    assert decide(case, given()) == Needs(frozenset({(EMAILOCTOPUS, "e1")}))
    nothing = linked(ghl(GRANTED, GRANTED), met(subscriber(source=Source.LISTING), GRANTED))
    assert isinstance(decide(nothing, given()), Decision)


def test_two_that_meet_have_no_past() -> None:
    case = Case(None, ghl(REVOKED, REVOKED), there(REVOKED, GRANTED))
    expected = whole(
        case,
        BLOCKED_HERE,
        settles=SETTLED | {"address", NAME.key, CITY.key},
        link=replace(NOW, cause=Cause.PERSON_GHL),
        remember=Cause.PERSON_GHL,
        forget_fields=True,
        regrant=False,
    )
    assert without_digests(decided(case)) == expected


def test_whoever_is_not_read_is_where_he_was() -> None:
    outside = ScopeRule(tags_all=("club",))
    unread = linked(CaseSide(agreed(person(), BY)), changed(subscriber(), subscriber(fields={"City": "Rome"})))
    assert [op.action for op in decided(unread, scope=outside).operations] == [Action.UPDATE]
    assert decided(replace(unread, link=replace(LINK, in_scope=False)), scope=outside).operations == ()
    read = replace(unread, ghl=ghl(GRANTED, GRANTED))
    assert decided(read, scope=outside).operations == ()


def test_nobody_is_subscribed_again_out_of_scope() -> None:
    case = linked(ghl(REVOKED, GRANTED), there(REVOKED, REVOKED))
    decision = decided(case, scope=ScopeRule(tags_all=("club",)), resubscribe=Resubscribe.ALLOW)
    assert (decision.operations, decision.link and decision.link.consent_held) == ((), True)
    assert decision.settles == {"consent"}
    meeting = Case(None, *linked(ghl(REVOKED, REVOKED), there(REVOKED, GRANTED)).both())
    assert decided(meeting, scope=ScopeRule(tags_all=("club",))).operations == (BLOCKED_HERE,)


@pytest.mark.parametrize(
    ("here", "other", "link", "policy", "regrant", "remember"),
    [
        (ghl(GRANTED, GRANTED), there(GRANTED, PENDING), {}, {}, False, None),
        (ghl(REVOKED, REVOKED), there(REVOKED, GRANTED), OURS, {}, True, None),
        (ghl(REVOKED, GRANTED), there(REVOKED, REVOKED), {}, {"resubscribe": Resubscribe.ALLOW}, True, None),
        (ghl(REVOKED, GRANTED), there(REVOKED, REVOKED), {}, {}, False, None),
        (ghl(REVOKED, REVOKED), there(REVOKED, REVOKED), {"cause": Cause.POLICY}, {}, False, None),
        (ghl(GRANTED, GRANTED), there(GRANTED, REVOKED), {}, {}, False, Cause.PERSON_EMAILOCTOPUS),
    ],
)
def test_what_is_remembered_of_the_address(
    here: CaseSide, other: CaseSide, link: dict[str, Any], policy: dict[str, Any], regrant: bool, remember: Cause | None
) -> None:
    decision = decided(linked(here, other, replace(LINK, **link)), **policy)
    assert (decision.regrant, decision.remember) == (regrant, remember)


# Pairs of which one can't be read


def unread(consent: Any, before: Any = GRANTED) -> CaseSide:
    return CaseSide(KnownContact(GHL, "g1", consent=consent, baseline=Baseline(consent=before)))


def test_two_that_meet_get_a_link_by_their_revocation_though_one_cannot_be_read() -> None:
    case = Case(None, unread(REVOKED, REVOKED), there(REVOKED, GRANTED))
    expected = Decision(
        case,
        (BLOCKED_HERE,),
        frozenset({"consent"}),
        link=Link("g1", "e1", cause=Cause.PERSON_GHL, in_scope=False),
        remember=Cause.PERSON_GHL,
        digests={"consent": digest_of(BLOCKED_HERE)},
        partial=True,
    )
    assert decide_unread(case, given()) == expected


def test_a_refused_revocation_waits_though_one_cannot_be_read() -> None:
    case = linked(unread(GRANTED), there(GRANTED, REVOKED))
    block = set_dnd("g1", "e1", "unsubscribed in EmailOctopus: revoked wins")
    waits = replace(case, parked=parked("consent", block))
    assert decide_unread(waits, given()) is None
    ahead = decide_unread(replace(case, parked=parked("consent", block, next_try=at(60))), given())
    assert ahead is not None
    assert (ahead.operations, ahead.link and ahead.link.dnd_by_us) == ((block,), True)


def test_whoever_comes_back_into_scope_meets_anew_though_one_cannot_be_read() -> None:
    case = linked(ghl(REVOKED, REVOKED), at_rest(subscriber()), replace(LINK, in_scope=False))
    ahead = decide_unread(case, given())
    assert ahead is not None
    assert ahead.operations == (BLOCKED_HERE,)


def test_what_a_dying_process_sent_is_no_new_revocation_though_one_cannot_be_read() -> None:
    side = unread(REVOKED)
    died = replace(side, known=replace(side.known, sent=Sent(consent=REVOKED)))
    assert decide_unread(linked(died, there(GRANTED, REVOKED)), given()) is None
