"""Contract, section 3: conversions are one table, GHL type x EmailOctopus type."""

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_daemon.model.contact import Value
from sync_daemon.reconcile.conversion import (
    TABLE,
    Fidelity,
    NotConvertible,
    convert,
    emailoctopus_type_for,
    fidelity,
    ghl_type_for,
    is_cut,
    known_form,
)

WORDS = {"exact": Fidelity.EXACT, "lossy": Fidelity.LOSSY, "-": Fidelity.REFUSED}
COLUMNS = ("text", "number", "date", "choice_single", "choice_multiple")
WRITTEN_OUT = """
    STANDARD          exact  lossy  lossy  lossy  -
    TEXT              exact  lossy  lossy  lossy  -
    LARGE_TEXT        exact  lossy  lossy  lossy  -
    PHONE             exact  -      -      -      -
    EMAIL             exact  -      -      -      -
    COUNTRY           exact  -      -      -      -
    TIME              exact  -      -      -      -
    SINGLE_OPTIONS    exact  -      -      exact  lossy
    RADIO             exact  -      -      exact  lossy
    MULTIPLE_OPTIONS  lossy  -      -      lossy  exact
    CHECKBOX          lossy  -      -      lossy  exact
    NUMERICAL         lossy  lossy  -      -      -
    MONETORY          lossy  lossy  -      -      -
    FLOAT             lossy  lossy  -      -      -
    DATE              lossy  -      exact  -      -
    TEXTBOX_LIST      -      -      -      -      -
    FILE_UPLOAD       -      -      -      -      -
    SIGNATURE         -      -      -      -      -
"""
EXPECTED = {
    (row.split()[0], column): WORDS[word]
    for row in WRITTEN_OUT.strip().splitlines()
    for column, word in zip(COLUMNS, row.split()[1:], strict=True)
}
GHL_TYPES = tuple(dict.fromkeys(ghl for ghl, _ in EXPECTED))


def test_the_whole_table() -> None:
    assert TABLE == EXPECTED


@pytest.mark.parametrize(("pair", "expected"), EXPECTED.items(), ids="-".join)
def test_each_pair_by_name(pair: tuple[str, str], expected: Fidelity) -> None:
    assert fidelity(*pair) is expected


def test_types_nobody_documented_are_refused() -> None:
    assert fidelity("HOLOGRAM", "text") is fidelity("TEXT", "hologram") is Fidelity.REFUSED


@pytest.mark.parametrize("ghl_type", GHL_TYPES)
def test_a_field_that_is_made_keeps_the_values_of_its_partner(ghl_type: str) -> None:
    made = emailoctopus_type_for(ghl_type)
    if made is None:
        assert all(EXPECTED[ghl_type, column] is Fidelity.REFUSED for column in COLUMNS)
    else:
        best = {EXPECTED[ghl_type, column] for column in COLUMNS}
        assert EXPECTED[ghl_type, made] is (Fidelity.EXACT if Fidelity.EXACT in best else Fidelity.LOSSY)


@pytest.mark.parametrize(
    ("emailoctopus_type", "made"),
    [
        ("text", "LARGE_TEXT"),
        ("number", "NUMERICAL"),
        ("date", "DATE"),
        ("choice_single", "SINGLE_OPTIONS"),
        ("choice_multiple", "MULTIPLE_OPTIONS"),
        ("hologram", None),
    ],
)
def test_what_is_made_in_ghl(emailoctopus_type: str, made: str | None) -> None:
    assert ghl_type_for(emailoctopus_type) == made


# Values

TEXTS = st.text(min_size=1)
CHOICES = st.lists(TEXTS, min_size=1, unique=True).map(lambda items: tuple(sorted(items)))
DATES = st.dates().map(str)
HELD: dict[str, st.SearchStrategy[Value]] = {
    **dict.fromkeys(("STANDARD", "TEXT", "LARGE_TEXT", "EMAIL", "COUNTRY", "TIME", "text"), TEXTS),
    "PHONE": st.sampled_from(["+41791234567", "+14155550123", "nobody's", "+1"]),
    **dict.fromkeys(("SINGLE_OPTIONS", "RADIO", "choice_single"), TEXTS),
    **dict.fromkeys(("MULTIPLE_OPTIONS", "CHECKBOX", "choice_multiple"), CHOICES),
    "DATE": DATES,
    "date": DATES,
}
"""What a field of each type holds, as its system returns it."""
EXACT_PAIRS = [pair for pair, how in EXPECTED.items() if how is Fidelity.EXACT]


@pytest.mark.parametrize("pair", EXACT_PAIRS, ids="-".join)
@given(data=st.data())
def test_exact_pairs_bring_a_value_there_and_back(pair: tuple[str, str], data: st.DataObject) -> None:
    for there, back in (pair, pair[::-1]):
        value = data.draw(HELD[back])
        returned = convert(convert(value, there), back)
        if there == "PHONE":
            assert known_form(returned, "PHONE") == known_form(value, "PHONE")
        else:
            assert returned == value


@given(st.integers(min_value=-(2**53), max_value=2**53))
def test_whole_numbers_survive_where_both_have_numbers_or_text(number: int) -> None:
    assert convert(convert(number, "number"), "NUMERICAL") == number
    assert convert(convert(number, "text"), "NUMERICAL") == number
    assert convert(convert(f" {number} ", "NUMERICAL"), "text") == str(number)


@pytest.mark.parametrize(
    ("value", "to_type", "becomes"),
    [
        (" Ada ", "text", " Ada "),
        (5, "text", "5"),
        (5.0, "TEXT", "5"),
        (5.25, "STANDARD", "5.25"),
        (("a", "b"), "LARGE_TEXT", "a; b"),
        ("12", "number", 12),
        ("1e3", "number", 1000),
        (12.0, "number", 12),
        ("12.5", "NUMERICAL", 12.5),
        ("9007199254740993", "number", 9007199254740993),
        ("-12345678901234567890", "NUMERICAL", -12345678901234567890),
        ("2026-02-03T00:00:00.000Z", "date", "2026-02-03"),
        (" 2026-02-03 ", "DATE", "2026-02-03"),
        (("gold",), "choice_single", "gold"),
        ("gold", "choice_multiple", ("gold",)),
        (("b", "a"), "CHECKBOX", ("a", "b")),
        (5, "RADIO", "5"),
        (5, "MULTIPLE_OPTIONS", ("5",)),
        (0, "CHECKBOX", ("0",)),
        ("+41 79 123 45 67", "PHONE", "+41791234567"),
        ("079 123 45 67", "PHONE", "079 123 45 67"),
        ("not a phone", "PHONE", "not a phone"),
    ],
)
def test_the_form_a_value_takes(value: Value, to_type: str, becomes: Value) -> None:
    converted = convert(value, to_type)
    assert (type(converted), converted) == (type(becomes), becomes)


def test_a_national_phone_number_is_read_by_the_locations_country() -> None:
    assert convert("079 123 45 67", "PHONE", country="CH") == "+41791234567"
    assert convert("079 123 45 67", "text", country="CH") == "079 123 45 67"


SECRET = "s3cret"


NOT_A_NUMBER, NOT_WHOLE = "the value is not a number", "EmailOctopus numbers are whole numbers"
NOT_A_DATE, NOT_OF_THE_CALENDAR = (
    "the value is not a date (YYYY-MM-DD)",
    "the value is not a date of the calendar",
)
TOO_MANY, NOT_A_PHONE = "several choices don't fit a field with one", "the value is not a phone number"


@pytest.mark.parametrize(
    ("value", "to_type", "why"),
    [
        (SECRET, "number", NOT_A_NUMBER),
        ("", "NUMERICAL", NOT_A_NUMBER),
        ("nan", "number", NOT_A_NUMBER),
        ("inf", "FLOAT", NOT_A_NUMBER),
        (float("inf"), "NUMERICAL", NOT_A_NUMBER),
        (float("nan"), "number", NOT_A_NUMBER),
        ("1_000", "number", NOT_A_NUMBER),
        ("١٢", "number", NOT_A_NUMBER),
        ("1,5", "NUMERICAL", NOT_A_NUMBER),
        ("9" * 5000, "number", NOT_A_NUMBER),
        (5.5, "number", NOT_WHOLE),
        ("5.5", "number", NOT_WHOLE),
        (("1",), "number", NOT_A_NUMBER),
        (SECRET, "date", NOT_A_DATE),
        ("2026-13-01", "DATE", NOT_OF_THE_CALENDAR),
        ("2026-02-30", "date", NOT_OF_THE_CALENDAR),
        ("20260203", "date", NOT_A_DATE),
        ("2026-02-031", "date", NOT_A_DATE),
        (20260203, "date", NOT_A_DATE),
        (("2026-02-03",), "date", NOT_A_DATE),
        ((SECRET, "b"), "choice_single", TOO_MANY),
        ((SECRET, "b"), "RADIO", TOO_MANY),
        (5, "PHONE", NOT_A_PHONE),
        ((SECRET,), "PHONE", NOT_A_PHONE),
        (SECRET, "FILE_UPLOAD", "fields of type FILE_UPLOAD can't be written"),
        (SECRET, "SIGNATURE", "fields of type SIGNATURE can't be written"),
        (SECRET, "TEXTBOX_LIST", "fields of type TEXTBOX_LIST can't be written"),
        (SECRET, "hologram", "fields of type hologram can't be written"),
    ],
)
def test_what_has_no_form_is_refused_without_a_word_about_the_value(value: Value, to_type: str, why: str) -> None:
    with pytest.raises(NotConvertible) as told:
        convert(value, to_type)
    assert str(told.value) == why


EVERY_TYPE = sorted({*GHL_TYPES, *COLUMNS, "hologram"})
ANYTHING = (
    st.text()
    | st.integers()
    | st.floats()
    | st.sampled_from([10**400, -(10**400)])
    | st.lists(st.text(), min_size=1, max_size=3).map(tuple)
)


@given(ANYTHING, st.sampled_from(EVERY_TYPE), st.sampled_from([None, "CH"]))
def test_every_value_is_converted_or_refused(value: Value, to_type: str, country: str | None) -> None:
    try:
        once = convert(value, to_type, country=country)
    except NotConvertible:
        known_form(value, to_type, country=country)
        return
    assert convert(once, to_type, country=country) == once
    form = known_form(once, to_type, country=country)
    assert form == known_form(value, to_type, country=country)


@pytest.mark.parametrize("to_type", EVERY_TYPE)
def test_a_blank_stays_blank(to_type: str) -> None:
    assert convert(None, to_type) is None
    assert known_form(None, to_type) is None


# What systems are known to change


@pytest.mark.parametrize(
    ("one", "other", "type_"),
    [
        ("Ada", " ADA ", "text"),
        ("STRASSE", "straße", "TEXT"),
        ("", None, "text"),
        ("  ", None, "TEXT"),
        ("+41 79 123 45 67", "+41791234567", "PHONE"),
        ("5", 5.0, "number"),
        ("5.50", 5.5, "NUMERICAL"),
        ("2026-02-03T10:00:00Z", "2026-02-03", "DATE"),
        (("b", "A"), ("a", " B"), "CHECKBOX"),
        (5, "5", "text"),
        ((), None, "choice_multiple"),
    ],
)
def test_known_forms_of_one_value(one: Value, other: Value, type_: str) -> None:
    assert known_form(one, type_) == known_form(other, type_)


@pytest.mark.parametrize(
    ("value", "type_", "form"),
    [
        ("079 100 00 00", "PHONE", "+41791000000"),
        (" Many ", "number", "many"),
        (" Ada ", "hologram", "ada"),
        (5.0, "hologram", "5"),
    ],
)
def test_the_known_form_of_a_value(value: Value, type_: str, form: Value) -> None:
    assert known_form(value, type_, country="CH") == form


@pytest.mark.parametrize(
    ("one", "other", "type_"),
    [
        ("Ada", "Eva", "text"),
        ("Ada", "Ad", "text"),
        ("a b", "a  b", "text"),
        ("+41791234567", "+41791234568", "PHONE"),
        (5, 6, "number"),
        (5.5, 5, "NUMERICAL"),
        ("2026-02-03", "2026-02-04", "DATE"),
        (("a",), ("a", "b"), "CHECKBOX"),
        ("Ada", None, "text"),
        (0, None, "number"),
    ],
)
def test_different_values_have_different_forms(one: Value, other: Value, type_: str) -> None:
    assert known_form(one, type_) != known_form(other, type_)


@pytest.mark.parametrize(
    ("short", "long", "cut"),
    [
        ("x" * 256, "x" * 300, True),
        ("x" * 200, "x" * 201, True),
        ("x" * 199, "x" * 300, False),
        ("x" * 256, "x" * 256, False),
        ("y" * 256, "x" * 300, False),
        ("x" * 300, "x" * 256, False),
        (None, "x" * 300, False),
        ("x" * 256, None, False),
        (5, 500, False),
    ],
)
def test_a_cut_value_is_the_beginning_of_a_longer_one(short: Value, long: Value, cut: bool) -> None:
    assert is_cut(short, long) is cut


def test_documented_types_are_all_there() -> None:
    """GHL's dataType words (locations.json) and EmailOctopus's types (its OpenAPI), beside this program's own two."""
    ghl = {ghl for ghl, _ in EXPECTED}
    assert {re.sub(r"\W", "", word) for word in ghl} == ghl
    assert ghl >= {"TEXT", "LARGE_TEXT", "NUMERICAL", "PHONE", "MONETORY", "CHECKBOX", "SINGLE_OPTIONS"}
    assert ghl >= {"MULTIPLE_OPTIONS", "FLOAT", "TIME", "DATE", "TEXTBOX_LIST", "FILE_UPLOAD", "SIGNATURE", "RADIO"}
    assert set(EXPECTED) == set(product(ghl, COLUMNS))
