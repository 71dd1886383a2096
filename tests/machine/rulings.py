"""The rules of a life: what in EmailOctopus leads to which actions in GHL, each action telling whose it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from sync_daemon.model.rules import Rule
from sync_daemon.sandbox.server import Sandbox
from tests.rules import book

MARK = "Rule"
"""How the text of every action begins, with its rule's number."""
TAG = "rule-"
"""How the tags that rules add begin; nobody else uses such."""
ONCE_EVERY = timedelta(days=2)
SPRING = "Spring*"
CITY = "Turin"
"""Where people live in GHL until somebody edits that: nobody ever moves there."""
_FAR_AHEAD = "2035-01-01T10:00:00Z"
_TOLD = "{event}|{campaign_name}|{occurred_at:%Y-%m-%d %H:%M:%S}"
_CLICK, _OPEN = {"event": "clicked"}, {"event": "opened"}
EVENTS: tuple[Mapping[str, Any], ...] = (
    _OPEN,
    {**_CLICK, "campaign": SPRING},
    {**_CLICK, "once_every": "2d"},
    {"event": "bounced"},
    {"event": "complained"},
    {"event": "unsubscribed"},
    {"event": "subscribed"},
    {"event": "tag_added:vip"},
    {"event": "tag_added:*"},
    {"event": "field_changed:FirstName"},
    {**_CLICK, "field": {"city": [CITY]}},
    {**_OPEN, "tags_none": ["vip"]},
)
"""When each of the rules acts; what it does is in `Rulings`."""
ONCE, ON_CITY, ON_TAG = 2, 10, 11
"""Those with a period, and with a condition on the contact."""


@dataclass(frozen=True)
class Rulings:
    """What is drawn of rules for a life: those there at first, those that are added later, and facts about reports.

    `telling` texts name the event that they are about; others are alike for all events.
    """

    first: tuple[int, ...] = ()
    later: tuple[int, ...] = ()
    telling: bool = False
    report_times: bool = True

    def prepare(self, sandbox: Sandbox) -> "Book":
        """Make the accounts ready."""
        ghl = sandbox.ghl.world
        if self.first:
            sandbox.emailoctopus.world.quirks.report_times = self.report_times
        calendar = str(ghl.add_calendar("Of rules")["id"]) if ON_TAG in self.first + self.later else ""
        workflows = {number: str(ghl.add_workflow(f"Of rule {number}")["id"]) for number in self.first + self.later}
        return Book(self, workflows, calendar)


class Book:
    """The rules as the program is told them, and whose each of their traces is."""

    def __init__(self, rulings: Rulings, workflows: Mapping[int, str], calendar: str) -> None:
        self.rulings, self.workflows, self._calendar = rulings, workflows, calendar
        self.numbers = rulings.first
        self.rules = book(*map(self._section, self.numbers))

    def grows(self) -> bool:
        """Let the later ones be added to the configuration; whether there were any left."""
        whole = self.rulings.first + self.rulings.later
        grown = len(whole) > len(self.numbers)
        self.numbers = whole
        self.rules = book(*map(self._section, whole))
        return grown

    def of(self, number: int) -> Rule:
        """One of the rules that are in the configuration now."""
        return self.rules.rules[self.numbers.index(number)]

    def actions_of(self, number: int) -> list[str]:
        """What a rule does, in the configuration's words."""
        return [next(iter(action)) for action in self._then(number)]

    def is_told(self, number: int) -> bool:
        """Whether a rule's texts say which event they are about."""
        return self.rulings.telling or number == ONCE

    def _section(self, number: int) -> dict[str, Any]:
        return {"when": EVENTS[number], "then": self._then(number)}

    def _then(self, number: int) -> list[dict[str, Any]]:
        text = f"{MARK} {number} {_TOLD}" if self.is_told(number) else f"{MARK} {number}"
        note, task = {"create_note": text}, {"create_task": {"title": f"{text}|{{first_name}}", "due_in": "2d"}}
        tag, workflow = {"add_tag": f"{TAG}{number}"}, {"add_to_workflow": self.workflows[number]}
        match EVENTS[number]["event"]:
            case "bounced":
                return [task]
            case "unsubscribed":
                return [note, workflow]
            case "tag_added:vip":
                return [tag, note]
            case "field_changed:FirstName":
                return [workflow]
            case "clicked" if number not in (ONCE, ON_CITY):
                return [tag, task, workflow]
            case "opened" if number == ON_TAG:
                return [{"ghl": self._appointment(text)}]
            case _:
                return [note]

    def _appointment(self, text: str) -> dict[str, Any]:
        """An operation that does more when it is done twice, and can't be looked for."""
        return {
            "operation": "Create Appointment",
            "calendarId": self._calendar,
            "startTime": _FAR_AHEAD,
            "title": text,
            "ignoreFreeSlotValidation": True,
        }


@st.composite
def rulings(draw: Callable[[Any], Any]) -> Rulings:
    """Some of the rules, and perhaps more of them later."""
    chosen = draw(st.lists(st.sampled_from(range(len(EVENTS))), min_size=3, max_size=8, unique=True))
    late = draw(st.sampled_from([0, 0, 1, 2]))
    return Rulings(
        first=tuple(chosen[late:]),
        later=tuple(chosen[:late]),
        telling=draw(st.booleans()),
        report_times=draw(st.sampled_from([True, True, False])),
    )
