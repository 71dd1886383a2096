"""Which contacts must be read by id before a case can be decided (contract, sections 2 and 4)."""

from collections.abc import Iterable

from sync_daemon.changes.cases import Case, CaseSide, ContactKey
from sync_daemon.model.contact import Consent, Source
from sync_daemon.model.plan import MassChange
from sync_daemon.model.state import Baseline, Sent
from sync_daemon.reconcile.decision import Context
from sync_daemon.reconcile.scope import in_scope


def meets(case: Case, context: Context) -> bool:
    """Whether the contacts of a case meet for the first time, or anew after coming back into scope; one alone would."""
    if case.link is None or case.exchanged:
        return True
    snapshot = case.both()[0].snapshot
    return not case.link.in_scope and snapshot is not None and in_scope(context.policy.scope, snapshot)


def reads_needed(case: Case, context: Context) -> frozenset[ContactKey]:
    """The contacts whose state isn't known well enough."""
    by_id = bool(case.parked) or any(
        entry.approved or entry.discarded or entry.action == MassChange.DELETION for entry in case.held
    )
    known = (
        meets(case, context)
        or by_id
        or bool(case.held)  # the baselines tell what was agreed, which isn't what is there
        or _meets_a_field(case, context)
        or _was_taken_back(case, context)
    )
    return frozenset(
        (side.system, side.contact_id)
        for side in case.sides()
        if _must_read(side, context, known=known and side not in case.duplicates, by_id=by_id)
    )


def unread(case: Case) -> frozenset[ContactKey]:
    """Both contacts, as far as they weren't read by id: what a step toward consent rests on."""
    sides = (side for side in (case.ghl, case.emailoctopus) if side is not None)
    return frozenset((side.system, side.contact_id) for side in sides if not read_by_id(side))


def unread_steps(sides: Iterable[CaseSide]) -> frozenset[ContactKey]:
    """The contacts that were revoked and seem to be no more, as far as no read by id says so: a hit may be old."""
    freed = (side for side in sides if seems_freed(side) and not read_by_id(side))
    return frozenset((side.system, side.contact_id) for side in freed)


def seems_freed(side: CaseSide) -> bool:
    """Whether a contact that was revoked when its consent was last agreed doesn't look so any more."""
    was_revoked = side.known.baseline is not None and side.known.baseline.consent is Consent.REVOKED
    return was_revoked and side.snapshot is not None and side.snapshot.consent is not Consent.REVOKED


def _must_read(side: CaseSide, context: Context, *, known: bool, by_id: bool) -> bool:
    snapshot = side.snapshot
    if snapshot is None:
        return side.staged is not None or known
    if snapshot.source is Source.READ:
        return False
    if by_id and known:
        return True
    if snapshot.source is not Source.HINT:
        return False
    untold = snapshot.consent is None and not context.search_tells_consent
    written = side.known.written_at
    return untold or (written is not None and context.now - written < context.index_lag)


def read_by_id(side: CaseSide) -> bool:
    """Whether what is known of a contact comes from a read by id."""
    return side.snapshot is not None and side.snapshot.source is Source.READ


def _meets_a_field(case: Case, context: Context) -> bool:
    if not context.full or case.link is None or not case.link.in_scope:
        return False
    met = [(side.known.baseline or Baseline()).fields for side in case.both()]
    return any(field.rule.key not in fields for field in context.fields for fields in met)


def _was_taken_back(case: Case, context: Context) -> bool:
    """Whether a write that got no answer isn't asked for any more: what it left there must be known."""
    ghl, emailoctopus = case.both()
    return _left_behind(ghl, emailoctopus, context) or _left_behind(emailoctopus, ghl, context)


def _left_behind(side: CaseSide, other: CaseSide, context: Context) -> bool:
    detector, snapshot = context.detector, other.snapshot
    fields = (side.known.sent or Sent()).fields
    asked = {
        field.rule.key
        for field in context.fields
        if snapshot is not None and detector.field_changed(field.rule, snapshot, other.known)
    }
    before = set(detector.tags_before(other.known))
    now = before if snapshot is None else set(detector.tags_now(snapshot))
    return not (fields.keys() <= asked and detector.tags_sent(side.known) <= now ^ before)
