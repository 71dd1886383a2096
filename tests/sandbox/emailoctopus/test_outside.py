"""The outside world: people who subscribe, leave, complain, and people who work in the dashboard."""

from typing import Any

import pytest

from sync_daemon.sandbox.emailoctopus.model import Contact
from tests.sandbox.emailoctopus.account import Account
from tests.sandbox.inprocess import ask


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def ada(account: Account) -> Contact:
    contact = account.world.add(account.list.id, "ada@example.com", {"Note": "x"})
    account.clock.advance(60)
    return contact


def act(account: Account, path: str, body: Any = None) -> Any:
    return ask(account.app, "POST", "/_sandbox" + path, body)


def test_a_form_subscribes_at_once_without_double_opt_in(account: Account) -> None:
    contact = account.world.sign_up(account.list.id, "new@example.com", {"Note": "hi"}, ["form"])
    assert (contact.status, list(contact.tags)) == ("subscribed", ["form"])
    assert account.world.confirmation_mails == []


def test_a_form_asks_first_with_double_opt_in(account: Account) -> None:
    account.world.set_double_opt_in(account.list.id, double_opt_in=True)
    contact = account.world.sign_up(account.list.id, "new@example.com")
    assert contact.status == "pending"
    assert len(account.world.confirmation_mails) == 1
    account.clock.advance(60)
    assert account.world.confirm(contact.id).status == "subscribed"
    assert account.get(contact)["last_updated_at"] == "2026-01-05T09:01:00+00:00"
    with pytest.raises(ValueError, match="only a pending one"):
        account.world.confirm(contact.id)


@pytest.mark.parametrize(("double_opt_in", "status"), [(False, "subscribed"), (True, "pending")])
def test_somebody_who_left_can_opt_in_again(
    account: Account, ada: Contact, *, double_opt_in: bool, status: str
) -> None:
    account.world.unsubscribe(ada.id)
    account.world.set_double_opt_in(account.list.id, double_opt_in=double_opt_in)
    assert account.world.sign_up(account.list.id, "ada@example.com").status == status


def test_a_form_leaves_a_subscriber_subscribed(account: Account, ada: Contact) -> None:
    account.world.set_double_opt_in(account.list.id, double_opt_in=True)
    assert account.world.sign_up(account.list.id, "ada@example.com", {"Note": "y"}).status == "subscribed"
    assert account.world.confirmation_mails == []


@pytest.mark.parametrize(
    ("event", "suppressed"), [("unsubscribe", None), ("complain", "complained"), ("bounce", "bounced")]
)
def test_leaving(account: Account, ada: Contact, event: str, suppressed: str | None) -> None:
    campaign = account.world.create_campaign("Hello", [account.list.id])
    account.world.send_campaign(campaign.id)
    contact = getattr(account.world, event)(ada.id, campaign.id)
    assert (account.get(contact)["status"], contact.suppressed) == ("unsubscribed", suppressed)
    kind = {"unsubscribe": "unsubscribed", "complain": "complained", "bounce": "bounced"}[event]
    rows = account.ask("GET", f"/campaigns/{campaign.id}/reports?status={kind}").json()["data"]
    assert [row["contact_email_address"] for row in rows] == ["ada@example.com"]


def test_a_soft_bounce_is_only_reported(account: Account, ada: Contact) -> None:
    campaign = account.world.create_campaign("Hello", [account.list.id])
    account.world.bounce(ada.id, campaign.id, hard=False)
    summary = account.ask("GET", f"/campaigns/{campaign.id}/reports/summary").json()
    assert summary["bounced"] == {"hard": 0, "soft": 1}
    assert account.get(ada)["status"] == "subscribed"


def test_the_dashboard_edits_by_the_same_rules(account: Account, ada: Contact) -> None:
    account.world.edit(ada.id, {"Note": " y ", "Pets": 2})
    account.world.edit(ada.id, {"Pets": None})
    row = account.get(ada)
    assert (row["fields"], row["last_updated_at"]) == ({"Note": "y"}, "2026-01-05T09:01:00+00:00")
    with pytest.raises(ValueError, match="no field Shoe"):
        account.world.edit(ada.id, {"Shoe": "42"})


def test_the_dashboard_changes_an_address(account: Account, ada: Contact) -> None:
    bob = account.world.add(account.list.id, "bob@example.com")
    assert account.world.change_address(ada.id, "ada@example.org").id == ada.id
    with pytest.raises(ValueError, match=bob.id):
        account.world.change_address(ada.id, "bob@example.com")


def test_the_dashboard_sets_any_status(account: Account, ada: Contact) -> None:
    account.world.complain(ada.id)
    assert account.world.set_status(ada.id, "subscribed").suppressed is None


def test_a_deleted_contact_is_another_one_when_it_comes_back(account: Account, ada: Contact) -> None:
    account.world.delete(ada.id)
    again = account.world.add(account.list.id, "ada@example.com")
    assert again.id != ada.id
    with pytest.raises(ValueError, match="has this address already"):
        account.world.add(account.list.id, "ADA@example.com")


def test_an_import_never_subscribes_anybody_again(account: Account, ada: Contact) -> None:
    account.world.unsubscribe(ada.id)
    rows: list[dict[str, Any]] = [
        {"EmailAddress": "ada@example.com", "Note": "imported"},
        {"EmailAddress": "new@example.com"},
    ]
    imported = account.world.import_rows(account.list.id, rows)
    assert [(contact.status, contact.fields.get("Note")) for contact in imported] == [
        ("unsubscribed", "imported"),
        ("subscribed", None),
    ]


def test_an_import_can_unsubscribe_and_can_skip(account: Account, ada: Contact) -> None:
    rows: list[dict[str, Any]] = [{"EmailAddress": "ada@example.com", "Note": "imported"}]
    assert account.world.import_rows(account.list.id, rows, "unsubscribed", update_existing=False) == []
    assert account.get(ada)["status"] == "subscribed"
    account.world.import_rows(account.list.id, rows, "unsubscribed")
    assert account.get(ada)["status"] == "unsubscribed"


def test_an_import_sends_no_question(account: Account) -> None:
    account.world.set_double_opt_in(account.list.id, double_opt_in=True)
    account.world.import_rows(account.list.id, [{"EmailAddress": "new@example.com"}])
    account.world.add(account.list.id, "newer@example.com", status="pending")
    assert account.world.confirmation_mails == []


def test_everything_can_be_done_over_http(account: Account, ada: Contact) -> None:
    on_contact = f"/contacts/{ada.id}"
    assert act(account, on_contact + "/edit", {"fields": {"Note": "y"}}).json()["fields"] == {"Note": "y"}
    assert act(account, on_contact + "/add_tags", {"tags": ["a", "b"]}).json()["tags"] == ["a", "b"]
    assert act(account, on_contact + "/remove_tags", {"tags": ["a"]}).json()["tags"] == ["b"]
    assert act(account, on_contact + "/change_address", {"email_address": "a@example.org"}).status == 200
    assert act(account, on_contact + "/bounce").json()["suppressed"] == "bounced"
    assert act(account, on_contact + "/set_status", {"status": "pending"}).json()["status"] == "pending"
    assert act(account, on_contact + "/confirm").json()["status"] == "subscribed"
    assert act(account, on_contact + "/complain").json()["suppressed"] == "complained"
    assert act(account, on_contact + "/unsubscribe").json()["status"] == "unsubscribed"
    on_list = f"/lists/{account.list.id}"
    added = act(account, on_list + "/add", {"email_address": "bob@example.com", "tags": ["x"]}).json()
    assert added["list_id"] == account.list.id
    assert act(account, on_list + "/sign_up", {"email_address": "cem@example.com"}).json()["status"] == "subscribed"
    rows = [{"EmailAddress": "bob@example.com", "Pets": 2}]
    assert act(account, on_list + "/import_rows", {"rows": rows}).json()[0]["fields"] == {"Pets": 2}
    assert act(account, on_list + "/set_double_opt_in", {"double_opt_in": True}).json() == {}
    town = {"label": "Town", "tag": "Town", "type": "text"}
    assert act(account, on_list + "/add_field", {"field": town}).status == 200
    assert act(account, on_list + "/rename_field", {"old": "Town", "new": "City"}).status == 200
    assert act(account, on_list + "/delete_field", {"tag": "City"}).status == 200
    assert act(account, on_list + "/rename_tag", {"old": "x", "new": "y"}).status == 200
    assert act(account, on_list + "/delete_tag", {"name": "y"}).status == 200
    automation = act(account, on_list + "/create_automation", {"trigger": "contact_added"}).json()["id"]
    act(account, on_list + "/add", {"email_address": "dora@example.com"})
    starts = ask(account.app, "GET", "/_sandbox/automation-starts").json()
    assert [start["automation_id"] for start in starts] == [automation]
    campaign = act(account, "/account/create_campaign", {"name": "Hi", "list_ids": [account.list.id]}).json()["id"]
    assert act(account, "/account/send_campaign", {"campaign_id": campaign}).status == 200
    assert act(account, f"/contacts/{added['id']}/click", {"campaign_id": campaign}).status == 200
    assert act(account, f"/contacts/{added['id']}/open_mail", {"campaign_id": campaign}).status == 200
    assert act(account, on_contact + "/delete").json() == {}
    emails = [row["email_address"] for row in ask(account.app, "GET", "/_sandbox/contacts").json()]
    assert emails == ["bob@example.com", "cem@example.com", "dora@example.com"]
    one = ask(account.app, "GET", f"/_sandbox/contacts/{added['id']}").json()
    assert one["email_address"] == "bob@example.com"
    assert act(account, "/account/create_list", {"name": "More", "double_opt_in": True}).status == 200
    lists = ask(account.app, "GET", "/_sandbox/lists").json()
    assert [each["double_opt_in"] for each in lists] == [True, True]


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/contacts/{id}/explode", {}, "no explode here"),
        ("/contacts/{id}/edit", {"values": {}}, "takes no values"),
        ("/contacts/{id}/edit", {}, "missing"),
        ("/contacts/{id}/set_status", {"status": "gone"}, "Invalid enum value"),
        ("/contacts/nobody/unsubscribe", {}, "No list has a contact nobody"),
        ("/lists/{list}/add", {"email_address": "ada@example.com"}, "has this address already"),
        ("/lists/nowhere/create_automation", {}, "There is no 'nowhere' here."),
        ("/lists/{list}/delete_tag", {"name": "gold"}, "There is no 'gold' here."),
        ("/lists/{list}/rename_field", {"old": "FirstName", "new": "LastName"}, "has a field LastName already"),
        ("/contacts/{id}/edit", {"fields": {"FirstName": 5}}, "must be string type, int provided"),
        ("/account/create_campaign", {"name": "Hi", "list_ids": ["nowhere"]}, "There is no 'nowhere' here."),
    ],
)
def test_senseless_acts_are_refused(account: Account, ada: Contact, path: str, body: Any, said: str) -> None:
    answer = act(account, path.format(id=ada.id, list=account.list.id), body)
    assert answer.status == 400
    assert said in answer.json()["error"]


@pytest.mark.parametrize("act_on_list", ["add", "sign_up"])
def test_a_full_plan_has_no_room_for_anybody(account: Account, ada: Contact, act_on_list: str) -> None:
    account.weather.plan_limit = 1
    answer = act(account, f"/lists/{account.list.id}/{act_on_list}", {"email_address": "bob@example.com"})
    assert answer.status == 400
    assert "number of subscribers" in answer.json()["error"]
    assert [contact.id for contact in account.list.contacts] == [ada.id]


def test_an_import_leaves_a_suppressed_contact_as_it_is(account: Account, ada: Contact) -> None:
    account.world.quirks.suppressed_reads_as = "own"
    account.world.bounce(ada.id)
    account.world.import_rows(account.list.id, [{"EmailAddress": "ada@example.com"}], "unsubscribed")
    assert account.get(ada)["status"] == "bounced"
