"""Every kind of request of the GHL client, and its answer, against the vendor's own OpenAPI, in both versions."""

import re
from collections.abc import Iterator

import pytest

from sync_daemon.model.contact import Consent
from sync_daemon.model.plan import Action
from sync_daemon.systems.ghl.settings import Version
from tests.contract.ghl_documented import REQUEST_DEVIATIONS, Recorder, request_lines
from tests.contract.ghl_place import Place, operation, results, rows, served_stage, written
from tests.contract.openapi import needs_specs

pytestmark = needs_specs

ALL_FIELDS = {
    "firstName": "Ada",
    "lastName": "King",
    "phone": "+14155550123",
    "address1": "1 Main St",
    "city": "London",
    "state": "LDN",
    "postalCode": "N1",
    "country": "GB",
    "website": "https://example.com",
    "timezone": "Europe/London",
    "dateOfBirth": "1990-09-25",
    "source": "fair",
    "assignedTo": "y0BeYjuRIlDwsDcOHOJo",
    "custom.plan": "gold",
    "custom.seats": 12,
    "custom.likes": ("tea", "coffee"),
    "custom.renewal": "2026-09-01",
}
OPERATIONS = {
    ("POST", "/contacts/search"),
    ("GET", "/contacts/{id}"),
    ("PUT", "/contacts/{id}"),
    ("DELETE", "/contacts/{id}"),
    ("POST", "/contacts/"),
    ("GET", "/contacts/search/duplicate"),
    ("POST", "/contacts/{id}/tags"),
    ("DELETE", "/contacts/{id}/tags"),
    ("POST", "/contacts/bulk/tags/update/add"),
    ("POST", "/contacts/bulk/tags/update/remove"),
    ("GET", "/locations/{id}"),
    ("GET", "/locations/{id}/customFields"),
    ("POST", "/locations/{id}/customFields"),
    ("GET", "/locations/{id}/tags"),
    ("POST", "/locations/{id}/tags"),
}


@pytest.fixture(scope="module", params=["2021-07-28", "v3"])
def recorded(request: pytest.FixtureRequest) -> Iterator[tuple[Version, Recorder]]:
    """Each request the client can make, once at least."""
    version: Version = request.param
    recorder = Recorder()
    with served_stage() as (stage, url):
        place = Place.on(stage, url)
        place.version, place.transport = version, recorder
        _make_every_request(place)
        yield version, recorder
    recorder.close()


def _make_every_request(place: Place) -> None:
    system = place.system(*ALL_FIELDS)
    made = written(system, operation(Action.CREATE, address="a@example.com", fields=ALL_FIELDS, tags=("vip",)))
    other = written(system, operation(Action.CREATE, address="b@example.com", consent=Consent.REVOKED, resend=True))
    ids = (made.contact_id, other.contact_id)
    written(system, operation(Action.UPDATE, ids[0], address="c@example.com", fields=ALL_FIELDS))
    written(system, operation(Action.UPDATE, ids[0], fields=dict.fromkeys(ALL_FIELDS)))
    written(system, operation(Action.UPDATE, ids[0], fields=dict.fromkeys(ALL_FIELDS, "")))
    for action in (Action.SET_DND, Action.LIFT_DND):
        written(system, operation(action, ids[0]))
    for action in (Action.ADD_TAGS, Action.REMOVE_TAGS):
        written(system, operation(action, ids[0], tags=("a", "b")))
        results(system, *(operation(action, one, tags=("c",)) for one in ids))
    reader, writer = system.reader, system.writer
    rows(reader.scan("contacts"))
    rows(reader.poll("contacts", place.clock.now()))
    rows(reader.scan_revoked())
    reader.find("c@example.com")
    reader.holders("c@example.com")
    reader.tag_names()
    writer.create_tag("fresh")
    for data_type, choices in (("TEXT", ()), ("SINGLE_OPTIONS", ("S", "M"))):
        writer.create_field(f"custom.new_{data_type.lower()}", data_type, f"New {data_type}", choices)
    written(system, operation(Action.DELETE, ids[1]))


def test_requests_and_answers_are_as_documented(recorded: tuple[Version, Recorder]) -> None:
    _, recorder = recorded
    assert recorder.violations() == []


def test_each_deviation_of_a_request_is_real(recorded: tuple[Version, Recorder]) -> None:
    _, recorder = recorded
    found = {line for answer in recorder.answers for line in request_lines(answer)}
    assert [known for known in REQUEST_DEVIATIONS if not any(re.match(known, line) for line in found)] == []


def test_every_operation_of_the_client_was_made(recorded: tuple[Version, Recorder]) -> None:
    _, recorder = recorded
    asked = [answer.request for answer in recorder.answers]
    made = {(one.method, re.sub(r"/\w{20}(?=/|$)", "/{id}", one.url.path)) for one in asked}
    assert made == OPERATIONS
