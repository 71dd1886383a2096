"""Long lists, leafed through page by page; what charts show of runs."""

from datetime import datetime

from sync_daemon.model.deeds import Deed, DeedState
from sync_daemon.model.report import CycleOutcome, CycleReport, Mode
from sync_daemon.model.state import NEVER, Held, Link, Parked
from sync_daemon.ports import Commit
from sync_daemon.store.pair import SqlPairStore
from tests.store.examples import EMAILOCTOPUS, GHL, NOON, later


def test_runs_are_leafed_through_by_start_and_id(pair: SqlPairStore, other_pair: SqlPairStore) -> None:
    for number in range(7):
        pair.save_run(CycleReport("main", f"r{number}", Mode.FULL), later(number // 2), later(9))
    other_pair.save_run(CycleReport("other", "r9", Mode.FULL), NOON, NOON)

    seen, last = [], pair.last_runs(2)
    while last:
        seen += [run["run_id"] for run in last]
        oldest = last[-1]
        assert isinstance(oldest["started"], datetime)
        last = pair.runs_before(oldest["started"], str(oldest["run_id"]), 2)

    assert seen == ["r6", "r5", "r4", "r3", "r2", "r1", "r0"]


def test_a_run_by_its_id(pair: SqlPairStore, other_pair: SqlPairStore) -> None:
    pair.save_run(CycleReport("main", "r1", Mode.FULL), NOON, later(1))

    found = pair.run("r1")
    assert found is not None
    assert found["ended"] == later(1)
    assert pair.run("r2") is None
    assert other_pair.run("r1") is None


def test_figures_of_runs_for_charts(pair: SqlPairStore) -> None:
    for number in (2, 1):
        report = CycleReport("main", f"r{number}", Mode.INCREMENTAL, CycleOutcome.PARKED)
        report.written[GHL, "created"], report.written[GHL, "dnd_set"] = number, 1
        report.requests[EMAILOCTOPUS] = 7
        report.quota_left[GHL], report.quota_limit[GHL] = 5, 10
        pair.save_run(report, later(number), later(number + 1))

    first, second = pair.figures_since(NOON)
    assert (first.started, first.ended, first.mode, first.outcome) == (
        later(1), later(2), Mode.INCREMENTAL, CycleOutcome.PARKED
    )  # fmt: skip
    assert first.written == {"ghl": 2, "emailoctopus": 0}
    assert second.written["ghl"] == 3
    assert first.requests == {"ghl": 0, "emailoctopus": 7}
    assert (first.quota_left, first.quota_limit) == ({"ghl": 5}, {"ghl": 10})
    assert [one.started for one in pair.figures_since(later(2))] == [later(2)]


def test_what_waits_is_leafed_through_by_id(pair: SqlPairStore, other_pair: SqlPairStore) -> None:
    held = [Held(f"g{n}", None, "blank", "many", NOON) for n in range(5)]
    parked = [Parked(f"g{n}", None, "tags", "refused", "words", 1, NOON) for n in range(5)]
    let_be = Parked("g9", None, "tags", "refused", "words", 1, NEVER, dropped=True)
    pair.commit(Commit(held=held, parked=[*parked, let_be]))
    other_pair.commit(Commit(held=held, parked=parked))

    for read in (pair.held_after, pair.parked_after):
        seen, last = [], read(0, 2)
        while last:
            seen += [one.ghl_id for one in last]
            last = read(last[-1].id or 0, 2)
        assert seen == ["g0", "g1", "g2", "g3", "g4"]


def test_the_newest_deeds_in_a_state(pair: SqlPairStore) -> None:
    states = (DeedState.UNCERTAIN, DeedState.UNCERTAIN, DeedState.DONE, DeedState.UNCERTAIN)
    pair.commit(Commit(deeds=[Deed(f"k{n}", "w", "g", "e", state, later(n)) for n, state in enumerate(states)]))

    assert [one.key for one in pair.newest_deeds(DeedState.UNCERTAIN, 2)] == ["k3", "k1"]


def test_links_that_differ_are_counted_apart(pair: SqlPairStore, other_pair: SqlPairStore) -> None:
    pair.commit(Commit(links=[
        Link("g1", "e1"),
        Link("g2", "e2", diverged=frozenset({"phone=Phone"})),
        Link("g3", "e3", consent_held=True),
        Link("g4", "e4", consent_held=True, diverged=frozenset({"phone=Phone"})),
        Link("g5", "e5", consent_held=True),
    ]))  # fmt: skip
    other_pair.commit(Commit(links=[Link("g1", "e1", consent_held=True)]))

    totals = pair.totals()
    assert (totals.links, totals.diverged, totals.consent_held) == (5, 2, 3)
