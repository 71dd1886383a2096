"""Decide a pair of contacts: linked, meeting for the first time, out of scope, or moved (contract, 2 to 5)."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import replace

from sync_daemon.changes.addresses import is_valid
from sync_daemon.changes.cases import Case, CaseSide, ContactKey
from sync_daemon.model.contact import Consent
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.policy import AddressChange, DeletedInGhl, OnLeaveScope, Resubscribe
from sync_daemon.model.state import Cause, Held, Link, Parked, Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.consents import CaseConsent, case_consent, consent_now, unsubscribe
from sync_daemon.reconcile.contents import Contents, content_operations, pair_contents
from sync_daemon.reconcile.decision import (
    Context,
    Decision,
    Needs,
    Notice,
    operations_digest,
    part_waits,
    revocations_of,
)
from sync_daemon.reconcile.fields import FieldConflict
from sync_daemon.reconcile.moves import Move, Step
from sync_daemon.reconcile.reads import meets, reads_needed, unread
from sync_daemon.reconcile.scope import in_scope

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
CHANGE_ADDRESS = "change_address"


def decide_pair(case: Case, context: Context, move: Move | None = None) -> Decision | Needs:
    """What is to be done about two contacts with (or about to get) a link."""
    needed = reads_needed(case, context) | _address_read(case, move)
    if needed:
        return Needs(needed)
    ghl, emailoctopus = _both(case)
    move = _usable(ghl, move)
    first = meets(case, context)
    link = case.link or Link(ghl.contact_id, emailoctopus.contact_id)
    inside = in_scope(context.policy.scope, ghl.snapshot) if ghl.snapshot else link.in_scope
    if not inside:
        nobody_again = replace(context, policy=replace(context.policy, resubscribe=Resubscribe.NEVER))
        return _outside(case, context, link, case_consent(case, nobody_again, first=first))
    consent = case_consent(case, context, first=first)
    if consent.decision.step_up and unread(case):
        return Needs(unread(case))
    contents = pair_contents(case, context, first=first)
    address = _address_operations(case, context, move)
    consent_digest = operations_digest(consent.operations, "consent", context)
    address_digest = operations_digest(address, "address", context)
    consent_waits = bool(consent.operations) and part_waits(case, "consent", consent_digest, context.now)
    address_waits = bool(address) and part_waits(case, "address", address_digest, context.now)
    settled = {*contents.settles, *(() if consent_waits else ("consent",))}
    settled.update(() if address_waits else _address_settles(case, context, move, first=first))
    operations = (
        *(() if consent_waits else consent.operations),
        *(() if address_waits else address),
        *_content(contents, link, context),
        *(orphan_operations(case.left_behind, context) if case.left_behind and case.orphans else ()),
    )
    after = _link_after(link, context, contents, move)
    return Decision(
        case=case,
        operations=_merge_address(operations),
        settles=frozenset(settled),
        link=after if consent_waits else _with_consent(after, consent),
        dissolves=case.former,
        orphan=case.left_behind.contact_id if case.left_behind and case.orphans else None,
        conflicts=(*contents.conflicts, *_address_conflicts(case, context, address)),
        to_park=tuple(contents.to_park),
        unparks=tuple(_unparked(case, context, contents, settled, move)),
        holds=_holds(case, context, move),
        unholds=_released(case, context, move),
        forget_fields=first,
        remember=consent.decision.cause if consent.revoked else None,
        regrant=_regrants(consent, ghl, emailoctopus),
        digests={**contents.digests, "consent": consent_digest, "address": address_digest},
        notices=_notices(link, move),
    )


def revocations_of_pair(case: Case, context: Context) -> Decision | None:
    """What narrows the consent of two contacts of which one can't be read, by what is known of it."""
    ghl, emailoctopus = _both(case)
    consent = case_consent(case, context, first=meets(case, context))
    digest = operations_digest(consent.operations, "consent", context)
    if part_waits(case, "consent", digest, context.now):
        return None
    return revocations_of(
        Decision(
            case,
            consent.operations,
            frozenset({"consent"}),
            link=_with_consent(case.link or Link(ghl.contact_id, emailoctopus.contact_id), consent),
            remember=consent.decision.cause if consent.revoked else None,
            digests={"consent": digest},
        )
    )


def decide_dissolution(case: Case, context: Context, move: Move) -> Decision | Needs:
    """The GHL contact's new address belongs to a link that stays: this link ends, the two contacts meet anew."""
    needed = reads_needed(case, context)
    if needed:
        return Needs(needed)
    _, emailoctopus = _both(case)
    return Decision(
        case=case,
        operations=orphan_operations(emailoctopus, context) if move.orphans else (),
        unholds=case.held,
        unparks=tuple(case.parked.values()),
        settles=frozenset({"consent"}),
        dissolves=case.link,
        orphan=emailoctopus.contact_id if move.orphans else None,
        notices=(Notice("address", f"the new address belongs to {move.duplicate_of}, whose duplicate this one is"),),
    )


def orphan_operations(side: CaseSide, context: Context) -> tuple[Operation, ...]:
    """What the delete policy does to an EmailOctopus contact whose link moved on."""
    rule, contact_id = context.policy.deletes.in_ghl, side.contact_id
    reason = f"its GoHighLevel contact has another address now; deletes.in_ghl: {rule}"
    if rule is DeletedInGhl.DELETE:
        return (Operation(EMAILOCTOPUS, Action.DELETE, None, contact_id, reason, parts=("deletion",)),)
    if rule is DeletedInGhl.IGNORE or consent_now(side) is Consent.REVOKED:
        return ()
    return (unsubscribe(None, contact_id, reason),)


def _both(case: Case) -> tuple[CaseSide, CaseSide]:
    if case.ghl is None or case.emailoctopus is None:
        raise ValueError("a pair has two contacts")
    return case.ghl, case.emailoctopus


def _content(contents: Contents, link: Link, context: Context) -> tuple[Operation, ...]:
    return tuple(content_operations(contents, link.ghl_id, link.emailoctopus_id, context))


def _link_after(link: Link, context: Context, contents: Contents, move: Move | None) -> Link:
    return replace(
        link,
        in_scope=True,
        scope_generation=context.scope_generation,
        diverged=frozenset(contents.diverged),
        bounces=contents.bounces,
        address_emptied=link.address_emptied if move is None else move.step is Step.EMPTIED,
    )


def _with_consent(link: Link, consent: CaseConsent) -> Link:
    decided = consent.decision
    return replace(link, cause=decided.cause, dnd_by_us=decided.dnd_by_us, consent_held=decided.held)


def _outside(case: Case, context: Context, link: Link, consent: CaseConsent) -> Decision:
    """Nothing but revocations travels while the GHL contact is out of scope."""
    leaving = case.link is not None and case.link.in_scope
    by_configuration = link.scope_generation != context.scope_generation
    operations = tuple(op for op in consent.operations if op.revokes)
    decided = consent.decision if operations or not consent.operations else None
    if (leaving and not by_configuration) or _leaving_was_refused(case, context):
        operations = (*operations, *_leave_operations(case, context, operations))
    policy_revokes = any(op.revokes for op in operations) and not consent.revoked
    after = replace(
        link,
        in_scope=False,
        scope_generation=context.scope_generation,
        cause=Cause.POLICY if policy_revokes else (decided.cause if decided else link.cause),
        dnd_by_us=decided.dnd_by_us if decided else link.dnd_by_us,
        consent_held=decided.held if decided else link.consent_held,
        diverged=frozenset(),
        bounces={},
    )
    return Decision(
        case=case,
        operations=operations,
        settles=frozenset({"consent"}) if decided else frozenset(),
        link=after,
        unlinked=Unlinked.OUT_OF_SCOPE,
        unparks=tuple(case.parked.values()),
        forget_fields=True,
        remember=consent.decision.cause if consent.revoked else None,
    )


def _leaving_was_refused(case: Case, context: Context) -> bool:
    """Whether what the policy asked for when the contact left is parked: nothing else of its kind is out of scope."""
    part = {OnLeaveScope.UNSUBSCRIBE: "consent", OnLeaveScope.REMOVE_TAGS: "tags"}.get(context.policy.on_leave_scope)
    return case.link is not None and not case.link.in_scope and part in case.parked


def _leave_operations(case: Case, context: Context, revocations: tuple[Operation, ...]) -> tuple[Operation, ...]:
    ghl, emailoctopus = _both(case)
    ids = (ghl.contact_id, emailoctopus.contact_id)
    match context.policy.on_leave_scope:
        case OnLeaveScope.UNSUBSCRIBE if not revocations and consent_now(emailoctopus) is not Consent.REVOKED:
            reason = "the contact left the scope; on_leave_scope: unsubscribe"
            return (unsubscribe(*ids, reason),)
        case OnLeaveScope.REMOVE_TAGS:
            detector = context.detector
            held = detector.tags_now(emailoctopus.snapshot) if emailoctopus.snapshot else None
            tags = (held if held is not None else detector.tags_before(emailoctopus.known)).values()
            names = tuple(sorted(detector.tags.name_in(EMAILOCTOPUS, tag) for tag in tags))
            reason = "the contact left the scope; on_leave_scope: remove_tags"
            return (Operation(EMAILOCTOPUS, Action.REMOVE_TAGS, *ids, reason, tags=names, parts=("tags",)),) * bool(
                names
            )
        case _:
            return ()


def _address_read(case: Case, move: Move | None) -> frozenset[ContactKey]:
    """The contact whose new address is to travel, when it isn't it that changed just now."""
    if move is None or move.step not in (Step.CHANGE_EMAILOCTOPUS, Step.CHANGE_GHL):
        return frozenset()
    source = case.ghl if move.step is Step.CHANGE_EMAILOCTOPUS else case.emailoctopus
    unread = source is not None and source.snapshot is None
    return frozenset({(source.system, source.contact_id)} if source is not None and unread else ())


def _usable(ghl: CaseSide, move: Move | None) -> Move | None:
    """The move, unless the address that was to be carried turned out to be none that anybody can have."""
    if move is None or move.step is not Step.CHANGE_EMAILOCTOPUS:
        return move
    address = ghl.snapshot.address if ghl.snapshot else None
    return move if address is not None and is_valid(address) else replace(move, step=Step.EMPTIED)


def _address_operations(case: Case, context: Context, move: Move | None) -> tuple[Operation, ...]:
    ghl, emailoctopus = _both(case)
    if move is None or _held_address(case, context, move):
        return ()
    source, target = (ghl, emailoctopus) if move.step is Step.CHANGE_EMAILOCTOPUS else (emailoctopus, ghl)
    if move.step not in (Step.CHANGE_EMAILOCTOPUS, Step.CHANGE_GHL) or source.snapshot is None:
        return ()
    return (
        Operation(
            target.system,
            Action.UPDATE,
            ghl.contact_id,
            emailoctopus.contact_id,
            f"address changed in {'GoHighLevel' if source is ghl else 'EmailOctopus'}",
            address=source.snapshot.address,
            parts=("address",),
        ),
    )


def _address_conflicts(case: Case, context: Context, operations: tuple[Operation, ...]) -> tuple[FieldConflict, ...]:
    """The conflict of two new addresses, which GHL's wins."""
    ghl, emailoctopus = _both(case)
    there = emailoctopus.snapshot
    overwritten = there is not None and context.detector.address_changed(there, emailoctopus.known)
    if not overwritten or not any(op.system is EMAILOCTOPUS for op in operations):
        return ()
    here_at, there_at = (side.staged.changed_at.get("address") if side.staged else None for side in (ghl, emailoctopus))
    return (FieldConflict("address", GHL, here_at, there_at),)


def _notices(link: Link, move: Move | None) -> tuple[Notice, ...]:
    if move is None or move.step is not Step.EMPTIED or link.address_emptied:
        return ()
    return (Notice("address", "GoHighLevel has no usable address any more; link and EmailOctopus contact stay"),)


def _merge_address(operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
    """One update for each side: the address travels with the fields."""
    merged: list[Operation] = []
    for op in operations:
        twin = next(
            (
                one
                for one in merged
                if op.action is Action.UPDATE and (one.action, one.system) == (op.action, op.system)
            ),
            None,
        )
        if twin is None:
            merged.append(op)
        else:
            merged[merged.index(twin)] = replace(
                twin, fields=op.fields, parts=(*twin.parts, *op.parts), reason=f"{twin.reason}; {op.reason}"
            )
    return tuple(merged)


def _address_settles(case: Case, context: Context, move: Move | None, *, first: bool) -> tuple[str, ...]:
    if move is None:
        return ("address",) if first else ()
    return () if move.step is Step.EMPTIED or _held_address(case, context, move) else ("address",)


def _held_address(case: Case, context: Context, move: Move) -> bool:
    """Whether a subscribed contact's new address must wait for a person: a double opt-in list confirmed the old one."""
    _, emailoctopus = _both(case)
    return (
        move.step is Step.CHANGE_EMAILOCTOPUS
        and context.policy.double_opt_in
        and context.policy.address_change is AddressChange.HOLD
        and consent_now(emailoctopus) is Consent.GRANTED
        and not any(entry.action == CHANGE_ADDRESS and entry.approved for entry in case.held)
    )


def _holds(case: Case, context: Context, move: Move | None) -> tuple[Held, ...]:
    known = any(entry.action == CHANGE_ADDRESS for entry in case.held)
    if known or move is None or not _held_address(case, context, move):
        return ()
    ghl, emailoctopus = _both(case)
    reason = "a new address on a double opt-in list was never confirmed (address_change: hold)"
    return (Held(ghl.contact_id, emailoctopus.contact_id, CHANGE_ADDRESS, reason, context.now),)


def _released(case: Case, context: Context, move: Move | None) -> tuple[Held, ...]:
    """A held address that went back, or may travel now, leaves the queue."""
    if move is None or _held_address(case, context, move):
        return ()
    return tuple(entry for entry in case.held if entry.action == CHANGE_ADDRESS)


def _unparked(
    case: Case, context: Context, contents: Contents, settled: AbstractSet[str], move: Move | None
) -> Iterable[Parked]:
    """What needn't be tried again: it was decided; or it was about a link that this one replaces."""
    if case.former is not None:
        return case.parked.values()
    over = {"creation", *(settled & {"consent", "address"}), *_no_parts_any_more(case, context)}
    if move is not None and move.step is Step.EMPTIED:
        over.add("address")
    return (*contents.unparks, *_entries(case, over))


def _no_parts_any_more(case: Case, context: Context) -> AbstractSet[str]:
    """What is parked of rows that the mapping or a schema lost, and of tags that are synced no more."""
    parts = {"creation", "consent", "address", *(mapped.rule.key for mapped in context.fields)}
    return case.parked.keys() - parts - ({"tags"} if context.policy.tags.sync else set())


def _entries(case: Case, parts: Iterable[str]) -> tuple[Parked, ...]:
    return tuple(entry for part in parts if (entry := case.parked.get(part)) is not None)


def _regrants(consent: CaseConsent, ghl: CaseSide, emailoctopus: CaseSide) -> bool:
    """Whether the remembered revocation of the address is over: somebody subscribed again, and both sides say so."""
    after = (consent.decision.ghl or consent_now(ghl), consent.decision.emailoctopus or consent_now(emailoctopus))
    return after == (Consent.GRANTED, Consent.GRANTED)
