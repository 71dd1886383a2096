"""What an edit of the mapping would do, and saving exactly what was planned."""

from dataclasses import dataclass

import structlog
from starlette.responses import Response
from starlette.routing import Route

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.settings.editing import Edited
from sync_daemon.web.dashboard.doors import Doors
from sync_daemon.web.dashboard.given import Editing, OnePair
from sync_daemon.web.dashboard.jobs import Job, Jobs
from sync_daemon.web.dashboard.mapping.form import MappingForm
from sync_daemon.web.dashboard.planned import shown_plan
from sync_daemon.web.dashboard.visit import Missing, Visit

_KIND = "edit"
NO_FILE = "The configuration of this pair isn't in a file that the service could write."
_SAVED = (
    "Saved in {}. The service works by it from its next cycle on; people and fields that are new to it meet in the "
    "next full scan."
)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Draft:
    """An edit to plan: the form, what the file would say, the digest of what it said, and the changes in words."""

    form: MappingForm
    edited: Edited
    digest: str
    changes: tuple[str, ...]


class EditPlans:
    """The plans of edits; each session has its own."""

    def __init__(self, doors: Doors, jobs: Jobs) -> None:
        self._doors, self._jobs = doors, jobs

    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            self._doors.page("/pairs/{pair}/mapping/plan", self.show),
            self._doors.action("/pairs/{pair}/mapping/save", self.save),
        ]

    def begin(self, visit: Visit, draft: Draft) -> Response:
        """Plan an edit that is valid."""
        slug, pair = visit.pair()
        section, plan = draft.edited.section, editing_of(pair).plan
        assert section is not None  # noqa: S101 - only what is valid is planned
        begun = self._jobs.begin(_KIND, visit.own(pair.name), draft, lambda tally: plan(section, tally))
        told = "" if begun else "Another edit of yours is being planned: wait for that one, then plan this one anew."
        return visit.back_to(f"/pairs/{slug}/mapping/plan", told, "waits")

    def drafted(self, visit: Visit) -> Draft | None:
        """The edit that the address names."""
        job = self._job(visit)
        return job.what if job is not None and job.number == visit.given("draft") else None

    def show(self, visit: Visit) -> Response:
        """What the edit would do."""
        slug, pair = visit.pair()
        job = self._job(visit)
        if job is None:
            return visit.page("mapping_plan.html", slug=slug, job=None)
        draft, file = job.what, editing_of(pair).editor().file
        now = file.read()
        shown = shown_plan(job.result, visit.number("from")) if job.result is not None else {}
        return visit.page(
            "mapping_plan.html",
            slug=slug,
            job=job,
            draft=draft,
            file=file.path,
            saved=now.text == draft.edited.text,
            overtaken=now.digest != draft.digest,
            obstacle=file.obstacle(),
            **shown,
        )

    def save(self, visit: Visit) -> Response:
        """Write what was planned into the file, and have the service work by it."""
        slug, pair = visit.pair()
        path, job = f"/pairs/{slug}/mapping/plan", self._job(visit)
        if job is None or job.result is None or job.number != visit.given("job"):
            told = "Another edit was planned meanwhile, or this plan is too old: look again before it is saved."
            return visit.back_to(path, told, "waits")
        editing, draft = editing_of(pair), job.what
        try:
            editing.editor().file.save(draft.edited.text, draft.digest)
        except ConfigurationError as error:
            return visit.back_to(path, error.shown, "bad")
        assert draft.edited.section is not None  # noqa: S101 - only what is valid is planned
        editing.take(draft.edited.section)
        _log.info("mapping_saved", pair=pair.name, user=visit.who.name if visit.who else "")
        where = editing.editor().file.path
        return visit.back_to(path, _SAVED.format(where))

    def _job(self, visit: Visit) -> Job | None:
        return self._jobs.last(_KIND, visit.own(visit.pair()[1].name))


def editing_of(pair: OnePair) -> Editing:
    """How a pair's part of the file is changed. Raises `Missing` where there is no such file."""
    if pair.editing is None:
        raise Missing(NO_FILE)
    return pair.editing
