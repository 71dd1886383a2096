"""The undo of a run: what it wrote is taken back, contact by contact, by a run of its own (interface.md, `undo`).

It goes through the ordinary writer, with intents, guard, audit log and undo journal: so it can be undone as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from sync_daemon.apply.send import requests_needed
from sync_daemon.changes.cases import Case, CaseSide, ContactKey, linked_case
from sync_daemon.cycle.judge import fetch, refresh_schemas
from sync_daemon.cycle.one_pass import poll_again
from sync_daemon.cycle.opening import open_run
from sync_daemon.cycle.pair import GHL, Pair, Run
from sync_daemon.cycle.running import as_a_run
from sync_daemon.cycle.write import carry_out
from sync_daemon.model.contact import Snapshot
from sync_daemon.model.errors import Refused, Stopped
from sync_daemon.model.plan import GUARDED_FOR, Action, MassChange, Operation
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.model.state import Change, Held, Link, PairState, Staged
from sync_daemon.model.system import SystemName
from sync_daemon.model.undo import Left, Replaced
from sync_daemon.ports import Commit, PairStore
from sync_daemon.read.gather import gather
from sync_daemon.reconcile.decision import Decision
from sync_daemon.reconcile.guard import room_left, why_held
from sync_daemon.reconcile.undo.inverse import Inverse, Wish, held_back, invert, let_through
from sync_daemon.reconcile.undo.words import GONE, left

_AT_ONCE = 200
"""Contacts that are read and written together: enough to fill EmailOctopus's batches."""
_PAGE = 1000
_BESIDE = {
    "a rule": "a rule did it: once for each event, and what it did is taken back by hand",
    "activity in GoHighLevel": "it shows what is so in GoHighLevel, and follows that",
    "activity of a contact": "it shows what is so in GoHighLevel, and follows that",
    "start the automation": "an automation that was started can't be stopped",
}
"""What a run does beside writing contacts, by how its lines in the audit log begin, and why it isn't undone."""
Ids = tuple[str | None, str | None]
Writes = list[Replaced]
"""What a run wrote to one pair of contacts."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be undone: rows of a run in `journal`, all of them or a single one (`row`), and how."""

    journal: PairStore
    run_id: str
    wish: Wish
    row: Replaced | None = None

    def contacts(self) -> Iterator[Writes]:
        """The run's writes, contact by contact."""
        rows = iter([self.row]) if self.row is not None else self._rows()
        yield from (list(writes) for _, writes in groupby(rows, _ids))

    def _rows(self) -> Iterator[Replaced]:
        last: Replaced | None = None
        while rows := self.journal.replaced(self.run_id, last, _PAGE):
            yield from rows
            last = rows[-1]


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """What an undo writes: `operations`, what of it a person is to be asked about first (`held`), and what is `left`
    as it is; requests, and the least seconds under the limits known.
    """

    pair: str
    run_id: str
    operations: tuple[Operation, ...]
    held: tuple[Operation, ...]
    left: tuple[Left, ...]
    requests: Mapping[SystemName, int]
    least_seconds: Mapping[SystemName, float]


def plan_undo(pair: Pair, task: Task) -> UndoPlan:
    """What the undo would do now; writes to neither system. The pair may work on a copy of its state.

    Raises `StopSystem` when a system can't be asked.
    """
    run = _begin(pair, CycleReport(pair.name, pair.new_run_id(), Mode.UNDO), pair.store.state())
    why = _why_too_much(run, task)
    operations: list[Operation] = []
    held: list[Operation] = []
    rest = _done_beside(task)
    for inverse, entry in _inverses(run, task):
        rest.extend(inverse.left)
        decided = inverse.decision.operations if inverse.decision is not None else ()
        (operations if held_back(inverse, entry, why) is None else held).extend(decided)
    requests = requests_needed(run.sender.bundle(operations))
    seconds = {name: run.systems[name].seconds_for(requests[name]) for name in SystemName}
    return UndoPlan(pair.name, task.run_id, tuple(operations), tuple(held), tuple(rest), requests, seconds)


def undo(pair: Pair, task: Task) -> tuple[CycleReport, list[Left]]:
    """Undo, as a run of its own; how it ended, and what it left as it is.

    What a user can cause ends in the report's outcome, never in an exception.
    """
    report = CycleReport(pair.name, pair.new_run_id(), Mode.UNDO)
    rest = _done_beside(task)
    as_a_run(pair, report, lambda state: _begin(pair, report, state), lambda run: _undo(run, task, rest))
    return report, rest


def _done_beside(task: Task) -> list[Left]:
    """What the run did that is no write to a contact's fields and tags by the mapping: it is told, and stays."""
    if task.row is not None:
        return []
    return [
        Left(one.system or GHL, one.ghl_id, one.emailoctopus_id, one.what, why)
        for one in task.journal.written_beside(task.run_id, _BESIDE)
        for begins, why in _BESIDE.items()
        if one.reason.startswith(begins)
    ]


def _begin(pair: Pair, report: CycleReport, state: PairState) -> Run:
    """A run that reads nothing but the contacts in question; a blank is written to no field that its system lost."""
    run = open_run(pair, report, state)
    report.mode = Mode.UNDO
    refresh_schemas(run)
    run.schema_fresh = True
    return run


def _undo(run: Run, task: Task, rest: list[Left]) -> None:
    why = _why_too_much(run, task)
    if why is not None:
        run.guard.over[MassChange.UNDO] = why
    run.polled_at = run.pair.clock.now()
    inverses = _inverses(run, task)
    while not run.stopped and (some := list(islice(inverses, _AT_ONCE))):
        decisions: list[Decision] = []
        held: list[Held] = []
        for inverse, entry in some:
            rest.extend(inverse.left)
            reason = held_back(inverse, entry, why)
            if reason is None:
                decision = let_through(inverse, entry)
                decisions += [decision] if decision is not None else []
            elif entry is None and inverse.decision is not None:
                held.append(Held(*_ids_of(inverse.decision), MassChange.UNDO, reason, run.pair.clock.now()))
        _hold(run, held)
        carry_out(run, decisions)
        poll_again(run)
    rest.extend(run.left)


def _hold(run: Run, held: Sequence[Held]) -> None:
    if held:
        run.report.new_held += len(held)
        changes = [Change("held", None, one.ghl_id, one.emailoctopus_id, one.action, one.reason) for one in held]
        run.commit(Commit(held=list(held), changes=changes))


def _why_too_much(run: Run, task: Task) -> str | None:
    """Why what takes something away must wait for a person, None if there is room for all of it.

    Nobody is read for it while the journal alone says that there is.
    """
    store, limits = run.pair.store, run.policy().guard
    made = store.mass_changes(run.pair.clock.now() - GUARDED_FOR).get(MassChange.UNDO, 0)
    links = store.count_links()
    room = room_left(MassChange.UNDO, limits, links=links, made=made)
    if sum(map(task.wish.may_take_away, task.contacts())) <= room:
        return None
    asked = sum(inverse.takes_away and entry is None for inverse, entry in _inverses(run, task))
    if asked <= room:
        return None
    why = why_held(MassChange.UNDO, limits, links=links, made=made, asked=asked)
    return f"{why}; once it is approved, repeat the undo of {task.run_id}"


def _inverses(run: Run, task: Task) -> Iterator[tuple[Inverse, Held | None]]:
    """The inverse of what was written to each pair of contacts, and what is held of it."""
    contacts = task.contacts()
    while some := list(islice(contacts, _AT_ONCE)):
        yield from _invert_some(run, task.wish, some)


def _invert_some(run: Run, wish: Wish, some: Sequence[Writes]) -> Iterator[tuple[Inverse, Held | None]]:
    asking = [writes for writes in some if not all(map(wish.asks_nobody, writes))]
    links = _links(run, asking)
    keys = {(name, link.id_in(name)) for link in links.values() for name in SystemName}
    reads = fetch(run, keys)
    for name in SystemName:
        known = (one for one in reads.values() if isinstance(one, Snapshot) and one.system is name)
        run.book.meet({name: {tag for one in known for tag in one.tags}})
    cases = _cases(run, list(links.values()))
    waiting = {(one.ghl_id, one.emailoctopus_id): one for one in _held(run, links)}
    context = run.context()
    for writes in some:
        ids = _ids(writes[0])
        link = links.get(ids)
        case = cases[ids] if link is not None else None
        if case is None:
            yield invert(writes, None, context, wish), None
            continue
        answers = {key: reads[key] for key in ((s.system, s.contact_id) for s in case.both()) if key in reads}
        if len(answers) < len(SystemName):  # a system was stopped before it could be asked
            raise next(iter(run.stopped.values()), Stopped(GHL))
        refused = next((answer for answer in answers.values() if isinstance(answer, Refused)), None)
        if refused is not None:
            yield Inverse(left=tuple(left(row, "contact", f"it can't be read: {refused.code}") for row in writes)), None
            continue
        gone = [key for key, answer in answers.items() if answer is None]
        found = {key: answer for key, answer in answers.items() if isinstance(answer, Snapshot)}
        if gone and not (wish.deletes_created and any(_created(row) in gone for row in writes)):
            yield Inverse(left=tuple(left(row, "contact", GONE) for row in writes)), None
            continue
        yield invert(writes, case.with_reads(found), context, wish), waiting.get(ids)


def _created(row: Replaced) -> ContactKey | None:
    return (row.system, row.target_id or "") if row.action is Action.CREATE else None


def _links(run: Run, some: Sequence[Writes]) -> dict[Ids, Link]:
    """The links that still tie the two that were tied when the run wrote to them."""
    wanted = {_ids(writes[0]) for writes in some}
    found = run.pair.store.links(ghl={ghl_id for ghl_id, _ in wanted if ghl_id is not None})
    return {ids: link for link in found if (ids := (link.ghl_id, link.emailoctopus_id)) in wanted}


def _cases(run: Run, links: Sequence[Link]) -> dict[Ids, Case]:
    """The links' cases, without anything that waits in the inbox: that is the next cycle's."""
    hints = [Staged(name, link.id_in(name), None) for link in links for name in SystemName]
    lookups = gather(hints, run.pair.store)
    return {(link.ghl_id, link.emailoctopus_id): _alone(linked_case(link, lookups)) for link in links}


def _alone(case: Case) -> Case:
    ghl, emailoctopus = case.both()
    return Case(case.link, CaseSide(ghl.known), CaseSide(emailoctopus.known), parked=case.parked, held=case.held)


def _held(run: Run, links: Mapping[Ids, Link]) -> list[Held]:
    entries = run.pair.store.held(ghl={link.ghl_id for link in links.values()})
    return [one for one in entries if one.action == MassChange.UNDO]


def _ids(row: Replaced) -> Ids:
    return row.ghl_id, row.emailoctopus_id


def _ids_of(decision: Decision) -> Ids:
    link = decision.link or decision.dissolves
    return (link.ghl_id, link.emailoctopus_id) if link is not None else (None, None)
