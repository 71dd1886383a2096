"""Contract, laws L2 and L8: when the outside is quiet nothing is written, and reading costs four requests."""

from datetime import timedelta
from typing import Any, Literal

import pytest
from sqlalchemy import event

from sync_daemon.model.policy import FieldRule, TagRule
from sync_daemon.sandbox.seed import Population
from tests.worlds import EMAILOCTOPUS, GHL, NAMES, World, add_field, world


def idle_requests(here: World) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    here.later(minutes=1)
    here.forget_requests()
    report = here.reconcile()
    assert not report.written
    return here.requests(GHL), here.requests(EMAILOCTOPUS)


@pytest.mark.parametrize("contacts", [0, 1, 700])
def test_an_idle_cycle_costs_one_search_and_one_list_request_for_each_status(database_url: str, contacts: int) -> None:
    with world(database_url) as here:
        here.ghl.quirks.hits_carry_dnd = "always"
        long_ago = here.clock.now() - timedelta(days=30)
        for number in range(contacts):
            at = long_ago + timedelta(minutes=number)
            names = {"first": f"P{number}", "last": "Somebody"}
            email = f"p{number}@example.com"
            here.ghl.create(at=at, email=email, firstName=names["first"], lastName=names["last"])
            fields = {"FirstName": names["first"], "LastName": names["last"]}
            here.emailoctopus.add(here.sandbox.list_id, email, fields, at=at)
        here.reconcile()
        listing = ("GET", f"/lists/{here.sandbox.list_id}/contacts")
        for _ in range(2):
            assert idle_requests(here) == ([("POST", "/contacts/search")], [listing] * 3)


@pytest.mark.parametrize("hits", ["when_set", "always", "never"])
@pytest.mark.parametrize("prefix", ["", "eo: "])
def test_a_quiet_outside_is_written_nothing(
    database_url: str, hits: Literal["when_set", "always", "never"], prefix: str
) -> None:
    fields = (*NAMES, FieldRule("city", "City"), FieldRule("phone", "Phone"))
    with world(database_url, fields=fields, tags=TagRule(prefix=prefix), create_suppressed=True) as here:
        for tag in ("City", "Phone"):
            add_field(here.sandbox, tag, "text")
        here.ghl.quirks.hits_carry_dnd = hits
        here.sandbox.populate(Population(ghl=30, emailoctopus=30, shared=20))
        here.reconcile()
        here.settle()
        parked = here.pair_store.totals().parked
        for full in (True, False):
            here.later(minutes=20)
            here.forget_requests()
            report = here.full() if full else here.reconcile()
            assert not report.written
            if not parked:
                assert here.writes(GHL) + here.writes(EMAILOCTOPUS) == []


def test_an_idle_cycle_asks_the_database_little_however_many_the_polls_show_again(database_url: str) -> None:
    with world(database_url) as here:
        for number in range(30):
            here.linked(f"p{number}@example.com")
        here.reconcile()
        here.settle()
        here.later(minutes=1)
        here.reconcile()
        asked: list[str] = []

        def note(*call: Any) -> None:
            asked.append(call[2])

        here.later(minutes=1)
        event.listen(here.engine, "before_cursor_execute", note)
        try:
            report = here.reconcile()
        finally:
            event.remove(here.engine, "before_cursor_execute", note)
        assert report.read[EMAILOCTOPUS] == 30
        assert not [statement for statement in asked if "FROM links" in statement and "count(" not in statement]
        assert len([statement for statement in asked if not statement.startswith("BEGIN")]) <= 19
