"""How much of a kind a day may change before a person is asked (contract, section 7). Pure."""

from math import floor

from sync_daemon.model.plan import MassChange
from sync_daemon.model.policy import GuardLimits

_CREATIONS = {MassChange.CREATE_IN_GHL, MassChange.CREATE_IN_EMAILOCTOPUS}


def room_left(kind: MassChange, limits: GuardLimits, *, links: int, made: int) -> int:
    """How many more changes of a kind may be made when `made` were within 24 hours; one more holds them all.

    A limit is passed when both its share of the links and its count are.
    """
    creation = kind in _CREATIONS
    percent = limits.max_create_percent if creation else limits.max_destructive_percent
    count = limits.max_create_count if creation else limits.max_destructive_count
    return max(0, max(floor(links * percent / 100), count) - made)
