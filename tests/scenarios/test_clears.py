"""A clear is verified in the answer; if null didn't clear, "" is tried once and the outcome remembered."""

from typing import Literal

import pytest

from sync_daemon.model.policy import Blanks, FieldRule
from sync_daemon.model.system import SystemName
from tests.worlds import world

GHL = SystemName.GHL
PROPAGATED = (FieldRule("firstName", "FirstName", blanks=Blanks.PROPAGATE),)


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
