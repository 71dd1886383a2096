"""Looks at activity in GHL: of everybody at once, or of some contacts."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from typing import TypeVar

from sync_daemon.model.activity import ActivityPolicy, Appointment, KnownActivity, Note, Task
from sync_daemon.model.errors import NotFound
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
    if policy.tasks is not None:
        _sort_in(tasks, source.tasks(completed=False))
        if completed:
            told = defaultdict(list)
            _sort_in(told, source.tasks(completed=True))
            for contact_id, done in told.items():
                done.extend(tasks.get(contact_id, ()))
        left = [one for one, before in known.items() if before.open_tasks - {task.id for task in tasks.get(one, ())}]
        told.update(_tasks_of(source, left))
    appointments: dict[str, list[Appointment]] = defaultdict(list)
    if policy.appointments is not None:
        window = policy.appointments.window
        _sort_in(appointments, source.appointments(at - window, at + window))
    return Seen(at, everybody=True, completed=completed, tasks=tasks, told=told, appointments=appointments)


def look_at_some(source: ActivityReader, policy: ActivityPolicy, at: datetime, ids: Collection[str]) -> Seen:
    """Look at all the activity of some contacts, each by itself."""
    told = _tasks_of(source, ids) if policy.tasks is not None else {}
    appointments: dict[str, list[Appointment]] = {}
    if policy.appointments is not None:
        first, last = at - policy.appointments.window, at + policy.appointments.window
        for one in ids:
            appointments[one] = [each for each in _of(source.appointments_of, one) if first <= each.start <= last]
    return Seen(at, told=told, appointments=appointments, notes=notes_of(source, ids) if policy.notes else {})


def notes_of(source: ActivityReader, ids: Iterable[str]) -> dict[str, list[Note]]:
    """The notes of some contacts, one request for each."""
    return {one: _of(source.notes_of, one) for one in ids}


def _tasks_of(source: ActivityReader, ids: Iterable[str]) -> dict[str, list[Task]]:
    return {one: _of(source.tasks_of, one) for one in ids}


def _of(read: Callable[[str], list[Found]], contact_id: str) -> list[Found]:
    """What is there of one contact: nothing of one that is gone."""
    try:
        return read(contact_id)
    except NotFound:
        return []


def _sort_in(groups: dict[str, list[Record]], records: Iterable[Record]) -> None:
    """Records by their contacts; those without one show nowhere."""
    for record in records:
        if record.contact_id:
            groups[record.contact_id].append(record)
