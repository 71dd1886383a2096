"""Fields and tags of a pair: every mapped row and the tag sets merged, and the writes that follow."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sync_daemon.changes.cases import Case, CaseSide
from sync_daemon.changes.digests import canonical
from sync_daemon.model.contact import Value
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.state import Baseline, KnownTag, Parked
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.decision import Context, Shares, ToPark, ordered_drop, part_waits
from sync_daemon.reconcile.fields import (
    UNCHANGED,
    FieldConflict,
    FieldDecision,
    MappedField,
)
from sync_daemon.reconcile.rows import RowDecision, decide_row
from sync_daemon.reconcile.shared_tags import share_tags
from sync_daemon.reconcile.tags import TagDecision, TagSide, follow_ghl, merge_tags, unite_tags

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS


@dataclass(slots=True)
class Contents:
    """What the fields and tags of a pair ask for, gathered row by row."""

    writes: dict[SystemName, dict[str, Value]] = field(default_factory=lambda: {name: {} for name in SystemName})
    keys: dict[SystemName, list[str]] = field(default_factory=lambda: {name: [] for name in SystemName})
    reasons: dict[SystemName, dict[str, None]] = field(default_factory=lambda: {name: {} for name in SystemName})
    settles: set[str] = field(default_factory=set)
    diverged: set[str] = field(default_factory=set)
    bounces: dict[str, tuple[datetime, ...]] = field(default_factory=dict)
    conflicts: list[FieldConflict] = field(default_factory=list)
    to_park: list[ToPark] = field(default_factory=list)
    unparks: list[Parked] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    """The parts that a person ordered to be left as they are."""
    digests: dict[str, bytes] = field(default_factory=dict)
    tags: TagDecision = field(default_factory=TagDecision)
    why_tags: str = ""
    """Why tags are written, with a place for the other side's name."""
    yielded: set[str] = field(default_factory=set)
    gives: set[str] = field(default_factory=set)
    takes: set[str] = field(default_factory=set)
    keeps: frozenset[str] = frozenset()
    hands_down: bool = False
    """What the list's other locations have to do with it (see `Sharing` and `Shares`)."""
    spelt: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """How the EmailOctopus contact spells the tags it has, each maybe in several ways, by GHL's name."""

    def shares(self) -> Shares:
        """What it means for the other locations of the list."""
        return Shares(frozenset(self.gives), frozenset(self.takes), self.keeps, self.hands_down)

    def place(self, key: str, row: RowDecision) -> None:
        """Put down how a row stands to the list's other locations."""
        if row.gives_way:
            self.yielded.add(key)
        elif row.decision is not UNCHANGED:
            self.yielded.discard(key)
        blank = row.sides[0].changed and row.sides[0].holds(None) and row.decision.diverged is True
        self.hands_down |= blank and row.place.later is not None
        self.gives.update([key] if row.gives else [])
        self.takes.update([key] if row.takes else [])

    def drop(self, entry: Parked) -> None:
        """Leave a part as it is on both sides: nothing is written, and the baselines move to what is there now."""
        self.settles.add(entry.what)
        self.diverged.add(entry.what)
        self.unparks.append(entry)
        self.dropped.append(entry.what)


def pair_contents(case: Case, context: Context, *, first: bool) -> Contents:
    """Decide every mapped row and the tags of a pair; both sides are known as far as they must be."""
    contents = Contents(
        diverged=set(case.link.diverged if case.link and not first else ()),
        bounces=dict(case.link.bounces if case.link else {}),
        yielded=set(case.link.sharing.yielded if case.link and not first else ()),
    )
    for mapped in context.fields:
        _decide_field(mapped, case, context, contents, first=first)
    _decide_tags(case, case.both(), context, contents, first=first)
    return contents


def content_operations(contents: Contents, ghl_id: str, emailoctopus_id: str, context: Context) -> Iterable[Operation]:
    """The writes of fields and tags, at most three for each side."""
    for system in SystemName:
        if contents.writes[system]:
            yield Operation(
                system,
                Action.UPDATE,
                ghl_id,
                emailoctopus_id,
                "; ".join(contents.reasons[system]),
                fields=contents.writes[system],
                parts=tuple(contents.keys[system]),
            )
    decided = contents.tags
    for system, added, removed in (
        (GHL, decided.add_to_ghl, decided.remove_from_ghl),
        (EMAILOCTOPUS, decided.add_to_emailoctopus, decided.remove_from_emailoctopus),
    ):
        for action, names in ((Action.ADD_TAGS, added), (Action.REMOVE_TAGS, removed)):
            if names:
                spelt = tuple(sorted(_spell(system, names, contents, context)))
                reason = contents.why_tags.format(system.other.label)
                yield Operation(system, action, ghl_id, emailoctopus_id, reason, tags=spelt, parts=("tags",))


def _decide_field(mapped: MappedField, case: Case, context: Context, contents: Contents, *, first: bool) -> None:
    key = mapped.rule.key
    row = decide_row(mapped, case, context, contents.bounces.get(key, ()), first=first)
    if row is None or not _take(row.decision, mapped, row.reason, case, context, contents):
        return
    contents.place(key, row)
    if row.bounces:
        contents.bounces[key] = row.bounces
    else:
        contents.bounces.pop(key, None)


def _take(
    decision: FieldDecision, mapped: MappedField, reason: str, case: Case, context: Context, contents: Contents
) -> bool:
    """Put down what a decision asks for, unless it is parked and waits for its time; whether it was put down."""
    key, target = mapped.rule.key, decision.write
    entry = case.parked.get(key)
    asks = bool(decision.park or target)
    digest = _value_digest(decision, mapped, case, context) if asks else b""
    if asks and (dropped := ordered_drop(case, key)) is not None:
        contents.drop(dropped)
        return False
    if asks and part_waits(case, key, digest, context.now):
        return False
    if decision.park:
        contents.to_park.append(ToPark(key, decision.park, digest))
        return True
    if entry is not None:
        contents.unparks.append(entry)
    if decision.diverged is not None:
        (contents.diverged.add if decision.diverged else contents.diverged.discard)(key)
    if decision.settles:
        contents.settles.add(key)
    if decision.conflict:
        contents.conflicts.append(decision.conflict)
    if target is not None:
        contents.writes[target][mapped.rule.name_in(target)] = decision.value
        contents.keys[target].append(key)
        contents.digests[key] = digest
        contents.reasons[target].setdefault(reason)
    return True


def _value_digest(decision: FieldDecision, mapped: MappedField, case: Case, context: Context) -> bytes:
    """What a parked row is known by: the value to be written, or the source's value that has no form there."""
    ghl, emailoctopus = case.both()
    side = ghl if decision.write is GHL else emailoctopus
    value = decision.value
    if decision.park:
        value = tuple(
            canonical(one.snapshot.fields.get(mapped.rule.name_in(one.system)) if one.snapshot else None)
            for one in (ghl, emailoctopus)
        )
    return context.detector.digester.field(side.system, side.contact_id, mapped.rule.key, value)


def _decide_tags(
    case: Case, sides: tuple[CaseSide, CaseSide], context: Context, contents: Contents, *, first: bool
) -> None:
    if not context.policy.tags.sync:
        return
    met = all((side.known.baseline or Baseline()).tags is not None for side in sides)
    anew = first or not met
    if anew and not all(side.snapshot for side in sides):
        return
    now = [context.detector.tags_now(side.snapshot) if side.snapshot else {} for side in sides]
    likely = (now[0] | now[1]).values()
    ghl, emailoctopus = (_tag_side(side, context, likely) for side in sides)
    if not anew:
        ghl, emailoctopus = _without_our_own(sides, ghl, emailoctopus, context)
    if case.exchanged:
        decided, why = follow_ghl(ghl, emailoctopus), "two links exchanged their addresses: tags as in {}"
    elif anew:
        decided, why = unite_tags(ghl, emailoctopus), "{} has the tag; two that meet unite theirs"
    else:
        decided, why = merge_tags(ghl, emailoctopus), "tag changed in {}"
    decided, contents.keeps = share_tags(case, context, decided, (ghl, emailoctopus), met=not anew)
    digest = _tags_digest(decided, ghl_id=sides[0].contact_id, context=context)
    if decided.writes and (dropped := ordered_drop(case, "tags")) is not None:
        contents.drop(dropped)
        return
    if decided.writes and part_waits(case, "tags", digest, context.now):
        return
    if _equal_after(decided, ghl, emailoctopus):
        contents.diverged.discard("tags")
    contents.unparks.extend(entry for entry in (case.parked.get("tags"),) if entry is not None)
    contents.digests["tags"] = digest
    contents.tags, contents.why_tags = decided, why
    there = sides[1].snapshot
    contents.spelt = context.detector.tags.spellings(EMAILOCTOPUS, there.tags if there else ())
    contents.settles.add("tags")


def _equal_after(decided: TagDecision, ghl: TagSide, emailoctopus: TagSide) -> bool:
    """Whether both sides have the same tags once what was decided is written."""
    here = (ghl.now | decided.add_to_ghl) - decided.remove_from_ghl
    return here == (emailoctopus.now | decided.add_to_emailoctopus) - decided.remove_from_emailoctopus


def _tags_digest(decided: TagDecision, *, ghl_id: str, context: Context) -> bytes:
    """What the tags of a pair are known by when they are refused."""
    names = tuple(
        f"{mark}{name}"
        for mark, group in (
            ("g+", decided.add_to_ghl),
            ("g-", decided.remove_from_ghl),
            ("e+", decided.add_to_emailoctopus),
            ("e-", decided.remove_from_emailoctopus),
        )
        for name in group
    )
    return context.detector.digester.field(GHL, ghl_id, "tags", names)


def _tag_side(side: CaseSide, context: Context, likely: Iterable[KnownTag]) -> TagSide:
    before = set(context.detector.tags_before(side.known, likely))
    now = set(context.detector.tags_now(side.snapshot)) if side.snapshot else before
    return TagSide(now, before)


def _without_our_own(
    sides: tuple[CaseSide, CaseSide], ghl: TagSide, emailoctopus: TagSide, context: Context
) -> tuple[TagSide, TagSide]:
    """Tags that a write without an answer left on one side count as agreed as they are: the other side decides."""
    for side, tags in ((sides[0], ghl), (sides[1], emailoctopus)):
        sent = context.detector.tags_sent(side.known) if side.snapshot else set()
        there = sent & tags.now
        ghl = TagSide(ghl.now, (ghl.before - sent) | there)
        emailoctopus = TagSide(emailoctopus.now, (emailoctopus.before - sent) | there)
    return ghl, emailoctopus


def _spell(system: SystemName, names: Iterable[str], contents: Contents, context: Context) -> Iterable[str]:
    book = context.detector.tags
    for name in names:
        tag: KnownTag | None = book.find(GHL, name)
        own = contents.spelt.get(name) if system is EMAILOCTOPUS else None
        yield from own or [book.name_in(system, tag) if tag else name]
