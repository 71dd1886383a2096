"""Both sides' fields beside the form: what each input means there, and which fields are in no row."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sync_daemon.model.contact import AccountSchema, FieldSpec
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.mapping_check import NewField
from sync_daemon.reconcile.mapping_proposal import Proposal, propose
from sync_daemon.web.dashboard.mapping.form import MappingForm, Row
from sync_daemon.wiring.sampling import Sampled, Sides

_ADDRESS = ("email", "emailaddress")


@dataclass(frozen=True, slots=True)
class Detail:
    """What an input of a row stands for. Without a `type` it is known by `words` alone."""

    type: str = ""
    label: str = ""
    values: tuple[str, ...] = ()
    words: str = ""


def detail(sides: Sides, system: SystemName, row: Row, new: Collection[NewField]) -> Detail:
    """One side of one row."""
    name = row.ghl if system == SystemName.GHL else row.emailoctopus
    side = sides[system]
    if not name or side.schema is None:
        return Detail()
    spec = side.schema.field(name)
    if spec is not None:
        return Detail(spec.type, spec.label, side.values.get(spec.name, ()))
    made = next((one.spec for one in new if (one.system, one.spec.name) == (system, name)), None)
    return Detail(made.type, "", words="will be made") if made is not None else Detail(words="not there yet")


def unmapped(
    sides: Sides, form: MappingForm, shown: Collection[str]
) -> dict[SystemName, list[tuple[FieldSpec, tuple[str, ...]]]]:
    """The fields of each side that are in no row, with sample values.

    The address can be in none, as it always travels; nor can the fields of the list in which activity is `shown`.
    """
    return {system: list(_left(side, {*_mapped(system, side.schema, form), *shown})) for system, side in sides.items()}


def _left(side: Sampled, mapped: Collection[str]) -> Iterator[tuple[FieldSpec, tuple[str, ...]]]:
    for name, spec in side.schema.fields.items() if side.schema else ():
        if name not in mapped and name.lower() not in _ADDRESS:
            yield spec, side.values.get(name, ())


def _mapped(system: SystemName, schema: AccountSchema | None, form: MappingForm) -> set[str]:
    names = {row.ghl if system is SystemName.GHL else row.emailoctopus for row in form.rows}
    return names | {schema.aliases[name] for name in names if schema and name in schema.aliases}


def proposed(sides: Sides, form: MappingForm) -> list[Row]:
    """Rows for fields of the same name that are in no row yet."""
    ghl, emailoctopus = (sides[system].schema for system in (SystemName.GHL, SystemName.EMAILOCTOPUS))
    found = propose(ghl, emailoctopus) if ghl and emailoctopus else Proposal((), (), ())
    taken = {system: _mapped(system, sides[system].schema, form) for system in SystemName}
    rules = (one.rule for one in found.rows)
    return [
        Row(None, rule.ghl, rule.emailoctopus, str(rule.direction))
        for rule in rules
        if all(rule.name_in(system) not in taken[system] for system in SystemName)
    ]


def choices(sides: Sides, system: SystemName) -> list[tuple[str, str]]:
    """The fields of a side that a row may name, with what people call them."""
    schema = sides[system].schema
    specs = schema.fields.values() if schema else ()
    return [(one.name, f"{one.label or one.name} ({one.type})") for one in specs if one.name.lower() not in _ADDRESS]
