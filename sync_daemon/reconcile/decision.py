"""What the pure stages answer: a decision about one case, or what must be read by id first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sync_daemon.changes.cases import Case, ContactKey
from sync_daemon.changes.detect import Detector
from sync_daemon.changes.digests import canonical
from sync_daemon.model.plan import MassChange, Operation
from sync_daemon.model.policy import PairPolicy
from sync_daemon.model.state import Cause, Held, Link, Parked, Tombstone, Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.fields import FieldConflict, MappedField


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a decision may know besides the case: policy, schema, tag names, and what time it is.

    `search_tells_consent` says that GHL's search has been seen to return `dndSettings`, so that a missing
    one means no restriction. `full` allows first meetings of fields that the mapping gained, `apply_scope` what
    `on_leave_scope` says about those who left because the scope was narrowed. `consent_alone` leaves fields and tags
    of two contacts undecided: `revocations_of` is asked for, and they have no part in it.
    """

    policy: PairPolicy
    fields: tuple[MappedField, ...]
    detector: Detector
    now: datetime
    index_lag: timedelta
    search_tells_consent: bool
    generation: bytes
    scope_generation: bytes
    full: bool = False
    apply_scope: bool = False
    consent_alone: bool = False


@dataclass(frozen=True, slots=True)
class Needs:
    """The decision must wait for these contacts to be read by id, and for these addresses to be looked up."""

    reads: frozenset[ContactKey]
    holders: frozenset[tuple[SystemName, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class ToPark:
    """A part that can't be written as it is; nothing was sent. `value` is what would have been."""

    part: str
    code: str
    value: bytes | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person should hear of: what it is about ("address", "consent"), and why."""

    what: str
    reason: str


NOT_DROPPED = Notice("consent", "a person's revocation can't be dropped: it is tried on")
"""What is reported where somebody ordered that."""


@dataclass(frozen=True, slots=True)
class Shares:
    """What a decision means for the other locations of the list.

    `gives` are the mapping rows in which EmailOctopus has its value from this location, `takes` those in which it has
    one from a person; `keeps` are the tags, by GHL's name, that this location lost and that another one has.
    `hands_down` says that another location is to give a value in the place of this one.
    """

    gives: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()
    keeps: frozenset[str] = frozenset()
    hands_down: bool = False


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo comes to beside its operations, for one pair of contacts.

    `back` are, by system, the mapping rows that an undo which was cut off has put back already; `tags_back` the tags
    of which that is so, by whether they are there now. `diverged` says of each part whether the two sides differ once
    it is put back. `gone` is the contact that a run had created, if it is deleted; `already` that it was before.
    """

    back: Mapping[SystemName, frozenset[str]] = field(default_factory=dict)
    tags_back: Mapping[SystemName, Mapping[str, bool]] = field(default_factory=dict)
    diverged: Mapping[str, bool] = field(default_factory=dict)
    gone: SystemName | None = None
    already: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done about one case, and what will be remembered once it is.

    `operations` are to be written. `settles` are the parts ("tags", "consent", "address" and mapping row
    keys) whose baselines move to what both sides then hold; a part whose operation fails keeps its
    baselines. `link` is the link as it is afterwards, `dissolves` the one it replaces or ends. `unlinked` is why
    the contact has none. `forget_fields` drops the baselines of fields and tags: they meet anew.
    `orphan` is an EmailOctopus contact that lost its link. `remember` is the cause to keep with the address
    for ever, `regrant` that what was kept is over. `digests` tell, by part, what is written: a part that
    is refused is parked under it and tried at once when it changes. `let_be` are parked changes that a person
    dropped and that stay undone as long as their digest stays. `notices` are reported. `counted` are the
    kinds of mass change that a guard let it through with. `tombstone` is what is remembered of a deletion once
    everything about it is done. `undoes` marks the undo of a run: what it puts back counts as agreed with the other
    side as it is, and everything else of the case stays as it was. `shares` is what it means for
    the list's other locations. `partial` marks the revocations of a case, sent ahead of the rest: its inbox rows stay.
    `unsent` are the systems that nothing of it goes to, as they are out of reach.
    """

    case: Case
    operations: tuple[Operation, ...] = ()
    settles: frozenset[str] = frozenset()
    link: Link | None = None
    dissolves: Link | None = None
    unlinked: Unlinked | None = None
    duplicate_of: str | None = None
    conflicts: tuple[FieldConflict, ...] = ()
    to_park: tuple[ToPark, ...] = ()
    let_be: tuple[Parked, ...] = ()
    unparks: tuple[Parked, ...] = ()
    holds: tuple[Held, ...] = ()
    unholds: tuple[Held, ...] = ()
    forget_fields: bool = False
    orphan: str | None = None
    remember: Cause | None = None
    regrant: bool = False
    notices: tuple[Notice, ...] = ()
    digests: Mapping[str, bytes] = field(default_factory=dict)
    counted: frozenset[MassChange] = frozenset()
    tombstone: Tombstone | None = None
    undoes: Undone | None = None
    shares: Shares = Shares()
    partial: bool = False
    unsent: frozenset[SystemName] = frozenset()


def revocations_of(decision: Decision) -> Decision | None:
    """The part of a decision that narrows consent for a person's sake; None when there is none.

    Two contacts that meet for the first time get a link through which nothing but revocations has
    travelled yet: as one out of scope, so that the rest meets when its turn comes.
    """
    operations = tuple(op for op in decision.operations if op.revokes and op.policy is None)
    if not operations or decision.tombstone is not None:  # a deletion is decided and settled as a whole
        return None
    link = None
    if decision.link is not None:
        decided = decision.link
        before = decision.case.link or replace(decided, in_scope=False, diverged=frozenset(), bounces={})
        link = replace(before, cause=decided.cause, dnd_by_us=decided.dnd_by_us, consent_held=decided.consent_held)
        shared = decided.sharing
        link = replace(link, sharing=replace(before.sharing, alone=shared.alone, lifted=shared.lifted))
    return Decision(
        decision.case,
        operations,
        decision.settles & {"consent"},
        link=link if decision.dissolves is None else None,
        remember=decision.remember,
        digests=decision.digests,
        notices=tuple(notice for notice in decision.notices if notice == NOT_DROPPED),
        partial=True,
    )


def part_waits(case: Case, part: str, digest: bytes | None, now: datetime) -> bool:
    """Whether a part is parked with the same value and its time hasn't come."""
    entry = case.parked.get(part)
    return entry is not None and entry.value == digest and entry.next_try > now


def ordered_drop(case: Case, part: str) -> Parked | None:
    """The parked part that a person ordered to be dropped, if that has yet to be done."""
    entry = case.parked.get(part)
    return entry if entry is not None and entry.dropped and not entry.let_be else None


def left_as_it_is(part: str) -> Notice:
    """What is reported of a part that was dropped."""
    return Notice(part, "dropped by a person's order: both sides stay as they are, a later change travels again")


def operations_digest(operations: Iterable[Operation], part: str, context: Context) -> bytes:
    """What the operations that carry a part are known by when it is refused."""
    said = tuple(
        canonical(value)
        for op in operations
        if part in op.parts
        for value in (op.system, op.action, op.target_id, op.address, op.consent, op.tags, *op.fields.values())
    )
    return context.detector.digester.field(SystemName.GHL, "", part, "\x1e".join(said))
