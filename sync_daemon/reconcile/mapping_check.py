"""Whether a mapping fits what both sides can hold: fields that are missing, conversions that lose or are refused."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sync_daemon.model.contact import AccountSchema, FieldSpec
from sync_daemon.model.policy import Direction, FieldRule, NewContactStatus, PairPolicy, Resubscribe
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.conversion import Fidelity, emailoctopus_type_for, fidelity, ghl_type_for

Schemas = Mapping[SystemName, AccountSchema]
Gone = Collection[tuple[SystemName, str]]
"""Mapped fields that were there and went: suspended, neither made again nor objected to (contract, section 2)."""

_CREATABLE = {
    SystemName.GHL: re.compile(r"custom\.[a-z0-9_]+"),
    SystemName.EMAILOCTOPUS: re.compile(r"[A-Za-z][A-Za-z0-9_]*"),
}
_SIDE = {SystemName.GHL: "the GHL location", SystemName.EMAILOCTOPUS: "the EmailOctopus list"}


@dataclass(frozen=True, slots=True)
class MappingRow:
    """One row of the mapping beside what both sides have for it, None where a side lacks it.

    `respelt` is how a side spells a name that it has in other letter case only: EmailOctopus's `FirstName` for
    `firstname`. Such a field isn't missing, it is misspelt.
    """

    rule: FieldRule
    ghl: FieldSpec | None
    emailoctopus: FieldSpec | None
    respelt: Mapping[SystemName, str] = field(default_factory=dict)

    @property
    def fidelity(self) -> Fidelity | None:
        """What a round trip keeps, None while a side lacks the field."""
        if self.ghl is None or self.emailoctopus is None:
            return None
        return fidelity(self.ghl.type, self.emailoctopus.type)

    def missing_in(self, system: SystemName) -> bool:
        """Whether a side lacks the field."""
        return (self.ghl if system is SystemName.GHL else self.emailoctopus) is None


@dataclass(frozen=True, slots=True)
class NewField:
    """A field that a side lacks and that can be made from its partner. `spec.wire` is empty until it exists."""

    system: SystemName
    spec: FieldSpec


class Objection(NamedTuple):
    """Why a pair can't work on its accounts: the path of a key within the pair, and a sentence about it."""

    path: tuple[str | int, ...]
    text: str


def mapping_rows(policy: PairPolicy, schemas: Schemas) -> list[MappingRow]:
    """Every row of the mapping beside what both sides have for it."""
    ghl, emailoctopus = schemas[SystemName.GHL], schemas[SystemName.EMAILOCTOPUS]
    return [
        MappingRow(rule, ghl.field(rule.ghl), emailoctopus.field(rule.emailoctopus), _respelt(rule, schemas))
        for rule in policy.fields
    ]


def _respelt(rule: FieldRule, schemas: Schemas) -> dict[SystemName, str]:
    found = {}
    for system, schema in schemas.items():
        name = rule.name_in(system)
        alike = [known for known in (*schema.fields, *schema.aliases) if known.lower() == name.lower()]
        if alike and name not in alike:
            found[system] = alike[0]
    return found


def missing_fields(policy: PairPolicy, schemas: Schemas) -> set[tuple[SystemName, str]]:
    """The mapped fields that a side lacks, by their configuration name."""
    rows = mapping_rows(policy, schemas)
    return {(system, row.rule.name_in(system)) for row in rows for system in SystemName if row.missing_in(system)}


def new_fields(policy: PairPolicy, schemas: Schemas, gone: Gone = ()) -> list[NewField]:
    """The fields to make so that every row has two sides; those that can't be made are `objections`."""
    made = (_made_for(row, system) for row in mapping_rows(policy, schemas) for system in SystemName)
    return [new for new in made if new is not None and (new.system, new.spec.name) not in gone]


def objections(policy: PairPolicy, schemas: Schemas, gone: Gone = ()) -> list[Objection]:
    """Why this mapping can't work on this location and list; empty when it can."""
    rows, create = mapping_rows(policy, schemas), policy.create_missing_fields
    return [
        *(Objection(("fields", n), text) for n, row in enumerate(rows) for text in _about(row, gone, create=create)),
        *_twice(rows),
        *_about_list(policy),
    ]


def _about(row: MappingRow, gone: Gone, *, create: bool) -> Iterator[str]:
    if any((system, row.rule.name_in(system)) in gone for system in SystemName):
        return
    for system in SystemName:
        if row.missing_in(system):
            yield from _about_missing(row, system, create=create)
    whole = _completed(row) if create else row
    match whole.fidelity:
        case Fidelity.REFUSED:
            yield f"{_types(whole)} have no values in common; map another field, or remove the row"
        case Fidelity.LOSSY if row.rule.direction is Direction.BOTH:
            yield (
                f"{_types(whole)} lose something on the way back; say which way it goes "
                "with direction: to_emailoctopus or to_ghl"
            )


def _about_missing(row: MappingRow, system: SystemName, *, create: bool) -> Iterator[str]:
    name, side = row.rule.name_in(system), _SIDE[system]
    if system in row.respelt:
        yield f"{side} has no field {name}, but one spelt {row.respelt[system]}; write it so"
    elif not create:
        yield f"{side} has no field {name}; create it there, or set create_missing_fields: true"
    elif row.missing_in(system.other):
        if system.other in row.respelt:  # told there; what would be made here isn't known before it is mended
            return
        if system is SystemName.GHL:  # told once for the row
            other = f"{_SIDE[system.other]} a field {row.rule.emailoctopus}"
            yield f"neither has {side} a field {name} nor {other}, so its type isn't known; create one of them"
    elif _made_for(row, system) is None:
        yield f"{side} has no field {name}, and none can be made there that holds the other's values; create it there"


def _completed(row: MappingRow) -> MappingRow:
    """The row as it will be once what a side lacks is made there."""
    made = {system: new.spec for system in SystemName if (new := _made_for(row, system)) is not None}
    ghl, emailoctopus = made.get(SystemName.GHL, row.ghl), made.get(SystemName.EMAILOCTOPUS, row.emailoctopus)
    return replace(row, ghl=ghl, emailoctopus=emailoctopus)


def _made_for(row: MappingRow, system: SystemName) -> NewField | None:
    partner = row.emailoctopus if system is SystemName.GHL else row.ghl
    name = row.rule.name_in(system)
    if partner is None or not row.missing_in(system) or system in row.respelt:
        return None
    if not _CREATABLE[system].fullmatch(name):
        return None
    vendor_type = ghl_type_for(partner.type) if system is SystemName.GHL else emailoctopus_type_for(partner.type)
    if vendor_type is None or (vendor_type in _WITH_CHOICES and not partner.choices):
        return None
    choices = partner.choices if vendor_type in _WITH_CHOICES else ()
    return NewField(system, FieldSpec(name, "", vendor_type, partner.label or partner.name, choices))


_WITH_CHOICES = ("choice_single", "choice_multiple", "SINGLE_OPTIONS", "MULTIPLE_OPTIONS")


def _types(row: MappingRow) -> str:
    ghl, emailoctopus = row.ghl, row.emailoctopus
    return (
        f"{row.rule.ghl} (GHL's type {ghl and ghl.type}) and {row.rule.emailoctopus} "
        f"(EmailOctopus's type {emailoctopus and emailoctopus.type})"
    )


def _twice(rows: list[MappingRow]) -> Iterator[Objection]:
    """A custom field can be named by key and by id; two rows must not mean the same one."""
    seen: dict[str, str] = {}
    for index, row in enumerate(rows):
        if row.ghl is None:
            continue
        if row.ghl.name in seen:
            text = f"{seen[row.ghl.name]} and {row.rule.ghl} are the same GHL field; keep one of the rows"
            yield Objection(("fields", index), text)
        seen[row.ghl.name] = row.rule.ghl


def _about_list(policy: PairPolicy) -> Iterator[Objection]:
    if policy.double_opt_in:
        return
    if policy.new_contact_status is NewContactStatus.PENDING:
        yield Objection(
            ("new_contact_status",),
            "`pending` needs a list with double opt-in, and this one has single opt-in: "
            "nobody would ever be asked to confirm; switch double opt-in on in EmailOctopus, or write `list_default`",
        )
    if policy.resubscribe is Resubscribe.PENDING:
        yield Objection(
            ("resubscribe",),
            "`pending` needs a list with double opt-in, and this one has single opt-in; "
            "switch double opt-in on in EmailOctopus, or write `never`",
        )
