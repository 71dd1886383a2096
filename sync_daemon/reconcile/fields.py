"""The three-way merge of one field: which side changed, and who is written (contract, section 2).

Each branch of `merge_field` is one row of the contract's table; `meet_field` is the first meeting.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sync_daemon.model.contact import Value
from sync_daemon.model.policy import Blanks, ConflictRule, FieldRule
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.conversion import NotConvertible, convert, is_cut


@dataclass(frozen=True, slots=True)
class MappedField:
    """A row of the mapping with the types its two fields have in the accounts' schemas."""

    rule: FieldRule
    ghl_type: str
    emailoctopus_type: str
    country: str | None = None

    def type_in(self, system: SystemName) -> str:
        """The field's vendor type in one system."""
        return self.ghl_type if system is SystemName.GHL else self.emailoctopus_type


@dataclass(frozen=True, slots=True)
class FieldSide:
    """What one system says of the field.

    `value` is worth something only when `known` (a snapshot was read; otherwise the field is as its
    baseline has it). `holds` tells whether the side's current value is a given one, in its own terms.
    """

    system: SystemName
    known: bool
    value: Value
    changed: bool
    holds: Callable[[Value], bool]
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """Two different values met, and one gave way; the times are those of the snapshots that showed them.

    `part` is the mapping row's key, or "address".
    """

    part: str
    winner: SystemName
    ghl_at: datetime | None
    emailoctopus_at: datetime | None


@dataclass(frozen=True, slots=True)
class FieldDecision:
    """What becomes of the field: `write` is the system to write `value` to; `settles` moves both baselines.

    `diverged` True or False marks or unmarks the link's row; `park` is the code of what stands in the way.
    """

    write: SystemName | None = None
    value: Value = None
    settles: bool = True
    diverged: bool | None = None
    conflict: FieldConflict | None = None
    park: str | None = None


_UNKNOWN = datetime.min.replace(tzinfo=UTC)
"""What a change is later than of which nobody knows the time."""
UNCHANGED = FieldDecision(settles=False)
AGREED = FieldDecision(diverged=False)
DIVERGED = FieldDecision(diverged=True)


def in_the_way(code: str) -> FieldDecision:
    """Nothing is written or agreed because of what the code says."""
    return FieldDecision(settles=False, park=code)


def merge_field(field: MappedField, ghl: FieldSide, emailoctopus: FieldSide) -> FieldDecision:
    """Decide a field whose baselines exist on both sides."""
    match (ghl.changed, emailoctopus.changed):
        case (False, False):
            return UNCHANGED
        case (True, False):
            return _carry(field, ghl, emailoctopus)
        case (False, True):
            return _carry(field, emailoctopus, ghl)
        case _:
            return _settle_conflict(field, ghl, emailoctopus, _winner(field.rule, ghl, emailoctopus))


def meet_field(
    field: MappedField, ghl: FieldSide, emailoctopus: FieldSide, *, ghl_leads: bool = False
) -> FieldDecision:
    """Decide a field at its first meeting; both sides must be known. A blank always loses.

    With `ghl_leads` (two links exchanged their contacts: what is there belongs to somebody else) GHL's
    value stands even when it is blank, unless the field follows EmailOctopus alone.
    """
    rule = field.rule
    if ghl_leads and rule.direction.leader is not SystemName.EMAILOCTOPUS:
        return _overwrite(field, ghl, emailoctopus)
    if ghl.value is None or emailoctopus.value is None:
        filled, blank = (emailoctopus, ghl) if ghl.value is None else (ghl, emailoctopus)
        if filled.value is None:
            return AGREED
        return DIVERGED if rule.direction.leader is blank.system else _overwrite(field, filled, blank)
    newest_as_ghl = SystemName.EMAILOCTOPUS if rule.conflict is ConflictRule.EMAILOCTOPUS else SystemName.GHL
    return _settle_conflict(field, ghl, emailoctopus, rule.direction.leader or newest_as_ghl)


def _carry(field: MappedField, source: FieldSide, target: FieldSide) -> FieldDecision:
    """One side changed."""
    if same(field, source, target):
        return AGREED
    leader = field.rule.direction.leader
    if leader is not None and leader is not source.system:
        return DIVERGED
    if _blank_stays_behind(field.rule, source):
        return DIVERGED
    return _overwrite(field, source, target)


def _settle_conflict(field: MappedField, ghl: FieldSide, emailoctopus: FieldSide, winner: SystemName) -> FieldDecision:
    """Both sides have something to say."""
    if same(field, ghl, emailoctopus):
        return AGREED
    won, lost = (ghl, emailoctopus) if winner is SystemName.GHL else (emailoctopus, ghl)
    if _blank_stays_behind(field.rule, won):
        won, lost = lost, won
        if field.rule.direction.leader is lost.system:
            return DIVERGED
    if is_cut(won.value, lost.value):
        return in_the_way("not_taken")
    decision = _overwrite(field, won, lost)
    if decision.park:
        return decision
    conflict = FieldConflict(field.rule.key, won.system, ghl.changed_at, emailoctopus.changed_at)
    return FieldDecision(decision.write, decision.value, diverged=False, conflict=conflict)


def _overwrite(field: MappedField, source: FieldSide, target: FieldSide) -> FieldDecision:
    try:
        value = convert(source.value, field.type_in(target.system), country=field.country)
    except NotConvertible:
        return in_the_way("not_convertible")
    if target.holds(value):
        return AGREED
    return FieldDecision(target.system, value, diverged=False)


def same(field: MappedField, one: FieldSide, other: FieldSide) -> bool:
    """Whether the two hold the same, seen from either side: a phone in EmailOctopus may be written differently."""
    return _holds(field, one, other) or (other.known and _holds(field, other, one))


def _holds(field: MappedField, source: FieldSide, target: FieldSide) -> bool:
    try:
        return target.holds(convert(source.value, field.type_in(target.system), country=field.country))
    except NotConvertible:
        return False


def _blank_stays_behind(rule: FieldRule, source: FieldSide) -> bool:
    return source.system is SystemName.EMAILOCTOPUS and source.value is None and rule.blanks is Blanks.KEEP


def _winner(rule: FieldRule, ghl: FieldSide, emailoctopus: FieldSide) -> SystemName:
    if rule.direction.leader is not None:
        return rule.direction.leader
    if rule.conflict is not ConflictRule.NEWEST:
        return SystemName(rule.conflict)
    return SystemName.EMAILOCTOPUS if _second(emailoctopus) > _second(ghl) else SystemName.GHL


def _second(side: FieldSide) -> float:
    return (side.changed_at or _UNKNOWN).timestamp() // 1
