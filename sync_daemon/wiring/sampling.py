"""What both sides of a pair hold, asked now: their fields, and values from a handful of contacts; nothing is stored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice

from sync_daemon.model.contact import AccountSchema, Snapshot, Value
from sync_daemon.model.errors import Refused, SyncError
from sync_daemon.model.system import SystemName
from sync_daemon.ports import System
from sync_daemon.settings.pair import PairSection
from sync_daemon.wiring.installation import Installation
from sync_daemon.wiring.systems import connect

_CONTACTS = 6
_VALUES = 3
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Sampled:
    """One side: its fields, and some values of each by its configuration name.

    Without a schema it couldn't be read at all, and without values its contacts couldn't; `problem` says why.
    """

    schema: AccountSchema | None = None
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    problem: str = ""


Sides = Mapping[SystemName, Sampled]


def sample(installation: Installation, section: PairSection) -> Sides:
    """Both sides of a pair. A side that can't be read says so; it takes a handful of requests to each."""
    systems = connect(
        section, installation.settings, installation.clock, installation.store.oauth, traffic=installation.traffic
    )
    return {name: _side(system) for name, system in systems.items()}


def _side(system: System) -> Sampled:
    try:
        schema = system.read_schema()
    except SyncError as error:
        return Sampled(problem=error.shown)
    try:
        return Sampled(schema, _values(schema, _contacts(system, schema)))
    except SyncError as error:
        return Sampled(schema, problem=error.shown)


def _contacts(system: System, schema: AccountSchema) -> list[Snapshot]:
    """A handful of contacts, each read by id: a listing may tell less."""
    bare, whole = system.with_schema(schema, ()), system.with_schema(schema, schema.fields)
    for stream in bare.reader.streams:
        first = next(iter(bare.reader.scan(stream)), None)
        listed = first.whole().snapshots if first is not None else ()
        if listed:
            ids = [one.contact_id for one in listed[:_CONTACTS]]
            return [one for contact_id in ids if (one := _one(whole, contact_id)) is not None]
    return []


def _one(system: System, contact_id: str) -> Snapshot | None:
    try:
        return system.reader.fetch(contact_id)
    except Refused:  # one that can't be understood has no part in samples
        return None


def _values(schema: AccountSchema, contacts: Iterable[Snapshot]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {name: {} for name in schema.fields}
    for contact in contacts:
        for name, value in contact.fields.items():
            if value is not None:
                found[name][_told(value)] = None
    return {name: tuple(islice(values, _VALUES)) for name, values in found.items() if values}


def _told(value: Value) -> str:
    text = ", ".join(value) if isinstance(value, tuple) else " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
