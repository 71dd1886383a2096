"""A clear is verified in the answer; if null didn't clear, "" is tried once and the outcome remembered."""

from typing import Literal

import pytest

from sync_daemon.model.policy import Blanks, FieldRule
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.server import Sandbox
from tests.worlds import EMAILOCTOPUS, GHL, World, add_field, world

PROPAGATED = (FieldRule("firstName", "FirstName", blanks=Blanks.PROPAGATE),)


def with_note(sandbox: Sandbox) -> None:
    add_field(sandbox, "Note", "text")
    sandbox.ghl.world.add_field("Note", "LARGE_TEXT")


def test_where_null_does_not_clear_an_empty_string_does_and_that_is_remembered(database_url: str) -> None:
    with world(database_url, fields=PROPAGATED) as w:
        w.ghl.quirks.null_clears = False
        subscribers = [w.subscriber(f"{name}@example.com") for name in ("ada", "bob")]
        w.full()
        for number, subscriber in enumerate(subscribers):
            w.edit_subscriber(subscriber, FirstName=None)
            w.requests(GHL)
            w.reconcile()
            assert [method for method, _ in w.requests(GHL)].count("PUT") == (2 if number == 0 else 1)
        assert [row.get("firstName") for row in w.people().values()] in ([None, None], ["", ""])
        assert w.settle().outcome == "ok"


def test_where_null_clears_one_write_is_enough(database_url: str) -> None:
    with world(database_url, fields=PROPAGATED) as w:
        subscriber = w.subscriber("ada@example.com")
        w.full()
        w.edit_subscriber(subscriber, FirstName=None)
        w.requests(GHL)
        w.reconcile()
        assert [method for method, _ in w.requests(GHL)].count("PUT") == 1
        assert not w.in_ghl("ada@example.com").get("firstName")


def puts(w: World, system: SystemName) -> int:
    """Requests since the last call that updated a contact."""
    return [method for method, _ in w.requests(system)].count("PUT")


def in_another_process(w: World) -> None:
    w.pair = w.another_process()


def test_what_clears_is_remembered_by_the_next_process(database_url: str) -> None:
    with world(database_url, fields=PROPAGATED) as w:
        w.ghl.quirks.null_clears = False
        subscribers = [w.subscriber(f"{name}@example.com") for name in ("ada", "bob")]
        w.full()
        for number, subscriber in enumerate(subscribers):
            in_another_process(w)
            w.edit_subscriber(subscriber, FirstName=None)
            w.requests(GHL)
            w.reconcile()
            assert puts(w, GHL) == (2 if number == 0 else 1)
        assert not any(row.get("firstName") for row in w.people().values())


def test_what_clears_standard_fields_need_not_clear_custom_ones(database_url: str) -> None:
    fields = (*PROPAGATED, FieldRule("custom.note", "Note", blanks=Blanks.PROPAGATE))
    with world(database_url, fields=fields, prepare=with_note) as w:
        w.ghl.quirks.custom_null_clears = False
        subscriber = w.subscriber("ada@example.com", fields={"Note": "Likes tea"})
        w.full()
        w.edit_subscriber(subscriber, FirstName=None)
        assert w.reconcile().outcome == "ok"
        w.later(minutes=11)
        w.edit_subscriber(subscriber, Note=None)
        assert w.reconcile().outcome == "ok"
        assert not w.in_ghl("ada@example.com").get("firstName")
        assert not any(entry["value"] for entry in w.in_ghl("ada@example.com")["customFields"])
        w.assert_quiet()


def test_where_nothing_clears_one_write_is_enough_to_see_it_again(database_url: str) -> None:
    with world(database_url, fields=PROPAGATED) as w:
        w.ghl.quirks.null_clears, w.ghl.quirks.empty_text = False, "ignored"
        subscribers = [w.subscriber(f"{name}@example.com") for name in ("ada", "bob")]
        w.full()
        for number, subscriber in enumerate(subscribers):
            in_another_process(w)
            w.edit_subscriber(subscriber, FirstName=None)
            w.requests(GHL)
            w.reconcile()
            assert puts(w, GHL) == (2 if number == 0 else 1)
        for _ in range(3):  # what is parked waits for its time
            assert w.reconcile().outcome == "parked"
        assert puts(w, GHL) == 0
        w.later(minutes=2)
        w.reconcile()
        assert puts(w, GHL) == 2
        w.ghl.quirks.null_clears = True
        w.later(days=1)
        assert w.reconcile().outcome == "ok"
        assert not any(row.get("firstName") for row in w.people().values())


def test_what_clears_in_emailoctopus_is_remembered_by_the_next_process(database_url: str) -> None:
    with world(database_url) as w:
        w.emailoctopus.quirks.null_clears = False
        people = [w.person(f"{name}@example.com") for name in ("ada", "bob")]
        w.full()
        w.later(minutes=11)
        for number, person in enumerate(people):
            in_another_process(w)
            w.edit_person(person, firstName=None)
            w.requests(EMAILOCTOPUS)
            assert w.reconcile().outcome == "ok"
            assert puts(w, EMAILOCTOPUS) == (2 if number == 0 else 1)
        assert not any("FirstName" in row["fields"] for row in w.subscribers().values())
        w.assert_quiet()


@pytest.mark.parametrize("empty_text", ["ignored", "refused"])
def test_what_nothing_clears_is_parked_and_the_rest_is_written(
    database_url: str, empty_text: Literal["ignored", "refused"]
) -> None:
    with world(database_url, fields=(*PROPAGATED, FieldRule("lastName", "LastName"))) as w:
        w.ghl.quirks.null_clears, w.ghl.quirks.empty_text = False, empty_text
        subscriber = w.subscriber("ada@example.com")
        w.full()
        w.edit_subscriber(subscriber, FirstName=None, LastName="King")
        assert w.reconcile().outcome == "parked"
        assert w.in_ghl("ada@example.com")["lastName"] == "King"
        assert [(one.what, one.code) for one in w.pair_store.parked(everything=True)] == [
            ("firstName=FirstName", "not_taken")
        ]
