"""Processes that want a new token at the same time, and one that dies: each refresh token is used once, by one."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sync_daemon.model.errors import CredentialsRefused
from sync_daemon.model.oauth import KeptTokens, OwnerKind, TokenOwner
from sync_daemon.sandbox.server import RunningSandbox, Sandbox, running_sandbox
from sync_daemon.sandbox.weather import Fault
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import open_engine
from sync_daemon.store.installation import StateStore
from sync_daemon.store.oauth import OAuthStore
from sync_daemon.systems.ghl.oauth.authority import Authority
from sync_daemon.systems.ghl.oauth.bearer import LOCK_S, first_tokens
from sync_daemon.wiring.clock import SystemClock
from sync_daemon.wiring.oauth.bearers import Locations
from tests.e2e.forked import Forked
from tests.oauth.keys import ADVICE, APP, BACK, SCOPES, SECRET
from tests.store.conftest import StoppedClock

RACER = Path(__file__).with_name("racer.py")
ROUNDS = 4


class Scene:
    """A sandbox on the machine's clock, a store on a real database, and processes that share both."""

    def __init__(self, running: RunningSandbox, store: OAuthStore, database_url: str) -> None:
        self.running = running
        self.store = store
        self.database_url = database_url
        self.world = running.sandbox.ghl.world
        self.owner = TokenOwner(OwnerKind.LOCATION, running.sandbox.location_id)
        app = self.world.accounts.add_app(APP.client_id, APP.client_secret, [BACK])
        code = self.world.accounts.consent(app, self.world.location, self.world.company_id, SCOPES, BACK)
        issued = Authority(running.ghl_url, "2021-07-28", APP, SystemClock()).trade(code, BACK, agency=False)
        self.store.put(self.owner, first_tokens(APP.client_id, issued, SystemClock().now()))

    def let_them_end(self) -> KeptTokens:
        """The stored tokens, as they are after their end."""
        kept = self.store.find(self.owner)
        assert kept is not None
        self.running.sandbox.ghl.log.clear()
        return self.store.put(self.owner, replace(kept.tokens, ends_at=SystemClock().now()))

    def refreshes(self) -> list[int | None]:
        log = self.running.sandbox.ghl.log.exchanges()
        return [one.status for one in log if one.path == "/oauth/token"]


@pytest.fixture
def scene(database_url: str) -> Iterator[Scene]:
    with (
        running_sandbox(Sandbox(seed=1)) as running,
        StateStore(open_engine(database_url), Secrets(SECRET), SystemClock()) as store,
    ):
        yield Scene(running, store.oauth, database_url)


Start = Callable[[str], Forked]


@pytest.fixture
def start(scene: Scene, tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def begun(dies: str = "") -> Forked:
            arguments = (scene.running.ghl_url, scene.database_url, scene.owner.id, dies)
            process = Forked(arguments, tmp_path, os.environ, program=RACER, listens=True)
            stack.callback(process.close)
            return process

        yield begun


def line(process: Forked) -> str:
    return process.stdout.readline().strip()


def go(process: Forked) -> None:
    process.say("go\n")


def test_two_processes_refresh_once(scene: Scene, start: Start) -> None:
    """Whoever is second waits for the tokens of the first, by the machine's own clock."""
    racers = [start(""), start("")]
    assert [line(one) for one in racers] == ["ready", "ready"]
    for _ in range(ROUNDS):
        before = scene.let_them_end()
        # Long enough that both want a token while it is under way.
        scene.running.sandbox.ghl.weather.faults = [Fault(kind="latency", path="/oauth/token", seconds=0.5)]
        for one in racers:
            go(one)
        assert [line(one) for one in racers] == ["ok", "ok"]
        assert scene.refreshes() == [200]
        kept = scene.store.find(scene.owner)
        assert kept is not None
        assert kept.tokens.refresh_token != before.tokens.refresh_token
        assert scene.store.lock(scene.owner, "anybody", 1) is not None, "the lock was given back"
        scene.store.unlock(scene.owner, "anybody")


def test_who_died_with_the_answer_in_hand_lets_others_at_it_after_his_time(scene: Scene, start: Start) -> None:
    dying = start("dies")
    assert line(dying) == "ready"
    before = scene.let_them_end()
    go(dying)
    assert dying.wait(120) == -9
    assert scene.refreshes() == [200]
    assert scene.store.find(scene.owner) == before

    clock = StoppedClock()  # which is moved on by whoever waits
    clock.moment = began = SystemClock().now()
    store = OAuthStore(scene.store._engine, scene.store._secrets, clock)
    authority = Authority(scene.running.ghl_url, "2021-07-28", APP, SystemClock())
    with pytest.raises(CredentialsRefused, match=r"the answer that held its successor was lost\. Log in"):
        Locations(store, authority, clock, ADVICE).bearer(scene.owner.id).token()
    assert scene.refreshes() == [200, 400]
    assert timedelta(0) < clock.moment - began <= timedelta(seconds=LOCK_S + 1)
