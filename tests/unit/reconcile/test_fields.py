"""Contract, section 2: the three-way merge of one field, its table row by row."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_daemon.model.contact import Value
from sync_daemon.model.policy import Blanks, ConflictRule, Direction, FieldRule
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.conversion import NotConvertible, convert
from sync_daemon.reconcile.fields import FieldDecision, FieldSide, MappedField, in_the_way, meet_field, merge_field
from tests.unit.changes.values import EMAILOCTOPUS, GHL, at

TEXT = ("TEXT", "text")
BEFORE = "old"


def mapped(
    direction: Direction = Direction.BOTH,
    conflict: ConflictRule = ConflictRule.GHL,
    blanks: Blanks = Blanks.KEEP,
    types: tuple[str, str] = TEXT,
) -> MappedField:
    return MappedField(FieldRule("a", "A", direction, conflict, blanks), *types)


def side(system: SystemName, value: Value, *, before: Value = BEFORE, minutes: float = 0) -> FieldSide:
    """A side that was read, and changed unless it still has the value it had before."""

    def holds(wanted: Value) -> bool:
        return value == wanted

    return FieldSide(system, known=True, value=value, changed=value != before, holds=holds, changed_at=at(minutes))


def unread(system: SystemName, before: Value = BEFORE) -> FieldSide:
    """A side of which nothing new was heard: it is as its baseline has it."""

    def holds(wanted: Value) -> bool:
        return before == wanted

    return FieldSide(system, known=False, value=None, changed=False, holds=holds)


def told(decision: FieldDecision) -> str:
    """A decision in the words of the tables below."""
    marks = "!" if decision.diverged else ""
    if decision.park:
        return f"parked {decision.park}"
    if decision.write is None:
        return marks + ("agreed" if decision.settles else "nothing")
    arrow = f"{decision.value if decision.value is not None else '-'} to {decision.write}"
    return arrow + (" (conflict)" if decision.conflict else "")


DIRECTIONS = {"both": Direction.BOTH, "to_emailoctopus": Direction.TO_EMAILOCTOPUS, "to_ghl": Direction.TO_GHL}
RULES = ("ghl", "emailoctopus", "newest")
# In every table `-` is a blank; EmailOctopus's change is the later one, so `newest` is EmailOctopus's.
MERGES = """
    ghl old  emailoctopus old | both *               * | nothing
    ghl old  emailoctopus old | to_emailoctopus *    * | nothing
    ghl old  emailoctopus old | to_ghl *             * | nothing

    ghl new  emailoctopus old | both *               * | new to emailoctopus
    ghl new  emailoctopus old | to_emailoctopus *    * | new to emailoctopus
    ghl new  emailoctopus old | to_ghl *             * | !agreed

    ghl -    emailoctopus old | both *               * | - to emailoctopus
    ghl -    emailoctopus old | to_emailoctopus *    * | - to emailoctopus
    ghl -    emailoctopus old | to_ghl *             * | !agreed

    ghl old  emailoctopus new | both *               * | new to ghl
    ghl old  emailoctopus new | to_emailoctopus *    * | !agreed
    ghl old  emailoctopus new | to_ghl *             * | new to ghl

    ghl old  emailoctopus -   | both *       keep      | !agreed
    ghl old  emailoctopus -   | both *       propagate | - to ghl
    ghl old  emailoctopus -   | to_emailoctopus *    * | !agreed
    ghl old  emailoctopus -   | to_ghl *     keep      | !agreed
    ghl old  emailoctopus -   | to_ghl *     propagate | - to ghl

    ghl new  emailoctopus new | both *               * | agreed
    ghl new  emailoctopus new | to_emailoctopus *    * | agreed
    ghl new  emailoctopus new | to_ghl *             * | agreed

    ghl -    emailoctopus -   | both *               * | agreed
    ghl -    emailoctopus -   | to_emailoctopus *    * | agreed
    ghl -    emailoctopus -   | to_ghl *             * | agreed

    ghl one  emailoctopus two | both ghl             * | one to emailoctopus (conflict)
    ghl one  emailoctopus two | both emailoctopus    * | two to ghl (conflict)
    ghl one  emailoctopus two | both newest          * | two to ghl (conflict)
    ghl one  emailoctopus two | to_emailoctopus *    * | one to emailoctopus (conflict)
    ghl one  emailoctopus two | to_ghl *             * | two to ghl (conflict)

    ghl -    emailoctopus two | both ghl             * | - to emailoctopus (conflict)
    ghl -    emailoctopus two | both emailoctopus    * | two to ghl (conflict)
    ghl -    emailoctopus two | both newest          * | two to ghl (conflict)
    ghl -    emailoctopus two | to_emailoctopus *    * | - to emailoctopus (conflict)
    ghl -    emailoctopus two | to_ghl *             * | two to ghl (conflict)

    ghl one  emailoctopus -   | both ghl             * | one to emailoctopus (conflict)
    ghl one  emailoctopus -   | both emailoctopus keep      | one to emailoctopus (conflict)
    ghl one  emailoctopus -   | both emailoctopus propagate | - to ghl (conflict)
    ghl one  emailoctopus -   | both newest       keep      | one to emailoctopus (conflict)
    ghl one  emailoctopus -   | both newest       propagate | - to ghl (conflict)
    ghl one  emailoctopus -   | to_emailoctopus *    * | one to emailoctopus (conflict)
    ghl one  emailoctopus -   | to_ghl *     keep      | !agreed
    ghl one  emailoctopus -   | to_ghl *     propagate | - to ghl (conflict)
"""
MEETINGS = """
    ghl one  emailoctopus one | both *               * | agreed
    ghl one  emailoctopus one | to_emailoctopus *    * | agreed
    ghl one  emailoctopus one | to_ghl *             * | agreed
    ghl -    emailoctopus -   | both *               * | agreed
    ghl -    emailoctopus -   | to_emailoctopus *    * | agreed
    ghl -    emailoctopus -   | to_ghl *             * | agreed

    ghl one  emailoctopus two | both ghl             * | one to emailoctopus (conflict)
    ghl one  emailoctopus two | both emailoctopus    * | two to ghl (conflict)
    ghl one  emailoctopus two | both newest          * | one to emailoctopus (conflict)
    ghl one  emailoctopus two | to_emailoctopus *    * | one to emailoctopus (conflict)
    ghl one  emailoctopus two | to_ghl *             * | two to ghl (conflict)

    ghl one  emailoctopus -   | both *               * | one to emailoctopus
    ghl one  emailoctopus -   | to_emailoctopus *    * | one to emailoctopus
    ghl one  emailoctopus -   | to_ghl *             * | !agreed
    ghl -    emailoctopus two | both *               * | two to ghl
    ghl -    emailoctopus two | to_emailoctopus *    * | !agreed
    ghl -    emailoctopus two | to_ghl *             * | two to ghl
"""
EXCHANGES = """
    ghl one  emailoctopus one | both *               * | agreed
    ghl one  emailoctopus two | both *               * | one to emailoctopus
    ghl one  emailoctopus two | to_emailoctopus *    * | one to emailoctopus
    ghl one  emailoctopus two | to_ghl *             * | two to ghl (conflict)
    ghl -    emailoctopus two | both *               * | - to emailoctopus
    ghl -    emailoctopus two | to_emailoctopus *    * | - to emailoctopus
    ghl -    emailoctopus two | to_ghl *             * | two to ghl
    ghl one  emailoctopus -   | both *               * | one to emailoctopus
    ghl one  emailoctopus -   | to_ghl *             * | !agreed
"""


def rows_of(table: str) -> list[tuple[Value, Value, MappedField, str]]:
    """Every row of a table, `*` written out."""
    rows: list[tuple[Value, Value, MappedField, str]] = []
    for line in filter(None, map(str.strip, table.splitlines())):
        values, policy, outcome = (part.strip() for part in line.split("|"))
        _, ghl, _, emailoctopus = (None if word == "-" else word for word in values.split())
        direction, rule, blanks = policy.split()
        for each_rule, each_blank in product(
            RULES if rule == "*" else [rule], Blanks if blanks == "*" else [Blanks(blanks)]
        ):
            field = mapped(DIRECTIONS[direction], ConflictRule(each_rule), each_blank)
            rows.append((ghl, emailoctopus, field, outcome))
    return rows


def name_of(value: object) -> str:
    return f"{value.rule.direction}/{value.rule.conflict}/{value.rule.blanks}" if isinstance(value, MappedField) else ""


def test_the_table_is_whole() -> None:
    """Each pair of changes under each policy, once."""
    rows = [(ghl, there, field.rule) for ghl, there, field, _ in rows_of(MERGES)]
    assert len(set(rows)) == len(rows) == 10 * 3 * len(RULES) * len(Blanks)


@pytest.mark.parametrize(("ghl", "emailoctopus", "field", "outcome"), rows_of(MERGES), ids=name_of)
def test_merging(ghl: Value, emailoctopus: Value, field: MappedField, outcome: str) -> None:
    assert told(merge_field(field, side(GHL, ghl, minutes=1), side(EMAILOCTOPUS, emailoctopus, minutes=2))) == outcome


@pytest.mark.parametrize(("ghl", "emailoctopus", "field", "outcome"), rows_of(MERGES), ids=name_of)
def test_a_side_that_was_not_read_is_as_it_was(
    ghl: Value, emailoctopus: Value, field: MappedField, outcome: str
) -> None:
    here, there = side(GHL, ghl), side(EMAILOCTOPUS, emailoctopus)
    if not there.changed:
        assert told(merge_field(field, here, unread(EMAILOCTOPUS))) == outcome
    if not here.changed:
        assert told(merge_field(field, unread(GHL), there)) == outcome


@pytest.mark.parametrize(("ghl", "emailoctopus", "field", "outcome"), rows_of(MEETINGS), ids=name_of)
def test_meeting(ghl: Value, emailoctopus: Value, field: MappedField, outcome: str) -> None:
    assert told(meet_field(field, side(GHL, ghl, minutes=1), side(EMAILOCTOPUS, emailoctopus, minutes=2))) == outcome


@pytest.mark.parametrize(("ghl", "emailoctopus", "field", "outcome"), rows_of(EXCHANGES), ids=name_of)
def test_meeting_after_links_exchanged_their_contacts(
    ghl: Value, emailoctopus: Value, field: MappedField, outcome: str
) -> None:
    assert told(meet_field(field, side(GHL, ghl), side(EMAILOCTOPUS, emailoctopus), ghl_leads=True)) == outcome


@pytest.mark.parametrize(
    ("ghl_s", "emailoctopus_s", "winner"),
    [
        (1.0, 2.0, EMAILOCTOPUS),
        (2.0, 1.0, GHL),
        (1.0, 1.0, GHL),
        (1.0, 1.9, GHL),
        (1.9, 1.0, GHL),
        (1.9, 2.0, EMAILOCTOPUS),
        (2.0, 3.0, EMAILOCTOPUS),
    ],
)
def test_newest_is_told_by_whole_seconds_and_a_tie_is_ghls(
    ghl_s: float, emailoctopus_s: float, winner: SystemName
) -> None:
    decision = merge_field(
        mapped(conflict=ConflictRule.NEWEST),
        side(GHL, "one", minutes=ghl_s / 60),
        side(EMAILOCTOPUS, "two", minutes=emailoctopus_s / 60),
    )
    assert decision.conflict is not None
    assert (decision.conflict.part, decision.conflict.winner) == ("a=A", winner)
    assert (decision.settles, decision.diverged, decision.park) == (True, False, None)
    assert (decision.conflict.ghl_at, decision.conflict.emailoctopus_at) == (at(ghl_s / 60), at(emailoctopus_s / 60))


def test_a_change_without_a_time_is_older_than_any() -> None:
    rule = mapped(conflict=ConflictRule.NEWEST)
    decision = merge_field(rule, replace(side(GHL, "one"), changed_at=None), side(EMAILOCTOPUS, "two"))
    assert decision.conflict is not None
    assert decision.conflict.winner is EMAILOCTOPUS


# Values that are no obstacle, and values that are


def test_each_value_is_converted_for_the_other_side() -> None:
    field = mapped(types=("DATE", "date"))
    ghl = side(GHL, "2026-02-03T00:00:00Z")
    assert merge_field(field, ghl, side(EMAILOCTOPUS, BEFORE)).value == "2026-02-03"
    phone = replace(mapped(types=("PHONE", "text")), country="CH")
    assert merge_field(phone, side(GHL, BEFORE), side(EMAILOCTOPUS, "079 123 45 67")).value == "+41791234567"


def test_what_is_the_same_in_the_other_sides_terms_is_no_conflict() -> None:
    """A phone in EmailOctopus may be written differently."""
    field = replace(mapped(types=("PHONE", "text")), country="CH")
    for meet in (merge_field, meet_field):
        assert told(meet(field, side(GHL, "+41791234567"), side(EMAILOCTOPUS, "079 123 45 67"))) == "agreed"


def test_a_value_without_a_form_there_is_parked() -> None:
    field = mapped(types=("TEXT", "number"))
    assert told(merge_field(field, side(GHL, "many"), side(EMAILOCTOPUS, BEFORE))) == "parked not_convertible"
    assert told(merge_field(field, side(GHL, "many"), side(EMAILOCTOPUS, 5))) == "parked not_convertible"
    assert told(meet_field(field, side(GHL, "many"), side(EMAILOCTOPUS, 5))) == "parked not_convertible"


LONG, CUT = "x" * 300, "x" * 256


def test_a_cut_value_never_overwrites_the_longer_original() -> None:
    for meet in (merge_field, meet_field):
        assert told(meet(mapped(), side(GHL, CUT), side(EMAILOCTOPUS, LONG))) == "parked not_taken"
        assert told(meet(mapped(), side(GHL, LONG), side(EMAILOCTOPUS, CUT))) == f"{LONG} to emailoctopus (conflict)"


# For every field whatsoever

types = st.sampled_from([TEXT, ("NUMERICAL", "text"), ("TEXT", "number"), ("DATE", "date")])
fields = st.builds(
    mapped, st.sampled_from(Direction), st.sampled_from(ConflictRule), st.sampled_from(Blanks), types=types
)
held = st.sampled_from([None, BEFORE, "one", "two", 1, 2, "1", "2026-02-03", "2026-02-03T00:00:00Z"])
minutes = st.integers(0, 2)


@st.composite
def meetings(draw: st.DrawFn) -> tuple[MappedField, FieldSide, FieldSide, FieldDecision]:
    field, before = draw(fields), draw(held)
    ghl = draw(st.builds(side, st.just(GHL), held, before=st.just(before), minutes=minutes))
    there = draw(st.builds(side, st.just(EMAILOCTOPUS), held, before=held, minutes=minutes))
    if draw(st.booleans()):
        return field, ghl, there, merge_field(field, ghl, there)
    return field, ghl, there, meet_field(field, ghl, there, ghl_leads=draw(st.booleans()))


@given(meetings())
def test_the_leading_side_is_never_written(
    meeting: tuple[MappedField, FieldSide, FieldSide, FieldDecision],
) -> None:
    field, _, _, decision = meeting
    assert decision.write is None or decision.write is not field.rule.direction.leader


@given(meetings())
def test_nothing_that_is_there_already_is_written(
    meeting: tuple[MappedField, FieldSide, FieldSide, FieldDecision],
) -> None:
    field, ghl, there, decision = meeting
    if decision.write is not None:
        source, target = (there, ghl) if decision.write is GHL else (ghl, there)
        assert not target.holds(decision.value)
        assert decision.value == convert(source.value, field.type_in(decision.write))


def test_what_stands_in_the_way_is_all_that_is_said() -> None:
    assert in_the_way("not_taken") == FieldDecision(None, None, False, None, None, "not_taken")


@given(meetings())
def test_a_decision_says_one_thing(meeting: tuple[MappedField, FieldSide, FieldSide, FieldDecision]) -> None:
    decision = meeting[-1]
    assert not (decision.park and (decision.write or decision.settles or decision.conflict))
    assert not (decision.diverged and (decision.write or decision.conflict or not decision.settles))
    assert decision.write is None or decision.settles
    assert decision.conflict is None or decision.write is not None


@given(meetings())
def test_a_blank_of_emailoctopus_erases_nothing_unless_asked(
    meeting: tuple[MappedField, FieldSide, FieldSide, FieldDecision],
) -> None:
    field, _, there, decision = meeting
    if decision.write is GHL and decision.value is None:
        assert field.rule.blanks is Blanks.PROPAGATE
        assert there.value is None


@given(held, held, held, st.sampled_from([Blanks.PROPAGATE]), st.booleans())
def test_where_the_rule_is_the_same_for_both_the_outcome_is(
    before: Value, one: Value, other: Value, blanks: Blanks, first_is_newer: bool
) -> None:
    field = mapped(Direction.BOTH, ConflictRule.NEWEST, blanks)
    older, newer = (0, 5) if not first_is_newer else (5, 0)
    forth = merge_field(
        field, side(GHL, one, before=before, minutes=older), side(EMAILOCTOPUS, other, before=before, minutes=newer)
    )
    back = merge_field(
        field, side(GHL, other, before=before, minutes=newer), side(EMAILOCTOPUS, one, before=before, minutes=older)
    )
    assert (forth.write.other if forth.write else None, forth.value) == (back.write, back.value)
    assert (forth.settles, forth.diverged, forth.park) == (back.settles, back.diverged, back.park)


@given(meetings())
def test_once_written_and_remembered_nothing_is_left_to_do(
    meeting: tuple[MappedField, FieldSide, FieldSide, FieldDecision],
) -> None:
    field, ghl, there, decision = meeting
    if not decision.settles or decision.park:
        return
    here, other = ghl.value, there.value
    if decision.write is GHL:
        here = decision.value
    elif decision.write is EMAILOCTOPUS:
        other = decision.value
    again = merge_field(field, side(GHL, here, before=here), side(EMAILOCTOPUS, other, before=other))
    assert told(again) == "nothing"


@given(meetings())
def test_what_is_parked_cannot_be_written(meeting: tuple[MappedField, FieldSide, FieldSide, FieldDecision]) -> None:
    field, ghl, there, decision = meeting
    if decision.park == "not_convertible":
        refused = 0
        for source, target in ((ghl, EMAILOCTOPUS), (there, GHL)):
            try:
                convert(source.value, field.type_in(target))
            except NotConvertible:
                refused += 1
        assert refused
