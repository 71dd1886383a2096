"""A pair's configuration file on the desk of the mapping editor, and a browser's way with its form."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import httpx

from sync_daemon.cycle import PairPlan
from sync_daemon.model.contact import AccountSchema, FieldSpec
from sync_daemon.model.errors import ConfigurationError
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.planned import People
from sync_daemon.model.planned_pair import PlannedPair
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.model.system import SystemName
from sync_daemon.ports import CycleProgress
from sync_daemon.settings.configuration import Configuration
from sync_daemon.settings.editing import PairEditor
from sync_daemon.settings.files import ConfigurationFile
from sync_daemon.settings.pair import PairSection
from sync_daemon.settings.variables import Variables
from sync_daemon.web.dashboard.given import Editing
from sync_daemon.wiring.planning import FullPlan
from sync_daemon.wiring.sampling import Sampled, Sides
from tests.web.dashboard.house import NASTY

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
TEXT = """\
# Mine; don't touch.
secret_key: "{key}"
pairs:
  - name: main  # the only one
    ghl: {{location_id: l-4, token: "${{TOKEN}}"}}
    emailoctopus: {{list_id: m-4, api_key: eo-1}}
    fields:
      # names
      - {{ghl: firstName,  emailoctopus: FirstName}}  # as people say it
      - {{ghl: lastName, emailoctopus: LastName, direction: to_emailoctopus}}
    tags:
      exclude: ["${{HIDDEN}}", b]
    activity: {{tasks: {{open_count: Tasks}}}}
    rules:
      - when: {{event: clicked, campaign: "Spring*"}}
        then:
          - add_tag: spring  # a tag
      # by hand
      - when: {{event: opened}}
        then:
          - ghl: {{operation: Remove from Workflow, workflowId: wf-1}}
        allow_destructive: true
"""
VARIABLES = {"TOKEN": "pit-very-secret", "HIDDEN": "a"}


def schemas() -> dict[SystemName, AccountSchema]:
    ghl = [("firstName", "STANDARD"), ("lastName", "STANDARD"), ("city", "STANDARD"), ("custom.plan", "SINGLE_OPTIONS")]
    tags = [
        ("FirstName", "text"),
        ("LastName", "text"),
        ("City", "text"),
        ("Score", "number"),
        ("Tasks", "number"),
        ("Email", "text"),
    ]
    return {
        GHL: AccountSchema(GHL, {name: FieldSpec(name, name, type_, f"{name} {NASTY}") for name, type_ in ghl}),
        EMAILOCTOPUS: AccountSchema(EMAILOCTOPUS, {name: FieldSpec(name, name, type_, name) for name, type_ in tags}),
    }


@dataclass
class Desk:
    """The file, and what was asked: which sections were planned, and taken up."""

    path: Path
    sides: Sides = field(
        default_factory=lambda: {
            name: Sampled(schema, {next(iter(schema.fields)): (f"Ada {NASTY}", "Grace")})
            for name, schema in schemas().items()
        }
    )
    planned: list[PairSection] = field(default_factory=list)
    taken: list[PairSection] = field(default_factory=list)
    sampled: int = 0
    problem: str = ""

    def editing(self, section: PairSection) -> Editing:
        return Editing(
            self._editor(section.name),
            self._sample,
            self._plan,
            self._take,
        )

    def _editor(self, pair: str) -> Callable[[], PairEditor]:
        configuration = Configuration(self.path, Variables(VARIABLES))
        return lambda: PairEditor(ConfigurationFile(self.path), configuration, pair)

    def _sample(self) -> Sides:
        self.sampled += 1
        return self.sides

    def _plan(self, section: PairSection, _progress: CycleProgress) -> FullPlan:
        if self.problem:
            raise ConfigurationError(self.problem)
        self.planned.append(section)
        report = CycleReport("main", "run-x", Mode.FULL)
        update = Operation(EMAILOCTOPUS, Action.UPDATE, "g1", "e1", f"because {NASTY}", {"FirstName": "x"})
        cycle = PairPlan(
            "main", (update,), (), {GHL: 0, EMAILOCTOPUS: 1}, {GHL: 0.0, EMAILOCTOPUS: 0.1}, Counter(), 0, report,
            people=People({EMAILOCTOPUS: 7}, {EMAILOCTOPUS: 2}, 5),
        )  # fmt: skip
        return FullPlan([], cycle, PlannedPair("main", Mode.FULL, False, "l-4", "m-4", b"", ()))

    def _take(self, section: PairSection) -> None:
        self.taken.append(section)


def on_desk(folder: Path, text: str = TEXT) -> Desk:
    """A desk with a file of this text."""
    path = folder / "sync.yaml"
    path.write_text(text.format(key="k" * 40), encoding="utf-8")
    path.chmod(0o640)
    return Desk(path)


class _Inputs(HTMLParser):
    """The inputs of the form `mapping` with what a browser would send of them, no button pressed."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self._inside, self._name, self._text = False, "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._inside = self._inside or (tag == "form" and given.get("id") == "mapping")
        if not self._inside:
            return
        name = given.get("name") or ""
        if tag == "input":
            self.sent[name] = given.get("value") or ""
        elif tag in ("select", "textarea"):
            self._name, self._text = name, ""
        elif tag == "option" and self._name and ("selected" in given or self._name not in self.sent):
            self.sent[self._name] = given.get("value") or ""

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._name:  # the first line's end isn't part of it
            self.sent[self._name] = self._text.removeprefix("\n").replace("\n", "\r\n")
        if tag in ("select", "textarea"):
            self._name = ""
        self._inside = self._inside and tag != "form"


def form_of(answer: httpx.Response) -> dict[str, str]:
    """The form of a page, as a browser would send it."""
    found = _Inputs()
    found.feed(answer.text)
    return {name: value for name, value in found.sent.items() if name != "csrf"}
