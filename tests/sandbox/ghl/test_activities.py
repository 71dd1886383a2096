"""Notes, tasks and the location-wide task search (facts: GHL §6.1, §6.2)."""

from datetime import timedelta
from typing import Any

import pytest

from tests.sandbox.ghl.agency import Agency


@pytest.fixture
def agency() -> Agency:
    return Agency()


@pytest.fixture
def contact_id(agency: Agency) -> str:
    return agency.added(email="ada@example.com", firstName="Ada")


def test_notes_are_listed_whole_newest_first(agency: Agency, contact_id: str) -> None:
    path = f"/contacts/{contact_id}/notes"
    for n in range(3):
        agency.clock.advance(1)
        assert agency.ask("POST", path, {"body": f"Note {n}", "title": "T"}).status == 201
    notes = agency.ask("GET", path).json()["notes"]
    assert [note["body"] for note in notes] == ["Note 2", "Note 1", "Note 0"]
    assert "dateUpdated" not in notes[0]
    one = f"{path}/{notes[0]['id']}"
    assert agency.ask("PUT", one, {"pinned": True}).json()["note"]["pinned"] is True
    assert agency.ask("GET", one).json()["note"]["body"] == "Note 2"
    assert agency.ask("DELETE", one).json()["succeded"] is True
    assert agency.ask("GET", one).status == 404
    assert agency.ask("POST", path, {"title": "no body"}).status == 422


def test_tasks_of_a_contact(agency: Agency, contact_id: str) -> None:
    path = f"/contacts/{contact_id}/tasks"
    body = {"title": "Call", "dueDate": "2026-01-06T10:00:00+01:00", "completed": False}
    made = agency.ask("POST", path, body)
    assert (made.status, made.json()["task"]["dueDate"]) == (201, "2026-01-06T09:00:00.000Z")
    one = f"{path}/{made.json()['task']['id']}"
    assert agency.ask("PUT", f"{one}/completed", {"completed": True}).json()["task"]["completed"] is True
    assert agency.ask("PUT", one, {"title": "Mail"}).json()["task"]["title"] == "Mail"
    assert [task["title"] for task in agency.ask("GET", path).json()["tasks"]] == ["Mail"]
    stranger = agency.added(email="bob@example.com")
    assert agency.ask("GET", f"/contacts/{stranger}/tasks/{made.json()['task']['id']}").status == 404
    assert agency.ask("DELETE", one).json()["succeded"] is True
    assert agency.ask("GET", one).status == 404
    for missing in body:
        assert agency.ask("POST", path, {k: v for k, v in body.items() if k != missing}).status == 422
    assert agency.ask("POST", path, {**body, "dueDate": "tomorrow"}).status == 422


def test_the_task_search_pages_by_skip_and_tells_items_in_its_own_words(agency: Agency, contact_id: str) -> None:
    due = agency.clock.now() + timedelta(days=1)
    tasks = []
    for n in range(5):
        agency.clock.advance(1)
        tasks.append(agency.world.add_task(contact_id if n else None, f"Task {n}", due, completed=n % 2 == 0).id)

    def found(**body: Any) -> list[dict[str, Any]]:
        answer = agency.ask("POST", f"/locations/{agency.location.id}/tasks/search", body)
        assert answer.status == 200, answer.content
        assert "total" not in answer.json()
        return list(answer.json()["tasks"])

    assert [task["_id"] for task in found()] == tasks[::-1]
    assert [task["_id"] for task in found(limit=2, skip=2)] == tasks[2::-1][:2]
    assert [task["_id"] for task in found(completed=False)] == [tasks[3], tasks[1]]
    assert [task["_id"] for task in found(query="task 3")] == [tasks[3]]
    assert [task["_id"] for task in found(assignedTo=["x"])] == []
    assert [task["_id"] for task in found(businessId="x")] == []
    assert [task["_id"] for task in found(contactId=["x"])] == []
    item = found(contactId=[contact_id], limit=1)[0]
    assert item["contactDetails"] == {"id": contact_id, "firstName": "Ada", "lastName": None}
    assert (item["dateAdded"], item["createdAt"], item["deleted"]) == (item["createdAt"], item["dateAdded"], False)
    assert found(limit=1, skip=4)[0]["contactId"] is None


@pytest.mark.parametrize("body", [{"limit": 101}, {"skip": -1}, {"contactId": "x"}, {"dueDate": "2026-01-01"}])
def test_the_task_search_refuses(agency: Agency, body: object) -> None:
    assert agency.ask("POST", f"/locations/{agency.location.id}/tasks/search", body).status == 422
