"""How cycles ended, in tables and sentences."""

from collections.abc import Iterable, Sequence
from typing import Any

from sync_daemon.commands.printing import ROWS_AT_ONCE, console, plural, seconds, table
from sync_daemon.model.planned import Followed, Refusal
from sync_daemon.model.report import CycleOutcome, CycleReport
from sync_daemon.model.system import SystemName

_NEXT = {
    CycleOutcome.HELD: "some changes are held until somebody approves or discards them: `held list` tells why",
    CycleOutcome.INCOMPLETE: "it didn't get to its end; what was read is kept, nothing counts as deleted",
    CycleOutcome.BUSY: "--wait SECONDS waits until it is free",
    CycleOutcome.QUOTA: "a quota is used up; what is left to do is kept for the next run",
}


def show_reports(reports: Sequence[CycleReport]) -> None:
    """Print a table of what each cycle read and wrote, and a sentence about each that needs one."""
    out = console()
    out.print(
        table(
            ("pair", "mode", "outcome", "read", "changed", "to GHL", "to EmailOctopus", "requests", "time"),
            (_row(report) for report in reports),
        )
    )
    for report in reports:
        for sentence in sentences(report):
            out.print(f"{report.pair}: {sentence}")
        if report.plan is not None and report.plan.refused:
            _show_refused(report.plan.refused)


def plan_as_json(followed: Followed | None) -> dict[str, Any] | None:
    """What came of a plan, as a key beside the documented ones; None where the cycle never began."""
    if followed is None:
        return None
    return {
        "operations": followed.operations,
        "done": followed.done,
        "held": followed.held,
        "parked": followed.parked,
        "unsent": followed.unsent,
        "refused": [_refusal_as_json(one) for one in followed.refused],
        "left": followed.left,
        "revocations": followed.revocations,
    }


def _refusal_as_json(refusal: Refusal) -> dict[str, Any]:
    planned = refusal.planned
    return {
        "system": str(planned.system),
        "action": planned.action,
        "ghl_id": planned.ghl_id,
        "emailoctopus_id": planned.emailoctopus_id,
        "fields": list(planned.fields),
        "code": "moved_on",
        "reason": refusal.reason,
    }


def _show_refused(refused: Sequence[Refusal]) -> None:
    out = console()
    columns = ("refused in", "action", "GHL id", "EmailOctopus id", "what", "how the world has moved on")
    for start in range(0, len(refused), ROWS_AT_ONCE):
        rows = map(_refusal_row, refused[start : start + ROWS_AT_ONCE])
        out.print(table(columns, rows, None if start else "planned, and not done", header=not start))


def _refusal_row(refusal: Refusal) -> tuple[object, ...]:
    one = refusal.planned
    what = ", ".join(one.fields) or "-"
    ids = (one.ghl_id or "-", one.emailoctopus_id or "-")
    return one.system, one.action.replace("_", " "), *ids, what, refusal.reason


def _of_plan(followed: Followed) -> Iterable[str]:
    """What came of a plan, in sentences."""
    counts = {
        "done": followed.done,
        "refused, as the world has moved on": len(followed.refused),
        "held": followed.held,
        "parked": followed.parked,
        "not reached": followed.unsent,
    }
    told = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    yield f"{plural(followed.operations, 'planned operation')}: {told or 'nothing was to be done'}"
    if followed.left:
        left = plural(followed.left, "record has", "records have")
        yield f"{left} changes that the plan doesn't hold: they wait for the next reconcile"
    if followed.revocations:
        went = plural(followed.revocations, "revocation")
        yield f"{went} by persons went out unplanned, as every revocation does"


def sentences(report: CycleReport) -> Iterable[str]:
    """What a person should know about a cycle beyond its counts."""
    if report.message:
        yield report.message
    if report.plan is not None:
        yield from _of_plan(report.plan)
    if report.outcome in _NEXT and not report.paused:
        yield _NEXT[report.outcome]
    if report.parked:
        contacts = plural(report.parked, "contact is", "contacts are")
        yield f"{contacts} parked, to be tried again; `parked list` shows which and why"
    if report.conflicts:
        yield f"{plural(report.conflicts, 'conflict')} decided as the mapping says"
    waiting = {
        "held": report.held,
        "different on purpose": report.diverged,
        "consent held": report.consent_held,
        "found by the full scan that polls had missed": report.missed_by_poll,
        **{f"skipped as {reason.replace('_', ' ')}": count for reason, count in report.skipped.items()},
    }
    if any(waiting.values()):
        yield ", ".join(f"{count:,} {what}" for what, count in waiting.items() if count)


def written(report: CycleReport, system: SystemName) -> str:
    """What was written to one system: `3 created, 1 updated`."""
    counts = {word: count for (name, word), count in report.written.items() if name is system and count}
    return ", ".join(f"{count:,} {word.replace('_', ' ')}" for word, count in counts.items()) or "nothing"


def _row(report: CycleReport) -> tuple[object, ...]:
    return (
        report.pair,
        report.mode,
        report.outcome,
        _two(report.read),
        _two(report.changed),
        written(report, SystemName.GHL),
        written(report, SystemName.EMAILOCTOPUS),
        _two(report.requests),
        seconds(report.duration_s),
    )


def _two(counts: dict[SystemName, int]) -> str:
    """A number of each side, GHL's first."""
    return " / ".join(f"{counts[system]:,}" for system in SystemName)
