"""Systems as they will be once some fields are made: what a first plan is read from."""

from collections.abc import Collection
from dataclasses import replace

from sync_daemon.model.contact import AccountSchema, FieldSpec
from sync_daemon.ports import PairStore, System, Usage
from sync_daemon.reconcile.mapping_check import NewField
from sync_daemon.wiring.systems import Systems


def foresee(systems: Systems, new: Collection[NewField], store: PairStore) -> Systems:
    """The same systems, with fields in their schemas that don't exist yet. Nothing may be written to them.

    The schemas in `store`, which is a plan's own, get them too.
    """
    foreseen, schemas = {}, store.schemas()
    for name, system in systems.items():
        specs = [one.spec for one in new if one.system is name]
        foreseen[name] = ForeseenSystem(system, specs)
        if name in schemas:
            store.save_schema(with_specs(schemas[name], specs))
    return foreseen


def with_specs(schema: AccountSchema, specs: Collection[FieldSpec]) -> AccountSchema:
    """A schema with some fields more."""
    return replace(schema, fields={**{spec.name: spec for spec in specs}, **schema.fields})


class ForeseenSystem:
    """A system whose schema has some fields more."""

    def __init__(self, system: System, specs: Collection[FieldSpec]) -> None:
        self._system = system
        self._specs = specs
        self.name = system.name
        self.reader = system.reader
        self.writer = system.writer
        self.actions = system.actions
        self.engagement = system.engagement
        self.max_batch = system.max_batch
        self.blanks = system.blanks
        self.activity, self.automations = system.activity, system.automations

    def read_schema(self) -> AccountSchema:
        """What the account can hold now, and the foreseen fields."""
        return with_specs(self._system.read_schema(), self._specs)

    def with_schema(self, schema: AccountSchema, names: Collection[str]) -> "ForeseenSystem":
        """The same, reading the fields `names`; foreseen ones are blank everywhere."""
        return ForeseenSystem(self._system.with_schema(schema, names), self._specs)

    def usage(self) -> Usage:
        """Requests since the start of the process."""
        return self._system.usage()

    def seconds_for(self, requests: int) -> float:
        """The least time that many requests take."""
        return self._system.seconds_for(requests)
