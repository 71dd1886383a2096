"""Parked and held changes: found by contact or time, replaced by key, with an id that stays."""

from dataclasses import replace

from sync_daemon.model.state import NEVER, Held, Parked, Staged
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit, PairStore
from tests.store.conftest import StoppedClock
from tests.store.examples import digest, held, later, parked


def stored(pair: PairStore) -> list[Parked]:
    return [replace(row, id=None) for row in pair.parked(everything=True)]


def test_every_part_of_a_parked_change_comes_back(pair: PairStore) -> None:
    full, creation = parked("g1", "e1"), parked("g2", None, "creation", value=None, message="")
    pair.commit(Commit(parked=[full, creation]))

    assert stored(pair) == [full, creation]
    assert len({row.id for row in pair.parked(everything=True)} - {None}) == 2


def test_parked_changes_of_the_contacts_named_or_due(pair: PairStore) -> None:
    by_ghl, by_emailoctopus = parked("g1", "e1"), parked(None, "e2", "creation", next_try=later(10))
    far = parked("g3", None, next_try=later(99))
    pair.commit(Commit(parked=[by_ghl, by_emailoctopus, far]))

    def found(**named: object) -> set[str]:
        return {row.ghl_id or row.emailoctopus_id or "" for row in pair.parked(**named)}  # type: ignore[arg-type]

    assert found(ghl=["g1", "g2"]) == {"g1"}
    assert found(emailoctopus=["e2"]) == {"e2"}
    assert found(ghl=["g1"], emailoctopus=["e1", "e2"]) == {"g1", "e2"}
    assert found(due=later(10)) == {"g1", "e2"}
    assert found(due=later(9.999999), ghl=["g3"]) == {"g1", "g3"}
    assert found() == set()


def test_a_missing_id_is_not_the_id_of_another(pair: PairStore) -> None:
    pair.commit(Commit(parked=[parked("g1", None), parked("g2", None)], held=[held("g1", None), held(None, "e1")]))

    assert pair.parked(emailoctopus=["e1"]) == []
    assert [row.ghl_id for row in pair.held(ghl=["g1"])] == ["g1"]


def test_what_is_stuck_of_contacts_is_told_by_part_and_by_action(pair: PairStore, other_pair: PairStore) -> None:
    pair.commit(
        Commit(
            parked=[parked("g1", "e1", "tags"), parked("g1", "e1", "consent"), parked(None, "g1", "creation")],
            held=[held("g1", "e1", "delete"), held("g2", "e2", "delete")],
        )
    )

    def stuck(store: PairStore, system: SystemName, *ids: str) -> set[tuple[str, str, bool]]:
        return {(one.contact_id, one.what, one.is_held) for one in store.stuck(system, ids)}

    here = {("g1", "tags", False), ("g1", "consent", False), ("g1", "delete", True)}
    assert stuck(pair, SystemName.GHL, "g1", "g9") == here
    assert stuck(pair, SystemName.EMAILOCTOPUS, "g1", "e2") == {("g1", "creation", False), ("e2", "delete", True)}
    assert stuck(pair, SystemName.GHL) == stuck(other_pair, SystemName.GHL, "g1") == set()


def test_there_is_work_where_something_waits_to_be_decided(pair: PairStore, other_pair: PairStore) -> None:
    at = later(10)
    assert not pair.has_work(at)
    pair.commit(Commit(parked=[parked("g1", "e1", next_try=at)], held=[held("g1", "e1")]))
    assert (pair.has_work(later(9.999999)), pair.has_work(at), other_pair.has_work(at)) == (False, True, False)

    (waiting,) = pair.held(everything=True)
    for word in (True, False):
        pair.order_held([waiting.id or 0], approve=word)
        assert pair.has_work(later(0))
    pair.commit(Commit(unheld=[waiting]))
    assert not pair.has_work(later(0))

    pair.commit(Commit(staged=[Staged(SystemName.EMAILOCTOPUS, "e1", None)]))
    assert (pair.has_work(later(0)), other_pair.has_work(later(0))) == (True, False)


def test_parking_again_replaces_by_key_and_keeps_the_id(pair: PairStore) -> None:
    pair.commit(Commit(parked=[parked("g1", "e1"), parked("g1", "e1", "tags")]))
    ids = [row.id for row in pair.parked(everything=True)]

    again = parked("g1", "e1", code="other", message="words", attempts=9, next_try=later(60), value=digest(9))
    pair.commit(Commit(parked=[again]))

    assert stored(pair)[0] == again
    assert [row.id for row in pair.parked(everything=True)] == ids


def test_unparking_by_key(pair: PairStore) -> None:
    pair.commit(Commit(parked=[parked("g1", "e1"), parked("g1", "e1", "tags"), parked("g1", None)]))

    pair.commit(Commit(unparked=[parked("g1", None, attempts=77), parked("g1", "e1", "tags")]))
    assert stored(pair) == [parked("g1", "e1")]

    pair.commit(Commit(unparked=[parked("g1", "e1")], parked=[parked("g1", "e1", attempts=3)]))
    assert stored(pair) == [parked("g1", "e1", attempts=3)], "what is parked anew in the same step stays"


def test_an_id_is_never_given_to_another_change(pair: PairStore) -> None:
    pair.commit(Commit(parked=[parked("g1", None)], held=[held("g1", None)]))
    first, first_held = pair.parked(everything=True)[0], pair.held(everything=True)[0]
    pair.commit(Commit(unparked=[first], unheld=[first_held]))

    pair.commit(Commit(parked=[parked("g2", None)], held=[held("g2", None)]))

    assert pair.parked(everything=True)[0].id != first.id
    assert pair.held(everything=True)[0].id != first_held.id


def test_held_changes_are_found_replaced_and_released(pair: PairStore) -> None:
    one, other = held("g1", "e1"), held(None, "e2", "set_status")
    pair.commit(Commit(held=[one, other]))
    rows = pair.held(everything=True)
    assert [replace(row, id=None) for row in rows] == [one, other]
    assert pair.held(ghl=["g1"]) == pair.held(ghl=["g1"], emailoctopus=["e1"]) == rows[:1]
    assert pair.held(emailoctopus=["e2"]) == rows[1:]
    assert pair.held() == []

    pair.commit(Commit(held=[replace(one, reason="other words")], unheld=[other]))
    assert pair.held(everything=True) == [replace(one, reason="other words", id=rows[0].id)]

    pair.commit(Commit(unheld=[Held("g1", "e1", "set_status", "", later(0))]))
    assert len(pair.held(everything=True)) == 1


def test_a_pair_never_sees_anothers_waiting_changes(pair: PairStore, other_pair: PairStore) -> None:
    pair.commit(Commit(parked=[parked("g1", "e1")], held=[held("g1", "e1")]))
    other_pair.commit(Commit(unparked=[parked("g1", "e1")], unheld=[held("g1", "e1")]))

    assert other_pair.parked(everything=True) == []
    assert other_pair.held(everything=True) == []
    assert other_pair.parked(due=later(1), ghl=["g1"]) == []
    assert len(pair.parked(everything=True)) == len(pair.held(everything=True)) == 1


def test_what_is_held_again_keeps_since_when_and_what_a_person_said(pair: PairStore) -> None:
    pair.commit(Commit(held=[held("g1", "e1")]))
    [row] = pair.held(everything=True)
    pair.order_held([row.id or 0], approve=True)

    pair.commit(Commit(held=[replace(held("g1", "e1"), since=later(60), reason="more")]))

    assert pair.held(everything=True) == [replace(row, approved=True, reason="more")]


def test_the_last_word_of_a_person_counts_for_what_he_named(pair: PairStore, other_pair: PairStore) -> None:
    pair.commit(Commit(held=[held("g1", "e1"), held("g2", "e2")]))
    one, other = pair.held(everything=True)

    pair.order_held([one.id or 0], approve=True)
    pair.order_held([one.id or 0], approve=False)
    other_pair.order_held([other.id or 0], approve=True)
    pair.order_held([], approve=True)

    assert pair.held(everything=True) == [replace(one, discarded=True), other]
    assert pair.held(ordered=True) == [replace(one, discarded=True)]
    pair.order_held([other.id or 0], approve=True)
    assert pair.held(ordered=True) == [replace(one, discarded=True), replace(other, approved=True)]


def test_an_order_stands_though_a_cycle_that_does_not_know_it_parks_the_change_again(
    pair: PairStore, clock: StoppedClock
) -> None:
    pair.commit(Commit(parked=[parked("g1", "e1", next_try=later(60))]))
    [seen] = pair.parked(everything=True)
    pair.order({seen.id or 0}, drop=True)
    pair.commit(Commit(parked=[replace(seen, attempts=2, next_try=later(300))]))
    [ordered] = pair.parked(everything=True)
    assert (ordered.attempts, ordered.dropped, ordered.next_try) == (2, True, clock.now())

    pair.commit(Commit(unparked=[seen]))
    assert pair.parked(everything=True) == [ordered], "who hasn't seen the order can't take the row away"

    pair.commit(Commit(parked=[replace(ordered, dropped=False, next_try=later(900))]))
    [obeyed] = pair.parked(everything=True)
    assert (obeyed.dropped, obeyed.next_try) == (False, later(900))
    pair.commit(Commit(unparked=[obeyed]))
    assert pair.parked_ids() == set()


def test_an_order_is_about_the_changes_named_and_the_pair_alone(
    pair: PairStore, other_pair: PairStore, clock: StoppedClock
) -> None:
    pair.commit(Commit(parked=[parked("g1", "e1", next_try=later(60)), parked("g2", "e2", next_try=later(60))]))
    one, two = sorted(pair.parked_ids())
    other_pair.order({one, two}, drop=True)
    assert not any(row.dropped for row in pair.parked(everything=True))
    pair.order({two}, drop=False)
    assert [row.next_try for row in pair.parked(everything=True)] == [later(60), clock.now()]
    assert other_pair.parked_ids() == set()


def test_what_was_dropped_and_is_let_be_does_not_wait(pair: PairStore) -> None:
    pair.commit(Commit(parked=[parked("g1", None, "creation", dropped=True, next_try=NEVER)]))
    assert pair.parked(everything=True) == []
    assert pair.parked(due=later(10**9)) == []
    assert pair.totals().parked == 0
    assert [row.let_be for row in pair.parked(ghl=["g1"])] == [True]
    assert len(pair.parked_ids()) == 1
