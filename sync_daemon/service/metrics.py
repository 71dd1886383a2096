"""The service's figures, as Prometheus asks for them."""

import platform
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sync_daemon.model.alarm import Condition
from sync_daemon.model.deeds import DeedState
from sync_daemon.model.health import PairHealth
from sync_daemon.model.report import CycleReport
from sync_daemon.model.system import SystemName

disable_created_metrics()  # type: ignore[no-untyped-call]  # when a series began is of no use to anybody here, and doubles them

_CYCLE_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)
_REQUEST_S = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8)


@dataclass(frozen=True, slots=True)
class Figures:
    """What is so of one pair at the moment of asking: `hints` wait, `alerts` are open; no report before the first.

    `deeds` is how many actions of rules and starts of automations are in each state.
    """

    health: PairHealth
    report: CycleReport | None
    hints: int
    alerts: Collection[Condition]
    deeds: Mapping[DeedState, int] = field(default_factory=dict)


class Metrics:
    """Every figure, in a registry of its own. Names begin with `sync_daemon_`; nothing in a label names a person."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        self._build = Info("sync_daemon_build", "The version that runs.", registry=self.registry)
        self._build.info({"version": version("sync-daemon"), "python": platform.python_version()})
        self._cycles = self._counter("cycles", "Cycles, by how much they read and how they ended.", "mode", "outcome")
        self._seconds = Histogram(
            "sync_daemon_cycle_seconds", "How long cycles took.", ("pair", "mode"), buckets=_CYCLE_S,
            registry=self.registry,
        )  # fmt: skip
        self._read = self._counter("records_read", "Contacts that listings showed.", "system")
        self._changed = self._counter("records_changed", "Contacts that differed from what was agreed.", "system")
        self._written = self._counter("writes", "What was written, by kind.", "system", "kind")
        self._conflicts = self._counter("conflicts", "Fields that both sides had changed.")
        self._missed = self._counter("missed_by_poll", "Changes that only a full scan found.")
        self._throttled = self._counter("throttled", "Requests that were refused as too many (429).", "system")
        self._requests = Histogram(
            "sync_daemon_request_seconds", "Requests by the answer's status, `none` without one.",
            ("pair", "system", "status"), buckets=_REQUEST_S, registry=self.registry,
        )  # fmt: skip
        self._webhooks = Counter(
            "sync_daemon_webhook_events_total", "What webhooks told, by what became of it.", ("system", "result"),
            registry=self.registry,
        )  # fmt: skip
        self._takeovers = self._counter("takeovers", "Cycles begun by this worker that a dead one had in hand.")
        self._quota: dict[tuple[str, SystemName], int] = {}

    def cycle_ended(self, report: CycleReport) -> None:
        """Count what a cycle did."""
        self._cycles.labels(report.pair, report.mode, report.outcome).inc()
        self._seconds.labels(report.pair, report.mode).observe(report.duration_s)
        self._conflicts.labels(report.pair).inc(report.conflicts)
        self._missed.labels(report.pair).inc(report.missed_by_poll)
        for system in SystemName:
            self._read.labels(report.pair, system).inc(report.read[system])
            self._changed.labels(report.pair, system).inc(report.changed[system])
            self._throttled.labels(report.pair, system).inc(report.throttled[system])
        for (system, kind), count in report.written.items():
            self._written.labels(report.pair, system, kind).inc(count)
        for system, left in report.quota_left.items():
            self._quota[report.pair, system] = left

    def request_ended(self, pair: str, system: SystemName, status: int | None, seconds: float) -> None:
        """Count a request (`wiring.systems.Traffic`)."""
        self._requests.labels(pair, system, "none" if status is None else str(status)).observe(seconds)

    def webhook_told(self, system: SystemName, result: str, events: int) -> None:
        """Count what a webhook told: `accepted`, `ignored`, `malformed`, `nobodys` or `refused`."""
        self._webhooks.labels(system, result).inc(events)

    def taken_over(self, pair: str) -> None:
        """Count a cycle that another worker had in hand when it died."""
        self._takeovers.labels(pair).inc()

    def watch_jobs(self, waiting: Callable[[], int]) -> None:
        """Show how many jobs wait for a worker whenever somebody asks."""
        gauge = Gauge("sync_daemon_jobs_waiting", "Jobs that wait for a worker, all of them.", registry=self.registry)
        gauge.set_function(waiting)

    def watch(self, ask: Callable[[], Iterable[Figures]], now: Callable[[], datetime]) -> None:
        """Show how each pair stands whenever somebody asks."""
        self.registry.register(_Gauges(ask, now, self._quota))

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(f"sync_daemon_{name}_total", says, ("pair", *labels), registry=self.registry)


class _Gauges(Collector):
    """What is so at the moment of asking."""

    def __init__(
        self,
        ask: Callable[[], Iterable[Figures]],
        now: Callable[[], datetime],
        quota: dict[tuple[str, SystemName], int],
    ) -> None:
        self._ask, self._now, self._quota = ask, now, quota

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked to register."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The gauges of every pair."""
        lag = _gauge("lag_seconds", "Since the last read of a system began that came to its end.", "system")
        age = _gauge("proof_age_seconds", "Since both systems were last proven to have been read.")
        totals = {name: _gauge(name, says) for name, says in _TOTALS.items()}
        waiting = _gauge("hints_waiting", "What webhooks told and no cycle has heeded yet.")
        paused = _gauge("paused", "1 while a person has paused the pair.")
        alert = _gauge("alert", "1 while an alert of the kind is open.", "condition")
        deeds = _gauge("deeds", "Actions of rules and starts of automations, by how far they have come.", "state")
        quota = _gauge("quota_left", "Requests left of a daily quota, as the last answers told.", "system")
        now = self._now()
        for of_pair in self._ask():
            health, report, pair = of_pair.health, of_pair.report, of_pair.health.pair
            for system in SystemName:
                since = health.fresh.get(system, health.since)
                lag.add_metric([pair, system], (now - since).total_seconds())
            age.add_metric([pair], (now - (health.fresh_since() or health.since)).total_seconds())
            for name, gauge in totals.items() if report is not None else ():
                gauge.add_metric([pair], getattr(report, name))
            waiting.add_metric([pair], of_pair.hints)
            for condition in Condition:
                alert.add_metric([pair, condition], condition in of_pair.alerts)
            for state in DeedState:
                deeds.add_metric([pair, state], of_pair.deeds.get(state, 0))
            paused.add_metric([pair], health.paused)
        for (pair, system), left in sorted(self._quota.items()):
            quota.add_metric([pair, system], left)
        yield from (lag, age, *totals.values(), waiting, paused, alert, deeds, quota)


_TOTALS = {
    "parked": "Changes that were refused and are tried again later.",
    "held": "Changes that wait for a person.",
    "diverged": "Contacts that differ on purpose.",
    "consent_held": "Contacts whose consent differs, as it may only be narrowed.",
}


def _gauge(name: str, says: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"sync_daemon_{name}", says, labels=("pair", *labels))
