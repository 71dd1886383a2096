"""Which room decides a case, what is reported of it, and what goes out of one that can't be read."""

from dataclasses import replace
from typing import Any

import pytest

from sync_daemon.changes.cases import Case, CaseSide
from sync_daemon.model.state import Cause, KnownContact, Link, Unlinked
from sync_daemon.reconcile.consents import set_dnd, unsubscribe
from sync_daemon.reconcile.decide import decide, decide_unread
from sync_daemon.reconcile.decision import Decision, Needs, Notice, operations_digest
from tests.unit.changes.values import EMAILOCTOPUS, GHL, GRANTED, REVOKED, person, subscriber
from tests.unit.reconcile.cases import LINK, at_rest, context, ghl, linked, there, unmet

OTHER = Link("g2", "e1")


def test_a_contact_whose_partner_has_another_link_is_its_duplicate() -> None:
    case = Case(ghl=unmet(person()), blocked_by=OTHER)
    expected = Decision(case, settles=frozenset({"consent"}), unlinked=Unlinked.HELD, duplicate_of="g2")
    assert decide(case, context()) == expected
    pair = replace(case, emailoctopus=unmet(subscriber()))
    assert decide(pair, context()) == replace(expected, case=pair)


def test_an_oddity_of_whatever_contact_of_a_case_is_reported() -> None:
    odd = ghl(GRANTED, GRANTED).with_read(person(remark="an unknown status"))
    other = unmet(person("g2", remark="another"))
    answer = decide(linked(odd, there(GRANTED, GRANTED), duplicates=(other, unmet(person("g3")))), context())
    assert isinstance(answer, Decision)
    assert answer.notices == (Notice("consent", "an unknown status"), Notice("consent", "another"))
    without = decide(linked(ghl(GRANTED, GRANTED), there(GRANTED, GRANTED)), context())
    assert isinstance(without, Decision)
    assert without.notices == ()


def test_nothing_is_reported_before_the_rest_was_read() -> None:
    odd = unmet(person(remark="an unknown status"))
    assert decide(Case(ghl=odd, emailoctopus=at_rest(subscriber())), context()) == Needs(
        frozenset({(EMAILOCTOPUS, "e1")})
    )


# What can't be read


def seen_revoked(system: Any, contact_id: str) -> CaseSide:
    """A contact that can't be read, of which the store knows that it is revoked."""
    return CaseSide(KnownContact(system, contact_id, consent=REVOKED))


def test_of_a_pair_that_cannot_be_read_the_revocation_goes_out() -> None:
    case = linked(seen_revoked(GHL, "g1"), there(GRANTED, GRANTED))
    block = unsubscribe("g1", "e1", "e-mail DND in GHL: revoked wins")
    assert decide_unread(case, context()) == Decision(
        case,
        (block,),
        settles=frozenset({"consent"}),
        link=replace(LINK, cause=Cause.PERSON_GHL),
        remember=Cause.PERSON_GHL,
        digests={"consent": operations_digest((block,), "consent", context())},
        partial=True,
    )


def test_of_a_contact_that_cannot_be_linked_so_does_what_it_asks_of_others() -> None:
    namesake = KnownContact(EMAILOCTOPUS, "e1", consent=GRANTED)
    case = Case(ghl=seen_revoked(GHL, "g1"), blocked_by=OTHER, namesakes=(namesake,))
    ended = unsubscribe(None, "e1", "the address is revoked in GoHighLevel")
    for one in (case, replace(case, emailoctopus=there(GRANTED, GRANTED))):
        expected = Decision(one, (ended,), settles=frozenset({"consent"}), partial=True)
        assert decide_unread(one, context()) == expected


def test_of_an_address_that_somebody_has_as_an_additional_one_he_is_blocked() -> None:
    holder = KnownContact(GHL, "g5", consent=GRANTED)
    case = Case(emailoctopus=seen_revoked(EMAILOCTOPUS, "e1"), additional_holders=(holder,))
    why = "an additional address of this contact is unsubscribed in EmailOctopus"
    expected = Decision(case, (set_dnd("g5", "e1", why),), settles=frozenset({"consent"}), partial=True)
    assert decide_unread(case, context()) == expected


@pytest.mark.parametrize(
    "case",
    [
        Case(),
        Case(ghl=seen_revoked(GHL, "g1")),
        linked(ghl(GRANTED, GRANTED), there(GRANTED, GRANTED)),
        linked(seen_revoked(GHL, "g1"), there(GRANTED, GRANTED), former=OTHER),
    ],
)
def test_of_nobody_else_anything_does(case: Case) -> None:
    assert decide_unread(case, context()) is None
