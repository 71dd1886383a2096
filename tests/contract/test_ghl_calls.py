"""Operations of the catalogue called over a real socket: every one against a server that notes what it is asked, and
those that the sandbox has against the sandbox, whose exchanges are held against the vendor's OpenAPI where it is there.
"""

import json
import re
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import pytest

from sync_daemon.model.errors import AnswerLost, CredentialsRefused
from sync_daemon.sandbox.ghl.app import OPERATIONS
from sync_daemon.sandbox.server import serve
from sync_daemon.systems.ghl.catalogue.catalogue import operation, operations
from sync_daemon.systems.ghl.catalogue.operation import Operation
from sync_daemon.systems.ghl.catalogue.prepare import prepare
from sync_daemon.systems.ghl.settings import GhlSettings, Version
from sync_daemon.systems.ghl.system import GhlSystem, connect
from tests.contract.catalogue_examples import LOCATION, VERSIONS, example_call, in_versions, values
from tests.contract.ghl_documented import Recorder
from tests.contract.ghl_place import Place, SteppingClock, served_stage
from tests.contract.noting import FILE, Noting

EVERY_CALL = [
    pytest.param(one, version, id=f"{one.kebab}-{version}") for one in operations() for version in in_versions(one)
]


@pytest.fixture(scope="module")
def outside() -> Iterator[tuple[Noting, str]]:
    noted = Noting()
    with serve(noted.app) as url:
        yield noted, url


@pytest.mark.parametrize(("row", "version"), EVERY_CALL)
def test_every_operation_reaches_its_path(outside: tuple[Noting, str], row: Operation, version: Version) -> None:
    noted, url = outside
    noted.requests.clear()
    system = connect(GhlSettings("main", LOCATION, "pit-1", url, version), SteppingClock())

    answer = system.call(example_call(row, version, everything=True))

    ((request, body),) = noted.requests
    given = values(row, version, everything=True)
    takes = row.takes(version)
    texts = {name: LOCATION if one.location else str(given[name]) for name, one in takes.items() if one.place == "path"}
    assert (request.method, request.url.path) == (row.method, (row.path_in(version) or "").format(**texts))
    assert request.headers["authorization"] == "Bearer pit-1"
    assert request.headers["version"] == ("v3" if version == "v3" else row.version)
    assert set(request.query_params) == {name for name, one in takes.items() if one.place == "query"}
    own: dict[str, object] = {name: LOCATION for name, one in takes.items() if one.location == "id"}
    own |= {name: [LOCATION] for name, one in takes.items() if one.location == "ids" and one.required}
    sent = {name: value for name, value in {**given, **own}.items() if takes[name].place == "body"}
    if row.body == "none":
        assert (body, request.headers.get("content-type")) == (b"", None)
    else:
        assert request.headers["content-type"] == "application/json"
        assert json.loads(body) == ([sent] if row.body == "list" else sent)
    assert answer == (FILE if row.answer == "file" else b"{}")
    assert request.headers["accept"] == ("*/*" if row.answer == "file" else "application/json")


@dataclass
class Caller:
    """Calls operations at the sandbox, and remembers ids by the words that others name them with."""

    system: GhlSystem
    location_id: str
    version: Version
    ids: dict[str, str] = field(default_factory=dict)
    called: list[str] = field(default_factory=list)

    def __call__(self, name: str, /, **given: Any) -> Any:
        prepared = prepare(operation(name), given, self.location_id, self.version)
        self.called.append(prepared.operation.name)
        return json.loads(self.system.call(prepared))


def with_a_routes_path(path: str) -> str:
    return re.sub(r"{\w+}", "{}", path)


ROUTES = {(with_a_routes_path(path), method) for path, methods in OPERATIONS.items() for method in methods}


def the_sandbox_has(row: Operation, version: Version) -> bool:
    path = row.path_in(version)
    return path is not None and (with_a_routes_path(path), row.method) in ROUTES


@pytest.fixture(params=VERSIONS)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    recorder = Recorder()
    with served_stage() as (stage, url):
        place = Place.on(stage, url)
        place.version, place.transport = request.param, recorder
        yield place
    recorder.close()


def caller(place: Place, **more: Any) -> Caller:
    system = connect(place.settings(**more), place.clock, transport=place.transport)
    return Caller(system, place.sandbox.location_id, place.version)


def test_what_the_sandbox_has_can_be_called(place: Place) -> None:
    call = caller(place)
    _contacts(call, place)
    _lists(call, place)
    _calendars(call)
    _location(call, place)

    assert set(call.called) == {one.name for one in operations() if the_sandbox_has(one, place.version)}
    recorder = place.transport
    assert isinstance(recorder, Recorder)
    if place.version == "v3":  # the specifications that are here have no campaigns in v3
        recorder.answers = [one for one in recorder.answers if one.request.url.path != "/campaigns/"]
    assert recorder.violations() == []


def _contacts(call: Caller, place: Place) -> None:
    who = call("Create Contact", email="ada@example.com", firstName="Ada", tags=["vip"])["contact"]["id"]
    email = "email" if call.version == "v3" else "Email"
    call("Update Contact", contactId=who, city="London", **{f"dndSettings.{email}.status": "active"})
    found = call("Get Contact", contactId=who)["contact"]
    assert (found["city"], found["dndSettings"][email]["status"]) == ("London", "active")
    assert call("Upsert Contact", email="ada@example.com", lastName="King")["contact"]["id"] == who
    assert call("Get Duplicate Contact", email="ada@example.com")["contact"]["id"] == who
    business = place.world.add_business("Engines")
    call("Bulk Business Update", ids=[who], businessId=business)
    call("Get Contacts by Business", businessId=business)
    place.clock.advance(3600)
    assert [one["id"] for one in call("Search Contacts", query="ada")["contacts"]] == [who]
    wanted = {"field": "email", "operator": "eq", "value": "ada@example.com"}
    assert [one["id"] for one in call("Find Contact", filters=[wanted])["contacts"]] == [who]
    if call.version != "v3":
        assert call("List Contacts (Deprecated)")["contacts"]
    note = call("Create Contact Note", contactId=who, body="Hello")["note"]["id"]
    call("Update Contact Note", contactId=who, id=note, body="Hello again")
    assert call("Get Contact Note by ID", contactId=who, id=note)["note"]["body"] == "Hello again"
    call("Delete Contact Note", contactId=who, id=note)
    assert call("Get Contact Notes", contactId=who)["notes"] == []
    due = "2026-12-01T10:00:00Z"
    task = call("Create Contact Task", contactId=who, title="Call", dueDate=due, completed=False)["task"]["id"]
    call("Update Contact Task", contactId=who, taskId=task, title="Write")
    call("Complete Contact Task", contactId=who, taskId=task, completed=True)
    assert call("Get Contact Task by ID", contactId=who, taskId=task)["task"]["completed"] is True
    assert len(call("Get Contact Tasks", contactId=who)["tasks"]) == 1
    call("Delete Contact Task", contactId=who, taskId=task)
    call.ids["contact"] = who


def _lists(call: Caller, place: Place) -> None:
    who, world = call.ids["contact"], place.world
    assert call("Add Tags to Contact", contactId=who, tags=["Fair"])["tags"] == ["vip", "fair"]
    assert call("Remove Tags from Contact", contactId=who, tags=["vip"])["tags"] == ["fair"]
    call("Bulk Update Contact Tags", type="add", contacts=[who], tags=["bulk"])
    campaign, workflow = world.add_campaign("Spring")["id"], world.add_workflow("Welcome")["id"]
    for name in ("Add Contact to Campaign", "Remove from Campaign", "Add Contact to Campaign"):
        call(name, contactId=who, campaignId=campaign)
    call("Remove from All Campaigns", contactId=who)
    assert world.contacts.get(who).campaigns == ()
    call("Add Contact to Workflow", contactId=who, workflowId=workflow)
    assert world.contacts.get(who).workflows == (workflow,)
    call("Remove from Workflow", contactId=who, workflowId=workflow)
    user = world.add_user("Bo", "Lee", "bo@example.com")["id"]
    call("Add Contact Followers", contactId=who, followers=[user])
    call("Remove Contact Followers", contactId=who, followers=[user])
    assert [one["id"] for one in call("Search Users", companyId=world.company_id)["users"]] == [user]
    assert call("Get User", userId=user)["id"] == user
    if call.version != "v3":
        assert call("List Users by Location")["users"]


def _calendars(call: Caller) -> None:
    group = call("Create Calendar Group", name="Sales", description="All", slug="sales")["group"]["id"]
    call("Update Calendar Group", groupId=group, name="Sales", description="Some", slug="sell")
    call("Update Group Status", groupId=group, isActive=False)
    assert call("Validate Group Slug", slug="sell")["available"] is False
    assert len(call("List Calendar Groups")["groups"]) == 1
    calendar = call("Create Calendar", name="Demo")["calendar"]["id"]
    call("Update Calendar", calendarId=calendar, description="Half an hour")
    assert call("Get Calendar by ID", calendarId=calendar)["calendar"]["description"] == "Half an hour"
    assert len(call("List Calendars")["calendars"]) == 1
    start, who = "2026-12-01T10:00:00Z", call.ids["contact"]
    booked = call("Create Appointment", calendarId=calendar, contactId=who, startTime=start)["id"]
    call("Update Appointment", eventId=booked, appointmentStatus="confirmed")
    call("Get Appointment", eventId=booked)
    assert len(call("Get Contact Appointments", contactId=who)["events"]) == 1
    blocked = call("Create Block Slot", calendarId=calendar, startTime="2026-12-02T10:00:00Z", title="Away")["id"]
    call("Update Block Slot", eventId=blocked, calendarId=calendar, title="Off")
    window = {"startTime": 1_764_000_000_000, "endTime": 1_800_000_000_000}
    assert [one["id"] for one in call("List Calendar Events", calendarId=calendar, **window)["events"]] == [booked]
    assert [one["id"] for one in call("List Blocked Slots", calendarId=calendar, **window)["events"]] == [blocked]
    call("Get Free Slots", calendarId=calendar, startDate=1_796_000_000_000, endDate=1_796_200_000_000)
    note = call("Create Appointment Note", appointmentId=booked, body="Bring it")["note"]["id"]
    call("Update Appointment Note", appointmentId=booked, noteId=note, body="Bring them")
    assert len(call("List Appointment Notes", appointmentId=booked, limit=20, offset=0)["notes"]) == 1
    call("Delete Appointment Note", appointmentId=booked, noteId=note)
    call("Delete Event", eventId=booked)
    call("Delete Calendar", calendarId=calendar)
    call("Delete Calendar Group", groupId=group)
    call("Delete Contact", contactId=who)


def _location(call: Caller, place: Place) -> None:
    assert call("Find Location by ID")["location"]["id"] == place.sandbox.location_id
    assert len(call("List Locations")["locations"]) == 1
    assert len(call("List Custom Fields")["customFields"]) == 4
    assert len(call("List Workflows")["workflows"]) == 1
    assert len(call("List Campaigns")["campaigns"]) == 1


def test_a_missing_scope_is_named(place: Place) -> None:
    call = caller(place, token=place.world.private_token(["contacts.readonly"]))
    with pytest.raises(CredentialsRefused, match=r"lacks the scope `contacts.write`.* Settings > Private Integrations"):
        call("Create Contact Note", contactId="x", body="Hello")


def test_what_is_forbidden_names_the_token_it_needs(place: Place) -> None:
    call = caller(place, token=place.world.private_token(location_id=place.world.add_location().id))
    with pytest.raises(CredentialsRefused, match=r"no access to the location.*needs the scope `workflows.readonly`"):
        call("List Workflows")


def test_what_only_an_agency_may_do_says_so() -> None:
    forbids = Noting(b'{"statusCode":403,"message":"Forbidden resource"}', 403)
    with serve(forbids.app) as url:
        system = connect(GhlSettings("main", LOCATION, "pit-1", url), SteppingClock())
        with pytest.raises(CredentialsRefused, match=r"Get Company needs .* of the agency with the scope"):
            system.call(prepare(operation("get-company"), {"companyId": "k"}, LOCATION, "2021-07-28"))


@pytest.mark.parametrize(
    ("name", "given", "sent"),
    [
        ("Create Contact", {"email": "ada@example.com"}, 1),
        ("Upsert Contact", {"email": "ada@example.com", "createNewIfDuplicateAllowed": True}, 1),
        ("Upsert Contact", {"email": "ada@example.com"}, 2),
    ],
)
def test_only_what_is_idempotent_is_sent_again(place: Place, name: str, given: dict[str, Any], sent: int) -> None:
    place.befall("lost_answer", "POST")
    call = caller(place)
    with pytest.raises(AnswerLost) if sent == 1 else nullcontext():
        call(name, **given)
    assert len([one for one in place.requests() if one.startswith("POST /contacts/")]) == sent
    assert len(place.world.contacts) == 1
