"""What EmailOctopus must show of activity, computed from GHL's own records and nothing of the program's."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sync_daemon.model.activity import ActivityPolicy

TO_COME, CALLED_OFF = ("new", "confirmed"), ("cancelled", "noshow", "invalid")
TASK_DONE = ("TaskDone", "TaskDoneOn")
"""The fields that only a look at everything is sure about."""


class Display:
    """The values of a policy's fields, as texts; what is blank, or no open task, isn't in it."""

    def __init__(self, world: Any, policy: ActivityPolicy) -> None:
        self._world, self._policy = world, policy

    def of(self, contact_id: str, at: datetime) -> dict[str, str]:
        """What is to be shown of a GHL contact at a moment of the program's clock."""
        named = {**self._tasks(contact_id), **self._appointments(contact_id, at), **self._notes(contact_id)}
        return {name: text for name, text in named.items() if name is not None and text}

    def _tasks(self, contact_id: str) -> dict[str | None, str]:
        fields = self._policy.tasks
        if fields is None:
            return {}
        tasks = self._world.tasks.of(contact_id)
        opened = sorted((task for task in tasks if not task.completed), key=lambda task: (task.due, task.id))
        done = sorted((task for task in tasks if task.completed), key=lambda one: (one.date_updated, one.due, one.id))
        return {
            fields.open_count: str(len(opened)) if opened else "",
            fields.next_title: _line(opened[0].title) if opened else "",
            fields.next_due: self._day(opened[0].due) if opened else "",
            fields.last_completed_title: _line(done[-1].title) if done else "",
            fields.last_completed_at: self._day(done[-1].date_updated) if done else "",
        }

    def _appointments(self, contact_id: str, at: datetime) -> dict[str | None, str]:
        fields = self._policy.appointments
        if fields is None:
            return {}
        now, window = _ms(at), fields.window // timedelta(milliseconds=1)
        near = [one for one in self._world.calendars.of_contact(contact_id) if abs(one.start - now) <= window]
        ahead = sorted(
            (one for one in near if one.start >= now and one.status in TO_COME), key=lambda one: (one.start, one.id)
        )
        behind = [one.start for one in near if one.start < now and one.status not in CALLED_OFF]
        return {
            fields.next_title: _line(ahead[0].title) if ahead else "",
            fields.next_start: self._day(ahead[0].start) if ahead else "",
            fields.next_time: self._local(ahead[0].start).strftime("%H:%M") if ahead else "",
            fields.next_status: ahead[0].status if ahead else "",
            fields.last_start: self._day(max(behind)) if behind else "",
        }

    def _notes(self, contact_id: str) -> dict[str | None, str]:
        fields = self._policy.notes
        if fields is None:
            return {}
        told = [(one.date_added, one.id, _text(one.body)) for one in self._world.notes.of(contact_id)]
        if fields.include is not None:
            told = [one for one in told if one[2].startswith("Share")]
        newest = max(told, default=None)
        return {
            fields.latest: _cut(newest[2], fields.max_length) if newest else "",
            fields.latest_at: self._day(newest[0]) if newest else "",
        }

    def _day(self, ms: int) -> str:
        return self._local(ms).strftime("%Y-%m-%d")

    def _local(self, ms: int) -> datetime:
        return datetime.fromtimestamp(ms / 1000, UTC).astimezone(self._world.location.zone)


def shown_in(subscriber: Any, names: set[str]) -> dict[str, str]:
    """What an EmailOctopus contact shows in some fields, in the same words."""
    told = {name: str(subscriber.fields[name]) for name in names if subscriber.fields.get(name) not in (None, "")}
    return {name: text for name, text in told.items() if text not in ("0", "0.0")}


def fields_of(policy: ActivityPolicy) -> set[str]:
    """The names of all fields that a policy shows something in."""
    parts: list[Any] = [policy.tasks, policy.notes, policy.appointments]
    others = ("on_completed", "on_booked", "max_length", "include", "window")
    return {
        name
        for part in parts
        if part is not None
        for slot in part.__slots__
        if slot not in others and (name := getattr(part, slot)) is not None
    }


def differing(
    expected: Callable[[datetime], Mapping[str, str]], moments: list[datetime], found: Mapping[str, str]
) -> Iterator[str]:
    """The fields that show neither what is to be shown at one of some moments."""
    wanted = [expected(at) for at in moments]
    for name in sorted({*found, *(name for one in wanted for name in one)}):
        if found.get(name) not in [one.get(name) for one in wanted]:
            yield name


def _line(title: str) -> str:
    return " ".join(title.split())


def _text(body: str) -> str:
    for markup in ("<p>", "</p>", "<b>", "</b>"):
        body = body.replace(markup, "")
    return body.replace("&amp;", "&")


def _cut(text: str, most: int) -> str:
    """As many whole words as leave room for a mark that there were more."""
    if len(text) <= most:
        return text
    kept = ""
    for word in text.split():
        longer = f"{kept} {word}".strip()
        if len(longer) + 2 > most:
            break
        kept = longer
    return f"{kept} …" if kept else text[: most - 1] + "…"


def _ms(at: datetime) -> int:
    return (at - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
