"""Notes, tasks and appointments of a contact, and the location-wide task search (facts: GHL §6.1 to §6.3)."""

from datetime import UTC
from typing import Any

from sync_daemon.sandbox.ghl.body_rules import Rules, boolean, check, instant, number, text, texts
from sync_daemon.sandbox.ghl.calls import Answer, Call, Operation
from sync_daemon.sandbox.ghl.errors import ApiError, unprocessable
from sync_daemon.sandbox.ghl.notes import Note
from sync_daemon.sandbox.ghl.tasks import Task, changed, due_ms

_NOTE: Rules = {"userId": text, "body": text, "title": text, "color": text, "pinned": boolean}
_TASK: Rules = {"title": text, "body": text, "dueDate": instant, "completed": boolean, "assignedTo": text}
_TASK_SEARCH: Rules = {
    "contactId": texts,
    "completed": boolean,
    "assignedTo": texts,
    "query": text,
    "limit": number,
    "skip": number,
    "businessId": text,
}
_MOST_TASKS = 100  # in one answer; what clients use, the maximum isn't documented


def list_notes(call: Call) -> Answer:
    """GET every note of a contact."""
    return 200, {"notes": [note.document() for note in call.world.notes.of(call.contact().id)]}


def create_note(call: Call) -> Answer:
    """POST a note."""
    contact = call.contact()
    check(call.body, _NOTE, ("body",))
    note = Note(
        id=call.world.ids.record(),
        owner=contact.id,
        contact_id=contact.id,
        date_added=call.world.now(),
        body=call.body["body"],
    )
    return 201, {"note": call.world.save_note(note.changed(call.body)).document()}


def get_note(call: Call) -> Answer:
    """GET one note."""
    return 200, {"note": call.world.notes.get(call.contact().id, call.path["id"]).document()}


def update_note(call: Call) -> Answer:
    """PUT what changes of a note."""
    note = call.world.notes.get(call.contact().id, call.path["id"])
    check(call.body, _NOTE)
    return 200, {"note": call.world.save_note(note.changed(call.body)).document()}


def delete_note(call: Call) -> Answer:
    """DELETE a note."""
    call.world.remove_note(call.contact().id, call.path["id"])
    return 200, call.done()


def list_tasks(call: Call) -> Answer:
    """GET every task of a contact."""
    return 200, {"tasks": [task.document() for task in call.world.tasks.of(call.contact().id)]}


def create_task(call: Call) -> Answer:
    """POST a task."""
    contact = call.contact()
    check(call.body, _TASK, ("title", "dueDate", "completed"))
    now = call.world.now()
    task = Task(
        id=call.world.ids.record(),
        location_id=contact.location_id,
        contact_id=contact.id,
        date_added=now,
        date_updated=now,
        title=call.body["title"],
        due=due_ms(call.body["dueDate"]),
    )
    return 201, _saved(call, changed(task, call.body, now))


def get_task(call: Call) -> Answer:
    """GET one task."""
    return 200, {"task": _task(call).document()}


def update_task(call: Call) -> Answer:
    """PUT what changes of a task."""
    task = _task(call)
    check(call.body, _TASK)
    return 200, _saved(call, changed(task, call.body, call.world.now()))


def complete_task(call: Call) -> Answer:
    """PUT whether a task is done."""
    task = _task(call)
    check(call.body, {"completed": boolean}, ("completed",))
    return 200, _saved(call, changed(task, call.body, call.world.now()))


def delete_task(call: Call) -> Answer:
    """DELETE a task."""
    call.world.remove_task(_task(call).id)
    return 200, call.done()


def _task(call: Call) -> Task:
    return call.world.tasks.get(call.path["taskId"], call.contact().id)


def _saved(call: Call, task: Task) -> dict[str, Any]:
    return {"task": call.world.save_task(task).document()}


def search_tasks(call: Call) -> Answer:
    """POST a search over the location's tasks; no total, no date filter, paged by skip (documented)."""
    check(call.body, _TASK_SEARCH)
    limit, skip = int(call.body.get("limit") or 25), int(call.body.get("skip") or 0)
    if not 1 <= limit <= _MOST_TASKS or skip < 0:
        raise unprocessable([f"limit must be between 1 and {_MOST_TASKS}, skip not negative"])
    weather = call.context.weather
    found = call.world.tasks.search(call.location.id, lambda task: _is_wanted(call, task), weather.index_lag_s)
    found = found[: len(found) - round(len(found) * weather.short_listing)]
    return 200, {"tasks": [task.found(_details(call, task)) for task in found[skip : skip + limit]]}


def _is_wanted(call: Call, task: Task) -> bool:
    body = call.body
    if body.get("contactId") and task.contact_id not in body["contactId"]:
        return False
    if body.get("completed") is not None and task.completed != body["completed"]:
        return False
    if body.get("assignedTo") and task.assigned_to not in body["assignedTo"]:
        return False
    if body.get("businessId"):
        return False  # the sandbox hangs no tasks on businesses
    return str(body.get("query") or "").lower() in f"{task.title} {task.body or ''}".lower()


def _details(call: Call, task: Task) -> dict[str, Any] | None:
    if task.contact_id is None:
        return None
    try:
        contact = call.world.contacts.get(task.contact_id)
    except ApiError:  # the task index lags behind the contact's deletion
        return None
    return {
        "id": contact.id,
        "firstName": contact.fields.get("firstName"),
        "lastName": contact.fields.get("lastName"),
    }


def list_appointments(call: Call) -> Answer:
    """GET every appointment of a contact, under the key `events`."""
    contact = call.contact()
    zone = call.location.zone if call.world.quirks.appointment_times == "location" else UTC
    return 200, {"events": [event.of_contact(zone) for event in call.world.calendars.of_contact(contact.id)]}


def _read(run: Any) -> Operation:
    return Operation(run=run, scope="contacts.readonly")


def _write(run: Any) -> Operation:
    return Operation(run=run, scope="contacts.write")


OPERATIONS: dict[str, dict[str, Operation]] = {
    "/contacts/{contactId}/notes": {"GET": _read(list_notes), "POST": _write(create_note)},
    "/contacts/{contactId}/notes/{id}": {
        "GET": _read(get_note),
        "PUT": _write(update_note),
        "DELETE": _write(delete_note),
    },
    "/contacts/{contactId}/tasks": {"GET": _read(list_tasks), "POST": _write(create_task)},
    "/contacts/{contactId}/tasks/{taskId}": {
        "GET": _read(get_task),
        "PUT": _write(update_task),
        "DELETE": _write(delete_task),
    },
    "/contacts/{contactId}/tasks/{taskId}/completed": {"PUT": _write(complete_task)},
    "/contacts/{contactId}/appointments": {"GET": _read(list_appointments)},
    "/locations/{locationId}/tasks/search": {
        "POST": Operation(run=search_tasks, scope="locations/tasks.readonly"),
    },
}
