"""The inbox keeps what is newest of each contact, in order, until exactly that is done."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from sync_daemon.model.state import Staged
from sync_daemon.ports import Commit, PairStore
from tests.store.examples import EMAILOCTOPUS, GHL, later, snapshot, staged


def in_order(pair: PairStore) -> list[str]:
    return [row.contact_id for row in pair.next_staged(GHL, 0, 100)]


def test_every_part_comes_back(pair: PairStore) -> None:
    plain = staged("a", revoked=True, moved=True, echo=True)
    pair.commit(Commit(staged=[plain]))

    (row,) = pair.next_staged(GHL, 0, 10)
    assert row.sequence > 0
    assert row == replace(plain, sequence=row.sequence)
    assert row.snapshot is not None
    assert {name: type(value) for name, value in row.snapshot.fields.items()} == {
        name: type(value) for name, value in snapshot("a").fields.items()
    }
    assert pair.staged(GHL, ["a", "unknown"]) == {"a": row}
    assert pair.staged(EMAILOCTOPUS, ["a"]) == {}


def test_times_of_another_zone_come_back_as_the_same_moments(pair: PairStore) -> None:
    there = datetime(2026, 11, 1, 7, 0, tzinfo=timezone(timedelta(hours=-5)))
    pair.commit(Commit(staged=[Staged(GHL, "a", snapshot("a", at=there), {"tags": there})]))

    row = pair.staged(GHL, ["a"])["a"]
    assert row.changed_at == {"tags": there}
    assert row.snapshot is not None
    assert row.snapshot.updated_at == there


def test_rows_come_in_the_order_they_were_staged_and_page_by_page(pair: PairStore) -> None:
    pair.commit(Commit(staged=[staged("c"), staged("a"), staged("x", EMAILOCTOPUS)]))
    pair.commit(Commit(staged=[staged("b")]))

    first = pair.next_staged(GHL, 0, 2)
    rest = pair.next_staged(GHL, first[-1].sequence, 2)
    assert [row.contact_id for row in first + rest] == ["c", "a", "b"]
    assert pair.next_staged(GHL, rest[-1].sequence, 2) == []
    assert pair.count_staged() == {GHL: 3, EMAILOCTOPUS: 1}


def test_only_revoked_or_moved_rows_if_asked(pair: PairStore) -> None:
    pair.commit(
        Commit(staged=[staged("a"), staged("b", revoked=True), staged("c", moved=True), staged("d", revoked=True)])
    )

    assert [row.contact_id for row in pair.next_staged(GHL, 0, 10, revoked=True)] == ["b", "d"]
    assert [row.contact_id for row in pair.next_staged(GHL, 0, 10, moved=True)] == ["c"]
    assert [row.contact_id for row in pair.next_staged(GHL, 2, 1, revoked=True)] == ["d"]


def test_staged_anew_means_the_end_of_the_line(pair: PairStore) -> None:
    pair.commit(Commit(staged=[staged("a"), staged("b")]))
    before = pair.staged(GHL, ["a"])["a"].sequence

    pair.commit(Commit(staged=[staged("a", at=later(1))]))

    assert in_order(pair) == ["b", "a"]
    assert pair.staged(GHL, ["a"])["a"].sequence > before
    assert pair.count_staged() == {GHL: 2, EMAILOCTOPUS: 0}


def test_what_was_staged_anew_meanwhile_is_not_done(pair: PairStore) -> None:
    pair.commit(Commit(staged=[staged("a"), staged("b")]))
    rows = pair.next_staged(GHL, 0, 10)
    pair.commit(Commit(staged=[staged("a", at=later(1))]))

    pair.commit(Commit(done=rows))

    assert in_order(pair) == ["a"]


def test_done_and_staged_anew_in_one_commit(pair: PairStore) -> None:
    pair.commit(Commit(staged=[staged("a")]))
    done = pair.next_staged(GHL, 0, 10)

    pair.commit(Commit(done=done, staged=[staged("a", at=None)]))

    (row,) = pair.next_staged(GHL, 0, 10)
    assert row.snapshot is None
    assert row.sequence > done[0].sequence


def test_numbers_are_never_given_twice(pair: PairStore) -> None:
    seen: list[int] = []
    for _ in range(3):
        pair.commit(Commit(staged=[staged("a"), staged("b")]))
        rows = pair.next_staged(GHL, 0, 10)
        seen += [row.sequence for row in rows]
        pair.commit(Commit(done=rows))

    assert seen == sorted(set(seen))


@pytest.mark.parametrize("together", [True, False], ids=["in one commit", "in two commits"])
def test_an_older_snapshot_never_replaces_a_newer_one(pair: PairStore, together: bool) -> None:
    newer, older = staged("a", at=later(1)), staged("a", at=later(0.999999), revoked=True)
    for commit in [[newer, older]] if together else [[newer], [older]]:
        pair.commit(Commit(staged=commit))

    (row,) = pair.next_staged(GHL, 0, 10)
    assert row.snapshot == newer.snapshot
    assert not row.revoked


def test_a_snapshot_of_the_same_time_replaces(pair: PairStore) -> None:
    pair.commit(Commit(staged=[staged("a")]))
    pair.commit(Commit(staged=[staged("a", revoked=True)]))

    assert pair.staged(GHL, ["a"])["a"].revoked


@pytest.mark.parametrize("together", [True, False], ids=["in one commit", "in several"])
def test_a_hint_replaces_a_snapshot_and_gives_way_to_one_as_new(pair: PairStore, together: bool) -> None:
    def stage(*rows: Staged) -> Staged:
        for commit in [[*rows]] if together else [[row] for row in rows]:
            pair.commit(Commit(staged=commit))
        return pair.staged(GHL, ["a"])["a"]

    hint = staged("a", at=None)
    assert stage(hint, hint).snapshot is None
    assert stage(hint, staged("a", at=later(5))).snapshot == snapshot("a", at=later(5))
    assert stage(hint, staged("a", at=later(4))).snapshot is None, "what is older than was known settles no hint"
    assert stage(hint, staged("a", at=later(5))).snapshot == snapshot("a", at=later(5))


def test_a_pair_never_sees_anothers_inbox(pair: PairStore, other_pair: PairStore) -> None:
    pair.commit(Commit(staged=[staged("a")]))
    row = pair.staged(GHL, ["a"])["a"]
    other_pair.commit(Commit(done=[row]))

    assert pair.count_staged() == {GHL: 1, EMAILOCTOPUS: 0}
    assert other_pair.count_staged() == {GHL: 0, EMAILOCTOPUS: 0}
    assert other_pair.next_staged(GHL, 0, 10) == []


def test_many_threads_stage_and_none_loses_what_is_newest(pair: PairStore) -> None:
    """Each thread stages every contact, with times of its own; the newest of each must be what remains."""
    ids, threads = [f"id-{number}" for number in range(5)], range(4)

    def stage(thread: int) -> None:
        for step in range(10):
            order = ids if thread % 2 else ids[::-1]
            pair.commit(Commit(staged=[staged(contact_id, at=later(step * 10 + thread)) for contact_id in order]))

    with ThreadPoolExecutor(len(threads)) as pool:
        list(pool.map(stage, threads))

    rows = pair.next_staged(GHL, 0, 100)
    assert {row.contact_id: row.snapshot.updated_at for row in rows if row.snapshot} == dict.fromkeys(ids, later(93))
    assert max(Counter(row.sequence for row in rows).values()) == 1
