"""The shape of a pair's `activity` section: which EmailOctopus fields show tasks, notes and appointments."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from sync_daemon.model.activity import ActivityPolicy, AppointmentFields, NoteFields, TaskFields
from sync_daemon.settings.values import Count, Interval, Section, Text, Texts


class AutomationSection(Section):
    """The EmailOctopus automation that an event starts."""

    automation: Text


class TasksSection(Section):
    """The fields that tasks fill."""

    open_count: Text | None = None
    next_title: Text | None = None
    next_due: Text | None = None
    last_completed_title: Text | None = None
    last_completed_at: Text | None = None
    on_completed: AutomationSection | None = None


class NotesSection(Section):
    """The fields that notes fill, how much of a note is shown, and which notes may be."""

    latest: Text | None = None
    latest_at: Text | None = None
    max_length: Annotated[int, Field(ge=1)] = 300
    include: Texts | None = None


class AppointmentsSection(Section):
    """The fields that appointments fill, and how many days back and ahead are read."""

    next_title: Text | None = None
    next_start: Text | None = None
    next_time: Text | None = None
    next_status: Text | None = None
    last_start: Text | None = None
    window_days: Annotated[int, Field(ge=1)] = 90
    on_booked: AutomationSection | None = None


class ActivitySection(Section):
    """What isn't named isn't read."""

    poll_every: Interval = timedelta(minutes=15)
    tasks: TasksSection | None = None
    notes: NotesSection | None = None
    notes_budget: Count = 1000
    appointments: AppointmentsSection | None = None

    def policy(self) -> ActivityPolicy | None:
        """What is shown, None when nothing is named."""
        tasks, notes, appointments = self.tasks, self.notes, self.appointments
        if tasks is None and notes is None and appointments is None:
            return None
        return ActivityPolicy(
            poll_every=self.poll_every,
            tasks=TaskFields(
                **tasks.model_dump(exclude={"on_completed"}),
                on_completed=tasks.on_completed.automation if tasks.on_completed else None,
            )
            if tasks
            else None,
            notes=NoteFields(**notes.model_dump()) if notes else None,
            notes_a_day=self.notes_budget,
            appointments=AppointmentFields(
                **appointments.model_dump(exclude={"on_booked", "window_days"}),
                window=timedelta(days=appointments.window_days),
                on_booked=appointments.on_booked.automation if appointments.on_booked else None,
            )
            if appointments
            else None,
        )
