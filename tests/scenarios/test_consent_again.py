"""Contract, section 4 and law L4: the back doors through which somebody who revoked could be subscribed again."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sync_daemon.model.policy import Resubscribe
from sync_daemon.ports import Commit
from sync_daemon.sandbox.weather import Fault
from tests.worlds import EMAILOCTOPUS, GHL, World, world

ADA, BOB, EVE = "ada@example.com", "bob@example.com", "eve@example.com"
UNSUBSCRIBE, SUBSCRIBE = {"status": "unsubscribed"}, {"status": "subscribed"}
FREE = {"dndSettings": {"Email": {"status": "inactive"}}}


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


# a step toward consent of which nobody knows what became


class KilledError(BaseException):
    """The process dies here."""


@contextmanager
def killed_after(here: World, what: str) -> Iterator[None]:
    """Kill the process when something was written and is about to be written down."""
    store, commit = here.pair.store, here.pair.store.commit

    def dying(changes: Commit, run_id: str = "", holder: str | None = None) -> None:
        if any(change.what == what for change in changes.changes):
            raise KilledError
        commit(changes, run_id, holder)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "commit", dying)
        with pytest.raises(KilledError):
            yield


def freed_in_ghl(here: World) -> tuple[str, str]:
    """A link of somebody who unsubscribed, and whose DND was lifted in GHL just now."""
    ghl_id, subscriber_id = here.linked()
    unsubscribe(here, subscriber_id)
    here.reconcile()
    dnd(here, ghl_id, "inactive")
    here.forget_requests()
    return ghl_id, subscriber_id


def opted_in_again(here: World) -> tuple[str, str]:
    """A link of somebody who unsubscribed, and who subscribed again just now."""
    ghl_id, subscriber_id = here.linked()
    unsubscribe(here, subscriber_id)
    here.reconcile()
    subscribe_again(here, ADA)
    here.forget_requests()
    return ghl_id, subscriber_id


@pytest.mark.parametrize("kind", ["lost_answer", "truncate"])
def test_a_subscription_whose_answer_is_lost_is_looked_for_and_not_sent_again(database_url: str, kind: str) -> None:
    with world(database_url, resubscribe=Resubscribe.ALLOW) as here:
        freed_in_ghl(here)
        here.sandbox.emailoctopus.weather.faults = [Fault(kind=kind, method="PUT")]  # type: ignore[arg-type]
        assert here.reconcile().outcome == "ok"
        assert here.bodies(EMAILOCTOPUS) == [SUBSCRIBE]
        assert here.status(ADA) == "subscribed"
        here.assert_quiet()


def test_a_dnd_lifted_without_an_answer_is_looked_for_and_not_lifted_again(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, _ = opted_in_again(here)
        here.sandbox.ghl.weather.faults = [Fault(kind="lost_answer", method="PUT")]
        assert here.reconcile().outcome == "ok"
        assert here.bodies(GHL) == [FREE]
        assert not here.blocks(ghl_id)
        here.assert_quiet()


def test_a_subscription_that_was_not_applied_is_decided_anew(database_url: str) -> None:
    with world(database_url, resubscribe=Resubscribe.ALLOW) as here:
        freed_in_ghl(here)
        here.sandbox.emailoctopus.weather.faults = [Fault(kind="drop", method="PUT")]
        assert here.reconcile().new_parked == 1
        assert here.status(ADA) == "unsubscribed"
        here.later(minutes=2)
        assert here.reconcile().parked == 0
        assert here.status(ADA) == "subscribed"
        here.assert_quiet()


def test_a_dnd_that_was_not_lifted_is_decided_anew(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, _ = opted_in_again(here)
        here.sandbox.ghl.weather.faults = [Fault(kind="drop", method="PUT")]
        assert here.reconcile().new_parked == 1
        here.later(minutes=2)
        assert here.reconcile().parked == 0
        assert not here.blocks(ghl_id)
        here.assert_quiet()


def test_nobody_is_subscribed_twice_who_unsubscribed_after_an_answer_that_was_lost(database_url: str) -> None:
    with world(database_url, resubscribe=Resubscribe.ALLOW) as here:
        ghl_id, subscriber_id = freed_in_ghl(here)
        down = Fault(kind="error", method="GET", status=503, after=4, times=1000)  # after the polls and one read
        here.sandbox.emailoctopus.weather.faults = [Fault(kind="lost_answer", method="PUT"), down]
        assert here.reconcile().outcome == "unreachable"
        assert here.bodies(EMAILOCTOPUS) == [SUBSCRIBE]
        here.sandbox.emailoctopus.weather.faults = []
        unsubscribe(here, subscriber_id)
        here.later(minutes=2)
        here.reconcile()
        assert SUBSCRIBE not in here.bodies(EMAILOCTOPUS)
        assert_revoked(here, ghl_id, ADA)


def test_nobody_is_subscribed_twice_who_unsubscribed_after_a_kill(database_url: str) -> None:
    with world(database_url, resubscribe=Resubscribe.ALLOW) as here:
        ghl_id, subscriber_id = freed_in_ghl(here)
        with killed_after(here, "set_status"):
            here.reconcile()
        assert here.status(ADA) == "subscribed"
        unsubscribe(here, subscriber_id)
        here.later(minutes=2)
        here.reconcile()
        assert_revoked(here, ghl_id, ADA)


def test_who_is_blocked_after_a_kill_that_followed_a_subscription_is_unsubscribed(database_url: str) -> None:
    with world(database_url, resubscribe=Resubscribe.ALLOW) as here:
        ghl_id, _ = freed_in_ghl(here)
        with killed_after(here, "set_status"):
            here.reconcile()
        dnd(here, ghl_id, "active")
        here.later(minutes=2)
        here.reconcile()
        assert_revoked(here, ghl_id, ADA)


def test_who_unsubscribes_after_a_kill_that_followed_a_lifted_dnd_is_blocked(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = opted_in_again(here)
        with killed_after(here, "lift_dnd"):
            here.reconcile()
        assert not here.blocks(ghl_id)
        unsubscribe(here, subscriber_id)
        here.later(minutes=2)
        here.reconcile()
        assert_revoked(here, ghl_id, ADA)


def test_a_dnd_that_is_set_after_a_kill_that_followed_a_lifted_one_stays(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, _ = opted_in_again(here)
        with killed_after(here, "lift_dnd"):
            here.reconcile()
        dnd(here, ghl_id, "active")
        here.later(minutes=2)
        here.reconcile()
        assert_revoked(here, ghl_id, ADA)


@pytest.mark.parametrize("what", ["set_status", "lift_dnd"])
def test_a_kill_after_a_step_toward_consent_changes_nothing_else(database_url: str, what: str) -> None:
    with world(database_url, resubscribe=Resubscribe.ALLOW) as here:
        ghl_id, _ = freed_in_ghl(here) if what == "set_status" else opted_in_again(here)
        with killed_after(here, what):
            here.reconcile()
        here.later(minutes=11)
        here.reconcile()
        assert (here.blocks(ghl_id), here.status(ADA)) == (False, "subscribed")
        here.assert_quiet()


# a revocation that was about to be sent when the process died


@contextmanager
def killed_before(here: World) -> Iterator[None]:
    """Kill the process when what is to be written is written down and nothing was sent."""
    store, commit = here.pair.store, here.pair.store.commit

    def dying(changes: Commit, run_id: str = "", holder: str | None = None) -> None:
        commit(changes, run_id, holder)
        if any(row.sent is not None for row in changes.contacts):
            raise KilledError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "commit", dying)
        with pytest.raises(KilledError):
            yield


def test_a_dnd_that_a_person_set_after_a_kill_is_not_taken_for_ours(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        unsubscribe(here, subscriber_id)
        with killed_before(here):
            here.reconcile()
        assert not here.blocks(ghl_id)
        here.later(minutes=1)
        dnd(here, ghl_id, "active")
        subscribe_again(here, ADA)
        here.reconcile()
        assert_revoked(here, ghl_id, ADA)


def test_an_unsubscription_after_a_kill_is_not_taken_for_ours(database_url: str) -> None:
    with world(database_url, resubscribe=Resubscribe.ALLOW) as here:
        ghl_id, subscriber_id = here.linked()
        dnd(here, ghl_id, "active")
        with killed_before(here):
            here.reconcile()
        assert here.status(ADA) == "subscribed"
        here.later(minutes=1)
        dnd(here, ghl_id, "inactive")
        unsubscribe(here, subscriber_id)
        here.reconcile()
        assert_revoked(here, ghl_id, ADA)


def test_a_dnd_that_was_set_before_a_kill_is_lifted_like_any_of_ours(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        unsubscribe(here, subscriber_id)
        with killed_after(here, "set_dnd"):
            here.reconcile()
        assert here.blocks(ghl_id)
        here.later(minutes=1)
        subscribe_again(here, ADA)
        here.reconcile()
        assert (here.blocks(ghl_id), here.status(ADA)) == (False, "subscribed")
        here.assert_quiet()


# other back doors


def test_a_lifted_dnd_of_an_old_hit_creates_nobody(database_url: str) -> None:
    with world(database_url) as here:
        here.linked(BOB)
        ghl_id = here.person(ADA, dndSettings={"Email": {"status": "active"}})
        here.reconcile()
        here.later(minutes=20)
        dnd(here, ghl_id, "inactive")
        here.later(seconds=30)
        dnd(here, ghl_id, "active")
        here.later(seconds=10)
        here.sandbox.ghl.weather.index_lag_s = 20
        here.reconcile()
        assert not here.has(EMAILOCTOPUS, ADA)
        here.settle()
        here.assert_quiet()


def test_when_hits_stop_carrying_dnd_settings_the_next_full_scan_notices(database_url: str) -> None:
    with world(database_url) as here:
        here.ghl.quirks.hits_carry_dnd = "always"
        ghl_id, _ = here.linked()
        here.full()
        here.ghl.quirks.hits_carry_dnd = "never"
        here.later(minutes=11)
        here.full()
        here.later(minutes=11)
        dnd(here, ghl_id, "active")
        here.reconcile()
        assert here.status(ADA) == "unsubscribed"
        here.assert_quiet()


@pytest.mark.parametrize("full", [True, False])
def test_a_list_that_began_to_ask_first_is_not_passed_over(database_url: str, full: bool) -> None:
    with world(database_url) as here:
        here.linked(BOB)
        here.emailoctopus.set_double_opt_in(here.sandbox.list_id, double_opt_in=True)
        here.person(ADA)
        here.later(minutes=11)
        (here.full if full else here.reconcile)()
        assert here.status(ADA) == "pending"
        here.person(EVE)
        here.reconcile()
        assert here.status(EVE) == "pending"


def test_nobody_is_subscribed_by_an_update_where_a_missing_status_means_subscribed(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        unsubscribe(here, subscriber_id)
        here.reconcile()
        here.emailoctopus.quirks.omitted_status_kept = False
        here.edit_person(ghl_id, firstName="Augusta")
        here.reconcile()
        assert here.status(ADA) == "unsubscribed"
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Augusta"
        assert_revoked(here, ghl_id, ADA)


def test_an_address_that_was_blocked_in_ghl_alone_stays_revoked_when_its_contact_leaves_it(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id = here.person(ADA, dndSettings={"Email": {"status": "active"}})
        here.reconcile()
        here.edit_person(ghl_id, email=BOB)
        here.reconcile()
        another = here.person(ADA, first="Another")
        here.later(minutes=11)
        here.reconcile()
        assert here.blocks(another)
        assert not here.has(EMAILOCTOPUS, ADA)
        here.settle()
        here.assert_quiet()
        dnd(here, another, "inactive")  # somebody knows better
        here.reconcile()
        assert here.status(ADA) == "subscribed"
        assert here.blocks(ghl_id)
        here.settle()
        here.assert_quiet()


def test_a_block_that_is_lifted_just_before_our_own_write_is_noticed(database_url: str) -> None:
    with world(database_url, resubscribe=Resubscribe.ALLOW) as here:
        here.sandbox.ghl.world.quirks.hits_carry_dnd = "never"
        ghl_id, subscriber_id = here.linked()
        here.clock.advance(1)
        here.ghl.set_dnd(ghl_id)
        here.later(hours=1)
        here.reconcile()
        assert here.status(ADA) == "unsubscribed"
        here.later(hours=1)
        here.reconcile()
        here.edit_subscriber(subscriber_id, LastName="King")
        here.before_writing(lambda: here.ghl.set_dnd(ghl_id, "inactive"))
        here.reconcile()
        here.later(days=1)
        here.full()
        assert here.in_ghl(ADA)["lastName"] == "King"
        assert here.status(ADA) == "subscribed"
        here.assert_quiet()
