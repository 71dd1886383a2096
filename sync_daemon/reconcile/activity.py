"""What EmailOctopus shows of a contact's tasks, notes and appointments (contract, section 9). Pure."""

import textwrap
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from fnmatch import fnmatchcase
from html.parser import HTMLParser

from sync_daemon.model.activity import (
    ActivityPolicy,
    Appointment,
    AppointmentFields,
    KnownActivity,
    Note,
    NoteFields,
    Task,
    TaskFields,
)
from sync_daemon.model.contact import AccountSchema, FieldSpec, Value
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.state import Link
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.mapping_check import NewField

MOST_CHARACTERS = 600
"""What a value of EmailOctopus's free plan holds (facts: EmailOctopus section 9)."""
ACTIVITY = "activity"
"""The part that an operation which shows activity settles."""
_TO_COME = ("new", "confirmed")
_NOT_HELD = ("cancelled", "noshow", "invalid")
_LATEST = datetime.max.replace(tzinfo=UTC)
_EARLIEST = datetime.min.replace(tzinfo=UTC)
Digest = Callable[[str, str, Value], bytes]
"""The keyed digest of an EmailOctopus contact's field: its id, the field, the value."""
NUMBER, DATE, TEXT = "number", "date", "text"


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, and the location's time zone, in which days and times are told."""

    now: datetime
    zone: tzinfo

    def day(self, at: datetime | None) -> Value:
        """The day of a moment there, None for none."""
        return at.astimezone(self.zone).date().isoformat() if at is not None else None

    def time(self, at: datetime | None) -> Value:
        """The time of day of a moment there, None for none."""
        return f"{at.astimezone(self.zone):%H:%M}" if at is not None else None


def field_types(policy: ActivityPolicy) -> dict[str, str]:
    """Every EmailOctopus field that is written, with the type it is made with."""
    tasks, notes, appointments = (
        policy.tasks or TaskFields(),
        policy.notes or NoteFields(),
        policy.appointments or AppointmentFields(),
    )
    named = {
        tasks.open_count: NUMBER,
        tasks.next_title: TEXT,
        tasks.next_due: DATE,
        tasks.last_completed_title: TEXT,
        tasks.last_completed_at: DATE,
        notes.latest: TEXT,
        notes.latest_at: DATE,
        appointments.next_title: TEXT,
        appointments.next_start: DATE,
        appointments.next_time: TEXT,
        appointments.next_status: TEXT,
        appointments.last_start: DATE,
    }
    return {name: kind for name, kind in named.items() if name is not None}


def new_activity_fields(policy: ActivityPolicy | None, schema: AccountSchema) -> list[NewField]:
    """The fields that the list lacks."""
    kinds = field_types(policy).items() if policy is not None else ()
    return [new_activity_field(name, kind) for name, kind in kinds if schema.field(name) is None]


def new_activity_field(name: str, kind: str) -> NewField:
    """A field of the list that is to be made."""
    return NewField(SystemName.EMAILOCTOPUS, FieldSpec(name, name, kind, name))


def can_hold(spec: FieldSpec, kind: str) -> bool:
    """Whether a field that is there can show such values: a text holds everything."""
    return spec.type in (kind, TEXT)


def open_task_values(fields: TaskFields, open_tasks: Sequence[Task], moment: Moment) -> dict[str, Value]:
    """What open tasks show: their number, and the one that is due first, overdue or not."""
    first = min(open_tasks, key=lambda task: (task.due or _LATEST, task.id), default=None)
    return _named(
        {
            fields.open_count: len(open_tasks),
            fields.next_title: _line(first.title) if first else None,
            fields.next_due: moment.day(first.due) if first else None,
        }
    )


def completed_task_values(
    fields: TaskFields, task: Task | None, done_at: datetime | None, moment: Moment
) -> dict[str, Value]:
    """What the task that was completed last shows."""
    return _named(
        {
            fields.last_completed_title: _line(task.title) if task else None,
            fields.last_completed_at: moment.day(done_at) if task else None,
        }
    )


def latest_completed(tasks: Collection[Task], done_at: Callable[[Task], datetime | None]) -> Task | None:
    """The task that was completed last, as far as that is known."""
    completed = [task for task in tasks if task.completed]
    return max(completed, key=lambda task: (done_at(task) or _EARLIEST, task.due or _EARLIEST, task.id), default=None)


def appointment_values(
    fields: AppointmentFields, appointments: Collection[Appointment], moment: Moment
) -> dict[str, Value]:
    """What appointments show: the next one that is to take place, and the last one that wasn't called off."""
    coming = [one for one in appointments if is_to_come(one, moment.now)]
    past = [one.start for one in appointments if one.start < moment.now and one.status not in _NOT_HELD]
    first = min(coming, key=lambda one: (one.start, one.id), default=None)
    return _named(
        {
            fields.next_title: _line(first.title) if first else None,
            fields.next_start: moment.day(first.start) if first else None,
            fields.next_time: moment.time(first.start) if first else None,
            fields.next_status: first.status if first else None,
            fields.last_start: moment.day(max(past, default=None)),
        }
    )


def is_to_come(appointment: Appointment, now: datetime) -> bool:
    """Whether an appointment is still to take place."""
    return appointment.start >= now and appointment.status in _TO_COME


def latest_note(fields: NoteFields, notes: Collection[Note]) -> tuple[Note, str] | None:
    """The newest note that may be shown, with its plain text."""
    told = ((note, plain(note.body)) for note in notes)
    shared = [(note, text) for note, text in told if text and _is_shared(text, fields.include)]
    return max(shared, key=lambda one: (one[0].added_at or _EARLIEST, one[0].id), default=None)


def note_values(fields: NoteFields, shown: tuple[Note, str] | None, moment: Moment) -> dict[str, Value]:
    """What the newest shared note shows, shortened at a word."""
    most = min(fields.max_length, MOST_CHARACTERS)
    return _named(
        {
            fields.latest: shorten(shown[1], most) if shown else None,
            fields.latest_at: moment.day(shown[0].added_at) if shown else None,
        }
    )


def plain(markup: str) -> str:
    """The text of a note without its markup, in one line."""
    parser = _Text()
    parser.feed(markup)
    parser.close()
    return " ".join("".join(parser.parts).split())


def shorten(text: str, most: int) -> str:
    """A text of at most so many characters, cut at a word and marked so; a longer word is cut itself."""
    if len(text) <= most:
        return text
    cut = textwrap.shorten(text, most, placeholder=" …")
    return cut if cut.strip("… ") else text[: most - 1] + "…"


def news(
    values: Mapping[str, Value], names: Iterable[str], known: KnownActivity | None, link: Link, digest: Digest
) -> dict[str, Value]:
    """The fields that EmailOctopus has to be told: those that differ from what it was told last.

    What never was anything isn't written as nothing, but for a contact whose fields, by their `names`, were somebody
    else's: of what isn't known before a look at everything, it shows nothing until then.
    """
    there = link.emailoctopus_id
    moved = known is not None and known.emailoctopus_id != there
    written = {} if known is None or moved else known.written

    def differs(name: str, value: Value) -> bool:
        if name not in written:
            return moved or value not in (None, 0)
        return written[name] != digest(there, name, value)

    shown = {**dict.fromkeys(names if moved else ()), **values}
    return {name: value for name, value in shown.items() if differs(name, value)}


def showing(link: Link, values: Mapping[str, Value], specs: Mapping[str, FieldSpec]) -> Operation:
    """The write that shows activity; values in the terms of the fields that are there."""
    fields = {
        name: str(value) if isinstance(value, int) and specs[name].type == TEXT else value
        for name, value in values.items()
    }
    return Operation(
        SystemName.EMAILOCTOPUS,
        Action.UPDATE,
        link.ghl_id,
        link.emailoctopus_id,
        "activity in GoHighLevel",
        fields=fields,
        parts=(ACTIVITY,),
    )


def clearing(ghl_id: str, emailoctopus_id: str, names: Collection[str], reason: str) -> Operation:
    """The write that clears what is shown in a contact that is nobody's any more."""
    fields: dict[str, Value] = dict.fromkeys(names)
    target = SystemName.EMAILOCTOPUS
    return Operation(target, Action.UPDATE, ghl_id, emailoctopus_id, reason, fields=fields, parts=(ACTIVITY,))


def _line(text: str) -> str | None:
    return shorten(" ".join(text.split()), MOST_CHARACTERS) or None


def _named(values: Mapping[str | None, Value]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if name is not None}


def _is_shared(text: str, include: tuple[str, ...] | None) -> bool:
    return include is None or any(fnmatchcase(text.lower(), pattern.lower()) for pattern in include)


class _Text(HTMLParser):
    """The text between tags, with a space where a tag breaks it; what is no text for people is left out."""

    _HIDDEN = ("script", "style")
    _WITHIN_WORDS = ("a", "b", "em", "font", "i", "span", "strong", "sub", "sup", "u")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self._hidden += tag in self._HIDDEN
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in self._HIDDEN))
        self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)

    def _break(self, tag: str) -> None:
        if tag not in self._WITHIN_WORDS:
            self.parts.append(" ")
