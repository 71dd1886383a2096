"""Contacts and additional addresses come back as they were stored, by id and by address."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine, event

from sync_daemon.model.contact import Consent
from sync_daemon.model.errors import StateStoreError
from sync_daemon.model.state import Baseline, KnownContact, Unlinked
from sync_daemon.ports import Commit, PairStore
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import writing
from sync_daemon.store.installation import StateStore
from sync_daemon.store.tables import field_keys
from tests.store.conftest import SECRET, StoppedClock
from tests.store.examples import EMAILOCTOPUS, GHL, digest, known


def test_every_part_comes_back(pair: PairStore) -> None:
    full, bare = known("full"), KnownContact(GHL, "bare")
    empty = known("empty", baseline=Baseline(), sent=None, address=b"")
    met_no_tags = known("no-tags", baseline=Baseline(tags=frozenset()))
    pair.commit(Commit(contacts=[full, bare, empty, met_no_tags]))

    assert pair.contacts(GHL, ["full", "bare", "empty", "no-tags", "unknown"]) == {
        "full": full,
        "bare": bare,
        "empty": empty,
        "no-tags": met_no_tags,
    }


def test_a_row_is_replaced_whole_and_the_last_one_counts(pair: PairStore) -> None:
    pair.commit(Commit(contacts=[known("a")]))
    pair.commit(Commit(contacts=[known("a", scan=1), KnownContact(GHL, "a", scan=2)]))

    assert pair.contacts(GHL, ["a"]) == {"a": KnownContact(GHL, "a", scan=2)}


def test_the_same_id_in_the_other_system_is_another_contact(pair: PairStore) -> None:
    pair.commit(Commit(contacts=[known("a"), known("a", EMAILOCTOPUS, scan=99)]))

    assert pair.contacts(GHL, ["a"])["a"].scan == 12
    assert pair.contacts(EMAILOCTOPUS, ["a"])["a"].scan == 99


def test_ids_that_differ_in_case_are_different_contacts(pair: PairStore) -> None:
    pair.commit(Commit(contacts=[known("Ab"), known("aB", scan=1)]))

    assert set(pair.contacts(GHL, ["Ab", "AB"])) == {"Ab"}


def test_more_ids_than_one_statement_takes(pair: PairStore) -> None:
    ids = [f"id-{number}" for number in range(1201)]
    pair.commit(Commit(contacts=[KnownContact(GHL, contact_id, address=contact_id.encode()) for contact_id in ids]))

    assert set(pair.contacts(GHL, {*ids, "unknown"})) == {*ids}
    assert len(pair.contacts_at(GHL, [contact_id.encode() for contact_id in ids])) == len(ids)
    assert pair.contacts(GHL, []) == {}


def test_contacts_at_an_address(pair: PairStore) -> None:
    first, second = known("a", address=digest(1)), known("b", address=digest(1))
    elsewhere, other_system = known("c", address=digest(2)), known("d", EMAILOCTOPUS, address=digest(1))
    pair.commit(Commit(contacts=[second, first, elsewhere, other_system]))

    assert pair.contacts_at(GHL, [digest(1), digest(3)]) == {digest(1): [first, second]}
    assert pair.contacts_at(EMAILOCTOPUS, [digest(1)]) == {digest(1): [other_system]}

    pair.commit(Commit(contacts=[replace(first, address=digest(2)), replace(second, address=None)]))

    assert [contact.contact_id for contact in pair.contacts_at(GHL, [digest(2)])[digest(2)]] == ["a", "c"]
    assert pair.contacts_at(GHL, [digest(1)]) == {}


def test_additional_addresses_are_replaced_contact_by_contact(pair: PairStore) -> None:
    pair.commit(Commit(additional_addresses={"a": (digest(1), digest(2), digest(1)), "b": (digest(2),)}))
    assert pair.holders_of_additional([digest(1), digest(2), digest(9)]) == {digest(1): ["a"], digest(2): ["a", "b"]}
    assert pair.additional_addresses(["a", "b", "c"]) == {"a": {digest(1), digest(2)}, "b": {digest(2)}}

    pair.commit(Commit(additional_addresses={"a": (digest(3),)}))
    assert pair.holders_of_additional([digest(1), digest(2), digest(3)]) == {digest(2): ["b"], digest(3): ["a"]}

    pair.commit(Commit(additional_addresses={"a": (), "b": ()}))
    assert pair.holders_of_additional([digest(2), digest(3)]) == {}
    assert pair.additional_addresses(["a", "b"]) == {}


def test_counts_leave_out_deleted_contacts(pair: PairStore) -> None:
    def contact(contact_id: str, consent: Consent | None, unlinked: Unlinked | None = None) -> KnownContact:
        return KnownContact(GHL, contact_id, consent=consent, unlinked=unlinked)

    pair.commit(
        Commit(
            contacts=[
                contact("a", Consent.GRANTED),
                contact("b", Consent.GRANTED, Unlinked.OUT_OF_SCOPE),
                contact("c", Consent.GRANTED, Unlinked.DELETED),
                contact("d", Consent.REVOKED),
                contact("e", None),
                KnownContact(EMAILOCTOPUS, "f", consent=Consent.PENDING),
            ]
        )
    )

    assert pair.count_contacts(GHL) == {"granted": 2, "revoked": 1, "unknown": 1}
    assert pair.count_contacts(EMAILOCTOPUS) == {"pending": 1}


def test_a_pair_never_sees_anothers_contacts(pair: PairStore, other_pair: PairStore) -> None:
    mine = known("a", baseline=Baseline(fields={"phone=Phone": digest(1)}))
    theirs = known("a", baseline=Baseline(fields={"city=City": digest(2), "phone=Phone": digest(3)}))
    pair.commit(Commit(contacts=[mine], additional_addresses={"a": (digest(1),)}))
    other_pair.commit(Commit(contacts=[theirs, known("b")], additional_addresses={"b": (digest(1),)}))

    assert pair.contacts(GHL, ["a", "b"]) == {"a": mine}
    assert other_pair.contacts(GHL, ["a"]) == {"a": theirs}
    assert pair.contacts_at(GHL, [digest(1)]) == {digest(1): [mine]}
    assert pair.holders_of_additional([digest(1)]) == {digest(1): ["a"]}


def test_mapping_rows_that_another_process_met_first(pair: PairStore, engine: Engine, clock: StoppedClock) -> None:
    other_process = StateStore(engine, Secrets(SECRET), clock).open_pair("main", "location", "list")
    mine = known("a", baseline=Baseline(fields={"city=City": digest(1)}), sent=None)
    theirs = known("b", baseline=Baseline(fields={"state=State": digest(2), "city=City": digest(3)}), sent=None)
    pair.commit(Commit(contacts=[mine]))
    other_process.commit(Commit(contacts=[theirs]))

    assert pair.contacts(GHL, ["a", "b"]) == {"a": mine, "b": theirs}

    later = known("c", baseline=Baseline(fields={"state=State": digest(4), "website=Site": digest(5)}), sent=None)
    pair.commit(Commit(contacts=[later]))
    assert other_process.contacts(GHL, ["c"]) == {"c": later}


def test_a_mapping_row_without_its_number_is_damage(pair: PairStore, engine: Engine, clock: StoppedClock) -> None:
    pair.commit(Commit(contacts=[known("a")]))
    with writing(engine) as connection:
        connection.execute(field_keys.delete())
    fresh = StateStore(engine, Secrets(SECRET), clock).open_pair("main", "location", "list")

    with pytest.raises(StateStoreError, match=r"damaged.*restore a backup"):
        fresh.contacts(GHL, ["a"])


def test_postgresql_is_given_any_number_of_ids_as_one_parameter(pair: PairStore, engine: Engine) -> None:
    """As 500 parameters a statement is read anew each time, at four times the cost."""
    asked: list[int] = []
    event.listen(engine, "before_cursor_execute", lambda *call: asked.append(len(call[3])))
    for number in (2, 50):
        pair.contacts(GHL, [f"g{one}" for one in range(number)])
    assert asked == ([3, 3] if engine.dialect.name == "postgresql" else [4, 52])
