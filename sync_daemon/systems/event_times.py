"""When an event occurred, as webhooks write times: ISO 8601, or a number since 1970."""

from datetime import UTC, datetime

import msgspec

_MILLISECONDS_FROM = 1e11
"""A number this large counts milliseconds: as seconds it would lie 3,000 years ahead."""


def moment_of(told: object) -> datetime | None:
    """An aware time, UTC where none is told; None for what is no time: an event is heeded without one, too."""
    if isinstance(told, (int, float)) and not isinstance(told, bool) and told > _MILLISECONDS_FROM:
        told = told / 1000
    try:
        moment = msgspec.convert(told, datetime, strict=False)
    except msgspec.ValidationError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
