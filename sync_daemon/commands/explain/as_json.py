"""An explanation as one JSON object: everything that the tables say, under names that scripts can rely on."""

from collections.abc import Mapping
from typing import Any

from sync_daemon.commands.changes import line_as_json
from sync_daemon.commands.printing import iso
from sync_daemon.model.deeds import Deed
from sync_daemon.model.explanation import (
    AddressNow,
    ConsentNow,
    ContactNow,
    Explanation,
    FieldNow,
    Forecast,
    PersonNow,
    Seen,
    TagNow,
)
from sync_daemon.model.plan import Operation
from sync_daemon.model.state import Held, Link, Parked, Tombstone
from sync_daemon.model.system import SystemName
from sync_daemon.wiring.planning import operation_as_json


def as_json(explanation: Explanation) -> dict[str, Any]:
    """The answer of one pair."""
    return {
        "pair": explanation.pair,
        "last_cycle": iso(explanation.last_cycle),
        "paused_since": iso(explanation.paused_since),
        "unread": {str(name): error.shown for name, error in explanation.unread.items()},
        "requests": {str(name): count for name, count in explanation.requests.items()},
        "persons": [_person(one) for one in explanation.persons],
    }


def _person(person: PersonNow) -> dict[str, Any]:
    return {
        "findings": [{"state": str(one.state), "words": one.words} for one in person.findings],
        "contacts": [_contact(one) for one in person.contacts],
        "link": _link(person.link) if person.link is not None else None,
        "address": _address(person.address) if person.address is not None else None,
        "fields": [_field(one) for one in person.fields],
        "tags": [_tag(one) for one in person.tags],
        "consent": _consent(person.consent) if person.consent is not None else None,
        "scope": {"inside": person.scope.inside, "before": person.scope.before, "verdict": person.scope.verdict}
        if person.scope is not None
        else None,
        "parked": [_parked(one) for one in person.parked],
        "held": [_held(one) for one in person.held],
        "tombstones": [_tombstone(one) for one in person.tombstones],
        "events": [
            {"system": str(one.system), "kind": str(one.kind), "occurred_at": iso(one.occurred_at)}
            for one in person.events
        ],
        "deeds": [_deed(one) for one in person.deeds],
        "notes_read_at": iso(person.activity.notes_read_at) if person.activity is not None else None,
        "activity_fields": sorted(person.activity.written) if person.activity is not None else [],
        "history": [line_as_json(one) for one in person.history],
        "next_cycle": _forecast(person.next_cycle) if person.next_cycle is not None else None,
        "full_scan": _forecast(person.full_scan) if person.full_scan is not None else None,
    }


def _contact(contact: ContactNow) -> dict[str, Any]:
    known, now = contact.known, contact.now
    return {
        "system": str(contact.system),
        "id": contact.contact_id,
        "role": contact.role,
        "exists": contact.exists,
        "unread": contact.unread,
        "updated_at": iso(now.updated_at) if now is not None else None,
        "known": None
        if known is None
        else {
            "updated_at": iso(known.updated_at),
            "consent": known.consent,
            "unlinked": known.unlinked,
            "duplicate_of": known.duplicate_of,
            "written_at": iso(known.written_at),
        },
        "waits_in_inbox": contact.staged is not None,
    }


def _link(link: Link) -> dict[str, Any]:
    return {
        "ghl_id": link.ghl_id,
        "emailoctopus_id": link.emailoctopus_id,
        "in_scope": link.in_scope,
        "left_by_configuration": link.left_by_configuration,
        "diverged": sorted(link.diverged),
        "address_emptied": link.address_emptied,
    }


def _by_system(values: Mapping[SystemName, Any]) -> dict[str, Any]:
    return {str(name): values[name] for name in SystemName}


def _read(values: Mapping[SystemName, Any], seen: Mapping[SystemName, Seen]) -> dict[str, Any]:
    return {str(name): {"value": values[name], "since_agreed": str(seen[name])} for name in SystemName}


def _address(address: AddressNow) -> dict[str, Any]:
    return {**_read(address.values, address.seen), "verdict": address.verdict}


def _field(row: FieldNow) -> dict[str, Any]:
    rule = row.rule
    sides = _read(row.values, row.seen)
    for name in SystemName:
        sides[str(name)]["field"] = rule.name_in(name)
        sides[str(name)]["changed_at"] = iso(row.changed_at[name])
    return {
        "field": rule.key,
        "direction": str(rule.direction),
        "conflict": str(rule.conflict),
        "blanks": str(rule.blanks),
        **sides,
        "diverged": row.diverged,
        "writes": row.writes,
        "state": row.state,
        "verdict": row.verdict,
    }


def _tag(tag: TagNow) -> dict[str, Any]:
    return {"tag": tag.name, "has": _by_system(tag.has), "had": _by_system(tag.had), "verdict": tag.verdict}


def _consent(consent: ConsentNow) -> dict[str, Any]:
    return {
        "now": _by_system(consent.now),
        "agreed": _by_system(consent.agreed),
        "cause": consent.cause,
        "remembered": consent.remembered,
        "dnd_by_us": consent.dnd_by_us,
        "permanent": consent.permanent,
        "held": consent.held,
        "unconfirmed": consent.unconfirmed,
        "verdict": consent.verdict,
    }


def _parked(entry: Parked) -> dict[str, Any]:
    return {
        "id": entry.id,
        "ghl_id": entry.ghl_id,
        "emailoctopus_id": entry.emailoctopus_id,
        "what": entry.what,
        "code": entry.code,
        "error": entry.message,
        "attempts": entry.attempts,
        "next_try": None if entry.let_be else iso(entry.next_try),
        "dropped": entry.dropped,
    }


def _held(entry: Held) -> dict[str, Any]:
    return {
        "id": entry.id,
        "ghl_id": entry.ghl_id,
        "emailoctopus_id": entry.emailoctopus_id,
        "action": entry.action,
        "reason": entry.reason,
        "since": iso(entry.since),
        "approved": entry.approved,
        "discarded": entry.discarded,
    }


def _tombstone(stone: Tombstone) -> dict[str, Any]:
    return {
        "ghl_id": stone.ghl_id,
        "emailoctopus_id": stone.emailoctopus_id,
        "deleted_in": str(stone.deleted_in),
        "at": iso(stone.at),
        "done": stone.done,
        "consent": stone.consent,
    }


def _deed(deed: Deed) -> dict[str, Any]:
    return {
        "what": deed.what,
        "state": str(deed.state),
        "ghl_id": deed.ghl_id,
        "emailoctopus_id": deed.emailoctopus_id,
        "at": iso(deed.at),
        "occurred_at": iso(deed.occurred_at),
        "code": deed.code,
        "next_try": iso(deed.next_try),
    }


def _forecast(forecast: Forecast) -> dict[str, Any]:
    return {
        "mode": str(forecast.mode),
        "operations": [_operation(one) for one in forecast.operations],
        "rules": [{"action": one.action, "reason": one.reason} for one in forecast.actions],
        "rules_held": [{"action": one.action, "reason": one.reason} for one in forecast.held_actions],
        "logged": [
            {"kind": one.kind, "system": one.system, "what": one.what, "reason": one.reason} for one in forecast.changes
        ],
    }


def _operation(operation: Operation) -> dict[str, Any]:
    parts = {"address": operation.address is not None, "tags": list(operation.tags), "consent": operation.consent}
    return {**operation_as_json(operation), **parts}
