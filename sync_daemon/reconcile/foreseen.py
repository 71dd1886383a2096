"""What a guard would hold of a plan: known only when all of it is counted. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from sync_daemon.model.plan import MassChange, Operation
from sync_daemon.model.policy import FieldRule
from sync_daemon.reconcile.decision import Decision
from sync_daemon.reconcile.guard import asked, fresh, kind_of, split


@dataclass(frozen=True, slots=True)
class Asking:
    """The operations of a decision that a guard has a word in.

    `asking` are the kinds that need room, `held` those that wait for a person, with the reason; what a person
    discarded is left out already.
    """

    operations: tuple[Operation, ...]
    asking: frozenset[MassChange]
    held: Mapping[MassChange, str]

    def parted(
        self, over: Mapping[MassChange, str], rules: Iterable[FieldRule]
    ) -> Iterator[tuple[Operation | None, Operation | None]]:
        """Of each operation what would be written, and what would be held, with the reason; None for nothing."""
        why = {
            **{kind: f"would be held, {over[kind]}" for kind in self.asking if kind in over},
            **{kind: f"held until somebody approves it, {reason}" for kind, reason in self.held.items()},
        }
        for operation in self.operations:
            kind = kind_of(operation)
            if kind is None or kind not in why:
                yield operation, None
            else:
                rest, part = split(operation, kind, rules)
                yield rest, replace(part, reason=f"{why[kind]}; {operation.reason}")


def asking(decision: Decision, rules: Iterable[FieldRule], *, first_load: bool) -> Asking:
    """What a guard has to say about a decision."""
    entries = {entry.action: entry for entry in decision.case.held}
    wanted = {kind: entries.get(kind) for kind in asked(decision)}
    discarded = {kind for kind, entry in wanted.items() if entry is not None and entry.discarded}
    return Asking(
        tuple(_without(decision.operations, discarded, rules)),
        frozenset(fresh(decision, first_load=first_load)),
        {kind: entry.reason for kind, entry in wanted.items() if entry and not (entry.approved or entry.discarded)},
    )


def _without(
    operations: Iterable[Operation], kinds: set[MassChange], rules: Iterable[FieldRule]
) -> Iterator[Operation]:
    for operation in operations:
        kind = kind_of(operation)
        rest = split(operation, kind, rules)[0] if kind in kinds and kind is not None else operation
        if rest is not None:
            yield rest
