"""A contact that a run created, deleted again if nobody has touched it since. Pure."""

from datetime import timedelta

from sync_daemon.changes.cases import Case, CaseSide
from sync_daemon.model.contact import Consent
from sync_daemon.model.plan import Action, MassChange, Operation
from sync_daemon.model.state import Tombstone, Unlinked
from sync_daemon.model.undo import Replaced
from sync_daemon.reconcile.decision import Context, Decision, Undone
from sync_daemon.reconcile.side_consent import consent_now
from sync_daemon.reconcile.undo.words import GONE, TOUCHED, WAITS

UNDONE = "undo"
"""What was done, in the words of tombstones."""
_OUR_OWN = timedelta(seconds=30)
"""How far a contact's timestamp may lie behind our last write to it and be that write's still."""


def delete_created(row: Replaced, case: Case, context: Context, reason: str) -> tuple[Decision | None, str]:
    """The end of a contact that a run created, and of its link; or why it stays.

    The other contact counts as one that a person doesn't want there: it is created again when it changes.
    """
    side = case.side(row.system)
    if side is None or side.contact_id != row.target_id or case.link is None:
        return None, GONE
    if case.parked or case.held:
        return None, WAITS
    ours = side.known.sent is not None and side.known.sent.deletion
    if side.snapshot is None and not ours:
        return None, GONE
    if side.snapshot is not None and _is_touched(row, side, context):
        return None, TOUCHED
    operation = Operation(
        row.system,
        Action.DELETE,
        case.link.ghl_id,
        case.link.emailoctopus_id,
        reason,
        parts=("deletion",),
        policy=MassChange.UNDO,
    )
    gone = side.snapshot is None
    tombstone = Tombstone(
        case.link.ghl_id,
        case.link.emailoctopus_id,
        row.system,
        context.now,
        UNDONE,
        consent_now(side),
        side.known.address,
    )
    return (
        Decision(
            case,
            () if gone else (operation,),
            dissolves=case.link,
            unlinked=Unlinked.DISCARDED,
            tombstone=tombstone,
            undoes=Undone(gone=row.system, already=gone),
        ),
        "",
    )


def _is_touched(row: Replaced, side: CaseSide, context: Context) -> bool:
    """Whether a contact isn't what it was when it was created, or was touched later than by this program."""
    snapshot, known = side.snapshot, side.known
    if snapshot is None or row.digest is None or context.detector.digester.snapshot(snapshot) != row.digest:
        return True
    agreed = known.baseline.consent if known.baseline is not None else None
    if (snapshot.consent or Consent.GRANTED) is not (agreed or Consent.GRANTED):
        return True
    ours = [row.updated_at, known.written_at + _OUR_OWN if known.written_at is not None else None]
    return snapshot.updated_at > max((at for at in ours if at is not None), default=snapshot.updated_at)
