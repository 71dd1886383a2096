"""What must hold of activity when the outside has fallen quiet: each field shows what GHL has, and costs no more."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

from sync_daemon.model.deeds import DeedState
from sync_daemon.model.system import SystemName
from tests.machine.doings import Doings
from tests.machine.house import House
from tests.machine.quiet import Quiet
from tests.machine.shown import TASK_DONE, Display, differing, fields_of, shown_in

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS


class Rest:
    """Activity at rest. It is to be made when a full scan has ended: completed tasks of newcomers wait for the next."""

    def __init__(self, house: House, doings: Doings) -> None:
        self.house, self.doings, self.outside = house, doings, doings.outside
        self.display = Display(doings.outside.ghl, house.activity) if house.activity is not None else None
        self.scanned = set(self._links())

    def broken(self, quiet: Quiet) -> Iterator[str]:
        """The fields of linked contacts in scope that show something else, though they are there and aren't refused."""
        if self.display is None or self.house.activity is None:
            return
        there = fields_of(self.house.activity) & set(self._list.fields)
        refused = {deed.ghl_id for deed in self._store.deeds_in(DeedState.REFUSED) if deed.key.startswith("activity:")}
        moments = [self.house.started + self.house.program_clock.skew, self.house.program_clock.now()]
        for both in quiet.both:
            if not both.link.in_scope or "creation" in both.waiting or both.ids[0] in refused:
                continue
            found = shown_in(both.subscriber, there)
            for name in differing(partial(self._of, both.ids[0]), moments, found):
                newcomer = name in TASK_DONE and both.ids not in self.scanned
                # What a lost database knew to be shown stays where nothing is to be shown: nobody reads it back.
                stale = self.doings.stores and not any(name in self._of(both.ids[0], at) for at in moments)
                if name in there and not newcomer and not stale:
                    yield f"L1 {name} of {both.ids} shows {found.get(name)!r}, not {self._of(both.ids[0], moments[1])}"

    def looks(self) -> int:
        """How many requests to GHL a look at everything costs when nothing happened: none for each contact."""
        policy = self.house.activity
        if policy is None:
            return 0
        calendars = len(self.outside.ghl.calendars.of_location(self.outside.sandbox.location_id))
        return (policy.tasks is not None) + (1 + calendars if policy.appointments is not None else 0)

    def passes(self, since: datetime) -> bool:
        """Whether time alone changes what is to be shown, from a moment on until now."""
        until = self.house.program_clock.now()
        return self.display is not None and any(
            self._of(ghl_id, since) != self._of(ghl_id, until) for ghl_id, _ in self._links()
        )

    def _of(self, ghl_id: str, at: datetime) -> dict[str, str]:
        assert self.display is not None
        return self.display.of(ghl_id, at)

    def _links(self) -> Iterator[tuple[str, str]]:
        links = self._store.links(ghl=[one.id for one in self.outside.people()])
        yield from ((link.ghl_id, link.emailoctopus_id) for link in links if link.in_scope)

    @property
    def _list(self) -> Any:
        return self.outside.emailoctopus.lists[self.outside.sandbox.list_id]

    @property
    def _store(self) -> Any:
        return self.house.process.pair.store
