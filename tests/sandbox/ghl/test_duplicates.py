"""Who counts as the same contact, and what a write to it does (facts: GHL §5)."""

import pytest

from tests.sandbox.ghl.agency import Agency
from tests.sandbox.inprocess import Answer


@pytest.fixture
def agency() -> Agency:
    return Agency()


def refusal(answer: Answer) -> tuple[int, object]:
    return answer.status, answer.json().get("meta")


def test_creation_is_refused_with_whose_address_it_is(agency: Agency) -> None:
    ada = agency.added(email="Ada@Example.com", name="Ada L")
    meta = {"contactId": ada, "matchingField": "email", "contactName": "Ada L"}
    assert refusal(agency.create(email="ADA@example.com")) == (400, meta)
    assert agency.create(email="ADA@example.com").json()["message"] == (
        "This location does not allow duplicated contacts."
    )


def test_creation_is_refused_by_phone_too(agency: Agency) -> None:
    ada = agency.added(phone="+14155552671")
    answer = agency.create(email="new@example.com", phone="(415) 555-2671")
    assert refusal(answer) == (400, {"contactId": ada, "matchingField": "phone", "contactName": ""})
    assert len(agency.world.contacts) == 1


def test_put_is_refused_when_it_takes_anothers_address(agency: Agency) -> None:
    ada, bob = agency.added(email="ada@example.com"), agency.added(email="bob@example.com")
    answer = agency.put(bob, email="ada@example.com", firstName="Bob")
    assert refusal(answer) == (400, {"contactId": ada, "matchingField": "email", "contactName": ""})
    assert "firstName" not in agency.get(bob)
    assert agency.put(bob, email="BOB@example.com", firstName="Bob").status == 200


def test_order_of_identifiers_says_which_match_is_told(agency: Agency) -> None:
    ada, bob = agency.added(email="ada@example.com"), agency.added(phone="+14155552671")
    both = {"email": "ada@example.com", "phone": "+14155552671"}
    assert agency.create(**both).json()["meta"]["contactId"] == ada
    agency.location.unique_identifiers = ("phone", "email")
    assert agency.create(**both).json()["meta"]["contactId"] == bob
    agency.location.unique_identifiers = ("phone",)
    assert agency.create(email="ada@example.com").status == 201


def test_where_duplicates_are_allowed_everything_goes(agency: Agency) -> None:
    agency.location.allow_duplicate_contact = True
    first, second = agency.added(email="ada@example.com"), agency.added(email="ada@example.com")
    assert first != second
    assert agency.put(agency.added(email="bob@example.com"), email="ada@example.com").status == 200


def test_upsert_updates_the_match_or_creates(agency: Agency) -> None:
    made = agency.upsert(email="ada@example.com", firstName="Ada").json()
    again = agency.upsert(email="ADA@example.com", lastName="L").json()
    assert (made["new"], again["new"]) == (True, False)
    assert made["contact"]["id"] == again["contact"]["id"]
    assert again["contact"]["name"] == "Ada L"


def test_upsert_that_matches_two_updates_the_first_and_drops_the_other_value(agency: Agency) -> None:
    ada = agency.added(email="ada@example.com", phone="+14155550001")
    bob = agency.added(email="bob@example.com", phone="+14155550002")
    answer = agency.upsert(email="ada@example.com", phone="+14155550002", firstName="Ada")
    assert answer.status == 200
    contact = answer.json()["contact"]
    assert (contact["id"], contact["phone"], contact["firstName"]) == (ada, "+14155550001", "Ada")
    assert agency.get(bob)["phone"] == "+14155550002"


def test_upsert_creates_a_duplicate_only_where_it_may_and_is_told_to(agency: Agency) -> None:
    ada = agency.added(email="ada@example.com")
    asked = {"email": "ada@example.com", "createNewIfDuplicateAllowed": True}
    assert agency.upsert(**asked).json()["contact"]["id"] == ada
    agency.location.allow_duplicate_contact = True
    assert agency.upsert(email="ada@example.com").json()["new"] is False
    assert agency.upsert(**asked).json()["new"] is True


def test_upsert_by_an_additional_address_replaces_the_primary_one(agency: Agency) -> None:
    ada = agency.added(email="ada@example.com")
    agency.world.add_email(ada, "Second@example.com")
    assert agency.get(ada)["additionalEmails"] == [{"email": "second@example.com"}]
    answer = agency.upsert(email="second@example.com").json()
    assert (answer["new"], answer["contact"]["id"], answer["contact"]["email"]) == (False, ada, "second@example.com")
    assert "additionalEmails" not in answer["contact"]
    agency.world.add_email(ada, "third@example.com")
    for email in ("new@example.com", None):
        assert agency.put(ada, email=email).json()["contact"]["additionalEmails"] == [{"email": "third@example.com"}]
    assert agency.duplicate("email=ada@example.com") is None


def test_duplicate_look_up_never_answers_404(agency: Agency) -> None:
    ada = agency.added(email="a+b@example.com", phone="+14155552671")
    found = [
        agency.duplicate("email=A%2Bb@example.com"),
        agency.duplicate("number=%2B14155552671"),
        agency.duplicate("email=nobody@example.com&number=4155552671"),
    ]
    assert [contact and contact["id"] for contact in found] == [ada, ada, ada]
    assert agency.duplicate("email=a+b@example.com") is None  # a plain + is a space


def test_merge_makes_the_losers_id_disappear(agency: Agency) -> None:
    ada = agency.added(email="ada@example.com", tags=["one"])
    twin = agency.added(email="twin@example.com", tags=["two"], city="London")
    agency.world.add_task(twin, "Call", agency.clock.now())
    agency.world.add_note(twin, "Hello")
    agency.world.merge(ada, twin)
    assert agency.ask("GET", f"/contacts/{twin}").status == 400
    contact = agency.get(ada)
    assert (contact["email"], contact["tags"], contact["city"]) == ("ada@example.com", ["one", "two"], "London")
    assert contact["additionalEmails"] == [{"email": "twin@example.com"}]
    assert len(agency.ask("GET", f"/contacts/{ada}/tasks").json()["tasks"]) == 1
    assert agency.ask("GET", f"/contacts/{ada}/notes").json()["notes"][0]["contactId"] == ada
    found = agency.duplicate("email=twin@example.com")
    assert found is not None
    assert found["id"] == ada
