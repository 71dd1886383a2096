"""Values are compared by keyed digests that say nothing to anybody else."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_daemon.changes.digests import Digester, canonical
from sync_daemon.model.contact import Source, Value
from tests.unit.changes.values import ADA, DIGESTER, EMAILOCTOPUS, GHL, PENDING, REVOKED, at, person, subscriber


@pytest.mark.parametrize(
    ("one", "other"),
    [(5, 5.0), (-0.0, 0), (("b", "a"), ("a", "b")), (1e3, 1000), (2**60, 2**60)],
)
def test_one_value_has_one_canonical_form(one: Value, other: Value) -> None:
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (5, "5"),
        (5, 5.5),
        ("a", ("a",)),
        ("a; b", ("a", "b")),
        (("ab",), ("a", "b")),
        ("Ada", "ada"),
        ("Ada", "Ada "),
        (None, 0),
        (2**60, 2**60 + 1),
        (10**400, 10**400 + 1),
    ],
)
def test_different_values_differ(one: Value, other: Value) -> None:
    assert canonical(one) != canonical(other)


def test_a_blank_is_empty() -> None:
    assert canonical(None) == ""


@given(st.floats(allow_nan=False) | st.integers() | st.text() | st.lists(st.text(), min_size=1).map(tuple))
def test_every_value_has_a_form(value: Value) -> None:
    assert canonical(value)
    assert DIGESTER.field(GHL, "g1", "key", value) != DIGESTER.field(GHL, "g1", "key", None)


def test_an_address_is_the_same_for_every_contact_of_both_systems() -> None:
    assert DIGESTER.address(" ADA@Bücher.example") == DIGESTER.address("ada@xn--bcher-kva.example")
    assert DIGESTER.address("ada@example.com") != DIGESTER.address("bob@example.com")


def test_a_field_moved_to_another_contact_is_another() -> None:
    here = DIGESTER.field(GHL, "g1", "city=City", "Rome")
    assert here == DIGESTER.field(GHL, "g1", "city=City", "Rome")
    assert here not in {
        DIGESTER.field(GHL, "g2", "city=City", "Rome"),
        DIGESTER.field(EMAILOCTOPUS, "g1", "city=City", "Rome"),
        DIGESTER.field(GHL, "g1", "city=Town", "Rome"),
        DIGESTER.field(GHL, "g1", "city=City", "Oslo"),
    }


def test_a_tag_is_the_same_in_any_case_on_one_contact_alone() -> None:
    here = DIGESTER.tag(EMAILOCTOPUS, "e1", "VIP")
    assert here == DIGESTER.tag(EMAILOCTOPUS, "e1", " vip ")
    assert here not in {DIGESTER.tag(EMAILOCTOPUS, "e2", "vip"), DIGESTER.tag(GHL, "e1", "vip")}


def test_without_the_key_nothing_can_be_compared() -> None:
    other = Digester(b"another key")
    assert other.address(ADA) != DIGESTER.address(ADA)
    assert other.field(GHL, "g1", "k", "v") != DIGESTER.field(GHL, "g1", "k", "v")
    assert len(other.address(ADA)) == 12


def test_a_text_no_encoding_has_a_place_for_is_digested() -> None:
    assert DIGESTER.field(GHL, "g1", "k", "\ud800")


FULL = person(
    fields={"firstName": "Ada", "city": "Rome"},
    tags={"vip"},
    additional_addresses=("a@b.example",),
    contact_type="lead",
)


@pytest.mark.parametrize(
    "change",
    [
        {"address": "bob@example.com"},
        {"address": None},
        {"fields": {"firstName": "Ada", "city": "Oslo"}},
        {"fields": {"firstName": "Ada"}},
        {"fields": {"firstName": "Rome", "city": "Ada"}},
        {"tags": frozenset({"vip", "beta"})},
        {"tags": frozenset()},
        {"additional_addresses": ()},
        {"contact_type": "customer"},
        {"contact_id": "g2"},
        {"system": EMAILOCTOPUS},
        {"tags": frozenset(), "additional_addresses": ("vip", "a@b.example")},
        {"tags": frozenset({"vip", "a@b.example"}), "additional_addresses": ()},
    ],
)
def test_whatever_a_contact_says_counts(change: dict[str, Any]) -> None:
    assert DIGESTER.snapshot(replace(FULL, **change)) != DIGESTER.snapshot(FULL)


@pytest.mark.parametrize(
    "change",
    [
        {"updated_at": at(1)},
        {"source": Source.HINT},
        {"consent": REVOKED},
        {"consent": None},
        {"tags": frozenset({"VIP"})},
        {"fields": {"city": "Rome", "firstName": "Ada"}},
    ],
)
def test_when_and_how_it_was_read_and_consent_do_not(change: dict[str, Any]) -> None:
    assert DIGESTER.snapshot(replace(FULL, **change)) == DIGESTER.snapshot(FULL)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"fields": {"a": "1"}}, {"tags": {"a=s1"}}),
        ({"tags": {"x"}}, {"additional_addresses": ("x",)}),
        ({"address": None, "contact_type": "x"}, {"address": "x"}),
    ],
)
def test_what_stands_in_one_place_is_not_what_stands_in_another(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert DIGESTER.snapshot(subscriber(**one)) != DIGESTER.snapshot(subscriber(**other))


def test_settings_are_noticed_when_they_change() -> None:
    assert DIGESTER.configuration(PENDING, 1) == DIGESTER.configuration(PENDING, 1)
    assert DIGESTER.configuration(PENDING, 1) != DIGESTER.configuration(PENDING, "1")
