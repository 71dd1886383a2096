"""Contract, section 2: a full scan passes over whoever stands as the last one left him, and over nobody else."""

from collections.abc import Callable
from typing import Any, Literal

import pytest
from sqlalchemy import update

from sync_daemon.cycle import unchanged
from sync_daemon.model.policy import FieldRule, OnLeaveScope, ScopeRule, TagRule
from sync_daemon.model.report import CycleReport
from sync_daemon.model.system import SystemName
from sync_daemon.store.engine import writing
from sync_daemon.store.tables import contacts
from tests.worlds import EMAILOCTOPUS, GHL, NAMES, World, add_field, tombstones, world

Ids = tuple[str, str]


def settled(here: World, *emails: str, **fields: Any) -> list[Ids]:
    """People on both sides whom a full scan has found with nothing to do about them."""
    people = [here.linked(email, **fields) for email in emails]
    for _ in range(2):
        here.later(minutes=30)
        here.full()
    return people


def scan(here: World, people: list[Ids]) -> tuple[CycleReport, set[str]]:
    """A full scan, and the ids of those whom it passed over: what else is looked at has its digest stored again."""
    with writing(here.engine) as connection:
        connection.execute(update(contacts).values(seen=None))
    here.later(minutes=30)
    report = here.full()
    found: set[str] = set()
    for name, ids in zip(SystemName, zip(*people, strict=True), strict=True):
        rows = here.pair_store.contacts(name, ids).values()
        found |= {row.contact_id for row in rows if row.seen is None and row.scan == here.pair_store.state().scan}
    return report, found


@pytest.mark.parametrize("hits", ["when_set", "always", "never"])
def test_a_scan_passes_over_whoever_stands_and_counts_him(
    database_url: str, hits: Literal["when_set", "always", "never"]
) -> None:
    with world(database_url) as here:
        here.ghl.quirks.hits_carry_dnd = hits
        people = settled(here, "ada@example.com", "bob@example.com", "eve@example.com")
        before = here.pair_store.state().watermarks
        for _ in range(2):
            report, passed_over = scan(here, people)
            assert passed_over == {contact_id for ids in people for contact_id in ids}
            assert report.read == {GHL: 3, EMAILOCTOPUS: 3}
            assert report.changed == {GHL: 0, EMAILOCTOPUS: 0}
        assert here.pair_store.state().watermarks == before
        assert here.pair_store.seen_by_scan(GHL, here.pair_store.state().scan, here.clock.now()).old_listed == 3


def test_a_scan_of_those_who_stand_knows_whether_hits_tell_consent(database_url: str) -> None:
    with world(database_url) as here:
        here.ghl.quirks.hits_carry_dnd = "always"
        people = settled(here, "ada@example.com")
        _, passed_over = scan(here, people)
        assert passed_over == {*people[0]}
        here.edit_person(people[0][0], firstName="Augusta")
        here.forget_requests()
        here.reconcile()
        # Were hits not known to tell it, the contact would be read by id.
        assert [
            method for method, path in here.requests(GHL) if path.startswith("/contacts/") and method == "GET"
        ] == []


def test_a_hit_that_stops_telling_consent_is_looked_at(database_url: str) -> None:
    with world(database_url) as here:
        here.ghl.quirks.hits_carry_dnd = "always"
        people = settled(here, "ada@example.com", "bob@example.com")
        here.ghl.unsubscribe(people[0][0])
        here.later(minutes=1)
        here.reconcile()
        here.settle()
        here.full()
        here.ghl.quirks.hits_carry_dnd = "never"
        _, passed_over = scan(here, people)
        assert passed_over == {people[0][1], people[1][1]}
        assert here.status("ada@example.com") == "unsubscribed"
        assert here.blocks(people[0][0])


@pytest.mark.parametrize("system", list(SystemName))
def test_an_outside_change_is_found_by_the_scan_alone_though_its_timestamp_stands(
    database_url: str, system: SystemName
) -> None:
    with world(database_url) as here:
        (ada, bob) = settled(here, "ada@example.com", "bob@example.com")
        if system is GHL:
            here.ghl.edit(ada[0], firstName="Augusta")
        else:
            here.emailoctopus.edit(ada[1], {"FirstName": "Augusta"})
        _, passed_over = scan(here, [ada, bob])
        written_to = ada[system is GHL]
        assert passed_over - {written_to} == {*bob}
        assert here.in_ghl("ada@example.com")["firstName"] == "Augusta"
        assert here.in_emailoctopus("ada@example.com")["fields"]["FirstName"] == "Augusta"


def test_who_was_written_to_is_looked_at_once(database_url: str) -> None:
    with world(database_url) as here:
        people = settled(here, "ada@example.com")
        here.edit_person(people[0][0], firstName="Augusta")
        here.reconcile()
        here.later(minutes=30)
        assert here.pair_store.settled_records(EMAILOCTOPUS, [people[0][1]]) == {}
        assert scan(here, people)[1] == set()
        assert scan(here, people)[1] == {*people[0]}


def with_city(here: World) -> None:
    here.with_policy(fields=(*here.pair.policy.fields, FieldRule("city", "City")))


def with_scope(here: World) -> None:
    here.with_policy(scope=ScopeRule(tags_none=("staff",)))


def with_filter(here: World) -> None:
    here.with_policy(tags=TagRule(exclude=("internal",)))


def with_another_policy(here: World) -> None:
    here.with_policy(create_suppressed=True)


@pytest.mark.parametrize("change", [with_city, with_scope, with_filter, with_another_policy])
def test_another_configuration_has_everybody_looked_at(database_url: str, change: Callable[[World], None]) -> None:
    with world(database_url) as here:
        add_field(here.sandbox, "City", "text")
        people = settled(here, "ada@example.com", "bob@example.com")
        change(here)
        assert scan(here, people)[1] == set()
        here.later(minutes=30)
        here.full()
        assert scan(here, people)[1] == {contact_id for ids in people for contact_id in ids}


def test_a_mapping_that_gains_a_field_meets_there(database_url: str) -> None:
    with world(database_url) as here:
        add_field(here.sandbox, "City", "text")
        people = settled(here, "ada@example.com", city="London")
        with_city(here)
        here.later(minutes=30)
        here.full()
        assert here.in_emailoctopus("ada@example.com")["fields"]["City"] == "London"
        assert people


def test_a_field_that_its_list_defines_otherwise_is_read_anew(database_url: str) -> None:
    with world(database_url, fields=(*NAMES, FieldRule("city", "City"))) as here:
        add_field(here.sandbox, "City", "text")
        people = settled(here, "ada@example.com", city="London")
        here.emailoctopus.lists[here.sandbox.list_id].fields["City"].label = "Town"
        assert scan(here, people)[1] == {people[0][0]}


def test_another_version_of_the_program_looks_at_everybody(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(database_url) as here:
        people = settled(here, "ada@example.com")
        monkeypatch.setattr(unchanged, "version", lambda name: f"the next one of {name}")
        assert scan(here, people)[1] == set()
        assert scan(here, people)[1] == {*people[0]}


def test_to_apply_a_scope_everybody_is_looked_at(database_url: str) -> None:
    with world(database_url, on_leave_scope=OnLeaveScope.UNSUBSCRIBE) as here:
        people = settled(here, "ada@example.com", tags=["staff"])
        with_scope(here)
        for _ in range(2):
            here.later(minutes=30)
            here.full()
        assert here.status("ada@example.com") == "subscribed"
        here.reconcile(apply_scope=True)
        assert here.status("ada@example.com") == "unsubscribed"
        assert people


@pytest.mark.parametrize("system", list(SystemName))
def test_who_is_missing_among_those_who_stand_is_found_missing(database_url: str, system: SystemName) -> None:
    with world(database_url) as here:
        people = settled(here, *(f"p{number}@example.com" for number in range(5)))
        gone, *others = people
        if system is GHL:
            here.ghl.delete(gone[0])
        else:
            here.emailoctopus.delete(gone[1])
        _, passed_over = scan(here, others)
        assert passed_over == {contact_id for ids in others for contact_id in ids}
        assert [stone.deleted_in for stone in tombstones(here)] == [system]
