"""Looks at activity in GHL: of everybody at once, or of some contacts."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from sync_daemon.model.activity import ActivityPolicy, Appointment, KnownActivity, Task
from sync_daemon.model.errors import NotFound, Refused
from sync_daemon.ports import ActivityReader
from sync_daemon.reconcile.activity_seen import Seen

Record = TypeVar("Record", Task, Appointment)
Found = TypeVar("Found")


def look_at_all(
    source: ActivityReader, policy: ActivityPolicy, at: datetime, *, completed: bool, known: Mapping[str, KnownActivity]
) -> Seen:
    """Look at all open tasks and every calendar, with `completed` at all completed tasks, too.

    `known` is what the last look knew of those who had open tasks then: whoever lacks one now is read by himself.
    """
    tasks: dict[str, list[Task]] = defaultdict(list)
    told: dict[str, list[Task]] = {}
    unread: set[str] = set()
    if policy.tasks is not None:
        _sort_in(tasks, source.tasks(completed=False))
        if completed:
            told = defaultdict(list)
            _sort_in(told, source.tasks(completed=True))
            for contact_id, done in told.items():
                done.extend(tasks.get(contact_id, ()))
        left = [one for one, before in known.items() if before.open_tasks - {task.id for task in tasks.get(one, ())}]
        told.update(_each(source.tasks_of, left, unread))
    appointments: dict[str, list[Appointment]] = defaultdict(list)
    if policy.appointments is not None:
        window = policy.appointments.window
        _sort_in(appointments, source.appointments(at - window, at + window))
    return Seen(at, True, completed, tasks, told, appointments, unread=unread)  # noqa: FBT003 - everybody


def look_at_some(source: ActivityReader, policy: ActivityPolicy, at: datetime, ids: Collection[str]) -> Seen:
    """Look at all the activity of some contacts, each by itself."""
    unread: set[str] = set()
    told = _each(source.tasks_of, ids, unread) if policy.tasks is not None else {}
    notes = _each(source.notes_of, ids, unread) if policy.notes is not None else {}
    appointments: dict[str, list[Appointment]] = {}
    if policy.appointments is not None:
        first, last = at - policy.appointments.window, at + policy.appointments.window
        for one, all_of_them in _each(source.appointments_of, ids, unread).items():
            appointments[one] = [each for each in all_of_them if first <= each.start <= last]
    return Seen(at, told=told, appointments=appointments, notes=notes, unread=unread)


def with_notes(seen: Seen, source: ActivityReader, ids: Iterable[str]) -> Seen:
    """A look with the notes of some contacts, one request for each."""
    unread = set(seen.unread)
    return replace(seen, notes=_each(source.notes_of, ids, unread), unread=unread)


def _each(read: Callable[[str], list[Found]], ids: Iterable[str], unread: set[str]) -> dict[str, list[Found]]:
    """What is there of some contacts: nothing of one that is gone; whom GHL refuses to tell of is left for later."""
    found: dict[str, list[Found]] = {}
    for one in ids:
        try:
            found[one] = read(one)
        except NotFound:
            found[one] = []
        except Refused:
            unread.add(one)
    return found


def _sort_in(groups: dict[str, list[Record]], records: Iterable[Record]) -> None:
    """Records by their contacts; those without one show nowhere."""
    for record in records:
        if record.contact_id:
            groups[record.contact_id].append(record)
