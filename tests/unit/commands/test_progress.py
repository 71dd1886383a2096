"""What a person sees while a cycle runs."""

import io

import pytest
from rich.console import Console

from sync_daemon.commands.progress import LiveProgress, Spoken, shown_progress
from sync_daemon.model.system import SystemName

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS


def cost(system: SystemName, requests: int) -> float:
    return requests * (1.0 if system is GHL else 0.1)


def told(tally: Spoken) -> Spoken:
    tally.begin("main", cost)
    tally.pages_read(GHL, 500)
    tally.pages_read(GHL, 500)
    tally.pages_read(EMAILOCTOPUS, 100)
    tally.records_planned(1100)
    tally.planned(GHL, 200)
    tally.planned(EMAILOCTOPUS, 100)
    tally.sent(GHL, 20)
    tally.writes_done(GHL, 18)
    return tally


def test_the_slower_system_tells_the_time_that_is_left() -> None:
    assert told(Spoken()).seconds_left == 180


def test_what_is_likely_to_follow_counts_too() -> None:
    tally = told(Spoken())
    tally.foreseen(EMAILOCTOPUS, 9000)
    tally.foreseen(EMAILOCTOPUS, 4000)
    assert tally.seconds_left == 410


def test_the_sentence_counts_pages_records_and_writes() -> None:
    read = "main: read 1,000 ghl (2 pages), 100 emailoctopus (1 page)"
    assert told(Spoken()).sentence() == f"{read}; planned 1,100 records; wrote 18 to ghl, 0 to emailoctopus; 3 min left"


def test_a_plan_counts_records_and_writes_nothing() -> None:
    tally = Spoken()
    tally.begin("main", cost)
    tally.records_planned(1)
    assert tally.sentence() == "main: read 0 ghl (0 pages), 0 emailoctopus (0 pages); planned 1 record"


def test_another_pair_starts_anew() -> None:
    tally = told(Spoken())
    tally.begin("other", cost)
    assert (tally.sentence(), tally.seconds_left) == ("other: read 0 ghl (0 pages), 0 emailoctopus (0 pages)", 0)


def test_on_a_terminal_it_is_drawn_with_a_bar() -> None:
    screen = io.StringIO()
    Console(file=screen, force_terminal=True, width=160).print(told(LiveProgress()))
    assert "━" in screen.getvalue()
    assert "wrote 18 to ghl" in screen.getvalue()


def test_before_the_first_pair_nothing_is_drawn() -> None:
    screen = io.StringIO()
    Console(file=screen, force_terminal=True, width=120).print(LiveProgress())
    assert screen.getvalue().strip() == ""


def test_elsewhere_a_short_cycle_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress() as progress:
        progress.begin("main", cost)
        progress.pages_read(GHL, 500)
        progress.sent(GHL, 1)
    assert capsys.readouterr() == ("", "")


def test_elsewhere_a_long_cycle_says_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    with shown_progress() as progress:
        progress.begin("main", cost)
        for _ in range(25):
            now += 1
            progress.pages_read(GHL, 500)
    assert capsys.readouterr().err.splitlines() == [
        "main: read 5,000 ghl (10 pages), 0 emailoctopus (0 pages)",
        "main: read 10,000 ghl (20 pages), 0 emailoctopus (0 pages)",
    ]
