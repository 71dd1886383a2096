"""The lines of the audit log that one settled case leaves: what was done or seen, and why; never a value. Pure.

What stays as it was leaves no line, however often it is looked at.
"""

from collections.abc import Iterable, Iterator

from sync_daemon.apply.answers import Answers
from sync_daemon.changes.cases import CaseSide
from sync_daemon.model.plan import Action, Operation
from sync_daemon.model.state import Cause, Change, Held, Link, Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit
from sync_daemon.reconcile.decision import Decision, Notice
from sync_daemon.reconcile.explained import CAUSES, conflict_words
from sync_daemon.reconcile.findings import WHY_UNLINKED

_DROPPED = "an update that didn't name it emptied it in EmailOctopus; GoHighLevel keeps its value"
_TOLD_OTHERWISE = (Unlinked.PARKED, Unlinked.HELD, Unlinked.DELETED)
"""Why a contact has no link that a line of its own tells: what is parked, held, or a tombstone."""
Ids = tuple[str | None, str | None]


def audit(decision: Decision, answers: Answers, commit: Commit, ids: Ids, dropped: Iterable[str]) -> Iterator[Change]:
    """The lines of one case, under GHL's and EmailOctopus's id; `commit` says what of it is stored.

    `dropped` are the rows that a write of others emptied.
    """
    for result in answers.done:
        operation = result.operation
        for what in _words(operation):
            yield Change("written", operation.system, *_written_to(operation, ids), what, operation.reason)
    for conflict in decision.conflicts:
        yield Change("conflict", conflict.winner.other, *ids, conflict.part, conflict_words(conflict))
    for entry in (entry for entry in commit.parked if not entry.let_be):
        yield Change("parked", None, *ids, entry.what, entry.code)
    for held in commit.held:
        yield Change("held", None, *ids, held.action, held.reason)
    for notice in (*decision.notices, *(Notice(key, _DROPPED) for key in dropped)):
        yield Change("reported", None, *ids, notice.what, notice.reason)
    yield from _links(decision, answers, commit)
    yield from _consent(decision, commit, ids)
    yield from _skipped(decision, commit)
    yield from _settled(commit)


def _written_to(operation: Operation, ids: Ids) -> Ids:
    """The case's ids, or those of a duplicate, or of somebody left behind, who was written to instead."""
    own = ids[0] if operation.system is SystemName.GHL else ids[1]
    return ids if operation.target_id in (None, own) else (operation.ghl_id, operation.emailoctopus_id)


def _words(operation: Operation) -> list[str]:
    words = list(operation.fields) if operation.action is Action.UPDATE else [str(operation.action)]
    return [*words, *(["address"] if operation.address and operation.action is Action.UPDATE else [])]


def _links(decision: Decision, answers: Answers, commit: Commit) -> Iterator[Change]:
    """Who was linked, left the scope or came back, was left different, and whose link ended."""
    before, former = decision.case.link, decision.case.former
    created = any(result.operation.action is Action.CREATE for result in answers.done)
    for link in commit.links:
        ids = (link.ghl_id, link.emailoctopus_id)
        if before is None and not created:
            why = "the address moved, and the link with it" if former is not None else "both have the address"
            yield Change("linked", None, *ids, "link", why)
        if before is not None and before.in_scope != link.in_scope:
            yield Change("reported", None, *ids, "scope", _scope_words(link))
        for key in sorted(link.diverged - (before.diverged if before is not None else frozenset())):
            yield Change("diverged", None, *ids, key, "left different on purpose")
    kept = {link.ghl_id for link in commit.links}
    buried = {(stone.ghl_id, stone.emailoctopus_id) for stone in commit.tombstones}
    for link in commit.unlink:
        if link.ghl_id not in kept and (link.ghl_id, link.emailoctopus_id) not in buried:
            yield Change("unlinked", None, link.ghl_id, link.emailoctopus_id, "link", "another link has its address")
    for stone in commit.tombstones:
        why = f"{stone.done}; consent before: {stone.consent or 'unknown'}"
        yield Change("deleted", stone.deleted_in, stone.ghl_id, stone.emailoctopus_id, "deletion", why)


def _scope_words(link: Link) -> str:
    if link.in_scope:
        return "back in scope: the two met anew"
    return "out of scope, as the scope was narrowed" if link.left_by_configuration else "left the scope"


def _consent(decision: Decision, commit: Commit, ids: Ids) -> Iterator[Change]:
    """Who revoked, whose wish is held back, and what is remembered for the address."""
    case, before = decision.case, decision.case.link or decision.case.former
    new = decision.remember if commit.revoked_addresses and decision.remember is not case.remembered else None
    for link in commit.links:
        if link.cause is not (before.cause if before is not None else None):
            yield Change("consent", None, link.ghl_id, link.emailoctopus_id, "consent", _cause_words(link, new))
            new = None if new is link.cause else new
        if link.consent_held != (before is not None and before.consent_held):
            why = "held back: the sides differ, and stay so" if link.consent_held else "held back no more"
            yield Change("consent", None, link.ghl_id, link.emailoctopus_id, "consent", why)
    if new is not None:
        why = f"{new}: revoked by {CAUSES[new]}; remembered for the address"
        yield Change("consent", None, *ids, "consent", why)
    if commit.regranted_addresses and case.remembered is not None:
        yield Change("consent", None, *ids, "consent", "the address is remembered as revoked no more")


def _cause_words(link: Link, new: Cause | None) -> str:
    """Who revoked; whether that is `new` to what is remembered for the address."""
    if link.cause is None:
        return "allowed again"
    kept = "; remembered for the address" if new is link.cause else ""
    whose = "; GoHighLevel's DND is this program's own" if link.dnd_by_us else ""
    return f"{link.cause}: revoked by {CAUSES[link.cause]}{kept}{whose}"


def _skipped(decision: Decision, commit: Commit) -> Iterator[Change]:
    """Who is left without a partner now, and wasn't for that reason before."""
    sides: list[CaseSide] = [*decision.case.gone, *decision.case.targets()]
    before = {(side.system, side.contact_id): side.known.unlinked for side in sides}
    for row in commit.contacts:
        why = row.unlinked
        if why is None or why in _TOLD_OTHERWISE or why is before.get((row.system, row.contact_id)):
            continue
        ids: Ids = (row.contact_id, None) if row.system is SystemName.GHL else (None, row.contact_id)
        of = f" ({row.duplicate_of})" if why is Unlinked.DUPLICATE and row.duplicate_of else ""
        yield Change("skipped", row.system, *ids, "creation", f"{why}: it {WHY_UNLINKED[why]}{of}")


def _settled(commit: Commit) -> Iterator[Change]:
    """What leaves the queues: it was done, is asked for no more, or a person said what is to become of it."""
    for entry in commit.unparked:
        yield Change("settled", None, entry.ghl_id, entry.emailoctopus_id, entry.what, f"parked no more ({entry.code})")
    for held in commit.unheld:
        yield Change("settled", None, held.ghl_id, held.emailoctopus_id, held.action, f"held no more: {_said(held)}")


def _said(held: Held) -> str:
    if held.approved:
        return "a person approved it"
    return "a person discarded it" if held.discarded else "it isn't asked for any more"
