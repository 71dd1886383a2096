"""A plan as pages show it: what it costs, how much of what, whom it touches, and some of its records."""

from collections import Counter
from typing import Any

from sync_daemon.model.plan import Operation, RuleAction
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.planned import NEW_FIELD
from sync_daemon.wiring.planning import FullPlan, of_people, what

_AT_ONCE = 100


def shown_plan(plan: FullPlan, start: int) -> dict[str, Any]:
    """What `planned.html` shows; the records from one on."""
    cycle = plan.cycle
    counts = Counter((one.system, str(one.action)) for one in cycle.operations)
    counts.update((new.system, NEW_FIELD) for new in plan.new_fields)
    counts.update((SystemName.GHL, one.action) for one in cycle.actions)
    rows: list[Operation | RuleAction] = [*cycle.operations, *cycle.held, *cycle.actions, *cycle.held_actions]
    held = {id(one) for one in (*cycle.held, *cycle.held_actions)}
    return {
        "plan": plan,
        "counts": sorted(counts.items()),
        "people": list(of_people(cycle.people)),
        "requests": {name: (count, cycle.least_seconds[name]) for name, count in plan.requests().items() if count},
        "held": len(held),
        "rows": [(_row(one), id(one) in held) for one in rows[start : start + _AT_ONCE]],
        "start": start,
        "total": len(rows),
        "at_once": _AT_ONCE,
    }


def _row(one: Operation | RuleAction) -> dict[str, Any]:
    """What a line of the table shows of an operation, or of what a rule would do."""
    return {
        "system": SystemName.GHL if isinstance(one, RuleAction) else one.system,
        "action": str(one.action),
        "ghl_id": one.ghl_id,
        "emailoctopus_id": one.emailoctopus_id,
        "what": "a rule" if isinstance(one, RuleAction) else what(one),
        "reason": one.reason,
    }
