"""A part of a contact changed if and only if it differs from that side's own baseline."""

from dataclasses import replace
from typing import Any

import pytest

from sync_daemon.changes.detect import Detector
from sync_daemon.model.contact import Snapshot
from sync_daemon.model.policy import FieldRule, TagRule
from sync_daemon.model.state import Baseline, KnownContact, Link, Sent
from tests.unit.changes.values import (
    ADA,
    BOB,
    DIGESTER,
    EMAILOCTOPUS,
    GHL,
    NAME,
    REVOKED,
    RULES,
    CountingDigester,
    agreed,
    baseline_of,
    book,
    detector,
    digest,
    person,
    subscriber,
)

FIELDS = {"firstName": "Ada", "city": "Rome"}
TAGS = book(["vip", "beta"])
BY = detector(tags=TAGS)
BEFORE = person(fields=FIELDS, tags={"vip"})
LINK = Link("g1", "e1")


def parts(now: Snapshot, known: KnownContact | None = None, *, full: bool = False, **more: Any) -> set[str]:
    more = {"link": LINK, "in_scope": True, **more}
    return set(BY.differences(now, known or agreed(BEFORE, BY), full=full, **more))


def test_what_equals_the_baseline_is_no_change() -> None:
    assert parts(BEFORE) == set()
    assert parts(replace(BEFORE, updated_at=person(minutes=99).updated_at)) == set()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"fields": FIELDS | {"firstName": "Bob"}}, {"firstName=FirstName"}),
        ({"fields": {"firstName": "Ada"}}, {"city=City"}),
        ({"fields": {}}, {"firstName=FirstName", "city=City"}),
        ({"fields": FIELDS | {"website": "x"}}, set()),
        ({"tags": {"vip", "beta"}}, {"tags"}),
        ({"tags": {"beta"}}, {"tags"}),
        ({"tags": ()}, {"tags"}),
        ({"tags": {"VIP"}}, set()),
        ({"tags": {"vip", "never met"}}, set()),
        ({"consent": REVOKED}, {"consent"}),
        ({"consent": None}, set()),
        ({"address": BOB}, {"address"}),
        ({"address": None}, {"address"}),
        ({"address": " ADA@example.com"}, set()),
        ({"contact_type": "lead"}, set()),
        ({"additional_addresses": (BOB,)}, set()),
    ],
)
def test_each_part_is_found_by_itself(change: dict[str, Any], found: set[str]) -> None:
    assert parts(person(**{"fields": FIELDS, "tags": {"vip"}, **change})) == found


def test_a_field_that_never_met_is_no_change_until_a_full_scan() -> None:
    known = agreed(BEFORE, detector(NAME))
    known = replace(known, baseline=replace(known.baseline or Baseline(), tags=baseline_of(BEFORE, BY).tags))
    assert BY.field_changed(FieldRule("city", "City"), BEFORE, known) is None
    assert parts(BEFORE, known) == set()
    assert parts(BEFORE, known, full=True) == {"city=City"}


def test_a_field_whose_partner_is_another_never_met() -> None:
    assert BY.field_changed(FieldRule("city", "Town"), BEFORE, agreed(BEFORE, BY)) is None


def test_each_side_is_held_against_its_own_baseline() -> None:
    there = subscriber(fields={"FirstName": "ADA", "City": "rome"}, tags={"VIP"})
    assert BY.differences(there, agreed(there, BY), full=False, link=LINK, in_scope=True) == frozenset()
    borrowed = replace(agreed(BEFORE, BY), system=EMAILOCTOPUS, contact_id="e1")
    assert "firstName=FirstName" in BY.differences(there, borrowed, full=False, link=LINK, in_scope=True)


def test_what_was_about_to_be_sent_is_our_own() -> None:
    fields = {NAME.key: DIGESTER.sent_field(GHL, "g1", NAME.key, "Bob")}
    known = agreed(BEFORE, BY, sent=Sent(fields=fields))
    assert parts(replace(BEFORE, fields=FIELDS | {"firstName": "Bob"}), known) == set()
    assert parts(replace(BEFORE, fields=FIELDS | {"firstName": "Eve"}), known) == {NAME.key}
    assert parts(BEFORE, known) == set()


@pytest.mark.parametrize(("now", "half"), [("Bob", True), ("Ada", False), ("Eve", False)])
def test_what_a_write_without_an_answer_left_is_half_written(now: str, half: bool) -> None:
    fields = {NAME.key: DIGESTER.sent_field(GHL, "g1", NAME.key, "Bob")}
    snapshot = replace(BEFORE, fields=FIELDS | {"firstName": now})
    assert BY.half_written(NAME, snapshot, agreed(BEFORE, BY, sent=Sent(fields=fields))) is half
    assert not BY.half_written(NAME, snapshot, agreed(BEFORE, BY))
    assert not BY.half_written(NAME, snapshot, agreed(BEFORE, BY, baseline=None, sent=Sent(fields=fields)))


def test_tags_that_were_about_to_be_sent_are_told_by_ghls_name() -> None:
    by = detector(tags=book(["vip", "beta"], ["News"], rule=TagRule(prefix="eo ", exclude=("beta",))))
    sent = frozenset(DIGESTER.tag(GHL, "g1", name) for name in ("beta", "eo news"))
    assert by.tags_sent(agreed(BEFORE, by, sent=Sent(tags=sent))) == {"eo news"}
    assert by.tags_sent(agreed(subscriber(), by, sent=Sent(tags=sent))) == set()
    assert by.tags_sent(agreed(BEFORE, by)) == set()


@pytest.mark.parametrize(("address", "found"), [(None, set()), (ADA, {"address"})])
def test_an_address_that_was_emptied_is_there_again(address: str | None, found: set[str]) -> None:
    emptied = replace(LINK, address_emptied=True)
    before = replace(BEFORE, address=address)
    assert parts(before, agreed(before, BY), link=emptied) == found
    there = subscriber(fields={"FirstName": "Ada", "City": "Rome"}, tags={"vip"})
    assert BY.differences(there, agreed(there, BY), full=False, link=emptied, in_scope=True) == frozenset()
    assert parts(before, agreed(before, BY), link=None) == set()


def test_without_a_baseline_consent_never_met() -> None:
    assert "consent" in parts(BEFORE, KnownContact(GHL, "g1"))


def test_an_address_that_was_about_to_be_sent_is_yet_to_be_agreed() -> None:
    known = agreed(BEFORE, BY, sent=Sent(address=digest(BOB)))
    assert parts(replace(BEFORE, address=BOB), known) == {"address"}
    assert parts(BEFORE, known) == set()


@pytest.mark.parametrize(
    ("linked_in_scope", "now_in_scope", "found"),
    [(True, True, set()), (True, False, {"scope"}), (False, True, {"scope"}), (False, False, set())],
)
def test_leaving_and_coming_back_into_scope(linked_in_scope: bool, now_in_scope: bool, found: set[str]) -> None:
    link = replace(LINK, in_scope=linked_in_scope)
    assert parts(BEFORE, link=link, in_scope=now_in_scope) == found
    there = subscriber(fields={"FirstName": "Ada", "City": "Rome"}, tags={"vip"})
    assert BY.differences(there, agreed(there, BY), full=False, link=link, in_scope=now_in_scope) == frozenset()


def test_without_a_baseline_there_is_no_address_to_change_from() -> None:
    assert not BY.address_changed(BEFORE, KnownContact(GHL, "g1"))


def test_tags_outside_the_filter_are_not_seen() -> None:
    narrow = detector(tags=book(["vip", "beta"], rule=TagRule(exclude=("beta",))))
    now = replace(BEFORE, tags=frozenset({"vip", "beta"}))
    assert narrow.differences(now, agreed(BEFORE, BY), full=False, link=LINK, in_scope=True) == frozenset()
    assert set(narrow.tags_now(now)) == {"vip"}


def test_a_tag_that_left_the_filter_and_returned_meets_anew() -> None:
    known = agreed(replace(BEFORE, tags=frozenset({"vip", "beta"})), BY)
    assert set(BY.tags_before(known)) == {"vip", "beta"}
    returned = book(known=[replace(tag, entered=3 if tag.name == "beta" else 0) for tag in TAGS.all()])
    assert set(detector(tags=returned).tags_before(known)) == {"vip"}
    met = replace(known, baseline=replace(known.baseline or Baseline(), generation=3))
    assert set(detector(tags=returned).tags_before(met)) == {"vip", "beta"}


def test_tags_are_known_and_remembered_by_ghls_name() -> None:
    by = detector(tags=book(["vip"], ["News"], rule=TagRule(prefix="eo ")))
    there, here = subscriber(tags={"VIP", "NEWS"}), person(tags={"vip", "eo news"})
    assert set(by.tags_now(there)) == set(by.tags_now(here)) == {"vip", "eo news"}
    assert set(by.tags_before(agreed(there, by))) == set(by.tags_before(agreed(here, by))) == {"vip", "eo news"}


def test_tags_that_never_met_had_none() -> None:
    known = agreed(BEFORE, BY)
    assert BY.tags_before(replace(known, baseline=replace(known.baseline or Baseline(), tags=None))) == {}
    assert BY.tags_before(replace(known, baseline=None)) == {}


@pytest.mark.parametrize("fields", [FIELDS, FIELDS | {"firstName": "Bob"}])
def test_an_account_with_thousands_of_tags_makes_no_contact_dearer(fields: dict[str, str]) -> None:
    counting = CountingDigester(b"a key of thirty-two bytes, or so")
    many = Detector(counting, RULES, book(["vip", "beta", *(f"tag {number}" for number in range(2000))]))
    known = agreed(replace(BEFORE, tags=frozenset({"vip", "tag 1999"})), many)
    counting.asked = 0
    now = replace(BEFORE, fields=fields, tags=frozenset({"vip", "tag 1999"}))
    many.differences(now, known, full=False, link=LINK, in_scope=True)
    assert counting.asked == 2
    lost = replace(now, tags=frozenset({"vip"}))
    assert "tags" in many.differences(lost, known, full=False, link=LINK, in_scope=True)
