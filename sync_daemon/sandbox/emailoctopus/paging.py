"""Pages and their opaque cursors (facts: §3)."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any
from urllib.parse import urlencode

import msgspec

from sync_daemon.sandbox.emailoctopus.calls import Call
from sync_daemon.sandbox.emailoctopus.errors import bad_parameter
from sync_daemon.sandbox.emailoctopus.rendering import shown

CursorKey = list[Any]
_PAGE_PARAMETERS = ("limit", "starting_after")


def cursor_of(key: CursorKey) -> str:
    """Write a place in a listing as a cursor: base64 without padding, as the documented ones are."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()


def key_of(call: Call, types: type[Any]) -> Any:
    """Read the cursor that a call brings, None when it brings none; raises 400 for a broken one."""
    cursor = call.query.get("starting_after")
    if not cursor:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(raw, type=types)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise bad_parameter("starting_after", "This value is not a valid cursor.") from None


def page_json(
    call: Call, rows: Sequence[Any], next_key: CursorKey | None, *, keeps: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Write a page; `next_key` is the place of its last row when more rows follow.

    `keeps` names the parameters that the next page's address repeats whatever the switch says.
    """
    return {"data": list(rows), "paging": _paging(call, next_key, keeps)}


def rows_page(call: Call, rows: Iterable[tuple[str, Any]], *, keeps: tuple[str, ...] = ()) -> dict[str, Any]:
    """Page through rows that come with a key each, in ascending order of the keys."""
    after = key_of(call, tuple[str])
    everything = sorted(rows, key=lambda row: row[0])
    visible = islice(everything, shown(len(everything), call.world.weather.short_listing))
    rest = [row for row in visible if after is None or row[0] > after[0]]
    page = rest[: call.limit()]
    next_key = [page[-1][0]] if len(rest) > len(page) else None
    return page_json(call, [row for _, row in page], next_key, keeps=keeps)


def _paging(call: Call, next_key: CursorKey | None, keeps: tuple[str, ...]) -> Any:
    if next_key is not None:
        asked = call.query.get("starting_after")
        repeats = asked is not None and call.world.weather.repeated_cursor
        cursor = asked if asked is not None and repeats else cursor_of(next_key)
        return {"next": {"url": _next_url(call, cursor, keeps), "starting_after": cursor}}
    endings: dict[str, Any] = {"absent": {}, "null": {"next": None}, "object": {"next": {}}, "array": {"next": []}}
    return endings.get(call.world.quirks.last_page, [])


def _next_url(call: Call, cursor: str, keeps: tuple[str, ...]) -> str:
    repeats_all = call.world.quirks.next_url_keeps_filters
    kept = {
        name: value
        for name, value in call.query.items()
        if name not in _PAGE_PARAMETERS and (repeats_all or name in keeps)
    }
    return f"{call.url}?{urlencode({**kept, 'limit': call.limit(), 'starting_after': cursor})}"
