"""Reading a list: by status, as its listing hides every other than the one asked for (facts: §6)."""

from collections.abc import Callable, Iterator
from datetime import datetime

import msgspec

from sync_daemon.model.contact import Consent, Malformed, Page, Record, Snapshot, Source
from sync_daemon.model.errors import IncompleteRead, Refused
from sync_daemon.systems.emailoctopus import wire
from sync_daemon.systems.emailoctopus.client import PAGE_SIZE, Client, md5_of
from sync_daemon.systems.emailoctopus.mapping import CONSENT_OF_STATUS, STATUS_OF_CONSENT, Columns, id_in, read_contact


class EmailOctopusReader:
    """Reads one list. Rows of listings are the records themselves; the API can't sort them."""

    streams = tuple(CONSENT_OF_STATUS)
    revocation_streams: tuple[str, ...] = ("unsubscribed",)
    runs_behind = False
    per_page = PAGE_SIZE

    def __init__(self, client: Client, columns: Columns) -> None:
        self._client = client
        self._columns = columns

    def poll(self, stream: str, since: datetime) -> Iterator[Page]:
        """Contacts of a status changed at or after `since`; raises `IncompleteRead`."""
        return (page.whole() for page in self._contacts(stream, since))

    def scan(self, stream: str) -> Iterator[Page]:
        """Every contact of a status, kept as records; raises `IncompleteRead`."""
        return self._contacts(stream, None)

    def scan_revoked(self) -> Iterator[Page]:
        """Every unsubscribed contact; raises `IncompleteRead`."""
        return (page.whole() for page in self.scan(STATUS_OF_CONSENT[Consent.REVOKED]))

    def fetch(self, contact_id: str) -> Snapshot | None:
        """One contact by id, None when the list hasn't it. Raises `Refused` (`malformed`) when it can't be read."""
        return self._one(contact_id)

    def find(self, address: str) -> Snapshot | None:
        """The contact with an address, None when the list has none. Raises `Refused` like `fetch`."""
        return self._one(md5_of(address))

    def holders(self, address: str) -> tuple[str, ...]:
        """The one contact that a list has for an address, if it has any. Raises `Refused` like `fetch`."""
        found = self.find(address)
        return (found.contact_id,) if found is not None else ()

    def tag_names(self) -> tuple[str, ...]:
        """The tags that the list defines; raises `IncompleteRead`."""
        rows = (row for page in pages("tags", self._client.list_tags) for row in page.data)
        try:
            return tuple(msgspec.json.decode(row, type=wire.Tag).tag for row in rows)
        except msgspec.MsgspecError as error:
            raise IncompleteRead(f"EmailOctopus lists a tag in a form that isn't documented: {error}.") from error

    def _one(self, key: str) -> Snapshot | None:
        data = self._client.get_contact(key)
        if data is None:
            return None
        read = read_contact(data, self._columns, Source.READ)
        if isinstance(read, Malformed):
            raise Refused("malformed", f"EmailOctopus returned a contact that can't be read: {read.why}.")
        return read

    def _contacts(self, status: str, since: datetime | None) -> Iterator[Page]:
        for page in pages(status, lambda cursor: self._client.list_contacts(status, since, cursor)):
            yield Page(status, (), records=tuple(Record(id_in(row), bytes(row)) for row in page.data), read=self._row)

    def _row(self, record: Record) -> Snapshot | Malformed:
        return read_contact(record.body, self._columns, Source.LISTING)


def pages(what: str, ask: Callable[[str | None], wire.Page]) -> Iterator[wire.Page]:
    """Follow the cursors to the last page; a refusal on the way or a cursor that returns proves nothing."""
    cursor: str | None = None
    seen = set()
    while True:
        try:
            page = ask(cursor)
        except Refused as refusal:
            raise IncompleteRead(f"EmailOctopus's listing of {what} broke off: {refusal.code}.") from refusal
        yield page
        cursor = page.cursor
        if cursor is None:
            return
        if cursor in seen:
            raise IncompleteRead(f"EmailOctopus's listing of {what} came back to a page it had shown.")
        seen.add(cursor)
