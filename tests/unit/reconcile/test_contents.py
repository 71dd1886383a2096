"""Contract, sections 2 and 5: the fields and tags of two contacts, row by row, and the writes that follow."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from sync_daemon.changes.cases import Case, CaseSide
from sync_daemon.changes.detect import Detector
from sync_daemon.model.contact import Snapshot
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.policy import ConflictRule, Direction, FieldRule, TagRule
from sync_daemon.model.state import Baseline, Link, Parked, Sent
from sync_daemon.reconcile.contents import Contents, content_operations, pair_contents
from sync_daemon.reconcile.decision import Context, ToPark
from sync_daemon.reconcile.fields import FieldConflict, MappedField
from sync_daemon.reconcile.rows import field_side
from sync_daemon.reconcile.tags import TagDecision
from tests.unit.changes.values import (
    CITY,
    DIGESTER,
    EMAILOCTOPUS,
    GHL,
    NAME,
    CountingDigester,
    agreed,
    at,
    baseline_of,
    book,
    detector,
    person,
    staged,
    subscriber,
)
from tests.unit.reconcile.cases import context

SCORE = FieldRule("custom.score", "Score")
RULES = (NAME, CITY, SCORE)
NAMED, TOWN = (MappedField(rule, "TEXT", "text") for rule in (NAME, CITY))
SCORED = MappedField(SCORE, "TEXT", "number")
BOOK = book(["vip", "beta"], ["News"])
BY = detector(*RULES, tags=BOOK)
HERE, THERE = person(fields={"firstName": "Ada"}), subscriber(fields={"FirstName": "Ada"})
LINK = Link("g1", "e1")


def given(*fields: MappedField, **changes: Any) -> Context:
    policy = {name: changes.pop(name) for name in ("tags",) if name in changes}
    by = changes.pop("detector", BY)
    return replace(context(**policy), detector=by, fields=fields or (NAMED, TOWN, SCORED), **changes)


def here(before: Snapshot = HERE, /, **now: Any) -> CaseSide:
    return _side(before, now)


def there(before: Snapshot = THERE, /, **now: Any) -> CaseSide:
    return _side(before, now)


def _side(before: Snapshot, now: dict[str, Any]) -> CaseSide:
    """A contact that was agreed as `before`; `row` are changes of its inbox row, `known` of what is known."""
    row, known = now.pop("row", {}), now.pop("known", {})
    minutes = now.pop("minutes", 0)
    now["tags"] = frozenset(now.get("tags", before.tags))
    snapshot = replace(before, updated_at=at(minutes), **now)
    parts = [*(rule.key for rule in RULES), "tags"]
    return CaseSide(agreed(before, BY, **known), staged(snapshot, *parts, **row))


def at_rest(before: Snapshot, **known: Any) -> CaseSide:
    return CaseSide(agreed(before, BY, **known))


def gathered(
    ghl: CaseSide, emailoctopus: CaseSide, given_: Context | None = None, *, first: bool = False, **more: Any
) -> Contents:
    case = Case(**{"link": None if first else LINK, "ghl": ghl, "emailoctopus": emailoctopus, **more})
    return pair_contents(case, given_ or given(), first=first)


def written(contents: Contents) -> dict[str, Any]:
    return {str(system): fields for system, fields in contents.writes.items() if fields}


def operations(contents: Contents, given_: Context | None = None) -> list[Operation]:
    return list(content_operations(contents, "g1", "e1", given_ or given()))


def update(system: Any, fields: dict[str, Any], parts: tuple[str, ...], reason: str) -> Operation:
    return Operation(system, Action.UPDATE, "g1", "e1", reason, fields=fields, parts=parts)


# Fields


def test_nothing_changed_nothing_is_asked_for() -> None:
    contents = gathered(here(), there(), tags_off := given(tags=TagRule(sync=False)))
    assert contents == Contents()
    assert operations(contents, tags_off) == []


def test_what_changed_on_either_side_is_one_update_for_the_other() -> None:
    one = here(fields={"firstName": "Ida", "city": "Rome"})
    other = there(fields={"FirstName": "Ada", "Score": 5.0})
    contents = gathered(one, other)
    assert operations(contents) == [
        update(GHL, {"custom.score": "5"}, (SCORE.key,), "Score changed in EmailOctopus"),
        update(
            EMAILOCTOPUS,
            {"FirstName": "Ida", "City": "Rome"},
            (NAME.key, CITY.key),
            "firstName changed in GoHighLevel; city changed in GoHighLevel",
        ),
    ]
    assert contents.settles == {NAME.key, CITY.key, SCORE.key, "tags"}
    assert contents.digests[NAME.key] == DIGESTER.field(EMAILOCTOPUS, "e1", NAME.key, "Ida")
    assert contents.digests[SCORE.key] == DIGESTER.field(GHL, "g1", SCORE.key, "5")


def test_reasons_are_told_once() -> None:
    leads = MappedField(FieldRule("firstName", "Nick"), "TEXT", "text")
    by = detector(NAME, leads.rule, tags=BOOK)
    row = replace(agreed(HERE, by), baseline=baseline_of(HERE, by))
    other = replace(agreed(THERE, by), baseline=baseline_of(THERE, by))
    side = CaseSide(row, staged(replace(HERE, fields={"firstName": "Ida"}), NAME.key, leads.rule.key))
    made = given(NAMED, leads, detector=by)
    [one] = operations(gathered(side, CaseSide(other, staged(THERE)), made), made)
    assert (one.reason, one.parts) == ("firstName changed in GoHighLevel", (NAME.key, leads.rule.key))


@pytest.mark.parametrize(
    ("rule", "winner", "written_to", "value"),
    [
        (ConflictRule.GHL, "GoHighLevel", EMAILOCTOPUS, {"FirstName": "Ida"}),
        (ConflictRule.EMAILOCTOPUS, "EmailOctopus", GHL, {"firstName": "Eve"}),
        (ConflictRule.NEWEST, "EmailOctopus", GHL, {"firstName": "Eve"}),
    ],
)
def test_a_conflict_tells_who_wins_and_when_each_changed(
    rule: ConflictRule, winner: str, written_to: Any, value: dict[str, str]
) -> None:
    mapped = replace(NAMED, rule=replace(NAME, conflict=rule))
    one, other = here(fields={"firstName": "Ida"}, minutes=1), there(fields={"FirstName": "Eve"}, minutes=2)
    contents = gathered(one, other, given(mapped))
    name = "firstName" if winner == "GoHighLevel" else "FirstName"
    reason = f"{name} differs on both sides, {winner} wins"
    assert operations(contents) == [update(written_to, value, (NAME.key,), reason)]
    system = GHL if winner == "GoHighLevel" else EMAILOCTOPUS
    assert contents.conflicts == [FieldConflict(NAME.key, system, at(1), at(2))]


def test_what_changes_against_its_direction_diverges_and_what_agrees_again_does_no_more() -> None:
    led = replace(NAMED, rule=replace(NAME, direction=Direction.TO_GHL))
    contents = gathered(here(fields={"firstName": "Ida"}), there(), given(led))
    assert (written(contents), contents.diverged, contents.settles) == ({}, {NAME.key}, {NAME.key, "tags"})
    link = replace(LINK, diverged=frozenset({NAME.key, CITY.key}))
    back = gathered(here(), there(fields={"FirstName": "Eve"}), given(led), link=link)
    assert (back.diverged, written(back)) == ({CITY.key}, {"ghl": {"firstName": "Eve"}})
    assert gathered(here(), there(), given(led), link=link).diverged == {NAME.key, CITY.key}
    assert gathered(here(), there(), given(led), first=True, link=link).diverged == set()


# What each side says


@pytest.mark.parametrize(
    ("side", "known", "value", "changed"),
    [
        (here(fields={"firstName": "Ida"}), True, "Ida", True),
        (here(), True, "Ada", False),
        (here(fields={}), True, None, True),
        (at_rest(HERE), False, None, False),
        (here(known={"baseline": None}), True, "Ada", False),
    ],
)
def test_what_a_side_says_of_a_field(side: CaseSide, known: bool, value: Any, changed: bool) -> None:
    said = field_side(NAMED, side, given())
    assert (said.system, said.known, said.value, said.changed) == (GHL, known, value, changed)


@pytest.mark.parametrize(
    ("side", "mapped", "wanted", "holds"),
    [
        (here(fields={"firstName": " Ada "}), NAMED, "Ada", True),
        (here(fields={"firstName": "Ada"}), NAMED, "ada", False),
        (here(fields={"firstName": "  "}), NAMED, None, True),
        (there(fields={"Score": 5.0}), SCORED, 5, True),
        (there(fields={"Score": "many"}), SCORED, "many", True),
        (there(fields={"Score": "many"}), SCORED, 5, False),
        (there(fields={"Score": "many"}), SCORED, "few", False),
        (at_rest(HERE), NAMED, "Ada", True),
        (at_rest(HERE), NAMED, "Ida", False),
        (at_rest(HERE, baseline=None), NAMED, "Ada", False),
        (at_rest(THERE), NAMED, "Ada", True),
    ],
)
def test_what_a_side_holds(side: CaseSide, mapped: MappedField, wanted: Any, holds: bool) -> None:
    assert field_side(mapped, side, given()).holds(wanted) is holds


def test_a_phone_is_held_however_it_is_written() -> None:
    phone = MappedField(FieldRule("phone", "Phone"), "PHONE", "text", country="CH")
    side = here(fields={"phone": "079 100 00 00"})
    assert field_side(phone, side, given()).holds("+41791000000")
    plain = here(fields={"phone": "+41791000000"})
    assert field_side(phone, plain, given()).holds("079 100 00 00")


@pytest.mark.parametrize(
    ("side", "moment"),
    [
        (here(minutes=5, row={"changed_at": {NAME.key: at(2)}}), at(2)),
        (here(minutes=5, row={"changed_at": {}}), at(5)),
        (here(minutes=5, row={"changed_at": {NAME.key: at(2)}, "echo": True}), at(5)),
        (here(minutes=5, row={"changed_at": {}}, known={"written_at": at(9), "updated_at": at(5)}), None),
        (here(minutes=5, row={"changed_at": {}}, known={"written_at": at(9), "updated_at": at(4)}), at(5)),
        (here(minutes=5, row={"changed_at": {}}, known={"written_at": at(9), "updated_at": None}), at(5)),
        (here(minutes=5, row={"changed_at": {}}, known={"written_at": None, "updated_at": at(5)}), at(5)),
        (
            here(minutes=5, row={"changed_at": {NAME.key: at(2)}}, known={"written_at": at(9), "updated_at": at(5)}),
            at(2),
        ),
        (at_rest(HERE), None),
    ],
)
def test_the_time_of_a_change_is_that_of_the_snapshot_that_showed_it_and_never_our_own(
    side: CaseSide, moment: datetime | None
) -> None:
    assert field_side(NAMED, side, given()).changed_at == moment


# Meeting


def test_two_that_meet_share_what_only_one_has() -> None:
    one, other = here(person(fields={"firstName": "Ada"})), there(subscriber(fields={"City": "Rome"}))
    contents = gathered(one, other, first=True)
    assert operations(contents) == [
        update(GHL, {"city": "Rome"}, (CITY.key,), "only EmailOctopus has City"),
        update(EMAILOCTOPUS, {"FirstName": "Ada"}, (NAME.key,), "only GoHighLevel has firstName"),
    ]
    assert contents.settles == {NAME.key, CITY.key, SCORE.key, "tags"}


@pytest.mark.parametrize("lacks", ["here", "there"])
@pytest.mark.parametrize(("full", "parked", "meets"), [(False, False, False), (True, False, True), (False, True, True)])
def test_a_field_that_never_met_meets_in_a_full_scan_or_when_it_is_parked(
    full: bool, parked: bool, meets: bool, lacks: str
) -> None:
    bare = {"known": {"baseline": Baseline(tags=frozenset())}}
    one = here(fields={"firstName": "Ida"}, **(bare if lacks == "here" else {}))
    other = there(subscriber(), **(bare if lacks == "there" else {}))
    entries = {NAME.key: entry(value=b"another")} if parked else {}
    contents = gathered(one, other, given(NAMED, full=full), parked=entries)
    assert written(contents) == ({"emailoctopus": {"FirstName": "Ida"}} if meets else {})
    assert contents.unparks == list(entries.values())
    if meets:
        assert operations(contents)[0].reason == "only GoHighLevel has firstName"


def test_links_that_exchange_their_contacts_take_ghls_values_along() -> None:
    one, other = here(person(tags={"vip"})), there(fields={"FirstName": "Eve"}, tags={"News"})
    contents = gathered(one, other, given(NAMED), first=True, link=LINK, exchanged=True)
    assert operations(contents) == [
        update(
            EMAILOCTOPUS,
            {"FirstName": None},
            (NAME.key,),
            "two links exchanged their addresses: firstName as in GoHighLevel",
        ),
        tags(
            EMAILOCTOPUS, Action.ADD_TAGS, "vip", reason="two links exchanged their addresses: tags as in GoHighLevel"
        ),
        tags(
            EMAILOCTOPUS,
            Action.REMOVE_TAGS,
            "News",
            reason="two links exchanged their addresses: tags as in GoHighLevel",
        ),
    ]


# What a write without an answer left


SENT_HERE = {"sent": Sent(fields={NAME.key: DIGESTER.sent_field(GHL, "g1", NAME.key, "Eve")})}
SENT_THERE = {"sent": Sent(fields={NAME.key: DIGESTER.sent_field(EMAILOCTOPUS, "e1", NAME.key, "Ida")})}


def test_what_a_write_without_an_answer_left_asks_the_other_side() -> None:
    half = there(fields={"FirstName": "Ida"}, known=SENT_THERE)
    agrees = gathered(here(fields={"firstName": "Ida"}), half, given(NAMED))
    assert (written(agrees), NAME.key in agrees.settles) == ({}, True)
    taken_back = gathered(here(), half, given(NAMED))
    assert written(taken_back) == {"emailoctopus": {"FirstName": "Ada"}}
    back = gathered(here(fields={"firstName": "Eve"}, known=SENT_HERE), there(), given(NAMED))
    assert written(back) == {"ghl": {"firstName": "Ada"}}


def test_a_side_that_was_not_read_is_not_asked() -> None:
    half = there(fields={"FirstName": "Ida"}, known=SENT_THERE)
    unread = gathered(at_rest(HERE), half, given(NAMED))
    assert (written(unread), NAME.key in unread.settles) == ({}, False)
    other = gathered(here(fields={"firstName": "Eve"}, known=SENT_HERE), at_rest(THERE), given(NAMED))
    assert (written(other), NAME.key in other.settles) == ({}, False)


# Parked and dropped fields


def entry(what: str = NAME.key, **changes: Any) -> Parked:
    return replace(Parked("g1", "e1", what, "refused", "", 1, at(99)), **changes)


VALUE = DIGESTER.field(EMAILOCTOPUS, "e1", NAME.key, "Ida")


@pytest.mark.parametrize(
    ("changes", "waits"),
    [({"value": VALUE}, True), ({"value": VALUE, "next_try": at(60)}, False), ({"value": b"another"}, False)],
)
def test_a_refused_value_waits_until_its_time_or_until_it_changes(changes: dict[str, Any], waits: bool) -> None:
    parked = {NAME.key: entry(**changes)}
    contents = gathered(here(fields={"firstName": "Ida"}), there(), given(NAMED), parked=parked)
    assert (written(contents) == {}, NAME.key in contents.settles) == (waits, not waits)
    assert contents.unparks == ([] if waits else list(parked.values()))


def test_what_is_asked_for_no_more_is_parked_no_more() -> None:
    parked = {NAME.key: entry(value=VALUE)}
    assert gathered(here(), there(), given(NAMED), parked=parked).unparks == list(parked.values())


def test_a_dropped_value_is_left_as_it_is_on_both_sides() -> None:
    parked = {NAME.key: entry(value=VALUE, dropped=True, next_try=at(60))}
    contents = gathered(here(fields={"firstName": "Ida"}), there(), given(NAMED), parked=parked)
    assert (written(contents), contents.unparks) == ({}, list(parked.values()))
    assert (contents.dropped, contents.diverged) == ([NAME.key], {NAME.key})
    assert NAME.key in contents.settles
    nothing = gathered(here(), there(), given(NAMED), parked=parked)
    assert (nothing.dropped, nothing.unparks) == ([], list(parked.values()))
    assert gathered(echo(), there(), given(NAMED), parked=parked).bounces == {}


def scores(ghl: Any, emailoctopus: Any) -> bytes:
    """What a value without a form on the other side is known by: what both sides say."""
    return DIGESTER.field(EMAILOCTOPUS, "e1", SCORE.key, (ghl, emailoctopus))


def test_what_has_no_form_on_the_other_side_is_parked_until_either_changes() -> None:
    one = here(fields={"firstName": "Ada", "custom.score": "many"})
    contents = gathered(one, there())
    assert contents.to_park == [ToPark(SCORE.key, "not_convertible", scores("smany", ""))]
    assert (written(contents), SCORE.key in contents.settles) == ({}, False)
    waits = {SCORE.key: entry(SCORE.key, value=scores("smany", ""))}
    again = gathered(one, there(), parked=waits)
    assert (again.to_park, again.unparks) == ([], [])
    unread = gathered(one, at_rest(THERE), parked=waits)
    assert unread.to_park == []
    changed = gathered(one, there(fields={"FirstName": "Ada", "Score": 5}), parked=waits)
    assert changed.to_park == [ToPark(SCORE.key, "not_convertible", scores("smany", "n5"))]
    dropped = gathered(one, there(), parked={SCORE.key: replace(waits[SCORE.key], dropped=True)})
    assert (dropped.to_park, dropped.dropped) == ([], [SCORE.key])


# Echoes


def echo(**more: Any) -> CaseSide:
    return here(fields={"firstName": "Ida"}, row={"echo": True, "changed_at": {}}, **more)


@pytest.mark.parametrize(
    ("side", "before", "after"),
    [
        (echo(), (), (at(60),)),
        (echo(), (at(0),), (at(0), at(60))),
        (echo(), (at(60 - 24 * 60),), (at(60),)),
        (echo(), (at(60.1 - 24 * 60),), (at(60.1 - 24 * 60), at(60))),
        (here(fields={"firstName": "Ida"}), (at(0),), ()),
        (here(fields={"firstName": "Ida"}, row={"changed_at": {}}), (at(0),), (at(0),)),
        (here(), (at(0),), (at(0),)),
    ],
)
def test_a_write_that_only_answers_an_echo_is_counted_until_an_outside_edit(
    side: CaseSide, before: tuple[datetime, ...], after: tuple[datetime, ...]
) -> None:
    link = replace(LINK, bounces={NAME.key: before} if before else {})
    contents = gathered(side, there(), given(NAMED), link=link)
    assert contents.bounces == ({NAME.key: after} if after else {})
    assert bool(written(contents)) is (side.snapshot is not None and side.snapshot.fields["firstName"] == "Ida")


def test_an_echo_of_the_other_side_is_counted_too() -> None:
    other = there(fields={"FirstName": "Eve"}, row={"echo": True, "changed_at": {}})
    assert gathered(here(), other, given(NAMED)).bounces == {NAME.key: (at(60),)}


def test_a_field_that_never_settles_is_parked_as_unstable() -> None:
    twice, thrice = (at(0), at(1)), (at(0), at(1), at(2))
    link = replace(LINK, bounces={NAME.key: twice})
    contents = gathered(echo(), there(), given(NAMED), link=link)
    assert [(one.part, one.code) for one in contents.to_park] == [(NAME.key, "unstable")]
    assert (written(contents), NAME.key in contents.settles) == ({}, False)
    assert contents.bounces == {NAME.key: (*twice, at(60))}
    quiet = gathered(here(), there(), given(NAMED), link=replace(LINK, bounces={NAME.key: thrice}))
    assert (quiet.to_park, quiet.bounces) == ([], {NAME.key: thrice})
    waits = {NAME.key: entry(value=contents.to_park[0].value)}
    again = gathered(echo(), there(), given(NAMED), link=link, parked=waits)
    assert (again.to_park, again.bounces) == ([], {NAME.key: twice})


# Tags


def tags(system: Any, action: Action, *names: str, reason: str) -> Operation:
    return Operation(system, action, "g1", "e1", reason, tags=names, parts=("tags",))


TAGGED_HERE, TAGGED_THERE = person(tags={"vip"}), subscriber(tags={"VIP"})


def test_tags_are_added_and_removed_on_the_other_side_as_it_spells_them() -> None:
    one = here(TAGGED_HERE, tags={"beta"})
    other = there(TAGGED_THERE, tags={"VIP", "News"})
    contents = gathered(one, other)
    assert operations(contents) == [
        tags(GHL, Action.ADD_TAGS, "news", reason="tag changed in EmailOctopus"),
        tags(EMAILOCTOPUS, Action.ADD_TAGS, "beta", reason="tag changed in GoHighLevel"),
        tags(EMAILOCTOPUS, Action.REMOVE_TAGS, "VIP", reason="tag changed in GoHighLevel"),
    ]
    expected = TagDecision(frozenset({"news"}), frozenset(), frozenset({"beta"}), frozenset({"vip"}))
    assert (contents.tags, "tags" in contents.settles) == (expected, True)
    lost = gathered(here(TAGGED_HERE), there(TAGGED_THERE, tags=()))
    assert operations(lost) == [tags(GHL, Action.REMOVE_TAGS, "vip", reason="tag changed in EmailOctopus")]


def test_several_tags_go_in_order_and_a_name_nobody_spelt_as_it_is() -> None:
    contents = gathered(here(person(), tags={"vip", "beta", "news"}), there(subscriber()))
    reason = "tag changed in GoHighLevel"
    assert operations(contents) == [tags(EMAILOCTOPUS, Action.ADD_TAGS, "News", "beta", "vip", reason=reason)]
    contents.tags = TagDecision(add_to_ghl=frozenset({"unheard of"}))
    assert operations(contents)[0].tags == ("unheard of",)


def test_the_digest_of_tags_tells_each_change_from_every_other() -> None:
    def digest(ghl: set[str], emailoctopus: set[str]) -> bytes:
        return gathered(here(TAGGED_HERE, tags=ghl), there(TAGGED_THERE, tags=emailoctopus)).digests["tags"]

    each = {
        "g+news": digest({"vip"}, {"VIP", "News"}),
        "g-vip": digest({"vip"}, set()),
        "e+beta": digest({"vip", "beta"}, {"VIP"}),
        "e-vip": digest(set(), {"VIP"}),
    }
    assert each == {name: DIGESTER.field(GHL, "g1", "tags", (name,)) for name in each}


def test_two_that_meet_unite_their_tags() -> None:
    contents = gathered(here(TAGGED_HERE), there(subscriber(tags={"News"})), first=True)
    reason = "{} has the tag; two that meet unite theirs"
    assert operations(contents) == [
        tags(GHL, Action.ADD_TAGS, "news", reason=reason.format("EmailOctopus")),
        tags(EMAILOCTOPUS, Action.ADD_TAGS, "vip", reason=reason.format("GoHighLevel")),
    ]
    unmet = gathered(here(TAGGED_HERE), there(subscriber(tags={"News"}), known={"baseline": None}))
    assert unmet.tags == contents.tags
    unmet = gathered(here(TAGGED_HERE, known={"baseline": Baseline()}), there(subscriber(tags={"News"})))
    assert unmet.tags == contents.tags


def test_tags_that_never_met_wait_for_both_sides_to_be_read() -> None:
    bare = at_rest(TAGGED_HERE, baseline=None)
    assert "tags" not in gathered(bare, there(TAGGED_THERE)).settles
    assert "tags" not in gathered(here(TAGGED_HERE), at_rest(TAGGED_THERE, baseline=None)).settles
    met = gathered(at_rest(TAGGED_HERE), there(TAGGED_THERE, tags={"VIP", "News"}))
    assert operations(met) == [tags(GHL, Action.ADD_TAGS, "news", reason="tag changed in EmailOctopus")]
    other = gathered(here(TAGGED_HERE, tags=()), at_rest(TAGGED_THERE))
    assert operations(other) == [tags(EMAILOCTOPUS, Action.REMOVE_TAGS, "vip", reason="tag changed in GoHighLevel")]


def test_tags_that_are_not_synced_are_let_be() -> None:
    one = here(TAGGED_HERE, tags={"beta"})
    assert gathered(one, there(TAGGED_THERE), given(tags=TagRule(sync=False))).settles == set()


TAG_DIGEST = DIGESTER.field(GHL, "g1", "tags", ("e+beta",))


@pytest.mark.parametrize(
    ("changes", "waits"),
    [({"value": TAG_DIGEST}, True), ({"value": TAG_DIGEST, "next_try": at(60)}, False), ({"value": b"another"}, False)],
)
def test_refused_tags_wait_until_their_time_or_until_they_change(changes: dict[str, Any], waits: bool) -> None:
    parked = {"tags": entry("tags", **changes)}
    contents = gathered(here(TAGGED_HERE, tags={"vip", "beta"}), there(TAGGED_THERE), parked=parked)
    assert (operations(contents) == [], "tags" not in contents.settles) == (waits, waits)
    assert contents.unparks == ([] if waits else list(parked.values()))
    assert gathered(here(TAGGED_HERE), there(TAGGED_THERE), parked=parked).unparks == list(parked.values())


def test_dropped_tags_are_left_as_they_are() -> None:
    parked = {"tags": entry("tags", dropped=True, next_try=at(60))}
    contents = gathered(here(TAGGED_HERE, tags={"vip", "beta"}), there(TAGGED_THERE), parked=parked)
    assert (operations(contents), contents.dropped, contents.diverged) == ([], ["tags"], {"tags"})
    assert (contents.unparks, "tags" in contents.settles) == (list(parked.values()), True)
    nothing = gathered(here(TAGGED_HERE), there(TAGGED_THERE), parked=parked)
    assert (nothing.dropped, nothing.unparks) == ([], list(parked.values()))


@pytest.mark.parametrize(
    ("ghl", "emailoctopus", "diverged"),
    [
        (person(tags={"vip"}), subscriber(tags={"vip"}), False),
        (person(tags={"vip"}), subscriber(), True),
        (person(), subscriber(tags={"vip"}), True),
    ],
)
def test_tags_that_were_dropped_differ_until_they_are_equal_again(
    ghl: Snapshot, emailoctopus: Snapshot, diverged: bool
) -> None:
    link = replace(LINK, diverged=frozenset({"tags"}))
    assert ("tags" in gathered(here(ghl), there(emailoctopus), link=link).diverged) is diverged


@pytest.mark.parametrize(
    ("ghl", "emailoctopus", "diverged"),
    [
        ((person(tags={"vip"}), {"vip", "beta"}), (subscriber(tags={"vip"}), {"vip"}), False),
        ((person(tags={"vip"}), {"vip"}), (subscriber(tags={"vip"}), {"vip", "News"}), False),
        ((person(tags={"vip"}), set[str]()), (subscriber(tags={"vip"}), {"vip"}), False),
        ((person(tags={"vip"}), {"vip"}), (subscriber(tags={"vip"}), set[str]()), False),
        ((person(tags={"vip"}), {"vip", "beta"}), (subscriber(), set[str]()), True),
    ],
)
def test_what_is_written_may_make_them_equal(ghl: Any, emailoctopus: Any, diverged: bool) -> None:
    link = replace(LINK, diverged=frozenset({"tags"}))
    one, other = here(ghl[0], tags=ghl[1]), there(emailoctopus[0], tags=emailoctopus[1])
    assert ("tags" in gathered(one, other, link=link).diverged) is diverged


def sent_tag(system: Any, contact_id: str, *names: str) -> dict[str, Any]:
    return {"sent": Sent(tags=frozenset(DIGESTER.tag(system, contact_id, name) for name in names))}


def test_tags_that_a_write_without_an_answer_left_are_agreed_as_they_are() -> None:
    died = sent_tag(EMAILOCTOPUS, "e1", "beta", "vip")
    # beta was to be added there and vip removed: one of the two arrived.
    other = there(subscriber(tags={"vip"}), tags={"vip", "beta"}, known=died)
    settled = gathered(here(person(tags={"vip"}), tags={"beta"}), other)
    assert operations(settled) == [tags(EMAILOCTOPUS, Action.REMOVE_TAGS, "vip", reason="tag changed in GoHighLevel")]
    taken_back = gathered(here(person(tags={"vip"})), other)
    assert operations(taken_back) == [
        tags(EMAILOCTOPUS, Action.REMOVE_TAGS, "beta", reason="tag changed in GoHighLevel")
    ]
    unread = gathered(here(person(tags={"vip"})), at_rest(subscriber(tags={"vip"}), **died))
    assert operations(unread) == []


def test_what_was_on_its_way_to_a_side_that_was_not_read_tells_nothing() -> None:
    died = sent_tag(EMAILOCTOPUS, "e1", "vip")
    assert operations(gathered(here(person(tags={"vip"})), at_rest(subscriber(), **died))) == []


def test_an_account_with_thousands_of_tags_makes_no_pair_dearer() -> None:
    counting = CountingDigester(b"a key of thirty-two bytes, or so")
    many = Detector(counting, RULES, book(["vip", *(f"tag {number}" for number in range(2000))]))
    now = person(tags={"vip", "tag 1999"}), subscriber(tags={"vip", "tag 1998"})
    sides = [CaseSide(agreed(one, many), staged(one)) for one in now]
    counting.asked = 0
    gathered(sides[0], sides[1], given(detector=many))
    assert counting.asked <= 2 * len({"vip", "tag 1998", "tag 1999"})


def test_so_they_are_in_ghl() -> None:
    died = sent_tag(GHL, "g1", "beta", "vip")
    one = here(person(tags={"vip"}), tags={"vip", "beta"}, known=died)
    settled = gathered(one, there(subscriber(tags={"vip"}), tags={"beta"}))
    assert operations(settled) == [tags(GHL, Action.REMOVE_TAGS, "vip", reason="tag changed in EmailOctopus")]
    taken_back = gathered(one, there(subscriber(tags={"vip"})))
    assert operations(taken_back) == [tags(GHL, Action.REMOVE_TAGS, "beta", reason="tag changed in EmailOctopus")]
