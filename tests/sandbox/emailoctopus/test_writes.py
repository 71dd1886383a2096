"""Creating, upserting, updating, deleting: what each does, keeps and refuses."""

from typing import Any

import pytest

from sync_daemon.sandbox.emailoctopus.model import Contact
from sync_daemon.sandbox.emailoctopus.roster import md5_of
from tests.sandbox.emailoctopus.account import Account


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def ada(account: Account) -> Contact:
    return account.world.add(account.list.id, "ada@example.com", {"Note": "x", "Pets": 1}, ["vip"])


@pytest.mark.parametrize(
    ("address", "digest"),
    [
        ("otto@example.com", "fe5406045b18b2d2377f81bcfed84cf7"),
        (" Otto+News@Example.com ", "8b8bf3300edcafedd25da30880eb01af"),
    ],
)
def test_the_md5_is_of_the_lower_case_address(address: str, digest: str) -> None:
    assert md5_of(address) == digest


def test_post_creates_with_an_array_of_tags(account: Account) -> None:
    body = {
        "email_address": "new@example.com",
        "fields": {"Note": "hi", "Topics": ["Tea"], "Birthday": "2015-12-01"},
        "tags": ["a", "b"],
    }
    answer = account.contacts("POST", "", body)
    assert answer.status == 201
    row = answer.json()
    assert row == {**body, "id": row["id"], "status": "subscribed"} | {
        "created_at": "2026-01-05T09:00:00+00:00",
        "last_updated_at": "2026-01-05T09:00:00+00:00",
    }
    assert account.contacts("GET", "/" + md5_of("NEW@example.com")).json() == row


def test_put_keeps_what_it_does_not_name(account: Account, ada: Contact) -> None:
    row = account.put(ada, fields={"Pets": None, "Plan": "One"}, tags={"new": True, "vip": False}).json()
    assert row["fields"] == {"Note": "x", "Plan": "One"}
    assert row["tags"] == ["new"]
    assert row["status"] == "subscribed"
    assert account.put(ada).json() == row


def test_upsert_updates_whoever_has_the_address(account: Account, ada: Contact) -> None:
    body = {"email_address": "ADA@example.com", "fields": {"Note": "y"}}
    row = account.contacts("PUT", "", body).json()
    assert (row["id"], row["email_address"], row["fields"]) == (ada.id, "ada@example.com", {"Note": "y", "Pets": 1})


def test_upsert_creates_with_an_object_of_tags(account: Account) -> None:
    body = {"email_address": "new@example.com", "tags": {"a": True, "b": False}, "status": "unsubscribed"}
    answer = account.contacts("PUT", "", body)
    assert (answer.status, answer.json()["tags"], answer.json()["status"]) == (200, ["a"], "unsubscribed")


def test_an_address_changes_by_id_and_its_old_md5_is_forgotten(account: Account, ada: Contact) -> None:
    row = account.contacts("PUT", "/" + md5_of("ada@example.com"), {"email_address": "ada@example.org"}).json()
    assert row["id"] == ada.id
    assert account.contacts("GET", "/" + md5_of("ada@example.com")).status == 404
    assert account.contacts("GET", "/" + md5_of("ada@example.org")).status == 200


def test_an_address_that_is_taken_is_409(account: Account, ada: Contact) -> None:
    account.world.add(account.list.id, "bob@example.com")
    assert account.put(ada, email_address="Bob@example.com").status == 409
    assert account.put(ada, email_address="Ada@example.com").json()["email_address"] == "Ada@example.com"
    assert account.contacts("POST", "", {"email_address": "bob@example.com"}).status == 409


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/email_address"]),
        ({"email_address": ""}, ["/email_address"]),
        ({"email_address": 7}, ["/email_address"]),
        ({"email_address": "ada@localhost"}, ["/email_address"]),
        ({"email_address": "no address"}, ["/email_address"]),
        ({"email_address": "a" * 250 + "@example.com"}, ["/email_address"]),
        ({"email_address": f"ada@{'e' * 64}.com"}, ["/email_address"]),
        ({"email_address": "a@example.com", "status": "SUBSCRIBED"}, ["/status"]),
        ({"email_address": "a@example.com", "status": None}, ["/status"]),
        ({"email_address": "a@example.com", "tags": {"vip": True}}, ["/tags"]),
        ({"email_address": "a@example.com", "tags": [1]}, ["/tags"]),
        ({"email_address": "a@example.com", "fields": "x"}, ["/fields"]),
        ({"email_address": "", "fields": {"Pets": "x", "Note": 1}}, ["/email_address", "/fields/Pets", "/fields/Note"]),
    ],
)
def test_post_says_everything_that_is_wrong(account: Account, body: dict[str, Any], pointers: list[str]) -> None:
    answer = account.contacts("POST", "", body)
    assert answer.status == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == pointers
    assert len(account.list.contacts) == 0


@pytest.mark.parametrize("tags", [["vip"], {"vip": 1}, {"": True}, "vip"])
def test_put_wants_an_object_of_tags(account: Account, ada: Contact, tags: Any) -> None:
    assert account.put(ada, tags=tags).status == 422


@pytest.mark.parametrize("name", ["email_address", "fields", "tags", "status"])
def test_null_is_only_a_value_of_a_field(account: Account, ada: Contact, name: str) -> None:
    answer = account.put(ada, **{name: None})
    assert answer.status == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{name}"]


@pytest.mark.parametrize(
    ("tag", "value"),
    [("Pets", True), ("Birthday", "2015-02-30"), ("Birthday", "soon"), ("Topics", "Tea"), ("Topics", ["Wine"])],
)
def test_values_of_the_wrong_type_are_refused(account: Account, ada: Contact, tag: str, value: Any) -> None:
    answer = account.put(ada, fields={tag: value, "Note": "changed"})
    assert (answer.status, answer.json()["errors"][0]["pointer"]) == (422, f"/fields/{tag}")
    assert account.get(ada)["fields"]["Note"] == "x"


@pytest.mark.parametrize(
    "address", ["Ünal@example.com", "o'neil@example.com", "a@sub.example.co.uk", "a@bücher.example.com"]
)
def test_unusual_addresses_are_addresses(account: Account, address: str) -> None:
    assert account.contacts("POST", "", {"email_address": address}).status == 201


def test_delete_erases(account: Account, ada: Contact) -> None:
    assert account.contacts("DELETE", f"/{ada.id}").status == 204
    assert account.contacts("DELETE", f"/{ada.id}").status == 404
    assert account.contacts("GET", f"/{ada.id}").status == 404
    assert account.listed() == []


def test_batch_updates_each_by_itself(account: Account, ada: Contact) -> None:
    bob = account.world.add(account.list.id, "bob@example.com")
    items: list[dict[str, Any]] = [
        {"id": ada.id, "fields": {"Note": "y"}, "tags": {"vip": False}},
        {"id": bob.id, "email_address": "ada@example.com"},
        {"id": bob.id, "fields": {"Pets": "x"}},
        {"id": account.world.new_id()},
        {"id": bob.id, "status": "unsubscribed"},
    ]
    answer = account.contacts("PUT", "/batch", {"contacts": items})
    assert answer.status == 200
    assert [row["data"]["id"] for row in answer.json()["success"]] == [ada.id, bob.id]
    assert [(row["id"], row["status"], row["data"]) for row in answer.json()["errors"]] == [
        (bob.id, 409, None),
        (bob.id, 400, None),
        (items[3]["id"], 404, None),
    ]
    assert account.get(ada)["tags"] == []
    assert account.get(bob)["status"] == "unsubscribed"


def test_ids_are_read_in_capitals_too_one_by_one_and_in_a_batch(account: Account, ada: Contact) -> None:
    assert account.contacts("GET", f"/{ada.id.upper()}").json()["id"] == ada.id
    answer = account.contacts("PUT", "/batch", {"contacts": [{"id": ada.id.upper(), "fields": {"Note": "y"}}]})
    assert [row["data"]["id"] for row in answer.json()["success"]] == [ada.id]


@pytest.mark.parametrize(
    "body", [{}, {"contacts": {}}, {"contacts": ["x"]}, {"contacts": [{}]}, {"contacts": [{"id": 1}]}]
)
def test_a_batch_of_the_wrong_shape_is_refused(account: Account, body: Any) -> None:
    assert account.contacts("PUT", "/batch", body).status == 422


def test_a_full_plan_stops_creation_and_return_but_not_updates(account: Account, ada: Contact) -> None:
    gone = account.world.add(account.list.id, "gone@example.com", status="unsubscribed")
    account.weather.plan_limit = 1
    refused = [
        account.contacts("POST", "", {"email_address": "new@example.com"}),
        account.contacts("PUT", "", {"email_address": "new@example.com"}),
        account.put(gone, status="subscribed"),
    ]
    assert [answer.json()["type"].rpartition("#")[2] for answer in refused] == ["out-of-limits"] * 3
    assert account.put(ada, fields={"Note": "y"}).status == 200
    assert account.contacts("POST", "", {"email_address": "out@example.com", "status": "unsubscribed"}).status == 201
    assert account.put(ada, status="unsubscribed").status == 200
    assert account.put(gone, status="subscribed").status == 200


@pytest.mark.parametrize("double_opt_in", [False, True])
def test_pending_sends_the_question_only_on_a_double_opt_in_list(account: Account, *, double_opt_in: bool) -> None:
    account.world.set_double_opt_in(account.list.id, double_opt_in=double_opt_in)
    row = account.contacts("POST", "", {"email_address": "new@example.com", "status": "pending"}).json()
    assert row["status"] == "pending"
    assert [contact_id for contact_id, _ in account.world.confirmation_mails] == ([row["id"]] if double_opt_in else [])


def test_a_suppressed_contact_stays_as_it_is_when_unsubscribed_again(account: Account, ada: Contact) -> None:
    account.world.quirks.suppressed_reads_as = "own"
    account.world.complain(ada.id)
    assert account.put(ada, status="unsubscribed").json()["status"] == "complained"


def test_becoming_pending_sends_the_question_and_other_updates_do_not(account: Account, ada: Contact) -> None:
    account.world.set_double_opt_in(account.list.id, double_opt_in=True)
    account.put(ada, status="pending")
    assert account.put(ada, fields={"Note": "y"}).json()["status"] == "pending"
    assert [contact_id for contact_id, _ in account.world.confirmation_mails] == [ada.id]


def test_addresses_are_trimmed_before_they_are_judged(account: Account) -> None:
    assert account.contacts("POST", "", {"email_address": " a@example.com "}).json()["email_address"] == "a@example.com"
    assert account.contacts("POST", "", {"email_address": "a..b@example.com"}).status == 422
