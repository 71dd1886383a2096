"""Apps, codes and tokens that trade for one another (facts: GHL §1.3)."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from sync_daemon.sandbox.server import serve
from tests.plain import PLAIN
from tests.sandbox.ghl.agency import Agency

BACK = "https://example.com/back"
SCOPES = "contacts.readonly oauth.write oauth.readonly"


class Installed(Agency):
    """An agency with an app, which speaks over a real socket because a form is no JSON."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__()
        self.client = client
        self.world.accounts.add_app("client", "secret", [BACK])
        self.agency_app = self.world.accounts.add_app("for agencies", "secret", [BACK], "Company")

    def form(self, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        return self.client.post(path, data=fields, headers={"version": "2021-07-28", **headers})

    def token_request(self, **fields: str) -> httpx.Response:
        return self.form("/oauth/token", {"client_id": "client", "client_secret": "secret"} | fields)

    def code(self, **more: str) -> str:
        query = {"response_type": "code", "client_id": "client", "redirect_uri": BACK, "scope": SCOPES, **more}
        answer = self.client.get("/v2/oauth/chooselocation", params=query)
        assert answer.status_code == 302
        return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]

    def tokens(self, client_id: str = "client") -> dict[str, Any]:
        code = self.code(client_id=client_id)
        answer = self.token_request(client_id=client_id, grant_type="authorization_code", code=code, redirect_uri=BACK)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


class Stage:
    """One server for all tests; each test puts an agency of its own on it."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage()


@pytest.fixture(scope="module")
def client(stage: Stage) -> Iterator[httpx.Client]:
    with serve(stage) as url, httpx.Client(base_url=url, verify=PLAIN) as client:
        yield client


@pytest.fixture
def agency(stage: Stage, client: httpx.Client) -> Installed:
    agency = Installed(client)
    stage.app = agency.app
    return agency


def test_a_code_gives_tokens_once(agency: Installed) -> None:
    code = agency.code()
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    tokens = agency.token_request(**fields).json()
    assert (tokens["token_type"], tokens["expires_in"], tokens["userType"]) == ("Bearer", 86_399, "Location")
    assert (tokens["locationId"], tokens["companyId"]) == (agency.location.id, agency.world.company_id)
    contact_id = agency.added(email="ada@example.com")
    assert agency.ask("GET", f"/contacts/{contact_id}", token=tokens["access_token"]).status == 200
    assert agency.ask("DELETE", f"/contacts/{contact_id}", token=tokens["access_token"]).status == 401
    again = agency.token_request(**fields)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_an_access_token_lives_a_day(agency: Installed) -> None:
    token = agency.tokens()["access_token"]
    agency.clock.advance(86_398)
    assert agency.ask("GET", "/contacts/x", token=token).status == 400
    agency.clock.advance(1)
    assert agency.ask("GET", "/contacts/x", token=token).status == 401


def test_a_refresh_token_dies_by_use_or_after_a_year(agency: Installed) -> None:
    first = agency.tokens()["refresh_token"]
    second = agency.token_request(grant_type="refresh_token", refresh_token=first).json()["refresh_token"]
    assert second != first
    assert agency.token_request(grant_type="refresh_token", refresh_token=first).status_code == 400
    agency.clock.advance(365 * 86_400)
    assert agency.token_request(grant_type="refresh_token", refresh_token=second).status_code == 400


def test_a_paused_location_gets_no_token(agency: Installed) -> None:
    token = agency.tokens()["refresh_token"]
    agency.location.active = False
    answer = agency.token_request(grant_type="refresh_token", refresh_token=token)
    assert (answer.status_code, answer.json()["message"]) == (400, "Location is not active")
    agency.location.active = True
    assert agency.token_request(grant_type="refresh_token", refresh_token=token).status_code == 200


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"client_secret": "wrong", "grant_type": "authorization_code"}, 401),
        ({"grant_type": "authorization_code", "code": "never made"}, 400),
        ({"grant_type": "client_credentials"}, 400),
        ({"grant_type": "password"}, 422),
        ({}, 422),
    ],
)
def test_refusals(agency: Installed, fields: dict[str, str], status: int) -> None:
    assert agency.token_request(**fields).status_code == status


def test_the_redirect_must_be_the_one_used(agency: Installed) -> None:
    answer = agency.token_request(
        grant_type="authorization_code", code=agency.code(), redirect_uri="https://example.org"
    )
    assert answer.status_code == 400


def test_before_v3_the_token_route_reads_forms_only(agency: Installed) -> None:
    body = {"client_id": "client", "client_secret": "secret", "grant_type": "authorization_code", "code": agency.code()}
    assert agency.ask("POST", "/oauth/token", body).status == 422
    camel = {"clientId": "client", "clientSecret": "secret", "grantType": "authorization_code", "code": body["code"]}
    answer = agency.ask("POST", "/oauth/token", camel, version="v3")
    assert answer.status == 200
    assert {"accessToken", "refreshToken", "expiresIn", "tokenType"} <= answer.json().keys()


def test_an_agencys_token_swaps_for_a_locations(agency: Installed) -> None:
    company = agency.tokens("for agencies")
    assert "locationId" not in company
    bearer = {"authorization": f"Bearer {company['access_token']}"}
    fields = {"companyId": agency.world.company_id, "locationId": agency.location.id}
    swapped = agency.form("/oauth/locationToken", fields, **bearer)
    assert swapped.status_code == 200
    assert "refresh_token" not in swapped.json()
    assert agency.ask("GET", "/contacts/x", token=swapped.json()["access_token"]).status == 400
    assert agency.form("/oauth/locationToken", {**fields, "locationId": "x"}, **bearer).status_code == 400
    assert agency.form("/oauth/locationToken", {"companyId": "x"}, **bearer).status_code == 422
    newer = agency.form("/oauth/location-token", fields, **bearer, version="v3").json()
    assert {"accessToken", "refreshToken", "appId"} <= newer.keys()


def test_installed_locations(agency: Installed) -> None:
    agency.world.add_location(name="Second")
    token = agency.tokens("for agencies")["access_token"]
    query = f"companyId={agency.world.company_id}&appId={agency.agency_app.app_id}"
    answer = agency.ask("GET", f"/oauth/installedLocations?{query}&limit=1&skip=1", token=token).json()
    assert (answer["count"], [one["name"] for one in answer["locations"]]) == (2, ["Second"])
    pages = agency.ask("GET", f"/oauth/installed-locations?{query}&pageSize=1", token=token, version="v3").json()
    token_of_next = pages["pagination"]["nextPageToken"]
    url = f"/oauth/installed-locations?{query}&pageSize=1&pageToken={token_of_next}"
    last = agency.ask("GET", url, token=token, version="v3").json()
    assert (last["items"][0]["name"], last["pagination"]["hasNextPage"]) == ("Second", False)
    refused = agency.ask("GET", "/oauth/installed-locations", token=token, version="v3")
    assert (refused.status, refused.json()["error"]["details"]) == (
        422,
        ["companyId should not be empty", "appId should not be empty"],
    )


def test_the_consent_page_knows_its_apps(agency: Installed) -> None:
    for wrong in ({"client_id": "x"}, {"redirect_uri": "https://example.org"}, {"response_type": "token"}):
        query = {"response_type": "code", "client_id": "client", "redirect_uri": BACK, **wrong}
        assert agency.ask("GET", f"/oauth/chooselocation?{urlencode(query)}").status == 400
