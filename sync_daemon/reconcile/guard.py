"""How much of a kind a day may change before a person is asked, and what is held then (contract, section 7). Pure.

One change is one contact, or one linked pair of them, whatever the number of its fields, tags or writes. A part that
is held leaves the rest of its case alone: its operations are taken out, and its baselines don't move.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from math import floor

from sync_daemon.changes.cases import Case
from sync_daemon.model.plan import Action, MassChange, Operation
from sync_daemon.model.policy import FieldRule, GuardLimits
from sync_daemon.model.state import Held, Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.decision import Decision

Ids = tuple[str | None, str | None]
"""GHL's and EmailOctopus's id of what one change is about."""

CREATIONS = frozenset({MassChange.CREATE_IN_GHL, MassChange.CREATE_IN_EMAILOCTOPUS})
_CREATION_IN = {
    SystemName.GHL: MassChange.CREATE_IN_GHL,
    SystemName.EMAILOCTOPUS: MassChange.CREATE_IN_EMAILOCTOPUS,
}
OF_RULES = frozenset({MassChange.RULE_ACTION, MassChange.RULE_REMOVAL})
OF_NO_CASE = OF_RULES | {MassChange.UNDO}
"""What no case is about: rules answer to what happened, and an undo to a person, whatever is decided of the contact."""
_BY_CREATE_LIMITS = CREATIONS | {MassChange.RULE_ACTION}
_OF_CONTENTS = frozenset({MassChange.BLANK, MassChange.TAG_REMOVAL})
_KINDS = frozenset(map(str, MassChange))
_WORDS = {
    MassChange.DELETION: "deletions and what follows from them",
    MassChange.LEAVE_SCOPE: "contacts that left the scope",
    MassChange.BLANK: "contacts with cleared fields",
    MassChange.TAG_REMOVAL: "contacts with removed tags",
    MassChange.RULE_ACTION: "actions of rules",
    MassChange.RULE_REMOVAL: "removals by rules",
    MassChange.UNDO: "contacts that would be deleted, or lose a value or tag",
    MassChange.CREATE_IN_GHL: "new contacts in GoHighLevel",
    MassChange.CREATE_IN_EMAILOCTOPUS: "new contacts in EmailOctopus",
}


def room_left(kind: MassChange, limits: GuardLimits, *, links: int, made: int) -> int:
    """How many more changes of a kind may be made when `made` were within 24 hours; one more holds them all.

    A limit is passed when both its share of the links and its count are.
    """
    percent, count = _limits_of(kind, limits)
    return max(0, max(floor(links * percent / 100), count) - made)


def why_held(kind: MassChange, limits: GuardLimits, *, links: int, made: int, asked: int) -> str:
    """Why a kind is held, in words with the numbers."""
    percent, count = _limits_of(kind, limits)
    before = f" after {made:,} in the 24 hours before" if made else ""
    share = f"{percent:g}% of {links:,} links"
    return f"{_WORDS[kind]}: {asked:,} in one cycle{before}, more than {count:,} and more than {share}"


def _limits_of(kind: MassChange, limits: GuardLimits) -> tuple[float, int]:
    if kind in _BY_CREATE_LIMITS:
        return limits.max_create_percent, limits.max_create_count
    return limits.max_destructive_percent, limits.max_destructive_count


def kind_of(operation: Operation) -> MassChange | None:
    """The kind an operation is, or has a part of; None where no guard counts it."""
    if operation.policy is not None:
        return operation.policy
    if operation.action is Action.CREATE:
        return _CREATION_IN[operation.system]
    if operation.action is Action.REMOVE_TAGS:
        return MassChange.TAG_REMOVAL
    clears = operation.action is Action.UPDATE and None in operation.fields.values()
    return MassChange.BLANK if clears else None


def asked(decision: Decision) -> dict[MassChange, Ids]:
    """The kinds that a decision asks for, each with what it is about.

    Links that exchange their contacts take what they have along: nothing of it is lost, so nothing is counted.
    """
    found: dict[MassChange, Ids] = {}
    if decision.partial:
        return found
    for operation in decision.operations:
        kind = kind_of(operation)
        if kind is not None and not (decision.case.exchanged and kind in _OF_CONTENTS):
            found.setdefault(kind, _about(operation, kind, decision))
    return found


def begun(case: Case) -> frozenset[MassChange]:
    """The kinds that a run which didn't get to its end was let through with, and counted."""
    sent = (side.known.sent for side in case.targets())
    return frozenset(MassChange(kind) for one in sent if one is not None for kind in one.counted)


def within_reach(decision: Decision, closed: frozenset[SystemName]) -> Decision:
    """The decision where nothing goes to `closed` systems; one of which nothing goes out counts as no change yet."""
    reaches = any(operation.system not in closed for operation in decision.operations)
    return replace(decision, unsent=closed, counted=decision.counted if reaches else frozenset())


def fresh(decision: Decision, *, first_load: bool) -> dict[MassChange, Ids]:
    """What of it needs room.

    That is what no person has been asked about yet, what no run that was cut off was let through with, and what isn't
    created by a first load.
    """
    known = {*(entry.action for entry in decision.case.held), *begun(decision.case)}
    return {
        kind: ids
        for kind, ids in asked(decision).items()
        if kind not in known and not (first_load and kind in CREATIONS)
    }


def guarded(
    decision: Decision, over: Mapping[MassChange, str], rules: Collection[FieldRule], now: datetime, *, first_load: bool
) -> Decision:
    """The decision without what is held: the kinds `over` their limit, with the reason, and what waits for a person.

    What a person approved stays in it, what he discarded counts as agreed. What isn't asked for any more leaves the
    queue.
    """
    if decision.partial:
        return decision
    entries = {entry.action: entry for entry in decision.case.held if entry.action in _KINDS}
    parked = decision.case.parked.keys() - {entry.what for entry in decision.unparks}
    wanted, new = asked(decision), fresh(decision, first_load=first_load)
    result = decision
    holds: list[Held] = []
    keys = [rule.key for rule in rules]
    over_and_done = [
        entry for kind, entry in entries.items() if kind not in wanted and parked.isdisjoint(stuck_parts(kind, keys))
    ]
    for kind, ids in wanted.items():
        entry = entries.get(kind)
        discarded = entry is not None and entry.discarded
        too_many = kind in new and kind in over
        if entry is not None and (entry.approved or discarded):
            over_and_done.append(entry)
        if too_many or discarded or (entry is not None and not entry.approved):
            result = _without(result, kind, rules, agreed=discarded)
        if too_many:
            holds.append(Held(*ids, kind, f"{_which(decision, kind, rules)}{over[kind]}", now))
    return replace(
        result,
        holds=(*result.holds, *holds),
        unholds=tuple(dict.fromkeys((*result.unholds, *over_and_done))),
        counted=frozenset(new) - over.keys() | (begun(decision.case) & wanted.keys()),
    )


def _which(decision: Decision, kind: MassChange, rules: Collection[FieldRule]) -> str:
    """The fields that would be cleared, as the reason doesn't name them; nothing for the other kinds."""
    if kind is not MassChange.BLANK:
        return ""
    cleared = [
        f"{name} in {operation.system.label}"
        for operation in decision.operations
        if kind_of(operation) is kind
        for name in _cleared(operation, rules)
    ]
    return f"{', '.join(cleared)}: "


def split(operation: Operation, kind: MassChange, rules: Iterable[FieldRule]) -> tuple[Operation | None, Operation]:
    """What is left of an operation without its part of a kind, None when nothing is; and that part."""
    if kind is not MassChange.BLANK or operation.policy is not None:
        return None, operation
    cleared = _cleared(operation, rules)
    keys = tuple(cleared.values())
    part = replace(operation, fields=dict.fromkeys(cleared), address=None, parts=keys)
    left = {name: value for name, value in operation.fields.items() if name not in cleared}
    rest = replace(operation, fields=left, parts=tuple(one for one in operation.parts if one not in keys))
    return (rest if left or operation.address is not None else None), part


def stuck_parts(action: str, keys: Iterable[str]) -> frozenset[str]:
    """The parts of a contact that a held change is about; a cleared field may be any of the mapped rows `keys`."""
    match action:
        case MassChange.BLANK:
            return frozenset(keys)
        case MassChange.TAG_REMOVAL:
            return frozenset({"tags"})
        case MassChange.DELETION | MassChange.LEAVE_SCOPE:
            return frozenset({"consent", "tags", "deletion", "scope"})
        case MassChange.CREATE_IN_GHL | MassChange.CREATE_IN_EMAILOCTOPUS:
            return frozenset({"creation"})
        case MassChange.RULE_ACTION | MassChange.RULE_REMOVAL | MassChange.UNDO:
            return frozenset()
        case _:
            return frozenset({"address"})


def _about(operation: Operation, kind: MassChange, decision: Decision) -> Ids:
    if kind is not MassChange.DELETION:
        return operation.ghl_id, operation.emailoctopus_id
    if decision.orphan is not None:
        return None, decision.orphan
    link = decision.case.link
    return (link.ghl_id, link.emailoctopus_id) if link else (operation.ghl_id, operation.emailoctopus_id)


def _without(decision: Decision, kind: MassChange, rules: Collection[FieldRule], *, agreed: bool) -> Decision:
    """The decision without what it does of a kind. `agreed`: what is there now counts as agreed, for good."""
    if kind is MassChange.BLANK:
        return _without_blanks(decision, rules, agreed=agreed)
    dropped = [operation for operation in decision.operations if kind_of(operation) is kind]
    left = replace(decision, operations=tuple(one for one in decision.operations if one not in dropped))
    if kind in CREATIONS:
        return replace(left, unlinked=Unlinked.DISCARDED if agreed else Unlinked.HELD, to_park=())
    if kind is MassChange.TAG_REMOVAL:
        return _diverged(left, {"tags"}) if agreed else replace(left, settles=left.settles - {"tags"})
    if kind is MassChange.LEAVE_SCOPE:
        return replace(left, settles=left.settles - {part for one in dropped for part in one.parts})
    if agreed:
        return left
    if decision.orphan is not None:  # where its link moved on before, it waits as it did
        return left if decision.dissolves is not None else replace(left, orphan=None)
    # Until somebody says so, nobody was deleted: the link stays, and nothing but a person's revocation goes out.
    revocations = tuple(operation for operation in left.operations if operation.revokes)
    case, cause = decision.case, decision.remember if revocations else None
    link = replace(case.link, cause=cause or case.link.cause) if case.link else None
    settles = decision.settles & ({"consent"} if revocations else set())
    # What else a person approved or discarded can't be obeyed any more: it would be looked at in every cycle.
    over = tuple(one for one in case.held if one.action != kind and (one.approved or one.discarded))
    return Decision(case, revocations, settles, link=link, unlinked=Unlinked.HELD, remember=cause, unholds=over)


def _without_blanks(decision: Decision, rules: Collection[FieldRule], *, agreed: bool) -> Decision:
    operations: list[Operation] = []
    keys: set[str] = set()
    for operation in decision.operations:
        if kind_of(operation) is not MassChange.BLANK:
            operations.append(operation)
            continue
        rest, part = split(operation, MassChange.BLANK, rules)
        keys.update(part.parts)
        operations += [rest] if rest is not None else []
    left = replace(
        decision,
        operations=tuple(operations),
        conflicts=tuple(conflict for conflict in decision.conflicts if conflict.part not in keys),
    )
    if agreed:
        return _diverged(left, keys)
    left = replace(left, settles=left.settles - keys)
    before = decision.case.link
    if left.link is None or before is None:
        return left
    bounces = {key: moments for key, moments in left.link.bounces.items() if key not in keys}
    kept = {key: moments for key, moments in before.bounces.items() if key in keys}
    return replace(left, link=replace(left.link, bounces={**bounces, **kept}))


def _diverged(decision: Decision, parts: Collection[str]) -> Decision:
    if decision.link is None:
        return decision
    return replace(decision, link=replace(decision.link, diverged=decision.link.diverged.union(parts)))


def _cleared(operation: Operation, rules: Iterable[FieldRule]) -> dict[str, str]:
    """The fields that an operation clears, each with the key of its mapping row."""
    keys = {rule.name_in(operation.system): rule.key for rule in rules}
    return {name: keys[name] for name, value in operation.fields.items() if value is None}


def refused(decision: Decision, done: Iterable[Operation]) -> Iterator[MassChange]:
    """The kinds that a decision was let through and counted with, and of which nothing was done."""
    kinds = {kind_of(operation) for operation in done}
    yield from (kind for kind in decision.counted if kind not in kinds)
