"""When what was refused is tried again (contract, section 8). Pure."""

from dataclasses import replace
from datetime import datetime, timedelta

from sync_daemon.model.deeds import Deed, DeedState

_STEPS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
_THEN = timedelta(days=1)


def next_try(attempts: int, now: datetime) -> datetime:
    """The time of the next try after that many failed ones: 1, 5 and 30 minutes, 2 hours, then daily."""
    return now + (_STEPS[attempts - 1] if attempts <= len(_STEPS) else _THEN)


def refused(deed: Deed, code: str, message: str, now: datetime) -> Deed:
    """A deed that was refused once more, in the API's words; it has a next try as what is parked has."""
    attempts = deed.attempts + 1
    return replace(
        deed,
        state=DeedState.REFUSED,
        attempts=attempts,
        next_try=next_try(attempts, now),
        code=code,
        message=message,
    )
