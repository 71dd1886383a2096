"""What every System does, whichever it is: over a real socket, against its sandbox, under either kind of quirks."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import chain

import pytest

from sync_daemon.model.contact import Consent, Page, Snapshot, Source, Value
from sync_daemon.model.errors import (
    AlreadyExists,
    ConfigurationError,
    CredentialsRefused,
    IncompleteRead,
    NotFound,
    Refused,
    Unreachable,
)
from sync_daemon.model.plan import Action, Operation, Returned, WriteResult
from sync_daemon.sandbox.weather import Fault
from tests.contract.systems import STANDS, Person, Stage, Stand, stage

VALUES: dict[str, Value] = {"text": "Ada", "number": 42, "date": "2026-01-05", "many": ("Apples", "Coffee")}
ADA = Person("ada@example.com", VALUES, frozenset({"beta", "vip"}))
SERVER_ERRORS = 999


@pytest.fixture(scope="module")
def theatre() -> Iterator[Stage]:
    with stage() as running:
        yield running


@pytest.fixture(params=list(STANDS.values()), ids=list(STANDS))
def stand(request: pytest.FixtureRequest, theatre: Stage) -> Stand:
    made: Stand = request.param(theatre)
    return made


def fault(stand: Stand, kind: str, method: str = "", path: str = "", **more: int) -> None:
    stand.context.weather.faults.append(Fault(kind=kind, method=method, path=path, **more))  # type: ignore[arg-type]  # a FaultKind


def people(stand: Stand, count: int) -> list[str]:
    return [stand.outside.add(Person(f"person{n}@example.com", {"number": n})) for n in range(count)]


def rows(pages: Iterator[Page]) -> list[Snapshot]:
    return [row for page in pages for row in page.whole().snapshots]


def everybody(stand: Stand) -> list[Snapshot]:
    return list(chain.from_iterable(rows(stand.system.reader.scan(each)) for each in stand.system.reader.streams))


def values_of(stand: Stand, snapshot: Snapshot) -> dict[str, Value]:
    kinds = {name: kind for kind, name in stand.outside.fields.items()}
    return {kinds[name]: value for name, value in snapshot.fields.items() if name in kinds}


def fields(stand: Stand, **values: Value) -> dict[str, Value]:
    return {stand.outside.fields[kind]: value for kind, value in values.items()}


def held(stand: Stand, contact_id: str) -> Person:
    person = stand.outside.person(contact_id)
    assert person is not None
    return person


def send(stand: Stand, *operations: Operation) -> list[WriteResult]:
    writer = stand.system.writer
    return [result for bundle in writer.bundle(operations, stand.system.max_batch) for result in writer.send(bundle)]


def done(result: WriteResult) -> Returned:
    assert result.returned is not None, result.refusal
    return result.returned


def refused(result: WriteResult) -> Refused:
    assert result.refusal is not None, result.returned
    return result.refusal


# Reading


def test_a_contact_reads_as_the_system_holds_it(stand: Stand) -> None:
    contact_id = stand.outside.add(ADA)
    [row] = everybody(stand)
    found, fetched = stand.system.reader.find("Ada@Example.com"), stand.system.reader.fetch(contact_id)
    assert found is not None
    assert fetched is not None
    for snapshot in (row, found, fetched):
        assert snapshot.system is stand.system.name
        assert snapshot.contact_id == contact_id
        assert (snapshot.address or "").lower() == ADA.address
        assert values_of(stand, snapshot) == VALUES
        assert snapshot.tags == ADA.tags
        assert snapshot.consent in (Consent.GRANTED, None if snapshot is row else Consent.GRANTED)
        assert snapshot.updated_at == stand.clock.now()
    assert fetched.source is Source.READ
    assert row.source is (Source.HINT if stand.system.reader.runs_behind else Source.LISTING)


def test_blanks_are_left_out(stand: Stand) -> None:
    contact_id = stand.outside.add(Person("blank@example.com"))
    fetched = stand.system.reader.fetch(contact_id)
    assert fetched is not None
    assert fetched.fields == {}
    assert everybody(stand)[0].fields == {}


def test_nobody_reads_as_none(stand: Stand) -> None:
    assert stand.system.reader.fetch(stand.outside.missing_id) is None
    assert stand.system.reader.find("nobody@example.com") is None


def test_holders_are_those_who_have_the_address_as_their_own(stand: Stand) -> None:
    contact_id = stand.outside.add(ADA)
    people(stand, 3)
    assert stand.system.reader.holders(" Ada@Example.com ") == (contact_id,)
    assert stand.system.reader.holders("nobody@example.com") == ()


def test_a_scan_gives_every_contact_once_page_by_page(stand: Stand) -> None:
    ids = people(stand, stand.outside.page_size * 2 + 20)
    pages = [page.whole() for page in stand.system.reader.scan(stand.system.reader.streams[0])]
    assert [len(page.snapshots) for page in pages] == [stand.outside.page_size, stand.outside.page_size, 20]
    assert sorted(row.contact_id for page in pages for row in page.snapshots) == sorted(ids)
    assert {page.total for page in pages} <= {None, len(ids)}


def test_a_full_page_that_is_the_last_one_ends_the_scan(stand: Stand) -> None:
    people(stand, stand.outside.page_size)
    assert len(everybody(stand)) == stand.outside.page_size


def test_an_empty_account_is_an_empty_listing(stand: Stand) -> None:
    assert everybody(stand) == []


def test_a_poll_gives_what_changed_since_and_at_that_moment(stand: Stand) -> None:
    stream = stand.system.reader.streams[0]
    old, edited, new = people(stand, 3)
    stand.clock.advance(100)
    moment = stand.clock.now()
    stand.outside.edit(edited, {"text": "Ida"})
    stand.clock.advance(100)
    stand.outside.edit(new, {"text": "Eda"})
    assert {row.contact_id for row in rows(stand.system.reader.poll(stream, moment))} == {edited, new}
    later = moment + timedelta(seconds=1)
    assert {row.contact_id for row in rows(stand.system.reader.poll(stream, later))} == {new}
    assert old not in {row.contact_id for row in rows(stand.system.reader.poll(stream, later))}


def test_a_poll_of_many_changes_goes_through_all_pages(stand: Stand) -> None:
    people(stand, 5)
    stand.clock.advance(100)
    moment = stand.clock.now()
    ids = people(stand, 0) + [
        stand.outside.add(Person(f"new{n}@example.com")) for n in range(stand.outside.page_size + 1)
    ]
    polled = rows(stand.system.reader.poll(stand.system.reader.streams[0], moment))
    assert sorted(row.contact_id for row in polled) == sorted(ids)


def test_a_quiet_poll_costs_one_request_for_each_stream(stand: Stand) -> None:
    people(stand, 30)
    moment = stand.clock.now() + timedelta(hours=1)
    reader = stand.system.reader
    for stream in reader.streams:  # whatever has to be found out once is found out now
        assert rows(reader.poll(stream, moment)) == []
    stand.context.log.clear()
    for stream in reader.streams:
        assert rows(reader.poll(stream, moment)) == []
    assert stand.context.log.total == len(reader.streams)


def test_every_stream_together_holds_every_consent(stand: Stand) -> None:
    granted = stand.outside.add(ADA)
    revoked = stand.outside.add(Person("no@example.com", consent=Consent.REVOKED))
    assert {row.contact_id for row in everybody(stand)} == {granted, revoked}
    assert {row.contact_id for row in rows(stand.system.reader.scan_revoked())} == {revoked}
    fetched = stand.system.reader.fetch(revoked)
    assert fetched is not None
    assert fetched.consent is Consent.REVOKED


def test_nobody_revoked_is_nobody(stand: Stand) -> None:
    stand.outside.add(ADA)
    assert rows(stand.system.reader.scan_revoked()) == []


def test_a_malformed_row_does_not_take_its_page_along(stand: Stand) -> None:
    ids = people(stand, 5)
    stand.outside.spoil(ids[2])
    [page] = (page.whole() for page in stand.system.reader.scan(stand.system.reader.streams[0]))
    assert sorted(row.contact_id for row in page.snapshots) == sorted(set(ids) - {ids[2]})
    [broken] = page.malformed
    assert broken.contact_id == ids[2]
    assert "secret" not in broken.why
    with pytest.raises(Refused) as trouble:
        stand.system.reader.fetch(ids[2])
    assert trouble.value.code == "malformed"


def test_all_tags_are_named(stand: Stand) -> None:
    for n in range(120):
        stand.outside.define_tag(f"tag {n:03}")
    assert sorted(stand.system.reader.tag_names()) == [f"tag {n:03}" for n in range(120)]


# The account


def test_the_schema_names_the_fields(stand: Stand) -> None:
    schema = stand.system.read_schema()
    assert schema.system is stand.system.name
    for name in stand.outside.fields.values():
        assert schema.field(name) is not None
    many = schema.field(stand.outside.fields["many"])
    assert many is not None
    assert many.choices == ("Apples", "Bread", "Coffee")
    assert "EmailAddress" not in schema.fields


def test_a_field_is_created_once(stand: Stand) -> None:
    kind = "TEXT" if stand.system.name == "ghl" else "text"
    name = "custom.colour" if stand.system.name == "ghl" else "Colour"
    for _ in range(2):
        stand.system.writer.create_field(name, kind, "Colour", ())
    schema = stand.system.read_schema()
    spec = schema.field(name)
    assert spec is not None
    assert (spec.type, spec.label) == (kind, "Colour")
    assert sum(each.label == "Colour" for each in schema.fields.values()) == 1


def test_a_tag_is_created_once(stand: Stand) -> None:
    for _ in range(2):
        stand.system.writer.create_tag("new tag")
    assert stand.system.reader.tag_names() == ("new tag",)


def test_a_refused_credential_is_named_by_its_place_not_by_itself(stand: Stand) -> None:
    with pytest.raises(CredentialsRefused) as stop:
        stand.connect(token="a-wrong-secret-of-some-length").read_schema()
    assert f"pairs.main.{stand.system.name}." in str(stop.value)
    assert "a-wrong-secret" not in str(stop.value)


def test_an_unknown_account_is_a_matter_of_configuration(stand: Stand) -> None:
    with pytest.raises((ConfigurationError, CredentialsRefused)) as stop:
        stand.connect(account=stand.outside.missing_id).read_schema()
    place = "location_id" if stand.system.name == "ghl" else "list_id"
    assert f"pairs.main.{stand.system.name}.{place}" in str(stop.value)


# Writing


def creation(stand: Stand, *, resend: bool = False) -> Operation:
    values, tags = fields(stand, **VALUES), tuple(sorted(ADA.tags))
    return stand.operation(Action.CREATE, address=ADA.address, fields=values, tags=tags, resend=resend)


def make(stand: Stand) -> Operation:
    """A creation of Ada whose tags exist, as creations demand."""
    for tag in sorted(ADA.tags):
        stand.system.writer.create_tag(tag)
    return creation(stand)


def test_what_is_created_reads_back(stand: Stand) -> None:
    [result] = send(stand, make(stand))
    # A refusal of GHL's can hide a creation: then the two meet.
    met = result.refusal.other_id if isinstance(result.refusal, AlreadyExists) else None
    contact_id = met or done(result).contact_id
    assert held(stand, contact_id) == ADA
    fetched = stand.system.reader.fetch(contact_id)
    assert fetched is not None
    assert values_of(stand, fetched) == VALUES
    assert stand.outside.ids() == {contact_id}


def test_nobody_is_created_twice(stand: Stand) -> None:
    contact_id = stand.outside.add(ADA)
    [result] = send(stand, make(stand))
    refusal = refused(result)
    assert isinstance(refusal, AlreadyExists)
    assert refusal.fields == ("address",)
    assert refusal.other_id in (None, contact_id)
    assert stand.outside.ids() == {contact_id}
    assert held(stand, contact_id) == ADA


@pytest.mark.parametrize("kind", ["lost_answer", "truncate", "drop", "error"])
def test_a_creation_without_an_answer_is_looked_for_before_it_is_sent_again(stand: Stand, kind: str) -> None:
    operation = make(stand)
    fault(stand, kind, "POST", stand.outside.paths["create"])
    [result] = send(stand, operation)
    [contact_id] = stand.outside.ids()
    if result.refusal is None:
        assert done(result).contact_id == contact_id
    else:
        assert isinstance(result.refusal, AlreadyExists)
        assert result.refusal.other_id == contact_id
    assert held(stand, contact_id) == ADA


@pytest.mark.parametrize("kind", ["lost_answer", "drop"])
def test_a_creation_that_may_have_been_sent_before_makes_no_second_one(stand: Stand, kind: str) -> None:
    operation = make(stand)
    fault(stand, kind, "POST", stand.outside.paths["create"], times=2)
    send(stand, operation)
    send(stand, creation(stand, resend=True))
    assert len(stand.outside.ids()) == 1


def test_an_update_changes_what_it_names_and_nothing_else(stand: Stand) -> None:
    contact_id = stand.outside.add(ADA)
    stand.clock.advance(5)
    [result] = send(stand, stand.operation(Action.UPDATE, contact_id, fields=fields(stand, text="Ida", number=7)))
    returned = done(result)
    assert returned.contact_id == contact_id
    assert returned.contact is not None
    assert values_of(stand, returned.contact) == {**VALUES, "text": "Ida", "number": 7}
    assert held(stand, contact_id) == Person(ADA.address, {**VALUES, "text": "Ida", "number": 7}, ADA.tags)


@pytest.mark.parametrize("kind", ["text", "number", "date", "many"])
def test_a_field_is_cleared(stand: Stand, kind: str) -> None:
    contact_id = stand.outside.add(ADA)
    [result] = send(stand, stand.operation(Action.UPDATE, contact_id, fields=fields(stand, **{kind: None})))
    left = {name: value for name, value in VALUES.items() if name != kind}
    if held(stand, contact_id).values != left:  # where null doesn't clear, the caller tries an empty text
        done(result)
        [result] = send(stand, stand.operation(Action.UPDATE, contact_id, fields=fields(stand, **{kind: ""})))
    contact = done(result).contact
    assert contact is not None
    assert values_of(stand, contact) == left
    assert held(stand, contact_id) == Person(ADA.address, left, ADA.tags)


def test_tags_are_added_and_removed_and_others_stay(stand: Stand) -> None:
    contact_id = stand.outside.add(ADA)
    stand.system.writer.create_tag("gold")
    results = send(
        stand,
        stand.operation(Action.ADD_TAGS, contact_id, tags=("gold",)),
        stand.operation(Action.REMOVE_TAGS, contact_id, tags=("beta",)),
    )
    assert [done(result).contact_id for result in results] == [contact_id] * 2
    assert done(results[-1]).tags in (None, frozenset({"gold", "vip"}))
    assert held(stand, contact_id) == Person(ADA.address, VALUES, frozenset({"gold", "vip"}))


def test_an_address_moves_and_a_taken_one_is_refused(stand: Stand) -> None:
    contact_id = stand.outside.add(ADA)
    stand.outside.add(Person("taken@example.com"))
    [taken] = send(stand, stand.operation(Action.UPDATE, contact_id, address="taken@example.com"))
    assert isinstance(refused(taken), AlreadyExists)
    assert refused(taken).fields == ("address",)
    [moved] = send(stand, stand.operation(Action.UPDATE, contact_id, address="lovelace@example.com"))
    assert held(stand, done(moved).contact_id) == Person("lovelace@example.com", VALUES, ADA.tags)


def test_a_consent_is_revoked_and_granted_again_and_nothing_else(stand: Stand) -> None:
    contact_id = stand.outside.add(ADA)
    [result] = send(stand, stand.revocation(contact_id))
    returned = done(result)
    assert returned.contact is not None
    assert returned.contact.consent is Consent.REVOKED
    assert held(stand, contact_id) == Person(ADA.address, VALUES, ADA.tags, Consent.REVOKED)
    [result] = send(stand, stand.grant(contact_id))
    assert done(result).contact_id == contact_id
    assert held(stand, contact_id) == ADA


def test_revocations_go_alone(stand: Stand) -> None:
    ids = people(stand, 3)
    operations = [stand.operation(Action.UPDATE, each, fields=fields(stand, text="x")) for each in ids]
    operations += [stand.revocation(each) for each in ids]
    bundles = stand.system.writer.bundle(operations, stand.system.max_batch)
    assert all(len({operation.revokes for operation in bundle.operations}) == 1 for bundle in bundles)
    assert sum(len(bundle.operations) for bundle in bundles) == 6


def test_what_is_deleted_is_gone_and_stays_so(stand: Stand) -> None:
    contact_id = stand.outside.add(ADA)
    for _ in range(2):
        [result] = send(stand, stand.operation(Action.DELETE, contact_id))
        assert done(result).contact_id == contact_id
    assert stand.outside.ids() == set()
    assert stand.system.reader.fetch(contact_id) is None


def test_a_write_to_nobody_is_not_found(stand: Stand) -> None:
    missing = stand.outside.missing_id
    for operation in (
        stand.operation(Action.UPDATE, missing, fields=fields(stand, text="x")),
        stand.operation(Action.UPDATE, missing, fields=fields(stand, text=None)),
        stand.operation(Action.REMOVE_TAGS, missing, tags=("vip",)),
        stand.revocation(missing),
    ):
        [result] = send(stand, operation)
        assert isinstance(refused(result), NotFound)


def test_one_bad_record_does_not_take_the_others_along(stand: Stand) -> None:
    ids = people(stand, 6)
    stand.system.writer.create_tag("gold")
    ids[3:3] = [stand.outside.missing_id]
    for make_one in (
        lambda each: stand.operation(Action.UPDATE, each, fields=fields(stand, text="Ida")),
        lambda each: stand.operation(Action.ADD_TAGS, each, tags=("gold",)),
        stand.revocation,
    ):
        results = {result.operation.target_id: result for result in send(stand, *map(make_one, ids))}
        assert isinstance(refused(results.pop(stand.outside.missing_id)), Refused)
        assert {done(result).contact_id for result in results.values()} == stand.outside.ids()
    for contact_id in stand.outside.ids():
        person = held(stand, contact_id)
        assert person.values["text"] == "Ida"
        assert person.tags == {"gold"}
        assert person.consent is Consent.REVOKED


def test_a_refusal_points_at_its_field(stand: Stand) -> None:
    if stand.outside.bad_value is None:
        pytest.skip("under these quirks the system stores whatever it is given")
    name, value = stand.outside.bad_value
    first, second, third = people(stand, 3)
    bad = stand.operation(Action.UPDATE, second, fields={**fields(stand, text="Ida"), name: value})
    good = [stand.operation(Action.UPDATE, each, fields=fields(stand, text="Ida")) for each in (first, third)]
    results = {result.operation.target_id: result for result in send(stand, good[0], bad, good[1])}
    assert refused(results[second]).fields == (name,)
    assert {done(results[each]).contact_id for each in (first, third)} == {first, third}


# Trouble


def test_a_429_is_waited_for_and_counted(stand: Stand) -> None:
    contact_id = stand.outside.add(ADA)
    fault(stand, "throttle", "PUT")
    before = stand.clock.monotonic()
    [result] = send(stand, stand.operation(Action.UPDATE, contact_id, fields=fields(stand, text="Ida")))
    assert done(result).contact_id == contact_id
    assert stand.system.usage().throttled == 1
    assert 0 < stand.clock.monotonic() - before <= 60


@pytest.mark.parametrize("kind", ["error", "html_error", "lost_answer", "truncate", "drop"])
def test_a_fault_in_the_middle_of_a_scan_or_a_write_changes_nothing(stand: Stand, kind: str) -> None:
    ids = people(stand, stand.outside.page_size + 5)
    fault(stand, kind, path=stand.outside.paths["list"], after=1, times=2)
    assert sorted(row.contact_id for row in everybody(stand)) == sorted(ids)
    stand.context.weather.faults.clear()
    fault(stand, kind, "PUT")
    [result] = send(stand, stand.operation(Action.UPDATE, ids[0], fields=fields(stand, text="Ida")))
    assert done(result).contact_id == ids[0]
    assert held(stand, ids[0]).values["text"] == "Ida"


def test_a_page_that_never_comes_makes_the_read_incomplete(stand: Stand) -> None:
    people(stand, stand.outside.page_size + 5)
    fault(stand, "error", path=stand.outside.paths["list"], after=1, times=SERVER_ERRORS)
    pages = stand.system.reader.scan(stand.system.reader.streams[0])
    assert len(next(pages).whole().snapshots) == stand.outside.page_size
    with pytest.raises(IncompleteRead):
        list(pages)


def test_a_record_that_the_system_fails_at_is_refused_and_the_next_one_is_not(stand: Stand) -> None:
    poison, sound = people(stand, 2)
    fault(stand, "error", "PUT", times=4)
    [result] = send(stand, stand.operation(Action.UPDATE, poison, fields=fields(stand, text="Ida")))
    assert refused(result).code == "server_error"
    [result] = send(stand, stand.operation(Action.UPDATE, sound, fields=fields(stand, text="Ida")))
    assert done(result).contact_id == sound


def test_a_system_that_fails_at_everything_is_unreachable(stand: Stand) -> None:
    fault(stand, "error", status=503, times=SERVER_ERRORS)
    with pytest.raises(Unreachable) as stop:
        stand.system.reader.fetch(stand.outside.missing_id)
    assert stop.value.system is stand.system.name
    assert stand.clock.monotonic() <= 60


def test_the_limits_are_kept_and_the_requests_counted(stand: Stand) -> None:
    stand.context.log.clear()
    before = stand.system.usage().requests
    for _ in range(150):
        stand.system.reader.fetch(stand.outside.missing_id)
    usage = stand.system.usage()
    assert usage.throttled == 0
    assert usage.requests - before == stand.context.log.total == 150
    assert stand.system.seconds_for(10_000) > stand.system.seconds_for(1_000) > 0
