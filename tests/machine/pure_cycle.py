"""A cycle made of the pure rooms alone: what is read from two dictionaries, decided, written to them, remembered.

What is remembered is a handful of dictionaries. Nothing here waits, sends or stores; where the program would ask
a system, a dictionary is looked up.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sync_daemon.apply.answers import all_answered
from sync_daemon.apply.intents import intents
from sync_daemon.apply.retry_times import next_try
from sync_daemon.apply.settle import settle
from sync_daemon.changes.addresses import is_valid
from sync_daemon.changes.cases import Case, CaseSide, ContactKey, Lookups, linked_case, who_is_who
from sync_daemon.changes.detect import Detector
from sync_daemon.changes.digests import Digester
from sync_daemon.changes.staging import StagingRules, stage_page
from sync_daemon.changes.tagbook import TagBook
from sync_daemon.model.contact import Snapshot, Source
from sync_daemon.model.errors import AlreadyExists
from sync_daemon.model.plan import Action, Operation, WriteResult
from sync_daemon.model.policy import PairPolicy
from sync_daemon.model.state import Cause, Held, KnownContact, Link, Parked, Staged, Tombstone, Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit
from sync_daemon.reconcile.decide import decide
from sync_daemon.reconcile.decision import Context, Decision, Needs, revocations_of
from sync_daemon.reconcile.fields import MappedField
from sync_daemon.reconcile.guard import stuck_parts
from sync_daemon.reconcile.moves import Move, Moved, Step, plan_moves
from sync_daemon.reconcile.scope import in_scope
from tests.machine.pure_accounts import Account, EmailOctopusAccount, GhlAccount

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
OVERLAP = timedelta(minutes=10)
MOST_ROUNDS = 40
"""An inbox that isn't empty after so many rounds never gets empty."""


class Died(Exception):
    """The process was killed."""


@dataclass
class Memory:
    """What is remembered, and how a transaction changes it: the state store's rules over dictionaries."""

    contacts: dict[ContactKey, KnownContact] = field(default_factory=dict)
    additional: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    inbox: dict[ContactKey, Staged] = field(default_factory=dict)
    parked: dict[tuple[str | None, str | None, str], Parked] = field(default_factory=dict)
    held: dict[tuple[str | None, str | None, str], Held] = field(default_factory=dict)
    revoked: dict[bytes, Cause] = field(default_factory=dict)
    tombstones: list[Tombstone] = field(default_factory=list)
    sequence: int = 0

    def commit(self, commit: Commit) -> None:
        self._remove(commit)
        self.contacts.update({_key(known): known for known in commit.contacts})
        self.additional.update(commit.additional_addresses)
        self.links.update({link.ghl_id: link for link in commit.links})
        partners = [link.emailoctopus_id for link in self.links.values()]
        assert len(set(partners)) == len(partners), "L5: two links share a contact"
        for staged in commit.staged:
            self._stage(staged)
        self.parked.update({(entry.ghl_id, entry.emailoctopus_id, entry.what): entry for entry in commit.parked})
        self.held.update({(hold.ghl_id, hold.emailoctopus_id, hold.action): hold for hold in commit.held})
        for digest, cause in commit.revoked_addresses.items():
            if cause != Cause.POLICY or self.revoked.get(digest, Cause.POLICY) is Cause.POLICY:
                self.revoked[digest] = Cause(cause)
        self.tombstones.extend(commit.tombstones)

    def _remove(self, commit: Commit) -> None:
        for done in commit.done:
            row = self.inbox.get(_key(done))
            if row is not None and row.sequence == done.sequence:
                del self.inbox[_key(done)]
        for entry in commit.unparked:
            self.parked.pop((entry.ghl_id, entry.emailoctopus_id, entry.what), None)
        for release in commit.unheld:
            self.held.pop((release.ghl_id, release.emailoctopus_id, release.action), None)
        for link in commit.unlink:
            if (known := self.links.get(link.ghl_id)) and known.emailoctopus_id == link.emailoctopus_id:
                del self.links[link.ghl_id]
        for address in commit.regranted_addresses:
            self.revoked.pop(address, None)

    def _stage(self, staged: Staged) -> None:
        self.sequence += 1
        waiting = self.inbox.get(_key(staged))
        before, now = (waiting.snapshot if waiting else None), staged.snapshot
        if before is None or now is None or before.updated_at <= now.updated_at:
            self.inbox[_key(staged)] = replace(staged, sequence=self.sequence)

    def parked_of(self, contact_id: str) -> list[Parked]:
        """What is parked of a contact."""
        return [entry for entry in self.parked.values() if contact_id in (entry.ghl_id, entry.emailoctopus_id)]

    def held_of(self, contact_id: str) -> list[Held]:
        """What is held of a contact."""
        return [entry for entry in self.held.values() if contact_id in (entry.ghl_id, entry.emailoctopus_id)]

    def link_of(self, key: ContactKey) -> Link | None:
        """The link of a contact."""
        return next((link for link in self.links.values() if link.id_in(key[0]) == key[1]), None)

    def lookups(self) -> Lookups:
        """Everything, as putting rows together to cases asks for it."""
        found = Lookups(contacts=dict(self.contacts), staged=dict(self.inbox), remembered=dict(self.revoked))
        found.add_links(self.links.values())
        for key, known in sorted(self.contacts.items()):
            if known.address is not None:
                found.at[key[0]].setdefault(known.address, []).append(known)
        for ghl_id, addresses in sorted(self.additional.items()):
            for address in addresses:
                found.additional.setdefault(address, []).append(ghl_id)
        for key in self.contacts:
            if parked := self.parked_of(key[1]):
                found.parked[key] = parked
            if held := self.held_of(key[1]):
                found.held[key] = held
        return found


@dataclass
class Program:
    """The program without its outer rooms. `watch` sees every operation before it is carried out."""

    policy: PairPolicy
    fields: tuple[MappedField, ...]
    ghl: GhlAccount
    emailoctopus: EmailOctopusAccount
    clock: Callable[[], datetime]
    watch: Callable[[Operation], None]
    memory: Memory = field(default_factory=Memory)
    digester: Digester = field(default_factory=lambda: Digester(b"for a life"))
    tells_consent: bool = False
    scans: int = 0
    polled_at: datetime | None = None
    read_now: set[ContactKey] = field(default_factory=set)
    operations: int = 0
    dies_after: int | None = None
    """The process is killed with so many further operations carried out, before the answer is written down."""
    deaf: bool = False
    """Whether EmailOctopus can't be written to in this cycle."""

    def __post_init__(self) -> None:
        reserved = frozenset({self.policy.deletes.tag})
        self.book = TagBook((), self.policy.tags, 0, reserved)
        self.detector = Detector(self.digester, tuple(mapped.rule for mapped in self.fields), self.book)
        self.generation = self.digester.configuration(self.policy)

    @property
    def accounts(self) -> dict[SystemName, Account]:
        return {GHL: self.ghl, EMAILOCTOPUS: self.emailoctopus}

    def context(self, *, full: bool) -> Context:
        return Context(
            self.policy,
            self.fields,
            self.detector,
            self.clock(),
            timedelta(minutes=10),
            self.tells_consent,
            self.generation,
            self.generation,
            full=full,
        )

    def cycle(self, *, full: bool) -> int:
        """One cycle; how many operations it carried out."""
        before = self.operations
        self.read_now.clear()
        self._read(full=full)
        self._send_revocations(full=full)
        self._stage_due()
        self._move_all(full=full)
        self._reconcile(full=full)
        return self.operations - before

    # reading

    def _read(self, *, full: bool) -> None:
        if full or self.polled_at is None:
            self.scans += 1
            names = {
                name: {tag for one in self.accounts[name].records.values() for tag in one.tags} for name in SystemName
            }
            self.book.meet(names)
        since = None if full or self.polled_at is None else self.polled_at - OVERLAP
        hits = [self.ghl.hit(record) for record in self.ghl.index.values()]
        rows = [self.emailoctopus.snapshot(one, Source.LISTING) for one in self.emailoctopus.records.values()]
        self.polled_at = self.clock()
        for system, found in ((GHL, hits), (EMAILOCTOPUS, rows)):
            self.stage(system, [one for one in found if since is None or one.updated_at >= since], scan=since is None)

    def stage(self, system: SystemName, snapshots: Sequence[Snapshot], *, scan: bool = False) -> None:
        """Hold a page against the memory."""
        self.book.meet({system: {tag for one in snapshots for tag in one.tags}})
        tells = system is GHL and any(
            one.source is Source.HINT and one.consent is not None and not one.permanent for one in snapshots
        )
        memory, ids = self.memory, [one.contact_id for one in snapshots]
        links = {contact_id: link for contact_id in ids if (link := memory.link_of((system, contact_id))) is not None}
        keys = [rule.key for rule in self.policy.fields]
        page = stage_page(
            snapshots,
            {
                contact_id: memory.contacts[system, contact_id]
                for contact_id in ids
                if (system, contact_id) in memory.contacts
            },
            links,
            {
                contact_id: memory.inbox[system, contact_id]
                for contact_id in ids
                if (system, contact_id) in memory.inbox
            },
            {
                contact_id: frozenset(entry.what for entry in memory.parked_of(contact_id))
                | {part for entry in memory.held_of(contact_id) for part in stuck_parts(entry.action, keys)}
                for contact_id in ids
            },
            {one.contact_id: in_scope(self.policy.scope, one) for one in snapshots} if system is GHL else {},
            StagingRules(
                self.detector,
                self.generation,
                self.generation,
                self.scans if scan else 0,
                None,
                self.tells_consent,
                self.clock(),
            ),
        )
        self.tells_consent = self.tells_consent or tells
        memory.commit(
            Commit(
                contacts=page.contacts,
                links=page.links,
                staged=[*page.staged, *self._called(page.left | self._given_up(page.additional_addresses))],
                additional_addresses=page.additional_addresses,
            )
        )

    def _given_up(self, now: Mapping[str, tuple[bytes, ...]]) -> set[bytes]:
        """Additional addresses that GHL contacts had and have no more."""
        before = {ghl_id: self.memory.additional.get(ghl_id, ()) for ghl_id in now}
        return {address for ghl_id, held in before.items() for address in held if address not in now[ghl_id]}

    def _called(self, left: AbstractSet[bytes | None]) -> list[Staged]:
        """Hints at those without a link who have an address that somebody has left."""
        return [
            Staged(system, contact_id, None)
            for (system, contact_id), known in sorted(self.memory.contacts.items())
            if known.address in left and known.unlinked not in (None, Unlinked.DELETED)
        ]

    # deciding

    def judge(self, cases: Iterable[Case], moves: dict[str, Move], *, full: bool) -> list[Decision]:
        """Decide cases, reading by id whom a decision asks about."""
        decisions: list[Decision] = []
        for case in cases:
            open_case: Case | None = self._as_read_now(case)
            for _ in range(4):
                if open_case is None:
                    break
                move = moves.get(open_case.ghl.contact_id) if open_case.ghl else None
                answer = decide(open_case, self.context(full=full), move)
                if isinstance(answer, Decision):
                    alone = decide(open_case, replace(self.context(full=full), consent_alone=True), move)
                    assert isinstance(alone, Decision)
                    assert _ahead(alone) == _ahead(answer), "what goes ahead depends on fields or tags"
                    decisions.append(answer)
                    break
                open_case = self._with_reads(open_case, answer)
            else:
                raise AssertionError("a decision that asks for reads without end")
        return decisions

    def _as_read_now(self, case: Case) -> Case:
        """The case without what an earlier cycle had read by id."""

        def fresh(side: CaseSide) -> CaseSide:
            read = side.snapshot is not None and side.snapshot.source is Source.READ
            if side.staged is None or not read or (side.system, side.contact_id) in self.read_now:
                return side
            return replace(side, staged=replace(side.staged, snapshot=None))

        return replace(
            case,
            ghl=fresh(case.ghl) if case.ghl else None,
            emailoctopus=fresh(case.emailoctopus) if case.emailoctopus else None,
            duplicates=tuple(map(fresh, case.duplicates)),
        )

    def _with_reads(self, case: Case, needs: Needs) -> Case | None:
        assert needs.reads, "a decision that asks for nothing"
        found: dict[ContactKey, Snapshot] = {}
        for key in needs.reads:
            record = self.accounts[key[0]].records.get(key[1])
            assert record is not None, f"{key} is asked for, but doesn't exist"
            found[key] = self.accounts[key[0]].snapshot(record, Source.READ)
            self.read_now.add(key)
            self.book.meet({key[0]: record.tags})
        strangers = [
            side
            for side in case.sides()
            if (one := found.get((side.system, side.contact_id))) is not None
            and (self.digester.address(one.address) if one.address else None) != side.known.address
        ]
        if not strangers:
            return case.with_reads(found)
        for side in case.sides():
            snapshot = found.get((side.system, side.contact_id))
            if snapshot is not None:
                self.stage(side.system, [snapshot])
            elif side.staged is not None:
                self.memory.commit(Commit(staged=[side.staged]))
        return None

    def _send_revocations(self, *, full: bool) -> None:
        for _, rows in self._batches(lambda row: row.revoked):
            decisions = self.judge(who_is_who(rows, self.memory.lookups()), {}, full=full)
            self.carry_out([only for one in decisions if (only := revocations_of(one)) is not None], full=full)

    def _stage_due(self) -> None:
        due = [entry for entry in self.memory.parked.values() if entry.next_try <= self.clock()]
        keys = {
            key
            for entry in due
            for key in ((GHL, entry.ghl_id), (EMAILOCTOPUS, entry.emailoctopus_id))
            if key[1] is not None
        }
        hints = [Staged(system, contact_id or "", None) for system, contact_id in sorted(keys, key=str)]
        self.memory.commit(Commit(staged=[hint for hint in hints if _key(hint) not in self.memory.inbox]))

    def _reconcile(self, *, full: bool) -> None:
        for _, rows in self._batches(lambda row: True):
            cases = who_is_who(rows, self.memory.lookups())
            settled = [case for case in cases if case.link is None or not any(row.moved for row in case.rows())]
            self.carry_out(self.judge(settled, {}, full=full), full=full)

    def _batches(self, wanted: Callable[[Staged], bool]) -> Iterable[tuple[int, list[Staged]]]:
        """The inbox; rows that are staged meanwhile come last."""
        after = 0
        for turn in range(MOST_ROUNDS):
            waiting = [row for row in self.memory.inbox.values() if row.sequence > after and wanted(row)]
            if not waiting:
                return
            after = max(row.sequence for row in waiting)
            yield turn, sorted(waiting, key=lambda row: row.sequence)
        raise AssertionError("an inbox that is never empty")

    # moving

    def _move_all(self, *, full: bool) -> None:
        for _ in range(3):
            rows = [row for row in self.memory.inbox.values() if row.moved]
            if not rows:
                return
            for wave in self._waves(rows):
                lookups = self.memory.lookups()
                cases = [self._moving_case(move, lookups) for move in wave]
                self.carry_out(self.judge(cases, {move.link.ghl_id: move for move in wave}, full=full), full=full)
                self._call_duplicates(wave, lookups)

    def _waves(self, rows: Iterable[Staged]) -> list[list[Move]]:
        lookups = self.memory.lookups()
        links = {link.ghl_id: link for row in rows if (link := lookups.links.get(_key(row))) is not None}
        waves = plan_moves([self._moved(link, lookups) for link in links.values()])
        claimed = {
            known.address
            for (system, _), known in self.memory.contacts.items()
            if system is GHL and known.unlinked is not Unlinked.DELETED
        }
        return [
            [
                replace(move, orphans=move.orphans and self._address(move.link, EMAILOCTOPUS, lookups) not in claimed)
                for move in wave
            ]
            for wave in waves
        ]

    def _moved(self, link: Link, lookups: Lookups) -> Moved:
        ghl = self._address(link, GHL, lookups)
        there = [one for one in lookups.at[EMAILOCTOPUS].get(ghl or b"", []) if one.contact_id != link.emailoctopus_id]
        occupant = next((one for one in there if one.unlinked is not Unlinked.DELETED), None)
        sides = [lookups.side((name, link.id_in(name))).known for name in SystemName]
        written = [known.address for known in sides if known.sent and known.sent.address == known.address]
        baseline = sides[0].baseline
        return Moved(
            link,
            next(filter(None, written), baseline.address if baseline else None),
            ghl,
            self._address(link, EMAILOCTOPUS, lookups),
            occupant.contact_id if occupant else None,
            lookups.links.get(_key(occupant)) if occupant else None,
        )

    def _address(self, link: Link, system: SystemName, lookups: Lookups) -> bytes | None:
        side = lookups.side((system, link.id_in(system)))
        if side.snapshot is None and system is GHL and link.address_emptied:
            return None
        address = side.snapshot.address if side.snapshot else None
        return None if address is not None and not is_valid(address) else side.known.address

    def _moving_case(self, move: Move, lookups: Lookups) -> Case:
        case = linked_case(move.link, lookups)
        if move.step not in (Step.RELINK, Step.EXCHANGE) or move.partner is None:
            return case
        return replace(
            case,
            link=None,
            emailoctopus=lookups.side((EMAILOCTOPUS, move.partner)),
            former=move.link,
            left_behind=case.emailoctopus if move.step is Step.RELINK else None,
            orphans=move.orphans,
            exchanged=move.step is Step.EXCHANGE,
        )

    def _call_duplicates(self, wave: Iterable[Move], lookups: Lookups) -> None:
        before = {lookups.side((EMAILOCTOPUS, move.link.emailoctopus_id)).known.address for move in wave}
        baselines = (lookups.side((GHL, move.link.ghl_id)).known.baseline for move in wave)
        left = before | {baseline.address for baseline in baselines if baseline is not None}
        self.memory.commit(Commit(staged=self._called(left - {None})))

    # writing

    def carry_out(self, decisions: Sequence[Decision], *, full: bool) -> None:
        """Write what was decided and remember what came of it."""
        context = self.context(full=full)
        rows = [row for decision in decisions for row in intents(decision, context)]
        self.memory.commit(Commit(contacts=rows))
        exchanged: list[tuple[Decision, list[WriteResult]]] = []
        for decision in decisions:
            results: list[WriteResult] = []
            met = False
            for operation in decision.operations:
                for result in self._send(operation):
                    met = met or self._meet_existing(decision, result)
                    results.append(result)
            if met:
                continue
            if decision.case.exchanged:
                exchanged.append((decision, results))
            elif results or not decision.operations:
                self._settle([(decision, results)], context)
        if all(all_answered(decision, results) for decision, results in exchanged):
            self._settle(exchanged, context)

    def _settle(self, cases: Iterable[tuple[Decision, list[WriteResult]]], context: Context) -> None:
        together = Commit()
        for decision, results in cases:
            commit = settle(decision, results, context, 0)
            for name in ("contacts", "links", "unlink", "staged", "done", "parked", "unparked", "held", "unheld"):
                getattr(together, name).extend(getattr(commit, name))
            together.tombstones.extend(commit.tombstones)
            together.additional_addresses.update(commit.additional_addresses)
            together.revoked_addresses.update(commit.revoked_addresses)
            together.regranted_addresses.extend(commit.regranted_addresses)
        together.staged.extend(self._called(self._given_up(together.additional_addresses)))
        self.memory.commit(together)

    def _send(self, operation: Operation) -> list[WriteResult]:
        """The answers to one operation; an address that is refused is taken out of it."""
        if self.deaf and operation.system is EMAILOCTOPUS:
            return []
        self.watch(operation)
        self.operations += 1
        result = self.accounts[operation.system].write(operation)
        if self.dies_after is not None:
            self.dies_after -= 1
            if self.dies_after < 0:
                raise Died
        if operation.action in (Action.CREATE, Action.ADD_TAGS) and operation.system is EMAILOCTOPUS:
            for tag in operation.tags:
                known = self.book.find(EMAILOCTOPUS, tag)
                if known is not None and known.spelling is None:
                    self.book.created(known)
        refused = result.refusal is not None and "address" in result.refusal.fields
        if refused and operation.action is Action.UPDATE and operation.fields:
            rest = replace(operation, address=None, parts=tuple(part for part in operation.parts if part != "address"))
            return [replace(result, operation=replace(operation, parts=("address",))), *self._send(rest)]
        return [result]

    def _meet_existing(self, decision: Decision, result: WriteResult) -> bool:
        """Whether the address to be written turned out to exist: the contact that has it is met in the next round."""
        operation, refusal = result.operation, result.refusal
        if not isinstance(refusal, AlreadyExists) or operation.address is None or refusal.other_id is None:
            return False
        if operation.system is GHL and operation.action is not Action.CREATE:
            return False
        account = self.accounts[operation.system]
        known = self.memory.contacts.get((operation.system, refusal.other_id))
        if known is not None and known.address == self.digester.address(operation.address):
            return False
        self.stage(operation.system, [account.snapshot(account.records[refusal.other_id], Source.READ)])
        self.memory.commit(Commit(staged=list(decision.case.rows())))
        return True

    def waits_until(self) -> datetime:
        """When the last of what is parked is tried again."""
        return max((entry.next_try for entry in self.memory.parked.values()), default=next_try(1, self.clock()))


def _key(row: Staged | KnownContact) -> ContactKey:
    return row.system, row.contact_id


def _ahead(decision: Decision) -> Decision | None:
    """What of a decision goes ahead of everything else."""
    ahead = revocations_of(decision)
    if ahead is None:
        return None
    return replace(ahead, digests={part: digest for part, digest in ahead.digests.items() if part == "consent"})
