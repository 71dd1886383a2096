"""Contract, section 3: the address is a field of direction `both`; changed, emptied, misspelt, refused, held."""

from typing import Literal

import pytest
from structlog.testing import capture_logs

from sync_daemon.model.policy import AddressChange
from tests.worlds import EMAILOCTOPUS, GHL, World, world

ADA, NEW = "ada@example.com", "ada@example.org"


def partner(here: World, ghl_id: str) -> str:
    """The EmailOctopus contact that a GHL contact is linked to."""
    [link] = here.pair_store.links(ghl=[ghl_id])
    return link.emailoctopus_id


def change_there(here: World, subscriber_id: str, address: str) -> None:
    here.clock.advance(1)
    here.emailoctopus.change_address(subscriber_id, address)


def test_a_changed_address_in_ghl_gives_the_same_emailoctopus_contact_the_new_one(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked(tags=["vip"])
        here.edit_person(ghl_id, email=NEW)
        report = here.reconcile()
        assert report.written == {(EMAILOCTOPUS, "updated"): 1}
        assert here.bodies(EMAILOCTOPUS) == [{"email_address": NEW}]
        assert [row["email_address"] for row in here.subscribers().values()] == [NEW]
        assert here.status(NEW) == "subscribed"
        assert partner(here, ghl_id) == subscriber_id
        here.assert_quiet()


def test_a_changed_address_in_emailoctopus_travels_to_ghl(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        change_there(here, subscriber_id, NEW)
        report = here.reconcile()
        assert report.written == {(GHL, "updated"): 1}
        assert here.bodies(GHL) == [{"email": NEW}]
        assert here.in_ghl(NEW)["id"] == ghl_id
        assert len(here.people()) == 1
        here.assert_quiet()


@pytest.mark.parametrize("keeps_id", [True, False])
def test_the_link_follows_whether_or_not_the_id_stays_with_a_changed_address(database_url: str, keeps_id: bool) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked()
        here.emailoctopus.quirks.address_change_keeps_id = keeps_id
        here.edit_person(ghl_id, email=NEW)
        here.reconcile()
        here.settle()
        assert partner(here, ghl_id) == here.in_emailoctopus(NEW)["id"]
        assert here.status(NEW) == "subscribed"
        here.edit_person(ghl_id, firstName="Augusta")
        here.reconcile()
        assert here.in_emailoctopus(NEW)["fields"]["FirstName"] == "Augusta"
        assert (len(here.people()), len(here.subscribers())) == (1, 1)
        here.later(minutes=11)
        here.full()
        here.assert_quiet()


def test_the_same_new_address_on_both_sides_is_not_written(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.edit_person(ghl_id, email=NEW)
        change_there(here, subscriber_id, NEW.upper())
        assert not here.reconcile().written
        assert here.writes(GHL) + here.writes(EMAILOCTOPUS) == []
        # Both baselines moved: the old address is a change again.
        here.edit_person(ghl_id, email=ADA)
        here.reconcile()
        assert here.in_emailoctopus(ADA)["id"] == subscriber_id
        here.assert_quiet()


def test_two_new_addresses_are_a_conflict_that_ghl_wins(database_url: str) -> None:
    with world(database_url) as here, capture_logs() as logs:
        ghl_id, subscriber_id = here.linked()
        here.edit_person(ghl_id, email=NEW)
        change_there(here, subscriber_id, "augusta@example.com")
        report = here.reconcile()
        assert (here.in_ghl(NEW)["id"], here.in_emailoctopus(NEW)["id"]) == (ghl_id, subscriber_id)
        assert report.conflicts == 1
        [line] = [entry for entry in logs if entry["event"] == "conflict"]
        assert (line["field"], line["winner"]) == ("address", GHL)
        assert line["ghl_at"] < line["emailoctopus_at"]
        assert "example" not in str(line)
        here.assert_quiet()


def test_another_spelling_of_the_same_address_is_no_change(database_url: str) -> None:
    with world(database_url) as here:
        _, subscriber_id = here.linked()
        change_there(here, subscriber_id, "Ada@EXAMPLE.com")
        assert not here.reconcile().written
        assert here.writes(GHL) + here.writes(EMAILOCTOPUS) == []
        here.assert_quiet()


def test_an_address_travels_with_the_fields_that_changed_too(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.edit_person(ghl_id, email=NEW, firstName="Augusta")
        here.edit_subscriber(subscriber_id, LastName="King")
        here.reconcile()
        here.settle()
        assert here.in_emailoctopus(NEW)["fields"] == {"FirstName": "Augusta", "LastName": "King"}
        assert here.in_ghl(NEW)["lastName"] == "King"
        here.assert_quiet()


def test_an_unsubscribed_contact_with_a_new_address_stays_unsubscribed(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(subscriber_id)
        here.reconcile()
        here.edit_person(ghl_id, email=NEW)
        here.reconcile()
        assert (here.status(NEW), here.blocked(NEW)) == ("unsubscribed", True)
        assert len(here.subscribers()) == 1
        here.assert_quiet()


# emptied, misspelt


@pytest.mark.parametrize("address", [None, "ada@@example.com"])
def test_an_address_emptied_or_misspelt_in_ghl_leaves_link_and_emailoctopus_contact(
    database_url: str, address: str | None
) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.edit_person(ghl_id, email=address)
        report = here.reconcile()
        assert not report.written
        assert (here.status(ADA), partner(here, ghl_id)) == ("subscribed", subscriber_id)
        [link] = here.pair_store.links(ghl=[ghl_id])
        assert link.address_emptied  # reported
        here.edit_person(ghl_id, firstName="Augusta")  # the link still works, both ways
        here.reconcile()
        here.edit_subscriber(subscriber_id, LastName="King")
        here.reconcile()
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Augusta"
        assert here.people()[ghl_id]["lastName"] == "King"
        here.later(minutes=11)
        assert not here.full().written
        here.assert_quiet()


def test_an_emptied_address_is_logged(database_url: str) -> None:
    with world(database_url) as here, capture_logs() as logs:
        ghl_id, _ = here.linked()
        here.edit_person(ghl_id, email=None)
        here.reconcile()
        assert [(line["ghl_id"], line["what"]) for line in logs if line["event"] == "reported"] == [(ghl_id, "address")]
        here.assert_quiet()


@pytest.mark.parametrize("address", [NEW, ADA])
def test_a_link_whose_address_was_emptied_goes_on_when_it_gets_one(database_url: str, address: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.edit_person(ghl_id, email=None)
        here.reconcile()
        here.edit_person(ghl_id, email=address)
        here.reconcile()
        assert [row["email_address"] for row in here.subscribers().values()] == [address]
        [link] = here.pair_store.links(ghl=[ghl_id])
        assert (link.emailoctopus_id, link.address_emptied) == (subscriber_id, False)
        here.assert_quiet()


def test_a_change_in_emailoctopus_does_not_fill_an_address_that_was_emptied_in_ghl_unasked(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        here.edit_person(ghl_id, email=None)
        here.reconcile()
        here.edit_subscriber(subscriber_id, FirstName="Augusta")
        here.reconcile()
        assert here.people()[ghl_id].get("email") is None
        assert here.people()[ghl_id]["firstName"] == "Augusta"
        here.assert_quiet()


# refused by GHL


def test_an_address_that_ghl_refuses_as_a_duplicate_is_parked(database_url: str) -> None:
    with world(database_url, create_in_emailoctopus=False) as here:
        ada = here.person(ADA)
        subscriber_id = here.subscriber(ADA)
        here.reconcile()
        bob = here.person("bob@example.com", first="Bob")
        here.reconcile()
        here.forget_requests()
        change_there(here, subscriber_id, "bob@example.com")
        here.edit_subscriber(subscriber_id, FirstName="Augusta")
        report = here.reconcile()
        assert (report.outcome, report.new_parked) == ("parked", 1)
        [parked] = here.pair_store.parked(everything=True)
        assert (parked.ghl_id, parked.emailoctopus_id, parked.what) == (ada, subscriber_id, "address")
        assert parked.message
        assert (here.people()[ada]["email"], here.people()[ada]["firstName"]) == (ADA, "Augusta")
        assert here.people()[bob]["firstName"] == "Bob"
        assert here.status("bob@example.com") == "subscribed"


def test_an_address_that_ghl_refuses_for_somebody_whom_the_index_does_not_show_yet_is_parked(database_url: str) -> None:
    with world(database_url, create_in_emailoctopus=False) as here:
        ada, subscriber_id = here.person(ADA), here.subscriber(ADA)
        here.reconcile()
        here.sandbox.ghl.weather.index_lag_s = 3600
        here.person("bob@example.com", first="Bob")
        change_there(here, subscriber_id, "bob@example.com")
        assert here.reconcile().new_parked == 1
        assert [entry.what for entry in here.pair_store.parked(everything=True)] == ["address"]
        assert here.people()[ada]["email"] == ADA


def test_a_parked_address_heals_when_the_other_contact_gives_it_up(database_url: str) -> None:
    with world(database_url, create_in_emailoctopus=False) as here:
        ada, bob = here.person(ADA), here.person("bob@example.com", first="Bob")
        subscriber_id = here.subscriber(ADA)
        here.reconcile()
        change_there(here, subscriber_id, "bob@example.com")
        assert here.reconcile().new_parked == 1
        here.edit_person(bob, email="bob@example.org")
        here.later(minutes=2)
        assert here.reconcile().parked == 0
        assert here.people()[ada]["email"] == "bob@example.com"
        here.assert_quiet()


def test_an_address_that_is_parked_goes_back_with_the_contact(database_url: str) -> None:
    with world(database_url, create_in_emailoctopus=False) as here:
        ada = here.person(ADA)
        here.person("bob@example.com", first="Bob")
        subscriber_id = here.subscriber(ADA)
        here.reconcile()
        change_there(here, subscriber_id, "bob@example.com")
        assert here.reconcile().parked == 1
        change_there(here, subscriber_id, ADA)
        assert here.reconcile().parked == 0
        assert here.people()[ada]["email"] == ADA
        here.assert_quiet()


# on a list with double opt-in


Status = Literal["pending", "subscribed", "unsubscribed"]


def confirmed(here: World, status: Status = "subscribed") -> tuple[str, str]:
    """A link on a double opt-in list; the subscriber has this status."""
    ghl_id, subscriber_id = here.person(ADA), here.subscriber(ADA)
    if status != "subscribed":
        here.emailoctopus.set_status(subscriber_id, status)
    here.reconcile()
    here.forget_requests()
    return ghl_id, subscriber_id


def test_on_a_double_opt_in_list_a_changed_address_of_a_subscribed_contact_is_held(database_url: str) -> None:
    with world(database_url, double_opt_in=True) as here:
        ghl_id, subscriber_id = confirmed(here)
        here.edit_person(ghl_id, email=NEW, firstName="Augusta")
        report = here.reconcile()
        assert (report.outcome, report.held, report.new_held) == ("held", 1, 1)
        row = here.in_emailoctopus(ADA)
        assert (row["id"], row["status"]) == (subscriber_id, "subscribed")
        assert row["fields"]["FirstName"] == "Augusta"  # everything else goes on
        [held] = here.pair_store.held(everything=True)
        assert (held.ghl_id, held.emailoctopus_id) == (ghl_id, subscriber_id)
        assert here.people()[ghl_id]["email"] == NEW
        again = here.assert_quiet()
        assert (again.outcome, again.held, again.new_held) == ("held", 1, 0)


def test_a_held_address_that_goes_back_leaves_the_queue(database_url: str) -> None:
    with world(database_url, double_opt_in=True) as here:
        ghl_id, _ = confirmed(here)
        here.edit_person(ghl_id, email=NEW)
        assert here.reconcile().held == 1
        here.edit_person(ghl_id, email=ADA)
        report = here.reconcile()
        assert (report.outcome, report.held) == ("ok", 0)
        here.assert_quiet()


@pytest.mark.parametrize("status", ["pending", "unsubscribed"])
def test_who_is_not_subscribed_is_not_held(database_url: str, status: Status) -> None:
    with world(database_url, double_opt_in=True) as here:
        ghl_id, subscriber_id = confirmed(here, status)
        here.edit_person(ghl_id, email=NEW)
        assert here.reconcile().held == 0
        row = here.in_emailoctopus(NEW)
        assert (row["id"], row["status"]) == (subscriber_id, status)
        here.assert_quiet()


def test_a_held_address_of_somebody_who_unsubscribes_is_held_no_longer(database_url: str) -> None:
    with world(database_url, double_opt_in=True) as here:
        ghl_id, subscriber_id = confirmed(here)
        here.edit_person(ghl_id, email=NEW)
        assert here.reconcile().held == 1
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(subscriber_id)
        here.reconcile()
        here.settle()
        assert here.reconcile().held == 0
        assert (here.status(NEW), here.blocked(NEW)) == ("unsubscribed", True)
        here.assert_quiet()


def test_an_address_that_changed_in_emailoctopus_itself_is_not_held(database_url: str) -> None:
    with world(database_url, double_opt_in=True) as here:
        ghl_id, subscriber_id = confirmed(here)
        change_there(here, subscriber_id, NEW)
        assert here.reconcile().held == 0
        assert here.people()[ghl_id]["email"] == NEW
        here.assert_quiet()


def test_keep_status_lets_a_changed_address_of_a_subscribed_contact_through(database_url: str) -> None:
    with world(database_url, double_opt_in=True, address_change=AddressChange.KEEP_STATUS) as here:
        ghl_id, subscriber_id = confirmed(here)
        here.edit_person(ghl_id, email=NEW)
        report = here.reconcile()
        assert (report.outcome, report.held) == ("ok", 0)
        row = here.in_emailoctopus(NEW)
        assert (row["id"], row["status"]) == (subscriber_id, "subscribed")
        here.assert_quiet()


def test_a_changed_address_of_a_contact_that_could_not_be_read_travels_when_it_can(database_url: str) -> None:
    with world(database_url) as here:
        subscriber_id = here.subscriber(ADA)
        here.reconcile()  # what was just written is read by id when the search shows it
        ghl_id = str(here.in_ghl(ADA)["id"])
        here.edit_person(ghl_id, firstName="Augusta")
        here.emailoctopus.change_address(subscriber_id, NEW)
        here.fault(GHL, kind="error", method="GET", path=f"/contacts/{ghl_id}", status=422, times=9)
        assert here.reconcile().parked == 1
        here.sandbox.ghl.weather.faults = []
        here.later(hours=1)
        here.reconcile()
        assert here.people()[ghl_id]["email"] == NEW
        here.assert_quiet()
