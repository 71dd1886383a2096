"""Appointments and blocked slots as they are stored, and the shapes they are told in (facts: GHL §6.3)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta, tzinfo
from typing import Any, Literal, get_args

from sync_daemon.sandbox.ghl.moments import from_ms, iso, iso_in, to_ms
from sync_daemon.sandbox.ghl.recurrence import starts

AppointmentStatus = Literal["new", "confirmed", "cancelled", "showed", "noshow", "invalid"]
STATUSES: tuple[AppointmentStatus, ...] = get_args(AppointmentStatus)
STATUSES_V3 = (*STATUSES, "completed", "active")
FREE = frozenset({"cancelled", "noshow", "invalid"})  # statuses that leave the slot to others


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An appointment, or a blocked slot when `contact_id` is None. Times are milliseconds since the epoch."""

    id: str
    location_id: str
    calendar_id: str
    group_id: str
    contact_id: str | None
    title: str
    start: int
    end: int
    date_added: int
    date_updated: int
    status: str = "confirmed"
    assigned_user_id: str = ""
    address: str = ""
    description: str = ""
    meeting_type: str = "custom"
    rrule: str = ""
    master_id: str = ""
    source: str = "third_party"

    def occurrences(self) -> Iterator["Event"]:
        """Give the event itself, or each instance of a recurring one; their ids tell master, start and length."""
        if not self.rrule:
            yield self
            return
        length = self.end - self.start
        for at in starts(self.rrule, from_ms(self.start)):
            start = to_ms(at)
            instance = f"{self.id}_{start}_{length // 1000}"
            yield replace(self, id=instance, master_id=self.id, start=start, end=start + length)

    def document(self, zone: tzinfo, *, v3: bool) -> dict[str, Any]:
        """The event as the calendar routes tell it, with the offset of the location's zone."""
        shown: dict[str, Any] = {
            "id": self.id,
            "address": self.address,
            "title": self.title,
            "calendarId": self.calendar_id,
            "locationId": self.location_id,
            "contactId": self.contact_id or "",
            "groupId": self.group_id,
            "appointmentStatus": self.status,
            "assignedUserId": self.assigned_user_id,
            "users": [],
            "description": self.description,
            "isRecurring": bool(self.rrule),
            "startTime": iso_in(from_ms(self.start), zone),
            "endTime": iso_in(from_ms(self.end), zone),
            "dateAdded": iso(self.date_added),
            "dateUpdated": iso(self.date_updated),
            "assignedResources": [],
            "createdBy": {"userId": self.assigned_user_id, "source": self.source},
        }
        if self.rrule:
            shown |= {"rrule": self.rrule, "masterEventId": self.master_id or self.id}
        return shown | ({"deleted": False} if v3 else {})

    def receipt(self, zone: tzinfo, *, v3: bool) -> dict[str, Any]:
        """The bare record that answers a create or an update; before v3 it has no dates (issue 246)."""
        shown: dict[str, Any] = {
            "id": self.id,
            "calendarId": self.calendar_id,
            "locationId": self.location_id,
            "contactId": self.contact_id,
            "startTime": iso_in(from_ms(self.start), zone),
            "endTime": iso_in(from_ms(self.end), zone),
            "title": self.title,
            "meetingLocationType": self.meeting_type,
            "appointmentStatus": self.status,
            "assignedUserId": self.assigned_user_id,
            "address": self.address,
            "isRecurring": bool(self.rrule),
            "rrule": self.rrule,
        }
        return shown | ({"dateAdded": iso(self.date_added), "dateUpdated": iso(self.date_updated)} if v3 else {})

    def of_contact(self, zone: tzinfo) -> dict[str, Any]:
        """The event as the contact's list tells it: times without a zone."""
        return {
            "id": self.id,
            "calendarId": self.calendar_id,
            "status": "booked",
            "title": self.title,
            "assignedUserId": self.assigned_user_id,
            "notes": self.description,
            "startTime": _zoneless(self.start, zone),
            "endTime": _zoneless(self.end, zone),
            "address": self.address,
            "locationId": self.location_id,
            "contactId": self.contact_id,
            "groupId": self.group_id,
            "appointmentStatus": self.status,
            "users": [],
            "dateAdded": iso(self.date_added),
            "dateUpdated": iso(self.date_updated),
            "assignedResources": [],
        }

    def blocked(self, zone: tzinfo) -> dict[str, Any]:
        """The blocked slot as its create and update answer tell it."""
        return {
            "id": self.id,
            "locationId": self.location_id,
            "title": self.title,
            "startTime": iso_in(from_ms(self.start), zone),
            "endTime": iso_in(from_ms(self.end), zone),
            "calendarId": self.calendar_id,
            "assignedUserId": self.assigned_user_id,
        }

    def overlaps(self, start: int, end: int) -> bool:
        """Tell whether the event takes some of the time between two instants."""
        return self.start < end and self.end > start


def half_hour_later(start: int, minutes: float = 30) -> int:
    """Give the end of an event that names none."""
    return start + round(timedelta(minutes=minutes) / timedelta(milliseconds=1))


def _zoneless(ms: int, zone: tzinfo) -> str:
    return from_ms(ms).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
