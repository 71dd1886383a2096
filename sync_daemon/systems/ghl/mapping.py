"""GHL's contacts in plain terms: a hit, a read or a write's answer becomes a Snapshot."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from sync_daemon.model.contact import FieldSpec, Malformed, Snapshot, Source, Value
from sync_daemon.model.system import SystemName
from sync_daemon.systems.ghl import consent, values, wire
from sync_daemon.systems.ghl.fields import BY_NAME, UNTOLD_BY_HITS, Columns, is_custom

_CONTACT = msgspec.json.Decoder(wire.Contact)
_IDENTITY = msgspec.json.Decoder(wire.Identity)
_HIT_KEYS = msgspec.json.Decoder(wire.HitKeys)
_NAMES = frozenset({"firstName", "lastName", "name"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def snapshot(raw: bytes | msgspec.Raw, source: Source, columns: Columns) -> Snapshot | Malformed:
    """One contact as GHL returned it, or what was wrong with it."""
    try:
        contact = _CONTACT.decode(raw)
        rest = _without_fields(contact, source)
    except (msgspec.DecodeError, values.Unreadable) as problem:
        return Malformed(SystemName.GHL, id_of(raw), str(problem))
    try:
        return replace(rest, fields=_fields(contact, columns))
    except values.Unreadable as problem:
        return Malformed(SystemName.GHL, contact.id, str(problem), rest)


def hit_keys(raw: msgspec.Raw) -> wire.HitKeys | None:
    """Whose a hit is and what it may not tell, None for one that can't be understood."""
    try:
        return _HIT_KEYS.decode(raw)
    except msgspec.DecodeError:
        return None


def tells_all(told: wire.HitKeys, columns: Columns) -> bool:
    """Whether a hit tells the mapped names in their real case, and the time zone if that is mapped."""
    names, zone = not _NAMES.isdisjoint(columns), UNTOLD_BY_HITS in columns
    return not (names and told.folds_names) and not (zone and told.timezone is msgspec.UNSET)


def moment(value: wire.Moment) -> datetime | None:
    """A timestamp as GHL writes it (ISO, or milliseconds), aware, in UTC; None when there is none.

    Raises `values.Unreadable` for what is neither.
    """
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str) and not value.isdigit():
            at = datetime.fromisoformat(value)
            return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        return _EPOCH + timedelta(milliseconds=float(value))
    except (ValueError, OverflowError):
        raise values.Unreadable("dateUpdated is not a time") from None


def _without_fields(contact: wire.Contact, source: Source) -> Snapshot:
    reading = consent.read(contact, source)
    return Snapshot(
        system=SystemName.GHL,
        contact_id=contact.id,
        updated_at=_updated_at(contact),
        address=(contact.email or "").strip() or None,
        source=source,
        consent=reading.consent,
        permanent=reading.permanent,
        tags=frozenset(tag for tag in contact.tags or () if tag.strip()),
        additional_addresses=_additional_addresses(contact),
        contact_type=contact.type or None,
        remark=reading.remark,
    )


def _updated_at(contact: wire.Contact) -> datetime:
    at = moment(contact.date_updated) or moment(contact.date_added)
    if at is None:
        raise values.Unreadable("dateUpdated is missing")
    return at


def _additional_addresses(contact: wire.Contact) -> tuple[str, ...]:
    entries = contact.additional_emails or ()
    addresses = (entry.get("email") if isinstance(entry, dict) else entry for entry in entries)
    return tuple(address.strip() for address in addresses if isinstance(address, str) and address.strip())


def id_of(raw: bytes | msgspec.Raw) -> str:
    """The id of a record, as far as it has one; empty otherwise."""
    try:
        return _IDENTITY.decode(raw).id
    except msgspec.DecodeError:
        return ""


def _fields(contact: wire.Contact, columns: Columns) -> dict[str, Value]:
    custom = {one.id: one.content for one in contact.custom_fields or ()}
    found = {name: _value(contact, custom, spec) for name, spec in columns.items()}
    return {name: value for name, value in found.items() if value is not None}


def _value(contact: wire.Contact, custom: Mapping[str, Any], spec: FieldSpec) -> Value:
    if is_custom(spec):
        return _read(custom.get(spec.wire), spec)
    attributes = BY_NAME[spec.name].read_from
    told = (_read(getattr(contact, attribute), spec) for attribute in attributes)
    value = next((one for one in told if one is not None), None)
    return _joined_name(contact) if value is None and spec.name == "name" else value


def _read(content: Any, spec: FieldSpec) -> Value:
    try:
        return values.read(content, spec.type)
    except values.Unreadable as problem:
        raise values.Unreadable(f"{spec.wire}: {problem}") from None


def _joined_name(contact: wire.Contact) -> str | None:
    """The full name as GHL makes it: hits carry it in lower case only, which would look like a change."""
    parts = (contact.first_name_raw or contact.first_name, contact.last_name_raw or contact.last_name)
    return " ".join(part.strip() for part in parts if isinstance(part, str) and part.strip()) or None
