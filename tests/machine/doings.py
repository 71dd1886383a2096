"""What people do with tasks, notes and appointments in GHL, and when what happened that may start an automation."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sync_daemon.model.system import SystemName
from tests.machine.outside import Outside

GHL = SystemName.GHL
COMPLETED, BOOKED = "completed", "booked"


@dataclass(frozen=True, slots=True)
class Happening:
    """A task was completed, or an appointment booked, while the program had its `store`, by number."""

    kind: str
    record: str
    contact: str
    at: datetime
    store: int


class Doings:
    """Everybody but the program, at work: each method acts in the sandbox, and is remembered if it matters."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside
        self.calendar = str(outside.ghl.add_calendar("Fittings")["id"])
        self.happened: list[Happening] = []
        self.altered: list[tuple[str, str]] = []
        """(action, contact) of what a rule may have made and somebody changed or deleted: it can't be found again."""
        self.stores = 0
        """How often the program lost its database."""

    def tasks(self) -> list[Any]:
        """The tasks of those whom something may happen to."""
        return [task for one in self.outside.picked(GHL) for task in self.outside.ghl.tasks.of(one.id)]

    def notes(self) -> list[Any]:
        """Their notes."""
        return [note for one in self.outside.picked(GHL) for note in self.outside.ghl.notes.of(one.id)]

    def appointments(self) -> list[Any]:
        """Their appointments."""
        return [event for one in self.outside.picked(GHL) for event in self.outside.ghl.calendars.of_contact(one.id)]

    def add_task(self, contact_id: str | None, due: datetime, *, completed: bool) -> None:
        task = self.outside.ghl.add_task(contact_id, f"Call  {self.outside.word()}", due, completed=completed)
        if completed and contact_id is not None:
            self.remember(COMPLETED, task)

    def change_task(self, task: Any, how: str, due: datetime) -> None:
        """Tick a task off or on again, delete it, or give it another time to be due."""
        if how in ("delete", "move") and task.contact_id:
            self.altered.append(("create_task", task.contact_id))
        match how:
            case "delete":
                self.outside.ghl.delete_task(task.id)
            case "move":
                self.outside.ghl.move_task(task.id, due)
            case _:
                self.outside.ghl.complete_task(task.id, completed=how == "complete")
                if how == "complete" and not task.completed:
                    self.remember(COMPLETED, task)

    def write_note(self, contact_id: str, *, shared: bool) -> None:
        self.outside.ghl.add_note(contact_id, self._words(shared=shared))

    def change_note(self, note: Any, how: str, *, shared: bool) -> None:
        """Delete a note or write it anew."""
        self.altered.append(("create_note", note.contact_id))
        if how == "delete":
            self.outside.ghl.delete_note(note.contact_id, note.id)
        else:
            self.outside.ghl.edit_note(note.contact_id, note.id, self._words(shared=shared))

    def book(self, contact_id: str, start: datetime) -> None:
        event = self.outside.ghl.book(contact_id, self.calendar, start, title=f"See {self.outside.word()}")
        self.remember(BOOKED, event)

    def change_appointment(self, event: Any, how: str, start: datetime) -> None:
        """Delete an appointment, move it, or give it a status."""
        match how:
            case "delete":
                self.outside.ghl.delete_appointment(event.id)
            case "move":
                self.outside.ghl.set_appointment(event.id, event.status, start)
            case _:
                self.outside.ghl.set_appointment(event.id, how)

    def _words(self, *, shared: bool) -> str:
        return f"<p>{'Share' if shared else 'Keep'} <b>{self.outside.word()}</b> &amp; {self.outside.word()}</p>"

    def remember(self, kind: str, record: Any) -> None:
        """Something happened just now that may start an automation."""
        at = self.outside.sandbox.clock.now()
        self.happened.append(Happening(kind, record.id, record.contact_id, at, self.stores))


def ahead(outside: Outside, hours: float) -> datetime:
    """A moment so many hours from now, no two the same."""
    return outside.sandbox.clock.now() + timedelta(hours=hours)
