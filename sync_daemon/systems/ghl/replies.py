"""What GHL's answers to writes tell, as `Returned` and refusals. Pure."""

from msgspec import Raw

from sync_daemon.model.contact import Consent, Malformed, Snapshot, Source, Value
from sync_daemon.model.errors import NotFound, Refused
from sync_daemon.model.plan import Action, Operation, Returned, WriteResult
from sync_daemon.systems.ghl import mapping, wire
from sync_daemon.systems.ghl.errors import CONTACT_NOT_FOUND
from sync_daemon.systems.ghl.fields import Columns

_NO_CONTACT = ("deleted", "not a valid", "does not belong", "not found")
"""In a bulk answer's messages: there is no such contact here (contacts.json, example of UpdateTagsResponseDTO)."""


def of_contact(operation: Operation, raw: Raw, columns: Columns) -> Returned | None:
    """What the answer to a creation or update tells; None when it doesn't even name the contact.

    The contact is left out, to be read by id, when the answer lacks what was just written: the answer to a
    creation knows no time zone (contacts.json, CreateContactSchema).
    """
    row = mapping.snapshot(raw, Source.WRITE, columns)
    contact_id = row.contact_id or operation.target_id
    if contact_id is None or contact_id == "":
        return None
    if isinstance(row, Malformed):
        return Returned(contact_id)
    if not _tells(row, operation):
        return Returned(contact_id, updated_at=row.updated_at)
    return whole(row)


def whole(row: Snapshot) -> Returned:
    """What a whole contact tells."""
    return Returned(row.contact_id, row, row.tags, row.updated_at)


def of_tags(operation: Operation, answer: wire.TagsAnswer) -> Returned:
    """What a tag route tells: the contact's whole list, if it does."""
    tags = None if answer.tags is None else frozenset(answer.tags)
    return Returned(operation.target_id or "", tags=tags)


def of_bulk(operations: tuple[Operation, ...], answer: wire.BulkAnswer) -> list[WriteResult]:
    """What a bulk tag request did to each contact. One that isn't told went as the answer as a whole did."""
    items = {item.contact_id: item for item in answer.responses}
    return [_of_item(operation, items.get(operation.target_id or ""), done=answer.done) for operation in operations]


def _of_item(operation: Operation, item: wire.BulkItem | None, *, done: bool) -> WriteResult:
    if done if item is None else item.succeeded:
        return WriteResult(operation, returned=Returned(operation.target_id or "", tags=_tags_after(item)))
    text = "GHL didn't tell what became of this contact in a bulk request." if item is None else item.text
    absent = any(words in text.lower() for words in _NO_CONTACT)
    return WriteResult(operation, refusal=NotFound(CONTACT_NOT_FOUND, text) if absent else Refused("bulk_item", text))


def _tags_after(item: wire.BulkItem | None) -> frozenset[str] | None:
    if item is None or item.old_tags is None:
        return None
    return frozenset(item.old_tags).union(item.tags_added or ()).difference(item.tags_removed or ())


def _tells(row: Snapshot, operation: Operation) -> bool:
    """Whether a returned contact shows, in whatever form, all that the operation wrote."""
    blocks = operation.action is Action.SET_DND or operation.consent is Consent.REVOKED
    return (
        all(name in row.fields for name, value in operation.fields.items() if not _is_blank(value))
        and (row.address is not None or operation.address is None)
        and (bool(row.tags) or not operation.tags)
        and (row.consent is Consent.REVOKED or not blocks)
    )


def _is_blank(value: Value) -> bool:
    return value is None or value == () or (isinstance(value, str) and not value.strip())
