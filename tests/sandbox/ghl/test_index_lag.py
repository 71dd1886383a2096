"""The search index runs behind, flickers and ends early; reads by id never do (facts: GHL §4.2)."""

from datetime import timedelta

import pytest

from tests.sandbox.ghl.agency import BY_ADDED, BY_UPDATED, Agency, where


@pytest.fixture
def agency() -> Agency:
    return Agency()


def test_new_contacts_are_missing_for_a_while(agency: Agency) -> None:
    agency.weather.index_lag_s = 30
    contact_id = agency.added(email="ada@example.com")
    assert agency.found() == []
    assert agency.get(contact_id)["id"] == contact_id
    assert agency.duplicate("email=ada@example.com") is not None
    agency.clock.advance(29.9)
    assert agency.found() == []
    agency.clock.advance(0.1)
    assert agency.found() == [contact_id]


def test_edited_contacts_are_old_documents_under_the_old_timestamp(agency: Agency) -> None:
    contact_id = agency.crowd(1)[0].id
    before = agency.search(sort=BY_ADDED).json()["contacts"][0]
    agency.weather.index_lag_s = 30
    agency.put(contact_id, firstName="New")
    assert agency.search(sort=BY_ADDED).json()["contacts"][0] == before
    assert agency.found(where("firstNameLowerCase", "eq", "new")) == []
    assert agency.get(contact_id)["firstName"] == "New"
    agency.clock.advance(10)
    agency.put(contact_id, firstName="Newer")
    agency.clock.advance(20)
    assert agency.search(sort=BY_ADDED).json()["contacts"][0]["firstName"] == "New"
    agency.clock.advance(10)
    assert agency.search(sort=BY_UPDATED).json()["contacts"][0]["firstName"] == "Newer"


def test_deleted_contacts_are_still_listed(agency: Agency) -> None:
    contact_id = agency.crowd(1)[0].id
    agency.weather.index_lag_s = 30
    agency.world.delete(contact_id)
    assert agency.found() == [contact_id]
    assert agency.ask("GET", f"/contacts/{contact_id}").status == 400
    agency.clock.advance(30)
    assert agency.found() == []


def test_the_lag_can_begin_after_the_changes_and_end_at_once(agency: Agency) -> None:
    old = agency.crowd(1)[0].id
    new = agency.added(email="new@example.com")
    agency.put(old, firstName="Edited")
    assert agency.found() == [old, new]
    agency.weather.index_lag_s = 30
    assert agency.found() == [old]
    assert agency.search(sort=BY_ADDED).json()["contacts"][0]["firstName"] == "P0"
    agency.weather.index_lag_s = 0
    assert agency.found() == [old, new]


def test_orders_stay_right_while_the_index_moves(agency: Agency) -> None:
    ids = [contact.id for contact in agency.crowd(50)]
    agency.found(sort=BY_UPDATED)
    agency.weather.index_lag_s = 5
    for n, contact_id in enumerate(ids[::3]):
        agency.clock.advance(1)
        agency.world.touch(contact_id)
        found = agency.found(sort=BY_UPDATED)
        late = ids[::3][max(0, n - 4) : n + 1]
        settled = [one for one in ids if one not in ids[::3][: n - 4 if n > 4 else 0]]
        assert found[: len(settled)] == settled
        assert all(one in settled for one in late)


def test_a_big_batch_is_sorted_anew(agency: Agency) -> None:
    agency.crowd(3)
    agency.found(sort=BY_ADDED)
    for n in range(1500):
        agency.world.create(email=f"n{n}@example.com")
    assert agency.search(sort=BY_ADDED, pageLimit=1).json()["total"] == 1503
    agency.weather.index_lag_s = 1
    assert agency.search(sort=BY_ADDED, pageLimit=1).json()["total"] == 3


def test_old_changes_are_forgotten_but_never_lost(agency: Agency) -> None:
    contact_id = agency.crowd(1)[0].id
    for n in range(5000):
        agency.world.edit(contact_id, firstName=f"N{n}")
    agency.found()
    agency.clock.advance(timedelta(hours=2).total_seconds())
    agency.world.edit(contact_id, firstName="Last")
    assert agency.search(sort=BY_ADDED).json()["contacts"][0]["firstName"] == "Last"
    agency.weather.index_lag_s = 60
    assert agency.search(sort=BY_ADDED).json()["contacts"][0]["firstName"] == "N4999"


def test_hits_flicker(agency: Agency) -> None:
    ids = [contact.id for contact in agency.crowd(100)]
    agency.weather.flicker = 0.2
    rounds = [set(agency.found()) for _ in range(10)]
    assert all(len(found) < 100 for found in rounds)
    assert set().union(*rounds) == set(ids)
    assert agency.search(sort=BY_ADDED).json()["total"] == 100


@pytest.mark.parametrize(("short_total", "total"), [(False, 10), (True, 7)])
def test_listings_end_early(agency: Agency, short_total: bool, total: int) -> None:
    ids = [contact.id for contact in agency.crowd(10)]
    agency.weather.short_listing, agency.weather.short_total = 0.3, short_total
    assert agency.found() == ids[:7]
    first = agency.search(sort=BY_ADDED, pageLimit=5).json()
    assert first["total"] == total
    after = first["contacts"][-1]["searchAfter"]
    assert agency.found(pageLimit=5, searchAfter=after) == ids[5:7]


def test_a_listing_goes_on_where_it_began(agency: Agency) -> None:
    agency.crowd(6)
    agency.weather.repeated_cursor = True
    first = agency.search(sort=BY_ADDED, pageLimit=2).json()["contacts"][-1]["searchAfter"]
    second = agency.search(sort=BY_ADDED, pageLimit=2, searchAfter=first).json()["contacts"][-1]["searchAfter"]
    assert second == first
    agency.weather.repeated_cursor = False
    third = agency.search(sort=BY_ADDED, pageLimit=2, searchAfter=first).json()["contacts"][-1]["searchAfter"]
    assert third != first


def test_the_task_search_lags_and_ends_early_too(agency: Agency) -> None:
    contact_id = agency.crowd(1)[0].id
    path = f"/locations/{agency.location.id}/tasks/search"
    agency.weather.index_lag_s = 30
    task = agency.world.add_task(contact_id, "Call", agency.clock.now())
    assert agency.ask("POST", path, {}).json()["tasks"] == []
    assert agency.ask("GET", f"/contacts/{contact_id}/tasks/{task.id}").status == 200
    agency.clock.advance(30)
    assert len(agency.ask("POST", path, {}).json()["tasks"]) == 1
    agency.world.delete(contact_id)
    listed = agency.ask("POST", path, {}).json()["tasks"]
    assert (len(listed), listed[0]["contactDetails"]) == (1, None)
    agency.weather.short_listing = 1
    assert agency.ask("POST", path, {}).json()["tasks"] == []
