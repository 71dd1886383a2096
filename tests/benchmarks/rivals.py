"""Reading the same accounts with dlt's `rest_api` source and with httpx in a loop, beside a full compare of ours.

The others only read what a full compare reads and throw it away; ours decides about every contact and stores it.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.accounts import twins
from tests.benchmarks.figures import Figure
from tests.benchmarks.jobs import Bench, bench, finished

_ROOT = Path(__file__).parents[2]
_OTHERS = ("dlt", "httpx")


def measure(contacts: int, runs: int) -> Iterator[Figure]:
    """Contacts a second and peak memory, in turns; for the others also the ratio of ours to theirs."""
    speed: dict[str, list[float]] = {}
    memory: dict[str, list[float]] = {}
    one = twins(contacts)
    with bench(one.sandbox, limits=False) as running:
        for _ in range(2):  # the first one links, the second one keeps what records are
            running.reconcile("--full")
        for _ in range(runs):
            job = running.reconcile("--full")
            speed.setdefault("sync-daemon", []).append(2 * contacts / job.seconds)
            memory.setdefault("sync-daemon", []).append(job.peak_mb)
            for name in _OTHERS:
                read, seconds, peak = _read(name, running)
                if read != 2 * contacts + 1:  # the one who is blocked is in GHL alone
                    raise SystemExit(f"{name} read {read} contacts of {2 * contacts + 1}")
                speed.setdefault(name, []).append(read / seconds)
                memory.setdefault(name, []).append(peak)
    for name, rates in speed.items():
        yield Figure("side-by-side", f"{name}, {2 * contacts:,} contacts", "contacts/s", tuple(rates))
        yield Figure("side-by-side", f"{name}, peak memory", "MB", tuple(memory[name]))
    for name in _OTHERS:
        ratios = tuple(ours / theirs for ours, theirs in zip(speed["sync-daemon"], speed[name], strict=True))
        yield Figure("side-by-side", f"sync-daemon's speed by that of {name}", "", ratios)
        weights = tuple(ours / theirs for ours, theirs in zip(memory["sync-daemon"], memory[name], strict=True))
        yield Figure("side-by-side", f"sync-daemon's memory by that of {name}", "", weights)


def _read(name: str, running: Bench) -> tuple[int, float, float]:
    """Contacts read, seconds and megabytes of a process that reads both accounts."""
    sandbox = running.sandbox
    account = {
        "ghl_url": running.running.ghl_url, "location_id": sandbox.location_id, "token": sandbox.ghl_token,
        "emailoctopus_url": running.running.emailoctopus_url, "list_id": sandbox.list_id,
        "api_key": sandbox.emailoctopus_key,
    }  # fmt: skip
    quiet = {**os.environ, "RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(
            [sys.executable, "-m", f"tests.benchmarks.read_with_{name}", json.dumps(account)],
            stdout=out, cwd=_ROOT, env=quiet,
        )  # fmt: skip
        cost = finished(process)
        if cost.status:
            raise SystemExit(f"reading with {name} ended with {cost.status}")
        out.seek(0)
        return int(out.read()), cost.seconds, cost.peak_mb
