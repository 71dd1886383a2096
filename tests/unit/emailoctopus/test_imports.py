"""Lines of the file that EmailOctopus's dashboard imports: exact, or blank; never a formula."""

import pytest

from sync_daemon.model.contact import FieldSpec, Value
from sync_daemon.systems.emailoctopus.imports import Columns, would_run


def columns(*names: str, kind: str = "text") -> Columns:
    return Columns.of(FieldSpec(name, name, kind) for name in names)


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("Ada", "Ada"),
        (7, "7"),
        (-7, "-7"),
        (1.5, "1.5"),
        ("2026-05-01", "2026-05-01"),
        (None, ""),
        ("+1 (206) 555", "+1 (206) 555"),
    ],
)
def test_values_stand_as_they_are(value: Value, cell: str) -> None:
    line = columns("Field").line("a@example.com", {"Field": value}, ("x", "y z"))
    assert line is not None
    assert (line.cells, line.blank, line.tags) == (("a@example.com", cell, "x,y z"), (), ())


def test_no_column_is_called_as_another() -> None:
    assert columns("FirstName").header == ("EmailAddress", "FirstName", "Tags")
    assert columns("tags").header == ("EmailAddress", "tags", "ContactTags")


def test_several_choices_have_no_column() -> None:
    some = columns("Kinds", kind="choice_multiple")
    assert (some.header, [spec.name for spec in some.impossible]) == (("EmailAddress", "Tags"), ["Kinds"])


@pytest.mark.parametrize("cell", ["=1", "@a", "+a", "-a", "+1+cmd|a", "\t1", "\r=1", "  =1", "\uff0b1a", "-"])
def test_what_a_spreadsheet_would_run(cell: str) -> None:
    assert would_run(cell)
    line = columns("Field").line("a@example.com", {"Field": cell}, (cell, "fine"))
    assert line is not None
    assert (line.cells, line.blank, line.tags) == (("a@example.com", "", "fine"), ("Field",), (cell,))
    assert columns().line(f"{cell}@example.com", {}, ()) is None


@pytest.mark.parametrize("cell", ["", "a=b", "a@b", "-1", "+4917012345", "+1 (206) 555-0100", "-1,5", "x\n=1", "1\t2"])
def test_what_it_wouldnt(cell: str) -> None:
    assert not would_run(cell)
