"""What of a decision is parked: the parts that were refused, and those that have no form to be written in. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sync_daemon.apply.retry_times import next_try
from sync_daemon.apply.verify import Failure
from sync_daemon.changes.tagbook import fold
from sync_daemon.model.plan import Action, WriteResult
from sync_daemon.model.state import Parked, Staged
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.decision import Decision


def to_park(
    decision: Decision, failed: Iterable[Failure], ids: tuple[str | None, str | None], now: datetime
) -> Iterator[Parked]:
    """The entries to store, under GHL's and EmailOctopus's id, each with the time of its next try."""
    waiting = [Failure(entry.part, entry.code) for entry in decision.to_park]
    own_digests = {entry.part: entry.value for entry in decision.to_park}
    for failure in (*waiting, *failed):
        before = decision.case.parked.get(failure.part)
        attempts = (before.attempts if before else 0) + 1
        yield Parked(
            *ids,
            failure.part,
            failure.code,
            failure.message,
            attempts,
            next_try(attempts, now),
            own_digests.get(failure.part) or decision.digests.get(failure.part),
            orders=before.orders if before else 0,
        )


def spelt_otherwise(decision: Decision, results: Iterable[WriteResult]) -> Sequence[Staged]:
    """Hints at a pair whose EmailOctopus contact has a tag that was removed in another spelling, too.

    Nobody had read how it spells its tags; once both are read, all of its spellings are removed. One that was read
    isn't asked again.
    """
    ghl, emailoctopus = decision.case.ghl, decision.case.emailoctopus
    if ghl is None or emailoctopus is None or emailoctopus.snapshot is not None or decision.unlinked is not None:
        return ()
    if not any(map(_stays_spelt_otherwise, results)):
        return ()
    return [Staged(side.system, side.contact_id, None) for side in (ghl, emailoctopus)]


def _stays_spelt_otherwise(result: WriteResult) -> bool:
    operation, contact = result.operation, result.returned.contact if result.returned else None
    if operation.system is SystemName.GHL or operation.action is not Action.REMOVE_TAGS or contact is None:
        return False
    stays = {name for name in contact.tags if fold(name) in map(fold, operation.tags)}
    return bool(stays) and stays.isdisjoint(operation.tags)
