"""A cycle's report in the words of `reconcile --json` (interface.md), as it is stored and printed."""

from typing import Any

from sync_daemon.model.report import CycleReport
from sync_daemon.model.state import Unlinked
from sync_daemon.model.system import SystemName

_WRITTEN = {
    SystemName.GHL: ("created", "updated", "dnd_set", "dnd_lifted", "deleted"),
    SystemName.EMAILOCTOPUS: ("created", "updated", "unsubscribed", "deleted"),
}
_SKIPPED = (
    Unlinked.NO_EMAIL,
    Unlinked.INVALID_EMAIL,
    Unlinked.DUPLICATE,
    Unlinked.OUT_OF_SCOPE,
    Unlinked.SUPPRESSED,
    Unlinked.PENDING,
    Unlinked.FORGOTTEN,
)


def as_json(report: CycleReport) -> dict[str, Any]:
    """One entry of `pairs`: every key always there, in the documented order."""
    return {
        "pair": report.pair,
        "run_id": report.run_id,
        "mode": str(report.mode),
        "outcome": str(report.outcome),
        "read": _by_system(report.read),
        "changed": _by_system(report.changed),
        "written": {
            str(system): {word: report.written[system, word] for word in words} for system, words in _WRITTEN.items()
        },
        "conflicts": report.conflicts,
        "skipped": {str(reason): report.skipped[reason] for reason in _SKIPPED},
        "parked": report.parked,
        "new_parked": report.new_parked,
        "held": report.held,
        "new_held": report.new_held,
        "diverged": report.diverged,
        "consent_held": report.consent_held,
        "missed_by_poll": report.missed_by_poll,
        "requests": _by_system(report.requests),
        "throttled": _by_system(report.throttled),
        "duration_s": report.duration_s,
    }


def _by_system(counts: dict[SystemName, int]) -> dict[str, int]:
    return {str(system): counts.get(system, 0) for system in SystemName}
