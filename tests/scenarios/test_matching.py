"""Contract, section 3: who is who, who is created where, and who is skipped for which reason."""

import pytest

from sync_daemon.sandbox.weather import Fault
from tests.worlds import EMAILOCTOPUS, GHL, World, world

ADA = "ada@example.com"
INVALID = "ada@@example.com"


def reason(here: World, contact_id: str) -> str | None:
    """Why the store says that a contact has no link."""
    for system in (GHL, EMAILOCTOPUS):
        known = here.pair_store.contacts(system, [contact_id]).get(contact_id)
        if known is not None:
            return known.unlinked
    return None


def skipped(here: World) -> dict[str, int]:
    """Unlinked contacts by reason, as the store counts them."""
    return dict(here.pair_store.totals().unlinked)


def test_a_contact_that_only_ghl_has_is_created_in_emailoctopus(database_url: str) -> None:
    with world(database_url) as here:
        here.person(ADA, tags=["vip"])
        report = here.reconcile()
        assert report.written == {(EMAILOCTOPUS, "created"): 1}
        row = here.in_emailoctopus(ADA)
        assert (row["fields"], row["tags"]) == ({"FirstName": "Ada", "LastName": "Lovelace"}, ["vip"])
        here.assert_quiet()


def test_a_contact_that_only_emailoctopus_has_is_created_in_ghl(database_url: str) -> None:
    with world(database_url) as here:
        here.subscriber(ADA, tags=["VIP"])
        report = here.reconcile()
        assert report.written == {(GHL, "created"): 1}
        row = here.in_ghl(ADA)
        assert (row["firstName"], row["lastName"], row["tags"]) == ("Ada", "Lovelace", ["vip"])
        here.assert_quiet()


def test_two_contacts_with_one_address_become_one_link(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.person(ADA), here.subscriber(ADA)
        report = here.reconcile()
        assert not report.written
        [link] = here.pair_store.links(ghl=[ghl_id])
        assert link.emailoctopus_id == subscriber_id
        here.assert_quiet()


@pytest.mark.parametrize(
    ("in_ghl", "in_emailoctopus"),
    [
        ("ada@example.com", "Ada@Example.COM"),
        ("ada@bücher.example.com", "ada@xn--bcher-kva.example.com"),
        ("ada@xn--bcher-kva.example.com", "Ada@BÜCHER.example.com"),
        (" ada@example.com ", "ada@example.com"),
    ],
)
def test_addresses_meet_trimmed_in_lower_case_and_by_idna_domain(
    database_url: str, in_ghl: str, in_emailoctopus: str
) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.person(in_ghl), here.subscriber(in_emailoctopus)
        report = here.reconcile()
        assert not report.written
        [link] = here.pair_store.links(ghl=[ghl_id])
        assert link.emailoctopus_id == subscriber_id
        assert (len(here.people()), len(here.subscribers())) == (1, 1)
        here.assert_quiet()


def test_a_link_known_by_id_comes_before_the_address(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked()
        newer = here.person(ADA, first="Somebody", last="Else")
        here.edit_subscriber(subscriber_id, FirstName="Augusta")
        here.reconcile()
        assert here.people()[ghl_id]["firstName"] == "Augusta"
        assert here.people()[newer]["firstName"] == "Somebody"
        assert [link.ghl_id for link in here.pair_store.links(emailoctopus=[subscriber_id])] == [ghl_id]
        here.assert_quiet()


def test_a_contact_without_an_address_is_skipped_and_taken_up_when_it_gets_one(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id = here.person(None)
        report = here.reconcile()
        assert (dict(report.skipped), reason(here, ghl_id)) == ({"no_email": 1}, "no_email")
        assert report.outcome == "ok"
        assert here.subscribers() == {}
        here.edit_person(ghl_id, email=ADA)
        assert here.reconcile().written == {(EMAILOCTOPUS, "created"): 1}
        assert (reason(here, ghl_id), skipped(here)) == (None, {})
        here.assert_quiet()


def test_a_contact_whose_address_is_misspelt_is_skipped_and_taken_up_when_it_is_corrected(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id = here.person(INVALID)
        report = here.reconcile()
        assert (dict(report.skipped), reason(here, ghl_id)) == ({"invalid_email": 1}, "invalid_email")
        assert here.subscribers() == {}
        here.edit_person(ghl_id, email=ADA)
        assert here.reconcile().written == {(EMAILOCTOPUS, "created"): 1}
        assert skipped(here) == {}
        here.assert_quiet()


def test_a_misspelt_address_of_emailoctopus_is_not_created_in_ghl(database_url: str) -> None:
    with world(database_url) as here:
        subscriber_id = here.subscriber(INVALID)
        report = here.reconcile()
        assert (dict(report.skipped), reason(here, subscriber_id)) == ({"invalid_email": 1}, "invalid_email")
        assert here.people() == {}
        here.clock.advance(1)
        here.emailoctopus.change_address(subscriber_id, ADA)
        assert here.reconcile().written == {(GHL, "created"): 1}
        here.assert_quiet()


def test_an_address_that_emailoctopus_refuses_is_parked(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id = here.person(ADA)
        bob = here.person("bob@example.com", first="Bob")
        refusal = Fault(kind="error", method="POST", path="/contacts$", status=422)
        here.sandbox.emailoctopus.weather.faults = [refusal]
        report = here.reconcile()
        assert (report.outcome, report.parked, report.new_parked) == ("parked", 1, 1)
        [parked] = here.pair_store.parked(everything=True)
        assert (parked.what, parked.emailoctopus_id) == ("creation", None)
        assert parked.ghl_id in (ghl_id, bob)
        assert parked.message
        assert reason(here, parked.ghl_id) == "parked"
        assert len(here.subscribers()) == 1  # the other one went on
        here.settle()
        assert len(here.subscribers()) == 2
        assert here.assert_quiet().outcome == "ok"


def test_where_the_pair_does_not_create_in_emailoctopus_nobody_is(database_url: str) -> None:
    with world(database_url, create_in_emailoctopus=False) as here:
        ghl_id = here.person(ADA)
        here.subscriber("bob@example.com", first="Bob")
        report = here.reconcile()
        assert report.written == {(GHL, "created"): 1}
        assert (dict(report.skipped), reason(here, ghl_id)) == ({"creation_off": 1}, "creation_off")
        assert not here.has(EMAILOCTOPUS, ADA)
        here.subscriber(ADA, first="Augusta")  # whoever turns up there by himself is linked
        here.reconcile()
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Ada"
        here.assert_quiet()


def test_where_the_pair_does_not_create_in_ghl_nobody_is(database_url: str) -> None:
    with world(database_url, create_in_ghl=False) as here:
        subscriber_id = here.subscriber(ADA)
        here.person("bob@example.com", first="Bob")
        report = here.reconcile()
        assert report.written == {(EMAILOCTOPUS, "created"): 1}
        assert (dict(report.skipped), reason(here, subscriber_id)) == ({"creation_off": 1}, "creation_off")
        assert not here.has(GHL, ADA)
        here.person(ADA, first="Augusta")
        here.reconcile()
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Augusta"
        here.assert_quiet()


def test_creation_that_is_switched_on_takes_up_who_waited_at_the_next_full_scan(database_url: str) -> None:
    with world(database_url, create_in_emailoctopus=False, create_in_ghl=False) as here:
        here.person(ADA)
        here.subscriber("bob@example.com", first="Bob")
        assert not here.reconcile().written
        here.with_policy(create_in_emailoctopus=True, create_in_ghl=True)
        here.later(minutes=11)
        assert here.full().written == {(EMAILOCTOPUS, "created"): 1, (GHL, "created"): 1}
        assert skipped(here) == {}
        here.assert_quiet()


def test_skipped_contacts_are_counted_by_reason_and_a_later_cycle_writes_nothing_about_them(database_url: str) -> None:
    with world(database_url) as here:
        here.person(None)
        here.person(None, first="Nobody")
        here.person(INVALID)
        here.person("dnd@example.com", dndSettings={"Email": {"status": "active"}})
        here.person("twice@example.com")
        here.person("twice@example.com")
        here.subscriber("gone@example.com", status="unsubscribed")
        here.subscriber("asked@example.com", status="pending")
        counts = {"no_email": 2, "invalid_email": 1, "duplicate": 1, "suppressed": 2, "pending": 1}
        report = here.reconcile()
        assert dict(report.skipped) == counts
        assert skipped(here) == counts
        assert report.outcome == "ok"
        here.assert_quiet()
        here.later(minutes=11)
        assert not here.full().written
        assert skipped(here) == counts


# several GHL contacts with one address


def test_of_several_contacts_with_one_address_the_most_recently_updated_is_linked(database_url: str) -> None:
    with world(database_url) as here:
        older = here.person(ADA, first="Older")
        newer = here.person(ADA, first="Newer")
        oldest = here.person(ADA, first="Oldest")
        here.clock.advance(5)
        here.ghl.touch(newer)
        report = here.reconcile()
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Newer"
        [link] = here.pair_store.links(emailoctopus=[str(here.in_emailoctopus(ADA)["id"])])
        assert link.ghl_id == newer
        assert dict(report.skipped) == {"duplicate": 2}
        rest = here.pair_store.contacts(GHL, [older, oldest])
        assert {(row.unlinked, row.duplicate_of) for row in rest.values()} == {("duplicate", newer)}
        here.assert_quiet()


def test_nothing_but_dnd_is_written_to_a_duplicate_and_nothing_it_says_travels(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked(tags=["vip"])
        twin = here.person(ADA, first="Twin", city="Turin", tags=["other"])
        assert dict(here.reconcile().skipped) == {"duplicate": 1}
        before = here.people()[twin]
        here.edit_subscriber(subscriber_id, FirstName="Augusta")
        here.emailoctopus.add_tags(subscriber_id, ["new"])
        here.edit_person(twin, lastName="Twin", tags=["more"])
        here.forget_requests()
        here.reconcile()
        assert here.writes(EMAILOCTOPUS) == []
        assert all(ghl_id in path for _, path in here.writes(GHL))
        after = here.people()[twin]
        assert (after["firstName"], after["lastName"], after["tags"]) == ("Twin", "Twin", ["more"])
        assert before["city"] == after["city"]
        here.assert_quiet()


def test_a_duplicate_takes_the_link_up_when_it_gets_an_address_of_its_own(database_url: str) -> None:
    with world(database_url) as here:
        here.linked()
        twin = here.person(ADA, first="Twin")
        here.reconcile()
        here.edit_person(twin, email="twin@example.com")
        assert here.reconcile().written == {(EMAILOCTOPUS, "created"): 1}
        assert here.in_emailoctopus("twin@example.com")["fields"]["FirstName"] == "Twin"
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Ada"
        assert skipped(here) == {}
        here.assert_quiet()


# additional addresses


def test_an_additional_address_is_linked_to_nobody_and_not_created(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id = here.person(ADA)
        here.ghl.add_email(ghl_id, "ada@example.org")
        subscriber_id = here.subscriber("ada@example.org", first="Augusta")
        report = here.reconcile()
        assert report.written == {(EMAILOCTOPUS, "created"): 1}
        assert reason(here, subscriber_id) == "additional_address"
        assert here.pair_store.links(emailoctopus=[subscriber_id]) == []
        assert here.in_emailoctopus("ada@example.org")["fields"]["FirstName"] == "Augusta"
        assert len(here.people()) == 1
        assert not here.blocked(ADA)
        here.assert_quiet()


@pytest.mark.parametrize("when", ["before the first cycle", "later"])
def test_the_revocation_of_an_additional_address_sets_dnd(database_url: str, when: str) -> None:
    with world(database_url) as here:
        ghl_id = here.person(ADA)
        here.ghl.add_email(ghl_id, "ada@example.org")
        subscriber_id = here.subscriber("ada@example.org")
        if when == "later":
            here.reconcile()
            assert not here.blocked(ADA)
        here.clock.advance(1)
        here.emailoctopus.unsubscribe(subscriber_id)
        report = here.reconcile()
        assert report.written[GHL, "dnd_set"] == 1
        assert here.blocked(ADA)
        here.settle()
        here.assert_quiet()


@pytest.mark.parametrize("is_new", [True, False])
@pytest.mark.parametrize("linked", [True, False])
def test_an_additional_address_that_was_unsubscribed_before_sets_dnd_once(
    database_url: str, *, is_new: bool, linked: bool
) -> None:
    with world(database_url, create_in_emailoctopus=linked) as here:
        here.subscriber("ada@example.org", status="unsubscribed")
        ghl_id = "" if is_new else here.person(ADA)
        here.reconcile()
        here.later(minutes=20)
        ghl_id = ghl_id or here.person(ADA)
        here.clock.advance(1)
        here.ghl.add_email(ghl_id, "ada@example.org")
        assert here.reconcile().written[GHL, "dnd_set"] == 1
        assert here.blocked(ADA)
        here.settle()
        here.assert_quiet()
        # Somebody who lifts it knows better; the address isn't new any more.
        here.clock.advance(1)
        here.ghl.set_dnd(ghl_id, "inactive")
        here.settle()
        here.later(days=1)
        here.full()
        assert not here.blocked(ADA)
        here.assert_quiet()


def test_who_has_an_address_that_is_additional_no_more_is_created(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id = here.person(ADA)
        here.ghl.add_email(ghl_id, "ada@example.org")
        here.subscriber("ada@example.org", first="Augusta")
        here.reconcile()
        here.clock.advance(1)
        here.ghl.remove_email(ghl_id, "ada@example.org")
        assert here.reconcile().written == {(GHL, "created"): 1}
        assert here.in_ghl("ada@example.org")["firstName"] == "Augusta"
        here.assert_quiet()


def test_an_additional_address_that_a_read_by_id_told_first_is_known(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, subscriber_id = here.linked(ADA)
        here.edit_subscriber(subscriber_id, FirstName="Augusta")
        here.reconcile()
        here.edit_person(ghl_id, lastName="King")
        here.later(seconds=60)
        here.sandbox.ghl.weather.index_lag_s = 30.0
        here.ghl.add_email(ghl_id, "second@example.com")
        here.reconcile()  # a hit that differs soon after our write: read by id, which tells the second address too
        here.sandbox.ghl.weather.index_lag_s = 0.0
        here.later(minutes=20)
        here.full()
        other = here.subscriber("second@example.com")
        here.reconcile()
        assert (len(here.people()), reason(here, other)) == (1, "additional_address")


def test_an_additional_address_that_becomes_the_primary_one_is_linked(database_url: str) -> None:
    with world(database_url, create_in_emailoctopus=False) as here:
        ghl_id = here.person(ADA)
        here.ghl.add_email(ghl_id, "ada@example.org")
        subscriber_id = here.subscriber("ada@example.org")
        assert not here.reconcile().written
        here.edit_person(ghl_id, email="ada@example.org")
        here.reconcile()
        assert [link.emailoctopus_id for link in here.pair_store.links(ghl=[ghl_id])] == [subscriber_id]
        here.assert_quiet()
