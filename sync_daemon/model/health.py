"""How a pair stands while the service runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sync_daemon.model.report import CycleOutcome
from sync_daemon.model.system import SystemName

_FINE = (CycleOutcome.OK, CycleOutcome.PARKED, CycleOutcome.HELD, CycleOutcome.BUSY)


@dataclass(frozen=True, slots=True)
class PairHealth:
    """What is known of a pair: how its last cycle ended, and since when each system is proven to have been read.

    `fresh` holds when the last read that came to its end began, by system, `read` when anything was read of it last;
    `since` is when the service took the pair up. `alive` says that somebody works on it, `paused` that a person said
    not to.
    """

    pair: str
    since: datetime
    outcome: CycleOutcome | None = None
    message: str = ""
    ended: datetime | None = None
    fresh: Mapping[SystemName, datetime] = field(default_factory=dict)
    read: Mapping[SystemName, datetime] = field(default_factory=dict)
    alive: bool = True
    paused: bool = False

    def fresh_since(self) -> datetime | None:
        """Since when both systems are proven to have been read; None as long as they weren't."""
        return min(self.fresh.values()) if len(self.fresh) == len(SystemName) else None

    def silent_since(self) -> datetime:
        """Since when of one of the systems nothing was read and nothing proven fresh; a first load reads for hours."""
        return min(
            max(self.since, self.fresh.get(name, self.since), self.read.get(name, self.since)) for name in SystemName
        )

    def trouble(self, now: datetime, silent_after: timedelta) -> str | None:
        """Why the pair isn't as it should be; None when it is."""
        if not self.alive:
            return "nobody works on it any more: restart the service"
        if self.paused:
            return None
        if self.outcome is None:
            return "no cycle has ended yet"
        if self.outcome not in _FINE:
            return f"the last cycle ended as {self.outcome}: {self.message}" if self.message else str(self.outcome)
        silent = now - self.silent_since()
        return f"nothing read or proven fresh for {silent.total_seconds():.0f} s" if silent > silent_after else None
