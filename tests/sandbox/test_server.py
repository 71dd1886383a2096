"""Real sockets: they open, answer, and close without a trace."""

import socket
import threading
from pathlib import Path

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from sync_daemon.sandbox.clock import ManualClock
from sync_daemon.sandbox.middleware import CONNECTION
from sync_daemon.sandbox.server import Sandbox, running_sandbox, serve
from tests.plain import PLAIN
from tests.sandbox.api import counter_api


def test_both_apis_are_served_and_stopped() -> None:
    before = threading.active_count()
    with running_sandbox(Sandbox(clock=ManualClock())) as running, httpx.Client(verify=PLAIN) as client:
        key = {"Authorization": f"Bearer {running.sandbox.emailoctopus_key}"}
        assert client.get(f"{running.emailoctopus_url}/lists", headers=key).status_code == 200
        token = {"Authorization": f"Bearer {running.sandbox.ghl_token}", "Version": "2021-07-28"}
        path = f"{running.ghl_url}/locations/{running.sandbox.location_id}"
        assert client.get(path, headers=token).status_code == 200
        assert threading.active_count() == before + 2
    assert threading.active_count() == before
    with pytest.raises(httpx.ConnectError):
        httpx.get(running.ghl_url, verify=PLAIN)


def test_webhooks_end_with_the_sandbox() -> None:
    before = threading.active_count()
    with running_sandbox() as running:
        for url in (running.ghl_url, running.emailoctopus_url):
            settings = {"url": "http://127.0.0.1:9/", "weather": {"delay_s": 3600}}
            assert httpx.put(f"{url}/_sandbox/webhooks", json=settings, verify=PLAIN).status_code == 200
        running.sandbox.ghl.world.create(email="ada@example.com")
        assert threading.active_count() == before + 4
    assert threading.active_count() == before


def test_a_sandbox_of_its_own_is_empty() -> None:
    with running_sandbox() as running:
        assert len(running.sandbox.ghl.world.contacts) == 0
        log = httpx.get(f"{running.emailoctopus_url}/_sandbox/requests", verify=PLAIN).json()
        assert log == {"total": 0, "recording": False, "requests": []}


def test_a_taken_port_is_an_error() -> None:
    _, app = counter_api()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"), serve(app, port):
            pass


def test_a_wanted_port_is_kept() -> None:
    _, app = counter_api()
    with serve(app) as first:
        port = httpx.URL(first).port
    assert port is not None
    with serve(app, port) as again:
        assert again == first
        assert httpx.get(f"{again}/count", verify=PLAIN).status_code == 200


def test_many_threads_are_served() -> None:
    context, app = counter_api()
    context.limiter.settings.enabled = False
    with serve(app) as url:

        def work() -> None:
            with httpx.Client(base_url=url, verify=PLAIN) as client:
                for _ in range(20):
                    client.post("/count")

        workers = [threading.Thread(target=work) for _ in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert context.world.count == 160


def test_nothing_outside_of_the_package_is_needed() -> None:
    imports = {
        line.split()[1].partition(".")[0]
        for module in Path(__file__).parents[2].joinpath("sync_daemon", "sandbox").rglob("*.py")
        for line in module.read_text().splitlines()
        if line.startswith(("import ", "from "))
    }
    assert "sortedcontainers" not in imports
    assert "tests" not in imports


def test_answers_do_not_wait_for_acknowledgements() -> None:
    seen: list[int] = []

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        connection = scope["state"][CONNECTION].get_extra_info("socket")
        seen.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    with serve(app) as url:
        assert httpx.get(url, verify=PLAIN).status_code == 204
    assert seen == [1]
