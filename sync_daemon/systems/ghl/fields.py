"""GHL's mappable fields: the standard ones as a table, custom ones from the location's definitions."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from sync_daemon.model.contact import AccountSchema, FieldSpec
from sync_daemon.model.system import SystemName
from sync_daemon.systems.ghl import wire
from sync_daemon.systems.ghl.values import OPAQUE

Columns = Mapping[str, FieldSpec]
"""The fields that are read and written, by the configuration name that asked for them."""


class Standard(NamedTuple):
    """A standard field: its name in configuration and API alike, and where a read may hold it, best first."""

    name: str
    label: str
    read_from: tuple[str, ...]
    type: str = "STANDARD"
    writable: bool = True


STANDARD = (
    Standard("firstName", "First name", ("first_name_raw", "first_name", "first_name_lower_case")),
    Standard("lastName", "Last name", ("last_name_raw", "last_name", "last_name_lower_case")),
    Standard("name", "Full name", ("name", "contact_name_raw")),
    Standard("phone", "Phone", ("phone",), "PHONE"),
    Standard("address1", "Street address", ("address1", "address")),
    Standard("city", "City", ("city",)),
    Standard("state", "State", ("state",)),
    Standard("postalCode", "Postal code", ("postal_code",)),
    Standard("country", "Country", ("country",), "COUNTRY"),
    Standard("website", "Website", ("website",)),
    Standard("timezone", "Time zone", ("timezone",)),
    Standard("dateOfBirth", "Date of birth", ("date_of_birth",), "DATE"),
    Standard("source", "Source", ("source",)),
    Standard("assignedTo", "Assigned to", ("assigned_to",)),
    Standard("companyName", "Company name", ("company_name",), writable=False),
    Standard("type", "Contact type", ("type",), writable=False),
    Standard("dateAdded", "Date added", ("date_added",), "DATE", writable=False),
)
"""Read-only are those that the update schema of contacts.json lacks; names are kept as first and last name."""

BY_NAME = {standard.name: standard for standard in STANDARD}
UNTOLD_BY_HITS = "timezone"
"""The documented hit of a search has no such key: each contact is read by id."""
CUSTOM = "custom."
_MODEL = "contact."


def schema_of(location: wire.Location, definitions: Iterable[wire.CustomField]) -> AccountSchema:
    """What the location can hold, from its record and its custom field definitions."""
    custom = [(_spec(one), one.id) for one in definitions if one.model == "contact"]
    specs = [FieldSpec(s.name, s.name, s.type, s.label, writable=s.writable) for s in STANDARD]
    return AccountSchema(
        system=SystemName.GHL,
        fields={spec.name: spec for spec in (*specs, *(spec for spec, _ in custom))},
        aliases={CUSTOM + field_id: spec.name for spec, field_id in custom},
        title=location.name or "",
        country=location.country or None,
        time_zone=location.timezone or None,
    )


def columns_of(schema: AccountSchema, names: Collection[str]) -> Columns:
    """Those of the names that the account has; a field that went is neither read nor written."""
    found = {name: schema.field(name) for name in names}
    return {name: spec for name, spec in found.items() if spec is not None}


def is_custom(spec: FieldSpec) -> bool:
    """Whether a field is a custom one, written by its id."""
    return spec.name.startswith(CUSTOM)


def key_of(field_key: str) -> str:
    """The short form of a fieldKey: `contact.plan` becomes `plan`."""
    return field_key.removeprefix(_MODEL)


def _spec(definition: wire.CustomField) -> FieldSpec:
    return FieldSpec(
        name=CUSTOM + (key_of(definition.field_key) or definition.id),
        wire=definition.id,
        type=definition.data_type,
        label=definition.name,
        choices=tuple(_choice(option) for option in definition.picklist_options or ()),
        writable=definition.data_type not in OPAQUE,
    )


def _choice(option: object) -> str:
    return str(option.get("label", "")) if isinstance(option, dict) else str(option)
