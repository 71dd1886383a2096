"""Taking back what a run wrote, and deciding a conflict the other way: shown first, then done."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from sync_daemon.cycle import UndoPlan
from sync_daemon.model.errors import ConfigurationError
from sync_daemon.model.report import CycleOutcome, CycleReport
from sync_daemon.model.undo import Left
from sync_daemon.reconcile.undo.words import CREATED
from sync_daemon.web.dashboard.doors import Doors
from sync_daemon.web.dashboard.given import OnePair
from sync_daemon.web.dashboard.jobs import Jobs, patiently
from sync_daemon.web.dashboard.visit import Missing, Visit
from sync_daemon.wiring.planning import what
from sync_daemon.wiring.tally import Tally
from sync_daemon.wiring.undoing import Undoing

_PLAN, _DEED = "undo", "undone"
_AT_ONCE = 100
_CONFLICTS = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be taken back, in words, and how to get hold of it. `run_id` None: a single conflict."""

    words: str
    undoing: Callable[[], Undoing]
    run_id: str | None = None


class UndoPages:
    """The plan of an undo, and the undo."""

    def __init__(self, doors: Doors, jobs: Jobs) -> None:
        self._doors, self._jobs = doors, jobs

    def routes(self) -> list[Route]:
        """The addresses."""
        doors = self._doors
        return [
            doors.action("/pairs/{pair}/runs/{run}/undo", self.of_run),
            doors.page("/pairs/{pair}/conflicts", self.conflicts),
            doors.action("/pairs/{pair}/conflicts", self.of_conflict),
            doors.page("/pairs/{pair}/undo", self.show),
            doors.action("/pairs/{pair}/undo", self.carry_out),
        ]

    def of_run(self, visit: Visit) -> Response:
        """See what taking back a run would do."""
        slug, pair = visit.pair()
        run_id, delete = visit.request.path_params["run"], visit.given("delete") == "yes"
        words = f"Take back run {run_id}" + (", and delete what it created" if delete else "")
        asked = Asked(words, lambda: pair.undo_run(run_id, delete), run_id)
        return self._foresee(visit, slug, pair, asked)

    def conflicts(self, visit: Visit) -> Response:
        """Values that lost, while the undo journal has them."""
        slug, pair = visit.pair()
        before = visit.number("before")
        found = pair.store.conflicts(_CONFLICTS + 1, before or None)
        rows, more = found[:_CONFLICTS], len(found) > _CONFLICTS
        return visit.page("conflicts.html", slug=slug, rows=rows, more=more, first=not before, label=_label)

    def of_conflict(self, visit: Visit) -> Response:
        """See what deciding a conflict the other way would do."""
        slug, pair = visit.pair()
        row, key = visit.number("row"), visit.given("key")
        words = f"Decide the conflict about {_label(key)} the other way"
        return self._foresee(visit, slug, pair, Asked(words, lambda: pair.undo_conflict(row, key)))

    def show(self, visit: Visit) -> Response:
        """The plan, and what came of it."""
        slug, pair = visit.pair()
        job, done = self._jobs.last(_PLAN, pair.name), self._jobs.last(_DEED, pair.name)
        if done is not None and job is not None and done.what != job.number:
            done = None
        shown = _shown(job.result, visit.number("from")) if job is not None and job.result is not None else {}
        return visit.page("undo.html", slug=slug, job=job, done=done, CREATED=CREATED, **shown)

    def carry_out(self, visit: Visit) -> Response:
        """Do what the plan shows that is on the page; each contact is read again before it is written to."""
        slug, pair = visit.pair()
        job = self._jobs.last(_PLAN, pair.name)
        if job is None or job.result is None or job.number != visit.given("job"):
            told = "Another plan was made meanwhile, or this one is too old: look again before it is carried out."
            return visit.back_to(f"/pairs/{slug}/undo", told, "waits")
        asked: Asked = job.what
        self._jobs.begin(_DEED, pair.name, job.number, lambda tally: _done(asked, tally))
        return visit.back_to(f"/pairs/{slug}/undo")

    def _foresee(self, visit: Visit, slug: str, pair: OnePair, asked: Asked) -> Response:
        begun = self._jobs.begin(_PLAN, pair.name, asked, lambda tally: asked.undoing().foresee(tally))
        if not begun:
            return visit.back_to(f"/pairs/{slug}/undo", "Another undo is being planned: wait for that one.", "waits")
        return visit.back_to(f"/pairs/{slug}/undo")


def _done(asked: Asked, tally: Tally) -> tuple[CycleReport, list[Left]]:
    """Undo, as soon as no cycle holds the pair any more."""
    report, rest = patiently(lambda: asked.undoing().carry_out(tally), lambda ended: _is_busy(ended[0]))
    if report.outcome is CycleOutcome.BUSY:
        raise ConfigurationError(report.message or "the pair is being worked on: try again when its cycle has ended")
    return report, rest


def _is_busy(report: CycleReport) -> bool:
    return report.outcome is CycleOutcome.BUSY and not report.paused


def _shown(plan: UndoPlan, start: int) -> dict[str, Any]:
    """A plan as its page shows it."""
    rows = [*((one, False) for one in plan.operations), *((one, True) for one in plan.held)]
    return {
        "plan": plan,
        "counts": sorted(Counter((one.system, str(one.action)) for one in plan.operations).items()),
        "requests": {name: (count, plan.least_seconds[name]) for name, count in plan.requests.items() if count},
        "rows": [(one, what(one), waits) for one, waits in rows[start : start + _AT_ONCE]],
        "left": plan.left[:_AT_ONCE],
        "start": start,
        "total": len(rows),
        "at_once": _AT_ONCE,
    }


def _label(key: str) -> str:
    """A mapping row's key, or the address, as people read it."""
    if not key:
        raise Missing("No field was named.")
    return key.replace("=", " and ") if key != "address" else "the e-mail address"
