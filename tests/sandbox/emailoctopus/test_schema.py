"""Lists, fields and tags through the API."""

from typing import Any

import pytest

from tests.sandbox.emailoctopus.account import Account

TOWN = {"label": "Home town", "tag": "Town", "type": "text"}


@pytest.fixture
def account() -> Account:
    return Account()


def fields(account: Account) -> dict[str, dict[str, Any]]:
    rows = account.ask("GET", f"/lists/{account.list.id}").json()["fields"]
    return {row["tag"]: row for row in rows}


def field(account: Account, method: str, tag: str = "", body: Any = None) -> Any:
    return account.ask(method, f"/lists/{account.list.id}/fields" + (f"/{tag}" if tag else ""), body)


def tag(account: Account, method: str, name: str = "", body: Any = None) -> Any:
    return account.ask(method, f"/lists/{account.list.id}/tags" + (f"/{name}" if name else ""), body)


def test_a_new_list_has_the_built_in_fields_and_no_double_opt_in(account: Account) -> None:
    body = account.ask("POST", "/lists", {"name": "Clients", "double_opt_in": True}).json()
    assert [row["tag"] for row in body["fields"]] == ["FirstName", "LastName"]
    assert body["double_opt_in"] is False
    assert body["counts"] == [{"pending": 0, "subscribed": 0, "unsubscribed": 0}]


def test_a_list_is_renamed_and_deleted_with_its_contacts(account: Account) -> None:
    contact = account.world.add(account.list.id, "ada@example.com")
    account.clock.advance(60)
    renamed = account.ask("PUT", f"/lists/{account.list.id}", {"name": "Clients"}).json()
    assert (renamed["name"], renamed["last_updated_at"]) == ("Clients", "2026-01-05T09:01:00+00:00")
    assert account.ask("DELETE", f"/lists/{account.list.id}").status == 204
    assert account.contacts("GET", f"/{contact.id}").status == 404


@pytest.mark.parametrize("name", ["", None, 5, "x" * 256])
def test_a_list_needs_a_name(account: Account, name: Any) -> None:
    answer = account.ask("POST", "/lists", {"name": name})
    assert (answer.status, answer.json()["errors"][0]["pointer"]) == (422, "/name")


def test_fields_of_every_type_are_made(account: Account) -> None:
    for kind in ("text", "number", "date", "choice_single", "choice_multiple"):
        body = {"label": kind, "tag": f"New_{kind}", "type": kind}
        answer = field(account, "POST", body={**body, "choices": ["a"]} if "choice" in kind else body)
        assert answer.status == 201
        assert answer.json() == fields(account)[f"New_{kind}"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"label": ""}, "/label"),
        ({"tag": "home town"}, "/tag"),
        ({"tag": None}, "/tag"),
        ({"type": "boolean"}, "/type"),
        ({"type": "choice_single"}, "/choices"),
        ({"type": "choice_single", "choices": []}, "/choices"),
        ({"type": "choice_single", "choices": [1]}, "/choices"),
        ({"fallback": ""}, "/fallback"),
        ({"fallback": 3}, "/fallback"),
    ],
)
def test_a_field_must_make_sense(account: Account, change: dict[str, Any], pointer: str) -> None:
    answer = field(account, "POST", body={**TOWN, **change})
    assert (answer.status, answer.json()["errors"][0]["pointer"]) == (422, pointer)


def test_a_field_is_made_once(account: Account) -> None:
    assert field(account, "POST", body=TOWN).status == 201
    assert field(account, "POST", body=TOWN).status == 409


def test_a_renamed_field_keeps_its_values(account: Account) -> None:
    contact = account.world.add(account.list.id, "ada@example.com", {"Note": "x"})
    answer = field(account, "PUT", "Note", {"label": "A note", "tag": "Remark", "type": "text", "fallback": "-"})
    assert answer.json() == {"label": "A note", "tag": "Remark", "type": "text", "fallback": "-"}
    assert account.get(contact)["fields"] == {"Remark": "x"}
    assert "Note" not in fields(account)


def test_a_field_keeps_its_type_and_its_choices(account: Account) -> None:
    body = {"label": "Plan", "tag": "Plan", "type": "text"}
    assert field(account, "PUT", "Plan", body).status == 422
    row = field(account, "PUT", "Plan", {**body, "type": "choice_single", "choices": ["Three"]}).json()
    assert row["choices"] == ["One", "Two"]


def test_a_field_needs_label_tag_and_type_again(account: Account) -> None:
    assert field(account, "PUT", "Note", {"label": "Note"}).status == 422
    assert field(account, "PUT", "note", TOWN).status == 404


def test_a_deleted_field_takes_its_values(account: Account) -> None:
    contact = account.world.add(account.list.id, "ada@example.com", {"Note": "x"})
    assert field(account, "DELETE", "Note").status == 204
    assert field(account, "DELETE", "Note").status == 404
    assert account.get(contact)["fields"] == {}
    assert account.put(contact, fields={"Note": "y"}).status == 422


@pytest.mark.parametrize("name", ["my tag", "a/b", "ça va", "50%"])
def test_tags_of_any_characters(account: Account, name: str) -> None:
    contact = account.world.add(account.list.id, "ada@example.com")
    assert tag(account, "POST", body={"tag": name}).json() == {"tag": name}
    assert tag(account, "POST", body={"tag": name}).status == 409
    account.put(contact, tags={name: True})
    # the driver hands paths on decoded, as a server does
    assert tag(account, "PUT", name, {"tag": "other"}).json() == {"tag": "other"}
    assert account.get(contact)["tags"] == ["other"]
    assert tag(account, "DELETE", "other").status == 204
    assert account.get(contact)["tags"] == []


def test_a_tag_is_not_renamed_onto_another(account: Account) -> None:
    account.world.add(account.list.id, "ada@example.com", None, ["a", "b"])
    assert tag(account, "PUT", "a", {"tag": "b"}).status == 409
    assert tag(account, "PUT", "a", {"tag": "a"}).status == 200
    assert tag(account, "PUT", "c", {"tag": "d"}).status == 404


def test_renaming_a_tag_moves_no_timestamp(account: Account) -> None:
    contact = account.world.add(account.list.id, "ada@example.com", None, ["a"])
    account.clock.advance(60)
    tag(account, "PUT", "a", {"tag": "b"})
    row = account.get(contact)
    assert (row["tags"], row["last_updated_at"]) == (["b"], row["created_at"])
