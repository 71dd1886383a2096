"""`sync-daemon undo`: what a run wrote is taken back, after it was shown what that means (interface.md)."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter

from sync_daemon.commands.asking import Yes, ask
from sync_daemon.commands.exits import BAD_USAGE, DONE, WAITING, status_after_stop, status_of_outcomes
from sync_daemon.commands.options import DEFAULT_CONFIG, Config, Json, PairName, choose
from sync_daemon.commands.outcomes import show_reports
from sync_daemon.commands.plan import show_records
from sync_daemon.commands.printing import console, plural, print_json, seconds, table
from sync_daemon.commands.progress import shown_progress
from sync_daemon.cycle import UndoPlan
from sync_daemon.model.plan import Action
from sync_daemon.model.report import CycleReport
from sync_daemon.model.system import SystemName
from sync_daemon.model.undo import Left
from sync_daemon.store.run_report import as_json as report_as_json
from sync_daemon.wiring.installation import open_installation
from sync_daemon.wiring.planning import operation_as_json
from sync_daemon.wiring.stopping import told_to_stop
from sync_daemon.wiring.undoing import undo_of_run

_ROWS_AT_ONCE = 1000
DeleteCreated = Annotated[
    bool,
    Parameter(
        name="--delete-created",
        negative="",
        help="Delete, too, what the run created in either system and nobody has touched since.",
    ),
]
_NOT_DONE = "Nothing was done: say it with --yes."
_AUTOMATIONS = "EmailOctopus gets tags or values again: its automations may start."


def undo(
    run: Annotated[str, Parameter(help="The id of the run.")],
    *,
    config: Config = DEFAULT_CONFIG,
    pair: PairName = None,
    delete_created: DeleteCreated = False,
    yes: Yes = False,
    json: Json = False,
) -> int:
    """Take back what a run wrote: fields and tags that are still what it wrote, where it wrote them.

    Shows first what would be done, and asks. The two sides differ on purpose then, until one of them changes again.
    Nobody is subscribed by it, and nobody's word is taken back; what the run created is listed.
    """
    chosen = choose(config, pair)
    with open_installation(chosen.settings) as installation, shown_progress() as progress:
        undoing = undo_of_run(installation, chosen.pairs, run, deletes_created=delete_created)
        plan = undoing.foresee(progress)
    if not json:
        _show(plan)
    nothing = not (plan.operations or plan.held)
    agreed = not nothing and (yes or (not json and ask("yes")))
    report: CycleReport | None = None
    left: Sequence[Left] = plan.left
    if agreed:
        with open_installation(chosen.settings) as installation, shown_progress() as progress:
            undoing = undo_of_run(installation, chosen.pairs, run, deletes_created=delete_created)
            report, left = undoing.carry_out(progress)
    if json:
        print_json(_as_json(plan, report, left))
    elif report is not None:
        _show_outcome(report, [one for one in left if one not in plan.left])
    elif not nothing:
        console().print(_NOT_DONE)
    return _status(report, left, nothing=nothing)


def _status(report: CycleReport | None, left: Sequence[Left], *, nothing: bool) -> int:
    if report is None:
        return DONE if nothing else BAD_USAGE
    status = status_of_outcomes([report.outcome])
    if told_to_stop():
        return status_after_stop(status)
    refused = any(one.why.startswith("refused: ") for one in left)
    return WAITING if status == DONE and refused else status


def _show(plan: UndoPlan) -> None:
    out = console()
    if plan.operations:
        counts = Counter((operation.system, operation.action) for operation in plan.operations)
        rows = [(system, action.replace("_", " "), count) for (system, action), count in sorted(counts.items())]
        out.print(
            table(("write to", "action", "records#"), rows, f"{plan.pair}: what undoing {plan.run_id} would write")
        )
        for system, count in plan.requests.items():
            if count:
                out.print(f"{system}: {plural(count, 'request')}, at least {seconds(plan.least_seconds[system])}.")
        if any(one.system is SystemName.EMAILOCTOPUS and one.action is not Action.DELETE for one in plan.operations):
            out.print(_AUTOMATIONS)
    if plan.held:
        many = plural(len(plan.held), "write takes", "writes take")
        out.print(f"{many} too much away at once: held until somebody approves it, as `held list` will tell.")
    if not (plan.operations or plan.held):
        out.print(f"{plan.pair}: nothing of {plan.run_id} is to be undone.")
    show_records((*plan.operations, *plan.held))
    _show_left(plan.left)


def _show_left(left: Sequence[Left]) -> None:
    columns = ("not undone in", "GHL id", "EmailOctopus id", "what", "why")
    for start in range(0, len(left), _ROWS_AT_ONCE):
        rows = [
            (one.system, one.ghl_id or "-", one.emailoctopus_id or "-", one.what, one.why)
            for one in left[start : start + _ROWS_AT_ONCE]
        ]
        console().print(table(columns, rows, header=not start))


def _show_outcome(report: CycleReport, new: Sequence[Left]) -> None:
    show_reports([report])
    _show_left(new)
    if any(word != "deleted" for (_, word), count in report.written.items() if count):
        console().print(f"It is a run of its own: `sync-daemon undo {report.run_id}` takes it back.")


def _as_json(plan: UndoPlan, report: CycleReport | None, left: Sequence[Left]) -> dict[str, Any]:
    return {
        "pair": plan.pair,
        "run_id": plan.run_id,
        "operations": [operation_as_json(one) for one in plan.operations],
        "held": [operation_as_json(one) for one in plan.held],
        "left": [
            {
                "system": str(one.system),
                "ghl_id": one.ghl_id,
                "emailoctopus_id": one.emailoctopus_id,
                "what": one.what,
                "reason": one.why,
            }
            for one in left
        ],
        "requests": {str(system): count for system, count in plan.requests.items()},
        "least_seconds": {str(system): round(plan.least_seconds[system], 1) for system in SystemName},
        "done": report is not None,
        "report": report_as_json(report) if report is not None else None,
    }
