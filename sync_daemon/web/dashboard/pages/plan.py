"""What the next cycle would do, before it does it."""

from starlette.responses import Response
from starlette.routing import Route

from sync_daemon.model.report import Mode
from sync_daemon.web.dashboard.doors import Doors
from sync_daemon.web.dashboard.jobs import Jobs
from sync_daemon.web.dashboard.planned import shown_plan
from sync_daemon.web.dashboard.visit import Missing, Visit
from sync_daemon.wiring.planning import FullPlan

_KIND, _DEED = "plan", "followed"
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
        shown = shown_plan(job.result, visit.number("from")) if job is not None and job.result is not None else {}
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
