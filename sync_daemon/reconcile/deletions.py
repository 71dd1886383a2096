"""What a deletion on one side does to the other: the delete policy, and who inherits the link (contract, section 6)."""

from collections.abc import Set as AbstractSet
from dataclasses import replace
from enum import StrEnum

from sync_daemon.changes.cases import Case, CaseSide
from sync_daemon.changes.tagbook import fold
from sync_daemon.model.contact import Consent
from sync_daemon.model.grants import NotRevoked
from sync_daemon.model.plan import Action, MassChange, Operation
from sync_daemon.model.policy import DeletedInEmailOctopus, DeletedInGhl, DeleteRule
from sync_daemon.model.state import Cause, Held, Link, Tombstone
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.consents import set_dnd, unsubscribe, was_being_revoked
from sync_daemon.reconcile.creation import PERSON_IN, decide_ghl_only
from sync_daemon.reconcile.decision import Context, Decision, Needs, Notice
from sync_daemon.reconcile.orphans import consent_before, delete
from sync_daemon.reconcile.pairs import decide_pair
from sync_daemon.reconcile.reads import read_by_id
from sync_daemon.reconcile.scope import in_scope
from sync_daemon.reconcile.side_consent import consent_now, newly_revoked

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
DELETION = MassChange.DELETION
UNPROVEN = {
    system: f"missing in {system.label}'s full scan, not looked up by id: the guard's limit for deletions is passed"
    for system in SystemName
}
"""Why a deletion is held that nobody has proven."""


class Effect(StrEnum):
    """What is done about a deletion; the words of tombstones."""

    UNSUBSCRIBE = "unsubscribe"
    DELETE = "delete"
    SUPPRESS = "suppress"
    RECREATE = "recreate"
    RELINK = "relink"
    KEPT = "kept"
    """Another location of the list has the address."""
    NOTHING = "nothing"


_IN_GHL = {
    DeletedInGhl.UNSUBSCRIBE: Effect.UNSUBSCRIBE,
    DeletedInGhl.DELETE: Effect.DELETE,
    DeletedInGhl.IGNORE: Effect.NOTHING,
}
_IN_EMAILOCTOPUS = {
    DeletedInEmailOctopus.SUPPRESS: Effect.SUPPRESS,
    DeletedInEmailOctopus.RECREATE: Effect.RECREATE,
    DeletedInEmailOctopus.IGNORE: Effect.NOTHING,
}


def effect_of(deleted_in: AbstractSet[SystemName], rule: DeleteRule, *, inside: bool) -> Effect:
    """The delete policy's answer. Nothing is done where both are gone, or to a contact that is out of scope."""
    if len(deleted_in) > 1 or not inside:
        return Effect.NOTHING
    return _IN_GHL[rule.in_ghl] if GHL in deleted_in else _IN_EMAILOCTOPUS[rule.in_emailoctopus]


def decide_deletion(case: Case, context: Context) -> Decision | Needs:
    """What becomes of a link whose contacts in `case.gone` are deleted: whoever has the address now takes it over.

    Raises ValueError without a link.
    """
    if case.link is None:
        raise ValueError("only a link's contacts are buried")
    gone = {side.system for side in case.gone}
    survivor = next((side for side in case.both() if side.system not in gone), None)
    if survivor is None:
        return _buried(case, case.link, context, Effect.NOTHING)
    namesakes = case.duplicates if survivor.system is EMAILOCTOPUS else ()
    unread = frozenset((side.system, side.contact_id) for side in (survivor, *namesakes) if not read_by_id(side))
    if unread or survivor.snapshot is None:
        return Needs(unread)
    heir = namesakes[0] if namesakes else (case.found.heir if case.found else None)
    if heir is not None:
        return _inherited(case, case.link, heir, context)
    address = survivor.snapshot.address
    if case.found is None and address is not None:
        return Needs(frozenset(), frozenset({(survivor.system.other, address)}))
    if case.found is not None and case.found.claimed:
        return _buried(case, case.link, context, Effect.NOTHING, survivor)
    discarded = any(entry.action == DELETION and entry.discarded for entry in case.held)
    # An undo that was cut off deleted it: nobody wanted anything done to the one that is left.
    asks = not discarded and not any(map(_is_ours, case.gone))
    effect = effect_of(gone, context.policy.deletes, inside=_inside(case, case.link, context) and asks)
    if survivor.system is EMAILOCTOPUS and asks and case.others.at_another_location is not None:
        effect = Effect.KEPT
    if effect is Effect.RECREATE:
        return _recreated(case, case.link, context)
    return _buried(case, case.link, context, effect, survivor)


def healed(case: Case) -> tuple[Held, ...]:
    """Held deletions of a link whose contacts a read by id found there: they leave the queue."""
    if case.ghl is None or case.emailoctopus is None or not all(map(read_by_id, case.both())):
        return ()
    return tuple(entry for entry in case.held if entry.action == DELETION)


def _inside(case: Case, link: Link, context: Context) -> bool:
    snapshot = case.both()[0].snapshot
    return link.in_scope and (snapshot is None or in_scope(context.policy.scope, snapshot))


def _buried(case: Case, link: Link, context: Context, effect: Effect, survivor: CaseSide | None = None) -> Decision:
    """The end of a link, with what the delete policy does to the contact that is left."""
    operations = _operations(case, context, effect, survivor) if survivor else ()
    return Decision(
        case,
        operations,
        frozenset({"consent"}),
        dissolves=link,
        unparks=tuple(case.parked.values()),
        unholds=case.held,
        remember=_cause(case, link, operations, survivor),
        notices=(_notice(case, effect),),
        tombstone=_tombstone(case, link, context, effect if operations or effect is Effect.KEPT else Effect.NOTHING),
    )


def _inherited(case: Case, link: Link, heir: CaseSide, context: Context) -> Decision | Needs:
    """The contact that has the address now takes the link over; the two meet anew, the stricter consent counts."""
    ghl = heir.system is GHL
    revoked = any(consent_now(side) is Consent.REVOKED for side in case.gone) and link.cause is not Cause.POLICY
    inherits = replace(
        case,
        link=None,
        former=replace(link, dnd_by_us=link.dnd_by_us and not ghl),  # nobody knows who blocked the other contact
        ghl=heir if ghl else case.ghl,
        emailoctopus=case.emailoctopus if ghl else heir,
        duplicates=tuple(side for side in case.duplicates if side.contact_id != heir.contact_id),
        namesakes=tuple(one for one in case.namesakes if one.contact_id != heir.contact_id),
        enters_revoked=revoked or case.enters_revoked,
    )
    answer = decide_pair(inherits, context)
    if isinstance(answer, Needs):
        return answer
    return _entombed(answer, case, link, context, Effect.RELINK)


def _recreated(case: Case, link: Link, context: Context) -> Decision | Needs:
    """The GHL contact as if it had never had an EmailOctopus contact; one never confirmed has yet to be."""
    ghl, there = case.both()
    cause = _cause(case, link, (), ghl)
    remembered = case.remembered if case.remembered and case.remembered.by_person else cause
    alone = replace(case, link=None, emailoctopus=None, former=link, parked={}, remembered=remembered)
    answer = decide_ghl_only(alone, context)
    if isinstance(answer, Needs):
        return answer
    pending = there.known.consent is Consent.PENDING
    operations = tuple(
        replace(op, sets=replace(op.sets, consent=Consent.PENDING))
        if pending and isinstance(op.sets, NotRevoked)
        else op
        for op in answer.operations
    )
    done = Effect.RECREATE if any(op.action is Action.CREATE for op in operations) else Effect.NOTHING
    answer = replace(answer, operations=operations, remember=answer.remember or (None if answer.regrant else cause))
    return _entombed(answer, case, link, context, done)


def _entombed(answer: Decision, case: Case, link: Link, context: Context, effect: Effect) -> Decision:
    return replace(
        answer,
        dissolves=link,
        unparks=tuple(case.parked.values()),
        unholds=case.held,
        notices=(*answer.notices, _notice(case, effect)),
        tombstone=_tombstone(case, link, context, effect),
    )


def _operations(case: Case, context: Context, effect: Effect, survivor: CaseSide) -> tuple[Operation, ...]:
    ghl, there = case.both()
    ids = (ghl.contact_id, there.contact_id)
    # A revocation that was about to be written when the process died is this rule's own: it is done again.
    revoked = consent_now(survivor) is Consent.REVOKED and not was_being_revoked(survivor)
    if effect is Effect.DELETE:
        return (delete(ghl.contact_id, survivor.contact_id, "deleted in GoHighLevel; deletes.in_ghl: delete"),)
    revoke = set_dnd if survivor.system is GHL else unsubscribe
    # What EmailOctopus did concerns one list: GHL isn't blocked while another list has the person.
    revoked = revoked or (survivor.system is GHL and _of_list(case))
    if reason := _persons_revocation(case, survivor):
        operations = () if revoked else (revoke(*ids, reason),)
        return (*operations, *(_marks(ids, survivor, context) if effect is Effect.SUPPRESS else ()))
    match effect:
        case Effect.UNSUBSCRIBE if not revoked:
            reason = "deleted in GoHighLevel; deletes.in_ghl: unsubscribe"
            return (replace(unsubscribe(*ids, reason), policy=DELETION),)
        case Effect.SUPPRESS:
            block = replace(set_dnd(*ids, _SUPPRESSED), policy=DELETION)
            return (*(() if revoked else (block,)), *_marks(ids, survivor, context))
        case _:
            return ()


def _persons_revocation(case: Case, survivor: CaseSide) -> str | None:
    """What revokes whoever is left, by whatever policy: the last that was seen of who is gone, or of the address."""
    if any(map(_by_person, case.gone)):
        return f"revoked in {survivor.system.other.label}, then deleted there"
    return "the address is revoked" if case.remembered is not None and case.remembered.by_person else None


def _of_list(case: Case) -> bool:
    """Whether it is this list alone that lost the person, and no one revoked in GHL."""
    return case.others.subscribed_elsewhere is not None and case.remembered is not Cause.PERSON_GHL


_SUPPRESSED = "deleted in EmailOctopus; deletes.in_emailoctopus: suppress"


def _marks(ids: tuple[str, str], survivor: CaseSide, context: Context) -> tuple[Operation, ...]:
    """The tag that marks in GHL whom EmailOctopus deleted, unless it is there."""
    tag = context.policy.deletes.tag
    if survivor.snapshot is not None and fold(tag) in map(fold, survivor.snapshot.tags):
        return ()
    return (Operation(GHL, Action.ADD_TAGS, *ids, _SUPPRESSED, tags=(tag,), parts=("tags",), policy=DELETION),)


def _cause(case: Case, link: Link, operations: tuple[Operation, ...], survivor: CaseSide | None) -> Cause | None:
    """Who revoked, for ever with the address; None where it isn't revoked."""
    ends = (survivor, *case.gone) if survivor else case.gone
    revoked = any(op.revokes for op in operations) or any(consent_now(side) is Consent.REVOKED for side in ends)
    if not revoked:
        return None
    for cause in (link.cause, case.remembered):
        if cause is not None and cause.by_person:
            return cause
    person = next(filter(_by_person, ends), None)
    return Cause.POLICY if person is None else PERSON_IN[person.system]


def _by_person(side: CaseSide) -> bool:
    """Whether a revocation is there that nobody has carried to the other side yet."""
    return newly_revoked(side) and not was_being_revoked(side)


def _notice(case: Case, effect: Effect) -> Notice:
    where = " and ".join(side.system.label for side in case.gone)
    claimed = effect is Effect.RELINK or (case.found is not None and case.found.claimed)
    why = ", where another contact has the address now" if claimed else ""
    if effect is Effect.KEPT:
        why = f", and the location of pair {case.others.at_another_location} has the address"
    return Notice("deletion", f"deleted in {where}{why}: {effect}")


def _tombstone(case: Case, link: Link, context: Context, effect: Effect) -> Tombstone:
    """Consent and address as they were when the two last agreed."""
    sides = [side for side in (case.ghl, case.emailoctopus) if side is not None]
    known = [side.known for side in sides]
    agreed = {row.baseline.consent for row in known if row.baseline is not None} | {*map(consent_before, sides)}
    consent = next((one for one in (Consent.REVOKED, Consent.PENDING, Consent.GRANTED) if one in agreed), None)
    address = next((row.address for row in known if row.address is not None), None)
    # What the delete policy of a run that was cut off deleted is gone by GoHighLevel's doing.
    ours = any(map(_is_ours, case.gone))
    deleted_in, done = (GHL, Effect.DELETE) if ours else (case.gone[0].system, effect)
    return Tombstone(link.ghl_id, link.emailoctopus_id, deleted_in, context.now, str(done), consent, address)


def _is_ours(side: CaseSide) -> bool:
    """Whether this program was about to delete a contact when it was cut off."""
    return side.known.sent is not None and side.known.sent.deletion
