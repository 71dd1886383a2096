"""The GHL sandbox against the vendor's own OpenAPI: each operation, in both generations of the API."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from sync_daemon.sandbox.clock import ManualClock
from sync_daemon.sandbox.ghl.app import OPERATIONS, build_app
from sync_daemon.sandbox.ghl.context import ghl_context
from sync_daemon.sandbox.ghl.world import GhlWorld
from sync_daemon.sandbox.server import serve
from tests.contract.ghl_documented import DEVIATIONS, EXTRA_KEYS, extra_keys, undocumented
from tests.contract.openapi import Contract, contract, needs_specs
from tests.plain import PLAIN

pytestmark = needs_specs

BACK = "https://example.com/back"
START = "2026-01-06T15:00:00Z"
V2, V3 = "v2", "v3"
BOTH = (V2, V3)


@dataclass
class Agency:
    """A location with something of everything, and a client to ask it with."""

    world: GhlWorld
    client: httpx.Client
    generation: str
    tokens: dict[str, str]
    ids: dict[str, str] = field(default_factory=dict)

    def send(self, case: "Case", **changed: Any) -> httpx.Response:
        """Send a case's request, with other ids, body, query or token if they are given."""
        ids = {**self.ids, **changed.get("ids", {})}
        body = changed.get("body", case.v3_body if self.generation == V3 and case.v3_body else case.body)
        query = changed.get("query", case.query)
        headers = {"version": case.version if self.generation == V2 else "v3"}
        token = changed.get("token", self.tokens[case.token])
        if token:
            headers["authorization"] = f"Bearer {token}"
        sent = _filled(body, ids)
        payload = {"data": sent} if case.form else {"json": sent}
        url = case.path.format(**ids) + query.format(**ids)
        return self.client.request(case.method, url, headers=headers, **(payload if body is not None else {}))


def _filled(node: Any, ids: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _filled(value, ids) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(each, ids) for each in node]
    return node.format(**ids) if isinstance(node, str) else node


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
def agency(stage: Stage, client: httpx.Client, generation: str) -> Agency:
    context = ghl_context(ManualClock(), seed=3)
    context.limiter.settings.enabled = False
    stage.app = build_app(context)
    world = context.world
    now = world.clock.now()
    for name, data_type in (("Plan", "SINGLE_OPTIONS"), ("Score", "NUMERICAL"), ("Topics", "CHECKBOX")):
        world.add_field(name, data_type, ["Pro", "Tea"])
    world.add_field("Boxes", "TEXTBOX_LIST", ["Left"])
    ada = world.create(
        email="ada@example.com",
        name="Ada Lovelace",
        phone="+14155550100",
        city="London",
        address1="1 Main St",
        companyName="Acme",
        dateOfBirth="1815-12-10",
        tags=["vip"],
        dndSettings={"Email": {"status": "active", "message": "No", "code": "1"}},
        custom={"plan": "Pro", "score": 5, "topics": ["Tea"]},
    )
    world.add_email(ada.id, "second@example.com")
    world.create(email="bob@example.com")
    campaign, workflow = world.add_campaign("Spring"), world.add_workflow("Welcome")
    user, business = world.add_user("Una", "User", "una@example.com"), world.add_business("Acme")
    group = {"id": "g1", "locationId": world.location.id, "name": "Team", "description": "Us", "slug": "team"}
    world.calendars.groups["g1"] = {**group, "isActive": True}
    calendar = world.add_calendar("Calls", "g1")
    event = world.book(ada.id, calendar["id"], now + timedelta(days=1))
    app = world.accounts.add_app("client", "secret", [BACK])
    tokens = {"location": world.private_token()}
    for kind, location in (("agency", None), ("code", world.location)):
        code = world.accounts.consent(app, location, world.company_id, ["oauth.write", "oauth.readonly"], BACK)
        tokens[kind] = code if kind == "code" else world.accounts.trade_code(app, code, BACK).access_token
    ids = {
        "locationId": world.location.id,
        "companyId": world.company_id,
        "appId": app.app_id,
        "code": tokens.pop("code"),
        "contactId": ada.id,
        "businessId": business,
        "campaignId": str(campaign["id"]),
        "workflowId": str(workflow["id"]),
        "userId": str(user["id"]),
        "taskId": world.add_task(ada.id, "Call", now, body="About Acme").id,
        "noteId": world.add_note(ada.id, "Hello", "Title").id,
        "calendarId": str(calendar["id"]),
        "groupId": "g1",
        "eventId": event.id,
        "appointmentId": event.id,
        "fieldId": next(iter(world.location.custom_fields)),
        "tagId": next(iter(world.location.tags)),
        "type": "add",
    }
    return Agency(world, client, generation, tokens, ids)


@dataclass(frozen=True)
class Case:
    """One operation: a request that succeeds, and one that the validator refuses. `path` has our names of ids;
    `template` is the specification's path where those differ.
    """

    spec: str
    method: str
    path: str
    success: int = 200
    body: Any = None
    v3_body: Any = None
    query: str = ""
    wrong: Any = None  # a body for 422
    wrong_query: str | None = None  # a query for 422
    template: str = ""
    generations: tuple[str, ...] = BOTH
    token: str = "location"
    form: bool = False

    @property
    def documented(self) -> str:
        return self.template or self.path

    @property
    def name(self) -> str:
        return f"{self.method} {self.documented}"

    @property
    def version(self) -> str:
        return "2021-04-15" if self.spec == "calendars" else "2021-07-28"


HERE = "?locationId={locationId}"
CONTACT = "/contacts/{contactId}"
LOCATION = "/locations/{locationId}"
NOTE = "/calendars/appointments/{appointmentId}/notes"
WINDOW = HERE + "&calendarId={calendarId}&startTime=1767571200000&endTime=1798675200000"
UNKNOWN_KEY = {"nickname": "x"}
WRITTEN = {
    "firstName": "Eve",
    "email": "eve@example.com",
    "phone": "+14155550101",
    "address1": None,
    "tags": ["new"],
    "dndSettings": {"SMS": {"status": "active"}},
    "inboundDndSettings": {"all": {"status": "active"}},
    "customFields": [{"id": "{fieldId}", "field_value": "Pro"}],
    "country": "US",
}
WRITTEN_V3 = {
    **WRITTEN,
    "dndSettings": {"sms": {"status": "active"}},
    "customFields": [{"id": "{fieldId}", "fieldValue": "Pro"}],
}
AT = {"locationId": "{locationId}"}
TASK = {"title": "Call", "dueDate": START, "completed": False}
APPOINTMENT = {"calendarId": "{calendarId}", "contactId": "{contactId}", "startTime": START, **AT}
BLOCK = {"calendarId": "{calendarId}", "startTime": START, **AT}
GROUP = {"name": "Crew", "description": "Us", "slug": "crew"}
FIELD = {"name": "Colour", "dataType": "TEXT", "model": "contact"}
SEARCH = {
    **AT,
    "pageLimit": 10,
    "filters": [{"field": "email", "operator": "exists"}],
    "sort": [{"field": "dateUpdated", "direction": "asc"}],
}
TOKEN = {"client_id": "client", "client_secret": "secret", "grant_type": "authorization_code", "code": "{code}"}
TOKEN_V3 = {"clientId": "client", "clientSecret": "secret", "grantType": "authorization_code", "code": "{code}"}
SWAP = {"companyId": "{companyId}", **AT}
APP = "?companyId={companyId}&appId={appId}"

CASES = [
    Case("contacts", "POST", "/contacts/search", body=SEARCH, wrong={**SEARCH, "pageLimit": 0}),
    Case("contacts", "GET", "/contacts/search/duplicate", query=HERE + "&email=ada@example.com", wrong_query=""),
    Case(
        "contacts",
        "POST",
        "/contacts/",
        201,
        {**WRITTEN, **AT, "companyName": "Acme", "dateOfBirth": "1990-01-02"},
        {**WRITTEN_V3, **AT, "gender": "female"},
        wrong={**AT, **UNKNOWN_KEY},
    ),
    Case("contacts", "GET", "/contacts/", query=HERE, wrong_query="", generations=(V2,)),
    Case(
        "contacts",
        "POST",
        "/contacts/upsert",
        200,
        {**AT, "email": "ada@example.com", "createNewIfDuplicateAllowed": False},
        wrong={**AT, **UNKNOWN_KEY},
    ),
    Case("contacts", "GET", CONTACT),
    Case("contacts", "PUT", CONTACT, 200, WRITTEN, WRITTEN_V3, wrong=UNKNOWN_KEY),
    Case("contacts", "DELETE", CONTACT),
    Case("contacts", "GET", "/contacts/business/{businessId}", query=HERE, wrong_query=""),
    Case("contacts", "GET", CONTACT + "/tasks"),
    Case("contacts", "POST", CONTACT + "/tasks", 201, {**TASK, "body": "Acme"}, wrong={"title": "Call"}),
    Case("contacts", "GET", CONTACT + "/tasks/{taskId}"),
    Case("contacts", "PUT", CONTACT + "/tasks/{taskId}", 200, {"title": "Mail"}, wrong=UNKNOWN_KEY),
    Case("contacts", "DELETE", CONTACT + "/tasks/{taskId}"),
    Case("contacts", "PUT", CONTACT + "/tasks/{taskId}/completed", 200, {"completed": True}, wrong={}),
    Case("contacts", "GET", CONTACT + "/appointments"),
    Case("contacts", "POST", CONTACT + "/tags", 201, {"tags": ["new"]}, wrong={}),
    Case("contacts", "DELETE", CONTACT + "/tags", 200, {"tags": ["vip"]}, wrong={}),
    Case("contacts", "GET", CONTACT + "/notes"),
    Case("contacts", "POST", CONTACT + "/notes", 201, {"body": "Hello", "pinned": True}, wrong={}),
    *(
        Case("contacts", method, CONTACT + "/notes/{noteId}", 200, body, wrong=wrong, template=CONTACT + "/notes/{id}")
        for method, body, wrong in (("GET", None, None), ("PUT", {"body": "Hi"}, UNKNOWN_KEY), ("DELETE", None, None))
    ),
    Case(
        "contacts",
        "POST",
        "/contacts/bulk/tags/update/{type}",
        201,
        {"contacts": ["{contactId}", "ghost"], "tags": ["new"], **AT},
        wrong={**AT, "tags": ["new"]},
    ),
    Case(
        "contacts",
        "POST",
        "/contacts/bulk/business",
        200,
        {"ids": ["{contactId}"], "businessId": "{businessId}", **AT},
        wrong={**AT, "ids": "x"},
    ),
    Case("contacts", "POST", CONTACT + "/followers", 201, {"followers": ["{userId}"]}, wrong={}),
    Case("contacts", "DELETE", CONTACT + "/followers", 200, {"followers": ["{userId}"]}, wrong={}),
    Case("contacts", "POST", CONTACT + "/campaigns/{campaignId}", 201, {}),
    Case("contacts", "DELETE", CONTACT + "/campaigns/{campaignId}"),
    Case("contacts", "DELETE", CONTACT + "/campaigns/removeAll", generations=(V2,)),
    Case("contacts", "DELETE", CONTACT + "/campaigns/remove-all", generations=(V3,)),
    *(
        Case("contacts", method, CONTACT + "/workflow/{workflowId}", 200, {"eventStartTime": START}, wrong=UNKNOWN_KEY)
        for method in ("POST", "DELETE")
    ),
    Case("locations", "POST", LOCATION + "/tasks/search", 200, {"completed": False}, wrong=UNKNOWN_KEY),
    Case("locations", "GET", "/locations/search", wrong_query="?limit=many"),
    Case("locations", "GET", LOCATION),
    Case("locations", "GET", LOCATION + "/tags"),
    Case("locations", "POST", LOCATION + "/tags", 200, {"name": "New"}, wrong={}),
    Case("locations", "GET", LOCATION + "/tags/{tagId}"),
    Case("locations", "PUT", LOCATION + "/tags/{tagId}", 200, {"name": "New"}, wrong={}),
    Case("locations", "DELETE", LOCATION + "/tags/{tagId}"),
    Case("locations", "GET", LOCATION + "/customFields", query="?model=all", wrong_query="?model=company"),
    Case("locations", "POST", LOCATION + "/customFields", 201, FIELD, wrong={**FIELD, **AT}),
    *(
        Case(
            "locations",
            method,
            LOCATION + "/customFields/{fieldId}",
            200,
            body,
            wrong=wrong,
            template=LOCATION + "/customFields/{id}",
        )
        for method, body, wrong in (("GET", None, None), ("PUT", {"name": "Tier"}, {}), ("DELETE", None, None))
    ),
    Case("workflows", "GET", "/workflows/", query=HERE, wrong_query=""),
    Case("campaigns", "GET", "/campaigns/", query=HERE, wrong_query="", generations=(V2,)),
    Case("users", "GET", "/users/search", query="?companyId={companyId}", wrong_query="?companyId=x&limit=many"),
    Case("users", "GET", "/users/", query=HERE, wrong_query="", generations=(V2,)),
    Case("users", "GET", "/users/{userId}"),
    Case("calendars", "GET", "/calendars/", query=HERE, wrong_query=""),
    Case("calendars", "POST", "/calendars/", 200, {**AT, "name": "New", "groupId": "g1"}, wrong=AT),
    Case("calendars", "GET", "/calendars/{calendarId}"),
    Case("calendars", "PUT", "/calendars/{calendarId}", 200, {"name": "New"}, wrong=UNKNOWN_KEY),
    Case("calendars", "DELETE", "/calendars/{calendarId}"),
    Case(
        "calendars",
        "GET",
        "/calendars/{calendarId}/free-slots",
        query="?startDate=1767571200000&endDate=1767657600000",
        wrong_query="",
    ),
    Case("calendars", "GET", "/calendars/groups", query=HERE, wrong_query=""),
    Case("calendars", "POST", "/calendars/groups", 201, {**GROUP, **AT}, wrong=AT),
    Case("calendars", "POST", "/calendars/groups/validate-slug", 200, {"slug": "crew", **AT}, wrong=AT),
    Case("calendars", "PUT", "/calendars/groups/{groupId}", 200, GROUP, wrong={}),
    Case("calendars", "DELETE", "/calendars/groups/{groupId}"),
    Case("calendars", "PUT", "/calendars/groups/{groupId}/status", 200, {"isActive": False}, wrong={}),
    Case("calendars", "GET", "/calendars/events", query=WINDOW, wrong_query=HERE),
    Case("calendars", "GET", "/calendars/blocked-slots", query=WINDOW, wrong_query=HERE),
    Case("calendars", "POST", "/calendars/events/appointments", 200, APPOINTMENT, wrong=AT),
    Case("calendars", "GET", "/calendars/events/appointments/{eventId}"),
    Case("calendars", "PUT", "/calendars/events/appointments/{eventId}", 200, {"title": "New"}, wrong=UNKNOWN_KEY),
    Case("calendars", "DELETE", "/calendars/events/{eventId}", 201, {}),
    Case("calendars", "POST", "/calendars/events/block-slots", 201, BLOCK, wrong=AT),
    Case(
        "calendars",
        "PUT",
        "/calendars/events/block-slots/{blockId}",
        201,
        BLOCK,
        wrong=AT,
        template="/calendars/events/block-slots/{eventId}",
    ),
    Case("calendars", "GET", NOTE, query="?limit=5&offset=0", wrong_query=""),
    Case("calendars", "POST", NOTE, 201, {"body": "Hello"}, wrong={}),
    Case("calendars", "PUT", NOTE + "/{noteId}", 200, {"body": "Hello"}, wrong={}),
    Case("calendars", "DELETE", NOTE + "/{noteId}"),
    Case("oauth", "POST", "/oauth/token", 200, TOKEN, TOKEN_V3, wrong={"code": "x"}, token="none", form=True),
    Case("oauth", "POST", "/oauth/locationToken", 200, SWAP, wrong=AT, token="agency", form=True, generations=(V2,)),
    Case("oauth", "POST", "/oauth/location-token", 200, SWAP, wrong=AT, token="agency", form=True, generations=(V3,)),
    Case("oauth", "GET", "/oauth/installedLocations", query=APP, wrong_query="", token="agency", generations=(V2,)),
    Case("oauth", "GET", "/oauth/installed-locations", query=APP, wrong_query="", token="agency", generations=(V3,)),
]
RUNS = [(case, generation) for case in CASES for generation in case.generations]
each_run = pytest.mark.parametrize(
    ("case", "generation"), RUNS, ids=[f"{generation} {case.name}" for case, generation in RUNS]
)


def spec_of(case: Case, generation: str) -> Contract:
    name = f"ghl/{case.spec}.json" if generation == V2 else f"ghl-v3/{case.spec}-v3.json"
    return contract(name, closed=True)


def violations(case: Case, agency: Agency, response: httpx.Response) -> list[str]:
    """Say what isn't as documented, in the answer and, if it was a good one, in the request."""
    spec = spec_of(case, agency.generation)
    found = undocumented(spec, response)
    if response.is_success:
        requested = spec.request_violations(response.request)
        found += [each for each in requested if not any(re.match(known, each, re.DOTALL) for known in DEVIATIONS)]
    return found


@pytest.fixture
def prepared(case: Case, agency: Agency) -> Agency:
    """The agency with what only this case needs."""
    if "{blockId}" in case.path:
        agency.ids["blockId"] = agency.send(named("POST /calendars/events/block-slots")).json()["id"]
    if case.path.startswith(NOTE):
        agency.ids["noteId"] = agency.send(named(f"POST {NOTE}")).json()["note"]["id"]
    agency.tokens["none"] = ""
    return agency


@each_run
def test_success(case: Case, generation: str, prepared: Agency) -> None:
    response = prepared.send(case)
    assert response.status_code == case.success, response.text
    assert violations(case, prepared, response) == []


@each_run
def test_without_a_token(case: Case, generation: str, prepared: Agency) -> None:
    changed: dict[str, Any] = {"token": ""}
    if case.token == "none":  # the app's secret stands for a token there
        body = case.v3_body if generation == V3 else case.body
        changed = {"body": {key: "x" if "ecret" in key else value for key, value in body.items()}}
    response = prepared.send(case, **changed)
    assert response.status_code == 401
    assert violations(case, prepared, response) == []


def runs(wanted: Callable[[Case], bool]) -> pytest.MarkDecorator:
    """Every case that can show something, in each of its generations."""
    chosen = [(case, generation) for case, generation in RUNS if wanted(case)]
    names = [f"{generation} {case.name}" for case, generation in chosen]
    return pytest.mark.parametrize(("case", "generation"), chosen, ids=names)


@runs(lambda case: case.wrong is not None or case.wrong_query is not None)
def test_what_the_validator_refuses(case: Case, generation: str, prepared: Agency) -> None:
    changed = {"body": case.wrong} if case.wrong is not None else {"query": case.wrong_query}
    response = prepared.send(case, **changed)
    assert response.status_code == 422, response.text
    if generation == V3 and "installed-locations" in case.path:  # another envelope (documented: oauth-v3.json)
        assert response.json()["error"].keys() == {"code", "message", "details", "resolution"}
    else:
        assert violations(case, prepared, response) == []
        assert isinstance(response.json()["message"], list)


ODD: list[object] = [None, 5, -1, "x", "0001-01-01T00:00:00+14:00", ["x"], [{"id": ["x"]}], {"Email": []}, 10**30]


@runs(lambda case: bool(case.body) and not case.form)
def test_no_odd_value_is_an_internal_error(case: Case, generation: str, prepared: Agency) -> None:
    body = (case.v3_body if generation == V3 else None) or case.body
    for key in body:
        for odd in ODD:
            response = prepared.send(case, body={**body, key: odd})
            assert response.status_code < 500, (key, odd)


def _record_ids(case: Case) -> list[str]:
    return [name for name in re.findall(r"{(\w+)}", case.path) if name not in ("locationId", "type", "businessId")]


@runs(lambda case: bool(_record_ids(case)))
def test_ids_of_nothing(case: Case, generation: str, prepared: Agency) -> None:
    for name in _record_ids(case):
        response = prepared.send(case, ids={name: "ghost"})
        assert response.status_code == (400 if name == "contactId" else 404)
        assert violations(case, prepared, response) == []


@runs(lambda case: case.spec != "oauth" and "{locationId}" in f"{case.path}{case.query}{case.body}")
def test_another_location(case: Case, generation: str, prepared: Agency) -> None:
    response = prepared.send(case, ids={"locationId": prepared.world.add_location().id})
    assert response.status_code == 403
    assert violations(case, prepared, response) == []
    assert response.json()["message"] == "The token does not have access to this location."


def test_every_operation_of_the_sandbox_is_covered() -> None:
    ours = {(method, path) for path, methods in OPERATIONS.items() for method in methods}
    assert {(case.method, case.documented) for case in CASES} == ours | {("POST", "/oauth/token")}


def test_every_contact_operation_of_the_specification_is_in_the_sandbox() -> None:
    for generation in (V2, V3):
        documented = set(spec_of(CASES[0], generation).operations())
        served = {(case.method, case.documented) for case in CASES if generation in case.generations}
        assert documented - served == set()


def named(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


@pytest.mark.parametrize("generation", [V2])
@pytest.mark.parametrize(("key", "name"), [(key, name) for key, (_, name) in EXTRA_KEYS.items()])
def test_each_extra_key_is_real(key: str, name: str, agency: Agency) -> None:
    response = agency.send(named(name))
    found = spec_of(named(name), V2).response_violations(response)
    assert any(key in extra_keys(each) for each in found)


@pytest.mark.parametrize("generation", [V2])
@pytest.mark.parametrize(("deviation", "name"), [(known, name) for known, (_, name) in DEVIATIONS.items()])
def test_each_deviation_is_real(deviation: str, name: str, agency: Agency) -> None:
    response = agency.send(named(name))
    spec = spec_of(named(name), V2)
    found = spec.response_violations(response) + spec.request_violations(response.request)
    assert any(re.match(deviation, each, re.DOTALL) for each in found)


@pytest.mark.parametrize("generation", BOTH)
def test_the_documented_envelope(agency: Agency) -> None:
    agency.world.quirks.appointment_envelope = "event"
    case = named("GET /calendars/events/appointments/{eventId}")
    response = agency.send(case)
    assert response.json()["event"]["id"] == agency.ids["eventId"]
    assert violations(case, agency, response) == []


@pytest.mark.parametrize("generation", BOTH)
def test_a_refused_duplicate(agency: Agency) -> None:
    case = named("POST /contacts/")
    response = agency.send(case, body={**AT, "email": "ada@example.com"})
    assert response.status_code == 400
    assert violations(case, agency, response) == []
