"""What the writes of one case replaced, as the undo journal keeps it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sync_daemon.changes.cases import CaseSide, ContactKey
from sync_daemon.changes.digests import canonical
from sync_daemon.changes.tagbook import fold
from sync_daemon.model.contact import Snapshot, Value
from sync_daemon.model.plan import Action, Operation, Returned, WriteResult
from sync_daemon.model.state import Baseline
from sync_daemon.model.system import SystemName
from sync_daemon.model.undo import Replaced, Swap
from sync_daemon.reconcile.decision import Context, Decision

ADDRESS = "address"


def replaced(
    decision: Decision, results: Sequence[WriteResult], context: Context, reads: Mapping[ContactKey, Snapshot]
) -> Iterator[Replaced]:
    """A row for each write that was taken; `reads` are contacts as they were before, where the case has no snapshot."""
    for result in results:
        if result.refusal is None and result.returned is not None:
            row = _row(decision, result.operation, result.returned, context, reads)
            if row is not None:
                yield row


def overwritten(decision: Decision, context: Context) -> Iterator[tuple[ContactKey, frozenset[str]]]:
    """The contacts whose values are about to be overwritten though nobody has read them, with the parts."""
    for operation in decision.operations:
        side = _side(decision, operation)
        if operation.action is not Action.UPDATE or side is None or side.snapshot is not None:
            continue
        keys = _keys(operation.system, context)
        parts = {key for name in operation.fields if not _was_blank(side, key := keys[name], context)}
        parts |= {ADDRESS} if operation.address else set()
        if parts:
            yield (side.system, side.contact_id), frozenset(parts)


def is_as_agreed(snapshot: Snapshot, side: CaseSide, parts: frozenset[str], context: Context) -> bool:
    """Whether a contact that was read just now still has what both sides agreed about in some parts."""
    rules = [rule for rule in context.detector.rules if rule.key in parts]
    if ADDRESS in parts and context.detector.address_changed(snapshot, side.known):
        return False
    return not any(context.detector.field_changed(rule, snapshot, side.known) for rule in rules)


def _row(
    decision: Decision,
    operation: Operation,
    returned: Returned,
    context: Context,
    reads: Mapping[ContactKey, Snapshot],
) -> Replaced | None:
    side = _side(decision, operation)
    before = (side.snapshot or reads.get((side.system, side.contact_id))) if side is not None else None
    row = Replaced(operation.system, operation.action, *_ids(operation, returned))
    match operation.action:
        case Action.CREATE:
            made = returned.contact
            digest = context.detector.digester.snapshot(made) if made is not None else None
            return replace(row, digest=digest, updated_at=returned.updated_at or (made.updated_at if made else None))
        case Action.ADD_TAGS | Action.REMOVE_TAGS:
            tags = _changed_tags(operation, before)
            return replace(row, tags=tags) if tags else None
        case Action.UPDATE:
            return _update(row, decision, operation, returned, (side, before), context)
        case _:
            return row


def _update(
    row: Replaced,
    decision: Decision,
    operation: Operation,
    returned: Returned,
    was: tuple[CaseSide | None, Snapshot | None],
    context: Context,
) -> Replaced | None:
    side, before = was
    names = {key: name for name, key in _keys(operation.system, context).items()}
    fields: dict[str, Swap] = {}
    unread: set[str] = set()
    for key, after in _after(operation, returned, context):
        if before is None and not _was_blank(side, key, context):
            unread.add(key)
            continue
        value = before.fields.get(names[key]) if before is not None else None
        if canonical(value) != canonical(after):
            fields[key] = Swap(value, after)
    address = None
    if operation.address is not None and before is None:
        unread.add(ADDRESS)
    elif operation.address is not None and before is not None:
        address = Swap(before.address, operation.address)
    lost = {conflict.part for conflict in decision.conflicts if conflict.winner is not operation.system}
    lost &= {*fields, *unread, *([ADDRESS] if address else [])}
    if not fields and not unread and address is None:
        return None
    return replace(row, fields=fields, unread=frozenset(unread), address=address, conflicts=frozenset(lost))


def _after(operation: Operation, returned: Returned, context: Context) -> Iterator[tuple[str, Value]]:
    """What the fields of an operation hold now, by the mapping row's key."""
    keys, contact = _keys(operation.system, context), returned.contact
    for name, value in operation.fields.items():
        yield keys[name], contact.fields.get(name) if contact is not None else value


def _changed_tags(operation: Operation, before: Snapshot | None) -> tuple[str, ...]:
    """The tags that weren't there before, or were, as far as that is known."""
    if before is None:
        return operation.tags
    had, adds = {fold(name) for name in before.tags}, operation.action is Action.ADD_TAGS
    return tuple(name for name in operation.tags if (fold(name) in had) is not adds)


def _side(decision: Decision, operation: Operation) -> CaseSide | None:
    """The contact that is written to, None for one that is created."""
    targets = decision.case.targets()
    return next(
        (one for one in targets if (one.system, one.contact_id) == (operation.system, operation.target_id)), None
    )


def _ids(operation: Operation, returned: Returned) -> tuple[str | None, str | None]:
    """GHL's and EmailOctopus's id, as the contact that was written to is called now."""
    if operation.system is SystemName.GHL:
        return returned.contact_id, operation.emailoctopus_id
    return operation.ghl_id, returned.contact_id


def _keys(system: SystemName, context: Context) -> dict[str, str]:
    return {mapped.rule.name_in(system): mapped.rule.key for mapped in context.fields}


def _was_blank(side: CaseSide | None, key: str, context: Context) -> bool:
    """Whether the baseline tells, by the digest of nothing, that a field was blank."""
    if side is None:
        return False
    baseline = side.known.baseline or Baseline()
    return baseline.fields.get(key) == context.detector.digester.field(side.system, side.contact_id, key, None)
