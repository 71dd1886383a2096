"""/calendars/events and blocked slots (documented: calendars.json; facts: GHL §6.3)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sync_daemon.sandbox.ghl.body_rules import Rules, boolean, check, instant, one_of, text
from sync_daemon.sandbox.ghl.calls import Answer, Call, Operation
from sync_daemon.sandbox.ghl.errors import bad_request, no_access_to_location, not_found, unprocessable
from sync_daemon.sandbox.ghl.events import STATUSES, STATUSES_V3, Event, half_hour_later
from sync_daemon.sandbox.ghl.moments import parse_instant, to_ms

_MEETINGS = ("custom", "zoom", "gmeet", "phone", "address", "ms_teams", "google")
_WRITABLE = {
    "title": "title",
    "appointmentStatus": "status",
    "assignedUserId": "assigned_user_id",
    "address": "address",
    "description": "description",
    "meetingLocationType": "meeting_type",
    "rrule": "rrule",
}


def _rules(call: Call) -> Rules:
    return {
        "title": text,
        "meetingLocationType": one_of(_MEETINGS),
        "meetingLocationId": text,
        "overrideLocationConfig": boolean,
        "appointmentStatus": one_of(STATUSES_V3 if call.v3 else STATUSES),
        "assignedUserId": text,
        "description": text,
        "address": text,
        "ignoreDateRange": boolean,
        "toNotify": boolean,
        "ignoreFreeSlotValidation": boolean,
        "rrule": text,
        "calendarId": text,
        "startTime": instant,
        "endTime": instant,
    }


def list_events(call: Call) -> Answer:
    """GET the appointments of a user, a calendar or a group within a window; unpaged."""
    return _listed(call, lambda event: event.contact_id is not None)


def list_blocked_slots(call: Call) -> Answer:
    """GET the blocked slots within a window."""
    return _listed(call, lambda event: event.contact_id is None)


def _listed(call: Call, kind: Callable[[Event], bool]) -> Answer:
    call.required("startTime", "endTime")
    user, calendar, group = (call.query.get(name) for name in ("userId", "calendarId", "groupId"))
    if not (user or calendar or group):
        raise unprocessable(["Either of userId, calendarId or groupId is required"])

    def wanted(event: Event) -> bool:
        return (
            kind(event)
            and event.location_id == call.location.id
            and user in (None, event.assigned_user_id)
            and calendar in (None, event.calendar_id)
            and group in (None, event.group_id)
        )

    found = call.world.calendars.between(call.whole("startTime", 0), call.whole("endTime", 0), wanted)
    return 200, {"events": [event.document(call.location.zone, v3=call.v3) for event in found]}


def create_appointment(call: Call) -> Answer:
    """POST an appointment; the slot must be free unless that is to be ignored."""
    required = ("calendarId", "locationId", "contactId", "startTime")
    check(call.body, {**_rules(call), "locationId": text, "contactId": text}, required)
    contact = call.contact_named(call.body["contactId"])
    event = _saved(call, _new(call, contact.id, contact.name or "Appointment"))
    return 200, event.receipt(call.location.zone, v3=call.v3)


def update_appointment(call: Call) -> Answer:
    """PUT what changes of an appointment."""
    event = _event(call, blocked=False)
    check(call.body, _rules(call))
    event = _saved(call, _changed(call, event))
    return 200, event.receipt(call.location.zone, v3=call.v3)


def get_appointment(call: Call) -> Answer:
    """GET one appointment; the spec wraps it in `event`, the live answer in `appointment` (observed)."""
    event = _event(call, blocked=False)
    return 200, {call.world.quirks.appointment_envelope: event.document(call.location.zone, v3=call.v3)}


def delete_event(call: Call) -> Answer:
    """DELETE an appointment or blocked slot; answers 201 (documented)."""
    event = call.world.calendars.event(call.path["eventId"])
    if event.location_id != call.location.id:
        raise no_access_to_location()
    call.world.remove_event(event.id)
    return 201, {"succeeded": True}


def create_block_slot(call: Call) -> Answer:
    """POST a blocked slot."""
    check(call.body, _BLOCK, ("calendarId", "locationId", "startTime"))
    event = call.world.save_event(_new(call, None, "Blocked"))
    return 201, event.blocked(call.location.zone)


def update_block_slot(call: Call) -> Answer:
    """PUT what changes of a blocked slot; answers 201 (documented)."""
    event = _event(call, blocked=True)
    check(call.body, _BLOCK, ("calendarId", "locationId"))
    event = call.world.save_event(_changed(call, event))
    return 201, event.blocked(call.location.zone)


_BLOCK: Rules = {
    "title": text,
    "calendarId": text,
    "assignedUserId": text,
    "locationId": text,
    "startTime": instant,
    "endTime": instant,
}


def _event(call: Call, *, blocked: bool) -> Event:
    event = call.world.calendars.event(call.path["eventId"])
    if event.location_id != call.location.id:
        raise no_access_to_location()
    if (event.contact_id is None) != blocked:
        raise not_found("Event not found")
    return event


def _new(call: Call, contact_id: str | None, title: str) -> Event:
    start, now = _instant(call, "startTime"), call.world.now()
    blank = Event(
        id=call.world.ids.record(),
        location_id=call.location.id,
        calendar_id="",
        group_id="",
        contact_id=contact_id,
        title=title,
        start=start,
        end=start,
        date_added=now,
        date_updated=now,
    )
    return _changed(call, blank)


def _changed(call: Call, event: Event) -> Event:
    body = call.body
    calendar = call.world.calendars.calendar(body.get("calendarId") or event.calendar_id)
    changes: dict[str, Any] = {
        attribute: body[key] for key, attribute in _WRITABLE.items() if body.get(key) is not None
    }
    if body.get("startTime"):
        changes["start"] = _instant(call, "startTime")
        length = (event.end - event.start) or half_hour_later(0, float(calendar["slotDuration"]))
        changes["end"] = changes["start"] + length
    if body.get("endTime"):
        changes["end"] = _instant(call, "endTime")
    changed = replace(
        event,
        calendar_id=calendar["id"],
        group_id=calendar.get("groupId", ""),
        date_updated=call.world.now(),
        **changes,
    )
    if changed.end <= changed.start:
        raise bad_request("endTime must be after startTime")
    return changed


def _saved(call: Call, event: Event) -> Event:
    if event.rrule:
        _check_rule(event)
    taken = call.world.calendars.is_taken(event.calendar_id, event.start, event.end, but=event.id)
    if taken and not call.body.get("ignoreFreeSlotValidation"):
        raise bad_request("The slot you have selected is no longer available.")
    return call.world.save_event(event)


def _check_rule(event: Event) -> None:
    try:
        next(event.occurrences(), None)
    except ValueError as problem:
        raise unprocessable([str(problem)]) from None


def _instant(call: Call, key: str) -> int:
    return to_ms(parse_instant(call.body[key], call.location.zone))


def _operation(run: Any, mode: str, **more: Any) -> Operation:
    return Operation(run=run, scope=f"calendars/events.{mode}", version="2021-04-15", **more)


OPERATIONS: dict[str, dict[str, Operation]] = {
    "/calendars/events": {"GET": _operation(list_events, "readonly", names_location="query")},
    "/calendars/blocked-slots": {"GET": _operation(list_blocked_slots, "readonly", names_location="query")},
    "/calendars/events/appointments": {
        "POST": _operation(create_appointment, "write", names_location="body"),
    },
    "/calendars/events/appointments/{eventId}": {
        "GET": _operation(get_appointment, "readonly"),
        "PUT": _operation(update_appointment, "write"),
    },
    "/calendars/events/block-slots": {"POST": _operation(create_block_slot, "write", names_location="body")},
    "/calendars/events/block-slots/{eventId}": {
        "PUT": _operation(update_block_slot, "write", names_location="body"),
    },
    "/calendars/events/{eventId}": {"DELETE": _operation(delete_event, "write")},
}
