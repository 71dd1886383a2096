"""How cycles ended, in tables and sentences."""

from collections.abc import Iterable, Sequence

from sync_daemon.commands.printing import console, plural, seconds, table
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


def sentences(report: CycleReport) -> Iterable[str]:
    """What a person should know about a cycle beyond its counts."""
    if report.message:
        yield report.message
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
