"""What a check of one pair found."""

from dataclasses import dataclass, field
from datetime import datetime

from sync_daemon.commands.exits import BAD_USAGE, CREDENTIALS, DONE, UNREACHABLE, WAITING, status_of
from sync_daemon.model.errors import SyncError
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Usage
from sync_daemon.reconcile.mapping_check import MappingRow

_PRECEDENCE = (CREDENTIALS, UNREACHABLE, WAITING, BAD_USAGE, DONE)


@dataclass(frozen=True, slots=True)
class GhlCredential:
    """How a pair gets into GHL: by `oauth`, whose token works until `ends_at`, or by a private integration token."""

    oauth: bool
    ends_at: datetime | None = None

    def __str__(self) -> str:
        if not self.oauth:
            return "private integration token"
        return f"OAuth, {f'token until {self.ends_at:%Y-%m-%d %H:%M} UTC' if self.ends_at else 'not logged in'}"


@dataclass(slots=True)
class Findings:
    """`problems` keep a reconcile from running, `advice` doesn't; `accounts` names what the credentials reach."""

    pair: str
    problems: list[str] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)
    accounts: dict[SystemName, str] = field(default_factory=dict)
    mapping: list[MappingRow] = field(default_factory=list)
    usage: dict[SystemName, Usage] = field(default_factory=dict)
    daily: dict[SystemName, int] = field(default_factory=dict)
    credential: GhlCredential | None = None
    status: int = DONE

    def object_to(self, error: SyncError) -> None:
        """Take up what an error says, and the exit status it stands for."""
        if error.shown not in self.problems:
            self.problems.append(error.shown)
        self.status = min(self.status, status_of(error), key=_PRECEDENCE.index)


def worst(findings: list[Findings]) -> int:
    """The one exit status for all pairs."""
    return min((one.status for one in findings), key=_PRECEDENCE.index, default=DONE)
