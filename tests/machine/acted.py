"""What rules did in GHL, held against what happened in EmailOctopus: once for each event, and nothing else.

It knows the sandboxes' own records and when each thing happened. The program's store is asked for two things alone:
since when a rule is active, and what it lists of that which it did not do, or can't know whether it did.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx

from sync_daemon.cycle.engagement import EACH_TIME
from sync_daemon.model.deeds import Deed, DeedState
from sync_daemon.model.system import SystemName
from tests.machine.doings import BOOKED
from tests.machine.engaged import Engaged, Occurrence, is_about
from tests.machine.house import TALLY, House
from tests.machine.rulings import MARK, ONCE, ONCE_EVERY, TAG, Book
from tests.machine.terms import EXCLUDED

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
LISTED = (DeedState.REFUSED, DeedState.UNCERTAIN, DeedState.GIVEN_UP)
TAGS, WORKFLOW, CALLS = "add_tag", "add_to_workflow", "ghl"
_A_MOMENT = timedelta(seconds=2)
_OPERATION = "Create Appointment"
_PATH = re.compile(r"^/contacts/([^/]+)/(?:notes|tasks|workflow/[^/]+)$|^/calendars/events/appointments$")
_TAGS_PATH = re.compile(r"^/contacts/([^/]+)/tags$")
_TEXT = re.compile(rf"^{MARK} (\d+)(?: ([^|]*)\|([^|]*)\|([-0-9]+ [:0-9]+))?")
FORM = "%Y-%m-%d %H:%M:%S"
Trace = tuple[int, str]
"""A rule by its number, and one of its actions."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a rule did to a GHL contact while the program had its `store`, by number.

    `event`, `campaign` and `when` are what its text says, where it says it; `when` is in the location's time.
    """

    trace: Trace
    contact: str
    at: datetime
    store: int
    event: str = ""
    campaign: str = ""
    when: str = ""


class Acts:
    """Stands beside GHL's records. `broken` lists the laws that an act broke."""

    def __init__(self, house: House, engaged: Engaged, book: Book) -> None:
        self.house, self.engaged, self.book = house, engaged, book
        self.outside, self.doings = engaged.outside, engaged.doings
        self.broken: list[str] = []
        self.acts: list[Act] = []
        self.active: dict[tuple[int, int], tuple[datetime, datetime]] = {}
        """(rule, store) -> between which moments of EmailOctopus's clock the rule became active."""
        # The filter is over GHL's names: with a prefix what began in EmailOctopus is called otherwise there.
        self.excluded = "" if house.policy.tags.prefix else EXCLUDED
        self.silent = 0
        """How often the program couldn't know what had become of a request: no answer, or an end before it."""

    # each cycle

    def cycle_begins(self) -> None:
        """Remember whose conditions hold."""
        if self.house.rules:
            self.engaged.note_conditions()
        if self.house.sandbox.emailoctopus.weather.short_listing:
            self.engaged.short.append(self.house.clock.now())

    def cycle_ended(self, began: datetime, *, cut_off: bool) -> None:
        """Remember which rules became active, and whether something was left open."""
        if not self.house.rules:
            return
        store, skew = self.doings.stores, self.house.program_clock.skew
        new = [number for number in self.book.numbers if (number, store) not in self.active]
        known = self.store.state().looked_at if new else {}
        for number in new:
            if f"rule {self.book.of(number).key}" in known:
                first, last = began + min(timedelta(), skew), self.house.clock.now() + max(timedelta(), skew)
                self.active[number, store] = (first - _A_MOMENT, last + _A_MOMENT)
        exchanges = self.house.sandbox.ghl.log.exchanges()
        self.silent += cut_off + sum(one.method == "POST" and one.fault is not None for one in exchanges)

    # each act

    def before(self, request: httpx.Request) -> Callable[[], None] | None:
        """Look before something is written that only rules write; the answer looks after it. None: it isn't theirs."""
        self.engaged.note_conditions()
        if request.method != "POST":
            return None
        if tagged := _TAGS_PATH.match(request.url.path):
            for tag in json.loads(request.content).get("tags", []):
                if tag.startswith(TAG):
                    self._remember(Act((int(tag.removeprefix(TAG)), TAGS), tagged.group(1), *self._now()))
            return None
        found = _PATH.match(request.url.path)
        if found is None:
            return None
        contact = found.group(1) or json.loads(request.content)["contactId"]
        known, people = self._records(contact), self._people()

        def compare() -> None:
            for key, record in self._records(contact).items():
                if key not in known:
                    self._made(contact, key[0], record)
            if self._people() != people:
                self.broken.append(f"L6 {request.url.path} changed something else")

        return compare

    def _records(self, contact: str) -> dict[tuple[str, object], Any]:
        """Everything of a contact that rules make."""
        world = self.outside.ghl
        return {
            **{("create_task", one.id): one for one in world.tasks.of(contact)},
            **{("create_note", one.id): one for one in world.notes.of(contact)},
            **{(CALLS, one.id): one for one in world.calendars.of_contact(contact)},
            **{(WORKFLOW, place): one for place, one in enumerate(world.enrolments) if one.contact_id == contact},
        }

    def _people(self) -> list[Any]:
        return [replace(one, workflows=(), date_updated=0) for one in self.outside.people()]

    def _made(self, contact: str, action: str, record: Any) -> None:
        if action == WORKFLOW:
            number = next(one for one, workflow in self.book.workflows.items() if workflow == record.workflow_id)
            self._remember(Act((number, action), contact, *self._now()))
            return
        if action == CALLS:
            self.doings.remember(BOOKED, record)
        told = _TEXT.match(record.body if action == "create_note" else record.title)
        if told is None:
            self.broken.append(f"L6 a rule wrote something that no rule says: {record}")
            return
        digits, event, campaign, when = told.groups(default="")
        self._remember(Act((int(digits), action), contact, *self._now(), event, campaign, when))

    def _remember(self, act: Act) -> None:
        TALLY[f"rules acted: {act.trace[1]}"] += 1
        self.acts.append(act)
        if act.trace[0] not in self.book.numbers or act.trace[1] not in self.book.actions_of(act.trace[0]):
            self.broken.append(f"L6 no rule says to do this: {act}")
        elif not self.reasons(act):
            self.broken.append(f"L6 a rule acted for nothing that happened: {act}")

    def _now(self) -> tuple[datetime, int]:
        return self.house.clock.now(), self.doings.stores

    # what an act may be for

    def reasons(self, act: Act) -> list[Occurrence]:
        """Everything that an act can be for: of this kin, while the rule was active, while its condition held."""
        number = act.trace[0]
        first = self.active.get((number, act.store), (self.house.started + self._least_skew - _A_MOMENT,))[0]
        return [
            one
            for one in self.engaged.occurred
            if is_about(number, one, self.excluded)
            and first <= one.at <= act.at
            and self.is_kin(act.contact, one.contact)
            and (act.when == "" or one.campaign_name == act.campaign)
            and True in self.engaged.condition(number, act.contact, one.at, act.at)
        ]

    def is_kin(self, ghl_id: str, emailoctopus_id: str) -> bool:
        """Whether two contacts ever belonged together."""
        memory = self.outside.memory
        return memory.root(f"{GHL} {ghl_id}") == memory.root(f"{EMAILOCTOPUS} {emailoctopus_id}")

    def active_for_sure(self, number: int) -> datetime:
        """From when on what happens must be acted on; never, where the rule isn't active yet."""
        return self.active.get((number, self.doings.stores), (None, datetime.max.replace(tzinfo=self._zone)))[1]

    def listed(self, trace: Trace, contact: str) -> list[Deed]:
        """What the program says it did not do to a contact, or can't know whether it did."""
        key = f"rule {self.book.of(trace[0]).key} "
        name = _OPERATION if trace[1] == CALLS else trace[1]
        deeds: list[Deed] = self.store.deeds_of([contact])
        return [
            one
            for one in deeds
            if one.state in LISTED and one.key.startswith(key) and one.what.startswith(f"{name} by ")
        ]

    @property
    def _least_skew(self) -> timedelta:
        return min(timedelta(), self.house.program_clock.skew)

    @property
    def _zone(self) -> Any:
        return self.house.clock.now().tzinfo

    def database_was_lost(self) -> None:
        """What was uncertain is known no more."""
        self.silent = 0

    @property
    def store(self) -> Any:
        """The program's own."""
        return self.house.process.pair.store

    def reads(self) -> int:
        """How many requests it costs to see that no report has grown: the list of campaigns, and one for each."""
        if not self.house.rules.listens_to:
            return 0
        old = self.house.program_clock.now() - EACH_TIME
        return 1 + sum(datetime.fromtimestamp(one.sent_at, self._zone) >= old for one in self.engaged.campaigns)

    # a quiet spell

    def broken_in_peace(self) -> Iterator[str]:
        """Every law that all acts together break, and what is listed that needn't be."""
        yield from self._more_than_happened()
        yield from self._too_soon()
        yield from self._at_wrong_times()
        yield from self._left_open()

    def _more_than_happened(self) -> Iterator[str]:
        """Each act has an occurrence of its own: one for each kind, campaign and contact, or each time without one."""
        for act in self.acts:
            same = [
                one
                for one in self.acts
                if (one.trace, one.store, one.campaign) == (act.trace, act.store, act.campaign)
                and one.at <= act.at
                and self._same_kin(one.contact, act.contact)
            ]
            reasons = {one.identity for one in self.reasons(act)}
            altered = [contact for action, contact in self.doings.altered if action == act.trace[1]]
            again = sum(self._same_kin(contact, act.contact) for contact in altered)
            if act.trace[1] != TAGS and len(same) > len(reasons) + again:
                yield f"L7 {len(same)} acts for {len(reasons)} occurrences: {act}"

    def _same_kin(self, one: str, other: str) -> bool:
        memory = self.outside.memory
        return memory.root(f"{GHL} {one}") == memory.root(f"{GHL} {other}")

    def _too_soon(self) -> Iterator[str]:
        """A rule with a period acts on nobody twice within it, as the occasions' times go."""
        told: dict[tuple[str, int], list[datetime]] = {}
        for act in self.acts:
            if act.trace == (ONCE, "create_note"):
                told.setdefault((act.contact, act.store), []).append(datetime.strptime(act.when, FORM))  # noqa: DTZ007
        for whom, times in told.items():
            times.sort()
            altered = ("create_note", whom[0]) in self.doings.altered
            if not altered and any(two - one < ONCE_EVERY for one, two in pairwise(times)):
                yield f"at most once in a period: {whom} at {times}"

    def _at_wrong_times(self) -> Iterator[str]:
        """What tells when it was of a mail tells the truth, in the location's time."""
        zone = self.outside.ghl.location.zone
        for act in self.acts:
            number = act.trace[0]
            if act.when and act.campaign and self.book.rulings.report_times:
                times = {f"{one.at.astimezone(zone):{FORM}}" for one in self.reasons(act)}
                if act.when not in times:
                    yield f"L6 rule {number} tells a time at which nothing happened: {act}, {times}"

    def _left_open(self) -> Iterator[str]:
        states = {state: self._deeds_in(state) for state in (DeedState.INTENDED, *LISTED)}
        gone = {contact for system, contact in self.outside.memory.deleted if system is GHL}
        for deed in states[DeedState.INTENDED]:
            yield f"L1 in peace something is still intended: {deed.what}"
        for deed in states[DeedState.REFUSED] + states[DeedState.GIVEN_UP]:
            if deed.ghl_id not in gone:
                yield f"L3 {deed.what} is {deed.state} as {deed.code}, though {deed.ghl_id} is there"
        uncertain = states[DeedState.UNCERTAIN]
        for deed in uncertain:
            if not deed.what.startswith(("add_to_workflow ", _OPERATION)):
                yield f"L3 {deed.what} is uncertain, though it could be looked for"
        if len(uncertain) > self.silent:
            yield f"L3 {len(uncertain)} are uncertain of {self.silent} that had no answer"

    def _deeds_in(self, state: DeedState) -> list[Deed]:
        deeds: list[Deed] = self.store.deeds_in(state)
        return [one for one in deeds if one.key.startswith("rule ")]
