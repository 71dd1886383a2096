"""Contract, section 3, "The address is a field": all moves of a cycle are decided together."""

from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_daemon.model.state import Link
from sync_daemon.reconcile.moves import Move, Moved, Step, plan_moves


@dataclass
class Place:
    """Linked contacts g0-e0, g1-e1, … and EmailOctopus contacts without a link, by address; None has none.

    `agreed` is each link's address before; links whose address is the agreed one on both sides don't move.
    """

    agreed: list[str]
    ghl: dict[str, str | None]
    emailoctopus: dict[str, str]
    links: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.links = {f"g{number}": f"e{number}" for number in range(len(self.agreed))}

    def moved(self) -> list[Moved]:
        """What the plan is made of."""
        found = []
        for (ghl_id, there), agreed in zip(self.links.items(), self.agreed, strict=True):
            address = self.ghl[ghl_id]
            if address == agreed == self.emailoctopus[there]:
                continue
            occupant = next((one for one, at in self.emailoctopus.items() if at == address and one != there), None)
            owner = next((one for one, partner in self.links.items() if partner == occupant), None)
            found.append(
                Moved(
                    Link(ghl_id, there),
                    agreed.encode(),
                    address.encode() if address else None,
                    self.emailoctopus[there].encode(),
                    occupant,
                    Link(owner, occupant) if owner and occupant else None,
                )
            )
        return found

    def carry_out(self, wave: list[Move]) -> None:
        """Do one wave the way both systems and the store would: what isn't free is refused."""
        for move in wave:
            ghl_id = move.link.ghl_id
            assert self.links.get(ghl_id) == move.link.emailoctopus_id
            match move.step:
                case Step.CHANGE_EMAILOCTOPUS:
                    address = self.ghl[ghl_id]
                    assert address is not None
                    assert address not in self.emailoctopus.values(), "another EmailOctopus contact has the address"
                    self.emailoctopus[move.link.emailoctopus_id] = address
                case Step.CHANGE_GHL:
                    self.ghl[ghl_id] = self.emailoctopus[move.link.emailoctopus_id]
                case Step.RELINK:
                    assert move.partner is not None
                    assert move.partner not in self.links.values(), "two links would share a contact"
                    self.links[ghl_id] = move.partner
                case Step.DISSOLVE:
                    del self.links[ghl_id]
        exchanged = {move.link.ghl_id: move.partner or "" for move in wave if move.step is Step.EXCHANGE}
        self.links.update(exchanged)
        assert len(set(self.links.values())) == len(self.links), "two links share a contact"


def steps(place: Place) -> dict[str, str]:
    """Each link's step, with its partner or whose duplicate it becomes; an orphan is left with `!`."""
    found: dict[str, str] = {}
    for number, wave in enumerate(plan_moves(place.moved())):
        for move in wave:
            words = (str(number), move.step.name, move.partner or move.duplicate_of or "")
            found[move.link.ghl_id] = " ".join(filter(None, words)) + ("!" if move.orphans else "")
    return found


def place(*links: tuple[str, str | None, str], unlinked: str = "") -> Place:
    """Links by (agreed, GHL's, EmailOctopus's) address, and addresses of unlinked EmailOctopus contacts u0, u1, …"""
    return Place(
        [agreed for agreed, _, _ in links],
        {f"g{number}": ghl for number, (_, ghl, _) in enumerate(links)},
        {f"e{number}": there for number, (_, _, there) in enumerate(links)}
        | {f"u{number}": address for number, address in enumerate(unlinked)},
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (place(("a", "b", "a")), {"g0": "0 CHANGE_EMAILOCTOPUS"}),
        (place(("a", "a", "b")), {"g0": "0 CHANGE_GHL"}),
        (place(("a", "b", "b")), {"g0": "0 AGREE"}),
        (place(("a", "b", "c")), {"g0": "0 CHANGE_EMAILOCTOPUS"}),
        (place(("a", None, "a")), {"g0": "0 EMPTIED"}),
        (place(("a", None, "b")), {"g0": "0 EMPTIED"}),
        (place(("a", "a", "a"), ("b", "c", "b")), {"g1": "0 CHANGE_EMAILOCTOPUS"}),
    ],
)
def test_one_link_moves(before: Place, after: dict[str, str]) -> None:
    assert steps(before) == after


@pytest.mark.parametrize(("stays", "step"), [(True, Step.AGREE), (False, Step.CHANGE_GHL)])
def test_an_address_that_was_agreed_to_be_another_in_emailoctopus_stays_so(stays: bool, step: Step) -> None:
    link = Link("g0", "e0")
    assert plan_moves([Moved(link, b"a", b"a", b"b", stays=stays)]) == [[Move(link, step)]]


def test_onto_an_unlinked_contact_the_link_moves_and_leaves_an_orphan() -> None:
    assert steps(place(("a", "b", "a"), unlinked="b")) == {"g0": "0 RELINK u0!"}


def test_onto_a_link_that_stays_the_link_ends() -> None:
    assert steps(place(("a", "b", "a"), ("b", "b", "b"))) == {"g0": "0 DISSOLVE g1!"}
    assert steps(place(("a", "b", "a"), ("b", None, "b"))) == {"g0": "0 DISSOLVE g1!", "g1": "0 EMPTIED"}
    assert steps(place(("a", "c", "a"), ("b", "b", "c"))) == {"g0": "0 DISSOLVE g1!", "g1": "0 CHANGE_GHL"}


def test_two_that_take_each_others_address_exchange_their_contacts() -> None:
    assert steps(place(("a", "b", "a"), ("b", "a", "b"))) == {"g0": "0 EXCHANGE e1", "g1": "0 EXCHANGE e0"}


def test_three_in_a_ring_too() -> None:
    ring = place(("a", "b", "a"), ("b", "c", "b"), ("c", "a", "c"))
    assert steps(ring) == {"g0": "0 EXCHANGE e1", "g1": "0 EXCHANGE e2", "g2": "0 EXCHANGE e0"}


def test_a_chain_starts_at_its_free_end() -> None:
    chain = place(("a", "b", "a"), ("b", "c", "b"), ("c", "d", "c"))
    assert steps(chain) == {
        "g2": "0 CHANGE_EMAILOCTOPUS",
        "g1": "1 CHANGE_EMAILOCTOPUS",
        "g0": "2 CHANGE_EMAILOCTOPUS",
    }


def test_a_chain_that_ends_at_an_unlinked_contact_hands_contacts_on_and_leaves_one_orphan() -> None:
    chain = place(("a", "b", "a"), ("b", "c", "b"), ("c", "d", "c"), unlinked="d")
    assert steps(chain) == {"g2": "0 RELINK u0", "g1": "1 RELINK e2", "g0": "2 RELINK e1!"}


def test_a_chain_that_ends_at_a_link_that_stays() -> None:
    chain = place(("a", "b", "a"), ("b", "c", "b"), ("c", "c", "c"))
    assert steps(chain) == {"g1": "0 DISSOLVE g2", "g0": "1 RELINK e1!"}


def test_of_two_that_take_one_address_one_gets_it() -> None:
    """Whether it is free, an unlinked contact's, or that of a link that moves on; the other is its duplicate."""
    assert steps(place(("a", "c", "a"), ("b", "c", "b"))) == {"g0": "0 CHANGE_EMAILOCTOPUS", "g1": "0 DISSOLVE g0!"}
    assert steps(place(("a", "c", "a"), ("b", "c", "b"), unlinked="c")) == {
        "g0": "0 RELINK u0!",
        "g1": "0 DISSOLVE g0!",
    }
    assert steps(place(("a", "c", "a"), ("b", "c", "b"), ("c", "d", "c"))) == {
        "g2": "0 CHANGE_EMAILOCTOPUS",
        "g0": "1 CHANGE_EMAILOCTOPUS",
        "g1": "0 DISSOLVE g0!",
    }


def test_who_comes_to_a_ring_is_the_duplicate_of_the_one_in_it() -> None:
    mixed = place(("x", "b", "x"), ("a", "b", "a"), ("b", "a", "b"))
    assert steps(mixed) == {"g0": "0 DISSOLVE g1!", "g1": "0 EXCHANGE e2", "g2": "0 EXCHANGE e1"}


def test_everything_at_once() -> None:
    mixed = place(
        ("a", "b", "a"), ("b", "a", "b"),  # a ring
        ("c", "d", "c"), ("d", "e", "d"),  # a chain
        ("f", None, "f"), ("g", "g", "h"), ("i", "u", "i"),
        unlinked="u",
    )  # fmt: skip
    assert steps(mixed) == {
        "g0": "0 EXCHANGE e1",
        "g1": "0 EXCHANGE e0",
        "g3": "0 CHANGE_EMAILOCTOPUS",
        "g2": "1 CHANGE_EMAILOCTOPUS",
        "g4": "0 EMPTIED",
        "g5": "0 CHANGE_GHL",
        "g6": "0 RELINK u0!",
    }


def test_nothing_moved_nothing_planned() -> None:
    assert plan_moves([]) == []


@st.composite
def places(draw: st.DrawFn) -> Place:
    """Any addresses whatsoever, EmailOctopus's all different."""
    count = draw(st.integers(1, 6))
    letters = "abcdefgh"
    agreed = list(letters[:count])
    ghl = [draw(st.sampled_from([*letters, None, own, own])) for own in agreed]
    there = agreed if draw(st.booleans()) else draw(st.permutations(letters))[:count]
    free = [letter for letter in letters if letter not in there]
    unlinked = draw(st.lists(st.sampled_from(free), unique=True)) if free else []
    return place(*zip(agreed, ghl, there, strict=True), unlinked="".join(unlinked))


@given(places())
def test_every_moved_link_has_one_move_and_nobody_appears_twice(before: Place) -> None:
    moved = before.moved()
    moves = [move for wave in plan_moves(moved) for move in wave]
    assert Counter(move.link.ghl_id for move in moves) == Counter(item.link.ghl_id for item in moved)
    partners = Counter(move.partner for move in moves if move.partner is not None)
    assert max(partners.values(), default=1) == 1
    assert all(move.link in [item.link for item in moved] for move in moves)
    for wave in plan_moves(moved):
        assert wave


@given(places())
def test_wave_by_wave_every_move_can_be_done_and_afterwards_addresses_agree(before: Place) -> None:
    moved = before.moved()
    waves = plan_moves(moved)
    for wave in waves:
        before.carry_out(wave)
    moves = {move.link.ghl_id: move for wave in waves for move in wave}
    for item in moved:
        ghl_id = item.link.ghl_id
        move = moves[ghl_id]
        if move.step is Step.DISSOLVE:
            keeper = move.duplicate_of
            assert keeper in before.links
            addresses = (before.ghl[keeper], before.emailoctopus[before.links[keeper]])
            assert before.ghl[ghl_id] in addresses, "it is nobody's duplicate"
        elif move.step is not Step.EMPTIED:
            assert before.ghl[ghl_id] == before.emailoctopus[before.links[ghl_id]]


@given(places())
def test_orphans_are_those_whom_nobody_has_any_more(before: Place) -> None:
    had = set(before.links.values())
    waves = plan_moves(before.moved())
    orphans = {move.link.emailoctopus_id for wave in waves for move in wave if move.orphans}
    for wave in waves:
        before.carry_out(wave)
    assert orphans == had - set(before.links.values())
