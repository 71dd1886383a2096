"""Notes, tasks and appointments in the app: what people write, tick off, book and call off."""

from dataclasses import replace
from datetime import datetime, timedelta

from sync_daemon.sandbox.ghl.events import AppointmentStatus, Event
from sync_daemon.sandbox.ghl.moments import to_ms
from sync_daemon.sandbox.ghl.notes import Note
from sync_daemon.sandbox.ghl.setup import SetUp
from sync_daemon.sandbox.ghl.tasks import Task


class Activity(SetUp):
    """People's acts on the records that hang on contacts."""

    def add_note(self, contact_id: str, body: str, title: str | None = None) -> Note:
        """Somebody writes a note."""
        self.contacts.get(contact_id)
        note = Note(
            id=self.ids.record(),
            owner=contact_id,
            contact_id=contact_id,
            date_added=self.now(),
            body=body,
            title=title,
        )
        return self.save_note(note)

    def edit_note(self, contact_id: str, note_id: str, body: str) -> Note:
        """Somebody writes a note anew."""
        return self.save_note(replace(self.notes.get(contact_id, note_id), body=body))

    def delete_note(self, contact_id: str, note_id: str) -> None:
        """Somebody deletes a note."""
        self.remove_note(contact_id, note_id)

    def add_task(
        self, contact_id: str | None, title: str, due: datetime, *, completed: bool = False, body: str | None = None
    ) -> Task:
        """Somebody writes a task, with or without a contact."""
        location_id = self.location.id if contact_id is None else self.contacts.get(contact_id).location_id
        now = self.now()
        task = Task(
            id=self.ids.record(),
            location_id=location_id,
            contact_id=contact_id,
            date_added=now,
            date_updated=now,
            title=title,
            due=to_ms(due),
            completed=completed,
            body=body,
        )
        return self.save_task(task)

    def complete_task(self, task_id: str, *, completed: bool = True) -> Task:
        """Somebody ticks a task off, or on again."""
        return self.save_task(replace(self.tasks.get(task_id), completed=completed, date_updated=self.now()))

    def move_task(self, task_id: str, due: datetime) -> Task:
        """Somebody gives a task another time to be due."""
        return self.save_task(replace(self.tasks.get(task_id), due=to_ms(due), date_updated=self.now()))

    def delete_task(self, task_id: str) -> None:
        """Somebody deletes a task."""
        self.remove_task(task_id)

    def book(
        self, contact_id: str, calendar_id: str, start: datetime, *, minutes: int = 30, title: str = "Appointment"
    ) -> Event:
        """The person books an appointment."""
        contact, calendar = self.contacts.get(contact_id), self.calendars.calendar(calendar_id)
        now = self.now()
        event = Event(
            id=self.ids.record(),
            location_id=contact.location_id,
            calendar_id=calendar_id,
            group_id=calendar.get("groupId", ""),
            contact_id=contact_id,
            title=title,
            start=to_ms(start),
            end=to_ms(start + timedelta(minutes=minutes)),
            date_added=now,
            date_updated=now,
            source="booking_widget",
        )
        return self.save_event(event)

    def set_appointment(self, event_id: str, status: AppointmentStatus, start: datetime | None = None) -> Event:
        """Somebody confirms, cancels or moves an appointment, or marks who came."""
        event = self.calendars.event(event_id)
        begins = event.start if start is None else to_ms(start)
        ends = begins + event.end - event.start
        return self.save_event(replace(event, status=status, start=begins, end=ends, date_updated=self.now()))

    def delete_appointment(self, event_id: str) -> None:
        """Somebody deletes an appointment, as if it had never been booked."""
        self.remove_event(event_id)
