"""The shape of a pair's `rules`: what in EmailOctopus leads to which actions in GHL."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from sync_daemon.settings.values import Interval, Section, Text

_EVENTS = "opened clicked bounced complained unsubscribed subscribed"
_EVENT = re.compile(rf"{_EVENTS.replace(' ', '|')}|tag_added:.+|field_changed:.+")


def _event(value: str) -> str:
    if not _EVENT.fullmatch(value):
        raise ValueError(
            f"expected one of {', '.join(_EVENTS.split())}, tag_added:<tag or pattern>, field_changed:<field>"
        )
    return value


class Occasion(Section):
    """What has to happen."""

    event: Annotated[str, AfterValidator(_event)]
    campaign: Text | None = None


class TaskAction(Section):
    """The task to create."""

    title: Text
    due_in: Interval | None = None


class ActionSection(Section):
    """One action: exactly one of its keys."""

    add_tag: Text | None = None
    create_task: TaskAction | None = None
    create_note: Text | None = None
    add_to_workflow: Text | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("expected exactly one action; write each one as an item of its own")
        return self


class RuleSection(Section):
    """One rule: once for each event."""

    when: Occasion
    then: Annotated[tuple[ActionSection, ...], Field(min_length=1)]
    allow_destructive: bool = False
