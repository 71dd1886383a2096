"""What the store knows around a batch of inbox rows, fetched in a few queries."""

from collections.abc import Iterable, Sequence

from sync_daemon.changes.cases import ContactKey, Lookups
from sync_daemon.model.state import Cause, KnownContact, Link, Staged
from sync_daemon.model.system import SystemName
from sync_daemon.ports import PairStore
from sync_daemon.reconcile.guard import OF_NO_CASE

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS


def gather(rows: Sequence[Staged], store: PairStore) -> Lookups:
    """Everything that putting these rows together to cases asks for."""
    lookups = Lookups(staged={(row.system, row.contact_id): row for row in rows})
    _follow({(row.system, row.contact_id) for row in rows}, lookups, store)
    addresses = {known.address for known in lookups.contacts.values() if known.address is not None}
    for system in SystemName:
        lookups.at[system] = store.contacts_at(system, addresses)
    found = (known for at in lookups.at.values() for group in at.values() for known in group)
    _follow({(known.system, known.contact_id) for known in found}, lookups, store)
    lookups.additional = store.holders_of_additional(addresses)
    holders = {ghl_id for ids in lookups.additional.values() for ghl_id in ids}
    _add_contacts(store.contacts(GHL, holders).values(), lookups)
    lookups.remembered = {digest: Cause(cause) for digest, cause in store.revoked_at(addresses).items()}
    _add_waiting(lookups, store)
    return lookups


def _follow(keys: Iterable[ContactKey], lookups: Lookups, store: PairStore) -> None:
    """Contacts, their links, and what those are linked to."""
    wanted = {key for key in keys if key not in lookups.contacts}
    links = store.links(ghl=_ids(wanted, GHL), emailoctopus=_ids(wanted, EMAILOCTOPUS))
    lookups.add_links(links)
    wanted |= {key for link in links for key in _ends(link) if key not in lookups.contacts}
    for system in SystemName:
        ids = _ids(wanted, system)
        if ids:
            _add_contacts(store.contacts(system, ids).values(), lookups)
            unheard_of = [contact_id for contact_id in ids if (system, contact_id) not in lookups.staged]
            lookups.staged.update(((system, one), row) for one, row in store.staged(system, unheard_of).items())


def _add_waiting(lookups: Lookups, store: PairStore) -> None:
    ghl, emailoctopus = (_ids(lookups.contacts, system) for system in SystemName)
    for parked in store.parked(ghl=ghl, emailoctopus=emailoctopus):
        for key in _named(parked.ghl_id, parked.emailoctopus_id):
            lookups.parked.setdefault(key, []).append(parked)
    for held in store.held(ghl=ghl, emailoctopus=emailoctopus):
        for key in () if held.action in OF_NO_CASE else _named(held.ghl_id, held.emailoctopus_id):
            lookups.held.setdefault(key, []).append(held)


def _add_contacts(contacts: Iterable[KnownContact], lookups: Lookups) -> None:
    lookups.contacts.update(((known.system, known.contact_id), known) for known in contacts)


def _ids(keys: Iterable[ContactKey], system: SystemName) -> set[str]:
    return {contact_id for name, contact_id in keys if name is system}


def _ends(link: Link) -> tuple[ContactKey, ContactKey]:
    return (GHL, link.ghl_id), (EMAILOCTOPUS, link.emailoctopus_id)


def _named(ghl_id: str | None, emailoctopus_id: str | None) -> list[ContactKey]:
    ends = ((GHL, ghl_id), (EMAILOCTOPUS, emailoctopus_id))
    return [(system, contact_id) for system, contact_id in ends if contact_id is not None]
