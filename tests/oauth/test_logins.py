"""What comes of a login, told to whoever waits for it; and nothing is stored of what nobody needs."""

from collections.abc import Iterator

import pytest

from sync_daemon.model.oauth import LoginEnd
from sync_daemon.sandbox.weather import Fault
from sync_daemon.settings.load import load_text
from sync_daemon.settings.variables import Variables
from sync_daemon.wiring.oauth.apps import apps_of
from sync_daemon.wiring.oauth.logins import Begun, Logins
from tests.oauth.house import House
from tests.oauth.keys import BACK

TEXT = """
ghl: {{base_url: {url}}}
pairs:
  - name: main
    ghl: {{location_id: {location}, oauth: {{client_id: {app.client_id}, client_secret: {app.client_secret}}}}}
    emailoctopus: {{list_id: list-1, api_key: eo_abc}}
  - name: twin
    ghl: {{location_id: {location}, oauth: {{client_id: {app.client_id}, client_secret: {app.client_secret}}}}}
    emailoctopus: {{list_id: list-2, api_key: eo_abc}}
"""


def logins_of(here: House, location: str | None = None) -> Logins:
    text = TEXT.format(url=here.place.url, location=location or here.location.id, app=here.app)
    return Logins(load_text(text, "sync.yaml", Variables({})), here.store, here.clock)


def begun_on(logins: Logins, *, agency: bool = False) -> Begun:
    (used,) = apps_of(logins.settings.pairs).values()
    return logins.begin(used, BACK, 60, agency=agency)


def ended(here: House, logins: Logins, *, agency: bool = False) -> LoginEnd:
    begun = begun_on(logins, agency=agency)
    end = logins.finish(begun.state, here.code())
    assert here.store.end_of(begun.state) == end
    return end


def test_a_locations_tokens_serve_all_of_its_pairs(here: House) -> None:
    logins = logins_of(here)
    assert ended(here, logins) == LoginEnd(here.location)
    (used,) = apps_of(logins.settings.pairs).values()
    assert used.locations == {here.location.id: ["main", "twin"]}
    here.system().read_schema()


def test_an_agencys_tokens_are_the_agencys(agency: House) -> None:
    assert ended(agency, logins_of(agency), agency=True) == LoginEnd(agency.agency)


def test_the_state_is_good_once_and_for_nobody_else(here: House) -> None:
    logins = logins_of(here)
    begun = begun_on(logins)
    assert "No login waits" in logins.finish("guessed", here.code()).problem
    assert logins.finish(begun.state, here.code()).owner == here.location
    assert "No login waits" in logins.finish(begun.state, here.code()).problem
    late = begun_on(logins)
    here.clock.advance(60)
    assert "No login waits" in logins.finish(late.state, here.code()).problem


@pytest.fixture(params=["location", "agency"])
def mistaken(request: pytest.FixtureRequest) -> Iterator[tuple[House, bool, str]]:
    """A login of the other kind than the app, and what is said."""
    if request.param == "location":
        yield request.getfixturevalue("agency"), False, "log in with --agency"
    else:
        yield request.getfixturevalue("here"), True, "leave --agency away"


def test_tokens_of_the_other_kind_are_not_stored(mistaken: tuple[House, bool, str]) -> None:
    house, asks_for_agency, words = mistaken
    assert words in ended(house, logins_of(house), agency=asks_for_agency).problem
    assert house.store.every() == []


def test_a_location_that_no_pair_names_is_not_stored(here: House) -> None:
    end = ended(here, logins_of(here, "another-location"))
    assert f"You chose the location {here.location.id}, which is no pair's" in end.problem
    assert here.store.every() == []


def test_a_code_that_is_refused_or_whose_answer_is_lost(here: House) -> None:
    logins = logins_of(here)
    begun = begun_on(logins)
    assert "GHL refused the code" in logins.finish(begun.state, "never-made").problem
    here.place.weather.faults.append(Fault(kind="lost_answer", path="/oauth/token"))
    assert "a code works once. Begin again" in ended(here, logins).problem
    assert here.store.every() == []


def test_a_refusal_at_ghls_page_ends_the_login(here: House) -> None:
    logins = logins_of(here)
    begun = begun_on(logins)
    assert "access_denied" in logins.refuse(begun.state, "access_denied").problem
    assert "No login waits" in logins.finish(begun.state, here.code()).problem
