"""What a look at activity comes to for one contact (contract, section 9). Pure."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime

from sync_daemon.model.activity import ActivityPolicy, Appointment, KnownActivity, Note, Task
from sync_daemon.model.contact import Value
from sync_daemon.reconcile.activity import (
    Moment,
    appointment_values,
    completed_task_values,
    latest_completed,
    latest_note,
    note_values,
    open_task_values,
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look saw, by GHL id; whoever isn't in a mapping has none of it, or wasn't looked at (None).

    `tasks` is every open one; `told` the contacts of which all tasks were read, with all of them; `appointments`
    those within the window; `notes` of the contacts whose notes were read. `everybody` says that tasks and appointments
    were read of all, `completed` that all completed tasks were. Of `unread` something couldn't be: they wait.
    """

    at: datetime
    everybody: bool = False
    completed: bool = False
    tasks: Mapping[str, Sequence[Task]] = field(default_factory=dict)
    told: Mapping[str, Sequence[Task]] = field(default_factory=dict)
    appointments: Mapping[str, Sequence[Appointment]] = field(default_factory=dict)
    notes: Mapping[str, Sequence[Note]] = field(default_factory=dict)
    unread: AbstractSet[str] = frozenset()

    def ids(self) -> set[str]:
        """Everybody of whom anything was seen, and all of it could be read."""
        return {*self.tasks, *self.told, *self.appointments, *self.notes} - self.unread


@dataclass(frozen=True, slots=True)
class Shown:
    """What a contact's fields shall show, what is known of it afterwards, and what happened.

    `completed` are tasks that were completed, `booked` appointments that may have been booked since the last look.
    """

    values: Mapping[str, Value]
    known: KnownActivity
    completed: tuple[Task, ...] = ()
    booked: tuple[Appointment, ...] = ()


def shown(seen: Seen, policy: ActivityPolicy, before: KnownActivity, moment: Moment) -> Shown:
    """What a look comes to for one contact."""
    values: dict[str, Value] = {}
    after, completed, booked = before, tuple[Task, ...](), tuple[Appointment, ...]()
    ghl_id = before.ghl_id
    if policy.tasks is not None and (seen.everybody or ghl_id in seen.told):
        told = seen.told.get(ghl_id)
        open_tasks = [task for task in (seen.tasks.get(ghl_id, ()) if told is None else told) if not task.completed]
        values |= open_task_values(policy.tasks, open_tasks, moment)
        after = replace(after, open_tasks=frozenset(task.id for task in open_tasks))
        if told is not None or seen.completed:
            completed = tuple(task for task in told or () if task.completed)
            last = latest_completed(completed, lambda task: _done_at(task, before, seen.at))
            done_at = _done_at(last, before, seen.at) if last else None
            values |= completed_task_values(policy.tasks, last, done_at, moment)
            if done_at is None and last is not None and last.id == before.completed_task:
                values.pop(policy.tasks.last_completed_at or "", None)  # it was told before, and isn't any more
            after = replace(after, completed_task=last.id if last else None)
    if policy.appointments is not None and (seen.everybody or ghl_id in seen.appointments):
        booked = tuple(seen.appointments.get(ghl_id, ()))
        values |= appointment_values(policy.appointments, booked, moment)
    if policy.notes is not None and ghl_id in seen.notes:
        note = latest_note(policy.notes, seen.notes[ghl_id])
        values |= note_values(policy.notes, note, moment)
        after = replace(after, note=note[0].id if note else None, notes_read_at=seen.at)
    return Shown(values, after, completed, booked)


def _done_at(task: Task, before: KnownActivity, at: datetime) -> datetime | None:
    """When a task was completed: as GHL's search tells, else now if it was open at the last look."""
    if task.updated_at is not None:
        return task.updated_at
    return at if task.id in before.open_tasks else None
