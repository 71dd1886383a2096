"""The mapping editor: a pair's part of the file as a form, looked at while it is being filled in."""

from dataclasses import replace

from starlette.responses import Response
from starlette.routing import Route

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.model.system import SystemName
from sync_daemon.settings.files import CHANGED_MEANWHILE
from sync_daemon.web.dashboard.doors import Doors
from sync_daemon.web.dashboard.given import Editing, OnePair
from sync_daemon.web.dashboard.jobs import Job, Jobs
from sync_daemon.web.dashboard.mapping.choosing import CHOICES
from sync_daemon.web.dashboard.mapping.form import MappingForm, fits, of_browser, of_file
from sync_daemon.web.dashboard.mapping.inputs import SINGLE
from sync_daemon.web.dashboard.mapping.look import NOTHING_SEEN, look
from sync_daemon.web.dashboard.mapping.naming import LABELS
from sync_daemon.web.dashboard.mapping.orders import PLAN, obeyed
from sync_daemon.web.dashboard.mapping.sides import choices, detail, unmapped
from sync_daemon.web.dashboard.pages.edit_plan import NO_FILE, Draft, EditPlans, editing_of
from sync_daemon.web.dashboard.visit import Visit
from sync_daemon.wiring.sampling import Sampled, Sides

_SIDES = "sides"
_FORM, _CHECKED = "mapping.html", "mapping_checked.html"


class MappingPages:
    """The form, and what its buttons do with it."""

    def __init__(self, doors: Doors, jobs: Jobs, plans: EditPlans) -> None:
        self._doors, self._jobs, self._plans = doors, jobs, plans

    def routes(self) -> list[Route]:
        """The addresses."""
        doors, path = self._doors, "/pairs/{pair}/mapping"
        return [
            doors.page(path, self.show),
            doors.action(path, self.edit),
            doors.action(f"{path}/check", self.check),
            doors.action(f"{path}/sides", self.ask_sides),
        ]

    def show(self, visit: Visit) -> Response:
        """The form as the file fills it, or as it was planned."""
        draft = self._plans.drafted(visit)
        return self._form(visit, draft.form, draft.digest) if draft is not None else self._form(visit)

    def edit(self, visit: Visit) -> Response:
        """Do what a button says with the form; plan what it would cause, where that is the button."""
        return self._form(visit, of_browser(visit.form), visit.given("digest"), visit.given("do"))

    def check(self, visit: Visit) -> Response:
        """What is wrong with a form, while it is being filled in."""
        return self._form(visit, of_browser(visit.form), visit.given("digest"), template=_CHECKED)

    def ask_sides(self, visit: Visit) -> Response:
        """Read both sides' fields and sample values anew."""
        slug, pair = visit.pair()
        self._begin_sides(pair, editing_of(pair))
        return visit.back_to(f"/pairs/{slug}/mapping")

    def _form(
        self,
        visit: Visit,
        form: MappingForm | None = None,
        digest: str = "",
        order: str = "",
        template: str = _FORM,
    ) -> Response:
        """The form after an order, with what is to be said about it; or the plan of it, where that is the order."""
        slug, pair = visit.pair()
        if pair.editing is None:
            return visit.page("mapping_closed.html", slug=slug, why=NO_FILE)
        focus = ""
        try:
            editor = pair.editing.editor()
            original = editor.open()
        except ConfigurationError as error:
            return visit.page("mapping_closed.html", 409, slug=slug, why=error.shown)
        form, digest = form or of_file(original), digest or original.written.digest
        job = self._sides_job(pair, pair.editing)
        sides, stale = _sides(pair, job), digest != original.written.digest or not fits(form, original)
        if not stale:
            form, focus = obeyed(order, form, original, sides)
        found = NOTHING_SEEN if stale else look(editor, original, form, sides, pair.store)
        if order == PLAN and found.may_be_planned:
            return self._plans.begin(visit, Draft(form, found.edited, digest, tuple(found.changes)))
        return visit.page(
            template,
            slug=slug,
            here=f"/pairs/{slug}/mapping",
            form=form,
            focus=focus,
            digest=digest,
            found=found,
            stale=CHANGED_MEANWHILE.format(editor.file.path) if stale else "",
            file=editor.file.path,
            obstacle=editor.file.obstacle(),
            reading=job.ended is None,
            sides=sides,
            detail=lambda system, row: detail(sides, system, row, found.new),
            unmapped=unmapped(sides, form, original.section.activity.named().values()),
            known={system: choices(sides, system) for system in SystemName},
            single=SINGLE,
            labels=LABELS,
            choices=CHOICES,
        )

    def _sides_job(self, pair: OnePair, editing: Editing) -> Job:
        """The reading of both sides, begun where none is remembered."""
        if self._jobs.last(_SIDES, pair.name) is None:
            self._begin_sides(pair, editing)
        job = self._jobs.last(_SIDES, pair.name)
        assert job is not None  # noqa: S101 - it was begun just now
        return job

    def _begin_sides(self, pair: OnePair, editing: Editing) -> None:
        self._jobs.begin(_SIDES, pair.name, None, lambda _: editing.sample())


def _sides(pair: OnePair, job: Job) -> Sides:
    """Both sides as they were just read; what couldn't be, as the store knows it, without samples."""
    read: Sides = job.result or {}
    return {name: _side(name, read.get(name, Sampled(problem=job.problem)), pair) for name in SystemName}


def _side(name: SystemName, read: Sampled, pair: OnePair) -> Sampled:
    return read if read.schema is not None else replace(read, schema=pair.store.schemas().get(name))
