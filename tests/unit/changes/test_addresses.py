"""One person has one address, however it is typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_daemon.changes.addresses import is_valid, normalise


@pytest.mark.parametrize(
    ("typed", "compared"),
    [
        ("ada@example.com", "ada@example.com"),
        (" Ada@Example.COM\n", "ada@example.com"),
        ("ADA+News@example.com", "ada+news@example.com"),
        ("a.d.a@example.com", "a.d.a@example.com"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@BÜCHER.Example", "ada@xn--bcher-kva.example"),
        ("ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example"),
        ("ada@\uff42ücher.example", "ada@xn--bcher-kva.example"),
        ("ada@例え。jp", "ada@xn--r8jz45g.jp"),
        ("zoë@example.com", "zoë@example.com"),
        ("ZOË@faß.example", "zoë@xn--fa-hia.example"),
        ('"a@b"@Bücher.example', '"a@b"@xn--bcher-kva.example'),
    ],
)
def test_typed_differently_compared_alike(typed: str, compared: str) -> None:
    assert normalise(typed) == compared


@pytest.mark.parametrize("address", ["a+x@example.com", "b@example.com", "a.@example.com"])
def test_nothing_but_case_blanks_and_the_domain_is_taken_for_the_same(address: str) -> None:
    assert normalise(address) != normalise("a@example.com")


@pytest.mark.parametrize("address", ["", "@", "ada", "ada@", "ada@é..com", "ada@\ud800.com", "ada@é" + "x" * 99])
def test_what_has_no_ascii_form_stays_as_it_is(address: str) -> None:
    assert normalise(f" {address} ") == address


@given(st.text() | st.emails() | st.builds("{}@{}".format, st.text(), st.text()))
def test_the_normal_form_is_its_own_normal_form(address: str) -> None:
    once = normalise(address)
    assert normalise(once) == once
    assert normalise(f"\t{address.upper()} ") == normalise(address.upper())


@pytest.mark.parametrize("address", ["ada@example.com", " Ada+x@Example.COM ", "ada@bücher.example.com", "zoë@ex.io"])
def test_addresses_somebody_could_have(address: str) -> None:
    assert is_valid(address)


@pytest.mark.parametrize("address", ["", "ada", "ada@", "@example.com", "a b@example.com", "ada@@example.com", "a@b"])
def test_addresses_nobody_can_have(address: str) -> None:
    assert not is_valid(address)
