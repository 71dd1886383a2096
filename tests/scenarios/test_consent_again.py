"""Contract, section 4 and law L4: the back doors through which somebody who revoked could be subscribed again."""

import pytest

from tests.worlds import EMAILOCTOPUS, GHL, World, world

ADA, BOB, EVE = "ada@example.com", "bob@example.com", "eve@example.com"
UNSUBSCRIBE = {"status": "unsubscribed"}


def dnd(here: World, ghl_id: str, status: str) -> None:
    here.clock.advance(1)
    here.ghl.set_dnd(ghl_id, status)


def unsubscribe(here: World, subscriber_id: str) -> None:
    here.clock.advance(1)
    here.emailoctopus.unsubscribe(subscriber_id)


def subscribe_again(here: World, address: str) -> None:
    here.clock.advance(1)
    here.emailoctopus.sign_up(here.sandbox.list_id, address)


def assert_revoked(here: World, ghl_id: str, address: str) -> None:
    """Both sides are revoked, and stay so whatever is read."""
    here.later(minutes=11)
    here.full()
    here.settle()
    assert (here.blocks(ghl_id), here.status(address)) == (True, "unsubscribed")
    here.assert_quiet()


# an address that a person had revoked


@pytest.mark.parametrize("changed_in", [GHL, EMAILOCTOPUS])
def test_an_address_that_was_revoked_is_not_subscribed_by_a_contact_that_moves_onto_it(
    database_url: str, changed_in: str
) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        eve = here.subscriber(EVE)
        unsubscribe(here, eve)
        here.reconcile()
        here.emailoctopus.delete(eve)
        here.later(minutes=11)
        if changed_in == GHL:
            here.edit_person(ghl_id, email=EVE)
        else:
            here.emailoctopus.change_address(subscriber_id, EVE)
        here.forget_requests()
        here.reconcile()
        assert here.bodies(EMAILOCTOPUS)[0] == UNSUBSCRIBE  # before the address
        assert_revoked(here, ghl_id, EVE)


def test_an_address_that_a_revoked_link_leaves_is_revoked_for_the_link_that_comes_to_have_it(database_url: str) -> None:
    with world(database_url) as here:
        ada, _ = here.linked()
        bob, bobs = here.linked(BOB, first="Bob")
        unsubscribe(here, bobs)
        here.reconcile()
        here.edit_person(bob, email=EVE)
        here.edit_person(ada, email=BOB)
        here.later(minutes=11)
        here.reconcile()
        assert_revoked(here, ada, BOB)
        assert_revoked(here, bob, EVE)


def test_somebody_who_subscribed_again_may_leave_the_address_and_come_back(database_url: str) -> None:
    with world(database_url) as here:
        unsubscribe(here, here.subscriber(EVE))
        here.reconcile()
        subscribe_again(here, EVE)
        here.reconcile()
        ghl_id = str(here.in_ghl(EVE)["id"])
        for address in (BOB, EVE):
            here.later(minutes=11)
            here.edit_person(ghl_id, email=address)
            here.reconcile()
        here.later(minutes=11)
        here.full()
        assert (here.blocks(ghl_id), here.status(EVE)) == (False, "subscribed")
        here.assert_quiet()
