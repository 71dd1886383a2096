"""`sync-daemon reconcile`: one cycle for each pair, now."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import structlog
from cyclopts import Parameter

from sync_daemon.changes.digests import Digester
from sync_daemon.commands.exits import status_after_stop, status_of_reports
from sync_daemon.commands.options import DEFAULT_CONFIG, ApplyScope, Chosen, Config, Full, Json, PairName, Wait, choose
from sync_daemon.commands.outcomes import plan_as_json, show_reports
from sync_daemon.commands.printing import print_json
from sync_daemon.commands.progress import shown_progress
from sync_daemon.cycle import reconcile as run_cycle
from sync_daemon.cycle import report_of
from sync_daemon.model.errors import ConfigurationError, StateStoreAway, Stopped, SyncError, ToldToStop
from sync_daemon.model.planned_pair import PlannedPair
from sync_daemon.model.report import CycleOutcome, CycleReport, Mode
from sync_daemon.model.system import SystemName
from sync_daemon.ports import CycleProgress
from sync_daemon.settings.pair import PairSection
from sync_daemon.store.run_report import as_json
from sync_daemon.wiring.installation import Installation, open_installation
from sync_daemon.wiring.plan_file import chosen_plan, read_plan
from sync_daemon.wiring.stopping import told_to_stop

_ASK_AGAIN_S = 1.0
_log = structlog.get_logger(__name__)


def reconcile(
    *,
    config: Config = DEFAULT_CONFIG,
    pair: PairName = None,
    full: Full = False,
    apply_scope: ApplyScope = False,
    plan: Annotated[
        Path | None,
        Parameter(
            name="--plan", help="Do exactly what this file of `plan --out` holds; what has moved on since is refused."
        ),
    ] = None,
    wait: Wait = 0.0,
    json: Json = False,
) -> int:
    """Read both sides, write what differs."""
    chosen = choose(config, pair)
    if plan is not None and (full or apply_scope):
        raise ConfigurationError("--plan reads what the plan was made from: leave --full and --apply-scope away.")
    mode = Mode.FULL if full else Mode.INCREMENTAL
    with open_installation(chosen.settings) as installation, shown_progress() as progress:
        if plan is None:
            cycle = partial(reconcile_pair, installation, wait=wait, apply_scope=apply_scope)
            cycles = {section.name: partial(cycle, section, mode, progress) for section in chosen.pairs}
        else:
            planned = _planned(chosen, plan, installation.digester, named=pair is not None)
            carry_out = partial(follow_plan, installation, wait=wait)
            cycles = {section.name: partial(carry_out, section, one, progress) for section, one in planned}
        reports = list(_reports(installation, cycles, mode))
    if json:
        print_json({"pairs": [_as_json(report, with_plan=plan is not None) for report in reports]})
    else:
        show_reports(reports)
    status = status_of_reports(reports)
    return status_after_stop(status) if told_to_stop() else status


def _reports(
    installation: Installation, cycles: Mapping[str, Callable[[], CycleReport]], mode: Mode
) -> Iterator[CycleReport]:
    """How each pair's cycle ended. Once the database is away, it is so for all: no other pair is tried."""
    left = deque(cycles.items())
    try:
        while left:
            yield left[0][1]()
            left.popleft()
        installation.tidy()
    except StateStoreAway as error:
        yield from (report_of(error, pair, installation.new_run_id(), mode) for pair, _ in left)


def _planned(chosen: Chosen, path: Path, digester: Digester, *, named: bool) -> list[tuple[PairSection, PlannedPair]]:
    """The pairs of a plan, all of them looked at before anything is done. Raises `ConfigurationError`."""
    plan = read_plan(path, digester)
    sections = {section.name: section for section in chosen.pairs}
    for one in plan.pairs if not named else ():
        if one.pair not in sections:
            raise ConfigurationError(
                f"The plan {path} has a pair {one.pair}, which the configuration hasn't. It has {', '.join(sections)}."
            )
    names = sections if named else [one.pair for one in plan.pairs]
    return [(sections[name], chosen_plan(plan, sections[name], digester)) for name in names]


def _as_json(report: CycleReport, *, with_plan: bool) -> dict[str, Any]:
    return {**as_json(report), **({"plan": plan_as_json(report.plan)} if with_plan else {})}


def follow_plan(
    installation: Installation, section: PairSection, plan: PlannedPair, progress: CycleProgress, wait: float = 0.0
) -> CycleReport:
    """One cycle that does what a plan holds and nothing else, read as the plan was made; raises as `reconcile_pair`."""
    return reconcile_pair(installation, section, plan.mode, progress, wait, apply_scope=plan.apply_scope, plan=plan)


def reconcile_pair(
    installation: Installation,
    section: PairSection,
    mode: Mode,
    progress: CycleProgress,
    wait: float = 0.0,
    *,
    apply_scope: bool = False,
    plan: PlannedPair | None = None,
) -> CycleReport:
    """One cycle of one pair, tried again while another process holds it and there is time.

    What goes wrong with one pair is its outcome, so that the others go on; only what concerns them all is raised: a
    mistake in the configuration as `ConfigurationError`, a database that is away as `StateStoreAway`.
    """
    deadline = installation.clock.monotonic() + wait
    waits = False
    while True:
        report = _attempt(installation, section, mode, progress, apply_scope=apply_scope, plan=plan)
        left = deadline - installation.clock.monotonic()
        if report.outcome is not CycleOutcome.BUSY or report.paused or left <= 0:
            return report
        if not waits:
            _log.info("waiting_for_the_pair", pair=section.name, seconds=round(left))
        waits = True
        try:
            installation.clock.sleep(min(_ASK_AGAIN_S, left))
        except ToldToStop:
            return report


def _attempt(
    installation: Installation,
    section: PairSection,
    mode: Mode,
    progress: CycleProgress,
    *,
    apply_scope: bool,
    plan: PlannedPair | None,
) -> CycleReport:
    run_id = installation.new_run_id()
    if told_to_stop():
        return report_of(Stopped(SystemName.GHL), section.name, run_id, mode)
    began = installation.clock.now()
    try:
        opened = installation.open(section, progress, plan)
        progress.begin(section.name, lambda system, requests: opened.systems[system].seconds_for(requests))
        report = run_cycle(opened, mode, apply_scope=apply_scope)
        installation.after(report)
    except ConfigurationError:
        raise
    except SyncError as error:
        report = report_of(error, section.name, run_id, mode)
        installation.not_begun(section, report, began)
    except Exception as error:  # noqa: BLE001 - one pair's unforeseen failure must not keep the others from running
        _log.exception("unexpected_failure", pair=section.name)
        return CycleReport(section.name, run_id, mode, CycleOutcome.ERROR, f"{type(error).__name__}, see the log")
    return report
