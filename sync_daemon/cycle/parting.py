"""What is done about a person in both systems when he is forgotten everywhere: unsubscribed or deleted, read back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sync_daemon.changes.digests import Digester
from sync_daemon.model.contact import Consent, Snapshot
from sync_daemon.model.errors import NotFound, Refused
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.system import SystemName
from sync_daemon.ports import System
from sync_daemon.reconcile.consents import set_dnd, unsubscribe

_WHY = "the person is forgotten everywhere"
Systems = Mapping[SystemName, System]


@dataclass(frozen=True, slots=True)
class Record:
    """A contact of the person; `own` is False where it has the address as an additional one alone."""

    system: SystemName
    contact_id: str
    revoked: bool
    own: bool = True


def ready(systems: Systems) -> Systems:
    """Both systems, able to read contacts. Raises `StopSystem`, `ConfigurationError`."""
    return {name: system.with_schema(system.read_schema(), ()) for name, system in systems.items()}


def records(systems: Systems, digester: Digester, address: str, known: Mapping[SystemName, set[str]]) -> list[Record]:
    """The contacts of a person, each read by id: those that are listed under the address, and those `known` to be his.

    Raises `StopSystem`, `IncompleteRead`, `Refused`.
    """
    found: list[Record] = []
    for name, system in systems.items():
        for contact_id in sorted(known[name] | _listed(system, address)):
            contact = system.reader.fetch(contact_id)
            if contact is None:
                continue
            his = contact_id in known[name] or _has(digester, contact, address)
            also = digester.address(address) in map(digester.address, contact.additional_addresses)
            if his or also:
                found.append(Record(name, contact_id, contact.consent is Consent.REVOKED, own=his))
    return found


def operations(found: Sequence[Record], *, delete: bool) -> list[Operation]:
    """What is to be written. Who has the address as an additional one is blocked with it, never deleted."""
    if delete:
        return [_deletion(one) for one in found if one.own]
    return [_revocation(one) for one in found if not one.revoked]


def carry_out(systems: Systems, what: Sequence[Operation]) -> None:
    """Write, and read back what came of it. Raises `Refused` where it isn't so, and what every request may raise."""
    for operation in what:
        writer = systems[operation.system].writer
        for bundle in writer.bundle([operation], 1):
            for result in writer.send(bundle):
                if result.refusal is not None and not isinstance(result.refusal, NotFound):
                    raise result.refusal
    for operation in what:
        contact = systems[operation.system].reader.fetch(operation.target_id or "")
        if contact is not None and (operation.action is Action.DELETE or contact.consent is not Consent.REVOKED):
            raise Refused("not_taken", f"{operation.system.label} took the write, and shows the contact as it was.")


def _listed(system: System, address: str) -> set[str]:
    """Who is listed under an address, and whom the look-up by address finds: an index may run behind."""
    found = system.reader.find(address)
    return {*system.reader.holders(address), *([found.contact_id] if found is not None else ())}


def _has(digester: Digester, contact: Snapshot, address: str) -> bool:
    return contact.address is not None and digester.address(contact.address) == digester.address(address)


def _revocation(one: Record) -> Operation:
    if one.system is SystemName.GHL:
        return set_dnd(one.contact_id, None, _WHY)
    return unsubscribe(None, one.contact_id, _WHY)


def _deletion(one: Record) -> Operation:
    ghl_id, emailoctopus_id = (one.contact_id, None) if one.system is SystemName.GHL else (None, one.contact_id)
    return Operation(one.system, Action.DELETE, ghl_id, emailoctopus_id, _WHY, parts=("deletion",))
