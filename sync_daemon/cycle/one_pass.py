"""ONE PASS: read, send revocations, move addresses, reconcile the rest; and the plan of one, which writes nothing."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from structlog.contextvars import bound_contextvars

from sync_daemon.apply.send import requests_needed
from sync_daemon.changes.cases import Case, ContactKey, who_is_who
from sync_daemon.cycle import hints, intake, moving, rules
from sync_daemon.cycle.activity import foresee_activity, requests_for_activity, show_activity
from sync_daemon.cycle.deletions import decide_missing
from sync_daemon.cycle.inbox import batches, keep_reads, next_rows, stage_due, topped_up
from sync_daemon.cycle.judge import judge, refresh_schemas
from sync_daemon.cycle.looks import look
from sync_daemon.cycle.noticing import noticed
from sync_daemon.cycle.opening import open_run
from sync_daemon.cycle.outcome import conclude
from sync_daemon.cycle.pair import FIRST_LOADED, Pair, Run
from sync_daemon.cycle.scanning import scan
from sync_daemon.cycle.write import carry_out
from sync_daemon.model.engagement import Occasion
from sync_daemon.model.errors import IncompleteRead, PairBusy, Refused, StopSystem
from sync_daemon.model.plan import Operation, RuleAction
from sync_daemon.model.report import CycleOutcome, CycleReport, Mode
from sync_daemon.model.state import Staged
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit
from sync_daemon.read.gather import gather
from sync_daemon.reconcile.decision import Decision, revocations_of
from sync_daemon.reconcile.foreseen import Asking, asking

_AT_A_TIME = timedelta(seconds=60)
"""Writing goes on so long before more is taken from the inbox: in that time neither system takes a whole batch."""


@dataclass(frozen=True, slots=True)
class PairPlan:
    """What a cycle would write, and what that costs: requests, and the least seconds under the limits known.

    `held` is what it wouldn't, as it must wait for a person; the reason of each says why. `actions` and `held_actions`
    are what rules would do.
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


def reconcile(pair: Pair, mode: Mode, *, apply_scope: bool = False) -> CycleReport:
    """One cycle, now. What a user can cause ends in the report's outcome, never in an exception.

    `apply_scope` does what `on_leave_scope` says about those who left because the scope was narrowed, too.
    """
    started, began = pair.clock.now(), pair.clock.monotonic()
    report = CycleReport(pair.name, pair.new_run_id(), mode)
    before = {name: pair.systems[name].usage() for name in SystemName}
    try:
        with bound_contextvars(run=report.run_id, pair=pair.name), pair.lease.held():
            run = open_run(pair, report, apply_scope=apply_scope)
            try:
                _pass(run)
            except StopSystem as error:
                run.sender.stopped.setdefault(error.system, error)
            except (IncompleteRead, Refused) as error:
                run.interrupted = error
            conclude(run)
    except PairBusy as error:
        report.outcome, report.message = CycleOutcome.BUSY, str(error)
        return report
    except BaseException:
        report.outcome = CycleOutcome.ERROR
        raise
    finally:
        for name in SystemName:
            usage = pair.systems[name].usage()
            report.requests[name] = usage.requests - before[name].requests
            report.throttled[name] = usage.throttled - before[name].throttled
            if usage.daily_remaining is not None:
                report.quota_left[name] = usage.daily_remaining
        report.duration_s = pair.clock.monotonic() - began
        if report.outcome is not CycleOutcome.BUSY and not _is_an_echo(report):
            pair.store.save_run(report, started, pair.clock.now())
    return report


def _is_an_echo(report: CycleReport) -> bool:
    """Whether webhooks told nothing but what this program had written: nobody needs to read of that."""
    return report.mode is Mode.HINTS and report.outcome is CycleOutcome.OK and not report.written


def plan(pair: Pair, mode: Mode, *, apply_scope: bool = False) -> PairPlan:
    """What a cycle would write now, and what of it a guard would hold.

    Reads, and keeps what it read; writes to neither system.

    Raises `StopSystem` and `IncompleteRead` when a side can't be read to its end: a plan is made of both.
    """
    report = CycleReport(pair.name, pair.new_run_id(), mode)
    run = open_run(pair, report, apply_scope=apply_scope)
    read_whole(run)
    foreseen: list[Asking] = []
    skipped: Counter[str] = Counter()
    occasions: list[Occasion] = []
    conflicts = 0
    context = run.context()
    for decision in decide_all(run):  # kept one by one: what was read of everybody is too much to hold
        run.guard.sift([decision])
        foreseen.append(asking(decision, pair.policy.fields, first_load=run.guard.first_load))
        pair.progress.records_planned(bool(decision.operations))
        skipped.update([decision.unlinked] if decision.unlinked is not None else [])
        conflicts += len(decision.conflicts)
        occasions.extend(noticed(run, decision, context, None))
    run.guard.judge()
    parted = [parts for one in foreseen for parts in one.parted(run.guard.over, pair.policy.fields)]
    operations = [operation for operation, _ in parted if operation is not None]
    operations.sort(key=lambda operation: not operation.revokes)
    requests = requests_needed(run.sender.bundle(operations))
    activity = foresee_activity(run)
    requests[SystemName.EMAILOCTOPUS] += requests_for_activity(run, activity)
    operations += activity
    if occasions:
        run.commit(Commit(occasions=occasions))
    actions, held_actions = rules.foresee(run)
    requests[SystemName.GHL] += len(actions)
    return PairPlan(
        pair.name,
        tuple(operations),
        tuple(held for _, held in parted if held is not None),
        requests,
        {name: run.systems[name].seconds_for(requests[name]) for name in SystemName},
        skipped,
        conflicts,
        report,
        tuple(actions),
        tuple(held_actions),
    )


def read_whole(run: Run) -> None:
    """Read both sides to their end, and put what is due beside it.

    Raises `StopSystem` and `IncompleteRead`: without one side nobody can say what would be written.
    """
    _read(run)
    demand_both(run)
    stage_due(run)


def demand_both(run: Run) -> None:
    """Raise what kept a system from being read until now, if anything did."""
    for error in (*run.stopped.values(), *run.failed.values()):
        raise error


def decide_all(run: Run) -> Iterator[Decision]:
    """The decisions about everything that waits, batch by batch."""
    yield from moving.plan_all(run)
    yield from decide_missing(run)
    for batch in batches(run):
        yield from _judge_rows(run, batch)


def _pass(run: Run) -> None:
    """The whole of a cycle."""
    _read(run)
    _send_revocations(run)
    if run.failed or run.stopped:
        return
    stage_due(run)
    _move_and_reconcile(run)
    if not run.stopped and run.guard.judge():
        _move_and_reconcile(run)
    if not run.stopped and run.guard.first_load:
        run.commit(Commit(looked_at={FIRST_LOADED: run.pair.clock.now()}))
    rules.act(run)
    show_activity(run)


def _move_and_reconcile(run: Run) -> None:
    """Decide and write what waits, addresses first."""
    moving.move_all(run)
    carry_out(run, run.guard.sift(decide_missing(run))[0])
    _reconcile(run)


def _reconcile(run: Run) -> None:
    """Decide and write what waits, as much at a time as fits between two polls; the rest is decided anew.

    What the guard must have counted before it is judged stays in the inbox, and isn't looked at again although a
    poll on the way stages it anew.
    """
    after = dict.fromkeys(SystemName, 0)
    waiting: list[Staged] = []
    counted: set[ContactKey] = set()
    while not run.stopped and (rows := topped_up(run, waiting, after)):
        rows = [row for row in rows if (row.system, row.contact_id) not in counted]
        if not rows:
            waiting = []
            continue
        decisions, put_off = run.guard.sift(_judge_rows(run, rows))
        counted.update((row.system, row.contact_id) for decision in put_off for row in decision.case.rows())
        now, later = _fitting(run, decisions)
        _foresee(run, rows, decisions, later)
        carry_out(run, now)
        keep_reads(run, rows, [*later, *put_off])
        waiting = [row for decision in later for row in decision.case.rows()]
        _poll_again(run)


def _fitting(run: Run, decisions: Sequence[Decision]) -> tuple[list[Decision], list[Decision]]:
    """Those that each system takes before the next poll is due, and the others."""
    requests = _requests(run, decisions)
    targets = [{operation.system for operation in decision.operations} for decision in decisions]
    room = {}
    for name in SystemName:
        seconds = run.systems[name].seconds_for(requests[name])
        share = min(1.0, _between_polls(run).total_seconds() / seconds) if seconds else 1.0
        room[name] = max(1, int(sum(name in target for target in targets) * share))
    now: list[Decision] = []
    later: list[Decision] = []
    for decision, target in zip(decisions, targets, strict=True):
        fits = all(room[name] > 0 for name in target)
        (now if fits else later).append(decision)
        for name in target if fits else ():
            room[name] -= 1
    return now, later


def _foresee(run: Run, rows: Sequence[Staged], decisions: Sequence[Decision], later: Sequence[Decision]) -> None:
    """Tell what is left after this round: what didn't fit into it, and the inbox as if it were like these rows."""
    undecided = max(0, sum(run.pair.store.count_staged().values()) - len(rows))
    decided, put_off = _requests(run, decisions), _requests(run, later)
    for name in SystemName:
        run.pair.progress.foreseen(name, put_off[name] + decided[name] * undecided // len(rows))


def _requests(run: Run, decisions: Sequence[Decision]) -> dict[SystemName, int]:
    """How many requests it takes to carry these out."""
    return requests_needed(run.sender.bundle(op for decision in decisions for op in decision.operations))


def _between_polls(run: Run) -> timedelta:
    """How long to write before looking again, at both systems for revocations and into the inbox for more."""
    return min(run.pair.timing.poll_every, _AT_A_TIME)


def _read(run: Run) -> None:
    """Read both sides, or what webhooks told; the schema first in a full scan, which finds fields gone and new tags."""
    if run.full or len(run.schemas) < len(SystemName):
        if not run.pair.schema_fresh or len(run.schemas) < len(SystemName):
            refresh_schemas(run)
        run.schema_fresh = True
        # GHL's names first, and all of them: a name that both have is GHL's.
        run.book.meet({name: run.systems[name].reader.tag_names() for name in SystemName})
        scan(run)
    elif run.report.mode is Mode.HINTS:
        hints.poll_if_crowded(run)
    else:
        intake.poll(run)
    hints.heed(run)
    if run.report.mode is not Mode.HINTS:
        look(run)


def _send_revocations(run: Run) -> None:
    """What narrows consent goes out before everything else, even when only one side could be read."""
    after = dict.fromkeys(SystemName, 0)
    while not run.pair.told_to_stop() and (rows := next_rows(run, after, revoked=True)):
        decisions = judge(run, [_without_waiting(case) for case in who_is_who(rows, gather(rows, run.pair.store))])
        keep_reads(run, rows, [decision for decision in decisions if revocations_of(decision) is None])
        carry_out(run, [only for decision in decisions if (only := revocations_of(decision)) is not None])


def _without_waiting(case: Case) -> Case:
    """The case as if nothing but its consent waited: no revocation waits for a record that can't be read."""
    return replace(case, parked={what: entry for what, entry in case.parked.items() if what == "consent"}, held=())


def _judge_rows(run: Run, rows: Sequence[Staged]) -> list[Decision]:
    """The decisions about some rows, without those that are decided together with others of their kind."""
    lookups = gather(rows, run.pair.store)
    cases = who_is_who(rows, lookups)
    return judge(run, [case for case in cases if case.link is None or not any(map(_is_decided_apart, case.rows()))])


def _is_decided_apart(row: Staged) -> bool:
    """Whether a linked contact's row is decided together with the others of its kind: moves, and who is missing."""
    return row.moved or row.absent


def _poll_again(run: Run) -> None:
    """A cycle that lasts longer than the poll interval looks for revocations meanwhile, and at who moved."""
    polled_at = run.polled_at
    if run.stopped or polled_at is None or run.pair.clock.now() - polled_at < run.pair.timing.poll_every:
        return
    intake.poll_revocations(run)
    hints.heed(run)
    _send_revocations(run)
    moving.move_all(run)
