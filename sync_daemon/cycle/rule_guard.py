"""The guard over rules: what they do is counted as a mass change, and held as a whole where a day had enough of it."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from sync_daemon.cycle.pair import GHL, Run
from sync_daemon.cycle.weighing import Weighed
from sync_daemon.model.plan import GUARDED_FOR, MassChange
from sync_daemon.model.rules import Action
from sync_daemon.model.state import Change, Held, Link
from sync_daemon.ports import Commit
from sync_daemon.reconcile.guard import OF_RULES, room_left, why_held
from sync_daemon.reconcile.rule_calls import kind_of

Ids = tuple[str | None, str | None]


@dataclass(slots=True)
class RuleGuard:
    """What of rules waits for a person, by contact and kind; which kinds are `over` their limit, with the reason."""

    run: Run
    over: dict[MassChange, str] = field(default_factory=dict)
    _held: dict[tuple[Ids, str], Held] = field(init=False)
    _blocked: set[tuple[Ids, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        waiting = self.run.pair.store.held(everything=True)
        self._held = {(_ids_of(one), one.action): one for one in waiting if one.action in OF_RULES}

    def count(self, waiting: Iterable[Weighed]) -> None:
        """How much the rules would do at most, conditions on the contact aside, against what a day may see.

        Nobody is read for it: of thousands that wait, most are to be held.
        """
        asked: Counter[MassChange] = Counter()
        for weighed in waiting:
            if weighed.link is not None:
                asked.update(self.fresh(weighed.link, [action for rule in weighed.acting for action in rule.then]))
        if not asked:
            return
        store, limits = self.run.pair.store, self.run.policy().guard
        made, links = store.mass_changes(self.run.pair.clock.now() - GUARDED_FOR), store.count_links()
        for kind, count in asked.items():
            before = made.get(kind, 0)
            if count > room_left(kind, limits, links=links, made=before):
                self.over[kind] = why_held(kind, limits, links=links, made=before, asked=count)

    def fresh(self, link: Link, actions: Iterable[Action]) -> Counter[MassChange]:
        """How many of some actions for a contact need room: those about which no person was asked."""
        kinds = Counter(map(kind_of, actions))
        return Counter({kind: count for kind, count in kinds.items() if (_ids(link), kind) not in self._held})

    def why_blocked(self, link: Link, kind: MassChange) -> str | None:
        """Why an action must wait for a person; None if it needn't, empty if he discarded it."""
        entry = self._held.get((_ids(link), kind))
        if entry is None:
            return self.over.get(kind)
        if entry.discarded:
            return ""
        return None if entry.approved else entry.reason

    def still_holds(self, link: Link, kinds: Collection[MassChange]) -> bool:
        """Whether a person was asked about such actions for a contact, and hasn't answered."""
        waiting = [one for kind in kinds if (one := self._held.get((_ids(link), kind))) is not None]
        undecided = [one for one in waiting if not (one.approved or one.discarded)]
        self._blocked.update((_ids_of(one), one.action) for one in undecided)
        return bool(undecided)

    def is_approved(self, link: Link, kind: MassChange) -> bool:
        """Whether a person approved what waited of a contact."""
        entry = self._held.get((_ids(link), kind))
        return entry is not None and entry.approved

    def hold(self, link: Link, why: Mapping[MassChange, str]) -> None:
        """Leave what waits of a contact until a person says what is to be done."""
        ids, now = _ids(link), self.run.pair.clock.now()
        new = [Held(*ids, kind, reason, now) for kind, reason in why.items() if (ids, kind) not in self._held]
        self._blocked.update((ids, kind) for kind in why)
        if new:
            self._held.update({(ids, one.action): one for one in new})
            self.run.report.new_held += len(new)
            changes = [Change("held", GHL, *ids, one.action, one.reason) for one in new]
            self.run.commit(Commit(held=new, changes=changes))

    def release(self) -> None:
        """Once all that waits was judged: whatever else is held was done or discarded, or has healed itself."""
        over: Collection[Held] = [one for place, one in self._held.items() if place not in self._blocked]
        if over:
            self.run.commit(Commit(unheld=list(over)))


def _ids(link: Link) -> Ids:
    return link.ghl_id, link.emailoctopus_id


def _ids_of(entry: Held) -> Ids:
    return entry.ghl_id, entry.emailoctopus_id
