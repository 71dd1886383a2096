"""Listing contacts: statuses, filters, cursors, and what bad weather leaves of them."""

import time
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_daemon.sandbox.emailoctopus import roster
from sync_daemon.sandbox.emailoctopus.model import Contact, Status
from sync_daemon.sandbox.emailoctopus.roster import ContactQuery, Roster, page_of
from tests.sandbox.emailoctopus.account import Account


@pytest.fixture
def account() -> Account:
    return Account()


def walk(account: Account, **query: object) -> list[str]:
    """Follow the cursors, sending the filters again with each, and tell every local part."""
    walked: list[str] = []
    asked = dict(query)
    for _ in range(100):
        body = account.contacts("GET", "?" + urlencode(asked)).json()
        walked += [row["email_address"].partition("@")[0] for row in body["data"]]
        if not body["paging"]:
            return walked
        asked = {**query, "starting_after": body["paging"]["next"]["starting_after"]}
    raise AssertionError("The listing has no end")


def test_unsubscribed_and_pending_are_not_in_the_default_listing(account: Account) -> None:
    account.world.add(account.list.id, "in@example.com")
    account.world.add(account.list.id, "out@example.com", status="unsubscribed")
    account.world.add(account.list.id, "asked@example.com", status="pending")
    assert account.listed() == ["in"]
    assert account.listed("?status=unsubscribed") == ["out"]
    assert account.listed("?status=pending") == ["asked"]


def test_cursors_lead_through_everything_once(account: Account) -> None:
    for number in range(250):
        account.world.add(account.list.id, f"p{number}@example.com")
        account.clock.advance(number % 3 // 2)
    assert sorted(walk(account)) == sorted(f"p{number}" for number in range(250))
    assert sorted(walk(account, limit=7)) == sorted(walk(account))


def test_the_next_url_can_be_followed(account: Account) -> None:
    for number in range(3):
        account.world.add(account.list.id, f"p{number}@example.com")
    body = account.contacts("GET", "?limit=2").json()
    parts = urlsplit(body["paging"]["next"]["url"])
    assert (parts.scheme, parts.netloc) == ("http", "sandbox")
    assert dict(parse_qsl(parts.query)) == {
        "limit": "2",
        "starting_after": body["paging"]["next"]["starting_after"],
    }
    assert len(account.ask("GET", f"{parts.path}?{parts.query}").json()["data"]) == 1


def test_a_full_last_page_is_the_last_page(account: Account) -> None:
    for number in range(4):
        account.world.add(account.list.id, f"p{number}@example.com")
    assert "next" in account.contacts("GET", "?limit=3").json()["paging"]
    assert account.contacts("GET", "?limit=4").json()["paging"] == {}


@pytest.mark.parametrize(
    ("query", "listed"),
    [
        ({"last_updated_at.gte": "2026-01-05T09:00:10Z"}, ["b", "c"]),
        ({"last_updated_at.gte": "2026-01-05T10:00:10+01:00"}, ["b", "c"]),
        ({"last_updated_at.gte": "2026-01-05T09:00:10.500Z"}, ["c"]),
        ({"last_updated_at.lte": "2026-01-05T09:00:10Z"}, ["a", "b"]),
        ({"last_updated_at.gte": "2026-01-05T09:00:10Z", "last_updated_at.lte": "2026-01-05T09:00:10Z"}, ["b"]),
        ({"created_at.gte": "2026-01-05T09:00:20Z"}, ["c"]),
        ({"created_at.lte": "2026-01-05"}, []),
        ({"tag": "vip"}, ["b"]),
        ({"tag": "nobody has this"}, []),
        ({"tag": "vip", "created_at.gte": "2026-01-05T09:00:20Z"}, []),
        ({"created_at[gte]": "2026-01-05T09:00:20Z"}, ["a", "b", "c"]),  # unknown parameters are ignored
    ],
)
def test_filters(account: Account, query: dict[str, str], listed: list[str]) -> None:
    for name in "abc":
        account.world.add(account.list.id, f"{name}@example.com", None, ["vip"] if name == "b" else None)
        account.clock.advance(10)
    assert walk(account, limit=1, **query) == listed


def test_times_are_whole_seconds(account: Account) -> None:
    account.clock.advance(0.9)
    contact = account.world.add(account.list.id, "ada@example.com")
    account.clock.advance(0.05)
    account.world.edit(contact.id, {"Note": "same second"})
    assert account.get(contact)["last_updated_at"] == "2026-01-05T09:00:00+00:00"


@pytest.mark.parametrize("short_total", [False, True])
def test_a_short_listing_ends_early(account: Account, *, short_total: bool) -> None:
    for number in range(10):
        account.world.add(account.list.id, f"p{number}@example.com")
        account.clock.advance(1)
    account.weather.short_listing = 0.3
    account.weather.short_total = short_total
    assert walk(account, limit=4) == [f"p{number}" for number in range(7)]
    counts = account.ask("GET", f"/lists/{account.list.id}").json()["counts"][0]
    assert counts["subscribed"] == (7 if short_total else 10)
    account.weather.short_listing = 0
    assert len(walk(account)) == 10


def test_a_listing_goes_on_where_it_began(account: Account) -> None:
    for number in range(6):
        account.world.add(account.list.id, f"p{number}@example.com")
        account.clock.advance(1)
    account.weather.repeated_cursor = True
    path = f"/lists/{account.list.id}/contacts?limit=2"
    first = account.ask("GET", path).json()["paging"]["next"]["starting_after"]
    second = account.ask("GET", f"{path}&starting_after={first}").json()["paging"]["next"]["starting_after"]
    assert second == first


def test_lists_tags_campaigns_and_reports_are_paged_too(account: Account) -> None:
    people = [account.world.add(account.list.id, f"p{number}@example.com") for number in range(3)]
    account.world.add_tags(people[0].id, ["a", "b", "c"])
    campaign = account.world.create_campaign("Hello", [account.list.id])
    account.world.send_campaign(campaign.id)
    for _ in range(2):
        account.world.create_list("Another")
        account.world.create_campaign("Another", [account.list.id])
    paths = [
        "/lists?",
        f"/lists/{account.list.id}/tags?",
        "/campaigns?",
        f"/campaigns/{campaign.id}/reports?status=sent&",
    ]
    for path in paths:
        first = account.ask("GET", path + "limit=2").json()
        following = account.ask("GET", urlsplit(first["paging"]["next"]["url"])._replace(scheme="", netloc="").geturl())
        assert following.json()["paging"] == {}
        assert len({str(row) for row in [*first["data"], *following.json()["data"]]}) == 3


STATUSES: st.SearchStrategy[Status] = st.sampled_from(["subscribed", "pending"])
CONTACTS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6), STATUSES, st.booleans()),
    max_size=12,
)
BOUND = st.one_of(st.none(), st.integers(0, 6))


@settings(max_examples=200)
@given(
    CONTACTS,
    st.sampled_from(["created", "updated"]),
    st.booleans(),
    st.tuples(BOUND, BOUND),
    st.tuples(BOUND, BOUND),
    st.integers(1, 4),
    st.integers(-1, 100),
)
def test_pages_are_what_a_naive_listing_gives(
    people: list[tuple[int, int, Status, bool]],
    order: str,
    descending: bool,
    created: tuple[int | None, int | None],
    updated: tuple[int | None, int | None],
    size: int,
    few: int,
) -> None:
    contacts = [
        Contact(f"id{n:02}", "list", f"p{n}@example.com", status, made, max(made, moved))
        for n, (made, moved, status, _) in enumerate(people)
    ]
    for contact, (*_, tagged) in zip(contacts, people, strict=True):
        contact.tags = {"t": None} if tagged else {}
    book = Roster()
    for contact in contacts:
        book.place(contact)
    query = ContactQuery(
        order="created" if order == "created" else "updated",
        descending=descending,
        tag="t",
        created=_bounds(created),
        updated=_bounds(updated),
    )
    naive = sorted(
        (contact for contact in contacts if contact.status == "subscribed" and query.wants(contact)),
        key=query.key,
        reverse=descending,
    )
    assert _walked(book, query, size, few) == [contact.id for contact in naive]


def _bounds(pair: tuple[int | None, int | None]) -> tuple[float, float]:
    low, high = pair
    return (float("-inf") if low is None else low, float("inf") if high is None else high)


def _walked(book: Roster, query: ContactQuery, size: int, few: int) -> list[str]:
    """Walk with the given bound between sorting and walking."""
    ids: list[str] = []
    after = None
    usual = roster._FEW
    roster._FEW = few
    try:
        for _ in range(20):
            asked = ContactQuery(
                query.status, query.order, query.descending, after, query.tag, query.created, query.updated
            )
            rows, more = page_of(book.select(asked), size)
            ids += [row.id for row in rows]
            if not more:
                return ids
            after = query.key(rows[-1])
        raise AssertionError("The listing has no end")
    finally:
        roster._FEW = usual


def test_a_time_without_an_offset_is_utc(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.world.add(account.list.id, "ada@example.com")
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert account.listed("?created_at.gte=2026-01-05T09:00:00") == ["ada"]
        assert account.listed("?created_at.gte=2026-01-05T09:00:01") == []
    finally:
        monkeypatch.undo()
        time.tzset()
