"""The shape of a pair's `activity` section: which EmailOctopus fields show tasks, notes and appointments."""

from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import Field

from sync_daemon.model.activity import ActivityPolicy, AppointmentFields, NoteFields, TaskFields
from sync_daemon.settings.values import Count, Interval, Section, Text, Texts


class AutomationSection(Section):
    """The EmailOctopus automation that an event starts."""

    automation: Text


class ShowingSection(Section):
    """Keys of which `FIELDS` each name a field of the list."""

    FIELDS: ClassVar[tuple[str, ...]] = ()

    def named(self) -> dict[str, str]:
        """The fields named, by their keys."""
        return {key: name for key in self.FIELDS if (name := getattr(self, key)) is not None}


class TasksSection(ShowingSection):
    """The fields that tasks fill."""

    FIELDS: ClassVar = ("open_count", "next_title", "next_due", "last_completed_title", "last_completed_at")

    open_count: Text | None = None
    next_title: Text | None = None
    next_due: Text | None = None
    last_completed_title: Text | None = None
    last_completed_at: Text | None = None
    on_completed: AutomationSection | None = None

    def shown(self) -> TaskFields | None:
        """What is shown and started, None for nothing."""
        automation = self.on_completed.automation if self.on_completed else None
        return TaskFields(**self.named(), on_completed=automation) if self.named() or automation else None


class NotesSection(ShowingSection):
    """The fields that notes fill, how much of a note is shown, and which notes may be."""

    FIELDS: ClassVar = ("latest", "latest_at")

    latest: Text | None = None
    latest_at: Text | None = None
    max_length: Annotated[int, Field(ge=1)] = 300
    include: Texts | None = None

    def shown(self) -> NoteFields | None:
        """What is shown, None for nothing."""
        return NoteFields(**self.named(), max_length=self.max_length, include=self.include) if self.named() else None


class AppointmentsSection(ShowingSection):
    """The fields that appointments fill, and how many days back and ahead are read."""

    FIELDS: ClassVar = ("next_title", "next_start", "next_time", "next_status", "last_start")

    next_title: Text | None = None
    next_start: Text | None = None
    next_time: Text | None = None
    next_status: Text | None = None
    last_start: Text | None = None
    window_days: Annotated[int, Field(ge=1)] = 90
    on_booked: AutomationSection | None = None

    def shown(self) -> AppointmentFields | None:
        """What is shown and started, None for nothing."""
        automation = self.on_booked.automation if self.on_booked else None
        if not (self.named() or automation):
            return None
        return AppointmentFields(**self.named(), window=timedelta(days=self.window_days), on_booked=automation)


class ActivitySection(Section):
    """What isn't named isn't read."""

    poll_every: Interval = timedelta(minutes=15)
    tasks: TasksSection = TasksSection()
    notes: NotesSection = NotesSection()
    notes_budget: Count = 1000
    appointments: AppointmentsSection = AppointmentsSection()

    def named(self) -> dict[tuple[str, str], str]:
        """The fields named, by the keys of their part and their own."""
        parts = {"tasks": self.tasks, "notes": self.notes, "appointments": self.appointments}
        return {(part, key): name for part, section in parts.items() for key, name in section.named().items()}

    def policy(self) -> ActivityPolicy | None:
        """What is shown, None when nothing is named."""
        tasks, notes, appointments = self.tasks.shown(), self.notes.shown(), self.appointments.shown()
        if tasks is None and notes is None and appointments is None:
            return None
        return ActivityPolicy(self.poll_every, tasks, notes, self.notes_budget, appointments)
