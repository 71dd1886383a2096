"""Decide a contact that only one system has: create it on the other side, or say why not (contract, 3 and 4)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Literal

from sync_daemon.changes.addresses import is_valid
from sync_daemon.changes.cases import Case, CaseSide
from sync_daemon.changes.tagbook import fold
from sync_daemon.model.contact import Consent, Snapshot, Value
from sync_daemon.model.grants import Mailable, NotRevoked
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.policy import Resubscribe
from sync_daemon.model.state import NEVER, Cause, Link, Sent, Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.consents import (
    block_duplicates,
    blocked_by_policy,
    set_dnd,
    stays_revoked,
    unsubscribe,
    unsubscribe_namesakes,
)
from sync_daemon.reconcile.conversion import NotConvertible, convert
from sync_daemon.reconcile.decision import (
    Context,
    Decision,
    Needs,
    Notice,
    ToPark,
    operations_digest,
    ordered_drop,
    part_waits,
)
from sync_daemon.reconcile.orphans import deletion_waits, orphan_operations
from sync_daemon.reconcile.reads import reads_needed, seems_freed, unread_steps
from sync_daemon.reconcile.scope import in_scope, satisfies
from sync_daemon.reconcile.side_consent import consent_now, newly_revoked

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
REVOKED = Consent.REVOKED
_TYPE_OF_NEW = "lead"
"""The type that GHL gives a contact which is created without one (observed)."""
PERSON_IN = {GHL: Cause.PERSON_GHL, EMAILOCTOPUS: Cause.PERSON_EMAILOCTOPUS}
"""Whose revocation it is when a contact of a system turns out to be revoked."""


def decide_ghl_only(case: Case, context: Context) -> Decision | Needs:
    """A GHL contact without an EmailOctopus contact."""
    needed = reads_needed(case, context)
    side = case.ghl
    if needed or side is None or side.snapshot is None:
        return Needs(needed)
    everybody = (side, *case.duplicates)
    if unread := unread_steps(everybody):
        return Needs(unread)
    blocked = any(consent_now(one) is REVOKED for one in everybody)
    lifted = case.remembered is Cause.PERSON_GHL and not blocked and any(map(seems_freed, everybody))
    own = case.remembered is not None and case.remembered.by_person and not lifted
    remembered = own or case.others.revoked_elsewhere
    by_person = any(consent_now(one) is REVOKED and not blocked_by_policy(case, one) for one in everybody)
    status = _status_again(context) if case.remembered is Cause.POLICY else context.policy.new_status
    of_list = case.others.subscribed_elsewhere is not None and not (own and case.remembered is Cause.PERSON_GHL)
    carried = (remembered and not of_list) or (by_person and _anybody_new(case, side))
    blocks = tuple(_block_all(case, side)) if carried else ()
    revoked = remembered or blocked or status is None
    deleted = any(_stays_deleted(one, context) for one in everybody)
    why_not = Unlinked.ORPHAN if deleted else _why_not_in_emailoctopus(side.snapshot, context, revoked=revoked)
    why_not = why_not or _discarded(side, context)
    if why_not is not None:
        decision = Decision(case, blocks, frozenset({"consent"}), unlinked=why_not, unparks=tuple(case.parked.values()))
    else:
        unrevoked = None if revoked or status is None else _not_revoked(case, side.snapshot, status, context)
        create, to_park = _creation(EMAILOCTOPUS, side, side.snapshot, context, unrevoked or Consent.REVOKED)
        decision = _create_or_wait(case, create, blocks, to_park, context)
    regrant = lifted or (case.remembered is Cause.POLICY and not revoked and why_not is None)
    return replace(decision, remember=Cause.PERSON_GHL if by_person and not remembered else None, regrant=regrant)


def _not_revoked(case: Case, ghl: Snapshot, status: Mailable, context: Context) -> NotRevoked:
    """What lets a contact be created in EmailOctopus with a status."""
    everybody = tuple(case.sides())
    return NotRevoked(
        consent=status,
        ghl=ghl,
        others=(*map(consent_now, everybody), *([REVOKED] if case.others.revoked_elsewhere else ())),
        remembered=case.remembered,
        resubscribe=context.policy.resubscribe,
        double_opt_in=context.policy.double_opt_in,
        lifted=next((one.snapshot for one in everybody if seems_freed(one)), None),
    )


def decide_emailoctopus_only(case: Case, context: Context) -> Decision | Needs:
    """An EmailOctopus contact without a GHL contact."""
    needed = reads_needed(case, context)
    side = case.emailoctopus
    if needed or side is None or side.snapshot is None:
        return Needs(needed)
    revoked = consent_now(side) is REVOKED
    if case.additional_holders:
        return Decision(
            case,
            tuple(_block_additional(case, side)),
            frozenset({"consent"}),
            unlinked=Unlinked.ADDITIONAL_ADDRESS,
            unparks=tuple(case.parked.values()),
        )
    remembered = stays_revoked(case)
    remember = Cause.PERSON_EMAILOCTOPUS if revoked and _by_person(side) and not remembered else None
    granted, in_emailoctopus = consent_now(side) is Consent.GRANTED, case.remembered is Cause.PERSON_EMAILOCTOPUS
    regrant = granted and not remembered and (_opted_in_again(side) or in_emailoctopus)
    if side.known.unlinked is Unlinked.KEPT:
        return replace(_decide_kept(case, side, context), remember=remember, regrant=regrant)
    if remembered and granted and not _met(side):
        return Decision(
            case,
            (unsubscribe(None, side.contact_id, "the address is revoked"),),
            frozenset({"consent"}),
            unlinked=Unlinked.SUPPRESSED,
            unparks=tuple(case.parked.values()),
        )
    why_not = _why_not_in_ghl(case, side, side.snapshot, context, revoked=revoked or remembered)
    why_not = why_not or _discarded(side, context)
    if why_not is not None:
        waits = why_not is Unlinked.ORPHAN and deletion_waits(case)
        return Decision(
            case,
            orphan_operations(side, context) if waits else (),
            settles=frozenset({"consent"}),
            orphan=side.contact_id if waits else None,
            unlinked=why_not,
            unparks=tuple(case.parked.values()),
            remember=remember,
            regrant=regrant,
        )
    create, to_park = _creation(GHL, side, side.snapshot, context, Consent.REVOKED if revoked or remembered else None)
    decision = _create_or_wait(case, create, (), to_park, context)
    return replace(decision, remember=remember, regrant=regrant)


def _decide_kept(case: Case, side: CaseSide, context: Context) -> Decision:
    """An EmailOctopus contact whose GHL contact was deleted: the delete policy waits while another location has it."""
    kept = case.others.at_another_location is not None
    return Decision(
        case,
        () if kept else orphan_operations(side, context),
        frozenset({"consent"}),
        orphan=None if kept else side.contact_id,
        unlinked=Unlinked.KEPT if kept else Unlinked.ORPHAN,
        unparks=tuple(case.parked.values()),
    )


def decide_blocked(case: Case, link: Link, context: Context) -> Decision | Needs:
    """The contact this one belongs to has another link: nothing but revocations until that is decided."""
    needed = reads_needed(case, context)
    side = case.ghl or case.emailoctopus
    if needed or side is None:
        return Needs(needed)
    return Decision(
        case,
        tuple(_revocations_of_blocked(case, side)),
        frozenset({"consent"}),
        unlinked=Unlinked.ORPHAN if side.known.unlinked is Unlinked.ORPHAN else Unlinked.HELD,
        duplicate_of=link.ghl_id,
        unparks=tuple(case.parked.values()),
        remember=PERSON_IN[side.system] if any(map(newly_revoked, (side, *case.duplicates))) else None,
    )


def revocations_of_one(case: Case) -> tuple[Operation, ...]:
    """What the revocation of an address asks of others, where its contact isn't one of a pair or can't be linked."""
    side = case.ghl or case.emailoctopus
    if side is None:
        return ()
    if case.blocked_by is not None:
        return tuple(_revocations_of_blocked(case, side))
    return tuple(_block_additional(case, side)) if side is case.emailoctopus else ()


def _revocations_of_blocked(case: Case, side: CaseSide) -> Iterator[Operation]:
    """What a revocation of the address asks for: of the contact itself, and of those it can't be linked to."""
    of_list = case.others.subscribed_elsewhere is not None  # what this list alone revokes
    ghl = (case.ghl, *case.duplicates) if case.ghl is not None else case.duplicates
    if any(map(newly_revoked, (side, *case.duplicates))):
        if of_list and not any(map(newly_revoked, ghl)):
            return
        if consent_now(side) is not REVOKED:
            yield set_dnd(side.contact_id, None, "the address is revoked")
        yield from block_duplicates(case, None, "the address is revoked")
        yield from _block_holders(case, side, "the address is unsubscribed in EmailOctopus")
        yield from unsubscribe_namesakes(case)
    elif case.remembered is not None and case.remembered.by_person and not _met(side):
        if of_list and side is case.ghl and case.remembered is Cause.PERSON_EMAILOCTOPUS:
            return
        reason = "the address is revoked"
        yield set_dnd(side.contact_id, None, reason) if side is case.ghl else unsubscribe(None, side.contact_id, reason)


def _why_not_in_emailoctopus(snapshot: Snapshot, context: Context, *, revoked: bool) -> Unlinked | None:
    if snapshot.address is None:
        return Unlinked.NO_EMAIL
    if not is_valid(snapshot.address):
        return Unlinked.INVALID_EMAIL
    if not in_scope(context.policy.scope, snapshot):
        return Unlinked.OUT_OF_SCOPE
    if revoked and not context.policy.create_suppressed:
        return Unlinked.SUPPRESSED
    return None if context.policy.create_in_emailoctopus else Unlinked.CREATION_OFF


def _status_again(context: Context) -> Mailable | None:
    """The status in EmailOctopus of an address that a policy revoked there and that GHL alone has now; None: none."""
    policy = context.policy
    if policy.resubscribe is Resubscribe.ALLOW:
        return policy.new_status
    return Consent.PENDING if policy.resubscribe is Resubscribe.PENDING and policy.double_opt_in else None


def _stays_deleted(side: CaseSide, context: Context) -> bool:
    """Whether EmailOctopus deleted a contact that isn't created there again.

    Only somebody who lifts the block asks for it, where that is policy.
    """
    asked = seems_freed(side) and _status_again(context) is not None
    return side.known.unlinked is Unlinked.ORPHAN and not asked


def _why_not_in_ghl(
    case: Case, side: CaseSide, snapshot: Snapshot, context: Context, *, revoked: bool
) -> Unlinked | None:
    policy = context.policy
    if snapshot.address is None:
        return Unlinked.NO_EMAIL
    if not is_valid(snapshot.address):
        return Unlinked.INVALID_EMAIL
    if side.known.unlinked is Unlinked.ORPHAN and not _opted_in_again(side):
        return Unlinked.ORPHAN
    if any(one.link is not None for one in case.others.locations):
        return Unlinked.ELSEWHERE
    if consent_now(side) is Consent.PENDING:
        return Unlinked.PENDING
    if revoked and (not policy.create_suppressed or case.others.subscribed_elsewhere is not None):
        return Unlinked.SUPPRESSED
    fields, _ = _converted(GHL, snapshot, context)
    if not satisfies(policy.scope, _tags_for(GHL, snapshot, context), fields, _TYPE_OF_NEW):
        return Unlinked.OUT_OF_SCOPE
    return None if policy.create_in_ghl else Unlinked.CREATION_OFF


def _discarded(side: CaseSide, context: Context) -> Unlinked | None:
    """Whether a person decided that this contact isn't created on the other side, and it hasn't changed since."""
    same = side.snapshot is not None and context.detector.digester.snapshot(side.snapshot) == side.known.seen
    return Unlinked.DISCARDED if side.known.unlinked is Unlinked.DISCARDED and same else None


def _by_person(side: CaseSide) -> bool:
    """Whether a revocation is a person's: a contact that lost its link may have been revoked by the delete policy."""
    return side.known.unlinked is not Unlinked.ORPHAN or newly_revoked(side)


def _opted_in_again(side: CaseSide) -> bool:
    agreed = side.known.baseline.consent if side.known.baseline else None
    return agreed is REVOKED and consent_now(side) is Consent.GRANTED


def _creation(
    target: SystemName,
    side: CaseSide,
    snapshot: Snapshot,
    context: Context,
    sets: Literal[Consent.REVOKED] | NotRevoked | None,
) -> tuple[Operation, tuple[ToPark, ...]]:
    fields, to_park = _converted(target, snapshot, context)
    operation = Operation(
        target,
        Action.CREATE,
        side.contact_id if side.system is GHL else None,
        side.contact_id if side.system is EMAILOCTOPUS else None,
        f"only {side.system.label} has this contact" + (", unsubscribed" if sets is REVOKED else ""),
        fields=fields,
        address=snapshot.address,
        tags=_tags_for(target, snapshot, context),
        sets=sets,
        parts=("creation",),
        resend=(side.known.sent or Sent()).creation,
    )
    return operation, to_park


def _converted(
    target: SystemName, snapshot: Snapshot, context: Context
) -> tuple[Mapping[str, Value], tuple[ToPark, ...]]:
    """The mapped values that travel to the new contact, and those that have no form there."""
    values: dict[str, Value] = {}
    to_park: list[ToPark] = []
    for mapped in context.fields:
        rule = mapped.rule
        value = snapshot.fields.get(rule.name_in(snapshot.system))
        if value is None or rule.direction.leader is target:
            continue
        try:
            values[rule.name_in(target)] = convert(value, mapped.type_in(target), country=mapped.country)
        except NotConvertible:
            to_park.append(ToPark(rule.key, "not_convertible"))
    return values, tuple(to_park)


def _tags_for(target: SystemName, snapshot: Snapshot, context: Context) -> tuple[str, ...]:
    book = context.detector.tags
    names = {book.name_in(target, tag) for tag in context.detector.tags_now(snapshot).values()}
    if target is GHL:
        names.update(fold(name) for name in context.policy.scope.add_tags)
    return tuple(sorted(names))


def _create_or_wait(
    case: Case,
    create: Operation,
    blocks: tuple[Operation, ...],
    to_park: tuple[ToPark, ...],
    context: Context,
) -> Decision:
    digest = operations_digest((create,), "creation", context)
    dropped = ordered_drop(case, "creation")
    if dropped is not None and dropped.value is not None:  # else nothing but that it couldn't be read was parked
        return Decision(
            case,
            operations=blocks,
            settles=frozenset({"consent"}),
            unlinked=Unlinked.DROPPED,
            let_be=(replace(dropped, value=digest, next_try=NEVER),),
            notices=(Notice("creation", "dropped by a person's order: not created until the contact changes"),),
        )
    waits = part_waits(case, "creation", digest, context.now)
    return Decision(
        case,
        operations=blocks if waits else (*blocks, create),
        settles=frozenset({"consent"}),
        unlinked=_while_it_waits(case) if waits else None,
        to_park=() if waits else to_park,
        unparks=() if waits else tuple(case.parked.values()),
        unholds=case.held if waits and case.parked["creation"].let_be else (),  # what was given up needs no permission
        digests={"creation": digest},
    )


def _while_it_waits(case: Case) -> Unlinked:
    return Unlinked.DROPPED if case.parked["creation"].let_be else Unlinked.PARKED


def _anybody_new(case: Case, side: CaseSide) -> bool:
    """Whether somebody with the address was revoked since, or came to have it since."""
    return any(newly_revoked(one) or not _met(one) for one in (side, *case.duplicates))


def _met(side: CaseSide) -> bool:
    return side.known.baseline is not None and side.known.baseline.consent is not None


def _block_all(case: Case, side: CaseSide) -> list[Operation]:
    """E-mail DND for every GHL contact with a revoked address."""
    reason = "the address is revoked"
    own = [set_dnd(side.contact_id, None, reason)] if consent_now(side) is not REVOKED else []
    return [*own, *block_duplicates(case, None, reason)]


def _block_additional(case: Case, side: CaseSide) -> Iterator[Operation]:
    """E-mail DND for whoever has the address as an additional one: when it is revoked, and when he gets it revoked."""
    if newly_revoked(side) or (side.staged is not None and side.staged.revoked and consent_now(side) is REVOKED):
        yield from _block_holders(case, side, "an additional address of this contact is unsubscribed in EmailOctopus")


def _block_holders(case: Case, side: CaseSide, reason: str) -> Iterator[Operation]:
    for holder in case.additional_holders if case.others.subscribed_elsewhere is None else ():
        if holder.consent is not REVOKED:
            yield set_dnd(holder.contact_id, side.contact_id, reason)
