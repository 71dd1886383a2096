"""GHL's API, one function an operation (contacts.json, locations.json; the search body is ClickUp's page)."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote

from msgspec import Raw

from sync_daemon.http.answers import Response
from sync_daemon.http.session import Query, Retry, Session
from sync_daemon.model.errors import CredentialsRefused, Refused
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Usage
from sync_daemon.systems.ghl import credential_words as words
from sync_daemon.systems.ghl import wire
from sync_daemon.systems.ghl.catalogue.prepare import PreparedCall
from sync_daemon.systems.ghl.errors import Forbidden, ScopeMissing
from sync_daemon.systems.ghl.settings import GhlSettings

_READ, _WRITE = "contacts.readonly", "contacts.write"
_EVENTS = "calendars/events.readonly"
_CALENDARS = {"2021-07-28": "2021-04-15"}
"""The version that calendar routes want, where it is another than the configured one (documented: calendars.json)."""


class Client:
    """The routes of one location. Safe for threads: `at_once` requests wait side by side.

    Every function may raise `StopSystem` and `Refused`.
    """

    def __init__(self, session: Session, settings: GhlSettings) -> None:
        self._session = session
        self.settings = settings
        self.at_once = session.at_once
        self._location = f"/locations/{quote(settings.location_id, safe='')}"

    def search(self, body: dict[str, Any]) -> wire.SearchAnswer:
        """One page of contacts; `body` is filters, sort, pageLimit, searchAfter."""
        body = {"locationId": self.settings.location_id, **body}
        return self._send("POST", "/contacts/search", _READ, body=body).decode(wire.SearchAnswer)

    def contact(self, contact_id: str) -> Raw:
        """One contact. Raises `NotFound` (which GHL says with a 400)."""
        return self._send("GET", _contact(contact_id), _READ).decode(wire.ContactAnswer).contact

    def duplicate(self, address: str) -> Raw:
        """The contact that GHL takes for the holder of an address, `wire.NOTHING` when it has none."""
        query = {"locationId": self.settings.location_id, "email": address}
        return self._send("GET", "/contacts/search/duplicate", _READ, query=query).decode(wire.ContactAnswer).contact

    def create_contact(self, body: dict[str, Any]) -> Raw:
        """Create a contact. Raises `AlreadyExists`, and `AnswerLost` when it may have been created."""
        response = self._send("POST", "/contacts/", _WRITE, body=body, retry=Retry.LOOK_FIRST)
        return response.decode(wire.ContactAnswer).contact

    def update_contact(
        self, contact_id: str, body: dict[str, Any], *, revokes: bool = False, retry: Retry = Retry.SAFE
    ) -> Raw:
        """Change what the body names. Raises `NotFound`, `AlreadyExists`."""
        response = self._send("PUT", _contact(contact_id), _WRITE, body=body, revokes=revokes, retry=retry)
        return response.decode(wire.ContactAnswer).contact

    def delete_contact(self, contact_id: str) -> None:
        """Delete a contact. Raises `NotFound`."""
        self._send("DELETE", _contact(contact_id), _WRITE)

    def change_tags(self, method: Literal["POST", "DELETE"], contact_id: str, tags: Sequence[str]) -> wire.TagsAnswer:
        """Add (POST) or remove (DELETE) tags of one contact; the answer lists them all. Raises `NotFound`."""
        response = self._send(method, f"{_contact(contact_id)}/tags", _WRITE, body={"tags": list(tags)})
        return response.decode(wire.TagsAnswer)

    def bulk_tags(self, kind: Literal["add", "remove"], ids: Sequence[str], tags: Sequence[str]) -> wire.BulkAnswer:
        """Add or remove the same tags of many contacts; refusals stand in the answer, contact by contact."""
        body = {"contacts": list(ids), "tags": list(tags), "locationId": self.settings.location_id}
        return self._send("POST", f"/contacts/bulk/tags/update/{kind}", _WRITE, body=body).decode(wire.BulkAnswer)

    def location(self) -> wire.Location:
        """The location's own record. Raises `NotFound`, `Forbidden`."""
        return self._send("GET", self._location, "locations.readonly").decode(wire.LocationAnswer).location

    def locations(self) -> list[wire.Location]:
        """The locations that the token sees: a sub-account's its own, an agency's every one, ten at most here."""
        return self._send("GET", "/locations/search", "locations.readonly").decode(wire.LocationsAnswer).locations

    def custom_fields(self) -> list[wire.CustomField]:
        """The definitions of the contacts' custom fields."""
        path, query = f"{self._location}/customFields", {"model": "contact"}
        response = self._send("GET", path, "locations/customFields.readonly", query=query)
        return response.decode(wire.CustomFieldsAnswer).custom_fields

    def create_custom_field(self, body: dict[str, Any]) -> wire.CustomField:
        """Define a custom field; `body` is name, dataType, model and options."""
        path = f"{self._location}/customFields"
        response = self._send("POST", path, "locations/customFields.write", body=body, retry=Retry.LOOK_FIRST)
        return response.decode(wire.CustomFieldAnswer).custom_field

    def tags(self) -> list[wire.Tag]:
        """The tags that the location defines."""
        response = self._send("GET", f"{self._location}/tags", "locations/tags.readonly")
        return response.decode(wire.LocationTagsAnswer).tags

    def create_tag(self, name: str) -> None:
        """Define a tag."""
        self._send("POST", f"{self._location}/tags", "locations/tags.write", body={"name": name})

    def call(self, prepared: PreparedCall) -> bytes:
        """Any operation of the catalogue; its answer as it came: JSON, a file, or nothing.

        Raises `AnswerLost` when it isn't idempotent and may have been done.
        """
        operation = prepared.operation
        file = operation.answer == "file"
        try:
            response = self._send(
                operation.method,
                prepared.path,
                " ".join(operation.scopes),
                query=prepared.query,
                body=prepared.body,
                headers={"Version": prepared.version, **({"Accept": "*/*"} if file else {})},
                retry=Retry.SAFE if prepared.idempotent else Retry.LOOK_FIRST,
                file=file,
            )
        except Forbidden as refused:
            raise _forbidden(prepared, self.settings, refused) from refused
        return response.data

    def search_tasks(self, body: dict[str, Any]) -> wire.TasksAnswer:
        """One page of the location's tasks; `body` is completed, limit, skip."""
        path = f"{self._location}/tasks/search"
        return self._send("POST", path, "locations/tasks.readonly", body=body).decode(wire.TasksAnswer)

    def tasks_of(self, contact_id: str) -> list[wire.Task]:
        """The tasks of a contact, unpaged. Raises `NotFound`."""
        return self._send("GET", f"{_contact(contact_id)}/tasks", _READ).decode(wire.TasksAnswer).tasks

    def notes_of(self, contact_id: str) -> list[wire.Note]:
        """The notes of a contact, unpaged. Raises `NotFound`."""
        return self._send("GET", f"{_contact(contact_id)}/notes", _READ).decode(wire.NotesAnswer).notes

    def appointments_of(self, contact_id: str) -> list[wire.Event]:
        """The appointments of a contact, unpaged; their times have no zone (documented). Raises `NotFound`."""
        return self._send("GET", f"{_contact(contact_id)}/appointments", _READ).decode(wire.EventsAnswer).events

    def calendars(self) -> list[wire.Calendar]:
        """The location's calendars."""
        query = {"locationId": self.settings.location_id}
        return self._of_calendars("/calendars/", "calendars.readonly", query).decode(wire.CalendarsAnswer).calendars

    def calendar_events(self, calendar_id: str, start: int, end: int) -> list[wire.Event]:
        """The appointments of one calendar that begin between two moments in milliseconds, unpaged."""
        query: Query = {
            "locationId": self.settings.location_id,
            "calendarId": calendar_id,
            "startTime": str(start),
            "endTime": str(end),
        }
        return self._of_calendars("/calendars/events", _EVENTS, query).decode(wire.EventsAnswer).events

    def appointment(self, event_id: str) -> wire.Event:
        """One appointment, its times with their offset. Raises `NotFound`."""
        path = f"/calendars/events/appointments/{quote(event_id, safe='')}"
        answer = self._of_calendars(path, _EVENTS, {}).decode(wire.AppointmentAnswer)
        if (found := answer.event or answer.appointment) is None:
            raise Refused("malformed", "The answer holds no appointment.")
        return found

    def _of_calendars(self, path: str, scope: str, query: Query) -> Response:
        version = _CALENDARS.get(self.settings.version, self.settings.version)
        return self._send("GET", path, scope, query=query, headers={"Version": version})

    def usage(self) -> Usage:
        """Requests and quotas so far."""
        return self._session.usage()

    def seconds_for(self, requests: int) -> float:
        """The least time that many requests take."""
        return self._session.seconds_for(requests)

    def _send(
        self,
        method: str,
        path: str,
        scope: str,
        *,
        query: Query | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        retry: Retry = Retry.SAFE,
        revokes: bool = False,
        file: bool = False,
    ) -> Response:
        try:
            return self._session.request(
                method, path, query=query, body=body, headers=headers, retry=retry, revokes=revokes, file=file
            )
        except ScopeMissing as refused:
            raise CredentialsRefused(SystemName.GHL, words.lacks_scope(self.settings, scope)) from refused


def _forbidden(prepared: PreparedCall, settings: GhlSettings, refused: Forbidden) -> CredentialsRefused:
    """What a token must be for an operation that this one may not call."""
    operation = prepared.operation
    scope = f"the scope `{' '.join(operation.scopes)}`"
    if "sub-account" in operation.access:
        return CredentialsRefused(SystemName.GHL, f"{refused} {operation.name} needs {scope}.")
    return CredentialsRefused(SystemName.GHL, words.forbidden_operation(settings, operation.name, scope))


def _contact(contact_id: str) -> str:
    return f"/contacts/{quote(contact_id, safe='')}"
