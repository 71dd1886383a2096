"""Runs, newest first, and what each did."""

from datetime import datetime

from starlette.responses import Response
from starlette.routing import Route

from sync_daemon.web.dashboard.doors import Doors
from sync_daemon.web.dashboard.visit import Missing, Visit

_AT_ONCE = 50


class RunPages:
    """The list of runs, and one run."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            self._doors.page("/pairs/{pair}/runs", self.list_runs),
            self._doors.page("/pairs/{pair}/runs/{run}", self.one_run),
        ]

    def list_runs(self, visit: Visit) -> Response:
        """A page of runs; it goes on after a run that the address names by its start and id."""
        slug, pair = visit.pair()
        before = _moment(visit.given("before"))
        limit = _AT_ONCE + 1
        found = (
            pair.store.last_runs(limit) if before is None else pair.store.runs_before(before, visit.given("id"), limit)
        )
        runs, more = found[:_AT_ONCE], len(found) > _AT_ONCE
        return visit.page("runs.html", slug=slug, runs=runs, more=more, first=before is None)

    def one_run(self, visit: Visit) -> Response:
        """What a run read and wrote."""
        slug, pair = visit.pair()
        run = pair.store.run(visit.request.path_params["run"])
        if run is None:
            raise Missing("There is no such run; those in which nothing happened are kept for a day.")
        return visit.page("run.html", slug=slug, run=run)


def _moment(text: str) -> datetime | None:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo is not None else None
