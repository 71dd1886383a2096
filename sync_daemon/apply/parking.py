"""What of a decision is parked: the parts that were refused, and those that have no form to be written in. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from sync_daemon.apply.retry_times import next_try
from sync_daemon.apply.verify import Failure
from sync_daemon.model.state import Parked
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
