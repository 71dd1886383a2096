"""How long a change outside takes to the other side, with a service under way: by webhook, and by polling alone."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sync_daemon.commands.demo.sides import Sides
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.clock import SystemClock
from tests.benchmarks.accounts import Twins, twins
from tests.benchmarks.figures import Figure, percentile
from tests.benchmarks.jobs import GHL, bench, is_ready
from tests.e2e.office import until

_SHARES = (50, 95, 99)
_LOOK_EVERY_S = 0.005
_LOST_AFTER_S = 180.0
_POLL_EVERY_S = 60


def measure(rates: tuple[int, ...], seconds: float) -> Iterator[Figure]:
    """Changes at each rate for so long, half on each side; without limits, which would be the slower part."""
    for webhooks in (True, False):
        way = "by webhook" if webhooks else f"by a poll every {_POLL_EVERY_S} s"
        for rate in rates:
            count = int(rate * max(seconds, 2 * _POLL_EVERY_S if not webhooks else 0))
            with _service(twins(count, SystemClock()), webhooks=webhooks) as one:
                taken = _change_all(one, rate)
            for share in _SHARES:
                what = f"p{share} of {count:,} changes at {rate} a second, {way}"
                yield Figure("latency", what, "s", (percentile(taken, share),))


@contextmanager
def _service(one: Twins, *, webhooks: bool) -> Iterator[Twins]:
    """The real service, ready, in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    schedule = f"service: {{http: {{port: {port}}}, poll_every: {_POLL_EVERY_S}s}}\nretention: {{undo_days: 0}}\n"
    with bench(one.sandbox, limits=False, settings=schedule) as running:
        running.reconcile("--full")
        url = f"http://127.0.0.1:{port}"
        if webhooks:
            one.sandbox.ghl.webhooks.set(url=f"{url}/webhooks/ghl")
            one.sandbox.emailoctopus.webhooks.set(url=f"{url}/webhooks/emailoctopus", buffer_s=0.0)
        with running.service():
            until(lambda: is_ready(url), "the service is ready")
            yield one


def _change_all(one: Twins, rate: int) -> list[float]:
    """Change everybody once at a steady rate, and see when each is across; the seconds."""
    sides, began = Sides(one.sandbox, ()), time.monotonic()
    waiting: dict[int, float] = {}
    taken: list[float] = []
    done = 0
    while done < len(one.ids) or waiting:
        now = time.monotonic()
        while done < len(one.ids) and now >= began + done / rate:
            waiting[done] = time.monotonic()
            _change(one, done)
            done += 1
        across = [number for number in waiting if _is_across(sides, one, number)]
        taken += [time.monotonic() - waiting.pop(number) for number in across]
        if waiting and now - min(waiting.values()) > _LOST_AFTER_S:
            raise SystemExit(f"{len(waiting)} changes were not across after {_LOST_AFTER_S:.0f} s")
        time.sleep(_LOOK_EVERY_S)
    return taken


def _change(one: Twins, number: int) -> None:
    ghl_id, emailoctopus_id = one.ids[number]
    if number % 2:
        one.sandbox.ghl.world.edit(ghl_id, city=f"Town {number}")
    else:
        one.sandbox.emailoctopus.world.edit(emailoctopus_id, {"City": f"Town {number}"})


def _is_across(sides: Sides, one: Twins, number: int) -> bool:
    there = SystemName.EMAILOCTOPUS if number % 2 else GHL
    name = "City" if number % 2 else "city"
    return sides.value(there, one.ids[number][number % 2], name) == f"Town {number}"
