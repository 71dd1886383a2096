"""The plan of a cycle: what it would write now, what of that a guard would hold, and what it costs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from sync_daemon.apply.send import requests_needed
from sync_daemon.cycle import moving, rules
from sync_daemon.cycle.activity import foresee_activity, requests_for_activity
from sync_daemon.cycle.deletions import decide_missing
from sync_daemon.cycle.inbox import batches, stage_due
from sync_daemon.cycle.noticing import noticed
from sync_daemon.cycle.one_pass import judge_rows, read_both
from sync_daemon.cycle.opening import open_run
from sync_daemon.cycle.pair import EMAILOCTOPUS, GHL, Pair, Run
from sync_daemon.model.contact import Consent
from sync_daemon.model.engagement import Occasion
from sync_daemon.model.plan import Action, Operation, RuleAction
from sync_daemon.model.planned import People, Planned
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.model.state import Totals
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit
from sync_daemon.reconcile.decision import Context, Decision
from sync_daemon.reconcile.foreseen import Asking, asking
from sync_daemon.reconcile.planned import may_be_mailed, planned, planned_action


@dataclass(frozen=True, slots=True)
class PairPlan:
    """What a cycle would write, and what that costs: requests, and the least seconds under the limits known.

    `held` is what it wouldn't, as it must wait for a person; the reason of each says why. `actions` and `held_actions`
    are what rules would do. `planned` is all of it as a plan's file holds it, `people` whom it would touch; `waiting`
    counts what was held and parked before.
    """

    pair: str
    operations: tuple[Operation, ...]
    held: tuple[Operation, ...]
    requests: dict[SystemName, int]
    least_seconds: dict[SystemName, float]
    skipped: Counter[str]
    conflicts: int
    report: CycleReport
    actions: tuple[RuleAction, ...] = ()
    held_actions: tuple[RuleAction, ...] = ()
    planned: tuple[Planned, ...] = ()
    people: People = field(default_factory=People)
    waiting: Totals = field(default_factory=Totals)


@dataclass(frozen=True, slots=True)
class _Foreseen:
    """What one decision asks for: operation by operation as a plan holds it, and whether it might mail somebody."""

    asking: Asking
    planned: tuple[Planned, ...]
    mailing: tuple[bool, ...]


def plan(pair: Pair, mode: Mode, *, apply_scope: bool = False) -> PairPlan:
    """What a cycle would write now, and what of it a guard would hold.

    Reads, and keeps what it read; writes to neither system.

    Raises `StopSystem` and `IncompleteRead` when a side can't be read to its end: a plan is made of both.
    """
    report = CycleReport(pair.name, pair.new_run_id(), mode)
    run = open_run(pair, report, pair.store.state(), apply_scope=apply_scope)
    read_whole(run)
    foreseen: list[_Foreseen] = []
    skipped: Counter[str] = Counter()
    occasions: list[Occasion] = []
    conflicts = 0
    context = run.context()
    for decision in decide_all(run):  # kept one by one: what was read of everybody is too much to hold
        run.guard.sift([decision])
        foreseen.append(_foreseen(run, decision, context))
        pair.progress.records_planned(bool(decision.operations))
        skipped.update([decision.unlinked] if decision.unlinked is not None else [])
        conflicts += len(decision.conflicts)
        occasions.extend(noticed(run, decision, context, None))
    run.guard.judge()
    parts = list(_parted(run, foreseen))
    parts.sort(key=lambda part: not part.revokes)
    operations = [part.now for part in parts if part.now is not None]
    requests = requests_needed(run.sender.bundle(operations))
    activity = foresee_activity(run)
    requests[SystemName.EMAILOCTOPUS] += requests_for_activity(run, [operation for operation, _ in activity])
    if occasions:
        run.commit(Commit(occasions=occasions))
    actions, held_actions = rules.foresee(run)
    requests[SystemName.GHL] += len(actions)
    return PairPlan(
        pair.name,
        (*operations, *(operation for operation, _ in activity)),
        tuple(part.held for part in parts if part.held is not None),
        requests,
        {name: run.systems[name].seconds_for(requests[name]) for name in SystemName},
        skipped + report.skipped,
        conflicts,
        report,
        tuple(actions),
        tuple(held_actions),
        (
            *(part.planned for part in parts),
            *(one for _, one in activity),
            *(planned_action(one, pair.digester) for one in actions),
            *(planned_action(one, pair.digester, held=True) for one in held_actions),
        ),
        _people(run, parts, [operation for operation, _ in activity]),
        pair.store.totals(),
    )


def read_whole(run: Run) -> None:
    """Read both sides to their end, and put what is due beside it.

    Raises `StopSystem` and `IncompleteRead`: without one side nobody can say what would be written.
    """
    read_both(run)
    demand_both(run)
    stage_due(run)


def demand_both(run: Run) -> None:
    """Raise what kept a system from being read until now, if anything did."""
    for error in (*run.stopped.values(), *run.failed.values()):
        raise error


def decide_all(run: Run) -> Iterator[Decision]:
    """The decisions about everything that waits, batch by batch; each link's once, as a cycle would take it."""
    moved = moving.plan_all(run)
    yield from moved
    links = {link.ghl_id for one in moved if (link := one.case.link or one.case.former) is not None}
    for decision in decide_missing(run):
        link = decision.case.link or decision.case.former
        if link is None or link.ghl_id not in links:
            yield decision
    for batch in batches(run):
        yield from judge_rows(run, batch)


def _foreseen(run: Run, decision: Decision, context: Context) -> _Foreseen:
    asked = asking(decision, run.pair.policy.fields, first_load=run.guard.first_load)
    return _Foreseen(
        asked,
        tuple(planned(operation, decision, context) for operation in asked.operations),
        tuple(may_be_mailed(operation, decision) for operation in asked.operations),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """One operation: what of it would be written `now`, what would be `held`, and both as a plan holds it."""

    now: Operation | None
    held: Operation | None
    planned: Planned
    mails: bool

    @property
    def revokes(self) -> bool:
        """Whether it narrows consent: such operations go first."""
        return self.now is not None and self.now.revokes


def _parted(run: Run, foreseen: Sequence[_Foreseen]) -> Iterator[_Part]:
    """Every operation, parted by what the guard said once all was counted."""
    rules_of_fields = run.pair.policy.fields
    for one in foreseen:
        parted = one.asking.parted(run.guard.over, rules_of_fields)
        for (now, held), entry, mails in zip(parted, one.planned, one.mailing, strict=True):
            kept = entry if held is None else replace(entry, held=True, reason=held.reason)
            yield _Part(now, held, kept, mails and now is not None)


def _people(run: Run, parts: Sequence[_Part], activity: Sequence[Operation]) -> People:
    """Whom the plan would touch."""
    now = [part.now for part in parts if part.now is not None]
    shown_to = {operation.emailoctopus_id or "" for operation in activity}
    known = run.pair.store.contacts(EMAILOCTOPUS, shown_to) if shown_to else {}
    mailed = {one.contact_id for one in known.values() if one.consent is not Consent.REVOKED}
    mailed |= {_contact(part.now) for part in parts if part.mails and part.now is not None}
    return People(
        {name: sum(one.action is Action.CREATE and one.system is name for one in now) for name in (GHL, EMAILOCTOPUS)},
        {
            name: len({one.target_id for one in now if one.revokes and one.system is name})
            for name in (GHL, EMAILOCTOPUS)
        },
        len(mailed),
    )


def _contact(operation: Operation) -> str:
    """An EmailOctopus contact's id; of one that doesn't exist yet GHL's."""
    return operation.emailoctopus_id or f"for {operation.ghl_id}"
