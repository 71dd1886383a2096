"""Rules in scenarios: as the configuration writes them, with the outside that answers to them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sync_daemon.model.engagement import Kind, told
from sync_daemon.model.report import CycleReport, Mode
from sync_daemon.model.rules import RuleBook
from sync_daemon.sandbox.emailoctopus.model import Campaign
from sync_daemon.settings.rule_book import rules_of
from sync_daemon.settings.rules import RuleSection
from tests.worlds import GHL, World

FIELDS = {"FirstName": "firstName", "LastName": "lastName"}
TASK = {"create_task": {"title": "Call {first_name}", "due_in": "2d"}}


def rule(event: str, *then: Mapping[str, Any], **when: Any) -> dict[str, Any]:
    return {"when": {"event": event, **when}, "then": list(then)}


def book(*rules: Mapping[str, Any], fields: Mapping[str, str] = FIELDS) -> RuleBook:
    sections = tuple(RuleSection.model_validate(one) for one in rules)
    return RuleBook(rules_of(sections, fields), timedelta(minutes=15))


def with_rules(here: World, *rules: Mapping[str, Any], fields: Mapping[str, str] = FIELDS) -> None:
    """Put rules into the configuration, and let a first cycle find them: from now on they are active."""
    here.pair = replace(here.pair, rules=book(*rules, fields=fields))
    here.reconcile()
    here.later(seconds=5)
    here.forget_requests()


def campaign(here: World, name: str = "Spring sale", *, lists: Sequence[str] = ()) -> Campaign:
    """A campaign that was just sent to the list."""
    made: Campaign = here.emailoctopus.create_campaign(name, [here.sandbox.list_id, *lists], "Look what is new")
    here.emailoctopus.send_campaign(made.id)
    here.later(seconds=5)
    return made


def tell(here: World, kind: Kind, subscriber_id: str, campaign_id: str = "", *, event: str = "e1") -> None:
    """A webhook tells what somebody did just now."""
    here.pair_store.save_occasions([told(kind, subscriber_id, campaign_id, here.clock.now(), event)])


def hear(here: World) -> CycleReport:
    """A cycle that a webhook woke."""
    here.later(seconds=1)
    return here.reconcile(Mode.HINTS)


def poll(here: World) -> CycleReport:
    """A cycle in which reports are read."""
    here.later(minutes=16)
    return here.reconcile()


def tasks(here: World, ghl_id: str) -> list[str]:
    return [task.title for task in here.ghl.tasks.of(ghl_id)]


def notes(here: World, ghl_id: str) -> list[str]:
    return [note.body for note in here.ghl.notes.of(ghl_id)]


def tags(here: World, ghl_id: str) -> list[str]:
    return list(here.ghl.contacts.get(ghl_id).tags)


def enrolments(here: World, ghl_id: str) -> list[str]:
    return [one.workflow_id for one in here.ghl.enrolments if one.contact_id == ghl_id]


def wrote(here: World) -> list[str]:
    """What was written to GHL since the last call: method and the path's end."""
    return [f"{method} {path.rsplit('/', 1)[-1]}" for method, path in here.writes(GHL)]
