"""Everything one GHL agency holds, and the few changes that concern more than one kind of record."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sync_daemon.sandbox.clock import Clock
from sync_daemon.sandbox.ghl.accounts import Accounts
from sync_daemon.sandbox.ghl.calendars import CalendarBook
from sync_daemon.sandbox.ghl.contact import Contact
from sync_daemon.sandbox.ghl.contacts import ContactBook
from sync_daemon.sandbox.ghl.ids import Ids
from sync_daemon.sandbox.ghl.location import Location
from sync_daemon.sandbox.ghl.moments import to_ms
from sync_daemon.sandbox.ghl.notes import NoteBook
from sync_daemon.sandbox.ghl.quirks import GhlQuirks
from sync_daemon.sandbox.ghl.tasks import TaskBook


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

    def touched_by_activity(self, contact_id: str | None) -> None:
        """Let a note, task or appointment move the contact's dateUpdated, if it does that at all."""
        if contact_id is not None and self.quirks.activity_touches:
            self.contacts.touch(contact_id)

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
