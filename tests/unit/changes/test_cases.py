"""Contract, section 3, "Matching": who is who."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_daemon.changes.cases import Case, CaseSide, ContactKey, Lookups, linked_case, who_is_who
from sync_daemon.model.state import Baseline, Cause, Held, KnownContact, Link, Parked, Sent, Staged, Unlinked
from sync_daemon.model.system import SystemName
from tests.unit.changes.values import ADA, BOB, EMAILOCTOPUS, EVE, GHL, at, digest, person, staged, subscriber


def row(
    contact_id: str, address: str | None = ADA, unlinked: Unlinked | None = None, minutes: float = 0
) -> KnownContact:
    """A contact the store knows; its system is in its name."""
    system = GHL if contact_id.startswith("g") else EMAILOCTOPUS
    return KnownContact(
        system, contact_id, at(minutes), address=digest(address) if address else None, unlinked=unlinked
    )


def lookups(contacts: Iterable[KnownContact], links: Iterable[Link] = (), rows: Iterable[Staged] = ()) -> Lookups:
    """What the store knows, found the way a batch asks for it."""
    found = Lookups(
        contacts={(contact.system, contact.contact_id): contact for contact in contacts},
        staged={(one.system, one.contact_id): one for one in rows},
    )
    found.add_links(links)
    for contact in found.contacts.values():
        if contact.address is not None:
            found.at[contact.system].setdefault(contact.address, []).append(contact)
    return found


def hint(contact_id: str) -> Staged:
    return Staged(GHL if contact_id.startswith("g") else EMAILOCTOPUS, contact_id, None)


def shape(case: Case) -> tuple[str | None, str | None, list[str], str | None]:
    """Who is in a case: GHL's contact, EmailOctopus's, the duplicates, and whose link blocks it."""
    return (
        case.ghl.contact_id if case.ghl else None,
        case.emailoctopus.contact_id if case.emailoctopus else None,
        [side.contact_id for side in case.duplicates],
        case.blocked_by.ghl_id if case.blocked_by else None,
    )


def shapes(
    ids: Sequence[str], contacts: Iterable[KnownContact], links: Iterable[Link] = ()
) -> list[tuple[str | None, str | None, list[str], str | None]]:
    rows = [hint(contact_id) for contact_id in ids]
    return [shape(case) for case in who_is_who(rows, lookups(contacts, links, rows))]


G1E1 = Link("g1", "e1")


@pytest.mark.parametrize("ids", [["g1"], ["e1"], ["g1", "e1"], ["e1", "g1"]])
def test_a_link_known_by_either_id(ids: list[str]) -> None:
    assert shapes(ids, [row("g1"), row("e1", BOB)], [G1E1]) == [("g1", "e1", [], None)]


@pytest.mark.parametrize("ids", [["g1"], ["e1"], ["g1", "e1"]])
def test_else_the_address(ids: list[str]) -> None:
    assert shapes(ids, [row("g1", " Ada@EXAMPLE.com"), row("e1"), row("e2", BOB)]) == [("g1", "e1", [], None)]


def test_else_nobody() -> None:
    assert shapes(["g1", "e2"], [row("g1"), row("e2", BOB)]) == [("g1", None, [], None), (None, "e2", [], None)]


def test_a_contact_without_an_address_is_alone() -> None:
    contacts = [row("g1", None), row("g2", None), row("e1", None)]
    assert shapes(["g1", "g2", "e1"], contacts) == [
        ("g1", None, [], None),
        ("g2", None, [], None),
        (None, "e1", [], None),
    ]


def test_a_contact_the_store_never_saw_is_alone() -> None:
    assert shapes(["g1", "e1"], []) == [("g1", None, [], None), (None, "e1", [], None)]


@pytest.mark.parametrize("ids", [["g1"], ["g2"], ["g3", "g1", "e1", "g2"]])
def test_of_several_ghl_contacts_with_one_address_the_most_recently_updated_is_the_link(ids: list[str]) -> None:
    contacts = [row("g1", minutes=1), row("g2", minutes=3), row("g3", minutes=2), row("e1")]
    assert shapes(ids, contacts) == [("g2", "e1", ["g3", "g1"], None)]
    assert shapes(["g1"], contacts[:3]) == [("g2", None, ["g3", "g1"], None)]


def test_times_that_are_equal_or_unknown_leave_no_doubt() -> None:
    contacts = [row("g1"), row("g2"), replace(row("g3"), updated_at=None)]
    assert shapes(["g1"], contacts) == shapes(["g3"], reversed(contacts)) == [("g2", None, ["g1", "g3"], None)]


@pytest.mark.parametrize("ids", [["g1"], ["g2"], ["e1"], ["g2", "e1", "g1"]])
def test_the_one_already_linked_comes_first(ids: list[str]) -> None:
    contacts = [row("g1", minutes=1), row("g2", minutes=9), row("e1")]
    assert shapes(ids, contacts, [G1E1]) == [("g1", "e1", ["g2"], None)]


def test_a_linked_contact_is_nobodys_duplicate() -> None:
    contacts = [row("g1"), row("g2"), row("e1"), row("e2", BOB)]
    found = shapes(["g1", "g2"], contacts, [G1E1, Link("g2", "e2")])
    assert found == [("g1", "e1", [], None), ("g2", "e2", [], None)]


def test_deleted_contacts_meet_nobody() -> None:
    reason = Unlinked.DELETED
    assert shapes(["g1"], [row("g1"), row("g2", unlinked=reason), row("e1", unlinked=reason)]) == [
        ("g1", None, [], None)
    ]
    assert shapes(["e1"], [row("g2", unlinked=reason), row("e1")]) == [(None, "e1", [], None)]


@pytest.mark.parametrize("reason", [one for one in Unlinked if one is not Unlinked.DELETED])
def test_everybody_else_does(reason: Unlinked) -> None:
    assert shapes(["e1"], [row("g1", unlinked=reason), row("e1")]) == [("g1", "e1", [], None)]
    assert shapes(["g1"], [row("g1"), row("e1", unlinked=reason)]) == [("g1", "e1", [], None)]


@pytest.mark.parametrize("ids", [["g1"], ["g1", "g2"], ["g2", "g1"]])
def test_a_deleted_contact_that_shows_up_again_takes_part_again(ids: list[str]) -> None:
    contacts = [row("g1", unlinked=Unlinked.DELETED, minutes=5), row("g2"), row("e1")]
    rows = [hint("g2"), staged(person("g1", minutes=5))]
    known = lookups(contacts, [], rows)
    assert [shape(case) for case in who_is_who([known.staged[GHL, one] for one in ids], known)] == [
        ("g1", "e1", ["g2"], None)
    ]


def test_the_contact_it_belongs_to_has_another_link() -> None:
    contacts = [row("g1", BOB), row("g2"), row("e1"), row("e2", BOB)]
    assert shapes(["g2"], contacts, [G1E1]) == [("g2", None, [], "g1")]
    assert shapes(["e2"], contacts, [G1E1]) == [(None, "e2", [], "g1")]


@pytest.mark.parametrize("ids", [["g1"], ["g2"], ["g1", "g2"], ["g2", "g1"], ["e1", "g2"], ["g2", "e1"]])
def test_the_link_of_a_contact_whose_address_was_emptied_stays(ids: list[str]) -> None:
    assert shapes(ids, [row("g1", None), row("g2"), row("e1")], [G1E1]) == [("g1", "e1", ["g2"], None)]


def test_an_address_that_is_only_an_additional_one_is_known_by_its_holders() -> None:
    known = lookups([row("e1"), row("g1", BOB)])
    known.additional[digest(ADA)] = ["g1"]
    (case,) = who_is_who([hint("e1")], known)
    assert shape(case) == (None, "e1", [], None)
    assert [holder.contact_id for holder in case.additional_holders] == ["g1"]


def test_a_primary_address_comes_before_an_additional_one() -> None:
    known = lookups([row("e1"), row("g1", BOB), row("g2")])
    known.additional[digest(ADA)] = ["g1"]
    (case,) = who_is_who([hint("e1")], known)
    assert (shape(case), case.additional_holders) == (("g2", "e1", [], None), ())


def test_a_case_brings_what_waits_for_either_contact_and_what_is_remembered_of_the_address() -> None:
    known = lookups([row("g1"), row("e1")])
    parked = Parked("g1", None, "tags", "x", "", 1, at(1))
    held = Held(None, "e1", "delete", "x", at(1))
    known.parked[GHL, "g1"] = [parked]
    known.held[EMAILOCTOPUS, "e1"] = [held]
    known.remembered[digest(ADA)] = Cause.PERSON_GHL
    (case,) = who_is_who([hint("g1")], known)
    assert (case.parked, case.held, case.remembered) == ({"tags": parked}, (held,), Cause.PERSON_GHL)


def test_what_waits_of_duplicates_comes_along_apart() -> None:
    parked = Parked("g2", None, "creation", "refused", "", 1, at(0))
    held = Held("g3", None, "create_in_emailoctopus", "too many", at(0))
    found = lookups([row("g1"), row("g2"), row("g3"), row("e1")], [G1E1], [hint("g1")])
    found.parked[GHL, "g2"] = [parked]
    found.held[GHL, "g3"] = [held]
    [case] = who_is_who([hint("g1")], found)
    assert (case.parked, case.held) == ({}, ())
    assert (case.over_parked, case.over_held) == ((parked,), (held,))


@pytest.mark.parametrize(
    ("mine", "theirs", "holders"),
    [(BOB, ADA, ["g2"]), (ADA, ADA, []), (None, ADA, []), (BOB, None, [])],
)
def test_a_link_with_two_addresses_knows_who_has_that_of_emailoctopus_without_a_link(
    mine: str | None, theirs: str | None, holders: list[str]
) -> None:
    """One of the two addresses waits: until it moves, the revocation of EmailOctopus's goes to whoever has it."""
    contacts = [row("g1", mine), row("e1", theirs), row("g2"), row("g3"), row("e3", EVE)]
    [case] = who_is_who([hint("g1")], lookups(contacts, [G1E1, Link("g3", "e3")]))
    assert [one.contact_id for one in case.additional_holders] == holders


def test_what_was_staged_comes_along() -> None:
    rows = [staged(person("g1", minutes=3)), staged(subscriber("e1"))]
    known = lookups([row("g1"), row("e1"), row("g2", minutes=-1)], [], [*rows, hint("g2")])
    (case,) = who_is_who(rows, known)
    assert list(case.rows()) == [*rows, hint("g2")]
    assert [side.snapshot is None for side in case.sides()] == [False, False, True]


def test_a_read_takes_the_place_of_what_was_staged_and_keeps_its_times() -> None:
    first = staged(person("g1", minutes=1), "tags")
    case = linked_case(G1E1, lookups([row("g1"), row("e1"), row("g2")], [G1E1], [first]))
    fresh = {(GHL, "g1"): person("g1", minutes=7), (GHL, "g2"): person("g2"), (EMAILOCTOPUS, "e9"): subscriber("e9")}
    read = case.with_reads(fresh)
    assert (read.ghl, read.emailoctopus) == (
        CaseSide(row("g1"), replace(first, snapshot=fresh[GHL, "g1"])),
        case.emailoctopus,
    )
    assert read.duplicates[0].snapshot == fresh[GHL, "g2"]


@st.composite
def inboxes(draw: st.DrawFn) -> tuple[list[Staged], Lookups]:
    """Any store that keeps its own rules: no two links share a contact, EmailOctopus has an address once."""
    addresses = st.sampled_from([ADA, BOB, EVE, None])
    reasons = st.sampled_from([None, *Unlinked])
    people = [
        row(f"g{number}", draw(addresses), draw(reasons), draw(st.integers(0, 2)))
        for number in range(draw(st.integers(0, 5)))
    ]
    there = draw(st.lists(addresses, max_size=4, unique=True))
    subscribers = [row(f"e{number}", address, draw(reasons)) for number, address in enumerate(there)]
    pairs = zip(draw(st.permutations(people)), draw(st.permutations(subscribers)), strict=False)
    links = [Link(ghl.contact_id, other.contact_id) for ghl, other in pairs if draw(st.booleans())]
    linked = {link.ghl_id for link in links} | {link.emailoctopus_id for link in links}
    contacts = [replace(one, unlinked=None) if one.contact_id in linked else one for one in (*people, *subscribers)]
    waiting = [
        staged((person if one.system is GHL else subscriber)(one.contact_id)) for one in contacts if draw(st.booleans())
    ]
    return draw(st.permutations(waiting)), lookups(contacts, links, waiting)


@given(inboxes())
def test_every_row_ends_in_exactly_one_case(inbox: tuple[list[Staged], Lookups]) -> None:
    rows, known = inbox
    cases = who_is_who(rows, known)
    for one in rows:
        holders = [case for case in cases if one in case.rows()]
        assert len(holders) == 1, [shape(case) for case in holders]
    keys: list[ContactKey] = sorted((side.system, side.contact_id) for case in cases for side in case.sides())
    assert [key for key, found in groupby(keys) if len(list(found)) > 1] == []


@given(inboxes(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(inbox: tuple[list[Staged], Lookups], random: object) -> None:
    rows, known = inbox
    once = sorted(map(str, map(shape, who_is_who(rows, known))))
    random.shuffle(rows)  # type: ignore[attr-defined]  # Hypothesis gives a random.Random
    assert sorted(map(str, map(shape, who_is_who(rows, known)))) == once


@given(inboxes())
def test_links_stay_and_those_who_meet_share_an_address(inbox: tuple[list[Staged], Lookups]) -> None:
    rows, known = inbox
    for case in who_is_who(rows, known):
        if case.link is not None:
            assert shape(case)[:2] == (case.link.ghl_id, case.link.emailoctopus_id)
        elif case.ghl is not None and case.emailoctopus is not None:
            assert case.ghl.known.address == case.emailoctopus.known.address
            assert not {(GHL, case.ghl.contact_id), (EMAILOCTOPUS, case.emailoctopus.contact_id)} & known.links.keys()
        for side in case.duplicates:
            assert (side.system, side.contact_id) not in known.links
            assert side.system is SystemName.GHL


@pytest.mark.parametrize(("minutes", "holder"), [(10, "g1"), (11, "g2")])
def test_what_a_dead_process_wrote_makes_nobody_the_most_recently_updated(minutes: float, holder: str) -> None:
    written = replace(row("g2", minutes=minutes), sent=Sent(at=at(0), since=at(10)))
    [(found, _, [duplicate], _)] = shapes(["g2"], [row("g1", minutes=5), written])
    assert (found, duplicate) == (holder, "g1" if holder == "g2" else "g2")
    edited = replace(written, sent=Sent(at=at(7), since=at(10)))
    assert shapes(["g2"], [row("g1", minutes=5), edited]) == [("g2", None, ["g1"], None)]


def test_a_contact_of_which_nothing_was_staged_is_read() -> None:
    side, now = CaseSide(row("g1")), person("g1")
    assert side.with_read(now) == CaseSide(row("g1"), Staged(GHL, "g1", now))


def test_a_pair_has_a_contact_in_each_system() -> None:
    ghl, emailoctopus = CaseSide(row("g1")), CaseSide(row("e1"))
    pair = Case(ghl=ghl, emailoctopus=emailoctopus)
    assert (pair.side(GHL), pair.side(EMAILOCTOPUS), pair.both()) == (ghl, emailoctopus, (ghl, emailoctopus))
    for alone in (Case(ghl=ghl), Case(emailoctopus=emailoctopus)):
        with pytest.raises(ValueError, match=r"^a pair has two contacts$"):
            alone.both()


def test_namesakes_of_a_link_are_those_whom_no_link_with_the_address_has() -> None:
    contacts = [
        row("g1"),
        row("e1"),
        row("e2"),
        row("e3", unlinked=Unlinked.DELETED),
        *(row("g4"), row("e4")),
        *(row("g5", BOB), row("e5")),
        row("e6", BOB),
    ]
    known = lookups(contacts, [G1E1, Link("g4", "e4"), Link("g5", "e5")])
    assert [one.contact_id for one in linked_case(G1E1, known).namesakes] == ["e2", "e5"]


def test_whoever_cannot_be_linked_knows_who_has_its_partner() -> None:
    known = lookups([row("g1", BOB), row("g2"), row("e1")], [G1E1])
    (here,) = who_is_who([hint("g2")], known)
    assert [one.contact_id for one in here.namesakes] == ["e1"]
    known = lookups([row("g1"), row("e1", BOB), row("e2")], [G1E1])
    (there,) = who_is_who([hint("e2")], known)
    assert [one.contact_id for one in there.additional_holders] == ["g1"]


@pytest.mark.parametrize(
    ("contacts", "links", "of"),
    [
        ([row("g1")], [], "g1"),
        ([row("g1", unlinked=Unlinked.DELETED)], [], "g1"),
        ([row("g1"), row("e1")], [], "g1"),
        ([row("g1"), row("e1")], [], "e1"),
        ([row("g1"), row("e1")], [G1E1], "g1"),
        ([row("g1", None), row("e1")], [G1E1], "g1"),
        ([row("g1", BOB), row("e1"), row("g2")], [G1E1], "g2"),
        ([row("g1"), row("e1", BOB), row("e2")], [G1E1], "e2"),
        ([row("e1")], [], "e1"),
    ],
)
def test_who_revoked_the_address_is_remembered_whoever_has_it(
    contacts: list[KnownContact], links: list[Link], of: str
) -> None:
    known = lookups(contacts, links)
    known.remembered[digest(ADA)] = Cause.PERSON_GHL
    (case,) = who_is_who([hint(of)], known)
    assert case.remembered is Cause.PERSON_GHL


@pytest.mark.parametrize("of", ["g1", "e1"])
@pytest.mark.parametrize(
    ("address", "before", "cause", "enters"),
    [
        (ADA, BOB, Cause.PERSON_EMAILOCTOPUS, True),
        (ADA, BOB, Cause.PERSON_GHL, True),
        (ADA, BOB, Cause.POLICY, False),
        (ADA, BOB, None, False),
        (ADA, ADA, Cause.PERSON_GHL, False),
        (ADA, None, Cause.PERSON_GHL, False),
        (None, BOB, Cause.PERSON_GHL, False),
    ],
)
def test_a_link_whose_new_address_a_person_had_revoked_enters_revoked(
    of: str, address: str | None, before: str | None, cause: Cause | None, enters: bool
) -> None:
    contacts = {"g1": row("g1", EVE), "e1": row("e1", EVE)}
    contacts[of] = replace(row(of, address), baseline=Baseline(address=digest(before) if before else None))
    known = lookups(contacts.values(), [G1E1])
    if cause is not None:
        known.remembered[digest(ADA)] = cause
    assert linked_case(G1E1, known).enters_revoked is enters
    unmet = lookups([replace(one, baseline=None) for one in contacts.values()], [G1E1])
    unmet.remembered.update(known.remembered)
    assert not linked_case(G1E1, unmet).enters_revoked
