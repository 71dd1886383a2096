"""A record is known again by its bytes, and by all that it depends on what they mean."""

from datetime import UTC, datetime

import pytest

from sync_daemon.changes.digests import Digester
from sync_daemon.model.contact import Malformed, Page, Record, Snapshot, Source
from sync_daemon.model.system import SystemName
from tests.unit.changes.values import DIGESTER

GHL = SystemName.GHL


def read(record: Record, source: Source = Source.HINT) -> Snapshot | Malformed:
    if record.body == b"odd":
        return Malformed(GHL, record.contact_id, "why")
    return Snapshot(GHL, record.contact_id, datetime(2026, 11, 1, tzinfo=UTC), record.body.decode(), source)


def test_a_page_reads_its_records_but_for_those_that_it_needn_not() -> None:
    by_id = read(Record("c", b"by id"), Source.READ)
    assert isinstance(by_id, Snapshot)
    records = tuple(Record(one, body) for one, body in (("a", b"1"), ("b", b"odd"), ("c", b"2"), ("a", b"3")))
    page = Page("contacts", (by_id,), total=9, dropped=1, records=records, read=read, tells_consent=True)
    whole = page.whole()
    # What was read by id comes last, as the later sight of one contact counts.
    assert [(row.contact_id, row.address) for row in whole.snapshots] == [
        ("a", "1"), ("c", "2"), ("a", "3"), ("c", "by id"),
    ]  # fmt: skip
    assert [row.contact_id for row in whole.malformed] == ["b"]
    assert (whole.records, whole.total, whole.dropped, whole.tells_consent) == ((), 9, 1, True)
    assert [row.contact_id for row in page.whole(but={"a"}).snapshots] == ["c", "c"]


def test_a_page_without_records_is_whole() -> None:
    page = Page("contacts", ())
    assert page.whole() == page
    with pytest.raises(LookupError):
        Page("contacts", (), records=(Record("a", b"{}"),)).whole()


def test_the_digest_of_a_record_is_that_of_its_bytes_its_meaning_and_the_secret() -> None:
    digest = DIGESTER.record(b"reading", b"{}")
    assert digest == DIGESTER.record(b"reading", b"{}")
    others = [
        DIGESTER.record(b"another", b"{}"),
        DIGESTER.record(b"reading", b"{ }"),
        Digester(b"another key").record(b"reading", b"{}"),
    ]
    assert len({digest, *others}) == 4
    assert len(digest) == 12
