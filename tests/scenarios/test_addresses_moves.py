"""Contract, section 3: an address that moves onto somebody else's contact; all moves of a cycle decided together."""

import pytest

from sync_daemon.model.policy import DeletedInGhl, DeleteRule, Resubscribe
from tests.worlds import EMAILOCTOPUS, GHL, World, world

ADA, BOB, EVE, NEW = "ada@example.com", "bob@example.com", "eve@example.com", "new@example.com"


def linked(here: World, *addresses: str) -> list[tuple[str, str]]:
    """People in both systems, each named by the first letters of the address: both ids of each."""
    ids = [here.person(address, first=address.partition("@")[0].title()) for address in addresses]
    here.reconcile()
    here.forget_requests()
    return [(ghl_id, partner(here, ghl_id)) for ghl_id in ids]


def partner(here: World, ghl_id: str) -> str:
    [link] = here.pair_store.links(ghl=[ghl_id])
    return link.emailoctopus_id


def subscribers(here: World) -> dict[str, tuple[str, str]]:
    """First name and status of each address in EmailOctopus."""
    return {
        row["email_address"]: (row["fields"].get("FirstName", ""), row["status"]) for row in here.subscribers().values()
    }


def assert_law_of_links(here: World) -> None:
    """L5: no two links share a contact; and whoever is linked has one address in both systems."""
    links = here.pair_store.links(ghl=list(here.people()))
    assert len({link.emailoctopus_id for link in links}) == len(links)
    people, rows = here.people(), here.subscribers()
    for link in links:
        assert people[link.ghl_id]["email"] == rows[link.emailoctopus_id]["email_address"].lower()


def assert_settled(here: World) -> None:
    here.settle()
    assert_law_of_links(here)
    here.later(minutes=11)
    assert not here.full().written
    here.assert_quiet()


# onto an EmailOctopus contact without a link


def unlinked_subscriber(here: World, status: str = "subscribed") -> str:
    """An EmailOctopus contact that GHL doesn't know and doesn't get."""
    return here.subscriber(NEW, first="New", last="", status=status)


def test_an_address_of_an_unlinked_emailoctopus_contact_moves_the_link_there(database_url: str) -> None:
    with world(database_url, create_in_ghl=False) as here:
        [(ghl_id, old)] = linked(here, ADA)
        new = unlinked_subscriber(here)
        here.edit_person(ghl_id, email=NEW)
        here.reconcile()
        assert partner(here, ghl_id) == new
        # The two met for the first time: GHL's values win, a blank loses, nobody's address changed.
        row = here.subscribers()[new]
        assert (row["email_address"], row["fields"]) == (NEW, {"FirstName": "Ada", "LastName": "Lovelace"})
        assert here.subscribers()[old]["email_address"] == ADA
        assert len(here.people()) == 1
        assert_settled(here)


@pytest.mark.parametrize("edited", [False, True])
def test_who_is_left_behind_is_unsubscribed_and_not_created_anew_whatever_was_just_edited(
    database_url: str, edited: bool
) -> None:
    with world(database_url) as here:
        [(ghl_id, old)] = linked(here, ADA)
        new = here.subscriber(NEW, first="New", last="")
        if edited:
            here.edit_subscriber(old, FirstName="Adah")
        here.edit_person(ghl_id, email=NEW)
        here.reconcile()
        assert partner(here, ghl_id) == new
        assert here.subscribers()[old]["status"] == "unsubscribed"
        assert [person["email"] for person in here.people().values()] == [NEW]
        assert_settled(here)


@pytest.mark.parametrize("known", [True, False])
def test_it_makes_no_difference_whether_that_contact_was_seen_before(database_url: str, known: bool) -> None:
    with world(database_url, create_in_ghl=False) as here:
        [(ghl_id, old)] = linked(here, ADA)
        if known:
            new = unlinked_subscriber(here)
            here.reconcile()
        here.edit_person(ghl_id, email=NEW)
        if not known:
            # It turns up when everything was read and before anything is written.
            made: list[str] = []
            here.before_writing(lambda: made.append(unlinked_subscriber(here)))
            here.reconcile()
            [new] = made
        here.reconcile()
        here.settle()
        assert partner(here, ghl_id) == new
        assert here.subscribers()[old]["status"] == "unsubscribed"
        assert_settled(here)


@pytest.mark.parametrize(
    ("rule", "left"),
    [
        (DeletedInGhl.UNSUBSCRIBE, ("Ada", "unsubscribed")),
        (DeletedInGhl.DELETE, None),
        (DeletedInGhl.IGNORE, ("Ada", "subscribed")),
    ],
)
def test_the_orphan_falls_under_the_delete_policy(
    database_url: str, rule: DeletedInGhl, left: tuple[str, str] | None
) -> None:
    with world(database_url, create_in_ghl=False, deletes=DeleteRule(in_ghl=rule)) as here:
        [(ghl_id, _)] = linked(here, ADA)
        unlinked_subscriber(here)
        here.edit_person(ghl_id, email=NEW)
        here.reconcile()
        assert subscribers(here).get(ADA) == left
        assert subscribers(here)[NEW] == ("Ada", "subscribed")
        assert not here.blocked(NEW)
        assert_settled(here)


@pytest.mark.parametrize("rule", [DeletedInGhl.UNSUBSCRIBE, DeletedInGhl.IGNORE])
def test_an_orphan_is_not_created_in_ghl(database_url: str, rule: DeletedInGhl) -> None:
    with world(database_url, deletes=DeleteRule(in_ghl=rule)) as here:
        [(ghl_id, old)] = linked(here, ADA)
        unlinked_subscriber(here, status="pending")  # so that GHL doesn't get it by itself
        here.reconcile()
        here.edit_person(ghl_id, email=NEW)
        here.reconcile()
        assert_settled(here)
        assert [row["email"] for row in here.people().values()] == [NEW]
        assert here.pair_store.links(emailoctopus=[old]) == []


def test_a_link_that_moves_to_an_unsubscribed_contact_is_revoked(database_url: str) -> None:
    with world(database_url) as here:
        [(ghl_id, _)] = linked(here, ADA)
        new = unlinked_subscriber(here, status="unsubscribed")
        here.reconcile()
        here.edit_person(ghl_id, email=NEW)
        here.reconcile()
        assert partner(here, ghl_id) == new
        assert (here.status(NEW), here.blocked(NEW)) == ("unsubscribed", True)
        assert_settled(here)


@pytest.mark.parametrize("revoked_in", [GHL, EMAILOCTOPUS])
def test_a_link_that_moves_from_a_revoked_contact_is_revoked(database_url: str, revoked_in: str) -> None:
    with world(database_url, create_in_ghl=False) as here:
        [(ghl_id, old)] = linked(here, ADA)
        if revoked_in == GHL:
            here.ghl.set_dnd(ghl_id)
        else:
            here.emailoctopus.unsubscribe(old)
        here.later(seconds=5)
        here.reconcile()
        unlinked_subscriber(here)
        here.edit_person(ghl_id, email=NEW)
        here.reconcile()
        assert (here.status(NEW), here.blocked(NEW)) == ("unsubscribed", True)
        assert_settled(here)


def test_a_link_that_moves_from_an_unsubscribed_contact_whose_dnd_was_lifted_is_revoked(database_url: str) -> None:
    with world(database_url, create_in_ghl=False) as here:
        [(ghl_id, old)] = linked(here, ADA)
        here.emailoctopus.unsubscribe(old)
        here.later(seconds=5)
        here.reconcile()
        here.ghl.set_dnd(ghl_id, "inactive")
        here.later(seconds=5)
        assert here.reconcile().consent_held == 1
        unlinked_subscriber(here)
        here.edit_person(ghl_id, email=NEW)
        here.reconcile()
        here.settle()
        assert here.status(NEW) == "unsubscribed"  # the stricter consent of both
        assert_settled(here)


@pytest.mark.parametrize("resubscribe", list(Resubscribe))
def test_a_link_that_comes_back_to_whom_the_policy_unsubscribed_is_reported(
    database_url: str, resubscribe: Resubscribe
) -> None:
    """Two addresses change places in turn: each time the one that is left is unsubscribed by policy."""
    with world(database_url, resubscribe=resubscribe) as here:
        [(ada, _)] = linked(here, ADA)
        here.subscriber(BOB)
        for address in (BOB, ADA, BOB, ADA):
            here.clock.advance(60)
            here.ghl.edit(ada, email=address)
            here.settle()
        assert here.status(ADA) == ("subscribed" if resubscribe is Resubscribe.ALLOW else "unsubscribed")
        assert not here.blocks(ada)
        [link] = here.pair_store.links(ghl=[ada])
        assert link.consent_held is (resubscribe is not Resubscribe.ALLOW)


def test_whoever_unsubscribed_stays_so_though_the_link_comes_from_whom_the_policy_unsubscribed(
    database_url: str,
) -> None:
    with world(database_url, resubscribe=Resubscribe.ALLOW) as here:
        [(ada, _)] = linked(here, ADA)
        bob = here.subscriber(BOB)
        here.settle()
        here.clock.advance(60)
        here.ghl.edit(ada, email=BOB)
        here.settle()  # Ada's subscriber is unsubscribed by policy
        here.emailoctopus.unsubscribe(bob)
        here.settle()
        here.clock.advance(60)
        here.ghl.set_dnd(ada, "inactive")
        here.ghl.edit(ada, email=EVE)
        here.settle()
        assert here.status(BOB) == "unsubscribed"


def test_an_address_moved_onto_another_contact_does_not_leave_an_orphan_that_ghl_has_under_another_id(
    database_url: str,
) -> None:
    with world(database_url, create_in_ghl=False) as here:
        [(ghl_id, old)] = linked(here, ADA)
        twin = here.person(ADA, first="Twin")
        here.reconcile()
        new = unlinked_subscriber(here)
        here.edit_person(ghl_id, email=NEW)
        here.reconcile()
        here.settle()
        assert (partner(here, ghl_id), partner(here, twin)) == (new, old)
        assert subscribers(here)[ADA] == ("Twin", "subscribed")
        assert_settled(here)


# onto a contact whose link stays


def test_an_address_of_a_link_that_stays_makes_a_duplicate(database_url: str) -> None:
    with world(database_url) as here:
        [(ada, _), (bob, bobs)] = linked(here, ADA, BOB)
        here.edit_person(ada, email=BOB)
        here.reconcile()
        assert partner(here, bob) == bobs
        assert here.pair_store.links(ghl=[ada]) == []
        [known] = here.pair_store.contacts(GHL, [ada]).values()
        assert (known.unlinked, known.duplicate_of) == ("duplicate", bob)
        assert subscribers(here)[BOB] == ("Bob", "subscribed")
        assert here.people()[bob]["firstName"] == "Bob"
        assert_settled(here)
        assert len(here.people()) == 2


def test_a_duplicate_that_goes_back_to_its_address_is_linked_again_and_gets_no_dnd(database_url: str) -> None:
    with world(database_url) as here:
        [(ada, adas), (bob, bobs)] = linked(here, ADA, BOB)
        here.edit_person(ada, email=BOB)
        here.reconcile()
        here.edit_person(ada, email=ADA)
        here.reconcile()
        here.settle()
        assert (partner(here, ada), partner(here, bob)) == (adas, bobs)
        # What policy revoked isn't subscribed again, and sets no DND on a contact that comes back.
        assert here.status(ADA) == "unsubscribed"
        assert not here.blocked(ADA)
        assert here.pair_store.totals().consent_held == 1  # listed, as they differ
        assert_settled(here)


def test_a_revoked_address_blocks_who_moves_onto_it(database_url: str) -> None:
    with world(database_url) as here:
        [(ada, _), (bob, bobs)] = linked(here, ADA, BOB)
        here.emailoctopus.unsubscribe(bobs)
        here.later(seconds=5)
        here.reconcile()
        here.edit_person(ada, email=BOB)
        here.reconcile()
        assert here.blocks(bob)
        assert here.blocks(ada)  # on GHL for every contact with that address
        assert_settled(here)


def test_a_blocked_contact_that_moves_onto_an_address_revokes_it(database_url: str) -> None:
    with world(database_url) as here:
        [(ada, _), (bob, bobs)] = linked(here, ADA, BOB)
        here.ghl.set_dnd(ada)
        here.later(seconds=5)
        here.reconcile()
        here.edit_person(ada, email=BOB)
        here.reconcile()
        here.settle()
        # Like any other contact with DND that turns up with an address.
        assert (partner(here, bob), here.status(BOB), here.blocks(bob)) == (bobs, "unsubscribed", True)
        assert_settled(here)


def test_a_duplicate_takes_over_the_address_that_the_link_moves_away_from_in_emailoctopus(database_url: str) -> None:
    with world(database_url) as here:
        [(ada, adas)] = linked(here, ADA)
        twin = here.person(ADA, first="Twin")
        here.reconcile()
        here.clock.advance(1)
        here.emailoctopus.change_address(adas, NEW)
        here.reconcile()
        here.settle()
        assert partner(here, ada) == adas
        assert partner(here, twin) == here.in_emailoctopus(ADA)["id"]
        assert subscribers(here) == {NEW: ("Ada", "subscribed"), ADA: ("Twin", "subscribed")}
        assert_settled(here)


# links whose addresses move together


def test_two_links_that_exchange_their_addresses_exchange_their_contacts(database_url: str) -> None:
    with world(database_url) as here:
        [(ada, adas), (bob, bobs)] = linked(here, ADA, BOB)
        here.edit_person(ada, email=BOB)
        here.edit_person(bob, email=ADA)
        report = here.reconcile()
        assert report.written[EMAILOCTOPUS, "unsubscribed"] == 0
        assert (partner(here, ada), partner(here, bob)) == (bobs, adas)
        assert subscribers(here) == {ADA: ("Bob", "subscribed"), BOB: ("Ada", "subscribed")}
        assert {row["email"]: row["firstName"] for row in here.people().values()} == {ADA: "Bob", BOB: "Ada"}
        assert not here.blocked(ADA)
        assert not here.blocked(BOB)
        assert_settled(here)


def test_an_exchange_mixes_nobodys_values_and_tags(database_url: str) -> None:
    with world(database_url) as here:
        ada = here.person(ADA, first="Ada", last="", tags=["maths"])
        bob = here.person(BOB, first="Bob", last="Builder", tags=["bricks"])
        here.reconcile()
        here.edit_person(ada, email=BOB)
        here.edit_person(bob, email=ADA)
        here.reconcile()
        here.settle()
        people = {row["email"]: (row["firstName"], row.get("lastName"), row["tags"]) for row in here.people().values()}
        assert people == {BOB: ("Ada", None, ["maths"]), ADA: ("Bob", "Builder", ["bricks"])}
        rows = {row["email_address"]: (row["fields"], row["tags"]) for row in here.subscribers().values()}
        assert rows == {
            BOB: ({"FirstName": "Ada"}, ["maths"]),
            ADA: ({"FirstName": "Bob", "LastName": "Builder"}, ["bricks"]),
        }
        assert_settled(here)


def test_consent_belongs_to_the_address_when_links_exchange_their_contacts(database_url: str) -> None:
    with world(database_url) as here:
        [(ada, adas), (bob, _)] = linked(here, ADA, BOB)
        here.emailoctopus.unsubscribe(adas)
        here.later(seconds=5)
        here.reconcile()
        here.edit_person(ada, email=BOB)
        here.edit_person(bob, email=ADA)
        here.reconcile()
        assert here.status(ADA) == "unsubscribed"
        assert here.blocked(ADA)
        assert_settled(here)


def test_a_ring_of_three_goes_round(database_url: str) -> None:
    with world(database_url) as here:
        [(ada, adas), (bob, bobs), (eve, eves)] = linked(here, ADA, BOB, EVE)
        here.edit_person(ada, email=BOB)
        here.edit_person(bob, email=EVE)
        here.edit_person(eve, email=ADA)
        report = here.reconcile()
        assert report.written[EMAILOCTOPUS, "unsubscribed"] == 0
        assert [partner(here, one) for one in (ada, bob, eve)] == [bobs, eves, adas]
        assert {address: name for address, (name, _) in subscribers(here).items()} == {
            ADA: "Eve",
            BOB: "Ada",
            EVE: "Bob",
        }
        assert_settled(here)


def test_a_chain_starts_at_its_free_end(database_url: str) -> None:
    with world(database_url) as here:
        [(ada, adas), (bob, bobs), (eve, eves)] = linked(here, ADA, BOB, EVE)
        here.edit_person(ada, email=BOB)
        here.edit_person(bob, email=EVE)
        here.edit_person(eve, email=NEW)
        report = here.reconcile()
        assert report.written[EMAILOCTOPUS, "unsubscribed"] == 0
        assert [partner(here, one) for one in (ada, bob, eve)] == [adas, bobs, eves]
        assert {address: name for address, (name, _) in subscribers(here).items()} == {
            BOB: "Ada",
            EVE: "Bob",
            NEW: "Eve",
        }
        assert_settled(here)


def test_a_chain_may_end_at_an_unlinked_contact(database_url: str) -> None:
    with world(database_url, create_in_ghl=False) as here:
        [(ada, _), (bob, bobs)] = linked(here, ADA, BOB)
        new = unlinked_subscriber(here)
        here.reconcile()
        here.edit_person(ada, email=BOB)
        here.edit_person(bob, email=NEW)
        here.forget_requests()
        here.reconcile()
        assert (partner(here, ada), partner(here, bob)) == (bobs, new)
        assert not any("email_address" in body for body in here.bodies(EMAILOCTOPUS))
        here.settle()
        assert subscribers(here)[BOB] == ("Ada", "subscribed")
        assert subscribers(here)[NEW] == ("Bob", "subscribed")
        assert_settled(here)


def test_a_chain_may_end_at_a_link_that_stays(database_url: str) -> None:
    with world(database_url) as here:
        [(ada, _), (bob, bobs), (eve, eves)] = linked(here, ADA, BOB, EVE)
        here.edit_person(ada, email=BOB)
        here.edit_person(bob, email=EVE)
        here.reconcile()
        assert (partner(here, ada), partner(here, eve)) == (bobs, eves)
        assert not any("email_address" in body for body in here.bodies(EMAILOCTOPUS))
        here.settle()
        assert here.pair_store.links(ghl=[bob]) == []
        assert subscribers(here) == {
            ADA: ("Ada", "unsubscribed"),
            BOB: ("Ada", "subscribed"),
            EVE: ("Eve", "subscribed"),
        }
        assert_settled(here)


def test_an_exchange_whose_halves_are_seen_in_two_cycles_ends_the_same(database_url: str) -> None:
    with world(database_url) as here:
        [(ada, _), (bob, _)] = linked(here, ADA, BOB)
        here.edit_person(ada, email=BOB)
        here.reconcile()
        here.edit_person(bob, email=ADA)
        here.reconcile()
        here.settle()
        assert_law_of_links(here)
        assert {row["email"]: row["firstName"] for row in here.people().values()} == {ADA: "Bob", BOB: "Ada"}
        assert {address: name for address, (name, _) in subscribers(here).items()} == {ADA: "Bob", BOB: "Ada"}
        assert_settled(here)


def test_an_address_taken_over_from_a_link_that_lost_it_is_no_duplicate(database_url: str) -> None:
    with world(database_url) as here:
        [(ada, adas), (bob, _)] = linked(here, ADA, BOB)
        here.edit_person(ada, email=None)
        here.edit_person(bob, email=ADA)
        here.reconcile()
        here.settle()
        assert here.people()[bob]["email"] == ADA
        links = here.pair_store.links(emailoctopus=[adas])
        assert len(links) == 1  # whoever holds it now, nobody shares it
        here.assert_quiet()


def test_a_link_that_moves_to_a_new_address_frees_the_old_one_for_a_newcomer(database_url: str) -> None:
    with world(database_url) as here:
        [(ada, adas)] = linked(here, ADA)
        here.edit_person(ada, email=NEW)
        newcomer = here.person(ADA, first="Newcomer")
        here.reconcile()
        here.settle()
        assert partner(here, ada) == adas
        assert subscribers(here) == {NEW: ("Ada", "subscribed"), ADA: ("Newcomer", "subscribed")}
        assert partner(here, newcomer) == here.in_emailoctopus(ADA)["id"]
        assert_settled(here)


def test_a_link_whose_address_was_emptied_moves_to_one_that_is_revoked_in_the_same_cycle(database_url: str) -> None:
    """The block that this carries to GHL makes what the poll had shown old: the contact is read by id."""
    with world(database_url) as here:
        other = here.subscriber(NEW, status="pending")
        [(ghl_id, subscriber_id)] = linked(here, ADA)
        here.edit_person(ghl_id, email=None)
        here.reconcile()
        here.later(minutes=1)
        here.edit_person(ghl_id, email=NEW)
        here.emailoctopus.unsubscribe(other)
        here.settle()
        assert partner(here, ghl_id) == other
        assert here.blocks(ghl_id)
        assert here.status(ADA) == "unsubscribed"
        assert subscriber_id in here.subscribers()
        here.assert_quiet()


def test_an_orphan_that_was_deleted_is_not_created_in_ghl_for_a_change_that_it_had_shown(database_url: str) -> None:
    with world(database_url, deletes=DeleteRule(in_ghl=DeletedInGhl.DELETE), create_suppressed=True) as here:
        other = here.subscriber(NEW, status="pending")
        [(ghl_id, subscriber_id)] = linked(here, ADA)
        here.later(minutes=1)
        here.edit_person(ghl_id, email=NEW)
        here.emailoctopus.unsubscribe(subscriber_id)
        here.settle()
        assert partner(here, ghl_id) == other
        assert list(here.people()) == [ghl_id]
        assert list(here.subscribers()) == [other]
        here.assert_quiet()
