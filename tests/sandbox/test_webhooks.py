"""How webhooks are delivered, whatever they tell: by a thread of its own, until somebody acknowledges them."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from typing import Any

import httpx
import pytest

from sync_daemon.sandbox.context import Context
from sync_daemon.sandbox.middleware import Gate
from sync_daemon.sandbox.server import serve
from tests.plain import PLAIN
from tests.sandbox.api import Counter, CountWebhooks, counter_api
from tests.sandbox.inprocess import ask
from tests.sandbox.receiver import Receiver, receiver

NOWHERE = "http://127.0.0.1:9/hook"  # the discard port: nobody listens


class Api:
    """The counter API, counting by requests and telling every number."""

    def __init__(self, seed: int = 5) -> None:
        self.context: Context[Counter]
        self.app: Gate
        self.context, self.app = counter_api(seed=seed)
        self.webhooks: CountWebhooks = self.context.webhooks  # type: ignore[assignment]  # its own

    def count(self, times: int = 1) -> None:
        for _ in range(times):
            assert ask(self.app, "POST", "/count").status == 200

    def control(self, method: str, path: str = "", body: Any = None) -> Any:
        return ask(self.app, method, f"/_sandbox/webhooks{path}", body).json()

    def deliveries(self, outcome: str, count: int) -> list[dict[str, Any]]:
        """Those that ended so, as soon as there are so many."""
        until = time.monotonic() + 20
        while True:
            found = [one for one in self.control("GET", "/deliveries")["deliveries"] if one["outcome"] == outcome]
            if len(found) >= count:
                return found
            assert time.monotonic() < until, self.control("GET", "/deliveries")
            time.sleep(0.005)


@pytest.fixture
def api() -> Iterator[Api]:
    made = Api()
    yield made
    made.webhooks.stop()


@pytest.fixture
def box() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


def test_an_event_is_posted_signed_and_recorded(api: Api, box: Receiver) -> None:
    api.control("PUT", "", {"url": f"{box.url}/hook?a=b"})
    api.count()
    (came,) = box.wait(1)
    assert (came.path, came.json(), came.headers["Count"]) == ("/hook?a=b", [1], "signed")
    assert came.headers["Content-Type"] == "application/json"
    (delivery,) = api.deliveries("acknowledged", 1)
    assert delivery["events"] == [{"id": "e1", "type": "counted", "contact_id": "c1"}]
    (attempt,) = delivery["attempts"]
    assert (attempt["status"], attempt["problem"]) == (200, None)
    assert attempt["sent_at"] <= attempt["answered_at"] == delivery["acknowledged_at"]


def test_nothing_is_told_without_an_address(api: Api) -> None:
    before = threading.active_count()
    api.count()
    assert api.control("PUT", "", {"retry_base_s": 2})["url"] == ""
    api.count()
    assert api.control("GET", "/deliveries") == {"total": 0, "deliveries": []}
    assert api.control("POST", "/flush") == {"sent": 0}
    assert (api.webhooks.watching, threading.active_count()) == (False, before)


def test_what_waits_is_discarded_when_the_address_is_taken_away(api: Api, box: Receiver) -> None:
    api.control("PUT", "", {"url": box.url, "weather": {"delay_s": 3600}})
    api.count()
    api.control("PUT", "", {"url": ""})
    api.count()
    assert api.control("POST", "/flush") == {"sent": 1}
    assert len(api.deliveries("discarded", 1)) == 1
    assert box.came == []


@pytest.mark.parametrize("refusal", [401, 404, 429, 500, 301])
def test_anything_but_2xx_is_repeated_with_the_same_ids_and_growing_gaps(api: Api, box: Receiver, refusal: int) -> None:
    box.answers.extend([refusal] * 3)
    api.control("PUT", "", {"url": box.url, "retry_base_s": 0.02})
    api.count()
    assert [came.body for came in box.wait(4)] == [b"[1]"] * 4
    (delivery,) = api.deliveries("acknowledged", 1)
    assert [attempt["status"] for attempt in delivery["attempts"]] == [refusal] * 3 + [200]
    sent = [datetime.fromisoformat(attempt["sent_at"]).timestamp() for attempt in delivery["attempts"]]
    gaps = [later - earlier for earlier, later in pairwise(sent)]
    assert all(gap >= least for gap, least in zip(gaps, (0.02, 0.04, 0.08), strict=True)), gaps


def test_a_service_that_is_not_there_is_given_up_in_the_end(api: Api) -> None:
    api.control("PUT", "", {"url": NOWHERE, "retry_base_s": 0, "attempts": 3})
    api.count()
    (delivery,) = api.deliveries("given up", 1)
    assert [attempt["problem"] for attempt in delivery["attempts"]] == ["ConnectionRefusedError"] * 3
    assert delivery["acknowledged_at"] is None


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        (f"http://{'a' * 64}.invalid/", "UnicodeEncodeError|UnicodeError"),
        ("http://127.0.0.1/a hook", "InvalidURL|ConnectionRefusedError"),
    ],
)
def test_an_address_that_cannot_be_reached_stops_no_later_delivery(
    api: Api, box: Receiver, url: str, problem: str
) -> None:
    api.control("PUT", "", {"url": url, "attempts": 1})
    api.count()
    assert api.deliveries("given up", 1)[0]["attempts"][0]["problem"] in problem.split("|")
    api.control("PUT", "", {"url": box.url})
    api.count()
    assert box.wait(1)[0].json() == [2]


def test_a_service_that_says_nothing_is_asked_again(api: Api, box: Receiver) -> None:
    box.gate.clear()
    api.control("PUT", "", {"url": box.url, "retry_base_s": 0, "timeout_s": 0.05})
    api.count()
    box.wait(2)
    box.gate.set()
    (delivery,) = api.deliveries("acknowledged", 1)
    assert delivery["attempts"][0]["problem"] == "TimeoutError"


def test_a_service_that_hangs_holds_nobody_up(api: Api, box: Receiver) -> None:
    box.gate.clear()
    api.control("PUT", "", {"url": box.url})
    start = time.monotonic()
    api.count(90)
    assert time.monotonic() - start < 5, "each would wait ten seconds"
    assert len(box.wait(1)) == 1
    box.gate.set()
    assert [n for came in box.wait(90) for n in came.json()] == list(range(1, 91))


def test_stopping_ends_a_request_under_way(api: Api, box: Receiver) -> None:
    before = threading.active_count()
    box.gate.clear()
    api.control("PUT", "", {"url": box.url})
    api.count(2)
    box.wait(1)
    start = time.monotonic()
    api.webhooks.stop()
    assert time.monotonic() - start < 5, "its time limit is ten seconds"
    box.gate.set()
    assert "5 count webhooks" not in {thread.name for thread in threading.enumerate()}
    assert threading.active_count() <= before + 1, "the receiver's own"
    api.count()
    assert len(box.came) == 1


def test_events_of_some_time_go_together(api: Api, box: Receiver) -> None:
    api.webhooks.buffer_s, api.webhooks.most = 3600, 3
    api.control("PUT", "", {"url": box.url})
    api.count(7)
    assert [came.json() for came in box.wait(2)] == [[1, 2, 3], [4, 5, 6]]
    assert api.control("POST", "/flush") == {"sent": 1}
    assert box.wait(3)[2].json() == [7]
    assert [len(one["events"]) for one in api.deliveries("acknowledged", 3)] == [3, 3, 1]


def test_the_buffer_empties_by_itself(api: Api, box: Receiver) -> None:
    api.webhooks.buffer_s, api.webhooks.most = 0.05, 1000
    api.control("PUT", "", {"url": box.url})
    api.count(2)
    start = time.monotonic()
    assert box.wait(1)[0].json() == [1, 2]
    assert time.monotonic() - start < 10
    api.count()
    assert box.wait(2)[1].json() == [3]


def test_webhooks_can_come_late(api: Api, box: Receiver) -> None:
    api.control("PUT", "", {"url": box.url, "weather": {"delay_s": 0.1}})
    api.count()
    box.wait(1)
    (delivery,) = api.deliveries("acknowledged", 1)
    made, sent = (datetime.fromisoformat(at) for at in (delivery["made_at"], delivery["attempts"][0]["sent_at"]))
    assert (sent - made).total_seconds() >= 0.099


@contextmanager
def weathered(seed: int, weather: dict[str, Any], most: int = 1) -> Iterator[tuple[Api, Receiver]]:
    """Thirty events in a certain weather, all of them on their way."""
    api = Api(seed)
    api.webhooks.most = most
    api.webhooks.buffer_s = 3600 if most > 1 else 0
    with receiver() as box:
        api.control("PUT", "", {"url": box.url, "retry_base_s": 0, "weather": weather})
        api.count(30)
        yield api, box
        api.webhooks.stop()


def test_some_events_are_lost() -> None:
    def lost(seed: int) -> list[str]:
        with weathered(seed, {"drop": 0.5}) as (api, box):
            dropped = [one["events"][0]["id"] for one in api.deliveries("dropped", 1)]
            arrived = [f"e{n}" for came in box.wait(30 - len(dropped)) for n in came.json()]
        assert sorted(dropped + arrived) == sorted(f"e{n}" for n in range(1, 31))
        return dropped

    assert lost(1) == lost(1) != lost(2)
    assert 5 < len(lost(1)) < 25


def test_some_deliveries_come_twice() -> None:
    with weathered(1, {"repeat": 1.0}) as (api, box):
        numbers = [came.json()[0] for came in box.wait(60)]
        assert sorted(numbers) == sorted([*range(1, 31)] * 2)
        assert len(box.came) == 60
        assert [len(one["attempts"]) for one in api.deliveries("acknowledged", 30)] == [2] * 30


def test_some_deliveries_are_overtaken() -> None:
    with weathered(1, {"shuffle": 0.5, "shuffle_s": 0.2}) as (_, box):
        numbers = [came.json()[0] for came in box.wait(30)]
    assert numbers != sorted(numbers) == list(range(1, 31))


def test_events_of_an_array_change_places() -> None:
    with weathered(1, {"shuffle": 1.0, "shuffle_s": 0}, most=30) as (_, box):
        (came,) = box.wait(1)
    assert came.json() != sorted(came.json()) == list(range(1, 31))


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "127.0.0.1:8080"},
        {"url": "ftp://127.0.0.1/"},
        {"url": "http:///hook"},
        {"url": "http://127.0.0.1/hök"},
        {"url": "http://127.0.0.1:99999/"},
        {"url": NOWHERE, "retry_base_s": -1},
        {"url": NOWHERE, "attempts": 0},
        {"url": NOWHERE, "weather": {"drop": 2}},
        {"url": NOWHERE, "weather": {"sunshine": 1}},
        {"url": NOWHERE, "uri": ""},
    ],
)
def test_senseless_settings_are_refused_and_nothing_changes(api: Api, settings: dict[str, Any]) -> None:
    answer = ask(api.app, "PUT", "/_sandbox/webhooks", settings)
    assert (answer.status, list(answer.json())) == (400, ["error"])
    assert api.control("GET")["url"] == ""
    assert not api.webhooks.watching


def test_deliveries_can_be_read_on_and_forgotten(api: Api, box: Receiver) -> None:
    api.control("PUT", "", {"url": box.url})
    api.count(3)
    api.deliveries("acknowledged", 3)
    assert [one["number"] for one in api.control("GET", "/deliveries?after=1")["deliveries"]] == [2, 3]
    assert "whole number" in api.control("GET", "/deliveries?after=some")["error"]
    assert api.control("DELETE", "/deliveries") == {"total": 3, "deliveries": []}
    api.count()
    assert [one["number"] for one in api.deliveries("acknowledged", 1)] == [4]


def test_control_over_a_socket() -> None:
    context, app = counter_api()
    with serve(app) as url, httpx.Client(base_url=f"{url}/_sandbox", verify=PLAIN) as client, receiver() as box:
        index = client.get("").json()
        assert {path.partition(" ")[2] for path in index if "webhooks" in path} == {
            f"/_sandbox/webhooks{rest}" for rest in ("", "/key", "/deliveries", "/flush")
        }
        assert client.get("/webhooks/key").json() == {"key": "none"}
        assert client.put("/webhooks", json={"url": box.url}).status_code == 200
        httpx.post(f"{url}/count", verify=PLAIN)
        assert box.wait(1)[0].json() == [1]
        context.webhooks.stop()
