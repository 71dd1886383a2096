"""The address of a pair as a field: what is written, held or reported when it changed (contract, section 3)."""

from dataclasses import replace

from sync_daemon.changes.addresses import is_valid
from sync_daemon.changes.cases import Case, CaseSide, ContactKey
from sync_daemon.model.contact import Consent
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.policy import AddressChange
from sync_daemon.model.state import Held, Link
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.decision import Context, Notice
from sync_daemon.reconcile.fields import FieldConflict
from sync_daemon.reconcile.moves import Move, Step
from sync_daemon.reconcile.side_consent import consent_now

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
CHANGE_ADDRESS = "change_address"


def address_read(case: Case, move: Move | None) -> frozenset[ContactKey]:
    """The contact whose new address is to travel, when it isn't it that changed just now."""
    if move is None or move.step not in (Step.CHANGE_EMAILOCTOPUS, Step.CHANGE_GHL):
        return frozenset()
    source = case.ghl if move.step is Step.CHANGE_EMAILOCTOPUS else case.emailoctopus
    unread = source is not None and source.snapshot is None
    return frozenset({(source.system, source.contact_id)} if source is not None and unread else ())


def usable_move(case: Case, ghl: CaseSide, move: Move | None) -> Move | None:
    """The move, unless the address that was to be carried turned out to be none that anybody can have.

    Where a person discarded it, both addresses count as agreed as they are.
    """
    if move is None or move.step is not Step.CHANGE_EMAILOCTOPUS:
        return move
    if any(entry.action == CHANGE_ADDRESS and entry.discarded for entry in case.held):
        return replace(move, step=Step.AGREE)  # survives: what is neither carried nor emptied agrees.
    now = ghl.snapshot
    usable = now is not None and now.address is not None and is_valid(now.address)
    return move if usable else replace(move, step=Step.EMPTIED)


def address_operations(case: Case, context: Context, move: Move | None) -> tuple[Operation, ...]:
    """The write that carries a changed address to the other side, if it may travel."""
    ghl, emailoctopus = case.both()
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


def address_conflicts(case: Case, context: Context, operations: tuple[Operation, ...]) -> tuple[FieldConflict, ...]:
    """The conflict of two new addresses, which GHL's wins."""
    ghl, emailoctopus = case.both()
    there = emailoctopus.snapshot
    overwritten = there is not None and context.detector.address_changed(there, emailoctopus.known)
    if not overwritten or not any(op.system is EMAILOCTOPUS for op in operations):
        return ()
    here_at, there_at = (side.staged.changed_at.get("address") if side.staged else None for side in (ghl, emailoctopus))
    return (FieldConflict("address", GHL, here_at, there_at),)


def address_notices(link: Link, move: Move | None) -> tuple[Notice, ...]:
    """What to report of an address that GHL lost."""
    if move is None or move.step is not Step.EMPTIED or link.address_emptied:
        return ()
    return (Notice("address", "GoHighLevel has no usable address any more; link and EmailOctopus contact stay"),)


def address_settles(case: Case, context: Context, move: Move | None, *, first: bool) -> tuple[str, ...]:
    """The part `address`, where both sides agree about it afterwards."""
    if move is None:
        return ("address",) if first else ()
    return () if move.step is Step.EMPTIED or _held_address(case, context, move) else ("address",)


def address_holds(case: Case, context: Context, move: Move | None) -> tuple[Held, ...]:
    """The address that must wait for a person, unless it waits already."""
    known = any(entry.action == CHANGE_ADDRESS for entry in case.held)
    if known or move is None or not _held_address(case, context, move):
        return ()
    ghl, emailoctopus = case.both()
    reason = "a new address on a double opt-in list was never confirmed (address_change: hold)"
    return (Held(ghl.contact_id, emailoctopus.contact_id, CHANGE_ADDRESS, reason, context.now),)


def released_addresses(case: Case, context: Context, move: Move | None) -> tuple[Held, ...]:
    """A held address that went back, or may travel now, leaves the queue."""
    if move is None or _held_address(case, context, move):
        return ()
    return tuple(entry for entry in case.held if entry.action == CHANGE_ADDRESS)


def _held_address(case: Case, context: Context, move: Move) -> bool:
    """Whether a subscribed contact's new address must wait for a person: a double opt-in list confirmed the old one."""
    _, emailoctopus = case.both()
    return (
        move.step is Step.CHANGE_EMAILOCTOPUS
        and context.policy.double_opt_in
        and context.policy.address_change is AddressChange.HOLD
        and consent_now(emailoctopus) is Consent.GRANTED
        and not any(entry.action == CHANGE_ADDRESS and entry.approved for entry in case.held)
    )
