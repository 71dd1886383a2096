"""Whom a full scan saw and whom it lacks, and the inbox rows of those who are missing."""

from dataclasses import replace

import pytest

from sync_daemon.model.state import KnownContact, Link, Unlinked
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
