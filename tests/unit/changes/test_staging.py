"""What of a page is kept: what differs from what is known, once, with the time it was first seen."""

from dataclasses import replace
from datetime import datetime
from itertools import product
from typing import Any

import pytest

from sync_daemon.changes.staging import StagedPage, StagingRules, adds_nothing, stage_page
from sync_daemon.model.contact import Snapshot, Source
from sync_daemon.model.state import Baseline, KnownContact, Link, Sighting, Staged, Unlinked
from tests.unit.changes.values import (
    ADA,
    BOB,
    CITY,
    DIGESTER,
    EMAILOCTOPUS,
    EVE,
    GRANTED,
    NAME,
    PENDING,
    REVOKED,
    agreed,
    at,
    book,
    detector,
    digest,
    person,
    seen,
    staged,
    subscriber,
)

BY = detector(tags=book(["vip"]))
LINK = Link("g1", "e1", scope_generation=b"scope as configured")
FIELDS = {"firstName": "Ada", "city": "Rome"}
BEFORE = person(fields=FIELDS, tags={"vip"})
AFTER = replace(BEFORE, fields=FIELDS | {"firstName": "Bob"}, updated_at=at(5))
GENERATION, SCOPE = b"as configured", b"scope as configured"
NOW = at(60)


def stage(
    *snapshots: Snapshot,
    known: KnownContact | None = None,
    link: Link | None = LINK,
    waiting: Staged | None = None,
    stuck: frozenset[str] = frozenset(),
    inside: bool = True,
    scan: int = 0,
    watermark: datetime | None = None,
    search_tells_consent: bool = True,
    apply_scope: bool = False,
) -> StagedPage:
    """Stage one contact's snapshots against what is known of it."""
    contact_id = snapshots[0].contact_id
    return stage_page(
        snapshots,
        {contact_id: known} if known else {},
        {contact_id: link} if link else {},
        {contact_id: waiting} if waiting else {},
        {contact_id: stuck},
        {contact_id: inside},
        StagingRules(BY, GENERATION, SCOPE, scan, watermark, search_tells_consent, NOW, apply_scope),
    )


def known(snapshot: Snapshot = BEFORE, **more: Any) -> KnownContact:
    return agreed(snapshot, BY, **{"generation": GENERATION, **more})


def parts(page: StagedPage) -> set[str]:
    (row,) = page.staged
    return set(row.changed_at)


def test_what_was_seen_before_leaves_no_trace() -> None:
    page = stage(BEFORE, known=known())
    assert (page.staged, page.contacts, page.missed) == ([], [], [])


def test_a_newer_time_alone_is_noted_and_no_change() -> None:
    page = stage(replace(BEFORE, updated_at=at(5)), known=known())
    assert page.staged == []
    assert page.contacts == [replace(known(), updated_at=at(5))]


def test_a_change_is_staged_with_its_time_and_noted() -> None:
    page = stage(AFTER, known=known())
    assert page.staged == [staged(AFTER, NAME.key)]
    assert page.contacts == [replace(known(), updated_at=at(5))]


def test_our_own_write_that_comes_back_ends_here() -> None:
    """It equals the baseline, which was moved by what the write returned."""
    written = known(AFTER, written_at=at(4), seen=None)
    page = stage(AFTER, known=written)
    assert page.staged == []
    assert page.contacts == [replace(written, seen=DIGESTER.snapshot(AFTER))]


def test_what_does_not_travel_is_remembered_as_seen() -> None:
    moved_house = replace(BEFORE, fields=FIELDS | {"website": "x"}, updated_at=at(5))
    page = stage(moved_house, known=known())
    assert page.staged == []
    assert page.contacts == [replace(known(), updated_at=at(5), seen=DIGESTER.snapshot(moved_house))]
    assert stage(moved_house, known=page.contacts[0]).contacts == []


@pytest.mark.parametrize("snapshot", [person("g9"), person("g9", None), subscriber("e9")])
def test_a_contact_without_a_link_is_staged_as_a_whole(snapshot: Snapshot) -> None:
    page = stage(snapshot, link=None)
    assert parts(page) == {"creation"}
    (row,) = page.contacts
    assert row.address == (digest(snapshot.address) if snapshot.address else None)
    assert (row.updated_at, row.consent, row.baseline) == (snapshot.updated_at, GRANTED, None)


def test_a_contact_without_a_link_that_was_handled_is_not_handled_again() -> None:
    handled = seen(BEFORE, unlinked=Unlinked.SUPPRESSED, generation=GENERATION, seen=DIGESTER.snapshot(BEFORE))
    assert stage(BEFORE, known=handled, link=None).staged == []
    assert parts(stage(AFTER, known=handled, link=None)) == {"creation"}


# The index that runs behind


def test_a_hint_older_than_what_is_known_is_dropped() -> None:
    newer = known(updated_at=at(7))
    old = replace(AFTER, source=Source.HINT)
    assert (stage(old, known=newer).staged, stage(old, known=newer).contacts) == ([], [])
    assert parts(stage(replace(old, updated_at=at(7)), known=newer)) == {NAME.key}


def test_a_dropped_hint_still_shows_that_the_contact_is_there() -> None:
    page = stage(replace(AFTER, source=Source.HINT), known=known(updated_at=at(7)), scan=4)
    assert page.staged == []
    assert page.contacts == [known(updated_at=at(7), scan=4)]


@pytest.mark.parametrize("source", [Source.LISTING, Source.READ])
def test_what_was_read_from_the_record_counts_whatever_its_time(source: Source) -> None:
    page = stage(replace(AFTER, source=source), known=known(updated_at=at(7)))
    assert parts(page) == {NAME.key}
    assert page.contacts[0].updated_at == at(7)


@pytest.mark.parametrize(("minutes", "echo"), [(3, True), (4, True), (5, False)])
def test_what_is_no_newer_than_our_last_writes_answer_is_an_echo(minutes: float, echo: bool) -> None:
    written = known(updated_at=at(4), written_at=at(4))
    assert stage(replace(AFTER, updated_at=at(minutes)), known=written).staged[0].echo is echo
    assert stage(replace(AFTER, updated_at=at(minutes)), known=known(updated_at=at(4))).staged[0].echo is False


@pytest.mark.parametrize(
    ("waiting", "echo"),
    [
        (Staged(AFTER.system, "g1", None), True),
        (staged(AFTER, NAME.key, echo=True), True),
        (staged(AFTER, NAME.key), False),
    ],
)
def test_what_waits_from_outside_is_no_echo_though_our_own_write_came_after_it(waiting: Staged, echo: bool) -> None:
    written = known(updated_at=at(5), written_at=at(4))
    assert stage(AFTER, known=written, waiting=waiting).staged[0].echo is echo


# The time of a change


def test_a_change_keeps_the_time_of_the_snapshot_that_showed_it_first() -> None:
    later = replace(AFTER, fields={**AFTER.fields, "city": "Oslo"}, updated_at=at(9))
    page = stage(later, known=known(), waiting=staged(AFTER, NAME.key))
    assert page.staged == [replace(staged(later), changed_at={NAME.key: at(5), CITY.key: at(9)})]


def test_what_waits_without_a_time_of_its_own_has_that_of_the_snapshot() -> None:
    assert stage(AFTER, known=known(), waiting=staged(AFTER)).staged[0].changed_at == {NAME.key: at(5)}


def test_a_field_that_changed_again_has_the_later_time() -> None:
    again = replace(AFTER, fields=FIELDS | {"firstName": "Eve"}, updated_at=at(9))
    page = stage(again, known=known(), waiting=staged(AFTER, NAME.key))
    assert page.staged[0].changed_at == {NAME.key: at(9)}


def test_a_status_that_changed_without_the_timestamp_has_the_time_of_the_look_that_showed_it() -> None:
    left = replace(BEFORE, consent=REVOKED)
    (row,) = stage(left, known=known()).staged
    assert row.changed_at == {"consent": NOW}
    moved = replace(left, updated_at=at(5))
    assert stage(moved, known=known()).staged[0].changed_at == {"consent": at(5)}
    (again,) = stage(moved, known=known(), waiting=row).staged
    assert again.changed_at == {"consent": NOW}


def test_a_change_that_was_taken_back_is_none() -> None:
    back = replace(BEFORE, updated_at=at(9))
    assert stage(back, known=known(), waiting=staged(AFTER, NAME.key)).staged == [staged(back)]


def test_a_row_without_a_snapshot_has_no_time_to_keep() -> None:
    hint = Staged(AFTER.system, "g1", None)
    assert stage(AFTER, known=known(), waiting=hint).staged == [staged(AFTER, NAME.key)]


def test_what_waits_is_replaced_by_what_is_seen_now_even_if_nothing_differs() -> None:
    hint = Staged(BEFORE.system, "g1", None)
    assert stage(BEFORE, known=known(), waiting=hint).staged == [staged(BEFORE)]


# Consent


@pytest.mark.parametrize(
    ("now", "before", "revoked"),
    [
        (REVOKED, GRANTED, True),
        (REVOKED, PENDING, True),
        (REVOKED, None, True),
        (REVOKED, REVOKED, False),
        (GRANTED, REVOKED, False),
        (PENDING, GRANTED, False),
    ],
)
def test_a_revocation_is_marked_to_go_first(now: Any, before: Any, revoked: bool) -> None:
    row = known(consent=before)
    row = replace(row, baseline=replace(row.baseline or Baseline(), consent=before))
    (found,) = stage(
        replace(BEFORE, consent=now, updated_at=at(5)), known=replace(row, seen=None), stuck=frozenset("x")
    ).staged
    assert found.revoked is revoked


def test_untold_consent_means_no_restriction_where_hits_have_told_it() -> None:
    hit = replace(BEFORE, source=Source.HINT, consent=None, updated_at=at(5))
    assert stage(hit, known=known()).staged == []
    blocked = known(replace(BEFORE, consent=REVOKED))
    assert parts(stage(hit, known=blocked, stuck=frozenset({"tags"}))) == {"tags"}


def test_untold_consent_of_a_touched_contact_is_to_be_read_where_hits_never_tell_it() -> None:
    hit = replace(BEFORE, source=Source.HINT, consent=None, updated_at=at(5))
    page = stage(hit, known=known(), search_tells_consent=False)
    assert page.staged == [staged(hit, "consent", revoked=True)]
    assert page.contacts[0].consent is GRANTED


@pytest.mark.parametrize("scan", [0, 1])
def test_an_untouched_contact_is_not_read_for_its_consent(scan: int) -> None:
    hit = replace(BEFORE, source=Source.HINT, consent=None)
    assert stage(hit, known=known(), search_tells_consent=False, scan=scan).staged == []


def test_who_was_never_seen_is_read_for_its_consent() -> None:
    hit = person("g9", source=Source.HINT, consent=None)
    (row,) = stage(hit, link=None, search_tells_consent=False).staged
    assert (set(row.changed_at), row.revoked) == ({"creation", "consent"}, True)


def test_a_block_that_was_seen_before_is_no_news() -> None:
    blocked = replace(BEFORE, consent=REVOKED)
    assert (stage(blocked, known=known(blocked)).staged, stage(blocked, known=known(blocked)).contacts) == ([], [])


# Addresses


def test_a_moved_address_is_marked_and_its_digest_kept() -> None:
    page = stage(replace(BEFORE, address=BOB, updated_at=at(5)), known=known())
    assert (page.staged[0].moved, parts(page)) == (True, {"address"})
    assert page.contacts[0].address == digest(BOB)


def test_an_emptied_address_too() -> None:
    page = stage(replace(BEFORE, address=None, updated_at=at(5)), known=known())
    assert (page.staged[0].moved, page.contacts[0].address) == (True, None)


@pytest.mark.parametrize(("link", "inside"), [(LINK, True), (replace(LINK, in_scope=False), False), (None, True)])
@pytest.mark.parametrize(("now", "kept"), [((EVE, BOB), {digest(EVE), digest(BOB)}), ((), set())])
def test_additional_addresses_are_noted_although_nothing_travels(
    link: Link | None, inside: bool, now: tuple[str, ...], kept: set[bytes]
) -> None:
    before = replace(BEFORE, additional_addresses=("old@example.com",))
    after = replace(before, additional_addresses=now, updated_at=at(5))
    page = stage(after, known=known(before), link=link, inside=inside)
    assert {key: set(found) for key, found in page.additional_addresses.items()} == {"g1": kept}


def test_who_never_had_additional_addresses_has_none_to_forget() -> None:
    assert stage(person("g9"), link=None).additional_addresses == {}
    assert stage(subscriber("e1"), link=None).additional_addresses == {}


def test_consent_belongs_to_the_address_that_a_contact_without_a_link_has() -> None:
    row = seen(BEFORE)
    assert stage(AFTER, known=row, link=None).contacts[0].baseline == Baseline(consent=GRANTED)
    assert stage(replace(AFTER, address=BOB), known=row, link=None).contacts[0].baseline is None
    assert stage(replace(AFTER, address=BOB), known=known()).contacts[0].baseline is not None


def test_whom_policy_unsubscribed_stays_so_under_another_address() -> None:
    orphan = seen(subscriber(consent=REVOKED), unlinked=Unlinked.ORPHAN)
    (row,) = stage(subscriber(address=BOB, minutes=5, consent=REVOKED), known=orphan, link=None).contacts
    assert row.baseline == Baseline(consent=REVOKED)


# Scope


OUTSIDE = replace(LINK, in_scope=False)


@pytest.mark.parametrize("scan", [0, 1])
def test_out_of_scope_nothing_but_revocations_is_staged(scan: int) -> None:
    assert stage(AFTER, known=known(), link=OUTSIDE, inside=False, scan=scan).staged == []
    revoked = replace(AFTER, consent=REVOKED)
    assert parts(stage(revoked, known=known(), link=OUTSIDE, inside=False, scan=scan)) == {"consent"}


def test_coming_back_is_staged_with_the_address_it_came_back_with() -> None:
    """Its partner's address may have changed meanwhile too, so it counts as moved in any case."""
    for address in (BEFORE.address, BOB, None):
        page = stage(replace(AFTER, address=address), known=known(), link=OUTSIDE, inside=True)
        assert (parts(page), page.staged[0].moved) == ({"scope", "address"}, True)


def test_out_of_scope_an_address_is_noted_although_it_does_not_travel() -> None:
    there = subscriber(minutes=5)
    for before, now in ((BEFORE, replace(AFTER, address=BOB)), (there, replace(there, address=BOB))):
        page = stage(now, known=known(before), link=OUTSIDE, inside=False)
        assert (page.staged, [row.address for row in page.contacts]) == ([], [digest(BOB)])


def test_leaving_is_staged() -> None:
    assert parts(stage(replace(BEFORE, updated_at=at(5)), known=known(seen=None), inside=False)) == {"scope"}


def test_an_emailoctopus_contact_neither_leaves_nor_comes_back() -> None:
    there = subscriber(fields={"FirstName": "Ada", "City": "Rome"}, tags={"vip"}, minutes=5)
    assert stage(there, known=known(replace(there, updated_at=at(0)), seen=None), inside=False).staged == []
    assert stage(there, known=known(there, seen=None), link=OUTSIDE, inside=True).staged == []


@pytest.mark.parametrize(("link", "inside"), [(LINK, True), (OUTSIDE, False)])
def test_whom_another_scope_leaves_as_it_was_is_under_that_scope_from_the_next_scan_on(
    link: Link, inside: bool
) -> None:
    old, before = replace(link, scope_generation=b"as it was"), known(generation=b"as it was")
    assert stage(BEFORE, known=before, link=old, inside=inside, scan=4).links == [link]
    assert stage(BEFORE, known=before, link=old, inside=inside).links == []
    assert stage(BEFORE, known=before, link=link, inside=inside, scan=4).links == []
    assert stage(BEFORE, known=before, link=old, inside=not inside, scan=4).links == []


def test_a_scope_is_judged_by_the_first_scan_and_for_contacts_of_ghl() -> None:
    old, before = replace(LINK, scope_generation=b"as it was"), known(generation=b"as it was")
    assert stage(BEFORE, known=before, link=old, scan=1).links == [LINK]
    there = subscriber(fields={"FirstName": "Ada", "City": "Rome"}, tags={"vip"})
    assert stage(there, known=known(there, generation=b"as it was"), link=old, scan=1).links == []
    touched = replace(BEFORE, fields=FIELDS | {"website": "x"}, updated_at=at(5))
    assert stage(touched, known=known(), link=old).links == []


def test_out_of_scope_consent_that_never_met_is_staged() -> None:
    assert parts(stage(AFTER, known=known(baseline=None), link=OUTSIDE, inside=False)) == {"consent"}


@pytest.mark.parametrize(
    ("link", "apply_scope", "inside", "leaves"),
    [
        (replace(OUTSIDE, left_by_configuration=True), True, False, True),
        (replace(OUTSIDE, left_by_configuration=True), False, False, False),
        (OUTSIDE, True, False, False),
        (LINK, True, False, True),
        (LINK, True, True, False),
        (None, True, False, False),
    ],
)
def test_whoever_left_a_narrowed_scope_is_asked_about_when_it_is_applied(
    link: Link | None, apply_scope: bool, inside: bool, leaves: bool
) -> None:
    handled = known(unlinked=Unlinked.OUT_OF_SCOPE) if link is None else known()
    page = stage(BEFORE, known=handled, link=link, inside=inside, apply_scope=apply_scope)
    assert [set(row.changed_at) for row in page.staged] == ([{"scope"}] if leaves else [])
    there = subscriber(fields={"FirstName": "Ada", "City": "Rome"}, tags={"vip"})
    assert stage(there, known=known(there), link=link, inside=inside, apply_scope=apply_scope).staged == []


# Full scans


def test_a_scan_marks_whom_it_saw() -> None:
    assert stage(BEFORE, known=known(scan=3), scan=4).contacts == [known(scan=4)]


def test_after_a_change_of_the_configuration_a_scan_looks_at_everybody_again() -> None:
    old = known(generation=b"as it was")
    assert stage(BEFORE, known=old).contacts == []
    assert stage(BEFORE, known=old, scan=4).contacts == [replace(old, generation=GENERATION, scan=4)]
    handled = replace(old, unlinked=Unlinked.OUT_OF_SCOPE)
    assert parts(stage(BEFORE, known=handled, link=None, scan=4)) == {"creation"}
    assert stage(BEFORE, known=handled, link=None).staged == []


@pytest.mark.parametrize(("minutes", "scan", "missed"), [(5, 1, True), (6, 1, False), (7, 1, False), (5, 0, False)])
def test_a_change_older_than_the_watermark_was_missed_by_the_polls(minutes: float, scan: int, missed: bool) -> None:
    page = stage(replace(AFTER, updated_at=at(minutes)), known=known(), scan=scan, watermark=at(6))
    assert page.missed == ([frozenset({NAME.key})] if missed else [])


def test_whom_the_polls_never_showed_was_missed_but_not_who_was_seen_and_skipped() -> None:
    assert stage(AFTER, link=None, scan=1, watermark=at(6)).missed == [frozenset({"creation"})]
    skipped = seen(BEFORE, unlinked=Unlinked.SUPPRESSED)
    assert stage(AFTER, known=skipped, link=None, scan=1, watermark=at(6)).missed == []
    assert stage(AFTER, link=None, scan=1).missed == []


def test_a_field_that_the_mapping_gained_meets_at_the_next_full_scan() -> None:
    row = known(generation=b"as it was")
    fields = {NAME.key: (row.baseline or Baseline()).fields[NAME.key]}
    gained = replace(row, baseline=replace(row.baseline or Baseline(), fields=fields))
    assert stage(BEFORE, known=gained).staged == []
    assert stage(replace(BEFORE, fields=FIELDS | {"website": "x"}), known=gained).staged == []
    assert parts(stage(BEFORE, known=gained, scan=1)) == {CITY.key}


# What waits


def test_what_is_parked_or_held_is_decided_anew_when_its_record_changes() -> None:
    moved_house = replace(BEFORE, fields=FIELDS | {"website": "x"}, updated_at=at(5))
    assert parts(stage(moved_house, known=known(), stuck=frozenset({CITY.key}))) == {CITY.key}
    assert stage(BEFORE, known=known(), stuck=frozenset({CITY.key})).staged == []


@pytest.mark.parametrize(
    ("row", "now", "found"),
    [
        ({}, {}, None),
        ({}, {"consent": REVOKED}, {CITY.key, "consent"}),
        ({}, {"updated_at": at(5)}, {CITY.key}),
        ({"seen": b"something else"}, {}, {CITY.key}),
        ({"written_at": None}, {}, {CITY.key}),
    ],
)
def test_what_is_parked_waits_for_its_time_while_a_contact_is_as_we_left_it(
    row: dict[str, Any], now: dict[str, Any], found: set[str] | None
) -> None:
    left = known(BEFORE, **{"written_at": at(0), "seen": None, **row})
    page = stage(replace(BEFORE, **now), known=left, stuck=frozenset({CITY.key}))
    assert [set(one.changed_at) for one in page.staged] == ([found] if found else [])


def test_what_was_refused_waits_whether_or_not_its_own_side_changed_but_consent_never_does() -> None:
    left = known(BEFORE, written_at=at(0), seen=None)
    moved = replace(BEFORE, fields=FIELDS | {"city": "Oslo"})
    assert stage(moved, known=left, stuck=frozenset({CITY.key})).staged == []
    blocked = known(BEFORE, written_at=at(0), seen=None, consent=REVOKED)
    revoked = replace(BEFORE, consent=REVOKED)
    assert parts(stage(revoked, known=blocked, stuck=frozenset({"consent"}))) == {"consent"}


def test_a_contact_without_a_link_is_a_creation_whatever_of_it_is_stuck() -> None:
    assert parts(stage(AFTER, link=None, stuck=frozenset({"tags"}))) == {"creation"}


def test_a_poll_judges_nobody_by_another_configuration() -> None:
    moved_house = replace(BEFORE, fields=FIELDS | {"website": "x"}, updated_at=at(5))
    (row,) = stage(moved_house, known=known(generation=b"as it was")).contacts
    assert row.generation == b"as it was"


def test_so_it_does_where_hits_never_tell_consent() -> None:
    left = known(replace(BEFORE, consent=REVOKED), written_at=at(0), seen=None)
    hit = replace(BEFORE, source=Source.HINT, consent=None)
    assert stage(hit, known=left, stuck=frozenset({CITY.key}), search_tells_consent=False).staged == []


def test_each_contact_of_a_page_is_held_against_its_own() -> None:
    page = stage_page(
        [AFTER, person("g2")],
        {"g1": known()},
        {"g1": LINK},
        {},
        {},
        {},
        StagingRules(BY, GENERATION, SCOPE, 0, None, search_tells_consent=True, now=NOW),
    )
    assert [(row.contact_id, set(row.changed_at)) for row in page.staged] == [("g1", {NAME.key}), ("g2", {"creation"})]
    assert all(row.system is not EMAILOCTOPUS for row in page.staged)


def test_an_address_that_was_left_is_told_to_whoever_waited_for_it() -> None:
    for link in (LINK, OUTSIDE, None):
        page = stage(replace(BEFORE, address=BOB, updated_at=at(5)), known=known(), link=link)
        assert page.left == {digest(ADA)}
    assert stage(replace(BEFORE, address=None), known=known()).left == {digest(ADA)}
    assert stage(AFTER, known=known()).left == stage(person("g9"), link=None).left == set()


# What a full scan needn't look at again


RECORD = b"as it came"


def scanned(snapshot: Snapshot, row: KnownContact, *, tells: bool = True, **around: Any) -> StagedPage:
    """A full scan's page of one contact, read from a record."""
    contact_id = snapshot.contact_id
    rules = StagingRules(BY, GENERATION, SCOPE, row.scan + 1, None, tells, NOW)
    waiting = around.get("waiting")
    return stage_page(
        [snapshot],
        {contact_id: row},
        {contact_id: around["link"]} if around.get("link") else {},
        {contact_id: waiting} if waiting else {},
        {contact_id: around.get("stuck", frozenset())},
        {contact_id: around.get("inside", True)},
        rules,
        {contact_id: RECORD},
    )


HITS = [replace(BEFORE, source=Source.HINT, consent=consent) for consent in (None, GRANTED, PENDING, REVOKED)]
ROWS = [
    replace(known(BEFORE), seen=seen_as, consent=consent, generation=generation, updated_at=at(minutes))
    for seen_as in (None, DIGESTER.snapshot(BEFORE))
    for consent in (None, GRANTED, PENDING, REVOKED)
    for generation in (GENERATION, b"as it was")
    for minutes in (-5, 0, 5)
]
AROUND = [
    {"link": link, "inside": inside, "stuck": stuck}
    for link in (None, LINK, replace(LINK, in_scope=False))
    for inside in (True, False)
    for stuck in (frozenset[str](), frozenset({CITY.key, "consent"}))
]


def test_whoever_is_passed_over_from_now_on_would_leave_nothing_to_do_whatever_else_is_known() -> None:
    marked = 0
    for hit, row, tells, first in product(HITS, ROWS, (True, False), AROUND):
        for one in scanned(hit, row, tells=tells, **first).contacts:
            if one.record is None:
                continue
            marked += 1
            stored = replace(one, record=None)
            for later_tells, then in product((True, False), AROUND):
                page = scanned(hit, stored, tells=later_tells, **then)
                assert page == StagedPage(contacts=[replace(one, scan=stored.scan + 1)])
    assert marked


@pytest.mark.parametrize("snapshot", [BEFORE, replace(BEFORE, source=Source.HINT, consent=None)])
def test_an_unchanged_contact_is_passed_over_from_now_on(snapshot: Snapshot) -> None:
    assert [row.record for row in scanned(snapshot, known(), link=LINK).contacts] == [RECORD]
    anew = known(generation=b"as it was")
    assert [row.record for row in scanned(snapshot, anew, link=LINK).contacts] == [RECORD]


def test_somebody_who_waits_or_is_staged_is_looked_at_again() -> None:
    waits = scanned(BEFORE, known(), link=LINK, waiting=Staged(BEFORE.system, BEFORE.contact_id, None))
    changed = scanned(AFTER, known(), link=LINK)
    assert [row.record for page in (waits, changed) for row in page.contacts] == [None, None]
    assert len(waits.staged) == len(changed.staged) == 1


def test_a_poll_that_shows_nothing_new_leaves_the_row_as_it_is() -> None:
    assert stage(BEFORE, known=known(scan=3)).contacts == []


def test_a_listing_older_than_what_is_known_is_looked_at_again_for_its_time() -> None:
    row = agreed(subscriber(source=Source.LISTING), BY, generation=GENERATION, updated_at=at(5))
    assert [one.record for one in scanned(subscriber(source=Source.LISTING), row).contacts] == [None]
    fresh = replace(row, updated_at=at(0))
    assert [one.record for one in scanned(subscriber(source=Source.LISTING), fresh).contacts] == [RECORD]


def test_what_of_a_poll_is_dropped_unseen_is_exactly_what_would_leave_nothing() -> None:
    dropped = 0
    for hit, row, tells, around, minutes in product(HITS, ROWS, (True, False), AROUND, (-7, -5, 0, 5)):
        snapshot = replace(hit, updated_at=at(minutes))
        link: Link | None = around["link"]  # type: ignore[assignment]  # of one mapping with other values
        page = stage(snapshot, known=row, **{**around, "link": link}, search_tells_consent=tells)  # type: ignore[arg-type]
        sighting = Sighting(row.seen, row.consent, row.updated_at)
        drops = adds_nothing(snapshot, sighting, DIGESTER, search_tells_consent=tells)
        assert drops == (page == StagedPage())
        dropped += drops
    assert dropped


def test_nobody_is_dropped_unseen_who_was_never_seen() -> None:
    assert not adds_nothing(BEFORE, Sighting(None, None, None), DIGESTER, search_tells_consent=True)
