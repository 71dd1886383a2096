"""Changed addresses, decided together: a moved address moves the link, never a person (contract, section 3)."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import Enum, auto

from sync_daemon.model.state import Link


class Step(Enum):
    """What happens to a link whose address changed."""

    CHANGE_EMAILOCTOPUS = auto()
    """The EmailOctopus contact gets GHL's new address."""
    CHANGE_GHL = auto()
    """The GHL contact gets EmailOctopus's new address."""
    AGREE = auto()
    """Both have the same new address."""
    EMPTIED = auto()
    """GHL has no usable address any more: link and EmailOctopus contact stay."""
    EXCHANGE = auto()
    """The addresses of several links go round: the links exchange their EmailOctopus contacts."""
    RELINK = auto()
    """An unlinked EmailOctopus contact has the new address: the link moves to it."""
    DISSOLVE = auto()
    """A link that stays has the new address: this GHL contact becomes its duplicate."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A link whose address changed: the digests both sides have now, None for none usable.

    `agreed` is the digest of the address when the two last agreed; `occupant` the id of the EmailOctopus
    contact that has GHL's new address now, `occupant_link` its link; `stays` says that EmailOctopus's address is
    the one that was agreed there, be it another one on purpose.
    """

    link: Link
    agreed: bytes | None
    ghl: bytes | None
    emailoctopus: bytes | None
    occupant: str | None = None
    occupant_link: Link | None = None
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """The step for one link. `partner` is the EmailOctopus contact it is linked to afterwards, where that
    changes; `duplicate_of` the GHL contact whose link stays; `orphans` whether its contact is left alone.
    """

    link: Link
    step: Step
    partner: str | None = None
    duplicate_of: str | None = None
    orphans: bool = False


def plan_moves(moved: Sequence[Moved]) -> list[list[Move]]:
    """The moves in waves: those of a wave can be done side by side, a later wave needs the one before.

    A chain (a to b, b to c) starts at its free end; a ring exchanges the links' EmailOctopus contacts.
    """
    by_ghl = {item.link.ghl_id: item for item in moved}
    simple = {item.link.ghl_id: _simple(item, by_ghl) for item in moved}
    waits_for = {
        item.link.ghl_id: item.occupant_link.ghl_id
        for item in moved
        if item.occupant_link is not None and simple[item.link.ghl_id] is None
    }
    rings = _rings(waits_for)
    ringed = {ghl_id for ring in rings for ghl_id in ring}
    late = _latecomers(moved, simple, ringed)
    first = [
        *(move for ghl_id, move in simple.items() if move is not None and ghl_id not in late),
        *late.values(),
        *(move for ring in rings for move in _exchange(ring, by_ghl)),
    ]
    chained = {ghl_id: other for ghl_id, other in waits_for.items() if ghl_id not in ringed and ghl_id not in late}
    return _taken_over(_in_waves(first, chained, by_ghl))


def _in_waves(first: list[Move], waits_for: Mapping[str, str], by_ghl: Mapping[str, Moved]) -> list[list[Move]]:
    """The first wave, then as soon as it can whoever waits for another link to have moved on."""
    waves = [first] if first else []
    done = {move.link.ghl_id: move for move in first}
    waiting = dict(waits_for)
    while waiting:
        wave = [_after(by_ghl[ghl_id], done[other]) for ghl_id, other in waiting.items() if other in done]
        waves.append(wave)
        done.update((move.link.ghl_id, move) for move in wave)
        waiting = {ghl_id: other for ghl_id, other in waiting.items() if ghl_id not in done}
    return waves


def _simple(item: Moved, moving: Mapping[str, Moved]) -> Move | None:
    """The step of a link that no other moving link stands in the way of; None when one does."""
    link = item.link
    if item.ghl is None:
        return Move(link, Step.EMPTIED)
    if item.ghl == item.emailoctopus:
        return Move(link, Step.AGREE)
    if item.ghl == item.agreed:
        return Move(link, Step.AGREE if item.stays else Step.CHANGE_GHL)
    if item.occupant is None:
        return Move(link, Step.CHANGE_EMAILOCTOPUS)
    if item.occupant_link is None:
        return Move(link, Step.RELINK, partner=item.occupant, orphans=True)
    other = moving.get(item.occupant_link.ghl_id)
    if other is not None and other.ghl is not None and other.ghl not in (item.ghl, other.agreed):
        return None
    return Move(link, Step.DISSOLVE, duplicate_of=item.occupant_link.ghl_id, orphans=True)


def _latecomers(moved: Sequence[Moved], simple: Mapping[str, Move | None], ringed: AbstractSet[str]) -> dict[str, Move]:
    """Of several links that move to one address one gets it, one of a ring before all; the others become duplicates."""
    claims: dict[bytes, list[Moved]] = {}
    for item in moved:
        move = simple[item.link.ghl_id]
        if item.ghl is not None and (move is None or move.step in (Step.CHANGE_EMAILOCTOPUS, Step.RELINK)):
            claims.setdefault(item.ghl, []).append(item)
    late: dict[str, Move] = {}
    for items in claims.values():
        winner, *others = sorted(items, key=lambda item: item.link.ghl_id not in ringed)
        for item in others:
            late[item.link.ghl_id] = Move(item.link, Step.DISSOLVE, duplicate_of=winner.link.ghl_id, orphans=True)
    return late


def _after(item: Moved, before: Move) -> Move:
    """The step of a link once the link that held its address has moved on."""
    if before.step in (Step.RELINK, Step.DISSOLVE):
        return Move(item.link, Step.RELINK, partner=item.occupant, orphans=True)
    return Move(item.link, Step.CHANGE_EMAILOCTOPUS)


def _taken_over(waves: Sequence[Sequence[Move]]) -> list[list[Move]]:
    """A contact left behind that another link moves to is no orphan."""
    taken = {move.partner for wave in waves for move in wave}
    return [
        [replace(move, orphans=move.orphans and move.link.emailoctopus_id not in taken) for move in wave]
        for wave in waves
    ]


def _exchange(ring: Sequence[str], by_ghl: Mapping[str, Moved]) -> list[Move]:
    return [Move(by_ghl[ghl_id].link, Step.EXCHANGE, partner=by_ghl[ghl_id].occupant) for ghl_id in ring]


def _rings(waits_for: Mapping[str, str]) -> list[list[str]]:
    """The cycles of a graph in which every node has at most one arrow out."""
    rings: list[list[str]] = []
    seen: set[str] = set()
    for start in waits_for:
        path: list[str] = []
        node: str | None = start
        while node is not None and node not in seen:
            seen.add(node)
            path.append(node)
            node = waits_for.get(node)
        if node in path:
            rings.append(path[path.index(node) :])
    return rings
