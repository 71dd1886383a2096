"""What the headers of an answer tell about limits, in one form for every vendor. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_EPOCH_FROM = 1_000_000_000
"""A number this large is a moment, not a duration: no API asks anybody to wait for thirty years."""
_EPOCH_IN_MILLISECONDS_FROM = 1_000_000_000_000


@dataclass(frozen=True, slots=True)
class Told:
    """Limits as one answer told them; what it didn't tell, or told in an unknown form, is None. Times in seconds."""

    window_requests: int | None = None
    window_seconds: float | None = None
    remaining: int | None = None
    daily_limit: int | None = None
    daily_remaining: int | None = None
    daily_reset: float | None = None
    retry_after: float | None = None


def read_headers(headers: Mapping[str, str], now: datetime) -> Told:
    """Read the limits from headers whose names are in lower case.

    GHL: documented (Authorization.md), the reset as a duration in milliseconds observed. EmailOctopus: the
    two spellings are documented (OpenAPI prose), the unit of the second isn't.
    """
    interval = _count(headers.get("x-ratelimit-interval-milliseconds"))
    reset = _count(headers.get("x-ratelimit-daily-reset"))
    return Told(
        window_requests=_count(headers.get("x-ratelimit-max")) or None,
        window_seconds=interval / 1000 if interval else None,
        remaining=_first(headers, "x-ratelimiting-remaining", "x-ratelimit-remaining"),
        daily_limit=_count(headers.get("x-ratelimit-limit-daily")),
        daily_remaining=_count(headers.get("x-ratelimit-daily-remaining")),
        daily_reset=None if reset is None else reset / 1000,
        retry_after=_retry_after(headers, now),
    )


def _first(headers: Mapping[str, str], *names: str) -> int | None:
    counts = (_count(headers.get(name)) for name in names)
    return next((count for count in counts if count is not None), None)


def _count(text: str | None) -> int | None:
    digits = (text or "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() else None


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    waits = (_wait(headers.get(name, ""), now) for name in ("x-ratelimit-retry-after", "retry-after"))
    return next((wait for wait in waits if wait is not None), None)


def _wait(text: str, now: datetime) -> float | None:
    """Seconds from now: told as such, as an epoch (seconds or milliseconds) or as an HTTP date."""
    number = _number(text)
    if number is None:
        at = _http_date(text)
        return None if at is None else max(0.0, (at - now).total_seconds())
    if number < _EPOCH_FROM:
        return number
    epoch = number / 1000 if number >= _EPOCH_IN_MILLISECONDS_FROM else number
    return max(0.0, epoch - now.timestamp())


def _number(text: str) -> float | None:
    whole, _, fraction = text.strip().partition(".")
    return float(text) if (whole + fraction).isascii() and (whole + fraction).isdigit() else None


def _http_date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
