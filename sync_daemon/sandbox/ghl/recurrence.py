"""Recurring events: the instants an RRULE gives (documented: calendars.json; daily, weekly and monthly)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

_STEPS = {"DAILY": timedelta(days=1), "WEEKLY": timedelta(weeks=1)}
_LONGEST = 366  # instances of a rule
_WIDEST = 99  # steps between two instances


def starts(rrule: str, first: datetime) -> Iterator[datetime]:
    """Give the start of every instance. Raises ValueError for a rule that GHL's bookings don't make."""
    parts = dict(part.split("=", 1) for part in rrule.removeprefix("RRULE:").split(";") if part)
    interval = int(parts.get("INTERVAL", 1))
    frequency = parts.get("FREQ", "")
    if not 1 <= interval <= _WIDEST:
        raise ValueError(f"rrule must have an INTERVAL between 1 and {_WIDEST}, not {interval}")
    if frequency not in _STEPS and frequency != "MONTHLY":
        raise ValueError(f"rrule must have a FREQ of DAILY, WEEKLY or MONTHLY, not {frequency!r}")
    until = datetime.strptime(parts["UNTIL"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) if "UNTIL" in parts else None
    for start in islice(_all_starts(frequency, interval, first), min(_LONGEST, int(parts.get("COUNT", _LONGEST)))):
        if until is not None and start > until:
            return
        yield start


def _all_starts(frequency: str, interval: int, first: datetime) -> Iterator[datetime]:
    number = 0
    while True:
        start = _stepped(frequency, interval * number, first)
        if start is not None:
            yield start
        number += 1


def _stepped(frequency: str, number: int, first: datetime) -> datetime | None:
    if frequency in _STEPS:
        return first + number * _STEPS[frequency]
    months = first.month - 1 + number
    try:
        return first.replace(year=first.year + months // 12, month=months % 12 + 1)
    except ValueError:  # the 31st of a shorter month
        return None
