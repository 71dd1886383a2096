"""How a GHL location is written: one request a contact, and a look before anything is created twice."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal

from sync_daemon.http.session import Retry
from sync_daemon.model.contact import FieldSpec, Malformed, Source
from sync_daemon.model.errors import ANSWER_LOST, AlreadyExists, AnswerLost, BatchRefused, NotFound, Refused, SyncError
from sync_daemon.model.plan import Action, Bundle, Operation, Returned, WriteResult
from sync_daemon.systems.ghl import bodies, bundles, definitions, mapping, replies
from sync_daemon.systems.ghl.client import Client
from sync_daemon.systems.ghl.dialect import Dialect
from sync_daemon.systems.ghl.errors import fields_named
from sync_daemon.systems.ghl.fields import Columns, is_custom
from sync_daemon.systems.step_up import step_once


@dataclass(slots=True)
class GhlWriter:
    """The writer of one location."""

    client: Client
    columns: Columns
    dialect: Dialect

    def bundle(self, operations: Sequence[Operation], batch_size: int) -> list[Bundle]:
        """Group operations into requests: tags that several contacts share, else one contact each."""
        return bundles.bundle(operations, batch_size)

    def send(self, bundle: Bundle) -> list[WriteResult]:
        """Send one request; a creation may take a look before and after.

        Raises `StopSystem`, and `BatchRefused` for a bulk request.
        """
        if len(bundle.operations) > 1:
            return self._change_tags_of_many(bundle.operations)
        (operation,) = bundle.operations
        try:
            return [WriteResult(operation, returned=self._write(operation))]
        except Refused as refusal:
            return [WriteResult(operation, refusal=refusal)]

    def create_field(self, name: str, vendor_type: str, label: str, choices: tuple[str, ...]) -> None:
        """Define a custom field; one that exists already is fine. Raises `Refused`."""
        definitions.create_field(self.client, name, vendor_type, label, choices)

    def create_tag(self, name: str) -> None:
        """Define a tag; one that exists already is fine. Raises `Refused`."""
        definitions.create_tag(self.client, name)

    def _write(self, operation: Operation) -> Returned:
        match operation.action:
            case Action.CREATE:
                return self._create(operation)
            case Action.UPDATE | Action.SET_DND:
                return self._update(operation)
            case Action.LIFT_DND:
                return self._lift(operation)
            case Action.ADD_TAGS:
                return self._change_tags(operation, "POST")
            case Action.REMOVE_TAGS:
                return self._change_tags(operation, "DELETE")
            case Action.DELETE:
                return self._delete(operation)
            case Action.SET_STATUS | Action.START_AUTOMATION:
                raise ValueError(f"GHL has no {operation.action}")

    def _create(self, operation: Operation) -> Returned:
        if operation.resend:
            self._refuse_existing(operation)
        try:
            return self._send_creation(operation)
        except AnswerLost:
            self._refuse_existing(operation)
        try:
            return self._send_creation(operation)
        except AnswerLost as lost:
            self._refuse_existing(operation)
            raise Refused(ANSWER_LOST, f"GHL didn't answer two requests to create a contact. {lost}") from lost

    def _send_creation(self, operation: Operation) -> Returned:
        """Create; a refusal may hide a creation (issue 64), so that one is looked for before it is believed."""
        settings = self.client.settings
        body = bodies.creation(operation, self.columns, settings.location_id, settings.version)
        try:
            raw = self.client.create_contact(body)
        except AlreadyExists:
            raise
        except Refused as refusal:
            self._refuse_existing(operation)
            raise self._pointing(refusal, body) from refusal
        returned = replies.of_contact(operation, raw, self.columns)
        if returned is None:
            raise AnswerLost("The answer to the creation of a contact names none.")
        return self._whole(returned)

    def _refuse_existing(self, operation: Operation) -> None:
        """Raise `AlreadyExists` when somebody has the new contact's address by now, perhaps the new contact itself."""
        other_id = mapping.id_of(self.client.duplicate(operation.address or ""))
        if other_id:
            text = "A contact with this address exists; it may be the one that was just created."
            raise AlreadyExists("address_taken", text, fields=("address",), other_id=other_id)

    def _update(self, operation: Operation) -> Returned:
        """Update; where null turns out not to clear a field, "" is tried once and what works is remembered."""
        kinds = {name: _kind(self.columns[name]) for name, value in operation.fields.items() if value is None}
        blanks = self.dialect.blanks
        sent = blanks.sent(kinds.values())
        returned = self._send_update(operation, blanks={name: sent[kind] for name, kind in kinds.items()})

        def send_text(names: list[str]) -> Returned:
            left = replace(operation, fields=dict.fromkeys(names), address=None)
            return self._send_update(left, blanks=dict.fromkeys(names, ""))

        return blanks.verify(kinds, sent, returned, send_text)

    def _lift(self, operation: Operation) -> Returned:
        """Free the channel, once."""
        return step_once(
            operation,
            lambda: self._send_update(operation, Retry.LOOK_FIRST),
            lambda: self._whole(Returned(operation.target_id or "")),
        )

    def _send_update(
        self, operation: Operation, retry: Retry = Retry.SAFE, blanks: Mapping[str, str | None] = bodies.NO_BLANKS
    ) -> Returned:
        body = bodies.changes(operation, self.columns, self.client.settings.version, blanks)
        contact_id = operation.target_id or ""
        try:
            raw = self.client.update_contact(contact_id, body, revokes=operation.revokes, retry=retry)
        except Refused as refusal:
            raise self._pointing(refusal, body) from refusal
        return self._whole(replies.of_contact(operation, raw, self.columns) or Returned(contact_id))

    def _whole(self, returned: Returned) -> Returned:
        """With the contact read by id where the answer left something open; without it if that fails, too."""
        if returned.contact is not None:
            return returned
        try:
            raw = self.client.contact(returned.contact_id)
        except SyncError:  # what was written stays written; whatever is wrong will come up again
            return returned
        row = mapping.snapshot(raw, Source.READ, self.columns)
        return returned if isinstance(row, Malformed) else replies.whole(row)

    def _change_tags(self, operation: Operation, method: Literal["POST", "DELETE"]) -> Returned:
        answer = self.client.change_tags(method, operation.target_id or "", operation.tags)
        return replies.of_tags(operation, answer)

    def _change_tags_of_many(self, operations: tuple[Operation, ...]) -> list[WriteResult]:
        first = operations[0]
        kind: Literal["add", "remove"] = "add" if first.action is Action.ADD_TAGS else "remove"
        ids = [operation.target_id or "" for operation in operations]
        try:
            answer = self.client.bulk_tags(kind, ids, first.tags)
        except Refused as refusal:
            raise BatchRefused(refusal.code, refusal.message) from refusal
        return replies.of_bulk(operations, answer)

    def _delete(self, operation: Operation) -> Returned:
        contact_id = operation.target_id or ""
        with suppress(NotFound):  # gone is what was wanted; the answer to a first attempt may have been lost
            self.client.delete_contact(contact_id)
        return Returned(contact_id)

    def _pointing(self, refusal: Refused, body: dict[str, Any]) -> Refused:
        """The same refusal with the fields that its text points at."""
        if type(refusal) is not Refused:
            return refusal
        fields = fields_named(refusal, body, bodies.names_of(self.columns))
        return Refused(refusal.code, refusal.message, fields=fields)


def _kind(spec: FieldSpec) -> str:
    """What a field has in common with others that are cleared alike."""
    return f"{'custom' if is_custom(spec) else 'standard'}.{spec.type}"
