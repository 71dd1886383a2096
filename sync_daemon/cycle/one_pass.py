"""ONE PASS: read, send revocations, move addresses, reconcile the rest; and the plan of one, which writes nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sync_daemon.apply.send import requests_needed
from sync_daemon.changes.cases import ContactKey, who_is_who
from sync_daemon.cycle import intake, moving
from sync_daemon.cycle.inbox import batches, next_rows, stage_due, still_staged
from sync_daemon.cycle.judge import judge, refresh_schemas
from sync_daemon.cycle.looks import look
from sync_daemon.cycle.opening import open_run
from sync_daemon.cycle.outcome import conclude
from sync_daemon.cycle.pair import Pair, Run
from sync_daemon.cycle.write import carry_out
from sync_daemon.model.errors import IncompleteRead, PairBusy, Refused, StopSystem
from sync_daemon.model.plan import Operation
from sync_daemon.model.report import CycleOutcome, CycleReport, Mode
from sync_daemon.model.state import Staged
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit
from sync_daemon.read.gather import gather
from sync_daemon.reconcile.decision import Decision, revocations_of


@dataclass(frozen=True, slots=True)
class PairPlan:
    """What a cycle would write, and what that costs: requests, and the least seconds under the limits known."""

    pair: str
    operations: tuple[Operation, ...]
    requests: dict[SystemName, int]
    least_seconds: dict[SystemName, float]
    skipped: Counter[str]
    conflicts: int
    report: CycleReport


def reconcile(pair: Pair, mode: Mode) -> CycleReport:
    """One cycle, now. What a user can cause ends in the report's outcome, never in an exception."""
    started, began = pair.clock.now(), pair.clock.monotonic()
    report = CycleReport(pair.name, pair.new_run_id(), mode)
    before = {name: pair.systems[name].usage() for name in SystemName}
    try:
        with pair.lease.held():
            run = open_run(pair, report)
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
        if report.outcome is not CycleOutcome.BUSY:
            pair.store.save_run(report, started, pair.clock.now())
    return report


def plan(pair: Pair, mode: Mode) -> PairPlan:
    """What a cycle would write now. Reads, and keeps what it read; writes to neither system.

    Raises `StopSystem` and `IncompleteRead` when a side can't be read to its end: a plan is made of both.
    """
    report = CycleReport(pair.name, pair.new_run_id(), mode)
    run = open_run(pair, report)
    _read(run)
    for error in (*run.stopped.values(), *run.failed.values()):
        raise error
    stage_due(run)
    decisions = [*moving.plan_all(run), *(one for batch in batches(run) for one in _judge_rows(run, batch))]
    operations = sorted(
        (operation for decision in decisions for operation in decision.operations), key=lambda op: not op.revokes
    )
    requests = requests_needed(run.sender.bundle(operations))
    return PairPlan(
        pair.name,
        tuple(operations),
        requests,
        {name: run.systems[name].seconds_for(requests[name]) for name in SystemName},
        Counter(decision.unlinked for decision in decisions if decision.unlinked is not None),
        sum(len(decision.conflicts) for decision in decisions),
        report,
    )


def _pass(run: Run) -> None:
    """The whole of a cycle."""
    _read(run)
    _send_revocations(run)
    if run.failed or run.stopped:
        return
    stage_due(run)
    moving.move_all(run)
    for batch in batches(run):
        _reconcile(run, batch)
        if run.stopped:
            return


def _reconcile(run: Run, rows: Sequence[Staged]) -> None:
    """Decide and write some rows, as much at a time as fits between two polls; the rest is decided anew."""
    left = _judge_rows(run, rows)
    while left and not run.stopped:
        now = _fitting(run, left)
        carry_out(run, now)
        left = left[len(now) :]
        if _poll_again(run) and left:
            left = _judge_rows(run, still_staged(run, [row for decision in left for row in decision.case.rows()]))


def _fitting(run: Run, decisions: Sequence[Decision]) -> Sequence[Decision]:
    """As many decisions as can be carried out before the next poll is due."""
    requests = requests_needed(run.sender.bundle(op for decision in decisions for op in decision.operations))
    seconds = max(run.systems[name].seconds_for(requests[name]) for name in SystemName)
    share = run.pair.timing.poll_every.total_seconds() / seconds if seconds else 1.0
    return decisions if share >= 1 else decisions[: max(1, int(len(decisions) * share))]


def _read(run: Run) -> None:
    """Read both sides; the schema first in a full scan, which may find a field gone or a tag new."""
    if run.full or len(run.schemas) < len(SystemName):
        if not run.pair.schema_fresh or len(run.schemas) < len(SystemName):
            refresh_schemas(run)
        run.schema_fresh = True
        # GHL's names first, and all of them: a name that both have is GHL's.
        run.book.meet({name: run.systems[name].reader.tag_names() for name in SystemName})
        intake.scan(run)
    else:
        intake.poll(run)
    look(run)


def _send_revocations(run: Run) -> None:
    """What narrows consent goes out before everything else, even when only one side could be read."""
    after = dict.fromkeys(SystemName, 0)
    while rows := next_rows(run, after, revoked=True):
        decisions = judge(run, who_is_who(rows, gather(rows, run.pair.store)))
        _keep_reads(run, rows, decisions)
        carry_out(run, [only for decision in decisions if (only := revocations_of(decision)) is not None])


def _keep_reads(run: Run, rows: Sequence[Staged], decisions: Sequence[Decision]) -> None:
    """Who was read by id and had revoked nothing isn't read again for the rest of the cycle."""
    before = {(row.system, row.contact_id): row.snapshot for row in rows}
    harmless = (row for one in decisions if revocations_of(one) is None for row in one.case.rows())
    read = [replace(row, revoked=False) for row in harmless if row.snapshot is not before.get(_key(row), row.snapshot)]
    if read:
        run.commit(Commit(staged=read))


def _key(row: Staged) -> ContactKey:
    return row.system, row.contact_id


def _judge_rows(run: Run, rows: Sequence[Staged]) -> list[Decision]:
    lookups = gather(rows, run.pair.store)
    cases = who_is_who(rows, lookups)
    return judge(run, [case for case in cases if case.link is None or not any(row.moved for row in case.rows())])


def _poll_again(run: Run) -> bool:
    """A cycle that lasts longer than the poll interval looks for revocations meanwhile; whether it did."""
    polled_at = run.polled_at
    if run.stopped or polled_at is None or run.pair.clock.now() - polled_at < run.pair.timing.poll_every:
        return False
    intake.poll_revocations(run)
    _send_revocations(run)
    return True
