"""Plans of whole pairs: what a reconcile would do, fields that it makes included, and how that is told in JSON."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from sync_daemon.changes.digests import Digester
from sync_daemon.cycle import PairPlan
from sync_daemon.cycle import plan as plan_cycle
from sync_daemon.model.plan import Action, Operation, RuleAction
from sync_daemon.model.planned import People, Planned
from sync_daemon.model.planned_pair import PlannedPair
from sync_daemon.model.report import Mode
from sync_daemon.model.system import SystemName
from sync_daemon.model.words import plural
from sync_daemon.ports import CycleProgress
from sync_daemon.reconcile.mapping_check import NewField
from sync_daemon.reconcile.planned import NEW_FIELD, planned_field
from sync_daemon.settings.pair import PairSection
from sync_daemon.wiring.installation import Installation


@dataclass(frozen=True, slots=True)
class FullPlan:
    """What a reconcile would do to one pair: the fields it makes first, and then the cycle; all of it as `planned`."""

    new_fields: Sequence[NewField]
    cycle: PairPlan
    planned: PlannedPair

    def requests(self) -> dict[SystemName, int]:
        """Write requests to each system, those that make fields included."""
        made = Counter(new.system for new in self.new_fields)
        return {system: self.cycle.requests[system] + made[system] for system in SystemName}


def plan_pair(
    installation: Installation, section: PairSection, mode: Mode, progress: CycleProgress, *, apply_scope: bool = False
) -> FullPlan:
    """The plan of one pair. Raises `ConfigurationError`, `StopSystem`, `IncompleteRead`."""
    with installation.foresee(section, progress) as (foreseen, new_fields):
        progress.begin(section.name, lambda system, requests: foreseen.systems[system].seconds_for(requests))
        cycle = plan_cycle(foreseen, mode, apply_scope=apply_scope)
    made = (planned_field(new, foreseen.digester) for new in new_fields)
    return FullPlan(
        new_fields,
        cycle,
        PlannedPair(
            section.name,
            cycle.report.mode,
            apply_scope,
            section.ghl.location_id,
            section.emailoctopus.list_id,
            configuration_of(section, foreseen.digester),
            (*made, *cycle.planned),
        ),
    )


def configuration_of(section: PairSection, digester: Digester) -> bytes:
    """The digest of all that a pair's configuration says but the accounts' ids and credentials."""
    return digester.configuration(section.model_dump_json(exclude={"ghl", "emailoctopus"}))


def digest_of(pairs: Iterable[PlannedPair]) -> str:
    """What plans are known by: the same as long as they would do the same to the same."""
    told = [(one.pair, sorted(map(_told, one.operations))) for one in pairs]
    return hashlib.sha256(msgspec.json.encode(told)).hexdigest()


def _told(operation: Planned) -> bytes:
    return msgspec.json.encode((*operation.key, *operation.does, operation.held))


def as_json(plans: Sequence[FullPlan]) -> dict[str, Any]:
    """The documented answer; `digest` is that of the pairs' operations, their values included.

    What a guard would hold is among them, and its reason begins with that; `requests` are those of the others.
    """
    pairs = [
        {
            "pair": one.cycle.pair,
            "operations": [
                *(_new_field_as_json(new) for new in one.new_fields),
                *(operation_as_json(operation) for operation in (*one.cycle.operations, *one.cycle.held)),
                *(_action_as_json(action) for action in (*one.cycle.actions, *one.cycle.held_actions)),
            ],
            "requests": {str(system): count for system, count in one.requests().items()},
            "least_seconds": {str(system): round(one.cycle.least_seconds[system], 1) for system in SystemName},
            "people": _people_as_json(one.cycle.people),
        }
        for one in plans
    ]
    return {"pairs": pairs, "digest": digest_of(one.planned for one in plans)}


def _people_as_json(people: People) -> dict[str, Any]:
    return {
        "added": {str(system): people.added.get(system, 0) for system in SystemName},
        "unsubscribed": {str(system): people.unsubscribed.get(system, 0) for system in SystemName},
        "mailable": people.mailable,
    }


def of_people(people: People) -> Iterator[str]:
    """Whom the plan would touch, as far as it would."""
    for system in SystemName:
        if added := people.added.get(system, 0):
            price = ", and its price depends on how many are subscribed" if system is SystemName.EMAILOCTOPUS else ""
            yield f"{system.label} would get {plural(added, 'new contact')}{price}."
        if unsubscribed := people.unsubscribed.get(system, 0):
            done = "unsubscribed" if system is SystemName.EMAILOCTOPUS else "blocked for e-mail"
            yield f"{plural(unsubscribed, 'contact')} would be {done} in {system.label}."
    if people.mailable:
        yield (
            f"{plural(people.mailable, 'contact')} could be mailed by EmailOctopus's automations, if there are any "
            "that new contacts, new tags or changed fields start."
        )


def what(operation: Operation) -> str:
    """What an operation is about: field names, tags, status; no personal value."""
    parts = [", ".join(operation.fields)] if operation.fields else []
    if operation.address is not None and operation.action is not Action.CREATE:
        parts.append("e-mail address")
    if operation.tags:
        parts.append(f"tags {', '.join(operation.tags)}" if len(operation.tags) > 1 else f"tag {operation.tags[0]}")
    if operation.consent is not None:
        parts.append(f"consent {operation.consent}")
    return "; ".join(parts) or "-"


def operation_as_json(operation: Operation) -> dict[str, Any]:
    """One operation in the words of `plan --json`."""
    return {
        "system": str(operation.system),
        "action": str(operation.action),
        "ghl_id": operation.ghl_id,
        "emailoctopus_id": operation.emailoctopus_id,
        "fields": list(operation.fields),
        "reason": operation.reason,
    }


def _action_as_json(action: RuleAction) -> dict[str, Any]:
    return {
        "system": str(SystemName.GHL),
        "action": action.action,
        "ghl_id": action.ghl_id,
        "emailoctopus_id": action.emailoctopus_id,
        "fields": [],
        "reason": action.reason,
    }


def _new_field_as_json(new: NewField) -> dict[str, Any]:
    return {
        "system": str(new.system),
        "action": NEW_FIELD,
        "ghl_id": None,
        "emailoctopus_id": None,
        "fields": [new.spec.name],
        "reason": "the configuration names it and the account doesn't have it",
    }
