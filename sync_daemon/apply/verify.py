"""What came back held against what was sent: a write that wasn't taken is no write (contract, section 2). Pure."""

from dataclasses import dataclass

from sync_daemon.changes.tagbook import fold
from sync_daemon.model.contact import Snapshot
from sync_daemon.model.plan import Action, Operation, WriteResult
from sync_daemon.reconcile.conversion import known_form
from sync_daemon.reconcile.fields import MappedField

NOT_TAKEN = "not_taken"
"""The code of a value or tag that came back other than it was sent."""
STATUS_REFUSED = "status_refused"
"""The code of a status that came back other than it was sent."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One part of an operation that failed: a stable code, and the API's own words where it said any."""

    part: str
    code: str
    message: str = ""


def failures(result: WriteResult, fields: tuple[MappedField, ...]) -> list[Failure]:
    """The parts of an operation that were refused or not taken; empty when all of it holds."""
    operation, refusal = result.operation, result.refusal
    if refusal is not None:
        other = f" (in the way: {refusal.other_id})" if refusal.other_id else ""
        return [Failure(part, refusal.code, refusal.message + other) for part in operation.parts]
    contact = result.returned.contact if result.returned else None
    tags = result.returned.tags if result.returned else None
    found = [] if contact is None else _fields_not_taken(operation, contact, fields)
    if contact is not None and not _status_taken(operation, contact):
        found.append(Failure("consent", STATUS_REFUSED))
    held = tags if tags is not None else (contact.tags if contact else None)
    if held is not None and not _tags_taken(operation, held):
        found.append(Failure("tags", NOT_TAKEN))
    return found


def _fields_not_taken(operation: Operation, contact: Snapshot, fields: tuple[MappedField, ...]) -> list[Failure]:
    system = operation.system
    return [
        Failure(mapped.rule.key, NOT_TAKEN)
        for mapped in fields
        if (name := mapped.rule.name_in(system)) in operation.fields
        and known_form(contact.fields.get(name), mapped.type_in(system), country=mapped.country)
        != known_form(operation.fields[name], mapped.type_in(system), country=mapped.country)
    ]


def _status_taken(operation: Operation, contact: Snapshot) -> bool:
    """Whether the consent sent is the consent that came back. GHL may leave `dndSettings` out of an answer."""
    return operation.consent is None or contact.consent in (None, operation.consent)


def _tags_taken(operation: Operation, held: frozenset[str]) -> bool:
    names, now = {fold(name) for name in operation.tags}, {fold(name) for name in held}
    match operation.action:
        case Action.ADD_TAGS | Action.CREATE:
            return names <= now
        case Action.REMOVE_TAGS:
            return names.isdisjoint(now)
        case _:
            return True
