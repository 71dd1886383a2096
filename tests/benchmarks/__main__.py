"""Every figure of the program beside its floor, in one run: `python -m tests.benchmarks`.

Prints a table for each section and writes everything as JSON (`--json`, default bench.json). `--scale 0.01` tries
it out with a hundredth of the contacts; `--only` measures some sections. Contacts of a million and rates that are
measured in real time make it run for an hour or more.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console

from sync_daemon.logs import configure
from tests import databases
from tests.benchmarks import cost, growth, latency, memory, pages, rates, requests, rivals, workers
from tests.benchmarks.figures import Figure, machine, table

Measure = Callable[[float], Iterator[Figure]]


def _scaled(contacts: int, scale: float) -> int:
    return max(100, int(contacts * scale))


def _three(scale: float, *sizes: int) -> tuple[int, ...]:
    return tuple(_scaled(size, scale) for size in sizes)


_SECTIONS: dict[str, Measure] = {
    "requests": lambda scale: requests.measure(_scaled(5_000, scale), _scaled(50_000, scale)),
    "rates": lambda scale: rates.measure(_scaled(1_000, min(1.0, scale * 10)), _scaled(100_000, scale)),
    "cost": lambda scale: cost.measure(_scaled(100_000, scale), _scaled(3_000, scale)),
    "memory": lambda scale: memory.measure(_three(scale, 10_000, 100_000, 1_000_000)),
    "growth": lambda scale: growth.measure(_three(scale, 2_000, 6_000, 18_000), _scaled(1_000, scale)),
    "latency": lambda scale: latency.measure((1, 10, 50), max(10.0, 60 * scale)),
    "workers": lambda scale: workers.measure(max(4, int(300 * scale)), max(10.0, 60 * scale)),
    "side-by-side": lambda scale: rivals.measure(_scaled(9_000, scale), 3),  # more would wait for EmailOctopus's limit
    "pages": lambda scale: pages.measure(_scaled(200_000, scale)),
}


def main() -> int:
    """Measure and print; 1 when a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Figures beside their floors.")
    parser.add_argument("--json", type=Path, default=Path("bench.json"), metavar="FILE")
    parser.add_argument("--only", nargs="+", choices=list(_SECTIONS), default=list(_SECTIONS))
    parser.add_argument("--scale", type=float, default=1.0)
    asked = parser.parse_args()
    configure({"SYNC_DAEMON_LOG_LEVEL": "error"})
    out, figures = Console(), list[Figure]()
    databases.prepare_run()
    try:
        for name in asked.only:
            found = []
            for one in _SECTIONS[name](asked.scale):
                out.print(f"{name}: {one.what}: {one.shown}")  # a section can take a quarter of an hour
                found.append(one)
            out.print(table(name, found))
            figures += found
    finally:
        databases.finish_run()
    document = {"machine": machine(), "scale": asked.scale, "figures": [one.as_json() for one in figures]}
    asked.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    out.print(f"written to {asked.json}")
    return 1 if any(one.is_met is False for one in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
