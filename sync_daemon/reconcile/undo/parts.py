"""Fields and tags of one contact, put back as they were before a run, where they are still what it wrote. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sync_daemon.changes.cases import Case, CaseSide
from sync_daemon.changes.tagbook import fold
from sync_daemon.model.contact import Value
from sync_daemon.model.plan import Action, MassChange, Operation
from sync_daemon.model.state import Baseline
from sync_daemon.model.system import SystemName
from sync_daemon.model.undo import Left, Replaced, Swap
from sync_daemon.reconcile.conversion import NotConvertible, convert
from sync_daemon.reconcile.decision import Context, Decision, Undone
from sync_daemon.reconcile.fields import FieldSide, MappedField
from sync_daemon.reconcile.guard import stuck_parts
from sync_daemon.reconcile.rows import field_side
from sync_daemon.reconcile.undo.words import CHANGED, IS_BACK, NOT_MAPPED, TO_COME, WAITS, left


@dataclass(slots=True)
class Side:
    """What is put back on one side. `back` and `tags_back` are what an undo that was cut off has put back already."""

    fields: dict[str, Value] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    tags: dict[Action, list[str]] = field(default_factory=dict)
    back: set[str] = field(default_factory=set)
    tags_back: dict[str, bool] = field(default_factory=dict)

    def operations(self, system: SystemName, case: Case, reason: str) -> Iterator[Operation]:
        """The writes; those that clear or take away are ones that a guard counts."""
        ghl, emailoctopus = case.both()
        ids = (ghl.contact_id, emailoctopus.contact_id)
        if self.fields:
            clears = MassChange.UNDO if None in self.fields.values() else None
            keys = tuple(self.keys)
            yield Operation(system, Action.UPDATE, *ids, reason, fields=self.fields, parts=keys, policy=clears)
        for action, names in self.tags.items():
            removes = MassChange.UNDO if action is Action.REMOVE_TAGS else None
            spelt = tuple(sorted(names))
            yield Operation(system, action, *ids, reason, tags=spelt, parts=("tags",), policy=removes)


@dataclass(slots=True)
class Parts:
    """What is put back of one pair of contacts, part by part, and what is left as it is; both were read by id."""

    case: Case
    context: Context
    sides: dict[SystemName, Side] = field(default_factory=lambda: {system: Side() for system in SystemName})
    diverged: dict[str, bool] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)

    def restore_field(self, key: str, row: Replaced, swap: Swap) -> bool:
        """Put a field back, on the side that was written to; whether that is done."""
        mapped = self.mapped(key)
        why = NOT_MAPPED if mapped is None else self._why_not(mapped, row.system, swap)
        if mapped is None or why is not None:
            self.left.append(left(row, key, why or NOT_MAPPED))
            return False
        mine = self._field(mapped, row.system)
        self.diverged[key] = not self._same(mapped, row.system, swap.before)
        if mine.holds(swap.before):
            self.sides[row.system].back.add(key)
        else:
            self.write(mapped, row.system, swap.before)
        return True

    def write(self, mapped: MappedField, system: SystemName, value: Value) -> None:
        """Write a value to a side."""
        self.sides[system].fields[mapped.rule.name_in(system)] = value
        self.sides[system].keys.append(mapped.rule.key)

    def restore_tags(self, rows: Iterable[Replaced], system: SystemName) -> None:
        """Put the tags of one side back."""
        book, names = self.context.detector.tags, tags_of(rows)
        snapshot = self._side(system).snapshot
        spelt = book.spellings(system, snapshot.tags if snapshot is not None else ())
        for name, (row, added) in names.items():
            tag = book.find(system, name)
            common = book.ghl_name(tag) if tag is not None and book.travels(tag) else None
            present = common in spelt
            why = NOT_MAPPED if common is None else self._why_not_tag(common, system, present=present, added=added)
            if common is None or why is not None:
                self.left.append(left(row, f"tag {name}", why or NOT_MAPPED))
            elif present is not added:
                self.sides[system].tags_back[common] = present
            else:
                action = Action.REMOVE_TAGS if added else Action.ADD_TAGS
                self.sides[system].tags.setdefault(action, []).extend(spelt[common] if added else [name])
        if any(one.tags or one.tags_back for one in self.sides.values()):
            self.diverged["tags"] = self._tags_after(SystemName.GHL) != self._tags_after(SystemName.EMAILOCTOPUS)

    def decision(self, reason: str) -> Decision | None:
        """What is to be done, None where nothing is."""
        operations = tuple(
            operation for system, one in self.sides.items() for operation in one.operations(system, self.case, reason)
        )
        if not operations and not self.diverged:
            return None
        undone = Undone(
            back={system: frozenset(one.back) for system, one in self.sides.items()},
            tags_back={system: one.tags_back for system, one in self.sides.items()},
            diverged=self.diverged,
        )
        return Decision(self.case, operations, frozenset(self.diverged), link=self.case.link, undoes=undone)

    def mapped(self, key: str) -> MappedField | None:
        """The row of the mapping with a key, None where there is none that both accounts have."""
        return next((mapped for mapped in self.context.fields if mapped.rule.key == key), None)

    def _why_not(self, mapped: MappedField, system: SystemName, swap: Swap) -> str | None:
        """Why a field isn't put back, None if it is."""
        mine, other = self._field(mapped, system), self._field(mapped, system.other)
        ours = self._is_half_written(mapped, system)
        if self._waits(mapped.rule.key):
            return WAITS
        if mine.holds(swap.before) and not ours:
            return IS_BACK
        if not mine.holds(swap.before) and not mine.holds(swap.after):
            return CHANGED
        met = all(mapped.rule.key in (side.known.baseline or Baseline()).fields for side in self.case.both())
        still = met and not other.changed and not self._is_half_written(mapped, system.other)
        return None if still and (ours or not mine.changed) else TO_COME

    def _why_not_tag(self, common: str, system: SystemName, *, present: bool, added: bool) -> str | None:
        detector, mine = self.context.detector, self._side(system)
        other = self._side(system.other)
        if self._waits("tags"):
            return WAITS
        if present is not added:
            return None if common in detector.tags_sent(mine.known) else IS_BACK
        now = detector.tags_now(other.snapshot) if other.snapshot is not None else {}
        still = (common in now) is (common in detector.tags_before(other.known))
        return None if still and (common in detector.tags_before(mine.known)) is added else TO_COME

    def _tags_after(self, system: SystemName) -> set[str]:
        """The tags that a side has once these are written, by GHL's name."""
        detector, mine, tags = self.context.detector, self._side(system), self.sides[system].tags
        names = set(detector.tags_now(mine.snapshot)) if mine.snapshot is not None else set()
        names -= detector.tags.travelling(system, tags.get(Action.REMOVE_TAGS, ())).keys()
        return names | detector.tags.travelling(system, tags.get(Action.ADD_TAGS, ())).keys()

    def _same(self, mapped: MappedField, system: SystemName, value: Value) -> bool:
        """Whether the other side holds what a value of this side is there."""
        try:
            there = convert(value, mapped.type_in(system.other), country=mapped.country)
        except NotConvertible:
            return False
        return self._field(mapped, system.other).holds(there)

    def _field(self, mapped: MappedField, system: SystemName) -> FieldSide:
        return field_side(mapped, self._side(system), self.context)

    def _is_half_written(self, mapped: MappedField, system: SystemName) -> bool:
        side = self._side(system)
        return side.snapshot is not None and self.context.detector.half_written(mapped.rule, side.snapshot, side.known)

    def _side(self, system: SystemName) -> CaseSide:
        ghl, emailoctopus = self.case.both()
        return ghl if system is SystemName.GHL else emailoctopus

    def _waits(self, part: str) -> bool:
        """Whether something about a part is parked or held: it is decided there."""
        keys = [mapped.rule.key for mapped in self.context.fields]
        held = (stuck_parts(entry.action, keys) for entry in self.case.held)
        return part in self.case.parked or any(part in parts for parts in held)


def fields_of(rows: Iterable[Replaced]) -> dict[str, tuple[Replaced, Swap]]:
    """What the writes to one contact came to: each field's value before the first, and after the last of them."""
    found: dict[str, tuple[Replaced, Swap]] = {}
    unread: set[str] = set()
    for row in rows:
        unread |= row.unread - found.keys()
        for key, swap in row.fields.items():
            first = found[key][1].before if key in found else swap.before
            found[key] = (row, Swap(first, swap.after))
    return {key: what for key, what in found.items() if key not in unread}


def tags_of(rows: Iterable[Replaced]) -> dict[str, tuple[Replaced, bool]]:
    """The tags that the writes to one contact added (True) or removed; one that they did both to is as it was."""
    first: dict[str, bool] = {}
    last: dict[str, tuple[str, Replaced, bool]] = {}
    for row in rows:
        adds = row.action is Action.ADD_TAGS
        for name in row.tags:
            first.setdefault(fold(name), adds)
            last[fold(name)] = (name, row, adds)
    return {name: (row, adds) for key, (name, row, adds) in last.items() if first[key] is adds}
