"""Deletions: proven by a read by id, decided by policy, held where a day had enough of them (contract, section 6)."""

from collections.abc import Sequence
from dataclasses import replace

from sync_daemon.changes.cases import who_is_who
from sync_daemon.cycle.judge import judge
from sync_daemon.cycle.pair import EMAILOCTOPUS, GHL, Run, log
from sync_daemon.model.plan import GUARDED_FOR
from sync_daemon.model.state import Change, Held, Link, Staged
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit
from sync_daemon.read.gather import gather
from sync_daemon.reconcile.decision import Decision
from sync_daemon.reconcile.deletions import DELETION, UNPROVEN
from sync_daemon.reconcile.guard import fresh, room_left

_AT_ONCE = 100


def decide_missing(run: Run) -> list[Decision]:
    """The decisions about links of which a contact is missing. Once the guard's limit is passed no more are read.

    What a person said about a held deletion is decided first, and isn't counted; nor is what a run that was cut off
    had begun.
    """
    met: set[str] = set()
    decisions = _decide(run, _ordered(run), met)
    room: int | None = None  # counted where somebody is missing: it takes as long as there are links
    for name in SystemName:
        after = 0
        while not run.stopped and run.pair.store.next_staged(name, after, 1, absent=True):
            room = _room(run) if room is None else room
            at_once = min(_AT_ONCE, room + 1) if room >= 0 else _AT_ONCE
            rows = run.pair.store.next_staged(name, after, at_once, absent=True)
            after = rows[-1].sequence
            decided = _decide(run, rows if room >= 0 else _hold(run, name, rows, met), met)
            room -= sum(DELETION in fresh(decision, first_load=False) for decision in decided)
            decisions.extend(decided)
    return decisions


def _room(run: Run) -> int:
    """How many more deletions the guard lets through today."""
    store = run.pair.store
    made = store.mass_changes(run.pair.clock.now() - GUARDED_FOR).get(DELETION, 0)
    return room_left(DELETION, run.policy().guard, links=store.count_links(), made=made)


def _decide(run: Run, rows: Sequence[Staged], met: set[str]) -> list[Decision]:
    """The decisions about the links among these rows' contacts, each link once."""
    cases = who_is_who(rows, gather(rows, run.pair.store)) if rows else []
    new = [case for case in cases if case.link is not None and case.link.ghl_id not in met]
    met.update(case.link.ghl_id for case in new if case.link is not None)
    decisions = judge(run, new)
    moving = [row for decision in decisions if _is_moving(decision) for row in decision.case.rows()]
    if moving:
        run.commit(Commit(staged=[replace(row, absent=False) for row in moving]))
    return [decision for decision in decisions if not _is_moving(decision)]


def _is_moving(decision: Decision) -> bool:
    """Whether all of a link turned out to be there while its address changed: that is decided with the other moves."""
    return not decision.case.gone and any(row.moved for row in decision.case.rows())


def _ordered(run: Run) -> list[Staged]:
    """Hints at the links whose held deletion a person approved or discarded: it is proven again before it counts.

    What is held of a link that is there no more is over.
    """
    store = run.pair.store
    # An orphan's deletion is held under its own id alone: it is decided with the other contacts without a link.
    ordered = [one for one in store.held(ordered=True) if one.action == DELETION and one.ghl_id is not None]
    if not ordered:
        return []
    links = {(link.ghl_id, link.emailoctopus_id) for link in store.links(ghl={one.ghl_id or "" for one in ordered})}
    linked = [one for one in ordered if (one.ghl_id, one.emailoctopus_id) in links]
    ids = {GHL: [one.ghl_id or "" for one in linked], EMAILOCTOPUS: [one.emailoctopus_id or "" for one in linked]}
    hints = [Staged(name, contact_id, None, absent=True) for name in SystemName for contact_id in ids[name]]
    run.commit(Commit(staged=hints, unheld=[one for one in ordered if one not in linked]))
    return [row for name in SystemName for row in store.staged(name, ids[name]).values()]


def _hold(run: Run, name: SystemName, rows: Sequence[Staged], met: set[str]) -> list[Staged]:
    """Hold what nobody has proven: too much is missing for one day. Gives the rows of what had begun: it goes on."""
    store = run.pair.store
    ids = [row.contact_id for row in rows]
    links = store.links(ghl=ids) if name is GHL else store.links(emailoctopus=ids)
    new = {link.id_in(name): link for link in links if link.ghl_id not in met}
    others = store.contacts(name.other, [link.id_in(name.other) for link in new.values()])
    had_begun = {other for other, known in others.items() if known.sent is not None and DELETION in known.sent.counted}
    going_on = [row for row in rows if row.contact_id in new and new[row.contact_id].id_in(name.other) in had_begun]
    waiting = {contact_id: link for contact_id, link in new.items() if link.id_in(name.other) not in had_begun}
    met.update(link.ghl_id for link in waiting.values())
    held = [_unproven(run, name, link) for link in waiting.values()]
    if held:
        run.report.new_held += len(held)
        log.error("deletions_unproven", pair=run.pair.name, system=name, contacts=len(held))
        changes = [Change("held", None, one.ghl_id, one.emailoctopus_id, one.action, one.reason) for one in held]
        run.commit(Commit(held=held, changes=changes, done=[row for row in rows if row.contact_id in waiting]))
    return going_on


def _unproven(run: Run, name: SystemName, link: Link) -> Held:
    return Held(link.ghl_id, link.emailoctopus_id, DELETION, UNPROVEN[name], run.pair.clock.now())
