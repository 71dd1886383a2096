"""Each kind of weather, over a real socket and without one."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from sync_daemon.sandbox.clock import ManualClock, SystemClock
from sync_daemon.sandbox.context import Context
from sync_daemon.sandbox.middleware import ConnectionLostError, Gate
from sync_daemon.sandbox.server import serve
from sync_daemon.sandbox.weather import Fault, FaultKind, Weather
from tests.plain import PLAIN
from tests.sandbox.api import Counter, counter_api
from tests.sandbox.inprocess import ask


@dataclass
class Served:
    context: Context[Counter]
    client: httpx.Client

    def befall(self, kind: FaultKind, status: int = 500, seconds: float = 0.0) -> None:
        self.context.weather.faults.append(Fault(kind=kind, status=status, seconds=seconds))


@pytest.fixture
def served() -> Iterator[Served]:
    context, app = counter_api(SystemClock())
    with serve(app) as url, httpx.Client(base_url=url, verify=PLAIN) as client:
        yield Served(context, client)


def test_error_is_worded_by_the_api_and_nothing_is_applied(served: Served) -> None:
    served.befall("error", 503)
    answer = served.client.post("/count")
    assert (answer.status_code, answer.json()) == (503, {"error": 503})
    assert "x-ratelimit-remaining" in answer.headers
    assert served.context.world.count == 0


def test_html_error_comes_from_the_edge(served: Served) -> None:
    served.befall("html_error", 502)
    answer = served.client.post("/count")
    assert answer.status_code == 502
    assert answer.headers["content-type"] == "text/html"
    assert "x-ratelimit-remaining" not in answer.headers
    assert served.context.world.count == 0


def test_throttle_looks_like_the_limit(served: Served) -> None:
    served.befall("throttle")
    answer = served.client.post("/count")
    assert (answer.status_code, answer.json()) == (429, {"error": 429})
    assert served.context.world.count == 0


def test_lost_answer_is_applied_but_never_told(served: Served) -> None:
    served.befall("lost_answer")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        served.client.post("/count")
    assert served.context.world.count == 1
    assert served.client.post("/count").json()["count"] == 2


def test_truncate_breaks_in_the_middle_of_the_body(served: Served) -> None:
    served.befall("truncate")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        served.client.post("/count")
    assert served.context.world.count == 1


def test_drop_breaks_before_anything_is_applied(served: Served) -> None:
    served.befall("drop")
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        served.client.post("/count")
    assert served.context.world.count == 0


def test_latency_makes_the_client_wait(served: Served) -> None:
    served.befall("latency", seconds=0.05)
    start = time.monotonic()
    assert served.client.post("/count").status_code == 200
    assert time.monotonic() - start >= 0.05


def test_latency_runs_into_a_clients_timeout(served: Served) -> None:
    served.context.weather.latency_s = 5
    with pytest.raises(httpx.ReadTimeout):
        served.client.post("/count", timeout=httpx.Timeout(30, read=0.05))


@pytest.mark.parametrize(("kind", "applied"), [("lost_answer", 1), ("truncate", 1), ("drop", 0)])
def test_a_broken_connection_without_a_socket_is_an_exception(kind: FaultKind, applied: int) -> None:
    context, app = counter_api()
    context.weather.faults.append(Fault(kind=kind))
    with pytest.raises(ConnectionLostError, match="POST /count"):
        ask(app, "POST", "/count")
    assert context.world.count == applied


def test_latency_without_an_event_loop_moves_the_manual_clock() -> None:
    clock = ManualClock()
    context, app = counter_api(clock)
    context.weather.latency_s = 30
    assert ask(app, "GET", "/count").status == 200
    assert clock.monotonic() == 30


def outcomes(app: Gate, requests: int = 12, method: str = "GET") -> list[int]:
    return [ask(app, method, "/count").status for _ in range(requests)]


def test_faults_are_played_in_order_and_then_the_sky_is_clear() -> None:
    context, app = counter_api()
    context.weather.faults += [Fault(kind="error", status=500, times=2), Fault(kind="error", status=502)]
    assert outcomes(app, 5) == [500, 500, 502, 200, 200]


def test_a_fault_lets_some_requests_pass_and_picks_by_method_and_path() -> None:
    context, app = counter_api()
    context.weather.faults.append(Fault(kind="error", method="post", path="^/cou", after=1))
    context.weather.faults.append(Fault(kind="error", path="/other"))
    assert outcomes(app, 3, "GET") == [200, 200, 200]
    assert outcomes(app, 3, "POST") == [200, 500, 200]


@pytest.mark.parametrize(
    ("weather", "unlucky"),
    [
        (Weather(error_rate=0.5, error_status=503), 503),
        (Weather(throttle_rate=0.5), 429),
        (Weather(error_rate=1.0), 500),
        (Weather(), 200),
    ],
)
def test_rates_are_drawn_from_the_seed(weather: Weather, unlucky: int) -> None:
    def draw(seed: int) -> list[int]:
        context, app = counter_api(seed=seed)
        context.weather = weather
        return outcomes(app, 40)

    drawn = draw(1)
    assert drawn == draw(1)
    assert set(drawn) == ({200, unlucky} if weather.error_rate < 1 else {unlucky})


@pytest.mark.parametrize("rate", ["drop_rate", "lost_answer_rate", "truncate_rate"])
def test_rates_break_connections_too(rate: str) -> None:
    context, app = counter_api()
    setattr(context.weather, rate, 1.0)
    with pytest.raises(ConnectionLostError):
        ask(app, "GET", "/count")
    assert context.world.count == (0 if rate == "drop_rate" else 1)


def test_control_routes_feel_neither_weather_nor_limits() -> None:
    context, app = counter_api()
    context.weather.error_rate = 1.0
    for _ in range(150):
        assert ask(app, "GET", "/_sandbox/weather").status == 200
    assert len(context.log) == 0


def test_the_log_tells_what_struck() -> None:
    context, app = counter_api()
    context.weather.faults += [Fault(kind="drop"), Fault(kind="lost_answer"), Fault(kind="error", status=504)]
    for _ in range(2):
        with pytest.raises(ConnectionLostError):
            ask(app, "POST", "/count?a=1")
    ask(app, "POST", "/count?a=1")
    ask(app, "POST", "/count?a=1")
    log = context.log.exchanges()
    assert [(each.fault, each.status) for each in log] == [
        ("drop", None),
        ("lost_answer", 200),
        ("error", 504),
        (None, 200),
    ]
    assert (log[0].method, log[0].path, log[0].query) == ("POST", "/count", "a=1")


def test_a_recorded_log_keeps_bodies() -> None:
    context, app = counter_api()
    context.log.recording = True
    ask(app, "POST", "/count", {"by": "one"})
    (exchange,) = context.log.exchanges()
    assert exchange.request == {"by": "one"}
    assert exchange.response["count"] == 1


def test_weather_travels_as_json() -> None:
    _, app = counter_api()
    sent = {"error_rate": 0.25, "faults": [{"kind": "drop", "times": 2}], "plan_limit": 3}
    told = ask(app, "PUT", "/_sandbox/weather", sent).json()
    assert told["error_rate"] == 0.25
    assert told["faults"][0]["times"] == 2
    assert ask(app, "PUT", "/_sandbox/weather", {}).json() == json.loads(
        json.dumps({**told, "error_rate": 0.0, "faults": [], "plan_limit": None})
    )


def test_an_error_can_repeat_what_was_sent(served: Served) -> None:
    served.context.error_body = lambda status: json.dumps({"message": f"no {status}"}).encode()
    served.context.weather.faults.append(Fault(kind="error", status=422, echo=True))
    answer = served.client.post("/count?of=Ada", json={"name": "Ada"}, headers={"Authorization": "Bearer key"})
    assert answer.json() == {"message": """This can't be taken: of=Ada Bearer key {"name":"Ada"}"""}
    assert served.context.world.count == 0
