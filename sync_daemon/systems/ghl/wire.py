"""GHL's JSON as it comes: tolerant structs, unknown keys ignored (contacts.json, locations.json, ClickUp search page).

Only what this program reads is declared. Values of standard and custom fields stay untyped here; they are
looked at where they are mapped, so that an oddity in a field nobody maps harms nobody.
"""

from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

NOTHING = Raw(b"null")
"""A contact that isn't there."""
Moment = str | int | float | None
"""A timestamp: ISO 8601 (documented), or milliseconds since the epoch."""


class CustomValue(Struct):
    """One entry of `customFields`: {id, value} on read; the write spellings are taken as well."""

    id: str
    value: Any = UNSET
    field_value: Any = UNSET
    field_value_v3: Any = msgspec.field(default=UNSET, name="fieldValue")

    @property
    def content(self) -> object:
        """The value, under whichever name it came; None when under none."""
        values = (self.value, self.field_value, self.field_value_v3)
        return next((value for value in values if value is not UNSET), None)


class Contact(Struct, rename="camel"):
    """A contact by id, as a search hit or as the answer to a write; `dnd_settings` UNSET means untold."""

    id: str
    date_updated: Moment = None
    date_added: Moment = None
    email: str | None = None
    additional_emails: list[Any] | None = None
    tags: list[str] | None = None
    type: str | None = None
    dnd: bool | None = None
    dnd_settings: dict[str, Any] | UnsetType | None = UNSET
    custom_fields: list[CustomValue] | None = None
    name: Any = None
    first_name_raw: Any = None
    first_name: Any = None
    first_name_lower_case: Any = None
    last_name_raw: Any = None
    last_name: Any = None
    last_name_lower_case: Any = None
    contact_name_raw: Any = None
    contact_name: Any = None
    full_name_lower_case: Any = None
    phone: Any = None
    address1: Any = None
    address: Any = None
    city: Any = None
    state: Any = None
    postal_code: Any = None
    country: Any = None
    website: Any = None
    timezone: Any = None
    date_of_birth: Any = None
    source: Any = None
    assigned_to: Any = None
    company_name: Any = None


class HitKeys(Struct, rename="camel"):
    """Whose a hit is, and what it may not tell: the documented one has names in lower case only and no time zone.

    (ClickUp page.)
    """

    id: str = ""
    dnd_settings: Raw | UnsetType = UNSET
    first_name_raw: Any = None
    first_name: Any = None
    first_name_lower_case: Any = None
    last_name_raw: Any = None
    last_name: Any = None
    last_name_lower_case: Any = None
    timezone: Any = UNSET

    @property
    def folds_names(self) -> bool:
        """Whether a name is told in lower case only."""
        first = self.first_name_raw or self.first_name
        last = self.last_name_raw or self.last_name
        return bool((self.first_name_lower_case and not first) or (self.last_name_lower_case and not last))


class Identity(Struct):
    """What names a record that can't be understood otherwise."""

    id: str = ""


class SearchAnswer(Struct):
    """A page of POST /contacts/search; the hits stay raw so that one bad record spoils no page."""

    contacts: list[Raw]
    total: int | None = None


class Cursor(Struct, rename="camel"):
    """The cursor that each hit carries (observed); copied as it is into the next request."""

    search_after: list[Any] | None = None


class ContactAnswer(Struct):
    """GET, POST, PUT of a contact and the duplicate look-up: {contact}, which the look-up gives as null."""

    contact: Raw = NOTHING


class TagsAnswer(Struct):
    """The tag routes of one contact: its whole list afterwards (contacts.json); None when untold."""

    tags: list[str] | None = None


class BulkItem(Struct, rename="camel"):
    """What a bulk tag request did to one contact (contacts.json, example of UpdateTagsResponseDTO)."""

    contact_id: str
    type: str | None = None
    message: str | list[str] | None = None
    old_tags: list[str] | None = None
    tags_added: list[str] | None = None
    tags_removed: list[str] | None = None

    @property
    def succeeded(self) -> bool:
        """Whether it worked; a type that isn't told is no error."""
        return self.type in (None, "success")

    @property
    def text(self) -> str:
        """The message in one piece."""
        return "\n".join(_lines(self.message)) or "GHL refused the tags of this contact and gave no reason."


class BulkAnswer(Struct, rename="camel"):
    """POST /contacts/bulk/tags/update/{type}; the success flag has three spellings by route and version."""

    error_count: int = 0
    responses: list[BulkItem] = []
    succeded: bool | None = None
    succeeded: bool | None = None
    success: bool | None = None

    @property
    def done(self) -> bool:
        """Whether the answer as a whole says that it worked."""
        flags = [flag for flag in (self.succeded, self.succeeded, self.success) if flag is not None]
        return self.error_count == 0 and all(flags)


class CustomField(Struct, rename="camel"):
    """A custom field's definition (locations.json, CustomFieldSchema)."""

    id: str
    name: str = ""
    field_key: str = ""
    data_type: str = ""
    model: str = "contact"
    picklist_options: list[Any] | None = None


class CustomFieldsAnswer(Struct, rename="camel"):
    """GET /locations/{id}/customFields."""

    custom_fields: list[CustomField]


class CustomFieldAnswer(Struct, rename="camel"):
    """POST /locations/{id}/customFields."""

    custom_field: CustomField


class Location(Struct):
    """A location, as far as it matters (locations.json, GetLocationByIdSchema)."""

    id: str = ""
    name: str | None = None
    country: str | None = None
    timezone: str | None = None


class LocationAnswer(Struct):
    """GET /locations/{id}."""

    location: Location


class LocationsAnswer(Struct):
    """GET /locations/search."""

    locations: list[Location]


class Tag(Struct):
    """A tag's definition."""

    name: str


class LocationTagsAnswer(Struct):
    """GET /locations/{id}/tags."""

    tags: list[Tag]


class Task(Struct, rename="camel"):
    """A task: `id` in a contact's list (contacts.json), `_id` and times in the search (observed)."""

    id: str = ""
    search_id: str = msgspec.field(default="", name="_id")
    contact_id: str | None = None
    title: Any = None
    due_date: Moment = None
    completed: bool = False
    deleted: bool = False
    date_added: Moment = None
    created_at: Moment = None
    date_updated: Moment = None
    updated_at: Moment = None


class TasksAnswer(Struct):
    """GET /contacts/{id}/tasks, POST /locations/{id}/tasks/search."""

    tasks: list[Task]


class Note(Struct, rename="camel"):
    """A note (contacts.json)."""

    id: str
    body: Any = None
    date_added: Moment = None


class NotesAnswer(Struct):
    """GET /contacts/{id}/notes."""

    notes: list[Note]


class Event(Struct, rename="camel"):
    """An appointment: ISO with an offset from calendars (calendars.json), without a zone by contact (contacts.json)."""

    id: str
    contact_id: str | None = None
    title: Any = None
    start_time: Moment = None
    appointment_status: str | None = None
    date_added: Moment = None
    deleted: bool = False


class EventsAnswer(Struct):
    """GET /calendars/events, GET /contacts/{id}/appointments."""

    events: list[Event]


class AppointmentAnswer(Struct):
    """GET /calendars/events/appointments/{id}: `event` in the spec, `appointment` in fact (observed)."""

    event: Event | None = None
    appointment: Event | None = None


class Calendar(Struct):
    """A calendar (calendars.json)."""

    id: str


class CalendarsAnswer(Struct):
    """GET /calendars/."""

    calendars: list[Calendar]


class DuplicateMeta(Struct, rename="camel"):
    """What a duplicate refusal says about the contact in the way (observed; not in the spec)."""

    contact_id: str | None = None
    matching_field: str | None = None


class ErrorBody(Struct):
    """A refusal: `message` is a text or a list of them, `error` may stand in its place (observed)."""

    message: Any = None
    error: Any = None
    meta: DuplicateMeta | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """The refusal's lines: `message`, else `error`, which v3 can wrap in an object."""
        return _lines(self.message) or _lines(self.error)


def _lines(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,) if value.strip() else ()
    if isinstance(value, dict):
        return _lines(value.get("message"))
    if isinstance(value, list):
        return tuple(line for one in value for line in _lines(one))
    return ()
