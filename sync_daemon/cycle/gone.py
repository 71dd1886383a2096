"""Contacts that a read by id found gone, and who else has their address."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from sync_daemon.changes.cases import Case, CaseSide, ContactKey, Found
from sync_daemon.cycle.intake import stage
from sync_daemon.cycle.pair import GHL, Run
from sync_daemon.model.contact import Page, Snapshot
from sync_daemon.model.errors import Refused, StopSystem
from sync_daemon.model.state import Staged, Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit
from sync_daemon.reconcile.deletions import DELETION
from sync_daemon.threads import pool

Holder = tuple[SystemName, str]
"""A system, and an address that somebody may have there."""


def with_gone(run: Run, case: Case, gone: Collection[ContactKey], found: Mapping[ContactKey, Snapshot]) -> Case | None:
    """The case with those of its link who are proven to be deleted; None while that isn't proven.

    A read by id proves it of a contact that a complete full scan lacks, or whose deletion is held since one did.
    """
    ends = [side for side in (case.ghl, case.emailoctopus) if side is not None and side.key in gone]
    held = any(entry.action == DELETION for entry in case.held)
    proven = case.gone or held or any(side.staged is not None and side.staged.absent for side in ends)
    if case.link is None or not proven or not (case.gone or ends):
        return None
    others = [side for side in case.duplicates if side.key in gone]
    _forget(run, others)
    survivor = next((side for side in case.both() if side not in ends), None)
    # Who shares the address of a deleted contact alone, which the other side has left, has no part in this.
    left = (side for side in case.duplicates if survivor is None or side.known.address == survivor.known.address)
    duplicates = tuple(side for side in left if side not in others)
    have_part = {side.contact_id for side in (*duplicates, *others)}  # what waits of the others isn't over
    return replace(
        case,
        duplicates=duplicates,
        gone=(*case.gone, *ends),
        over_parked=tuple(entry for entry in case.over_parked if entry.ghl_id in have_part),
        over_held=tuple(entry for entry in case.over_held if entry.ghl_id in have_part),
    ).with_reads(found)


def _forget(run: Run, lost: Collection[CaseSide]) -> None:
    """Take contacts without a link that don't exist any more out of matching."""
    if lost:
        run.commit(
            Commit(
                contacts=[replace(side.known, unlinked=Unlinked.DELETED, address=None) for side in lost],
                additional_addresses={side.contact_id: () for side in lost if side.system is GHL},
                done=[side.staged for side in lost if side.staged is not None],
            )
        )


def look_up(run: Run, holders: Collection[Holder]) -> dict[Holder, Snapshot | Refused | None]:
    """Who has these addresses, side by side; None for an address that nobody has, the refusal where it is refused.

    Each is asked for once in a cycle, and who was found is staged then. What a stopped system owes is left out.
    """
    answers: dict[Holder, Snapshot | Refused | None] = {
        holder: run.looked_up[holder] for holder in holders if holder in run.looked_up
    }
    wanted = [holder for holder in holders if holder[0] not in run.stopped and holder not in answers]

    def ask(holder: Holder) -> Snapshot | StopSystem | Refused | None:
        try:
            return run.systems[holder[0]].reader.find(holder[1])
        except (StopSystem, Refused) as error:
            return error

    with pool(run.pair.workers, "find", systems=2) as threads:
        for holder, answer in zip(wanted, threads.map(ask, wanted), strict=True):
            if isinstance(answer, StopSystem):
                run.sender.stopped.setdefault(holder[0], answer)
            else:
                answers[holder] = answer
                if not isinstance(answer, Refused):
                    run.looked_up[holder] = answer
                    _take_in(run, holder, answer)
    return answers


def _take_in(run: Run, holder: Holder, answer: Snapshot | None) -> None:
    """Stage who was found, whatever becomes of the case that asked; an index may still show who is gone."""
    if answer is not None and _has(run, holder, answer) and (holder[0], answer.contact_id) not in run.gone:
        run.read_now.add((holder[0], answer.contact_id))
        run.book.meet({holder[0]: answer.tags})
        stage(run, holder[0], Page("read", (answer,)))


def _has(run: Run, holder: Holder, answer: Snapshot) -> bool:
    """Whether who was found has the address, be it as an additional one."""
    wanted = run.pair.digester.address(holder[1])
    own = [answer.address] if answer.address is not None else []
    return wanted in map(run.pair.digester.address, [*own, *answer.additional_addresses])


def with_found(run: Run, case: Case, holder: Holder, answer: Snapshot | None) -> Case:
    """The case with what the look-up brought."""
    system, address = holder
    digester = run.pair.digester
    gone = {side.contact_id for side in case.gone}
    if answer is None or answer.contact_id in gone or not _has(run, holder, answer):
        return replace(case, found=Found())
    own = answer.address is not None and digester.address(answer.address) == digester.address(address)
    store, ids = run.pair.store, [answer.contact_id]
    known = store.contacts(system, ids).get(answer.contact_id)
    linked = store.links(ghl=ids) if system is GHL else store.links(emailoctopus=ids)
    if known is None or linked or not own:
        return replace(case, found=Found(claimed=True))
    row = store.staged(system, ids).get(answer.contact_id, Staged(system, answer.contact_id, None))
    return replace(case, found=Found(CaseSide(known, row).with_read(answer)))
