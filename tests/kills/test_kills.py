"""Contract, law L7: a kill anywhere changes the number of requests, never the final state of either side.

One in ninety-six points of every world on SQLite; on PostgreSQL, with two processes that race, and for two kills in a
row, fewer. `make kills` takes every point on both databases, `make kills RACING=1` every point with two that race.
"""

import pytest

from tests.kills.theatre import Theatre, share, troubles
from tests.kills.worlds import ACTIVE, FIRST_LOAD, LATER, RULED, WORLDS, KillWorld

_SHARE = 96
_COARSE, _ON_POSTGRESQL = 80, 180
_RACING, _MANY = 3, 10_000


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_the_points_of_a_world_are_of_every_kind(stage: Theatre, world: KillWorld) -> None:
    names = {name for name, _ in stage.undisturbed(world)[0]}
    wanted = {f"{when} {what}" for when in ("before", "after") for what in ("commit", *world.must)}
    assert wanted - names == set()


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_a_kill_at_any_point_changes_nothing_but_the_number_of_requests(stage: Theatre, world: KillWorld) -> None:
    points, expected = stage.undisturbed(world)
    mine = [point for point in points if share(point, _SHARE) == 0]
    assert [trouble for point in mine for trouble in troubles(stage, world, expected, point)] == []


def test_automations_are_started_for_what_happened_and_nobody_revoked(stage: Theatre) -> None:
    started = stage.undisturbed(ACTIVE)[1].started
    assert [str(who).partition("@")[0] for who, _ in started] == ["ann", "ann", "ben", "zoe"]


def test_rules_act_on_what_happened_since_they_are_active_and_on_nothing_else(stage: Theatre) -> None:
    acted = stage.undisturbed(RULED)[1].acted
    assert [(str(who).partition("@")[0], said) for who, said in acted] == [
        ("ann", "Clicked"),
        ("ben", "Call Ben"),
        ("ben", "Clicked"),
        ("cat", "Call Cat"),
        ("cat", "Clicked"),
        ("dot", "Opened Autumn"),
        ("fox", "Left"),
        ("gus", "Ask for another address"),
        ("hal", "tag_added:vip"),
        ("ivy", "Now Ivana"),
        ("yan", "Welcome Yan"),
    ]


@pytest.mark.parametrize("world", [FIRST_LOAD, LATER, ACTIVE], ids=lambda world: world.name)
def test_two_kills_in_a_row_change_no_more_than_one(stage: Theatre, world: KillWorld) -> None:
    points, expected = stage.undisturbed(world)
    first = [point for point in points if share(point, _COARSE) == 0]
    then = [point for point in points if share(point, _COARSE) == 1]
    pairs = zip(first, then, strict=False)
    assert [trouble for one, two in pairs for trouble in troubles(stage, world, expected, one, two)] == []


@pytest.mark.postgres
@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_a_kill_changes_nothing_on_postgresql_either(stage_on_postgresql: Theatre, world: KillWorld) -> None:
    points, expected = stage_on_postgresql.undisturbed(world)
    some = [point for point in points if share(point, _ON_POSTGRESQL) == 2]
    assert [trouble for point in some for trouble in troubles(stage_on_postgresql, world, expected, point)] == []


@pytest.mark.postgres
def test_of_two_processes_that_race_the_one_that_lives_takes_over(racing_stage: Theatre) -> None:
    points, expected = racing_stage.undisturbed(LATER)
    some = sorted(points, key=lambda point: share(point, _MANY))[:_RACING]
    assert [trouble for point in some for trouble in troubles(racing_stage, LATER, expected, point)] == []
