"""Contract, sections 2 and 8: what reading must not miss, and what it must not believe."""

from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic

import pytest

from sync_daemon.model.policy import FieldRule
from sync_daemon.model.report import CycleOutcome
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Clock
from sync_daemon.sandbox.weather import Fault
from tests.worlds import EMAILOCTOPUS, GHL, World, add_field, world


def first_names(here: World, system: SystemName) -> list[str]:
    if system is GHL:
        return sorted(row["firstName"] for row in here.people().values())
    return sorted(row["fields"]["FirstName"] for row in here.subscribers().values())


def edit(here: World, system: SystemName, ids: tuple[str, str], first: str) -> None:
    """An edit without any time passing."""
    if system is GHL:
        here.ghl.edit(ids[0], firstName=first)
    else:
        here.emailoctopus.edit(ids[1], {"FirstName": first})


@pytest.mark.parametrize("system", list(SystemName))
def test_a_change_with_the_timestamp_of_the_watermark_is_seen(database_url: str, system: SystemName) -> None:
    with world(database_url, sockets=True) as here:
        ada, bob = here.linked("ada@example.com"), here.linked("bob@example.com", "Bob")
        here.later(minutes=30)
        edit(here, system, ada, "Augusta")
        here.reconcile()
        edit(here, system, bob, "Robert")
        here.reconcile()
        assert first_names(here, system.other) == ["Augusta", "Robert"]
        here.assert_quiet()


def test_hits_that_the_index_left_out_are_found_by_the_polls_after(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        ids = [here.person(f"p{number}@example.com", f"P{number}") for number in range(12)]
        here.reconcile()
        here.later(minutes=30)
        for number, ghl_id in enumerate(ids):
            here.edit_person(ghl_id, firstName=f"New {number}")
        here.sandbox.ghl.weather.flicker = 0.5
        here.reconcile()
        # Newer changes than the missing ones were seen, so that the watermark lies behind these.
        assert 0 < sum(name.startswith("New") for name in first_names(here, EMAILOCTOPUS)) < 12
        here.sandbox.ghl.weather.flicker = 0.0
        here.later(minutes=5)
        here.reconcile()
        assert first_names(here, EMAILOCTOPUS) == sorted(f"New {number}" for number in range(12))
        here.assert_quiet()


class Skewed:
    """A clock that is wrong."""

    def __init__(self, clock: Clock, by: timedelta) -> None:
        self._clock, self._by = clock, by

    def now(self) -> datetime:
        return self._clock.now() + self._by

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)


@pytest.mark.parametrize("hours", [-30, 30])
@pytest.mark.parametrize("system", list(SystemName))
def test_a_wrong_clock_of_this_machine_hides_no_change(database_url: str, system: SystemName, hours: int) -> None:
    with world(database_url, sockets=True) as here:
        here.pair = replace(here.pair, clock=Skewed(here.pair.clock, timedelta(hours=hours)))
        ids = here.linked()
        for turn in range(3):
            here.later(minutes=15)
            edit(here, system, ids, f"Ada {turn}")
            here.reconcile()
            assert first_names(here, system.other) == [f"Ada {turn}"]
        here.assert_quiet()


def test_a_change_that_polls_could_not_see_is_found_by_a_full_scan_and_counted(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        here.emailoctopus.quirks.tag_change_touches = False
        ada, bob = here.linked("ada@example.com"), here.linked("bob@example.com", "Bob")
        here.later(hours=2)
        here.edit_subscriber(bob[1], FirstName="Robert")
        here.reconcile()
        here.emailoctopus.add_tags(ada[1], ["summer"])
        assert not here.reconcile().written
        here.later(minutes=2)
        report = here.full()
        assert report.missed_by_poll == 1
        assert here.in_ghl("ada@example.com")["tags"] == ["summer"]
        here.later(minutes=2)
        assert here.full().missed_by_poll == 0
        here.assert_quiet()


@pytest.mark.parametrize("system", list(SystemName))
@pytest.mark.parametrize("total", [True, False])
def test_a_listing_that_came_back_short_is_used_and_proves_nothing(
    database_url: str, system: SystemName, total: bool
) -> None:
    with world(database_url, sockets=True) as here:
        ids = [here.linked(f"p{number}@example.com", f"P{number}") for number in range(8)]
        edit(here, system, ids[0], "New")
        here.later(minutes=30)
        weather = here.sandbox.ghl.weather if system is GHL else here.sandbox.emailoctopus.weather
        weather.short_listing, weather.short_total = 0.75, total
        people, subscribers = here.people(), here.subscribers()
        report = here.full()
        # Even where the API's own total is short as well: less than half of those known were shown.
        assert report.outcome == CycleOutcome.INCOMPLETE
        # Nobody who wasn't listed is taken for gone, and nobody is created a second time.
        assert (here.people().keys(), here.subscribers().keys()) == (people.keys(), subscribers.keys())
        assert not {word for (_, word) in report.written} - {"updated"}
        weather.short_listing, weather.short_total = 0.0, False
        here.later(minutes=1)
        assert here.full().outcome == "ok"
        assert first_names(here, system.other) == sorted(["New", *(f"P{number}" for number in range(1, 8))])
        here.assert_quiet()


def test_a_poll_that_broke_off_moves_no_watermark(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        ada, bob = here.linked("ada@example.com"), here.linked("bob@example.com", "Bob")
        here.later(minutes=30)
        here.edit_subscriber(ada[1], FirstName="Augusta")
        before = here.pair_store.state().watermarks
        here.sandbox.emailoctopus.weather.error_rate = 1.0
        here.reconcile()
        after = here.pair_store.state().watermarks
        moved = {key for key in after if after[key] != before[key]}
        assert not [key for key in moved if key.startswith("emailoctopus")]
        here.sandbox.emailoctopus.weather.error_rate = 0.0
        here.later(hours=5)
        here.edit_subscriber(bob[1], FirstName="Robert")
        here.reconcile()
        assert first_names(here, GHL) == ["Augusta", "Robert"]
        here.assert_quiet()


def test_names_that_hits_tell_in_lower_case_only_are_no_change(database_url: str) -> None:
    with world(database_url, sockets=True) as here:
        here.ghl.quirks.hits_carry_names, here.ghl.quirks.hits_carry_dnd = False, "always"
        ada, _ = here.linked("ada@example.com")
        here.full()
        assert first_names(here, EMAILOCTOPUS) == ["Ada"]
        here.edit_person(ada, firstName="Augusta")
        here.later(minutes=11)
        here.reconcile()
        assert first_names(here, EMAILOCTOPUS) == ["Augusta"]
        here.assert_quiet()


def test_a_time_zone_that_hits_leave_out_is_not_blank(database_url: str) -> None:
    fields = (FieldRule("timezone", "Zone"),)
    with world(
        database_url, sockets=True, fields=fields, prepare=lambda sandbox: add_field(sandbox, "Zone", "text")
    ) as here:
        here.ghl.quirks.hits_carry_dnd = "always"
        ada = here.person("ada@example.com", timezone="Europe/Oslo")
        here.full()
        here.ghl.touch(ada)
        here.settle()
        here.full()
        assert here.in_emailoctopus("ada@example.com")["fields"]["Zone"] == "Europe/Oslo"
        here.assert_quiet()


def test_contacts_that_a_listing_tells_in_part_are_read_side_by_side(database_url: str) -> None:
    fields = (FieldRule("timezone", "Zone"),)
    with world(
        database_url, sockets=True, fields=fields, prepare=lambda sandbox: add_field(sandbox, "Zone", "text")
    ) as here:
        for number in range(16):
            here.person(f"p{number}@example.com", timezone="Europe/Oslo")
        slow = Fault(kind="latency", method="GET", path="/contacts/", seconds=0.5, times=16)
        here.sandbox.ghl.weather.faults = [slow]
        began = monotonic()
        assert here.reconcile().written == {(EMAILOCTOPUS, "created"): 16}
        assert monotonic() - began < 16 * 0.5 / 2
        assert all(row["fields"]["Zone"] == "Europe/Oslo" for row in here.subscribers().values())
