"""Contract, section 4: what no limit holds up, and what no opt-in outweighs."""

import pytest

from sync_daemon.model.policy import DeletedInEmailOctopus, DeleteRule, Resubscribe
from sync_daemon.model.report import CycleOutcome
from tests.worlds import EMAILOCTOPUS, GHL, neighbours, world

ADA, BOB = "ada@example.com", "bob@example.com"


def test_revocations_go_out_to_both_sides_while_a_full_plan_lets_nobody_be_created(database_url: str) -> None:
    with world(database_url) as here:
        ada, bob = here.linked(ADA), here.linked(BOB)
        here.sandbox.emailoctopus.weather.plan_limit = 0
        for number in range(3):
            here.person(f"p{number}@example.com", f"P{number}")
        assert here.reconcile().outcome == CycleOutcome.PARKED
        here.clock.advance(1)
        here.ghl.set_dnd(ada[0], "active")
        here.emailoctopus.unsubscribe(bob[1])
        here.person("late@example.com", "Late")  # refused in the very cycle that carries the revocations
        here.forget_requests()
        report = here.reconcile()
        assert (here.status(ADA), here.blocked(BOB)) == ("unsubscribed", True)
        assert not here.has(EMAILOCTOPUS, "late@example.com")
        assert report.outcome == CycleOutcome.PARKED
        first, *_ = here.bodies(EMAILOCTOPUS)
        assert first == {"status": "unsubscribed"}


@pytest.mark.parametrize("lifted", [False, True])
def test_a_duplicate_who_is_blocked_outweighs_an_opt_in_of_the_same_moment(database_url: str, lifted: bool) -> None:
    """The linked contact's block is this program's own, and would be lifted for the opt-in alone."""
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(subscriber_id)
        here.reconcile()
        assert here.blocked(ADA)
        here.clock.advance(1)
        here.emailoctopus.sign_up(here.sandbox.list_id, ADA)
        if lifted:
            here.ghl.set_dnd(ghl_id, "inactive")
        twin = here.person(ADA, "Twin")
        here.ghl.set_dnd(twin, "active")
        here.reconcile()
        assert (here.status(ADA), here.blocks(ghl_id), here.blocks(twin)) == ("unsubscribed", True, True)
        for _ in range(3):
            here.later(days=1, minutes=1)
            here.full()
        assert (here.status(ADA), here.blocks(ghl_id), here.blocks(twin)) == ("unsubscribed", True, True)
        here.assert_quiet()


@pytest.mark.parametrize("noticed", [True, False])
def test_a_block_set_anew_after_ours_was_lifted_is_a_persons(database_url: str, *, noticed: bool) -> None:
    """What follows from the lifted block is refused and waits, or comes up again meanwhile."""
    with world(database_url, resubscribe=Resubscribe.PENDING, double_opt_in=True) as here:
        ghl_id, subscriber_id = here.linked()
        here.clock.advance(1)
        here.emailoctopus.complain(subscriber_id)
        here.settle()
        assert here.blocks(ghl_id)
        here.clock.advance(1)
        here.ghl.set_dnd(ghl_id, "inactive")
        here.reconcile()
        assert here.pair_store.parked(everything=True)
        if noticed:
            here.clock.advance(1)
            here.ghl.edit(ghl_id, firstName="Augusta")
            here.reconcile()
        here.clock.advance(1)
        here.ghl.set_dnd(ghl_id)
        here.reconcile()
        here.clock.advance(1)
        here.emailoctopus.set_status(subscriber_id, "subscribed")
        here.settle()
        assert here.blocks(ghl_id)


def test_what_was_read_before_our_own_block_is_not_taken_for_its_lifting(database_url: str) -> None:
    deletes = DeleteRule(in_emailoctopus=DeletedInEmailOctopus.RECREATE)
    with world(database_url, deletes=deletes, resubscribe=Resubscribe.ALLOW, create_suppressed=True) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(subscriber_id)
        here.fault(GHL, kind="error", method="PUT", path=f"/contacts/{ghl_id}", status=503, times=4)
        assert here.reconcile().parked == 1
        here.emailoctopus.delete(subscriber_id)
        here.later(days=1)
        here.full()
        assert here.blocks(ghl_id)
        assert here.status(ADA) == "unsubscribed"
        here.assert_quiet()


def test_a_block_of_a_person_is_no_block_of_ours_that_was_never_sent(database_url: str) -> None:
    """GHL can't be reached when its contact is to be blocked; until it can, a person blocks it there."""
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(subscriber_id)
        here.fault(GHL, kind="drop", method="", path="", times=100)
        here.forget_requests()
        assert here.reconcile().outcome == CycleOutcome.UNREACHABLE
        assert here.writes(GHL) == []
        here.sandbox.ghl.weather.faults.clear()
        here.clock.advance(1)
        here.ghl.set_dnd(ghl_id, "active")
        here.reconcile()
        here.clock.advance(1)
        here.emailoctopus.set_status(subscriber_id, "subscribed")
        here.settle()
        assert here.blocks(ghl_id)


def test_a_block_of_a_person_is_no_block_of_ours_before_which_ghl_went_away(database_url: str) -> None:
    """GHL goes away while many are to be blocked; a person blocks, at once, one whom nothing was sent of."""
    with world(database_url) as here:
        pairs = dict(neighbours(here))
        here.clock.advance(1)
        for subscriber_id in pairs.values():
            here.emailoctopus.unsubscribe(subscriber_id)
        here.before_writing(lambda: here.fault(GHL, kind="drop", method="", path="", times=100))
        assert here.reconcile().outcome == CycleOutcome.UNREACHABLE
        begun = {path.split("/")[-1] for _, path in here.writes(GHL)}
        ghl_id = next(one for one in pairs if one not in begun)
        here.sandbox.ghl.weather.faults.clear()
        here.clock.advance(1)
        here.ghl.set_dnd(ghl_id, "active")
        here.reconcile()
        here.clock.advance(1)
        here.emailoctopus.set_status(pairs[ghl_id], "subscribed")
        here.settle()
        assert begun
        assert here.blocks(ghl_id)
