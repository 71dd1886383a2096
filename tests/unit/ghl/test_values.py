"""Values between GHL's JSON and plain terms."""

from typing import Any

import pytest

from sync_daemon.model.contact import Value
from sync_daemon.systems.ghl import values


@pytest.mark.parametrize(
    ("raw", "type_", "plain"),
    [
        ("Ada", "TEXT", "Ada"),
        (" Ada ", "STANDARD", " Ada "),
        ("", "TEXT", None),
        (" \t", "LARGE_TEXT", None),
        (None, "TEXT", None),
        (35061, "STANDARD", "35061"),
        (1.5, "TEXT", "1.5"),
        (True, "TEXT", "true"),
        (12, "NUMERICAL", 12),
        (12.0, "MONETORY", 12),
        (12.5, "FLOAT", 12.5),
        ("12", "NUMERICAL", 12),
        (" -7 ", "NUMERICAL", -7),
        ("12.50", "MONETORY", 12.5),
        ("90071992547409931", "NUMERICAL", 90071992547409931),
        ("", "NUMERICAL", None),
        (0, "NUMERICAL", 0),
        ("twelve", "NUMERICAL", "twelve"),
        ("nan", "NUMERICAL", "nan"),
        ("1e999", "NUMERICAL", "1e999"),
        (True, "NUMERICAL", "true"),
        ("2026-02-28", "DATE", "2026-02-28"),
        ("1990-09-25T00:00:00.000Z", "DATE", "1990-09-25"),
        (1_771_372_800_000, "DATE", "2026-02-18"),
        ("1771372800000", "DATE", "2026-02-18"),
        (-86_400_000, "DATE", "1969-12-31"),
        ("next week", "DATE", "next week"),
        ("2026-02-31", "DATE", "2026-02-31"),
        ("2026-02-28 10:00", "DATE", "2026-02-28"),
        ("2026-02-28x", "DATE", "2026-02-28x"),
        (10**30, "DATE", str(10**30)),
        ("", "DATE", None),
        (["b", "a", "a", " "], "CHECKBOX", ("a", "b")),
        ("a", "MULTIPLE_OPTIONS", ("a",)),
        ([], "MULTIPLE_OPTIONS", None),
        ([1], "CHECKBOX", ("1",)),
        ({"box": "text"}, "TEXTBOX_LIST", None),
        ({"uuid": {"url": "x"}}, "FILE_UPLOAD", None),
        ("kept", "A TYPE OF TOMORROW", "kept"),
    ],
)
def test_reads_plain_values(raw: Any, type_: str, plain: Value) -> None:
    assert values.read(raw, type_) == plain
    assert type(values.read(raw, type_)) is type(plain)


@pytest.mark.parametrize("type_", ["TEXT", "NUMERICAL", "DATE", "CHECKBOX"])
def test_a_structure_is_unreadable_and_stays_unsaid(type_: str) -> None:
    with pytest.raises(values.Unreadable) as problem:
        values.read({"private": "secret"}, type_)
    assert "secret" not in str(problem.value)


@pytest.mark.parametrize(
    ("plain", "type_", "written"),
    [
        ("Ada", "STANDARD", "Ada"),
        (12, "NUMERICAL", 12),
        (("a", "b"), "CHECKBOX", ["a", "b"]),
        (None, "CHECKBOX", None),
        ("", "CHECKBOX", []),
        ("", "TEXT", ""),
        (None, "TEXT", None),
    ],
)
def test_writes_what_ghl_wants(plain: Value, type_: str, written: Any) -> None:
    assert values.written(plain, type_) == written
