"""What a benchmark found: figures with their floors, as a table and as JSON."""

import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: what several runs measured, in `unit`, beside its floor (or, for a rate, its ceiling).

    `goal` is the ratio of median and floor that is asked for, or without a floor the most of the median itself;
    `least` tells that it is the least instead.
    """

    section: str
    what: str
    unit: str
    runs: tuple[float, ...]
    floor: float | None = None
    goal: float | None = None
    least: bool = False

    @property
    def median(self) -> float:
        return statistics.median(self.runs)

    @property
    def ratio(self) -> float | None:
        """The median as a multiple of the floor."""
        return self.median / self.floor if self.floor else None

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if self.goal is None:
            return None
        measured = self.median if self.ratio is None else self.ratio
        return measured >= self.goal if self.least else measured <= self.goal

    @property
    def shown(self) -> str:
        """The median with its unit."""
        return f"{_shown(self.median)} {self.unit}".rstrip()

    def as_json(self) -> dict[str, Any]:
        """Plain values for `--json`."""
        return {
            "section": self.section,
            "what": self.what,
            "unit": self.unit,
            "median": self.median,
            "least": min(self.runs),
            "most": max(self.runs),
            "runs": len(self.runs),
            "floor": self.floor,
            "ratio": self.ratio,
            "goal": self.goal,
            "met": self.is_met,
        }


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.machine()
    return {"processor": processor, "processors": os.cpu_count(), "python": platform.python_version()}


def table(title: str, figures: Iterable[Figure]) -> Table:
    """The figures of one section, for a terminal."""
    drawn = Table("figure", "median", "spread", "floor", "ratio", "goal", title=title)
    for one in figures:
        spread = f"{_shown(min(one.runs))} to {_shown(max(one.runs))}" if len(one.runs) > 1 else ""
        floor = "" if one.floor is None else _shown(one.floor)
        ratio = "" if one.ratio is None else f"{one.ratio:.3f}"
        drawn.add_row(one.what, one.shown, spread, floor, ratio, _goal(one))
    return drawn


def percentile(values: Sequence[float], share: int) -> float:
    """The value below which `share` of 100 values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)]


def _goal(one: Figure) -> str:
    if one.goal is None:
        return ""
    return f"{'at least' if one.least else 'at most'} {_shown(one.goal)}{'' if one.is_met else ': MISSED'}"


def _shown(value: float) -> str:
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
