"""Every request for tokens, and its answer, against the vendor's own OpenAPI, in both versions."""

import pytest

from sync_daemon.http.bearer import FixedToken
from sync_daemon.systems.ghl.oauth.authority import Authority
from sync_daemon.systems.ghl.oauth.wire import App
from sync_daemon.systems.ghl.settings import Version
from tests.contract.ghl_documented import Recorder
from tests.contract.ghl_place import Place, served_stage
from tests.contract.openapi import needs_specs

pytestmark = needs_specs

BACK = "https://sync.example.com/oauth/ghl/callback"
PATHS = {
    "2021-07-28": ["/oauth/token", "/oauth/token", "/oauth/locationToken"],
    "v3": ["/oauth/token", "/oauth/token", "/oauth/location-token"],
}


@pytest.mark.parametrize("version", ["2021-07-28", "v3"])
def test_requests_for_tokens_are_as_documented(version: Version) -> None:
    recorder = Recorder()
    with served_stage() as (stage, url):
        place = Place.on(stage, url)
        world = place.world
        app = world.accounts.add_app("client", "secret", [BACK], "Company")
        code = world.accounts.consent(app, None, world.company_id, ["oauth.write", "contacts.readonly"], BACK)
        authority = Authority(url, version, App("client", "secret"), place.clock, recorder)

        first = authority.trade(code, BACK, agency=True)
        second = authority.refresh(first.refresh_token)
        third = authority.location_token(FixedToken(second.access_token), world.company_id, world.location.id)

    assert (first.user_type, first.company_id, first.location_id) == ("Company", world.company_id, "")
    assert (third.location_id, third.expires_in) == (world.location.id, 86_399)
    assert [answer.request.url.path for answer in recorder.answers] == PATHS[version]
    assert recorder.violations() == []
    recorder.close()
