"""A search is followed to its end, and to nothing else."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from sync_daemon.model.errors import IncompleteRead
from sync_daemon.systems.ghl import listing
from sync_daemon.systems.ghl.wire import SearchAnswer

FULL = listing.PAGE_LIMIT
Asked = list[dict[str, Any]]


def page(rows: int, total: int | None, cursor: Any = "own") -> SearchAnswer:
    last = {"id": "last"} if cursor is None else {"id": "last", "searchAfter": cursor}
    hits = [msgspec.Raw(msgspec.json.encode(last))] * rows
    return SearchAnswer(hits, total)


def server(pages: Sequence[SearchAnswer], asked: Asked) -> Callable[[dict[str, Any]], SearchAnswer]:
    answers = iter(pages)

    def ask(body: dict[str, Any]) -> SearchAnswer:
        asked.append(body)
        return next(answers)

    return ask


def read(*pages: SearchAnswer, complete: bool = True) -> Asked:
    asked: Asked = []
    got = list(listing.follow(server(pages, asked), {"filters": []}, complete=complete))
    assert len(got) == len(pages) == len(asked)
    return asked


@pytest.mark.parametrize("total", [0, None])
def test_an_empty_listing_takes_one_request(total: int | None) -> None:
    assert read(page(0, total)) == [{"filters": []}]


def test_a_short_page_is_the_last() -> None:
    asked = read(page(FULL, FULL + 3, [1, "x"]), page(3, FULL + 3))
    assert asked == [{"filters": []}, {"filters": [], "searchAfter": [1, "x"]}]


def test_a_full_page_is_never_the_last_whatever_the_total_says() -> None:
    assert len(read(page(FULL, FULL, [1, "x"]), page(0, FULL))) == 2
    assert len(read(page(FULL, 10, [1, "x"]), page(FULL, 10, [2, "x"]), page(1, 10))) == 3


def test_a_short_page_is_not_the_last_while_the_total_says_more() -> None:
    asked = read(page(2, 5, [1, "x"]), page(3, 5, [2, "x"]))
    assert asked[1]["searchAfter"] == [1, "x"]


@pytest.mark.parametrize("pages", [(page(2, 5, [1, "x"]), page(0, 5)), (page(0, 5),), (page(2, 5, None),)])
def test_a_listing_that_ends_before_its_total(pages: tuple[SearchAnswer, ...]) -> None:
    assert len(read(*pages, complete=False)) == len(pages)
    with pytest.raises(IncompleteRead, match="although it says there are 5"):
        read(*pages)


def test_one_in_a_thousand_may_drift() -> None:
    pages = [page(FULL, 2001, [n, "x"]) for n in range(3)]
    assert len(read(*pages, page(FULL - 1, 2001, [9, "x"]), page(0, 2001))) == 5
    with pytest.raises(IncompleteRead):
        read(*pages, page(FULL - 2, 2001, [9, "x"]), page(0, 2001))


@pytest.mark.parametrize("complete", [True, False])
def test_a_repeated_cursor_ends_the_reading(complete: bool) -> None:
    pages = [page(FULL, 9000, [1, "x"]), page(FULL, 9000, [2, "x"]), page(FULL, 9000, [1, "x"])]
    with pytest.raises(IncompleteRead, match="repeated a cursor"):
        read(*pages, complete=complete)


@pytest.mark.parametrize("cursor", [None, [], "text"])
def test_a_full_page_without_a_cursor_ends_the_reading(cursor: Any) -> None:
    with pytest.raises(IncompleteRead, match="has no cursor"):
        read(page(FULL, 9000, cursor), complete=False)


@pytest.mark.parametrize("at", ["2026-03-04T05:06:07.891999+00:00", "2026-03-04T06:06:07.891+01:00"])
def test_ranges_are_full_instants(at: str) -> None:
    since = datetime.fromisoformat(at)
    assert _gte(listing.changed_since(since, epoch=False)) == "2026-03-04T05:06:07.891Z"
    assert _gte(listing.changed_since(since, epoch=True)) == 1772600767891


def test_ranges_are_full_instants_at_midnight() -> None:
    since = datetime(2026, 3, 4, 1, tzinfo=timezone(timedelta(hours=1)))
    body = listing.changed_since(since, epoch=False)
    assert _gte(body) == "2026-03-04T00:00:00.000Z"
    assert body["sort"] == [{"field": "dateUpdated", "direction": "asc"}]
    assert _gte(listing.changed_since(datetime(1970, 1, 1, tzinfo=UTC), epoch=True)) == 0


def _gte(body: dict[str, Any]) -> Any:
    (condition,) = body["filters"]
    assert (condition["field"], condition["operator"]) == ("dateUpdated", "range")
    return condition["value"]["gte"]
