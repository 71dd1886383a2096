"""Everything one GHL agency holds, and the few changes that concern more than one kind of record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sync_daemon.sandbox.clock import Clock
from sync_daemon.sandbox.ghl.accounts import Accounts
from sync_daemon.sandbox.ghl.calendars import CalendarBook
from sync_daemon.sandbox.ghl.contact import Contact
from sync_daemon.sandbox.ghl.contacts import ContactBook
from sync_daemon.sandbox.ghl.events import Event
from sync_daemon.sandbox.ghl.ids import Ids
from sync_daemon.sandbox.ghl.location import Location
from sync_daemon.sandbox.ghl.moments import to_ms
from sync_daemon.sandbox.ghl.notes import Note, NoteBook
from sync_daemon.sandbox.ghl.quirks import GhlQuirks
from sync_daemon.sandbox.ghl.tasks import Task, TaskBook

Activity = Task | Note | Event
ActivityWatcher = Callable[[Activity | None, Activity | None], None]
"""Is told a task, note or appointment before and after a change; None before is a creation, None after a deletion."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A contact's way into a workflow."""

    contact_id: str
    workflow_id: str
    at: int
    starts: str | None  # the eventStartTime of the request


class State:
    """The records of one agency, with one location to begin with."""

    def __init__(self, clock: Clock, seed: int, quirks: GhlQuirks | None = None) -> None:
        self.clock = clock
        self.quirks = quirks if quirks is not None else GhlQuirks()
        self.ids = Ids(seed)
        self.company_id = self.ids.record()
        self.locations: dict[str, Location] = {}
        self.users: dict[str, dict[str, Any]] = {}
        self.contacts = ContactBook(clock, self.ids, self.locations, self.quirks)
        self.notes = NoteBook()
        self.tasks = TaskBook(clock)
        self.calendars = CalendarBook()
        self.activity_watcher: ActivityWatcher | None = None
        self.accounts = Accounts(clock, self.ids)
        self.enrolments: list[Enrolment] = []
        self.single_entry_workflows: set[str] = set()
        self.location = self.add_location()

    def now(self) -> int:
        """Tell the time in milliseconds since the epoch."""
        return to_ms(self.clock.now())

    def add_location(self, **settings: Any) -> Location:
        """Open a location, with any of the attributes of `Location`."""
        location = Location(**{"id": self.ids.record(), "company_id": self.company_id, "ids": self.ids, **settings})
        self.locations[location.id] = location
        return location

    def save_task(self, task: Task) -> Task:
        """Store a task, new or changed."""
        before = self.tasks.find(task.id)
        self._happened(before, self.tasks.save(task))
        return task

    def remove_task(self, task_id: str) -> None:
        """Delete a task. Raises ApiError 404."""
        task = self.tasks.get(task_id)
        self.tasks.remove(task_id)
        self._happened(task, None)

    def save_note(self, note: Note) -> Note:
        """Store a contact's note, new or changed."""
        before = self.notes.find(note.owner, note.id)
        self._happened(before, self.notes.save(note))
        return note

    def remove_note(self, contact_id: str, note_id: str) -> None:
        """Delete a contact's note. Raises ApiError 404."""
        note = self.notes.get(contact_id, note_id)
        self.notes.remove(contact_id, note_id)
        self._happened(note, None)

    def save_event(self, event: Event) -> Event:
        """Store an appointment or blocked slot, new or changed."""
        before = self.calendars.events.get(event.id)
        self.calendars.events[event.id] = event
        self._happened(before, event)
        return event

    def remove_event(self, event_id: str) -> None:
        """Delete an appointment or blocked slot. Raises ApiError 404."""
        event = self.calendars.event(event_id)
        del self.calendars.events[event.id]
        self._happened(event, None)

    def _happened(self, before: Activity | None, after: Activity | None) -> None:
        """Tell of it, and move the contact's dateUpdated, if activity does that at all."""
        record = after or before
        if record is not None and record.contact_id and self.quirks.activity_touches:
            self.contacts.touch(record.contact_id)
        if self.activity_watcher is not None:
            self.activity_watcher(before, after)

    def remove_contact(self, contact_id: str, *, told: bool = True) -> None:
        """Delete a contact with its notes, tasks and appointments. Raises ApiError 400."""
        self.contacts.delete(contact_id, told=told)
        self.notes.forget(contact_id)
        for task in self.tasks.of(contact_id):
            self.tasks.remove(task.id)
        for event in self.calendars.of_contact(contact_id):
            del self.calendars.events[event.id]

    def enrol(self, contact: Contact, workflow_id: str, starts: str | None) -> Contact:
        """Put a contact into a workflow; one that allows a single entry ignores the second."""
        again = any(one.contact_id == contact.id and one.workflow_id == workflow_id for one in self.enrolments)
        if again and workflow_id in self.single_entry_workflows:
            return contact
        self.enrolments.append(Enrolment(contact.id, workflow_id, self.now(), starts))
        workflows = tuple(dict.fromkeys((*contact.workflows, workflow_id)))
        return self.contacts.save(contact, replace(contact, workflows=workflows))

    def user_document(self, user: Mapping[str, Any]) -> dict[str, Any]:
        """Give a user as the users routes tell it."""
        roles = {"type": "account", "role": "admin", "locationIds": list(self.locations)}
        return {**user, "extension": "", "permissions": {}, "roles": roles}
