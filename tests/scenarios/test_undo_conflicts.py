"""A conflict that is decided the other way: the value that lost comes back, on both sides (issue: the dashboard)."""

from collections.abc import Iterator
from typing import Any

import pytest

from sync_daemon.cycle import Task, plan_undo, undo
from sync_daemon.model.policy import ConflictRule, Direction, FieldRule
from sync_daemon.model.report import CycleReport
from sync_daemon.model.undo import Left, Replaced
from sync_daemon.reconcile.undo.inverse import Wish
from sync_daemon.reconcile.undo.words import CHANGED
from tests.worlds import EMAILOCTOPUS, World, world

FIRST = "firstName=FirstName"
ADA = "ada@example.com"


@pytest.fixture
def here(database_url: str) -> Iterator[World]:
    with world(database_url, keeps_undo=True) as made:
        yield made


def in_conflict(here: World) -> tuple[str, str]:
    """Ada, whose first name both sides changed; GHL's has won."""
    ids = here.linked(ADA, first="Ada")
    here.later(minutes=11)
    here.edit_person(ids[0], firstName="Augusta")
    here.edit_subscriber(ids[1], FirstName="Adele")
    assert here.reconcile().conflicts == 1
    return ids


def task(here: World) -> Task:
    (row,) = here.pair_store.conflicts(10)
    return Task(here.pair_store, row.run_id, Wish(conflict=FIRST), row)


def decide_otherwise(here: World, what: Task | None = None) -> tuple[CycleReport, list[Left]]:
    return undo(here.pair, what or task(here))


def first(here: World) -> tuple[Any, Any]:
    """The first names in GHL and in EmailOctopus."""
    return here.in_ghl(ADA)["firstName"], here.in_emailoctopus(ADA)["fields"]["FirstName"]


def test_the_loser_wins_on_both_sides(here: World) -> None:
    in_conflict(here)
    assert first(here) == ("Augusta", "Augusta")
    plan = plan_undo(here.pair, task(here))
    assert {(one.system, *one.fields.values()) for one in plan.operations} == {
        ("ghl", "Adele"),
        ("emailoctopus", "Adele"),
    }
    report, left = decide_otherwise(here)
    assert (left, report.diverged) == ([], 0)
    assert first(here) == ("Adele", "Adele")
    here.assert_quiet()


def test_it_can_be_decided_back(here: World) -> None:
    in_conflict(here)
    report, _ = decide_otherwise(here)
    undo(here.pair, Task(here.pair_store, report.run_id, Wish()))
    assert first(here) == ("Augusta", "Augusta")
    here.assert_quiet()


@pytest.mark.parametrize("rule", [ConflictRule.EMAILOCTOPUS, ConflictRule.NEWEST])
def test_whatever_rule_had_decided(database_url: str, rule: ConflictRule) -> None:
    fields = (FieldRule("firstName", "FirstName", conflict=rule),)
    with world(database_url, keeps_undo=True, fields=fields) as here:
        in_conflict(here)
        assert first(here) == ("Adele", "Adele")
        decide_otherwise(here)
        assert first(here) == ("Augusta", "Augusta")
        here.assert_quiet()


def test_where_a_direction_had_decided_it_goes_back_alone(database_url: str) -> None:
    fields = (FieldRule("firstName", "FirstName", direction=Direction.TO_EMAILOCTOPUS),)
    with world(database_url, keeps_undo=True, fields=fields) as here:
        in_conflict(here)
        report, _ = decide_otherwise(here)
        assert first(here) == ("Augusta", "Adele")
        assert report.diverged == 1
        here.assert_quiet()


def test_what_has_changed_since_is_left_alone(here: World) -> None:
    ghl_id, _ = in_conflict(here)
    asked = task(here)
    here.later(minutes=11)
    here.edit_person(ghl_id, firstName="Augusta Ada")
    here.reconcile()
    report, left = decide_otherwise(here, asked)
    assert ([one.why for one in left], report.written) == ([CHANGED], {})


def test_the_first_meeting_of_two_leaves_its_conflicts_too(here: World) -> None:
    here.person(ADA, "Augusta")
    here.subscriber(ADA, "Adele")
    here.reconcile()
    (row,) = here.pair_store.conflicts(10)
    assert isinstance(row, Replaced)
    assert (row.system, row.fields[FIRST].before, row.fields[FIRST].after) == (EMAILOCTOPUS, "Adele", "Augusta")
    decide_otherwise(here)
    assert first(here) == ("Adele", "Adele")
    here.assert_quiet()
