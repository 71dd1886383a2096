"""What becomes of an EmailOctopus contact whose link moved on (contract, section 3: the orphan)."""

from dataclasses import replace

from sync_daemon.changes.cases import Case, CaseSide
from sync_daemon.model.contact import Consent
from sync_daemon.model.plan import Action, MassChange, Operation
from sync_daemon.model.policy import DeletedInGhl
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.consents import unsubscribe, was_being_revoked
from sync_daemon.reconcile.decision import Context, Decision, Needs, Notice
from sync_daemon.reconcile.moves import Move
from sync_daemon.reconcile.reads import reads_needed
from sync_daemon.reconcile.side_consent import consent_now

EMAILOCTOPUS = SystemName.EMAILOCTOPUS


def decide_dissolution(case: Case, context: Context, move: Move) -> Decision | Needs:
    """The GHL contact's new address belongs to a link that stays: this link ends, the two contacts meet anew."""
    needed = reads_needed(case, context)
    if needed:
        return Needs(needed)
    _, emailoctopus = case.both()
    orphans = move.orphans and case.others.at_another_location is None
    return Decision(
        case=case,
        operations=orphan_operations(emailoctopus, context) if orphans else (),
        unholds=case.held,
        unparks=tuple(case.parked.values()),
        settles=frozenset({"consent"}),
        dissolves=case.link,
        orphan=emailoctopus.contact_id if orphans else None,
        notices=(Notice("address", f"the new address belongs to {move.duplicate_of}, whose duplicate this one is"),),
    )


def orphan_operations(side: CaseSide, context: Context) -> tuple[Operation, ...]:
    """What the delete policy does to an EmailOctopus contact whose link moved on."""
    rule, contact_id = context.policy.deletes.in_ghl, side.contact_id
    reason = f"its GoHighLevel contact has another address now; deletes.in_ghl: {rule}"
    if rule is DeletedInGhl.DELETE:
        return (delete(None, contact_id, reason),)
    revoked = consent_now(side) is Consent.REVOKED and not was_being_revoked(side)  # that one is this rule's own
    if rule is DeletedInGhl.IGNORE or revoked:
        return ()
    return (replace(unsubscribe(None, contact_id, reason), policy=MassChange.DELETION),)


def consent_before(side: CaseSide) -> Consent | None:
    """The consent of a contact that loses its link, without the revocation that the policy was about to write."""
    known = side.known
    return known.baseline.consent if known.baseline is not None and was_being_revoked(side) else known.consent


def deletion_waits(case: Case) -> bool:
    """Whether a guard holds what the delete policy asked for when the link moved on."""
    return any(entry.action == MassChange.DELETION for entry in case.held)


def delete(ghl_id: str | None, emailoctopus_id: str, reason: str) -> Operation:
    """The end of one EmailOctopus contact, by the delete policy."""
    parts = ("deletion",)
    return Operation(
        EMAILOCTOPUS, Action.DELETE, ghl_id, emailoctopus_id, reason, parts=parts, policy=MassChange.DELETION
    )
