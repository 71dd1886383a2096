"""Following a search to its end: cursors, short pages, totals (facts: GHL sections 4.1 and 4.2)."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from sync_daemon.model.errors import IncompleteRead
from sync_daemon.systems.ghl.wire import Cursor, SearchAnswer

PAGE_LIMIT = 500
"""The largest page (documented: ClickUp page)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DRIFT = 1000
"""One in so many rows may be missing before a full listing is taken for short: the index drifts under it."""

Ask = Callable[[dict[str, Any]], SearchAnswer]


def changed_since(since: datetime, *, epoch: bool) -> dict[str, Any]:
    """A search for contacts changed at or after a moment, oldest change first.

    A full UTC instant, because a bare date means the location's zone; which of the two forms the server takes is
    not in print.
    """
    gte = milliseconds(since) if epoch else since.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
    changed = {"field": "dateUpdated", "operator": "range", "value": {"gte": gte}}
    return {"filters": [changed], **sorted_by("dateUpdated")}


def sorted_by(field: str) -> dict[str, Any]:
    """Sort and size of a page; without a sort the cursor's order is undefined (observed)."""
    return {"sort": [{"field": field, "direction": "asc"}], "pageLimit": PAGE_LIMIT}


def milliseconds(at: datetime) -> int:
    """Whole milliseconds since the epoch."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def follow(ask: Ask, body: dict[str, Any], *, complete: bool) -> Iterator[SearchAnswer]:
    """Every page of a search. A page's hits carry cursors; only a short page ends the listing, and not while
    the total says that more remain.

    Raises `IncompleteRead` for a missing or repeated cursor, and, where the listing must be `complete`, when
    it ends before its own total.
    """
    rows, cursors = 0, set[bytes]()
    at: dict[str, Any] = {}
    while True:
        answer = ask(body | at)
        yield answer
        rows += len(answer.contacts)
        total = answer.total or 0
        short = len(answer.contacts) < PAGE_LIMIT
        cursor = _cursor_of(answer)
        if not answer.contacts or (short and (rows >= total or cursor is None)):
            break
        if cursor is None:
            raise IncompleteRead("GHL's listing of contacts broke off: the last hit of a full page has no cursor.")
        if cursor in cursors:
            raise IncompleteRead(f"GHL's listing of contacts repeated a cursor after {rows} rows.")
        cursors.add(cursor)
        at = {"searchAfter": msgspec.json.decode(cursor)}
    if complete and rows < total - total // _DRIFT:
        raise IncompleteRead(f"GHL's listing of contacts ended after {rows} rows although it says there are {total}.")


def _cursor_of(answer: SearchAnswer) -> bytes | None:
    try:
        cursor = msgspec.json.decode(answer.contacts[-1], type=Cursor).search_after
    except (IndexError, msgspec.DecodeError):
        return None
    return msgspec.json.encode(cursor) if cursor else None
