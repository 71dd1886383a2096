"""What answers to writes tell."""

from typing import Any

import msgspec
import pytest

from sync_daemon.model.contact import Consent
from sync_daemon.model.errors import NotFound, Refused
from sync_daemon.model.plan import Action, Operation
from sync_daemon.systems.ghl import replies, wire
from sync_daemon.systems.ghl.fields import columns_of, schema_of
from tests.unit.ghl.operations import operation

COLUMNS = columns_of(schema_of(wire.Location(), []), ("firstName", "timezone"))
BARE = {"id": "c1", "dateUpdated": "2026-03-04T05:06:07.890Z", "dnd": False}


def raw(document: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(document))


def test_a_whole_contact_comes_back() -> None:
    change = operation(Action.UPDATE, fields={"firstName": "Ada", "timezone": None})
    returned = replies.of_contact(change, raw(BARE | {"firstName": "Ada", "tags": ["vip"]}), COLUMNS)
    assert returned is not None
    assert returned.contact is not None
    assert returned.contact.fields == {"firstName": "Ada"}
    assert returned.contact.consent is Consent.GRANTED
    assert returned.tags == frozenset({"vip"})
    assert returned.updated_at == returned.contact.updated_at


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        (operation(Action.CREATE, None, fields={"timezone": "Europe/Berlin"}), BARE),
        (operation(Action.UPDATE, address="a@example.com"), BARE),
        (operation(Action.CREATE, None, tags=("vip",)), BARE | {"tags": []}),
        (operation(Action.SET_DND), BARE),
        (operation(Action.CREATE, None, consent=Consent.REVOKED), BARE),
    ],
)
def test_an_answer_that_lacks_what_was_written_is_not_the_whole_contact(
    change: Operation, answer: dict[str, Any]
) -> None:
    returned = replies.of_contact(change, raw(answer), COLUMNS)
    assert returned is not None
    assert (returned.contact_id, returned.contact, returned.tags) == ("c1", None, None)
    assert returned.updated_at is not None


def test_an_answer_that_cannot_be_read_still_names_the_contact() -> None:
    returned = replies.of_contact(operation(Action.UPDATE), raw({"id": "c1", "tags": 3}), COLUMNS)
    assert returned is not None
    assert (returned.contact_id, returned.contact, returned.updated_at) == ("c1", None, None)


@pytest.mark.parametrize("answer", [wire.NOTHING, raw({}), raw({"id": ""})])
def test_an_answer_that_names_nobody(answer: msgspec.Raw) -> None:
    assert replies.of_contact(operation(Action.CREATE, None), answer, COLUMNS) is None
    returned = replies.of_contact(operation(Action.UPDATE, "c7"), answer, COLUMNS)
    assert returned is not None
    assert returned.contact_id == "c7"


EXAMPLE = """{"succeded": true, "errorCount": 3, "traceId": "x", "responses": [
    {"contactId": "c1", "message": "Tags updated", "type": "success",
     "oldTags": ["a", "b"], "tagsAdded": ["c"], "tagsRemoved": ["b"]},
    {"contactId": "c2", "message": "contact id is not a valid firebase id", "type": "error"},
    {"contactId": "c3", "message": ["contact is deleted"], "type": "error"},
    {"contactId": "c4", "message": "some day", "type": "error"},
    {"contactId": "c5"}]}"""


def test_a_bulk_answer_is_told_contact_by_contact() -> None:
    changes = tuple(operation(Action.ADD_TAGS, f"c{n}", tags=("c",)) for n in range(1, 7))
    results = replies.of_bulk(changes, msgspec.json.decode(EXAMPLE, type=wire.BulkAnswer))
    assert [result.operation for result in results] == list(changes)
    done, unknown, deleted, refused, untyped, untold = results
    assert done.returned is not None
    assert done.returned.tags == frozenset({"a", "c"})
    assert type(unknown.refusal) is type(deleted.refusal) is NotFound
    assert type(refused.refusal) is Refused
    assert refused.refusal.message == "some day"
    assert untyped.returned is not None
    assert untyped.returned.tags is None
    assert untold.refusal is not None
    assert untold.returned is None


@pytest.mark.parametrize(
    ("answer", "done"),
    [
        ("{}", True),
        ('{"succeeded": true}', True),
        ('{"success": false}', False),
        ('{"succeded": true, "errorCount": 1}', False),
    ],
)
def test_a_bulk_answer_without_items_goes_for_all(answer: str, done: bool) -> None:
    change = operation(Action.REMOVE_TAGS, tags=("c",))
    (result,) = replies.of_bulk((change,), msgspec.json.decode(answer, type=wire.BulkAnswer))
    assert (result.returned is not None) is done


@pytest.mark.parametrize(
    ("answer", "tags"), [('{"tags": ["a"]}', frozenset({"a"})), ('{"tags": []}', frozenset()), ("{}", None)]
)
def test_tag_routes_tell_the_whole_list(answer: str, tags: frozenset[str] | None) -> None:
    returned = replies.of_tags(operation(Action.ADD_TAGS), msgspec.json.decode(answer, type=wire.TagsAnswer))
    assert returned.tags == tags
