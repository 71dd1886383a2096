"""The inbox as a cycle works through it: batch by batch, both systems in turns."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest

from sync_daemon.cycle.pair import GHL, Run
from sync_daemon.model.plan import MassChange
from sync_daemon.model.state import Held, Parked, Staged
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit
from sync_daemon.reconcile.decision import Decision, revocations_of
from sync_daemon.reconcile.guard import OF_NO_CASE
from sync_daemon.reconcile.pair_addresses import CHANGE_ADDRESS

_BATCH = 1000
"""Inbox rows of each system that are decided together: enough to fill EmailOctopus's batches."""
_ROOM: Mapping[SystemName, int] = dict.fromkeys(SystemName, _BATCH)


def batches(run: Run) -> Iterator[list[Staged]]:
    """The inbox, batch by batch; rows that are staged meanwhile come last."""
    after = dict.fromkeys(SystemName, 0)
    while rows := next_rows(run, after):
        yield rows


def topped_up(run: Run, waiting: Sequence[Staged], after: dict[SystemName, int]) -> list[Staged]:
    """Of some rows those that wait still, and the next ones of each system as far as there is room; moves `after`.

    So the system that is written fast isn't kept waiting by the one that is written slowly.
    """
    left = still_staged(run, waiting)
    taken = Counter(row.system for row in left)
    return left + next_rows(run, after, {name: max(0, _BATCH - taken[name]) for name in SystemName})


def next_rows(
    run: Run, after: dict[SystemName, int], room: Mapping[SystemName, int] = _ROOM, *, revoked: bool = False
) -> list[Staged]:
    """The next inbox rows of both systems, in turns, so that both are kept busy; moves `after` on."""
    each = []
    for system in SystemName:
        rows = run.pair.store.next_staged(system, after[system], room[system], revoked=revoked)
        after[system] = rows[-1].sequence if rows else after[system]
        each.append(rows)
    return [row for turn in zip_longest(*each) for row in turn if row is not None]


def still_staged(run: Run, rows: Sequence[Staged]) -> list[Staged]:
    """The rows of the same contacts that wait now."""
    return [
        row
        for name in SystemName
        for row in run.pair.store.staged(name, [row.contact_id for row in rows if row.system is name]).values()
    ]


def stage_due(run: Run) -> None:
    """What is parked and whose time has come, and what a person decided about: to be read by id and decided anew."""
    store = run.pair.store
    due = store.parked(due=run.pair.clock.now())
    decided = store.held(ordered=True)
    ordered = [entry for entry in decided if entry.action not in OF_NO_CASE]
    moving: list[Parked | Held] = [
        *(entry for entry in due if entry.what == "address"),
        *(entry for entry in ordered if entry.action == CHANGE_ADDRESS),
    ]
    waiting: list[Parked | Held] = [*due, *ordered]
    rows: list[Staged] = []
    for name in SystemName:
        missing = {_id_in(entry, name) for entry in due if entry.what == "deletion"}
        ids = {one for entry in waiting if (one := _id_in(entry, name))}
        moved = {_id_in(entry, name) for entry in moving} | set(_with_new_address(run, name, ids))
        staged = store.staged(name, ids)
        new = ids - staged.keys()
        rows += [Staged(name, one, None, moved=one in moved, absent=one in missing) for one in new]
        rows += [replace(row, moved=True) for one, row in staged.items() if one in moved and not row.moved]
    # What was held of an undo is over: the undo isn't asked for any more, and what it would have done isn't either.
    over = [entry for entry in decided if entry.action == MassChange.UNDO and entry.discarded]
    if rows or over:
        run.commit(Commit(staged=rows, unheld=over))


def _with_new_address(run: Run, name: SystemName, ids: Collection[str]) -> Iterator[str]:
    """The contacts whose address changed before something of them was parked: its change waited with the rest."""
    for contact_id, known in run.pair.store.contacts(name, ids).items():
        agreed = known.baseline.address if known.baseline is not None else None
        if agreed is not None and known.address is not None and known.address != agreed:
            yield contact_id


def keep_reads(run: Run, rows: Sequence[Staged], decisions: Sequence[Decision]) -> None:
    """Who was read by id and is to be decided later isn't read again for the rest of the cycle."""
    before = {(row.system, row.contact_id): row.snapshot for row in rows}
    read = [
        replace(row, revoked=row.revoked and revocations_of(decision) is not None)
        for decision in decisions
        for row in decision.case.rows()
        if row.snapshot is not before.get((row.system, row.contact_id), row.snapshot)
    ]
    if read:
        run.commit(Commit(staged=read))


def _id_in(entry: Parked | Held, system: SystemName) -> str | None:
    return entry.ghl_id if system is GHL else entry.emailoctopus_id
