"""How many changes of a kind a day has room for."""

import pytest

from sync_daemon.model.plan import MassChange
from sync_daemon.model.policy import GuardLimits
from sync_daemon.reconcile.guard import room_left

LIMITS = GuardLimits(max_destructive_percent=10, max_destructive_count=20, max_create_percent=50, max_create_count=1000)


@pytest.mark.parametrize(
    ("kind", "links", "made", "left"),
    [
        (MassChange.DELETION, 0, 0, 20),
        (MassChange.DELETION, 100, 0, 20),
        (MassChange.DELETION, 300, 0, 30),
        (MassChange.DELETION, 309, 0, 30),
        (MassChange.DELETION, 300, 12, 18),
        (MassChange.DELETION, 300, 40, 0),
        (MassChange.TAG_REMOVAL, 300, 30, 0),
        (MassChange.CREATE_IN_GHL, 300, 0, 1000),
        (MassChange.CREATE_IN_EMAILOCTOPUS, 4000, 500, 1500),
    ],
)
def test_a_limit_is_passed_when_both_its_share_and_its_count_are(
    kind: MassChange, links: int, made: int, left: int
) -> None:
    assert room_left(kind, LIMITS, links=links, made=made) == left
