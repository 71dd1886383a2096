"""What an EmailOctopus account holds. Times are whole seconds since 1970, as the API knows no finer ones."""

from dataclasses import dataclass, field
from typing import Literal

FieldType = Literal["text", "number", "date", "choice_single", "choice_multiple"]
FieldValue = str | int | float | list[str]
Status = Literal["pending", "subscribed", "unsubscribed", "bounced", "complained"]
Suppression = Literal["bounced", "complained"]
EventKind = Literal["sent", "opened", "clicked", "bounced", "complained", "unsubscribed"]
Trigger = Literal["api", "contact_added", "tag_added", "field_updated"]


@dataclass(slots=True)
class Field:
    """A field of a list; `tag` is its key in a contact's `fields`."""

    label: str
    tag: str
    type: FieldType
    choices: list[str] = field(default_factory=list)
    fallback: str | None = None


@dataclass(slots=True)
class Contact:
    """A contact of one list. `suppressed` says that it bounced or complained, whatever its status reads as."""

    id: str
    list_id: str
    email_address: str
    status: Status
    created_at: int
    last_updated_at: int
    fields: dict[str, FieldValue] = field(default_factory=dict)
    tags: dict[str, None] = field(default_factory=dict)  # a set that keeps its order
    suppressed: Suppression | None = None


@dataclass(slots=True)
class Change:
    """What is to become of a contact; what isn't named stays. A value of None removes the field's value."""

    email_address: str | None = None
    fields: dict[str, FieldValue | None] = field(default_factory=dict)
    tags: dict[str, bool] = field(default_factory=dict)
    status: Status | None = None


@dataclass(slots=True)
class ReportEvent:
    """Something that happened with one contact in a campaign."""

    kind: EventKind
    contact_id: str
    email_address: str
    at: int
    url: str = ""
    hard: bool = True


@dataclass(slots=True)
class Campaign:
    """A campaign and what happened in it, in order."""

    id: str
    name: str
    subject: str
    list_ids: list[str]
    created_at: int
    status: Literal["draft", "sending", "sent", "error"] = "draft"
    sent_at: int | None = None
    from_name: str = "Otto Octopus"
    from_email_address: str = "otto@example.com"
    html: str = "<html></html>"
    events: list[ReportEvent] = field(default_factory=list)


@dataclass(slots=True)
class Automation:
    """An automation of a list. `watches` is the tag or the field of its trigger."""

    id: str
    list_id: str
    trigger: Trigger = "api"
    watches: str = ""
    active: bool = True
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class AutomationStart:
    """A contact that entered an automation."""

    automation_id: str
    contact_id: str
    at: int
