"""Somebody is told once when a condition begins, once when it is over, and never while it lasts."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from sync_daemon.cycle import report_of
from sync_daemon.model.alarm import Condition, Noticed
from sync_daemon.model.errors import (
    ConfigurationError,
    CredentialsRefused,
    IncompleteRead,
    PairBusy,
    QuotaExhausted,
    Refused,
    Stopped,
    SyncError,
    Unreachable,
)
from sync_daemon.model.report import CycleOutcome, CycleReport, Mode
from sync_daemon.model.system import SystemName
from sync_daemon.reconcile.alert_words import words
from sync_daemon.reconcile.alerting import (
    OVER_AFTER,
    TOLD_AFTER,
    Notice,
    Standing,
    Turn,
    noticed_in,
    noticed_in_refusal,
    noticed_silence,
    weigh,
)

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
GHL = SystemName.GHL
EACH = pytest.mark.parametrize("condition", Condition)

So = dict[Condition, str]


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def so(condition: Condition, sentence: str = "it is so") -> Noticed:
    return Noticed({condition: sentence}, frozenset(Condition))


WELL = Noticed(judged=frozenset(Condition))
NOTHING = Noticed()


def told(
    *looks: tuple[float, Noticed], standings: dict[Condition, Standing] | None = None
) -> list[tuple[float, Condition, Turn]]:
    """What is told in looks at some minutes after noon."""
    standing = standings or {}
    found: list[tuple[float, Condition, Turn]] = []
    for at, noticed in looks:
        standing, notices = weigh(standing, noticed, NOON + minutes(at))
        found += [(at, notice.condition, notice.turn) for notice in notices]
    return found


@EACH
def test_a_condition_is_told_when_it_begins_and_when_it_is_over_and_not_while_it_lasts(condition: Condition) -> None:
    delay = TOLD_AFTER.get(condition, timedelta(0)) / minutes(1)
    lasting = [(float(at), so(condition, f"look {at}")) for at in range(61)]

    assert told(*lasting, (61, WELL), (62, WELL), (63, WELL), (64, WELL), (99, WELL)) == [
        (delay, condition, Turn.BEGUN),
        (63, condition, Turn.OVER),
    ]


@EACH
def test_one_that_begins_again_after_it_was_over_is_told_again(condition: Condition) -> None:
    rounds = [(0.0, so(condition)), (5.0, so(condition)), (6.0, WELL), (8.0, WELL)]
    again = [(at + 10, noticed) for at, noticed in rounds]
    assert [turn for _, _, turn in told(*rounds, *again)] == [Turn.BEGUN, Turn.OVER] * 2


@EACH
def test_what_comes_and_goes_with_every_poll_is_told_once(condition: Condition) -> None:
    flapping = [(float(at), so(condition) if at % 2 else WELL) for at in range(6, 60)]
    assert told((0, so(condition)), (5, so(condition)), *flapping) == [
        (5 if condition in TOLD_AFTER else 0, condition, Turn.BEGUN)
    ]


@EACH
def test_a_look_that_says_nothing_of_it_leaves_it_as_it_was(condition: Condition) -> None:
    of_others = Noticed(judged=frozenset(Condition) - {condition})
    looks = [(0.0, so(condition)), (5.0, so(condition)), (6.0, of_others), (30.0, NOTHING)]
    assert [turn for _, _, turn in told(*looks)] == [Turn.BEGUN]


def test_a_system_is_down_after_five_minutes_without_an_answer_between() -> None:
    down = so(Condition.DOWN)
    assert told((0, down), (4.9, down)) == []
    assert told((0, down), (3, WELL), (4, down), (8.9, down)) == []
    assert told((0, down), (3, WELL), (4, down), (9, down)) == [(9, Condition.DOWN, Turn.BEGUN)]
    assert told((0, down), (5, NOTHING)) == [(5, Condition.DOWN, Turn.BEGUN)], "while the pair backs off"


def test_one_that_was_never_told_is_over_without_a_word() -> None:
    assert told((0, so(Condition.DOWN)), (1, WELL), (10, WELL)) == []


def test_it_is_over_by_the_passing_of_time_alone() -> None:
    """A full scan says once a day that all is well; nobody waits another day for the word."""
    assert told((0, so(Condition.SHORT_READ)), (1440, WELL), (1441, NOTHING), (1442, NOTHING)) == [
        (0, Condition.SHORT_READ, Turn.BEGUN),
        (1442, Condition.SHORT_READ, Turn.OVER),
    ]


def test_what_an_earlier_process_told_is_not_told_again_but_its_end_is() -> None:
    known = {Condition.HELD: Standing("", NOON - minutes(90), told=True)}
    assert told((0, so(Condition.HELD)), standings=known) == []
    _, notices = weigh(*_gone(known))
    assert [(one.turn, one.lasted) for one in notices] == [(Turn.OVER, minutes(90))]


def _gone(known: dict[Condition, Standing]) -> tuple[dict[Condition, Standing], Noticed, datetime]:
    return weigh(known, WELL, NOON)[0], NOTHING, NOON + OVER_AFTER


def test_several_conditions_at_once_are_told_each() -> None:
    both = Noticed({Condition.PARKED: "a", Condition.HELD: "b"}, frozenset(Condition))
    assert {condition for _, condition, _ in told((0, both))} == {Condition.PARKED, Condition.HELD}


def test_a_notice_has_the_newest_sentence_and_the_first_moment() -> None:
    standings, _ = weigh({}, so(Condition.DOWN, "at first"), NOON)
    _, notices = weigh(standings, so(Condition.DOWN, "at last"), NOON + minutes(6))
    assert notices == [Notice(Condition.DOWN, Turn.BEGUN, "at last", NOON)]


@pytest.mark.parametrize(("quiet", "expected"), [(15, []), (15.1, [Condition.SILENT])])
def test_silence_counts_from_the_last_proof_of_freshness(quiet: float, expected: list[Condition]) -> None:
    now = NOON + minutes(quiet)
    noticed = noticed_silence(NOON, minutes(15), now)
    _, notices = weigh({}, noticed, now)
    assert [(notice.condition, notice.since) for notice in notices] == [(one, NOON) for one in expected]
    assert noticed.judged == {Condition.SILENT}


FAILURES: Sequence[tuple[SyncError, Condition | None]] = [
    (CredentialsRefused(GHL, "GHL refused the token"), Condition.CREDENTIALS),
    (Unreachable(GHL, "no answer"), Condition.DOWN),
    (QuotaExhausted(GHL, "used up"), Condition.QUOTA),
    (ConfigurationError("a mistake"), Condition.CONFIGURATION),
    (SyncError("of no known kind"), Condition.FAILING),
    (PairBusy("another process"), None),
    (Stopped(GHL), None),
    (IncompleteRead("it broke off"), None),
    (Refused("bad_request", "jane@example.com"), None),
]


@pytest.mark.parametrize(("error", "condition"), FAILURES, ids=lambda value: type(value).__name__)
def test_what_keeps_a_cycle_from_beginning(error: SyncError, condition: Condition | None) -> None:
    noticed = noticed_in_refusal(error)
    assert list(noticed.so) == ([condition] if condition else [])
    assert noticed.judged == frozenset()
    assert noticed_in(report_of(error, "main", "r", Mode.INCREMENTAL), 50) == noticed


def test_a_cycle_that_nobody_foresaw_to_fail() -> None:
    report = CycleReport("main", "r", Mode.INCREMENTAL, CycleOutcome.ERROR, "ValueError, see the log")
    ((condition, sentence),) = noticed_in(report, 50).so.items()
    assert (condition, "ValueError, see the log" in sentence) == (Condition.FAILING, True)


@pytest.mark.parametrize(("parked", "expected"), [(50, []), (51, [Condition.PARKED])])
def test_parked_counts_above_the_number_that_was_set(parked: int, expected: list[Condition]) -> None:
    report = CycleReport("main", "r", Mode.INCREMENTAL, parked=parked, judged={Condition.PARKED})
    assert list(noticed_in(report, 50).so) == expected
    report.judged.clear()
    assert noticed_in(report, 50) == NOTHING, "a cycle that counted nothing says nothing"


def test_a_cycle_that_another_process_kept_from_beginning_says_nothing() -> None:
    report = CycleReport("main", "r", Mode.INCREMENTAL, CycleOutcome.BUSY, judged={Condition.PARKED})
    assert noticed_in(report, 0) == NOTHING


@EACH
def test_an_alert_says_what_since_when_of_which_pair_and_what_to_do(condition: Condition) -> None:
    title, body = words(Notice(condition, Turn.BEGUN, "Three things.", NOON), "main", "host-7")
    assert title.startswith("sync-daemon, pair main: ")
    assert "Three things." in body
    assert "Since 2026-11-01 12:00 UTC." in body
    assert "What to do: " in body
    assert body.endswith("sync-daemon on host-7, pair main")
    assert "{pair}" not in body


@pytest.mark.parametrize(
    ("lasted", "expected"),
    [(0.2, "less than a minute"), (3, "3 min"), (60, "1 h"), (24 * 60 + 61, "1 d 1 h 1 min")],
)
def test_the_word_that_it_is_over_says_how_long_it_lasted(lasted: float, expected: str) -> None:
    title, body = words(Notice(Condition.DOWN, Turn.OVER, "", NOON, minutes(lasted)), "main", "host-7")
    assert title == "sync-daemon, pair main: over: a system can't be reached"
    assert f"It lasted {expected}, from 2026-11-01 12:00 UTC." in body
    assert "What to do" not in body
