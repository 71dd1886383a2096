"""When a parked change is tried again (contract, section 8). Pure."""

from datetime import datetime, timedelta

_STEPS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
_THEN = timedelta(days=1)


def next_try(attempts: int, now: datetime) -> datetime:
    """The time of the next try after that many failed ones: 1, 5 and 30 minutes, 2 hours, then daily."""
    return now + (_STEPS[attempts - 1] if attempts <= len(_STEPS) else _THEN)
