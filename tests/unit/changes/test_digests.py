"""Values are compared by keyed digests that say nothing to anybody else."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_daemon.changes.digests import Digester, canonical, wrapped
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


FIRST_KEY, LATER_KEY = Digester(b"a key"), Digester(b"a key", b"a later one")


@pytest.mark.parametrize(
    ("said", "first", "later"),
    [
        (lambda by: by.address("ada@example.com"), "eb34ebd642e185a361c80f79", "1204d94d6c890309a995c155"),
        (lambda by: by.field(GHL, "g1", "city=City", "Rome"), "95c9b60e6aedcf83f216ca2e", "2fa29020a535bd6f82d82721"),
        (lambda by: by.field(GHL, "g1", "city=City", None), "5b7a873e1a52feb83cc81145", "62df1d79937c9f035fd90a60"),
        (lambda by: by.sent_field(GHL, "g1", "city=City", " "), "5b7a873e1a52feb83cc81145", "62df1d79937c9f035fd90a60"),
        (lambda by: by.tag(EMAILOCTOPUS, "e1", "VIP"), "64eea36b939d6e52ac69b88d", "45edb0035c0356660c67ae63"),
        (lambda by: by.snapshot(FULL), "74269d192b02fb5fd3ac24c6", "a85970ac2c9d22d63846e263"),
        (lambda by: by.snapshot(subscriber(address=None)), "5835a715180ce0f3d3e3b59a", "d0cc2a20927ff36995c24a7b"),
        (lambda by: by.configuration(1, "a"), "6bbd4b79a62a9139ad512f3e", "2f775f139b68996b35b0f9a9"),
    ],
)
def test_what_is_stored_is_known_again_by_a_later_version(
    said: Callable[[Digester], bytes], first: str, later: str
) -> None:
    assert (said(FIRST_KEY).hex(), said(LATER_KEY).hex()) == (first, later)
    assert wrapped(said(FIRST_KEY), b"a later one") == said(LATER_KEY)


@pytest.mark.parametrize(
    ("value", "canonical_form"),
    [(5, "n5"), (5.0, "n5"), (5.5, "n5.5"), ("5", "s5"), (("b", "a"), "la\x1fb"), ("", "s"), ((), "l")],
)
def test_the_canonical_form_of_a_value(value: Value, canonical_form: str) -> None:
    assert canonical(value) == canonical_form


@pytest.mark.parametrize(
    ("sent", "there", "same"),
    [
        (" New  York ", "New York", True),
        ("x" * 201, "x" * 200, True),
        ("x" * 200, "x" * 199, False),
        ("x" * 199 + " y", "x" * 199, True),
        ("New York", "NewYork", False),
        (("a", "b"), ("b", "a"), True),
        (5.0, 5, True),
    ],
)
def test_a_value_that_was_sent_is_known_again_though_it_be_trimmed_or_cut(
    sent: Value, there: Value, same: bool
) -> None:
    sides = (DIGESTER.sent_field(GHL, "g1", "k", value) for value in (sent, there))
    assert (len(set(sides)) == 1) is same
    assert DIGESTER.sent_field(GHL, "g1", "k", " New  York ") == DIGESTER.field(GHL, "g1", "k", "New York")
