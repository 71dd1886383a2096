"""GHL's search index of one location: documents as they were a while ago, kept in order for each sort."""

from bisect import bisect_left, bisect_right, insort
from typing import Any

from sync_daemon.sandbox.clock import Clock
from sync_daemon.sandbox.ghl import dnd
from sync_daemon.sandbox.ghl.change_log import ChangeLog
from sync_daemon.sandbox.ghl.contact import Contact
from sync_daemon.sandbox.ghl.sorting import Key, Sort, sort_key

_REBUILD_ABOVE = 1000  # changes at once, from which sorting anew is cheaper than inserting one by one
_REMEMBERED = 16  # answers kept for their next pages


class ContactIndex:
    """The searchable documents of one location. Orders are built at their first use, then kept."""

    def __init__(self, clock: Clock) -> None:
        self.documents: dict[str, Contact] = {}
        self.seen_statuses: set[tuple[str, str]] = set()  # (channel, status) that some document ever had
        self._log: ChangeLog[Contact] = ChangeLog(clock)
        self._orders: dict[Sort, list[Key]] = {}
        self._matches: dict[Any, list[Key]] = {}  # of the present state, by what was asked

    def record(self, before: Contact | None, after: Contact | None) -> None:
        """Take up a change of the store; it shows when the lag has passed."""
        self._log.record(before, after)

    def settle(self, contact: Contact) -> None:
        """Show a contact at once, as one that has been there for long."""
        self._step(None, contact)

    def show(self, lag_s: float) -> None:
        """Bring the documents to how they were `lag_s` seconds ago."""
        steps = self._log.steps(lag_s)
        if len(steps) > _REBUILD_ABOVE:
            self._orders.clear()
        for before, after in steps:
            self._step(before, after)

    def order(self, sort: Sort) -> list[Key]:
        """Give the keys of every document in the order of a sort; to be read, not changed."""
        if sort not in self._orders:
            self._orders[sort] = sorted(sort_key(sort, contact) for contact in self.documents.values())
        return self._orders[sort]

    def between(self, sort: Sort, low: Key, high: Key) -> list[Key]:
        """Give the keys from `low` to `high`, which are beginnings of keys, both included."""
        order = self.order(sort)
        return order[bisect_left(order, low) : bisect_right(order, (*high, _AFTER_ALL))]

    def matches(self, question: Any) -> list[Key] | None:
        """Give what `remember` kept for a question, unless a document has changed since."""
        return self._matches.get(question)

    def remember(self, question: Any, keys: list[Key]) -> None:
        """Keep an answer's keys for the pages that follow."""
        if len(self._matches) >= _REMEMBERED:
            self._matches.clear()
        self._matches[question] = keys

    def _step(self, before: Contact | None, after: Contact | None) -> None:
        self._matches.clear()
        if before is not None:
            self.documents.pop(before.id, None)
        if after is not None:
            self.documents[after.id] = after
            self.seen_statuses.update(dnd.statuses(after.dnd_settings))
        for sort, order in self._orders.items():
            if before is not None:
                del order[bisect_left(order, sort_key(sort, before))]
            if after is not None:
                insort(order, sort_key(sort, after))


class _AfterAll:
    """Sorts behind everything that can stand in a key."""

    def __lt__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return True


_AFTER_ALL = _AfterAll()
