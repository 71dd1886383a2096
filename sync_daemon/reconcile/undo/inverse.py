"""What a run wrote to one pair of contacts, taken back: its inverse, as far as nothing has moved on since. Pure.

Only the side that the run wrote to is written. The other keeps what it has: the two differ on purpose from then on,
and nothing travels until one of them changes again (contract, section 1: diverged).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sync_daemon.changes.cases import Case
from sync_daemon.model.plan import Action, MassChange
from sync_daemon.model.policy import Direction
from sync_daemon.model.state import Held
from sync_daemon.model.system import SystemName
from sync_daemon.model.undo import Left, Replaced
from sync_daemon.reconcile.conversion import NotConvertible, convert
from sync_daemon.reconcile.decision import Context, Decision
from sync_daemon.reconcile.undo.creation import delete_created
from sync_daemon.reconcile.undo.parts import Parts, fields_of
from sync_daemon.reconcile.undo.words import (
    ADDRESS,
    CONSENT,
    CREATED,
    DELETED,
    NO_LINK,
    OUT_OF_SCOPE,
    UNREAD,
    left,
)

_CONSENT = {Action.SET_STATUS: "consent", Action.SET_DND: "e-mail DND", Action.LIFT_DND: "lifted e-mail DND"}


@dataclass(frozen=True, slots=True)
class Inverse:
    """The inverse of what a run did to one pair of contacts: the decision, None where nothing is to be done."""

    decision: Decision | None = None
    left: tuple[Left, ...] = ()

    @property
    def takes_away(self) -> bool:
        """Whether it clears, takes away or deletes something: a guard counts it."""
        return self.decision is not None and any(one.policy is MassChange.UNDO for one in self.decision.operations)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be undone: all of a run, with what it `deletes_created`, or one conflict of one write by its key."""

    deletes_created: bool = False
    conflict: str | None = None

    def asks_nobody(self, row: Replaced) -> bool:
        """Whether it can be told by the journal alone that a write stays as it is."""
        stays = row.action is Action.CREATE and not self.deletes_created
        return stays or row.action in _CONSENT or row.action is Action.DELETE

    def may_take_away(self, rows: Iterable[Replaced]) -> bool:
        """Whether taking back these writes might clear or take away something, by the journal alone."""
        return any(
            (row.action is Action.ADD_TAGS and self.conflict is None)
            or (row.action is Action.CREATE and self.deletes_created)
            or any(swap.before is None for swap in row.fields.values())
            for row in rows
        )


def invert(rows: Sequence[Replaced], case: Case | None, context: Context, wish: Wish) -> Inverse:
    """The inverse of a run's writes to one pair of contacts; `case` None where the two have no link any more.

    Both contacts of the case were read by id, as far as the wish asks somebody.
    """
    if wish.conflict is not None:
        return _decide_otherwise(rows[0], wish.conflict, case, context)
    told = [one for row in rows for one in _told_alone(row, wish)]
    open_rows = [row for row in rows if not wish.asks_nobody(row)]
    created = next((row for row in open_rows if row.action is Action.CREATE), None)
    why = _why_nothing(case)
    if case is None or (why is not None and created is None):
        told.extend(left(row, what, why or NO_LINK) for row in open_rows for what in _whats(row))
        return Inverse(left=tuple(told))
    reason = f"undo of {rows[0].run_id}"
    if created is not None:
        decision, stays = delete_created(created, case, context, reason)
        return Inverse(decision, (*told, *([left(created, "creation", stays)] if decision is None else [])))
    parts = Parts(case, context)
    for system in SystemName:
        mine = [row for row in open_rows if row.system is system]
        for key, (row, swap) in fields_of(mine).items():
            parts.restore_field(key, row, swap)
        parts.restore_tags(mine, system)
    return Inverse(parts.decision(reason), (*told, *parts.left))


def _decide_otherwise(row: Replaced, key: str, case: Case | None, context: Context) -> Inverse:
    """A conflict decided the other way: the value that lost goes back, and to the side that had won as well.

    Where the field's direction had decided, it goes back alone, and the two differ on purpose.
    """
    why = _why_nothing(case) or (UNREAD if key not in row.fields else None)
    if case is None or why is not None:
        return Inverse(left=(left(row, key, why or NO_LINK),))
    parts, swap = Parts(case, context), row.fields[key]
    mapped = parts.mapped(key)
    if parts.restore_field(key, row, swap) and mapped is not None and parts.diverged[key]:
        winner = row.system.other
        try:
            value = convert(swap.before, mapped.type_in(winner), country=mapped.country)
        except NotConvertible:
            parts.left.append(left(row, key, f"its former value has no form in {winner.label}: it goes back alone"))
        else:
            if mapped.rule.direction is Direction.BOTH:
                parts.write(mapped, winner, value)
                parts.diverged[key] = False
    return Inverse(parts.decision(f"a conflict of {row.run_id} decided the other way"), tuple(parts.left))


def held_back(inverse: Inverse, entry: Held | None, why: str | None) -> str | None:
    """Why an inverse that takes something away must wait for a person, None if it needn't."""
    if not inverse.takes_away:
        return None
    if entry is not None:
        return "discarded by a person" if entry.discarded else None if entry.approved else entry.reason
    return why


def let_through(inverse: Inverse, entry: Held | None) -> Decision | None:
    """The decision of an inverse that needn't wait: a guard counts it, and what was held of it is over."""
    if inverse.decision is None:
        return None
    kinds = frozenset({MassChange.UNDO} if inverse.takes_away else ())
    return replace(inverse.decision, counted=kinds, unholds=(entry,) if entry is not None else ())


def _why_nothing(case: Case | None) -> str | None:
    """Why nothing can be put back to a pair of contacts, whatever it is."""
    if case is None or case.link is None:
        return NO_LINK
    return None if case.link.in_scope else OUT_OF_SCOPE


def _told_alone(row: Replaced, wish: Wish) -> Iterable[Left]:
    """What of a write isn't undone, whoever it is about."""
    if row.action is Action.CREATE and not wish.deletes_created:
        yield left(row, "creation", CREATED)
    if row.action in _CONSENT:
        yield left(row, _CONSENT[row.action], CONSENT)
    if row.action is Action.DELETE:
        yield left(row, "deletion", DELETED)
    if row.address is not None:
        yield left(row, "address", ADDRESS)
    yield from (left(row, what, UNREAD) for what in sorted(row.unread))


def _whats(row: Replaced) -> Iterable[str]:
    return ["creation"] if row.action is Action.CREATE else [*row.fields, *(f"tag {name}" for name in row.tags)]
