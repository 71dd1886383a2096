"""Tasks, notes and appointments of a location (facts: GHL section 6)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from sync_daemon.model.activity import Appointment, Note, Task
from sync_daemon.model.errors import NotFound
from sync_daemon.systems.ghl import wire
from sync_daemon.systems.ghl.client import Client
from sync_daemon.systems.ghl.mapping import moment
from sync_daemon.systems.ghl.values import Unreadable

_PAGE = 100
"""Tasks of a page; the limit isn't documented, this is what clients use (observed)."""
_MOST_PAGES = 10_000


class GhlActivity:
    """The activity of one location."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def tasks(self, *, completed: bool) -> Iterator[Task]:
        """Every task of the location that is open, or that is completed: pages follow by their number alone.

        One that is passed over while others are closed meanwhile turns up at the next look.
        """
        for page in range(_MOST_PAGES):
            body = {"completed": completed, "limit": _PAGE, "skip": page * _PAGE}
            rows = self._client.search_tasks(body).tasks
            yield from (task_of(row) for row in rows if row.completed is completed and not row.deleted)
            if len(rows) < _PAGE:
                return

    def tasks_of(self, contact_id: str) -> list[Task]:
        """The tasks of one contact; when they were completed tells the search. Raises `NotFound` without a contact."""
        tasks = [task_of(row) for row in self._client.tasks_of(contact_id) if not row.deleted]
        if not any(task.completed for task in tasks):
            return tasks
        body = {"contactId": [contact_id], "completed": True, "limit": _PAGE}
        told = {one.id: one for one in map(task_of, self._client.search_tasks(body).tasks)}
        return [
            replace(task, added_at=told[task.id].added_at, updated_at=told[task.id].updated_at)
            if task.id in told
            else task
            for task in tasks
        ]

    def notes_of(self, contact_id: str) -> list[Note]:
        """The notes of one contact. Raises `NotFound` when there is no such contact."""
        rows = self._client.notes_of(contact_id)
        return [Note(row.id, str(row.body or ""), _time(row.date_added)) for row in rows]

    def appointments(self, start: datetime, end: datetime) -> Iterator[Appointment]:
        """The appointments of every calendar that begin between two moments: one request for each calendar."""
        first, last = (int(at.timestamp() * 1000) for at in (start, end))
        for calendar in self._client.calendars():
            yield from _appointments(self._client.calendar_events(calendar.id, first, last))

    def appointments_of(self, contact_id: str) -> list[Appointment]:
        """Every appointment of one contact, each read by id: the contact's list tells times without their zone."""
        found = []
        for row in self._client.appointments_of(contact_id):
            try:
                found.append(self._client.appointment(row.id))
            except NotFound:  # deleted since, or an instance of one that recurs: its calendar tells it
                continue
        return list(_appointments(found))


def _time(told: wire.Moment) -> datetime | None:
    """A moment, None also for what is no time: the rest of the record is worth showing."""
    try:
        return moment(told)
    except Unreadable:
        return None


def task_of(row: wire.Task) -> Task:
    """A task as its list or the search tells it."""
    return Task(
        id=row.id or row.search_id,
        contact_id=row.contact_id,
        title=str(row.title or ""),
        due=_time(row.due_date),
        completed=row.completed,
        added_at=_time(row.date_added or row.created_at),
        updated_at=_time(row.date_updated or row.updated_at),
    )


def _appointments(rows: list[wire.Event]) -> Iterator[Appointment]:
    for row in rows:
        start = _time(row.start_time)
        if start is not None and not row.deleted:
            status = (row.appointment_status or "").lower()
            yield Appointment(row.id, row.contact_id, str(row.title or ""), start, status, _time(row.date_added))
