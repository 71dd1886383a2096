"""What is remembered of a contact without a link of which only address and consent can be read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sync_daemon.changes.digests import Digester
from sync_daemon.changes.staging import unread_contact
from sync_daemon.model.contact import Consent, Snapshot, Source
from sync_daemon.model.state import Baseline, KnownContact, Unlinked
from sync_daemon.model.system import SystemName

DIGESTER = Digester(b"k" * 32)
NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
REST = Snapshot(SystemName.GHL, "g", NOW, "ada@example.com", Source.HINT, consent=Consent.REVOKED)
KNOWN = KnownContact(
    SystemName.GHL,
    "g",
    updated_at=NOW,
    consent=Consent.REVOKED,
    address=DIGESTER.address("ada@example.com"),
    unlinked=Unlinked.SUPPRESSED,
    baseline=Baseline(consent=Consent.REVOKED),
)


def test_what_is_known_is_nothing_new() -> None:
    assert unread_contact(REST, KNOWN, DIGESTER, 0) is None


def test_a_hit_of_an_index_that_runs_behind_tells_nothing() -> None:
    old = replace(REST, updated_at=NOW - timedelta(seconds=1), consent=Consent.GRANTED)
    assert unread_contact(old, KNOWN, DIGESTER, 0) is None


def test_under_another_address_consent_has_yet_to_meet() -> None:
    fresh = unread_contact(replace(REST, address="bob@example.com"), KNOWN, DIGESTER, 0)
    assert fresh is not None
    assert (fresh.baseline, fresh.address) == (None, DIGESTER.address("bob@example.com"))


@pytest.mark.parametrize(
    ("rest", "row", "scan", "fresh"),
    [
        ({"consent": Consent.GRANTED}, {}, 0, {"consent": Consent.GRANTED}),
        ({"address": None}, {}, 0, {"address": None, "baseline": None}),
        ({}, {"address": None}, 0, {}),
        ({"consent": None}, {"address": None}, 0, {}),
        ({}, {"address": None, "unlinked": None}, 0, {"unlinked": Unlinked.PARKED}),
        ({}, {"address": None, "unlinked": Unlinked.DELETED}, 0, {"unlinked": Unlinked.PARKED}),
        ({}, {"address": None, "scan": 3}, 0, {"scan": 3}),
        ({}, {"address": None, "scan": 3}, 4, {"scan": 4}),
        ({"updated_at": NOW + HOUR}, {"address": None}, 0, {"updated_at": NOW + HOUR}),
        ({"source": Source.READ}, {"address": None, "updated_at": NOW + HOUR}, 0, {"updated_at": NOW + HOUR}),
    ],
)
def test_address_and_consent_are_remembered_and_nothing_else(
    rest: dict[str, Any], row: dict[str, Any], scan: int, fresh: dict[str, Any]
) -> None:
    found = unread_contact(replace(REST, **rest), replace(KNOWN, **row), DIGESTER, scan)
    assert found == replace(KNOWN, **fresh)
