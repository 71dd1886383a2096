"""What the sight of a contact means when somebody was forgotten, and what is left out of a transaction."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sync_daemon.changes.digests import Digester
from sync_daemon.changes.forgotten import Forgotten, Sight
from sync_daemon.model.contact import Snapshot, Source
from sync_daemon.model.state import Change, Held, KnownContact, Link, Parked, Staged, Tombstone
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit
from tests.unit.changes.values import at

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
DIGESTER = Digester(b"k" * 32)
FORGOTTEN = Forgotten(DIGESTER, {DIGESTER.address("ada@example.com"), DIGESTER.contact(GHL, "g1")})
HERS = Snapshot(GHL, "g2", at(5), "Ada@Example.com", Source.READ)
KNOWN = KnownContact(GHL, "g2", updated_at=at(5))


@pytest.mark.parametrize(
    ("snapshot", "known", "sight"),
    [
        (replace(HERS, contact_id="g1", address="bob@example.com"), None, Sight.UNDER_ITS_ID),
        (replace(HERS, contact_id="g1", address=None), None, Sight.UNDER_ITS_ID),
        (replace(HERS, system=EMAILOCTOPUS, contact_id="g1", address="bob@example.com"), None, Sight.NOBODY),
        (replace(HERS, address="bob@example.com"), KNOWN, Sight.NOBODY),
        (replace(HERS, address=None), None, Sight.NOBODY),
        (HERS, None, Sight.BY_ADDRESS),
        (HERS, KNOWN, Sight.BY_ADDRESS),
        (replace(HERS, source=Source.LISTING), KNOWN, Sight.BY_ADDRESS),
        (replace(HERS, source=Source.HINT), None, Sight.UNPROVEN),
        (replace(HERS, source=Source.HINT), KNOWN, Sight.PERHAPS),
        (replace(HERS, source=Source.HINT, updated_at=at(5) - timedelta(seconds=1)), KNOWN, Sight.NOBODY),
        (replace(HERS, updated_at=at(5) - timedelta(seconds=1)), KNOWN, Sight.BY_ADDRESS),
    ],
)
def test_what_a_sight_means(snapshot: Snapshot, known: KnownContact | None, sight: Sight) -> None:
    assert FORGOTTEN.sight(snapshot, known) is sight


def test_nobody_is_forgotten_where_nobody_was() -> None:
    nobody = Forgotten(DIGESTER, set())
    assert (nobody.sight(HERS, None), nobody.person(HERS), nobody.contact(GHL, "g1")) == (Sight.NOBODY, None, False)


def test_what_would_be_written_of_him_is_left_out_of_a_transaction() -> None:
    def about(ghl_id: str) -> Commit:
        return Commit(
            contacts=[KnownContact(GHL, ghl_id)],
            links=[Link(ghl_id, "e9")],
            staged=[Staged(GHL, ghl_id, None)],
            parked=[Parked(ghl_id, None, "creation", "no", "", 1, at(1))],
            held=[Held(ghl_id, None, "deletion", "many", at(1))],
            tombstones=[Tombstone(ghl_id, "e9", GHL, at(1), "ignored", None, None)],
            changes=[Change("written", GHL, ghl_id, None, "firstName", "changed")],
            additional_addresses={ghl_id: ()},
        )

    his, others = about("g1"), about("g2")
    FORGOTTEN.leave_out(his)
    FORGOTTEN.leave_out(others)
    assert (his, others) == (Commit(), about("g2"))
