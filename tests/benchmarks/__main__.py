"""Requests, rates and memory of the real program, each beside its floor or limit.

`python -m tests.benchmarks [CONTACTS]` (default 2000 on each side). Rates are measured in real time against the
limits that both vendors document, so it takes some minutes.
"""

import math
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from sync_daemon.sandbox.clock import ManualClock
from sync_daemon.sandbox.seed import Population
from sync_daemon.sandbox.server import Sandbox
from tests.benchmarks.jobs import EMAILOCTOPUS, GHL, Job, bench

GHL_PAGE, EMAILOCTOPUS_PAGE, BATCH = 500, 100, 100
_LATENCY_S = 0.3
Row = tuple[str, str, str, str]


def main() -> None:
    """Measure and print."""
    contacts = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    table = Table("job", "measured", "floor or limit", "ratio", title=f"{contacts} contacts on each side")
    for rows in (_requests(contacts), _rates(), _memory(contacts)):
        for row in rows:
            table.add_row(*row)
    Console().print(table)


def _requests(contacts: int) -> list[Row]:
    clock = ManualClock(datetime.now(UTC))
    sandbox = Sandbox(seed=1, clock=clock)
    sandbox.populate(Population(ghl=contacts, emailoctopus=contacts, shared=contacts * 3 // 4))
    with bench(sandbox, limits=False) as one:
        people = len(sandbox.ghl.world.contacts)
        statuses = Counter(one.status for one in sandbox.emailoctopus.world.lists[sandbox.list_id].contacts)
        first = one.reconcile()
        rows = [_against("first load, requests", _counted(first), _first_load_floor(first, people, statuses.values()))]
        one.reconcile()
        _grow_old(sandbox, clock)
        one.reconcile()
        clock.advance(3600)
        idle = one.reconcile()
        rows.append(_against("idle cycle, requests", _counted(idle), 4))
        rows.append(_plain("idle cycle, CPU seconds of the process", f"{idle.cpu_seconds:.2f}"))
        rows.append(_plain("first load, CPU seconds of the process", f"{first.cpu_seconds:.2f}"))
    return rows


def _first_load_floor(job: Job, ghl: int, statuses: Iterable[int]) -> int:
    """Pages, one request for each contact, field and tag created, full batches of updates, one for each GHL change.

    Revocations travel alone, so they have batches of their own; a GHL contact's tags cost what grouping leaves.
    """
    written = job.report["written"]
    pages = math.ceil(ghl / GHL_PAGE) + sum(math.ceil(one / EMAILOCTOPUS_PAGE) for one in statuses)
    created = written["ghl"]["created"] + written["emailoctopus"]["created"]
    there = written["emailoctopus"]
    batches = math.ceil(there["updated"] / BATCH) + math.ceil(there["unsubscribed"] / BATCH)
    in_ghl = written["ghl"]["dnd_set"] + job.requests[GHL]["tags"]
    updates_in_ghl = job.requests[GHL]["update"] - written["ghl"]["dnd_set"]
    return pages + created + batches + in_ghl + updates_in_ghl + job.requests[EMAILOCTOPUS]["definition"]


def _counted(job: Job) -> int:
    """All requests but the reads by id that the contract asks for."""
    return sum(sum(kinds.values()) - kinds["read by id"] for kinds in job.requests.values())


def _grow_old(sandbox: Sandbox, clock: ManualClock) -> None:
    """Nothing happened for hours but one touch in each listing: what was written lies before every poll's overlap."""
    clock.advance(6 * 3600)
    sandbox.ghl.world.touch(next(iter(sandbox.ghl.world.contacts)).id)
    for status in ("subscribed", "unsubscribed", "pending"):
        everybody = sandbox.emailoctopus.world.lists[sandbox.list_id].contacts
        somebody = next(contact for contact in everybody if contact.status == status)
        sandbox.emailoctopus.world.edit(somebody.id, {"FirstName": "Somebody"})


def _rates() -> list[Row]:
    """A first load of new contacts both ways with the documented limits on, each request 0.3 s under way.

    The rate at which each system was being written beside the one its limit allows; what EmailOctopus's bucket holds
    at the start is left out.
    """
    rows = []
    for per_window, subscribers in ((25, 170), (100, 1100)):
        sandbox = Sandbox(seed=2)
        sandbox.populate(Population(ghl=1000, emailoctopus=subscribers, shared=0))
        sandbox.ghl.limiter.settings.per_window = per_window
        sandbox.ghl.weather.latency_s = sandbox.emailoctopus.weather.latency_s = _LATENCY_S
        with bench(sandbox, limits=True) as one:
            job = one.reconcile()
        for name, system, at_once, allowed in (
            (f"GHL ({per_window} in 10 s)", GHL, 0, per_window / 10),
            ("EmailOctopus (100, then 10 a second)", EMAILOCTOPUS, 100, 10.0),
        ):
            sent, seconds = job.writing[system]
            rate = (sent - at_once) / seconds
            what = f"requests a second to {name}, of {sent}"
            rows.append((what, f"{rate:.2f}", f"{allowed:.2f}", f"{rate / allowed:.3f}"))
            rows.append(_plain("  refused as too many (429)", str(job.report["throttled"][system])))
    return rows


def _memory(contacts: int) -> list[Row]:
    """Peak memory at two sizes: it doesn't grow with the account, but for SQLite's page cache (64 MB at most)."""
    peaks = []
    for size in (contacts, contacts * 5):
        sandbox = Sandbox(seed=3)
        sandbox.populate(Population(ghl=size, emailoctopus=size, shared=size // 2))
        with bench(sandbox, limits=False) as one:
            peaks.append((one.reconcile().peak_mb, one.reconcile("--full").peak_mb))
    return [
        row
        for what, small, large in zip(("first load", "full scan"), *peaks, strict=True)
        for row in (
            _plain(f"peak memory of a {what} of {contacts}, MB", f"{small:.0f}"),
            _against(f"peak memory of a {what} of {contacts * 5}, MB", large, small),
        )
    ]


def _against(what: str, measured: float, floor: float) -> Row:
    return what, f"{measured:.0f}", f"{floor:.0f}", f"{measured / floor:.3f}"


def _plain(what: str, measured: str) -> Row:
    return what, measured, "", ""


if __name__ == "__main__":
    main()
