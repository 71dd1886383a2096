"""A full scan: every contact of both systems, and who is missing where it was complete (contract, sections 6 and 7)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial

from sync_daemon.changes.absence import Tally, counted, shortfall, told_in_counts, told_in_listings
from sync_daemon.cycle.intake import readable, take_in
from sync_daemon.cycle.pair import EMAILOCTOPUS, GHL, SCANNED, Run, log
from sync_daemon.cycle.unchanged import note_readings
from sync_daemon.model.errors import IncompleteRead, StopSystem
from sync_daemon.model.state import Held, Staged
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit, Seen
from sync_daemon.read.streams import Listing, StreamKey
from sync_daemon.reconcile.deletions import DELETION


def scan(run: Run) -> None:
    """Stage what differs after reading every contact of both systems, and who is missing."""
    started = run.polled_at = run.pair.clock.now()
    run.tick()
    number = run.pair.store.begin_scan()
    run.search_tells_consent = False  # until a hit of this scan does
    run.commit(Commit(looked_at={SCANNED: started}))
    note_readings(run)
    listings: dict[StreamKey, Listing] = {}
    for name in readable(run):
        reader = run.systems[name].reader
        for stream in reader.streams:
            listings[name, stream] = partial(reader.scan, stream)
    tallies = take_in(run, listings, scan=number)
    for name in SystemName:
        seen = run.pair.store.seen_by_scan(name, number, started - run.pair.timing.index_lag)
        if _is_complete(run, name, tallies, seen):
            stage_missing(run, name, number, [one for (of, _), one in tallies.items() if of is name])
    look_at_held_again(run, number)


def _is_complete(run: Run, name: SystemName, tallies: Mapping[StreamKey, Tally], seen: Seen) -> bool:
    """Whether a scan proves anything about those that it lacks; one that came back short is an alert."""
    mine = [tallies.get((name, stream), Tally()) for stream in run.systems[name].reader.streams]
    if name in run.failed or name in run.stopped or not all(tally.ended for tally in mine):
        return False
    shown = counted(mine, seen)
    try:
        why = shortfall(shown, _told(run, name, mine, shown), seen)
    except StopSystem as error:
        run.sender.stopped.setdefault(name, error)
        return False
    if why is not None:
        log.error("short_read", pair=run.pair.name, system=name, shown=shown, why=why)
        message = f"The full scan of {name.label} came back short: {why}. Nothing is taken for deleted."
        run.short[name] = IncompleteRead(message)
    return why is None


def _told(run: Run, name: SystemName, tallies: Iterable[Tally], shown: int) -> int | None:
    """How many contacts the API itself says there are. The list's counts were read just before the scan."""
    if name is GHL:
        return told_in_listings(tallies)
    before = run.schemas[EMAILOCTOPUS].counts
    if shown >= sum(before.values()):
        return None
    return told_in_counts(before, run.systems[EMAILOCTOPUS].read_schema().counts)


def stage_missing(run: Run, name: SystemName, number: int, tallies: Iterable[Tally]) -> None:
    """Hints at those that a complete scan lacks; what is held of them already waits for a person."""
    store = run.pair.store
    listed = {contact_id for tally in tallies for contact_id in tally.malformed}
    ids = store.absent_from_scan(name, number, (run.polled_at or run.pair.clock.now()) - run.pair.timing.index_lag)
    waiting = store.held(ghl=ids) if name is GHL else store.held(emailoctopus=ids)
    held = {_id_in(entry, name) for entry in waiting if entry.action == DELETION}
    ids = [contact_id for contact_id in ids if contact_id not in listed | held]
    known = store.staged(name, ids)  # what waits of them isn't forgotten: it may turn out that they are there
    waits = [known.get(one, Staged(name, one, None)) for one in ids]
    missing = [replace(row, snapshot=None, echo=False, absent=True) for row in waits]  # read by id, whatever was seen
    if missing:
        log.info("contacts_missing", pair=run.pair.name, system=name, contacts=len(missing))
        run.commit(Commit(staged=missing))


def look_at_held_again(run: Run, number: int) -> None:
    """Hints at those whose deletion is held and whom this scan saw: what healed itself leaves the queue."""
    store = run.pair.store
    held = [entry for entry in store.held(everything=True) if entry.action == DELETION]
    known = {name: store.contacts(name, [one for entry in held if (one := _id_in(entry, name))]) for name in SystemName}
    back = [
        Staged(name, contact_id, None)
        for entry in held
        for name in SystemName
        if (contact_id := _id_in(entry, name)) is not None
        and all((row := known[of].get(_id_in(entry, of) or "")) is not None and row.scan == number for of in SystemName)
    ]
    waiting = {name: store.staged(name, [row.contact_id for row in back if row.system is name]) for name in SystemName}
    hints = [row for row in back if row.contact_id not in waiting[row.system]]
    if hints:
        run.commit(Commit(staged=hints))


def _id_in(entry: Held, name: SystemName) -> str | None:
    return entry.ghl_id if name is GHL else entry.emailoctopus_id
