"""A field of a list that several locations feed, row by row."""

import pytest

from sync_daemon.model.policy import Direction
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.fields import FieldDecision, FieldSide, meet_field, merge_field
from sync_daemon.reconcile.shared_fields import ON_ITS_OWN, Place, decide_first, decide_met
from tests.unit.reconcile.test_fields import BEFORE, mapped, side, told

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
FIRST, LATER = Place(first="x"), Place(later="y")
THEIRS = Place(later="y", theirs="y")


def met(place: Place, ghl: str | None, there: str | None) -> tuple[str, bool]:
    row = mapped()
    sides = (side(GHL, ghl), side(EMAILOCTOPUS, there))
    decision, gives_way = decide_met(row, sides, place, lambda one, other: merge_field(row, one, other))
    return told(decision), gives_way


@pytest.mark.parametrize(
    ("place", "ghl", "there", "expected"),
    [
        (ON_ITS_OWN, "new", BEFORE, ("new to emailoctopus", False)),
        (FIRST, "new", BEFORE, ("!agreed", True)),  # another pair before this one has a value
        (FIRST, BEFORE, "new", ("new to ghl", False)),  # a person changed it in the list
        (Place(first="x", theirs="x"), BEFORE, "new", ("!agreed", True)),  # the other location did
        (Place(first="x", theirs="x"), "new", "new", ("agreed", False)),
        (LATER, None, BEFORE, ("!agreed", False)),  # the next one gives its value instead of this blank
        (ON_ITS_OWN, None, BEFORE, ("- to emailoctopus", False)),
        (THEIRS, BEFORE, "new", (f"{BEFORE} to emailoctopus", False)),  # it was given without knowing of this one
        (Place(takes_over=True), BEFORE, BEFORE, ("agreed", False)),
    ],
)
def test_a_row_that_was_agreed_about(
    place: Place, ghl: str | None, there: str | None, expected: tuple[str, bool]
) -> None:
    assert met(place, ghl, there) == expected


def test_a_value_that_waited_is_given_once_none_before_it_is_left() -> None:
    row = mapped()

    def other_value(wanted: object) -> bool:
        return wanted == "theirs"

    there = FieldSide(EMAILOCTOPUS, known=True, value="theirs", changed=False, holds=other_value)
    sides = (side(GHL, BEFORE), there)
    decision, _ = decide_met(row, sides, Place(takes_over=True), lambda one, other: merge_field(row, one, other))
    assert told(decision) == f"{BEFORE} to emailoctopus"


@pytest.mark.parametrize(
    ("place", "ghl", "there", "direction", "expected"),
    [
        (FIRST, "mine", "theirs", Direction.BOTH, ("!agreed", True)),
        (FIRST, None, "a person's", Direction.BOTH, ("a person's to ghl", False)),
        (Place(later="y", theirs="y"), None, "theirs", Direction.BOTH, ("!agreed", False)),
        (THEIRS, "mine", "theirs", Direction.BOTH, ("mine to emailoctopus", False)),
        (FIRST, "mine", "there", Direction.TO_GHL, ("there to ghl (conflict)", False)),
    ],
)
def test_a_row_that_meets(
    place: Place, ghl: str | None, there: str, direction: Direction, expected: tuple[str, bool]
) -> None:
    row = mapped(direction)

    def meet(one: FieldSide, other: FieldSide, leads: bool) -> FieldDecision:  # as it is called
        return meet_field(row, one, other, ghl_leads=leads)

    decision, gives_way = decide_first(row, (side(GHL, ghl), side(EMAILOCTOPUS, there)), place, meet)
    assert (told(decision), gives_way) == expected
