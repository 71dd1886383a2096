"""Tokens made new over HTTP: ahead of their end, at a 401 that means it, and at no other; each refresh token once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from sync_daemon.model.errors import CredentialsRefused, Unreachable
from sync_daemon.model.oauth import KeptTokens, Tokens
from sync_daemon.sandbox.weather import Fault
from sync_daemon.store.oauth import OAuthStore
from tests.oauth.house import House
from tests.oauth.keys import ADVICE

REFRESHED = ("/oauth/token", 200)


def test_a_fresh_token_is_used_as_it_is(here: House) -> None:
    here.log_in()
    here.system().read_schema()
    assert here.requests == []


def test_nobody_logged_in(here: House) -> None:
    with pytest.raises(CredentialsRefused, match=f"Nobody has logged in for the location .*{ADVICE}"):
        here.system().read_schema()
    assert here.requests == []


def test_tokens_of_another_app_are_none(here: House) -> None:
    kept = here.log_in()
    other = Tokens(client_id="another", access_token=kept.tokens.access_token, ends_at=kept.tokens.ends_at)
    here.store.put(here.location, other)
    with pytest.raises(CredentialsRefused, match="with this app"):
        here.system().read_schema()


def test_it_is_made_new_half_an_hour_ahead_and_stored_before_it_is_used(here: House) -> None:
    first = here.log_in()
    here.to_the_end(minutes_before=30.5)
    system = here.system()
    system.read_schema()
    assert here.requests == []
    here.to_the_end(minutes_before=29.5)

    system.read_schema()

    assert here.requests == [REFRESHED]
    kept = here.kept()
    assert kept.tokens.access_token != first.tokens.access_token
    assert kept.tokens.refresh_token != first.tokens.refresh_token
    here.to_the_end(minutes_before=29)
    here.system().read_schema()
    assert here.requests == [REFRESHED, REFRESHED]


def test_while_another_one_refreshes_a_token_that_is_still_good_is_used(here: House) -> None:
    here.log_in()
    here.to_the_end(minutes_before=10)
    assert here.store.lock(here.location, "somebody else", 30) is not None
    here.system().read_schema()
    assert here.requests == []


def test_after_its_end_it_is_made_new_before_anything_is_asked(here: House) -> None:
    here.log_in()
    here.to_the_end()
    here.clock.advance(86_400)
    here.system().read_schema()
    assert here.requests == [REFRESHED]
    asked = here.place.sandbox.ghl.log.exchanges()
    assert [one.status for one in asked] == [200] * len(asked)


def test_a_401_that_means_the_end_is_one_refresh_however_many_meet_it(here: House) -> None:
    kept = here.log_in()
    system = here.system()
    here.place.world.expire_token(kept.tokens.access_token)
    with ThreadPoolExecutor(8) as pool:
        found = [one.result() for one in [pool.submit(system.reader.tag_names) for _ in range(8)]]
    assert len(found) == 8
    assert here.requests == [REFRESHED]


@pytest.mark.parametrize("what", ["time-out", "scope", "version"])
def test_other_401s_are_no_reason_to_refresh(here: House, what: str) -> None:
    here.log_in()
    system = here.system()
    if what == "time-out":  # which is repeated, and then answered
        here.place.weather.faults.append(Fault(kind="error", method="GET", path="/tags", status=401))
        system.reader.tag_names()
    elif what == "scope":
        with pytest.raises(CredentialsRefused, match=r"lacks the scope `locations/tags.write`.*oauth login"):
            system.writer.create_tag("fresh")
    else:
        bad = here.place.bare(token="", bearer=here.bearer(), version="1999-01-01")
        with pytest.raises(CredentialsRefused, match="reason other than its end"):
            bad.reader.tag_names()
    assert here.requests == []


def test_a_private_token_is_never_renewed(here: House) -> None:
    with pytest.raises(CredentialsRefused, match=r"pairs.main.ghl.token"):
        here.place.bare(token="pit-wrong").read_schema()
    assert here.requests == []


def test_a_revoked_or_exhausted_refresh_token_says_to_log_in_again(here: House) -> None:
    kept = here.log_in()
    here.authority.refresh(kept.tokens.refresh_token)  # somebody else used it
    here.to_the_end()
    with pytest.raises(CredentialsRefused, match=f"refused the refresh token of the location .*{ADVICE}") as refused:
        here.system().read_schema()
    assert kept.tokens.refresh_token not in str(refused.value)
    assert here.kept().refused_at is not None
    here.log_in()
    here.system().read_schema()
    assert here.kept().refused_at is None


def test_a_location_that_was_paused_says_so_and_loses_nothing(here: House) -> None:
    here.log_in()
    here.to_the_end()
    here.place.world.location.active = False
    with pytest.raises(CredentialsRefused, match="the location is not active"):
        here.system().read_schema()
    here.place.world.location.active = True
    here.system().read_schema()


def test_wrong_keys_of_the_app_are_named(here: House) -> None:
    here.log_in()
    here.to_the_end()
    here.app = type(here.app)(here.app.client_id, "another secret")
    with pytest.raises(CredentialsRefused, match="client_id and client_secret"):
        here.system().read_schema()
    assert here.kept().refused_at is None


@pytest.mark.parametrize("kind", ["drop", "error"])
def test_trouble_with_a_refresh_ahead_changes_nothing_until_the_end(here: House, kind: str) -> None:
    here.log_in()
    here.to_the_end(minutes_before=20)
    here.place.weather.faults.append(Fault(kind=kind, path="/oauth/", times=100))  # type: ignore[arg-type]
    system = here.system()
    system.read_schema()
    tried = len(here.requests)
    assert tried > 0
    system.read_schema()
    assert len(here.requests) == tried, "it isn't tried at every request"
    here.to_the_end()
    with pytest.raises(Unreachable):
        system.read_schema()
    here.place.weather.faults.clear()
    system.read_schema()


@pytest.mark.parametrize("grace_s", [0.0, 60.0])
def test_a_lost_answer_is_asked_for_again_and_else_said_plainly(here: House, grace_s: float) -> None:
    here.log_in()
    here.to_the_end()
    here.place.quirks.refresh_grace_s = grace_s
    here.place.weather.faults.append(Fault(kind="lost_answer", path="/oauth/token"))
    if grace_s:
        here.system().read_schema()
        assert [status for _, status in here.requests] == [200, 200]
    else:
        with pytest.raises(CredentialsRefused, match=r"the answer that held its successor was lost\. Log in"):
            here.system().read_schema()


class Revoking(OAuthStore):
    """A store in which somebody revokes a login while it is refreshed."""

    def replace(self, before: KeptTokens, tokens: Tokens) -> KeptTokens | None:
        self.forget(before.owner)
        return super().replace(before, tokens)


def test_what_was_revoked_meanwhile_is_not_used_and_not_stored(here: House) -> None:
    here.log_in()
    here.to_the_end()
    store = Revoking(here.store._engine, here.store._secrets, here.clock)
    with pytest.raises(CredentialsRefused, match="Nobody has logged in"):
        here.system(here.bearer(store)).read_schema()
    assert here.store.find(here.location) is None


def test_a_revoked_login_ends_within_half_a_minute(here: House) -> None:
    here.log_in()
    system = here.system()
    system.read_schema()
    here.store.forget(here.location)
    here.clock.advance(30)
    with pytest.raises(CredentialsRefused, match="Nobody has logged in"):
        system.read_schema()


def test_an_agencys_login_opens_its_locations(agency: House) -> None:
    agency.log_in()
    agency.system().read_schema()
    assert agency.requests == [("/oauth/locationToken", 200)]
    kept = agency.kept()
    assert (kept.tokens.agency_id, kept.tokens.refresh_token) == (agency.agency.id, "")


def test_a_locations_token_comes_anew_from_the_agencys(agency: House) -> None:
    agency.log_in()
    agency.system().read_schema()
    agency.to_the_end()
    agency.place.sandbox.ghl.log.clear()
    agency.system().read_schema()
    assert agency.requests == [REFRESHED, ("/oauth/locationToken", 200)]


def test_an_agencys_token_that_was_refused_is_made_new_once(agency: House) -> None:
    kept = agency.log_in()
    agency.place.world.expire_token(kept.tokens.access_token)
    agency.system().read_schema()
    assert agency.requests == [("/oauth/locationToken", 401), REFRESHED, ("/oauth/locationToken", 200)]


def test_trouble_with_an_agencys_exchange_is_no_refusal_of_what_was_asked(agency: House) -> None:
    agency.log_in()
    agency.place.weather.faults.append(Fault(kind="error", path="/oauth/locationToken", times=100))
    with pytest.raises(Unreachable, match="gave no new token"):
        agency.system().reader.tag_names()


def test_a_location_that_no_agency_has_says_so(agency: House) -> None:
    agency.log_in()
    bearer = agency.bearer()
    del agency.place.world.locations[agency.location.id]
    with pytest.raises(CredentialsRefused, match="Nobody has logged in for the location"):
        agency.system(bearer).reader.tag_names()
