"""What deletions do in this version: they are listed. Nothing is recreated, unsubscribed or deleted for an absence."""

import pytest

from sync_daemon.model.policy import DeletedInEmailOctopus, DeletedInGhl, DeleteRule
from tests.worlds import EMAILOCTOPUS, GHL, World, world

ADA = "ada@example.com"
RULES = [
    DeleteRule(in_ghl, in_emailoctopus)
    for in_ghl, in_emailoctopus in zip(DeletedInGhl, DeletedInEmailOctopus, strict=True)
]


def scans(here: World, cycles: int = 3) -> None:
    """Days pass; every scan is complete and shows the absence."""
    for _ in range(cycles):
        here.later(days=1)
        report = here.full()
        assert not report.written, report.written


@pytest.mark.parametrize("rule", RULES)
def test_a_deletion_in_ghl_changes_nothing_in_emailoctopus(database_url: str, rule: DeleteRule) -> None:
    with world(database_url, deletes=rule) as here:
        ghl_id, _ = here.linked(tags=["vip"])
        before = here.in_emailoctopus(ADA)
        here.ghl.delete(ghl_id)
        scans(here)
        assert here.in_emailoctopus(ADA) == before
        assert here.people() == {}
        here.assert_quiet()


@pytest.mark.parametrize("rule", RULES)
def test_a_deletion_in_emailoctopus_changes_nothing_in_ghl_and_nobody_is_created_again(
    database_url: str, rule: DeleteRule
) -> None:
    with world(database_url, deletes=rule) as here:
        _, subscriber_id = here.linked(tags=["vip"])
        before = here.in_ghl(ADA)
        here.emailoctopus.delete(subscriber_id)
        scans(here)
        assert here.in_ghl(ADA) == before
        assert here.subscribers() == {}
        here.assert_quiet()


def test_a_contact_that_is_missing_is_listed_when_something_is_to_be_written_to_it(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.emailoctopus.delete(subscriber_id)
        here.edit_person(ghl_id, firstName="Augusta")
        report = here.reconcile()
        assert (report.outcome, report.parked) == ("parked", 1)
        [parked] = here.pair_store.parked(everything=True)
        assert (parked.ghl_id, parked.emailoctopus_id) == (ghl_id, subscriber_id)
        assert here.subscribers() == {}
        here.forget_requests()
        scans(here, cycles=2)
        assert here.writes(GHL) == []
        assert here.pair_store.totals().parked == 1


def test_a_contact_of_ghl_that_is_missing_is_listed_when_something_is_to_be_written_to_it(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.ghl.delete(ghl_id)
        here.edit_subscriber(subscriber_id, FirstName="Augusta")
        report = here.reconcile()
        assert (report.outcome, report.parked) == ("parked", 1)
        assert here.people() == {}
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Augusta"
        scans(here, cycles=2)
        assert (here.people(), here.pair_store.totals().parked) == ({}, 1)


@pytest.mark.parametrize("deleted_in", [GHL, EMAILOCTOPUS])
def test_who_was_deleted_on_one_side_and_revokes_on_the_other_harms_nobody(database_url: str, deleted_in: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        bob, _ = here.linked("bob@example.com", first="Bob")
        if deleted_in == GHL:
            here.ghl.delete(ghl_id)
            here.emailoctopus.unsubscribe(subscriber_id)
        else:
            here.emailoctopus.delete(subscriber_id)
            here.ghl.set_dnd(ghl_id)
        here.edit_person(bob, firstName="Robert")
        here.reconcile()
        assert here.in_emailoctopus("bob@example.com")["fields"]["FirstName"] == "Robert"
        scans(here, cycles=1)
        assert here.has(GHL, ADA) is (deleted_in == EMAILOCTOPUS)
        assert here.has(EMAILOCTOPUS, ADA) is (deleted_in == GHL)
        # Whoever turns up with that address again meets the revocation.
        (here.person if deleted_in == GHL else here.subscriber)(ADA)
        here.reconcile()
        here.settle()
        assert (here.blocked(ADA), here.status(ADA)) == (True, "unsubscribed")


@pytest.mark.parametrize("deleted_in", [GHL, EMAILOCTOPUS])
@pytest.mark.parametrize("revoked_in", [GHL, EMAILOCTOPUS])
def test_a_revocation_reaches_who_came_back_under_another_id(
    database_url: str, deleted_in: str, revoked_in: str
) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        if deleted_in == GHL:
            here.ghl.delete(ghl_id)
            ghl_id = here.person(ADA)
        else:
            here.emailoctopus.delete(subscriber_id)
            subscriber_id = here.subscriber(ADA)
        here.later(minutes=1)
        here.reconcile()
        assert (here.blocked(ADA), here.status(ADA)) == (False, "subscribed")
        here.clock.advance(1)
        if revoked_in == GHL:
            here.ghl.set_dnd(ghl_id)
        else:
            here.emailoctopus.unsubscribe(subscriber_id)
        here.reconcile()
        here.settle()
        assert (here.blocked(ADA), here.status(ADA)) == (True, "unsubscribed")


@pytest.mark.parametrize("system", [GHL, EMAILOCTOPUS])
def test_an_unlinked_contact_that_is_gone_is_forgotten(database_url: str, system: str) -> None:
    with world(database_url, create_in_ghl=False, create_in_emailoctopus=False) as here:
        if system == GHL:
            contact_id = here.person(ADA)
            here.reconcile()
            here.ghl.delete(contact_id)
        else:
            contact_id = here.subscriber(ADA)
            here.reconcile()
            here.emailoctopus.delete(contact_id)
        scans(here)
        # Nobody meets somebody who isn't there.
        if system == GHL:
            here.subscriber(ADA)
        else:
            here.person(ADA)
        here.reconcile()
        assert (len(here.people()), len(here.subscribers())) == ((0, 1) if system == GHL else (1, 0))
        here.settle()
        here.assert_quiet()


@pytest.mark.parametrize("short_total", [True, False])
@pytest.mark.parametrize("system", [GHL, EMAILOCTOPUS])
def test_a_short_listing_takes_nobody_for_missing(database_url: str, system: str, short_total: bool) -> None:
    with world(database_url) as here:
        for name in ("ada", "bob", "eve", "kim"):
            here.person(f"{name}@example.com", first=name.title())
        here.reconcile()
        weather = (here.sandbox.ghl if system == GHL else here.sandbox.emailoctopus).weather
        weather.short_listing, weather.short_total = 0.5, short_total
        here.later(days=1)
        assert not here.full().written
        weather.short_listing = 0.0
        here.later(days=1)
        assert not here.full().written
        assert (len(here.people()), len(here.subscribers())) == (4, 4)
        assert all(row["status"] == "subscribed" for row in here.subscribers().values())
        here.assert_quiet()


def test_a_ghl_contact_that_was_deleted_and_made_again_is_not_created_twice(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.ghl.delete(ghl_id)
        here.later(days=1)
        again = here.person(ADA, first="Augusta")
        here.reconcile()
        here.later(days=1)
        here.full()
        assert [row["id"] for row in here.subscribers().values()] == [subscriber_id]
        assert list(here.people()) == [again]
        assert here.status(ADA) == "subscribed"


def test_contacts_merged_in_ghl_leave_both_emailoctopus_contacts(database_url: str) -> None:
    with world(database_url) as here:
        ada, _ = here.linked()
        bob, _ = here.linked("bob@example.com", first="Bob")
        here.clock.advance(1)
        here.ghl.merge(ada, bob)
        here.reconcile()
        scans(here)
        assert {row["email_address"]: row["status"] for row in here.subscribers().values()} == {
            ADA: "subscribed",
            "bob@example.com": "subscribed",
        }
        assert len(here.people()) == 1
