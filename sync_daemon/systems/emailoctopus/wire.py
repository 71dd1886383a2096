"""EmailOctopus's JSON as structs, tolerant of what its documentation leaves open (facts: §3 to §7). Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec


class Contact(msgspec.Struct, kw_only=True):
    """A contact. `fields` is an object, or an empty array; its values have the types of their fields."""

    id: str
    last_updated_at: datetime
    email_address: str | None = None
    fields: dict[str, Any] | list[Any] | None = None
    tags: list[str] | None = None
    status: str | None = None


class Row(msgspec.Struct):
    """As much of a row as names it."""

    id: Any = None


class Page(msgspec.Struct):
    """One page of a collection; rows are decoded one by one, so that a malformed one doesn't take the others along."""

    data: list[msgspec.Raw]
    paging: Any = None

    @property
    def cursor(self) -> str | None:
        """Where the next page starts. Absent, null, empty objects and empty arrays alike are the end."""
        following = self.paging.get("next") if isinstance(self.paging, dict) else None
        if not isinstance(following, dict):
            return None
        cursor = following.get("starting_after") or _cursor_in(following.get("url"))
        return str(cursor) if cursor else None


class Field(msgspec.Struct):
    """A field's definition; `tag` is its key in a contact's `fields`."""

    tag: str
    type: str
    label: str = ""
    choices: list[str] | None = None


class MailingList(msgspec.Struct, kw_only=True):
    """A list. `counts` is documented as an array of one object, and was seen as an object."""

    id: str
    name: str = ""
    double_opt_in: bool = False
    fields: list[Field] = []
    counts: Any = None

    @property
    def count_by_status(self) -> Mapping[str, int]:
        """How many contacts have each status; empty when the list doesn't tell."""
        counts = self.counts[0] if isinstance(self.counts, list) and self.counts else self.counts
        if not isinstance(counts, dict):
            return {}
        return {status: count for status, count in counts.items() if isinstance(count, int)}


class Tag(msgspec.Struct):
    """A row of the tags of a list."""

    tag: str


class Detail(msgspec.Struct):
    """One of the errors of a problem: `pointer` names a place in the body, `parameter` one in path or query."""

    detail: str | None = None
    pointer: str | None = None
    parameter: str | None = None


class Problem(msgspec.Struct):
    """An error body (documented: RFC 9457); `type` ends in `#` and the problem's slug, or is a word."""

    type: str | None = None
    detail: str | None = None
    errors: list[Detail] | None = None


class BatchSuccess(msgspec.Struct):
    """A batch item that was updated."""

    data: msgspec.Raw


class BatchError(msgspec.Struct):
    """A batch item that was refused; `status` is what a single request would have answered, more or less."""

    id: str | None = None
    type: str | None = None
    detail: str | None = None
    status: Any = None


class BatchAnswer(msgspec.Struct):
    """The outcome of a batch; an array without items may be missing."""

    success: list[BatchSuccess] | None = None
    errors: list[BatchError] | None = None


def _cursor_in(url: object) -> str | None:
    found = parse_qs(urlsplit(url).query).get("starting_after") if isinstance(url, str) else None
    return found[0] if found else None
