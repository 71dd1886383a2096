"""Campaigns with their reports, and automations."""

from typing import Any

import pytest

from sync_daemon.sandbox.emailoctopus.model import Automation, Contact
from sync_daemon.sandbox.emailoctopus.roster import md5_of
from tests.sandbox.emailoctopus.account import Account


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def people(account: Account) -> list[Contact]:
    return [account.world.add(account.list.id, f"{name}@example.com") for name in ("ada", "bob", "cem")]


def report(account: Account, campaign_id: str, status: str) -> list[str]:
    rows = account.ask("GET", f"/campaigns/{campaign_id}/reports?status={status}").json()["data"]
    return [row["contact_email_address"].partition("@")[0] for row in rows]


def test_reports_tell_each_contact_once(account: Account, people: list[Contact]) -> None:
    ada, bob, _ = people
    campaign = account.world.create_campaign("Hello", [account.list.id])
    account.world.add(account.list.id, "out@example.com", status="unsubscribed")
    account.world.send_campaign(campaign.id)
    for url in ("https://example.com/a", "https://example.com/a", "https://example.com/b"):
        account.clock.advance(60)
        account.world.open_mail(ada.id, campaign.id)
        account.world.click(ada.id, campaign.id, url)
    account.world.click(bob.id, campaign.id, "https://example.com/a")
    account.world.complain(bob.id, campaign.id)
    seen = {status: sorted(report(account, campaign.id, status)) for status in ("sent", "opened", "clicked")}
    assert seen == {"sent": ["ada", "bob", "cem"], "opened": ["ada"], "clicked": ["ada", "bob"]}
    assert sorted(report(account, campaign.id, "not-opened")) == ["bob", "cem"]
    assert report(account, campaign.id, "not-clicked") == ["cem"]
    assert account.ask("GET", f"/campaigns/{campaign.id}/reports/summary").json() == {
        "id": campaign.id,
        "sent": 3,
        "bounced": {"hard": 0, "soft": 0},
        "opened": {"total": 3, "unique": 1},
        "clicked": {"total": 4, "unique": 2},
        "complained": 1,
        "unsubscribed": 0,
    }
    assert account.ask("GET", f"/campaigns/{campaign.id}/reports/links").json()["data"] == [
        {"url": "https://example.com/a", "clicked_total": 3, "clicked_unique": 2},
        {"url": "https://example.com/b", "clicked_total": 1, "clicked_unique": 1},
    ]


def test_a_click_is_told_with_its_first_time(account: Account, people: list[Contact]) -> None:
    campaign = account.world.create_campaign("Hello", [account.list.id])
    account.world.send_campaign(campaign.id)
    for _ in range(2):
        account.clock.advance(60)
        account.world.click(people[0].id, campaign.id)
    (row,) = account.ask("GET", f"/campaigns/{campaign.id}/reports?status=clicked").json()["data"]
    assert row == {
        "contact_id": people[0].id,
        "contact_email_address": "ada@example.com",
        "occurred_at": "2026-01-05T09:01:00+00:00",
    }


def test_a_draft_has_nothing_to_report(account: Account) -> None:
    campaign = account.world.create_campaign("Hello", [account.list.id])
    row = account.ask("GET", f"/campaigns/{campaign.id}").json()
    assert (row["status"], row["to"], "sent_at" in row) == ("draft", [account.list.id], False)
    assert report(account, campaign.id, "sent") == []


def queue(account: Account, automation: Automation, contact: str) -> int:
    return account.ask("POST", f"/automations/{automation.id}/queue", {"contact_id": contact}).status


def test_an_automation_takes_a_contact_once(account: Account, people: list[Contact]) -> None:
    automation = account.world.create_automation(account.list.id)
    assert queue(account, automation, people[0].id) == 204
    assert queue(account, automation, md5_of("ada@example.com")) == 409
    account.clock.advance(48 * 3600)
    assert queue(account, automation, people[0].id) == 409
    assert queue(account, automation, people[1].id) == 204
    assert [start.contact_id for start in account.world.automations.starts] == [people[0].id, people[1].id]


def test_a_repeating_one_takes_it_again_after_24_hours(account: Account, people: list[Contact]) -> None:
    automation = account.world.create_automation(account.list.id, repeats=True)
    assert queue(account, automation, people[0].id) == 204
    account.clock.advance(24 * 3600 - 1)
    assert queue(account, automation, people[0].id) == 409
    account.clock.advance(1)
    assert queue(account, automation, people[0].id) == 204


def test_inactive_or_otherwise_started_ones_are_403(account: Account, people: list[Contact]) -> None:
    tagged = account.world.create_automation(account.list.id, "tag_added", "vip")
    paused = account.world.create_automation(account.list.id)
    paused.active = False
    assert [queue(account, each, people[0].id) for each in (tagged, paused)] == [403, 403]


def test_an_automation_of_a_deleted_list_is_gone(account: Account, people: list[Contact]) -> None:
    automation = account.world.create_automation(account.list.id)
    account.ask("DELETE", f"/lists/{account.list.id}")
    assert queue(account, automation, people[0].id) == 404


@pytest.mark.parametrize(
    ("trigger", "watches", "body", "starts"),
    [
        ("tag_added", "vip", {"tags": {"vip": True}}, 1),
        ("tag_added", "", {"tags": {"other": True}}, 1),
        ("tag_added", "vip", {"tags": {"other": True, "vip": False}}, 0),
        ("field_updated", "Note", {"fields": {"Note": "new"}}, 1),
        ("field_updated", "Note", {"fields": {"Pets": 2}}, 0),
        ("field_updated", "Note", {"fields": {"Note": "old"}}, 0),
        ("contact_added", "", {"fields": {"Note": "new"}}, 0),
    ],
)
def test_writes_start_what_watches_them(
    account: Account, trigger: Any, watches: str, body: dict[str, Any], starts: int
) -> None:
    contact = account.world.add(account.list.id, "ada@example.com", {"Note": "old"}, ["base"])
    account.world.create_automation(account.list.id, trigger, watches)
    account.put(contact, **body)
    assert len(account.world.automations.starts) == starts


def test_contact_added_starts_for_api_form_and_dashboard(account: Account) -> None:
    account.world.create_automation(account.list.id, "contact_added", repeats=True)
    account.contacts("POST", "", {"email_address": "api@example.com"})
    account.world.sign_up(account.list.id, "form@example.com")
    account.world.add(account.list.id, "dashboard@example.com")
    assert len(account.world.automations.starts) == 3


def test_an_automation_watches_its_own_list_only(account: Account) -> None:
    account.world.create_automation(account.world.create_list("Another").id, "contact_added")
    account.contacts("POST", "", {"email_address": "api@example.com"})
    assert account.world.automations.starts == []
