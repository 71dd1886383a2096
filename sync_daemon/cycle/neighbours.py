"""The other pairs of a pair's location and list: what they know of a person, and whom they call attention to."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sync_daemon.changes.cases import Case
from sync_daemon.changes.digests import Digester
from sync_daemon.changes.others import Neighbour, Other, Others, wrote
from sync_daemon.model.sharing import UNSHARED, UnsubscribeMeans
from sync_daemon.model.state import Cause, KnownContact, Link, PairState, Staged, Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.ports import PairStore

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
FIRST_LOADED = "first_load"
_MARK = "neighbours "


@dataclass(frozen=True, slots=True)
class Shared:
    """Another pair, with what the store has of it, which is only read; `look` gives None as long as it has nothing."""

    neighbour: Neighbour
    look: Callable[[], PairStore | None]
    _found: list[PairStore] = field(default_factory=list, compare=False)

    @property
    def store(self) -> PairStore | None:
        """What is stored of the pair."""
        if not self._found and (store := self.look()) is not None:
            self._found.append(store)
        return self._found[0] if self._found else None


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The other pairs of the same location, each with another list, and of the same list; none for most pairs."""

    lists: tuple[Shared, ...] = ()
    locations: tuple[Shared, ...] = ()
    unsubscribe_means: UnsubscribeMeans = UnsubscribeMeans.THIS_LIST
    _loaded: set[str] = field(default_factory=set, compare=False)

    def __bool__(self) -> bool:
        return bool(self.lists or self.locations)

    def names(self) -> Mapping[SystemName, tuple[str, ...]]:
        """Who also sees the contacts of a system: those with the same location see GHL's."""
        return {
            GHL: tuple(one.neighbour.name for one in self.lists),
            EMAILOCTOPUS: tuple(one.neighbour.name for one in self.locations),
        }

    def loaded(self, one: Shared) -> bool:
        """Whether a neighbour has read both its sides to their end once."""
        name, store = one.neighbour.name, one.store
        if name not in self._loaded and store is not None and FIRST_LOADED in store.state().looked_at:
            self._loaded.add(name)
        return name in self._loaded

    def mark(self, digester: Digester) -> str:
        """What all that decides between neighbours is known by."""
        lists = [(one.neighbour.name, self.loaded(one)) for one in self.lists]
        locations = [(one.neighbour.name, one.neighbour.earlier, one.neighbour.rows) for one in self.locations]
        return digester.configuration(lists, locations, self.unsubscribe_means).hex()


NO_NEIGHBOURS = Neighbours()


def with_others(cases: Sequence[Case], neighbours: Neighbours) -> list[Case]:
    """The cases with what the neighbours know now. What they gave a contact before it was read stays known."""
    if not neighbours:
        return list(cases)
    lists = [_of_list(one, cases, neighbours) for one in neighbours.lists]
    locations = [_of_location(one, cases) for one in neighbours.locations]
    found = []
    for index, case in enumerate(cases):
        others = Others(
            tuple(each[index] for each in lists),
            tuple(each[index][0] for each in locations),
            neighbours.unsubscribe_means,
        ).with_former(case.others)
        left = any(each[index][1] for each in locations)
        found.append(replace(case, others=others, orphans=case.orphans and not left))
    return found


def calls_of(
    store: PairStore,
    neighbours: Neighbours,
    state: PairState,
    digester: Digester,
    called: Collection[tuple[SystemName, str]],
) -> tuple[list[Staged], str | None]:
    """Hints at the contacts that are to be looked at again, and the mark to remember when the neighbours changed."""
    marks = {name for name in state.looked_at if name.startswith(_MARK)}
    if not neighbours and not marks:
        return [], None
    mark = f"{_MARK}{neighbours.mark(digester)}"
    last = max(marks, key=lambda name: state.looked_at[name], default=None)
    hints = dict(_wanted(store, called))
    if mark != last:
        hints |= {key: row for link in store.shared_links() for key, row in _hints(link)}
    waiting = {name: store.staged(name, [one for of, one in hints if of is name]) for name in SystemName}
    return [row for (name, one), row in hints.items() if one not in waiting[name]], mark if mark != last else None


def _wanted(
    store: PairStore, called: Collection[tuple[SystemName, str]]
) -> Iterator[tuple[tuple[SystemName, str], Staged]]:
    ids = {name: [one for of, one in called if of is name] for name in SystemName}
    for link in store.links(ghl=ids[GHL], emailoctopus=ids[EMAILOCTOPUS]):
        yield from _hints(link)
    for contact_id, known in store.contacts(EMAILOCTOPUS, ids[EMAILOCTOPUS]).items():
        if known.unlinked is Unlinked.KEPT:
            yield (EMAILOCTOPUS, contact_id), Staged(EMAILOCTOPUS, contact_id, None)


def _hints(link: Link) -> Iterator[tuple[tuple[SystemName, str], Staged]]:
    """Both contacts of a link that remembers something for its neighbours' sake; a revocation to be made first."""
    if link.sharing != UNSHARED:
        for name in SystemName:
            key = name, link.id_in(name)
            yield key, Staged(*key, None, revoked=link.sharing.alone)


def _of_list(shared: Shared, cases: Sequence[Case], neighbours: Neighbours) -> list[Other]:
    """What a pair of the same location with another list knows of each case's person."""
    store, loaded = shared.store, neighbours.loaded(shared)
    if store is None:
        return [Other(shared.neighbour, loaded=False)] * len(cases)
    ids = {case.ghl.contact_id for case in cases if case.ghl is not None}
    links = {link.ghl_id: link for link in store.links(ghl=ids)}
    ghl = store.contacts(GHL, links)
    there = store.contacts(EMAILOCTOPUS, [link.emailoctopus_id for link in links.values()])
    holders = store.contacts_at(EMAILOCTOPUS, {one for case in cases if (one := _address(case)) is not None})

    def other(case: Case) -> Other:
        link = links.get(case.ghl.contact_id) if case.ghl is not None else None
        return Other(
            shared.neighbour,
            link,
            ghl.get(link.ghl_id) if link else None,
            there.get(link.emailoctopus_id) if link else None,
            tuple(holders.get(_address(case) or b"", ())),
            loaded=loaded,
        )

    return list(map(other, cases))


def _of_location(shared: Shared, cases: Sequence[Case]) -> list[tuple[Other, bool]]:
    """What a pair of the same list with another location knows of each case's person.

    With each whether the location has the contact that the case's link leaves behind.
    """
    store = shared.store
    if store is None:
        return [(Other(shared.neighbour, loaded=False), False)] * len(cases)
    ids = {one for case in cases for one in _in_emailoctopus(case)}
    links = {link.emailoctopus_id: link for link in store.links(emailoctopus=ids)}
    there = store.contacts(EMAILOCTOPUS, links)
    ghl = store.contacts(GHL, [link.ghl_id for link in links.values()])
    remembered = store.revoked_at({one for case in cases if (one := _address(case)) is not None})

    def other(case: Case) -> tuple[Other, bool]:
        link = links.get(case.emailoctopus.contact_id) if case.emailoctopus is not None else None
        left = links.get(case.left_behind.contact_id) if case.left_behind is not None else None
        cause = remembered.get(_address(case) or b"")
        known: KnownContact | None = there.get(link.emailoctopus_id) if link else None
        found = Other(
            shared.neighbour,
            link,
            ghl.get(link.ghl_id) if link else None,
            known,
            remembered=Cause(cause) if cause else None,
            wrote=wrote(link, known),
        )
        return found, left is not None and left.in_scope

    return list(map(other, cases))


def _in_emailoctopus(case: Case) -> Iterator[str]:
    yield from (one.contact_id for one in (case.emailoctopus, case.left_behind) if one is not None)


def _address(case: Case) -> bytes | None:
    """The address of the person, by its digest."""
    sides = (case.ghl, case.emailoctopus)
    return next((side.known.address for side in sides if side is not None and side.known.address is not None), None)
