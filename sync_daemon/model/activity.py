"""Tasks, notes and appointments of GHL contacts, and what was shown of them in EmailOctopus (contract, section 9)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Task:
    """A task. Its search tells when it was added and updated, a contact's own list doesn't (facts, GHL section 6.2)."""

    id: str
    contact_id: str | None
    title: str
    due: datetime | None
    completed: bool
    added_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A note, `body` as it was written, with whatever markup."""

    id: str
    body: str
    added_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Appointment:
    """An appointment, one of its instances where it recurs; `status` in lower case, as GHL spells it."""

    id: str
    contact_id: str | None
    title: str
    start: datetime
    status: str
    added_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TaskFields:
    """The EmailOctopus fields that show tasks, None for what isn't shown; the automation to start on completion."""

    open_count: str | None = None
    next_title: str | None = None
    next_due: str | None = None
    last_completed_title: str | None = None
    last_completed_at: str | None = None
    on_completed: str | None = None


@dataclass(frozen=True, slots=True)
class NoteFields:
    """The fields that show the latest note, its most characters, and the patterns of those that may be shown."""

    latest: str | None = None
    latest_at: str | None = None
    max_length: int = 300
    include: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class AppointmentFields:
    """The fields that show appointments, how many days are looked at each way, and the automation for a booking."""

    next_title: str | None = None
    next_start: str | None = None
    next_time: str | None = None
    next_status: str | None = None
    last_start: str | None = None
    window: timedelta = timedelta(days=90)
    on_booked: str | None = None


@dataclass(frozen=True, slots=True)
class ActivityPolicy:
    """What of a pair's activity is shown; None for what isn't read at all."""

    poll_every: timedelta = timedelta(minutes=15)
    tasks: TaskFields | None = None
    notes: NoteFields | None = None
    notes_a_day: int = 1000
    appointments: AppointmentFields | None = None


UNKNOWN = b""
"""The digest of no value: what a field shows that was about to be written."""


@dataclass(frozen=True, slots=True)
class KnownActivity:
    """What is known of one link's activity, by GHL id.

    `written` holds the keyed digest of what each EmailOctopus field was last written to be there, in the contact
    `emailoctopus_id`, `UNKNOWN` where no answer told what became of a write; `open_tasks` and `completed_task` the ids
    that the last look saw, `note` that of the note shown.
    """

    ghl_id: str
    emailoctopus_id: str
    written: Mapping[str, bytes] = field(default_factory=dict)
    open_tasks: frozenset[str] = frozenset()
    completed_task: str | None = None
    note: str | None = None
    notes_read_at: datetime | None = None
