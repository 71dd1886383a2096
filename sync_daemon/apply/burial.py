"""What is remembered of contacts that were deleted, and of those they leave behind. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from sync_daemon.apply.answers import Written, latest
from sync_daemon.apply.baselines import unconfirmed_after
from sync_daemon.changes.cases import Case, CaseSide
from sync_daemon.model.contact import Consent
from sync_daemon.model.plan import Action, MassChange
from sync_daemon.model.state import Baseline, KnownContact, Link, Staged, Tombstone, Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit
from sync_daemon.reconcile.decision import Context, Decision
from sync_daemon.reconcile.orphans import consent_before
from sync_daemon.reconcile.side_consent import consent_now

GHL = SystemName.GHL


def ends_without_heir(decision: Decision, link: Link | None) -> bool:
    """Whether a link ends by a deletion, nobody takes it over, and nobody is to be created in the place."""
    created = any(op.action is Action.CREATE for op in decision.operations)
    recreates = decision.case.emailoctopus is None or created
    return decision.tombstone is not None and link is None and not recreates


def lay_to_rest(commit: Commit, gone: Iterable[CaseSide], tombstone: Tombstone) -> None:
    """Store that contacts don't exist any more: nothing but their ids is kept of them, and the tombstone."""
    commit.tombstones.append(tombstone)
    for side in gone:
        known = side.known
        commit.contacts = [row for row in commit.contacts if row.key != side.key]
        commit.contacts.append(
            KnownContact(
                side.system, side.contact_id, updated_at=known.updated_at, unlinked=Unlinked.DELETED, scan=known.scan
            )
        )
        if side.system is GHL:
            commit.additional_addresses[side.contact_id] = ()


def orphan(commit: Commit, decision: Decision, side: CaseSide, came: tuple[Written, Consent], now: datetime) -> None:
    """Store the row of an EmailOctopus contact whose link moved on, and the tombstone that says what was done to it."""
    written, consent = came
    deleted = any(op.action is Action.DELETE for op in written.operations)
    row = replace(
        side.known,
        consent=consent,
        unlinked=Unlinked.DELETED if deleted else Unlinked.ORPHAN,
        baseline=Baseline(consent=consent, unconfirmed=unconfirmed_after(side, consent)),
        sent=None,
    )
    commit.contacts = [*(one for one in commit.contacts if one.key != side.key), row]
    if written.operations and side.staged is not None:  # what was seen before is no sign of what it is now
        commit.done.append(side.staged)
    if any(entry.action == MassChange.DELETION for entry in decision.holds):  # nothing is done about it yet
        return
    former = decision.dissolves.ghl_id if decision.dissolves else None
    done = str(written.operations[0].action) if written.operations else "nothing"
    commit.tombstones.append(
        Tombstone(former, side.contact_id, GHL, now, done, consent_before(side), side.known.address)
    )


def left_alone(
    side: CaseSide, consent: Consent, written: Written, context: Context, *, kept: bool = False
) -> KnownContact:
    """The row of the contact that a deletion leaves without a link: the delete policy was applied to it, or waits."""
    deleted = any(op.action is Action.DELETE for op in written.operations)
    snapshot = side.snapshot
    return replace(
        side.known,
        updated_at=latest(side.known.updated_at, snapshot.updated_at if snapshot else None, written.updated_at),
        consent=consent,
        unlinked=Unlinked.DELETED if deleted else Unlinked.KEPT if kept else Unlinked.ORPHAN,
        duplicate_of=None,
        baseline=Baseline(consent=consent, unconfirmed=unconfirmed_after(side, consent)),
        sent=None,
        written_at=context.now if written.operations else side.known.written_at,
        generation=context.generation,
    )


def addresses_left(decision: Decision) -> Iterator[bytes]:
    """The addresses for which somebody may have waited that a link ends with, or moves away from."""
    case = decision.case
    sides = [side for side in (*case.gone, case.ghl, case.emailoctopus, case.left_behind) if side is not None]
    agreed = [side.known.baseline.address if side.known.baseline is not None else None for side in sides]
    known = [side.known.address for side in sides]
    moves = any(before not in (None, now) for before, now in zip(agreed, known, strict=True))
    if (moves and "address" in decision.settles) or decision.dissolves is not None:
        yield from (address for address in (*agreed, *known) if address is not None)


def to_be_met(case: Case, side: CaseSide) -> Iterator[Staged]:
    """A hint at whoever isn't left alone after all, because somebody else has the address: they are to meet."""
    if case.found is not None and case.found.claimed:
        revoked = consent_now(side) is Consent.REVOKED
        yield Staged(side.system, side.contact_id, None, revoked=revoked)
