"""The real process: signals, pipes, kills, help; and the two commands that bring their own world."""

import json
import re
import shutil
import signal
import sys
import time
from pathlib import Path
from signal import Signals

import httpx
import pytest

from sync_daemon.cli import run
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.weather import Fault, Weather
from tests.e2e.test_reconcile import differences
from tests.e2e.trial import ROOT, Process, Trial, finished, start
from tests.plain import PLAIN

STREAMS = ("subscribed", "unsubscribed", "pending")


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", capsys.readouterr().out)


@pytest.mark.parametrize("line", [["nonsense"], ["status", "--nonsense"], ["reconcile", "--wait", "soon"], ["db", "x"],
                                  ["reconcile", "--wait", "-1"], ["reconcile", "--wait", "nan"]])  # fmt: skip
def test_bad_usage_is_told_without_a_stack_trace(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(line) == 2
    printed = capsys.readouterr()
    assert (printed.out, "Traceback" in printed.err) == ("", False)
    assert printed.err


def test_the_configuration_can_be_named_before_the_command(trial: Trial, capsys: pytest.CaptureFixture[str]) -> None:
    path = trial.write()
    assert run(["--config", str(path), "status", "--json"]) == 0
    assert run([f"--config={path}", "status", "--json"]) == 0
    first, second = re.split(r"(?<=\n)(?=\{)", capsys.readouterr().out)
    assert first == second


def test_the_configuration_can_be_named_by_a_variable(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNC_DAEMON_CONFIG", str(trial.write()))
    assert run(["status"]) == 0


def test_a_variable_that_names_no_configuration_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNC_DAEMON_CONFIG", "")
    assert run(["status"]) == 2
    assert "SYNC_DAEMON_CONFIG" in capsys.readouterr().err


@pytest.mark.parametrize("closed", ["1", "2"])
def test_a_closed_stream_is_no_failure_of_ours(trial: Trial, closed: str) -> None:
    command = f'exec "$0" -m sync_daemon status --config "$1" {closed}>&-'
    process = start(folder=trial.folder, command=["sh", "-c", command, sys.executable, str(trial.write())])
    answer = finished(process)
    assert (answer.status, "Traceback" in answer.err) == (0, False)


def test_what_nobody_foresaw_is_an_exit_status_and_a_log(
    trial: Trial, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pathlib.Path.read_text", lambda *_a, **_k: 1 / 0)
    assert run(["status", "--config", str(trial.path)]) == 1
    assert "unexpected_failure" in capsys.readouterr().err


@pytest.mark.parametrize("methods", [{"GET"}, {"POST", "PUT"}])
def test_a_cycle_that_is_interrupted_ends_at_once_and_gives_the_pair_back(trial: Trial, methods: set[str]) -> None:
    process = trial.start_and_signal(SystemName.GHL, 1, Signals.SIGINT, "reconcile", methods=methods)

    answer = finished(process)

    assert (answer.status, "Traceback" in answer.err) == (130, False)
    assert "Stopped. What was done is stored" in answer.err
    assert_goes_on(trial)


@pytest.mark.parametrize("methods", [{"GET"}, {"POST", "PUT"}])
def test_a_cycle_that_is_told_to_stop_answers_and_gives_the_pair_back(trial: Trial, methods: set[str]) -> None:
    process = trial.start_and_signal(SystemName.GHL, 1, Signals.SIGTERM, "reconcile", "--json", methods=methods)

    answer = finished(process)

    assert (answer.status, answer.err.count("Traceback")) == (0, 0)
    assert "Told to stop: the record in hand is finished" in answer.err
    assert answer.pair["outcome"] == "incomplete"
    requests = trial.sandbox.ghl.log.total + trial.sandbox.emailoctopus.log.total
    assert sum(answer.pair["requests"].values()) <= requests
    assert len(trial.writes()) <= 2 * 8, "no more than were under way"
    stored = trial.run("status", "--json").json["pairs"][0]["runs"][0]
    assert (stored["run_id"], stored["outcome"]) == (answer.pair["run_id"], "incomplete")
    assert_goes_on(trial)


def assert_goes_on(trial: Trial) -> None:
    """Nobody holds the pair, and the next run does all that is left."""
    trial.sandbox.ghl.weather = Weather()
    after = trial.run("reconcile", "--json")
    assert (after.status, after.pair["outcome"]) == (0, "ok")
    assert differences(trial) == []


def test_who_reads_the_table_is_told_that_it_was_stopped(trial: Trial) -> None:
    answer = finished(trial.start_and_signal(SystemName.GHL, 1, Signals.SIGTERM, "reconcile"))
    assert answer.status == 0
    assert "stopped as told: what was done is stored, the next run goes on from there" in " ".join(answer.out.split())


@pytest.mark.parametrize(("signal", "status"), [(Signals.SIGINT, 130), (Signals.SIGTERM, 0)])
def test_who_is_told_to_stop_waits_for_no_rate_limit(trial: Trial, signal: Signals, status: int) -> None:
    trial.run("reconcile")
    trial.sandbox.emailoctopus.log.clear()
    process = trial.start_and_signal(SystemName.EMAILOCTOPUS, 1, signal, "reconcile", methods={"GET"})
    trial.sandbox.emailoctopus.weather.throttle_rate = 1.0  # whose next request may go a minute later

    answer = finished(process, seconds=30)

    assert (answer.status, "Traceback" in answer.err) == (status, False)
    assert trial.sandbox.emailoctopus.log.total <= len(STREAMS), "nobody asked twice"


def test_who_is_told_to_stop_waits_for_no_other_process(trial: Trial) -> None:
    died = trial.start_and_signal(SystemName.EMAILOCTOPUS, 1, Signals.SIGKILL, "reconcile")
    assert finished(died).status == -Signals.SIGKILL
    trial.variables["SYNC_DAEMON_LOG_LEVEL"] = "info"
    waiting = trial.start("reconcile", "--json", "--wait", "60")
    assert waiting.stderr is not None
    assert any("waiting_for_the_pair" in line for line in waiting.stderr)

    waiting.send_signal(signal.SIGTERM)

    answer = finished(waiting, seconds=5)
    assert (answer.status, answer.pair["outcome"]) == (0, "busy")


@pytest.mark.parametrize("again", [True, False])
def test_a_second_sigterm_or_ten_seconds_end_what_does_not_end(trial: Trial, again: bool) -> None:
    process = trial.start_and_signal(SystemName.GHL, 1, Signals.SIGTERM, "reconcile", path="/contacts/$")
    for method, path in (("POST", "/contacts/$"), ("GET", "/contacts/search/duplicate$")):
        # A creation whose answer doesn't come in time, and then the look for what became of it.
        trial.sandbox.ghl.weather.faults.append(Fault(kind="latency", method=method, path=path, seconds=9, times=100))
    while "POST /contacts/" not in trial.writes():
        time.sleep(0.05)
    began = time.monotonic()
    while again and process.poll() is None and time.monotonic() < began + 5:
        process.send_signal(signal.SIGTERM)
        time.sleep(0.1)

    answer = finished(process, seconds=20)

    assert (answer.status, "Ended on the spot" in answer.err) == (143, True)
    assert (time.monotonic() - began < 5) is again


def test_a_reader_that_leaves_is_no_failure_of_ours(trial: Trial) -> None:
    process = trial.start("plan")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()


@pytest.mark.parametrize("command", [["status"], ["status", "--json"], ["reconcile"], ["plan"], ["--help"]])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_answer_that_cannot_be_written_is_told(trial: Trial, command: list[str], unbuffered: str) -> None:
    line = 'exec "$0" -m sync_daemon "$@" >/dev/full'
    given = command if command == ["--help"] else [*command, "--config", str(trial.write())]
    shell = ["sh", "-c", line, sys.executable]
    answer = finished(start(*given, folder=trial.folder, command=shell, variables={"PYTHONUNBUFFERED": unbuffered}))
    assert (answer.status, "Traceback" in answer.err) == (1, False)
    assert answer.err.endswith(
        "The answer can't be written to standard output: No space left on device. What was done until then is stored.\n"
    )


def test_the_sandbox_serves_until_it_is_stopped(tmp_path: Path) -> None:
    process = start("sandbox", "--json", "--write-config", "made/sandbox.yaml", folder=tmp_path)
    facts = read_object(process)
    lists = httpx.get(
        f"{facts['emailoctopus_url']}/lists",
        headers={"Authorization": f"Bearer {facts['emailoctopus_key']}"},
        verify=PLAIN,
    )
    assert lists.json()["data"][0]["id"] == facts["list_id"]

    plan = finished(start("plan", "--config", "made/sandbox.yaml", folder=tmp_path))
    assert (plan.status, "what would be written" in plan.out) == (0, True)

    process.send_signal(signal.SIGTERM)
    assert finished(process).status == 0
    refused = finished(start("sandbox", "--write-config", "made/sandbox.yaml", folder=tmp_path))
    assert (refused.status, "exists already" in refused.err) == (2, True)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README's lines need curl")
def test_the_outside_world_is_played_as_the_readme_says(tmp_path: Path) -> None:
    served = start("sandbox", "--json", "--write-config", "sandbox.yaml", folder=tmp_path)
    read_object(served)
    program = tmp_path / ".venv" / "bin" / "sync-daemon"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m sync_daemon "$@"\n')
    program.chmod(0o755)
    lines = re.search(r"^    set -- .*?(?=\n\n)", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert lines is not None

    answer = finished(start(folder=tmp_path, command=["sh", "-e", "-c", lines.group()]))

    assert answer.status == 0, answer.err
    assert "1 dnd set" in answer.out.splitlines()[-1]


def read_object(process: Process) -> dict[str, str]:
    """The JSON object that a process prints first."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line == "}\n":
            break
    return dict(json.loads("".join(lines)))


_HOLDS_THE_LOCK = """
import os, signal, threading
from sync_daemon import cli
from sync_daemon.wiring import stopping

cli._finishing.add(signal.SIGTERM)
cli.heed_signals()
with stopping._WOKEN._cond:
    os.kill(os.getpid(), signal.SIGTERM)
    print("in the middle of waiting", flush=True)
print(stopping.woken_within(30))
"""


def test_a_signal_may_come_while_the_main_thread_holds_any_lock(tmp_path: Path) -> None:
    process = start("-c", _HOLDS_THE_LOCK, folder=tmp_path, command=(sys.executable,))
    answer = finished(process, seconds=20)
    assert (answer.status, answer.out) == (0, "in the middle of waiting\nTrue\n")
