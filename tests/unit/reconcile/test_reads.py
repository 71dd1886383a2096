"""Contract, sections 2 and 4: what must be read by id before anything is decided about it."""

from dataclasses import replace
from typing import Any

import pytest

from sync_daemon.changes.cases import Case, CaseSide, ContactKey
from sync_daemon.model.contact import Consent, Snapshot, Source
from sync_daemon.model.policy import ScopeRule
from sync_daemon.model.state import Baseline, Held, Parked, Sent
from sync_daemon.reconcile.decision import Context
from sync_daemon.reconcile.fields import MappedField
from sync_daemon.reconcile.reads import meets, reads_needed, seems_freed, unread, unread_steps
from tests.unit.changes.values import (
    CITY,
    DIGESTER,
    EMAILOCTOPUS,
    GHL,
    GRANTED,
    NAME,
    PENDING,
    REVOKED,
    agreed,
    at,
    book,
    detector,
    person,
    staged,
    subscriber,
)
from tests.unit.reconcile.cases import LINK, at_rest, context, linked

HERE, THERE = (GHL, "g1"), (EMAILOCTOPUS, "e1")
BOTH = {HERE, THERE}
MAPPED = (MappedField(NAME, "TEXT", "text"), MappedField(CITY, "TEXT", "text"))
BY = detector(tags=book(["vip", "beta"]))
CLUB = ScopeRule(tags_all=("club",))
OUT = replace(LINK, in_scope=False)
PARKED = Parked("g1", "e1", "tags", "refused", "", 1, at(99))
HELD = Held("g1", "e1", "tag_removal", "too many", at(0))


def side(snapshot: Snapshot, source: Source | None = Source.READ, **known: Any) -> CaseSide:
    """A linked contact, as agreed; `source` is what showed it now, None when nothing did."""
    row = agreed(snapshot, BY, **known)
    return CaseSide(row, staged(replace(snapshot, source=source)) if source else None)


def here(source: Source | None = Source.HINT, /, **known: Any) -> CaseSide:
    return side(person(), source, **known)


def there(source: Source | None = Source.LISTING, /, **known: Any) -> CaseSide:
    return side(subscriber(), source, **known)


def needed(case: Case, given: Context | None = None) -> frozenset[ContactKey]:
    return reads_needed(case, given or replace(context(), detector=BY, fields=MAPPED))


# What a search or a listing shows


@pytest.mark.parametrize(
    ("ghl", "emailoctopus", "reads"),
    [
        (here(), there(), set()),
        (here(None), there(), set()),
        (here(Source.READ), there(Source.READ), set()),
        (CaseSide(agreed(person()), replace(staged(person()), snapshot=None)), there(), {HERE}),
    ],
)
def test_linked_contacts_are_read_only_where_no_more_than_a_hint_came(
    ghl: CaseSide, emailoctopus: CaseSide, reads: set[ContactKey]
) -> None:
    assert needed(linked(ghl, emailoctopus)) == reads


@pytest.mark.parametrize(
    ("consent", "told", "reads"),
    [(None, False, {HERE}), (None, True, set()), (GRANTED, False, set()), (GRANTED, True, set())],
)
def test_consent_that_a_search_cannot_tell_is_read(consent: Consent | None, told: bool, reads: set[ContactKey]) -> None:
    given = replace(context(), search_tells_consent=told)
    ghl = CaseSide(agreed(person()), staged(person(consent=consent, source=Source.HINT)))
    assert needed(linked(ghl, there()), given) == reads
    listed = CaseSide(agreed(subscriber()), staged(subscriber(consent=None, source=Source.LISTING)))
    assert needed(linked(here(), listed), given) == set()


@pytest.mark.parametrize(("minutes", "reads"), [(50.01, {HERE}), (50, set()), (0, set())])
def test_a_hit_within_the_index_lag_of_our_own_write_is_read(minutes: float, reads: set[ContactKey]) -> None:
    assert needed(linked(here(written_at=at(minutes)), there(written_at=at(minutes)))) == reads


# What baselines can't tell


@pytest.mark.parametrize("ghl", [here(), here(None)])
def test_a_contact_without_a_partner_is_read_unless_a_page_showed_it(ghl: CaseSide) -> None:
    reads = {HERE} if ghl.snapshot is None else set[ContactKey]()
    assert needed(Case(ghl=ghl)) == reads
    assert needed(Case(emailoctopus=there(None))) == {THERE}


def test_two_that_meet_are_known_on_both_sides() -> None:
    assert needed(Case(ghl=here(None), emailoctopus=there())) == {HERE}
    assert needed(linked(here(), there(None), exchanged=True)) == {THERE}


@pytest.mark.parametrize(
    ("changes", "reads"),
    [
        ({"parked": {"tags": PARKED}}, BOTH),
        ({"held": (replace(HELD, approved=True),)}, BOTH),
        ({"held": (replace(HELD, discarded=True),)}, BOTH),
        ({"held": (replace(HELD, action="deletion"),)}, BOTH),
        ({"held": (HELD,)}, {THERE}),
    ],
)
def test_what_waits_is_decided_by_reads(changes: dict[str, Any], reads: set[ContactKey]) -> None:
    assert needed(linked(here(), there(None), **changes)) == reads
    assert needed(linked(here(Source.READ), there(Source.READ), **changes)) == set()


def test_a_duplicate_is_not_read_for_what_waits() -> None:
    duplicates = (side(person("g2"), None), side(person("g3"), Source.HINT))
    case = linked(here(), there(), parked={"tags": PARKED}, duplicates=duplicates)
    assert needed(case) == BOTH


@pytest.mark.parametrize(
    ("full", "link", "lacks", "reads"),
    [
        (True, LINK, "here", {THERE}),
        (True, LINK, "there", {THERE}),
        (True, LINK, "nothing", set()),
        (False, LINK, "here", set()),
        (True, OUT, "here", set()),
    ],
)
def test_a_field_that_the_mapping_gained_meets_on_both_sides_in_a_full_scan(
    full: bool, link: Any, lacks: str, reads: set[ContactKey]
) -> None:
    bare = {"baseline": Baseline(consent=GRANTED, tags=frozenset())}
    case = linked(here(**(bare if lacks == "here" else {})), there(None, **(bare if lacks == "there" else {})), link)
    given = replace(context(scope=CLUB), detector=BY, fields=MAPPED, full=full)
    assert needed(case, given) == reads
    unmet = linked(here(baseline=None), there(None), LINK)
    assert needed(unmet, replace(given, full=True)) == {THERE}


SENT = Sent(fields={NAME.key: b"whatever"})
SENT_TAG = Sent(tags=frozenset({DIGESTER.tag(GHL, "g1", "vip")}))


@pytest.mark.parametrize(
    ("sent", "there_now", "reads"),
    [
        (SENT, {"fields": {"FirstName": "Bob"}}, set()),  # still asked for
        (SENT, {"fields": {"FirstName": "Bob", "City": "Rome"}}, set()),
        (SENT, {"fields": {"City": "Rome"}}, {HERE}),
        (SENT, {}, {HERE}),
        (SENT, None, BOTH),
        (SENT_TAG, {"tags": {"vip"}}, set()),
        (SENT_TAG, {"tags": {"vip", "beta"}}, set()),
        (SENT_TAG, {"tags": {"beta"}}, {HERE}),
        (SENT_TAG, None, BOTH),
        (None, None, set()),
    ],
)
def test_what_a_write_without_an_answer_left_is_read_once_nobody_asks_for_it_any_more(
    sent: Sent | None, there_now: dict[str, Any] | None, reads: set[ContactKey]
) -> None:
    now = subscriber(source=Source.LISTING, **there_now) if there_now is not None else None
    other = CaseSide(agreed(subscriber(), BY), staged(now) if now else None)
    assert needed(linked(here(None, sent=sent), other)) == reads


def test_a_tag_that_was_being_removed_is_still_asked_for_while_it_is_gone_there() -> None:
    other = CaseSide(agreed(subscriber(tags={"vip"}), BY), staged(subscriber(source=Source.LISTING)))
    assert needed(linked(here(None, sent=SENT_TAG), other)) == set()
    back = CaseSide(agreed(subscriber(tags={"vip"}), BY), staged(subscriber(source=Source.LISTING, tags={"vip"})))
    assert needed(linked(here(None, sent=SENT_TAG), back)) == {HERE}


def test_the_other_way_round_too() -> None:
    sent = Sent(fields={NAME.key: b"whatever"})
    assert needed(linked(here(), there(None, sent=sent))) == {THERE}


# Meeting, and steps toward consent


@pytest.mark.parametrize(
    ("link", "tags", "exchanged", "first"),
    [
        (None, (), False, True),
        (LINK, (), True, True),
        (LINK, ("club",), False, False),
        (LINK, (), False, False),
        (OUT, ("club",), False, True),
        (OUT, (), False, False),
    ],
)
def test_who_meets(link: Any, tags: tuple[str, ...], exchanged: bool, first: bool) -> None:
    case = linked(side(person(tags=tags)), there(), link, exchanged=exchanged)
    assert meets(case, context(scope=CLUB)) is first


def test_whoever_is_out_of_scope_and_unread_has_not_come_back() -> None:
    assert not meets(linked(here(None), there(), OUT), context())


def test_a_step_toward_consent_rests_on_reads_of_both() -> None:
    assert unread(linked(here(), there())) == BOTH
    assert unread(linked(here(Source.READ), there(None))) == {THERE}
    assert unread(linked(here(Source.READ), there(Source.READ))) == frozenset()
    assert unread(Case(emailoctopus=there())) == {THERE}


def freed(before: Consent | None, now: Consent | None, source: Source = Source.HINT) -> CaseSide:
    row = agreed(person(), baseline=Baseline(consent=before) if before else None)
    return CaseSide(row, staged(person(consent=now, source=source)))


@pytest.mark.parametrize(
    ("before", "now", "seems"),
    [
        (REVOKED, GRANTED, True),
        (REVOKED, PENDING, True),
        (REVOKED, None, True),
        (REVOKED, REVOKED, False),
        (GRANTED, GRANTED, False),
        (None, GRANTED, False),
    ],
)
def test_a_lifted_block_is_believed_from_a_read_by_id_alone(
    before: Consent | None, now: Consent | None, seems: bool
) -> None:
    assert seems_freed(freed(before, now)) is seems
    assert unread_steps([freed(before, now)]) == ({HERE} if seems else set())
    assert unread_steps([freed(before, now, Source.READ)]) == set()


def test_who_was_not_seen_since_seems_as_he_was() -> None:
    assert not seems_freed(at_rest(person(consent=REVOKED)))
