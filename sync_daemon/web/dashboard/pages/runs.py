"""Runs, newest first, and what each did."""

from datetime import datetime

from starlette.responses import Response
from starlette.routing import Route

from sync_daemon.model.audit import ChangeFilter
from sync_daemon.web.dashboard.doors import Doors
from sync_daemon.web.dashboard.visit import Missing, Visit

_AT_ONCE = 50
_LINES = 100


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
        run_id = visit.request.path_params["run"]
        run = pair.store.run(run_id)
        if run is None:
            raise Missing("There is no such run; those in which nothing happened are kept for a day.")
        changes = pair.store.logged(ChangeFilter(run_id=run_id), _LINES + 1, beyond=_place(visit))
        kept = bool(pair.store.count_replaced([run_id]))
        shown, more = changes[:_LINES], len(changes) > _LINES
        return visit.page(
            "run.html", slug=slug, run=run, changes=shown, more=more, first=_place(visit) is None, kept=kept
        )


def _place(visit: Visit) -> tuple[datetime, int] | None:
    """After which line of the log a page goes on."""
    at = _moment(visit.given("after"))
    return (at, visit.number("line")) if at is not None else None


def _moment(text: str) -> datetime | None:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo is not None else None
