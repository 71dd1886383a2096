"""The plan's records: every one printed, however many there are."""

import pytest

from sync_daemon.commands.plan import show_records
from sync_daemon.model.plan import Action
from sync_daemon.model.system import SystemName
from tests.grants import operation


def test_every_record_of_a_long_plan_is_printed_once_under_one_heading(capsys: pytest.CaptureFixture[str]) -> None:
    operations = [
        operation(SystemName.EMAILOCTOPUS, Action.CREATE, f"g{number}", None, "new in GoHighLevel")
        for number in range(2500)
    ]
    show_records(operations)
    title, heading, *lines = capsys.readouterr().out.splitlines()
    assert (title.strip(), heading.split()[:2]) == ("record by record", ["write", "to"])
    assert [line.split()[2] for line in lines] == [f"g{number}" for number in range(2500)]


def test_a_plan_without_operations_prints_no_records(capsys: pytest.CaptureFixture[str]) -> None:
    show_records([])
    assert capsys.readouterr().out == ""
