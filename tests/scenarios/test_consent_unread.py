"""Contract, sections 4 and 8: a revocation goes out although one of two contacts that meet can't be read."""

from typing import Any

import pytest

from sync_daemon.model.policy import DeletedInEmailOctopus, DeleteRule, FieldRule
from sync_daemon.model.report import Mode
from sync_daemon.model.webhook import EventKind, WebhookEvent
from sync_daemon.sandbox.server import Sandbox
from sync_daemon.sandbox.weather import Fault
from tests.worlds import EMAILOCTOPUS, GHL, World, add_field, neighbours, world

ADA, BOB = "ada@example.com", "bob@example.com"
ACTIVE: dict[str, Any] = {"dndSettings": {"Email": {"status": "active"}}}
UNSUBSCRIBE = {"status": "unsubscribed"}
FIELDS = (FieldRule("firstName", "FirstName"), FieldRule("custom.visits", "Visits"))


def with_number(sandbox: Sandbox) -> None:
    """A field on both sides in which a structure is no value."""
    add_field(sandbox, "Visits", "number")
    sandbox.ghl.world.add_field("Visits", "NUMERICAL")


def spoil_subscriber(here: World, subscriber_id: str) -> None:
    here.emailoctopus.contact(subscriber_id).fields["FirstName"] = {"deep": "down"}
    here.clock.advance(1)
    here.emailoctopus.add_tags(subscriber_id, ["touched"])


def spoil_person(here: World, ghl_id: str) -> None:
    contact = here.ghl.contacts.get(ghl_id)
    contact.custom[next(iter(here.ghl.location.custom_fields))] = {"deep": "down"}
    here.clock.advance(1)
    here.ghl.touch(ghl_id)


def mend_person(here: World, ghl_id: str) -> None:
    here.ghl.contacts.get(ghl_id).custom.clear()
    here.clock.advance(1)
    here.ghl.touch(ghl_id)


@pytest.mark.parametrize("known", [True, False])
def test_a_dnd_reaches_a_subscriber_whose_record_is_malformed_when_the_two_meet(
    database_url: str, *, known: bool
) -> None:
    with world(database_url, create_in_ghl=False) as here:
        here.linked(BOB)
        subscriber_id = here.subscriber(ADA)
        if known:
            here.reconcile()
        spoil_subscriber(here, subscriber_id)
        here.reconcile()
        ghl_id = here.person(ADA, **ACTIVE)
        here.forget_requests()
        report = here.reconcile()
        assert here.bodies(EMAILOCTOPUS) == [UNSUBSCRIBE]
        assert (report.written, report.parked) == ({(EMAILOCTOPUS, "unsubscribed"): 1}, 1)
        here.assert_quiet()
        here.emailoctopus.edit(subscriber_id, {"FirstName": "Augusta"})
        here.settle()
        assert (here.blocks(ghl_id), here.status(ADA)) == (True, "unsubscribed")
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Ada"
        assert here.assert_quiet().parked == 0, here.pair_store.parked(everything=True)


@pytest.mark.parametrize("known", [True, False])
def test_an_unsubscription_reaches_a_person_whose_record_is_malformed_when_the_two_meet(
    database_url: str, *, known: bool
) -> None:
    with world(database_url, fields=FIELDS, prepare=with_number, create_in_emailoctopus=False) as here:
        here.subscriber(BOB)
        ghl_id = here.person(ADA)
        if known:
            here.reconcile()
        spoil_person(here, ghl_id)
        here.reconcile()
        here.subscriber(ADA, status="unsubscribed")
        here.forget_requests()
        report = here.reconcile()
        assert here.bodies(GHL) == [ACTIVE]
        assert (report.written, report.parked) == ({(GHL, "dnd_set"): 1}, 1)
        here.assert_quiet()
        mend_person(here, ghl_id)
        here.settle()
        assert (here.blocks(ghl_id), here.status(ADA)) == (True, "unsubscribed")
        assert here.assert_quiet().parked == 0, here.pair_store.parked(everything=True)


def test_an_unsubscription_that_a_malformed_record_shows_reaches_the_person_it_has_yet_to_meet(
    database_url: str,
) -> None:
    with world(database_url) as here:
        here.linked(BOB)
        subscriber_id = here.subscriber(ADA)
        spoil_subscriber(here, subscriber_id)
        here.emailoctopus.unsubscribe(subscriber_id)
        ghl_id = here.person(ADA)
        report = here.reconcile()
        assert (report.written, report.parked) == ({(GHL, "dnd_set"): 1}, 1)
        assert here.blocks(ghl_id)
        here.assert_quiet()


def test_a_dnd_that_a_malformed_record_shows_reaches_the_subscriber_it_has_yet_to_meet(database_url: str) -> None:
    with world(database_url, fields=FIELDS, prepare=with_number) as here:
        here.linked(BOB)
        ghl_id = here.person(ADA, **ACTIVE)
        spoil_person(here, ghl_id)
        here.subscriber(ADA)
        report = here.reconcile()
        assert (report.written, report.parked) == ({(EMAILOCTOPUS, "unsubscribed"): 1}, 1)
        assert here.status(ADA) == "unsubscribed"
        here.assert_quiet()


def test_an_unsubscription_in_a_malformed_record_reaches_who_has_the_address_as_an_additional_one(
    database_url: str,
) -> None:
    with world(database_url) as here:
        ghl_id, _ = here.linked(BOB)
        here.ghl.add_email(ghl_id, ADA)
        subscriber_id = here.subscriber(ADA)
        here.reconcile()
        spoil_subscriber(here, subscriber_id)
        here.emailoctopus.unsubscribe(subscriber_id)
        here.reconcile()
        assert here.blocks(ghl_id)


def test_a_dnd_reaches_a_subscriber_that_can_not_be_read_by_id_when_the_two_meet(database_url: str) -> None:
    with world(database_url, create_in_ghl=False) as here:
        here.linked(BOB)
        subscriber_id = here.subscriber(ADA)
        here.reconcile()
        ghl_id = here.person(ADA, **ACTIVE)
        refused = Fault(kind="error", method="GET", path=f"/contacts/{subscriber_id}", status=422, times=9)
        here.sandbox.emailoctopus.weather.faults = [refused]
        report = here.reconcile()
        assert (report.written, report.parked) == ({(EMAILOCTOPUS, "unsubscribed"): 1}, 1)
        here.sandbox.emailoctopus.weather.faults = []
        here.settle()
        assert (here.blocks(ghl_id), here.status(ADA)) == (True, "unsubscribed")
        assert here.assert_quiet().parked == 0, here.pair_store.parked(everything=True)


def test_a_malformed_record_that_is_met_by_its_address_alone_stops_nobody_else(database_url: str) -> None:
    with world(database_url) as here:
        here.linked(BOB)
        here.later(minutes=20)
        here.sandbox.emailoctopus.weather.faults = [
            Fault(kind="error", method="GET", path="/contacts/[0-9a-f]{32}$", status=422, times=9)
        ]

        def sign_up() -> None:
            here.emailoctopus.sign_up(here.sandbox.list_id, ADA)

        here.person(ADA)
        here.person("kim@example.com", first="Kim")
        here.before_writing(sign_up)
        report = here.reconcile()
        assert (report.outcome, report.parked) == ("parked", 1)
        assert here.has(EMAILOCTOPUS, "kim@example.com")


def test_a_revocation_that_is_refused_is_not_sent_twice_in_a_cycle(database_url: str) -> None:
    with world(database_url, create_in_ghl=False) as here:
        here.linked(BOB)
        spoil_subscriber(here, here.subscriber(ADA))
        here.reconcile()
        here.person(ADA, **ACTIVE)
        here.sandbox.emailoctopus.weather.faults = [Fault(kind="error", method="PUT", status=422, times=9)]
        here.forget_requests()
        assert here.reconcile().outcome == "parked"
        assert len(here.writes(EMAILOCTOPUS)) == 1
        here.sandbox.emailoctopus.weather.faults = []
        here.later(minutes=31)
        here.reconcile()
        assert here.status(ADA) == "unsubscribed"


def test_a_namesakes_dnd_is_remembered_though_the_subscriber_is_gone_and_that_is_yet_unproven(
    database_url: str,
) -> None:
    with world(database_url, deletes=DeleteRule(in_emailoctopus=DeletedInEmailOctopus.RECREATE)) as here:
        neighbours(here)
        ghl_id, subscriber_id = here.linked()
        namesake = here.person(ADA)
        here.later(minutes=1)
        here.reconcile()
        here.ghl.set_dnd(namesake)
        here.emailoctopus.delete(subscriber_id)
        now = here.clock.now()
        told = [WebhookEvent(GHL, one, one, EventKind.REVOKED, now) for one in (ghl_id, namesake)]
        here.pair_store.save_events(told)
        assert here.reconcile(Mode.HINTS).parked == 1
        here.edit_person(namesake, email=None)
        here.later(days=1)
        here.full()
        assert not here.has(EMAILOCTOPUS, ADA)
        assert here.blocks(ghl_id)
        here.assert_quiet()
