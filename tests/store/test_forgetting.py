"""Forgetting a person: no row is left that tells of him, but keyed digests; nothing about him is stored anew."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, make_url

from sync_daemon.changes.digests import Digester
from sync_daemon.model.activity import KnownActivity
from sync_daemon.model.contact import Consent
from sync_daemon.model.engagement import Kind, seen, told
from sync_daemon.model.errors import PairBusy
from sync_daemon.model.state import Cause, Change, KnownContact, Tombstone, Unlinked
from sync_daemon.model.webhook import EventKind, WebhookEvent
from sync_daemon.ports import Commit, PairStore
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import open_engine, reading
from sync_daemon.store.forgetting import tells_of
from sync_daemon.store.installation import StateStore
from sync_daemon.store.starting_over import LockedStore, NewStart
from sync_daemon.store.tables import metadata
from tests.store.conftest import SECRET, StoppedClock
from tests.store.examples import (
    EMAILOCTOPUS,
    GHL,
    NOON,
    deed,
    digest,
    full_link,
    held,
    known,
    parked,
    shown,
    staged,
)

ADA = "ada@example.com"
IDS = ("ghl-ada-0001", "octopus-ada-0001", "ghl-ada-0002", "ghl-ada-gone")
OTHERS = ("ghl-bob-0001", "octopus-bob-0001")
NOBODYS = {
    "installation", "pairs", "leases", "watermarks", "lookups", "schemas", "field_keys", "mass_changes", "tags",
    "runs", "alerts", "reports", "forgotten", "configured_pairs", "oauth_logins", "oauth_tokens",
}  # fmt: skip
"""The tables in which no row is about a person."""


@pytest.fixture
def ada(store: StateStore) -> bytes:
    return Digester(*store.digest_keys).address(ADA)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The database; SQLite as most builds have it: what it frees it doesn't overwrite."""
    opened = open_engine(database_url)
    if opened.dialect.name == "sqlite":
        event.listen(opened, "connect", lambda one, _: one.execute("PRAGMA secure_delete = OFF").close())
    yield opened
    opened.dispose()


@pytest.fixture
def filled(pair: PairStore, ada: bytes) -> PairStore:
    """A pair that knows something of every kind of one person, and of another."""
    ghl, octopus, twin, gone = IDS
    bob, bobs = OTHERS
    pair.commit(
        Commit(
            contacts=[
                known(ghl, address=ada), known(octopus, EMAILOCTOPUS, address=None), known(twin, address=ada),
                known(gone, address=None, unlinked=Unlinked.DELETED),
                known(bob, address=digest(50), duplicate_of=ghl), known(bobs, EMAILOCTOPUS, address=digest(50)),
            ],
            additional_addresses={ghl: (digest(60),), bob: (ada, digest(61))},
            links=[full_link(ghl, octopus), full_link(bob, bobs)],
            staged=[staged(ghl), staged(octopus, EMAILOCTOPUS), staged(bob)],
            parked=[
                parked(ghl, octopus, message="no"), parked(None, octopus),
                parked(bob, bobs, message=f"the contact {twin} is in the way"),
                parked(bob, None, message="the number is wrong"),
            ],
            held=[held(ghl, octopus), held(bob, bobs)],
            tombstones=[
                Tombstone(gone, octopus, GHL, NOON, "unsubscribed", Consent.GRANTED, ada),
                Tombstone(bob, "octopus-of-before", EMAILOCTOPUS, NOON, "moved", Consent.GRANTED, ada),
                Tombstone(bob, bobs, GHL, NOON, "unsubscribed", Consent.GRANTED, digest(50)),
            ],
            revoked_addresses={ada: Cause.PERSON_GHL, digest(50): Cause.PERSON_GHL},
            changes=[
                Change("written", GHL, ghl, octopus, "firstName", "changed"),
                Change("reported", None, None, octopus, "consent", "changed"),
                Change("written", GHL, bob, bobs, "firstName", "changed"),
            ],
            activity=[shown(ghl, octopus), KnownActivity(bob, bobs)],
            deeds=[deed(f"rule r1 0 clicked k1 {octopus}", ghl_id=ghl, emailoctopus_id=octopus)],
            occasions=[seen(Kind.TAG_ADDED, octopus, "vip", NOON, digest(5)), told(Kind.CLICKED, bobs, "k1", NOON)],
        ),
        run_id="run-1",
    )  # fmt: skip
    # Deleted long since, and in the file still.
    pair.commit(Commit(staged=[staged(f"{one}{number}") for one in (ghl, twin) for number in range(200)]))
    pair.commit(Commit(done=pair.next_staged(GHL, 3, 1000)))
    pair.save_events([webhook("1", ghl), webhook("2", twin), webhook("3", bob)])
    return pair


def webhook(number: str, contact_id: str) -> WebhookEvent:
    return WebhookEvent(GHL, number, contact_id, EventKind.CHANGED, NOON)


def everything(engine: Engine, database_url: str = "") -> Iterator[bytes]:
    """Every value in the database; and each file of SQLite's as it lies on the disk."""
    with reading(engine) as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(table.select()):
                yield from (value if isinstance(value, bytes) else str(value).encode() for value in row)
    if database_url.startswith("sqlite"):
        path = Path(make_url(database_url).database or "")
        yield from (file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


def test_nothing_is_left_of_a_person_and_everything_of_others(
    filled: PairStore, ada: bytes, engine: Engine, store: StateStore, database_url: str
) -> None:
    assert all(any(one.encode() in value for value in everything(engine)) for one in IDS)

    erased = filled.forget(ada)
    store.rewrite()

    left = list(everything(engine, database_url))
    assert [one for one in IDS if any(one.encode() in value for value in left)] == []
    assert (erased["contacts"], erased["links"], erased["changes"], erased["tombstones"]) == (4, 1, 2, 2)
    bob, bobs = OTHERS
    assert [link.emailoctopus_id for link in filled.links(ghl=[bob])] == [bobs]
    known_bob = filled.contacts(GHL, [bob])[bob]
    assert (known_bob.address, known_bob.duplicate_of) == (digest(50), None)
    assert filled.additional_addresses([bob]) == {bob: {digest(61)}}
    assert [row.message for row in filled.parked(everything=True)] == ["", "the number is wrong"]
    assert filled.revoked_at([ada, digest(50)]) == {digest(50): "person_ghl"}
    assert [row.contact_id for row in filled.waiting_events(GHL, 9)] == [bob]
    assert len(filled.held(everything=True)) == 1


def test_he_is_known_again_by_digests_of_the_address_and_of_every_id(
    filled: PairStore, ada: bytes, other_pair: PairStore
) -> None:
    assert not filled.is_forgotten(ADA)
    filled.forget(ada, [(GHL, "found-outside")])
    assert all(map(filled.is_forgotten, (" Ada@Example.com", "found-outside", "octopus-of-before", *IDS)))
    assert not any(map(filled.is_forgotten, (*OTHERS, "bob@example.com")))
    assert filled.totals().unlinked[Unlinked.FORGOTTEN] == 1, "one person, whatever the number of his records"
    assert not any(map(other_pair.is_forgotten, (ADA, *IDS)))


def test_whoever_brings_him_back_stores_nothing(filled: PairStore, ada: bytes, engine: Engine) -> None:
    filled.forget(ada)
    before = sorted(everything(engine))
    filled.save_events([webhook("9", IDS[0]), WebhookEvent(EMAILOCTOPUS, "9", IDS[1], EventKind.REVOKED, NOON)])
    filled.save_occasions([told(Kind.OPENED, IDS[1], "k1", NOON)])
    filled.commit(
        Commit(occasions=[told(Kind.CLICKED, IDS[1], "k1", NOON)], additional_addresses={OTHERS[0]: (ada, digest(61))})
    )
    assert sorted(everything(engine)) == before


def test_it_is_taken_back_by_the_address(filled: PairStore, ada: bytes) -> None:
    filled.forget(ada)
    filled.forget(digest(77), [(GHL, "somebody")])
    assert (filled.recall(ada), filled.recall(ada)) == (True, False)
    assert not any(map(filled.is_forgotten, (ADA, *IDS)))
    assert filled.is_forgotten("somebody")


def test_nothing_is_erased_by_who_lost_the_lease(filled: PairStore, ada: bytes, engine: Engine) -> None:
    before = sorted(everything(engine))
    assert filled.acquire("another", 30)
    leased = sorted(everything(engine))
    with pytest.raises(PairBusy):
        filled.forget(ada, holder="mine")
    assert (sorted(everything(engine)), len(leased)) == (leased, len(before))


def test_a_former_secret_is_not_needed_to_know_him(filled: PairStore, ada: bytes, engine: Engine) -> None:
    filled.forget(ada)
    second = "the second secret, of the same fair length"
    clock = StoppedClock()
    assert StateStore(engine, Secrets(second, [SECRET]), clock).renew()
    again = StateStore(engine, Secrets(second), clock).open_pair("main", "location", "list")
    assert all(map(again.is_forgotten, (ADA, *IDS)))
    assert again.recall(Digester(*StateStore(engine, Secrets(second), clock).digest_keys).address(ADA))


def test_a_process_that_renewed_the_secret_itself_knows_him_too(engine: Engine, clock: StoppedClock) -> None:
    second = "the second secret, of the same fair length"
    StateStore(engine, Secrets(SECRET), clock)
    store = StateStore(engine, Secrets(second, [SECRET]), clock)
    opened_before = store.open_pair("main", "location", "list")
    opened_before.forget(Digester(*store.digest_keys).address(ADA), [(GHL, IDS[0])])
    assert store.renew()
    opened_before.save_events([webhook("9", IDS[0])])
    assert opened_before.waiting_events(GHL, 9) == []


@pytest.mark.parametrize("keep", [(), ("ghl-bob-0001",)])
def test_starting_over_keeps_who_was_forgotten(
    filled: PairStore, ada: bytes, engine: Engine, clock: StoppedClock, keep: tuple[str, ...]
) -> None:
    filled.forget(ada)
    locked = LockedStore(engine, clock)
    [pair] = locked.pairs()
    assert pair.counts["forgotten"] == 1
    locked.start_over([NewStart(pair, "another location", "list", keep)])
    moved = StateStore(engine, Secrets(SECRET), clock).open_pair("main", "another location", "list")
    assert all(map(moved.is_forgotten, (ADA, *IDS)))


def test_a_pair_without_links_that_is_pointed_elsewhere_keeps_who_was_forgotten(store: StateStore, ada: bytes) -> None:
    store.open_pair("main", "location", "list").forget(ada)
    assert store.open_pair("main", "location", "another list").is_forgotten(ADA)


def test_every_table_is_known_to_tell_of_people_or_not() -> None:
    ids = {GHL: {"g"}, EMAILOCTOPUS: {"e"}}
    personal = {table.name for table in metadata.sorted_tables if list(tells_of(table, b"", ids))}
    assert {table.name for table in metadata.sorted_tables} == personal | NOBODYS
    assert personal.isdisjoint(NOBODYS)


def test_a_contact_that_was_forgotten_before_is_erased_by_its_id(pair: PairStore) -> None:
    pair.commit(Commit(contacts=[KnownContact(GHL, "g1"), KnownContact(GHL, "g2")], staged=[staged("g1")]))
    pair.forget_contacts([(GHL, "g1")])
    assert (list(pair.contacts(GHL, ["g1", "g2"])), pair.staged(GHL, ["g1"])) == (["g2"], {})


def test_what_a_cycle_erases_is_overwritten_at_once(pair: PairStore, engine: Engine, database_url: str) -> None:
    """The file isn't written anew for it: that is for a person's order alone."""
    pair.save_events([webhook("9", IDS[0])])
    pair.commit(Commit(staged=[staged(IDS[0])]))
    pair.forget_contacts([(GHL, IDS[0])])
    engine.dispose()  # the last one to leave empties the log
    assert not any(IDS[0].encode() in value for value in everything(engine, database_url))
