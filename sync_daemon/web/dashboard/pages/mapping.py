"""The mapping editor: a pair's part of the file as a form, the plan that an edit would cause, and then saving it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import structlog
from starlette.responses import Response
from starlette.routing import Route

from sync_daemon.model.errors import ConfigurationError
from sync_daemon.model.system import SystemName
from sync_daemon.settings.editing import Edited, Original
from sync_daemon.settings.files import CHANGED_MEANWHILE
from sync_daemon.web.dashboard.doors import Doors
from sync_daemon.web.dashboard.given import Editing, OnePair
from sync_daemon.web.dashboard.jobs import Job, Jobs
from sync_daemon.web.dashboard.mapping.choosing import CHOICES
from sync_daemon.web.dashboard.mapping.form import MappingForm, fits, of_browser, of_file
from sync_daemon.web.dashboard.mapping.inputs import SINGLE
from sync_daemon.web.dashboard.mapping.look import Look, look
from sync_daemon.web.dashboard.mapping.naming import LABELS
from sync_daemon.web.dashboard.mapping.orders import PLAN, obeyed
from sync_daemon.web.dashboard.mapping.sides import choices, detail, unmapped
from sync_daemon.web.dashboard.planned import shown_plan
from sync_daemon.web.dashboard.visit import Missing, Visit
from sync_daemon.wiring.planning import FullPlan
from sync_daemon.wiring.sampling import Sampled, Sides

_SIDES, _PLAN = "sides", "edit"
_NO_FILE = "The configuration of this pair isn't in a file that the service could write."
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Draft:
    """An edit that is planned: the form, what the file would say, and the digest of what it said."""

    form: MappingForm
    edited: Edited
    digest: str
    changes: tuple[str, ...]


class MappingPages:
    """The form, its plan, and saving what was planned."""

    def __init__(self, doors: Doors, jobs: Jobs) -> None:
        self._doors, self._jobs = doors, jobs

    def routes(self) -> list[Route]:
        """The addresses."""
        doors, path = self._doors, "/pairs/{pair}/mapping"
        return [
            doors.page(path, self.show),
            doors.action(path, self.edit),
            doors.action(f"{path}/check", self.check),
            doors.question(f"{path}/sides", self.ask_sides),
            doors.page(f"{path}/plan", self.show_plan),
            doors.action(f"{path}/save", self.save),
        ]

    def show(self, visit: Visit) -> Response:
        """The form as the file fills it, or as it was planned."""
        _, pair = visit.pair()
        job = self._jobs.last(_PLAN, visit.own(pair.name))
        if job is not None and job.number == visit.given("draft"):
            return self._form(visit, job.what.form, job.what.digest)
        return self._form(visit)

    def edit(self, visit: Visit) -> Response:
        """Do what a button says with the form; plan what it would cause, where that is the button."""
        slug, pair = visit.pair()
        form, order = of_browser(visit.form), visit.given("do")
        if order != PLAN:
            return self._form(visit, form, visit.given("digest"), order)
        original, digest = _editing(pair).editor.open(), visit.given("digest")
        if original.written.digest != digest or not fits(form, original):
            return self._form(visit, form, digest)
        found = self._look(pair, original, form)
        if found.wrong or not found.changes or found.edited.section is None:
            return self._form(visit, form, digest)
        section, draft = found.edited.section, Draft(form, found.edited, digest, tuple(found.changes))
        self._jobs.begin(_PLAN, visit.own(pair.name), draft, lambda tally: _editing(pair).plan(section, tally))
        return visit.back_to(f"/pairs/{slug}/mapping/plan")

    def check(self, visit: Visit) -> Response:
        """What is wrong with a form, while it is being filled in."""
        return self._form(visit, of_browser(visit.form), visit.given("digest"), template="mapping_checked.html")

    def ask_sides(self, visit: Visit) -> Response:
        """Read both sides' fields and sample values anew."""
        slug, pair = visit.pair()
        self._begin_sides(pair, _editing(pair))
        return visit.back_to(f"/pairs/{slug}/mapping")

    def show_plan(self, visit: Visit) -> Response:
        """What the edit would do."""
        slug, pair = visit.pair()
        job = self._jobs.last(_PLAN, visit.own(pair.name))
        if job is None:
            return visit.page("mapping_plan.html", slug=slug, job=None)
        draft: Draft = job.what
        editor = _editing(pair).editor
        now = editor.file.read()
        shown = shown_plan(job.result, visit.number("from")) if job.result is not None else {}
        return visit.page(
            "mapping_plan.html",
            slug=slug,
            job=job,
            draft=draft,
            file=editor.file.path,
            saved=now.text == draft.edited.text,
            overtaken=now.digest != draft.digest,
            obstacle=editor.file.obstacle(),
            **shown,
        )

    def save(self, visit: Visit) -> Response:
        """Write what was planned into the file, and have the service work by it."""
        slug, pair = visit.pair()
        path, job = f"/pairs/{slug}/mapping/plan", self._jobs.last(_PLAN, visit.own(pair.name))
        if job is None or job.result is None or job.number != visit.given("job"):
            told = "Another edit was planned meanwhile, or this plan is too old: look again before it is saved."
            return visit.back_to(path, told, "waits")
        editing, draft = _editing(pair), job.what
        try:
            editing.editor.file.save(draft.edited.text, draft.digest)
        except ConfigurationError as error:
            return visit.back_to(path, error.shown, "bad")
        taken = editing.take(draft.edited.section)
        _log.info("mapping_saved", pair=pair.name, user=visit.who.name if visit.who else "", taken=taken)
        return visit.back_to(path, _saved(editing, taken=taken))

    def _form(
        self,
        visit: Visit,
        form: MappingForm | None = None,
        digest: str = "",
        order: str = "",
        template: str = "mapping.html",
    ) -> Response:
        slug, pair = visit.pair()
        if pair.editing is None:
            return visit.page("mapping_closed.html", 404, slug=slug, why=_NO_FILE)
        try:
            original = pair.editing.editor.open()
        except ConfigurationError as error:
            return visit.page("mapping_closed.html", 409, slug=slug, why=error.shown)
        form, digest = form or of_file(original), digest or original.written.digest
        job = self._sides_job(pair, pair.editing)
        sides = _sides(pair, job)
        stale = digest != original.written.digest or not fits(form, original)
        if order and not stale:
            form = obeyed(order, form, original, sides)
        found = Look(Edited("", None), (), ()) if stale else look(pair.editing.editor, original, form, sides, pair.store)
        return visit.page(
            template,
            slug=slug,
            here=f"/pairs/{slug}/mapping",
            form=form,
            digest=digest,
            found=found,
            stale=CHANGED_MEANWHILE.format(pair.editing.editor.file.path) if stale else "",
            file=pair.editing.editor.file.path,
            obstacle=pair.editing.editor.file.obstacle(),
            reading=job.ended is None,
            sides=sides,
            detail=lambda system, row: detail(sides, system, row, found.new),
            unmapped=unmapped(sides, form),
            known={system: choices(sides, system) for system in SystemName},
            single=SINGLE,
            labels=LABELS,
            choices=CHOICES,
        )

    def _look(self, pair: OnePair, original: Original, form: MappingForm) -> Look:
        editing = _editing(pair)
        return look(editing.editor, original, form, _sides(pair, self._sides_job(pair, editing)), pair.store)

    def _sides_job(self, pair: OnePair, editing: Editing) -> Job:
        """The reading of both sides, begun where none is remembered."""
        if self._jobs.last(_SIDES, pair.name) is None:
            self._begin_sides(pair, editing)
        job = self._jobs.last(_SIDES, pair.name)
        assert job is not None  # noqa: S101 - it was begun just now
        return job

    def _begin_sides(self, pair: OnePair, editing: Editing) -> None:
        self._jobs.begin(_SIDES, pair.name, None, lambda _: editing.sample())


def _editing(pair: OnePair) -> Editing:
    if pair.editing is None:
        raise Missing(_NO_FILE)
    return pair.editing


def _sides(pair: OnePair, job: Job) -> Sides:
    """Both sides as they were just read; what couldn't be, as the store knows it, without samples."""
    read: Sides = job.result or {}
    return {name: _side(name, read.get(name, Sampled(problem=job.problem)), pair) for name in SystemName}


def _side(name: SystemName, read: Sampled, pair: OnePair) -> Sampled:
    return read if read.schema is not None else replace(read, schema=pair.store.schema(name))


def _saved(editing: Editing, *, taken: bool) -> str:
    where = editing.editor.file.path
    if not taken:
        return (
            f"Saved in {where}. The service works by it once it is started again: the file names other accounts or "
            "credentials by now than those it runs with."
        )
    return (
        f"Saved in {where}. The service works by it from its next cycle on; people and fields that are new to it meet "
        "in the next full scan."
    )
