"""What a decided case shows of what its EmailOctopus contact did, for rules that ask about it."""

from collections.abc import Collection
from collections.abc import Set as AbstractSet

from sync_daemon.cycle.pair import EMAILOCTOPUS, Run
from sync_daemon.model.engagement import Kind, Occasion
from sync_daemon.model.state import KnownContact
from sync_daemon.reconcile.decision import Context, Decision
from sync_daemon.reconcile.occasions import occasions_of

_FROM_CHANGES = frozenset({Kind.SUBSCRIBED, Kind.TAG_ADDED, Kind.FIELD_CHANGED, Kind.UNSUBSCRIBED})


def noticed(run: Run, decision: Decision, context: Context, rows: Collection[KnownContact] | None) -> list[Occasion]:
    """The occasions of a case that was settled with these rows; None: it is foreseen, and will be."""
    wanted: AbstractSet[Kind] = run.pair.rules.kinds & _FROM_CHANGES
    side = decision.case.emailoctopus
    if not wanted or side is None:
        return []
    after = None
    if rows is not None:
        own = [row for row in rows if (row.system, row.contact_id) == (EMAILOCTOPUS, side.contact_id)]
        if not own:
            return []
        after = own[-1]
    first_load = run.guard.first_load
    return list(occasions_of(decision.case, after, context, wanted, first_load=first_load))
