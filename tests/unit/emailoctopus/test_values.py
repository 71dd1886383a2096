import pytest

from sync_daemon.model.contact import Value
from sync_daemon.systems.emailoctopus import values


@pytest.mark.parametrize(
    ("type_", "sent", "value"),
    [
        ("text", "Ada", "Ada"),
        ("text", " Ada ", " Ada "),
        ("text", "  ", None),
        ("text", "", None),
        ("text", [], None),
        ("text", None, None),
        ("text", 7, "7"),
        ("text", True, "true"),
        ("number", 7, 7),
        ("number", "7", 7),
        ("number", 7.0, 7),
        ("number", "2.5", 2.5),
        ("number", "-3", -3),
        ("number", "", None),
        ("number", None, None),
        ("number", "seven", "seven"),
        ("number", "nan", "nan"),
        ("number", "1e999", "1e999"),
        ("date", "2026-01-05", "2026-01-05"),
        ("date", "2026-01-05T00:00:00+00:00", "2026-01-05"),
        ("date", "", None),
        ("choice_single", "One", "One"),
        ("choice_multiple", ["Two", "One", "Two"], ("One", "Two")),
        ("choice_multiple", [], None),
        ("choice_multiple", [""], None),
        ("choice_multiple", "One", ("One",)),
        ("choice_multiple", None, None),
        ("a_type_of_tomorrow", "x", "x"),
    ],
)
def test_reads_each_type_in_every_form(type_: str, sent: object, value: Value) -> None:
    assert values.read(sent, type_) == value


@pytest.mark.parametrize("type_", ["text", "number", "date", "choice_single"])
@pytest.mark.parametrize("sent", [{"secret": "value"}, ["secret"]])
def test_a_structure_is_unreadable_and_not_repeated(type_: str, sent: object) -> None:
    with pytest.raises(values.UnreadableValue) as trouble:
        values.read(sent, type_)
    assert "secret" not in str(trouble.value)


def test_writes_plain_json() -> None:
    assert values.written(("One", "Two")) == ["One", "Two"]
    assert values.written(None) is None
    assert values.written(7) == 7


@pytest.mark.parametrize(("value", "blank"), [(None, True), ("", True), ((), True), (0, False), ("x", False)])
def test_knows_what_clears(value: Value, *, blank: bool) -> None:
    assert values.is_blank(value) is blank
