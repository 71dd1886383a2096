"""The dashboard as a whole: its pages and the files that they load."""

from collections.abc import Sequence

from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from sync_daemon.web.dashboard.doors import Doors
from sync_daemon.web.dashboard.given import Given
from sync_daemon.web.dashboard.headers import SafeHeaders
from sync_daemon.web.dashboard.jobs import Jobs
from sync_daemon.web.dashboard.pages.edit_plan import EditPlans
from sync_daemon.web.dashboard.pages.login import Login
from sync_daemon.web.dashboard.pages.mapping import MappingPages
from sync_daemon.web.dashboard.pages.overview import Overview
from sync_daemon.web.dashboard.pages.people import PeoplePages
from sync_daemon.web.dashboard.pages.plan import PlanPages
from sync_daemon.web.dashboard.pages.runs import RunPages
from sync_daemon.web.dashboard.pages.undoing import UndoPages
from sync_daemon.web.dashboard.pages.waiting import WaitingPages
from sync_daemon.web.dashboard.rendering import STATIC

_A_YEAR = "public, max-age=31536000, immutable"
"""A changed file has another address."""


def dashboard(given: Given) -> Sequence[BaseRoute]:
    """The routes of the dashboard."""
    doors = Doors(given)
    jobs = Jobs(given.now)
    edit_plans = EditPlans(doors, jobs)
    rooms = (
        Login(doors),
        Overview(doors),
        PlanPages(doors, jobs),
        edit_plans,
        MappingPages(doors, jobs, edit_plans),
        RunPages(doors),
        WaitingPages(doors),
        PeoplePages(doors, jobs),
        UndoPages(doors, jobs),
    )
    files = Mount("/static", StaticFiles(directory=STATIC), middleware=[Middleware(SafeHeaders, cache=_A_YEAR)])
    return [files, *(route for room in rooms for route in room.routes())]
