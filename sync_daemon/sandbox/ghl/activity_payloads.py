"""What GHL's app events say of a task, note or appointment (facts: GHL §8.2)."""

from dataclasses import replace
from typing import Any

from sync_daemon.sandbox.ghl.events import Event
from sync_daemon.sandbox.ghl.location import Location
from sync_daemon.sandbox.ghl.moments import from_ms, iso, iso_in
from sync_daemon.sandbox.ghl.notes import Note
from sync_daemon.sandbox.ghl.quirks import GhlQuirks
from sync_daemon.sandbox.ghl.state import Activity
from sync_daemon.sandbox.ghl.tasks import Task

_NAMES = {Task: "Task", Note: "Note", Event: "Appointment"}


def activity_type(before: Activity | None, after: Activity | None) -> str | None:
    """Tell which event a change raises, None for none: a blocked slot has none, and a task is only ever completed."""
    record = after or before
    if record is None or (isinstance(record, Event) and record.contact_id is None):
        return None
    name = _NAMES[type(record)]
    if before is None:
        return f"{name}Create"
    if after is None:
        return f"{name}Delete"
    if isinstance(before, Task) and isinstance(after, Task):
        return "TaskComplete" if after.completed and not before.completed else None
    return f"{name}Update" if _told_apart(before) != _told_apart(after) else None


def _told_apart(record: Activity) -> Activity:
    return replace(record, date_updated=0) if isinstance(record, Event) else record


def activity_payload(kind: str, record: Activity, location: Location, quirks: GhlQuirks) -> dict[str, Any]:
    """Write an event without what every delivery adds; TaskCreate is thin in practice (issue 332)."""
    root = {"type": kind, "locationId": location.id}
    if isinstance(record, Task):
        thin = kind == "TaskCreate" and quirks.webhook_task_thin
        return {**root, **_task(record, thin=thin)}
    if isinstance(record, Note):
        return {**root, **_note(record)}
    return {**root, "appointment": _appointment(record, location)}


def _task(task: Task, *, thin: bool) -> dict[str, Any]:
    shown = {
        "id": task.id,
        "title": task.title,
        "body": task.body,
        "assignedTo": task.assigned_to,
        "contactId": task.contact_id,
        "dateAdded": iso(task.date_added),
        "dueDate": iso(task.due),
    }
    left_out = ("contactId", "body") if thin else ()
    return {name: value for name, value in shown.items() if value is not None and name not in left_out}


def _note(note: Note) -> dict[str, Any]:
    return {"id": note.id, "body": note.body, "contactId": note.contact_id, "dateAdded": iso(note.date_added)}


def _appointment(event: Event, location: Location) -> dict[str, Any]:
    """Times of the appointment with the location's offset."""
    return {
        "id": event.id,
        "address": event.address,
        "title": event.title,
        "calendarId": event.calendar_id,
        "contactId": event.contact_id,
        "groupId": event.group_id,
        "appointmentStatus": event.status,
        "assignedUserId": event.assigned_user_id,
        "users": [],
        "notes": event.description,
        "source": event.source,
        "startTime": iso_in(from_ms(event.start), location.zone),
        "endTime": iso_in(from_ms(event.end), location.zone),
        "dateAdded": iso(event.date_added),
        "dateUpdated": iso(event.date_updated),
    }
