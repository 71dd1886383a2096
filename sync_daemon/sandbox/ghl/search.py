"""POST /contacts/search: one page of the index, with the cursor on each hit (facts: GHL §4.1)."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple

import msgspec

from sync_daemon.sandbox.ghl.contact import Contact
from sync_daemon.sandbox.ghl.errors import bad_request, unprocessable
from sync_daemon.sandbox.ghl.filters import Dialect, Question, everything, parse_filters
from sync_daemon.sandbox.ghl.index import ContactIndex
from sync_daemon.sandbox.ghl.location import Location
from sync_daemon.sandbox.ghl.quirks import GhlQuirks
from sync_daemon.sandbox.ghl.sorting import Key, Sort, cursor, parse_cursor, parse_sort, part
from sync_daemon.sandbox.weather import Weather

MAX_PAGE = 500  # contacts (documented)
WINDOW = 10_000  # records that `page` reaches (documented)
LONGEST_QUERY = 75  # characters (documented)
BODY_KEYS = frozenset(["locationId", "pageLimit", "page", "searchAfter", "filters", "sort", "query"])


class Hit(NamedTuple):
    """A contact as the index has it, with the cursor that goes on behind it."""

    contact: Contact
    search_after: list[Any]


class Page(NamedTuple):
    """One page of hits; `total` counts all matches, and stays what it is when rows are left out."""

    hits: list[Hit]
    total: int


@dataclass(frozen=True, slots=True)
class Source:
    """What is searched: a location's index, under its quirks."""

    index: ContactIndex
    location: Location
    quirks: GhlQuirks


def search(body: Mapping[str, Any], source: Source, weather: Weather, random: Random) -> Page:
    """Answer a search body from the index, as old as the weather wants it. Raises ApiError 400 or 422."""
    _check(body)
    index, quirks = source.index, source.quirks
    index.show(weather.index_lag_s)
    sort = parse_sort(body.get("sort"))
    dialect = Dialect(source.location, quirks, index.seen_statuses)
    question = parse_filters([] if body.get("filters") is None else body["filters"], dialect, sort[0].field)
    keys = _matches(body, question, sort, index, msgspec.structs.astuple(quirks))
    total = len(keys)
    shown = keys[: total - round(total * weather.short_listing)] if weather.short_listing else keys
    start = _start(body, sort, shown)
    page = [key for key in shown[start : start + body["pageLimit"]] if not _flickers(weather, random)]
    contacts = [index.documents[key[-1]] for key in page]
    repeated = body.get("searchAfter") if weather.repeated_cursor else None
    hits = [Hit(contact, repeated or cursor(sort, contact)) for contact in contacts]
    return Page(hits, len(shown) if weather.short_total else total)


def _check(body: Mapping[str, Any]) -> None:
    problems = [f"property {key} should not exist" for key in sorted(body.keys() - BODY_KEYS)]
    limit, page, query = body.get("pageLimit", 0), body.get("page"), body.get("query")
    if not _is_whole(limit) or not 1 <= limit <= MAX_PAGE:
        problems.append(f"pageLimit must be an integer between 1 and {MAX_PAGE}")
    if page is not None and (not _is_whole(page) or page < 1):
        problems.append("page must be an integer not less than 1")
    if page is not None and body.get("searchAfter") is not None:
        problems.append("page and searchAfter can't be sent together")
    if query is not None and (not isinstance(query, str) or len(query) > LONGEST_QUERY):
        problems.append(f"query must be a string of at most {LONGEST_QUERY} characters")
    if body.get("sort") is not None and not isinstance(body["sort"], list):
        problems.append("sort must be an array")
    if problems:
        raise unprocessable(problems)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _matches(
    body: Mapping[str, Any], question: Question, sort: Sort, index: ContactIndex, quirks: tuple[Any, ...]
) -> list[Key]:
    low: Key = () if question.low is None else (part(sort[0], question.low),)
    high: Key = () if question.high is None else (part(sort[0], question.high),)
    if sort[0].descending:
        low, high = high, low
    query = (body.get("query") or "").lower()
    if question.test is everything and not query:
        return index.order(sort) if low == high == () else index.between(sort, low, high)
    asked = (sort, query, quirks, msgspec.json.encode(body.get("filters")))
    keys = index.matches(asked)
    if keys is None:
        documents = index.documents
        keys = [
            key
            for key in index.between(sort, low, high)
            if question.test(documents[key[-1]]) and query in _searchable(documents[key[-1]], query)
        ]
        index.remember(asked, keys)
    return keys


def _searchable(contact: Contact, query: str) -> str:
    if not query:
        return ""
    return f"{contact.name} {contact.email or ''} {contact.phone or ''}".lower()


def _start(body: Mapping[str, Any], sort: Sort, keys: list[Key]) -> int:
    if body.get("searchAfter") is not None:
        return bisect_right(keys, parse_cursor(sort, body["searchAfter"]))
    start = int((body.get("page") or 1) - 1) * int(body["pageLimit"])
    if start + body["pageLimit"] > WINDOW:
        raise bad_request(f"page reaches the first {WINDOW} records only; use searchAfter to go on")
    return start


def _flickers(weather: Weather, random: Random) -> bool:
    return weather.flicker > 0 and random.random() < weather.flicker
