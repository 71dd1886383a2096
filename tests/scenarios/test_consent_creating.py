"""Contract, section 4: the consent of somebody whom only one system has, and the status of a new contact."""

from typing import Any, Literal

import pytest

from sync_daemon.model.policy import NewContactStatus, Resubscribe
from tests.worlds import EMAILOCTOPUS, GHL, World, world

ADA = "ada@example.com"
DND: dict[str, Any] = {"dndSettings": {"Email": {"status": "active"}}}
UNSUBSCRIBED: Literal["unsubscribed"] = "unsubscribed"


def consent(here: World) -> tuple[bool, str]:
    return here.blocked(ADA), here.status(ADA)


def assert_stays_out(here: World, system: str, reason: str) -> None:
    """Nobody has been created in a system, and nobody will be."""
    assert dict(here.pair_store.totals().unlinked) == {reason: 1}
    here.later(minutes=11)
    assert not here.full().written
    assert (here.people() if system == GHL else here.subscribers()) == {}
    here.assert_quiet()


# a GHL contact with e-mail DND


@pytest.mark.parametrize("how", [DND, {"dnd": True}, {"dndSettings": {"Email": {"status": "permanent"}}}])
def test_a_ghl_contact_with_dnd_is_not_created_in_emailoctopus(database_url: str, how: dict[str, Any]) -> None:
    with world(database_url) as here:
        here.person(ADA, **how)
        report = here.reconcile()
        assert dict(report.skipped) == {"suppressed": 1}
        assert_stays_out(here, EMAILOCTOPUS, "suppressed")


def test_it_is_created_when_its_dnd_is_lifted(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id = here.person(ADA, **DND)
        here.reconcile()
        here.clock.advance(1)
        here.ghl.set_dnd(ghl_id, "inactive")
        assert here.reconcile().written == {(EMAILOCTOPUS, "created"): 1}
        assert consent(here) == (False, "subscribed")
        here.assert_quiet()


def test_a_persons_dnd_stays_a_persons_where_only_a_duplicate_is_blocked(database_url: str) -> None:
    with world(database_url, create_suppressed=True) as here:
        here.ghl.location.allow_duplicate_contact = True
        here.person(ADA, first="Augusta")
        here.later(minutes=1)
        blocked = here.person(ADA, **DND)  # the newest, which is the one that is created
        here.settle()
        assert here.status(ADA) == "unsubscribed"
        here.clock.advance(1)
        here.emailoctopus.set_status(here.in_emailoctopus(ADA)["id"], "subscribed")
        here.settle()
        assert here.blocks(blocked)
        [link] = here.pair_store.links(ghl=[blocked])
        assert (link.dnd_by_us, link.consent_held) == (False, True)


def test_create_suppressed_creates_it_as_unsubscribed(database_url: str) -> None:
    with world(database_url, create_suppressed=True) as here:
        here.person(ADA, **DND)
        report = here.reconcile()
        assert report.written == {(EMAILOCTOPUS, "created"): 1}
        [body] = here.bodies(EMAILOCTOPUS)
        assert body["status"] == "unsubscribed"
        assert consent(here) == (True, "unsubscribed")
        here.assert_quiet()


def test_a_dnd_that_a_suppressed_creation_came_from_is_ghls_own(database_url: str) -> None:
    with world(database_url, create_suppressed=True) as here:
        here.person(ADA, **DND)
        here.reconcile()
        here.clock.advance(1)
        here.emailoctopus.sign_up(here.sandbox.list_id, ADA)
        assert here.reconcile().consent_held == 1
        assert consent(here) == (True, "subscribed")
        here.assert_quiet()


def test_the_dnd_of_a_duplicate_suppresses_the_creation_and_blocks_the_other_one(database_url: str) -> None:
    with world(database_url) as here:
        twin = here.person(ADA, first="Twin", **DND)
        newer = here.person(ADA)
        here.reconcile()
        assert here.subscribers() == {}
        assert here.blocks(twin)
        assert here.blocks(newer)
        here.settle()
        here.assert_quiet()


# an EmailOctopus contact that GHL doesn't know


def test_an_unsubscribed_contact_is_not_created_in_ghl(database_url: str) -> None:
    with world(database_url) as here:
        here.subscriber(ADA, status=UNSUBSCRIBED)
        report = here.reconcile()
        assert dict(report.skipped) == {"suppressed": 1}
        assert_stays_out(here, GHL, "suppressed")


def test_it_is_created_when_the_person_subscribes_again(database_url: str) -> None:
    with world(database_url) as here:
        here.subscriber(ADA, status=UNSUBSCRIBED)
        here.reconcile()
        here.clock.advance(1)
        here.emailoctopus.sign_up(here.sandbox.list_id, ADA)
        assert here.reconcile().written == {(GHL, "created"): 1}
        assert consent(here) == (False, "subscribed")
        here.assert_quiet()


def test_create_suppressed_creates_it_with_email_dnd(database_url: str) -> None:
    with world(database_url, create_suppressed=True) as here:
        here.subscriber(ADA, status=UNSUBSCRIBED)
        report = here.reconcile()
        assert report.written == {(GHL, "created"): 1}
        assert len(here.bodies(GHL)) == 1  # there is no moment without it
        assert consent(here) == (True, "unsubscribed")
        here.assert_quiet()


def test_the_dnd_of_a_suppressed_creation_in_ghl_is_this_daemons_own(database_url: str) -> None:
    with world(database_url, create_suppressed=True) as here:
        here.subscriber(ADA, status=UNSUBSCRIBED)
        here.reconcile()
        here.clock.advance(1)
        here.emailoctopus.sign_up(here.sandbox.list_id, ADA)
        assert here.reconcile().written == {(GHL, "dnd_lifted"): 1}
        assert consent(here) == (False, "subscribed")
        here.assert_quiet()


def test_whenever_ghl_gets_that_address_by_itself_the_two_meet_and_revoked_wins(database_url: str) -> None:
    with world(database_url) as here:
        subscriber_id = here.subscriber(ADA, first="Octopus", status=UNSUBSCRIBED)
        here.reconcile()
        here.later(days=1)
        ghl_id = here.person(ADA, first="Ghl")
        report = here.reconcile()
        assert report.written[GHL, "dnd_set"] == 1
        assert consent(here) == (True, "unsubscribed")
        assert [link.emailoctopus_id for link in here.pair_store.links(ghl=[ghl_id])] == [subscriber_id]
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Ghl"
        here.settle()
        here.assert_quiet()


def test_an_address_that_revoked_stays_revoked_after_its_contact_is_gone(database_url: str) -> None:
    with world(database_url) as here:
        subscriber_id = here.subscriber(ADA, status=UNSUBSCRIBED)
        here.reconcile()
        here.emailoctopus.delete(subscriber_id)
        here.later(days=1)
        here.person(ADA)
        here.reconcile()
        here.settle()
        here.later(minutes=11)
        here.full()
        assert not any(row["status"] == "subscribed" for row in here.subscribers().values())
        here.assert_quiet()


# pending


def test_a_pending_contact_is_not_created_in_ghl_until_it_is_subscribed(database_url: str) -> None:
    with world(database_url, double_opt_in=True) as here:
        here.emailoctopus.sign_up(here.sandbox.list_id, ADA)
        report = here.reconcile()
        assert dict(report.skipped) == {"pending": 1}
        assert_stays_out(here, GHL, "pending")
        here.clock.advance(1)
        here.emailoctopus.confirm(str(here.in_emailoctopus(ADA)["id"]))
        assert here.reconcile().written == {(GHL, "created"): 1}
        assert consent(here) == (False, "subscribed")
        here.assert_quiet()


@pytest.mark.parametrize("suppressed", [True, False])
def test_pending_is_no_revocation_that_create_suppressed_could_mean(database_url: str, suppressed: bool) -> None:
    with world(database_url, create_suppressed=suppressed) as here:
        here.subscriber(ADA, status="pending")
        assert dict(here.reconcile().skipped) == {"pending": 1}
        assert_stays_out(here, GHL, "pending")


def test_a_pending_contact_that_ghl_knows_is_linked(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id = here.person(ADA, first="Ghl")
        subscriber_id = here.subscriber(ADA, first="Octopus", status="pending")
        here.reconcile()
        assert [link.emailoctopus_id for link in here.pair_store.links(ghl=[ghl_id])] == [subscriber_id]
        assert consent(here) == (False, "pending")
        here.assert_quiet()


# the status of a contact that is new to EmailOctopus


@pytest.mark.parametrize(
    ("wanted", "double_opt_in", "status"),
    [
        (NewContactStatus.LIST_DEFAULT, False, "subscribed"),
        (NewContactStatus.LIST_DEFAULT, True, "pending"),
        (NewContactStatus.SUBSCRIBED, False, "subscribed"),
        (NewContactStatus.SUBSCRIBED, True, "subscribed"),
        (NewContactStatus.PENDING, True, "pending"),
    ],
)
def test_a_new_contact_gets_the_status_that_the_policy_or_the_list_says(
    database_url: str, wanted: NewContactStatus, double_opt_in: bool, status: str
) -> None:
    with world(database_url, new_contact_status=wanted, double_opt_in=double_opt_in) as here:
        here.person(ADA)
        report = here.reconcile()
        assert (consent(here), report.outcome) == ((False, status), "ok")
        here.assert_quiet()


@pytest.mark.parametrize("quirk", ["pending", "subscribed"])
def test_what_a_double_opt_in_list_does_with_a_creation_without_a_status_makes_no_difference(
    database_url: str, quirk: str
) -> None:
    with world(database_url, double_opt_in=True) as here:
        here.emailoctopus.quirks.doi_omitted_status = quirk
        here.person(ADA)
        here.reconcile()
        assert here.status(ADA) == "pending"
        here.assert_quiet()


def test_a_list_that_asks_although_subscribed_was_wanted_is_reported_and_not_asked_for_ever(database_url: str) -> None:
    with world(database_url, new_contact_status=NewContactStatus.SUBSCRIBED, double_opt_in=True) as here:
        here.emailoctopus.quirks.doi_explicit_subscribed = "pending"
        ghl_id = here.person(ADA)
        report = here.reconcile()
        assert report.written == {(EMAILOCTOPUS, "created"): 1}
        assert len(here.pair_store.links(ghl=[ghl_id])) == 1
        [parked] = here.pair_store.parked(everything=True)
        assert (parked.what, parked.code) == ("consent", "status_refused")
        here.forget_requests()
        for minutes in (2, 10, 60):
            here.later(minutes=minutes)
            here.reconcile()
        assert here.writes(EMAILOCTOPUS) == []
        assert consent(here) == (False, "pending")


@pytest.mark.parametrize("resubscribe", list(Resubscribe))
def test_nobody_is_subscribed_who_unsubscribed_between_the_reading_and_the_creation(
    database_url: str, resubscribe: Resubscribe
) -> None:
    with world(database_url, resubscribe=resubscribe) as here:
        here.person(ADA)
        here.before_writing(lambda: here.subscriber(ADA, first="Octopus", status=UNSUBSCRIBED))
        here.reconcile()
        here.settle()
        assert consent(here) == (True, "unsubscribed")
        here.assert_quiet()


@pytest.mark.parametrize("hits", ["when_set", "always", "never"])
def test_a_dnd_that_ghl_passes_over_in_a_creation_is_set_in_the_same_cycle(database_url: str, hits: str) -> None:
    with world(database_url, create_suppressed=True) as here:
        here.ghl.quirks.hits_carry_dnd = hits
        here.ghl.quirks.create_takes_dnd = False
        here.subscriber(ADA, status="unsubscribed")
        report = here.reconcile()
        assert here.blocked(ADA)
        assert (report.written[GHL, "created"], report.written[GHL, "dnd_set"], report.parked) == (1, 1, 0)
        here.settle()
        here.assert_quiet()
        here.clock.advance(1)
        here.emailoctopus.sign_up(here.sandbox.list_id, ADA)
        here.settle()
        assert not here.blocked(ADA)
