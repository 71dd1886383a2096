"""Which automations were started for whom, held against what happened: once each, and never for who revoked.

It knows the sandboxes' own records and when each thing happened. Only what the program says of those whom it did not
start, and why, is asked of its store.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from sync_daemon.model.deeds import Deed, DeedState
from sync_daemon.model.state import Link
from sync_daemon.model.system import SystemName
from tests.machine.doings import BOOKED, COMPLETED, Doings, Happening
from tests.machine.house import TALLY, House
from tests.machine.memory import is_blocked
from tests.machine.shown import TO_COME

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
_REST = timedelta(days=1)
"""Who entered an automation isn't let in again for so long (documented)."""
_SLACK = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Start:
    """Somebody entered an automation while the program had its `store`, by number."""

    kind: str
    subscriber: str
    at: datetime
    store: int


class Starts:
    """Stands beside EmailOctopus's automations. `broken` lists the laws that a start broke."""

    def __init__(self, house: House, doings: Doings) -> None:
        self.house, self.doings, self.outside = house, doings, doings.outside
        self.broken: list[str] = []
        self.started: list[Start] = []
        self.active: dict[tuple[str, int], tuple[datetime, timedelta]] = {}
        """(kind, store) -> when the automation became active, and by how much the program's clock differed then."""
        self.granted: set[str] = set()
        self.standing: set[tuple[str, str]] = set()
        self.opened: set[tuple[str, str]] = set()
        """(contact, task) that were open in a quiet spell."""
        self.refused: set[str] = set()
        self.spell = self.house.clock.now()

    # each start

    def cycle_begins(self) -> None:
        """Remember whom this cycle could have read as willing."""
        self.granted = set(self._granted())

    def cycle_ended(self) -> None:
        """Remember when automations became active."""
        waiting = {
            kind: one for kind, one in self._automations().items() if (kind, self.doings.stores) not in self.active
        }
        known = self._store.state().looked_at if waiting else {}
        for kind, automation in waiting.items():
            if f"automation {kind} {automation}" in known:
                self.active[kind, self.doings.stores] = (self.house.clock.now(), self.house.program_clock.skew)

    def before(self, request: httpx.Request) -> Callable[[], None]:
        """Look before a start; the answer looks after it."""
        entered = len(self._entries())

        def compare() -> None:
            for entry in self._entries()[entered:]:
                self._entered(entry.automation_id, entry.contact_id, asked_for=json.loads(request.content))

        return compare

    def _entered(self, automation: str, subscriber_id: str, *, asked_for: Any) -> None:
        kind = next(kind for kind, one in self._automations().items() if one == automation)
        self.started.append(Start(kind, subscriber_id, self.house.clock.now(), self.doings.stores))
        TALLY["automations started"] += 1
        if asked_for != {"contact_id": subscriber_id}:
            self.broken.append(f"L6 an automation was asked for with {asked_for}")
        ids = {subscriber_id, *(link.ghl_id for link in self._store.links(emailoctopus=[subscriber_id]))}
        if unwilling := ids - set(self._granted()) - self.granted:
            self.broken.append(f"L4 an automation was started though {unwilling} had revoked")

    def _granted(self) -> Iterator[str]:
        """Everybody who may be mailed at this moment."""
        yield from (one.id for one in self.outside.people() if not is_blocked(one))
        yield from (one.id for one in self.outside.subscribers() if one.status == "subscribed")

    # a quiet spell

    def peace_begins(self) -> None:
        """Remember whom an automation can be started for from here on, and what was refused before."""
        self.spell = self.house.clock.now()
        self.standing = self.standing_now()
        self.refused = {deed.key for deed in self._store.deeds_in(DeedState.REFUSED)}

    def standing_now(self) -> set[tuple[str, str]]:
        """The links in scope of which both contacts may be mailed."""
        granted = set(self._granted())
        links: list[Link] = self._store.links(ghl=[one.id for one in self.outside.people()])
        return {
            (link.ghl_id, link.emailoctopus_id)
            for link in links
            if link.in_scope and {link.ghl_id, link.emailoctopus_id} <= granted
        }

    def broken_in_peace(self) -> Iterator[str]:
        """Every law of automations that is broken; then what is open is remembered."""
        yield from self._more_than_happened()
        standing = self.standing & self.standing_now()
        for happening in self._due(standing):
            yield from self._not_started(happening, standing)
        for deed in self._store.deeds_in(DeedState.INTENDED):
            yield f"L1 in peace a start is still intended: {deed.key}"
        self.opened |= {
            (task.contact_id, task.id)
            for ghl_id, _ in standing
            for task in self.outside.ghl.tasks.of(ghl_id)
            if not task.completed
        }

    def database_was_lost(self) -> None:
        """The next store knows of nothing that was open, and begins anew."""
        self.doings.stores += 1
        self.opened.clear()

    def _more_than_happened(self) -> Iterator[str]:
        """Each start has a happening of its own, before it and after the automation was active."""
        for start in self.started:
            root = self.outside.memory.root(f"{EMAILOCTOPUS} {start.subscriber}")
            same = [
                one
                for one in self.started
                if (one.kind, one.store) == (start.kind, start.store)
                and one.at <= start.at
                and self.outside.memory.root(f"{EMAILOCTOPUS} {one.subscriber}") == root
            ]
            reasons = {
                one.record
                for one in self.doings.happened
                if (one.kind, one.store) == (start.kind, start.store)
                and self._since(one, earliest=True) <= one.at <= start.at
                and self.outside.memory.root(f"{GHL} {one.contact}") == root
            }
            if len(same) > len(reasons):
                yield f"L7 {len(same)} starts of the {start.kind} automation for {len(reasons)} happenings: {start}"

    def _since(self, happening: Happening, *, earliest: bool) -> datetime:
        """From when on a happening counts, as far as the clocks of GHL and the program agree."""
        active = self.active.get((happening.kind, happening.store))
        if active is None:
            return datetime.max.replace(tzinfo=self.spell.tzinfo)
        at, skew = active
        return at + (min(timedelta(), skew) - _SLACK if earliest else max(timedelta(), skew) + _SLACK)

    def _due(self, standing: set[tuple[str, str]]) -> Iterator[Happening]:
        """What happened within the last day, and was still so when the program looked in peace."""
        people = {ghl_id for ghl_id, _ in standing}
        for one in self.doings.happened:
            late = one.at < self.spell - _REST + timedelta(seconds=9000) + _SLACK
            if late or one.store != self.doings.stores or one.at < self._since(one, earliest=False):
                continue
            if one.contact in people and self._still_so(one):
                yield one

    def _still_so(self, happening: Happening) -> bool:
        """Whether the record is that person's, and as it was: tasks known to be open before, or made since."""
        world = self.outside.ghl
        if happening.kind == COMPLETED:
            task = world.tasks.find(happening.record)
            if task is None or not task.completed or task.contact_id != happening.contact:
                return False
            made = datetime.fromtimestamp(task.date_added / 1000, self.spell.tzinfo)
            since = self._since(happening, earliest=False)
            return made > since or (happening.contact, happening.record) in self.opened
        event = world.calendars.events.get(happening.record)
        looked = self.spell + timedelta(seconds=9000) + max(timedelta(), self.house.program_clock.skew) + _SLACK
        return (
            event is not None
            and event.contact_id == happening.contact
            and event.status in TO_COME
            and event.start > looked.timestamp() * 1000
            and event.start < (self.spell + self._window() - timedelta(hours=3)).timestamp() * 1000
        )

    def _window(self) -> timedelta:
        policy = self.house.activity
        return policy.appointments.window if policy is not None and policy.appointments is not None else timedelta()

    def _not_started(self, happening: Happening, standing: set[tuple[str, str]]) -> Iterator[str]:
        deeds = self._store.deeds_of([happening.contact])
        deed = next((one for one in deeds if one.key.split(":")[-2:] == [happening.kind, happening.record]), None)
        if deed is None:
            yield f"L3 nothing was ever to be started for {happening}"
            return
        if deed.state is DeedState.UNCERTAIN or deed.key in self.refused:
            return
        subscriber = dict(standing)[happening.contact]
        if deed.state is DeedState.DONE and not deed.code:
            entered = [one.at for one in self.started if (one.kind, one.subscriber) == (happening.kind, subscriber)]
            if not any(at >= happening.at - _REST for at in entered) and not self._has_moved(happening.contact):
                yield f"L3 {happening} was said to be started, and wasn't"
        elif not self._is_true(deed, happening.contact):
            yield f"L3 {happening} wasn't started: {deed.state} {deed.code}"

    def _is_true(self, deed: Deed, contact: str) -> bool:
        """Whether somebody revoked, or left his link, while it was to be started."""
        if deed.code == "revoked":
            return self.outside.memory.has_reason(f"{GHL} {contact}")
        return deed.code == "no_link" and self._has_moved(contact)

    def _has_moved(self, contact: str) -> bool:
        memory = self.outside.memory
        root = memory.root(f"{GHL} {contact}")
        return any(memory.root(f"{system} {one}") == root for system, one in memory.moved | memory.deleted)

    def _automations(self) -> dict[str, str]:
        """The automations that the policy names, by what starts them."""
        policy = self.house.activity
        named: dict[str, str | None] = {}
        if policy is not None and policy.tasks is not None:
            named[COMPLETED] = policy.tasks.on_completed
        if policy is not None and policy.appointments is not None:
            named[BOOKED] = policy.appointments.on_booked
        return {kind: one for kind, one in named.items() if one is not None}

    def _entries(self) -> list[Any]:
        entries: list[Any] = self.outside.emailoctopus.automations.starts
        return entries

    @property
    def _store(self) -> Any:
        return self.house.process.pair.store
