"""Runs come back, newest first, with their report as `reconcile --json` prints it."""

from collections import Counter

from sync_daemon.model.report import CycleOutcome, CycleReport, Mode
from sync_daemon.ports import PairStore
from sync_daemon.store.pair import SqlPairStore
from sync_daemon.store.run_report import as_json
from tests.store.examples import EMAILOCTOPUS, GHL, NOON, later

DOCUMENTED = {
    "pair": "main",
    "run_id": "r1",
    "mode": "full",
    "outcome": "parked",
    "read": {"ghl": 3, "emailoctopus": 0},
    "changed": {"ghl": 0, "emailoctopus": 2},
    "written": {
        "ghl": {"created": 1, "updated": 0, "dnd_set": 4, "dnd_lifted": 0, "deleted": 0},
        "emailoctopus": {"created": 0, "updated": 0, "unsubscribed": 5, "deleted": 0},
    },
    "conflicts": 6,
    "skipped": {
        "no_email": 7,
        "invalid_email": 0,
        "duplicate": 0,
        "out_of_scope": 0,
        "suppressed": 0,
        "pending": 0,
        "forgotten": 0,
    },
    "parked": 8,
    "new_parked": 9,
    "held": 10,
    "new_held": 11,
    "diverged": 12,
    "consent_held": 13,
    "missed_by_poll": 14,
    "requests": {"ghl": 15, "emailoctopus": 16},
    "throttled": {"ghl": 0, "emailoctopus": 17},
    "duration_s": 1.5,
}


def report(run_id: str = "r1") -> CycleReport:
    return CycleReport(
        "main",
        run_id,
        Mode.FULL,
        CycleOutcome.PARKED,
        read={GHL: 3, EMAILOCTOPUS: 0},
        changed={GHL: 0, EMAILOCTOPUS: 2},
        written=Counter({(GHL, "created"): 1, (GHL, "dnd_set"): 4, (EMAILOCTOPUS, "unsubscribed"): 5}),
        conflicts=6,
        skipped=Counter({"no_email": 7}),
        parked=8,
        new_parked=9,
        held=10,
        new_held=11,
        diverged=12,
        consent_held=13,
        missed_by_poll=14,
        requests={GHL: 15, EMAILOCTOPUS: 16},
        throttled={GHL: 0, EMAILOCTOPUS: 17},
        quota_left={GHL: 18},
        duration_s=1.5,
    )


def test_a_report_has_the_documented_words_in_the_documented_order() -> None:
    printed = as_json(report())

    assert printed == DOCUMENTED
    assert list(printed) == list(DOCUMENTED)


def test_an_empty_report_has_every_key() -> None:
    printed = as_json(CycleReport("main", "r1", Mode.INCREMENTAL))

    assert printed.keys() == DOCUMENTED.keys()
    assert printed["written"]["ghl"].keys() == DOCUMENTED["written"]["ghl"].keys()  # type: ignore[index]


def test_runs_come_back_newest_first(pair: PairStore, other_pair: PairStore) -> None:
    for number in (2, 1, 3):
        pair.save_run(report(f"r{number}"), later(number * 60), later(number * 60 + 30))
    other_pair.save_run(report("r9"), NOON, NOON)

    runs = pair.last_runs(2)
    assert [run["run_id"] for run in runs] == ["r3", "r2"]
    assert runs[0] == {
        "run_id": "r3",
        "mode": "full",
        "outcome": "parked",
        "started": later(180),
        "ended": later(210),
        "report": DOCUMENTED | {"run_id": "r3"},
        "quota_left": {"ghl": 18},
        "quota_limit": {},
        "message": "",
    }


def test_what_rules_did_and_what_went_wrong_is_kept_with_the_run(pair: SqlPairStore) -> None:
    acted = CycleReport("main", "r1", Mode.INCREMENTAL, message="GHL refused the token")
    acted.written[GHL, "acted"] = 3
    pair.save_run(acted, NOON, NOON)

    (run,) = pair.last_runs(1)
    assert run["report"]["written"]["ghl"] == as_json(acted)["written"]["ghl"] | {"acted": 3}  # type: ignore[index]
    assert run["message"] == "GHL refused the token"
    assert "acted" not in as_json(acted)["written"]["ghl"]
    (figures,) = pair.figures_since(NOON)
    assert figures.written == {"ghl": 3, "emailoctopus": 0}


def test_a_run_saved_again_is_replaced(pair: PairStore) -> None:
    pair.save_run(report(), NOON, NOON)
    pair.save_run(report(), NOON, later(9))

    assert [run["ended"] for run in pair.last_runs(9)] == [later(9)]
