"""What a check of one pair found."""

from dataclasses import dataclass, field

from sync_daemon.commands.exits import BAD_USAGE, CREDENTIALS, DONE, UNREACHABLE, WAITING, status_of
from sync_daemon.model.errors import SyncError
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Usage
from sync_daemon.reconcile.mapping_check import MappingRow

_PRECEDENCE = (CREDENTIALS, UNREACHABLE, WAITING, BAD_USAGE, DONE)


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
    status: int = DONE

    def object_to(self, error: SyncError) -> None:
        """Take up what an error says, and the exit status it stands for."""
        if error.shown not in self.problems:
            self.problems.append(error.shown)
        self.status = min(self.status, status_of(error), key=_PRECEDENCE.index)


def worst(findings: list[Findings]) -> int:
    """The one exit status for all pairs."""
    return min((one.status for one in findings), key=_PRECEDENCE.index, default=DONE)
