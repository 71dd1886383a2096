"""The EmailOctopus sandbox against the vendor's own OpenAPI: each operation with each answer it documents."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from sync_daemon.sandbox.clock import ManualClock
from sync_daemon.sandbox.emailoctopus.app import build_app
from sync_daemon.sandbox.emailoctopus.context import emailoctopus_context
from sync_daemon.sandbox.emailoctopus.model import Field, FieldValue
from sync_daemon.sandbox.emailoctopus.quirks import Quirks
from sync_daemon.sandbox.emailoctopus.roster import md5_of
from sync_daemon.sandbox.emailoctopus.world import EmailOctopusWorld
from sync_daemon.sandbox.server import serve
from sync_daemon.sandbox.weather import Fault
from tests.contract import emailoctopus_spec
from tests.contract.emailoctopus_spec import DEVIATIONS, OFF_SPEC_QUIRKS, unexplained
from tests.contract.openapi import Contract, needs_specs
from tests.plain import PLAIN
from tests.sandbox.emailoctopus.account import Account as Switched
from tests.sandbox.emailoctopus.test_quirks import SCENARIOS
from tests.sandbox.inprocess import Answer

pytestmark = needs_specs

NOWHERE = "00000000-0000-4000-8000-000000000000"
FOREIGN = "11111111-1111-4111-8111-111111111111"
CONTACT = "/lists/{list_id}/contacts/{contact_id}"


@pytest.fixture(scope="module")
def spec() -> Contract:
    return emailoctopus_spec.spec()


@dataclass
class Account:
    """An account with something of everything, and a client to ask it with."""

    world: EmailOctopusWorld
    client: httpx.Client
    faults: list[Fault]
    ids: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, template: str, **kwargs: Any) -> httpx.Response:
        path = template.format(**{**self.ids, **kwargs.pop("ids", {})})
        return self.client.request(method, path, **kwargs)


class Stage:
    """One server for all tests; each test puts an account of its own on it."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage()


@pytest.fixture(scope="module")
def client(stage: Stage) -> Iterator[httpx.Client]:
    key = {"Authorization": "Bearer eo_key"}
    with serve(stage) as url, httpx.Client(base_url=url, headers=key, verify=PLAIN) as client:
        yield client


@pytest.fixture
def account(stage: Stage, client: httpx.Client) -> Account:
    context = emailoctopus_context(ManualClock(), seed=7)
    context.limiter.settings.enabled = False
    stage.app = build_app(context)
    world = context.world
    world.api_keys.add("eo_key")
    world.foreign_ids.add(FOREIGN)
    mailing_list = world.create_list("Newsletter")
    list_id = mailing_list.id
    for each in (
        Field("Plan", "Plan", "choice_single", ["One", "Two"], "One"),
        Field("Topics", "Topics", "choice_multiple", ["Tea", "Coffee"]),
        Field("Pets", "how_many_pets", "number"),
        Field("Birthday", "birthday", "date"),
    ):
        world.add_field(list_id, each)
    values: dict[str, FieldValue | None] = {
        "FirstName": "Otto",
        "Topics": ["Tea"],
        "how_many_pets": 2,
        "birthday": "2015-12-01",
    }
    otto = world.add(list_id, "otto@example.com", values, ["vip", "my tag"])
    ada = world.add(list_id, "ada@example.com")
    campaign = world.create_campaign("New clients", [list_id])
    world.create_campaign("A draft", [list_id])
    world.send_campaign(campaign.id)
    world.click(otto.id, campaign.id)
    world.bounce(ada.id, campaign.id)
    ids = {
        "list_id": list_id,
        "contact_id": otto.id,
        "campaign_id": campaign.id,
        "automation_id": world.create_automation(list_id).id,
    }
    return Account(world, client, context.weather.faults, ids)


@dataclass(frozen=True)
class Operation:
    """One operation: a request that succeeds, and what its refusals take."""

    method: str
    path: str
    success: int
    body: dict[str, Any] | None = None
    query: str = ""
    tag: str = ""
    wrong: dict[str, Any] | None = None  # a body for 422
    clash: dict[str, Any] | None = None  # a body for 409
    statuses: tuple[int, ...] = (400, 401, 403, 404)

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def send(self, account: Account, body: Any = None, ids: dict[str, str] | None = None) -> httpx.Response:
        sent = self.body if body is None else body
        return account.send(self.method, self.path + self.query, ids={"tag": self.tag, **(ids or {})}, json=sent)


WRITES = (400, 401, 403, 404, 422)
CLASHES = (400, 401, 403, 404, 409, 422)
FIELD = {"label": "Hometown", "tag": "Hometown", "type": "text"}
BLANK_NAME = {"name": ""}
NO_ADDRESS = {"email_address": "nobody"}
OPERATIONS = [
    Operation("GET", "/lists", 200, statuses=(400, 401)),
    Operation("POST", "/lists", 201, {"name": "Clients"}, wrong=BLANK_NAME, statuses=(400, 401, 403, 422)),
    Operation("GET", "/lists/{list_id}", 200),
    Operation("PUT", "/lists/{list_id}", 200, {"name": "Clients"}, wrong=BLANK_NAME, statuses=WRITES),
    Operation("DELETE", "/lists/{list_id}", 204),
    Operation("GET", "/lists/{list_id}/contacts", 200, query="?status=subscribed&tag=vip&limit=1"),
    Operation(
        "POST",
        "/lists/{list_id}/contacts",
        201,
        {
            "email_address": "new@example.com",
            "fields": {"Plan": "One", "how_many_pets": 3},
            "tags": ["vip"],
            "status": "pending",
        },
        wrong=NO_ADDRESS,
        clash={"email_address": "OTTO@example.com"},
        statuses=CLASHES,
    ),
    Operation(
        "PUT",
        "/lists/{list_id}/contacts",
        200,
        {
            "email_address": "otto@example.com",
            "fields": {"FirstName": None, "Topics": ["Coffee"]},
            "tags": {"vip": False},
        },
        wrong={"email_address": "otto@example.com", "fields": {"how_many_pets": "many"}},
        statuses=CLASHES,
    ),
    Operation(
        "PUT",
        "/lists/{list_id}/contacts/batch",
        200,
        {"contacts": [{"id": NOWHERE, "fields": {"FirstName": "Nobody"}}]},
        wrong={"contacts": [{"fields": {}}]},
        statuses=WRITES,
    ),
    Operation("GET", CONTACT, 200),
    Operation(
        "PUT",
        CONTACT,
        200,
        {"email_address": "o@example.com"},
        wrong=NO_ADDRESS,
        clash={"email_address": "ada@example.com"},
        statuses=CLASHES,
    ),
    Operation("DELETE", CONTACT, 204),
    Operation(
        "POST",
        "/lists/{list_id}/fields",
        201,
        {**FIELD, "fallback": "Unknown"},
        wrong={**FIELD, "type": "colour"},
        clash={**FIELD, "tag": "birthday"},
        statuses=CLASHES,
    ),
    Operation(
        "PUT",
        "/lists/{list_id}/fields/{tag}",
        200,
        {**FIELD, "type": "number"},
        tag="how_many_pets",
        wrong=FIELD,
        clash={**FIELD, "tag": "birthday", "type": "number"},
        statuses=CLASHES,
    ),
    Operation("DELETE", "/lists/{list_id}/fields/{tag}", 204, tag="birthday"),
    Operation("GET", "/lists/{list_id}/tags", 200, query="?limit=1"),
    Operation(
        "POST",
        "/lists/{list_id}/tags",
        201,
        {"tag": "new"},
        wrong={"tag": ""},
        clash={"tag": "vip"},
        statuses=CLASHES,
    ),
    Operation(
        "PUT",
        "/lists/{list_id}/tags/{tag}",
        200,
        {"tag": "your tag"},
        tag="my%20tag",
        wrong={"tag": 1},
        clash={"tag": "vip"},
        statuses=CLASHES,
    ),
    Operation("DELETE", "/lists/{list_id}/tags/{tag}", 204, tag="vip"),
    Operation("GET", "/campaigns", 200, query="?limit=1", statuses=(400, 401)),
    Operation("GET", "/campaigns/{campaign_id}", 200),
    Operation("GET", "/campaigns/{campaign_id}/reports", 200, query="?status=sent&limit=1"),
    Operation("GET", "/campaigns/{campaign_id}/reports/summary", 200),
    Operation("GET", "/campaigns/{campaign_id}/reports/links", 200),
    Operation(
        "POST",
        "/automations/{automation_id}/queue",
        204,
        {"contact_id": md5_of("otto@example.com")},
        wrong={},
        clash={"contact_id": md5_of("otto@example.com")},
        statuses=CLASHES,
    ),
]
each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=[each.name for each in OPERATIONS])


def assert_documented(spec: Contract, response: httpx.Response) -> None:
    """Check an answer, and the request too if it was a good one; known deviations are let through."""
    assert unexplained(violations_of(spec, response), Quirks()) == []


def violations_of(spec: Contract, response: httpx.Response) -> list[str]:
    asked = spec.request_violations(response.request) if response.is_success else []
    return asked + spec.response_violations(response)


@each_operation
def test_success(operation: Operation, account: Account, spec: Contract) -> None:
    response = operation.send(account)
    assert response.status_code == operation.success
    assert_documented(spec, response)


def _without_key(operation: Operation, account: Account) -> httpx.Response:
    path = (operation.path + operation.query).format(**account.ids, tag=operation.tag)
    return httpx.request(operation.method, f"{account.client.base_url}{path}", verify=PLAIN)


def _with_broken_parameter(operation: Operation, account: Account) -> httpx.Response:
    target = _target(operation)
    if target is not None:
        return operation.send(account, ids={target: "not-an-id"})
    if operation.method == "GET":
        return account.send("GET", f"{operation.path}?limit=0")
    return account.send(operation.method, operation.path, content=b"{", headers={"content-type": "application/json"})


def _with_clash(operation: Operation, account: Account) -> httpx.Response:
    if operation.clash is None:  # nothing a client does brings it about; it must be a race inside
        return _forced(operation, account, 409)
    if "automation" in operation.path:
        operation.send(account)
    return operation.send(account, operation.clash)


def _elsewhere(unknown: str) -> Callable[[Operation, Account], httpx.Response]:
    def asking(operation: Operation, account: Account) -> httpx.Response:
        target = _target(operation)
        return _forced(operation, account, 403) if target is None else operation.send(account, ids={target: unknown})

    return asking


def _forced(operation: Operation, account: Account, status: int) -> httpx.Response:
    account.faults.append(Fault(kind="error", status=status))
    return operation.send(account)


def _target(operation: Operation) -> str | None:
    return next((name for name in re.findall(r"{(\w+)}", operation.path)), None)


REFUSALS: dict[int, Callable[[Operation, Account], httpx.Response]] = {
    400: _with_broken_parameter,
    401: _without_key,
    403: _elsewhere(FOREIGN),
    404: _elsewhere(NOWHERE),
    409: _with_clash,
    422: lambda operation, account: operation.send(account, operation.wrong),
}
CASES = [(operation, status) for operation in OPERATIONS for status in operation.statuses]


@pytest.mark.parametrize(("operation", "status"), CASES, ids=[f"{each.name} {status}" for each, status in CASES])
def test_refusal(operation: Operation, status: int, account: Account, spec: Contract) -> None:
    response = REFUSALS[status](operation, account)
    assert response.status_code == status
    assert_documented(spec, response)


def test_every_operation_and_status_is_covered(spec: Contract) -> None:
    ours = {(each.method, each.path): {each.success, *each.statuses} for each in OPERATIONS}
    assert ours == spec.operations()


@each_operation
def test_a_wrong_key_is_unauthorized(operation: Operation, account: Account, spec: Contract) -> None:
    path = (operation.path + operation.query).format(**account.ids, tag=operation.tag)
    headers = {"Authorization": "Bearer legacy"}
    response = account.client.request(operation.method, path, headers=headers)
    assert response.status_code == 401
    assert response.json()["type"].endswith("#unauthorized")
    assert_documented(spec, response)


@pytest.mark.parametrize("missing", ["contact_id", "campaign_id", "automation_id"])
def test_an_unknown_record_of_a_known_list(missing: str, account: Account, spec: Contract) -> None:
    for operation in OPERATIONS:
        if f"{{{missing}}}" in operation.path:
            response = operation.send(account, ids={missing: NOWHERE})
            assert response.status_code == 404
            assert_documented(spec, response)


@pytest.mark.parametrize("status", ["bounced", "clicked", "complained", "opened", "unsubscribed", "not-opened"])
def test_each_report(status: str, account: Account, spec: Contract) -> None:
    response = account.send("GET", "/campaigns/{campaign_id}/reports?status=" + status)
    assert response.status_code == 200
    assert response.json()["status"] == status
    assert_documented(spec, response)


def test_a_batch_with_both_outcomes(account: Account, spec: Contract) -> None:
    good = {"id": account.ids["contact_id"], "fields": {"how_many_pets": 5}, "tags": {"vip": False}}
    bad = {"id": account.ids["contact_id"], "email_address": "ada@example.com"}
    response = account.send("PUT", "/lists/{list_id}/contacts/batch", json={"contacts": [good, bad]})
    body = response.json()
    assert [row["data"]["fields"]["how_many_pets"] for row in body["success"]] == [5]
    assert [row["status"] for row in body["errors"]] == [409]
    assert_documented(spec, response)


class Watched(Switched):
    """An account whose every answer is kept to be held against the specification."""

    def __init__(self, **quirks: Any) -> None:
        super().__init__(**quirks)
        self.answers: list[httpx.Response] = []

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        answer = super().ask(method, path, body)
        request = httpx.Request(method, f"http://sandbox{path}", json=body)
        kept = httpx.Response(answer.status, headers=answer.headers, content=answer.content, request=request)
        self.answers.append(kept)
        return answer


SETTINGS = [(name, setting) for name, (_, outcomes) in SCENARIOS.items() for setting in outcomes]


@pytest.mark.parametrize(("name", "setting"), SETTINGS, ids=[f"{name}={setting}" for name, setting in SETTINGS])
def test_every_switch_each_way_is_as_documented_or_listed_as_not(name: str, setting: Any, spec: Contract) -> None:
    account = Watched(**{name: setting})
    SCENARIOS[name][0](account)
    violations = [each for answer in account.answers for each in spec.response_violations(answer)]
    assert unexplained(violations, account.world.quirks) == []
    listed = [pattern for quirk, value, pattern in OFF_SPEC_QUIRKS if (quirk, value) == (name, setting)]
    assert all(any(re.search(pattern, each) for each in violations) for pattern in listed), "it isn't off any more"


@pytest.mark.parametrize("deviation", DEVIATIONS)
def test_each_deviation_is_real(deviation: str, account: Account, spec: Contract) -> None:
    account.world.quirks.tag_limit = 0
    full = account.send("POST", "/lists/{list_id}/tags", json={"tag": "one too many"})
    answers = [_without_key(OPERATIONS[0], account), full]
    violations = [each for answer in answers for each in spec.response_violations(answer)]
    assert any(re.match(deviation, each) for each in violations)
