"""No transaction is open while a request is under way: every world without sockets watches that, lives included."""

from collections.abc import Iterator

import pytest

from sync_daemon.model.report import CycleOutcome, Mode
from sync_daemon.store.engine import reading
from tests.worlds import World, world


@pytest.fixture
def here(database_url: str) -> Iterator[World]:
    with world(database_url, keeps_undo=True) as opened:
        yield opened


def test_neither_in_a_first_load_nor_with_changes_on_both_sides_or_a_deletion(here: World) -> None:
    ids = [here.ghl.create(email=f"p{number}@example.test", firstName=f"P{number}").id for number in range(12)]
    assert here.reconcile().outcome is CycleOutcome.OK
    here.ghl.edit(ids[0], firstName="Edited")
    here.ghl.delete(ids[1])
    here.clock.advance(3600)
    assert here.reconcile().outcome is CycleOutcome.OK
    assert here.reconcile(Mode.FULL).outcome is CycleOutcome.OK


def test_a_request_with_a_connection_in_hand_is_noticed(here: World) -> None:
    with reading(here.engine), pytest.raises(AssertionError, match="connections to the database are held"):
        here.reconcile()
