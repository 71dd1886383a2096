"""The two systems as dictionaries: what they hold, how they change what they are given, what they answer."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from sync_daemon.changes.addresses import normalise
from sync_daemon.changes.tagbook import fold
from sync_daemon.model.contact import Consent, Snapshot, Source, Value
from sync_daemon.model.errors import AlreadyExists, Refused
from sync_daemon.model.plan import Action, Operation, Returned, WriteResult
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.conversion import convert

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
LONGEST_TEXT = 256
Hits = Literal["always", "when_set", "never"]


@dataclass
class Record:
    """One contact as its system holds it. `dnd_told` says that a search hit carries its DND settings."""

    contact_id: str
    address: str | None
    updated_at: datetime
    consent: Consent = Consent.GRANTED
    permanent: bool = False
    fields: dict[str, Value] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)
    additional: tuple[str, ...] = ()
    dnd_told: bool = False


@dataclass
class Account:
    """One system. `tick` gives the time of the next change; `told` takes what each write did."""

    tick: Callable[[], datetime]
    records: dict[str, Record] = field(default_factory=dict)
    refusing: int = 0
    """How many of the next writes are refused."""
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 10_000)))
    system: SystemName = GHL

    # the outside

    def add(self, address: str | None, fields: dict[str, Value], tags: set[str]) -> Record:
        """A contact appears."""
        record = Record(f"{self.system[0]}{next(self._numbers)}", None, self.tick())
        self.records[record.contact_id] = record
        self.edit(record.contact_id, address=address, fields=fields, tags=tags)
        return record

    def edit(
        self,
        contact_id: str,
        *,
        address: str | None = "",
        fields: dict[str, Value] | None = None,
        tags: set[str] | None = None,
        consent: Consent | None = None,
        permanent: bool = False,
    ) -> Record:
        """Change a contact; what isn't named stays, an address of "" too."""
        record = self.records[contact_id]
        record.updated_at = self.tick()
        if address != "":
            record.address = self.address_as_held(address)
        for name, value in (fields or {}).items():
            record.fields[name] = self.value_as_held(name, value)
        if tags is not None:
            record.tags = self.tags_as_held(tags)
        if consent is not None:
            record.consent, record.permanent, record.dnd_told = consent, permanent, True
        return record

    def at(self, address: str) -> Record | None:
        """The contact with an address."""
        wanted = normalise(address)
        found = (record for record in self.records.values() if record.address is not None)
        return next((record for record in found if normalise(record.address or "") == wanted), None)

    # what it makes of what it is given

    def address_as_held(self, address: str | None) -> str | None:
        raise NotImplementedError

    def value_as_held(self, name: str, value: Value) -> Value:
        raise NotImplementedError

    def tags_as_held(self, tags: set[str]) -> set[str]:
        raise NotImplementedError

    # reading and writing

    def snapshot(self, record: Record, source: Source) -> Snapshot:
        """A contact as it is returned."""
        return Snapshot(
            self.system,
            record.contact_id,
            record.updated_at,
            record.address,
            source,
            record.consent,
            permanent=record.permanent,
            fields={name: value for name, value in record.fields.items() if value is not None},
            tags=frozenset(record.tags),
            additional_addresses=record.additional,
        )

    def write(self, operation: Operation) -> WriteResult:
        """Carry out one operation, or refuse it."""
        if self.refusing:
            self.refusing -= 1
            return WriteResult(operation, refusal=Refused("refused", "not today"))
        other = self.at(operation.address) if operation.address else None
        if other is not None and other.contact_id != operation.target_id:
            message = "somebody has that address"
            refusal = AlreadyExists("duplicate", message, fields=("address",), other_id=other.contact_id)
            return WriteResult(operation, refusal=refusal)
        if operation.action is Action.DELETE:
            self.records.pop(operation.target_id or "")
            return WriteResult(operation, Returned(operation.target_id or ""))
        record = self._written(operation)
        return WriteResult(operation, self.answer(operation, record))

    def answer(self, operation: Operation, record: Record) -> Returned:
        """What a write tells of the contact."""
        shown = self.snapshot(deepcopy(record), Source.WRITE)
        return Returned(record.contact_id, shown, shown.tags, shown.updated_at)

    def _written(self, operation: Operation) -> Record:
        fields, tags = dict(operation.fields), set(operation.tags)
        if operation.action is Action.CREATE:
            record = self.add(operation.address, fields, tags)
            return self.edit(record.contact_id, consent=operation.consent) if operation.consent else record
        record = self.records[operation.target_id or ""]
        lower = {fold(name) for name in tags}
        match operation.action:
            case Action.UPDATE:
                return self.edit(record.contact_id, address=operation.address or "", fields=fields)
            case Action.ADD_TAGS:
                there = {fold(name) for name in record.tags}
                return self.edit(record.contact_id, tags=record.tags | {tag for tag in tags if fold(tag) not in there})
            case Action.REMOVE_TAGS:
                return self.edit(record.contact_id, tags={tag for tag in record.tags if fold(tag) not in lower})
            case _:
                return self.edit(record.contact_id, consent=operation.consent)


@dataclass
class GhlAccount(Account):
    """GHL: addresses and tags in lower case, phones in E.164, texts trimmed and cut; its search runs behind."""

    system: SystemName = GHL
    hits: Hits = "always"
    index: dict[str, Record] = field(default_factory=dict)
    lagging: bool = False

    def address_as_held(self, address: str | None) -> str | None:
        return address.strip().lower() if address else None

    def value_as_held(self, name: str, value: Value) -> Value:
        if not isinstance(value, str):
            return value
        if name == "phone":
            return convert(value, "PHONE", country="CH")
        return value.strip()[: LONGEST_TEXT if name.startswith("custom.") else None] or None

    def tags_as_held(self, tags: set[str]) -> set[str]:
        """A comma separates tags: one that has it can't be kept."""
        return {tag.strip().lower() for tag in tags if "," not in tag and tag.strip()}

    def edit(self, contact_id: str, **changes: object) -> Record:
        record = super().edit(contact_id, **changes)  # type: ignore[arg-type]  # the same as there
        if not self.lagging:
            self.index[contact_id] = deepcopy(record)
        return record

    def catch_up(self) -> None:
        """The index shows everything there is."""
        self.lagging = False
        self.index = deepcopy(self.records)

    def hit(self, record: Record) -> Snapshot:
        """A contact as search shows it: with its DND settings or without."""
        told = self.hits == "always" or (self.hits == "when_set" and record.dnd_told)
        snapshot = self.snapshot(record, Source.HINT)
        return snapshot if told or record.permanent else replace(snapshot, consent=None)

    def answer(self, operation: Operation, record: Record) -> Returned:
        """Tag routes tell the tags alone."""
        if operation.action in (Action.ADD_TAGS, Action.REMOVE_TAGS):
            return Returned(record.contact_id, tags=frozenset(record.tags))
        return super().answer(operation, record)


@dataclass
class EmailOctopusAccount(Account):
    """EmailOctopus: values trimmed, tags as spelt, whole seconds; an address belongs to one contact alone."""

    system: SystemName = EMAILOCTOPUS

    def address_as_held(self, address: str | None) -> str | None:
        return address.strip() if address else None

    def value_as_held(self, name: str, value: Value) -> Value:
        return (value.strip() or None) if isinstance(value, str) else value

    def tags_as_held(self, tags: set[str]) -> set[str]:
        return {tag.strip() for tag in tags if tag.strip()}

    def snapshot(self, record: Record, source: Source) -> Snapshot:
        whole = record.updated_at.replace(microsecond=0)
        return replace(super().snapshot(record, source), updated_at=whole)


@dataclass
class Clock:
    """A time that moves on by a third of a second with each change."""

    now: datetime

    def tick(self) -> datetime:
        self.now += timedelta(milliseconds=333)
        return self.now
