from typing import Any

import msgspec
import pytest

from sync_daemon.systems.emailoctopus import wire


@pytest.mark.parametrize(
    "paging",
    [None, [], {}, {"next": None}, {"next": {}}, {"next": []}, {"next": {"starting_after": ""}}, "", 7],
)
def test_every_form_of_no_next_page_is_the_end(paging: Any) -> None:
    assert wire.Page([], paging).cursor is None
    assert msgspec.json.decode(b'{"data": []}', type=wire.Page).cursor is None


def test_the_cursor_is_taken_as_it_is() -> None:
    url = "https://api.example.com/lists/1/contacts?limit=100&starting_after=a%2Bb"
    assert wire.Page([], {"next": {"url": url, "starting_after": "WzE="}}).cursor == "WzE="
    assert wire.Page([], {"next": {"url": url}}).cursor == "a+b"


@pytest.mark.parametrize("counts", [{"pending": 1, "subscribed": 2}, [{"pending": 1, "subscribed": 2}]])
def test_counts_may_be_an_object_or_an_array(counts: Any) -> None:
    assert wire.MailingList(id="1", counts=counts).count_by_status == {"pending": 1, "subscribed": 2}


@pytest.mark.parametrize("counts", [None, [], "x", [[]]])
def test_counts_may_be_untold(counts: Any) -> None:
    assert wire.MailingList(id="1", counts=counts).count_by_status == {}


def test_unknown_keys_are_ignored() -> None:
    raw = b'{"id": "1", "last_updated_at": "2026-01-05T09:00:00+00:00", "karma": {"deep": [1]}}'
    assert msgspec.json.decode(raw, type=wire.Contact).id == "1"
