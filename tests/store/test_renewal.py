"""A changed secret: after the renewal nothing needs the former one, and everything stored means what it meant."""

import pytest
from sqlalchemy import Engine

from sync_daemon.changes.digests import Digester
from sync_daemon.model.errors import StateStoreError
from sync_daemon.model.state import Cause, KnownTag
from sync_daemon.ports import Commit, PairStore
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import reading
from sync_daemon.store.installation import StateStore
from sync_daemon.store.renewal import DIGESTS, ENCRYPTED, PLAIN, binary_columns
from sync_daemon.store.tables import metadata
from tests.store.conftest import SECRET, StoppedClock
from tests.store.examples import EMAILOCTOPUS, GHL, full_link, known, parked, replaced, staged, tombstone

SECOND = "the second secret, of the same fair length"
THIRD = "the third secret, again of a fair length"


def filled(store: StateStore, digester: Digester) -> PairStore:
    pair = store.open_pair("main", "location", "list")
    pair.commit(everything(digester), "run")
    return pair


def everything(digester: Digester) -> Commit:
    """Something of everything that is kept by digest or encrypted."""
    ada, bob = digester.address("ada@example.com"), digester.address("bob@example.com")
    return Commit(
        contacts=[
            known(f"g{number}", address=digester.address(f"{number}@example.com"), seen=digester.tag(GHL, "g", "x"))
            for number in range(1100)  # more than are renewed at a time
        ]
        + [known("e1", EMAILOCTOPUS, address=ada)],
        additional_addresses={"g1": (ada, bob)},
        links=[full_link("g1", "e1")],
        staged=[staged("g1")],
        parked=[parked("g1", "e1", value=ada)],
        tombstones=[tombstone("g7", "e7")],
        tags=[KnownTag("vip", GHL, "VIP"), KnownTag("vip", EMAILOCTOPUS)],
        replaced=[replaced("g1", "e1")],
        revoked_addresses={ada: Cause.PERSON_GHL, bob: Cause.POLICY},
    )


def test_after_the_renewal_the_former_secret_is_not_needed(engine: Engine, clock: StoppedClock) -> None:
    old = Digester(*StateStore(engine, Secrets(SECRET), clock).digest_keys)
    filled(StateStore(engine, Secrets(SECRET), clock), old)
    store = StateStore(engine, Secrets(SECOND, [SECRET]), clock)

    assert store.renew() is True
    assert store.renew() is False, "there is nothing left to carry over"

    again = StateStore(engine, Secrets(SECOND), clock)
    new = Digester(*again.digest_keys)
    pair = again.open_pair("main", "location", "list")
    ada, bob = new.address("ada@example.com"), new.address("bob@example.com")
    assert ada != old.address("ada@example.com")
    assert pair.revoked_at([ada, bob]) == {ada: "person_ghl", bob: "policy"}
    assert pair.revoked_at([old.address("ada@example.com")]) == {}
    assert pair.holders_of_additional([ada]) == {ada: ["g1"]}
    seven = new.address("1077@example.com")
    assert [row.contact_id for row in pair.contacts_at(GHL, [seven])[seven]] == ["g1077"]
    assert pair.contacts(GHL, ["g5"])["g5"].seen == new.tag(GHL, "g", "x")
    assert [row.contact_id for row in pair.next_staged(GHL, 0, 9)] == ["g1"]
    assert [(row.value, bool(row.message)) for row in pair.parked(everything=True)] == [(ada, True)]
    assert [one.tags for one in pair.replaced("run", None, 9)] == [("VIP customer",)]
    tags = [KnownTag("vip", EMAILOCTOPUS), KnownTag("vip", GHL, "VIP")]
    assert pair.tags() == tags
    pair.commit(Commit(tags=tags))
    assert pair.tags() == tags, "found by their new digests, so that they were replaced"
    with pytest.raises(StateStoreError, match="another secret_key"):
        StateStore(engine, Secrets(SECRET), clock)


def test_baselines_and_writes_under_way_mean_what_they_meant(engine: Engine, clock: StoppedClock) -> None:
    first = StateStore(engine, Secrets(SECRET), clock)
    before = filled(first, Digester(*first.digest_keys)).contacts(GHL, ["g1"])["g1"]
    second = StateStore(engine, Secrets(SECOND, [SECRET]), clock)
    second.renew()
    third = StateStore(engine, Secrets(THIRD, [SECOND]), clock)
    third.renew()

    after = third.open_pair("main", "location", "list").contacts(GHL, ["g1"])["g1"]

    assert before.baseline
    assert before.sent
    assert after.baseline
    assert after.sent
    assert after.baseline.fields.keys() == before.baseline.fields.keys()
    assert after.baseline.consent == before.baseline.consent
    assert len(after.baseline.tags or ()) == len(before.baseline.tags or ())
    assert len(after.sent.tags) == len(before.sent.tags)
    assert (after.sent.at, after.sent.since) == (before.sent.at, before.sent.since)
    everything_before = {*before.baseline.fields.values(), *before.sent.fields.values(), before.address, before.seen}
    everything_after = {*after.baseline.fields.values(), *after.sent.fields.values(), after.address, after.seen}
    assert len(everything_before) == len(everything_after)
    assert everything_before & everything_after == set()


def test_a_value_has_the_same_digest_before_and_after_as_the_store_sees_it(engine: Engine, clock: StoppedClock) -> None:
    secrets = [SECRET, SECOND, THIRD]
    for number, secret in enumerate(secrets):
        store = StateStore(engine, Secrets(secret, secrets[:number][-1:]), clock)
        digester = Digester(*store.digest_keys)
        pair = store.open_pair("main", "location", "list")
        if number == 0:
            pair.commit(Commit(contacts=[known("g1", address=digester.address("ada@example.com"))]))
        store.renew()
        digester = Digester(*store.digest_keys)
        ada = digester.address("ada@example.com")
        assert list(store.open_pair("main", "location", "list").contacts_at(GHL, [ada])) == [ada]
    assert len(StateStore(engine, Secrets(THIRD), clock).digest_keys) == 3


def test_nothing_is_renewed_while_somebody_works_on_a_pair(engine: Engine, clock: StoppedClock) -> None:
    first = StateStore(engine, Secrets(SECRET), clock)
    pair = first.open_pair("main", "location", "list")
    second = StateStore(engine, Secrets(SECOND, [SECRET]), clock)
    assert pair.acquire("somebody", 30)
    assert second.renew() is False
    pair.release("somebody")
    assert second.renew() is True
    # Who had opened the pair before finds out when he is about to work on it.
    with pytest.raises(StateStoreError, match="start again"):
        pair.acquire("somebody", 30)
    assert second.open_pair("main", "location", "list").acquire("another", 30)


def test_no_column_of_bytes_is_forgotten() -> None:
    named = {(table, name) for kind in (DIGESTS, ENCRYPTED) for table, names in kind.items() for name in names}
    by_hand = {
        ("activity", "written"),
        ("contacts", "baseline"),
        ("contacts", "sent"),
        ("links", "sharing"),
        ("tags", "digest"),
        ("tags", "name"),
        ("tags", "spelling"),
    }
    assert set(binary_columns()) == named | by_hand | PLAIN


def test_the_former_keys_lie_encrypted(engine: Engine, clock: StoppedClock) -> None:
    first = StateStore(engine, Secrets(SECRET), clock)
    StateStore(engine, Secrets(SECOND, [SECRET]), clock).renew()
    with reading(engine) as connection:
        row = connection.execute(metadata.tables["installation"].select()).one()
    assert first.digest_keys[0] not in row.former_keys
