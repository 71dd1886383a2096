"""Systems that only pretend to be written to: what a cycle would do is foretold by letting it do it to them.

Every write is taken as it is sent; what it made of the contact is what a read shows from then on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from sync_daemon.changes.addresses import normalise
from sync_daemon.changes.cases import ContactKey
from sync_daemon.changes.tagbook import fold
from sync_daemon.model.contact import Consent, Snapshot, Source
from sync_daemon.model.errors import AlreadyExists, NotFound, Refused
from sync_daemon.model.plan import Action, Bundle, Operation, Returned, WriteResult
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Clock, Writer

NEW = "new-"
"""What the ids begin with that contacts get which would be created."""
_GONE = {SystemName.GHL: "contact_not_found", SystemName.EMAILOCTOPUS: "not-found"}
"""What each system calls it that a contact doesn't exist."""
_CONSENT = {Action.SET_DND: Consent.REVOKED, Action.LIFT_DND: Consent.GRANTED}


@dataclass(slots=True)
class Pretence:
    """What was made of the contacts that were read, and the operations that made it, in their order."""

    clock: Clock
    contacts: dict[ContactKey, Snapshot | None]
    written: list[Operation] = field(default_factory=list)
    _ids: "count[int]" = field(default_factory=lambda: count(1))

    def holder(self, system: SystemName, address: str, other_than: str | None = None) -> Snapshot | None:
        """Who has an address in a system, as far as anybody was read."""
        wanted = normalise(address)
        for (of, contact_id), one in self.contacts.items():
            if of is system and contact_id != other_than and one is not None and normalise(one.address or "") == wanted:
                return one
        return None

    def take(self, operation: Operation) -> WriteResult:
        """Do what a write asks for, or refuse it as a system would."""
        if (refusal := self._refusal(operation)) is not None:
            return WriteResult(operation, refusal=refusal)
        self.written.append(operation)
        contact_id = operation.target_id or f"{NEW}{next(self._ids)}"
        key = (operation.system, contact_id)
        after = self._after(operation, contact_id, self.contacts.get(key))
        if after is not None or operation.action is Action.DELETE:
            self.contacts[key] = replace(after, source=Source.READ) if after is not None else None
        if after is None:
            return WriteResult(operation, Returned(contact_id))
        return WriteResult(operation, Returned(contact_id, after, after.tags, after.updated_at))

    def _refusal(self, operation: Operation) -> Refused | None:
        """What a system says of a contact that doesn't exist, or where somebody else has the address."""
        contact_id = operation.target_id
        gone = contact_id is not None and self.contacts.get((operation.system, contact_id), operation) is None
        if gone and operation.action is not Action.DELETE:
            return NotFound(_GONE[operation.system], "")
        taken = self.holder(operation.system, operation.address, contact_id) if operation.address is not None else None
        if taken is None:
            return None
        return AlreadyExists("address_taken", "", fields=("address",), other_id=taken.contact_id)

    def _after(self, operation: Operation, contact_id: str, before: Snapshot | None) -> Snapshot | None:
        """The contact as the answer to a write shows it; None where it is gone, or nobody has read what it was."""
        system, now = operation.system, self.clock.now()
        if operation.action is Action.CREATE:
            kind = "lead" if system is SystemName.GHL else None
            consent = operation.consent or Consent.GRANTED
            before = Snapshot(system, contact_id, now, operation.address, Source.WRITE, consent, contact_type=kind)
        if before is None or operation.action is Action.DELETE:
            return None
        fields = {name: value for name, value in {**before.fields, **operation.fields}.items() if value is not None}
        return replace(
            before,
            updated_at=now,
            source=Source.WRITE,
            address=operation.address if operation.address is not None else before.address,
            fields=fields,
            tags=_tags(operation, before.tags),
            consent=_CONSENT.get(operation.action, operation.consent or before.consent),
        )


def _tags(operation: Operation, before: frozenset[str]) -> frozenset[str]:
    names = {fold(name) for name in operation.tags}
    if operation.action is Action.REMOVE_TAGS:
        return frozenset(tag for tag in before if fold(tag) not in names)
    return frozenset(tag for tag in before if fold(tag) not in names) | frozenset(operation.tags)


class PretendingWriter:
    """A writer that sends nothing."""

    def __init__(self, writer: Writer, pretence: Pretence) -> None:
        self._writer, self._pretence = writer, pretence

    def bundle(self, operations: Sequence[Operation], batch_size: int) -> list[Bundle]:
        """As the system's own writer bundles them."""
        return self._writer.bundle(operations, batch_size)

    def send(self, bundle: Bundle) -> list[WriteResult]:
        """Take one request's operations."""
        return [self._pretence.take(operation) for operation in bundle.operations]

    def create_field(self, name: str, vendor_type: str, label: str, choices: tuple[str, ...]) -> None:
        """Nothing is made."""

    def create_tag(self, name: str) -> None:
        """Nothing is made."""


class Silent:
    """Nobody watches what is only foretold."""

    def pages_read(self, system: SystemName, records: int) -> None:
        """Say nothing."""

    def records_planned(self, records: int) -> None:
        """Say nothing."""

    def planned(self, system: SystemName, requests: int) -> None:
        """Say nothing."""

    def foreseen(self, system: SystemName, requests: int) -> None:
        """Say nothing."""

    def sent(self, system: SystemName, requests: int) -> None:
        """Say nothing."""

    def writes_done(self, system: SystemName, writes: int) -> None:
        """Say nothing."""
