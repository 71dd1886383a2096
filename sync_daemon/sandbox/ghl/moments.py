"""Instants as GHL writes them: milliseconds since the epoch inside, ISO 8601 with Z outside."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_ms(at: datetime) -> int:
    """Whole milliseconds since the epoch of an aware instant."""
    return (at - _EPOCH) // _MILLISECOND


def from_ms(ms: int) -> datetime:
    """Turn milliseconds since the epoch into an aware instant in UTC."""
    return _EPOCH + ms * _MILLISECOND


@lru_cache(maxsize=65_536)
def iso(ms: int) -> str:
    """Write an instant as `2026-01-05T09:00:00.000Z`."""
    return from_ms(ms).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def iso_in(at: datetime, zone: tzinfo) -> str:
    """Write an instant with the offset of a zone: `2026-01-05T10:00:00+01:00`."""
    return at.astimezone(zone).isoformat(timespec="seconds")


def parse_instant(text: str, zone: tzinfo) -> datetime:
    """Read an ISO date or instant; without an offset it is in `zone`. ValueError when it is neither."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)


def is_date_only(text: str) -> bool:
    """Tell `2026-01-05` from an instant."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def day_bounds(day: str, zone: tzinfo) -> tuple[int, int]:
    """First and last millisecond of a calendar day in a zone."""
    start = datetime.combine(date.fromisoformat(day), time.min, zone)
    end = datetime.combine(date.fromisoformat(day) + timedelta(days=1), time.min, zone)
    return to_ms(start), to_ms(end) - 1
