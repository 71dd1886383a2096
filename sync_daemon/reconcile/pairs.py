"""Decide a pair of contacts: linked, meeting for the first time, out of scope, or moved (contract, 2 to 5)."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import replace

from sync_daemon.changes.cases import Case, CaseSide
from sync_daemon.model.contact import Consent
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.policy import Resubscribe
from sync_daemon.model.state import Link, Parked
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.consents import CaseConsent, case_consent
from sync_daemon.reconcile.contents import Contents, content_operations, pair_contents
from sync_daemon.reconcile.decision import (
    NOT_DROPPED,
    Context,
    Decision,
    Needs,
    Notice,
    left_as_it_is,
    operations_digest,
    ordered_drop,
    part_waits,
    revocations_of,
)
from sync_daemon.reconcile.moves import Move, Step
from sync_daemon.reconcile.orphans import orphan_operations
from sync_daemon.reconcile.outside import decide_outside
from sync_daemon.reconcile.pair_addresses import (
    address_conflicts,
    address_holds,
    address_notices,
    address_operations,
    address_read,
    address_settles,
    released_addresses,
    usable_move,
)
from sync_daemon.reconcile.reads import meets, reads_needed, unread
from sync_daemon.reconcile.scope import in_scope
from sync_daemon.reconcile.shared_fields import shared_reads
from sync_daemon.reconcile.side_consent import consent_now

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS


def decide_pair(case: Case, context: Context, move: Move | None = None) -> Decision | Needs:
    """What is to be done about two contacts with (or about to get) a link."""
    needed = reads_needed(case, context) | address_read(case, move) | shared_reads(case, context)
    if needed:
        return Needs(needed)
    ghl, emailoctopus = case.both()
    move = usable_move(case, ghl, move)
    first = meets(case, context)
    link = case.link or Link(ghl.contact_id, emailoctopus.contact_id)
    inside = in_scope(context.policy.scope, ghl.snapshot) if ghl.snapshot else link.in_scope
    if not inside:
        # survives: what `resubscribe` doesn't allow it forbids, None as much as `never`.
        nobody_again = replace(context, policy=replace(context.policy, resubscribe=Resubscribe.NEVER))
        return decide_outside(case, context, link, case_consent(case, nobody_again, first=first))
    consent = case_consent(case, context, first=first)
    if consent.decision.step_up and unread(case):
        return Needs(unread(case))
    contents = Contents() if context.consent_alone else pair_contents(case, context, first=first)
    address = address_operations(case, context, move)
    consent_digest = operations_digest(consent.operations, "consent", context)
    address_digest = operations_digest(address, "address", context)
    consent_waits = bool(consent.operations) and part_waits(case, "consent", consent_digest, context.now)
    address_waits = bool(address) and part_waits(case, "address", address_digest, context.now)
    dropped = _dropped(case, consent.operations, address)
    settled = {*contents.settles, *(() if consent_waits else ("consent",))}
    settled.update(() if address_waits else address_settles(case, context, move, first=first))
    operations = (
        *(() if consent_waits or "consent" in dropped else consent.operations),
        *(() if address_waits or "address" in dropped else address),
        *_content(contents, link, context),
        *(orphan_operations(case.left_behind, context) if case.left_behind and case.orphans else ()),
    )
    after = _link_after(link, context, contents, move)
    return Decision(
        case=case,
        operations=_merge_address(operations),
        settles=frozenset(settled),
        link=_link_with_consent(after, consent, waits=consent_waits, dropped="consent" in dropped),
        dissolves=case.former,
        orphan=case.left_behind.contact_id if case.left_behind and case.orphans else None,
        conflicts=(*contents.conflicts, *address_conflicts(case, context, address)),
        to_park=tuple(contents.to_park),
        unparks=tuple(_unparked(case, context, contents, settled, move)),
        holds=address_holds(case, context, move),
        unholds=released_addresses(case, context, move),
        forget_fields=first,
        remember=consent.decision.cause if consent.revoked else None,
        regrant=_regrants(consent, ghl, emailoctopus),
        digests={**contents.digests, "consent": consent_digest, "address": address_digest},
        notices=(
            *address_notices(link, move),
            *map(left_as_it_is, (*contents.dropped, *dropped)),
            *_not_dropped(case, consent),
        ),
        shares=contents.shares(),
    )


def revocations_of_pair(case: Case, context: Context) -> Decision | None:
    """What narrows the consent of two contacts of which one can't be read, by what is known of it."""
    ghl, emailoctopus = case.both()
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
            remember=consent.decision.cause,
            digests={"consent": digest},
        )
    )


def _dropped(case: Case, consent: tuple[Operation, ...], address: tuple[Operation, ...]) -> frozenset[str]:
    """Of consent and address, what a person ordered to be left as it is. A revocation by a person never is."""
    asked = {"consent": bool(consent) and not any(op.revokes for op in consent), "address": bool(address)}
    return frozenset(part for part, asks in asked.items() if asks and ordered_drop(case, part) is not None)


def _not_dropped(case: Case, consent: CaseConsent) -> Iterable[Notice]:
    if ordered_drop(case, "consent") is not None and any(op.revokes for op in consent.operations):
        yield NOT_DROPPED


def _link_with_consent(link: Link, consent: CaseConsent, *, waits: bool, dropped: bool) -> Link:
    """The link after its consent was decided; one whose step toward consent was dropped is held where it was."""
    if dropped:
        return replace(link, consent_held=True)
    return link if waits else _with_consent(link, consent)


def _content(contents: Contents, link: Link, context: Context) -> tuple[Operation, ...]:
    return tuple(content_operations(contents, link.ghl_id, link.emailoctopus_id, context))


def _link_after(link: Link, context: Context, contents: Contents, move: Move | None) -> Link:
    return replace(
        link,
        in_scope=True,
        left_by_configuration=False,
        scope_generation=context.scope_generation,
        diverged=frozenset(contents.diverged),
        sharing=replace(link.sharing, left=False, yielded=frozenset(contents.yielded)),
        bounces=contents.bounces,
        address_emptied=link.address_emptied if move is None else move.step is Step.EMPTIED,
    )


def _with_consent(link: Link, consent: CaseConsent) -> Link:
    decided = consent.decision
    sharing = replace(link.sharing, alone=decided.alone, lifted=decided.lifted)
    return replace(link, cause=decided.cause, dnd_by_us=decided.dnd_by_us, consent_held=decided.held, sharing=sharing)


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


def _unparked(
    case: Case, context: Context, contents: Contents, settled: AbstractSet[str], move: Move | None
) -> Iterable[Parked]:
    """What needn't be tried again: it was decided; or it was about a link that this one replaces."""
    if case.former is not None:
        return case.parked.values()
    over = {*(settled & {"consent", "address"}), *_no_parts_any_more(case, context)}
    if move is not None and move.step is Step.EMPTIED:
        over.add("address")
    return (*contents.unparks, *_entries(case, over))


def _no_parts_any_more(case: Case, context: Context) -> AbstractSet[str]:
    """What is parked of a creation, of rows that the mapping or a schema lost, and of tags that are synced no more."""
    parts = {"consent", "address", *(mapped.rule.key for mapped in context.fields)}
    return case.parked.keys() - parts - ({"tags"} if context.policy.tags.sync else set())


def _entries(case: Case, parts: Iterable[str]) -> tuple[Parked, ...]:
    return tuple(entry for part in parts if (entry := case.parked.get(part)) is not None)


def _regrants(consent: CaseConsent, ghl: CaseSide, emailoctopus: CaseSide) -> bool:
    """Whether the remembered revocation of the address is over: somebody subscribed again, and both sides say so."""
    after = (consent.decision.ghl or consent_now(ghl), consent.decision.emailoctopus or consent_now(emailoctopus))
    return after == (Consent.GRANTED, Consent.GRANTED)
