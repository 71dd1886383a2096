"""Links whose address changed: decided together, carried out in waves (contract, section 3)."""

from collections.abc import Sequence
from dataclasses import replace

from sync_daemon.changes.addresses import is_valid
from sync_daemon.changes.cases import Case, Lookups, linked_case
from sync_daemon.cycle.inbox import keep_reads
from sync_daemon.cycle.judge import judge
from sync_daemon.cycle.pair import EMAILOCTOPUS, GHL, Run
from sync_daemon.cycle.write import carry_out
from sync_daemon.model.state import KnownContact, Link, Staged, Unlinked
from sync_daemon.model.system import SystemName
from sync_daemon.read.gather import gather
from sync_daemon.reconcile.decision import Decision
from sync_daemon.reconcile.moves import Move, Moved, Step, plan_moves

_AT_MOST = 100_000
_ROUNDS = 3


def move_all(run: Run) -> None:
    """Decide and carry out every changed address; what met an unknown contact on its way is decided again."""
    for _ in range(_ROUNDS):
        rows = _moved_rows(run)
        if not rows or run.stopped:
            return
        lookups = gather(rows, run.pair.store)
        moved_on = False
        for wave in _waves(run, rows, lookups):
            decisions = judge(run, _cases(wave, lookups), {move.link.ghl_id: move for move in wave})
            sifted, put_off = run.sift(decisions)
            now = _possible(run, sifted)
            carry_out(run, now)
            keep_reads(run, rows, put_off)
            lookups = gather(rows, run.pair.store)
            moved_on = moved_on or bool(now) or not put_off
            if put_off:  # a later wave may wait for them
                break
        if not moved_on:
            return


def _possible(run: Run, decisions: Sequence[Decision]) -> list[Decision]:
    """The decisions without those that take a contact which another link still has: what was to free it waits."""
    partners = {partner for decision in decisions if (partner := _taken_by(decision)) is not None}
    holders = {link.emailoctopus_id for link in run.pair.store.links(emailoctopus=partners)} if partners else set()
    possible, left = list(decisions), -1
    while len(possible) != left:
        left = len(possible)
        given = {case.former.emailoctopus_id for case in (one.case for one in possible) if case.former is not None}
        possible = [one for one in possible if (taken := _taken_by(one)) not in holders or taken in given]
    return possible


def _taken_by(decision: Decision) -> str | None:
    """The EmailOctopus contact that a link moves to, None where it keeps its own."""
    case = decision.case
    return case.emailoctopus.contact_id if case.former is not None and case.emailoctopus is not None else None


def plan_all(run: Run) -> list[Decision]:
    """The decisions about changed addresses, without carrying them out."""
    rows = _moved_rows(run)
    lookups = gather(rows, run.pair.store)
    moves = [move for wave in _waves(run, rows, lookups) for move in wave]
    return judge(run, _cases(moves, lookups), {move.link.ghl_id: move for move in moves})


def _moved_rows(run: Run) -> list[Staged]:
    store = run.pair.store
    return [row for name in SystemName for row in store.next_staged(name, 0, _AT_MOST, moved=True)]


def _moved(run: Run, rows: Sequence[Staged], lookups: Lookups) -> list[Moved]:
    links = {link.ghl_id: link for row in rows if (link := lookups.links.get((row.system, row.contact_id))) is not None}
    targets = {address for link in links.values() if (address := _address(link, GHL, lookups))}
    occupants = run.pair.store.contacts_at(EMAILOCTOPUS, targets)
    found = [contact for group in occupants.values() for contact in group]
    lookups.add_links(run.pair.store.links(emailoctopus=[contact.contact_id for contact in found]))
    for contact in found:
        lookups.contacts[EMAILOCTOPUS, contact.contact_id] = contact
    return [_one(link, lookups, occupants) for link in links.values()]


def _waves(run: Run, rows: Sequence[Staged], lookups: Lookups) -> list[list[Move]]:
    """The moves in waves. A contact left behind is no orphan where another GHL contact has its address."""
    waves = plan_moves(_moved(run, rows, lookups))
    left = {
        address
        for wave in waves
        for move in wave
        if move.orphans and (address := _address(move.link, EMAILOCTOPUS, lookups)) is not None
    }
    claimed = {
        address
        for address, group in run.pair.store.contacts_at(GHL, left).items()
        if any(contact.unlinked is not Unlinked.DELETED for contact in group)
    }
    return [
        [
            replace(move, orphans=move.orphans and _address(move.link, EMAILOCTOPUS, lookups) not in claimed)
            for move in wave
        ]
        for wave in waves
    ]


def _one(link: Link, lookups: Lookups, occupants: dict[bytes, list[KnownContact]]) -> Moved:
    ghl = _address(link, GHL, lookups)
    ends = (contact for contact in occupants.get(ghl or b"", ()) if contact.contact_id != link.emailoctopus_id)
    occupant = next((contact for contact in ends if contact.unlinked is not Unlinked.DELETED), None)
    return Moved(
        link,
        agreed=_agreed(link, lookups),
        ghl=ghl,
        emailoctopus=_address(link, EMAILOCTOPUS, lookups),
        occupant=occupant.contact_id if occupant else None,
        occupant_link=lookups.links.get((EMAILOCTOPUS, occupant.contact_id)) if occupant else None,
        stays=_stays(link, lookups),
    )


def _stays(link: Link, lookups: Lookups) -> bool:
    known = lookups.side((EMAILOCTOPUS, link.emailoctopus_id)).known
    return known.baseline is not None and known.baseline.address == known.address


def _agreed(link: Link, lookups: Lookups) -> bytes | None:
    """The address the two last agreed about: one that is there because we wrote it counts as agreed."""
    sides = [lookups.side((name, link.id_in(name))).known for name in SystemName]
    written = (known.address for known in sides if known.sent and known.sent.address == known.address)
    baseline = lookups.side((GHL, link.ghl_id)).known.baseline
    return next(filter(None, written), baseline.address if baseline else None)


def _address(link: Link, system: SystemName, lookups: Lookups) -> bytes | None:
    """The digest of the address a linked contact has now; one whose syntax is wrong counts as none."""
    side = lookups.side((system, link.id_in(system)))
    snapshot = side.snapshot
    if snapshot is None and system is GHL and link.address_emptied:
        return None
    if snapshot is not None and snapshot.address is not None and not is_valid(snapshot.address):
        return None
    return side.known.address


def _cases(moves: Sequence[Move], lookups: Lookups) -> list[Case]:
    return [_case(move, lookups) for move in moves]


def _case(move: Move, lookups: Lookups) -> Case:
    case = linked_case(move.link, lookups)
    if move.step not in (Step.RELINK, Step.EXCHANGE) or move.partner is None:
        return case
    partner = lookups.side((EMAILOCTOPUS, move.partner))
    return replace(
        case,
        link=None,
        emailoctopus=partner,
        former=move.link,
        left_behind=case.emailoctopus if move.step is Step.RELINK else None,
        enters_revoked=False,  # the contact that has the address tells its consent
        orphans=move.orphans,
        exchanged=move.step is Step.EXCHANGE,
    )
