"""Contract, section 6: who takes the link of a deleted contact over; and deleted, then made again (section 4)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from sync_daemon.model.contact import Consent
from sync_daemon.model.policy import (
    DeletedInEmailOctopus,
    DeletedInGhl,
    DeleteRule,
    GuardLimits,
    Resubscribe,
    ScopeRule,
)
from sync_daemon.model.system import SystemName
from tests.scenarios.test_consent_again import KilledError, killed_after
from tests.worlds import EMAILOCTOPUS, GHL, World, neighbours, tombstones, world

ADA, BOB = "ada@example.com", "bob@example.com"
BOTH = [GHL, EMAILOCTOPUS]


def delete(here: World, system: SystemName, ghl_id: str, subscriber_id: str) -> None:
    if system == GHL:
        here.ghl.delete(ghl_id)
    else:
        here.emailoctopus.delete(subscriber_id)


def make_again(here: World, system: SystemName) -> str:
    return here.person(ADA) if system == GHL else here.subscriber(ADA)


def partners(here: World) -> set[tuple[str, str]]:
    """The ids that are linked with each other."""
    return {(link.ghl_id, link.emailoctopus_id) for link in here.pair_store.links(ghl=here.people())}


def revoke(here: World, system: SystemName, ghl_id: str, subscriber_id: str) -> None:
    here.clock.advance(1)
    if system == GHL:
        here.ghl.set_dnd(ghl_id)
    else:
        here.emailoctopus.unsubscribe(subscriber_id)
    here.reconcile()


def is_quiet(here: World) -> None:
    here.settle()
    here.later(days=1)
    assert not here.full().written
    here.assert_quiet()


# before the scan that finds it


@pytest.mark.parametrize("system", BOTH)
def test_who_has_the_address_now_takes_the_link_over(database_url: str, system: SystemName) -> None:
    with world(database_url) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked(tags=["vip"])
        here.later(days=1)
        delete(here, system, ghl_id, subscriber_id)
        again = make_again(here, system)
        here.later(minutes=20)
        here.full()
        assert (again, subscriber_id) in partners(here) if system == GHL else (ghl_id, again) in partners(here)
        assert (here.blocked(ADA), here.status(ADA)) == (False, "subscribed")
        assert here.in_ghl(ADA)["tags"] == here.in_emailoctopus(ADA)["tags"] == ["vip"]
        assert [stone.done for stone in tombstones(here)] == ["relink"]
        is_quiet(here)
        assert (len(here.people()), len(here.subscribers())) == (4, 4)


@pytest.mark.parametrize("known_before", [True, False])
def test_a_duplicate_takes_the_link_over(database_url: str, known_before: bool) -> None:
    with world(database_url) as here:
        here.ghl.location.allow_duplicate_contact = True
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        if known_before:
            other = here.person(ADA, first="Augusta")
            here.reconcile()
        here.later(days=1)
        here.ghl.delete(ghl_id)
        if not known_before:
            other = here.person(ADA, first="Augusta")
        here.later(minutes=20)
        assert (EMAILOCTOPUS, "unsubscribed") not in here.full().written
        assert (other, subscriber_id) in partners(here)
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Augusta"
        is_quiet(here)


def test_who_moved_on_is_not_taken_over_by_the_old_address(database_url: str) -> None:
    """The linked contact is gone, and its subscriber has another address now, which nobody else has."""
    with world(database_url) as here:
        here.ghl.location.allow_duplicate_contact = True
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        other = here.person(ADA, first="Augusta")
        here.reconcile()
        here.later(days=1)
        here.ghl.delete(ghl_id)
        here.emailoctopus.change_address(subscriber_id, BOB)
        here.later(minutes=20)
        here.full()
        is_quiet(here)
        assert here.status(BOB) == "unsubscribed"
        assert here.status(ADA) == "subscribed"
        assert {ghl for ghl, there in partners(here) if there == here.in_emailoctopus(ADA)["id"]} == {other}


@pytest.mark.parametrize("in_ghl_too", [True, False])
@pytest.mark.parametrize("known_before", [True, False])
def test_a_duplicate_is_decided_by_itself_when_the_link_ends(
    database_url: str, *, in_ghl_too: bool, known_before: bool
) -> None:
    with world(database_url) as here:
        here.ghl.location.allow_duplicate_contact = True
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        if known_before:
            other = here.person(ADA, first="Augusta")
            here.reconcile()
        here.later(days=1)
        here.emailoctopus.delete(subscriber_id)
        if in_ghl_too:
            here.ghl.delete(ghl_id)
        if not known_before:
            other = here.person(ADA, first="Augusta")
        here.later(minutes=20)
        here.full()
        is_quiet(here)
        [known] = here.pair_store.contacts(GHL, [other]).values()
        if in_ghl_too:  # nobody else has the address any more
            assert here.status(ADA) == "subscribed"
            assert known.unlinked is None
        else:
            assert len(here.subscribers()) == 3
            assert known.unlinked in ("duplicate", "suppressed")


def test_a_namesake_waits_for_a_missing_contact_whose_address_was_emptied(database_url: str) -> None:
    """Nobody knows yet that it is deleted: the cycle ends, and the next full scan hands the link over."""
    with world(database_url) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        here.clock.advance(60)
        here.ghl.edit(ghl_id, email=None)
        here.reconcile()
        other = here.person(ADA, first="Augusta")
        here.reconcile()
        here.later(days=1)
        here.ghl.delete(ghl_id)
        for name in ("Agatha", "Augusta"):
            here.clock.advance(60)
            here.ghl.edit(other, firstName=name)
            here.forget_requests()
            here.reconcile()
            assert len(here.requests(GHL)) < 10
        here.later(minutes=20)
        here.full()
        assert (other, subscriber_id) in partners(here)
        is_quiet(here)


@pytest.mark.parametrize("gone", ["newest", "oldest"])
def test_who_was_waiting_beside_a_namesake_who_is_gone_is_decided_without_him(database_url: str, gone: str) -> None:
    with world(database_url, guard=GuardLimits(max_create_percent=0, max_create_count=0)) as here:
        here.ghl.location.allow_duplicate_contact = True
        neighbours(here)
        here.settle()
        one = here.person(ADA)
        here.later(minutes=1)
        two = here.person(ADA, first="Augusta")
        here.reconcile()
        [entry] = here.pair_store.held(everything=True)
        assert entry.ghl_id == two
        here.later(days=1)
        left, lost = (one, two) if gone == "newest" else (two, one)
        here.ghl.delete(lost)
        here.later(minutes=20)
        here.full()
        [entry] = here.pair_store.held(everything=True)
        assert entry.ghl_id == left
        [known] = here.pair_store.contacts(GHL, [left]).values()
        assert known.unlinked == "held"


@pytest.mark.parametrize("news", [True, False])
def test_who_has_the_old_address_of_a_contact_whose_deletion_is_held_waits_quietly(
    database_url: str, *, news: bool
) -> None:
    with world(database_url) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        here.settle()
        here.with_policy(guard=GuardLimits(0, 0, 0, 0))
        here.later(days=1)
        here.ghl.delete(ghl_id)
        here.emailoctopus.change_address(subscriber_id, BOB)
        other = here.person(ADA, first="Augusta")
        here.settle()
        here.full()
        here.later(days=1)
        here.full()
        here.settle()
        if news:
            here.edit_person(other, firstName="Agatha")
        here.settle()
        assert here.pair_store.count_staged() == {GHL: 0, EMAILOCTOPUS: 0}
        waiting = here.pair_store.held(everything=True)
        assert ghl_id in {entry.ghl_id for entry in waiting}
        [known] = here.pair_store.contacts(GHL, [other]).values()
        assert known.unlinked == "held"
        assert known.duplicate_of == ghl_id or other in {entry.ghl_id for entry in waiting}
        here.pair_store.order_held([entry.id for entry in waiting if entry.id is not None], approve=True)
        here.with_policy(guard=GuardLimits())
        here.settle()
        assert here.has(EMAILOCTOPUS, ADA)
        is_quiet(here)


@pytest.mark.parametrize("pick", [0, 1])
def test_who_was_deleted_while_two_exchanged_their_addresses_is_found_by_one_scan(database_url: str, pick: int) -> None:
    with world(database_url) as here:
        neighbours(here)
        pairs = [here.linked(ADA), here.linked(BOB)]
        here.later(days=1)
        ghl_id, subscriber_id = pairs[pick]
        for (one, _), address in zip(pairs, (None, ADA), strict=True):
            here.edit_person(one, email=address)
        here.edit_person(pairs[0][0], email=BOB)
        here.emailoctopus.delete(subscriber_id)
        here.later(minutes=20)
        here.full()
        assert (ghl_id, subscriber_id) not in partners(here)
        is_quiet(here)


@pytest.mark.parametrize("blocked", [True, False])
def test_who_has_the_new_address_of_a_deleted_contact_is_decided_once(database_url: str, *, blocked: bool) -> None:
    """GHL's was emptied, EmailOctopus gave the subscriber another one, somebody else has it: the cycle ends."""
    with world(database_url) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        here.edit_person(ghl_id, email=None)
        here.settle()
        if blocked:
            here.emailoctopus.unsubscribe(subscriber_id)
            here.settle()
        here.later(days=1)
        here.ghl.delete(ghl_id)
        here.emailoctopus.change_address(subscriber_id, BOB)
        other = here.person(BOB)
        if blocked:
            here.ghl.set_dnd(other)
        here.later(minutes=20)
        here.full()
        assert partners(here) >= {(other, subscriber_id)}
        assert (here.blocked(BOB), here.status(BOB)) == (blocked, "unsubscribed" if blocked else "subscribed")
        is_quiet(here)


def test_who_came_back_and_unsubscribed_before_anybody_looked_is_blocked_everywhere(database_url: str) -> None:
    """GHL's contact was blocked by the delete policy; the new one's opt-out is a person's."""
    with world(database_url) as here:
        here.ghl.location.allow_duplicate_contact = True
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        here.later(days=1)
        here.emailoctopus.delete(subscriber_id)
        here.full()
        here.settle()
        other = here.person(ADA)
        again = here.subscriber(ADA)
        here.emailoctopus.unsubscribe(again)
        here.settle()
        assert (here.blocks(ghl_id), here.blocks(other), here.status(ADA)) == (True, True, "unsubscribed")
        [link] = here.pair_store.links(emailoctopus=[again])
        assert link.cause == "person_emailoctopus"
        is_quiet(here)


def test_contacts_merged_in_ghl_unsubscribe_nobody(database_url: str) -> None:
    with world(database_url) as here:
        neighbours(here)
        ada, _ = here.linked()
        bob, bobs = here.linked(BOB, first="Bob")
        here.later(days=1)
        here.ghl.merge(ada, bob)
        here.later(minutes=20)
        assert (EMAILOCTOPUS, "unsubscribed") not in here.full().written
        assert (here.status(ADA), here.status(BOB)) == ("subscribed", "subscribed")
        assert len(here.people()) == 4
        [stone] = tombstones(here)
        assert (stone.ghl_id, stone.done) == (bob, "nothing")
        [left] = here.pair_store.contacts(EMAILOCTOPUS, [bobs]).values()
        assert left.unlinked == "additional_address"
        is_quiet(here)
        # Bob's address is an additional one now: his revocation blocks whom he became.
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(bobs)
        here.settle()
        assert here.blocks(ada)


def test_a_merge_into_a_contact_that_had_no_link_moves_the_link(database_url: str) -> None:
    with world(database_url) as here:
        neighbours(here)
        ada, adas = here.linked()
        nameless = here.person(None, first="Ada")
        here.reconcile()
        here.later(days=1)
        here.ghl.merge(nameless, ada)
        here.later(minutes=20)
        here.full()
        assert (nameless, adas) in partners(here)
        assert here.status(ADA) == "subscribed"
        is_quiet(here)


@pytest.mark.parametrize("revoked_in", BOTH)
@pytest.mark.parametrize("system", BOTH)
def test_the_stricter_consent_goes_to_who_takes_over(
    database_url: str, system: SystemName, revoked_in: SystemName
) -> None:
    with world(database_url) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        revoke(here, revoked_in, ghl_id, subscriber_id)
        here.later(days=1)
        delete(here, system, ghl_id, subscriber_id)
        make_again(here, system)
        here.later(minutes=20)
        here.full()
        here.settle()
        assert (here.blocked(ADA), here.status(ADA)) == (True, "unsubscribed")
        is_quiet(here)


def test_a_block_that_nobody_carried_yet_goes_to_who_takes_over(database_url: str) -> None:
    with world(database_url) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        revoke(here, GHL, ghl_id, subscriber_id)
        here.clock.advance(1)
        here.emailoctopus.sign_up(here.sandbox.list_id, ADA)  # held: the block is GHL's own
        here.settle()
        assert (here.blocked(ADA), here.status(ADA)) == (True, "subscribed")
        here.later(days=1)
        here.ghl.delete(ghl_id)
        here.person(ADA)
        here.later(minutes=20)
        here.full()
        here.settle()
        assert here.blocked(ADA)


def test_a_block_of_who_takes_over_is_never_taken_for_our_own(database_url: str) -> None:
    with world(database_url) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        revoke(here, EMAILOCTOPUS, ghl_id, subscriber_id)
        here.later(days=1)
        here.ghl.delete(ghl_id)
        again = here.person(ADA)
        here.ghl.set_dnd(again)
        here.later(minutes=20)
        here.full()
        here.clock.advance(1)
        here.emailoctopus.sign_up(here.sandbox.list_id, ADA)
        here.settle()
        assert here.blocks(again)


def test_who_takes_over_out_of_scope_gets_nothing_but_revocations(database_url: str) -> None:
    with world(database_url, scope=ScopeRule(tags_any=("in",))) as here:
        neighbours(here, tags=["in"])
        ghl_id, subscriber_id = here.linked(tags=["in"])
        here.later(days=1)
        here.ghl.delete(ghl_id)
        again = here.person(ADA, first="Augusta")
        here.later(minutes=20)
        here.full()
        assert (again, subscriber_id) in partners(here)
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Ada"
        assert here.status(ADA) == "subscribed"
        is_quiet(here)


# after the deletion was found


@pytest.mark.parametrize("revoked_in", [None, *BOTH])
@pytest.mark.parametrize("system", BOTH)
def test_deleted_and_made_again(database_url: str, system: SystemName, revoked_in: SystemName | None) -> None:
    with world(database_url) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        if revoked_in is not None:
            revoke(here, revoked_in, ghl_id, subscriber_id)
        here.later(days=1)
        delete(here, system, ghl_id, subscriber_id)
        here.full()
        here.settle()
        again = make_again(here, system)
        here.settle()
        assert (again, subscriber_id) in partners(here) if system == GHL else (ghl_id, again) in partners(here)
        if revoked_in is not None:
            # A person's revocation stays for ever.
            assert (here.blocked(ADA), here.status(ADA)) == (True, "unsubscribed")
        elif system == GHL:
            # What the policy revoked is never set back, and blocks nobody who comes back.
            assert (here.blocked(ADA), here.status(ADA)) == (False, "unsubscribed")
            assert here.reports[-1].consent_held == 1
        else:
            # EmailOctopus shows the address subscribed again: the policy's block is lifted.
            assert (here.blocked(ADA), here.status(ADA)) == (False, "subscribed")
        is_quiet(here)


def test_allow_sets_back_what_the_policy_revoked(database_url: str) -> None:
    with world(database_url, resubscribe=Resubscribe.ALLOW) as here:
        neighbours(here)
        ghl_id, _ = here.linked()
        here.later(days=1)
        here.ghl.delete(ghl_id)
        here.full()
        assert here.status(ADA) == "unsubscribed"
        here.person(ADA)
        here.settle()
        assert (here.blocked(ADA), here.status(ADA)) == (False, "subscribed")
        is_quiet(here)


@pytest.mark.parametrize("asks", [True, False])
def test_allow_subscribes_nobody_who_never_confirmed(database_url: str, *, asks: bool) -> None:
    with world(database_url, resubscribe=Resubscribe.ALLOW, double_opt_in=asks) as here:
        neighbours(here)
        here.subscriber(ADA, status="pending")
        ghl_id = here.person(ADA)
        here.settle()
        assert here.status(ADA) == "pending"
        here.later(days=1)
        here.ghl.delete(ghl_id)
        here.full()
        assert here.status(ADA) == "unsubscribed"
        here.person(ADA)
        here.settle()
        assert here.status(ADA) == ("pending" if asks else "unsubscribed")
        is_quiet(here)


def test_a_persons_block_that_is_set_again_for_who_came_back_stays_his(database_url: str) -> None:
    with world(database_url) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        here.ghl.set_dnd(ghl_id)
        here.settle()
        here.later(days=1)
        here.ghl.delete(ghl_id)
        here.emailoctopus.delete(subscriber_id)
        here.later(minutes=20)
        here.full()
        again, there = here.person(ADA), here.subscriber(ADA)
        here.settle()
        assert (here.blocks(again), here.status(ADA)) == (True, "unsubscribed")
        here.clock.advance(60)
        here.emailoctopus.set_status(there, "subscribed")
        here.settle()
        assert here.blocks(again)
        [link] = here.pair_store.links(ghl=[again])
        assert link.consent_held


def test_a_block_that_a_person_added_to_the_policys_stays(database_url: str) -> None:
    with world(database_url) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        here.later(days=1)
        here.emailoctopus.delete(subscriber_id)
        here.full()
        here.later(minutes=20)
        here.ghl.set_dnd(ghl_id, "inactive")
        here.settle()
        here.ghl.set_dnd(ghl_id, "active")
        here.settle()
        here.subscriber(ADA)
        here.settle()
        assert (here.blocked(ADA), here.status(ADA)) == (True, "unsubscribed")
        is_quiet(here)


@pytest.mark.parametrize("status", ["unsubscribed", "pending"])
def test_made_again_without_consent_frees_nobody(database_url: str, status: str) -> None:
    with world(database_url) as here:
        neighbours(here)
        _, subscriber_id = here.linked()
        here.later(days=1)
        here.emailoctopus.delete(subscriber_id)
        here.full()
        here.subscriber(ADA, status=status)
        here.settle()
        assert (here.blocked(ADA), here.status(ADA)) == (True, status)
        is_quiet(here)


@pytest.mark.parametrize("resubscribe", [Resubscribe.NEVER, Resubscribe.ALLOW])
def test_unsubscribed_by_policy_then_deleted_there_too_then_made_again(
    database_url: str, resubscribe: Resubscribe
) -> None:
    with world(database_url, resubscribe=resubscribe) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        here.later(days=1)
        here.ghl.delete(ghl_id)
        here.full()
        here.later(days=1)
        here.emailoctopus.delete(subscriber_id)
        here.full()
        here.person(ADA)
        here.settle()
        assert here.has(EMAILOCTOPUS, ADA) is (resubscribe is Resubscribe.ALLOW)
        assert not here.blocked(ADA)
        is_quiet(here)


def test_deleted_on_both_sides_by_policy_and_made_again_is_new(database_url: str) -> None:
    with world(database_url, deletes=DeleteRule(in_ghl=DeletedInGhl.DELETE)) as here:
        neighbours(here)
        ghl_id, _ = here.linked()
        here.later(days=1)
        here.ghl.delete(ghl_id)
        here.full()
        assert not here.has(EMAILOCTOPUS, ADA)
        here.person(ADA)
        here.settle()
        assert (here.blocked(ADA), here.status(ADA)) == (False, "subscribed")
        is_quiet(here)


@pytest.mark.parametrize("system", BOTH)
def test_an_id_that_comes_back_is_somebody_new(database_url: str, system: SystemName) -> None:
    with world(database_url) as here:
        here.emailoctopus.quirks.readd_keeps_id = True
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        here.later(days=1)
        delete(here, system, ghl_id, subscriber_id)
        here.full()
        make_again(here, system)
        here.settle()
        assert here.blocked(ADA) is False
        is_quiet(here)


@pytest.mark.parametrize("deleted_in", BOTH)
@pytest.mark.parametrize("revoked_in", BOTH)
def test_a_revocation_reaches_who_came_back_under_another_id(
    database_url: str, deleted_in: SystemName, revoked_in: SystemName
) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        delete(here, deleted_in, ghl_id, subscriber_id)
        again = make_again(here, deleted_in)
        here.later(minutes=1)
        here.reconcile()
        assert (here.blocked(ADA), here.status(ADA)) == (False, "subscribed")
        ids = (again, subscriber_id) if deleted_in == GHL else (ghl_id, again)
        revoke(here, revoked_in, *ids)
        here.settle()
        assert (here.blocked(ADA), here.status(ADA)) == (True, "unsubscribed")


@pytest.mark.parametrize("deleted_in", BOTH)
def test_who_was_deleted_on_one_side_and_revokes_on_the_other(database_url: str, deleted_in: SystemName) -> None:
    with world(database_url) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        bob, _ = here.linked(BOB, first="Bob")
        here.later(days=1)
        delete(here, deleted_in, ghl_id, subscriber_id)
        revoke(here, deleted_in.other, ghl_id, subscriber_id)
        here.edit_person(bob, firstName="Robert")
        here.reconcile()
        assert here.in_emailoctopus(BOB)["fields"]["FirstName"] == "Robert"
        here.later(days=1)
        here.full()
        assert here.has(GHL, ADA) is (deleted_in == EMAILOCTOPUS)
        assert here.has(EMAILOCTOPUS, ADA) is (deleted_in == GHL)
        # Whoever turns up with that address again meets the revocation.
        make_again(here, deleted_in)
        here.settle()
        assert (here.blocked(ADA), here.status(ADA)) == (True, "unsubscribed")
        is_quiet(here)


# remembered of an address in EmailOctopus that GHL knows no more


def blocked_then_deleted(here: World) -> tuple[str, str]:
    """Ada, blocked by a person in GHL, unsubscribed for that, and gone from GHL."""
    neighbours(here)
    ghl_id, subscriber_id = here.linked()
    revoke(here, GHL, ghl_id, subscriber_id)
    here.settle()
    here.later(days=1)
    here.ghl.delete(ghl_id)
    here.full()
    assert here.status(ADA) == "unsubscribed"
    return ghl_id, subscriber_id


def test_who_was_blocked_in_ghl_and_subscribes_again_is_not_created_there(database_url: str) -> None:
    with world(database_url) as here:
        blocked_then_deleted(here)
        here.emailoctopus.sign_up(here.sandbox.list_id, ADA)
        report = here.reconcile()
        assert dict(report.skipped) == {"suppressed": 1}
        here.later(days=1)
        here.full()
        assert (here.has(GHL, ADA), here.status(ADA)) == (False, "subscribed")
        is_quiet(here)
        # Nor when the person does so again.
        here.emailoctopus.unsubscribe(str(here.in_emailoctopus(ADA)["id"]))
        here.settle()
        here.emailoctopus.sign_up(here.sandbox.list_id, ADA)
        here.settle()
        assert (here.has(GHL, ADA), here.status(ADA)) == (False, "subscribed")
        # Whoever GHL gets with that address meets the revocation.
        make_again(here, GHL)
        here.settle()
        assert here.blocked(ADA)
        is_quiet(here)


def test_who_was_blocked_in_ghl_is_created_there_blocked_where_that_is_policy(database_url: str) -> None:
    with world(database_url, create_suppressed=True) as here:
        blocked_then_deleted(here)
        here.emailoctopus.sign_up(here.sandbox.list_id, ADA)
        report = here.reconcile()
        assert (report.written, report.consent_held) == ({(GHL, "created"): 1}, 1)
        assert (here.blocked(ADA), here.status(ADA)) == (True, "subscribed")
        is_quiet(here)
        # The block is a person's: nobody but a person lifts it.
        here.emailoctopus.unsubscribe(str(here.in_emailoctopus(ADA)["id"]))
        here.settle()
        here.emailoctopus.sign_up(here.sandbox.list_id, ADA)
        here.settle()
        assert (here.blocked(ADA), here.status(ADA)) == (True, "subscribed")
        assert here.reports[-1].consent_held == 1
        is_quiet(here)


@pytest.mark.parametrize("revoked_in", BOTH)
@pytest.mark.parametrize("suppressed", [False, True])
def test_another_contact_with_a_revoked_address_is_revoked(
    database_url: str, revoked_in: SystemName, suppressed: bool
) -> None:
    with world(database_url, create_suppressed=suppressed) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        revoke(here, revoked_in, ghl_id, subscriber_id)
        here.settle()
        here.later(days=1)
        here.ghl.delete(ghl_id)
        here.emailoctopus.delete(subscriber_id)
        here.full()
        here.settle()
        here.subscriber(ADA)
        here.settle()
        assert here.status(ADA) == "unsubscribed"
        assert here.has(GHL, ADA) is suppressed
        assert not suppressed or here.blocked(ADA)
        is_quiet(here)


def test_who_is_left_with_an_address_that_somebody_else_revoked_is_revoked(database_url: str) -> None:
    """EmailOctopus gave the address of a deleted contact to another one, whose GHL contact can't have it."""
    with world(database_url) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        _, other = here.linked(BOB)
        here.later(days=1)
        here.emailoctopus.delete(subscriber_id)
        here.emailoctopus.change_address(other, ADA)
        here.settle()
        assert not here.blocks(ghl_id)
        here.emailoctopus.unsubscribe(other)
        here.settle()
        here.later(days=1)
        here.full()
        assert here.blocks(ghl_id)
        is_quiet(here)


def test_who_unsubscribed_in_emailoctopus_and_subscribes_again_is_created_in_ghl(database_url: str) -> None:
    with world(database_url) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        revoke(here, EMAILOCTOPUS, ghl_id, subscriber_id)
        here.settle()
        here.later(days=1)
        here.ghl.delete(ghl_id)
        here.full()
        here.emailoctopus.sign_up(here.sandbox.list_id, ADA)
        here.settle()
        assert (here.blocked(ADA), here.status(ADA)) == (False, "subscribed")
        is_quiet(here)


# killed between the write and writing it down


@dataclass(frozen=True)
class Ending:
    """What a deletion comes to: whether GHL blocks, EmailOctopus's status, and what is remembered of the address."""

    deleted_in: SystemName
    rule: DeleteRule
    blocked: bool | None
    status: str | None
    remembered: str | None


ENDINGS = {
    "set_status": Ending(GHL, DeleteRule(), None, "unsubscribed", "policy"),
    "delete": Ending(GHL, DeleteRule(in_ghl=DeletedInGhl.DELETE), None, None, None),
    "set_dnd": Ending(EMAILOCTOPUS, DeleteRule(), True, None, "policy"),
    "create": Ending(
        EMAILOCTOPUS, DeleteRule(in_emailoctopus=DeletedInEmailOctopus.RECREATE), False, "subscribed", None
    ),
}


@contextmanager
def killed_before(here: World) -> Iterator[None]:
    """Kill the process when all is decided and the first write is about to go out."""

    def die() -> None:
        raise KilledError

    here.before_writing(die)
    with pytest.raises(KilledError):
        yield


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("what", ENDINGS)
def test_a_process_that_is_killed_changes_nothing_in_the_end(database_url: str, what: str, before: bool) -> None:
    ending = ENDINGS[what]
    with world(database_url, deletes=ending.rule) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        here.later(days=1)
        delete(here, ending.deleted_in, ghl_id, subscriber_id)
        with killed_before(here) if before else killed_after(here, what):
            here.full()
        assert tombstones(here) == []
        here.later(minutes=1)
        here.reconcile()  # the absence waits in the inbox: no full scan is needed
        [stone] = tombstones(here)
        assert stone.done in ("unsubscribe", "suppress") or what in ("delete", "create")
        here.settle()
        assert (here.blocked(ADA) if here.has(GHL, ADA) else None) is ending.blocked
        assert (here.status(ADA) if here.has(EMAILOCTOPUS, ADA) else None) == ending.status
        address = here.pair.digester.address(ADA)
        assert here.pair_store.revoked_at([address]).get(address) == ending.remembered
        assert len(here.subscribers()) == 4 - (ending.status is None)
        is_quiet(here)


def test_what_is_remembered_of_a_deletion(database_url: str) -> None:
    with world(database_url) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        here.clock.advance(1)
        here.ghl.add_email(ghl_id, BOB)
        here.reconcile()
        further = here.pair.digester.address(BOB)
        assert here.pair_store.holders_of_additional([further]) == {further: [ghl_id]}
        here.later(days=1)
        here.ghl.delete(ghl_id)
        here.full()
        [gone] = here.pair_store.contacts(GHL, [ghl_id]).values()
        assert (gone.unlinked, gone.address, gone.baseline) == ("deleted", None, None)
        assert here.pair_store.holders_of_additional([further]) == {}
        [left] = here.pair_store.contacts(EMAILOCTOPUS, [subscriber_id]).values()
        assert (left.unlinked, left.consent) == ("orphan", Consent.REVOKED)
