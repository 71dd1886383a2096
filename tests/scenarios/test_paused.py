"""While a pair is paused nothing of it is read or written; then what waited is worked off (`pause`, `resume`)."""

from dataclasses import replace
from datetime import timedelta

from sync_daemon.cycle import plan, reconcile
from sync_daemon.model.report import CycleOutcome, Mode
from sync_daemon.model.system import SystemName
from sync_daemon.store.housekeeping import Retention
from sync_daemon.wiring.stopping import told_to_stop_or_paused
from tests.scenarios.test_forgotten import tell
from tests.worlds import EMAILOCTOPUS, GHL, NoProgress, World, world

ADA = "ada@example.com"
NAMES = ("ada", "bob", "eve")


class PauseAfterOne(NoProgress):
    """Pauses the pair when one request to GHL was answered; a second later it is known."""

    def __init__(self, here: World) -> None:
        self._here = here

    def sent(self, system: SystemName, requests: int) -> None:
        if system is GHL and requests and self._here.pair_store.pause():
            self._here.later(seconds=2)


def test_a_cycle_under_way_finishes_the_record_in_hand(database_url: str) -> None:
    with world(database_url) as here:
        people = [here.person(f"{name}@example.com", first=name.title()) for name in NAMES]
        here.reconcile()
        for name in NAMES:
            here.edit_subscriber(str(here.in_emailoctopus(f"{name}@example.com")["id"]), FirstName=name.upper())
        told = told_to_stop_or_paused(here.pair_store, here.pair.clock)

        report = reconcile(replace(here.pair, progress=PauseAfterOne(here), workers=1, told_to_stop=told), Mode.FULL)

        assert (report.outcome, report.written[GHL, "updated"]) == (CycleOutcome.INCOMPLETE, 1)
        assert sum(here.people()[one]["firstName"].isupper() for one in people) == 1
        here.pair_store.resume()
        here.later(seconds=2)
        assert reconcile(replace(here.pair, told_to_stop=told), Mode.HINTS).written[GHL, "updated"] == 2


def test_a_paused_pair_is_neither_read_nor_written_and_then_works_off_what_waited(database_url: str) -> None:
    with world(database_url) as here:
        ghl_id, octopus_id = here.linked()
        assert (here.pair_store.pause(), here.pair_store.pause()) == (True, False)
        here.edit_person(ghl_id, firstName="Augusta")
        tell(here, GHL, ghl_id)

        for mode in Mode:
            report = here.reconcile(mode)
            assert (report.outcome, report.paused) == (CycleOutcome.BUSY, True)
            assert "paused since" in report.message
        assert here.requests(GHL) + here.requests(EMAILOCTOPUS) == []
        assert here.pair_store.last_runs(1)[0]["outcome"] == "ok", "that nothing was done is no run"
        assert [one.ghl_id for one in plan(here.pair, Mode.INCREMENTAL).operations] == [ghl_id], "it only reads"

        assert (here.pair_store.resume(), here.pair_store.resume()) == (True, False)
        assert reconcile(here.pair, Mode.HINTS).written[EMAILOCTOPUS, "updated"] == 1
        assert here.subscribers()[octopus_id]["fields"]["FirstName"] == "Augusta"


def test_a_pause_longer_than_events_are_kept_loses_nothing(database_url: str) -> None:
    """Events that no cycle has heeded are kept however old; polls go back to where the last one ended."""
    with world(database_url) as here:
        ghl_id, octopus_id = here.linked()
        here.pair_store.pause()
        here.edit_person(ghl_id, firstName="Augusta")
        here.emailoctopus.unsubscribe(octopus_id)
        tell(here, GHL, ghl_id)
        here.later(days=60)
        here.store.tidy(Retention(timedelta(0), timedelta(0), timedelta(0)))
        assert here.pair_store.count_waiting_events() == 1
        here.pair_store.resume()
        here.reconcile()
        assert (here.blocked(ADA), here.in_emailoctopus(ADA)["fields"]["FirstName"]) == (True, "Augusta")
