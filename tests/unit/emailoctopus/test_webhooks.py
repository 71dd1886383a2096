"""EmailOctopus's webhooks: the signature, and arrays of events of which none fails another."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from sync_daemon.model.engagement import OF_MAIL, OPT_OUTS, Kind, Occasion
from sync_daemon.model.system import SystemName
from sync_daemon.model.webhook import Delivery, EventKind, WebhookEvent
from sync_daemon.systems.emailoctopus.webhooks import events_of, is_signed

SECRET = "example-secret"
BODY = b'[{"id":"e1","type":"contact.updated"}]'
SIGNED = "sha256=b6107e714c2779cea9ff29473b6ae2981cb0ecf75fe97f77b9f84d08e48c978c"
"""Computed from the documented rule, apart from this program."""
AT = datetime(2026, 11, 25, 10, tzinfo=UTC)


def row(**changes: Any) -> dict[str, Any]:
    told = {
        "id": "e1", "type": "contact.updated", "list_id": "l1", "contact_id": "c1", "occurred_at": AT.isoformat(),
        "contact_email_address": "ada@example.com",
    }  # fmt: skip
    return {**told, **changes}


def read(*rows: Any) -> Delivery:
    return events_of(json.dumps(rows).encode())


def test_the_documented_signature_is_good() -> None:
    assert is_signed(BODY, SIGNED, SECRET)


@pytest.mark.parametrize("header", [None, "", SIGNED[7:], SIGNED.upper(), SIGNED[:-1], "sha256=é"])
def test_any_other_signature_is_not(header: str | None) -> None:
    assert not is_signed(BODY, header, SECRET)


def test_without_a_secret_nothing_is_signed() -> None:
    assert not is_signed(BODY, "sha256=" + "0" * 64, "")
    assert not is_signed(b"", "sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad", "")


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        ("contact.created", EventKind.CHANGED),
        ("contact.updated", EventKind.CHANGED),
        ("contact.unsubscribed", EventKind.REVOKED),
        ("contact.bounced", EventKind.REVOKED),
        ("contact.complained", EventKind.REVOKED),
        ("contact.deleted", EventKind.DELETED),
    ],
)
def test_what_is_told_of_a_contact(type_: str, kind: EventKind) -> None:
    told = WebhookEvent(SystemName.EMAILOCTOPUS, "e1", "c1", kind, AT)
    assert read(row(type=type_)).events == (("l1", told),)


def test_an_update_that_says_unsubscribed_is_looked_at_first() -> None:
    [(_, event)] = read(row(contact_status="UNSUBSCRIBED")).events
    assert event.kind is EventKind.REVOKED


def test_what_comes_later_is_ignored() -> None:
    assert read(row(type="contact.danced")) == Delivery(ignored=1)


@pytest.mark.parametrize("kind", sorted(OF_MAIL))
def test_what_is_done_with_a_campaign_is_one_occasion_however_often_it_is_told(kind: Kind) -> None:
    told = read(*(row(type=f"contact.{kind}", campaign_id="k1", id=event_id) for event_id in ("e1", "e2")))
    assert [one for _, one in told.engagement] == [Occasion(kind, "c1", f"{kind} k1 c1", AT, "k1")] * 2
    assert bool(told.events) is (kind in OPT_OUTS)


def test_what_names_no_campaign_is_an_occasion_of_its_own() -> None:
    told = read(*(row(type="contact.clicked", id=event_id, campaign_id=named) for event_id, named in NAMELESS))
    assert {one.event_id for _, one in told.engagement} == {"clicked  c1 e1", "clicked  c1 e2"}


NAMELESS = [("e1", None), ("e2", 7)]
BAD: list[object] = [
    None, 7, "x", [], {}, {"type": "contact.updated"}, row(contact_id=None), row(list_id=""), row(contact_id=[1]),
]  # fmt: skip


def test_one_malformed_event_fails_no_other() -> None:
    told = read(*BAD, row(), *BAD)
    assert (len(told.events), told.malformed) == (1, 2 * len(BAD))


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"null", b'{"id": "e1"}', b"\xff"])
def test_what_is_no_array_is_malformed(body: bytes) -> None:
    assert events_of(body) == Delivery(malformed=1)


def test_an_event_without_an_id_is_known_again_by_its_bytes() -> None:
    ids = [
        event.event_id
        for _, event in read(row(id=None), row(id=""), row(id=None), row(id=None, contact_id="c2")).events
    ]
    assert ids[0] == ids[2]
    assert len(set(ids)) == 3


def test_a_thousand_at_once() -> None:
    assert len(read(*(row(id=str(number)) for number in range(1000))).events) == 1000
