"""One store, one secret, and pairs that know which location and list they belong to."""

import pytest
from sqlalchemy import Engine

from sync_daemon.model.contact import AccountSchema
from sync_daemon.model.errors import StateStoreError
from sync_daemon.model.state import Cause, KnownTag, Link
from sync_daemon.ports import Commit
from sync_daemon.store.crypto import Secrets, derive
from sync_daemon.store.installation import StateStore
from tests.store.conftest import SECRET, StoppedClock
from tests.store.examples import EMAILOCTOPUS, GHL, NOON, digest, held, known, parked, staged

OTHER = "another secret, of the same fair length"


def test_pairs_are_listed_by_name(store: StateStore) -> None:
    assert store.pairs() == []
    store.open_pair("b", "location", "list").begin_scan()
    store.open_pair("a", "location", "other list")

    assert [(pair.name, pair.list_id, pair.scan) for pair in store.pairs()] == [
        ("a", "other list", 0),
        ("b", "list", 1),
    ]


def test_a_pair_opened_again_is_the_same_one(store: StateStore) -> None:
    store.open_pair("main", "location", "list").commit(Commit(links=[Link("g1", "e1")]))

    assert len(store.open_pair("main", "location", "list").links(ghl=["g1"])) == 1
    assert len(store.pairs()) == 1


@pytest.mark.parametrize(("location", "list_id"), [("elsewhere", "list"), ("location", "another")])
def test_links_to_another_location_or_list_are_refused(store: StateStore, location: str, list_id: str) -> None:
    store.open_pair("main", "location", "list").commit(Commit(links=[Link("g1", "e1"), Link("g2", "e2")]))

    with pytest.raises(StateStoreError) as caught:
        store.open_pair("main", location, list_id)

    said = str(caught.value)
    assert "2 links between GHL location location and EmailOctopus list list" in said
    assert f"the configuration names location {location} and list {list_id}" in said
    assert (
        "put the old ids back, or give the pair a new name to start anew there. Else: `sync-daemon adopt` keeps" in said
    )
    assert len(store.open_pair("main", "location", "list").links(ghl=["g1", "g2"])) == 2


def test_a_look_at_a_pair_makes_and_clears_nothing(store: StateStore) -> None:
    assert store.look_at_pair("main", "location", "list") is None
    assert store.pairs() == []

    pair = store.open_pair("main", "location", "list")
    pair.commit(Commit(contacts=[known("g1")], watermarks={"ghl.contacts": NOON}))

    assert store.look_at_pair("main", "location", "new list") is None
    seen = store.look_at_pair("main", "location", "list")
    assert seen is not None
    assert (seen.state().list_id, seen.state().watermarks) == ("list", {"ghl.contacts": NOON})
    assert list(seen.contacts(GHL, ["g1"])) == ["g1"]


def test_a_look_at_links_to_another_list_is_refused_as_opening_is(store: StateStore) -> None:
    store.open_pair("main", "location", "list").commit(Commit(links=[Link("g1", "e1")]))
    with pytest.raises(StateStoreError, match="put the old ids back"):
        store.look_at_pair("main", "location", "new list")


def test_a_pair_without_links_moves_and_keeps_only_what_belongs_to_people(store: StateStore) -> None:
    before = store.open_pair("main", "location", "list")
    before.commit(
        Commit(
            contacts=[known("g1")],
            additional_addresses={"g1": (digest(1),)},
            staged=[staged("g1")],
            parked=[parked("g1", None)],
            held=[held("g1", None)],
            tags=[KnownTag("vip", GHL)],
            watermarks={"ghl.contacts": NOON},
            looked_at={"counts": NOON},
            revoked_addresses={digest(1): Cause.PERSON_GHL},
        )
    )
    before.save_schema(AccountSchema(GHL, {}))
    bystander = store.open_pair("bystander", "location", "list")
    bystander.commit(Commit(contacts=[known("g1")]))

    after = store.open_pair("main", "location", "new list")

    assert (after.state().location_id, after.state().list_id) == ("location", "new list")
    assert (after.state().watermarks, after.state().looked_at) == ({}, {})
    assert after.contacts(GHL, ["g1"]) == {}
    assert after.holders_of_additional([digest(1)]) == {}
    assert after.count_staged() == {GHL: 0, EMAILOCTOPUS: 0}
    assert (after.parked(everything=True), after.held(everything=True), after.tags()) == ([], [], [])
    assert GHL not in after.schemas()
    assert after.revoked_at([digest(1)]) == {digest(1): "person_ghl"}
    assert len(bystander.contacts(GHL, ["g1"])) == 1


def test_a_changed_secret_is_noticed(engine: Engine, clock: StoppedClock) -> None:
    StateStore(engine, Secrets(SECRET), clock)

    with pytest.raises(StateStoreError, match=r"another secret_key: put that one back") as caught:
        StateStore(engine, Secrets(OTHER), clock)

    assert OTHER not in str(caught.value)
    StateStore(engine, Secrets(SECRET), clock)


def test_a_previous_secret_opens_the_store_and_its_digests_stay(engine: Engine, clock: StoppedClock) -> None:
    first = StateStore(engine, Secrets(SECRET), clock)
    first.open_pair("main", "location", "list").commit(Commit(staged=[staged("old")], tags=[KnownTag("vip", GHL)]))

    second = StateStore(engine, Secrets(OTHER, [SECRET]), clock)
    pair = second.open_pair("main", "location", "list")
    pair.commit(Commit(staged=[staged("new")], tags=[KnownTag("vip", GHL, "VIP")]))

    assert first.digest_keys == second.digest_keys == (derive(SECRET).digests,)
    assert [row.contact_id for row in pair.next_staged(GHL, 0, 10)] == ["old", "new"]
    assert pair.tags() == [KnownTag("vip", GHL, "VIP")], "found by the same digest, so that it was replaced"


def test_a_store_closes_every_connection(engine: Engine, clock: StoppedClock) -> None:
    with StateStore(engine, Secrets(SECRET), clock) as store:
        store.pairs()

    assert engine.pool.checkedin() == 0  # type: ignore[attr-defined]  # a queue pool
