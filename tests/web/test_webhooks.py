"""The addresses that both vendors call, over real HTTP: what is believed, what is stored, what is answered."""

import base64
import hashlib
import hmac
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import text

from sync_daemon.model.system import SystemName
from sync_daemon.model.webhook import EventKind
from sync_daemon.store.engine import writing
from sync_daemon.web.webhooks import MOST_BYTES, Receiver
from tests.plain import PLAIN
from tests.web.server import KEY, OWN_SECRET, SECRET, WORKFLOW_SECRET, Listening, listening

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS


def from_ghl(here: Listening, **changes: Any) -> httpx.Response:
    told = {"type": "ContactUpdate", "id": "c1", "locationId": "l1", "webhookId": "w1", "email": "ada@example.com"}
    body = json.dumps({**told, **changes}).encode()
    return here.post("/webhooks/ghl", body, **{"X-GHL-Signature": base64.b64encode(KEY.sign(body)).decode()})


def from_emailoctopus(here: Listening, rows: Any, secret: str = SECRET) -> httpx.Response:
    body = json.dumps(rows).encode()
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return here.post("/webhooks/emailoctopus", body, **{"EmailOctopus-Signature": signature})


def row(number: int = 1, list_id: str = "m1", **changes: Any) -> dict[str, Any]:
    told = {"id": f"e{number}", "type": "contact.updated", "list_id": list_id, "contact_id": f"c{number}"}
    return {**told, **changes}


def test_a_signed_event_is_stored_before_it_is_acknowledged(database_url: str) -> None:
    with listening(database_url) as here:
        assert from_ghl(here).status_code == 200
        assert [one.contact_id for one in here.waiting("main")] == ["c1"]
        assert [one.contact_id for one in here.waiting("twin")] == ["c1"]  # of the same location
        assert here.waiting("apart") == []
        assert sorted(here.woken) == ["main", "twin"]
        assert here.counted == {(GHL, "accepted"): 1}


@pytest.mark.parametrize("signature", [None, "", "N/A", base64.b64encode(KEY.sign(b"other")).decode()])
def test_another_signature_is_refused_and_nothing_is_stored(database_url: str, signature: str | None) -> None:
    with listening(database_url) as here:
        headers = {} if signature is None else {"X-GHL-Signature": signature}
        assert here.post("/webhooks/ghl", b'{"type": "ContactUpdate"}', **headers).status_code == 401
        assert (here.waiting("main"), here.woken) == ([], [])
        assert here.counted == {(GHL, "refused"): 1}


def test_the_signature_is_over_the_raw_bytes(database_url: str) -> None:
    with listening(database_url) as here:
        body = b'{ "type":"ContactUpdate",  "id":"c1", "locationId":"l1", "name":"Zo\\u00eb" }'
        signature = base64.b64encode(KEY.sign(body)).decode()
        assert here.post("/webhooks/ghl", body, **{"X-GHL-Signature": signature}).status_code == 200
        assert len(here.waiting("main")) == 1


def test_a_repeated_event_is_acknowledged_and_has_no_second_effect(database_url: str) -> None:
    with listening(database_url) as here:
        assert [from_ghl(here).status_code, from_ghl(here).status_code] == [200, 200]
        assert len(here.waiting("main")) == 1


def test_events_of_emailoctopus_go_to_the_pair_of_their_list(database_url: str) -> None:
    with listening(database_url) as here:
        rows = [row(1), row(2, "m2", type="contact.unsubscribed"), row(3, "another list"), row(4, "m3")]
        assert from_emailoctopus(here, rows).status_code == 200
        assert [one.event_id for one in here.waiting("main", EMAILOCTOPUS)] == ["e1"]
        assert [one.kind for one in here.waiting("twin", EMAILOCTOPUS)] == [EventKind.REVOKED]
        assert here.waiting("apart", EMAILOCTOPUS) == []  # it has a secret of its own
        assert here.counted == {(EMAILOCTOPUS, "accepted"): 2, (EMAILOCTOPUS, "nobodys"): 2}
        assert from_emailoctopus(here, rows, OWN_SECRET).status_code == 200
        assert [one.event_id for one in here.waiting("apart", EMAILOCTOPUS)] == ["e4"]


@pytest.mark.parametrize("secret", ["", "another secret"])
def test_a_secret_that_nobody_has_is_refused(database_url: str, secret: str) -> None:
    with listening(database_url) as here:
        assert from_emailoctopus(here, [row()], secret).status_code == 401
        assert here.waiting("main", EMAILOCTOPUS) == []


def test_without_a_secret_nothing_of_emailoctopus_is_believed(database_url: str) -> None:
    with listening(database_url, [Receiver("main", "l1", "m1", "")]) as here:
        assert from_emailoctopus(here, [row()], "").status_code == 401


def test_one_malformed_event_never_fails_the_rest(database_url: str) -> None:
    with listening(database_url) as here:
        answer = from_emailoctopus(here, [None, row(1), {"type": 7}, row(2), "x", row(3, type="contact.opened")])
        assert answer.status_code == 200
        assert [one.event_id for one in here.waiting("main", EMAILOCTOPUS)] == ["e1", "e2"]
        assert here.counted[EMAILOCTOPUS, "malformed"] == 3
        assert here.counted[EMAILOCTOPUS, "ignored"] == 1


@pytest.mark.parametrize("body", [b"", b"no json", b"{}"])
def test_a_signed_body_that_makes_no_sense_is_not_sent_for_ten_days(database_url: str, body: bytes) -> None:
    with listening(database_url) as here:
        signature = base64.b64encode(KEY.sign(body)).decode()
        assert here.post("/webhooks/ghl", body, **{"X-GHL-Signature": signature}).status_code == 200
        assert here.counted == {(GHL, "malformed"): 1}


def test_an_event_as_old_as_what_is_forgotten_has_no_effect(database_url: str) -> None:
    with listening(database_url) as here:
        old = datetime.now(UTC) - timedelta(days=31)
        assert from_ghl(here, timestamp=old.isoformat()).status_code == 200
        assert here.waiting("main") == []
        assert here.counted[GHL, "too_old"] == 1
        assert from_ghl(here, timestamp=(old + timedelta(days=2)).isoformat()).status_code == 200
        assert len(here.waiting("main")) == 1


@pytest.mark.parametrize("system", list(SystemName))
@pytest.mark.parametrize("declared", [True, False])
def test_a_body_that_is_too_large_is_not_taken_in(database_url: str, system: SystemName, *, declared: bool) -> None:
    with listening(database_url) as here:
        body = b"x" * (MOST_BYTES[system] + 1)
        pieces = body if declared else (body[start : start + 65_536] for start in range(0, len(body), 65_536))
        try:
            status = httpx.post(f"{here.url}/webhooks/{system}", content=pieces, verify=PLAIN).status_code
        except httpx.WriteError:  # it hung up before all of it was sent, which is as good
            status = 413
        assert status == 413
        assert here.counted == {(system, "refused"): 1}
        assert from_ghl(here).status_code == 200


def test_the_largest_body_is_taken_in(database_url: str) -> None:
    with listening(database_url) as here:
        rows = [row(number, contact_fields={"Note": "x" * 7000}) for number in range(1000)]
        assert from_emailoctopus(here, rows).status_code == 200
        assert here.counted == {(EMAILOCTOPUS, "accepted"): 1000}


# a workflow's webhook


def test_a_workflow_that_knows_the_address_is_heard(database_url: str) -> None:
    with listening(database_url) as here:
        body = b'{"contact_id": "c1", "location": {"id": "l2"}}'
        for _ in range(2):
            assert here.post(f"/webhooks/ghl/workflow/{WORKFLOW_SECRET}", body).status_code == 200
        assert [(one.contact_id, one.verified) for one in here.waiting("apart")] == [("c1", False)] * 2
        assert here.waiting("main") == []


@pytest.mark.parametrize("locations", [1, 2])
def test_a_workflow_that_tells_no_location_is_understood_where_there_is_one(database_url: str, locations: int) -> None:
    receivers = [Receiver("main", "l1", "m1", ""), Receiver("apart", f"l{locations}", "m3", "")]
    with listening(database_url, receivers) as here:
        answer = here.post(f"/webhooks/ghl/workflow/{WORKFLOW_SECRET}", b'{"contact_id": "c1"}')
        assert answer.status_code == 200
        assert len(here.waiting("main")) == (1 if locations == 1 else 0)


@pytest.mark.parametrize("secret", ["", "wrong", WORKFLOW_SECRET[:-1], WORKFLOW_SECRET + "x", "é"])
def test_another_address_does_not_exist(database_url: str, secret: str) -> None:
    with listening(database_url) as here:
        assert here.post(f"/webhooks/ghl/workflow/{secret}", b'{"contact_id": "c1"}').status_code == 404
        assert here.waiting("main") == []


def test_without_a_secret_there_is_no_such_address(database_url: str) -> None:
    with listening(database_url, workflow_secret="") as here:
        assert here.post("/webhooks/ghl/workflow/", b'{"contact_id": "c1"}').status_code == 404
        assert here.post("/webhooks/ghl/workflow/x", b'{"contact_id": "c1"}').status_code == 404


# trouble


def test_what_can_not_be_stored_is_not_acknowledged(database_url: str) -> None:
    with listening(database_url) as here:
        with writing(here.store._engine) as connection:
            connection.execute(text("ALTER TABLE events RENAME TO away"))
        assert from_ghl(here).status_code == 503
        with writing(here.store._engine) as connection:
            connection.execute(text("ALTER TABLE away RENAME TO events"))
        assert from_ghl(here).status_code == 200
        assert here.woken == ["main", "twin"]


def test_a_client_that_hangs_up_harms_nobody(database_url: str) -> None:
    with listening(database_url) as here:
        address = urlsplit(here.url)
        with socket.create_connection((address.hostname, address.port)) as client:
            client.sendall(b"POST /webhooks/ghl HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert from_ghl(here).status_code == 200


@pytest.mark.parametrize(("method", "path"), [("GET", "/webhooks/ghl"), ("PUT", "/webhooks/emailoctopus")])
def test_other_methods_are_refused(database_url: str, method: str, path: str) -> None:
    with listening(database_url) as here:
        assert httpx.request(method, f"{here.url}{path}", verify=PLAIN).status_code == 405


def test_many_at_once_are_all_stored(database_url: str) -> None:
    with listening(database_url) as here, ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda number: from_emailoctopus(here, [row(number)]), range(99)))
        assert {answer.status_code for answer in answers} == {200}
        assert {one.event_id for one in here.waiting("main", EMAILOCTOPUS)} == {f"e{number}" for number in range(99)}
