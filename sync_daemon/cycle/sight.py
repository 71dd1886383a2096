"""One person as both systems show him now: a handful of reads by id and by address, whatever else there is."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from operator import or_

from sync_daemon.changes.addresses import normalise
from sync_daemon.changes.cases import ContactKey
from sync_daemon.changes.digests import Digester
from sync_daemon.cycle.pretence import Pretence, PretendingWriter
from sync_daemon.model.contact import AccountSchema, Page, Snapshot
from sync_daemon.model.errors import IncompleteRead, Refused, StopSystem
from sync_daemon.model.person import Person
from sync_daemon.model.system import SystemName
from sync_daemon.ports import PairStore, Reader, System, Usage, Writer
from sync_daemon.read.person import all_around, at_hand

MOST_READ = 12
"""So many contacts of a system are read for one person: he may have hundreds of duplicates."""
_ROUNDS = 3
"""What is read may name addresses that others have: they are looked at, too, and whom they name, and no further."""


@dataclass(slots=True)
class Sight:
    """What was read of one person. None in `contacts`: that contact doesn't exist.

    `refused` are contacts that can't be read, `unread` the systems that can't, or aren't to be, with the reason;
    `found` is whom a system was found to have for an address.
    """

    contacts: dict[ContactKey, Snapshot | None] = field(default_factory=dict)
    refused: dict[ContactKey, Refused] = field(default_factory=dict)
    unread: dict[SystemName, StopSystem] = field(default_factory=dict)
    found: dict[tuple[SystemName, str], Snapshot | None] = field(default_factory=dict)

    def addresses(self) -> set[str]:
        """Every primary address that was read, as it is compared."""
        return {normalise(one.address) for one in self.contacts.values() if one is not None and one.address}

    def person(self, digester: Digester) -> Person:
        """Whom these contacts make."""
        ghl, emailoctopus = (frozenset(one for of, one in self.contacts if of is name) for name in SystemName)
        shown = [one for one in self.contacts.values() if one is not None]
        texts = {text for one in shown for text in (one.address, *one.additional_addresses) if text}
        return Person(ghl, emailoctopus, frozenset(map(digester.address, texts)))


def look_at(
    person: Person,
    address: str | None,
    systems: Mapping[SystemName, System],
    store: PairStore,
    digester: Digester,
    sight: Sight,
) -> Person:
    """Read whom the store knows of a person, and who has his addresses, into `sight`; everybody around him.

    A system that fails is asked nothing more: the rest is read all the same.
    """
    near = at_hand(person, store)
    asked: set[str] = set()
    for _ in range(_ROUNDS):
        before = len(sight.contacts)
        for name in SystemName:
            _read(sight, name, systems[name].reader, _in_order(near.ids(name), name, person, store))
        new = (sight.addresses() | ({normalise(address)} if address else set())) - asked
        asked |= new
        holders = [_holders(sight, text, systems, digester) for text in sorted(new)]
        near = at_hand(reduce(or_, holders, near | sight.person(digester)), store)
        if len(sight.contacts) == before and not any(holders):
            break
    return all_around(near, store)


def _in_order(ids: Collection[str], name: SystemName, person: Person, store: PairStore) -> list[str]:
    """Who has a link first, then who is meant, then who is but around."""
    links = store.links(ghl=ids) if name is SystemName.GHL else store.links(emailoctopus=ids)
    linked = {link.id_in(name) for link in links}
    return sorted(ids, key=lambda one: (one not in linked, one not in person.ids(name), one))


def _read(sight: Sight, name: SystemName, reader: Reader, ids: Sequence[str]) -> None:
    done = {one for system, one in (*sight.contacts, *sight.refused) if system is name}
    for contact_id in [one for one in ids if one not in done][: max(0, MOST_READ - len(done))]:
        if name in sight.unread:
            return
        try:
            sight.contacts[name, contact_id] = reader.fetch(contact_id)
        except StopSystem as error:
            sight.unread[name] = error
        except Refused as refusal:
            sight.refused[name, contact_id] = refusal


def _holders(sight: Sight, address: str, systems: Mapping[SystemName, System], digester: Digester) -> Person:
    """Who has an address. EmailOctopus has one contact for it: where that was read, it isn't asked."""
    ids: dict[SystemName, tuple[str, ...]] = dict.fromkeys(SystemName, ())
    digest = digester.address(address)
    for name in SystemName:
        shown = (one for (of, _), one in sight.contacts.items() if of is name and one is not None)
        known = any(one.address is not None and digester.address(one.address) == digest for one in shown)
        if name in sight.unread or (known and name is SystemName.EMAILOCTOPUS):
            continue
        try:
            ids[name] = _who_has(systems[name].reader, address)
        except StopSystem as error:
            sight.unread[name] = error
        except Refused:  # nobody there is one who could be read
            continue
    unseen = {name: frozenset(one for one in ids[name] if (name, one) not in sight.contacts) for name in SystemName}
    return Person(unseen[SystemName.GHL], unseen[SystemName.EMAILOCTOPUS])


def _who_has(reader: Reader, address: str) -> tuple[str, ...]:
    """Who is listed under an address; where the listing can't be read to its end, whom the look-up finds."""
    try:
        return reader.holders(address)
    except IncompleteRead:
        found = reader.find(address)
        return (found.contact_id,) if found is not None else ()


class SightedReader:
    """A reader that has read one person already: nobody is read twice. What is pretended about him it shows."""

    def __init__(self, reader: Reader, sight: Sight, pretence: Pretence, name: SystemName) -> None:
        self._reader, self._sight, self._pretence, self._name = reader, sight, pretence, name
        self.streams, self.revocation_streams = reader.streams, reader.revocation_streams
        self.runs_behind, self.per_page = reader.runs_behind, reader.per_page

    def poll(self, stream: str, since: datetime) -> Iterator[Page]:
        """Nothing but what was read."""
        del stream, since
        return iter(())

    def scan(self, stream: str) -> Iterator[Page]:
        """Nothing but what was read."""
        del stream
        return iter(())

    def scan_revoked(self) -> Iterator[Page]:
        """Nothing but what was read."""
        return iter(())

    def holders(self, address: str) -> tuple[str, ...]:
        """Whom the system has for an address, asked once."""
        found = self.find(address)
        return (found.contact_id,) if found is not None else ()

    def tag_names(self) -> tuple[str, ...]:
        """Nothing but what the store knows."""
        return ()

    def fetch(self, contact_id: str) -> Snapshot | None:
        """As it was read; who wasn't, now."""
        key = (self._name, contact_id)
        if key in self._sight.refused:
            raise self._sight.refused[key]
        if key not in self._pretence.contacts:
            if key not in self._sight.contacts:
                self._sight.contacts[key] = self._reader.fetch(contact_id)
            self._pretence.contacts[key] = self._sight.contacts[key]
        return self._pretence.contacts[key]

    def find(self, address: str) -> Snapshot | None:
        """Whom the system has for an address, asked once."""
        holder = self._pretence.holder(self._name, address)
        if holder is not None:
            return holder
        key = (self._name, address)
        if key not in self._sight.found:
            self._sight.found[key] = self._reader.find(address)
        found = self._sight.found[key]
        return self.fetch(found.contact_id) if found is not None and self._is_there(found, address) else None

    def _is_there(self, found: Snapshot, address: str) -> bool:
        """Whether whoever was found has the address still, as far as nothing else is pretended of him."""
        now = self.fetch(found.contact_id)
        return now is not None and normalise(now.address or "") == normalise(address)


class SightedSystem:
    """A system of which one person has been read, and which is only pretended to be written to.

    `schemas` holds what both accounts hold, as far as that was read already.
    """

    def __init__(
        self, system: System, sight: Sight, pretence: Pretence, schemas: dict[SystemName, AccountSchema]
    ) -> None:
        self._system, self._sight, self._pretence, self._schemas = system, sight, pretence, schemas
        self.name = system.name
        self.reader: Reader = SightedReader(system.reader, sight, pretence, system.name)
        self.writer: Writer = PretendingWriter(system.writer, pretence)
        self.actions = system.actions
        self.engagement = system.engagement
        self.max_batch = system.max_batch
        self.blanks = dict(system.blanks)
        self.activity, self.automations = system.activity, system.automations

    def read_schema(self) -> AccountSchema:
        """What the account can hold."""
        if self.name not in self._schemas:
            self._schemas[self.name] = self._system.read_schema()
        return self._schemas[self.name]

    def with_schema(self, schema: AccountSchema, names: Collection[str]) -> "SightedSystem":
        """The same, reading the fields `names`; whoever was read stays as he was read."""
        return SightedSystem(self._system.with_schema(schema, names), self._sight, self._pretence, self._schemas)

    def usage(self) -> Usage:
        """Requests since the start of the process."""
        return self._system.usage()

    def seconds_for(self, requests: int) -> float:
        """The least time that many requests take."""
        return self._system.seconds_for(requests)
