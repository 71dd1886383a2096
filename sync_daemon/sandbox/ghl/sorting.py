"""The orders GHL's search knows, and the cursor that stands on each hit (facts: GHL §4.1)."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sync_daemon.sandbox.ghl.contact import Contact
from sync_daemon.sandbox.ghl.errors import bad_request, unprocessable

Key = tuple[Any, ...]
"""What documents are ordered by: one part for each sort entry, then the id."""


class SortEntry(NamedTuple):
    """One entry of a sort."""

    field: str
    descending: bool


Sort = tuple[SortEntry, ...]

UNSORTED: Sort = (SortEntry("dateUpdated", descending=True),)
"""Without a sort the order is not defined (observed); here it is one that moves while a client pages."""

_NUMBERS: dict[str, Callable[[Contact], int]] = {
    "dateAdded": lambda contact: contact.date_added,
    "dateUpdated": lambda contact: contact.date_updated,
    "dnd": lambda contact: int(contact.dnd),
}
_TEXTS: dict[str, Callable[[Contact], str | None]] = {
    "firstNameLowerCase": lambda contact: contact.fields.get("firstName"),
    "lastNameLowerCase": lambda contact: contact.fields.get("lastName"),
    "businessName": lambda contact: contact.fields.get("businessName"),
    "email": lambda contact: contact.email,
    "source": lambda contact: contact.fields.get("source"),
}
SORT_FIELDS = frozenset(_NUMBERS) | frozenset(_TEXTS)


class _Reversed:
    """A text that sorts the other way round."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __lt__(self, other: "_Reversed") -> bool:
        return other.text < self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reversed) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


def parse_sort(entries: Sequence[Any] | None) -> Sort:
    """Read the `sort` of a search body: up to two of the sortable fields, asc or desc."""
    if not entries:
        return UNSORTED
    if len(entries) > 2:
        raise unprocessable(["sort must contain no more than 2 elements"])
    return tuple(_entry(entry) for entry in entries)


def _entry(entry: Any) -> SortEntry:
    if not isinstance(entry, dict) or entry.keys() - {"field", "direction"}:
        raise unprocessable(["each value in sort must be an object with field and direction"])
    field, direction = entry.get("field"), entry.get("direction", "asc")
    if not isinstance(field, str) or field not in SORT_FIELDS:
        raise bad_request(f"Invalid field {field}")
    if direction not in ("asc", "desc"):
        raise unprocessable(["sort direction must be one of the following values: asc, desc"])
    return SortEntry(field, direction == "desc")


def part(entry: SortEntry, value: Any) -> Any:
    """Encode one sort value so that parts compare: numbers turned for desc, a missing text behind all."""
    if entry.field in _NUMBERS:
        return -value if entry.descending else value
    if value is None:
        return (1, "")
    return (0, _Reversed(value) if entry.descending else value)


def sort_key(sort: Sort, contact: Contact) -> Key:
    """Build the key of one document."""
    return (*(part(entry, _value(entry, contact)) for entry in sort), contact.id)


def cursor(sort: Sort, contact: Contact) -> list[Any]:
    """Build the `searchAfter` of a hit: the sort values, then the id (observed: `[epochMs, id]`)."""
    return [*(_value(entry, contact) for entry in sort), contact.id]


def parse_cursor(sort: Sort, values: Any) -> Key:
    """Read a `searchAfter`; it must have the shape that this sort's hits carry."""
    if not isinstance(values, list) or len(values) != len(sort) + 1 or not isinstance(values[-1], str):
        raise bad_request("searchAfter must have one value for each sort entry, followed by the id")
    for entry, value in zip(sort, values, strict=False):
        if not _fits(entry, value):
            raise bad_request(f"searchAfter holds a wrong value for {entry.field}")
    return (*(part(entry, value) for entry, value in zip(sort, values, strict=False)), values[-1])


def _value(entry: SortEntry, contact: Contact) -> Any:
    if entry.field in _NUMBERS:
        return _NUMBERS[entry.field](contact)
    text = _TEXTS[entry.field](contact)
    return text.lower() if text else None


def _fits(entry: SortEntry, value: Any) -> bool:
    if entry.field in _NUMBERS:
        return isinstance(value, int) and not isinstance(value, bool)
    return value is None or isinstance(value, str)
