"""EmailOctopus's webhooks: what raises which event, how it looks, and who can check that it came from here."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from sync_daemon.sandbox.emailoctopus.model import Contact
from sync_daemon.sandbox.emailoctopus.webhooks import signature
from sync_daemon.sandbox.server import Sandbox, running_sandbox
from tests.plain import PLAIN
from tests.sandbox.emailoctopus.account import Account
from tests.sandbox.receiver import receiver
from tests.sandbox.webhooks import told, types


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def ada(account: Account) -> Contact:
    return account.world.add(account.list.id, "ada@example.com", {"Note": "x"}, ["vip"])


def told_of(account: Account, act: Callable[[], object], **settings: Any) -> list[dict[str, Any]]:
    return told(account.context.webhooks, act, **settings)


def test_the_signature_of_a_known_body() -> None:
    body = b'[{"id":"e1","type":"contact.updated"}]'
    expected = "sha256=b6107e714c2779cea9ff29473b6ae2981cb0ecf75fe97f77b9f84d08e48c978c"  # facts, section 15
    assert signature(body, "example-secret") == expected


def test_the_signature_is_checked_with_the_secret() -> None:
    with receiver() as box, running_sandbox() as running:
        control = f"{running.emailoctopus_url}/_sandbox"
        secret = httpx.get(f"{control}/webhooks/key", verify=PLAIN).json()["key"]
        assert secret == running.sandbox.emailoctopus.webhooks.key
        httpx.put(f"{control}/webhooks", json={"url": f"{box.url}/webhooks/emailoctopus", "buffer_s": 0}, verify=PLAIN)
        list_id = running.sandbox.list_id
        httpx.post(f"{control}/lists/{list_id}/sign_up", json={"email_address": "zoë@example.com"}, verify=PLAIN)
        (came,) = box.wait(1)
    assert came.path == "/webhooks/emailoctopus"
    digest = hmac.new(secret.encode(), came.body, hashlib.sha256).hexdigest()
    assert came.headers["EmailOctopus-Signature"] == f"sha256={digest}"
    assert Sandbox(seed=3).emailoctopus.webhooks.key == Sandbox(seed=3).emailoctopus.webhooks.key
    assert Sandbox(seed=3).emailoctopus.webhooks.key != Sandbox(seed=4).emailoctopus.webhooks.key


def test_an_event_has_the_documented_flat_keys(account: Account, ada: Contact) -> None:
    (event,) = told_of(account, lambda: account.put(ada, fields={"Note": "y"}, tags={"gold": True}))
    assert len(event.pop("id")) == 36
    assert event == {
        "type": "contact.updated",
        "list_id": account.list.id,
        "contact_id": ada.id,
        "contact_email_address": "ada@example.com",
        "occurred_at": "2026-01-05T09:00:00+00:00",
        "contact_fields": {"Note": "y"},
        "contact_tags": ["vip", "gold"],
        "contact_status": "SUBSCRIBED",
    }


def test_what_the_api_changes_is_told(account: Account, ada: Contact) -> None:
    def change() -> None:
        created = account.contacts("POST", "", {"email_address": "bo@example.com", "fields": {"Note": "b"}}).json()
        account.contacts("PUT", "", {"email_address": "cy@example.com"})
        account.contacts("PUT", "", {"email_address": "cy@example.com", "tags": {"gold": True}})
        account.contacts("PUT", "/batch", {"contacts": [{"id": ada.id, "fields": {"Note": "z"}}]})
        account.put(ada, status="unsubscribed")
        account.put(ada, status="subscribed")
        account.contacts("DELETE", f"/{created['id']}")

    events = told_of(account, change)
    assert [event["type"].removeprefix("contact.") for event in events] == [
        *["created"] * 2,
        *["updated"] * 2,
        "unsubscribed",
        "updated",
        "deleted",
    ]
    assert (events[0]["contact_fields"], events[-1]["contact_email_address"]) == ({"Note": "b"}, "bo@example.com")
    assert "contact_status" not in events[4]
    assert len({event["id"] for event in events}) == 7


def test_what_the_world_changes_is_told(account: Account, ada: Contact) -> None:
    world = account.world
    campaign = world.create_campaign("Spring", [account.list.id])

    def change() -> None:
        world.send_campaign(campaign.id)
        world.open_mail(ada.id, campaign.id)
        world.click(ada.id, campaign.id)
        world.edit(ada.id, {"Note": "y"})
        world.remove_tags(ada.id, ["vip"])
        world.change_address(ada.id, "ada@example.org")
        world.unsubscribe(ada.id, campaign.id)
        bo = world.sign_up(account.list.id, "bo@example.com")
        world.complain(bo.id)
        world.bounce(world.add(account.list.id, "cy@example.com").id)
        world.delete(ada.id)

    events = told_of(account, change)
    assert [event["type"].removeprefix("contact.") for event in events] == [
        "opened",
        "clicked",
        *["updated"] * 3,
        "unsubscribed",
        "created",
        "complained",
        "created",
        "bounced",
        "deleted",
    ]
    mailed = [event for event in events if "campaign_id" in event]
    assert types(mailed) == ["contact.opened", "contact.clicked", "contact.unsubscribed"]
    assert {event["campaign_id"] for event in mailed} == {campaign.id}
    assert events[-1]["contact_status"] == "UNSUBSCRIBED"


@pytest.mark.parametrize(
    "act",
    [
        lambda account, ada: account.put(ada, fields={"Note": "x"}, tags={"vip": True}, status="subscribed"),
        lambda account, ada: account.world.add(account.list.id, "old@example.com", at=account.clock.now()),
        lambda account, ada: account.contacts("POST", "", {"email_address": "ada@example.com"}),
        lambda account, ada: account.world.bounce(ada.id, hard=False),
    ],
    ids=["nothing new", "long ago", "refused", "a soft bounce"],
)
def test_what_is_not_told(account: Account, ada: Contact, act: Callable[[Account, Contact], object]) -> None:
    assert told_of(account, lambda: act(account, ada)) == []


@pytest.mark.parametrize(
    ("excluded", "causes"),
    [
        ({}, ["api", "import", "import", "outside", "api"]),
        ({"exclude_api": True}, ["import", "import", "outside"]),
        ({"exclude_imports": True}, ["api", "outside", "api"]),
        ({"exclude_api": True, "exclude_imports": True}, ["outside"]),
    ],
)
def test_an_endpoint_can_leave_out_what_the_api_and_imports_cause(
    account: Account, ada: Contact, excluded: dict[str, bool], causes: list[str]
) -> None:
    def change() -> None:
        account.put(ada, fields={"Note": "api"})
        rows: list[Any] = [{"EmailAddress": one, "Note": "import"} for one in ("ada@example.com", "bo@example.com")]
        account.world.import_rows(account.list.id, rows)
        account.put(ada, status="nonsense")  # a refusal leaves nothing behind
        account.world.edit(ada.id, {"Note": "outside"})
        account.contacts("POST", "", {"email_address": "cy@example.com", "fields": {"Note": "api"}})

    assert [event["contact_fields"]["Note"] for event in told_of(account, change, **excluded)] == causes


def test_a_thousand_events_go_at_once_and_the_rest_when_the_time_has_come(account: Account) -> None:
    rows: list[Any] = [{"EmailAddress": f"p{n}@example.com"} for n in range(1001)]
    with receiver() as box:
        account.context.webhooks.set(url=box.url, buffer_s=60)
        account.world.import_rows(account.list.id, rows)
        full = box.wait(1)[0].json()
        assert (len(full), len(box.came)) == (1000, 1)
        assert account.context.webhooks.flush() == 1
        rest = box.wait(2)[1].json()
        account.context.webhooks.stop()
    assert [event["contact_email_address"] for event in full + rest] == [row["EmailAddress"] for row in rows]


def test_a_repeated_array_keeps_its_ids_and_its_signature(account: Account) -> None:
    with receiver() as box:
        box.answers.append(500)
        account.context.webhooks.set(url=box.url, buffer_s=0.01, retry_base_s=0)
        account.world.add(account.list.id, "ada@example.com")
        first, second = box.wait(2)
        account.context.webhooks.stop()
    assert first.body == second.body
    assert first.headers["EmailOctopus-Signature"] == second.headers["EmailOctopus-Signature"]


def test_the_record_holds_no_personal_data() -> None:
    with receiver() as box, running_sandbox() as running:
        control = f"{running.emailoctopus_url}/_sandbox"
        httpx.put(f"{control}/webhooks", json={"url": box.url, "buffer_s": 0}, verify=PLAIN)
        url = f"{control}/lists/{running.sandbox.list_id}/add"
        contact = httpx.post(
            url, json={"email_address": "ada@example.com", "fields": {"FirstName": "Adele"}}, verify=PLAIN
        ).json()
        box.wait(1)
        record = httpx.get(f"{control}/webhooks/deliveries", verify=PLAIN).json()
        log = httpx.get(f"{control}/requests", verify=PLAIN).json()
    assert record["deliveries"][0]["events"][0]["contact_id"] == contact["id"]
    assert not any(one in json.dumps([record, log]) for one in ("ada@", "Adele"))
