"""Alerts arrive at real targets over real sockets; what happens to one target is no matter to the others."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from signal import Signals
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from structlog.testing import capture_logs

from sync_daemon.model.errors import ConfigurationError, SyncError
from sync_daemon.sandbox.server import serve
from sync_daemon.settings.installation import AlertsSection
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import open_engine
from sync_daemon.store.installation import StateStore
from sync_daemon.wiring.alerts import open_alerts
from sync_daemon.wiring.clock import SystemClock
from sync_daemon.wiring.notify import BackgroundNotifier
from sync_daemon.wiring.targets import Message, Tone, read_targets
from tests.e2e.trial import Trial, finished

pytestmark = pytest.mark.usefixtures("with_tables")

PASSWORD = "s3cret-word"
ALERT = Message("sync-daemon, pair main: changes are held", "Three of them.\n\nSince noon.", Tone.BAD)


@dataclass
class Webhook:
    """A server of one's own that takes alerts; it refuses the first `refuse` of them."""

    refuse: int = 0
    taken: list[dict[str, Any]] = field(default_factory=list)
    asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    url: str = ""

    async def answer(self, request: Request) -> Response:
        self.refuse -= 1
        if self.refuse < 0:
            self.taken.append(await request.json())
        self.asked.release()
        return Response(status_code=503 if self.refuse >= 0 else 200)

    def wait(self, requests: int = 1) -> None:
        """Until it was asked so often."""
        for _ in range(requests):
            assert self.asked.acquire(timeout=60), "nothing came"


@contextmanager
def webhook(refuse: int = 0) -> Iterator[Webhook]:
    made = Webhook(refuse)
    with serve(Starlette(routes=[Route("/{rest:path}", made.answer, methods=["POST"])])) as url:
        made.url = url.replace("http://", f"json://me:{PASSWORD}@") + "/alerts"
        yield made


@contextmanager
def silence() -> Iterator[str]:
    """A server that takes every connection and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield f"json://me:{PASSWORD}@127.0.0.1:{listener.getsockname()[1]}/?rto=60&cto=60"


@contextmanager
def notifier(*urls: str, waits_s: tuple[float, ...] = (), attempt_s: float = 20.0) -> Iterator[BackgroundNotifier]:
    made = BackgroundNotifier(read_targets([SecretStr(url) for url in urls]), waits_s, attempt_s)
    yield made
    made.close(20)


def test_a_target_gets_title_body_and_tone_as_plain_text() -> None:
    with webhook() as there, notifier(there.url) as notify:
        notify.tell(ALERT)
        there.wait()
        (got,) = there.taken
        assert (got["title"], got["message"], got["type"]) == (ALERT.title, ALERT.body, "failure")


def test_what_was_refused_is_sent_again() -> None:
    with webhook(refuse=2) as there, notifier(there.url, waits_s=(0.01, 0.01)) as notify, capture_logs() as logs:
        notify.tell(ALERT)
        there.wait(3)
        notify.close(20)
        assert len(there.taken) == 1
        assert [entry["event"] for entry in logs] == ["alert_not_taken"] * 2


def test_a_failing_target_is_given_up_and_the_others_get_it_all_the_same() -> None:
    with (
        webhook(refuse=99) as failing,
        webhook() as there,
        notifier(failing.url, there.url, waits_s=(0.01,)) as notify,
        capture_logs() as logs,
    ):
        notify.tell(ALERT)
        notify.tell(ALERT)
        notify.close(20)
        assert (len(failing.taken), len(there.taken)) == (0, 2)
        assert [(entry["event"], entry["target"]) for entry in logs].count(
            ("alert_given_up", "alerts.urls[0] (json)")
        ) == 2
        assert PASSWORD not in str(logs)


def test_a_hanging_target_delays_nobody_and_is_asked_once() -> None:
    with silence() as hanging, webhook() as there, capture_logs() as logs:
        (stuck,) = read_targets([SecretStr(hanging)])
        assert not stuck.takes(ALERT, 0.2)
        assert not stuck.takes(ALERT, 60), "an earlier message still hangs, so it isn't even tried"
        assert [entry["why"] for entry in logs] == ["no answer within 0.2 s", "an earlier message still hangs"]
        with notifier(hanging, there.url, attempt_s=0.2) as notify:
            notify.tell(ALERT)
            there.wait()
        assert len(there.taken) == 1


def test_at_the_end_what_waits_is_tried_once_more_and_no_longer_than_that() -> None:
    with webhook(refuse=1) as there, notifier(there.url, waits_s=(3600,)) as notify:
        notify.tell(ALERT)
        there.wait()
        assert not there.asked.acquire(timeout=0.3), "it waits before it tries again"
        notify.tell(ALERT)
        notify.close(20)
        assert len(there.taken) == 1


def test_too_many_that_wait_are_dropped_and_logged() -> None:
    with silence() as hanging, capture_logs() as logs:
        notify = BackgroundNotifier(read_targets([SecretStr(hanging)]), (), 3600)
        for _ in range(110):
            notify.tell(ALERT)
        notify.close(0)
        assert [entry["event"] for entry in logs].count("alert_dropped") >= 9


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("hunter2hunter2", "begins with its kind"),
        ("nokind://hunter2hunter2", "of the kind `nokind`"),
        ("slack://hunter2hunter2", "of the kind `slack`"),
        ("json://", "of the kind `json`"),
    ],
)
def test_an_address_that_can_not_be_read_is_named_by_its_place(url: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_targets([SecretStr("json://localhost"), SecretStr(url)])
    assert str(caught.value).startswith("alerts.urls[1]: ")
    assert complaint in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_no_library_below_says_a_word_about_an_address(capsys: pytest.CaptureFixture[str]) -> None:
    logging.basicConfig(level=logging.DEBUG, force=True)
    try:
        with webhook(refuse=1) as there, capture_logs():
            (target,) = read_targets([SecretStr(there.url)])
            assert not target.takes(ALERT, 20)
            assert target.takes(ALERT, 20)
    finally:
        for handler in logging.root.handlers[:]:
            logging.root.removeHandler(handler)
    # The server of this test has a word to say of itself.
    assert [line for line in capsys.readouterr().err.splitlines() if not line.startswith("DEBUG:asyncio")] == []


def test_alerts_from_the_noticing_to_the_target(database_url: str) -> None:
    with StateStore(open_engine(database_url), Secrets(PASSWORD * 4), SystemClock()) as store, webhook() as there:
        store.open_pair("main", "location", "list")
        section = AlertsSection(urls=(SecretStr(there.url),))
        with open_alerts(section, store, SystemClock()) as alerts:
            alerts.heed_refusal("main", SyncError("It went wrong."))
        (got,) = there.taken
        assert got["title"] == "sync-daemon, pair main: it fails unexpectedly"
        assert "It went wrong." in got["message"]
        assert socket.gethostname() in got["message"]


# check --alert


def with_alerts(trial: Trial, *urls: str) -> str:
    listed = "".join(f"    - {url}\n" for url in urls)
    return f"alerts:\n  urls:\n{listed}{trial.config}"


def test_check_alert_sends_a_test_to_every_target(trial: Trial) -> None:
    with webhook() as one, webhook() as two:
        answer = trial.run("check", "--alert", "--json", config=with_alerts(trial, one.url, two.url))
    assert answer.status == 0
    assert answer.json["alerts"] == {
        "ok": True,
        "problems": [],
        "advice": [],
        "targets": [
            {"target": "alerts.urls[0] (json)", "taken": True},
            {"target": "alerts.urls[1] (json)", "taken": True},
        ],
    }
    assert [got["title"] for got in one.taken + two.taken] == ["sync-daemon: a test alert"] * 2


def test_check_alert_says_which_target_did_not_take_it(trial: Trial) -> None:
    with webhook(refuse=1) as one, webhook() as two:
        config = with_alerts(trial, one.url, two.url)
        answer = trial.run("check", "--alert", config=config)
    assert answer.status == 1
    assert "alerts.urls[0] (json) did not take the test alert" in answer.out
    assert "alerts.urls[1] (json) took the test alert" in answer.out
    assert len(two.taken) == 1
    assert PASSWORD not in answer.out + answer.err


@pytest.mark.parametrize("options", [[], ["--alert"]])
def test_check_tells_that_nobody_is_told(trial: Trial, options: list[str]) -> None:
    answer = trial.run("check", "--json", *options)
    assert answer.status == 0
    assert answer.json["alerts"]["targets"] == []
    assert "alerts.urls is empty" in answer.json["alerts"]["advice"][0]


def test_check_without_alert_sends_nothing(trial: Trial) -> None:
    with webhook() as one:
        answer = trial.run("check", "--json", config=with_alerts(trial, one.url))
    assert (answer.status, one.taken) == (0, [])
    assert answer.json["alerts"]["targets"] == [{"target": "alerts.urls[0] (json)", "taken": None}]


@pytest.mark.parametrize("options", [[], ["--alert"]])
def test_check_objects_to_an_address_that_can_not_be_read(trial: Trial, options: list[str]) -> None:
    answer = trial.run("check", *options, config=with_alerts(trial, "nokind://hunter2hunter2"))
    assert answer.status == 2
    assert "alerts.urls[0]: apprise can't read this address as one of the kind `nokind`" in answer.out
    assert "hunter2" not in answer.out + answer.err


def test_the_service_tells_that_credentials_are_refused(trial: Trial) -> None:
    quick = "service: {poll_every: 1s, http: {port: 0}}\n"
    with webhook() as there:
        service = trial.start("run", config=quick + with_alerts(trial, there.url))
        trial.ghl.accounts.tokens.clear()
        there.wait()
        (got,) = there.taken
        service.send_signal(Signals.SIGTERM)
        answer = finished(service)
    assert got["title"] == "sync-daemon, pair sandbox: credentials refused"
    assert "pairs.sandbox.ghl.token" in got["message"]
    assert (answer.status, PASSWORD in answer.out + answer.err) == (0, False)
