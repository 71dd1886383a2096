"""One exit status tells most about all pairs."""

from itertools import permutations

import pytest

from sync_daemon.commands.exits import status_of, status_of_outcomes
from sync_daemon.model.errors import (
    ConfigurationError,
    CredentialsRefused,
    IncompleteRead,
    PairBusy,
    QuotaExhausted,
    StateStoreError,
    SyncError,
    Unreachable,
)
from sync_daemon.model.report import CycleOutcome
from sync_daemon.model.system import SystemName

GHL = SystemName.GHL


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("ok", 0), ("error", 1), ("parked", 3), ("incomplete", 3), ("quota", 3), ("auth", 4), ("held", 5), ("busy", 6),
        ("unreachable", 7),
    ],
)  # fmt: skip
def test_each_outcome_has_its_status(outcome: str, status: int) -> None:
    assert status_of_outcomes([CycleOutcome(outcome)]) == status


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConfigurationError("x"), 2),
        (StateStoreError("x"), 2),
        (IncompleteRead("x"), 3),
        (QuotaExhausted(GHL, "x"), 3),
        (CredentialsRefused(GHL, "x"), 4),
        (PairBusy("x"), 6),
        (Unreachable(GHL, "x"), 7),
        (SyncError("x"), 1),
    ],
)
def test_each_error_has_its_status(error: SyncError, status: int) -> None:
    assert status_of(error) == status


def test_the_documented_precedence() -> None:
    order = ["auth", "unreachable", "busy", "held", "parked", "ok"]
    for first, second in permutations(order, 2):
        graver = min(first, second, key=order.index)
        both = [CycleOutcome(first), CycleOutcome(second)]
        assert status_of_outcomes(both) == status_of_outcomes([CycleOutcome(graver)]), both


def test_nothing_to_do_is_done() -> None:
    assert status_of_outcomes([]) == 0
