"""The audit log as it is asked: what a run did or saw, when, in which record, and why."""

from dataclasses import dataclass
from datetime import datetime

from sync_daemon.model.state import Change
from sync_daemon.model.system import SystemName


@dataclass(frozen=True, slots=True)
class ChangeFilter:
    """Which lines of the log are asked for; what is left at its default asks for all.

    `contacts` are ids of either system; `what` every word that the asked field or part goes by in the log
    (`reconcile.logged_words`); `since` is included, `until` isn't.
    """

    run_id: str | None = None
    contacts: frozenset[str] | None = None
    what: frozenset[str] | None = None
    system: SystemName | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """One line of the log. `id` grows with each line; lines are in the order of (`at`, `id`)."""

    id: int
    run_id: str
    at: datetime
    change: Change

    @property
    def place(self) -> tuple[datetime, int]:
        """Where it stands in the log: a page goes on from there."""
        return self.at, self.id
