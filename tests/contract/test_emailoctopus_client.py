"""What is EmailOctopus's own: its three listings, its batches, its status; and every request against its OpenAPI."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from sync_daemon.model.contact import Consent, Snapshot, Value
from sync_daemon.model.errors import (
    BatchRefused,
    ConfigurationError,
    CredentialsRefused,
    IncompleteRead,
    PlanLimitReached,
    Refused,
)
from sync_daemon.model.plan import Action, Operation, Returned, WriteResult
from sync_daemon.sandbox.emailoctopus.world import EmailOctopusWorld
from sync_daemon.sandbox.request_log import Exchange
from sync_daemon.sandbox.weather import Fault
from tests.contract.emailoctopus_spec import spec
from tests.contract.openapi import needs_specs
from tests.contract.systems import EmailOctopusOutside, Person, Recorder, Stage, Stand, emailoctopus_stand, stage


@pytest.fixture(scope="module")
def theatre() -> Iterator[Stage]:
    with stage() as running:
        yield running


@pytest.fixture
def stand(theatre: Stage) -> Stand:
    return recording(emailoctopus_stand(theatre))


def recording(stand: Stand) -> Stand:
    stand.context.log.recording = True
    return stand


def world(stand: Stand) -> EmailOctopusWorld:
    outside = stand.outside
    assert isinstance(outside, EmailOctopusOutside)
    return outside.world


def list_id(stand: Stand) -> str:
    assert isinstance(stand.outside, EmailOctopusOutside)
    return stand.outside.list_id


def asked(stand: Stand) -> list[Exchange]:
    return stand.context.log.exchanges()


def bodies(stand: Stand) -> list[Any]:
    return [exchange.request for exchange in asked(stand)]


def routes(stand: Stand) -> list[str]:
    """The requests, the list's part of their paths left out, ids shortened."""
    short = re.compile(r"/lists/[^/]+|(?<=/contacts/)[0-9a-f-]{32,36}$")
    return [f"{each.method} {short.sub('', each.path)}" for each in asked(stand)]


def people(stand: Stand, count: int) -> list[str]:
    return [stand.outside.add(Person(f"person{n}@example.com")) for n in range(count)]


def send(stand: Stand, *operations: Operation) -> list[WriteResult]:
    writer = stand.system.writer
    return [result for bundle in writer.bundle(operations, stand.system.max_batch) for result in writer.send(bundle)]


def done(result: WriteResult) -> Returned:
    assert result.returned is not None, result.refusal
    return result.returned


def refused(result: WriteResult) -> Refused:
    assert result.refusal is not None, result.returned
    return result.refusal


def update(stand: Stand, contact_id: str, **fields: Value) -> Operation:
    return stand.operation(Action.UPDATE, contact_id, fields=fields or {"FirstName": "Ida"})


# Reading


def test_all_three_statuses_are_listed_and_each_in_its_stream(stand: Stand) -> None:
    ids = {
        status: stand.outside.add(Person(f"{status}@example.com", consent=consent))
        for status, consent in (
            ("subscribed", Consent.GRANTED),
            ("pending", Consent.PENDING),
            ("unsubscribed", Consent.REVOKED),
        )
    }
    assert set(stand.system.reader.streams) == set(ids)
    for status, contact_id in ids.items():
        [page] = stand.system.reader.scan(status)
        assert page.stream == status
        assert [row.contact_id for row in page.whole().snapshots] == [contact_id]


@pytest.mark.parametrize("keeps", [True, False])
def test_every_page_is_asked_for_with_the_filters(theatre: Stage, *, keeps: bool) -> None:
    stand = emailoctopus_stand(theatre, next_url_keeps_filters=keeps)
    people(stand, 101)
    since = stand.clock.now().replace(microsecond=900_000) - timedelta(hours=2)
    assert sum(len(page.snapshots) for page in stand.system.reader.poll("subscribed", since)) == 101
    first, second = (parse_qs(each.query) for each in asked(stand))
    assert first == {"status": ["subscribed"], "last_updated_at.gte": ["2026-01-05T07:00:00Z"], "limit": ["100"]}
    assert second.pop("starting_after")
    assert second == first


def test_a_cursor_that_comes_back_proves_nothing(theatre: Stage, stand: Stand) -> None:
    theatre.app = Carousel()
    pages = stand.system.reader.scan("subscribed")
    assert next(pages).snapshots == ()
    with pytest.raises(IncompleteRead, match="subscribed"):
        list(pages)


class Carousel:
    """Listings without an end."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        following = {"url": "https://api.example.com/x", "starting_after": "WzE="}
        body = json.dumps({"data": [], "paging": {"next": following}}).encode()
        kind = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": kind})
        await send({"type": "http.response.body", "body": body})


def test_an_unknown_status_revokes_and_is_remarked(theatre: Stage) -> None:
    stand = emailoctopus_stand(theatre, suppressed_reads_as="own")
    [contact_id] = people(stand, 1)
    world(stand).bounce(contact_id)
    read = stand.system.reader.fetch(contact_id)
    assert read is not None
    assert read.consent is Consent.REVOKED
    assert "bounced" in (read.remark or "")


@pytest.mark.parametrize("shape", ["array", "object"])
def test_the_schema_tells_counts_and_double_opt_in_in_one_request(theatre: Stage, shape: str) -> None:
    stand = emailoctopus_stand(theatre, counts_shape=shape, email_field_listed=True)
    people(stand, 3)
    world(stand).set_double_opt_in(list_id(stand), double_opt_in=True)
    schema = stand.system.read_schema()
    assert routes(stand) == ["GET "]
    assert schema.counts == {"pending": 0, "subscribed": 3, "unsubscribed": 0}
    assert schema.double_opt_in
    assert schema.title == "Newsletter"
    assert set(schema.fields) == {"FirstName", "LastName", "Visits", "Birthday", "Likes"}


def test_an_id_of_no_form_and_a_list_that_went_are_matters_of_configuration(stand: Stand) -> None:
    with pytest.raises(ConfigurationError, match=r"pairs\.main\.emailoctopus\.list_id"):
        stand.connect(account="my list/..").read_schema()
    del world(stand).lists[list_id(stand)]
    for ask in (
        lambda: list(stand.system.reader.scan("pending")),
        stand.system.reader.tag_names,
        lambda: send(stand, stand.operation(Action.CREATE, address="a@example.com")),
    ):
        with pytest.raises(ConfigurationError, match=r"pairs\.main\.emailoctopus\.list_id"):
            ask()


def test_a_list_of_another_account_is_a_matter_of_credentials(stand: Stand) -> None:
    world(stand).foreign_ids.add(list_id(stand))
    with pytest.raises(CredentialsRefused, match=r"pairs\.main\.emailoctopus\.list_id"):
        stand.system.read_schema()


# Batches


def test_updates_share_a_request_and_tags_come_along(stand: Stand) -> None:
    ids = people(stand, 5)
    for tag in ("gold", "old"):
        stand.system.writer.create_tag(tag)
    stand.context.log.clear()
    operations = [update(stand, each) for each in ids]
    operations += [stand.operation(Action.ADD_TAGS, each, tags=("gold",)) for each in ids]
    operations += [stand.operation(Action.REMOVE_TAGS, ids[0], tags=("old",))]
    results = send(stand, *operations)
    assert routes(stand) == ["PUT /contacts/batch"]
    assert len(bodies(stand)[0]["contacts"]) == 5
    assert [result.operation.target_id for result in results] == [done(result).contact_id for result in results]
    for result in results:
        contact = done(result).contact
        assert contact is not None
        assert contact.fields == {"FirstName": "Ida"}
        assert contact.tags == frozenset({"gold"})


def test_revocations_are_a_batch_of_statuses_and_nothing_else(stand: Stand) -> None:
    ids = people(stand, 3)
    send(stand, update(stand, ids[0]), *map(stand.revocation, ids), update(stand, ids[1]))
    first, second = bodies(stand)
    assert first == {"contacts": [{"id": each, "status": "unsubscribed"} for each in ids]}
    assert all("status" not in item for item in second["contacts"])


def test_a_field_is_cleared_by_itself_and_never_in_a_batch(stand: Stand) -> None:
    ids = people(stand, 3)
    operations = [update(stand, ids[0], FirstName=None, Visits=3), *(update(stand, each) for each in ids[1:])]
    send(stand, *operations)
    assert routes(stand) == ["PUT /contacts/batch", "PUT /contacts/"]
    assert bodies(stand)[1] == {"fields": {"FirstName": None, "Visits": 3}}


@pytest.mark.parametrize("form", ["word", "uri"])
@pytest.mark.parametrize("empty", [True, False])
def test_an_item_refused_without_a_field_is_asked_again_alone_which_names_it(
    theatre: Stage, form: str, *, empty: bool
) -> None:
    stand = emailoctopus_stand(theatre, batch_error_form=form, batch_empty_arrays=empty)
    good, bad = people(stand, 2)
    bad_update = update(stand, bad, FirstName="Ida", Visits="many")
    results = send(stand, update(stand, good), bad_update, stand.operation(Action.ADD_TAGS, bad, tags=("gold",)))
    assert done(results[0]).contact_id == good
    assert refused(results[1]).fields == ("Visits",)
    assert done(results[2]).tags == frozenset({"gold"}), "tags don't wait for a field that is refused"


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_batch_that_is_too_large_is_refused_as_a_whole(theatre: Stage, status: int) -> None:
    stand = emailoctopus_stand(theatre, batch_max=4, batch_over_status=status)
    ids = people(stand, 5)
    operations = [update(stand, each) for each in ids]
    [bundle] = stand.system.writer.bundle(operations, 50)
    with pytest.raises(BatchRefused) as refusal:
        stand.system.writer.send(bundle)
    assert refusal.value.index is None
    results = [
        result for part in stand.system.writer.bundle(operations, 4) for result in stand.system.writer.send(part)
    ]
    assert {done(result).contact_id for result in results} == set(ids)


def test_a_batch_too_large_for_the_edge_is_refused_at_once(stand: Stand) -> None:
    ids = people(stand, 2)
    stand.context.weather.faults.append(Fault(kind="html_error", status=413, path="/batch$", times=99))
    [bundle] = stand.system.writer.bundle([update(stand, each) for each in ids], 50)
    with pytest.raises(BatchRefused):
        stand.system.writer.send(bundle)
    assert routes(stand) == ["PUT /contacts/batch"], "the same body again would be as large"


def test_a_batch_refused_for_one_item_names_it_and_that_one_alone_names_the_field(theatre: Stage) -> None:
    stand = emailoctopus_stand(theatre, batch_refusal="whole")
    ids = people(stand, 3)
    wrong = update(stand, ids[1], Visits="many")
    tag = stand.operation(Action.ADD_TAGS, ids[0], tags=("gold",))
    [bundle] = stand.system.writer.bundle([update(stand, ids[0]), tag, wrong, update(stand, ids[2])], 50)
    with pytest.raises(BatchRefused) as refusal:
        stand.system.writer.send(bundle)
    assert refusal.value.index == 1
    [result] = stand.system.writer.send(replace(bundle, operations=(wrong,)))
    assert refused(result).fields == ("Visits",)


def test_a_batch_that_the_system_fails_at_is_refused_as_a_whole(stand: Stand) -> None:
    stand.context.weather.faults.append(Fault(kind="error", path="/batch$", times=99))
    ids = people(stand, 2)
    [bundle] = stand.system.writer.bundle([update(stand, each) for each in ids], 50)
    with pytest.raises(BatchRefused):
        stand.system.writer.send(bundle)


def test_an_answer_about_a_contact_that_cannot_be_read_still_tells_who_was_written(stand: Stand) -> None:
    ids = people(stand, 2)
    stand.outside.spoil(ids[0])
    results = send(stand, *(update(stand, each, Visits=3) for each in ids))
    assert [done(result).contact_id for result in results] == ids
    assert done(results[0]).contact is None
    assert done(results[1]).contact is not None


# Status


def test_only_creations_and_changes_of_status_carry_a_status(stand: Stand) -> None:
    stand.system.writer.create_tag("gold")
    stand.context.log.clear()
    created = done(send(stand, stand.operation(Action.CREATE, address="a@example.com", fields={"Visits": 1}))[0])
    contact_id = created.contact_id
    operations = (
        update(stand, contact_id),
        update(stand, contact_id, FirstName=None),
        stand.operation(Action.UPDATE, contact_id, address="b@example.com"),
        stand.operation(Action.ADD_TAGS, contact_id, tags=("gold",)),
    )
    for operation in operations:
        send(stand, operation)
    creation, *updates = bodies(stand)
    assert "status" in creation
    assert all("status" not in body for body in updates)


@pytest.mark.parametrize(("consent", "status"), [(Consent.PENDING, "pending"), (Consent.REVOKED, "unsubscribed")])
def test_a_creation_may_name_its_status(stand: Stand, consent: Consent, status: str) -> None:
    [result] = send(stand, stand.operation(Action.CREATE, address="a@example.com", consent=consent))
    assert bodies(stand) == [{"email_address": "a@example.com", "status": status}]
    contact = done(result).contact
    assert isinstance(contact, Snapshot)
    assert contact.consent is consent


@pytest.mark.parametrize("habit", ["taken", "pending", "ignored", "refused"])
def test_the_status_that_came_back_is_the_one_that_counts(theatre: Stage, habit: str) -> None:
    stand = emailoctopus_stand(theatre, resubscribe=habit)
    contact_id = stand.outside.add(Person("a@example.com", consent=Consent.REVOKED))
    [result] = send(stand, stand.grant(contact_id))
    if habit == "refused":
        assert refused(result).fields == ("consent",)
        return
    contact = done(result).contact
    assert contact is not None
    shown = {"taken": Consent.GRANTED, "pending": Consent.PENDING, "ignored": Consent.REVOKED}
    assert contact.consent is shown[habit]


# Limits


@pytest.mark.parametrize("status", [403, 422])
def test_a_full_plan_refuses_creations_and_lets_updates_pass(theatre: Stage, status: int) -> None:
    stand = emailoctopus_stand(theatre, out_of_limits_status=status)
    ids = people(stand, 2)
    stand.context.weather.plan_limit = 2
    [creation] = send(stand, stand.operation(Action.CREATE, address="new@example.com"))
    assert isinstance(refused(creation), PlanLimitReached)
    for result in send(stand, *(update(stand, each) for each in ids)):
        assert done(result).contact_id in ids


def test_a_full_list_of_fields_is_a_plan_limit(theatre: Stage) -> None:
    stand = emailoctopus_stand(theatre, field_limit=3)
    with pytest.raises(PlanLimitReached):
        stand.system.writer.create_field("Fourth", "text", "Fourth", ())


@pytest.mark.parametrize("form", ["seconds", "epoch", "http_date"])
def test_a_block_is_waited_out_in_whatever_form_it_is_told(theatre: Stage, form: str) -> None:
    stand = emailoctopus_stand(theatre, retry_after_form=form, throttle_block_s=30.0)
    for _ in range(101):  # another tool empties the account's bucket
        stand.context.limiter.take()
    assert stand.system.reader.fetch(stand.outside.missing_id) is None
    assert stand.system.usage().throttled == 1
    assert 30 <= stand.clock.monotonic() <= 35


def test_an_address_is_looked_up_by_its_digest_in_lower_case(stand: Stand) -> None:
    contact_id = stand.outside.add(Person("otto@example.com"))
    found = stand.system.reader.find(" Otto@Example.com ")
    assert found is not None
    assert found.contact_id == contact_id
    assert asked(stand)[0].path.endswith("/contacts/fe5406045b18b2d2377f81bcfed84cf7")


# The vendor's specification


OPERATIONS = {
    "GET /lists/{list_id}",
    "GET /lists/{list_id}/contacts",
    "POST /lists/{list_id}/contacts",
    "PUT /lists/{list_id}/contacts/batch",
    "GET /lists/{list_id}/contacts/{contact_id}",
    "PUT /lists/{list_id}/contacts/{contact_id}",
    "DELETE /lists/{list_id}/contacts/{contact_id}",
    "GET /lists/{list_id}/tags",
    "POST /lists/{list_id}/tags",
    "POST /lists/{list_id}/fields",
}


@needs_specs
def test_every_request_is_as_the_vendor_documents_it(theatre: Stage) -> None:
    stand = emailoctopus_stand(theatre)
    recorder = Recorder()
    exercise(stand, recorder)
    seen = {f"{request.method} {_template(request)}" for request in recorder.requests}
    assert seen == OPERATIONS
    violations = {
        f"{request.method} {_template(request)}: {violation}"
        for request in recorder.requests
        for violation in spec().request_violations(request)
    }
    assert violations == set()
    for request in recorder.requests:
        assert request.headers["authorization"].startswith("Bearer eo_")
        if request.content:
            assert request.headers["content-type"] == "application/json"


def exercise(stand: Stand, recorder: Recorder) -> None:
    """Make the client send each of its requests, in each of their forms."""
    blank = stand.connect(transport=recorder)
    system = blank.with_schema(blank.read_schema(), stand.outside.fields.values())
    people(stand, 101)
    for stream in system.reader.streams:
        list(system.reader.scan(stream))
        list(system.reader.poll(stream, stand.clock.now()))
    system.writer.create_field("Colour", "choice_single", "Colour", ("Red", "Blue"))
    system.writer.create_field("Note", "text", "Note", ())
    for n in range(101):
        stand.outside.define_tag(f"tag {n}")
    system.writer.create_tag("a/b & c")
    assert len(system.reader.tag_names()) == 102
    values: dict[str, Value] = {"FirstName": "Ida", "Visits": 3, "Birthday": "2026-01-05", "Likes": ("Apples",)}
    made = stand.operation(
        Action.CREATE, address="ida@example.com", fields=values, tags=("tag 1",), consent=Consent.PENDING
    )
    ids = sorted(stand.outside.ids())[:3]
    operations = [
        made,
        *(update(stand, each, **values) for each in ids),
        *(stand.operation(Action.ADD_TAGS, each, tags=("tag 1", "a/b & c")) for each in ids),
        *(stand.operation(Action.REMOVE_TAGS, each, tags=("tag 1",)) for each in ids),
        *map(stand.revocation, ids),
        stand.grant(ids[0]),
        stand.operation(Action.UPDATE, ids[1], address="moved@example.com"),
        stand.operation(Action.UPDATE, ids[1], fields=dict.fromkeys(values)),
        stand.operation(Action.DELETE, ids[2]),
    ]
    for bundle in system.writer.bundle(operations, system.max_batch):
        for result in system.writer.send(bundle):
            done(result)
    assert system.reader.find("ida@example.com") is not None


def _template(request: httpx.Request) -> str:
    path = re.sub(r"^/lists/[^/]+", "/lists/{list_id}", request.url.path)
    return re.sub(r"/contacts/(?!batch$)[^/]+$", "/contacts/{contact_id}", path)
