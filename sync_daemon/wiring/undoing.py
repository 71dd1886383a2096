"""The undo of a run, and of one conflict: whose run it is, what would be done, and doing it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sync_daemon.cycle import Task, UndoPlan, plan_undo, undo
from sync_daemon.model.errors import ConfigurationError
from sync_daemon.model.report import CycleReport
from sync_daemon.model.undo import Left
from sync_daemon.ports import CycleProgress
from sync_daemon.reconcile.undo.inverse import Wish
from sync_daemon.settings.pair import PairSection
from sync_daemon.wiring.installation import Installation

_WHERE_FROM = "`sync-daemon reconcile --json` and `sync-daemon status --json` tell the ids of runs"


@dataclass(frozen=True, slots=True)
class Undoing:
    """What is to be undone, and the pair it is about."""

    installation: Installation
    section: PairSection
    task: Task

    def foresee(self, progress: CycleProgress) -> UndoPlan:
        """What would be done now; nothing is. Raises `ConfigurationError`, `StopSystem`."""
        with self.installation.foresee(self.section, progress) as (pair, _):
            progress.begin(self.section.name, lambda system, requests: pair.systems[system].seconds_for(requests))
            return plan_undo(pair, self.task)

    def carry_out(self, progress: CycleProgress) -> tuple[CycleReport, list[Left]]:
        """Do it, as a run of its own; how that ended, and what it left. Raises `ConfigurationError`, `StopSystem`."""
        pair = self.installation.open(self.section, progress)
        progress.begin(self.section.name, lambda system, requests: pair.systems[system].seconds_for(requests))
        return undo(pair, self.task)


def undo_of_run(
    installation: Installation, sections: Sequence[PairSection], run_id: str, *, deletes_created: bool = False
) -> Undoing:
    """The undo of a run of one of some pairs.

    Raises `ConfigurationError` for a run that nobody knows, of another pair, that is going on, or of which the journal
    has nothing any more.
    """
    found = {section.name: section for section in sections}
    for section in installation.settings.pairs:
        store = installation.store.known_pair(section.name)
        if store is None:
            continue
        run = store.run(run_id)
        kept = bool(store.count_replaced([run_id]))
        if run is None and not kept:
            continue
        if section.name not in found:
            raise ConfigurationError(f"Run {run_id} is one of the pair {section.name}: say --pair {section.name}.")
        if run is None and store.is_leased():
            raise ConfigurationError(f"Run {run_id} of the pair {section.name} is going on: undo it once it has ended.")
        if run is not None and not kept:
            _explain_nothing(installation, run_id, run["started"], run["report"])
        return Undoing(installation, section, Task(store, run_id, Wish(deletes_created)))
    names = ", ".join(found)
    raise ConfigurationError(f"No run {run_id} of {names} is known: {_WHERE_FROM}.")


def undo_of_conflict(installation: Installation, section: PairSection, row_id: int, key: str) -> Undoing:
    """One conflict, decided the other way: the value of a mapping row that lost in one write of the undo journal.

    Raises `ConfigurationError` where the journal has no such conflict any more.
    """
    store = installation.open_store(section)
    row = store.replaced_by(row_id)
    if row is None or key not in row.conflicts:
        raise ConfigurationError(
            f"The undo journal of {section.name} has no conflict {row_id} about {key}: what was replaced is kept for "
            f"{installation.settings.retention.undo_days} days (retention.undo_days)."
        )
    return Undoing(installation, section, Task(store, row.run_id, Wish(conflict=key), row))


def _explain_nothing(installation: Installation, run_id: str, started: object, report: object) -> None:
    """Say why the journal has nothing of a run that wrote something. Raises `ConfigurationError`."""
    written = report.get("written", {}) if isinstance(report, dict) else {}
    if not any(count for words in written.values() for count in words.values()):
        return
    days = installation.settings.retention.undo_days
    if days == 0:
        raise ConfigurationError(
            f"What run {run_id} replaced wasn't kept: retention.undo_days is 0. It can't be undone."
        )
    if isinstance(started, datetime) and started < installation.clock.now() - timedelta(days=days):
        raise ConfigurationError(
            f"What run {run_id} replaced was erased: it is kept for {days} days (retention.undo_days), and the run "
            f"was on {started:%Y-%m-%d}. It can't be undone any more."
        )
