"""Contract, sections 6 and 7: what proves that a full scan is complete."""

import pytest

from sync_daemon.changes.absence import Tally, counted, shortfall, told_in_counts, told_in_listings
from sync_daemon.model.contact import Malformed, Page
from sync_daemon.ports import Seen
from tests.unit.changes.values import GHL, person


def page(*ids: str, total: int | None = None, malformed: tuple[str, ...] = (), dropped: int = 0) -> Page:
    snapshots = tuple(person(one) for one in ids)
    return Page("contacts", snapshots, tuple(Malformed(GHL, one, "why") for one in malformed), total, dropped)


def tally(*pages: Page) -> Tally:
    made = Tally()
    for one in pages:
        made.add(one)
    return made


def test_a_listing_has_not_ended_until_it_is_said() -> None:
    assert not tally(page("a")).ended


def test_the_last_total_counts() -> None:
    assert tally(page("a", total=3), page("b", total=2)).total == 2
    assert tally(page("a", total=3), page("b")).total == 3
    assert tally(page("a")).total is None
    assert tally(page("a", total=3), page(total=0)).total == 0


def test_what_is_not_stored_was_shown_all_the_same() -> None:
    listings = [
        tally(page(malformed=("a", "b")), page(dropped=2), page(dropped=1)),
        tally(page(malformed=("b",), dropped=1)),
    ]
    assert counted(listings, Seen(listed=10, old=0, old_listed=0)) == 10 + 2 + 4


@pytest.mark.parametrize(
    ("totals", "told"), [([], None), ([None, None], None), ([3, None], 3), ([3, 4], 7), ([0, 0], 0)]
)
def test_totals_of_several_listings_add_up(totals: list[int | None], told: int | None) -> None:
    assert told_in_listings([Tally(total) for total in totals]) == told


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({}, {"subscribed": 3}, None),
        ({"subscribed": 3}, {}, None),
        ({"subscribed": 3}, {"subscribed": 3}, 3),
        ({"subscribed": 3, "pending": 2}, {"subscribed": 3, "pending": 2}, 5),
        # One who was added, and one who was deleted, meanwhile may have been shown or not.
        ({"subscribed": 3}, {"subscribed": 4}, 2),
        ({"subscribed": 4}, {"subscribed": 3}, 2),
        # One who unsubscribed meanwhile may have been in neither listing.
        ({"subscribed": 3, "unsubscribed": 2}, {"subscribed": 2, "unsubscribed": 3}, 3),
        ({"subscribed": 3}, {"subscribed": 2, "unsubscribed": 1}, 1),
        ({"subscribed": 2, "unsubscribed": 1}, {"subscribed": 3}, 1),
    ],
)
def test_counts_before_and_after_tell_the_least_there_were(
    before: dict[str, int], after: dict[str, int], told: int | None
) -> None:
    assert told_in_counts(before, after) == told


@pytest.mark.parametrize(
    ("shown", "total", "old", "old_listed", "why"),
    [
        (10, 10, 10, 10, None),
        (11, 10, 10, 10, None),
        (9, 10, 10, 9, "it showed 9 contacts of the 10 that the API counts"),
        (0, None, 0, 0, None),
        (0, 0, 0, 0, None),
        # Half of those known is enough, one less isn't.
        (5, None, 10, 5, None),
        (5, 5, 11, 5, "it showed 5 of the 11 contacts known before, which is less than half"),
        (100, None, 10, 4, "it showed 4 of the 10 contacts known before, which is less than half"),
        (0, 0, 1, 0, "it showed 0 of the 1 contacts known before, which is less than half"),
        (1, None, 2, 1, None),
    ],
)
def test_a_scan_is_short_or_complete(shown: int, total: int | None, old: int, old_listed: int, why: str | None) -> None:
    assert shortfall(shown, total, Seen(shown, old, old_listed)) == why
