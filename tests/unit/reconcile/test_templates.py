"""Texts with values in them: known names alone, nothing that could reach further."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_daemon.model.contact import Value
from sync_daemon.reconcile.templates import NAMES, Values, named_in, render, rendered

VALUES = Values(
    first_name="Ada",
    last_name="Lovelace",
    email="ada@example.com",
    campaign_name="Spring {first_name}",
    campaign_subject="Look",
    event="clicked",
    occurred_at=datetime(2026, 11, 26, 9, 5, tzinfo=UTC),
    fields={"Plan": "gold", "Score": 3.0, "Likes": ("tea", "rain"), "custom.x-y": 7},
)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Call {first_name} {last_name} at {email}", "Call Ada Lovelace at ada@example.com"),
        ("{campaign_name}: {campaign_subject}", "Spring {first_name}: Look"),  # what a value holds is no template
        ("{event} on {occurred_at:%Y-%m-%d at %H:%M}", "clicked on 2026-11-26 at 09:05"),
        ("{occurred_at}", "2026-11-26 09:05"),
        ("{field[Plan]}/{field[Score]}/{field[Likes]}/{field[custom.x-y]}/{field[Gone]}", "gold/3/tea, rain/7/"),
        ("{{first_name}} is {first_name}", "{first_name} is Ada"),
        ("no names", "no names"),
    ],
)
def test_names_become_values(template: str, text: str) -> None:
    list(named_in(template))
    assert render(template, VALUES) == text


@pytest.mark.parametrize(
    "template",
    [
        "{}", "{0}", "{name}", "{first_name.upper}", "{email.__class__.__mro__}", "{email[0]}", "{field}", "{field[]}",
        "{field[Plan].x}", "{field.Plan}", "{first_name!r}", "{first_name:>9}", "{field[Plan]:>9}", "{", "}",
        "{first_name",
        "{occurred_at:{event}}", "{ first_name }", "{First_Name}",
    ],
)  # fmt: skip
def test_nothing_else_is_taken(template: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        list(named_in(template))


@given(st.text(max_size=40))
def test_whatever_is_taken_can_be_rendered(template: str) -> None:
    try:
        places = list(named_in(template))
    except ValueError:
        return
    assert isinstance(render(template, Values()), str)
    assert all(place.name in (*NAMES, "field") for place in places)


@pytest.mark.parametrize("value", [None, "x", 2, 2.5, ("a",)])
def test_a_field_of_any_kind_is_a_text(value: Value) -> None:
    assert isinstance(render("{field[F]}", Values(fields={"F": value})), str)


def test_every_text_in_a_value_is_rendered() -> None:
    given_value = {"a": "{first_name}", "b": ["{event}", {"c": "{{x}}"}], "d": 3}
    assert rendered(given_value, VALUES) == {"a": "Ada", "b": ["clicked", {"c": "{x}"}], "d": 3}
