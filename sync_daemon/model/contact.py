"""A contact as one system returns it, and what its account can hold."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from datetime import datetime
from enum import StrEnum

from sync_daemon.model.system import SystemName

Value = str | int | float | tuple[str, ...] | None
"""A field's value in plain terms: text, number, ISO date as text, several choices; None is blank."""


class Consent(StrEnum):
    """Whether an address may be mailed (contract, section 4)."""

    GRANTED = "granted"
    PENDING = "pending"
    REVOKED = "revoked"


class Source(StrEnum):
    """How far a snapshot can be believed."""

    HINT = "hint"
    """A hit of an index that runs behind (GHL search)."""
    LISTING = "listing"
    """A row of a listing that is read from the records themselves (EmailOctopus)."""
    READ = "read"
    """A read by id."""
    WRITE = "write"
    """The answer to our own write."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One contact as one system returned it.

    `address` is the primary e-mail address as returned, trimmed, None when blank. `fields` holds mapped
    fields (and those the scope asks about) by their configuration name, blanks left out. `tags` are all
    tags, spelt as the system spells them. `consent` is None when the system didn't tell. `permanent`
    marks a block that the e-mail channel alone can't lift (GHL: status `permanent`, or `dnd: true` for
    all channels). `remark` names an oddity to report, such as an unknown status.
    """

    system: SystemName
    contact_id: str
    updated_at: datetime
    address: str | None
    source: Source
    consent: Consent | None = None
    permanent: bool = False
    fields: Mapping[str, Value] = dataclass_field(default_factory=dict)
    tags: frozenset[str] = frozenset()
    additional_addresses: tuple[str, ...] = ()
    contact_type: str | None = None
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class Malformed:
    """A record that couldn't be understood: `why` names the key, never the value.

    `rest` is the record without its fields, where only those are at fault: it may be a revocation.
    """

    system: SystemName
    contact_id: str
    why: str
    rest: Snapshot | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One contact as a listing has it: its JSON, which says all that the listing tells of it. Without an id it's ""."""

    contact_id: str
    body: bytes


def _unread(record: Record) -> Snapshot | Malformed:
    raise LookupError(f"nobody said how contact {record.contact_id} is read")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing. `total` is what the API says the whole listing holds, if it says so.

    `dropped` are rows of contacts that a read by id found gone: the index hadn't heard of it. `records` are those that
    aren't read yet, as most contacts of a full scan stand as the last one left them; `read` reads one of them.
    `tells_consent` says that a hit carried the settings that a block of the e-mail channel is told in.
    """

    stream: str
    snapshots: tuple[Snapshot, ...]
    malformed: tuple[Malformed, ...] = ()
    total: int | None = None
    dropped: int = 0
    records: tuple[Record, ...] = ()
    read: Callable[[Record], Snapshot | Malformed] = _unread
    tells_consent: bool = False

    def whole(self, but: Collection[str] = ()) -> "Page":
        """The page with all of its records read, `but` those of some contacts."""
        rows = [self.read(one) for one in self.records if one.contact_id not in but]
        snapshots = tuple(row for row in rows if isinstance(row, Snapshot))
        malformed = tuple(row for row in rows if isinstance(row, Malformed))
        # What was read by id comes last: of two sights of one contact the later counts.
        return replace(self, snapshots=snapshots + self.snapshots, malformed=malformed + self.malformed, records=())


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a system's schema.

    `name` is the configuration's name (`firstName`, `custom.plan`, `FirstName`), `wire` what the API calls
    it (a standard key, a custom field's id, an EmailOctopus field tag), `type` the vendor's type name
    (GHL `TEXT`, `NUMERICAL`, …; EmailOctopus `text`, `number`, …; GHL standard fields: `STANDARD` types of
    `sync_daemon.systems.ghl.fields`).
    """

    name: str
    wire: str
    type: str
    label: str = ""
    choices: tuple[str, ...] = ()
    writable: bool = True


@dataclass(frozen=True, slots=True)
class AccountSchema:
    """What one side can hold: its fields, and the settings of the location or list that matter.

    `aliases` maps further configuration names of a field (`custom.<id>`) to its name. `country` is GHL's
    two-letter code for reading national phone numbers. `counts` are EmailOctopus's contacts by status.
    """

    system: SystemName
    fields: Mapping[str, FieldSpec]
    aliases: Mapping[str, str] = dataclass_field(default_factory=dict)
    title: str = ""
    double_opt_in: bool = False
    country: str | None = None
    time_zone: str | None = None
    counts: Mapping[str, int] = dataclass_field(default_factory=dict)

    def field(self, name: str) -> FieldSpec | None:
        """The field a configuration name stands for, or None when the account doesn't have it."""
        return self.fields.get(self.aliases.get(name, name))
