"""A PostgreSQL that goes away: a cycle ends with words, the service waits for it, nothing is lost or done twice."""

import re
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from sync_daemon.model.system import SystemName
from tests import databases
from tests.databases import OwnServer, Server
from tests.e2e.test_reconcile import differences
from tests.e2e.test_service import names, service, somebody, subscribers_of, until
from tests.e2e.trial import WRITES, Lightning, Trial, finished, let_leases_run_out

pytestmark = pytest.mark.postgres
PASSWORD = "pass-w0rd"
SECRET = "a secret of at least 32 characters, for PostgreSQL"
GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
END_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sync-daemon'"


@pytest.fixture
def own() -> Iterator[OwnServer]:
    """A server that this test may stop; skips where there is none."""
    try:
        with databases.own_server() as server:
            yield server
    except databases.NoPostgres as error:
        pytest.skip(f"NO POSTGRESQL that could be stopped: {error}")


def over(trial: Trial, url: str) -> str:
    """Have the trial's state in a PostgreSQL, asked with a password; the URL."""
    with_password = make_url(url).set(password=PASSWORD).render_as_string(hide_password=False)
    database = f"database_url: {with_password}\nsecret_key: {SECRET}"
    trial.config = re.sub("database_url: .*", lambda _: database, trial.config)
    return with_password


def strike(trial: Trial, system: SystemName, nth: int, act: Callable[[], object]) -> None:
    """Do something while the nth write to a system is under way."""
    context = trial.sandbox.ghl if system is GHL else trial.sandbox.emailoctopus
    context.weather = Lightning(nth=nth, methods=WRITES, act=act)


def addresses(trial: Trial) -> tuple[Counter[str], Counter[str]]:
    """How often each address is there, on both sides."""
    in_ghl = Counter(one.email.lower() for one in trial.ghl.contacts if one.email)
    return in_ghl, Counter(one.email_address.lower() for one in subscribers_of(trial))


def told_well(text: str) -> bool:
    """Whether an error is said as people can use it: no password, no stack trace."""
    return PASSWORD not in text and "Traceback" not in text


@pytest.mark.parametrize(("system", "nth"), [(GHL, 3), (EMAILOCTOPUS, 1)])
def test_a_server_that_stops_in_the_middle_of_a_cycle(
    trial: Trial, own: OwnServer, system: SystemName, nth: int
) -> None:
    url = over(trial, own.url)
    before = addresses(trial)
    strike(trial, system, nth, own.stop)
    answer = trial.run("reconcile", "--json")
    assert (answer.status, answer.pair["outcome"], told_well(answer.err)) == (7, "unreachable", True)

    own.start()
    let_leases_run_out(url)
    again = trial.run("reconcile", "--json")
    assert (again.status, differences(trial)) == (0, [])
    for there, was in zip(addresses(trial), before, strict=True):
        assert {one: count for one, count in there.items() if count > was.get(one, 1)} == {}
    trial.forget_requests()
    assert (trial.run("reconcile").status, trial.writes()) == (0, [])


def test_connections_that_are_ended_in_the_middle_are_made_anew(trial: Trial, postgres_server: Server) -> None:
    with postgres_server.fresh_database() as url:
        over(trial, url)
        plain = make_url(url).set(drivername="postgresql").render_as_string()
        ended: list[Any] = []

        def end_all_connections() -> None:
            with psycopg.connect(plain, autocommit=True) as connection:
                ended.extend(connection.execute(f"{END_OTHERS} AND datname = current_database()").fetchall())

        strike(trial, EMAILOCTOPUS, 1, end_all_connections)
        answer = trial.run("reconcile", "--json")
        assert (answer.status, answer.pair["outcome"], differences(trial)) == (0, "ok", [])
        assert ended != []


@pytest.mark.parametrize("command", ["reconcile", "run", "status", "check", "plan"])
def test_a_server_that_is_not_there_at_the_start(trial: Trial, command: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        over(trial, f"postgresql+psycopg://me@127.0.0.1:{port}/state")
        answer = finished(trial.start(command)) if command == "run" else trial.run(command)
    assert (answer.status, answer.out, told_well(answer.err)) == (7, "", True)
    assert f"127.0.0.1:{port}/state refuses connections: start it" in answer.err


def test_the_service_waits_for_it_and_goes_on_by_itself(trial: Trial, own: OwnServer) -> None:
    over(trial, own.url)
    with service(trial, polls="1s") as here:
        ghl_id, _ = somebody(trial)
        own.stop()
        until(lambda: here.get("/readyz").status_code == 503, "not ready", 120)
        said = here.get("/readyz").json()["database"]
        assert (told_well(said), "isn't there" in said) == (True, True)
        assert here.get("/metrics").status_code == 503
        trial.ghl.edit(ghl_id, firstName="Meanwhile")
        until(lambda: here.events("webhook_not_stored"), "a refused webhook", 120)
        until(
            lambda: "unreachable" in [one["outcome"] for one in here.events("cycle_ended")],
            "a failed cycle",
            120,
        )
        assert here.get("/healthz").status_code == 200

        own.start()
        until(lambda: here.get("/readyz").status_code == 200, "ready again", 120)
        until(lambda: "Meanwhile" in names(trial), "what changed meanwhile", 120)
        assert here.stop().status == 0
        assert told_well(here.log.read_text(encoding="utf-8"))
        assert here.events("unexpected_failure") == []
    assert differences(trial) == []
