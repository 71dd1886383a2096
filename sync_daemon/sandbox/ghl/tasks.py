"""Tasks, with and without a contact, and their own search, which lags as well (facts: GHL §6.2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any

from sync_daemon.sandbox.clock import Clock
from sync_daemon.sandbox.ghl.change_log import ChangeLog
from sync_daemon.sandbox.ghl.errors import not_found
from sync_daemon.sandbox.ghl.moments import iso, parse_instant, to_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One version of a task."""

    id: str
    location_id: str
    contact_id: str | None
    date_added: int
    date_updated: int
    title: str
    due: int  # milliseconds since the epoch
    completed: bool = False
    body: str | None = None
    assigned_to: str | None = None

    def document(self) -> dict[str, Any]:
        """The task as the contact routes tell it."""
        shown = {
            "id": self.id,
            "title": self.title,
            "body": self.body,
            "assignedTo": self.assigned_to,
            "dueDate": iso(self.due),
            "completed": self.completed,
            "contactId": self.contact_id,
        }
        return {key: value for key, value in shown.items() if value is not None}

    def found(self, contact: Mapping[str, Any] | None) -> dict[str, Any]:
        """The task as the location-wide search tells it: `_id`, both names of the dates, a cursor (observed)."""
        status = "completed" if self.completed else "incomplete"
        return {
            "_id": self.id,
            "locationId": self.location_id,
            "title": self.title,
            "body": self.body,
            "dueDate": iso(self.due),
            "completed": self.completed,
            "status": status,
            "statusGroup": status,
            "contactId": self.contact_id,
            "contactDetails": contact,
            "assignedTo": self.assigned_to,
            "assignedToUserDetails": None,
            "businessId": None,
            "deleted": False,
            "dateAdded": iso(self.date_added),
            "createdAt": iso(self.date_added),
            "dateUpdated": iso(self.date_updated),
            "updatedAt": iso(self.date_updated),
            "searchAfter": [self.date_added, self.id],
        }


def changed(task: Task, body: Mapping[str, Any], now: int) -> Task:
    """Apply what a validated body names."""
    changes = {attribute: body[key] for key, attribute in _WRITABLE.items() if body.get(key) is not None}
    if body.get("dueDate") is not None:
        changes["due"] = due_ms(body["dueDate"])
    return replace(task, date_updated=now, **changes)


def due_ms(text: str) -> int:
    """Read a dueDate; without an offset it is UTC. Raises ValueError."""
    return to_ms(parse_instant(text, UTC))


_WRITABLE = {"title": "title", "body": "body", "assignedTo": "assigned_to", "completed": "completed"}


class TaskBook:
    """The tasks of all locations, and what their search shows of them."""

    def __init__(self, clock: Clock) -> None:
        self._tasks: dict[str, Task] = {}
        self._shown: dict[str, Task] = {}
        self._log: ChangeLog[Task] = ChangeLog(clock)

    def of(self, contact_id: str) -> list[Task]:
        """List the tasks of a contact."""
        return [task for task in self._tasks.values() if task.contact_id == contact_id]

    def find(self, task_id: str) -> Task | None:
        """Find a task."""
        return self._tasks.get(task_id)

    def get(self, task_id: str, contact_id: str | None = None) -> Task:
        """Read a task, of one contact if that is named. Raises ApiError 404."""
        task = self.find(task_id)
        if task is None or (contact_id is not None and task.contact_id != contact_id):
            raise not_found("Task not found")
        return task

    def save(self, task: Task) -> Task:
        """Store a task, new or changed."""
        self._log.record(self.find(task.id), task)
        self._tasks[task.id] = task
        return task

    def remove(self, task_id: str) -> None:
        """Delete a task. Raises ApiError 404."""
        self._log.record(self.get(task_id), None)
        del self._tasks[task_id]

    def search(self, location_id: str, wanted: Callable[[Task], bool], lag_s: float) -> list[Task]:
        """Give the tasks of a location that pass a test, newest first, as they were `lag_s` ago."""
        for before, after in self._log.steps(lag_s):
            if before is not None:
                self._shown.pop(before.id, None)
            if after is not None:
                self._shown[after.id] = after
        found = [task for task in self._shown.values() if task.location_id == location_id and wanted(task)]
        return sorted(found, key=lambda task: (-task.date_added, task.id))
