"""`explain`: one person, both sides now, what was agreed, and what the next cycle will do and why.

Nothing is written, neither to a system nor to the store: what a cycle would store it stores in a copy of the
person's rows.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from structlog.contextvars import bound_contextvars

from sync_daemon.changes.cases import Case, ContactKey, who_is_who
from sync_daemon.changes.forgotten import Forgotten
from sync_daemon.cycle.foretelling import Told, begin, forecast, go_on
from sync_daemon.cycle.lease import Lease
from sync_daemon.cycle.neighbours import with_others
from sync_daemon.cycle.opening import open_run
from sync_daemon.cycle.pair import GHL, Pair, Run, field_names
from sync_daemon.cycle.pretence import Pretence, Silent
from sync_daemon.cycle.sight import Sight, SightedSystem, look_at
from sync_daemon.model.audit import ChangeFilter
from sync_daemon.model.contact import AccountSchema, Snapshot
from sync_daemon.model.errors import StopSystem
from sync_daemon.model.explanation import ContactNow, Explanation, PersonNow
from sync_daemon.model.person import Person
from sync_daemon.model.policy import FieldRule
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.model.state import Cause, KnownContact, Staged, Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.model.webhook import WebhookEvent
from sync_daemon.ports import PairStore, System
from sync_daemon.read.gather import gather
from sync_daemon.read.person import known_at, known_by_id
from sync_daemon.reconcile.decision import Context
from sync_daemon.reconcile.explained import (
    explain_address,
    explain_consent,
    explain_fields,
    explain_scope,
    explain_tags,
)
from sync_daemon.reconcile.findings import findings, of_forgotten, of_nobody

Copy = Callable[[Person], AbstractContextManager[PairStore]]
"""Gives a copy of one person's rows of the pair's store."""
_LINES = 20
"""So many lines of the audit log are shown."""
_EVENTS = 100


@dataclass(frozen=True, slots=True)
class Question:
    """Who is asked for: an address, or an id of either system.

    `schemas` are what both accounts hold, as far as that is known; `unread` the systems that aren't to be asked, or
    can't be, with the reason.
    """

    asked: str
    schemas: Mapping[SystemName, AccountSchema]
    unread: Mapping[SystemName, StopSystem] = field(default_factory=dict)

    @property
    def address(self) -> str | None:
        """The address, None where an id is asked for."""
        return self.asked if "@" in self.asked else None


def explain(pair: Pair, question: Question, copy: Copy) -> Explanation:
    """The answer for one pair. Reads a handful of contacts by id, and a handful of rows, however many there are.

    `pair` has the store itself, which is only read. A system that can't be asked is named in the answer.
    """
    before = {name: pair.systems[name].usage().requests for name in SystemName}
    pair = replace(pair, systems=_reading(pair, question.schemas))
    person = _meant(pair, question)
    guess = Person(frozenset({question.asked}), frozenset({question.asked}))
    looked_for = person or guess
    sight = Sight(unread=dict(question.unread))
    around = look_at(looked_for, question.address, pair.systems, pair.store, pair.digester, sight)
    core = _core(pair, question, person, sight)
    persons: tuple[PersonNow, ...] = ()
    if core or person.addresses:
        with bound_contextvars(foretold=True):
            forgotten = Forgotten(pair.digester, pair.store.forgotten())
            persons = tuple(_Explaining(pair, question, sight, around, core, copy, forgotten).persons())
    if not persons and pair.store.is_forgotten(question.asked):
        persons = (of_forgotten(),)
    runs = pair.store.last_runs(1)
    return Explanation(
        pair.name,
        persons,
        sight.unread,
        {name: pair.systems[name].usage().requests - before[name] for name in SystemName},
        runs[0]["ended"] if runs else None,  # type: ignore[arg-type] # a run's own times
        pair.store.paused_since(),
    )


def _reading(pair: Pair, schemas: Mapping[SystemName, AccountSchema]) -> Mapping[SystemName, System]:
    """The systems, reading the fields that the mapping and the scope name."""
    return {
        name: system.with_schema(schemas[name], field_names(pair.policy, name)) if name in schemas else system
        for name, system in pair.systems.items()
    }


def _meant(pair: Pair, question: Question) -> Person:
    """Whom the store knows by what was asked for."""
    if question.address is not None:
        return known_at(pair.digester.address(question.address), pair.store)
    return known_by_id(question.asked, pair.store)


def _core(pair: Pair, question: Question, person: Person, sight: Sight) -> frozenset[ContactKey]:
    """The contacts that are meant, as far as there are any: whoever is shown is in a case with one of them."""
    known = {(name, one) for name in SystemName for one in person.ids(name)}
    shown = {key for key, one in sight.contacts.items() if one is not None and key[1] == question.asked}
    if question.address is not None:
        digest = pair.digester.address(question.address)
        for key, one in sight.contacts.items():
            if one is not None and one.address is not None and pair.digester.address(one.address) == digest:
                shown.add(key)
    return frozenset(known | shown)


@dataclass(slots=True)
class _Explaining:
    """The work of `explain`, with what its steps share."""

    pair: Pair
    question: Question
    sight: Sight
    around: Person
    core: frozenset[ContactKey]
    copy: Copy
    forgotten: Forgotten
    _schemas: dict[SystemName, AccountSchema] = field(default_factory=dict)

    def persons(self) -> Iterator[PersonNow]:
        """Everybody who is meant, each with what the next cycle and the next full scan do about him."""
        with self.copy(self.around) as rows:
            on, pretence = self._on(rows)
            events = [one for name in SystemName for one in rows.waiting_events(name, _EVENTS)]
            events += rows.waiting_activity(_EVENTS)
            if self.sight.unread:
                run = open_run(on, CycleReport(on.name, "", Mode.INCREMENTAL), on.store.state())
            else:
                run = begin(on, self.sight, Mode.INCREMENTAL)
            cases = self._cases(run)
            found = [self._of_case(run, case, events) for case in cases]
            told = self._told(run, pretence)
        full = self._scanned() if told is not None and not run.full else None
        for case, person in zip(cases, found, strict=True):
            yield self._finished(person, case, told, full)
        yield from self._others(found, events)

    def _scanned(self) -> Told | None:
        """What a full scan does, as if no other cycle came before it."""
        with self.copy(self.around) as rows:
            on, pretence = self._on(rows)
            return self._told(begin(on, self.sight, Mode.FULL), pretence)

    def _on(self, rows: PairStore) -> tuple[Pair, Pretence]:
        """The pair on a copy of the person's rows, with systems that have read him and pretend to be written to."""
        known = rows.schemas()
        for name, schema in self.question.schemas.items():
            if known.get(name) != schema:
                rows.save_schema(schema)
        pretence = Pretence(self.pair.clock, dict(self.sight.contacts))
        systems = {
            name: SightedSystem(system, self.sight, pretence, self._schemas)
            for name, system in self.pair.systems.items()
        }
        lease = Lease(self.pair.name, rows, "", self.pair.clock)
        return replace(
            self.pair, store=rows, systems=systems, lease=lease, progress=Silent(), keeps_undo=False
        ), pretence

    def _told(self, run: Run, pretence: Pretence) -> Told | None:
        """What the run would do; None where that can't be told without what couldn't be read."""
        if self.sight.unread:
            return None
        try:
            told = go_on(run, pretence)
        except StopSystem as error:
            self.sight.unread.setdefault(error.system, error)
            return None
        self.sight.unread.update(run.stopped)
        return None if run.stopped else told

    # Who is meant

    def _cases(self, run: Run) -> list[Case]:
        rows = list(self._rows(run.pair.store))
        run.book.meet(
            {
                name: {tag for row in rows if row.snapshot and row.system is name for tag in row.snapshot.tags}
                for name in SystemName
            }
        )
        cases = with_others(who_is_who(rows, gather(rows, run.pair.store)), self.pair.neighbours)
        return [case for case in cases if not self.core.isdisjoint(_keys(case))]

    def _rows(self, store: PairStore) -> Iterator[Staged]:
        """A row for everybody around who is there, with what was just read."""
        for name in SystemName:
            ids = self.around.ids(name) | {one for of, one in self.sight.contacts if of is name}
            known, staged = store.contacts(name, ids), store.staged(name, ids)
            for contact_id in sorted(ids):
                shown = self.sight.contacts.get((name, contact_id))
                row = known.get(contact_id)
                if self._is_forgotten((name, contact_id)) or not _takes_part(row, shown):
                    continue
                waiting = staged.get(contact_id) or Staged(name, contact_id, None)
                yield replace(waiting, snapshot=shown) if shown is not None else waiting

    def _is_forgotten(self, key: ContactKey) -> bool:
        shown = self.sight.contacts.get(key)
        return self.forgotten.contact(*key) or (shown is not None and self.forgotten.person(shown) is not None)

    # What is told of him

    def _of_case(self, run: Run, case: Case, events: Sequence[WebhookEvent]) -> PersonNow:
        context = run.context() if len(run.schemas) == len(SystemName) else None
        person = self._stored(_keys(case), events)
        linked = {(name, case.link.id_in(name)) for name in SystemName} if case.link is not None else set()
        duplicates = {(side.system, side.contact_id) for side in case.duplicates}
        contacts = tuple(replace(one, role=_role(one, linked, duplicates)) for one in person.contacts)
        person = replace(person, contacts=contacts, link=case.link)
        return person if context is None else _decided(person, case, context, self._suspended(context))

    def _suspended(self, context: Context) -> Mapping[str, FieldRule]:
        mapped = {row.rule.key for row in context.fields}
        return {rule.key: rule for rule in self.pair.policy.fields if rule.key not in mapped}

    def _stored(self, keys: Collection[ContactKey], events: Sequence[WebhookEvent]) -> PersonNow:
        """What the store itself knows of some contacts, with what was read of them."""
        store, ids = self.pair.store, {name: {one for of, one in keys if of is name} for name in SystemName}
        ghl, emailoctopus = (frozenset(ids[name]) for name in SystemName)
        known = {(name, one.contact_id): one for name in SystemName for one in store.contacts(name, ids[name]).values()}
        staged = {(name, one): row for name in SystemName for one, row in store.staged(name, ids[name]).items()}
        addresses = frozenset(one.address for one in known.values() if one.address is not None)
        everybody = ghl | emailoctopus
        return PersonNow(
            (),
            tuple(self._contact(key, known.get(key), staged.get(key)) for key in sorted(keys, key=_in_order)),
            parked=tuple(store.parked(ghl=ghl, emailoctopus=emailoctopus)),
            held=tuple(store.held(ghl=ghl, emailoctopus=emailoctopus)),
            tombstones=tuple(store.tombstones_of(Person(ghl, emailoctopus, addresses))),
            events=tuple(one for one in events if (one.system, one.contact_id) in keys),
            deeds=tuple(store.deeds_of(ghl)),
            activity=next(iter(store.activity(ghl).values()), None),
            history=tuple(store.logged(ChangeFilter(contacts=everybody), _LINES)) if everybody else (),
        )

    def _contact(self, key: ContactKey, known: KnownContact | None, staged: Staged | None) -> ContactNow:
        name, contact_id = key
        unread: str | None = None
        if key in self.sight.refused:
            unread = f"it can't be read: {self.sight.refused[key].code}"
        elif key not in self.sight.contacts:
            error = self.sight.unread.get(name)
            unread = error.shown if error is not None else "not read: it is one of too many"
        return ContactNow(name, contact_id, known, self.sight.contacts.get(key), unread, staged, "not linked")

    def _finished(self, person: PersonNow, case: Case, told: Told | None, full: Told | None) -> PersonNow:
        keys = _keys(case)
        next_cycle = forecast(told, keys) if told is not None else None
        scan = forecast(full, keys) if full is not None else None
        differs = scan is not None and (next_cycle is None or scan != replace(next_cycle, mode=scan.mode))
        person = replace(person, next_cycle=next_cycle, full_scan=scan if differs else None)
        return replace(person, findings=findings(person, case))

    def _others(self, found: Sequence[PersonNow], events: Sequence[WebhookEvent]) -> Iterator[PersonNow]:
        """Who is meant and takes no part: forgotten, deleted; and an address of which nothing but a cause is known."""
        shown = {(one.system, one.contact_id) for person in found for one in person.contacts}
        for key in sorted(self.core - shown, key=_in_order):
            person = self._stored({key}, events)
            forgotten = self._is_forgotten(key)
            yield of_forgotten(person.contacts) if forgotten else replace(person, findings=findings(person, None))
        if not self.core and self.question.address is not None:
            digest = self.pair.digester.address(self.question.address)
            cause = self.pair.store.revoked_at([digest]).get(digest)
            if cause is not None:
                yield of_nobody(Cause(cause))


def _decided(person: PersonNow, case: Case, context: Context, suspended: Mapping[str, FieldRule]) -> PersonNow:
    return replace(
        person,
        fields=explain_fields(case, context, suspended),
        tags=explain_tags(case, context),
        consent=explain_consent(case, context),
        scope=explain_scope(case, context),
        address=explain_address(case, context),
    )


def _takes_part(known: KnownContact | None, shown: Snapshot | None) -> bool:
    """Whether somebody can be one of a case: he is known and wasn't deleted, or is there."""
    return shown is not None or (known is not None and known.unlinked is not Unlinked.DELETED)


def _in_order(key: ContactKey) -> tuple[bool, str]:
    """GHL's first."""
    return key[0] is not GHL, key[1]


def _keys(case: Case) -> set[ContactKey]:
    return {(side.system, side.contact_id) for side in case.sides()}


def _role(contact: ContactNow, linked: Collection[ContactKey], duplicates: Collection[ContactKey]) -> str:
    key = (contact.system, contact.contact_id)
    return "linked" if key in linked else "duplicate" if key in duplicates else "not linked"
