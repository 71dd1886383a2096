"""Every figure moves when what it counts happens, and no figure is left out here."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from sync_daemon.model.alarm import Condition
from sync_daemon.model.deeds import DeedState
from sync_daemon.model.health import PairHealth
from sync_daemon.model.report import CycleOutcome, CycleReport, Mode
from sync_daemon.model.system import SystemName
from sync_daemon.service.metrics import Figures, Metrics

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
REPORT = CycleReport(
    "main",
    "r1",
    Mode.FULL,
    CycleOutcome.PARKED,
    read={GHL: 3, EMAILOCTOPUS: 4},
    changed={GHL: 5, EMAILOCTOPUS: 6},
    written=Counter({(GHL, "dnd_set"): 7, (EMAILOCTOPUS, "created"): 8}),
    conflicts=9,
    missed_by_poll=10,
    throttled={GHL: 11, EMAILOCTOPUS: 0},
    quota_left={GHL: 12},
    duration_s=13.5,
    parked=14,
    held=15,
    diverged=16,
    consent_held=17,
)
HEALTH = PairHealth(
    "main",
    NOW - timedelta(hours=1),
    fresh={GHL: NOW - timedelta(seconds=18), EMAILOCTOPUS: NOW - timedelta(seconds=19)},
)


def told(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"sync_daemon_{name}", labels)


def watched(*figures: Figures) -> Metrics:
    metrics = Metrics()
    metrics.watch(lambda: figures, lambda: NOW)
    return metrics


def test_what_a_cycle_did() -> None:
    metrics = Metrics()
    metrics.cycle_ended(REPORT)
    assert told(metrics, "cycles_total", pair="main", mode="full", outcome="parked") == 1
    assert told(metrics, "cycle_seconds_sum", pair="main", mode="full") == 13.5
    assert told(metrics, "records_read_total", pair="main", system="ghl") == 3
    assert told(metrics, "records_changed_total", pair="main", system="emailoctopus") == 6
    assert told(metrics, "writes_total", pair="main", system="ghl", kind="dnd_set") == 7
    assert told(metrics, "writes_total", pair="main", system="emailoctopus", kind="created") == 8
    assert told(metrics, "conflicts_total", pair="main") == 9
    assert told(metrics, "missed_by_poll_total", pair="main") == 10
    assert told(metrics, "throttled_total", pair="main", system="ghl") == 11
    metrics.cycle_ended(REPORT)
    assert told(metrics, "conflicts_total", pair="main") == 18


def test_requests_by_status() -> None:
    metrics = Metrics()
    metrics.request_ended("main", GHL, 429, 0.2)
    metrics.request_ended("main", GHL, None, 8.0)
    assert told(metrics, "request_seconds_count", pair="main", system="ghl", status="429") == 1
    assert told(metrics, "request_seconds_sum", pair="main", system="ghl", status="none") == 8


def test_what_webhooks_told() -> None:
    metrics = Metrics()
    metrics.webhook_told(EMAILOCTOPUS, "accepted", 20)
    assert told(metrics, "webhook_events_total", system="emailoctopus", result="accepted") == 20


def test_what_workers_tell() -> None:
    metrics = Metrics()
    metrics.taken_over("main")
    metrics.watch_jobs(lambda: 23)
    assert told(metrics, "takeovers_total", pair="main") == 1
    assert told(metrics, "jobs_waiting") == 23


def test_how_a_pair_stands() -> None:
    metrics = watched(Figures(HEALTH, REPORT, 21, {Condition.DOWN}))
    metrics.cycle_ended(REPORT)
    assert told(metrics, "lag_seconds", pair="main", system="ghl") == 18
    assert told(metrics, "lag_seconds", pair="main", system="emailoctopus") == 19
    assert told(metrics, "proof_age_seconds", pair="main") == 19
    waits = [told(metrics, name, pair="main") for name in ("parked", "held", "diverged", "consent_held")]
    assert waits == [14, 15, 16, 17]
    assert told(metrics, "hints_waiting", pair="main") == 21
    assert told(metrics, "paused", pair="main") == 0
    assert told(metrics, "alert", pair="main", condition="down") == 1
    assert told(metrics, "alert", pair="main", condition="held") == 0
    assert told(metrics, "quota_left", pair="main", system="ghl") == 12


@pytest.mark.parametrize("state", ["done", "uncertain", "given_up"])
def test_how_many_deeds_are_done_uncertain_and_given_up(state: str) -> None:
    metrics = watched(Figures(HEALTH, REPORT, 0, (), {DeedState(state): 22}))
    assert told(metrics, "deeds", pair="main", state=state) == 22
    assert told(metrics, "deeds", pair="main", state="refused") == 0


def test_a_pair_of_which_nothing_is_known_yet() -> None:
    metrics = watched(Figures(PairHealth("main", NOW - timedelta(seconds=30), paused=True), None, 0, set()))
    assert told(metrics, "proof_age_seconds", pair="main") == 30
    assert told(metrics, "lag_seconds", pair="main", system="ghl") == 30
    assert told(metrics, "parked", pair="main") is None
    assert told(metrics, "paused", pair="main") == 1


def test_the_version_that_runs() -> None:
    [build] = [one for one in Metrics().registry.collect() if one.name == "sync_daemon_build"]
    assert build.samples[0].labels["version"].count(".") == 2


def test_no_figure_is_left_out() -> None:
    metrics = watched(Figures(HEALTH, REPORT, 0, ()))
    names = {one.name.removeprefix("sync_daemon_") for one in metrics.registry.collect()}
    assert names == {
        "build", "cycles", "cycle_seconds", "records_read", "records_changed", "writes", "conflicts", "missed_by_poll",
        "throttled", "request_seconds", "webhook_events", "lag_seconds", "proof_age_seconds", "parked", "held",
        "diverged", "consent_held", "hints_waiting", "paused", "alert", "deeds", "quota_left", "takeovers",
    }  # fmt: skip
