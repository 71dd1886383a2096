"""/calendars/appointments/{id}/notes (documented: calendars.json)."""

from typing import Any

from sync_daemon.sandbox.ghl.body_rules import Rules, at_most, check, text
from sync_daemon.sandbox.ghl.calls import Answer, Call, Operation
from sync_daemon.sandbox.ghl.errors import no_access_to_location
from sync_daemon.sandbox.ghl.events import Event
from sync_daemon.sandbox.ghl.notes import Note

_NOTE: Rules = {"userId": text, "body": at_most(5000)}
_MOST_NOTES = 20  # in one answer (documented)


def list_appointment_notes(call: Call) -> Answer:
    """GET the notes of an appointment; limit (at most 20) and offset are required."""
    event = _appointment(call)
    call.required("limit", "offset")
    limit, offset = call.whole("limit", 10, low=1, high=_MOST_NOTES), call.whole("offset", 0)
    notes = call.world.notes.of(event.id)
    page = [_note(note) for note in notes[offset : offset + limit]]
    return 200, {"notes": page, "hasMore": offset + limit < len(notes)}


def create_appointment_note(call: Call) -> Answer:
    """POST a note to an appointment."""
    event = _appointment(call)
    check(call.body, _NOTE, ("body",))
    note = Note(
        id=call.world.ids.record(),
        owner=event.id,
        contact_id=event.contact_id or "",
        date_added=call.world.now(),
        body=call.body["body"],
        user_id=call.body.get("userId"),
    )
    return 201, {"note": _note(call.world.notes.save(note))}


def update_appointment_note(call: Call) -> Answer:
    """PUT a new text for a note."""
    note = call.world.notes.get(_appointment(call).id, call.path["noteId"])
    check(call.body, _NOTE, ("body",))
    return 200, {"note": _note(call.world.notes.save(note.changed(call.body)))}


def delete_appointment_note(call: Call) -> Answer:
    """DELETE a note of an appointment."""
    call.world.notes.remove(_appointment(call).id, call.path["noteId"])
    return 200, {"success": True}


def _appointment(call: Call) -> Event:
    event = call.world.calendars.event(call.path["appointmentId"])
    if event.location_id != call.location.id:
        raise no_access_to_location()
    return event


def _note(note: Note) -> dict[str, Any]:
    shown = note.document()
    return {key: shown[key] for key in ("id", "body", "userId", "dateAdded", "contactId") if key in shown}


def _operation(run: Any, mode: str) -> Operation:
    return Operation(run=run, scope=f"calendars/events.{mode}", version="2021-04-15")


OPERATIONS: dict[str, dict[str, Operation]] = {
    "/calendars/appointments/{appointmentId}/notes": {
        "GET": _operation(list_appointment_notes, "readonly"),
        "POST": _operation(create_appointment_note, "write"),
    },
    "/calendars/appointments/{appointmentId}/notes/{noteId}": {
        "PUT": _operation(update_appointment_note, "write"),
        "DELETE": _operation(delete_appointment_note, "write"),
    },
}
