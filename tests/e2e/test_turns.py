"""A pair's turn: nobody keeps others waiting for long, and what a turn leaves over is done in the next one."""

import pytest

from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.service import turn as turns
from sync_daemon.service.turn import PairTurn
from sync_daemon.settings.load import load
from sync_daemon.settings.variables import Variables
from sync_daemon.wiring.installation import open_installation
from tests.e2e.test_reconcile import differences
from tests.e2e.trial import Trial

pytestmark = pytest.mark.usefixtures("with_tables")


def test_a_first_load_gives_way_once_it_has_read_everything_and_goes_on_in_its_next_turn(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "_TURN_S", 0.0)
    for number in range(8):  # each is a request of its own
        trial.ghl.create(email=f"more{number}@example.com", firstName=f"More {number}")
    settings, reports = load(trial.write(), Variables({})), list[CycleReport]()
    with open_installation(settings) as installation:
        turn = PairTurn(
            settings.pairs[0],
            installation,
            reports.append,
            give_way=lambda: any("contacts" in one for one in trial.writes()),  # tags are made before each turn's work
        )
        mode: Mode | None = Mode.FULL
        while mode is not None:
            trial.forget_requests()
            mode = turn.left_over(turn.work(mode))
    assert differences(trial) == []
    assert [report.mode for report in reports] == [Mode.FULL, *[Mode.HINTS] * (len(reports) - 1)]
    assert len(reports) > 2


def test_a_cycle_that_keeps_nobody_waiting_takes_its_time(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_TURN_S", 0.0)
    settings = load(trial.write(), Variables({}))
    with open_installation(settings) as installation:
        turn = PairTurn(settings.pairs[0], installation, lambda _: None)
        assert turn.left_over(turn.work(Mode.FULL)) is None
    assert differences(trial) == []


def test_no_two_cycles_of_a_pair_are_made_at_once_in_one_process(trial: Trial) -> None:
    settings, during = load(trial.write(), Variables({})), list[CycleReport]()
    with open_installation(settings) as installation:
        turn = PairTurn(settings.pairs[0], installation, lambda _: during.append(turn.work(Mode.INCREMENTAL)))
        assert turn.work(Mode.FULL).outcome == "ok"
    assert [report.outcome for report in during] == ["busy"]
