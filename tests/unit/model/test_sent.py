"""Which timestamps may be those of a write that a process was about to send when it died."""

from datetime import UTC, datetime, timedelta

import pytest

from sync_daemon.model.state import Sent

SINCE = datetime(2026, 11, 1, 12, tzinfo=UTC)
SENT = Sent(since=SINCE)


@pytest.mark.parametrize(("seconds", "explained"), [(-3600, True), (0, True), (30, True), (30.001, False)])
def test_a_timestamp_after_the_lease_of_a_dead_process_is_somebody_elses(seconds: float, explained: bool) -> None:
    assert SENT.explains(SINCE + timedelta(seconds=seconds)) is explained


def test_an_unknown_time_may_be_any() -> None:
    assert SENT.explains(None)
    assert Sent().explains(SINCE)


@pytest.mark.parametrize(("seconds", "made"), [(-30.001, False), (-30, True), (0, True), (30, True), (30.001, False)])
def test_a_contact_that_was_there_before_was_not_made_by_the_write(seconds: float, made: bool) -> None:
    assert SENT.made(SINCE + timedelta(seconds=seconds)) is made
    assert not Sent().made(SINCE)
