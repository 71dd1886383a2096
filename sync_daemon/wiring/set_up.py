"""The set-up of a pair: its mapping held against what both accounts have, and what they lack made there.

The state store remembers for each mapped field of a side that it was there: one that went afterwards is suspended,
neither made again nor objected to (contract, section 2).
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import structlog

from sync_daemon.cycle import Lease
from sync_daemon.model.contact import AccountSchema
from sync_daemon.model.errors import ConfigurationError, Refused
from sync_daemon.model.policy import PairPolicy
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Clock, Commit, PairStore
from sync_daemon.read.schemas import read_schemas
from sync_daemon.reconcile.mapping_check import NewField, Schemas, missing_fields, new_fields, objections
from sync_daemon.settings.pair import PairSection
from sync_daemon.wiring.systems import Systems

MappedField = tuple[SystemName, str]
"""A field of one side, by its configuration name."""

_SEEN = "field "
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SetUp:
    """One pair's set-up, checked when it is asked for.

    `read` are the systems whose schema it has read itself, `made` the fields that it has made.
    """

    section: PairSection
    store: PairStore
    systems: Systems
    clock: Clock
    lease: Lease
    read: set[SystemName] = field(default_factory=set)
    made: list[NewField] = field(default_factory=list)

    def check(self) -> tuple[PairPolicy, list[NewField]]:
        """The policy in force and the fields still to be made. Raises `ConfigurationError`, `StopSystem`."""
        return self._judge(self._read())

    def _judge(self, schemas: Schemas) -> tuple[PairPolicy, list[NewField]]:
        ghl, emailoctopus = schemas[SystemName.GHL], schemas[SystemName.EMAILOCTOPUS]
        policy = self.section.policy(double_opt_in=emailoctopus.double_opt_in, country=ghl.country)
        gone = missing_fields(policy, schemas) & once_seen(self.store)
        if complaints := objections(policy, schemas, gone):
            raise ConfigurationError("\n".join(f"{self.section.where(path)}: {text}." for path, text in complaints))
        return policy, new_fields(policy, schemas, gone)

    def complete(self, may_make: Callable[[NewField], bool] = lambda _new: True) -> PairPolicy:
        """Check, make the fields that a side lacks, and remember those that are there.

        Raises what `check` raises, also for a field that `may_make` doesn't allow, and `PairBusy` when another process
        holds the pair.
        """
        policy, new = self.check()
        for one in new:
            if not may_make(one):
                raise ConfigurationError(
                    f"{self._row_of(one)}: {one.system.label} lacks the field {one.spec.name} by now, and the plan "
                    "doesn't hold that it is made. Make a new plan."
                )
        if new:
            self._make(new)
            made = {system: self._keep(self.systems[system].read_schema()) for system in {one.system for one in new}}
            policy, new = self._judge({**self.store.schemas(), **made})
        self._remember({(one.system, one.spec.name) for one in new})
        return policy

    def _read(self) -> Schemas:
        """What both accounts can hold: from the store, while every mapped field has been seen."""
        schemas: Schemas = self.store.schemas()
        if len(schemas) < len(SystemName) or not once_seen(self.store).issuperset(self._mapped()):
            schemas = {name: self._keep(schema) for name, schema in read_schemas(self.systems).items()}
        return schemas

    def _keep(self, schema: AccountSchema) -> AccountSchema:
        """Remember a schema that was just read."""
        self.store.save_schema(schema)
        self.read.add(schema.system)
        return schema

    def _mapped(self) -> list[MappedField]:
        return [(name, rule.name_in(name)) for rule in self.section.policy().fields for name in SystemName]

    def _make(self, new: list[NewField]) -> None:
        """Create fields while this process holds the pair."""
        with self.lease.held():
            for one in new:
                self._create(one)

    def _create(self, new: NewField) -> None:
        spec = new.spec
        try:
            self.systems[new.system].writer.create_field(spec.name, spec.type, spec.label, spec.choices)
        except Refused as refusal:
            raise ConfigurationError(
                f"{self._row_of(new)}: the field {spec.name} can't be created in {new.system}: "
                f"{refusal.message} Create it there by hand, or take it out of the mapping."
            ) from None
        self.made.append(new)
        _log.info("field_created", pair=self.section.name, system=new.system, field=spec.name, type=spec.type)

    def _row_of(self, new: NewField) -> str:
        names = [rule.name_in(new.system) for rule in self.section.policy().fields]
        return self.section.where(("fields", names.index(new.spec.name)))

    def _remember(self, missing: Collection[MappedField]) -> None:
        unseen = set(self._mapped()) - once_seen(self.store) - set(missing)
        if unseen:
            now = self.clock.now()
            self.store.commit(Commit(looked_at={f"{_SEEN}{system} {name}": now for system, name in unseen}))


def once_seen(store: PairStore) -> set[MappedField]:
    """The fields of both sides that were there when the pair was set up."""
    found = (name.removeprefix(_SEEN) for name in store.state().looked_at if name.startswith(_SEEN))
    return {(SystemName(system), field) for system, _, field in (name.partition(" ") for name in found)}
