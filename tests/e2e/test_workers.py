"""`sync-daemon worker`: real processes that share pairs over PostgreSQL, stopped and killed in the middle of cycles."""

import os
import signal
import sys
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest

from sync_daemon.cli import run
from sync_daemon.model.report import Mode
from sync_daemon.model.wishes import Wishes
from sync_daemon.sandbox.server import Sandbox, running_sandbox
from sync_daemon.service.shared import SharedDesk
from sync_daemon.service.turn import PairTurn
from sync_daemon.settings.load import load
from sync_daemon.settings.variables import Variables
from sync_daemon.wiring.installation import open_installation
from tests.databases import Server
from tests.e2e.office import Office, Tenant, until, workers
from tests.e2e.test_kills import everything
from tests.e2e.trial import COMMAND, WRITES, Lightning, Trial
from tests.plain import PLAIN

pytestmark = pytest.mark.postgres


@pytest.fixture
def office(tmp_path: Path, postgres_server: Server) -> Iterator[Office]:
    with running_sandbox(Sandbox(seed=1)) as running:
        here = Office(tmp_path, running, postgres_server.emptied_database())
        yield here
        here.close()


def strike(office: Office, tenant: Tenant, number: signal.Signals) -> list[int]:
    """Signal whoever holds a pair, at its next write to EmailOctopus; the process, as soon as that has come to pass."""
    struck: list[int] = []

    def act() -> None:
        struck.append(office.holder(tenant))
        os.kill(struck[0], number)

    office.running.sandbox.emailoctopus.weather = Lightning(nth=1, methods=WRITES, path=tenant.list_id, act=act)
    return struck


def at_rest(office: Office) -> bool:
    """Whether nobody has anything in hand."""
    return not office.rows("SELECT 1 FROM workers.agendas WHERE taken IS NOT NULL")


def test_two_workers_share_pairs_and_one_takes_over_what_the_other_had_in_hand(office: Office) -> None:
    tenants = [office.add(f"pair{number}", people=20) for number in range(4)]
    sandbox = office.running.sandbox
    with workers(office, "one", "other", command=COMMAND) as (one, other):
        until(lambda: all(map(office.is_equal, tenants)), "equal")
        for worker in (one, other):
            worker.process.send_signal(signal.SIGHUP)  # has it look at its configuration at once, and go on
        until(lambda: one.figure("cycles_total") and other.figure("cycles_total"), "both work")
        until(
            lambda: all(httpx.get(f"{here.url}/readyz", verify=PLAIN).status_code == 200 for here in (one, other)),
            "both ready",
        )
        assert office.overlaps() == []
        assert 429 not in {exchange.status for exchange in sandbox.emailoctopus.log.exchanges()}

        # A webhook comes to one of them; whoever heeds it stands still, and another one does what is left.
        sandbox.ghl.webhooks.set(url=f"{one.url}/webhooks/ghl")
        stopped = strike(office, tenants[0], signal.SIGSTOP)
        office.rename(tenants[0], 3, "Told")
        until(lambda: stopped, "stopped")
        os.waitid(os.P_PID, stopped[0], os.WSTOPPED | os.WNOWAIT)
        sandbox.ghl.webhooks.set(url="")
        office.let_the_holder_be_given_up()
        until(lambda: office.is_equal(tenants[0]), "taken over")
        until(lambda: at_rest(office), "at rest")
        paused, awake = (one, other) if one.process.pid == stopped[0] else (other, one)
        assert awake.figure("takeovers_total") == 1
        agendas = "SELECT * FROM workers.agendas ORDER BY pair_id"
        before = everything(office.database_url), office.rows(agendas)
        sandbox.emailoctopus.log.clear()
        sandbox.ghl.log.clear()
        paused.process.send_signal(signal.SIGCONT)
        until(lambda: paused.events("job_not_ended"), "the end of what it had in hand")
        assert (everything(office.database_url), office.rows(agendas)) == before
        assert [exchange.path for exchange in sandbox.emailoctopus.log.exchanges() if exchange.method in WRITES] == []

        # One is killed in the middle of a cycle: nothing but the clock tells the other.
        sandbox.ghl.webhooks.set(url=f"{one.url}/webhooks/ghl")
        killed = strike(office, tenants[1], signal.SIGKILL)
        office.rename(tenants[1], 3, "Killed")
        until(lambda: killed, "killed")
        sandbox.ghl.webhooks.set(url="")
        survivor = other if one.process.pid == killed[0] else one
        known = survivor.figure("takeovers_total")
        took = until(lambda: survivor.figure("takeovers_total") > known and at_rest(office), "taken over")
        assert took < 60, "within a minute"
        assert (office.is_equal(tenants[1]), office.overlaps()) == (True, [])
        until(lambda: not office.rows("SELECT 1 FROM workers.procrastinate_jobs"), "no job is left")
        assert survivor.stop().status == 0
    assert [one.status for one in office.subscribers(tenants[1])] == ["subscribed"] * 20


def test_a_pair_s_agenda_is_the_same_for_every_process(office: Office) -> None:
    tenant, took_over = office.add("pair", people=1), list[str]()
    settings = load(office.write("{http: {port: 0}}"), Variables({}))
    with open_installation(settings, shared=True) as installation:

        def desk() -> SharedDesk:
            (section,) = settings.pairs
            turn, store = PairTurn(section, installation, lambda _: None), installation.open_store(section)
            return SharedDesk(turn, store, settings.service, lambda *_: None, took_over.append)

        def wishes() -> Wishes:
            seen: list[Wishes] = []

            def look(now: Wishes) -> Wishes:
                seen.append(now)
                return now

            one.store.change_wishes(look)
            return seen[0]

        one, other, due = desk(), desk(), partial(installation.store.cluster.due, ["pair"], most=1)
        one.want(Mode.HINTS)  # a webhook may come before the first look
        one.begin()
        assert wishes().wanted.keys() == set(Mode) - {Mode.UNDO}
        office.running.sandbox.ghl.world.accounts.tokens.clear()
        one.work()
        soon = installation.clock.now() + timedelta(seconds=800)
        resume_at = wishes().resume_at
        assert resume_at is not None
        assert (resume_at > soon, wishes().in_a_row, due()) == (True, 1, []), "refused credentials: every 15 minutes"
        other.begin()
        other.want(Mode.INCREMENTAL)
        other.work()
        assert (wishes().resume_at, due()) == (resume_at, [])

        # Another process had a wish in hand when it died: it is due again, once, and for the other ones alone.
        office.execute("UPDATE workers.agendas SET resume_at = 0, taken = 'full', taken_at = 0, taken_by = 'dead'")
        assert [pair.name for pair in due()] == ["pair"]
        other.work()
        assert (took_over, wishes().taken, wishes().taken_by) == (["pair"], None, "")
    assert not office.is_equal(tenant)


def test_a_worker_needs_postgresql(trial: Trial) -> None:
    answer = trial.run("worker")
    assert answer.status == 2
    assert "needs PostgreSQL" in answer.err
    assert "sync-daemon db copy" in answer.err


def test_a_worker_without_the_extra_says_how_to_have_it(
    office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    office.add("pair", people=0)
    monkeypatch.setitem(sys.modules, "procrastinate", None)
    monkeypatch.delitem(sys.modules, "sync_daemon.workers.queue", raising=False)
    assert run(["worker", "--config", str(office.write("{http: {port: 0}}"))]) == 2
    assert "pip install 'sync-daemon[cluster]'" in capsys.readouterr().err
