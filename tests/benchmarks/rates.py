"""Seconds under the limits that both vendors document: how near to the allowed rate, and whether any request was one
too many.
"""

import math
from collections.abc import Iterator

from sync_daemon.sandbox.clock import SystemClock
from tests.benchmarks.accounts import twins
from tests.benchmarks.figures import Figure
from tests.benchmarks.jobs import EMAILOCTOPUS, GHL, Job, bench, window_of
from tests.benchmarks.requests import EMAILOCTOPUS_PAGE, GHL_PAGE

_LATENCY_S = 0.3
_NEAR, _COMPARED_WITHIN = 0.95, 1.1
_WINDOW_S, _BUCKET, _A_SECOND = 10, 100, 10


def measure(contacts: int, compared: int) -> Iterator[Figure]:
    """First loads of so many new contacts at three limits, and a full compare of `compared` contacts on both sides."""
    for per_window in (25, 100):
        yield from _to_ghl(per_window, contacts * per_window // 100)
    yield from _to_emailoctopus(contacts)
    yield from _compare(compared)


def _to_ghl(per_window: int, contacts: int) -> Iterator[Figure]:
    """New contacts for GHL, each request 0.3 s under way."""
    one = twins(contacts, SystemClock(), in_ghl=False)
    window_of(one.sandbox).per_window = per_window
    one.sandbox.ghl.weather.latency_s = one.sandbox.emailoctopus.weather.latency_s = _LATENCY_S
    with bench(one.sandbox, limits=True) as running:
        job = running.reconcile()
    sent, seconds = job.writing[GHL]
    yield _rate(f"GHL at {per_window} in 10 s, of {sent:,}", sent / seconds, per_window / _WINDOW_S)
    yield _refused(f"GHL at {per_window} in 10 s", job)


def _to_emailoctopus(contacts: int) -> Iterator[Figure]:
    """New contacts for EmailOctopus; what its bucket holds at the start is left out."""
    one = twins(contacts, SystemClock(), in_emailoctopus=False)
    one.sandbox.ghl.weather.latency_s = one.sandbox.emailoctopus.weather.latency_s = _LATENCY_S
    with bench(one.sandbox, limits=True) as running:
        job = running.reconcile()
    sent, seconds = job.writing[EMAILOCTOPUS]
    yield _rate(f"EmailOctopus at 10 a second, of {sent:,}", (sent - _BUCKET) / seconds, _A_SECOND)
    yield _refused("EmailOctopus at 10 a second", job)


def _compare(contacts: int) -> Iterator[Figure]:
    """The side by side reading of everybody takes as long as its slower side: pages beyond the bucket, at its rate."""
    one = twins(contacts, SystemClock())
    with bench(one.sandbox, limits=False) as running:
        running.reconcile("--full")
        one.sandbox.emailoctopus.limiter.settings.enabled = True
        window_of(one.sandbox).per_window = _BUCKET
        job = running.reconcile("--full")
    in_ghl = math.ceil(contacts / GHL_PAGE) / (_BUCKET / _WINDOW_S) - _WINDOW_S
    in_emailoctopus = (math.ceil(contacts / EMAILOCTOPUS_PAGE) + 2 - _BUCKET) / _A_SECOND
    floor = max(in_ghl, in_emailoctopus)
    what = f"full compare of {contacts:,} on both sides"
    yield Figure("rates", what, "s", (job.seconds,), floor if floor > 0 else None, _COMPARED_WITHIN)
    yield _refused("a full compare", job)


def _rate(what: str, rate: float, allowed: float) -> Figure:
    return Figure("rates", f"requests a second to {what}", "1/s", (rate,), allowed, _NEAR, least=True)


def _refused(what: str, job: Job) -> Figure:
    return Figure(
        "rates", f"refused as too many by {what}", "429s", (float(sum(job.report["throttled"].values())),), None, 0.0
    )
