"""Whom a reading shows as he was seen before: in a full scan by his record as it came, in a poll by his snapshot.

Nothing more is asked or compared about him.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import metadata

from sync_daemon.changes.staging import NO_RECORDS, adds_nothing
from sync_daemon.cycle.pair import Run, field_names
from sync_daemon.model.contact import Page, Snapshot
from sync_daemon.model.state import SeenAgain
from sync_daemon.model.system import SystemName

version = cache(metadata.version)
"""Of an installed distribution; finding it takes milliseconds."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a page's records are known by: the digests of those that were read, and the timestamps of those that stand.

    `shown` is how many records the latter are: a walk may show one contact twice.
    """

    records: Mapping[str, bytes]
    unchanged: Mapping[str, datetime]
    shown: int = 0

    def seen_again(self, system: SystemName, scan: int) -> list[SeenAgain]:
        """What is stored of those that stand."""
        return [SeenAgain(system, scan, tuple(self.unchanged))] if self.unchanged else []


NOBODY_KNOWN = Known(NO_RECORDS, {})


def note_readings(run: Run) -> None:
    """Have this full scan pass over whoever stands, unless it asks about everybody.

    What a record says, and what there is to do about it, depends on the configuration in force, on the fields as the
    account has them, and on this program.
    """
    if run.apply_scope:
        return
    for name in SystemName:
        fields = [run.schemas[name].field(one) for one in sorted(field_names(run.policy(), name))]
        run.readings[name] = run.pair.digester.configuration(run.generation, name, fields, version("sync-daemon"))


def sift(run: Run, system: SystemName, page: Page, scan: int) -> tuple[Page, Known]:
    """A page with all its records read, but in a full scan for those of contacts that stand as the last one left them.

    Nothing was stored of these since then, and nothing waits in the inbox: to compare them again would end where it
    ended then, whatever else is stored.
    """
    reading = run.readings.get(system) if scan else None
    if reading is None:
        return page.whole(), NOBODY_KNOWN
    found = {one.contact_id: run.pair.digester.record(reading, one.body) for one in page.records if one.contact_id}
    settled = run.pair.store.settled_records(system, found)
    unchanged = {one: at for one, (digest, at) in settled.items() if digest == found[one]}
    rest = page.whole(but=unchanged)
    # Of one that was read by id, too, or can't be understood, the record isn't all there is to it.
    other = {*unchanged, *(one.contact_id for one in page.snapshots), *(one.contact_id for one in rest.malformed)}
    records = {one: digest for one, digest in found.items() if one not in other}
    return rest, Known(records, unchanged, sum(one.contact_id in unchanged for one in page.records))


def without_seen(run: Run, system: SystemName, snapshots: Collection[Snapshot]) -> list[Snapshot]:
    """Those of a poll's page that add something: one question instead of all there is to ask about each."""
    known = run.pair.store.sightings(system, [snapshot.contact_id for snapshot in snapshots])
    return [
        snapshot
        for snapshot in snapshots
        if (row := known.get(snapshot.contact_id)) is None
        or not adds_nothing(snapshot, row, run.pair.digester, search_tells_consent=run.search_tells_consent)
    ]
