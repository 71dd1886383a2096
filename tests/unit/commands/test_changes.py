"""What of a line a spreadsheet gets."""

import pytest

from sync_daemon.commands.changes import harmless
from sync_daemon.model.policy import FieldRule
from sync_daemon.reconcile.logged import logged_words


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        (None, ""),
        ("firstName", "firstName"),
        ("=1+1", "'=1+1"),
        ("+41", "'+41"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("a=1", "a=1"),
    ],
)
def test_no_cell_is_a_formula(cell: str | None, told: str) -> None:
    assert harmless(cell) == told


def test_a_field_is_found_by_every_name_it_has() -> None:
    rules = (FieldRule("firstName", "FirstName"), FieldRule("custom.plan", "Plan"))
    plan = {"custom.plan=Plan", "custom.plan", "Plan"}
    assert logged_words("Plan", rules) == logged_words("custom.plan", rules) == plan
    assert logged_words("PLAN", rules) == plan | {"PLAN"}
    assert logged_words("tags", rules) == {"tags", "add_tags", "remove_tags", "tag_removal"}
    assert logged_words("OpenTasks", rules) == {"OpenTasks"}
