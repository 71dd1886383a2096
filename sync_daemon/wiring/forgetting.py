"""Whom to forget and where: every pair that may know a person, held until all of it is done."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from sync_daemon.changes.digests import Digester
from sync_daemon.cycle import Lease
from sync_daemon.cycle.parting import Record, carry_out, operations, ready, records
from sync_daemon.model.errors import PairBusy, StateStoreError
from sync_daemon.model.system import SystemName
from sync_daemon.ports import System
from sync_daemon.settings.pair import PairSection
from sync_daemon.store.pair import SqlPairStore
from sync_daemon.wiring.installation import Installation
from sync_daemon.wiring.systems import connect

_ASK_AGAIN_S = 1.0


@dataclass(slots=True)
class Place:
    """One pair that is to forget a person. `section` is None where the configuration names the pair no more.

    `was_forgotten` tells whether it had before, `erased` how many rows of each table went, `done` that they did.
    """

    name: str
    store: SqlPairStore
    lease: Lease
    section: PairSection | None = None
    systems: Mapping[SystemName, System] = field(default_factory=dict)
    records: Sequence[Record] = ()
    was_forgotten: bool = False
    erased: Mapping[str, int] = field(default_factory=dict)
    done: bool = False


@dataclass(slots=True)
class Forgetting:
    """One person, by his address, and the pairs that are to forget him."""

    installation: Installation
    address: str
    places: Sequence[Place]
    _digester: Digester = field(init=False)

    def __post_init__(self) -> None:
        self._digester = Digester(*self.installation.store.digest_keys)

    def look(self) -> None:
        """Read what both systems have of the person. Raises what reading may raise."""
        for place in self.places:
            if place.section is not None:
                if not place.systems:
                    own = self.installation
                    place.systems = ready(connect(place.section, own.settings, own.clock, own.store.oauth, self._keep))
                known = place.store.records_of(self._person)
                place.records = records(place.systems, self._digester, self.address, known)

    def part(self, *, delete: bool) -> None:
        """Unsubscribe or delete the person in every system, read back. Raises what writing may raise."""
        self.look()
        for place in self.places:
            carry_out(place.systems, operations(place.records, delete=delete))

    def erase(self) -> None:
        """Erase what the state store has of the person. Raises `PairBusy`, `StateStoreError`."""
        for place in self.places:
            found = [(one.system, one.contact_id) for one in place.records if one.own]
            place.was_forgotten = place.store.is_forgotten(self.address)
            self._keep()
            place.erased = place.store.forget(self._person, found, place.lease.holds)
            place.done = True

    def rewrite(self) -> None:
        """Leave nothing of the person in the database's files. Raises `StateStoreError`."""
        try:
            self.installation.store.rewrite()
        except StateStoreError as error:
            raise StateStoreError(
                f"The person is forgotten, but what was erased may stand in the database's file still, which couldn't "
                f"be rewritten: {error}. Give the same command again."
            ) from error

    def recall(self) -> list[Place]:
        """Forget that the person was forgotten; the pairs that had."""
        return [place for place in self.places if place.store.recall(self._person)]

    @contextmanager
    def held(self, wait: float) -> Iterator[None]:
        """Hold every pair. Raises `PairBusy` when another process has one of them for longer than `wait` seconds."""
        clock = self.installation.clock
        deadline = clock.monotonic() + wait
        while True:
            with ExitStack() as stack:
                try:
                    for place in self.places:
                        stack.enter_context(place.lease.held())
                except PairBusy:
                    if clock.monotonic() >= deadline:
                        raise
                else:
                    yield
                    return
            clock.sleep(_ASK_AGAIN_S)

    @property
    def _person(self) -> bytes:
        return self._digester.address(self.address)

    def _keep(self) -> None:
        for place in self.places:
            place.lease.keep()


def forgetting(
    installation: Installation, address: str, sections: Sequence[PairSection], *, narrowed: bool
) -> Forgetting:
    """A person and the pairs chosen: unless `narrowed`, those too that are stored and configured no more."""
    named = {section.name: section for section in installation.settings.pairs}
    places = [_place(installation, section.name, section) for section in sections]
    if not narrowed:
        places += [_place(installation, one.name) for one in installation.store.pairs() if one.name not in named]
    return Forgetting(installation, address, places)


def _place(installation: Installation, name: str, section: PairSection | None = None) -> Place:
    store = installation.store.known_pair(name)
    if store is None:  # one that has never run is to know it before its first load
        if section is None:
            raise ValueError(name)
        store = installation.open_store(section)
    return Place(name, store, Lease(name, store, installation.holder, installation.clock), section)
