"""`oauth login`, `list`, `revoke`, and what runs on a login: over HTTP, with real processes where they wait."""

import os
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from sync_daemon.model.oauth import LoginEnd, OwnerKind, TokenOwner
from sync_daemon.settings.load import load
from sync_daemon.settings.variables import Variables
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import open_engine
from sync_daemon.store.installation import StateStore
from sync_daemon.systems.ghl.oauth.consent import scopes
from sync_daemon.wiring.clock import SystemClock
from sync_daemon.wiring.oauth.apps import apps_of
from sync_daemon.wiring.oauth.logins import Logins
from sync_daemon.wiring.state import open_store
from tests.e2e.test_service import free_port, service, until
from tests.e2e.trial import Process, Trial, finished
from tests.plain import PLAIN

AT = re.compile(r"http\S+/chooselocation\?\S+")
SECRET = "a secret of this installation, long enough"
CLIENT_SECRET = "shh-this-is-the-apps-secret"


@pytest.fixture
def port(trial: Trial) -> int:
    """The trial logs in with an app, whose redirect address is on this port."""
    port = free_port()
    keys = f"oauth: {{client_id: app-1, client_secret: {CLIENT_SECRET}}}"
    trial.config = re.sub(r"token: pit-\S+", keys, trial.config) + f"secret_key: {SECRET}\n"
    trial.config += f"service: {{http: {{port: {port}}}}}\n"
    trial.ghl.add_app("app-1", CLIENT_SECRET, [callback(port)])
    return port


def callback(port: int) -> str:
    return f"http://127.0.0.1:{port}/oauth/ghl/callback"


class Unbuffered:
    """Standard input as a terminal gives it: one line at a time."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def fileno(self) -> int:
        return int(self._raw.fileno())

    def readline(self) -> str:
        line = b""
        while not line.endswith(b"\n") and (byte := self._raw.read(1)):
            line += byte
        return line.decode()


def agreed(address: str) -> str:
    """Where the browser is sent after somebody agreed at GHL's page."""
    answer = httpx.get(address, timeout=60, verify=PLAIN)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def begun(process: Process) -> str:
    """The address that a login shows."""
    assert process.stderr is not None
    for line in process.stderr:
        if (found := AT.search(line)) is not None:
            return found[0]
    raise AssertionError("no address was shown")


def store_of(trial: Trial) -> StateStore:
    return StateStore(open_engine(f"sqlite:///{trial.folder / 'sync.db'}"), Secrets(SECRET), SystemClock())


def a_code(trial: Trial) -> str:
    """What GHL sends back when somebody agrees."""
    world = trial.ghl
    app = world.accounts.apps["app-1"]
    agency = app.target == "Company"
    location = None if agency else world.location
    wanted = scopes(activity=False, agency=agency)
    return world.accounts.consent(app, location, world.company_id, wanted, app.redirect_uris[0])


def log_in(trial: Trial) -> LoginEnd:
    """Log in as `oauth login` does, without waiting for anybody."""
    settings = load(trial.write(), Variables({}))
    agency = trial.ghl.accounts.apps["app-1"].target == "Company"
    with open_store(settings) as store:
        logins = Logins(settings, store.oauth, SystemClock())
        uri = f"http://127.0.0.1:{settings.service.http.port}/oauth/ghl/callback"
        begun = logins.begin(apps_of(settings.pairs)["app-1"], uri, 60, agency=agency)
        return logins.finish(begun.state, a_code(trial))


def test_a_browser_on_this_computer_brings_the_answer_back(trial: Trial, port: int) -> None:
    process = trial.start("oauth", "login", "--json", "--timeout", "120")
    back = agreed(begun(process))
    page = httpx.get(back, timeout=60, verify=PLAIN)
    answer = finished(process)
    assert (page.status_code, answer.status) == (200, 0), page.text + answer.err
    assert f"Logged in for the location {trial.sandbox.location_id}" in page.text
    (opened,) = answer.json["locations"]
    assert (answer.json["owner"], opened["pairs"], opened["problem"]) == ("location", ["sandbox"], None)
    code = parse_qs(urlsplit(back).query)["code"][0]
    tokens = [token for token in trial.ghl.accounts.tokens if not token.startswith("pit-")]
    for secret in (CLIENT_SECRET, code, *tokens):
        assert secret not in answer.out + answer.err + page.text
    assert page.headers["referrer-policy"] == "no-referrer"


def test_then_everything_runs_on_it(trial: Trial, port: int) -> None:
    before = trial.run("reconcile")
    assert before.status == 4
    assert "Nobody has logged in" in before.out + before.err
    assert "sync-daemon oauth login --pair sandbox" in before.out + before.err
    log_in(trial)
    listed = trial.run("oauth", "list", "--json").json["logins"]
    assert [(one["owner"], one["id"], one["pairs"], one["state"]) for one in listed] == [
        ("location", trial.sandbox.location_id, ["sandbox"], "logged in")
    ]
    checked = trial.run("check", "--json")
    assert (checked.status, checked.pair["ghl_credential"]) == (0, {"kind": "oauth", "ends_at": listed[0]["ends_at"]})
    assert "ghl is opened by: OAuth, token until 20" in trial.run("check").out
    assert trial.run("reconcile", "--json").pair["outcome"] == "ok"
    called = trial.run("ghl", "call", "search-contacts", "pageLimit=1", "--json")
    assert called.status == 0, called.err


def test_revoke_forgets_here_and_says_what_is_left(trial: Trial, port: int) -> None:
    log_in(trial)
    for wrong, words in ((["nobody"], "No tokens of nobody are stored"), ([], "Say whose tokens to forget")):
        refused = trial.run("oauth", "revoke", *wrong)
        assert (refused.status, words in refused.err) == (2, True)
    revoked = trial.run("oauth", "revoke", trial.sandbox.location_id)
    assert (revoked.status, "uninstall it there" in revoked.out) == (0, True)
    assert trial.run("oauth", "list", "--json").json["logins"][0]["state"] == "not logged in"
    assert trial.run("reconcile").status == 4


def test_a_refused_refresh_token_is_exit_4_in_clear_words_and_listed(trial: Trial, port: int) -> None:
    log_in(trial)
    owner = TokenOwner(OwnerKind.LOCATION, trial.sandbox.location_id)
    with store_of(trial) as store:
        kept = store.oauth.find(owner)
        assert kept is not None
        app = trial.ghl.accounts.apps["app-1"]
        trial.ghl.accounts.trade_refresh_token(app, kept.tokens.refresh_token, trial.ghl.locations, 0)
        trial.ghl.expire_token(kept.tokens.access_token)
    answer = trial.run("reconcile")
    assert (answer.status, " auth " in answer.out) == (4, True)
    assert "refused the refresh token of the location" in answer.out + answer.err
    assert "sync-daemon oauth login --pair sandbox" in answer.out + answer.err
    assert kept.tokens.refresh_token not in answer.out + answer.err
    assert "log in again" in trial.run("oauth", "list").out
    assert trial.run("status", "--json").pair["runs"][0]["outcome"] == "auth"


def test_an_agencys_login_opens_the_pairs_locations(trial: Trial, port: int) -> None:
    trial.ghl.accounts.apps.clear()
    trial.ghl.add_app("app-1", CLIENT_SECRET, [callback(port)], "Company")
    assert log_in(trial).problem == ""
    assert trial.run("reconcile", "--json").pair["outcome"] == "ok"
    states = {one["owner"]: one["state"] for one in trial.run("oauth", "list", "--json").json["logins"]}
    assert states == {"agency": "logged in", "location": f"from agency {trial.ghl.company_id}"}
    refused = trial.run("oauth", "revoke", "--pair", "sandbox")
    assert (refused.status, f"sync-daemon oauth revoke {trial.ghl.company_id}" in refused.err) == (2, True)
    assert trial.run("oauth", "revoke", trial.ghl.company_id).status == 0
    assert trial.run("reconcile").status == 4


def test_what_is_pasted_wrongly_is_told_and_asked_again(
    trial: Trial, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = a_code(trial)
    read, write = os.pipe()
    lines = ("what?", f"{callback(port)}?code={code}&state=another", f"{callback(port)}?code={code}")
    for line in lines:
        os.write(write, f"{line}\n".encode())
    with os.fdopen(read, "rb", buffering=0) as raw, os.fdopen(write, "wb"):
        monkeypatch.setattr("sys.stdin", Unbuffered(raw))
        answer = trial.run("oauth", "login", "--timeout", "120")
    assert answer.status == 0, answer.err
    assert "neither the address that the browser ended at nor a code" in answer.out + answer.err
    assert "the answer to another login" in answer.out + answer.err
    assert "Logged in for the location" in answer.out


def test_nobody_logs_in_in_time(trial: Trial, port: int) -> None:
    answer = trial.run("oauth", "login", "--timeout", "0.5")
    assert (answer.status, "Nobody logged in within 0.5 s" in answer.err) == (4, True)


@pytest.mark.parametrize("options", [["--redirect-uri", "nonsense"], ["--timeout", "0"], ["--pair", "nobody"]])
def test_wrong_input(trial: Trial, port: int, options: list[str]) -> None:
    assert trial.run("oauth", "login", *options).status == 2


def test_without_an_app_there_is_nothing_to_log_in_with(trial: Trial) -> None:
    answer = trial.run("oauth", "login")
    assert (answer.status, "No pair that was chosen logs in with OAuth" in answer.err) == (2, True)
    assert "No pair logs in with OAuth" in trial.run("oauth", "list").out


def test_the_service_alerts_and_takes_the_answer_to_a_login_begun_elsewhere(trial: Trial, port: int) -> None:
    trial.config = trial.config.replace(f"service: {{http: {{port: {port}}}}}\n", "")
    with service(trial, ready=False) as here:
        back_to = f"{here.url}/oauth/ghl/callback"
        trial.ghl.accounts.apps.clear()
        trial.ghl.add_app("app-1", CLIENT_SECRET, [back_to])
        until(lambda: here.events("alert"), "an alert that somebody must log in")
        assert [(one["pair"], one["condition"]) for one in here.events("alert")] == [("sandbox", "credentials")]
        for path, words in (
            ("", "This is where GHL sends a browser"),
            ("?code=c", "handed back no `state`"),
            ("?code=c&state=s", "No login waits for this answer"),
            ("?error=access_denied&state=s", "No login waits for this answer"),
        ):
            page = httpx.get(back_to + path, verify=PLAIN)
            assert (page.status_code, words in page.text) == (400, True), page.text
        process = trial.start("oauth", "login", "--timeout", "120", "--redirect-uri", back_to)
        back = agreed(begun(process))
        assert httpx.get(back, timeout=60, verify=PLAIN).status_code == 200
        answer = finished(process)
        assert answer.status == 0, answer.err
        again = httpx.get(back, timeout=60, verify=PLAIN)
        assert (again.status_code, "No login waits for this answer" in again.text) == (400, True)
        log = here.log.read_text(encoding="utf-8")
    code, state = (parse_qs(urlsplit(back).query)[name][0] for name in ("code", "state"))
    assert [one for one in (code, state, CLIENT_SECRET, *trial.ghl.accounts.tokens) if one in log] == []
