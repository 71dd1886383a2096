"""Told to stop (SIGTERM), a cycle begins nothing with another record, finishes the one in hand, and stores it."""

from dataclasses import replace

import pytest

from sync_daemon.cycle import reconcile
from sync_daemon.model.report import CycleOutcome, CycleReport, Mode
from sync_daemon.model.system import SystemName
from tests.worlds import EMAILOCTOPUS, GHL, NoProgress, World, world

NAMES = ("ada", "bob", "eve")


class StopAfter(NoProgress):
    """Tells the process to stop when so many requests to a system were answered."""

    def __init__(self, system: SystemName, requests: int) -> None:
        self._system, self._left = system, requests

    def sent(self, system: SystemName, requests: int) -> None:
        self._left -= requests if system is self._system else 0

    def told(self) -> bool:
        return self._left <= 0


def stopped(here: World, after: StopAfter, mode: Mode = Mode.INCREMENTAL) -> CycleReport:
    """A cycle that sends one request at a time, and is told to stop on its way."""
    return reconcile(replace(here.pair, progress=after, workers=1, told_to_stop=after.told), mode)


def linked(here: World) -> dict[str, str]:
    """Three people in both systems: GHL's id of each."""
    ids = {name: here.person(f"{name}@example.com", first=name.title()) for name in NAMES}
    here.reconcile()
    here.forget_requests()
    return ids


def test_the_record_in_hand_is_finished_and_no_other_is_begun(database_url: str) -> None:
    with world(database_url) as here:
        linked(here)
        for name in NAMES:
            subscriber = str(here.in_emailoctopus(f"{name}@example.com")["id"])
            here.edit_subscriber(subscriber, FirstName=name.upper())
            here.emailoctopus.add_tags(subscriber, ["Blog"])

        report = stopped(here, StopAfter(GHL, 1))

        people = [here.in_ghl(f"{name}@example.com") for name in NAMES]
        assert sorted((row["firstName"].isupper(), row["tags"]) for row in people) == [
            (False, []),
            (False, []),
            (True, ["blog"]),
        ]
        assert report.outcome is CycleOutcome.INCOMPLETE
        assert report.written[GHL, "updated"] == 1
        staged = {row.contact_id for row in here.pair_store.next_staged(EMAILOCTOPUS, 0, 10)}
        assert len(staged) == 2, "the record in hand is stored as done, the others wait"
        assert_goes_on(here)


def test_revocations_that_were_not_begun_are_the_first_of_the_next_cycle(database_url: str) -> None:
    with world(database_url) as here:
        ids = linked(here)
        for name in NAMES:
            here.emailoctopus.unsubscribe(str(here.in_emailoctopus(f"{name}@example.com")["id"]))

        stopped(here, StopAfter(GHL, 1))

        assert sum(here.blocks(ghl_id) for ghl_id in ids.values()) == 1
        assert_goes_on(here)
        assert all(here.blocks(ghl_id) for ghl_id in ids.values())


@pytest.mark.parametrize("mode", [Mode.INCREMENTAL, Mode.FULL])
def test_a_cycle_that_is_told_before_it_reads_writes_nothing(database_url: str, mode: Mode) -> None:
    with world(database_url) as here:
        ids = linked(here)
        here.edit_person(ids["ada"], firstName="Augusta")

        report = stopped(here, StopAfter(GHL, 0), mode)

        assert (report.outcome, here.writes(GHL), here.writes(EMAILOCTOPUS)) == (CycleOutcome.INCOMPLETE, [], [])
        assert "stopped as told" in report.message
        assert_goes_on(here)


def assert_goes_on(here: World) -> None:
    """The pair is free, the next cycle does the rest, and the one after it nothing."""
    here.later(minutes=11)
    assert here.reconcile().outcome is CycleOutcome.OK
    for name in NAMES:
        row, there = here.in_ghl(f"{name}@example.com"), here.in_emailoctopus(f"{name}@example.com")
        assert row["firstName"] == there["fields"]["FirstName"]
        assert {tag.lower() for tag in row["tags"]} == {tag.lower() for tag in there["tags"]}
    here.settle()
    here.assert_quiet()
