"""What is shown of activity, and what is done once for each occasion."""

from dataclasses import replace
from datetime import timedelta

from sync_daemon.model.activity import KnownActivity
from sync_daemon.model.deeds import DeedState
from sync_daemon.ports import Commit, PairStore
from tests.store.examples import NOON, deed, full_link, known, shown


def test_what_was_shown_comes_back(pair: PairStore) -> None:
    nothing = KnownActivity("g2", "e2")
    pair.commit(Commit(activity=[shown("g1", "e1"), nothing]))
    assert pair.activity(["g1", "g2", "g3"]) == {"g1": shown("g1", "e1"), "g2": nothing}
    assert sorted(pair.ids_with_activity()) == ["g1", "g2"]
    assert pair.ids_with_activity(open_tasks=True) == ["g1"]


def test_what_is_over_goes_before_what_is_new(pair: PairStore) -> None:
    pair.commit(Commit(activity=[shown("g1", "e1"), shown("g2", "e2")]))
    pair.commit(Commit(activity=[shown("g2", "e9")], activity_over=["g1", "g2"]))
    assert pair.activity(["g1", "g2"]) == {"g2": shown("g2", "e9")}


def test_a_pair_never_sees_anothers_activity(pair: PairStore, other_pair: PairStore) -> None:
    pair.commit(Commit(activity=[shown("g1", "e1")], deeds=[deed("k")]))
    other_pair.commit(Commit(activity_over=["g1"]))
    assert (other_pair.activity(["g1"]), other_pair.deeds(["k"]), other_pair.ids_with_activity()) == ({}, {}, [])
    assert pair.activity(["g1"]) == {"g1": shown("g1", "e1")}


def test_notes_of_whom_something_changed_come_first_then_those_read_longest_ago(pair: PairStore) -> None:
    day_ago = NOON - timedelta(days=1)
    links = [replace(full_link(f"g{number}", f"e{number}"), in_scope=number != 4) for number in range(6)]
    times = {"g0": NOON, "g1": NOON - timedelta(days=3), "g2": NOON - timedelta(days=2), "g5": NOON}
    read = [shown(one, f"e{one[1]}", notes_read_at=at) for one, at in times.items()]
    changed = {"g2": NOON - timedelta(hours=2), "g5": NOON - timedelta(seconds=30)}
    contacts = [known(f"g{number}", updated_at=changed.get(f"g{number}")) for number in range(6)]
    pair.commit(Commit(contacts=contacts, links=links, activity=read))
    assert pair.stale_notes(day_ago, timedelta(minutes=1), 10) == ["g5", "g2", "g3", "g1"]
    assert pair.stale_notes(day_ago, timedelta(0), 2) == ["g2", "g3"]


def test_a_deed_is_replaced_by_its_key(pair: PairStore) -> None:
    pair.commit(Commit(deeds=[deed("a", message="isn't valid"), deed("b", at=NOON + timedelta(seconds=1))]))
    pair.commit(Commit(deeds=[deed("b", DeedState.DONE, attempts=1)]))
    assert pair.deeds(["a", "b", "c"]) == {
        "a": deed("a", message="isn't valid"),
        "b": deed("b", DeedState.DONE, attempts=1),
    }
    assert pair.count_deeds() == {DeedState.INTENDED: 1, DeedState.DONE: 1}
    pair.commit(Commit(deeds=[deed("revoked", DeedState.DONE, code="revoked")]))
    assert pair.count_deeds()[DeedState.DONE] == 1  # what was let be isn't done
    pair.commit(Commit(deeds=[deed("revoked")]))
    assert pair.deeds_in(DeedState.DONE) == [deed("b", DeedState.DONE, attempts=1)]
    assert [one.key for one in pair.deeds_of(["g1"])] == ["a", "b", "revoked"]


def test_what_is_to_be_done_waits_for_its_time(pair: PairStore) -> None:
    later = NOON + timedelta(hours=1)
    told = [
        deed("intended"),
        deed("refused", DeedState.REFUSED, at=NOON - timedelta(days=1), next_try=later),
        deed("done", DeedState.DONE),
        deed("uncertain", DeedState.UNCERTAIN),
    ]
    pair.commit(Commit(deeds=told))
    assert [one.key for one in pair.open_deeds(NOON)] == ["intended"]
    assert [one.key for one in pair.open_deeds(later)] == ["refused", "intended"]
