"""The consent of one case: what both sides and the address's duplicates say, and the writes that follow."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sync_daemon.changes.cases import Case, CaseSide
from sync_daemon.model.contact import Consent
from sync_daemon.model.grants import ConsentHistory, LiftedInGhl, OptedInAgain
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.policy import OnLeaveScope, PairPolicy
from sync_daemon.model.state import Baseline, Cause, Sent, Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.consent import ConsentDecision, ConsentSide, decide_consent
from sync_daemon.reconcile.decision import Context
from sync_daemon.reconcile.reads import unread
from sync_daemon.reconcile.scope import in_scope
from sync_daemon.reconcile.shared_consent import joined, joined_decision, joined_history, joined_policy
from sync_daemon.reconcile.side_consent import consent_now, newly_revoked

REVOKED = Consent.REVOKED


@dataclass(frozen=True, slots=True)
class CaseConsent:
    """The decision, and whether the address ends up revoked by a person.

    A step toward consent has no operation before both contacts were read by id.
    """

    decision: ConsentDecision
    revoked: bool
    operations: tuple[Operation, ...]


def was_being_revoked(side: CaseSide) -> bool:
    """Whether a revocation that is there now was about to be written when the process died.

    A contact that changed later than that may have been revoked by a person: then it counts as a person's.
    """
    sent = side.known.sent or Sent()
    updated_at = side.snapshot.updated_at if side.snapshot is not None else side.known.updated_at
    return consent_now(side) is REVOKED and sent.consent is REVOKED and sent.explains(updated_at)


def stays_revoked(case: Case) -> bool:
    """Whether a person's revocation of the address of contacts without a link holds.

    It is taken back where it was made alone, by a contact that was seen revoked there; whoever is asked to confirm
    isn't mailed before.
    """
    if case.remembered is None or not case.remembered.by_person:
        return False
    in_ghl = case.remembered is Cause.PERSON_GHL
    sides = (case.ghl, *case.duplicates) if in_ghl else (case.emailoctopus,)
    return not any(side is not None and _takes_back(side) for side in sides)


def _takes_back(side: CaseSide) -> bool:
    agreed, now = side.known.baseline.consent if side.known.baseline else None, consent_now(side)
    return now is Consent.PENDING or (now is Consent.GRANTED and agreed in (REVOKED, Consent.PENDING))


def _is_half_revoked(ghl: CaseSide, emailoctopus: CaseSide) -> bool:
    """Whether both were to be revoked, as a namesake's block asks for, and one of them alone was."""
    intended = all((side.known.sent or Sent()).consent is REVOKED for side in (ghl, emailoctopus))
    return intended and (consent_now(ghl) is REVOKED) != (consent_now(emailoctopus) is REVOKED)


def _was_revoked_alone(case: Case) -> bool:
    """Whether the process died when it had revoked on this list alone what is remembered of the address there."""
    ghl, emailoctopus = case.both()
    remembered = case.remembered is Cause.PERSON_EMAILOCTOPUS and bool(case.others.lists)
    return remembered and was_being_revoked(emailoctopus) and consent_now(ghl) is not REVOKED


def case_consent(case: Case, context: Context, *, first: bool) -> CaseConsent:
    """Decide the consent of a pair; `first` when the two meet for the first time or anew."""
    ghl, emailoctopus = case.both()
    one, other = (_side(side, first=first) for side in case.both())
    if not first:
        # The process died between a revocation and writing it down: both were revoked.
        other = replace(other, before=REVOKED) if was_being_revoked(ghl) else other
        carried = was_being_revoked(emailoctopus) and not _leaves_scope(case, context)
        one = replace(one, before=REVOKED) if carried else one
        # Or between a step toward consent and writing it down: both had granted it.
        other = replace(other, before=Consent.GRANTED) if _was_being_freed(ghl) else other
        one = replace(one, before=Consent.GRANTED) if _was_being_freed(emailoctopus) else one
        if _is_half_revoked(ghl, emailoctopus) or _was_revoked_alone(case):
            one, other = (replace(side, before=Consent.GRANTED) for side in (one, other))
    if any(newly_revoked(side) for side in case.duplicates) or _comes_revoked(case):
        # A block that is new, whatever the contact itself said before, and nobody's to lift.
        one = replace(one, before=one.before and Consent.GRANTED, now=REVOKED, permanent=True)
    one, other = joined(case, one, other)
    history = joined_history(case, one, _history(case, one))
    policy = joined_policy(case, context.policy)
    decision = decide_consent(one, other, history, policy.resubscribe, double_opt_in=policy.double_opt_in)
    ends_revoked = REVOKED in (decision.ghl, decision.emailoctopus) or (
        one.now is REVOKED and consent_now(emailoctopus) is REVOKED and decision.ghl is None
    )
    revoked = ends_revoked and decision.cause is not None and decision.cause.by_person
    decision = joined_decision(case, one, decision, revoked=revoked)
    step = _step_up(case, decision, one, history, policy) if decision.step_up else None
    carried = revoked and not decision.alone
    operations = (step,) if step else tuple(_revocations(case, ghl, emailoctopus, decision, revoked=carried))
    half = was_being_revoked(ghl) and _is_half_revoked(ghl, emailoctopus)
    return CaseConsent(_own_block(case, decision, operations, half=half), revoked, operations)


def block_duplicates(case: Case, emailoctopus_id: str | None, reason: str) -> Iterator[Operation]:
    """E-mail DND for every other GHL contact with the address, once: the only thing ever written to one."""
    for side in case.duplicates:
        agreed = side.known.baseline.consent if side.known.baseline else None
        if consent_now(side) is not REVOKED and agreed is not REVOKED:
            yield set_dnd(side.contact_id, emailoctopus_id, reason)


def set_dnd(ghl_id: str | None, emailoctopus_id: str | None, reason: str) -> Operation:
    """E-mail DND for one GHL contact."""
    return Operation(
        SystemName.GHL, Action.SET_DND, ghl_id, emailoctopus_id, reason, sets=Consent.REVOKED, parts=("consent",)
    )


def unsubscribe(ghl_id: str | None, emailoctopus_id: str | None, reason: str) -> Operation:
    """The end of one EmailOctopus contact's subscription."""
    return Operation(
        SystemName.EMAILOCTOPUS,
        Action.SET_STATUS,
        ghl_id,
        emailoctopus_id,
        reason,
        sets=Consent.REVOKED,
        parts=("consent",),
    )


def unsubscribe_namesakes(case: Case) -> Iterator[Operation]:
    """The end of the subscription of each EmailOctopus contact with the address that no link can have now."""
    for known in case.namesakes:
        if known.consent is not REVOKED:
            yield unsubscribe(None, known.contact_id, "the address is revoked in GoHighLevel")


def _step_up(
    case: Case, decision: ConsentDecision, one: ConsentSide, history: ConsentHistory, policy: PairPolicy
) -> Operation | None:
    """The step toward consent that was decided; None before both contacts were read by id."""
    ghl, emailoctopus = case.both()
    # survives: `unread` asks for both; that neither is None is said for the type checker.
    if ghl.snapshot is None or emailoctopus.snapshot is None or unread(case):
        return None
    ids, parts = (ghl.contact_id, emailoctopus.contact_id), ("consent",)
    if decision.ghl is not None:
        again = OptedInAgain(ghl=ghl.snapshot, emailoctopus=emailoctopus.snapshot, history=history)
        return Operation(SystemName.GHL, Action.LIFT_DND, *ids, decision.reason, sets=again, parts=parts)
    lifted = LiftedInGhl(
        ghl=ghl.snapshot,
        emailoctopus=emailoctopus.snapshot,
        agreed=one.before,
        history=history,
        resubscribe=policy.resubscribe,
        double_opt_in=policy.double_opt_in,
        unconfirmed=_is_unconfirmed(emailoctopus),
    )
    return Operation(SystemName.EMAILOCTOPUS, Action.SET_STATUS, *ids, decision.reason, sets=lifted, parts=parts)


def _revocations(
    case: Case, ghl: CaseSide, emailoctopus: CaseSide, decision: ConsentDecision, *, revoked: bool
) -> Iterator[Operation]:
    ids = (ghl.contact_id, emailoctopus.contact_id)
    if decision.emailoctopus is REVOKED and consent_now(emailoctopus) is not REVOKED:
        yield unsubscribe(*ids, decision.reason)
    elif emailoctopus.snapshot is None and any(map(_is_newly_blocked, (ghl, *case.duplicates))):
        yield unsubscribe(*ids, "e-mail DND in GHL: revoked wins")  # polls may be blind to who subscribed meanwhile
    if revoked and consent_now(ghl) is not REVOKED:
        yield set_dnd(*ids, decision.reason)
    if revoked:
        yield from block_duplicates(case, emailoctopus.contact_id, "the address is revoked")
    if revoked and any(newly_revoked(side) for side in (ghl, *case.duplicates)):
        yield from unsubscribe_namesakes(case)
    if revoked and newly_revoked(emailoctopus):
        others = (one for one in case.additional_holders if one.consent is not REVOKED)
        yield from (set_dnd(one.contact_id, emailoctopus.contact_id, "the address is revoked") for one in others)


def _is_newly_blocked(side: CaseSide) -> bool:
    """Whether somebody else than this program blocked a contact since its consent was agreed."""
    return newly_revoked(side) and not was_being_revoked(side)


def _own_block(
    case: Case, decision: ConsentDecision, operations: tuple[Operation, ...], *, half: bool
) -> ConsentDecision:
    """A DND that this decision sets, or set when `half` of it was done, is this program's own: a namesake's too.

    What a person had blocked in GHL is his block still where two contacts without a past are given it again.
    """
    ghl, _ = case.both()
    sets = any(op.action is Action.SET_DND and op.ghl_id == ghl.contact_id for op in operations)
    his = case.link is None and case.former is None and case.remembered is Cause.PERSON_GHL
    return replace(decision, dnd_by_us=True) if (sets or half) and not his else decision


def _side(side: CaseSide, *, first: bool) -> ConsentSide:
    now = consent_now(side)
    agreed = None if first else (side.known.baseline or Baseline()).consent
    sent = (side.known.sent or Sent()).consent
    ours = agreed is not None and (was_being_revoked(side) or _was_being_freed(side))
    permanent = side.snapshot.permanent if side.snapshot else False
    return ConsentSide(sent if ours else agreed, now, permanent, _is_unconfirmed(side))


def _is_unconfirmed(side: CaseSide) -> bool:
    return side.known.baseline is not None and side.known.baseline.unconfirmed


def _history(case: Case, one: ConsentSide) -> ConsentHistory:
    ghl, emailoctopus = case.both()
    link = case.link or case.former
    if one.now is REVOKED and was_being_revoked(ghl):
        return ConsentHistory((link.cause if link else None) or Cause.PERSON_EMAILOCTOPUS, dnd_by_us=True)
    if one.now is REVOKED and _was_being_created_blocked(case):
        return ConsentHistory(Cause.PERSON_EMAILOCTOPUS, dnd_by_us=True)
    remembered = case.remembered or _policy_of_orphan(emailoctopus)
    if link is None and _opted_out_since(case):
        remembered = Cause.PERSON_EMAILOCTOPUS
    if link is None and blocked_by_policy(case, ghl):
        return ConsentHistory(remembered, dnd_by_us=True)
    if was_being_revoked(emailoctopus) and one.now is not REVOKED:
        remembered = remembered or Cause.POLICY
    if link is None:
        return ConsentHistory(remembered)
    causes = [one for one in (link.cause, remembered) if one is not None]
    cause = next((one for one in causes if one.by_person), causes[0] if causes else None)
    return ConsentHistory(cause, link.dnd_by_us, link.consent_held)


def _opted_out_since(case: Case) -> bool:
    """Whether a new EmailOctopus contact is revoked whose address the delete policy alone had blocked, in GHL."""
    ghl, emailoctopus = case.both()
    blocked = any(blocked_by_policy(case, side) for side in (ghl, *case.duplicates))
    return blocked and newly_revoked(emailoctopus) and not was_being_revoked(emailoctopus)


def _leaves_scope(case: Case, context: Context) -> bool:
    """Whether the link leaves the scope now: what was revoked for that is no person's revocation, carried."""
    link, snapshot = case.link, case.both()[0].snapshot
    if link is None or not link.in_scope or snapshot is None:
        return False
    revokes = context.policy.on_leave_scope is OnLeaveScope.UNSUBSCRIBE
    return revokes and not in_scope(context.policy.scope, snapshot)


def _was_being_created_blocked(case: Case) -> bool:
    """Whether a contact that nobody knows yet is the one that was about to be created, blocked, for somebody revoked.

    One that changed before or after that may be blocked by a person.
    """
    ghl, emailoctopus = case.both()
    sent = emailoctopus.known.sent or Sent()
    if not sent.creation or case.link is not None or ghl.known.baseline is not None or ghl.snapshot is None:
        return False
    return sent.made(ghl.snapshot.updated_at)


def _was_being_freed(side: CaseSide) -> bool:
    """Whether a step toward consent, of which nobody knows what became, was taken, if only to be revoked again.

    A contact that is revoked and unchanged since then shows that it wasn't.
    """
    sent, now = side.known.sent or Sent(), consent_now(side)
    if sent.consent not in (Consent.GRANTED, Consent.PENDING):
        return False
    changed = sent.at is None or (side.snapshot is not None and side.snapshot.updated_at > sent.at)
    return now is sent.consent or (now is REVOKED and changed)


def _policy_of_orphan(side: CaseSide) -> Cause | None:
    """What revoked a contact that had lost its link, where no person is remembered: the delete policy."""
    if side.known.unlinked is not Unlinked.ORPHAN or newly_revoked(side) or consent_now(side) is not REVOKED:
        return None
    return Cause.POLICY


def blocked_by_policy(case: Case, side: CaseSide) -> bool:
    """Whether the delete policy blocked a GHL contact without a link, and nobody else since."""
    orphan = side.known.unlinked is Unlinked.ORPHAN and case.remembered is Cause.POLICY
    return orphan and consent_now(side) is REVOKED and not newly_revoked(side)


def _comes_revoked(case: Case) -> bool:
    """Whether a revocation comes with the address, though neither contact shows one."""
    strangers = (
        case.link is None and case.former is None and all(consent_now(one) is not REVOKED for one in case.both())
    )
    return _came_revoked(case) or case.enters_revoked or (strangers and stays_revoked(case))


def _came_revoked(case: Case) -> bool:
    """Whether the link moved here from an address that a person revoked: the stricter consent of both counts.

    A revocation that the move itself was about to write when the process died isn't one that came along.
    """
    left = case.left_behind
    by_policy = case.former is not None and case.former.cause is Cause.POLICY
    return left is not None and consent_now(left) is REVOKED and not was_being_revoked(left) and not by_policy
