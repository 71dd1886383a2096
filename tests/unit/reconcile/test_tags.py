"""Contract, section 5: the three-way merge of tags by set."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_daemon.reconcile.tags import TagDecision, TagSide, follow_ghl, merge_tags, unite_tags

names = st.frozensets(st.sampled_from("abcde"))
sides = st.builds(TagSide, names, names)


def after(decision: TagDecision, ghl: TagSide, emailoctopus: TagSide) -> tuple[frozenset[str], frozenset[str]]:
    """What both sides have once a decision is written."""
    return (
        frozenset(ghl.now - decision.remove_from_ghl) | decision.add_to_ghl,
        frozenset(emailoctopus.now - decision.remove_from_emailoctopus) | decision.add_to_emailoctopus,
    )


def one_name(ghl: tuple[bool, bool], emailoctopus: tuple[bool, bool]) -> tuple[bool, bool]:
    """The merge of a single name the long way round: each side's (before, now) to what both have afterwards."""
    ghl_before, ghl_now = ghl
    there_before, there_now = emailoctopus
    if ghl_now != ghl_before:
        return ghl_now, ghl_now
    if there_now != there_before:
        return there_now, there_now
    return ghl_now, there_now


@given(sides, sides)
def test_each_name_is_merged_by_itself(ghl: TagSide, emailoctopus: TagSide) -> None:
    here, there = after(merge_tags(ghl, emailoctopus), ghl, emailoctopus)
    for name in "abcde":
        expected = one_name(
            (name in ghl.before, name in ghl.now), (name in emailoctopus.before, name in emailoctopus.now)
        )
        assert (name in here, name in there) == expected, name


@pytest.mark.parametrize(
    ("ghl", "emailoctopus", "decision"),
    [
        (("a", "a"), ("a", "a"), TagDecision()),
        (("", "a"), ("", ""), TagDecision(add_to_emailoctopus=frozenset("a"))),
        (("", ""), ("", "a"), TagDecision(add_to_ghl=frozenset("a"))),
        (("a", ""), ("a", "a"), TagDecision(remove_from_emailoctopus=frozenset("a"))),
        (("a", "a"), ("a", ""), TagDecision(remove_from_ghl=frozenset("a"))),
        (("", "a"), ("", "a"), TagDecision()),
        (("a", ""), ("a", ""), TagDecision()),
        (("", "a"), ("a", ""), TagDecision(add_to_emailoctopus=frozenset("a"))),
        (("a", ""), ("", "a"), TagDecision(remove_from_emailoctopus=frozenset("a"))),
        (("", "a"), ("", "b"), TagDecision(add_to_emailoctopus=frozenset("a"), add_to_ghl=frozenset("b"))),
    ],
)
def test_merging(ghl: tuple[str, str], emailoctopus: tuple[str, str], decision: TagDecision) -> None:
    here, there = (TagSide(frozenset(now), frozenset(before)) for before, now in (ghl, emailoctopus))
    assert merge_tags(here, there) == decision


@pytest.mark.parametrize("merge", [merge_tags, unite_tags, follow_ghl])
@given(ghl=sides, emailoctopus=sides)
def test_nothing_is_added_that_is_there_nor_removed_that_is_not(
    merge: Callable[[TagSide, TagSide], TagDecision], ghl: TagSide, emailoctopus: TagSide
) -> None:
    decision = merge(ghl, emailoctopus)
    assert not decision.add_to_ghl & ghl.now
    assert not decision.add_to_emailoctopus & emailoctopus.now
    assert decision.remove_from_ghl <= ghl.now
    assert decision.remove_from_emailoctopus <= emailoctopus.now
    assert decision.writes == (decision != TagDecision())


@given(names, names)
def test_a_first_meeting_gives_both_everything(ghl: frozenset[str], emailoctopus: frozenset[str]) -> None:
    here, there = TagSide(ghl, frozenset("xa")), TagSide(emailoctopus, frozenset("yb"))
    assert after(unite_tags(here, there), here, there) == (ghl | emailoctopus, ghl | emailoctopus)


@given(names, names)
def test_contacts_that_were_exchanged_get_ghls(ghl: frozenset[str], emailoctopus: frozenset[str]) -> None:
    here, there = TagSide(ghl, frozenset("xa")), TagSide(emailoctopus, frozenset("yb"))
    assert after(follow_ghl(here, there), here, there) == (ghl, ghl)


@given(names, sides, sides)
def test_sides_that_agreed_agree_again(agreed: frozenset[str], ghl: TagSide, emailoctopus: TagSide) -> None:
    here, there = TagSide(ghl.now, agreed), TagSide(emailoctopus.now, agreed)
    first, second = after(merge_tags(here, there), here, there)
    assert first == second
