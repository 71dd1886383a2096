"""The dashboard of real processes: who gets in, and the demo that stays up."""

import os
import re
import signal
import time
from pathlib import Path

import httpx
import pytest

from sync_daemon.settings.passwords import Hash
from tests.e2e.forked import Forked
from tests.e2e.trial import ROOT, Answer, Trial, finished, start
from tests.plain import PLAIN

_HASH = str(Hash(14, 8, 5, b"s" * 16, b"d" * 32))
_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


def password(*arguments: str, given: str) -> Answer:
    process = Forked(("password", *arguments), ROOT, os.environ, listens=True)
    try:
        process.say(given)
        return finished(process, seconds=60)
    finally:
        process.close()


def test_a_line_of_password_lets_somebody_in(trial: Trial) -> None:
    made = password("ada", "--role", "reader", given="correct horse battery\n")
    assert made.status == 0, made.err
    assert "correct horse" not in made.out + made.err
    users = f"service:\n  http:\n    port: 0\n    users:\n      {made.out}"
    trial.variables["SYNC_DAEMON_LOG_FORMAT"] = "json"
    process = trial.start("run", config=trial.config + users)
    try:
        assert process.stderr is not None
        url = next(found[1] for line in process.stderr if (found := re.search(r'"address": "([^"]+)"', line)))
        with httpx.Client(base_url=url, follow_redirects=True, timeout=60, verify=PLAIN) as client:
            token = _TOKEN.search(client.get("/").text)
            assert token is not None
            fields = {"csrf": token[1], "name": "ada", "password": "correct horse battery"}
            home = client.post("/login", data=fields)
            assert home.url.path == "/"
            assert "ada" in home.text
            assert "Sync now" not in home.text
            assert client.get("/healthz").status_code == 200
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def test_a_password_that_is_too_short_is_refused() -> None:
    made = password("ada", given="short\n")
    assert (made.status, made.out) == (2, "")
    assert "at least 10 characters" in made.err


def test_without_a_name_the_hash_alone_is_printed() -> None:
    made = password(given="correct horse battery\n")
    assert re.fullmatch(r"scrypt:14:8:5:[\w-]+:[\w-]+\n", made.out)
    assert made.err == ""


def test_the_demo_stays_up_with_its_dashboard(tmp_path: Path) -> None:
    process = start("demo", "--serve", folder=tmp_path, variables={"PYTHONUNBUFFERED": "1"})
    assert process.stdout is not None
    url = next(
        found[1] for line in process.stdout if (found := re.search(r"dashboard: (http://127\.0\.0\.1:\d+)/", line))
    )
    deadline = time.monotonic() + 60
    while "30 held" not in (page := httpx.get(url, timeout=30, verify=PLAIN).text) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert "30 held" in page
    assert httpx.get(url, headers={"Host": "evil.example"}, verify=PLAIN).status_code == 403
    process.send_signal(signal.SIGINT)
    answer = finished(process)
    assert answer.status == 0, answer.err
    assert "The two sandboxes and their people are gone." in answer.out
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("    host: 0.0.0.0\n    dashboard_without_login: true\n", "can be reached from other computers"),
        ("    users: [{name: ada, password: hunter2}]\n", "expected a hash as `sync-daemon password` prints it"),
        (
            f"    users: [{{name: a, password: {_HASH}}}, {{name: a, password: {_HASH}}}]\n",
            "another user has this name",
        ),
        (
            f"    users: [{{name: a, password: {_HASH}}}]\n    dashboard_without_login: true\n",
            "take one of the two out",
        ),
        (f"    users: [{{name: a, password: {_HASH}, role: king}}]\n", "service.http.users[0].role"),
    ],
)
def test_what_would_open_the_dashboard_by_mistake_is_refused(trial: Trial, lines: str, says: str) -> None:
    answer = trial.run("run", config=f"{trial.config}service:\n  http:\n{lines}")
    assert answer.status == 2
    assert says in answer.err
    assert "service.http" in answer.err
    assert "hunter2" not in answer.err
