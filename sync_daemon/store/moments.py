"""Times as the database keeps them: whole microseconds since 1970, UTC."""

from datetime import UTC, datetime, timedelta
from typing import overload

_START = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = timedelta(microseconds=1)


@overload
def to_micros(moment: datetime) -> int: ...
@overload
def to_micros(moment: None) -> None: ...
@overload
def to_micros(moment: datetime | None) -> int | None: ...
def to_micros(moment: datetime | None) -> int | None:
    """An aware time as a number, exact; None stays None."""
    return None if moment is None else (moment - _START) // _STEP


@overload
def to_datetime(micros: int) -> datetime: ...
@overload
def to_datetime(micros: None) -> None: ...
@overload
def to_datetime(micros: int | None) -> datetime | None: ...
def to_datetime(micros: int | None) -> datetime | None:
    """The time a number stands for, aware, UTC; None stays None."""
    return None if micros is None else _START + timedelta(microseconds=micros)
