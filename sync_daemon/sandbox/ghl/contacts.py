"""The contacts of every location, and what GHL does when they are written (facts: GHL §5)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal, NamedTuple

from sync_daemon.sandbox.clock import Clock
from sync_daemon.sandbox.ghl import normalise
from sync_daemon.sandbox.ghl.contact import Contact
from sync_daemon.sandbox.ghl.errors import (
    disguised_unprocessable,
    duplicate_refused,
    unknown_contact,
    unprocessable,
)
from sync_daemon.sandbox.ghl.ids import Ids
from sync_daemon.sandbox.ghl.index import ContactIndex
from sync_daemon.sandbox.ghl.location import Location
from sync_daemon.sandbox.ghl.lookup import Lookup, Match
from sync_daemon.sandbox.ghl.moments import to_ms
from sync_daemon.sandbox.ghl.quirks import GhlQuirks
from sync_daemon.sandbox.ghl.writes import written

_IDENTIFYING = ("firstName", "lastName", "name", "email", "phone")


Watcher = Callable[[Contact | None, Contact | None], None]
"""Is told of every change, before and after; None before is a creation, None after a deletion."""


class Upserted(NamedTuple):
    """What an upsert did."""

    contact: Contact
    new: bool


class ContactBook:
    """All contacts by id. Every change goes through `save`, which keeps look-ups and search index informed."""

    def __init__(self, clock: Clock, ids: Ids, locations: Mapping[str, Location], quirks: GhlQuirks) -> None:
        self.indexes: dict[str, ContactIndex] = {}
        self.quirks = quirks
        self.watcher: Watcher | None = None
        self._clock = clock
        self._ids = ids
        self._locations = locations
        self._contacts: dict[str, Contact] = {}
        self._deleted: set[str] = set()
        self._lookup = Lookup()

    def __len__(self) -> int:
        return len(self._contacts)

    def __iter__(self) -> Iterator[Contact]:
        return iter(list(self._contacts.values()))

    def get(self, contact_id: str) -> Contact:
        """Read a contact, always fresh. Raises ApiError 400 when the id doesn't exist."""
        contact = self._contacts.get(contact_id)
        if contact is None:
            raise unknown_contact(contact_id)
        return contact

    def is_deleted(self, contact_id: str) -> bool:
        """Tell whether an id was a contact's once."""
        return contact_id in self._deleted

    def index(self, location_id: str) -> ContactIndex:
        """Give the search index of a location."""
        if location_id not in self.indexes:
            self.indexes[location_id] = ContactIndex(self._clock)
        return self.indexes[location_id]

    def find_duplicate(self, location: Location, email: str | None, phone: str | None) -> Contact | None:
        """Look for a contact by address and number (GET /contacts/search/duplicate)."""
        number = normalise.e164(phone, location.country) or phone if phone else None
        match = next(self._matches(location, email, number), None)
        return self._contacts[match.contact_id] if match is not None else None

    def create(self, location: Location, body: Mapping[str, Any]) -> Contact:
        """POST /contacts/. Raises ApiError 400 for a duplicate and for a body that names nobody."""
        if not any(body.get(key) for key in _IDENTIFYING):
            raise disguised_unprocessable("At least one of email, phone, name, firstName, lastName is required")
        if not self.quirks.create_takes_dnd:
            body = {name: value for name, value in body.items() if name != "dndSettings"}
        draft = self._draft(location, body)
        if not location.allow_duplicate_contact:
            self._refuse_duplicate(location, draft, None)
        contact = self.add(draft)
        if self.quirks.create_fails_though_created:
            raise unprocessable(["Unprocessable Entity"])
        return contact

    def update(self, contact: Contact, body: Mapping[str, Any]) -> Contact:
        """PUT /contacts/{id}: partial, but `tags` replaces. Raises ApiError 400 for a duplicate."""
        location = self._locations[contact.location_id]
        after = written(contact, body, location, self.quirks)
        if not location.allow_duplicate_contact:
            self._refuse_duplicate(location, after, contact)
        return self.save(contact, after)

    def upsert(self, location: Location, body: Mapping[str, Any]) -> Upserted:
        """POST /contacts/upsert: the first identifier that matches says who is updated; an address or number
        that somebody else has is left out without a word (issue 37).
        """
        if not body.get("email") and not body.get("phone"):
            raise disguised_unprocessable("email or phone is required")
        draft = self._draft(location, body)
        found = None
        if not (location.allow_duplicate_contact and body.get("createNewIfDuplicateAllowed")):
            found = next(self._matches(location, draft.email, draft.phone), None)
        if found is None:
            return Upserted(self.add(draft), new=True)
        before = self._contacts[found.contact_id]
        after = written(before, body, location, self.quirks)
        if not location.allow_duplicate_contact:
            after = self._without_taken(location, before, after)
        return Upserted(self.save(before, after), new=False)

    def delete(self, contact_id: str, *, told: bool = True) -> None:
        """Remove a contact for good, whether or not webhooks tell it. Raises ApiError 400 for an unknown id."""
        contact = self.get(contact_id)
        del self._contacts[contact_id]
        self._deleted.add(contact_id)
        self._lookup.move(contact, None)
        self.index(contact.location_id).record(contact, None)
        if told and self.watcher is not None:
            self.watcher(contact, None)

    def save(self, before: Contact, after: Contact) -> Contact:
        """Store the next version of a contact, with the timestamp that its kind of change gives it."""
        if self._moves(before, after):
            after = replace(after, date_updated=to_ms(self._clock.now()))
        return self._put(before, after)

    def add(self, contact: Contact) -> Contact:
        """Store a new contact, without asking whether there is one like it."""
        return self._put(None, contact)

    def touch(self, contact_id: str) -> Contact:
        """Move dateUpdated and nothing else, as a workflow does that only passes by."""
        before = self.get(contact_id)
        return self._put(before, replace(before, date_updated=to_ms(self._clock.now())))

    def settle(self, contact: Contact) -> None:
        """Store a contact as one that has been there for long: the search index knows it already."""
        self._store(None, contact)
        self.index(contact.location_id).settle(contact)

    def new(self, location: Location, at_ms: int | None = None) -> Contact:
        """Begin a contact: an id, dates, the location's country."""
        now = to_ms(self._clock.now()) if at_ms is None else at_ms
        return Contact(
            id=self._ids.record(),
            location_id=location.id,
            date_added=now,
            date_updated=now,
            fields={"country": location.country},
        )

    def _draft(self, location: Location, body: Mapping[str, Any]) -> Contact:
        return written(self.new(location), body, location, self.quirks)

    def _put(self, before: Contact | None, after: Contact) -> Contact:
        self._store(before, after)
        self.index(after.location_id).record(before, after)
        if self.watcher is not None:
            self.watcher(before, after)
        return after

    def _store(self, before: Contact | None, after: Contact) -> None:
        self._contacts[after.id] = after
        self._locations[after.location_id].define_tags(after.tags)
        self._lookup.move(before, after)

    def _moves(self, before: Contact, after: Contact) -> bool:
        if before == after:
            return self.quirks.noop_touches
        if self.quirks.dnd_touches:
            return True
        silent = replace(after, dnd=before.dnd, dnd_settings=before.dnd_settings, inbound_dnd=before.inbound_dnd)
        return silent != before

    def _without_taken(self, location: Location, before: Contact, after: Contact) -> Contact:
        for match in list(self._matches(location, *_changed(after, before))):
            if match.contact_id != before.id:
                email = before.email if match.field == "email" else after.email
                phone = before.phone if match.field == "phone" else after.phone
                after = replace(after, email=email, phone=phone)
        return after

    def _refuse_duplicate(self, location: Location, after: Contact, before: Contact | None) -> None:
        for match in self._matches(location, *_changed(after, before)):
            if match.contact_id != after.id:
                raise duplicate_refused(match.contact_id, match.field, self._contacts[match.contact_id].name)

    def _matches(self, location: Location, email: str | None, phone: str | None) -> Iterator[Match]:
        for match in self._lookup.find(location, email, phone):
            if self.quirks.additional_emails_match or self._is_primary(match, email, phone):
                yield match

    def _is_primary(self, match: Match, email: str | None, phone: str | None) -> bool:
        contact = self._contacts[match.contact_id]
        if match.field == "phone":
            return contact.phone == phone
        return (contact.email or "").lower() == (email or "").lower()


def _changed(after: Contact, before: Contact | None) -> tuple[str | None, str | None]:
    if before is None:
        return after.email, after.phone
    email = None if after.email == before.email else after.email
    phone = None if after.phone == before.phone else after.phone
    return email, phone


TagChange = Literal["add", "remove"]


def retagged(contact: Contact, change: TagChange, names: Iterable[str]) -> Contact:
    """Add or remove tags, compared as GHL keeps them."""
    given = normalise.tags(names)
    if change == "add":
        return replace(contact, tags=tuple(dict.fromkeys(contact.tags + given)))
    return replace(contact, tags=tuple(name for name in contact.tags if name not in given))
