"""Between EmailOctopus's contacts and ours: records to snapshots, operations to bodies. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from sync_daemon.model.contact import Consent, FieldSpec, Malformed, Snapshot, Source, Value
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.system import SystemName
from sync_daemon.systems.emailoctopus import values, wire
from sync_daemon.systems.words import shown

Columns = Mapping[str, FieldSpec]
"""The fields that are read, by their tags, which are their configuration names."""

NO_BLANKS: Mapping[str, Value] = {}
"""Null clears every field (documented: OpenAPI)."""
CONSENT_OF_STATUS = {
    "subscribed": Consent.GRANTED,
    "pending": Consent.PENDING,
    "unsubscribed": Consent.REVOKED,
}
_CONTACT = msgspec.json.Decoder(wire.Contact)
_ROW = msgspec.json.Decoder(wire.Row)
STATUS_OF_CONSENT = {consent: status for status, consent in CONSENT_OF_STATUS.items()}


def snapshot_of(contact: wire.Contact, columns: Columns, source: Source) -> Snapshot:
    """A contact as a snapshot. A status that isn't one of the three known ones revokes, with a remark.

    Raises `values.UnreadableValue` when a field holds what it can't.
    """
    status = None if contact.status is None else contact.status.strip().lower()
    known = status in CONSENT_OF_STATUS
    return Snapshot(
        system=SystemName.EMAILOCTOPUS,
        contact_id=contact.id,
        updated_at=_utc(contact.last_updated_at),
        address=(contact.email_address or "").strip() or None,
        source=source,
        consent=None if status is None else CONSENT_OF_STATUS.get(status, Consent.REVOKED),
        fields=_fields(contact.fields, columns),
        tags=frozenset(contact.tags or ()),
        remark=None if known or status is None else f"status {shown(status)} isn't known; it counts as revoked",
    )


def read_contact(data: bytes | msgspec.Raw, columns: Columns, source: Source) -> Snapshot | Malformed:
    """A contact's JSON as a snapshot, or what is wrong with it: the key, never the value."""
    try:
        contact = _CONTACT.decode(data)
    except msgspec.MsgspecError as error:
        return Malformed(SystemName.EMAILOCTOPUS, id_in(data), str(error))
    if contact.status is None and source is not Source.WRITE:  # nobody may be taken for subscribed unasked
        return Malformed(SystemName.EMAILOCTOPUS, contact.id, "Object missing required field `status`")
    try:
        return snapshot_of(contact, columns, source)
    except values.UnreadableValue as error:
        return Malformed(SystemName.EMAILOCTOPUS, contact.id, str(error), rest=snapshot_of(contact, {}, source))


def creation(operation: Operation) -> dict[str, Any]:
    """The body that creates a contact: tags as an array (documented: POST), blanks left out."""
    body: dict[str, Any] = {"email_address": operation.address}
    fields = {name: values.written(value) for name, value in operation.fields.items() if not values.is_blank(value)}
    if fields:
        body["fields"] = fields
    if operation.tags:
        body["tags"] = list(operation.tags)
    if operation.consent is not None:
        body["status"] = STATUS_OF_CONSENT[operation.consent]
    return body


def update(operations: Iterable[Operation], blanks: Mapping[str, Value] = NO_BLANKS) -> dict[str, Any]:
    """The body that carries all these operations of one contact: tags as an object of switches (documented: PUT).

    `blanks` tells by name what clears a field where null was seen not to.
    """
    body: dict[str, Any] = {}
    for operation in operations:
        if operation.address is not None:
            body["email_address"] = operation.address
        for name, value in operation.fields.items():
            body.setdefault("fields", {})[name] = values.written(blanks.get(name) if value is None else value)
        for tag in operation.tags:
            body.setdefault("tags", {})[tag] = operation.action is not Action.REMOVE_TAGS
        if operation.consent is not None:
            body["status"] = STATUS_OF_CONSENT[operation.consent]
    return body


def _fields(sent: Mapping[str, Any] | list[Any] | None, columns: Columns) -> dict[str, Value]:
    if not isinstance(sent, dict):
        return {}
    read = {name: _value(sent.get(spec.wire), spec) for name, spec in columns.items()}
    return {name: value for name, value in read.items() if value is not None}


def _value(sent: Any, spec: FieldSpec) -> Value:
    try:
        return values.read(sent, spec.type)
    except values.UnreadableValue as error:
        raise values.UnreadableValue(f"{error} - at `$.fields.{spec.wire}`") from error


def id_in(data: bytes | msgspec.Raw) -> str:
    """The id of a row, as far as it has one; empty otherwise."""
    try:
        found = _ROW.decode(data).id
    except msgspec.MsgspecError:
        return ""
    return found if isinstance(found, str) else ""


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
