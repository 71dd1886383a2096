"""The control routes, and the clock they move."""

from datetime import UTC, datetime

import pytest

from sync_daemon.sandbox.changing import change
from sync_daemon.sandbox.clock import ManualClock, SystemClock
from sync_daemon.sandbox.control import call
from tests.sandbox.api import Switches, counter_api
from tests.sandbox.inprocess import ask


def test_quirks_change_in_place() -> None:
    context, app = counter_api()
    quirks = context.world.quirks
    assert ask(app, "PUT", "/_sandbox/quirks", {"times": 3}).json() == {"shouting": False, "times": 3}
    assert quirks.times == 3
    assert ask(app, "GET", "/count").json()["count"] == 3


@pytest.mark.parametrize("path", ["/_sandbox", "/_sandbox/"])
def test_the_routes_are_listed_with_what_they_do(path: str) -> None:
    _, app = counter_api()
    answer = ask(app, "GET", path)
    assert answer.status == 200
    assert (
        answer.json()["GET/PUT /_sandbox/weather"] == "GET the weather; PUT a new one (what isn't named becomes fair)."
    )
    assert "POST /_sandbox/clock/advance" in answer.json()


@pytest.mark.parametrize(
    ("body", "said"), [({"loud": True}, "There is no loud here"), ({"times": "often"}, "Expected `int`")]
)
def test_wrong_quirks_are_refused_and_nothing_changes(body: dict[str, object], said: str) -> None:
    context, app = counter_api()
    answer = ask(app, "PUT", "/_sandbox/quirks", {"shouting": True, **body})
    assert answer.status == 400
    assert said in answer.json()["error"]
    assert context.world.quirks == Switches()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/weather", {"sunshine": 1}),
        *(
            ("PUT", "/weather", {name: value})
            for name in ("error_rate", "throttle_rate", "drop_rate", "lost_answer_rate", "truncate_rate")
            for value in (-0.1, 1.1)
        ),
        ("PUT", "/weather", {"flicker": 2}),
        ("PUT", "/weather", {"short_listing": 2}),
        ("PUT", "/weather", {"error_status": 200}),
        ("PUT", "/weather", {"latency_s": -1}),
        ("PUT", "/weather", {"index_lag_s": 3601}),
        ("PUT", "/weather", {"plan_limit": -1}),
        ("POST", "/faults", [{"kind": "earthquake"}]),
        ("POST", "/faults", [{"kind": "error", "path": "("}]),
        ("POST", "/faults", [{"kind": "error", "status": 200}]),
        ("POST", "/faults", [{"kind": "error", "times": 0}]),
        ("POST", "/faults", [{"kind": "error", "after": -1}]),
        ("PUT", "/limits", {"enabled": "perhaps"}),
        ("POST", "/clock/advance", {"seconds": -1}),
    ],
)
def test_senseless_control_requests_are_refused(method: str, path: str, body: object) -> None:
    _, app = counter_api()
    answer = ask(app, method, "/_sandbox" + path, body)
    assert (answer.status, list(answer.json())) == (400, ["error"])
    assert ask(app, "GET", "/count").status == 200, "nothing of it stays behind"


def test_faults_are_added_and_taken_back() -> None:
    context, app = counter_api()
    assert len(ask(app, "POST", "/_sandbox/faults", [{"kind": "drop"}, {"kind": "error"}]).json()) == 2
    assert ask(app, "DELETE", "/_sandbox/faults").json() == []
    assert context.weather.faults == []


def test_the_log_is_read_recorded_and_cleared() -> None:
    _, app = counter_api()
    assert ask(app, "PUT", "/_sandbox/requests", {"recording": True}).json()["recording"]
    ask(app, "POST", "/count?x=1", {"a": 1})
    log = ask(app, "GET", "/_sandbox/requests").json()
    assert log["total"] == 1
    assert log["requests"][0] == {
        "method": "POST",
        "path": "/count",
        "query": "x=1",
        "at": "2026-01-05T09:00:00Z",
        "status": 200,
        "fault": None,
        "request": {"a": 1},
        "response": {"count": 1, "filling": "." * 100},
    }
    assert ask(app, "DELETE", "/_sandbox/requests").json()["requests"] == []


def test_a_manual_clock_is_advanced() -> None:
    clock = ManualClock(datetime(2026, 3, 1, 12, tzinfo=UTC))
    _, app = counter_api(clock)
    assert ask(app, "POST", "/_sandbox/clock/advance", {"seconds": 90}).json() == {"now": "2026-03-01T12:01:30+00:00"}
    assert clock.monotonic() == 90


def test_the_machines_clock_is_not() -> None:
    clock = SystemClock()
    _, app = counter_api(clock)
    assert ask(app, "POST", "/_sandbox/clock/advance", {"seconds": 90}).status == 400
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()


def test_change_checks_before_it_changes() -> None:
    switches = Switches()
    with pytest.raises(ValueError, match="Expected `int`"):
        change(switches, {"shouting": True, "times": None})
    assert switches == Switches()


def test_call_checks_names_and_types() -> None:
    def greet(name: str, times: int = 1) -> str:
        return name * times

    assert call(greet, {"name": "a", "times": 2}) == "aa"
    with pytest.raises(TypeError, match="greet takes no age"):
        call(greet, {"name": "a", "age": 3})
    with pytest.raises(ValueError, match="Expected `str`"):
        call(greet, {"name": 1})
