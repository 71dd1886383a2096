"""One row of the mapping: what both sides say of it, held against what was agreed, and what becomes of it. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sync_daemon.changes.cases import Case, CaseSide
from sync_daemon.changes.digests import canonical
from sync_daemon.model.contact import Value
from sync_daemon.model.policy import FieldRule
from sync_daemon.model.state import Baseline
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.conversion import NotConvertible, convert
from sync_daemon.reconcile.decision import Context
from sync_daemon.reconcile.fields import FieldDecision, FieldSide, MappedField, in_the_way, meet_field, merge_field
from sync_daemon.reconcile.shared_fields import ON_ITS_OWN, Place, decide_first, decide_met, place_of

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
MOST_BOUNCES = 3
"""With the write that an outside edit caused these are two writes to each side."""
_BOUNCES_WITHIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RowDecision:
    """What becomes of a row of one case. `met` says that both sides once agreed about it; `bounces` as in `Link`.

    `sides` are GHL's and EmailOctopus's word on it, `place` how the list's other locations stand to it; `gives_way`
    says that the list shows another one's value.
    """

    decision: FieldDecision
    sides: tuple[FieldSide, FieldSide]
    reason: str
    met: bool
    bounces: tuple[datetime, ...]
    place: Place = ON_ITS_OWN
    gives_way: bool = False

    @property
    def gives(self) -> bool:
        """Whether EmailOctopus has its value from this location."""
        written = self.decision.write is EMAILOCTOPUS
        return written or (self._settled_here and self.sides[0].changed)

    @property
    def takes(self) -> bool:
        """Whether EmailOctopus has its value from a person, who changed it there."""
        written = self.decision.write is GHL
        return written or (self._settled_here and self.sides[1].changed and not self.sides[0].changed)

    @property
    def _settled_here(self) -> bool:
        return self.decision.settles and self.decision.write is None and self.decision.diverged is False


def decide_row(
    mapped: MappedField, case: Case, context: Context, bounces: tuple[datetime, ...], *, first: bool
) -> RowDecision | None:
    """Decide one row of a pair of contacts; None where the two meet in it at the next full scan."""
    key, sides = mapped.rule.key, case.both()
    ghl, emailoctopus = _as_agreed(mapped, sides, context)
    met = not first and all(key in (side.known.baseline or Baseline()).fields for side in sides)
    place = place_of(mapped, case, context)
    if met:
        decision, gives_way = decide_met(
            mapped, (ghl, emailoctopus), place, lambda here, there: merge_field(mapped, here, there)
        )
    elif first or context.full or key in case.parked:
        decision, gives_way = decide_first(
            mapped,
            (ghl, emailoctopus),
            place,
            lambda here, there, leads: meet_field(mapped, here, there, ghl_leads=leads or case.exchanged),
        )
    else:
        return None
    bounces = _bounces(decision, key, sides, bounces, context.now)
    if decision.write is not None and len(bounces) >= MOST_BOUNCES:
        decision = in_the_way("unstable")
    reason = _reason(decision, mapped, exchanged=case.exchanged, met=met)
    return RowDecision(decision, (ghl, emailoctopus), reason, met, bounces, place, gives_way)


def field_side(mapped: MappedField, side: CaseSide, context: Context) -> FieldSide:
    """One side of a mapped row."""
    rule, snapshot, known = mapped.rule, side.snapshot, side.known
    detector, type_ = context.detector, mapped.type_in(side.system)
    value = snapshot.fields.get(rule.name_in(side.system)) if snapshot else None

    def holds(wanted: Value) -> bool:
        if snapshot is not None:
            return _plain(value, type_, mapped) == _plain(wanted, type_, mapped)
        before = (known.baseline or Baseline()).fields.get(rule.key)
        return before == detector.digester.field(side.system, side.contact_id, rule.key, wanted)

    changed = snapshot is not None and detector.field_changed(rule, snapshot, known) is True
    return FieldSide(side.system, snapshot is not None, value, changed, holds, _changed_at(rule, side))


def _changed_at(rule: FieldRule, side: CaseSide) -> datetime | None:
    """The time of the first snapshot that showed the change; None when only our own write can have set it."""
    snapshot, staged, known = side.snapshot, side.staged, side.known
    if snapshot is None:
        return None
    if staged is not None and not staged.echo and rule.key in staged.changed_at:
        return staged.changed_at[rule.key]
    ours = known.written_at is not None and known.updated_at is not None and snapshot.updated_at <= known.updated_at
    return None if ours else snapshot.updated_at


def _plain(value: Value, type_: str, mapped: MappedField) -> str:
    try:
        converted = convert(value, type_, country=mapped.country)
    except NotConvertible:
        converted = value
    return canonical(converted.strip() or None if isinstance(converted, str) else converted)


def _as_agreed(mapped: MappedField, sides: tuple[CaseSide, CaseSide], context: Context) -> tuple[FieldSide, FieldSide]:
    """Both sides of a row. What a write that got no answer left on one is no word of that side, but asks the other."""
    ghl, emailoctopus = (field_side(mapped, side, context) for side in sides)
    half = [
        side.snapshot is not None and context.detector.half_written(mapped.rule, side.snapshot, side.known)
        for side in sides
    ]
    return _asked(ghl) if half[1] else ghl, _asked(emailoctopus) if half[0] else emailoctopus


def _asked(side: FieldSide) -> FieldSide:
    return replace(side, changed=side.changed or side.known)


def _reason(decision: FieldDecision, mapped: MappedField, *, exchanged: bool, met: bool) -> str:
    source = decision.write.other if decision.write else GHL
    name, label = mapped.rule.name_in(source), source.label
    if decision.conflict:
        return f"{name} differs on both sides, {decision.conflict.winner.label} wins"
    if exchanged:
        return f"two links exchanged their addresses: {name} as in {label}"
    return f"{name} changed in {label}" if met else f"only {label} has {name}"


def _bounces(
    decision: FieldDecision, key: str, sides: tuple[CaseSide, CaseSide], before: tuple[datetime, ...], now: datetime
) -> tuple[datetime, ...]:
    """The writes that only answered an echo of our own, with this one; a field that never settles shows by them.

    A retry of what is parked is neither an echo nor an outside edit: only the latter starts the count anew.
    """
    if decision.write is None:
        return before
    row = next(side.staged for side in sides if side.system is not decision.write)
    if row is not None and row.echo:
        return (*(moment for moment in before if now - moment < _BOUNCES_WITHIN), now)
    return () if row is not None and key in row.changed_at else before
