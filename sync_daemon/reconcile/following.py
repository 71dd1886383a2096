"""What is decided now held against a plan: which operations it holds exactly so, and in what others differ. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from sync_daemon.model.plan import Action
from sync_daemon.model.planned import Area, Planned, PlannedKey
from sync_daemon.reconcile.decision import Context, Decision, revocations_of
from sync_daemon.reconcile.foreseen import asking
from sync_daemon.reconcile.guard import kind_of
from sync_daemon.reconcile.planned import by_person, planned

NOT_APPROVED = "the plan shows it as held and nobody approved it, though the guard would let it pass by now"


@dataclass(slots=True)
class PlanBook:
    """The operations of a plan, found by what they are about."""

    operations: tuple[Planned, ...]
    _by_key: dict[PlannedKey, list[Planned]] = field(init=False)
    _deeds: dict[bytes, Planned] = field(init=False)

    def __post_init__(self) -> None:
        self._by_key = {}
        self._deeds = {}
        for one in self.operations:
            self._by_key.setdefault(one.key, []).append(one)
            if one.area is Area.RULES or one.action == Action.START_AUTOMATION:
                self._deeds[one.after] = one

    def about(self, one: Planned) -> list[Planned]:
        """What the plan holds about the same thing, whatever it is that is to be written."""
        return self._by_key.get(one.key, [])

    def same(self, one: Planned) -> Planned | None:
        """The plan's operation that does exactly this to what is there, None when it holds none."""
        return next((known for known in self.about(one) if known.does == one.does), None)

    def deed(self, digest: bytes) -> Planned | None:
        """The plan's action of a rule or start of an automation that is known by this."""
        return self._deeds.get(digest)


def _wanted(decision: Decision, context: Context, *, first_load: bool) -> list[Planned]:
    """What a decision would write, as a plan made now would hold it, but for what a person discarded.

    A person's revocation isn't among it: it needs no plan.
    """
    found = asking(decision, context.policy.fields, first_load=first_load).operations
    return [planned(operation, decision, context) for operation in found if not by_person(operation)]


def unplanned(decision: Decision, context: Context, book: PlanBook, *, first_load: bool) -> list[Planned]:
    """What of a decision the plan doesn't hold exactly so, persons' revocations aside."""
    return [one for one in _wanted(decision, context, first_load=first_load) if book.same(one) is None]


def refusals(
    decision: Decision, context: Context, book: PlanBook, *, first_load: bool
) -> Iterator[tuple[Planned, str]]:
    """Why the planned operations of a record that has moved on aren't carried out."""
    now = _wanted(decision, context, first_load=first_load)
    other = [one for one in now if book.same(one) is None]
    for one in now:
        same = book.same(one)
        if same is not None:
            yield same, f"more is to be written to the contact by now: {', '.join(map(_in_words, other))}"
        else:
            yield from ((known, in_what(known, one)) for known in book.about(one))


def in_what(before: Planned, now: Planned) -> str:
    """In what an operation differs from the planned one, in words."""
    if set(before.fields) != set(now.fields):
        names = ", ".join(now.fields) or "no field"
        return f"{names} would be written by now, not {', '.join(before.fields) or 'no field'}"
    if before.before != now.before:
        return f"what {now.system.label} has there changed since"
    return "something else would be written by now"


def _in_words(one: Planned) -> str:
    fields = f" {', '.join(one.fields)}" if one.fields else ""
    return f"{one.action.replace('_', ' ')}{fields} in {one.system.label}"


def unapproved(decision: Decision, context: Context, book: PlanBook) -> list[Planned]:
    """What of a decision that a guard let pass the plan shows as held, and no person approved."""
    approved = {entry.action for entry in decision.case.held if entry.approved}
    found: list[Planned] = []
    for operation in decision.operations:
        kind = kind_of(operation)
        if kind is not None and kind not in approved and not decision.partial:
            found += [one for one in book.about(planned(operation, decision, context)) if one.held]
    return found


def persons_part(decision: Decision) -> Decision | None:
    """What of a decision carries a person's revocation, to be sent although the rest isn't; None when nothing does."""
    alone = revocations_of(decision)
    operations = tuple(filter(by_person, decision.operations))
    if alone is not None or not operations:
        return alone
    # A deletion that the plan doesn't hold: its link stays until it is decided again.
    link = decision.case.link
    cause = decision.remember
    return Decision(
        decision.case,
        operations,
        decision.settles & {"consent"},
        link=replace(link, cause=cause or link.cause) if link is not None else None,
        remember=cause,
        partial=True,
    )
