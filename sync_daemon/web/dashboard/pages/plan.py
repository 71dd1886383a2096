"""What the next cycle would do, before it does it."""

from collections import Counter
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from sync_daemon.model.plan import Action, Operation, RuleAction
from sync_daemon.model.report import Mode
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.planned import NEW_FIELD
from sync_daemon.web.dashboard.doors import Doors
from sync_daemon.web.dashboard.jobs import Jobs
from sync_daemon.web.dashboard.visit import Missing, Visit
from sync_daemon.wiring.planning import FullPlan, what

_KIND, _DEED = "plan", "followed"
_AT_ONCE = 100
_MODES = {"incremental": Mode.INCREMENTAL, "full": Mode.FULL}


class PlanPages:
    """Make a plan, look at it, carry it out."""

    def __init__(self, doors: Doors, jobs: Jobs) -> None:
        self._doors, self._jobs = doors, jobs

    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            self._doors.page("/pairs/{pair}/plan", self.show),
            self._doors.action("/pairs/{pair}/plan", self.begin),
            self._doors.action("/pairs/{pair}/plan/carry-out", self.carry_out),
        ]

    def show(self, visit: Visit) -> Response:
        """The plan that was made last, or how far the one under way is."""
        slug, pair = visit.pair()
        job = self._jobs.last(_KIND, pair.name)
        done = self._jobs.last(_DEED, pair.name)
        if done is not None and job is not None and done.what != job.number:
            done = None
        shown = _shown(job.result, visit.number("from")) if job is not None and job.result is not None else {}
        return visit.page("plan.html", slug=slug, job=job, done=done, **shown)

    def begin(self, visit: Visit) -> Response:
        """Make one: both sides are read, nothing is written."""
        slug, pair = visit.pair()
        mode = _MODES.get(visit.given("mode"))
        if mode is None:
            raise Missing("There is no such kind of plan.")
        self._jobs.begin(_KIND, pair.name, mode, lambda tally: pair.plan(mode, tally))
        return visit.back_to(f"/pairs/{slug}/plan")

    def carry_out(self, visit: Visit) -> Response:
        """Do exactly what the plan holds that is on the page; what has moved on since is refused, record by record."""
        slug, pair = visit.pair()
        job = self._jobs.last(_KIND, pair.name)
        if job is None or job.result is None or job.number != visit.given("job"):
            told = "Another plan was made meanwhile, or this one is too old: look again before it is carried out."
            return visit.back_to(f"/pairs/{slug}/plan", told, "waits")
        plan: FullPlan = job.result
        self._jobs.begin(_DEED, pair.name, job.number, lambda tally: pair.follow(plan.planned, tally))
        return visit.back_to(f"/pairs/{slug}/plan")


def _shown(plan: FullPlan, start: int) -> dict[str, Any]:
    """A plan as its page shows it: what it costs, how much of what, and some of its records."""
    cycle = plan.cycle
    counts = Counter((one.system, str(one.action)) for one in cycle.operations)
    counts.update((new.system, NEW_FIELD) for new in plan.new_fields)
    counts.update((SystemName.GHL, one.action) for one in cycle.actions)
    rows: list[Operation | RuleAction] = [*cycle.operations, *cycle.held, *cycle.actions, *cycle.held_actions]
    held = {id(one) for one in (*cycle.held, *cycle.held_actions)}
    return {
        "plan": plan,
        "counts": sorted(counts.items()),
        "created": sum(
            one.action is Action.CREATE and one.system is SystemName.EMAILOCTOPUS for one in cycle.operations
        ),
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
