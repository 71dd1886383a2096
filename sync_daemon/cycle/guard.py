"""The guard of a cycle: what it may change in mass is counted first, and judged when nothing else is left to do."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sync_daemon.model.plan import GUARDED_FOR, MassChange
from sync_daemon.model.policy import PairPolicy
from sync_daemon.ports import Clock, PairStore
from sync_daemon.reconcile.decision import Decision
from sync_daemon.reconcile.guard import Ids, fresh, guarded, room_left, why_held


@dataclass(slots=True)
class Guard:
    """What of each kind asks for room in this cycle, and which kinds are `over` their limit, with the reason.

    While it isn't `judged`, whatever asks for room is put off: a kind is held as a whole, or not at all. Of those
    that were counted no more are remembered than there is room for.
    """

    policy: PairPolicy
    store: PairStore
    clock: Clock
    first_load: bool
    judged: bool = False
    over: dict[MassChange, str] = field(default_factory=dict)
    _counted: dict[MassChange, set[Ids]] = field(default_factory=dict)
    _asked: Counter[MassChange] = field(default_factory=Counter)
    _before: dict[MassChange, int] = field(default_factory=dict)
    _links: int | None = None

    def sift(self, decisions: Iterable[Decision]) -> tuple[list[Decision], list[Decision]]:
        """What can be carried out now, without what is held; and what must be put off until all is counted."""
        now: list[Decision] = []
        put_off: list[Decision] = []
        for decision in decisions:
            asking = fresh(decision, first_load=self.first_load)
            for kind, ids in asking.items():
                self._count(kind, ids)
            if asking and not self.judged:
                put_off.append(decision)
            else:
                now.append(self.guarded(decision))
        return now, put_off

    def guarded(self, decision: Decision) -> Decision:
        """The decision without what is held."""
        return guarded(decision, self.over, self.policy.fields, self.clock.now(), first_load=self.first_load)

    def judge(self) -> bool:
        """Decide which kinds are held; whether anything had been put off for that."""
        self.judged = True
        for kind in self._counted:
            self._judge(kind)
        return bool(self._counted)

    def _count(self, kind: MassChange, ids: Ids) -> None:
        known = self._counted.setdefault(kind, set())
        if ids in known or kind in self.over:
            return
        self._asked[kind] += 1
        if len(known) <= self._room(kind):
            known.add(ids)
        if self.judged:  # it turned up after the others were judged: there may be room for it, or not
            self._judge(kind)

    def _judge(self, kind: MassChange) -> None:
        if kind in self.over or len(self._counted[kind]) <= self._room(kind):
            return
        before, asked = self._before.get(kind, 0), self._asked[kind]
        self.over[kind] = why_held(kind, self.policy.guard, links=self._links or 0, made=before, asked=asked)

    def _room(self, kind: MassChange) -> int:
        if self._links is None:
            self._links = self.store.count_links()
            counted = self.store.mass_changes(self.clock.now() - GUARDED_FOR)
            self._before = {MassChange(name): number for name, number in counted.items()}
        return room_left(kind, self.policy.guard, links=self._links, made=self._before.get(kind, 0))
