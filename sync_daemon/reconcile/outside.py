"""Decide a pair whose GHL contact is out of scope: nothing but revocations travels (contract, section 3)."""

from dataclasses import replace
from itertools import chain

from sync_daemon.changes.cases import Case
from sync_daemon.model.contact import Consent
from sync_daemon.model.plan import Action, MassChange, Operation
from sync_daemon.model.policy import OnLeaveScope
from sync_daemon.model.sharing import Sharing
from sync_daemon.model.state import Cause, Link, Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.consents import CaseConsent, unsubscribe
from sync_daemon.reconcile.decision import Context, Decision, left_as_it_is, ordered_drop
from sync_daemon.reconcile.side_consent import consent_now

EMAILOCTOPUS = SystemName.EMAILOCTOPUS
_LEAVE_PARTS = {OnLeaveScope.UNSUBSCRIBE: "consent", OnLeaveScope.REMOVE_TAGS: "tags"}
"""The part under which what a policy does is parked when it is refused."""


def decide_outside(case: Case, context: Context, link: Link, consent: CaseConsent) -> Decision:
    """Nothing but revocations travels while the GHL contact is out of scope."""
    leaving = case.link is not None and case.link.in_scope
    narrowed = link.left_by_configuration or (leaving and link.scope_generation != context.scope_generation)
    applied = narrowed and context.apply_scope and context.policy.on_leave_scope is not OnLeaveScope.KEEP
    operations = tuple(op for op in consent.operations if op.revokes)
    decided = consent.decision if operations or not consent.operations else None
    leave = _LEAVE_PARTS.get(context.policy.on_leave_scope)
    dropped = leave is not None and not operations and ordered_drop(case, leave) is not None
    leaves = (leaving and not narrowed) or applied or _leaving_waits(case, context)
    # The list's contact is another location's, too: what this one asks for waits until it is nobody's any more.
    waits = leaves and leave is not None and not dropped and case.others.at_another_location is not None
    if leaves and not dropped and not waits:
        operations = (*operations, *_leave_operations(case, context, operations))
    policy_revokes = any(op.revokes for op in operations) and not consent.revoked
    after = replace(
        link,
        in_scope=False,
        scope_generation=context.scope_generation,
        left_by_configuration=narrowed and not applied,
        cause=Cause.POLICY if policy_revokes else (decided.cause if decided else link.cause),
        dnd_by_us=decided.dnd_by_us if decided else link.dnd_by_us,
        consent_held=decided.held if decided else link.consent_held,
        sharing=Sharing(
            alone=decided.alone if decided else link.sharing.alone,
            lifted=decided.lifted if decided else link.sharing.lifted,
            left=waits,
        ),
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
        notices=(left_as_it_is(leave),) if dropped and leave is not None else (),
    )


def _leaving_waits(case: Case, context: Context) -> bool:
    """Whether what the policy asked for when the contact left is held or parked: nothing else is out of scope."""
    if any(entry.action == MassChange.LEAVE_SCOPE for entry in case.held):
        return True
    if case.link is not None and case.link.sharing.left:
        return True
    part = _LEAVE_PARTS.get(context.policy.on_leave_scope)
    return case.link is not None and not case.link.in_scope and part in case.parked


def _leave_operations(case: Case, context: Context, revocations: tuple[Operation, ...]) -> tuple[Operation, ...]:
    ghl, emailoctopus = case.both()
    ids = (ghl.contact_id, emailoctopus.contact_id)
    match context.policy.on_leave_scope:
        case OnLeaveScope.UNSUBSCRIBE if not revocations and consent_now(emailoctopus) is not Consent.REVOKED:
            reason = "the contact left the scope; on_leave_scope: unsubscribe"
            return (replace(unsubscribe(*ids, reason), policy=MassChange.LEAVE_SCOPE),)
        case OnLeaveScope.REMOVE_TAGS:
            detector, there = context.detector, emailoctopus.snapshot
            tags = detector.tags_now(there) if there else detector.tags_before(emailoctopus.known)
            spelt = detector.tags.spellings(EMAILOCTOPUS, there.tags if there else ())
            # survives: to a tag book whatever isn't GHL is EmailOctopus.
            spellings = (spelt.get(name, [detector.tags.name_in(EMAILOCTOPUS, tag)]) for name, tag in tags.items())
            names = tuple(sorted(chain.from_iterable(spellings)))
            reason = "the contact left the scope; on_leave_scope: remove_tags"
            remove = Operation(
                EMAILOCTOPUS,
                Action.REMOVE_TAGS,
                *ids,
                reason,
                tags=names,
                parts=("tags",),
                policy=MassChange.LEAVE_SCOPE,
            )
            return (remove,) * bool(names)
        case _:
            return ()
