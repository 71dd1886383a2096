"""What webhooks told: each event once, waiting until a cycle heeds it."""

from datetime import UTC, datetime, timedelta

from sync_daemon.model.system import SystemName
from sync_daemon.model.webhook import EventKind, WebhookEvent
from sync_daemon.ports import Commit, PairStore
from sync_daemon.store.housekeeping import Retention
from sync_daemon.store.installation import StateStore
from tests.store.conftest import StoppedClock

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
AT = datetime(2026, 11, 25, 10, 0, 0, 123_456, tzinfo=UTC)


def event(number: int, system: SystemName = GHL, **changes: object) -> WebhookEvent:
    told = {"kind": EventKind.CHANGED, "occurred_at": AT, "verified": True, **changes}
    return WebhookEvent(system, f"e{number}", f"c{number}", **told)  # type: ignore[arg-type]  # by the test


def test_what_was_told_comes_back_as_it_was(pair: PairStore) -> None:
    told = [
        event(1),
        event(2, kind=EventKind.REVOKED, occurred_at=None),
        event(3, kind=EventKind.DELETED, verified=False),
    ]
    pair.save_events(told)
    assert pair.waiting_events(GHL, 10) == told
    assert pair.waiting_events(EMAILOCTOPUS, 10) == []
    assert pair.count_waiting_events() == 3


def test_the_oldest_are_heeded_first(pair: PairStore, clock: StoppedClock) -> None:
    for number in (3, 1, 2):
        pair.save_events([event(number)])
        clock.sleep(1)
    assert [one.event_id for one in pair.waiting_events(GHL, 2)] == ["e3", "e1"]


def test_what_is_heeded_waits_no_more_and_is_known_again(pair: PairStore) -> None:
    pair.save_events([event(1), event(2), event(1, EMAILOCTOPUS)])
    pair.commit(Commit(heeded=[event(1)]))
    pair.save_events([event(1), event(2), event(1)])
    assert pair.waiting_events(GHL, 10) == [event(2)]
    assert pair.waiting_events(EMAILOCTOPUS, 10) == [event(1, EMAILOCTOPUS)]


def test_about_whose_contacts_something_waits_is_asked_in_one(pair: PairStore, other_pair: PairStore) -> None:
    assert pair.told_of() == set()
    pair.save_events([event(1), event(2), event(1, EMAILOCTOPUS), event(4, kind=EventKind.ACTIVITY)])
    assert (pair.told_of(), other_pair.told_of()) == ({GHL, EMAILOCTOPUS}, set())
    pair.commit(Commit(heeded=[event(1), event(2)]))  # what is left of GHL is no change of a contact
    assert pair.told_of() == {EMAILOCTOPUS}


def test_nothing_told_is_nothing_stored(pair: PairStore) -> None:
    pair.save_events([])
    assert pair.count_waiting_events() == 0


def test_pairs_do_not_share_events(pair: PairStore, other_pair: PairStore) -> None:
    pair.save_events([event(1)])
    other_pair.save_events([event(1)])
    pair.commit(Commit(heeded=[event(1)]))
    assert (pair.count_waiting_events(), other_pair.count_waiting_events()) == (0, 1)


def test_old_events_go_when_they_were_heeded(store: StateStore, pair: PairStore, clock: StoppedClock) -> None:
    pair.save_events([event(1), event(2)])
    pair.commit(Commit(heeded=[event(1)]))
    clock.sleep(2 * 86_400)
    pair.save_events([event(3)])
    pair.commit(Commit(heeded=[event(3)]))
    assert store.tidy(Retention(timedelta(days=90), timedelta(days=1), timedelta(days=7))).events == 1
    pair.save_events([event(1), event(3)])
    assert [one.event_id for one in pair.waiting_events(GHL, 10)] == ["e2", "e1"]  # e3 is known still


def test_what_was_told_of_another_list_means_nobody_here(store: StateStore, pair: PairStore) -> None:
    pair.save_events([event(1)])
    moved = store.open_pair("main", "location", "another list")
    assert moved.count_waiting_events() == 0
