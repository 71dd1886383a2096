"""The shape of a pair's `rules`: what in EmailOctopus leads to which actions in GHL."""

import re
from typing import Annotated, Any, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from sync_daemon.model.engagement import Kind
from sync_daemon.model.rules import AddTag, AddToWorkflow, CreateNote, CreateTask, RemoveTag
from sync_daemon.reconcile.templates import named_in, texts_in
from sync_daemon.settings.values import Id, Interval, Section, Text, Texts

_WITH_SUBJECT = {Kind.TAG_ADDED: "<tag or pattern>", Kind.FIELD_CHANGED: "<field>"}
_EVENTS = [kind.value for kind in Kind if kind not in _WITH_SUBJECT]
_EVENT = re.compile("|".join([*_EVENTS, *(f"{kind}:.*\\S.*" for kind in _WITH_SUBJECT)]))


def _event(value: str) -> str:
    if not _EVENT.fullmatch(value):
        more = (f"{kind}:{what}" for kind, what in _WITH_SUBJECT.items())
        raise ValueError(f"expected one of {', '.join([*_EVENTS, *more])}")
    return value


def _template(value: str) -> str:
    list(named_in(value))
    return value


Template = Annotated[Text, AfterValidator(_template)]


class WhenSection(Section):
    """What has to happen, and to whom."""

    event: Annotated[str, AfterValidator(_event)]
    campaign: Text | None = None
    tags_any: Texts = ()
    tags_none: Texts = ()
    field: dict[Text, Annotated[Texts, Field(min_length=1)]] = Field(default_factory=dict)
    once_every: Interval | None = None

    @property
    def kind(self) -> Kind:
        """The kind of event."""
        return Kind(self.event.partition(":")[0])

    @property
    def subject(self) -> str:
        """The tag or field it is about; empty for kinds that are about none."""
        return self.event.partition(":")[2].strip()


class TaskAction(Section):
    """The task to create; without `due_in` it is due at once."""

    title: Template
    due_in: Interval | None = None
    body: Template | None = None


class CallAction(Section):
    """An operation of GHL's catalogue; every other key is one of its parameters."""

    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)

    operation: Text

    @property
    def values(self) -> dict[str, Any]:
        """The parameters as they were written."""
        return dict(self.model_extra or {})

    @model_validator(mode="after")
    def _templates(self) -> Self:
        for name, value in self.values.items():
            for text in texts_in(value):
                try:
                    list(named_in(text))
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from None
        return self


class ActionSection(Section):
    """One action: exactly one of its keys."""

    add_tag: Template | None = None
    remove_tag: Template | None = None
    create_task: TaskAction | None = None
    create_note: Template | None = None
    add_to_workflow: Id | None = None
    ghl: CallAction | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("expected exactly one action; write each one as an item of its own")
        return self

    def plain(self) -> AddTag | RemoveTag | CreateTask | CreateNote | AddToWorkflow | None:
        """The action, None where it calls an operation of the catalogue."""
        if self.add_tag is not None:
            return AddTag(self.add_tag)
        if self.remove_tag is not None:
            return RemoveTag(self.remove_tag)
        if self.create_note is not None:
            return CreateNote(self.create_note)
        if self.add_to_workflow is not None:
            return AddToWorkflow(self.add_to_workflow)
        task = self.create_task
        if task is None:
            return None
        return (
            CreateTask(task.title, body=task.body)
            if task.due_in is None
            else CreateTask(task.title, task.due_in, task.body)
        )


class RuleSection(Section):
    """One rule: once for each event."""

    when: WhenSection
    then: Annotated[tuple[ActionSection, ...], Field(min_length=1)]
    allow_destructive: bool = False
