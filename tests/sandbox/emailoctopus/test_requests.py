"""Keys, content types, paths and parameters: how the API receives a request before it does anything."""

from typing import Any

import pytest

from tests.sandbox.emailoctopus.account import KEY, Account
from tests.sandbox.inprocess import Answer, ask


@pytest.fixture
def account() -> Account:
    return Account()


def with_headers(account: Account, method: str, path: str, body: Any = None, **headers: str) -> Answer:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(account.app, method, path, body, names)


def test_without_a_key_the_type_is_a_relative_one(account: Account) -> None:
    answer = with_headers(account, "GET", "/lists")
    assert answer.status == 401
    assert answer.json()["type"] == "/errors/401"
    assert "x-ratelimiting-remaining" not in answer.headers


@pytest.mark.parametrize("header", ["Bearer wrong", f"Basic {KEY}", KEY, "Bearer"])
def test_a_bad_key_is_unauthorized(account: Account, header: str) -> None:
    answer = with_headers(account, "GET", "/lists", authorization=header)
    assert answer.status == 401
    assert answer.json() == {
        "title": "An error occurred.",
        "detail": "Invalid key.",
        "status": 401,
        "type": "https://emailoctopus.com/api-documentation/v2#unauthorized",
    }


@pytest.mark.parametrize("header", [f"Bearer {KEY}", f"bearer {KEY}"])
def test_a_good_key_opens(account: Account, header: str) -> None:
    assert with_headers(account, "GET", "/lists", authorization=header).status == 200


@pytest.mark.parametrize("path", ["/v2/lists", "/automations", "/lists/x/y/z", "/"])
def test_unknown_paths_are_json_404s_even_without_a_key(account: Account, path: str) -> None:
    answer = with_headers(account, "GET", path)
    assert (answer.status, answer.json()["status"]) == (404, 404)
    assert answer.headers["content-type"] == "application/json"


def test_a_wrong_method_is_405(account: Account) -> None:
    answer = account.ask("DELETE", "/lists")
    assert answer.status == 405
    assert answer.json()["type"].endswith("#method-not-allowed")


def test_a_405_names_the_methods_there_are(account: Account) -> None:
    allowed = account.ask("PATCH", "/lists").headers["allow"]
    assert {name.strip() for name in allowed.split(",")} == {"GET", "HEAD", "POST"}


def test_the_introductions_own_example_works(account: Account) -> None:
    assert account.ask("GET", "/lists/").json() == account.ask("GET", "/lists").json()


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_bodies_must_be_json_by_their_type(account: Account, kind: str) -> None:
    answer = with_headers(account, "POST", "/lists", {"name": "x"}, authorization=f"Bearer {KEY}", content_type=kind)
    assert answer.status == 415
    assert answer.json()["type"].endswith("#unsupported-media-type")


def test_a_charset_is_no_harm(account: Account) -> None:
    kind = "application/json; charset=utf-8"
    headers = {"authorization": f"Bearer {KEY}", "content_type": kind}
    assert with_headers(account, "POST", "/lists", {"name": "x"}, **headers).status == 201


@pytest.mark.parametrize("body", [[], "text", 1])
def test_a_body_must_be_an_object(account: Account, body: Any) -> None:
    answer = account.ask("POST", "/lists", body)
    assert (answer.status, answer.json()["detail"]) == (400, "Bad request.")


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        (f"limit={'9' * 5000}", "limit"),
        ("status=SUBSCRIBED", "status"),
        ("status=any", "status"),
        ("created_at.gte=yesterday", "created_at.gte"),
        ("last_updated_at.lte=2026-01-05T09:00:00+00:00", "last_updated_at.lte"),  # a plus means a space
        ("starting_after=nonsense", "starting_after"),
        ("starting_after=WyJhIl0", "starting_after"),
    ],
)
def test_bad_parameters_are_named(account: Account, query: str, parameter: str) -> None:
    answer = account.contacts("GET", "?" + query)
    assert answer.status == 400
    assert [error["parameter"] for error in answer.json()["errors"]] == [parameter]


@pytest.mark.parametrize(
    ("path", "parameter"),
    [("/lists/abc", "list_id"), ("/lists/abc/contacts", "list_id"), ("/campaigns/1", "campaign_id")],
)
def test_ids_must_be_uuids(account: Account, path: str, parameter: str) -> None:
    answer = account.ask("GET", path)
    assert answer.status == 400
    assert answer.json()["errors"] == [{"detail": "This value is not a valid UUID.", "parameter": parameter}]


def test_a_report_demands_a_status(account: Account) -> None:
    campaign = account.world.create_campaign("Hello", [account.list.id])
    answer = account.ask("GET", f"/campaigns/{campaign.id}/reports")
    assert (answer.status, answer.json()["errors"][0]["parameter"]) == (400, "status")


def test_another_accounts_list_is_403(account: Account) -> None:
    foreign = account.world.new_id()
    account.world.foreign_ids.add(foreign)
    assert account.ask("GET", f"/lists/{foreign}").status == 403


def test_a_key_counts_requests_and_the_control_routes_do_not() -> None:
    account = Account()
    account.context.limiter.settings.enabled = True
    assert account.ask("GET", "/lists").headers["x-ratelimiting-remaining"] == "99"
    account.ask("GET", "/_sandbox/lists")
    assert account.ask("GET", "/lists").headers["x-ratelimiting-remaining"] == "98"
