"""Tokens, scopes, versions, paths and edge errors (facts: GHL §1, §2, §7); limits and headers over real HTTP."""

import httpx
import pytest

from sync_daemon.sandbox.clock import ManualClock
from sync_daemon.sandbox.ghl.app import OPERATIONS, build_app
from sync_daemon.sandbox.ghl.context import ghl_context
from sync_daemon.sandbox.limits import GhlWindow
from sync_daemon.sandbox.server import serve
from sync_daemon.sandbox.weather import Fault
from tests.plain import PLAIN
from tests.sandbox.ghl.agency import Agency
from tests.sandbox.inprocess import ask


@pytest.fixture
def agency() -> Agency:
    return Agency()


def test_a_wrong_or_missing_token_is_401(agency: Agency) -> None:
    body = {"statusCode": 401, "message": "Invalid token: access token is invalid", "error": "Unauthorized"}
    for headers in ({}, {"authorization": "Bearer nobody"}, {"authorization": f"Basic {agency.token}"}):
        answer = ask(agency.app, "GET", "/contacts/x", None, {"version": "2021-07-28", **headers})
        assert answer.status == 401
        assert answer.json().items() >= body.items()


def test_a_missing_scope_is_401(agency: Agency) -> None:
    token = agency.world.private_token(["contacts.readonly"])
    contact_id = agency.added(email="ada@example.com")
    assert agency.ask("GET", f"/contacts/{contact_id}", token=token).status == 200
    answer = agency.ask("DELETE", f"/contacts/{contact_id}", token=token)
    assert (answer.status, answer.json()["message"]) == (401, "The token is not authorized for this scope.")


def test_a_token_can_be_rotated(agency: Agency) -> None:
    agency.world.accounts.expire(agency.token, after_s=60)
    assert agency.create(email="ada@example.com").status == 201
    agency.clock.advance(60)
    assert agency.create(email="bob@example.com").status == 401


def test_another_location_is_403(agency: Agency) -> None:
    other = agency.world.add_location(name="Other")
    contact = agency.world.create(location_id=other.id, email="ada@example.com")
    answers = [
        agency.ask("GET", f"/contacts/{contact.id}"),
        agency.ask("GET", f"/locations/{other.id}"),
        agency.ask("GET", f"/locations/{other.id}/tags"),
        agency.ask("POST", "/contacts/search", {"locationId": other.id, "pageLimit": 10}),
        agency.ask("GET", f"/workflows/?locationId={other.id}"),
    ]
    calendar = agency.world.add_calendar("Calls")["id"]
    business = {"locationId": agency.location.id, "ids": [contact.id], "businessId": None}
    slot = {"calendarId": calendar, "contactId": contact.id, "startTime": "2026-01-06T15:00:00Z"}
    slot["locationId"] = agency.location.id
    answers.append(agency.ask("POST", "/contacts/bulk/business", business))
    answers.append(agency.ask("POST", "/calendars/events/appointments", slot, version="2021-04-15"))
    for answer in answers:
        assert (answer.status, answer.json()["message"]) == (403, "The token does not have access to this location.")


def test_agency_tokens_are_for_agency_routes(agency: Agency) -> None:
    token = agency.world.accounts.add_private_token(agency.world.company_id, None)
    answer = agency.ask("GET", "/contacts/x", token=token)
    assert (answer.status, answer.json()["message"]) == (403, "Forbidden resource")
    assert agency.ask("GET", f"/locations/{agency.location.id}", token=token).status == 200
    assert agency.ask("GET", "/locations/nowhere", token=token).status == 400
    # A location's private token can't act for the agency.
    assert agency.ask("POST", "/oauth/locationToken", {}).status == 403


@pytest.mark.parametrize(
    ("version", "message"), [("", "version header was not found."), ("2019-01-01", "version header is invalid")]
)
def test_a_wrong_version_looks_like_an_authentication_failure(agency: Agency, version: str, message: str) -> None:
    answer = agency.ask("GET", "/contacts/x", version=version)
    assert (answer.status, answer.json()["message"]) == (401, message)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/contacts", 404),
        ("GET", "/calendars", 404),
        ("GET", "/contacts/x/", 404),
        ("PATCH", "/contacts/x", 404),
        ("GET", "/Contacts/x", 401),
        ("POST", "/contacts/Search", 404),
    ],
)
def test_paths_count_to_the_letter(agency: Agency, method: str, path: str, status: int) -> None:
    answer = agency.ask(method, path)
    assert answer.status == status
    assert (answer.content == b"") is (status == 404)


def test_a_body_that_is_no_json_is_400_and_one_of_another_type_is_not_read(agency: Agency) -> None:
    headers = {"authorization": f"Bearer {agency.token}", "version": "2021-07-28"}
    for sent in ("[]", "no json"):
        answer = ask(agency.app, "POST", "/contacts/search", sent, headers)
        assert answer.status == 400
    answer = ask(agency.app, "POST", "/contacts/search", {"locationId": "x"}, {**headers, "content-type": "text/plain"})
    assert answer.json()["message"] == ["locationId should not be empty"]


def test_edge_errors_have_the_vendors_bodies(agency: Agency) -> None:
    expected = {
        401: {"statusCode": 401, "message": "Command timed out", "error": "Unauthorized"},
        429: {"statusCode": 429, "message": "Too Many Requests"},
        500: {"statusCode": 500, "message": "Internal server error"},
        503: {"statusCode": 503, "message": "Service Unavailable"},
    }
    for status, body in expected.items():
        agency.weather.faults.append(Fault(kind="error", status=status))
        answer = agency.ask("GET", "/contacts/x")
        assert (answer.status, answer.json()) == (status, body)


def test_every_answer_carries_a_trace(agency: Agency) -> None:
    contact_id = agency.added(email="ada@example.com")
    traces = [agency.ask("GET", f"/contacts/{one}").json()["traceId"] for one in (contact_id, contact_id, "x")]
    assert len(set(traces)) == 3


def test_ids_and_traces_repeat_with_the_seed() -> None:
    first, second = (Agency().create(email="ada@example.com").json() for _ in range(2))
    assert first == second


def test_limits_and_their_headers_over_real_http() -> None:
    clock = ManualClock()
    context = ghl_context(clock, seed=1)
    context.limiter = GhlWindow(clock, per_window=25, per_day=40)
    headers = {"Authorization": f"Bearer {context.world.private_token()}", "Version": "2021-07-28"}
    url = f"/locations/{context.world.location.id}"
    with serve(build_app(context)) as base, httpx.Client(base_url=base, headers=headers, verify=PLAIN) as client:
        answers = [client.get(url) for _ in range(26)]
        assert [answer.status_code for answer in answers] == [200] * 25 + [429]
        assert answers[0].headers["x-ratelimit-remaining"] == "24"
        refused = answers[-1]
        assert refused.json() == {"statusCode": 429, "message": "Too Many Requests"}
        assert refused.headers["x-ratelimit-remaining"] == "0"
        assert refused.headers["x-ratelimit-interval-milliseconds"] == "10000"
        assert refused.headers["x-ratelimit-max"] == "25"
        assert "retry-after" not in refused.headers
        clock.advance(10)
        statuses = [client.get(url).status_code for _ in range(16)]
        assert statuses == [200] * 15 + [429]
        assert client.get(url).headers["x-ratelimit-daily-remaining"] == "0"


def test_every_operation_asks_for_a_scope_and_no_two_share_a_path() -> None:
    operations = [operation for methods in OPERATIONS.values() for operation in methods.values()]
    assert all(operation.scope for operation in operations)
    assert len({operation.run for operation in operations}) >= len(operations) - 4
