"""The lines of the audit log that one settled case leaves: what was done or seen, and why; never a value. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from sync_daemon.apply.answers import Answers
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.state import Change
from sync_daemon.ports import Commit
from sync_daemon.reconcile.decision import Decision, Notice

_DROPPED = "an update that didn't name it emptied it in EmailOctopus; GoHighLevel keeps its value"


def audit(
    decision: Decision,
    answers: Answers,
    commit: Commit,
    ids: tuple[str | None, str | None],
    dropped: Iterable[str],
) -> Iterator[Change]:
    """The lines of one case, under GHL's and EmailOctopus's id; `commit` says what of it is parked and held.

    `dropped` are the rows that a write of others emptied.
    """
    for result in answers.done:
        operation = result.operation
        for what in _words(operation):
            yield Change("written", operation.system, *ids, what, operation.reason)
    for conflict in decision.conflicts:
        times = f"GoHighLevel at {_time(conflict.ghl_at)}, EmailOctopus at {_time(conflict.emailoctopus_at)}"
        yield Change("conflict", conflict.winner.other, *ids, conflict.part, f"{conflict.winner} wins; {times}")
    for entry in (entry for entry in commit.parked if not entry.let_be):
        yield Change("parked", None, *ids, entry.what, entry.code)
    for held in commit.held:
        yield Change("held", None, *ids, held.action, held.reason)
    for notice in (*decision.notices, *(Notice(key, _DROPPED) for key in dropped)):
        yield Change("reported", None, *ids, notice.what, notice.reason)


def _words(operation: Operation) -> list[str]:
    words = list(operation.fields) if operation.action is Action.UPDATE else [str(operation.action)]
    return [*words, *(["address"] if operation.address and operation.action is Action.UPDATE else [])]


def _time(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else "an unknown time"
