"""What rules may act on: each occasion once, page by page until it is judged; and how far reports were read."""

from datetime import UTC, datetime, timedelta

from sync_daemon.model.engagement import Kind, Occasion, ReportRead, seen, told
from sync_daemon.ports import Commit, PairStore
from sync_daemon.store.housekeeping import Retention
from sync_daemon.store.installation import StateStore
from tests.store.conftest import StoppedClock

AT = datetime(2026, 11, 25, 10, 0, 0, 123_456, tzinfo=UTC)


def click(number: int, campaign: str = "k1") -> Occasion:
    return told(Kind.CLICKED, f"e{number}", campaign, AT)


def ids(found: list[Occasion]) -> list[str]:
    return [one.event_id for one in found]


def test_what_was_told_comes_back_as_it_was_and_when_it_came(pair: PairStore, clock: StoppedClock) -> None:
    tag = seen(Kind.TAG_ADDED, "e2", "very important", AT, b"digest")
    pair.save_occasions([click(1)])
    pair.commit(Commit(occasions=[tag]))
    found = {one.event_id: one for one in pair.waiting_occasions(None, 9)}
    assert {name: (one.kind, one.contact_id, one.campaign_id, one.subject) for name, one in found.items()} == {
        "clicked k1 e1": (Kind.CLICKED, "e1", "k1", ""),
        tag.event_id: (Kind.TAG_ADDED, "e2", "", "very important"),
    }
    assert {(one.occurred_at, one.received_at) for one in found.values()} == {(AT, clock.now())}
    assert [one.seen for one in (click(1), tag)] == [False, True]
    assert pair.occasions(["clicked k1 e1", "nothing"]).keys() == {"clicked k1 e1"}


def test_an_occasion_is_no_hint(pair: PairStore) -> None:
    pair.save_occasions([click(1)])
    assert pair.count_waiting_events() == 0


def test_they_come_page_by_page_oldest_first_though_many_came_at_once(pair: PairStore, clock: StoppedClock) -> None:
    pair.save_occasions([click(1), click(2), click(3)])
    clock.sleep(1)
    pair.save_occasions([click(0), click(1)])
    first = pair.waiting_occasions(None, 2)
    then = pair.waiting_occasions(first[-1], 2)
    assert [ids(first), ids(then)] == [["clicked k1 e1", "clicked k1 e2"], ["clicked k1 e3", "clicked k1 e0"]]
    assert pair.waiting_occasions(then[-1], 2) == []
    assert ids(pair.last_occasions(1)) == ["clicked k1 e0"]


def test_what_is_judged_waits_no_more_and_is_known_again(pair: PairStore, other_pair: PairStore) -> None:
    for one in (pair, other_pair):
        one.save_occasions([click(1), click(2)])
    pair.commit(Commit(judged=[click(1)]))
    pair.save_occasions([click(1)])
    assert ids(pair.waiting_occasions(None, 9)) == ["clicked k1 e2"]
    assert len(pair.last_occasions(9)) == 2
    assert len(other_pair.waiting_occasions(None, 9)) == 2


def test_opt_outs_by_contact(pair: PairStore) -> None:
    bounce, left = told(Kind.BOUNCED, "e1", "k1", AT), seen(Kind.UNSUBSCRIBED, "e1", "", AT, b"d")
    pair.save_occasions([click(1), bounce, left, told(Kind.COMPLAINED, "e2", "k1", AT)])
    assert sorted(ids(pair.opt_outs_of(["e1"]))) == sorted([bounce.event_id, left.event_id])


def test_what_a_report_may_tell_again_is_remembered_longer(
    store: StateStore, pair: PairStore, clock: StoppedClock
) -> None:
    pair.save_occasions([click(1), seen(Kind.SUBSCRIBED, "e2", "", AT, b"d")])
    clock.sleep(40 * 86_400)
    assert store.tidy(Retention(timedelta(days=90), timedelta(days=30), timedelta(days=7))).events == 1
    assert ids(pair.last_occasions(9)) == ["clicked k1 e1"]
    clock.sleep(61 * 86_400)
    assert store.tidy(Retention(timedelta(days=90), timedelta(days=30), timedelta(days=7))).events == 1


def test_how_far_reports_were_read(pair: PairStore) -> None:
    first = ReportRead("k1", Kind.CLICKED, 3, AT)
    pair.commit(Commit(reports=[first, ReportRead("k1", Kind.OPENED, 9, AT)]))
    pair.commit(Commit(reports=[ReportRead("k1", Kind.CLICKED, 4, AT)]))
    assert {key: one.events for key, one in pair.reports().items()} == {
        ("k1", Kind.CLICKED): 4,
        ("k1", Kind.OPENED): 9,
    }
