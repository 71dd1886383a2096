"""One pair calls another one's attention to a contact; what a link remembers for its neighbours' sake."""

from sync_daemon.model.sharing import Sharing
from sync_daemon.model.state import Call, Link
from sync_daemon.ports import Commit, PairStore
from sync_daemon.store.installation import StateStore
from tests.store.examples import EMAILOCTOPUS, GHL


def test_a_call_waits_until_it_is_heard(pair: PairStore, other_pair: PairStore) -> None:
    call = Call("other", EMAILOCTOPUS, "e1")
    pair.commit(Commit(calls=[call, call, Call("other", GHL, "g1"), Call("nobody", GHL, "g1")]))
    pair.commit(Commit(calls=[call]))

    assert (pair.called(), other_pair.called()) == ([], [(EMAILOCTOPUS, "e1"), (GHL, "g1")])

    other_pair.commit(Commit(heard=[(EMAILOCTOPUS, "e1")]))
    assert other_pair.called() == [(GHL, "g1")]


def test_a_private_copy_calls_nobody(store: StateStore, pair: PairStore, other_pair: PairStore) -> None:
    with store.private_copy("main") as copy:
        copy.open_pair("main", "location", "list").commit(Commit(calls=[Call("other", GHL, "g1")]))

    assert (pair.called(), other_pair.called()) == ([], [])


def test_links_that_remember_something_for_others_are_found(pair: PairStore) -> None:
    sharing = Sharing(alone=True, left=True, yielded=frozenset({"a=A"}), given=frozenset({b"digest"}))
    pair.commit(Commit(links=[Link("g1", "e1", sharing=sharing), Link("g2", "e2")]))

    assert pair.shared_links() == pair.links(ghl=["g1"]) == [Link("g1", "e1", sharing=sharing)]
