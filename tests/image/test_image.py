"""The image, really built and run: `make test-image`.

It needs docker or podman, Linux (containers reach two sandboxes on this machine by the host's network), and the base
image. Where that can't be pulled, TEST_IMAGE_BASE names another one with Python 3.13 and pip as `python`, and
TEST_IMAGE_BUILD further arguments for the engine's `build`, such as `--pull-never --network host`.
"""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from tests.image.conftest import Installation
from tests.image.engine import Engine, locked_up

PATIENCE_S = 60.0
PORT = "SYNC_DAEMON_SERVICE__HTTP__PORT"


@dataclass(frozen=True)
class Service:
    """A container that runs the service."""

    engine: Engine
    id: str
    url: str

    def inside(self, *command: str) -> str:
        """What a command prints in the container; it must succeed."""
        return self.engine.must("exec", self.id, *command)

    def is_ready(self) -> bool:
        """Whether it is; the container must live."""
        assert self.state()["Running"], self.log()
        try:
            return httpx.get(f"{self.url}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def state(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.engine.must("inspect", self.id))[0]["State"]
        return found

    def log(self) -> str:
        done = self.engine("logs", self.id)
        return done.out + done.err


def until(holds: Callable[[], object], what: str) -> None:
    """Wait for something that is bound to come."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"it didn't come to pass: {what}"
        time.sleep(0.1)


@contextmanager
def service(installation: Installation) -> Iterator[Service]:
    """A container that runs the service, ready."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = int(one.getsockname()[1])
    engine = installation.engine
    options = locked_up(engine.image, *installation.options(), f"--env={PORT}={port}")
    running = Service(engine, engine.must("run", "--detach", *options).splitlines()[-1], f"http://127.0.0.1:{port}")
    try:
        until(running.is_ready, "ready")
        yield running
    finally:
        engine.must("rm", "--force", running.id)


def test_the_service_makes_both_sides_equal_and_ends_when_told(installation: Installation) -> None:
    assert installation.differences() != []
    with service(installation) as running:
        assert installation.differences() == []
        assert httpx.get(f"{running.url}/healthz").status_code == 200
        events = [json.loads(line)["event"] for line in running.log().splitlines()]
        assert {"listening", "service_started", "cycle_ended"} <= set(events)

        began = time.monotonic()
        running.engine.must("stop", "-t", "15", running.id)
        assert time.monotonic() - began < 10
        assert running.state()["ExitCode"] == 0


def test_it_runs_as_nobody_in_particular_and_can_change_nothing_but_its_data(installation: Installation) -> None:
    with service(installation) as running:
        assert running.inside("id", "-u", "-n") == "app"
        assert running.inside("sh", "-c", "stat -c %u /proc/1 /data/sync.db | sort -u") == "10001"
        assert running.inside("sh", "-c", "grep ^CapEff /proc/1/status").split()[1].strip("0") == ""
        assert running.inside("stat", "-c", "%a", "/data/sync.db.key") == "600"
        for path in ("/", "/opt/sync-daemon", "/config"):
            assert running.engine("exec", running.id, "touch", f"{path}/x").status != 0


def test_its_health_check_tells_a_service_that_answers_from_one_that_does_not(installation: Installation) -> None:
    kind, *check = installation.engine.health_check()
    assert kind == "CMD"
    with service(installation) as running:
        running.inside(*check)
        deaf = running.engine("exec", f"--env={PORT}=9", running.id, *check)
        assert deaf.status == 1
        assert "Connection refused" in deaf.err


def test_the_database_outlives_the_container(installation: Installation) -> None:
    with service(installation) as first:
        before = json.loads(first.inside("sync-daemon", "status", "--json"))["pairs"][0]
        first.engine.must("stop", "-t", "15", first.id)
    again = installation.command("reconcile", "--json")
    assert (again.status, again.err.count("key_file_made")) == (0, 0)
    after = again.json["pairs"][0]
    assert after["mode"] == "incremental"
    assert {count for counts in after["written"].values() for count in counts.values()} == {0}
    assert before["links"] > 0
    assert installation.command("status", "--json").json["pairs"][0]["links"] == before["links"]


def test_commands_work_in_it(installation: Installation) -> None:
    assert "Nothing stops a reconcile" in installation.command("check").out
    assert installation.command("status").status == 0
    demo = installation.engine("run", "--rm", *locked_up(installation.engine.image, arguments=["demo"]))
    assert (demo.status, demo.out.count("; 0 differences")) == (0, 2)


def test_what_is_missing_is_named(installation: Installation) -> None:
    engine = installation.engine
    bare = engine("run", "--rm", *locked_up(engine.image))
    assert bare.status == 2
    assert "There is no configuration file /config/sync.yaml" in bare.err
    (installation.folder / "GHL_TOKEN").chmod(0o600)
    unreadable = installation.command("status")
    assert unreadable.status == 2
    assert "GHL_TOKEN_FILE names /run/secrets/GHL_TOKEN, which can't be read: Permission denied" in unreadable.err


def test_nothing_of_its_making_is_in_it(engine: Engine) -> None:
    paths = "/src /tools /dist /opt/sync-daemon/bin/pip /opt/sync-daemon/bin/sync-daemon"
    found = engine("run", "--rm", "--entrypoint", "sh", engine.image, "-c", f"ls -d {paths}")
    assert found.out.split() == ["/opt/sync-daemon/bin/sync-daemon"]
