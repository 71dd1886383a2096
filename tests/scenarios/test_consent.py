"""Contract, section 4: consent is a ratchet. Each row of its table, in both directions."""

from collections.abc import Callable
from typing import Any

import pytest

from sync_daemon.model.policy import Resubscribe
from tests.worlds import EMAILOCTOPUS, GHL, World, world

ADA = "ada@example.com"
BLOCK = {"dndSettings": {"Email": {"status": "active"}}}
FREE = {"dndSettings": {"Email": {"status": "inactive"}}}
UNSUBSCRIBE = {"status": "unsubscribed"}
REVOKED, GRANTED = (True, "unsubscribed"), (False, "subscribed")

Act = Callable[[World, str], Any]
IN_GHL: dict[str, Act] = {
    "link": lambda here, ghl_id: here.ghl.unsubscribe(ghl_id),
    "complaint": lambda here, ghl_id: here.ghl.complain(ghl_id),
    "bounce": lambda here, ghl_id: here.ghl.bounce(ghl_id),
    "all channels": lambda here, ghl_id: here.ghl.set_dnd_all(ghl_id, dnd=True),
}
IN_EMAILOCTOPUS: dict[str, Act] = {
    "link": lambda here, subscriber_id: here.emailoctopus.unsubscribe(subscriber_id),
    "complaint": lambda here, subscriber_id: here.emailoctopus.complain(subscriber_id),
    "bounce": lambda here, subscriber_id: here.emailoctopus.bounce(subscriber_id),
    "dashboard": lambda here, subscriber_id: here.emailoctopus.set_status(subscriber_id, "unsubscribed"),
}


def consent(here: World) -> tuple[bool, str]:
    """Whether GHL blocks the address, and EmailOctopus's status."""
    return here.blocked(ADA), here.status(ADA)


def unsubscribe(here: World, subscriber_id: str) -> None:
    here.clock.advance(1)
    here.emailoctopus.unsubscribe(subscriber_id)


def subscribe_again(here: World) -> None:
    """The person opts in again in EmailOctopus."""
    here.clock.advance(1)
    here.emailoctopus.sign_up(here.sandbox.list_id, ADA)


def dnd(here: World, ghl_id: str, status: str, channel: str = "Email") -> None:
    here.clock.advance(1)
    here.ghl.set_dnd(ghl_id, status, channel)


def assert_stays(here: World, expected: tuple[bool, str], *, held: int = 0) -> None:
    """Nothing moves any more, whatever is read."""
    here.later(minutes=11)
    report = here.full()
    assert not report.written
    assert (consent(here), report.consent_held) == (expected, held)
    report = here.assert_quiet()
    assert (consent(here), report.consent_held, report.parked) == (expected, held, 0)


# either side is revoked by a person


@pytest.mark.parametrize("how", IN_GHL)
def test_who_is_revoked_in_ghl_is_unsubscribed_in_the_same_cycle(database_url: str, how: str) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked()
        here.clock.advance(1)
        IN_GHL[how](here, ghl_id)
        report = here.reconcile()
        assert report.written == {(EMAILOCTOPUS, "unsubscribed"): 1}
        assert here.bodies(EMAILOCTOPUS) == [UNSUBSCRIBE]
        assert here.writes(GHL) == []
        assert_stays(here, REVOKED)


@pytest.mark.parametrize("how", IN_EMAILOCTOPUS)
def test_who_is_revoked_in_emailoctopus_gets_email_dnd_in_the_same_cycle(database_url: str, how: str) -> None:
    with world(database_url) as here:
        _, subscriber_id = here.linked()
        here.clock.advance(1)
        IN_EMAILOCTOPUS[how](here, subscriber_id)
        report = here.reconcile()
        assert report.written == {(GHL, "dnd_set"): 1}
        assert here.bodies(GHL) == [BLOCK]
        assert here.writes(EMAILOCTOPUS) == []
        assert_stays(here, REVOKED)


def test_dnd_on_another_channel_is_no_revocation_and_is_never_touched(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        dnd(here, ghl_id, "active", "SMS")
        assert not here.reconcile().written
        unsubscribe(here, subscriber_id)
        here.reconcile()
        settings = here.in_ghl(ADA)["dndSettings"]
        assert {channel: one["status"] for channel, one in settings.items()} == {"SMS": "active", "Email": "active"}
        assert_stays(here, REVOKED)


def test_both_sides_revoked_between_two_cycles_agree_without_a_write(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        dnd(here, ghl_id, "active")
        unsubscribe(here, subscriber_id)
        assert not here.reconcile().written
        assert_stays(here, REVOKED)


def test_an_unsubscription_sets_dnd_on_every_ghl_contact_with_the_address(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        twins = [here.person(ADA, first="Twin"), here.person(ADA, first="Triplet")]
        here.reconcile()
        unsubscribe(here, subscriber_id)
        report = here.reconcile()
        assert report.written == {(GHL, "dnd_set"): 3}
        assert all(here.blocks(one) for one in (ghl_id, *twins))
        here.settle()
        here.later(minutes=11)
        assert not here.full().written
        here.assert_quiet()


def test_the_dnd_of_a_duplicate_unsubscribes_and_blocks_every_other_contact_with_the_address(
    database_url: str,
) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked()
        twin, triplet = here.person(ADA, first="Twin"), here.person(ADA, first="Triplet")
        here.reconcile()
        dnd(here, twin, "active")
        report = here.reconcile()
        assert report.written == {(EMAILOCTOPUS, "unsubscribed"): 1, (GHL, "dnd_set"): 2}
        assert here.status(ADA) == "unsubscribed"
        assert all(here.blocks(one) for one in (ghl_id, twin, triplet))
        here.settle()
        here.assert_quiet()


@pytest.mark.parametrize("revoked_in", [GHL, EMAILOCTOPUS])
def test_a_ghl_contact_that_turns_up_with_a_revoked_address_gets_dnd(database_url: str, revoked_in: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        if revoked_in == GHL:
            dnd(here, ghl_id, "active")
        else:
            unsubscribe(here, subscriber_id)
        here.reconcile()
        late = here.person(ADA, first="Late")
        report = here.reconcile()
        assert report.written == {(GHL, "dnd_set"): 1}
        assert here.blocks(late)
        here.settle()
        here.assert_quiet()


# EmailOctopus goes from revoked to subscribed


def test_a_dnd_that_this_daemon_had_set_is_lifted_when_the_person_subscribes_again(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        dnd(here, ghl_id, "active", "SMS")
        unsubscribe(here, subscriber_id)
        here.reconcile()
        subscribe_again(here)
        here.forget_requests()
        report = here.reconcile()
        assert report.written == {(GHL, "dnd_lifted"): 1}
        assert here.bodies(GHL) == [FREE]  # the e-mail channel alone
        assert here.in_ghl(ADA)["dndSettings"]["SMS"]["status"] == "active"
        assert_stays(here, GRANTED)


def test_it_goes_round_as_often_as_the_person_likes(database_url: str) -> None:
    with world(database_url) as here:
        _, subscriber_id = here.linked()
        for _ in range(2):
            unsubscribe(here, subscriber_id)
            here.reconcile()
            assert consent(here) == REVOKED
            subscribe_again(here)
            here.reconcile()
            assert consent(here) == GRANTED
        here.assert_quiet()


def test_a_dnd_that_was_set_in_ghl_stays_and_the_link_is_consent_held(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked()
        dnd(here, ghl_id, "active")
        here.reconcile()
        subscribe_again(here)
        report = here.reconcile()
        assert (dict(report.written), report.consent_held) == ({}, 1)
        assert_stays(here, (True, "subscribed"), held=1)


def test_a_dnd_that_was_set_in_ghl_at_the_same_time_stays_too(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        dnd(here, ghl_id, "active")
        unsubscribe(here, subscriber_id)
        here.reconcile()
        subscribe_again(here)
        assert here.reconcile().consent_held == 1
        assert_stays(here, (True, "subscribed"), held=1)


@pytest.mark.parametrize("how", ["bounce", "all channels"])
def test_a_permanent_dnd_stays_even_on_top_of_this_daemons_own(database_url: str, how: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        unsubscribe(here, subscriber_id)
        here.reconcile()
        here.clock.advance(1)
        IN_GHL[how](here, ghl_id)
        here.reconcile()
        subscribe_again(here)
        here.forget_requests()
        report = here.reconcile()
        assert (dict(report.written), report.consent_held) == ({}, 1)
        assert here.writes(GHL) == []
        assert_stays(here, (True, "subscribed"), held=1)


def test_a_dnd_that_was_set_in_ghl_once_and_lifted_does_not_spoil_a_later_opt_in(database_url: str) -> None:
    with world(database_url, resubscribe=Resubscribe.ALLOW) as here:
        ghl_id, subscriber_id = here.linked()
        dnd(here, ghl_id, "active")
        here.reconcile()
        dnd(here, ghl_id, "inactive")
        here.reconcile()
        assert consent(here) == GRANTED
        unsubscribe(here, subscriber_id)
        here.reconcile()
        subscribe_again(here)
        here.reconcile()
        assert_stays(here, GRANTED)


def test_consent_held_ends_when_ghl_lifts_its_dnd(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked()
        dnd(here, ghl_id, "active")
        here.reconcile()
        subscribe_again(here)
        assert here.reconcile().consent_held == 1
        dnd(here, ghl_id, "inactive")
        report = here.reconcile()
        assert (dict(report.written), report.consent_held) == ({}, 0)
        assert_stays(here, GRANTED)


def test_consent_held_ends_when_the_person_unsubscribes_after_all(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        dnd(here, ghl_id, "active")
        here.reconcile()
        subscribe_again(here)
        assert here.reconcile().consent_held == 1
        unsubscribe(here, subscriber_id)
        assert here.reconcile().consent_held == 0
        assert_stays(here, REVOKED)


def test_lifting_the_links_dnd_does_not_start_a_ping_pong_with_a_duplicate(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.person(ADA, first="Twin")
        here.reconcile()
        unsubscribe(here, subscriber_id)
        here.reconcile()
        subscribe_again(here)
        here.reconcile()
        here.settle()
        assert (here.blocks(ghl_id), here.status(ADA)) == (False, "subscribed")
        here.later(minutes=11)
        assert not here.full().written
        here.assert_quiet()


# GHL's DND is lifted while EmailOctopus is unsubscribed


@pytest.mark.parametrize("by_us", [True, False])
def test_never_leaves_emailoctopus_unsubscribed_and_reports_the_link_as_consent_held(
    database_url: str, by_us: bool
) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        if by_us:
            unsubscribe(here, subscriber_id)
        else:
            dnd(here, ghl_id, "active")
        here.reconcile()
        dnd(here, ghl_id, "inactive")
        here.forget_requests()
        report = here.reconcile()
        assert (dict(report.written), report.consent_held) == ({}, 1)
        assert here.writes(EMAILOCTOPUS) + here.writes(GHL) == []
        assert_stays(here, (False, "unsubscribed"), held=1)


def test_allow_subscribes_again(database_url: str) -> None:
    with world(database_url, resubscribe=Resubscribe.ALLOW) as here:
        ghl_id, subscriber_id = here.linked()
        unsubscribe(here, subscriber_id)
        here.reconcile()
        dnd(here, ghl_id, "inactive")
        here.forget_requests()
        report = here.reconcile()
        assert report.consent_held == 0
        assert here.bodies(EMAILOCTOPUS) == [{"status": "subscribed"}]
        assert_stays(here, GRANTED)


def test_pending_asks_the_person_on_a_double_opt_in_list(database_url: str) -> None:
    with world(database_url, resubscribe=Resubscribe.PENDING, double_opt_in=True) as here:
        ghl_id, subscriber_id = here.person(ADA), here.subscriber(ADA)
        here.reconcile()
        unsubscribe(here, subscriber_id)
        here.reconcile()
        dnd(here, ghl_id, "inactive")
        here.forget_requests()
        here.reconcile()
        assert here.bodies(EMAILOCTOPUS) == [{"status": "pending"}]
        assert_stays(here, (False, "pending"))
        here.clock.advance(1)
        here.emailoctopus.confirm(subscriber_id)
        assert not here.reconcile().written
        assert_stays(here, GRANTED)


def test_pending_leaves_a_list_without_double_opt_in_alone(database_url: str) -> None:
    with world(database_url, resubscribe=Resubscribe.PENDING) as here:
        ghl_id, subscriber_id = here.linked()
        unsubscribe(here, subscriber_id)
        here.reconcile()
        dnd(here, ghl_id, "inactive")
        assert here.reconcile().consent_held == 1
        assert_stays(here, (False, "unsubscribed"), held=1)


def test_a_dnd_that_is_set_again_ends_consent_held(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        unsubscribe(here, subscriber_id)
        here.reconcile()
        dnd(here, ghl_id, "inactive")
        assert here.reconcile().consent_held == 1
        dnd(here, ghl_id, "active")
        report = here.reconcile()
        # Who may have subscribed again where no poll tells it is unsubscribed again.
        assert (dict(report.written), report.consent_held) == ({(EMAILOCTOPUS, "unsubscribed"): 1}, 0)
        assert_stays(here, REVOKED)


def test_somebody_who_subscribes_again_after_ghl_had_lifted_its_dnd_is_consent_held_no_longer(
    database_url: str,
) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        unsubscribe(here, subscriber_id)
        here.reconcile()
        dnd(here, ghl_id, "inactive")
        assert here.reconcile().consent_held == 1
        subscribe_again(here)
        report = here.reconcile()
        assert (dict(report.written), report.consent_held) == ({}, 0)
        assert_stays(here, GRANTED)


@pytest.mark.parametrize("held", [(True, "subscribed"), (False, "unsubscribed")])
def test_a_link_that_is_consent_held_goes_on_with_everything_but_consent(
    database_url: str, held: tuple[bool, str]
) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        dnd(here, ghl_id, "active")
        here.reconcile()
        if held == (True, "subscribed"):
            subscribe_again(here)
        else:
            dnd(here, ghl_id, "inactive")
        assert here.reconcile().consent_held == 1
        here.edit_person(ghl_id, firstName="Augusta")
        here.edit_subscriber(subscriber_id, LastName="King")
        report = here.reconcile()
        assert report.written == {(GHL, "updated"): 1, (EMAILOCTOPUS, "updated"): 1}
        assert_stays(here, held, held=1)


# steps from and to pending


def test_granted_to_pending_changes_nothing_in_ghl(database_url: str) -> None:
    with world(database_url) as here:
        _, subscriber_id = here.linked()
        here.clock.advance(1)
        here.emailoctopus.set_status(subscriber_id, "pending")
        assert not here.reconcile().written
        assert_stays(here, (False, "pending"))


def test_revoked_to_pending_changes_nothing_in_ghl_and_revoked_stays_revoked_until_subscribed(
    database_url: str,
) -> None:
    with world(database_url, double_opt_in=True) as here:
        here.person(ADA)
        subscriber_id = here.subscriber(ADA)
        here.reconcile()
        unsubscribe(here, subscriber_id)
        here.reconcile()
        subscribe_again(here)  # on this list that is pending
        assert here.status(ADA) == "pending"
        assert not here.reconcile().written
        assert_stays(here, (True, "pending"))
        here.clock.advance(1)
        here.emailoctopus.confirm(subscriber_id)
        assert here.reconcile().written == {(GHL, "dnd_lifted"): 1}
        assert_stays(here, GRANTED)


@pytest.mark.parametrize("revoked_in", [GHL, EMAILOCTOPUS])
def test_a_pending_contact_can_be_revoked_on_either_side(database_url: str, revoked_in: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.clock.advance(1)
        here.emailoctopus.set_status(subscriber_id, "pending")
        here.reconcile()
        if revoked_in == GHL:
            dnd(here, ghl_id, "active")
        else:
            unsubscribe(here, subscriber_id)
        here.reconcile()
        assert_stays(here, REVOKED)
