"""ONE PASS: read, send revocations, move addresses, reconcile the rest."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sync_daemon.apply.send import requests_needed
from sync_daemon.changes.cases import Case, ContactKey, who_is_who
from sync_daemon.cycle import hints, intake, moving, rules
from sync_daemon.cycle.activity import show_activity
from sync_daemon.cycle.deletions import decide_missing
from sync_daemon.cycle.inbox import keep_reads, next_rows, stage_due, topped_up
from sync_daemon.cycle.judge import judge, refresh_schemas
from sync_daemon.cycle.looks import look
from sync_daemon.cycle.neighbours import FIRST_LOADED, calls_of
from sync_daemon.cycle.opening import open_run
from sync_daemon.cycle.pair import Pair, Run
from sync_daemon.cycle.reading_ahead import read_ahead
from sync_daemon.cycle.running import as_a_run
from sync_daemon.cycle.scanning import scan
from sync_daemon.cycle.write import carry_out
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.model.state import Staged
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit
from sync_daemon.read.gather import gather
from sync_daemon.reconcile.decision import Decision, revocations_of

_AT_A_TIME = timedelta(seconds=60)
"""Writing goes on so long before more is taken from the inbox: in that time neither system takes a whole batch."""


def reconcile(pair: Pair, mode: Mode, *, apply_scope: bool = False) -> CycleReport:
    """One cycle, now. What a user can cause ends in the report's outcome, never in an exception.

    `apply_scope` does what `on_leave_scope` says about those who left because the scope was narrowed, too.
    """
    report = CycleReport(pair.name, pair.new_run_id(), mode)
    as_a_run(pair, report, lambda state: open_run(pair, report, state, apply_scope=apply_scope), _pass)
    return report


def _pass(run: Run) -> None:
    """The whole of a cycle."""
    read_both(run)
    if not work_through(run):
        return
    if not run.stopped and run.guard.first_load and not (run.following and run.following.left):
        run.commit(Commit(looked_at={FIRST_LOADED: run.pair.clock.now()}))
    rules.act(run)
    show_activity(run)


def work_through(run: Run) -> bool:
    """Decide and write all that waits of contacts; False where nothing but revocations could be sent."""
    has_work = run.pair.store.has_work(run.pair.clock.now())  # most cycles have none: one question instead of a dozen
    if has_work:
        _send_revocations(run)
    if run.failed or run.stopped:
        return False
    if has_work:
        stage_due(run)
        read_ahead(run)
        _move_and_reconcile(run)
    if not run.stopped and run.guard.judge():
        _move_and_reconcile(run)
    return True


def _move_and_reconcile(run: Run) -> None:
    """Decide and write what waits, addresses first."""
    moving.move_all(run)
    carry_out(run, run.sift(decide_missing(run))[0])
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
        decisions, put_off = run.sift(judge_rows(run, rows))
        counted.update((row.system, row.contact_id) for decision in put_off for row in decision.case.rows())
        now, later = _fitting(run, decisions)
        _foresee(run, rows, decisions, later)
        carry_out(run, now)
        keep_reads(run, rows, [*later, *put_off])
        waiting = [row for decision in later for row in decision.case.rows()]
        poll_again(run)


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


def read_both(run: Run) -> None:
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
    _heed_neighbours(run)


def _heed_neighbours(run: Run) -> None:
    """Stage those whom other pairs of the location or list call attention to; no question where there are none."""
    store, neighbours = run.pair.store, run.pair.neighbours
    called = store.called() if neighbours else []
    hints, mark = calls_of(store, neighbours, run.state, run.pair.digester, called)
    if hints or called or mark is not None:
        marks = {} if mark is None else {mark: run.pair.clock.now()}
        run.commit(Commit(staged=hints, heard=called, looked_at=marks))


def _send_revocations(run: Run) -> None:
    """What narrows consent goes out before everything else, even when only one side could be read.

    A row is looked at once in a cycle, and again when it is staged anew: where hits tell no consent, all are.
    """
    while not run.pair.told_to_stop() and (rows := next_rows(run, run.revocations_sought, revoked=True)):
        cases = [_without_waiting(case) for case in who_is_who(rows, gather(rows, run.pair.store))]
        decisions = judge(run, cases, consent_alone=True)
        keep_reads(run, rows, [decision for decision in decisions if revocations_of(decision) is None])
        carry_out(run, [only for decision in decisions if (only := revocations_of(decision)) is not None])


def _without_waiting(case: Case) -> Case:
    """The case as if nothing but its consent waited: no revocation waits for a record that can't be read."""
    return replace(case, parked={what: entry for what, entry in case.parked.items() if what == "consent"}, held=())


def judge_rows(run: Run, rows: Sequence[Staged]) -> list[Decision]:
    """The decisions about some rows, without those that are decided together with others of their kind."""
    lookups = gather(rows, run.pair.store)
    cases = who_is_who(rows, lookups)
    return judge(run, [case for case in cases if case.link is None or not any(map(_is_decided_apart, case.rows()))])


def _is_decided_apart(row: Staged) -> bool:
    """Whether a linked contact's row is decided together with the others of its kind: moves, and who is missing."""
    return row.moved or row.absent


def poll_again(run: Run) -> None:
    """A cycle that lasts longer than the poll interval looks for revocations meanwhile, and at who moved."""
    polled_at = run.polled_at
    if run.stopped or polled_at is None or run.pair.clock.now() - polled_at < run.pair.timing.poll_every:
        return
    intake.poll_revocations(run)
    hints.heed(run)
    _send_revocations(run)
    moving.move_all(run)
