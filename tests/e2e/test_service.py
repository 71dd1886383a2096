"""`sync-daemon run`, the real process: near real time, by the clock, in trouble, and at its end."""

import json
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from sync_daemon.sandbox.emailoctopus.model import Field
from sync_daemon.sandbox.weather import Fault, Weather
from sync_daemon.store.engine import open_engine, writing
from tests.databases import Server
from tests.e2e.test_reconcile import differences
from tests.e2e.trial import Answer, Process, Trial, finished, start
from tests.plain import PLAIN

pytestmark = pytest.mark.usefixtures("with_tables")

PATIENCE_S = 60.0


@dataclass
class Running:
    """A service under way."""

    trial: Trial
    process: Process
    url: str
    log: Path

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", verify=PLAIN)

    def figure(self, name: str, **labels: str) -> float:
        """One figure of `/metrics`: the sum of its series that have these labels."""
        found = 0.0
        for line in self.get("/metrics").text.splitlines():
            series, _, value = line.rpartition(" ")
            told = dict(re.findall(r'(\w+)="([^"]*)"', series))
            if series.partition("{")[0] == f"sync_daemon_{name}" and labels.items() <= told.items():
                found += float(value)
        return found

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log's events of a name."""
        lines = [line for line in self.log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
        return [event for event in map(json.loads, lines) if event["event"] == name]

    def stop(self, number: int = signal.SIGTERM) -> Answer:
        self.process.send_signal(number)
        return finished(self.process, seconds=20)


def until(holds: Callable[[], object], what: str = "", seconds: float = PATIENCE_S) -> None:
    """Wait for something that is bound to come."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"it didn't come to pass: {what}"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def service(trial: Trial, *, ready: bool = True, polls: str = "1h", workflow: str = "") -> Iterator[Running]:
    """A service on the trial's configuration, which hears of changes by webhook alone unless `polls` says otherwise."""
    port = free_port()
    trial.sandbox.ghl.limiter.settings.enabled = trial.sandbox.emailoctopus.limiter.settings.enabled = False
    own = f"http: {{port: {port}}}, poll_every: {polls}, ghl_workflow_secret: '{workflow}'"
    config = f"{trial.config}\nservice: {{{own}}}\n"
    log = trial.folder / "service.log"
    line = ("run", "--config", str(trial.write(config)))
    process = start(*line, folder=trial.folder, variables=trial.variables, stderr=log)
    here = Running(trial, process, f"http://127.0.0.1:{port}", log)
    try:
        until(lambda: process.poll() is not None or here.events("listening"), "listening")
        for system, context in (("ghl", trial.sandbox.ghl), ("emailoctopus", trial.sandbox.emailoctopus)):
            context.webhooks.set(url=f"{here.url}/webhooks/{system}")
        if ready:
            until(lambda: here.get("/readyz").status_code == 200, "ready")
        yield here
    finally:
        process.kill()
        process.communicate()


def subscribers_of(trial: Trial) -> list[Any]:
    """EmailOctopus's contacts."""
    return list(trial.emailoctopus.lists[trial.sandbox.list_id].contacts)


def status_of(trial: Trial, address: str) -> str | None:
    return next((str(one.status) for one in subscribers_of(trial) if one.email_address == address), None)


def names(trial: Trial) -> list[str]:
    """The first names of EmailOctopus's contacts."""
    return [str(one.fields.get("FirstName")) for one in subscribers_of(trial)]


def somebody(trial: Trial) -> tuple[str, str]:
    """Somebody whom both systems have: both ids."""
    subscribers = {one.email_address.lower(): one for one in subscribers_of(trial)}
    person = next(
        one
        for one in trial.ghl.contacts
        if one.email in subscribers and subscribers[one.email].status == "subscribed" and not one.dnd
    )
    return person.id, subscribers[person.email].id


def test_what_webhooks_tell_is_on_the_other_side_in_a_moment(trial: Trial) -> None:
    with service(trial) as here:
        ghl_id, subscriber_id = somebody(trial)
        trial.ghl.edit(ghl_id, firstName="Told")
        until(lambda: "Told" in names(trial))
        trial.emailoctopus.unsubscribe(subscriber_id)
        until(lambda: trial.ghl.contacts.get(ghl_id).dnd_settings.get("Email", {}).get("status") == "active")
        new = trial.ghl.create(email="new@example.com", firstName="Newcomer").id
        until(lambda: "Newcomer" in names(trial))
        trial.ghl.delete(new)
        until(lambda: status_of(trial, "new@example.com") == "unsubscribed")
        assert here.figure("cycles_total", mode="incremental") == 0  # no poll was needed
        assert here.figure("webhook_events_total", result="accepted") >= 4


@pytest.mark.postgres
def test_it_is_the_same_on_postgresql(trial: Trial, postgres_server: Server) -> None:
    database = (
        f"database_url: {postgres_server.emptied_database()}\nsecret_key: a secret of at least 32 characters, on PG"
    )
    trial.config = re.sub("database_url: .*", lambda _: database, trial.config)
    with service(trial) as here:
        ghl_id, subscriber_id = somebody(trial)
        trial.ghl.edit(ghl_id, firstName="Told")
        until(lambda: "Told" in names(trial))
        trial.emailoctopus.unsubscribe(subscriber_id)
        until(lambda: trial.ghl.contacts.get(ghl_id).dnd_settings.get("Email", {}).get("status") == "active")
        assert here.stop().status == 0


def test_a_workflows_webhook_is_as_good_a_hint(trial: Trial) -> None:
    secret = "a-path-that-only-the-workflow-knows"
    with service(trial, workflow=secret) as here:
        trial.sandbox.ghl.webhooks.set(url="", workflow_url=f"{here.url}/webhooks/ghl/workflow/{secret}")
        ghl_id, _ = somebody(trial)
        trial.ghl.edit(ghl_id, firstName="Told")
        until(lambda: "Told" in names(trial))
        assert here.figure("webhook_events_total", system="ghl", result="accepted") >= 1
        assert here.figure("cycles_total", mode="incremental") == 0


def test_polls_alone_keep_both_equal(trial: Trial) -> None:
    with service(trial, polls="1s") as here:
        for context in (trial.sandbox.ghl, trial.sandbox.emailoctopus):
            context.webhooks.set(url="")
        ghl_id, _ = somebody(trial)
        trial.ghl.edit(ghl_id, firstName="Polled")
        until(lambda: "Polled" in names(trial))
        until(lambda: here.figure("cycles_total", mode="incremental") > 3)
        assert here.figure("cycles_total", mode="full") == 1


def test_a_pair_with_refused_credentials_stands_still_and_the_others_go_on(trial: Trial) -> None:
    other = trial.emailoctopus.create_list("Other").id
    trial.config += f"""
  - name: refused
    ghl: {{location_id: {trial.sandbox.location_id}, token: {trial.sandbox.ghl_token}}}
    emailoctopus: {{list_id: {other}, api_key: eo_wrong}}
    fields: []
"""
    with service(trial, ready=False) as here, httpx.Client(verify=PLAIN) as client:
        until(lambda: here.figure("cycles_total", pair="sandbox", outcome="ok") > 0)
        until(lambda: here.figure("alert", pair="refused", condition="credentials") == 1)
        answer = client.get(f"{here.url}/readyz")
        assert (answer.status_code, answer.json()["pairs"]["sandbox"]) == (503, "ok")
        assert "auth" in answer.json()["pairs"]["refused"]
        asked = here.figure("request_seconds_count", pair="refused")
        ghl_id, _ = somebody(trial)
        trial.ghl.edit(ghl_id, firstName="Told")
        until(lambda: "Told" in names(trial))
        assert here.figure("request_seconds_count", pair="refused") == asked  # it isn't asked again and again
        assert client.get(f"{here.url}/healthz").status_code == 200
        assert [event["pair"] for event in here.events("alert")] == ["refused"]


def test_a_pair_that_can_not_run_as_configured_heals_when_the_account_does(trial: Trial) -> None:
    other = trial.emailoctopus.create_list("Other").id
    trial.config += f"""
  - name: mistaken
    ghl: {{location_id: {trial.sandbox.location_id}, token: {trial.sandbox.ghl_token}}}
    emailoctopus: {{list_id: {other}, api_key: {trial.sandbox.emailoctopus_key}}}
    fields:
      - {{ghl: custom.shoe_size, emailoctopus: Shoe}}
    create_missing_fields: false
"""
    with service(trial, ready=False) as here:
        until(lambda: here.figure("cycles_total", pair="sandbox", outcome="ok") > 0)
        until(lambda: here.figure("alert", pair="mistaken", condition="configuration") == 1)
        assert "custom.shoe_size" in here.get("/readyz").json()["pairs"]["mistaken"]
        trial.ghl.add_field("Shoe size")
        trial.emailoctopus.add_field(other, Field(tag="Shoe", type="text", label="Shoe"))
        until(lambda: here.figure("cycles_total", pair="mistaken", outcome="ok") > 0)
        assert here.get("/readyz").json()["pairs"]["mistaken"] == "ok"


def test_a_system_that_was_down_is_asked_again_promptly(trial: Trial) -> None:
    with service(trial, polls="1s") as here:
        trial.sandbox.ghl.weather = Weather(faults=[Fault(kind="error", times=10_000)])
        until(lambda: here.figure("cycles_total", outcome="unreachable") >= 1)
        assert here.get("/readyz").status_code == 503
        ghl_id, _ = somebody(trial)
        trial.ghl.edit(ghl_id, firstName="Meanwhile")
        up_again = time.monotonic()
        trial.sandbox.ghl.weather = Weather()
        until(lambda: "Meanwhile" in names(trial))
        assert time.monotonic() - up_again < 40
        until(lambda: here.get("/readyz").status_code == 200)


def test_whatever_arrived_before_a_kill_is_heeded_after_it(trial: Trial) -> None:
    trial.sandbox.ghl.limiter.settings.enabled = False
    with service(trial) as here:
        trial.sandbox.ghl.weather = Weather(faults=[Fault(kind="error", times=10_000)])
        ghl_id, _ = somebody(trial)
        trial.ghl.edit(ghl_id, firstName="Told")
        until(lambda: here.figure("hints_waiting") > 0)
        here.process.kill()
        here.process.wait()
        trial.sandbox.ghl.weather = Weather()
    with service(trial) as here:
        until(lambda: "Told" in names(trial))
        assert here.figure("cycles_total", mode="full") == 0  # the last one isn't a day old


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_well_when_it_is_told_to(trial: Trial, number: int) -> None:
    with service(trial) as here:
        began = time.monotonic()
        answer = here.stop(number)
        assert (answer.status, answer.out) == (0, "")
        assert time.monotonic() - began < 10
        assert here.events("service_stopped")[0]["finished"] is True


def test_it_finishes_what_it_has_in_hand(trial: Trial) -> None:
    with service(trial, ready=False) as here:
        until(trial.writes)
        assert here.stop().status == 0
        runs = json.loads(trial.run("status", "--json").out)["pairs"][0]["runs"]
        assert [run["outcome"] for run in runs] == ["incomplete"]
        assert here.events("service_stopped")[0]["finished"] is True
    with service(trial):
        assert differences(trial) == []


def test_a_port_that_is_taken_is_told(trial: Trial) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = trial.run("run", config=f"{trial.config}\nservice: {{http: {{port: {port}}}}}\n")
    assert (answer.status, "Traceback" in answer.err) == (2, False)
    assert f"127.0.0.1:{port} can't be listened on" in answer.err


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("service: {http: {host: no-such-host.invalid}}", "can't be listened on"),
        ("alerts: {urls: ['nonsense']}", "alerts.urls[0]"),
        ("service: {poll_every: 0s}", "poll_every"),
    ],
)
def test_a_mistake_in_the_configuration_is_told_at_once(trial: Trial, more: str, says: str) -> None:
    answer = trial.run("run", config=f"{trial.config}\n{more}\n")
    assert (answer.status, "Traceback" in answer.err) == (2, False)
    assert says in answer.err


def test_check_says_whether_webhooks_find_the_service(trial: Trial) -> None:
    alone = trial.run("check", "--json")
    assert (alone.status, alone.json["webhooks"]["answers"]) == (0, False)
    assert "No service answers at http://127.0.0.1:8080" in alone.json["webhooks"]["advice"][0]
    with service(trial) as here:
        beside = trial.run("check", "--json", config=trial.path.read_text(encoding="utf-8"))
        assert (beside.json["webhooks"]["address"], beside.json["webhooks"]["answers"]) == (here.url, True)


def test_check_says_whose_webhooks_are_refused(trial: Trial) -> None:
    config = re.sub("webhook_(secret|public_key): .*", "share: 1.0", trial.config)
    answer = trial.run("check", config=config)
    assert (answer.status, "are refused for sandbox" in " ".join(answer.out.split())) == (0, True)
    wrong = trial.run("check", config=re.sub("webhook_public_key: .*", "webhook_public_key: AAAA", trial.config))
    assert (wrong.status, "Ed25519" in wrong.out) == (2, True)


def test_a_key_that_is_none_is_told_at_once(trial: Trial) -> None:
    config = re.sub("webhook_public_key: .*", "webhook_public_key: AAAA", trial.config)
    answer = trial.run("run", config=config)
    assert (answer.status, "webhook_public_key" in answer.err) == (2, True)


def test_a_newer_database_is_refused(trial: Trial) -> None:
    trial.run("db", "upgrade")
    engine = open_engine(f"sqlite:///{trial.folder / 'sync.db'}")
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    answer = trial.run("run")
    assert (answer.status, "newer version of sync-daemon" in answer.err) == (2, True)


def test_nothing_personal_is_in_the_log_or_the_figures(trial: Trial) -> None:
    with service(trial) as here:
        ghl_id, _ = somebody(trial)
        trial.ghl.edit(ghl_id, firstName="Verysecretname")
        until(lambda: "Verysecretname" in names(trial))
        figures = here.get("/metrics").text
        here.stop()
        for told in (figures, here.log.read_text(encoding="utf-8")):
            assert "@" not in told
            assert "Verysecretname" not in told
