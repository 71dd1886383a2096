"""Lives of two accounts that are dictionaries: the pure rooms alone, held against the laws of the contract.

Hypothesis plays the outside; `pure_cycle` is the program without its outer rooms. Laws L8 (reads are cheap) and L9
(nothing personal is kept) speak of requests and storage: they have no meaning here and are held in test_machine.py,
which plays over HTTP and a database. SYNC_DAEMON_LIVES says how many lives are played.
"""

import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from sync_daemon.changes.addresses import normalise
from sync_daemon.changes.digests import canonical
from sync_daemon.changes.tagbook import fold
from sync_daemon.model.contact import Consent, Value
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.policy import (
    AddressChange,
    Blanks,
    ConflictRule,
    DeletedInGhl,
    DeleteRule,
    Direction,
    FieldRule,
    OnLeaveScope,
    PairPolicy,
    Resubscribe,
    ScopeRule,
    TagRule,
)
from sync_daemon.model.state import Link, Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.conversion import convert
from sync_daemon.reconcile.fields import MappedField
from tests.machine.pure_accounts import Clock, EmailOctopusAccount, GhlAccount, Hits, Record
from tests.machine.pure_cycle import Died, Program

LIVES = int(os.environ.get("SYNC_DAEMON_LIVES", "60"))
GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
GRANTED, PENDING, REVOKED = Consent.GRANTED, Consent.PENDING, Consent.REVOKED
ADDRESSES = st.sampled_from(["ada@example.com", "Bob@Example.com", "eve@bücher.example", "kim@example.com"])
TAGS = st.sampled_from(["vip", "News", "eo news", "Web Inar", "private-x", "club", "one, two"])
EXCLUDED, CLUB = "private-*", "club"
TYPES = {"firstName": ("STANDARD", "text"), "phone": ("PHONE", "text"), "custom.note": ("TEXT", "text")}
PARTNERS = {"firstName": "FirstName", "phone": "Phone", "custom.note": "Note"}
NAMES = {GHL: sorted(PARTNERS), EMAILOCTOPUS: sorted(PARTNERS.values())}
UNMAPPED = {GHL: "website", EMAILOCTOPUS: "Shoe"}

field_rules = st.tuples(
    *(
        st.builds(
            FieldRule,
            st.just(ghl),
            st.just(there),
            st.sampled_from([Direction.BOTH, *Direction]),
            st.sampled_from(ConflictRule),
            st.sampled_from(Blanks),
        )
        for ghl, there in PARTNERS.items()
    )
)
policies = st.builds(
    PairPolicy,
    st.just("main"),
    field_rules,
    tags=st.builds(TagRule, exclude=st.just((EXCLUDED,)), prefix=st.sampled_from(["", "EO "])),
    scope=st.sampled_from(
        [ScopeRule(), ScopeRule(), ScopeRule(tags_all=(CLUB,)), ScopeRule(tags_all=(CLUB,), add_tags=(CLUB,))]
    ),
    on_leave_scope=st.sampled_from(OnLeaveScope),
    create_suppressed=st.booleans(),
    resubscribe=st.sampled_from(Resubscribe),
    address_change=st.sampled_from(AddressChange),
    deletes=st.builds(DeleteRule, in_ghl=st.sampled_from([DeletedInGhl.UNSUBSCRIBE, DeletedInGhl.IGNORE])),
    double_opt_in=st.booleans(),
)  # fmt: skip


class Lives(RuleBasedStateMachine):
    """One life: outside actions in any order, cycles now and then, faults; at the end quiet, and the laws."""

    def __init__(self) -> None:
        super().__init__()
        self.words = 0
        self.epoch = 0
        """Counts the cycles after which nothing was left to do."""
        self.edits: dict[tuple[SystemName, str, str], list[tuple[int, Value]]] = {}
        """Outside edits of mapped fields, by contact and field: in which epoch, to what."""
        self.met: dict[tuple[str, str], int] = {}
        """The epoch in which two contacts that both existed met, or met anew."""
        self.blocked_by_outside: set[str] = set()
        self.perhaps_met: dict[str, int] = {}
        self.once_linked: set[str] = set()
        self.touched: set[str] = set()
        """GHL contacts that were written to in this cycle, but for their DND."""
        self.created: Counter[str] = Counter()
        self.lagging_since: datetime | None = None

    @initialize(policy=policies, hits=st.sampled_from(["always", "when_set", "never"]))
    def begin(self, policy: PairPolicy, hits: Hits) -> None:
        self.clock = Clock(datetime(2026, 3, 1, 12, tzinfo=UTC))
        self.ghl = GhlAccount(self.clock.tick, hits=hits)
        self.emailoctopus = EmailOctopusAccount(self.clock.tick)
        self.policy = policy
        fields = tuple(MappedField(row, *TYPES[row.ghl], country="CH") for row in policy.fields)
        self.program = Program(policy, fields, self.ghl, self.emailoctopus, lambda: self.clock.now, self.watch)
        self.memory = self.program.memory

    # what is typed in

    def value(self, name: str, kind: str) -> Value:
        """A value nobody typed before."""
        if kind == "blank":
            return None
        self.words += 1
        if name in ("phone", "Phone"):
            return f"079 {self.words:03} 00 00" if kind == "odd" else f"+4179{self.words:03}0000"
        if name in ("custom.note", "Note") and kind == "long":
            return f"Note{self.words} " + "x" * 300
        return f" Word{self.words} " if kind == "odd" else f"Word{self.words}"

    def edit_field(self, system: SystemName, record: Record, name: str, kind: str) -> None:
        value = self.value_before(system, record, name) if kind == "back" else self.value(name, kind)
        account = self.program.accounts[system]
        before = record.fields.get(name)
        account.edit(record.contact_id, fields={name: value})
        if record.fields.get(name) != before:
            self.note(system, record.contact_id, name)

    def value_before(self, system: SystemName, record: Record, name: str) -> Value:
        """What the field held before the last outside edit: somebody takes that edit back."""
        return next((value for _, value in self.edits.get((system, record.contact_id, name), [])[-2:-1]), None)

    def note(self, system: SystemName, contact_id: str, name: str) -> None:
        value = self.program.accounts[system].records[contact_id].fields.get(name)
        self.edits.setdefault((system, contact_id, name), []).append((self.epoch, value))

    def pick(self, system: SystemName, number: int) -> Record | None:
        records = list(self.program.accounts[system].records.values())
        return records[number % len(records)] if records else None

    @rule(system=st.sampled_from(SystemName), address=ADDRESSES, tags=st.sets(TAGS, max_size=3), odd=st.booleans())
    def somebody_appears(self, system: SystemName, address: str, tags: set[str], odd: bool) -> None:
        if system is EMAILOCTOPUS and self.emailoctopus.at(address) is not None:
            return
        kind = "odd" if odd else "plain"
        fields = {name: self.value(name, kind) for name in (*NAMES[system], UNMAPPED[system])}
        record = self.program.accounts[system].add(address, fields, tags)
        for name in NAMES[system]:
            self.note(system, record.contact_id, name)

    @rule(
        system=st.sampled_from(SystemName),
        number=st.integers(0, 5),
        row=st.integers(0, 2),
        kind=st.sampled_from(["plain", "odd", "blank", "long", "back"]),
    )
    def a_field_is_edited(self, system: SystemName, number: int, row: int, kind: str) -> None:
        record = self.pick(system, number)
        if record is not None:
            self.edit_field(system, record, NAMES[system][row], kind)

    @rule(system=st.sampled_from(SystemName), number=st.integers(0, 5))
    def an_unmapped_field_is_edited(self, system: SystemName, number: int) -> None:
        record = self.pick(system, number)
        if record is not None:
            self.program.accounts[system].edit(record.contact_id, fields={UNMAPPED[system]: self.value("", "plain")})

    @rule(system=st.sampled_from(SystemName), number=st.integers(0, 5), tag=TAGS, on=st.booleans())
    def a_tag_is_changed(self, system: SystemName, number: int, tag: str, on: bool) -> None:
        record = self.pick(system, number)
        if record is not None:
            others = {one for one in record.tags if fold(one) != fold(tag)}
            self.program.accounts[system].edit(record.contact_id, tags=others | {tag} if on else others)

    @rule(system=st.sampled_from(SystemName), number=st.integers(0, 5), address=ADDRESSES)
    def an_address_is_changed(self, system: SystemName, number: int, address: str) -> None:
        record = self.pick(system, number)
        if record is None or (system is EMAILOCTOPUS and self.emailoctopus.at(address) is not None):
            return
        self.program.accounts[system].edit(record.contact_id, address=address)

    @rule(number=st.integers(0, 5), address=st.sampled_from([None, "ada@@example.com"]))
    def an_address_is_spoilt(self, number: int, address: str | None) -> None:
        record = self.pick(GHL, number)
        if record is not None:
            self.ghl.edit(record.contact_id, address=address)

    @rule(number=st.integers(0, 5), address=ADDRESSES)
    def an_additional_address_is_added(self, number: int, address: str) -> None:
        record = self.pick(GHL, number)
        if record is not None:
            record.additional = (address.lower(),)
            self.ghl.edit(record.contact_id)

    @rule(number=st.integers(0, 5), state=st.sampled_from(["free", "blocked", "permanent"]))
    def dnd_is_changed(self, number: int, state: str) -> None:
        record = self.pick(GHL, number)
        if record is None:
            return
        was_blocked = record.consent is REVOKED
        self.ghl.edit(
            record.contact_id, consent=GRANTED if state == "free" else REVOKED, permanent=state == "permanent"
        )
        self.blocked_by_outside.discard(record.contact_id)
        link = self.memory.link_of((GHL, record.contact_id))
        sent = self.memory.contacts[GHL, record.contact_id].sent if link is not None else None
        by_us = link is not None and (link.dnd_by_us or (was_blocked and sent is not None and sent.consent is REVOKED))
        unseen = by_us and not record.permanent  # nobody can tell it from our own
        if state != "free" and not unseen:
            self.blocked_by_outside.add(record.contact_id)

    @rule(number=st.integers(0, 5), consent=st.sampled_from(Consent))
    def a_status_is_changed(self, number: int, consent: Consent) -> None:
        record = self.pick(EMAILOCTOPUS, number)
        if record is not None:
            self.emailoctopus.edit(record.contact_id, consent=consent)

    # the program and what goes wrong

    @rule(full=st.booleans(), minutes=st.sampled_from([0, 1, 30]))
    def a_cycle_runs(self, full: bool, minutes: int) -> None:
        self.clock.now += timedelta(minutes=minutes)
        self.run_cycle(full=full)

    def run_cycle(self, *, full: bool) -> int:
        if self.lagging_since is not None and self.clock.now - self.lagging_since > timedelta(minutes=5):
            self.ghl.catch_up()
            self.lagging_since = None
        links, duplicates = dict(self.memory.links), self.duplicates()
        self.touched.clear()
        existed = {(system, key) for system in SystemName for key in self.program.accounts[system].records}
        troubled = self.ghl.refusing or self.emailoctopus.refusing or self.program.deaf or self.ghl.lagging
        died = False
        try:
            operations = self.program.cycle(full=full)
        except Died:
            died, troubled, operations = True, True, 1
        self.program.dies_after, self.program.deaf = None, False
        self.note_meetings(links, existed)
        if troubled:
            self.note_unfinished_meetings(links, existed)
        undecided = {contact_id for _, contact_id in self.memory.inbox}
        assert died or not (duplicates & self.duplicates() & self.touched) - undecided, "L6: a duplicate was written to"
        if not (troubled or self.memory.inbox or self.memory.parked or self.memory.held):
            self.epoch += 1
        return operations

    def note_unfinished_meetings(self, links: dict[str, Link], existed: set[tuple[SystemName, str]]) -> None:
        """Of what a first meeting decided something may have been written before there was a link."""
        linked = {link.ghl_id for link in links.values()} | {link.emailoctopus_id for link in links.values()}
        self.perhaps_met.update(dict.fromkeys((key for _, key in existed if key not in linked), self.epoch))

    def duplicates(self) -> set[str]:
        rows = ((contact_id, known) for (_, contact_id), known in self.memory.contacts.items())
        return {contact_id for contact_id, known in rows if known.unlinked is Unlinked.DUPLICATE}

    def note_meetings(self, before: dict[str, Link], existed: set[tuple[SystemName, str]]) -> None:
        for link in self.memory.links.values():
            known = before.get(link.ghl_id)
            same = known is not None and known.emailoctopus_id == link.emailoctopus_id
            both = {(GHL, link.ghl_id), (EMAILOCTOPUS, link.emailoctopus_id)} <= existed
            both |= bool({link.ghl_id, link.emailoctopus_id} & self.once_linked)
            if (both and not same) or (known is not None and known.in_scope != link.in_scope) or not link.in_scope:
                self.met[link.ghl_id, link.emailoctopus_id] = self.epoch
        linked = self.memory.links.values()
        self.once_linked.update(contact_id for link in linked for contact_id in (link.ghl_id, link.emailoctopus_id))

    @rule(system=st.sampled_from(SystemName), times=st.integers(1, 3))
    def writes_are_refused(self, system: SystemName, times: int) -> None:
        self.program.accounts[system].refusing = times

    @rule(after=st.integers(0, 4))
    def the_process_is_killed_in_the_next_cycle(self, after: int) -> None:
        self.program.dies_after = after

    @rule()
    def emailoctopus_takes_nothing_in_the_next_cycle(self) -> None:
        self.program.deaf = True

    @precondition(lambda self: self.lagging_since is None)
    @rule()
    def the_index_lags(self) -> None:
        self.ghl.lagging = True
        self.lagging_since = self.clock.now

    # what may be written at all

    def watch(self, operation: Operation) -> None:
        """Laws L4, L5 and L6 hold of every single write."""
        self.check_nothing_else(operation)
        self.check_consent(operation)
        if operation.action is Action.CREATE and operation.address:
            self.created[f"{operation.system} {normalise(operation.address)}"] += 1

    def check_nothing_else(self, operation: Operation) -> None:
        system = operation.system
        leaders = {row.name_in(system): row.direction.leader for row in self.policy.fields}
        assert all(name in leaders and leaders[name] is not system for name in operation.fields), operation
        added = {fold(tag) for tag in self.policy.scope.add_tags} if operation.action is Action.CREATE else set()
        for tag in operation.tags:
            known = self.program.book.find(system, tag)
            name = self.program.book.ghl_name(known) if known else fold(tag)
            assert name in added or not fnmatchcase(name, EXCLUDED), operation
        if system is GHL and operation.ghl_id is not None and operation.action is not Action.SET_DND:
            self.touched.add(operation.ghl_id)

    def check_consent(self, operation: Operation) -> None:
        there = self.emailoctopus.records.get(operation.emailoctopus_id or "")
        here = self.ghl.records.get(operation.ghl_id or "")
        if operation.action is Action.LIFT_DND:
            assert here is not None
            assert there is not None
            assert not here.permanent
            assert here.contact_id not in self.blocked_by_outside, "a DND that somebody set in GHL is lifted"
            assert there.consent is GRANTED
        if operation.action is Action.SET_STATUS and operation.consent is not REVOKED:
            assert operation.consent is {"pending": PENDING, "allow": GRANTED}.get(self.policy.resubscribe), operation
            assert here is not None
            assert here.consent is GRANTED
        if operation.action is Action.UPDATE:
            assert operation.consent is None
        if operation.action is Action.CREATE and operation.system is EMAILOCTOPUS and not self.ghl.lagging:
            blocked = [one for one in self.people_at(operation.address or "") if one.consent is REVOKED]
            assert not blocked or operation.consent is REVOKED, operation

    def people_at(self, address: str) -> list[Record]:
        wanted = normalise(address)
        return [one for one in self.ghl.records.values() if one.address and normalise(one.address) == wanted]

    # the end

    def teardown(self) -> None:
        if hasattr(self, "program"):
            self.quiet_spell()

    def quiet_spell(self) -> None:
        """Nobody touches anything any more: soon both sides are equal, and nothing is written."""
        self.ghl.refusing = self.emailoctopus.refusing = 0
        self.program.dies_after, self.program.deaf = None, False
        self.ghl.catch_up()
        self.lagging_since = None
        self.clock.now += timedelta(minutes=30)
        self.run_cycle(full=True)
        for _ in range(5):
            self.clock.now += timedelta(days=1)
            self.run_cycle(full=False)
        assert not self.memory.inbox
        self.check_convergence()
        self.check_no_lost_update()
        self.check_nobody_forgotten()
        assert max(self.created.values(), default=1) <= 1 + len(self.memory.tombstones) or self.died, "L5"
        self.check_quiescence()

    died = True

    def check_quiescence(self) -> None:
        """L2: without outside changes nothing is written, whether a cycle reads everything or not."""
        before = {name: dict(account.records) for name, account in self.program.accounts.items()}
        for full in (False, True, False):
            self.clock.now += timedelta(minutes=1)
            due = [entry for entry in self.memory.parked.values() if entry.next_try <= self.clock.now]
            operations = self.run_cycle(full=full)
            assert due or operations == 0, "L2: a quiet cycle wrote something"
        assert before == {name: account.records for name, account in self.program.accounts.items()}

    def check_convergence(self) -> None:
        """L1: linked contacts are equal under the mapping, except for what is listed."""
        for link in self.memory.links.values():
            here, there = self.ghl.records[link.ghl_id], self.emailoctopus.records[link.emailoctopus_id]
            if link.in_scope:
                waiting = self.waiting(link)
                self.check_fields(link, here, there, waiting)
                self.check_tags(link, here, there, waiting)
                self.check_address(link, here, there, waiting)
                self.check_consents(link, here, there, waiting)

    def waiting(self, link: Link) -> set[str]:
        """What is parked or held of a link."""
        parked = {entry.what for entry in self.memory.parked_of(link.ghl_id)}
        parked |= {entry.what for entry in self.memory.parked_of(link.emailoctopus_id)}
        return parked | ({"address"} if self.memory.held_of(link.ghl_id) else set())

    def check_fields(self, link: Link, here: Record, there: Record, waiting: set[str]) -> None:
        for row in self.policy.fields:
            if row.key not in waiting | link.diverged:
                one, other = here.fields.get(row.ghl), there.fields.get(row.emailoctopus)
                assert same(one, other), f"L1: {row} of {link}: {one!r} and {other!r}"

    def check_tags(self, link: Link, here: Record, there: Record, waiting: set[str]) -> None:
        if "tags" not in waiting:
            one, other = self.ghl_names(here.tags, GHL), self.ghl_names(there.tags, EMAILOCTOPUS)
            assert one == other, f"L1: tags of {link}: {one} and {other}"

    def ghl_names(self, tags: set[str], system: SystemName) -> set[str]:
        """The tags that travel, by GHL's name; those that collide are left alone."""
        names: set[str] = set()
        for tag in self.program.book.all():
            ghl = tag.name if tag.owner is GHL else (self.policy.tags.prefix + tag.name).lower()
            own = ghl if system is GHL else tag.name
            if own in {fold(one) for one in tags} and not fnmatchcase(ghl, EXCLUDED):
                names.add(ghl)
        return names

    def check_address(self, link: Link, here: Record, there: Record, waiting: set[str]) -> None:
        if link.address_emptied or "address" in waiting:
            return
        assert here.address is not None
        assert there.address is not None
        assert normalise(here.address) == normalise(there.address), f"L1: addresses of {link}"

    def check_consents(self, link: Link, here: Record, there: Record, waiting: set[str]) -> None:
        if link.consent_held or "consent" in waiting:
            return
        pending = there.consent is PENDING and here.consent is REVOKED
        assert pending or (here.consent is REVOKED) == (there.consent is REVOKED), f"L1: consent of {link}"

    def check_no_lost_update(self) -> None:
        """L3: what was changed last, and on one side alone, is on both sides, or listed."""
        for link in self.memory.links.values():
            waiting = self.waiting(link)
            for row in self.policy.fields:
                if link.in_scope and row.key not in waiting | link.diverged:
                    self.check_last_edit(link, row)

    def check_last_edit(self, link: Link, row: FieldRule) -> None:
        here = self.edits.get((GHL, link.ghl_id, row.ghl), [])
        there = self.edits.get((EMAILOCTOPUS, link.emailoctopus_id, row.emailoctopus), [])
        last = max((epoch for epoch, _ in (*here, *there)), default=-1)
        perhaps = (self.perhaps_met.get(contact_id, -1) for contact_id in (link.ghl_id, link.emailoctopus_id))
        met = max(self.met.get((link.ghl_id, link.emailoctopus_id), -1), *perhaps)
        sides = [[value for epoch, value in edits if epoch == last] for edits in (here, there)]
        if last <= met or all(sides) or not any(sides):
            return
        value = (sides[0] or sides[1])[-1]
        now = self.ghl.records[link.ghl_id].fields.get(row.ghl)
        assert same(now, value), f"L3: {row} of {link} was changed to {value!r}, and is {now!r}"

    def check_nobody_forgotten(self) -> None:
        """L1: whoever has no link has a reason, and the reason is true."""
        linked = {link.ghl_id for link in self.memory.links.values()}
        linked |= {link.emailoctopus_id for link in self.memory.links.values()}
        for system, account in self.program.accounts.items():
            for contact_id, record in account.records.items():
                known = self.memory.contacts[system, contact_id]
                if contact_id in linked:
                    assert known.unlinked in (None, Unlinked.OUT_OF_SCOPE), known
                else:
                    self.check_reason(system, record, known.unlinked, linked)

    def is_additional(self, record: Record) -> bool:
        held = (one for person in self.ghl.records.values() for one in person.additional)
        return normalise(record.address or "") in map(normalise, held)

    def check_reason(self, system: SystemName, record: Record, reason: Unlinked | None, linked: set[str]) -> None:
        parked = self.memory.parked_of(record.contact_id)
        same_address = self.people_at(record.address) if record.address else []
        others = [one for one in same_address if one.contact_id != record.contact_id]
        partner = self.emailoctopus.at(record.address) if record.address else None
        taken = partner is not None and partner.contact_id in linked
        match reason:
            case Unlinked.NO_EMAIL:
                assert record.address is None
            case Unlinked.INVALID_EMAIL:
                assert record.address == "ada@@example.com"
            case Unlinked.DUPLICATE:
                assert others or taken, "L1: a duplicate of nobody"
            case Unlinked.PARKED:
                assert parked, "L1: parked, but nothing is"
            case Unlinked.OUT_OF_SCOPE:
                assert self.policy.scope.tags_all
            case Unlinked.PENDING:
                assert record.consent is PENDING
            case Unlinked.SUPPRESSED:
                digest = self.program.digester.address(record.address or "")
                revoked = [one for one in (record, *others) if one.consent is REVOKED]
                assert revoked or digest in self.memory.revoked, "L1: suppressed, but not revoked"
            case Unlinked.ADDITIONAL_ADDRESS | Unlinked.ORPHAN:
                assert system is EMAILOCTOPUS
                assert reason is Unlinked.ORPHAN or self.is_additional(record), "L1: an additional address of nobody"
            case Unlinked.HELD:
                assert taken or any(one.contact_id in linked for one in others), "L1: held by nobody"
            case _:
                raise AssertionError(f"L1: {record.contact_id} has no link because of {reason}")


def same(one: Value, other: Value) -> bool:
    """Whether two values are the same but for what systems are known to change."""
    return plain(one) == plain(other)


def plain(value: Value) -> str:
    if isinstance(value, str) and value.strip().startswith(("+", "0")):
        value = convert(value, "PHONE", country="CH")
    return canonical(value.strip() or None if isinstance(value, str) else value)


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=LIVES,
    stateful_step_count=30,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
