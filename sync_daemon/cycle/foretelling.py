"""What a cycle would do about one person: his part of it, decided as a cycle decides, on a copy of his rows alone.

Whoever was read is put into the inbox as a poll, or a full scan, would have put him there. A poll shows what changed
since its watermark: who changed otherwise, say by an opt-out that moves no timestamp, waits for a sweep, a webhook or
the next full scan.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from sync_daemon.changes.cases import Case, ContactKey
from sync_daemon.cycle import hints, moving
from sync_daemon.cycle.deletions import decide_missing
from sync_daemon.cycle.inbox import batches, stage_due
from sync_daemon.cycle.intake import OVERLAP, stage, watermark_key
from sync_daemon.cycle.noticing import noticed
from sync_daemon.cycle.one_pass import judge_rows
from sync_daemon.cycle.opening import open_run
from sync_daemon.cycle.pair import EMAILOCTOPUS, GHL, Pair, Run
from sync_daemon.cycle.rules import foresee_stored
from sync_daemon.cycle.scanning import look_at_held_again, stage_missing
from sync_daemon.cycle.sight import Sight
from sync_daemon.model.contact import Consent, Page, Snapshot
from sync_daemon.model.explanation import Forecast, Skipped
from sync_daemon.model.plan import Operation, RuleAction
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit
from sync_daemon.reconcile.decision import Decision
from sync_daemon.reconcile.explained import WHY_PARKED, conflict_words
from sync_daemon.reconcile.foreseen import asking

_STATUS = {Consent.GRANTED: "subscribed", Consent.PENDING: "pending", Consent.REVOKED: "unsubscribed", None: ""}


@dataclass(frozen=True, slots=True)
class Told:
    """What a cycle would do: decisions, and of their operations what would be written and what held."""

    mode: Mode
    decisions: tuple[Decision, ...]
    operations: tuple[Operation, ...]
    held: tuple[Operation, ...]
    actions: tuple[RuleAction, ...]
    held_actions: tuple[RuleAction, ...]


def begin(pair: Pair, sight: Sight, mode: Mode) -> Run:
    """A cycle that has read one person. `pair` has a copy of his rows, and systems that have read him."""
    run = open_run(pair, CycleReport(pair.name, "", mode))
    run.polled_at = pair.clock.now()
    run.schema_fresh = pair.schema_fresh
    number = pair.store.begin_scan() if run.full else 0
    for (name, _), snapshot in sight.contacts.items():
        if snapshot is not None and (run.full or _is_polled(run, name, snapshot)):
            stage(run, name, Page(_stream(run, name, snapshot), (snapshot,)), scan=number)
            run.read_now.add((name, snapshot.contact_id))
    run.polled.update(SystemName)
    if run.full:
        _stage_missing(run, sight, number)
    hints.heed(run)
    stage_due(run)
    return run


def go_on(run: Run) -> Told:
    """Decide all that waits of the person."""
    rules, context = run.pair.policy.fields, run.context()
    decisions = []
    for decision in _decisions(run):
        run.guard.sift([decision])
        decisions.append(decision)
    run.guard.judge()
    asked = [asking(one, rules, first_load=run.guard.first_load) for one in decisions]
    parted = [parts for one in asked for parts in one.parted(run.guard.over, rules)]
    operations = sorted((now for now, _ in parted if now is not None), key=lambda one: not one.revokes)
    occasions = [occasion for one in decisions for occasion in noticed(run, one, context, None)]
    if occasions:
        run.commit(Commit(occasions=occasions))
    actions, held_actions = foresee_stored(run)
    held = tuple(later for _, later in parted if later is not None)
    return Told(run.report.mode, tuple(decisions), tuple(operations), held, tuple(actions), tuple(held_actions))


def _decisions(run: Run) -> Iterator[Decision]:
    yield from moving.plan_all(run)
    yield from decide_missing(run)
    for batch in batches(run):
        yield from judge_rows(run, batch)


def _is_polled(run: Run, name: SystemName, snapshot: Snapshot) -> bool:
    reached = run.state.watermarks[watermark_key(name, _stream(run, name, snapshot))]
    return snapshot.updated_at >= reached - OVERLAP[name]


def _stream(run: Run, name: SystemName, snapshot: Snapshot) -> str:
    """The listing that shows a contact: the only one, or that of its status."""
    streams, status = run.systems[name].reader.streams, _STATUS[snapshot.consent]
    return status if status in streams else streams[0]


def _stage_missing(run: Run, sight: Sight, number: int) -> None:
    """Who doesn't exist is missing in a full scan; of whom nothing was read nothing is told."""
    for name in SystemName:
        gone = {one for (of, one), snapshot in sight.contacts.items() if of is name and snapshot is None}
        ids = set(run.pair.store.absent_from_scan(name, number, run.pair.clock.now())) - gone
        known = run.pair.store.contacts(name, ids).values()
        run.commit(Commit(contacts=[replace(one, scan=number) for one in known]))
        stage_missing(run, name, number, ())
    look_at_held_again(run, number)


def forecast(told: Told, keys: Collection[ContactKey]) -> Forecast:
    """The part of it that is about some contacts, in words where no data tell it."""
    ids = {name: {one for of, one in keys if of is name} for name in SystemName}

    def concerns(one: Operation | RuleAction) -> bool:
        return one.ghl_id in ids[GHL] or one.emailoctopus_id in ids[EMAILOCTOPUS]

    decisions = [one for one in told.decisions if not ids_of(one.case).isdisjoint(keys)]
    return Forecast(
        told.mode,
        tuple(filter(concerns, told.operations)),
        tuple(filter(concerns, told.held)),
        tuple(filter(concerns, told.actions)),
        tuple(filter(concerns, told.held_actions)),
        tuple(f"{one.part}: {conflict_words(one)}" for decision in decisions for one in decision.conflicts),
        tuple(
            f"{one.part}: {WHY_PARKED.get(one.code, one.code)}" for decision in decisions for one in decision.to_park
        ),
        tuple(f"{one.what}: {one.reason}" for decision in decisions for one in decision.notices),
        tuple(_skipped(decisions)),
    )


def ids_of(case: Case) -> set[ContactKey]:
    """Every contact of a case."""
    return {(side.system, side.contact_id) for side in (*case.gone, *case.sides())}


def _skipped(decisions: Iterable[Decision]) -> Iterator[Skipped]:
    for decision in decisions:
        for side in (decision.case.ghl, decision.case.emailoctopus):
            if decision.unlinked is not None and side is not None:
                yield Skipped(side.system, side.contact_id, decision.unlinked)
