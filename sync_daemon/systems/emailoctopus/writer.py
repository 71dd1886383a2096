"""Writing to a list: creations one by one, updates in batches, each refusal with what it is about."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from sync_daemon.http.session import Retry
from sync_daemon.model.contact import Malformed, Source, Value
from sync_daemon.model.errors import (
    ANSWER_LOST,
    AlreadyExists,
    AnswerLost,
    BatchRefused,
    NotFound,
    PlanLimitReached,
    Refused,
)
from sync_daemon.model.plan import Bundle, Operation, Returned, WriteResult
from sync_daemon.systems.blanks import Blanks
from sync_daemon.systems.emailoctopus import bundles, mapping, values, wire
from sync_daemon.systems.emailoctopus.client import Client, md5_of
from sync_daemon.systems.emailoctopus.errors import item_refusal
from sync_daemon.systems.emailoctopus.mapping import Columns
from sync_daemon.systems.step_up import step_once

_FINAL = (NotFound, AlreadyExists, PlanLimitReached)
"""Refusals that a single request would answer in the same way."""


class EmailOctopusWriter:
    """Writes to one list. Tags that a write adds must have been created before."""

    def __init__(self, client: Client, columns: Columns, blanks: Blanks) -> None:
        self._client = client
        self._columns = columns
        self._blanks = blanks

    def bundle(self, operations: Sequence[Operation], batch_size: int) -> list[Bundle]:
        """Group operations into as few requests as the API allows; pure."""
        return bundles.bundle(operations, batch_size)

    def send(self, bundle: Bundle) -> list[WriteResult]:
        """Send one bundle; one result for each operation. Raises `BatchRefused` for a batch refused as a whole.

        What a batch refuses without saying which field it is about is sent again alone, which says it.
        """
        if bundle.route in (bundles.BATCH, bundles.UPDATE):
            groups = bundles.groups_of(bundle.operations)
            return self._update_together(bundle, groups) if len(groups) > 1 else self._update(bundle.operations)
        one = self._create if bundle.route == bundles.CREATE else self._delete
        return [_result(operation, one) for operation in bundle.operations]

    def create_field(self, name: str, vendor_type: str, label: str, choices: tuple[str, ...]) -> None:
        """Create a field with the tag `name`; one that exists is fine. Raises `Refused`."""
        body = {"label": label, "tag": name, "type": vendor_type}
        with suppress(AlreadyExists):
            self._client.create_field({**body, "choices": choices} if choices else body)

    def create_tag(self, name: str) -> None:
        """Define a tag; one that exists is fine. Raises `Refused`."""
        with suppress(AlreadyExists):
            self._client.create_tag(name)

    def _create(self, operation: Operation) -> Returned:
        try:
            return self._send_creation(operation)
        except AnswerLost:
            self._refuse_if_there(operation.address or "")
        try:
            return self._send_creation(operation)
        except AnswerLost as lost:
            raise Refused(ANSWER_LOST, str(lost)) from lost

    def _send_creation(self, operation: Operation) -> Returned:
        returned = self._returned(self._client.create_contact(mapping.creation(operation)))
        if not returned.contact_id:
            raise AnswerLost("The answer to the creation of a contact names none.")
        return returned

    def _refuse_if_there(self, address: str) -> None:
        """Raise `AlreadyExists` when a creation without an answer was applied after all: the two meet."""
        data = self._client.get_contact(md5_of(address))
        if data is not None:
            other = self._returned(data).contact_id
            message = "The contact is on the list: its creation was applied, or another came first."
            raise AlreadyExists("already-exists", message, fields=("address",), other_id=other or None)

    def _delete(self, operation: Operation) -> Returned:
        contact_id = operation.target_id or ""
        with suppress(NotFound):
            self._client.delete_contact(contact_id)
        return Returned(contact_id)

    def _update(self, operations: Sequence[Operation]) -> list[WriteResult]:
        """One request for one contact; refused, each of its operations gets one, so that each has its own answer."""
        contact_id = operations[0].target_id or ""
        revokes = all(operation.revokes for operation in operations)
        if any(operation.steps_up for operation in operations):
            return [_result(operation, self._step_up) for operation in operations]
        cleared = (name for one in operations for name, value in one.fields.items() if value is None)
        kinds = {name: self._columns[name].type for name in cleared}
        sent = self._blanks.sent(kinds.values())
        body = mapping.update(operations, {name: _blank(kind, sent[kind]) for name, kind in kinds.items()})
        try:
            data = self._client.update_contact(contact_id, body, revokes=revokes)
        except Refused as refusal:
            if len(operations) == 1 or isinstance(refusal, NotFound):
                return [WriteResult(operation, refusal=refusal) for operation in operations]
            return [result for operation in operations for result in self._update([operation])]

        def send_text(names: list[str]) -> Returned:
            fields = {name: values.written(_blank(kinds[name], "")) for name in names}
            return self._returned(self._client.update_contact(contact_id, {"fields": fields}), contact_id)

        returned = self._blanks.verify(kinds, sent, self._returned(data, contact_id), send_text)
        return [WriteResult(operation, returned) for operation in operations]

    def _step_up(self, operation: Operation) -> Returned:
        """Set a wider status, once."""
        contact_id = operation.target_id or ""

        def send() -> Returned:
            data = self._client.update_contact(contact_id, mapping.update([operation]), retry=Retry.LOOK_FIRST)
            return self._returned(data, contact_id)

        def look() -> Returned:
            data = self._client.get_contact(contact_id)
            return Returned(contact_id) if data is None else self._returned(data, contact_id)

        return step_once(operation, send, look)

    def _update_together(self, bundle: Bundle, groups: dict[str, bundles.Group]) -> list[WriteResult]:
        answer = self._send_batch(groups, revokes=bundle.revokes)
        done = {each.contact_id: each for each in (self._returned(row.data) for row in answer.success or ())}
        refused = {error.id or "": item_refusal(error) for error in answer.errors or ()}
        results: dict[int, WriteResult] = {}
        for contact_id, operations in groups.items():
            returned, refusal = done.get(contact_id), refused.get(contact_id)
            if returned is not None:
                mine = [WriteResult(operation, returned) for operation in operations]
            elif isinstance(refusal, _FINAL):
                mine = [WriteResult(operation, refusal=refusal) for operation in operations]
            else:
                mine = self._update(operations)
            results.update((id(result.operation), result) for result in mine)
        return [results[id(operation)] for operation in bundle.operations]

    def _send_batch(self, groups: dict[str, bundles.Group], *, revokes: bool) -> wire.BatchAnswer:
        items = [{"id": contact_id, **mapping.update(operations)} for contact_id, operations in groups.items()]
        try:
            return self._client.update_contacts(items, revokes=revokes)
        except Refused as refusal:
            if isinstance(refusal, BatchRefused):
                raise
            raise BatchRefused(refusal.code, refusal.message) from refusal

    def _returned(self, data: bytes | msgspec.Raw, contact_id: str = "") -> Returned:
        """What came back. A contact that can't be read was still written: its id is all that is told of it."""
        read = mapping.read_contact(data, self._columns, Source.WRITE)
        if isinstance(read, Malformed):
            return Returned(read.contact_id or contact_id)
        return Returned(read.contact_id, read, read.tags, read.updated_at)


def _blank(kind: str, text: str | None) -> Value:
    """What clears a field of a type: null, an empty text, or no choices."""
    return () if text is not None and kind == "choice_multiple" else text


def _result(operation: Operation, write: Callable[[Operation], Returned]) -> WriteResult:
    try:
        return WriteResult(operation, write(operation))
    except Refused as refusal:
        return WriteResult(operation, refusal=refusal)
