"""Contract, section 3: what becomes of an EmailOctopus contact whose link moved on or ended."""

from dataclasses import replace

import pytest

from sync_daemon.changes.cases import Case, CaseSide
from sync_daemon.model.contact import Consent, Source
from sync_daemon.model.plan import Action, MassChange, Operation
from sync_daemon.model.policy import DeletedInGhl, DeleteRule
from sync_daemon.model.state import Baseline, Held, KnownContact, Parked, Sent
from sync_daemon.reconcile.consents import unsubscribe
from sync_daemon.reconcile.decide import decide
from sync_daemon.reconcile.decision import Decision, Needs, Notice
from sync_daemon.reconcile.moves import Move, Step
from sync_daemon.reconcile.orphans import consent_before, deletion_waits, orphan_operations
from tests.unit.changes.values import EMAILOCTOPUS, GHL, GRANTED, PENDING, REVOKED, at, person
from tests.unit.reconcile.cases import LINK, at_rest, context, ghl, linked, there, unmet

MOVED_ON = "its GoHighLevel contact has another address now; deletes.in_ghl: "
DELETION = MassChange.DELETION
UNSUBSCRIBE = replace(unsubscribe(None, "e1", MOVED_ON + "unsubscribe"), policy=DELETION)
DELETE = Operation(EMAILOCTOPUS, Action.DELETE, None, "e1", MOVED_ON + "delete", parts=("deletion",), policy=DELETION)
BEING_REVOKED = Sent(consent=REVOKED)


@pytest.mark.parametrize(
    ("rule", "side", "operations"),
    [
        (DeletedInGhl.UNSUBSCRIBE, there(GRANTED, GRANTED), (UNSUBSCRIBE,)),
        (DeletedInGhl.UNSUBSCRIBE, there(GRANTED, REVOKED), ()),
        (DeletedInGhl.UNSUBSCRIBE, there(GRANTED, REVOKED, sent=BEING_REVOKED), (UNSUBSCRIBE,)),
        (DeletedInGhl.UNSUBSCRIBE, there(GRANTED, GRANTED, sent=BEING_REVOKED), (UNSUBSCRIBE,)),
        (DeletedInGhl.DELETE, there(GRANTED, GRANTED), (DELETE,)),
        (DeletedInGhl.DELETE, there(REVOKED, REVOKED), (DELETE,)),
        (DeletedInGhl.IGNORE, there(GRANTED, GRANTED), ()),
    ],
)
def test_the_delete_policy_is_applied_to_an_orphan(
    rule: DeletedInGhl, side: CaseSide, operations: tuple[Operation, ...]
) -> None:
    assert orphan_operations(side, context(deletes=DeleteRule(in_ghl=rule))) == operations


ELSEWHERE = Move(LINK, Step.DISSOLVE, duplicate_of="g2", orphans=True)
PARKED = Parked("g1", "e1", "tags", "refused", "", 1, at(99))
HELD = Held("g1", "e1", "change_address", "too many", at(0))


@pytest.mark.parametrize("orphans", [True, False])
def test_a_link_whose_new_address_belongs_to_another_ends(orphans: bool) -> None:
    case = linked(ghl(GRANTED, GRANTED), there(GRANTED, GRANTED), parked={"tags": PARKED}, held=(HELD,))
    assert decide(case, context(), replace(ELSEWHERE, orphans=orphans)) == Decision(
        case,
        (UNSUBSCRIBE,) if orphans else (),
        settles=frozenset({"consent"}),
        dissolves=LINK,
        unparks=(PARKED,),
        unholds=(HELD,),
        orphan="e1" if orphans else None,
        notices=(Notice("address", "the new address belongs to g2, whose duplicate this one is"),),
    )


def test_before_it_ends_what_is_not_known_well_enough_is_read() -> None:
    case = linked(at_rest(person()), there(GRANTED, GRANTED), parked={"tags": PARKED})
    assert decide(case, context(), ELSEWHERE) == Needs(frozenset({(GHL, "g1")}))
    untold = linked(unmet(person(consent=None, source=Source.HINT)), there(GRANTED, GRANTED))
    given = replace(context(), search_tells_consent=False)
    assert decide(untold, given, ELSEWHERE) == Needs(frozenset({(GHL, "g1")}))


@pytest.mark.parametrize(
    ("side", "consent"),
    [
        (there(GRANTED, PENDING, consent=PENDING), PENDING),
        (there(GRANTED, REVOKED, consent=REVOKED), REVOKED),
        (there(GRANTED, REVOKED, consent=REVOKED, sent=BEING_REVOKED), GRANTED),
        (there(GRANTED, REVOKED, consent=REVOKED, sent=BEING_REVOKED, baseline=None), REVOKED),
        (CaseSide(KnownContact(EMAILOCTOPUS, "e1", consent=PENDING, baseline=Baseline(consent=GRANTED))), PENDING),
    ],
)
def test_the_consent_an_orphan_had_is_not_what_the_policy_was_making_of_it(side: CaseSide, consent: Consent) -> None:
    assert consent_before(side) is consent


def test_what_a_guard_holds_of_an_orphan() -> None:
    assert deletion_waits(Case(held=(HELD, replace(HELD, action="deletion"))))
    assert not deletion_waits(Case(held=(HELD,)))
    assert not deletion_waits(Case())
