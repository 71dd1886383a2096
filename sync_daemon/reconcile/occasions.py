"""What people did in EmailOctopus as a contact's changes show it: sign-ups, unsubscribes, tags, fields. Pure.

It is found against the contact's own baseline, as every change is, so that polls and webhooks show the same and what
this program wrote shows nothing. It counts once its baseline has moved: so each change counts once.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import datetime

from sync_daemon.changes.cases import Case, CaseSide
from sync_daemon.changes.staging import OF_STATUS
from sync_daemon.changes.tagbook import TagBook
from sync_daemon.model.contact import Consent, Snapshot
from sync_daemon.model.engagement import Kind, Occasion, seen
from sync_daemon.model.state import ON_ITS_WAY, Baseline, KnownContact, KnownTag, Sent, Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.decision import Context

EMAILOCTOPUS = SystemName.EMAILOCTOPUS
_ASKED_AGAIN = {Unlinked.PENDING, Unlinked.SUPPRESSED}
"""Why somebody isn't in GHL who comes there by opting in."""


def occasions_of(
    case: Case, after: KnownContact | None, context: Context, wanted: AbstractSet[Kind], *, first_load: bool
) -> Iterator[Occasion]:
    """What a case's EmailOctopus contact did; `after` is its row as it is stored, None where that isn't known yet."""
    side = case.emailoctopus
    snapshot = side.snapshot if side is not None else None
    if side is None or snapshot is None or case.former is not None or case.exchanged:
        return
    new = _is_new(case, side, snapshot, context) and not first_load
    before = side.known.baseline
    moved = after.baseline if after is not None else None
    consent = _consent(side.known, snapshot, before, new=new)
    if consent in wanted and consent is not None and (after is None or _consent_moved(before, moved, new=new)):
        yield _seen(context, consent, side, snapshot, _consent_at(side, snapshot, context))
    if Kind.TAG_ADDED in wanted:
        yield from _tags(side, snapshot, moved if after is not None else None, context, new=new, settled=after is None)
    if Kind.FIELD_CHANGED in wanted and before is not None:
        yield from _fields(side, snapshot, before, moved, context, settled=after is None)


def _is_new(case: Case, side: CaseSide, snapshot: Snapshot, context: Context) -> bool:
    """Whether somebody signed up: nobody knew him, and this program didn't make him.

    A timestamp ahead of our clock tells that this is behind: when a contact was made that we were making then, nobody
    can say.
    """
    known = side.known
    if case.link is not None or known.baseline is not None or known.unlinked is not None:
        return False
    sent = (case.ghl.known.sent if case.ghl is not None else None) or Sent()
    ahead = snapshot.updated_at > context.now + ON_ITS_WAY
    return not (sent.creation and (ahead or sent.made(snapshot.updated_at)))


def _consent(known: KnownContact, snapshot: Snapshot, before: Baseline | None, *, new: bool) -> Kind | None:
    agreed = before.consent if before is not None else None
    if snapshot.consent is Consent.GRANTED:
        opted_in = agreed in (Consent.PENDING, Consent.REVOKED) or known.unlinked in _ASKED_AGAIN
        ours = (known.sent or Sent()).consent is Consent.GRANTED
        return Kind.SUBSCRIBED if new or (opted_in and not ours) else None
    if snapshot.consent is Consent.REVOKED and agreed in (Consent.GRANTED, Consent.PENDING):
        sent = known.sent or Sent()
        return Kind.UNSUBSCRIBED if sent.consent is not Consent.REVOKED and not sent.namesake else None
    return None


def _consent_moved(before: Baseline | None, after: Baseline | None, *, new: bool) -> bool:
    """Whether it is settled; of somebody without a link nothing is agreed, and it is settled that he is known."""
    if after is None or before is None or new:
        return True
    return after.consent is not before.consent


def _tags(
    side: CaseSide, snapshot: Snapshot, after: Baseline | None, context: Context, *, new: bool, settled: bool
) -> Iterator[Occasion]:
    detector, before = context.detector, side.known.baseline
    if not new and (before is None or before.tags is None):
        return
    now = detector.tags_now(snapshot)
    known = (
        frozenset() if new else detector.tags_before(side.known, now.values()).keys() | detector.tags_sent(side.known)
    )
    for name, tag in now.items():
        if name in known or (not new and before is not None and tag.entered > before.generation):
            continue
        digest = detector.tag_digest(EMAILOCTOPUS, side.contact_id, tag)
        if settled or new or (after is not None and digest in (after.tags or ())):
            at = _changed_at(side, snapshot, "tags")
            yield _seen(context, Kind.TAG_ADDED, side, snapshot, at, _spelt(detector.tags, tag))


def _spelt(book: TagBook, tag: KnownTag) -> str:
    return book.name_in(EMAILOCTOPUS, tag)


def _fields(
    side: CaseSide,
    snapshot: Snapshot,
    before: Baseline,
    after: Baseline | None,
    context: Context,
    *,
    settled: bool,
) -> Iterator[Occasion]:
    for rule in context.detector.rules:
        moved = after is not None and after.fields.get(rule.key) != before.fields.get(rule.key)
        if context.detector.field_changed(rule, snapshot, side.known) and (settled or moved):
            at = _changed_at(side, snapshot, rule.key)
            yield _seen(context, Kind.FIELD_CHANGED, side, snapshot, at, rule.emailoctopus)


def _consent_at(side: CaseSide, snapshot: Snapshot, context: Context) -> datetime:
    """When consent changed: the contact's timestamp where it moved with it, else when that was first seen."""
    times = side.staged.changed_at if side.staged is not None else {}
    unmoved = side.known.updated_at is not None and snapshot.updated_at <= side.known.updated_at
    return next((times[part] for part in OF_STATUS & times.keys()), context.now if unmoved else snapshot.updated_at)


def _changed_at(side: CaseSide, snapshot: Snapshot, part: str) -> datetime:
    return side.staged.changed_at.get(part, snapshot.updated_at) if side.staged is not None else snapshot.updated_at


def _seen(
    context: Context, kind: Kind, side: CaseSide, snapshot: Snapshot, at: datetime, subject: str = ""
) -> Occasion:
    # A plan and the cycle that follows it see it at different times: of what nobody timed the day is its own.
    when = at.isoformat() if at <= snapshot.updated_at else f"{snapshot.updated_at.isoformat()} {at:%Y-%m-%d}"
    digest = context.detector.digester.field(EMAILOCTOPUS, side.contact_id, "occasion", f"{kind} {subject} {when}")
    return seen(kind, side.contact_id, subject, at, digest)
