"""Tokens of OAuth: encrypted, one refresher at a time, replaced only by who knows the last ones; and logins, once."""

import json

import pytest
from sqlalchemy import Engine, select

from sync_daemon.model.oauth import KeptTokens, Login, LoginEnd, OwnerKind, TokenOwner, Tokens
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import reading
from sync_daemon.store.installation import StateStore
from sync_daemon.store.oauth import OAuthStore
from sync_daemon.store.starting_over import LockedStore
from sync_daemon.store.tables import oauth_logins, oauth_tokens
from tests.store.conftest import SECRET, StoppedClock

LOCATION = TokenOwner(OwnerKind.LOCATION, "l1")
AGENCY = TokenOwner(OwnerKind.AGENCY, "a1")
LOGIN = Login(client_id="app", redirect_uri="http://127.0.0.1/oauth/ghl/callback", agency=True)
SECOND = "the second secret, of the same fair length"


@pytest.fixture
def oauth(store: StateStore) -> OAuthStore:
    return store.oauth


def tokens(clock: StoppedClock, word: str = "first", *, agency: str = "") -> Tokens:
    refresh = "" if agency else f"refresh-{word}"
    return Tokens(
        client_id="app", access_token=f"access-{word}", refresh_token=refresh, ends_at=clock.now(), agency_id=agency
    )


def put(oauth: OAuthStore, clock: StoppedClock) -> KeptTokens:
    return oauth.put(LOCATION, tokens(clock))


def test_what_is_put_is_found(oauth: OAuthStore, clock: StoppedClock) -> None:
    assert oauth.find(LOCATION) is None
    kept = put(oauth, clock)
    assert kept.tokens == tokens(clock)
    assert oauth.find(LOCATION) == kept
    again = put(oauth, clock)
    assert (oauth.find(LOCATION), again.edition == kept.edition) == (again, False)


def test_nothing_readable_is_stored(engine: Engine, oauth: OAuthStore, clock: StoppedClock) -> None:
    put(oauth, clock)
    oauth.begin("the state", LOGIN, 60)
    with reading(engine) as connection:
        stored = [
            dict(row._mapping) for table in (oauth_tokens, oauth_logins) for row in connection.execute(select(table))
        ]
    text = json.dumps(stored, default=repr)
    assert [word for word in ("access-first", "refresh-first", "the state") if word in text] == []


def test_one_holder_at_a_time_and_a_dead_one_until_its_time_is_over(oauth: OAuthStore, clock: StoppedClock) -> None:
    assert oauth.lock(LOCATION, "one", 30) is None, "there is nothing to refresh"
    kept = put(oauth, clock)
    assert oauth.lock(LOCATION, "one", 30) == kept
    assert oauth.lock(LOCATION, "other", 30) is None
    oauth.unlock(LOCATION, "other")
    assert oauth.lock(LOCATION, "other", 30) is None, "nobody gives back what another one has"
    clock.sleep(29.999)
    assert oauth.lock(LOCATION, "other", 30) is None
    clock.sleep(0.001)
    assert oauth.lock(LOCATION, "other", 30) == kept
    oauth.unlock(LOCATION, "other")
    assert oauth.lock(LOCATION, "one", 30) == kept


def test_a_lock_from_before_the_clock_was_turned_back_ends_in_its_time(oauth: OAuthStore, clock: StoppedClock) -> None:
    put(oauth, clock)
    assert oauth.lock(LOCATION, "one", 30)
    clock.sleep(-3600)
    assert oauth.lock(LOCATION, "other", 30) is None
    clock.sleep(30)
    assert oauth.lock(LOCATION, "other", 30)


def test_a_holder_whose_clock_is_a_little_ahead_keeps_the_lock(oauth: OAuthStore, clock: StoppedClock) -> None:
    put(oauth, clock)
    clock.sleep(0.002)
    assert oauth.lock(LOCATION, "one", 30)
    clock.sleep(-0.001)
    assert oauth.lock(LOCATION, "other", 30) is None


def test_only_the_last_tokens_are_followed(oauth: OAuthStore, clock: StoppedClock) -> None:
    first = put(oauth, clock)
    second = oauth.replace(first, tokens(clock, "second"))
    assert oauth.find(LOCATION) == second
    assert oauth.replace(first, tokens(clock, "of a late one")) is None
    assert oauth.find(LOCATION) == second
    oauth.forget(LOCATION)
    assert second is not None
    assert oauth.replace(second, tokens(clock, "third")) is None
    assert oauth.find(LOCATION) is None, "what was revoked doesn't come back"


def test_a_refusal_is_noted_of_the_tokens_that_it_is_about(oauth: OAuthStore, clock: StoppedClock) -> None:
    first = put(oauth, clock)
    second = oauth.replace(first, tokens(clock, "second"))
    assert second is not None
    oauth.refuse(first)
    assert oauth.every()[0].refused_at is None
    oauth.refuse(second)
    assert oauth.every()[0].refused_at == clock.now()
    assert put(oauth, clock).refused_at is None


def test_an_agency_goes_with_all_that_came_of_it(oauth: OAuthStore, clock: StoppedClock) -> None:
    oauth.put(AGENCY, tokens(clock))
    oauth.put(LOCATION, tokens(clock, agency="a1"))
    own = oauth.put(TokenOwner(OwnerKind.LOCATION, "l2"), tokens(clock))
    assert [one.owner for one in oauth.agencies("app")] == [AGENCY]
    assert oauth.agencies("another app") == []
    oauth.forget(AGENCY)
    assert oauth.every() == [own]


def test_a_login_is_taken_once_and_in_time(oauth: OAuthStore, clock: StoppedClock) -> None:
    oauth.begin("s", LOGIN, 60)
    assert oauth.take("another") is None
    assert oauth.take("s") == LOGIN
    assert oauth.take("s") is None
    oauth.begin("late", LOGIN, 60)
    clock.sleep(60)
    assert oauth.take("late") is None


def test_who_waits_is_told_what_came_of_it(oauth: OAuthStore, clock: StoppedClock) -> None:
    for state, end in (("good", LoginEnd(LOCATION)), ("bad", LoginEnd(None, "no"))):
        oauth.begin(state, LOGIN, 60)
        assert oauth.end_of(state) is None
        oauth.conclude(state, end)
        assert oauth.end_of(state) == end
    clock.sleep(61)
    oauth.begin("next", LOGIN, 60)
    assert oauth.end_of("good") is None, "what is over goes when the next one begins"


def test_another_secret_takes_the_tokens_along(engine: Engine, clock: StoppedClock) -> None:
    put(StateStore(engine, Secrets(SECRET), clock).oauth, clock)
    assert StateStore(engine, Secrets(SECOND, [SECRET]), clock).renew()
    kept = StateStore(engine, Secrets(SECOND), clock).oauth.find(LOCATION)
    assert kept is not None
    assert kept.tokens == tokens(clock)


def test_a_lost_secret_loses_them(engine: Engine, oauth: OAuthStore, clock: StoppedClock) -> None:
    put(oauth, clock)
    LockedStore(engine, clock).start_over((), Secrets(SECOND))
    assert StateStore(engine, Secrets(SECOND), clock).oauth.every() == []
