"""Which timestamps may be those of a write that a process was about to send when it died."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sync_daemon.model.contact import Consent
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


WHOLE = Sent({"a": b"1", "b": b"2"}, frozenset({b"x", b"y"}), Consent.REVOKED, b"address", creation=True, since=SINCE)


@pytest.mark.parametrize(
    ("part", "repeats"),
    [
        ({}, True),
        ({"fields": {"a": b"1"}, "tags": frozenset({b"x"})}, True),
        ({"fields": {"a": b"3"}}, False),
        ({"fields": {"c": b"1"}}, False),
        ({"tags": frozenset({b"z"})}, False),
        ({"consent": Consent.GRANTED}, False),
        ({"address": b"another"}, False),
        ({"consent": None, "address": None, "creation": False}, True),
    ],
)
def test_what_is_left_of_what_was_to_be_written_is_no_further_change(part: dict[str, Any], repeats: bool) -> None:
    assert replace(WHOLE, **part).repeats(WHOLE) is repeats
    assert not replace(WHOLE, **part).repeats(None)


def test_a_creation_that_nobody_had_begun_is_a_further_change() -> None:
    assert not WHOLE.repeats(replace(WHOLE, creation=False))
