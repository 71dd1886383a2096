"""A field of a list that several locations feed: it shows the value of the first pair in the file that has one. Pure.

What another location gave the list is nobody's edit there, so it doesn't travel to this one; what a person changes in
the list goes to every location, as each pair sees it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from sync_daemon.changes.cases import Case, CaseSide, ContactKey
from sync_daemon.model.contact import Source
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.decision import Context
from sync_daemon.reconcile.fields import UNCHANGED, FieldDecision, FieldSide, MappedField, same

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
Sides = tuple[FieldSide, FieldSide]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands among those of the list's other locations that have a value for its field.

    `first` is the pair before this one in the file, `later` one after it, None without such; `theirs` the pair whose
    location gave the list the value that it shows, None for one that a person, or this location, gave. `takes_over`
    says that the list showed another location's value until now.
    """

    first: str | None = None
    later: str | None = None
    theirs: str | None = None
    takes_over: bool = False

    @property
    def source(self) -> str | None:
        """The pair whose value the list shows."""
        return self.first or self.theirs or self.later

    def leads(self, mapped: MappedField, ghl: FieldSide) -> bool:
        """Whether this location is the first one that has a value."""
        return mapped.rule.direction.leader is not EMAILOCTOPUS and self.first is None and not ghl.holds(None)


ON_ITS_OWN = Place()


def place_of(mapped: MappedField, case: Case, context: Context) -> Place:
    """How the other locations stand to a row of a case."""
    if not case.others.locations:
        return ON_ITS_OWN
    name, digester = mapped.rule.emailoctopus, context.detector.digester
    givers = [one.neighbour for one in case.others.locations if one.gives(name, digester)]
    there, theirs = case.emailoctopus, None
    if there is not None and there.snapshot is not None:
        value, locations = there.snapshot.fields.get(name), case.others.locations
        gave = (one.neighbour.name for one in locations if one.gave(name, there.contact_id, value, digester))
        theirs = next(gave, None)
    return Place(
        next((one.name for one in givers if one.earlier), None),
        next((one.name for one in givers if not one.earlier), None),
        theirs,
        takes_over=case.link is not None and mapped.rule.key in case.link.sharing.yielded,
    )


def decide_met(
    mapped: MappedField, sides: Sides, place: Place, merge: Callable[[FieldSide, FieldSide], FieldDecision]
) -> tuple[FieldDecision, bool]:
    """What becomes of a row that both sides once agreed about, and whether this location gives way in it.

    `merge` decides by the pair's own rules.
    """
    ghl, emailoctopus = sides
    theirs = place.theirs is not None and emailoctopus.changed
    if theirs:
        emailoctopus = replace(emailoctopus, changed=False)
    if ghl.known and (theirs or place.takes_over) and place.leads(mapped, ghl):
        ghl = replace(ghl, changed=True)
    decision = merge(ghl, emailoctopus)
    if decision is UNCHANGED and theirs:
        return _given_way(mapped, ghl, emailoctopus)
    if decision.write is EMAILOCTOPUS and _gives_way(decision, place):
        return _given_way(mapped, ghl, emailoctopus)
    return decision, False


def decide_first(
    mapped: MappedField, sides: Sides, place: Place, meet: Callable[[FieldSide, FieldSide, bool], FieldDecision]
) -> tuple[FieldDecision, bool]:
    """What becomes of a row at its first meeting, and whether this location gives way in it.

    `meet` decides by the pair's own rules; its last argument says that GHL's value stands.
    """
    ghl, emailoctopus = sides
    decision = meet(ghl, emailoctopus, place.theirs is not None and place.leads(mapped, ghl))
    if (decision.write is EMAILOCTOPUS and _gives_way(decision, place)) or (
        decision.write is GHL and place.theirs is not None
    ):
        return _given_way(mapped, ghl, emailoctopus)
    return decision, False


def shared_reads(case: Case, context: Context) -> frozenset[ContactKey]:
    """Whom to read by id: whether a change in the list is a person's is told by what is known after a read."""
    if not case.others.locations or case.link is None or not case.link.in_scope:
        return frozenset()
    return frozenset((side.system, side.contact_id) for side in _unread(case, context))


def _unread(case: Case, context: Context) -> Iterator[CaseSide]:
    ghl, there = case.both()
    detector, snapshot = context.detector, there.snapshot
    for mapped in context.fields:
        place = place_of(mapped, case, context)
        changed = snapshot is not None and detector.field_changed(mapped.rule, snapshot, there.known) is True
        if changed and place.theirs is None and snapshot is not None and snapshot.source is not Source.READ:
            yield there
        if ghl.snapshot is None and place.first is None and (place.takes_over or (changed and place.theirs)):
            yield ghl


def _gives_way(decision: FieldDecision, place: Place) -> bool:
    """Whether this location's value stays here: one before it has one, or, to a blank, one after it."""
    return place.first is not None or (decision.value is None and place.later is not None)


def _given_way(mapped: MappedField, ghl: FieldSide, emailoctopus: FieldSide) -> tuple[FieldDecision, bool]:
    """Both sides stay as they are; what this location has waits until none before it has a value."""
    equal = emailoctopus.known and same(mapped, emailoctopus, ghl)
    return FieldDecision(diverged=not equal), not equal and not ghl.holds(None)
