"""Contract, section 5: whose a tag name is, what the other side calls it, and which tags travel."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_daemon.changes.tagbook import COLLIDES, OUTSIDE, TagBook, collisions, fold
from sync_daemon.model.policy import TagRule
from sync_daemon.model.state import KnownTag
from sync_daemon.model.system import SystemName
from tests.unit.changes.values import EMAILOCTOPUS, GHL, book

PREFIX = TagRule(prefix="EO ")


def names(tags: TagBook) -> dict[str, str]:
    """What EmailOctopus calls each of GHL's tags."""
    return {tags.ghl_name(tag): tags.name_in(EMAILOCTOPUS, tag) for tag in tags.all()}


def entered(tags: TagBook) -> dict[str, int]:
    return {tags.ghl_name(tag): tag.entered for tag in tags.all()}


def test_without_a_prefix_a_name_is_the_same_on_both_sides() -> None:
    assert names(book(["vip"], ["Web Inar"])) == {"vip": "vip", "web inar": "Web Inar"}


def test_with_a_prefix_names_from_emailoctopus_carry_it_in_ghl_and_names_from_ghl_carry_none() -> None:
    assert names(book(["vip"], ["News"], rule=PREFIX)) == {"vip": "vip", "eo news": "News"}


def test_on_a_tie_a_name_is_ghls() -> None:
    tags = book(["VIP"], ["vip"], rule=PREFIX)
    assert names(tags) == {"vip": "vip"}
    assert [tag.owner for tag in tags.all()] == [GHL]


def test_a_name_belongs_for_ever_to_the_system_where_it_was_seen_first() -> None:
    tags = book([], ["News"], rule=PREFIX)
    tags.meet({GHL: ["news", "eo news"], EMAILOCTOPUS: ["NEWS", "eo news"]})
    again = TagBook(tags.news.values(), PREFIX, 5, frozenset())
    again.meet({GHL: ["eo news"], EMAILOCTOPUS: ["news"]})
    for one in (tags, again):
        owner = {one.ghl_name(tag): tag.owner for tag in one.all()}
        assert owner["eo news"] is EMAILOCTOPUS


def test_a_name_of_ghl_that_emailoctopus_already_uses_for_its_own_collides() -> None:
    tags = book([], ["News"], rule=PREFIX)
    tags.meet({GHL: ["news"]})
    assert tags.collisions == {"news"}
    assert tags.find(GHL, "news") is None
    assert names(tags) == {"eo news": "News"}


def test_a_name_of_emailoctopus_whose_prefixed_form_ghl_uses_for_its_own_collides() -> None:
    tags = book(["eo news"], [], rule=PREFIX)
    tags.meet({EMAILOCTOPUS: ["News"]})
    assert tags.collisions == {"news"}
    assert tags.find(EMAILOCTOPUS, "News") is None
    assert names(tags) == {"eo news": "eo news"}


def test_names_that_collide_under_a_new_prefix_are_left_alone() -> None:
    known = [KnownTag("eo news", GHL), KnownTag("news", EMAILOCTOPUS, "News")]
    tags = book(rule=PREFIX, known=known)
    assert tags.collisions == {"news"}
    assert names(tags) == {"eo news": "eo news"}
    assert tags.find(EMAILOCTOPUS, "News") is None
    assert names(book(known=known)) == {"eo news": "eo news", "news": "News"}


def test_a_name_that_collides_keeps_its_place() -> None:
    """GHL's "eo news" can't be EmailOctopus's, whose own tag is called so; nor is it EmailOctopus's "news"."""
    tags = book([], ["EO News"], rule=PREFIX)
    tags.meet({GHL: ["eo news"]})
    assert tags.news[GHL, "eo news"].entered == COLLIDES
    again = book(rule=PREFIX, known=tags.news.values())
    for one in (tags, again):
        one.meet({EMAILOCTOPUS: ["News"]})
        assert one.find(EMAILOCTOPUS, "News") is None
        assert one.find(GHL, "eo news") is None
        assert names(one) == {"eo eo news": "EO News"}


def test_a_name_that_collides_no_more_meets_anew() -> None:
    first = book([], ["News"], rule=PREFIX)
    first.meet({GHL: ["news"]})
    second = book(rule=TagRule(prefix="other "), known=first.news.values(), generation=4)
    assert names(second) == {"other news": "News"}
    third = book(["news"], ["Newer"], known=[KnownTag("news", GHL, entered=COLLIDES)], generation=5)
    assert entered(third) == {"news": 5, "newer": 5}


@pytest.mark.parametrize("name", ["VIP", " vip ", "Vip"])
def test_case_and_blanks_around_a_name_do_not_count(name: str) -> None:
    tags = book([name])
    assert names(tags) == {"vip": "vip"}
    assert tags.find(EMAILOCTOPUS, f" {name.upper()}") is tags.find(GHL, "vip")


def test_a_blank_name_is_none() -> None:
    assert names(book([" "], [""])) == {}


def test_emailoctopuss_spelling_is_kept() -> None:
    tags = book(["news"])
    tags.meet({EMAILOCTOPUS: [" NEWS "]})
    assert names(tags) == {"news": "NEWS"}
    tags.meet({EMAILOCTOPUS: ["News"]})
    assert names(tags) == {"news": "NEWS"}


def test_a_tag_created_there_is_known_to_exist() -> None:
    tags = book(["news"])
    (tag,) = tags.all()
    assert tag.spelling is None
    tags.created(tag)
    assert [tag.spelling for tag in tags.all()] == ["news"]


def test_what_is_new_is_told_once_and_by_its_latest_state() -> None:
    tags = book(["vip"], ["VIP", "News"])
    assert tags.news == {
        (GHL, "vip"): KnownTag("vip", GHL, "VIP"),
        (EMAILOCTOPUS, "news"): KnownTag("news", EMAILOCTOPUS, "News"),
    }
    known = list(tags.news.values())
    again = book(["vip"], ["vip", "news"], known=known)
    assert again.news == {}


@pytest.mark.parametrize(
    ("rule", "travelling"),
    [
        (TagRule(), {"vip", "internal-x", "beta"}),
        (TagRule(exclude=("Internal-*",)), {"vip", "beta"}),
        (TagRule(include=("V*", "internal-?")), {"vip", "internal-x"}),
        (TagRule(include=("i*",), exclude=("internal-*",)), set()),
        (TagRule(include=()), set()),
        (TagRule(sync=False), set()),
    ],
)
def test_filters_are_patterns_over_ghls_name(rule: TagRule, travelling: set[str]) -> None:
    tags = book(["VIP", "internal-x"], ["Beta"], rule=rule)
    assert set(tags.travelling(GHL, ["Vip", "INTERNAL-X", "beta", "unmet"])) == travelling
    assert set(tags.travelling(EMAILOCTOPUS, ["vip", "Internal-X", "BETA"])) == travelling


def test_filters_see_the_prefixed_name() -> None:
    tags = book([], ["News", "Beta"], rule=TagRule(include=("eo n*",), prefix="EO "))
    assert set(tags.travelling(EMAILOCTOPUS, ["news", "beta"])) == {"eo news"}
    assert set(tags.travelling(GHL, ["eo news", "eo beta", "news"])) == {"eo news"}


def test_a_reserved_name_never_travels() -> None:
    tags = book(["deleted-in-emailoctopus", "vip"], reserved={"deleted-in-emailoctopus"})
    assert set(tags.travelling(GHL, ["vip", "deleted-in-emailoctopus"])) == {"vip"}


def test_a_name_that_comes_under_the_filter_enters_with_the_filters_generation() -> None:
    tags = book(["vip", "beta"], rule=TagRule(exclude=("beta",)), generation=3)
    assert entered(tags) == {"vip": 3, "beta": -1}

    wider = book(known=tags.news.values(), generation=4)
    wider.apply_filter()
    assert entered(wider) == {"vip": 3, "beta": 4}
    assert set(wider.news) == {(GHL, "beta")}


def test_a_name_that_leaves_the_filter_and_returns_enters_anew() -> None:
    known = [KnownTag("vip", GHL, "vip", entered=0), KnownTag("beta", GHL, "beta", entered=0)]
    narrow = book(rule=TagRule(exclude=("beta",)), known=known, generation=1)
    narrow.apply_filter()
    assert entered(narrow) == {"vip": 0, "beta": -1}
    wide = book(known=list(narrow.all()), generation=2)
    wide.apply_filter()
    assert entered(wide) == {"vip": 0, "beta": 2}


def test_a_filter_that_changed_nothing_tells_nothing() -> None:
    known = [KnownTag("vip", GHL, "vip", entered=0), KnownTag("beta", EMAILOCTOPUS, "Beta", entered=-1)]
    tags = book(rule=TagRule(exclude=("eo beta",), prefix="eo "), known=known, generation=1)
    tags.apply_filter()
    assert tags.news == {}


some_names = st.sampled_from(["a", "A", " a", "eo a", "EO A", "eo eo a", "b", "eo b", ""])
meetings = st.lists(st.tuples(st.sampled_from(list(SystemName)), st.lists(some_names, max_size=4)), max_size=6)


@given(meetings, st.sampled_from(["", "eo ", "a"]), st.sampled_from(["", "eo "]))
def test_the_correspondence_is_one_to_one(
    seen: list[tuple[SystemName, list[str]]], prefix: str, changed_prefix: str
) -> None:
    first = book(rule=TagRule(prefix=prefix))
    for system, found in seen:
        first.meet({system: found})
    second = book(rule=TagRule(prefix=changed_prefix), known=first.news.values())
    for tags in (first, second):
        known = list(tags.all())
        for system in SystemName:
            folded = [fold(tags.name_in(system, tag)) for tag in known]
            assert len(set(folded)) == len(folded)
            assert [tags.find(system, name) for name in folded] == known
        for tag in known:
            expected = tag.name if tag.owner is GHL else fold(tags._rule.prefix + tag.name)
            assert tags.ghl_name(tag) == expected
            assert fold(tags.name_in(EMAILOCTOPUS, tag)) == tag.name


@given(meetings)
def test_owners_never_change(seen: list[tuple[SystemName, list[str]]]) -> None:
    tags = book(rule=PREFIX)
    owners: dict[str, SystemName] = {}
    for system, found in seen:
        tags.meet({system: found})
        now = {tag.name: tag.owner for tag in tags.all()}
        assert owners.items() <= now.items()
        owners = now
    assert {key for key, tag in tags.news.items() if tag.entered != COLLIDES} == {
        (tag.owner, tag.name) for tag in tags.all()
    }


def test_a_row_read_back_is_the_row_written() -> None:
    tags = book(["vip"], ["News"], rule=PREFIX)
    (vip,) = (tag for tag in tags.all() if tag.name == "vip")
    assert book(rule=PREFIX, known=[replace(vip)]).find(GHL, "vip") == vip


def test_names_that_collide_are_told_by_what_is_stored() -> None:
    alone = KnownTag("news", GHL, entered=COLLIDES)
    assert collisions([KnownTag("vip", GHL), alone, KnownTag("beta", GHL, entered=OUTSIDE)]) == [alone]


def test_a_tag_that_was_created_is_stored_with_how_emailoctopus_spells_it() -> None:
    for spelling, kept in ((None, "vip"), ("VIP", "VIP")):
        known = KnownTag("vip", GHL, spelling)
        tags = TagBook([known], TagRule(), 0, frozenset())
        tags.created(known)
        assert tags.news == {(GHL, "vip"): replace(known, spelling=kept)}


def test_a_name_that_collides_is_stored_once_and_so_is_that_it_does_no_more() -> None:
    alone = KnownTag("news", GHL, entered=COLLIDES)
    tags = TagBook([KnownTag("news", EMAILOCTOPUS), alone], PREFIX, 5, frozenset())
    assert (tags.news, tags.collisions) == ({}, {"news"})
    for rule, entered in ((PREFIX, 5), (TagRule(exclude=("news",)), OUTSIDE)):
        assert TagBook([alone], rule, 5, frozenset()).news == {(GHL, "news"): replace(alone, entered=entered)}
