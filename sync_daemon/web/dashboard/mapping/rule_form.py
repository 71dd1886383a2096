"""A rule as a form, or as YAML where a form can't say it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sync_daemon.model.engagement import Kind as Event
from sync_daemon.settings.rewriting.rendering import placed
from sync_daemon.web.dashboard.mapping.inputs import Kind, meant, same, shown

WITH_SUBJECT = (Event.TAG_ADDED, Event.FIELD_CHANGED)
SIMPLE = ("add_tag", "remove_tag", "create_note", "add_to_workflow")
"""Actions that are one text."""
TASK = "create_task"
_TASK_KEYS = {"title": "text", "due_in": "due_in", "body": "body"}
CONDITIONS: Mapping[str, Kind] = {
    "campaign": Kind.TEXT,
    "tags_any": Kind.LINES,
    "tags_none": Kind.LINES,
    "field": Kind.CONDITIONS,
    "once_every": Kind.TEXT,
}
"""The inputs of `when`, beside the event."""


@dataclass(frozen=True, slots=True)
class ActionForm:
    """One action: which, and its texts; `due_in` and `body` are a task's."""

    does: str = SIMPLE[0]
    text: str = ""
    due_in: str = ""
    body: str = ""

    @classmethod
    def of(cls, action: Mapping[str, Any]) -> "ActionForm":
        """An action of the file, as far as a form can say it."""
        (does, value), *_ = action.items()
        if does == TASK and isinstance(value, dict):
            return cls(does, value.get("title", ""), value.get("due_in", ""), value.get("body", ""))
        return cls(does, str(value))

    def value(self) -> dict[str, Any]:
        """What the file is to say."""
        if self.does != TASK:
            return {self.does: self.text}
        task = {key: getattr(self, name) for key, name in _TASK_KEYS.items()}
        return {TASK: {key: text for key, text in task.items() if text or key == "title"}}


@dataclass(frozen=True, slots=True)
class RuleForm:
    """One rule. `origin` is its place in the file, None for a new one; `yaml` is None while it is a form."""

    origin: int | None = None
    event: str = Event.CLICKED.value
    subject: str = ""
    when: Mapping[str, str] = field(default_factory=dict)
    actions: tuple[ActionForm, ...] = (ActionForm(),)
    yaml: str | None = None

    def value(self, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What the file is to say of a form; `before` is what it says, of which unchanged parts stay as they are."""
        old = RuleForm.filled(self.origin, before) if before else None
        when = dict(before["when"]) if before else {}
        event = f"{self.event}:{self.subject}" if self.event in WITH_SUBJECT else self.event
        if old is None or (old.event, old.subject) != (self.event, self.subject):
            when["event"] = event
        for key, kind in CONDITIONS.items():
            text = self.when.get(key, "")
            if old is not None and same(kind, old.when.get(key, ""), text):
                continue
            if value := meant(kind, text):
                when[key] = value
            else:
                when.pop(key, None)
        unchanged = before is not None and old is not None and old.actions == self.actions
        then = before["then"] if unchanged and before else [one.value() for one in self.actions]
        return {**(before or {}), "when": when, "then": then}

    @classmethod
    def filled(cls, origin: int | None, value: Mapping[str, Any]) -> "RuleForm":
        """The form for a rule that a form can say."""
        event, _, subject = value["when"]["event"].partition(":")
        when = {
            key: shown(kind, value["when"][key]) if key in value["when"] else "" for key, kind in CONDITIONS.items()
        }
        return cls(origin, event, subject, when, tuple(map(ActionForm.of, value["then"])))

    @classmethod
    def of(cls, origin: int, value: Mapping[str, Any], text: str) -> "RuleForm":
        """A rule of the file: as a form if that says all of it, else as its text."""
        try:
            form = cls.filled(origin, value)
        except (AttributeError, KeyError, TypeError, ValueError):
            return cls(origin, yaml=text)
        known = {one.does for one in form.actions} <= {*SIMPLE, TASK}
        return form if known and form.value() == value and not form.breaks_lines() else cls(origin, yaml=text)

    def breaks_lines(self) -> bool:
        """Whether a browser would send a text back with other line ends than it has."""
        tasks = [one for one in self.actions if one.does == TASK]
        short = [self.subject, self.when.get("campaign", ""), self.when.get("once_every", "")]
        short += [one.due_in for one in tasks]
        long = [text for one in self.actions for text in (one.text, one.body)]
        return any("\n" in text for text in short) or any("\r" in text for text in (*short, *long))

    def as_yaml(self, before: Mapping[str, Any] | None, text: str) -> "RuleForm":
        """The same rule as text: the file's own, while the form says nothing else."""
        value = self.value(before)
        return replace(self, yaml=text if before == value else placed(value, 0))
