"""When a pair isn't as it should be."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sync_daemon.model.health import PairHealth
from sync_daemon.model.report import CycleOutcome
from sync_daemon.model.system import SystemName

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
LIMIT = timedelta(minutes=15)
FRESH = PairHealth("main", NOW - timedelta(days=1), CycleOutcome.OK, "", NOW, {GHL: NOW, EMAILOCTOPUS: NOW})


@pytest.mark.parametrize("outcome", [CycleOutcome.OK, CycleOutcome.PARKED, CycleOutcome.HELD, CycleOutcome.BUSY])
def test_a_pair_that_was_read_lately_is_fine(outcome: CycleOutcome) -> None:
    assert replace(FRESH, outcome=outcome).trouble(NOW + LIMIT, LIMIT) is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"alive": False}, "restart the service"),
        ({"outcome": None}, "no cycle has ended"),
        ({"outcome": CycleOutcome.AUTH, "message": "the token was refused"}, "auth: the token was refused"),
        ({"outcome": CycleOutcome.UNREACHABLE}, "unreachable"),
        ({"outcome": CycleOutcome.INCOMPLETE}, "incomplete"),
        ({"outcome": CycleOutcome.QUOTA}, "quota"),
        ({"outcome": CycleOutcome.ERROR}, "error"),
        (
            {"fresh": {GHL: NOW - LIMIT - timedelta(seconds=1), EMAILOCTOPUS: NOW}},
            "nothing read or proven fresh for 901 s",
        ),
        ({"fresh": {GHL: NOW}}, "nothing read or proven fresh for 86400 s"),
        ({"fresh": {GHL: NOW}, "read": {GHL: NOW}}, "nothing read or proven fresh for 86400 s"),
        ({"fresh": {}, "since": NOW - timedelta(hours=1)}, "nothing read or proven fresh for 3600 s"),
    ],
)
def test_what_is_the_matter(changes: dict[str, Any], says: str) -> None:
    assert says in str(replace(FRESH, **changes).trouble(NOW, LIMIT))


def test_a_new_service_gets_time_to_read() -> None:
    assert replace(FRESH, fresh={}, since=NOW - timedelta(minutes=1)).trouble(NOW, LIMIT) is None


def test_a_pair_that_a_person_paused_is_as_it_should_be() -> None:
    assert replace(FRESH, outcome=CycleOutcome.ERROR, fresh={}, paused=True).trouble(NOW, LIMIT) is None
    assert replace(FRESH, alive=False, paused=True).trouble(NOW, LIMIT) is not None


def test_a_long_cycle_that_goes_on_reading_is_not_silent() -> None:
    long = replace(FRESH, fresh={}, since=NOW - timedelta(hours=5), read={GHL: NOW, EMAILOCTOPUS: NOW})
    assert long.trouble(NOW, LIMIT) is None
    assert long.silent_since() == NOW
    one_sided = replace(long, read={GHL: NOW})
    assert one_sided.silent_since() == NOW - timedelta(hours=5)


def test_it_is_as_fresh_as_its_staler_side() -> None:
    old = NOW - timedelta(minutes=3)
    assert replace(FRESH, fresh={GHL: old, EMAILOCTOPUS: NOW}).fresh_since() == old
    assert replace(FRESH, fresh={GHL: old}).fresh_since() is None
