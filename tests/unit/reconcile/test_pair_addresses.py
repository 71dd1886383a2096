"""Contract, section 3: a changed address of a link, carried, held, reported, or agreed as it is."""

from dataclasses import replace
from typing import Any

import pytest

from sync_daemon.changes.cases import Case, CaseSide
from sync_daemon.model.contact import Consent, Snapshot
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.policy import AddressChange
from sync_daemon.model.state import Held
from sync_daemon.reconcile.decide import decide
from sync_daemon.reconcile.decision import Decision, Needs
from sync_daemon.reconcile.fields import FieldConflict
from sync_daemon.reconcile.moves import Move, Step
from sync_daemon.reconcile.pair_addresses import address_conflicts, address_settles
from tests.unit.changes.values import (
    ADA,
    BOB,
    EMAILOCTOPUS,
    EVE,
    GHL,
    GRANTED,
    PENDING,
    REVOKED,
    agreed,
    at,
    person,
    staged,
    subscriber,
)
from tests.unit.reconcile.cases import LINK, at_rest, context, linked, met

TO_EMAILOCTOPUS, TO_GHL = Move(LINK, Step.CHANGE_EMAILOCTOPUS), Move(LINK, Step.CHANGE_GHL)
HELD = Held("g1", "e1", "change_address", "why", at(0))
WHY_HELD = "a new address on a double opt-in list was never confirmed (address_change: hold)"


def here(address: str | None = BOB, **more: Any) -> CaseSide:
    return CaseSide(agreed(person()), staged(person(address=address, minutes=5), "address", **more))


def there(address: str = ADA, consent: Consent = GRANTED) -> CaseSide:
    now = subscriber(address=address, consent=consent, minutes=7)
    return CaseSide(agreed(subscriber(consent=consent)), staged(now, "address"))


def decided(case: Case, move: Move | None, **policy: Any) -> Decision:
    answer = decide(case, context(**policy), move)
    assert isinstance(answer, Decision), answer
    return answer


def carry(system: Any, address: str, source: str) -> Operation:
    reason = f"address changed in {source}"
    return Operation(system, Action.UPDATE, "g1", "e1", reason, address=address, parts=("address",))


CARRIED = carry(EMAILOCTOPUS, BOB, "GoHighLevel")


@pytest.mark.parametrize(
    ("case", "move", "operations"),
    [
        (linked(here(), there()), TO_EMAILOCTOPUS, (CARRIED,)),
        (linked(here(ADA), there(BOB)), TO_GHL, (carry(GHL, BOB, "EmailOctopus"),)),
        (linked(here(), there(BOB)), Move(LINK, Step.AGREE), ()),
        (linked(here(None), there()), Move(LINK, Step.EMPTIED), ()),
        (linked(here(), there()), None, ()),
    ],
)
def test_a_new_address_goes_to_the_other_side(case: Case, move: Move | None, operations: Any) -> None:
    decision = decided(case, move)
    assert decision.operations == operations
    settles = move is not None and move.step is not Step.EMPTIED
    assert ("address" in decision.settles) is settles


def test_two_that_meet_agree_about_their_address() -> None:
    case = linked(here(), there())
    assert address_settles(case, context(), None, first=True) == ("address",)
    assert address_settles(case, context(), None, first=False) == ()


def test_the_address_that_is_to_travel_is_read() -> None:
    hers, theirs = linked(at_rest(person()), there()), linked(here(), at_rest(subscriber()))
    assert decide(hers, context(), TO_EMAILOCTOPUS) == Needs(frozenset({(GHL, "g1")}))
    assert decide(theirs, context(), TO_GHL) == Needs(frozenset({(EMAILOCTOPUS, "e1")}))
    for case, move in ((hers, TO_GHL), (theirs, TO_EMAILOCTOPUS), (hers, Move(LINK, Step.AGREE)), (theirs, None)):
        assert isinstance(decide(case, context(), move), Decision)


@pytest.mark.parametrize("address", [None, "ada@@example.com"])
def test_an_address_that_nobody_can_have_is_none(address: str | None) -> None:
    decision = decided(linked(here(address), there()), TO_EMAILOCTOPUS)
    assert (decision.operations, decision.link and decision.link.address_emptied) == ((), True)
    back = decided(linked(here(address), there(BOB)), TO_GHL)
    assert back.operations == (carry(GHL, BOB, "EmailOctopus"),)


def test_of_two_new_addresses_ghls_wins_and_the_other_is_told() -> None:
    conflict = FieldConflict("address", GHL, at(5), at(7))
    assert decided(linked(here(), there(EVE)), TO_EMAILOCTOPUS).conflicts == (conflict,)
    untimed = replace(here(), staged=staged(person(address=BOB)))
    told = decided(linked(untimed, there(EVE)), TO_EMAILOCTOPUS).conflicts
    assert told == (replace(conflict, ghl_at=None),)
    assert decided(linked(here(), there()), TO_EMAILOCTOPUS).conflicts == ()
    assert decided(linked(here(), at_rest(subscriber())), TO_EMAILOCTOPUS).conflicts == ()
    assert decided(linked(here(ADA), there(BOB)), TO_GHL).conflicts == ()
    unread = linked(at_rest(person()), there(EVE))
    assert address_conflicts(unread, context(), (CARRIED,)) == (replace(conflict, ghl_at=None),)


# Double opt-in


def on_double_opt_in(case: Case, move: Move = TO_EMAILOCTOPUS, **policy: Any) -> Decision:
    return decided(case, move, double_opt_in=True, **policy)


def test_a_new_address_of_a_subscribed_contact_waits_for_a_person() -> None:
    case = linked(here(), there(EVE))
    decision = on_double_opt_in(case)
    assert (decision.operations, decision.conflicts) == ((), ())
    assert decision.holds == (Held("g1", "e1", "change_address", WHY_HELD, at(60)),)
    assert "address" not in decision.settles
    again = on_double_opt_in(replace(case, held=(replace(HELD, action="blank"),)))
    assert len(again.holds) == 1


@pytest.mark.parametrize(
    ("case", "move", "policy"),
    [
        (linked(here(), there(consent=PENDING)), TO_EMAILOCTOPUS, {}),
        (linked(here(), there(consent=REVOKED)), TO_EMAILOCTOPUS, {}),
        (linked(here(), there()), TO_EMAILOCTOPUS, {"address_change": AddressChange.KEEP_STATUS}),
        (linked(here(), there(), held=(replace(HELD, approved=True),)), TO_EMAILOCTOPUS, {}),
        (linked(here(ADA), there(BOB)), TO_GHL, {}),
    ],
)
def test_any_other_travels_at_once(case: Case, move: Move, policy: dict[str, Any]) -> None:
    decision = on_double_opt_in(case, move, **policy)
    assert [op.address for op in decision.operations if op.address] == [BOB]
    assert (decision.holds, decision.unholds) == ((), case.held)
    assert "address" in decision.settles


def test_what_waits_waits_on() -> None:
    decision = on_double_opt_in(linked(here(), there(), held=(HELD,)))
    assert (decision.operations, decision.holds, decision.unholds) == ((), (), ())
    unmoved = on_double_opt_in_without_move(linked(here(), there(), held=(HELD,)))
    assert (unmoved.holds, unmoved.unholds) == ((), ())


def on_double_opt_in_without_move(case: Case) -> Decision:
    return decided(case, None, double_opt_in=True)


def test_what_a_person_discarded_is_agreed_as_it_is() -> None:
    case = linked(here(), there(), held=(replace(HELD, discarded=True),))
    decision = on_double_opt_in(case)
    assert (decision.operations, decision.unholds) == ((), case.held)
    assert "address" in decision.settles
    other = linked(here(), there(), held=(replace(HELD, action="blank", discarded=True),))
    assert on_double_opt_in(other).holds


def test_an_address_that_went_back_leaves_the_queue_alone() -> None:
    blank = replace(HELD, action="blank")
    case = linked(here(ADA), there(), held=(HELD, blank))
    assert on_double_opt_in(case, Move(LINK, Step.AGREE)).unholds == (HELD,)


def test_a_contact_that_did_not_change_has_no_new_address() -> None:
    now: Snapshot = subscriber(address=BOB)
    assert decided(linked(here(), met(now, GRANTED)), TO_EMAILOCTOPUS).conflicts == ()
