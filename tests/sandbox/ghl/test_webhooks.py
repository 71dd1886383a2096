"""GHL's webhooks: what raises which event, how it looks, and who can check that it came from here."""

import json
import re
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from sync_daemon.sandbox.server import Sandbox, running_sandbox
from tests.plain import PLAIN
from tests.sandbox.ghl.agency import Agency
from tests.sandbox.receiver import Received, receiver
from tests.sandbox.webhooks import END, told, types

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TEXTS = {
    "name": "Ada Stone",
    "firstName": "Ada",
    "lastName": "Stone",
    "email": "ada@example.com",
    "phone": "+12025550123",
    "address1": "1 Main St",
    "city": "Salem",
    "state": "OR",
    "postalCode": "97301",
    "country": "US",
    "companyName": "Stone & Co",
    "website": "https://example.com",
    "source": "website",
    "assignedTo": "user1",
    "dateOfBirth": "1990-05-17",
}


@pytest.fixture
def agency() -> Agency:
    return Agency()


@pytest.fixture
def ada(agency: Agency) -> str:
    agency.world.add_field("Plan")
    contact = agency.world.create(
        at=agency.clock.now() - timedelta(days=9), custom={"plan": "Pro"}, tags=["vip"], dnd=False, **TEXTS
    )
    return contact.id


def told_of(agency: Agency, act: Callable[[], object], **settings: Any) -> list[dict[str, Any]]:
    return told(agency.context.webhooks, act, **settings)


def public_key(text: str) -> Ed25519PublicKey:
    key = load_der_public_key(b64decode(text, validate=True))
    assert isinstance(key, Ed25519PublicKey)
    return key


def verify(came: Received, key: str) -> None:
    public_key(key).verify(b64decode(came.headers["X-GHL-Signature"], validate=True), came.body)


def test_an_event_has_the_documented_flat_payload(agency: Agency, ada: str) -> None:
    field_id = next(iter(agency.location.custom_fields))
    (event,) = told_of(agency, lambda: agency.world.edit(ada, city="Riverton"))
    assert {name: event.pop(name) for name in TEXTS} == {**TEXTS, "city": "Riverton"}
    assert UUID.fullmatch(event.pop("webhookId"))
    assert event.pop("versionId")
    assert event.pop("appId")
    assert event.pop("timestamp") == "2026-01-05T09:00:00.000Z"
    assert event == {
        "type": "ContactUpdate",
        "locationId": agency.location.id,
        "id": ada,
        "dateAdded": "2025-12-27T09:00:00.000Z",
        "dnd": False,
        "tags": ["vip"],
        "attachments": [],
        "customFields": [{"id": field_id, "value": "Pro"}],
    }


def test_what_the_api_changes_raises_events(agency: Agency, ada: str) -> None:
    def change() -> None:
        bo = agency.added(email="bo@example.com", tags=["one"], dnd=True)
        agency.put(ada, firstName="Adele")
        agency.ask("POST", f"/contacts/{ada}/tags", {"tags": ["gold"]})
        agency.put(ada, dndSettings={"Email": {"status": "active"}})
        agency.upsert(email="bo@example.com", city="Salem")
        agency.ask("DELETE", f"/contacts/{bo}")

    events = told_of(agency, change)
    assert types(events) == [
        "ContactCreate",
        "ContactUpdate",
        "ContactTagUpdate",
        "ContactDndUpdate",
        "ContactUpdate",
        "ContactDelete",
    ]
    assert (events[0]["tags"], events[0]["dnd"], events[2]["tags"]) == (["one"], True, ["vip", "gold"])
    assert events[3]["dndSettings"] == {"Email": {"status": "active"}}
    assert [event["email"] for event in events if event["type"] == "ContactDelete"] == ["bo@example.com"]
    assert len({event["webhookId"] for event in events}) == 6


def test_what_the_world_changes_raises_the_same_events(agency: Agency, ada: str) -> None:
    world = agency.world
    bo: list[str] = []

    def change() -> None:
        bo.append(world.create(email="bo@example.com").id)
        world.edit(ada, custom={"plan": "Free"})
        world.edit(ada, timezone="Europe/Berlin")
        world.remove_tags(ada, ["vip"])
        for act in (world.unsubscribe, world.bounce):
            act(ada)
        world.set_dnd_all(ada, dnd=True)
        world.delete(bo[0])

    assert types(told_of(agency, change)) == [
        "ContactCreate",
        *["ContactUpdate"] * 2,
        "ContactTagUpdate",
        *["ContactDndUpdate"] * 3,
        "ContactDelete",
    ]


def test_one_write_of_several_kinds_raises_one_event_of_each(agency: Agency, ada: str) -> None:
    events = told_of(agency, lambda: agency.put(ada, city="Salem", state="WA", tags=[], dnd=True))
    assert types(events) == ["ContactUpdate", "ContactTagUpdate", "ContactDndUpdate"]


@pytest.mark.parametrize(
    "act",
    [
        lambda agency, ada: agency.put(ada, firstName="Ada"),
        lambda agency, ada: agency.world.touch(ada),
        lambda agency, ada: agency.world.add_email(ada, "ada@example.org"),
        lambda agency, ada: agency.world.edit(ada, inboundDndSettings={"all": {"status": "permanent"}}),
        lambda agency, ada: agency.world.create(at=agency.clock.now(), email="old@example.com"),
        lambda agency, ada: agency.create(email="ada@example.com"),
    ],
    ids=["nothing new", "a touch", "another address", "an inbound block", "long ago", "refused"],
)
def test_what_raises_nothing(agency: Agency, ada: str, act: Callable[[Agency, str], object]) -> None:
    assert told_of(agency, lambda: act(agency, ada), workflow_url="http://127.0.0.1:9/") == []


def test_the_signature_is_checked_with_the_published_key() -> None:
    with receiver() as box, running_sandbox() as running:
        control = f"{running.ghl_url}/_sandbox"
        key = httpx.get(f"{control}/webhooks/key", verify=PLAIN).json()["key"]
        assert key == running.sandbox.ghl.webhooks.key
        httpx.put(f"{control}/webhooks", json={"url": f"{box.url}/webhooks/ghl"}, verify=PLAIN)
        httpx.post(f"{control}/contacts", json={"email": "ada@example.com", "firstName": "Zoë"}, verify=PLAIN)
        (came,) = box.wait(1)
    assert came.path == "/webhooks/ghl"
    verify(came, key)
    with pytest.raises(InvalidSignature):
        verify(Received(came.path, came.headers, came.body + b" "), key)
    with pytest.raises(InvalidSignature):
        verify(came, Sandbox(seed=1).ghl.webhooks.key)


def test_the_key_follows_the_seed_and_moves_no_other_id() -> None:
    assert Sandbox(seed=3).ghl.webhooks.key == Sandbox(seed=3).ghl.webhooks.key != Sandbox(seed=4).ghl.webhooks.key
    told_much, told_nothing = Agency(), Agency()
    told_of(told_much, lambda: told_much.world.create(email="ada@example.com"))
    told_nothing.world.create(email="ada@example.com")
    assert told_much.world.create(email="b@example.com").id == told_nothing.world.create(email="b@example.com").id


def test_the_webhook_of_a_workflow_is_unsigned_and_has_its_own_shape(agency: Agency, ada: str) -> None:
    with receiver() as box:
        agency.context.webhooks.set(workflow_url=f"{box.url}/secret", workflow_custom_data={"from": "ghl"})
        agency.world.add_tags(ada, ["gold"])
        (came,) = box.wait(1)
        agency.context.webhooks.stop()
    assert (came.path, came.headers["User-Agent"][:6]) == ("/secret", "axios/")
    assert "X-GHL-Signature" not in came.headers
    event = came.json()
    workflow = event.pop("workflow")
    assert sorted(workflow) == ["id", "name"]
    assert event.pop("location")["id"] == agency.location.id
    assert event == {
        "contact_id": ada,
        "first_name": "Ada",
        "last_name": "Stone",
        "full_name": "Ada Stone",
        "email": "ada@example.com",
        "phone": "+12025550123",
        "tags": "vip,gold",
        "country": "US",
        "date_created": "2025-12-27T09:00:00.000Z",
        "contact_type": "lead",
        "Plan": "Pro",
        "triggerData": {},
        "customData": {"from": "ghl"},
        "contact": {"attributionSource": {}, "lastAttributionSource": {}},
    }


def test_a_workflow_tells_each_change_once_and_no_deletion(agency: Agency, ada: str) -> None:
    webhooks = agency.context.webhooks
    webhooks.set(workflow_url="http://127.0.0.1:9/", weather={"delay_s": END})
    agency.put(ada, city="Salem", state="WA", tags=[], dnd=True)
    agency.world.delete(ada)
    _, deliveries = webhooks.deliveries()
    webhooks.stop()
    assert [(one["to"], one["events"]) for one in deliveries] == [
        ("workflow", [{"id": "", "type": "", "contact_id": ada}])
    ]


def test_the_record_holds_no_personal_data() -> None:
    with receiver() as box, running_sandbox() as running:
        control = f"{running.ghl_url}/_sandbox"
        box.answers.append(500)
        httpx.put(
            f"{control}/webhooks", json={"url": box.url, "workflow_url": box.url, "retry_base_s": 0}, verify=PLAIN
        )
        contact = httpx.post(f"{control}/contacts", json=TEXTS, verify=PLAIN).json()
        box.wait(3)
        record = httpx.get(f"{control}/webhooks/deliveries", verify=PLAIN).json()
        log = httpx.get(f"{control}/requests", verify=PLAIN).json()
    assert [one["events"][0]["contact_id"] for one in record["deliveries"]] == [contact["id"]] * 2
    told_by_it = json.dumps([record, log])
    assert [value for value in TEXTS.values() if len(value) > 2 and value in told_by_it] == []
    sent = [datetime.fromisoformat(one["made_at"]) for one in record["deliveries"]]
    assert sent == sorted(sent)
