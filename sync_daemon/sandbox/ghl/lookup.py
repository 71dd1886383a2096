"""Who has which address and which number: what duplicates are found by (facts: GHL §5)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sync_daemon.sandbox.ghl.contact import Contact
from sync_daemon.sandbox.ghl.location import Identifier, Location


class Match(NamedTuple):
    """A contact that has an address or a number already."""

    contact_id: str
    field: Identifier


class Lookup:
    """Contact ids by address and number, within a location; the oldest entry is found first."""

    def __init__(self) -> None:
        self._ids: defaultdict[tuple[str, Identifier, str], dict[str, None]] = defaultdict(dict)

    def move(self, before: Contact | None, after: Contact | None) -> None:
        """Follow a change of a contact."""
        old, new = set(_entries(before)), set(_entries(after))
        for entry in old - new:
            ids = self._ids[entry]
            ids.pop(before.id if before is not None else "")
            if not ids:
                del self._ids[entry]
        for entry in new - old:
            self._ids[entry][after.id if after is not None else ""] = None

    def find(self, location: Location, email: str | None, phone: str | None) -> Iterator[Match]:
        """Give who has the address or number, in the location's order of identifiers; e-mail, then phone,
        where duplicates are allowed (documented).
        """
        wanted = {"email": email.lower() if email else None, "phone": phone}
        order = ("email", "phone") if location.allow_duplicate_contact else location.unique_identifiers
        for identifier in order:
            value = wanted[identifier]
            for contact_id in self._ids.get((location.id, identifier, value), ()) if value else ():
                yield Match(contact_id, identifier)


def _entries(contact: Contact | None) -> Iterable[tuple[str, Identifier, str]]:
    if contact is None:
        return
    for email in contact.all_emails():
        yield contact.location_id, "email", email
    for phone in contact.all_phones():
        yield contact.location_id, "phone", phone
