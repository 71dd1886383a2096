"""Whom a full scan saw and whom it lacks, and the inbox rows of those who are missing."""

from dataclasses import replace

import pytest

from sync_daemon.model.contact import Consent
from sync_daemon.model.state import KnownContact, Link, SeenAgain, Sighting, Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit, PairStore, Seen
from tests.store.examples import EMAILOCTOPUS, GHL, NOON, later, staged

SCAN = 5


def row(contact_id: str, *, scan: int = SCAN, system: SystemName = GHL, **changes: object) -> KnownContact:
    return replace(KnownContact(system, contact_id, updated_at=NOON, scan=scan), **changes)  # type: ignore[arg-type]


def test_who_was_seen_is_counted_once_by_what_is_known_of_him(pair: PairStore) -> None:
    pair.commit(
        Commit(
            contacts=[
                row("seen"),
                row("missing", scan=SCAN - 1),
                row("new", updated_at=later(1)),
                row("written", written_at=later(1)),
                row("untimed", updated_at=None),
                row("deleted", scan=0, unlinked=Unlinked.DELETED),
                row("back", unlinked=Unlinked.DELETED),
                row("there", system=EMAILOCTOPUS),
            ]
        )
    )
    assert pair.seen_by_scan(GHL, SCAN, NOON) == Seen(listed=5, old=3, old_listed=2)
    assert pair.seen_by_scan(EMAILOCTOPUS, SCAN, NOON) == Seen(listed=1, old=1, old_listed=1)
    assert pair.seen_by_scan(GHL, SCAN, later(-1)) == Seen(listed=5, old=1, old_listed=1)


@pytest.mark.parametrize("system", list(SystemName))
def test_who_is_missing_is_known_for_long_and_not_deleted_unless_linked(pair: PairStore, system: SystemName) -> None:
    rows = {
        "missing": row("missing", scan=SCAN - 1, system=system),
        "never": row("never", scan=0, system=system, updated_at=None),
        "orphan": row("orphan", scan=0, system=system, unlinked=Unlinked.ORPHAN),
        "linked": row("linked", scan=0, system=system, unlinked=Unlinked.DELETED),
        "deleted": row("deleted", scan=0, system=system, unlinked=Unlinked.DELETED),
        "seen": row("seen", system=system),
        "new": row("new", scan=0, system=system, updated_at=later(1)),
        "written": row("written", scan=0, system=system, written_at=later(1)),
        "other": row("other", scan=0, system=system.other),
    }
    # The other system's contact that has the same id is another one.
    links = [Link("linked", "x") if system is GHL else Link("x", "linked"), Link("deleted", "deleted")]
    pair.commit(Commit(contacts=[*rows.values()], links=links[:1]))
    assert pair.absent_from_scan(system, SCAN, NOON) == ["linked", "missing", "never", "orphan"]
    pair.commit(
        Commit(unlink=links[:1], links=[Link("deleted", "y") if system is EMAILOCTOPUS else Link("y", "deleted")])
    )
    assert pair.absent_from_scan(system, SCAN, NOON) == ["missing", "never", "orphan"]


def test_missing_contacts_are_found_in_the_inbox_until_they_are_seen(pair: PairStore) -> None:
    missing = staged("a", at=None, absent=True)
    pair.commit(Commit(staged=[missing, staged("b", at=None), staged("c", at=None, revoked=True, absent=True)]))
    assert [one.contact_id for one in pair.next_staged(GHL, 0, 10, absent=True)] == ["a", "c"]
    assert [one.contact_id for one in pair.next_staged(GHL, 0, 10, revoked=True, absent=True)] == ["c"]
    assert [one.absent for one in pair.next_staged(GHL, 0, 10)] == [True, False, True]
    pair.commit(Commit(staged=[staged("a", at=NOON)]))
    assert [one.contact_id for one in pair.next_staged(GHL, 0, 10, absent=True)] == ["c"]


RECORD = b"record as it"


@pytest.mark.parametrize("system", list(SystemName))
def test_whom_a_scan_had_nothing_to_do_about_is_known_by_his_record(pair: PairStore, system: SystemName) -> None:
    rows = [row("settled", system=system, record=RECORD), row("looked at", system=system)]
    pair.commit(Commit(contacts=[*rows, row("other", system=system.other, record=RECORD)]))
    assert pair.settled_records(system, ["settled", "looked at", "other", "nobody"]) == {"settled": (RECORD, NOON)}
    # It isn't read back, so that whoever stores the row again needn't know of it.
    assert pair.contacts(system, ["settled"]) == {"settled": row("settled", system=system)}


def test_seeing_somebody_again_changes_nothing_but_the_scan(pair: PairStore) -> None:
    both = [row(one, record=RECORD, unlinked=Unlinked.HELD) for one in ("a", "b")]
    pair.commit(Commit(contacts=[*both, row("a", system=EMAILOCTOPUS)]))
    pair.commit(Commit(seen_again=[SeenAgain(GHL, SCAN + 1, ("a", "nobody"))]))
    a, b = pair.contacts(GHL, ["a", "b"]).values()
    assert (a, b) == (replace(both[0], scan=SCAN + 1, record=None), replace(both[1], record=None))
    assert pair.contacts(EMAILOCTOPUS, ["a"])["a"].scan == SCAN
    assert pair.settled_records(GHL, ["a", "b"]) == {"a": (RECORD, NOON), "b": (RECORD, NOON)}


def test_more_seen_again_than_one_statement_takes(pair: PairStore) -> None:
    ids = tuple(f"id-{number}" for number in range(1201))
    pair.commit(Commit(contacts=[row(one, record=RECORD) for one in ids]))
    pair.commit(Commit(seen_again=[SeenAgain(GHL, SCAN + 1, ids)]))
    assert pair.seen_by_scan(GHL, SCAN + 1, NOON) == Seen(listed=1201, old=1201, old_listed=1201)
    assert len(pair.settled_records(GHL, ids)) == len(ids)


def test_whatever_is_stored_or_staged_of_somebody_has_the_next_scan_look_at_him(pair: PairStore) -> None:
    ids = ["stored", "staged", "left alone"]
    pair.commit(Commit(contacts=[row(one, record=RECORD) for one in ids]))
    stored = pair.contacts(GHL, ["stored"])["stored"]
    pair.commit(Commit(contacts=[replace(stored, consent=Consent.REVOKED)], staged=[staged("staged")]))
    assert pair.settled_records(GHL, ids) == {"left alone": (RECORD, NOON)}
    pair.commit(Commit(done=[*pair.staged(GHL, ["staged"]).values()]))
    assert pair.settled_records(GHL, ids) == {"left alone": (RECORD, NOON), "staged": (RECORD, NOON)}


def test_who_was_forgotten_is_not_known_by_his_record(pair: PairStore) -> None:
    pair.commit(Commit(contacts=[row("a", record=RECORD, address=b"address")]))
    pair.forget(b"address")
    pair.commit(Commit(seen_again=[SeenAgain(GHL, SCAN + 1, ("a",))]))
    assert pair.settled_records(GHL, ["a"]) == {}
    assert pair.contacts(GHL, ["a"]) == {}


@pytest.mark.parametrize("system", list(SystemName))
def test_what_was_seen_last_is_told_of_whom_nothing_waits(pair: PairStore, system: SystemName) -> None:
    seen = row("seen", system=system, seen=b"as it was", consent=Consent.PENDING)
    waits = row("waits", system=system, seen=b"as it was")
    pair.commit(Commit(contacts=[seen, row("never", system=system, updated_at=None), waits]))
    pair.commit(Commit(contacts=[row("seen", system=system.other)], staged=[staged("waits", system=system)]))
    pair.commit(Commit(staged=[staged("seen", system=system.other)]))
    assert pair.sightings(system, ["seen", "never", "waits", "nobody"]) == {
        "seen": Sighting(b"as it was", Consent.PENDING, NOON),
        "never": Sighting(None, None, None),
    }
