"""No transaction is open while a request is under way: every world without sockets watches that, lives included."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event

from sync_daemon.model.report import CycleOutcome, Mode
from sync_daemon.store.engine import reading
from tests.worlds import EMAILOCTOPUS, GHL, World, world


@pytest.fixture
def here(database_url: str) -> Iterator[World]:
    with world(database_url, keeps_undo=True) as opened:
        yield opened


def test_neither_in_a_first_load_nor_with_changes_on_both_sides_or_a_deletion(here: World) -> None:
    ids = [here.ghl.create(email=f"p{number}@example.com", firstName=f"P{number}").id for number in range(12)]
    assert here.reconcile().written == {(EMAILOCTOPUS, "created"): 12}
    here.ghl.edit(ids[0], firstName="Edited")
    here.ghl.delete(ids[1])
    here.clock.advance(3600)
    assert here.reconcile().outcome is CycleOutcome.OK
    assert here.reconcile(Mode.FULL).outcome is CycleOutcome.OK


def test_a_request_with_a_connection_in_hand_is_noticed(here: World) -> None:
    with reading(here.engine), pytest.raises(AssertionError, match="connections to the database are held"):
        here.reconcile()


def test_answers_that_come_while_some_are_stored_are_stored_together(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        for number in range(8):
            here.emailoctopus.add(here.sandbox.list_id, f"p{number}@example.com", {"FirstName": f"P{number}"})
        stored = 0

        def storing(*call: Any) -> None:
            nonlocal stored
            if not call[2].startswith("INSERT INTO links"):
                return
            stored += 1
            patience = time.monotonic() + 10
            while len(here.people()) < 8 and time.monotonic() < patience:
                time.sleep(0.001)

        event.listen(here.engine, "before_cursor_execute", storing)
        try:
            report = here.reconcile()
        finally:
            event.remove(here.engine, "before_cursor_execute", storing)
        assert report.written == {(GHL, "created"): 8}
        assert 1 <= stored <= 4  # the last answers may be on their way when the first ones have been stored
        assert here.writes(EMAILOCTOPUS) == []
