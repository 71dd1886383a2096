"""The contacts of one list: found by id or address, and listed in order without sorting them each time."""

import hashlib
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from sync_daemon.sandbox.emailoctopus.model import Contact

Key = tuple[int, str]
_FEW = 10_000  # so many hits are sorted faster than the whole list is walked


def md5_of(email_address: str) -> str:
    """Give the second id of a contact: the MD5 of its address in lower case (documented: OpenAPI)."""
    return hashlib.md5(email_address.strip().lower().encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class ContactQuery:
    """Which contacts a listing wants. Bounds are seconds and belong to the range; `after` is the last key seen."""

    status: str = "subscribed"
    order: Literal["created", "updated"] = "created"
    descending: bool = False
    after: Key | None = None
    tag: str | None = None
    created: tuple[float, float] = (float("-inf"), float("inf"))
    updated: tuple[float, float] = (float("-inf"), float("inf"))

    def wants(self, contact: Contact) -> bool:
        """Tell whether a contact of the right status is one of those."""
        return (
            self.created[0] <= contact.created_at <= self.created[1]
            and self.updated[0] <= contact.last_updated_at <= self.updated[1]
            and (self.tag is None or self.tag in contact.tags)
        )

    def key(self, contact: Contact) -> Key:
        """Give a contact's place in the listing."""
        return (contact.created_at if self.order == "created" else contact.last_updated_at, contact.id)


@dataclass(slots=True)
class _Shelf:
    """The contacts of one status in both orders."""

    created: list[Key]
    updated: list[Key]


class Roster:
    """The contacts of one list."""

    def __init__(self) -> None:
        self._by_id: dict[str, Contact] = {}
        self._by_md5: dict[str, Contact] = {}
        self._shelves: dict[str, _Shelf] = {}
        self._placed: dict[str, tuple[str, int, int, str]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Contact]:
        return iter(list(self._by_id.values()))

    def find(self, key: str) -> Contact | None:
        """Find a contact by its id or by the MD5 of its address."""
        return self._by_id.get(key) or self._by_md5.get(key)

    def with_address(self, email_address: str) -> Contact | None:
        """Find the contact that has an address."""
        return self._by_md5.get(md5_of(email_address))

    def place(self, contact: Contact) -> None:
        """Take up a contact, or note that its status, address or times changed."""
        digest = md5_of(contact.email_address)
        place = (contact.status, contact.created_at, contact.last_updated_at, digest)
        if self._placed.get(contact.id) == place:
            return
        self._unplace(contact.id)
        self._by_id[contact.id] = self._by_md5[digest] = contact
        shelf = self._shelves.setdefault(contact.status, _Shelf([], []))
        insort(shelf.created, (contact.created_at, contact.id))
        insort(shelf.updated, (contact.last_updated_at, contact.id))
        self._placed[contact.id] = place

    def remove(self, contact_id: str) -> None:
        """Forget a contact."""
        self._unplace(contact_id)
        del self._by_id[contact_id]

    def count(self, status: str) -> int:
        """Count the contacts of a status."""
        return len(self._shelves[status].created) if status in self._shelves else 0

    def select(self, query: ContactQuery) -> Iterator[Contact]:
        """Give the contacts of a query in its order, from its cursor on."""
        shelf = self._shelves.get(query.status)
        if shelf is None:
            return iter(())
        first = bisect_left(shelf.updated, (query.updated[0], ""))
        last = bisect_left(shelf.updated, (query.updated[1] + 1, ""))
        if last - first > _FEW or query.order == "updated":
            return filter(query.wants, self._walk(shelf, query))
        return self._sorted(shelf.updated[first:last], query)

    def _walk(self, shelf: _Shelf, query: ContactQuery) -> Iterator[Contact]:
        keys = shelf.created if query.order == "created" else shelf.updated
        bounds = query.created if query.order == "created" else query.updated
        first, last = bisect_left(keys, (bounds[0], "")), bisect_left(keys, (bounds[1] + 1, ""))
        if query.after is not None and query.descending:
            last = min(last, bisect_left(keys, query.after))
        elif query.after is not None:
            first = max(first, bisect_right(keys, query.after))
        places = range(last - 1, first - 1, -1) if query.descending else range(first, last)
        return (self._by_id[keys[place][1]] for place in places)

    def _sorted(self, keys: list[Key], query: ContactQuery) -> Iterator[Contact]:
        hits = [contact for _, key in keys if query.wants(contact := self._by_id[key])]
        hits.sort(key=query.key, reverse=query.descending)
        if query.after is None:
            return iter(hits)
        after = query.after
        return (hit for hit in hits if (query.key(hit) < after if query.descending else query.key(hit) > after))

    def _unplace(self, contact_id: str) -> None:
        placed = self._placed.pop(contact_id, None)
        if placed is None:
            return
        status, created_at, last_updated_at, digest = placed
        shelf = self._shelves[status]
        del shelf.created[bisect_left(shelf.created, (created_at, contact_id))]
        del shelf.updated[bisect_left(shelf.updated, (last_updated_at, contact_id))]
        if (holder := self._by_md5.get(digest)) is not None and holder.id == contact_id:
            del self._by_md5[digest]


def page_of(rows: Iterator[Contact], size: int) -> tuple[list[Contact], bool]:
    """Take one page and tell whether there are more."""
    taken = list(islice(rows, size + 1))
    return taken[:size], len(taken) > size
