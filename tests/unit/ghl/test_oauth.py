"""When tokens are made new, what GHL is asked for, and what comes back."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from sync_daemon.model.oauth import Tokens
from sync_daemon.systems.ghl.oauth.bearer import first_tokens, following
from sync_daemon.systems.ghl.oauth.consent import Answer, answer_in, consent_url, scopes
from sync_daemon.systems.ghl.oauth.lifetime import Age, age_of
from sync_daemon.systems.ghl.oauth.wire import Issued
from sync_daemon.systems.ghl.settings import BASE_URL

END = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
TOKENS = Tokens(client_id="app", access_token="access", refresh_token="refresh", ends_at=END)


@pytest.mark.parametrize(
    ("before_the_end", "age"),
    [
        (timedelta(hours=24), Age.FRESH),
        (timedelta(minutes=30, seconds=1), Age.FRESH),
        (timedelta(minutes=30), Age.DUE),
        (timedelta(seconds=1), Age.DUE),
        (timedelta(0), Age.ENDED),
        (timedelta(days=-3), Age.ENDED),
    ],
)
def test_tokens_are_made_new_half_an_hour_before_their_end(before_the_end: timedelta, age: Age) -> None:
    assert age_of(TOKENS, END - before_the_end) is age


def test_what_was_refused_as_expired_has_ended_whatever_its_time() -> None:
    assert age_of(TOKENS, END - timedelta(hours=9), "access") is Age.ENDED
    assert age_of(TOKENS, END - timedelta(hours=9), "another one, of before") is Age.FRESH


def test_what_follows_keeps_the_refresh_token_where_none_is_given() -> None:
    now = END - timedelta(minutes=1)
    assert following(TOKENS, Issued("second", "next", 60), now) == Tokens(
        client_id="app", access_token="second", refresh_token="next", ends_at=END
    )
    assert following(TOKENS, Issued("second"), now).refresh_token == "refresh"
    assert first_tokens("app", Issued("a", "b"), now, "agency").refresh_token == "", "the agency's tokens give the next"


def test_no_secret_is_shown() -> None:
    assert "access" not in repr(TOKENS)
    assert "refresh" not in repr(TOKENS)
    assert "second" not in repr(Issued("second", "next"))


def test_the_page_is_the_vendors_for_its_api_and_else_the_apis_own() -> None:
    wanted = scopes(activity=False, agency=False)
    parts = urlsplit(consent_url(BASE_URL, "app", "https://me.example/oauth/ghl/callback", "s t", wanted))
    assert (parts.netloc, parts.path) == ("marketplace.gohighlevel.com", "/v2/oauth/chooselocation")
    assert parse_qs(parts.query) == {
        "response_type": ["code"],
        "client_id": ["app"],
        "redirect_uri": ["https://me.example/oauth/ghl/callback"],
        "scope": [" ".join(wanted)],
        "state": ["s t"],
    }
    assert consent_url("http://127.0.0.1:1", "a", "b", "c", ()).startswith(
        "http://127.0.0.1:1/v2/oauth/chooselocation?"
    )


def test_more_is_asked_for_only_where_it_is_used() -> None:
    least = set(scopes(activity=False, agency=False))
    assert set(scopes(activity=True, agency=False)) - least == {
        "locations/tasks.readonly",
        "calendars.readonly",
        "calendars/events.readonly",
    }
    assert set(scopes(activity=False, agency=True)) - least == {"oauth.readonly", "oauth.write"}


@pytest.mark.parametrize(
    ("pasted", "answer"),
    [
        ("http://127.0.0.1:8080/oauth/ghl/callback?code=c0de-1234&state=st\n", Answer("c0de-1234", "st")),
        ("https://me.example/oauth/ghl/callback?code=c0de-1234", Answer("c0de-1234")),
        ("  c0de-1234 ", Answer("c0de-1234")),
        ("https://me.example/?error=access_denied&state=st", Answer("", "st", "access_denied")),
        ("https://me.example/oauth/ghl/callback", None),
        ("what shall I paste?", None),
        ("short", None),
        ("", None),
    ],
)
def test_an_address_or_a_code_can_be_pasted(pasted: str, answer: Answer | None) -> None:
    assert answer_in(pasted) == answer
