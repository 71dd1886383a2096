"""`sync-daemon reconcile`: one cycle for each pair, now."""

from typing import Annotated

import structlog
from cyclopts import Parameter

from sync_daemon.commands.exits import status_after_stop, status_of_outcomes
from sync_daemon.commands.options import DEFAULT_CONFIG, ApplyScope, Config, Full, Json, PairName, choose
from sync_daemon.commands.outcomes import show_reports
from sync_daemon.commands.printing import print_json
from sync_daemon.commands.progress import shown_progress
from sync_daemon.cycle import reconcile as run_cycle
from sync_daemon.cycle import report_of
from sync_daemon.model.errors import ConfigurationError, Stopped, SyncError, ToldToStop
from sync_daemon.model.report import CycleOutcome, CycleReport, Mode
from sync_daemon.model.system import SystemName
from sync_daemon.ports import CycleProgress
from sync_daemon.settings.pair import PairSection
from sync_daemon.store.run_report import as_json
from sync_daemon.wiring.installation import Installation, open_installation
from sync_daemon.wiring.stopping import told_to_stop

_ASK_AGAIN_S = 1.0
_log = structlog.get_logger(__name__)


def _at_least_none(_type: object, wait: float) -> None:
    if not wait >= 0:  # which NaN isn't either
        raise ValueError("it must be 0 seconds or more.")


def reconcile(
    *,
    config: Config = DEFAULT_CONFIG,
    pair: PairName = None,
    full: Full = False,
    apply_scope: ApplyScope = False,
    wait: Annotated[
        float,
        Parameter(
            help="Seconds to wait for a pair that another process works on.", name="--wait", validator=_at_least_none
        ),
    ] = 0.0,
    json: Json = False,
) -> int:
    """Read both sides, write what differs."""
    chosen = choose(config, pair)
    mode = Mode.FULL if full else Mode.INCREMENTAL
    with open_installation(chosen.settings) as installation, shown_progress() as progress:
        reports = [
            reconcile_pair(installation, section, mode, progress, wait, apply_scope=apply_scope)
            for section in chosen.pairs
        ]
        installation.tidy()
    if json:
        print_json({"pairs": [as_json(report) for report in reports]})
    else:
        show_reports(reports)
    status = status_of_outcomes(report.outcome for report in reports)
    return status_after_stop(status) if told_to_stop() else status


def reconcile_pair(
    installation: Installation,
    section: PairSection,
    mode: Mode,
    progress: CycleProgress,
    wait: float = 0.0,
    *,
    apply_scope: bool = False,
) -> CycleReport:
    """One cycle of one pair, tried again while another process holds it and there is time.

    What goes wrong with one pair is its outcome, so that the others go on; only a mistake in the configuration is
    raised, as `ConfigurationError`.
    """
    deadline = installation.clock.monotonic() + wait
    waits = False
    while True:
        report = _attempt(installation, section, mode, progress, apply_scope=apply_scope)
        left = deadline - installation.clock.monotonic()
        if report.outcome is not CycleOutcome.BUSY or left <= 0:
            return report
        if not waits:
            _log.info("waiting_for_the_pair", pair=section.name, seconds=round(left))
        waits = True
        try:
            installation.clock.sleep(min(_ASK_AGAIN_S, left))
        except ToldToStop:
            return report


def _attempt(
    installation: Installation, section: PairSection, mode: Mode, progress: CycleProgress, *, apply_scope: bool
) -> CycleReport:
    run_id = installation.new_run_id()
    if told_to_stop():
        return report_of(Stopped(SystemName.GHL), section.name, run_id, mode)
    try:
        opened = installation.open(section, progress)
        progress.begin(section.name, lambda system, requests: opened.systems[system].seconds_for(requests))
        report = run_cycle(opened, mode, apply_scope=apply_scope)
        installation.after(report)
    except ConfigurationError:
        raise
    except SyncError as error:
        return report_of(error, section.name, run_id, mode)
    except Exception as error:  # noqa: BLE001 - one pair's unforeseen failure must not keep the others from running
        _log.exception("unexpected_failure", pair=section.name)
        return CycleReport(section.name, run_id, mode, CycleOutcome.ERROR, f"{type(error).__name__}, see the log")
    return report
