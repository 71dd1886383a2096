"""How a GHL location is read: search for listings, which runs behind; by id for the truth."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from msgspec import UNSET

from sync_daemon.changes.addresses import normalise
from sync_daemon.model.contact import Consent, Malformed, Page, Record, Snapshot, Source
from sync_daemon.model.errors import IncompleteRead, NotFound, Refused
from sync_daemon.model.system import SystemName
from sync_daemon.systems.ghl import listing, mapping, wire
from sync_daemon.systems.ghl.client import Client
from sync_daemon.systems.ghl.dialect import Dialect
from sync_daemon.systems.ghl.errors import CONTACT_NOT_FOUND
from sync_daemon.systems.ghl.fields import Columns
from sync_daemon.threads import pool

STREAM = "contacts"
_EMAIL_STATUS = "dndSettings.Email.status"
_BLOCKING = ("active", "permanent")


@dataclass(slots=True)
class GhlReader:
    """The reader of one location. Its rows are hints: the search index is seconds to minutes old."""

    client: Client
    columns: Columns
    dialect: Dialect
    streams: tuple[str, ...] = (STREAM,)
    revocation_streams: tuple[str, ...] = (STREAM,)
    runs_behind: bool = True
    per_page: int = listing.PAGE_LIMIT

    def poll(self, stream: str, since: datetime) -> Iterator[Page]:
        """Contacts changed at or after `since` as far as the index knows, oldest change first.

        Where the server refuses an ISO instant, or passes it over, milliseconds are asked and remembered.
        """
        if not self.dialect.epoch:
            pages = self._read_pages(stream, listing.changed_since(since, epoch=False), complete=False)
            first = _first_of(pages)
            if first is not None and not _begins_before(first, since):
                yield first
                yield from pages
                return
        for page in self._read_pages(stream, listing.changed_since(since, epoch=True), complete=False):
            self.dialect.epoch = True
            yield page

    def scan(self, stream: str) -> Iterator[Page]:
        """Every contact, oldest first; hits that tell all are kept as records."""
        return self._pages(stream, listing.sorted_by("dateAdded"), complete=True)

    def scan_revoked(self) -> Iterator[Page]:
        """Every contact whose e-mail channel, or all of them, are blocked; each row is checked itself.

        The server passes over an `eq` on a status that nobody in the location ever had, and so matches
        everybody (observed); such a status isn't asked for. Hits without DND are read by id.
        """
        statuses = [_is(_EMAIL_STATUS, status) for status in _BLOCKING if self._can_be_asked_for(status)]
        blocked = {"group": "OR", "filters": [_is("dnd", value=True), *statuses]}
        for page in self._read_pages(STREAM, {"filters": [blocked], **listing.sorted_by("dateAdded")}, complete=True):
            told = iter(self._all_told([row.contact_id for row in page.snapshots if row.consent is None]))
            rows = [next(told) if row.consent is None else row for row in page.snapshots]
            revoked = tuple(row for row in rows if isinstance(row, Snapshot) and row.consent is Consent.REVOKED)
            malformed = page.malformed + tuple(row for row in rows if isinstance(row, Malformed))
            yield replace(page, snapshots=revoked, malformed=malformed)

    def fetch(self, contact_id: str) -> Snapshot | None:
        """One contact by id, None when GHL says that it doesn't exist. Raises `Refused` for a malformed one."""
        row = self._read(contact_id)
        if isinstance(row, Malformed):
            raise Refused("malformed", f"GHL's contact {contact_id} can't be understood: {row.why}.")
        return row

    def find(self, address: str) -> Snapshot | None:
        """The contact that GHL takes for the holder of an address, read by id: the look-up's form is undocumented."""
        contact_id = mapping.id_of(self.client.duplicate(address.strip()))
        return self.fetch(contact_id) if contact_id else None

    def holders(self, address: str) -> tuple[str, ...]:
        """Who has an address as the primary one; each hit is looked at itself, as a filter may be passed over."""
        wanted = normalise(address)
        search = {"filters": [_is("email", wanted)], **listing.sorted_by("dateAdded")}
        rows = (row for page in self._read_pages(STREAM, search, complete=True) for row in page.snapshots)
        return tuple(row.contact_id for row in rows if row.address is not None and normalise(row.address) == wanted)

    def tag_names(self) -> tuple[str, ...]:
        """The tags that the location defines. Raises `IncompleteRead` when GHL lists them in no documented way."""
        try:
            return tuple(tag.name for tag in self.client.tags())
        except Refused as refused:
            raise IncompleteRead(f"GHL refused to list the location's tags: {refused.code}.") from refused

    def _read(self, contact_id: str) -> Snapshot | Malformed | None:
        try:
            raw = self.client.contact(contact_id)
        except NotFound as absent:
            if absent.code == CONTACT_NOT_FOUND:
                return None
            raise
        return mapping.snapshot(raw, Source.READ, self.columns)

    def _can_be_asked_for(self, status: str) -> bool:
        """Whether an `eq` on a DND status selects anything: with its contrary, it must select nothing."""
        contradiction = [_is(_EMAIL_STATUS, status), {**_is(_EMAIL_STATUS, status), "operator": "not_eq"}]
        try:
            answer = self._search({"filters": contradiction, **listing.sorted_by("dateAdded"), "pageLimit": 1})
        except IncompleteRead:  # the filter is younger than the API (added in June 2026)
            return False
        return not answer.contacts

    def _pages(self, stream: str, body: dict[str, Any], *, complete: bool) -> Iterator[Page]:
        """The hits; where what one leaves out would look like a change, the contact read by id."""
        for answer in listing.follow(self._search, body, complete=complete):
            hits = [(raw, mapping.hit_keys(raw) or wire.HitKeys(timezone=None)) for raw in answer.contacts]
            whole, partial = list[Record](), list[str]()
            for raw, keys in hits:
                if mapping.tells_all(keys, self.columns):
                    whole.append(Record(keys.id, bytes(raw)))
                else:
                    partial.append(keys.id)
            rows = self._all_told(partial)
            yield Page(
                stream,
                tuple(row for row in rows if isinstance(row, Snapshot)),
                tuple(row for row in rows if isinstance(row, Malformed)),
                answer.total,
                rows.count(None),
                tuple(whole),
                self._read_hit,
                tells_consent=any(keys.dnd_settings is not UNSET for _, keys in hits),
            )

    def _read_pages(self, stream: str, body: dict[str, Any], *, complete: bool) -> Iterator[Page]:
        return (page.whole() for page in self._pages(stream, body, complete=complete))

    def _read_hit(self, record: Record) -> Snapshot | Malformed:
        return mapping.snapshot(record.body, Source.HINT, self.columns)

    def _all_told(self, ids: Sequence[str]) -> list[Snapshot | Malformed | None]:
        """Contacts of a listing by id, side by side. Raises `StopSystem`, and asks for no more of them then."""
        with pool(self.client.at_once, "hits") as threads:
            reads = [threads.submit(self._told, contact_id) for contact_id in ids]
            try:
                return [read.result() for read in reads]
            finally:
                for read in reads:
                    read.cancel()

    def _told(self, contact_id: str) -> Snapshot | Malformed | None:
        """One contact of a listing by id; a refusal concerns it alone."""
        try:
            return self._read(contact_id)
        except Refused as refused:
            return Malformed(SystemName.GHL, contact_id, f"GHL doesn't tell it: {refused.code}")

    def _search(self, body: dict[str, Any]) -> wire.SearchAnswer:
        try:
            return self.client.search(body)
        except Refused as refused:  # its text can only repeat the search, which names no person
            raise IncompleteRead(f"GHL refused to list contacts: {refused.message or refused.code}") from refused


def _is(field: str, value: object) -> dict[str, Any]:
    return {"field": field, "operator": "eq", "value": value}


def _first_of(pages: Iterator[Page]) -> Page | None:
    """The first page, None when it was refused."""
    try:
        return next(pages)
    except IncompleteRead:
        return None


def _begins_before(page: Page, since: datetime) -> bool:
    """Whether a range was passed over: its listing begins with a contact that changed too early."""
    moment = listing.milliseconds(since)
    return any(listing.milliseconds(row.updated_at) < moment for row in page.snapshots[:1])
