"""The location, its tags, users, workflows and campaigns (facts: GHL §6.5)."""

import pytest

from tests.sandbox.ghl.agency import Agency


@pytest.fixture
def agency() -> Agency:
    return Agency()


def test_a_location_tells_its_zone_and_how_duplicates_are_told(agency: Agency) -> None:
    agency.location.allow_duplicate_contact = True
    location = agency.ask("GET", f"/locations/{agency.location.id}").json()["location"]
    assert (location["timezone"], location["country"]) == ("America/New_York", "US")
    assert location["settings"]["allowDuplicateContact"] is True
    assert location["settings"]["contactUniqueIdentifiers"] == ["email", "phone"]
    assert location["companyId"] == agency.world.company_id


def test_a_locations_token_finds_its_own_location_only(agency: Agency) -> None:
    agency.world.add_location(name="Other")
    seen = agency.ask("GET", "/locations/search").json()["locations"]
    assert [one["id"] for one in seen] == [agency.location.id]
    token = agency.world.accounts.add_private_token(agency.world.company_id, None)
    names = [one["name"] for one in agency.ask("GET", "/locations/search?order=desc", token=token).json()["locations"]]
    assert names == ["Sandbox Location", "Other"]


def test_tag_definitions(agency: Agency) -> None:
    path = f"/locations/{agency.location.id}/tags"
    contact_id = agency.added(email="ada@example.com", tags=["VIP"])
    made = agency.ask("POST", path, {"name": " New "})
    assert (made.status, made.json()["tag"]["name"]) == (200, "new")
    assert agency.ask("POST", path, {"name": "vip"}).status == 400
    assert agency.ask("POST", path, {"name": " "}).status == 422
    one = f"{path}/{made.json()['tag']['id']}"
    assert agency.ask("PUT", one, {"name": "newer"}).json()["tag"]["name"] == "newer"
    assert agency.ask("PUT", one, {"name": "vip"}).status == 400
    assert agency.ask("GET", one).json()["tag"]["name"] == "newer"
    assert [tag["name"] for tag in agency.ask("GET", path).json()["tags"]] == ["vip", "newer"]
    for tag in agency.ask("GET", path).json()["tags"]:
        assert agency.ask("DELETE", f"{path}/{tag['id']}").json()["succeded"] is True
    assert agency.ask("GET", one).status == 404
    assert agency.get(contact_id)["tags"] == ["vip"]


def test_users_are_searched_by_company(agency: Agency) -> None:
    una = agency.world.add_user("Una", "User", "una@example.com")
    agency.world.add_user("Otto", "Other", "otto@example.com")
    bare = agency.ask("GET", "/users/search")
    assert (bare.status, bare.json()["message"]) == (401, "E01 - Unauthorized request")
    url = f"/users/search?companyId={agency.world.company_id}"
    assert agency.ask("GET", url).json()["count"] == 2
    for query in ("query=una", f"ids={una['id']}", "limit=1"):
        assert [user["id"] for user in agency.ask("GET", f"{url}&{query}").json()["users"]] == [una["id"]]
    assert agency.ask("GET", f"/users/{una['id']}").json()["email"] == "una@example.com"
    assert agency.ask("GET", "/users/x").status == 404
    assert len(agency.ask("GET", f"/users/?locationId={agency.location.id}").json()["users"]) == 2


def test_workflows_and_campaigns_are_listed(agency: Agency) -> None:
    agency.world.add_workflow("Welcome")
    agency.world.add_workflow("Draft", "draft")
    agency.world.add_campaign("Spring", "draft")
    where = f"?locationId={agency.location.id}"
    workflows = agency.ask("GET", f"/workflows/{where}").json()["workflows"]
    assert [(one["name"], one["status"]) for one in workflows] == [("Welcome", "published"), ("Draft", "draft")]
    assert len(agency.ask("GET", f"/campaigns/{where}").json()["campaigns"]) == 1
    assert agency.ask("GET", f"/campaigns/{where}&status=published").json()["campaigns"] == []
