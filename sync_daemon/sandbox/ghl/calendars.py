"""Calendars, their groups and everything booked in them (facts: GHL §6.3)."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sync_daemon.sandbox.ghl.errors import not_found
from sync_daemon.sandbox.ghl.events import FREE, Event
from sync_daemon.sandbox.ghl.location import Location
from sync_daemon.sandbox.ghl.moments import from_ms, iso_in, to_ms

Document = dict[str, Any]
T = TypeVar("T")
_OFFICE_HOURS = (9, 17)
_DEFAULTS: Document = {
    "isActive": True,
    "description": "",
    "eventType": "RoundRobin_OptimizeForAvailability",
    "calendarType": "event",
    "widgetType": "classic",
    "eventTitle": "{{contact.name}}",
    "eventColor": "#039be5",
    "slotDuration": 30,
    "slotDurationUnit": "mins",
    "slotInterval": 30,
    "slotIntervalUnit": "mins",
    "autoConfirm": True,
    "teamMembers": [],
}


class CalendarBook:
    """Calendars and groups as documents by id, events by id."""

    def __init__(self) -> None:
        self.calendars: dict[str, Document] = {}
        self.groups: dict[str, Document] = {}
        self.events: dict[str, Event] = {}

    def calendar(self, calendar_id: str) -> Document:
        """Read a calendar. Raises ApiError 404."""
        return _found(self.calendars, calendar_id, "Calendar")

    def group(self, group_id: str) -> Document:
        """Read a group. Raises ApiError 404."""
        return _found(self.groups, group_id, "Calendar group")

    def event(self, event_id: str) -> Event:
        """Read an appointment or blocked slot, by the id of the master for an instance. Raises ApiError 404."""
        return _found(self.events, event_id.partition("_")[0], "Event")

    def add_calendar(self, calendar_id: str, body: Document) -> Document:
        """Store a new calendar with the defaults for what it leaves open."""
        slug = body.get("slug") or body["name"].lower().replace(" ", "-")
        document = {"id": calendar_id, **_DEFAULTS, "slug": slug, "widgetSlug": slug, **body}
        self.calendars[calendar_id] = document
        return document

    def of_location(self, location_id: str) -> list[Document]:
        """List the calendars of a location."""
        return [one for one in self.calendars.values() if one["locationId"] == location_id]

    def remove_calendar(self, calendar_id: str) -> None:
        """Delete a calendar and what is booked in it. Raises ApiError 404."""
        self.calendar(calendar_id)
        del self.calendars[calendar_id]
        self.events = {key: event for key, event in self.events.items() if event.calendar_id != calendar_id}

    def between(self, start: int, end: int, wanted: Callable[[Event], bool]) -> list[Event]:
        """List the events that begin between two instants and pass a test, earliest first."""
        found = [
            occurrence
            for event in self.events.values()
            if wanted(event)
            for occurrence in event.occurrences()
            if start <= occurrence.start <= end
        ]
        return sorted(found, key=lambda event: (event.start, event.id))

    def of_contact(self, contact_id: str) -> list[Event]:
        """List the appointments of a contact, latest first."""
        found = [event for event in self.events.values() if event.contact_id == contact_id]
        return sorted(found, key=lambda event: -event.start)

    def is_taken(self, calendar_id: str, start: int, end: int, but: str = "") -> bool:
        """Tell whether something else stands in a calendar between two instants."""
        return any(
            occurrence.overlaps(start, end)
            for event in self.events.values()
            if event.calendar_id == calendar_id and event.status not in FREE and event.id != but
            for occurrence in event.occurrences()
        )

    def free_slots(self, calendar: Document, location: Location, start: int, end: int) -> dict[str, Document]:
        """Give the free slots of working days, nine to five, by day."""
        length = timedelta(minutes=float(calendar["slotDuration"]))
        days: dict[str, Document] = {}
        for slot in _office_slots(from_ms(start).astimezone(location.zone), from_ms(end), length):
            if not self.is_taken(calendar["id"], to_ms(slot), to_ms(slot + length)):
                day = days.setdefault(slot.date().isoformat(), {"slots": []})
                day["slots"].append(iso_in(slot, location.zone))
        return days


def _office_slots(first: datetime, end: datetime, length: timedelta) -> Iterator[datetime]:
    opens, closes = _OFFICE_HOURS
    day = first.replace(hour=opens, minute=0, second=0, microsecond=0)
    while day <= end:
        slot = day
        while day.weekday() < 5 and slot + length <= day.replace(hour=closes):
            if first <= slot <= end:
                yield slot
            slot += length
        day += timedelta(days=1)


def _found(documents: dict[str, T], record_id: str, kind: str) -> T:
    if record_id not in documents:
        raise not_found(f"{kind} not found")
    return documents[record_id]
