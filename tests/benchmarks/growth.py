"""How costs grow with the number of contacts, as exponents over three sizes; what the state store gains with time."""

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import linear_regression

from sync_daemon.cycle import reconcile
from sync_daemon.model.report import Mode
from sync_daemon.sandbox.clock import ManualClock
from tests.benchmarks.accounts import Twins, twins
from tests.benchmarks.figures import Figure
from tests.benchmarks.jobs import Bench, bench
from tests.benchmarks.memory import size_of_state

_LINEAR, _NOT_AT_ALL, _NO_GROWTH = 1.05, 0.05, 1.05
_SHORT = "retention: {runs: 10d, events: 10d, undo_days: 7}\n"
_DAYS, _SETTLED_AFTER = 60, 20


def measure(sizes: Sequence[int], contacts: int) -> Iterator[Figure]:
    """Exponents over the sizes; then two months of so many contacts with a retention of ten days."""
    costs: dict[str, dict[int, float]] = {}
    for size in sizes:
        for what, cost in _costs(size):
            costs.setdefault(what, {})[size] = cost
    for what, by_size in costs.items():
        goal = _NOT_AT_ALL if what.startswith("idle") else _LINEAR
        yield Figure("growth", f"exponent of {what}", "", (exponent(by_size),), None, goal)
    yield from _with_time(contacts)


def exponent(by_size: Mapping[int, float]) -> float:
    """The slope of cost over size, both as logarithms: 1 is linear, 0 doesn't grow."""
    sizes, costs = map(math.log, by_size), (math.log(max(cost, 1e-9)) for cost in by_size.values())
    return linear_regression(list(sizes), list(costs)).slope


def _costs(size: int) -> Iterator[tuple[str, float]]:
    """CPU seconds of each job without those of an idle cycle's process, requests, bytes of state and megabytes."""
    one = twins(size, in_ghl=False)
    with bench(one.sandbox, limits=False) as running:
        first = running.reconcile()
        one.grow_old()
        running.reconcile()
        one.grow_old()
        idle = running.reconcile()
        one.changed(slice(size // 10), lambda s, _, other: s.emailoctopus.world.edit(other, {"City": "Elsewhere"}))
        updates = running.reconcile()
        compare = running.reconcile("--full")
        state = size_of_state(running.config)
    for what, job in (("first load", first), ("updates of a tenth", updates), ("full compare", compare)):
        yield f"{what}, CPU", job.cpu_seconds - idle.cpu_seconds
        yield f"{what}, requests", job.asked
    yield "idle cycle, CPU", idle.cpu_seconds
    yield "idle cycle, requests", idle.asked
    yield "bytes of state", state


def _with_time(contacts: int) -> Iterator[Figure]:
    one = twins(contacts)
    with bench(one.sandbox, limits=False, settings=_SHORT) as running:
        sizes = _live(running, one)
    after, end = sizes[_SETTLED_AFTER], sizes[_DAYS - 1]
    what = f"state of {contacts:,} contacts after {_DAYS} days against {_SETTLED_AFTER}, 2% a day changed, kept for 10"
    yield Figure("growth", what, "bytes", (float(end),), float(after), _NO_GROWTH)


def _live(running: Bench, one: Twins) -> list[int]:
    """Bytes of state after each day: hourly cycles, one in full, and what housekeeping does."""
    clock = one.sandbox.clock
    assert isinstance(clock, ManualClock)
    sizes = list[int]()
    with running.at_virtual_time() as (installation, pair):
        for day in range(_DAYS):
            for hour in range(24):
                clock.advance(3600)
                _change(one, day, hour)
                installation.after(reconcile(pair, Mode.INCREMENTAL if hour else Mode.FULL))
            installation.tidy()
            sizes.append(size_of_state(running.config))
    return sizes


def _change(one: Twins, day: int, hour: int) -> None:
    share = max(1, len(one.ids) // 50 // 24)
    for number in range(share):
        ghl_id, emailoctopus_id = one.ids[(day * 24 + hour + number * 997) % len(one.ids)]
        if hour % 2:
            one.sandbox.ghl.world.edit(ghl_id, city=f"Town {day} {hour}")
        else:
            one.sandbox.emailoctopus.world.edit(emailoctopus_id, {"City": f"Town {day} {hour}"})
