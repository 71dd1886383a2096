"""Stored runs as the series of charts: one figure for each stretch of time. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sync_daemon.model.report import CycleOutcome, Mode
from sync_daemon.model.system import SystemName
from sync_daemon.store.runs import RunFigures

_PROVES = {CycleOutcome.OK, CycleOutcome.PARKED, CycleOutcome.HELD}


@dataclass(frozen=True, slots=True)
class Span:
    """How far back a chart looks, in stretches of which size."""

    word: str
    back: timedelta
    step: timedelta


SPANS = (
    Span("24 hours", timedelta(hours=24), timedelta(minutes=30)),
    Span("7 days", timedelta(days=7), timedelta(hours=3)),
    Span("30 days", timedelta(days=30), timedelta(hours=12)),
)


def series(runs: Iterable[RunFigures], span: Span, now: datetime) -> dict[str, Any]:
    """The figures of some runs, oldest first, for every stretch of a span.

    `lag` is the most seconds that what one side held was old before it was read again, None where no cycle proved
    anything; `quota` what the last run in a stretch saw left of GHL's daily quota, in percent.
    """
    step = span.step.total_seconds()
    first = int((now - span.back).timestamp() // step)
    size = int(now.timestamp() // step) - first + 1
    found: dict[str, list[Any]] = {
        **{f"{what}_{system}": [0] * size for what in ("changes", "requests") for system in SystemName},
        "lag": [None] * size,
        "quota": [None] * size,
    }
    proven: datetime | None = None
    for run in runs:
        place = int(run.started.timestamp() // step) - first
        if 0 <= place < size:
            _count(found, place, run)
        if run.outcome in _PROVES and run.mode is not Mode.HINTS:
            if proven is not None and 0 <= place < size:
                lag = (run.ended - proven).total_seconds()
                found["lag"][place] = max(found["lag"][place] or 0, round(lag, 1))
            proven = run.started
    return {"times": [int((first + one) * step) for one in range(size)], **found}


def _count(found: dict[str, list[Any]], place: int, run: RunFigures) -> None:
    for system in SystemName:
        found[f"changes_{system}"][place] += run.written.get(system, 0)
        found[f"requests_{system}"][place] += run.requests.get(system, 0)
    left, limit = run.quota_left.get(SystemName.GHL), run.quota_limit.get(SystemName.GHL)
    if left is not None and limit:
        found["quota"][place] = round(100 * left / limit, 1)
