"""Every switch of the EmailOctopus sandbox, each way: what a client sees when it stands so."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from sync_daemon.sandbox.emailoctopus.model import Contact, Field
from sync_daemon.sandbox.emailoctopus.quirks import Quirks
from sync_daemon.sandbox.emailoctopus.roster import md5_of
from tests.sandbox.emailoctopus.account import Account
from tests.sandbox.webhooks import told, types

Scenario = Callable[[Account], Any]
SCENARIOS: dict[str, tuple[Scenario, dict[Any, Any]]] = {}
REFUSED = 422


def quirk(name: str, outcomes: dict[Any, Any]) -> Callable[[Scenario], Scenario]:
    """Tell what a scenario shows for each setting of a switch."""

    def register(scenario: Scenario) -> Scenario:
        SCENARIOS[name] = (scenario, outcomes)
        return scenario

    return register


def ada(account: Account, **kwargs: Any) -> Contact:
    return account.world.add(account.list.id, "ada@example.com", **kwargs)


def stored(account: Account, tag: str, value: Any) -> Any:
    """What a field holds after a PUT, or the status of the refusal."""
    contact = ada(account)
    answer = account.put(contact, fields={tag: value})
    return answer.json()["fields"].get(tag) if answer.status == 200 else answer.status


def status_after(account: Account, contact: Contact, status: str) -> Any:
    answer = account.put(contact, status=status)
    return answer.json()["status"] if answer.status == 200 else answer.status


# How answers look

COUNTS = {"pending": 0, "subscribed": 1, "unsubscribed": 0}


@quirk("counts_shape", {"array": [COUNTS], "object": COUNTS})
def counts_shape(account: Account) -> Any:
    ada(account)
    return account.ask("GET", f"/lists/{account.list.id}").json()["counts"]


@quirk("empty_fields", {"object": {}, "array": []})
def empty_fields(account: Account) -> Any:
    return account.get(ada(account))["fields"]


@quirk("unset_fields", {"absent": ["Pets"], "null": [*("FirstName", "LastName", "Note", "Pets", "Birthday")]})
def unset_fields(account: Account) -> Any:
    return list(account.get(ada(account, fields={"Pets": 1}))["fields"])[:5]


@quirk("number_form", {"integer": 2, "string": "2"})
def number_form(account: Account) -> Any:
    return stored(account, "Pets", 2)


@quirk("date_form", {"date": "2015-12-01", "datetime": "2015-12-01T00:00:00+00:00"})
def date_form(account: Account) -> Any:
    return stored(account, "Birthday", "2015-12-01")


@quirk("email_field_listed", {False: False, True: True})
def email_field_listed(account: Account) -> Any:
    rows = account.ask("GET", f"/lists/{account.list.id}").json()["fields"]
    return "EmailAddress" in [row["tag"] for row in rows]


@quirk("list_tags_shown", {None: ["a", "b"], 1: ["a"]})
def list_tags_shown(account: Account) -> Any:
    ada(account, tags=["a", "b"])
    paged = account.ask("GET", f"/lists/{account.list.id}/tags").json()["data"]
    assert paged == [{"tag": "a"}, {"tag": "b"}]
    return account.ask("GET", f"/lists/{account.list.id}").json()["tags"]


@quirk("conflict_slug", {"conflict": "conflict", "already-exists": "already-exists"})
def conflict_slug(account: Account) -> Any:
    ada(account)
    answer = account.contacts("POST", "", {"email_address": "ADA@example.com"})
    assert answer.status == 409
    return answer.json()["type"].partition("#")[2]


@quirk("report_times", {True: True, False: False})
def report_times(account: Account) -> Any:
    contact = ada(account)
    campaign = account.world.create_campaign("Hello", [account.list.id])
    account.world.send_campaign(campaign.id)
    rows = account.ask("GET", f"/campaigns/{campaign.id}/reports?status=sent").json()["data"]
    assert rows[0]["contact_id"] == contact.id
    return "occurred_at" in rows[0]


# Paging


@quirk(
    "last_page",
    {"absent": {}, "null": {"next": None}, "object": {"next": {}}, "array": {"next": []}, "paging_array": []},
)
def last_page(account: Account) -> Any:
    return account.contacts().json()["paging"]


@quirk("next_url_keeps_filters", {False: False, True: True})
def next_url_keeps_filters(account: Account) -> Any:
    account.world.set_status(ada(account).id, "unsubscribed")
    account.world.add(account.list.id, "bob@example.com", status="unsubscribed")
    first = account.contacts("GET", "?status=unsubscribed&limit=1").json()
    return "status=unsubscribed" in first["paging"]["next"]["url"]


@quirk(
    "listing_order",
    {
        "created_asc": ["a", "b", "c"],
        "created_desc": ["c", "b", "a"],
        "updated_asc": ["b", "c", "a"],
        "updated_desc": ["a", "c", "b"],
    },
)
def listing_order(account: Account) -> Any:
    people = []
    for name in "abc":
        people.append(account.world.add(account.list.id, f"{name}@example.com"))
        account.clock.advance(10)
    account.world.edit(people[0].id, {"Note": "later"})
    walked: list[str] = []
    query = "?limit=1"
    while query:
        page = account.contacts("GET", query).json()
        walked += [row["email_address"][0] for row in page["data"]]
        following = page["paging"].get("next")
        query = f"?limit=1&starting_after={following['starting_after']}" if following else ""
    return walked


# What moves last_updated_at


@quirk("tag_change_touches", {True: True, False: False})
def tag_change_touches(account: Account) -> Any:
    return account.moved_by(ada(account), tags={"vip": True})


@quirk("status_change_touches", {True: True, False: False})
def status_change_touches(account: Account) -> Any:
    return account.moved_by(ada(account), status="unsubscribed")


@quirk("unsubscribe_touches", {True: True, False: False})
def unsubscribe_touches(account: Account) -> Any:
    contact = ada(account)
    account.clock.advance(5)
    account.world.unsubscribe(contact.id)
    return account.get(contact)["last_updated_at"] != account.get(contact)["created_at"]


@quirk("confirm_touches", {True: True, False: False})
def confirm_touches(account: Account) -> Any:
    contact = ada(account, status="pending")
    account.clock.advance(5)
    account.world.confirm(contact.id)
    return account.get(contact)["last_updated_at"] != account.get(contact)["created_at"]


@quirk("engagement_touches", {False: False, True: True})
def engagement_touches(account: Account) -> Any:
    contact = ada(account)
    campaign = account.world.create_campaign("Hello", [account.list.id])
    account.clock.advance(5)
    account.world.open_mail(contact.id, campaign.id)
    return account.get(contact)["last_updated_at"] != account.get(contact)["created_at"]


@quirk("noop_touches", {False: False, True: True})
def noop_touches(account: Account) -> Any:
    return account.moved_by(ada(account, fields={"Note": "same"}), fields={"Note": "same"})


# Values


@quirk("email_case", {"kept": "Ada@Example.com", "lowered": "ada@example.com"})
def email_case(account: Account) -> Any:
    return account.contacts("POST", "", {"email_address": "Ada@Example.com"}).json()["email_address"]


@quirk("text_trimmed", {True: "x", False: " x "})
def text_trimmed(account: Account) -> Any:
    return stored(account, "Note", " x ")


@quirk("text_limit", {600: REFUSED, 1000: "x" * 601})
def text_limit(account: Account) -> Any:
    return stored(account, "Note", "x" * 601)


@quirk("over_long_text", {"cut": "x" * 600, "refused": REFUSED, "stored": "x" * 601})
def over_long_text(account: Account) -> Any:
    return stored(account, "Note", "x" * 601)


@quirk("null_clears", {True: {}, False: {"Note": "Likes tea"}})
def null_clears(account: Account) -> Any:
    contact = ada(account, fields={"Note": "Likes tea"})
    return account.put(contact, fields={"Note": None}).json()["fields"]


@quirk("empty_string", {"cleared": None, "stored": "", "refused": REFUSED})
def empty_string(account: Account) -> Any:
    return stored(account, "Note", "")


@quirk("decimal_number", {"refused": REFUSED, "rounded": 3, "stored": 2.7})
def decimal_number(account: Account) -> Any:
    return stored(account, "Pets", 2.7)


@quirk("number_string", {"refused": REFUSED, "converted": 2})
def number_string(account: Account) -> Any:
    return stored(account, "Pets", "2")


@quirk("date_time", {"refused": REFUSED, "cut": "2015-12-01", "stored": "2015-12-01T10:30:00Z"})
def date_time(account: Account) -> Any:
    return stored(account, "Birthday", "2015-12-01T10:30:00Z")


@quirk("wrong_choice", {"refused": REFUSED, "dropped": None, "stored": "Three"})
def wrong_choice(account: Account) -> Any:
    return stored(account, "Plan", "Three")


@quirk("empty_choices", {"cleared": None, "stored": []})
def empty_choices(account: Account) -> Any:
    return stored(account, "Topics", [])


@quirk("unknown_field", {"dropped": None, "refused": REFUSED})
def unknown_field(account: Account) -> Any:
    return stored(account, "NOTE", "x")


@quirk("omitted_fields_kept", {True: {"Note": "x", "Pets": 1}, False: {"Pets": 1}})
def omitted_fields_kept(account: Account) -> Any:
    return account.put(ada(account, fields={"Note": "x"}), fields={"Pets": 1}).json()["fields"]


@quirk("deleted_field_keeps_values", {False: {}, True: {"Note": "x"}})
def deleted_field_keeps_values(account: Account) -> Any:
    contact = ada(account, fields={"Note": "x"})
    assert account.ask("DELETE", f"/lists/{account.list.id}/fields/Note").status == 204
    assert account.get(contact)["fields"] == {}
    account.world.add_field(account.list.id, Field("Note", "Note", "text"))
    return account.get(contact)["fields"]


# Tags


@quirk("unknown_tag", {"created": ["vip"], "dropped": [], "refused": REFUSED})
def unknown_tag(account: Account) -> Any:
    answer = account.put(ada(account), tags={"vip": True})
    known = account.ask("GET", f"/lists/{account.list.id}").json()["tags"]
    return known if answer.status == 200 else answer.status


@quirk("tags_case_sensitive", {True: ["vip", "VIP"], False: ["vip"]})
def tags_case_sensitive(account: Account) -> Any:
    found = account.put(ada(account, tags=["vip"]), tags={"VIP": True}).json()["tags"]
    assert account.listed("?tag=Vip") == ([] if len(found) == 2 else ["ada"])
    return found


@quirk("deleted_tag_detaches", {True: [], False: ["vip"]})
def deleted_tag_detaches(account: Account) -> Any:
    contact = ada(account, tags=["vip"])
    assert account.ask("DELETE", f"/lists/{account.list.id}/tags/vip").status == 204
    return account.get(contact)["tags"]


# Status


@quirk("doi_omitted_status", {"pending": ("pending", 1), "subscribed": ("subscribed", 0)})
def doi_omitted_status(account: Account) -> Any:
    account.world.set_double_opt_in(account.list.id, double_opt_in=True)
    status = account.contacts("POST", "", {"email_address": "new@example.com"}).json()["status"]
    return status, len(account.world.confirmation_mails)


@quirk("doi_explicit_subscribed", {"subscribed": ("subscribed", 0), "pending": ("pending", 1)})
def doi_explicit_subscribed(account: Account) -> Any:
    account.world.set_double_opt_in(account.list.id, double_opt_in=True)
    body = {"email_address": "new@example.com", "status": "subscribed"}
    return account.contacts("POST", "", body).json()["status"], len(account.world.confirmation_mails)


@quirk("omitted_status_kept", {True: "unsubscribed", False: "subscribed"})
def omitted_status_kept(account: Account) -> Any:
    return account.put(ada(account, status="unsubscribed"), fields={"Note": "x"}).json()["status"]


@quirk("resubscribe", {"taken": "subscribed", "pending": "pending", "ignored": "unsubscribed", "refused": REFUSED})
def resubscribe(account: Account) -> Any:
    return status_after(account, ada(account, status="unsubscribed"), "subscribed")


@quirk("resubscribe_suppressed", {"taken": "subscribed", "ignored": "unsubscribed", "refused": REFUSED})
def resubscribe_suppressed(account: Account) -> Any:
    return status_after(account, account.world.complain(ada(account).id), "subscribed")


@quirk("pending_over_subscribed", {"taken": "pending", "ignored": "subscribed", "refused": REFUSED})
def pending_over_subscribed(account: Account) -> Any:
    return status_after(account, ada(account), "pending")


@quirk("suppressed_reads_as", {"unsubscribed": ("unsubscribed", ["ada"]), "own": ("bounced", [])})
def suppressed_reads_as(account: Account) -> Any:
    contact = account.world.bounce(ada(account).id)
    return account.get(contact)["status"], account.listed("?status=unsubscribed")


# Identity


@quirk("address_change_keeps_id", {True: True, False: False})
def address_change_keeps_id(account: Account) -> Any:
    contact = ada(account)
    before = contact.id
    account.put(contact, email_address="ada@example.org")
    after = account.contacts("GET", "/" + md5_of("ada@example.org")).json()
    assert account.contacts("GET", "/" + md5_of("ada@example.com")).status == 404
    return after["id"] == before


@quirk("readd_keeps_id", {False: False, True: True})
def readd_keeps_id(account: Account) -> Any:
    contact = ada(account)
    account.contacts("DELETE", f"/{contact.id}")
    return account.contacts("POST", "", {"email_address": "ada@example.com"}).json()["id"] == contact.id


@quirk("readd_remembers_opt_out", {False: "subscribed", True: "unsubscribed"})
def readd_remembers_opt_out(account: Account) -> Any:
    account.contacts("DELETE", f"/{account.world.unsubscribe(ada(account).id).id}")
    body = {"email_address": "ada@example.com", "status": "subscribed"}
    return account.contacts("POST", "", body).json()["status"]


# Batch


def batch(account: Account, *items: dict[str, Any]) -> Any:
    return account.contacts("PUT", "/batch", {"contacts": list(items)})


@quirk("batch_max", {100: REFUSED, 101: 200, None: 200})
def batch_max(account: Account) -> Any:
    return batch(account, *[{"id": ada(account).id}] * 101).status


@quirk("batch_over_status", {400: (400, "x"), 413: (413, "x"), 422: (422, "x")})
def batch_over_status(account: Account) -> Any:
    contact = ada(account, fields={"Note": "x"})
    answer = batch(account, *[{"id": contact.id, "fields": {"Note": "y"}}] * 101)
    return answer.status, account.get(contact)["fields"]["Note"]


@quirk("batch_null", {"honoured": {"Pets": 2}, "ignored": {"Note": "x", "Pets": 2}, "refused": REFUSED})
def batch_null(account: Account) -> Any:
    contact = ada(account, fields={"Note": "x"})
    answer = batch(account, {"id": contact.id, "fields": {"Note": None, "Pets": 2}})
    return answer.json()["success"][0]["data"]["fields"] if answer.status == 200 else answer.status


@quirk("batch_md5", {False: 404, True: None})
def batch_md5(account: Account) -> Any:
    ada(account)
    errors = batch(account, {"id": md5_of("ada@example.com")}).json()["errors"]
    return errors[0]["status"] if errors else None


@quirk("batch_empty_arrays", {True: {"success", "errors"}, False: {"success"}})
def batch_empty_arrays(account: Account) -> Any:
    return set(batch(account, {"id": ada(account).id}).json())


@quirk("batch_error_form", {"word": ("invalid_field", 400), "uri": ("unprocessable-content", 422)})
def batch_error_form(account: Account) -> Any:
    row = batch(account, {"id": ada(account).id, "fields": {"Pets": "many"}}).json()["errors"][0]
    return row["type"].rpartition("#")[2], row["status"]


@quirk("batch_refusal", {"item": (200, "y"), "whole": (422, "x")})
def batch_refusal(account: Account) -> Any:
    contact, other = ada(account, fields={"Note": "x"}), account.world.add(account.list.id, "bob@example.com")
    wrong = {"id": other.id, "fields": {"Pets": "many"}}
    answer = batch(account, {"id": contact.id, "fields": {"Note": "y"}}, wrong)
    if answer.status == 422:
        assert answer.json()["errors"][0]["pointer"] == "/contacts/1/fields/Pets"
    return answer.status, account.get(contact)["fields"]["Note"]


# Limits


@quirk("out_of_limits_status", {422: 422, 403: 403})
def out_of_limits_status(account: Account) -> Any:
    account.weather.plan_limit = 0
    answer = account.contacts("POST", "", {"email_address": "new@example.com"})
    assert answer.json()["type"].endswith("#out-of-limits")
    return answer.status


@quirk("pending_counts_for_plan", {False: 201, True: 422})
def pending_counts_for_plan(account: Account) -> Any:
    ada(account, status="pending")
    account.weather.plan_limit = 1
    return account.contacts("POST", "", {"email_address": "new@example.com"}).status


@quirk("field_limit", {None: 201, 5: 422})
def field_limit(account: Account) -> Any:
    body = {"label": "Town", "tag": "Town", "type": "text"}
    return account.ask("POST", f"/lists/{account.list.id}/fields", body).status


@quirk("tag_limit", {None: (200, 201), 1: (422, 422)})
def tag_limit(account: Account) -> Any:
    contact = ada(account, tags=["vip"])
    through_contact = account.put(contact, tags={"new": True}).status
    return through_contact, account.ask("POST", f"/lists/{account.list.id}/tags", {"tag": "newer"}).status


@quirk("rate_headers_on_success", {True: "99", False: None})
def rate_headers_on_success(account: Account) -> Any:
    account.context.limiter.settings.enabled = True
    return account.contacts().headers.get("x-ratelimiting-remaining")


def throttled(account: Account) -> Any:
    account.context.limiter.settings.enabled = True
    for _ in range(100):
        assert account.contacts().status == 200
    answer = account.contacts()
    assert answer.status == 429
    assert answer.json()["type"].endswith("#too-many-requests")
    return answer


@quirk("retry_after_form", {"seconds": "1", "epoch": "1767603601", "http_date": "Mon, 05 Jan 2026 09:00:01 GMT"})
def retry_after_form(account: Account) -> Any:
    return throttled(account).headers["x-ratelimit-retry-after"]


@quirk("throttle_block_s", {0.0: ("1", 200), 60.0: ("60", 429)})
def throttle_block_s(account: Account) -> Any:
    retry_after = throttled(account).headers["x-ratelimit-retry-after"]
    account.clock.advance(30)
    return retry_after, account.contacts().status


# Automations


@quirk("automation_unmailable", {"accepted": 204, "refused": 409})
def automation_unmailable(account: Account) -> Any:
    automation = account.world.create_automation(account.list.id)
    contact = ada(account, status="unsubscribed")
    return account.ask("POST", f"/automations/{automation.id}/queue", {"contact_id": contact.id}).status


@quirk("equal_value_fires", {False: 0, True: 1})
def equal_value_fires(account: Account) -> Any:
    contact = ada(account, fields={"Note": "same"})
    account.world.create_automation(account.list.id, "field_updated", "Note")
    account.put(contact, fields={"Note": "same"})
    return len(account.world.automations.starts)


# Webhooks

LEFT, UPDATED = "contact.unsubscribed", "contact.updated"


def told_of(account: Account, act: Callable[[], object]) -> list[str]:
    return types(told(account.context.webhooks, act))


@quirk("webhook_optional_keys", {True: {"contact_fields", "contact_status", "contact_tags"}, False: set()})
def webhook_optional_keys(account: Account) -> Any:
    (event,) = told(account.context.webhooks, lambda: ada(account))
    return event.keys() - {"id", "type", "list_id", "contact_id", "contact_email_address", "occurred_at"}


@quirk("webhook_opt_out_updates", {True: [LEFT, UPDATED] * 2, False: [LEFT] * 2})
def webhook_opt_out_updates(account: Account) -> Any:
    contact, other = ada(account), account.world.add(account.list.id, "bo@example.com")

    def leave() -> None:
        account.world.unsubscribe(contact.id)
        account.put(other, status="unsubscribed")

    return told_of(account, leave)


@quirk("webhook_unsubscribed_by_anyone", {True: [LEFT, LEFT], False: [UPDATED, LEFT]})
def webhook_unsubscribed_by_anyone(account: Account) -> Any:
    contact, other = ada(account), account.world.add(account.list.id, "bo@example.com")

    def leave() -> None:
        account.put(contact, status="unsubscribed")
        account.world.unsubscribe(other.id)

    return told_of(account, leave)


@quirk("webhook_confirm_updates", {True: [UPDATED], False: []})
def webhook_confirm_updates(account: Account) -> Any:
    contact = ada(account, status="pending")
    return told_of(account, lambda: account.world.confirm(contact.id))


@quirk("webhook_address_updates", {True: [UPDATED], False: []})
def webhook_address_updates(account: Account) -> Any:
    contact = ada(account)
    return told_of(account, lambda: account.world.change_address(contact.id, "ada@example.org"))


@quirk("webhook_soft_bounces", {True: ["contact.bounced"] * 2, False: ["contact.bounced"]})
def webhook_soft_bounces(account: Account) -> Any:
    contact, other = ada(account), account.world.add(account.list.id, "bo@example.com")

    def bounce() -> None:
        account.world.bounce(contact.id, hard=False)
        account.world.bounce(other.id)

    return told_of(account, bounce)


CASES = [(name, setting) for name, (_, outcomes) in SCENARIOS.items() for setting in outcomes]


@pytest.mark.parametrize(("name", "setting"), CASES, ids=[f"{name}={setting}" for name, setting in CASES])
def test_quirk(name: str, setting: Any) -> None:
    scenario, outcomes = SCENARIOS[name]
    assert scenario(Account(**{name: setting})) == outcomes[setting]


@pytest.mark.parametrize("name", [field.name for field in fields(Quirks)])
def test_every_setting_of_every_quirk_has_a_case(name: str) -> None:
    _, outcomes = SCENARIOS[name]
    kind = get_type_hints(Quirks)[name]
    settings = (True, False) if kind is bool else get_args(kind) if get_origin(kind) is Literal else ()
    assert set(settings) <= set(outcomes)
    assert len(outcomes) > 1
    assert getattr(Quirks(), name) in outcomes
