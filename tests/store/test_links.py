"""Links change partners in one transaction, and never share a contact."""

import pytest

from sync_daemon.model.errors import StateStoreError
from sync_daemon.model.state import Link
from sync_daemon.ports import Commit, PairStore
from tests.store.examples import GHL, full_link, known


def pairs_of(links: list[Link]) -> set[tuple[str, str]]:
    return {(link.ghl_id, link.emailoctopus_id) for link in links}


def test_every_part_comes_back_from_either_side(pair: PairStore) -> None:
    full, bare = full_link("g1", "e1"), Link("g2", "e2")
    pair.commit(Commit(links=[full, bare]))

    assert pair.links(ghl=["g1", "unknown"]) == [full]
    assert pair.links(emailoctopus=["e2", "g1"]) == [bare]
    assert pair.links(ghl=["g1"], emailoctopus=["e1", "e2"]) == [full, bare]
    assert pair.links() == []


def test_a_link_is_replaced_whole(pair: PairStore) -> None:
    pair.commit(Commit(links=[full_link("g1", "e1")]))
    pair.commit(Commit(links=[Link("g1", "e1")]))

    assert pair.links(ghl=["g1"]) == [Link("g1", "e1")]


def test_unlinking_asks_for_both_ids(pair: PairStore) -> None:
    pair.commit(Commit(links=[Link("g1", "e1")]))

    pair.commit(Commit(unlink=[Link("g1", "e2"), Link("g2", "e1")]))
    assert pairs_of(pair.links(ghl=["g1"])) == {("g1", "e1")}

    pair.commit(Commit(unlink=[Link("g1", "e1", dnd_by_us=True)]))
    assert pair.links(ghl=["g1"]) == []


def test_contacts_change_partners_in_one_transaction(pair: PairStore) -> None:
    before = [Link("g1", "e1"), Link("g2", "e2"), Link("g3", "e3")]
    pair.commit(Commit(links=before))

    pair.commit(Commit(links=[Link("g1", "e2"), Link("g2", "e3"), Link("g3", "e1")], unlink=before))

    assert pairs_of(pair.links(ghl=["g1", "g2", "g3"])) == {("g1", "e2"), ("g2", "e3"), ("g3", "e1")}


@pytest.mark.parametrize(
    ("stored", "new"),
    [([Link("g1", "e1")], [Link("g2", "e1")]), ([], [Link("g1", "e1"), Link("g2", "e1")])],
    ids=["with one that stands", "among themselves"],
)
def test_two_links_never_share_a_contact(pair: PairStore, stored: list[Link], new: list[Link]) -> None:
    pair.commit(Commit(links=stored))

    with pytest.raises(StateStoreError, match=r"g2 can't be linked with EmailOctopus contact e1, .* GHL contact g1"):
        pair.commit(Commit(contacts=[known("a")], links=new))

    assert pair.links(emailoctopus=["e1"]) == stored
    assert pair.contacts(GHL, ["a"]) == {}, "nothing of the commit is stored"


def test_other_pairs_may_have_the_same_ids(pair: PairStore, other_pair: PairStore) -> None:
    pair.commit(Commit(links=[Link("g1", "e1")]))
    other_pair.commit(Commit(links=[Link("g2", "e1")]))
    other_pair.commit(Commit(unlink=[Link("g1", "e1")]))

    assert pairs_of(pair.links(emailoctopus=["e1"])) == {("g1", "e1")}
    assert pairs_of(other_pair.links(emailoctopus=["e1"])) == {("g2", "e1")}
