"""Who belongs to one person, by what the store knows: ids, addresses, links and duplicates, a few steps around."""

from collections.abc import Iterable

from sync_daemon.changes.digests import Digester
from sync_daemon.model.person import Person
from sync_daemon.model.state import KnownContact
from sync_daemon.model.system import SystemName
from sync_daemon.ports import PairStore

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS


def known_by_id(contact_id: str, store: PairStore) -> Person:
    """Who is meant by an id, whichever system it is of; nobody where the store hasn't heard of it."""
    named = Person(ghl=frozenset({contact_id}), emailoctopus=frozenset({contact_id}))
    parked = store.parked(ghl=named.ghl, emailoctopus=named.emailoctopus)
    told = [(entry.ghl_id, entry.emailoctopus_id) for entry in parked]
    told += [(entry.ghl_id, entry.emailoctopus_id) for entry in store.tombstones_of(named)]
    ends = Person(frozenset(ghl for ghl, _ in told if ghl), frozenset(other for _, other in told if other))
    return _persons(_contacts(named, store)) | _linked(named, store) | ends


def known_at(address: bytes, store: PairStore) -> Person:
    """Who has an address, by its digest, or had it when he was deleted."""
    found = Person(addresses=frozenset({address}))
    for system in SystemName:
        for group in store.contacts_at(system, [address]).values():
            found |= _persons(group)
    stones = store.tombstones_of(found)
    return found | Person(
        frozenset(store.holders_of_additional([address]).get(address, ()))
        | frozenset(stone.ghl_id for stone in stones if stone.ghl_id),
        frozenset(stone.emailoctopus_id for stone in stones if stone.emailoctopus_id),
    )


def ids_meant(asked: str, store: PairStore, digester: Digester) -> frozenset[str]:
    """The ids of either system that an address or an id stands for: who has the address, or the contact and its link's
    other one.
    """
    if "@" in asked:
        person = known_at(digester.address(asked), store)
        person |= _linked(person, store)
        return person.ghl | person.emailoctopus
    linked = _linked(Person(frozenset({asked}), frozenset({asked})), store)
    return linked.ghl | linked.emailoctopus | {asked}


def at_hand(person: Person, store: PairStore) -> Person:
    """The person with whom he is linked to, and with everybody else who has one of his addresses: one step around."""
    whole = person | _linked(person, store)
    whole |= Person(addresses=frozenset(_addresses(_contacts(whole, store))))
    for system in SystemName:
        for group in store.contacts_at(system, whole.addresses).values():
            whole |= _persons(group)
    holders = store.holders_of_additional(whole.addresses)
    whole |= Person(ghl=frozenset(ghl_id for ids in holders.values() for ghl_id in ids))
    return whole | _linked(whole, store)


def all_around(person: Person, store: PairStore) -> Person:
    """Everybody whose rows a decision about the person may ask for: two steps, so that who stands in the way of whom
    is known.
    """
    return at_hand(at_hand(person, store), store)


def _contacts(person: Person, store: PairStore) -> list[KnownContact]:
    return [one for system in SystemName for one in store.contacts(system, person.ids(system)).values()]


def _addresses(contacts: Iterable[KnownContact]) -> Iterable[bytes]:
    """Every address that contacts have, agreed about or were about to get."""
    for one in contacts:
        agreed = (part.address for part in (one.baseline, one.sent) if part is not None)
        yield from (address for address in (one.address, *agreed) if address is not None)


def _persons(contacts: Iterable[KnownContact]) -> Person:
    ids: dict[SystemName, set[str]] = {name: set() for name in SystemName}
    for one in contacts:
        ids[one.system].add(one.contact_id)
        if one.duplicate_of is not None:
            ids[GHL].add(one.duplicate_of)
    return Person(frozenset(ids[GHL]), frozenset(ids[EMAILOCTOPUS]))


def _linked(person: Person, store: PairStore) -> Person:
    links = store.links(ghl=person.ghl, emailoctopus=person.emailoctopus)
    return Person(frozenset(one.ghl_id for one in links), frozenset(one.emailoctopus_id for one in links))
