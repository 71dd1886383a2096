"""A cycle that carries out a plan and nothing else: what the plan doesn't hold exactly so stays for the next cycle.

Revocations by persons pass (contract, section 4), guards hold as in every cycle. Nothing that is left out is lost: its
row stays in the inbox, and no baseline moves.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sync_daemon.changes.digests import Digester
from sync_daemon.cycle.guard import Guard
from sync_daemon.model.deeds import Deed, DeedState
from sync_daemon.model.plan import Operation, WriteResult
from sync_daemon.model.planned import Area, Followed, Planned, Refusal
from sync_daemon.model.planned_pair import PlannedPair
from sync_daemon.model.state import Held, Parked
from sync_daemon.ports import PairStore
from sync_daemon.reconcile.decision import Context, Decision
from sync_daemon.reconcile.following import (
    NOT_APPROVED,
    PlanBook,
    in_what,
    persons_part,
    refusals,
    unapproved,
    unplanned,
)
from sync_daemon.reconcile.guard import kind_of
from sync_daemon.reconcile.planned import by_person, digest_of_deed, planned

_OVER = "nothing of the kind is to be done any more: both sides agree, or the contact isn't the pair's to write by now"
_EXISTS = "the contact exists there by now"
_THERE = "the account has the field by now"
_UNDONE = {
    "revoked": "the person has revoked by now",
    "no_link": "the contact isn't linked any more",
    "too_late": "it happened more than a day ago",
}
Ids = tuple[str | None, str | None]


@dataclass(slots=True)
class Following:
    """What of a plan was done in one cycle, and what wasn't.

    `left` are the records with changes that the plan doesn't hold, `activity_left` says that there are such of
    activity; `cut_short` that some of the cycle's work wasn't reached.
    """

    plan: PlannedPair
    digester: Digester
    book: PlanBook = field(init=False)
    left: set[Ids] = field(default_factory=set)
    activity_left: bool = False
    cut_short: bool = False
    _done: set[Planned] = field(default_factory=set)
    _parked: set[Planned] = field(default_factory=set)
    _held: set[Planned] = field(default_factory=set)
    _refused: dict[Planned, str] = field(default_factory=dict)
    _revocations: int = 0

    def __post_init__(self) -> None:
        self.book = PlanBook(self.plan.operations)

    # Contacts

    def sift(
        self, decisions: Iterable[Decision], guard: Guard, context: Context
    ) -> tuple[list[Decision], list[Decision]]:
        """What can be carried out now, persons' revocations among it; and what stays for later."""
        planned_ones: list[Decision] = []
        beside: list[Decision] = []
        for decision in decisions:
            strangers = unplanned(decision, context, self.book, first_load=guard.first_load)
            (beside if strangers else planned_ones).append(decision)
            if strangers:
                self._leave(decision, refusals(decision, context, self.book, first_load=guard.first_load))
        asked = {id(one.case): one for one in planned_ones}
        let_pass, put_off = guard.sift(planned_ones)
        now: list[Decision] = []
        for decision in let_pass:
            surprising = unapproved(decision, context, self.book)
            if surprising:
                self._leave(decision, ((one, NOT_APPROVED) for one in surprising))
                beside.append(decision)
            else:
                self._note_held(asked[id(decision.case)], decision, context)
                now.append(decision)
        for decision in beside:
            alone = persons_part(decision)
            (put_off if alone is None else now).append(decision if alone is None else alone)
        return now, put_off

    def note(self, decision: Decision, results: Sequence[WriteResult], context: Context) -> None:
        """What came of the operations of a decision."""
        for result in results:
            known = self.book.about(planned(result.operation, decision, context))
            if result.refusal is not None:
                self._parked.update(known)
            elif known:
                self._done.update(known)
            elif by_person(result.operation):
                self._revocations += 1

    def exists(self, operation: Operation, decision: Decision, context: Context) -> None:
        """Note that a contact couldn't be created, as it is there."""
        for one in self.book.about(planned(operation, decision, context)):
            self._refused[one] = _EXISTS

    def _leave(self, decision: Decision, why: Iterable[tuple[Planned, str]]) -> None:
        ghl, there = decision.case.ghl, decision.case.emailoctopus
        self.left.add((ghl.contact_id if ghl else None, there.contact_id if there else None))
        self._refused.update(why)

    def _note_held(self, before: Decision, after: Decision, context: Context) -> None:
        """What a guard took out of a decision."""
        waiting = {entry.action for entry in before.case.held if not (entry.approved or entry.discarded)}
        kinds = waiting | {entry.action for entry in after.holds}
        for operation in before.operations if kinds else ():
            if kind_of(operation) in kinds:
                self._held.update(self.book.about(planned(operation, before, context)))

    # What no case is about

    def may(self, one: Planned) -> bool:
        """Whether the plan holds a write of activity, or the making of a field, exactly so."""
        same = self.book.same(one)
        if same is None:
            self.activity_left = True
            self.left.add((one.ghl_id, one.emailoctopus_id))
            self._refused.update((known, in_what(known, one)) for known in self.book.about(one))
        return same is not None

    def done(self, one: Planned) -> None:
        """Note that it was done."""
        same = self.book.same(one)
        self._done.update([same] if same is not None else [])

    def parked(self, one: Planned) -> None:
        """Note that it was refused, and is to be tried again."""
        same = self.book.same(one)
        self._parked.update([same] if same is not None else [])

    def may_do(self, key: str, ghl_id: str, emailoctopus_id: str, *, approved: bool = True) -> bool:
        """Whether the plan holds a deed; one that it shows as held is `approved` since, or isn't done."""
        known = self._deed(key, ghl_id)
        if known is not None and known.held and not approved:
            self._refused[known] = NOT_APPROVED
        if known is None or (known.held and not approved):
            self.left.add((ghl_id, emailoctopus_id))
            return False
        return True

    def holds(self, key: str, ghl_id: str) -> bool:
        """Whether the plan holds a deed."""
        return self._deed(key, ghl_id) is not None

    def holds_back(self, key: str, ghl_id: str) -> None:
        """Note that a deed waits for a person."""
        known = self._deed(key, ghl_id)
        self._held.update([known] if known is not None else [])

    def came_of(self, deed: Deed) -> None:
        """Note what came of a deed; one that is intended still waits for the next cycle."""
        known = self._deed(deed.key, deed.ghl_id)
        if known is None or deed.state is DeedState.INTENDED:
            return
        if deed.state is DeedState.DONE and not deed.code:
            self._done.add(known)
        elif deed.state is DeedState.REFUSED:
            self._parked.add(known)
        else:
            self._refused[known] = _UNDONE.get(deed.code, deed.code or f"{deed.state}: no answer came")

    def _deed(self, key: str, ghl_id: str) -> Planned | None:
        return self.book.deed(digest_of_deed(key, ghl_id, self.digester))

    # The end

    def outcome(self, store: PairStore, *, cut_short: bool) -> Followed:
        """What came of the plan. What wasn't reached in a cycle that didn't get to its end isn't refused."""
        self._look_at_what_waits(store)
        parked = self._parked
        held = self._held - parked
        done = self._done - parked - held
        open_ = [one for one in self.book.operations if one not in parked | held | done]
        unsent = [one for one in open_ if one not in self._refused] if cut_short or self.cut_short else []
        refused = [Refusal(one, self._refused.get(one, _why_over(one))) for one in open_ if one not in unsent]
        return Followed(
            operations=len(self.book.operations),
            done=len(done),
            held=len(held),
            parked=len(parked),
            unsent=len(unsent),
            refused=tuple(refused),
            left=len(self.left),
            revocations=self._revocations,
        )

    def _look_at_what_waits(self, store: PairStore) -> None:
        """Of contacts that can't be read, and of deletions that aren't proven, no operation came up at all."""
        known = self._done | self._parked | self._held | self._refused.keys()
        waiting = [one for one in self.book.operations if one not in known and one.area is Area.CONTACTS]
        if waiting:
            held = _contacts(store.held(everything=True))
            parked = _contacts(store.parked(everything=True))
            self._held.update(one for one in waiting if one.held and _is_of(one, held))
            self._parked.update(one for one in waiting if not one.held and _is_of(one, parked))


def _contacts(waiting: Iterable[Held | Parked]) -> set[tuple[int, str]]:
    return {
        (place, contact_id)
        for entry in waiting
        for place, contact_id in enumerate((entry.ghl_id, entry.emailoctopus_id))
        if contact_id is not None
    }


def _is_of(one: Planned, contacts: set[tuple[int, str]]) -> bool:
    return any(
        (place, contact_id or "") in contacts for place, contact_id in enumerate((one.ghl_id, one.emailoctopus_id))
    )


def _why_over(one: Planned) -> str:
    return _THERE if one.area is Area.FIELDS else _OVER
