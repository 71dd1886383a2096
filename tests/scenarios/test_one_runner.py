"""Contract, section 7, "One runner": a pair is worked on by one process at a time, by a lease of 30 seconds."""

import pytest

from sync_daemon.cycle import reconcile
from sync_daemon.model.errors import PairBusy
from sync_daemon.model.report import CycleOutcome, Mode
from tests.worlds import EMAILOCTOPUS, GHL, World, world

ADA = "ada@example.com"


def test_a_second_process_leaves_and_asks_nothing(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        here.linked()
        other = here.another_process()
        with here.pair.lease.held():
            report = reconcile(other, Mode.INCREMENTAL)
        assert (report.outcome, here.requests(GHL), here.requests(EMAILOCTOPUS)) == (CycleOutcome.BUSY, [], [])
        assert reconcile(other, Mode.INCREMENTAL).outcome == CycleOutcome.OK


def stand_still_while_another_works(here: World) -> None:
    """Forty seconds without a processor; another process reconciles; then somebody edits once more."""
    here.later(seconds=40)
    assert reconcile(here.another_process(), Mode.INCREMENTAL).written[EMAILOCTOPUS, "updated"] == 1
    here.edit_subscriber(str(here.in_emailoctopus(ADA)["id"]), FirstName="Newest")
    here.forget_requests()


def test_a_process_that_stood_still_too_long_writes_nothing_any_more(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        ghl_id, _ = here.linked()
        here.edit_person(ghl_id, firstName="Augusta")
        here.before_writing(lambda: stand_still_while_another_works(here))

        report = here.reconcile()

        assert (report.outcome, here.requests(GHL), here.requests(EMAILOCTOPUS)) == (CycleOutcome.BUSY, [], [])
        here.settle()
        assert here.in_ghl(ADA)["firstName"] == here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Newest"


def test_what_was_decided_under_a_lost_lease_is_not_stored(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        ghl_id, _ = here.linked()
        here.edit_person(ghl_id, firstName="Augusta")

        def lose_the_lease() -> None:
            here.pair_store.release(here.pair.lease.holder)
            assert here.pair_store.acquire("another process", 30)

        here.before_writing(lose_the_lease)  # so lately that the lease itself needn't be looked at yet
        assert here.reconcile().outcome == CycleOutcome.BUSY
        [staged] = here.pair_store.staged(GHL, [ghl_id]).values()
        assert staged.contact_id == ghl_id, "it waits for whoever holds the pair"
        here.pair_store.release("another process")
        here.settle()


def test_a_process_that_stood_still_goes_on_when_nobody_took_over(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        ghl_id, _ = here.linked()
        here.edit_person(ghl_id, firstName="Augusta")
        here.before_writing(lambda: here.later(minutes=5))

        assert here.reconcile().outcome == CycleOutcome.OK
        assert here.in_emailoctopus(ADA)["fields"]["FirstName"] == "Augusta"


def test_the_lease_is_renewed_while_a_cycle_works(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        other = here.another_process()
        with here.pair.lease.held():
            for _ in range(12):
                here.later(seconds=6)
                here.pair.lease.keep()
                with pytest.raises(PairBusy, match="another process holds the pair `main`"), other.lease.held():
                    pass


def test_a_lease_that_was_lost_is_not_taken_back_though_it_be_free(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        other = here.another_process()
        with here.pair.lease.held():
            here.later(seconds=31)
            with other.lease.held(), pytest.raises(PairBusy, match="took over the pair `main`"):
                here.pair.lease.keep()
            with pytest.raises(PairBusy):
                here.pair.lease.keep()
