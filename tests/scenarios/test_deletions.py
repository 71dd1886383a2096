"""Contract, section 6: what a deletion on one side does to the other, and that it does it once."""

import pytest

from sync_daemon.model.contact import Consent
from sync_daemon.model.policy import (
    DeletedInEmailOctopus,
    DeletedInGhl,
    DeleteRule,
    OnLeaveScope,
    Resubscribe,
    ScopeRule,
    TagRule,
)
from sync_daemon.model.system import SystemName
from tests.worlds import EMAILOCTOPUS, GHL, World, neighbours, tombstones, world

ADA = "ada@example.com"
TAG = "deleted-in-emailoctopus"


def in_ghl(rule: DeletedInGhl) -> DeleteRule:
    return DeleteRule(in_ghl=rule)


def in_emailoctopus(rule: DeletedInEmailOctopus) -> DeleteRule:
    return DeleteRule(in_emailoctopus=rule)


def again_and_again(here: World) -> None:
    """Days pass, scans and polls: what was done about the deletion stays as it is."""
    here.settle()
    for _ in range(2):
        here.later(days=1)
        assert not here.full().written
    here.assert_quiet()


# deleted in GHL


def test_deleted_in_ghl_unsubscribes(database_url: str) -> None:
    with world(database_url) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked(tags=["vip"])
        here.later(days=1)
        here.ghl.delete(ghl_id)
        report = here.full()
        assert report.written == {(EMAILOCTOPUS, "unsubscribed"): 1}
        assert (report.outcome, report.parked) == ("ok", 0)
        assert here.status(ADA) == "unsubscribed"
        assert here.in_emailoctopus(ADA)["tags"] == ["vip"]
        [stone] = tombstones(here)
        assert (stone.ghl_id, stone.emailoctopus_id, stone.deleted_in) == (ghl_id, subscriber_id, "ghl")
        assert (stone.done, stone.consent) == ("unsubscribe", "granted")
        assert stone.address == here.pair.digester.address(ADA)
        assert here.pair_store.links(ghl=[ghl_id]) == []
        again_and_again(here)
        assert not here.has(GHL, ADA)
        assert here.status(ADA) == "unsubscribed"
        assert len(tombstones(here)) == 1


def test_deleted_in_ghl_deletes_where_that_is_the_policy(database_url: str) -> None:
    with world(database_url, deletes=in_ghl(DeletedInGhl.DELETE)) as here:
        neighbours(here)
        ghl_id, _ = here.linked()
        here.later(days=1)
        here.ghl.delete(ghl_id)
        assert here.full().written == {(EMAILOCTOPUS, "deleted"): 1}
        assert not here.has(EMAILOCTOPUS, ADA)
        again_and_again(here)
        assert [stone.done for stone in tombstones(here)] == ["delete"]


def test_deleted_in_ghl_does_nothing_where_that_is_the_policy(database_url: str) -> None:
    with world(database_url, deletes=in_ghl(DeletedInGhl.IGNORE)) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        here.later(days=1)
        here.ghl.delete(ghl_id)
        assert not here.full().written
        here.edit_subscriber(subscriber_id, FirstName="Augusta")
        again_and_again(here)
        assert here.status(ADA) == "subscribed"
        assert not here.has(GHL, ADA)
        assert [stone.done for stone in tombstones(here)] == ["nothing"]


# deleted in EmailOctopus


def test_deleted_in_emailoctopus_suppresses(database_url: str) -> None:
    with world(database_url) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked(tags=["vip"])
        here.later(days=1)
        here.emailoctopus.delete(subscriber_id)
        report = here.full()
        assert report.written == {(GHL, "dnd_set"): 1, (GHL, "updated"): 1}
        assert here.blocks(ghl_id)
        assert sorted(here.people()[ghl_id]["tags"]) == [TAG, "vip"]
        [stone] = tombstones(here)
        assert (stone.deleted_in, stone.done, stone.consent) == ("emailoctopus", "suppress", "granted")
        here.edit_person(ghl_id, firstName="Augusta")
        again_and_again(here)
        assert not here.has(EMAILOCTOPUS, ADA)
        # It stays the policy's: an edit found the block there, nobody had set it.
        address = here.pair.digester.address(ADA)
        assert here.pair_store.revoked_at([address]) == {address: "policy"}


def test_deleted_in_emailoctopus_does_nothing_where_that_is_the_policy(database_url: str) -> None:
    with world(database_url, deletes=in_emailoctopus(DeletedInEmailOctopus.IGNORE)) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        here.later(days=1)
        here.emailoctopus.delete(subscriber_id)
        assert not here.full().written
        here.edit_person(ghl_id, firstName="Augusta")
        again_and_again(here)
        assert not here.has(EMAILOCTOPUS, ADA)
        assert not here.blocks(ghl_id)
        # Another GHL contact with the address doesn't bring it back either.
        here.person(ADA, first="Another")
        again_and_again(here)
        assert not here.has(EMAILOCTOPUS, ADA)


def test_deleted_in_emailoctopus_creates_again_where_that_is_the_policy(database_url: str) -> None:
    with world(database_url, deletes=in_emailoctopus(DeletedInEmailOctopus.RECREATE)) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked(tags=["vip"])
        here.later(days=1)
        here.emailoctopus.delete(subscriber_id)
        assert here.full().written == {(EMAILOCTOPUS, "created"): 1}
        again = here.in_emailoctopus(ADA)
        assert (again["status"], again["tags"]) == ("subscribed", ["vip"])
        [link] = here.pair_store.links(ghl=[ghl_id])
        assert link.emailoctopus_id == again["id"] != subscriber_id
        again_and_again(here)
        here.edit_person(ghl_id, firstName="Augusta")
        here.settle()
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Augusta"
        assert [stone.done for stone in tombstones(here)] == ["recreate"]


@pytest.mark.parametrize("revoked_in", [GHL, EMAILOCTOPUS])
def test_who_revoked_is_not_created_again(database_url: str, revoked_in: SystemName) -> None:
    with world(database_url, deletes=in_emailoctopus(DeletedInEmailOctopus.RECREATE)) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        here.clock.advance(1)
        if revoked_in == GHL:
            here.ghl.set_dnd(ghl_id)
        else:
            here.emailoctopus.unsubscribe(subscriber_id)
        here.reconcile()
        here.later(days=1)
        here.emailoctopus.delete(subscriber_id)
        assert not here.full().written
        again_and_again(here)
        assert not here.has(EMAILOCTOPUS, ADA)
        assert here.blocks(ghl_id)


def test_who_a_policy_unsubscribed_is_not_created_again(database_url: str) -> None:
    with world(
        database_url,
        deletes=in_emailoctopus(DeletedInEmailOctopus.RECREATE),
        scope=ScopeRule(tags_none=("out",)),
        on_leave_scope=OnLeaveScope.UNSUBSCRIBE,
    ) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        here.clock.advance(1)
        here.ghl.add_tags(ghl_id, ["out"])
        here.reconcile()
        assert here.status(ADA) == "unsubscribed"
        here.later(minutes=11)
        here.edit_person(ghl_id, tags=[])
        here.settle()
        here.later(days=1)
        here.emailoctopus.delete(subscriber_id)
        assert not here.full().written
        again_and_again(here)
        assert not here.has(EMAILOCTOPUS, ADA)
        assert not here.blocks(ghl_id)


def test_who_never_confirmed_is_created_again_as_one_who_has_to(database_url: str) -> None:
    with world(database_url, double_opt_in=True, deletes=in_emailoctopus(DeletedInEmailOctopus.RECREATE)) as here:
        neighbours(here)
        _, subscriber_id = here.linked()
        assert here.status(ADA) == "pending"
        here.later(days=1)
        here.emailoctopus.delete(subscriber_id)
        here.full()
        assert here.status(ADA) == "pending"


def test_deleted_on_both_sides_leaves_a_tombstone(database_url: str) -> None:
    with world(database_url) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        here.later(days=1)
        here.ghl.delete(ghl_id)
        here.emailoctopus.delete(subscriber_id)
        assert not here.full().written
        [stone] = tombstones(here)
        assert (stone.ghl_id, stone.emailoctopus_id, stone.done) == (ghl_id, subscriber_id, "nothing")
        assert here.pair_store.links(ghl=[ghl_id]) == []
        again_and_again(here)


def test_what_is_out_of_scope_is_left_alone(database_url: str) -> None:
    with world(database_url, scope=ScopeRule(tags_any=("in",))) as here:
        neighbours(here, tags=["in"])
        ghl_id, subscriber_id = here.linked(tags=["in"])
        here.edit_person(ghl_id, tags=[])
        here.reconcile()
        here.later(days=1)
        here.emailoctopus.delete(subscriber_id)
        assert not here.full().written
        assert not here.blocks(ghl_id)
        again_and_again(here)


def test_the_mark_never_travels(database_url: str) -> None:
    with world(database_url, tags=TagRule(include=("*",))) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked(tags=["vip"])
        here.later(days=1)
        here.emailoctopus.delete(subscriber_id)
        here.full()
        assert TAG in here.people()[ghl_id]["tags"]
        here.subscriber(ADA)
        here.settle()
        assert here.in_emailoctopus(ADA)["tags"] == ["vip"]
        assert TAG in here.people()[ghl_id]["tags"]


def test_who_was_blocked_already_is_only_marked(database_url: str) -> None:
    with world(database_url) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        here.clock.advance(1)
        here.ghl.set_dnd(ghl_id)
        here.reconcile()
        here.later(days=1)
        here.emailoctopus.delete(subscriber_id)
        assert here.full().written == {(GHL, "updated"): 1}
        address = here.pair.digester.address(ADA)
        assert here.pair_store.revoked_at([address]) == {address: "person_ghl"}
        again_and_again(here)


@pytest.mark.parametrize("deleted_in", [GHL, EMAILOCTOPUS])
def test_what_was_revoked_and_then_deleted_is_carried_whatever_the_policy(
    database_url: str, deleted_in: SystemName
) -> None:
    rule = DeleteRule(DeletedInGhl.IGNORE, DeletedInEmailOctopus.IGNORE)
    with world(database_url, deletes=rule) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        here.later(minutes=20)
        if deleted_in == GHL:
            here.ghl.set_dnd(ghl_id)
            here.later(minutes=1)
            here.sandbox.emailoctopus.weather.error_rate = 1.0
            here.reconcile()  # sees it, and can't write
            here.sandbox.emailoctopus.weather.error_rate = 0.0
            here.ghl.delete(ghl_id)
        else:
            here.emailoctopus.unsubscribe(subscriber_id)
            here.later(minutes=1)
            here.sandbox.ghl.weather.error_rate = 1.0
            here.reconcile()
            here.sandbox.ghl.weather.error_rate = 0.0
            here.emailoctopus.delete(subscriber_id)
        here.later(days=1)
        here.full()
        here.settle()
        address = here.pair.digester.address(ADA)
        assert here.pair_store.revoked_at([address])[address].startswith("person_")
        assert here.status(ADA) == "unsubscribed" if deleted_in == GHL else here.blocked(ADA)


# what is parked


@pytest.mark.parametrize("deleted_in", [GHL, EMAILOCTOPUS])
def test_a_missing_contact_is_listed_until_a_full_scan_proves_it(database_url: str, deleted_in: SystemName) -> None:
    with world(database_url) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        if deleted_in == GHL:
            here.ghl.delete(ghl_id)
            here.edit_subscriber(subscriber_id, FirstName="Augusta")
        else:
            here.emailoctopus.delete(subscriber_id)
            here.edit_person(ghl_id, firstName="Augusta")
        report = here.reconcile()
        assert (report.outcome, report.parked) == ("parked", 1)
        [parked] = here.pair_store.parked(everything=True)
        assert (parked.ghl_id, parked.emailoctopus_id) == (ghl_id, subscriber_id)
        here.later(hours=5)
        here.forget_requests()
        here.reconcile()
        [parked] = here.pair_store.parked(everything=True)
        assert parked.code == f"missing_in_{deleted_in}"
        assert here.writes(GHL) == []
        assert here.writes(EMAILOCTOPUS) == []
        here.later(days=1)
        report = here.full()
        assert (report.outcome, report.parked) == ("ok", 0)
        assert here.status(ADA) == "unsubscribed" if deleted_in == GHL else here.blocked(ADA)
        again_and_again(here)


@pytest.mark.parametrize("system", [GHL, EMAILOCTOPUS])
def test_an_unlinked_contact_that_is_gone_is_forgotten(database_url: str, system: SystemName) -> None:
    with world(database_url, create_in_ghl=False, create_in_emailoctopus=False) as here:
        ids = [
            here.person(f"{name}@example.com") if system == GHL else here.subscriber(f"{name}@example.com")
            for name in ("ada", "bob", "eve")
        ]
        here.reconcile()
        here.later(days=1)
        (here.ghl if system == GHL else here.emailoctopus).delete(ids[0])
        assert not here.full().written
        [known] = here.pair_store.contacts(system, ids[:1]).values()
        assert (known.unlinked, known.address) == ("deleted", None)
        assert tombstones(here) == []
        # Nobody meets somebody who isn't there.
        (here.subscriber if system == GHL else here.person)(ADA)
        here.reconcile()
        assert not here.has(system, ADA)
        here.assert_quiet()


def test_the_counts_agree_with_what_was_deleted(database_url: str) -> None:
    with world(database_url) as here:
        neighbours(here)
        _, subscriber_id = here.linked()
        here.later(days=1)
        here.emailoctopus.delete(subscriber_id)
        here.full()
        assert here.pair_store.count_contacts(EMAILOCTOPUS) == {Consent.GRANTED: 3}
        assert len(here.subscribers()) == 3
        here.settle()
        here.later(minutes=11)
        here.forget_requests()
        here.reconcile()
        # One page for each status, no sweep beside them, and the list's counts.
        assert len([path for _, path in here.requests(EMAILOCTOPUS) if path.endswith("/contacts")]) == 3


@pytest.mark.parametrize("resubscribe", Resubscribe)
def test_only_allow_creates_again_whose_block_somebody_lifted(database_url: str, resubscribe: Resubscribe) -> None:
    with world(database_url, resubscribe=resubscribe) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        here.later(days=1)
        here.emailoctopus.delete(subscriber_id)
        here.full()
        here.later(minutes=20)
        here.ghl.set_dnd(ghl_id, status="inactive")
        here.settle()
        assert here.has(EMAILOCTOPUS, ADA) is (resubscribe is Resubscribe.ALLOW)
        assert not here.blocks(ghl_id)
        again_and_again(here)
