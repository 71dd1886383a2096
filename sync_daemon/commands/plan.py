"""`sync-daemon plan`: what a cycle would write, record by record; writes to neither system."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import RenderableType

from sync_daemon.commands.exits import DONE, status_of_errors
from sync_daemon.commands.options import DEFAULT_CONFIG, ApplyScope, Config, Full, Json, PairName, choose
from sync_daemon.commands.printing import ROWS_AT_ONCE, console, plural, print_json, seconds, table
from sync_daemon.commands.progress import shown_progress
from sync_daemon.model.errors import IncompleteRead, Stopped, StopSystem, SyncError
from sync_daemon.model.plan import Operation, RuleAction
from sync_daemon.model.report import Mode
from sync_daemon.model.state import Totals
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.planned import NEW_FIELD
from sync_daemon.wiring.installation import open_installation
from sync_daemon.wiring.plan_file import check_target, make_plan_file, write_plan
from sync_daemon.wiring.planning import FullPlan, as_json, of_people, plan_pair, what

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS


def plan(
    *,
    config: Config = DEFAULT_CONFIG,
    pair: PairName = None,
    full: Full = False,
    apply_scope: ApplyScope = False,
    out: Annotated[
        Path | None,
        Parameter(name="--out", help="Keep the plan in this file, for `reconcile --plan`; an older plan gives way."),
    ] = None,
    json: Json = False,
) -> int:
    """Show what reconcile would write, and what that would cost; writes nothing."""
    chosen = choose(config, pair)
    if out is not None:
        check_target(out)
    mode = Mode.FULL if full else Mode.INCREMENTAL
    plans: list[FullPlan] = []
    kept: dict[str, SyncError] = {}
    with open_installation(chosen.settings) as installation, shown_progress() as progress:
        for section in chosen.pairs:
            try:
                plans.append(plan_pair(installation, section, mode, progress, apply_scope=apply_scope))
            except (StopSystem, IncompleteRead) as error:
                if isinstance(error, Stopped):
                    raise
                kept[section.name] = error
        if out is not None and not kept:
            now, digester = installation.clock.now(), installation.digester
            write_plan(make_plan_file(tuple(one.planned for one in plans), now, digester), out)
    if json and plans:
        print_json({**as_json(plans), **({"file": str(out)} if out is not None and not kept else {})})
    elif not json:
        _show(plans)
        if out is not None and not kept:
            console().print(f"The plan is in {out}: `reconcile --plan {out}` does exactly this, and nothing else.")
    return _not_planned(kept, out) if kept else DONE


def _show(plans: Sequence[FullPlan]) -> None:
    for one in plans:
        show_plan(one)
        show_records((*one.cycle.operations, *one.cycle.held))
        _show_actions((*one.cycle.actions, *one.cycle.held_actions))


def _not_planned(kept: Mapping[str, SyncError], out: Path | None) -> int:
    """Say which pairs couldn't be planned, and why; the others were. Gives the exit status."""
    for name, error in kept.items():
        sys.stderr.write(f"{name}: {error.shown}\n")
    if out is not None:
        sys.stderr.write(f"{out} wasn't written: a plan file holds every pair. Or narrow it with --pair.\n")
    return status_of_errors(kept.values())


def show_plan(plan: FullPlan) -> None:
    """Print what would be written as a summary, with what it costs."""
    out, cycle = console(), plan.cycle
    if not cycle.operations and not plan.new_fields and not cycle.actions:
        out.print(f"{cycle.pair}: nothing to write.")
    else:
        counts = Counter((operation.system, str(operation.action)) for operation in cycle.operations)
        counts.update((new.system, NEW_FIELD) for new in plan.new_fields)
        counts.update((GHL, action.action) for action in cycle.actions)
        out.print(_summary(counts, f"{cycle.pair}: what would be written"))
    if cycle.held or cycle.held_actions:
        held = Counter((operation.system, str(operation.action)) for operation in cycle.held)
        held.update((GHL, action.action) for action in cycle.held_actions)
        out.print(_summary(held, f"{cycle.pair}: what would be held until somebody approves it"))
    _show_costs(plan)


def _summary(counts: Counter[tuple[SystemName, str]], title: str) -> RenderableType:
    rows = [(system, action.replace("_", " "), count) for (system, action), count in sorted(counts.items())]
    return table(("write to", "action", "records#"), rows, title)


def show_records(operations: Sequence[Operation]) -> None:
    """Print operation by operation. A drawn row weighs ten times what its operation does: never all of them at once."""
    out = console()
    columns = ("write to", "action", "GHL id", "EmailOctopus id", "what", "why")
    for start in range(0, len(operations), ROWS_AT_ONCE):
        rows = map(_record, operations[start : start + ROWS_AT_ONCE])
        out.print(table(columns, rows, None if start else "record by record", header=not start))


def _show_actions(actions: Sequence[RuleAction]) -> None:
    """Print what rules would do, action by action; of the contact no value."""
    if actions:
        rows = [(one.action.replace("_", " "), one.ghl_id, one.emailoctopus_id, one.reason) for one in actions]
        console().print(table(("rules would", "GHL id", "EmailOctopus id", "why"), rows))


def _show_costs(plan: FullPlan) -> None:
    out, cycle = console(), plan.cycle
    for new in plan.new_fields:
        out.print(f"{new.system} gets the field {new.spec.name} ({new.spec.type}) first.")
    for system, count in plan.requests().items():
        if count:
            least = seconds(cycle.least_seconds[system])
            out.print(f"{system}: {plural(count, 'request')}, which its rate limit lets pass in {least}.")
    if cycle.conflicts:
        out.print(f"{plural(cycle.conflicts, 'value')} would give way to the other side's, as the mapping says.")
    if cycle.skipped:
        out.print("left out: " + ", ".join(f"{n:,} {why.replace('_', ' ')}" for why, n in cycle.skipped.items()))
    for sentence in (*of_people(cycle.people), *_of_waiting(cycle.waiting)):
        out.print(sentence)


def _of_waiting(waiting: Totals) -> Iterator[str]:
    """What waits from before, and isn't written as long as it does."""
    for count, state, command in ((waiting.held, "held", "held list"), (waiting.parked, "parked", "parked list")):
        if count:
            having = plural(count, "contact has", "contacts have")
            yield f"{having} something {state} from before: `{command}` shows what."


def _record(operation: Operation) -> tuple[object, ...]:
    return (
        operation.system,
        operation.action.replace("_", " "),
        operation.ghl_id or "-",
        operation.emailoctopus_id or "-",
        what(operation),
        operation.reason,
    )
