"""How many requests a job takes, against the fewest that its pages, batches and single writes allow.

What the undo journal keeps must be read before it is overwritten (`retention.undo_days`); with it, the floor has a read
for each contact whose value is replaced unread, or a listing of everybody where that is less.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sync_daemon.cycle import reconcile
from sync_daemon.model.report import Mode
from sync_daemon.sandbox.server import Sandbox
from tests.benchmarks.accounts import Twins, twins
from tests.benchmarks.figures import Figure
from tests.benchmarks.jobs import Bench, bench

GHL_PAGE, EMAILOCTOPUS_PAGE, BATCH, BULK = 500, 100, 100, 100
_STATUSES = 3
_GOAL = 1.03
_NO_JOURNAL = "retention: {undo_days: 0}\n"
_POLLS_A_DAY, _COUNTS_A_DAY, _SWEEPS_A_DAY = 24 * 60, 24 * 6, 24
Act = Callable[[Sandbox, str, str], object]


@dataclass(frozen=True, slots=True)
class _Kind:
    """What happens to each of some people: where it is read, and how many requests tell the other side."""

    name: str
    act: Act
    in_ghl: bool
    written: Callable[[int], int]
    overwrites: bool = False


def batches(count: int) -> int:
    """Requests that bring so many changed contacts to EmailOctopus."""
    return math.ceil(count / BATCH)


_KINDS = (
    _Kind("updates in GHL", lambda s, g, _e: s.ghl.world.edit(g, city="Elsewhere"), True, batches, True),
    _Kind(
        "updates in EmailOctopus",
        lambda s, _g, e: s.emailoctopus.world.edit(e, {"City": "Somewhere"}),
        False,
        lambda n: n,
        True,
    ),
    _Kind("tags in GHL", lambda s, g, _e: s.ghl.world.add_tags(g, ["vip"]), True, batches),
    _Kind(
        "tags in EmailOctopus",
        lambda s, _g, e: s.emailoctopus.world.add_tags(e, ["vip"]),
        False,
        lambda n: math.ceil(n / BULK),
    ),
    _Kind("unsubscribes in EmailOctopus", lambda s, _g, e: s.emailoctopus.world.unsubscribe(e), False, lambda n: n),
)


def measure(contacts: int, of_a_day: int) -> Iterator[Figure]:
    """Each job's requests: a first load, changes of a tenth; a typical day and an idle one of `of_a_day` contacts."""
    yield from _first_load(contacts)
    yield from _changes(contacts, journal=False)
    yield from _changes(contacts, journal=True)
    yield from _blocks(contacts)
    yield from _days(of_a_day)


def _first_load(contacts: int) -> Iterator[Figure]:
    """Everybody is new on one side; fields that are missing there, and the tag, are made first.

    A tenth of them to EmailOctopus: the program keeps to its documented 10 requests a second.
    """
    for name, there, count in (("GHL", True, contacts // 10), ("EmailOctopus", False, contacts)):
        one = twins(count, in_ghl=there, in_emailoctopus=not there)
        with bench(one.sandbox, limits=False) as running:
            job = running.reconcile()
        pages = _pages(count, 0) if there else _pages(0, count)
        yield _figure(f"first load of {count:,} from {name}", job.asked, pages + count + _SET_UP)


_SET_UP = 5
"""Two reads of GHL's fields and location, EmailOctopus's list, and the tags of both: whatever is to be done."""


def _changes(contacts: int, *, journal: bool) -> Iterator[Figure]:
    one, count = twins(contacts), contacts // 10 + 7
    kept = ", with what they replace" if journal else ""
    with bench(one.sandbox, limits=False, settings="" if journal else _NO_JOURNAL) as running:
        _settled(running, one)
        for number, kind in enumerate(kind for kind in _KINDS if kind.overwrites or not journal):
            one.changed(slice(number * count, (number + 1) * count), kind.act)  # others each time: none just written
            floor = _poll_floor(kind, count) + kind.written(count)
            if journal:
                floor += _reads_floor(contacts, count, in_ghl=not kind.in_ghl)
            yield _figure(f"{count:,} {kind.name}{kept}", running.reconcile().asked, floor)
            _settled(running, one)


def _blocks(contacts: int) -> Iterator[Figure]:
    """E-mail DND in GHL; with accounts of its own, as whoever unsubscribed before stays so."""
    one, count = twins(contacts), contacts // 10 + 7
    with bench(one.sandbox, limits=False, settings=_NO_JOURNAL) as running:
        _settled(running, one)
        one.changed(slice(count), lambda s, g, _e: s.ghl.world.unsubscribe(g))
        floor = math.ceil(count / GHL_PAGE) + _STATUSES + batches(count)
        yield _figure(f"{count:,} e-mail DND in GHL", running.reconcile().asked, floor)


def _days(contacts: int) -> Iterator[Figure]:
    """A day of the service by its default schedule: idle, then with 1% changed, half on each side."""
    for changes, name in ((0, "idle day"), (contacts // 100, "typical day")):
        one = twins(contacts)
        with bench(one.sandbox, limits=False, settings=_NO_JOURNAL) as running:
            _settled(running, one)
            asked = _day(running, one, changes)
        listed = _pages(contacts, contacts)
        floor = _POLLS_A_DAY * (1 + _STATUSES) + _COUNTS_A_DAY + _SWEEPS_A_DAY + listed + changes
        what = f"{name} of {contacts:,} contacts, {changes:,} changed, polled every minute"
        yield _figure(what, asked, floor)


def _day(running: Bench, one: Twins, changes: int) -> int:
    """The requests of a day with so many changes, each of which is a write that no schedule asks for."""
    sandbox, clock = one.sandbox, one.sandbox.clock
    with running.at_virtual_time() as (_, pair):
        reconcile(pair, Mode.FULL)
        for context in (sandbox.ghl, sandbox.emailoctopus):
            context.log.clear()
        reconcile(pair, Mode.FULL)
        for minute in range(_POLLS_A_DAY):
            clock.advance(60)  # type: ignore[attr-defined]  # twins' clock is manual
            for number in range(minute * changes // _POLLS_A_DAY, (minute + 1) * changes // _POLLS_A_DAY):
                _live(sandbox, *one.ids[number], number)
            reconcile(pair, Mode.INCREMENTAL)
    return sandbox.ghl.log.total + sandbox.emailoctopus.log.total


def _live(sandbox: Sandbox, ghl_id: str, emailoctopus_id: str, number: int) -> None:
    if number % 2:
        sandbox.ghl.world.edit(ghl_id, city=f"Town {number}")
    else:
        sandbox.emailoctopus.world.edit(emailoctopus_id, {"City": f"Town {number}"})


def _settled(running: Bench, one: Twins) -> None:
    """Everything across, and old enough that no poll meets it again."""
    running.reconcile("--full")
    one.grow_old()
    running.reconcile()
    one.grow_old()


def _poll_floor(kind: _Kind, changed: int) -> int:
    if kind.in_ghl:
        return math.ceil(changed / GHL_PAGE) + _STATUSES
    return 1 + math.ceil(changed / EMAILOCTOPUS_PAGE) + _STATUSES - 1


def _reads_floor(contacts: int, changed: int, *, in_ghl: bool) -> int:
    listed = math.ceil(contacts / (GHL_PAGE if in_ghl else EMAILOCTOPUS_PAGE)) + (0 if in_ghl else _STATUSES - 1)
    return min(changed, listed)


def _pages(ghl: int, emailoctopus: int) -> int:
    """A listing of everybody, all of them subscribed: an empty one takes a request as well."""
    return max(1, math.ceil(ghl / GHL_PAGE)) + max(1, math.ceil(emailoctopus / EMAILOCTOPUS_PAGE)) + _STATUSES - 1


def _figure(what: str, asked: int, floor: int) -> Figure:
    return Figure("requests", what, "requests", (float(asked),), float(floor), _GOAL)
