"""What somebody was alerted to is remembered, for each pair, until it is over."""

from datetime import timedelta

from sync_daemon.model.alarm import Condition
from sync_daemon.ports import PairStore
from sync_daemon.store.installation import StateStore
from tests.store.examples import NOON

EARLIER = NOON - timedelta(days=3, microseconds=1)


def test_what_was_told_comes_back_with_its_moment(pair: PairStore) -> None:
    assert pair.open_alerts() == {}

    pair.save_alerts({Condition.HELD: NOON, Condition.DOWN: EARLIER})

    assert pair.open_alerts() == {Condition.HELD: NOON, Condition.DOWN: EARLIER}


def test_exactly_what_is_told_now_is_remembered(pair: PairStore) -> None:
    pair.save_alerts({Condition.HELD: NOON, Condition.DOWN: NOON})
    pair.save_alerts({Condition.HELD: EARLIER, Condition.QUOTA: NOON})
    assert pair.open_alerts() == {Condition.HELD: EARLIER, Condition.QUOTA: NOON}

    pair.save_alerts({})
    assert pair.open_alerts() == {}


def test_a_pair_never_sees_anothers_alerts(pair: PairStore, other_pair: PairStore) -> None:
    pair.save_alerts({Condition.HELD: NOON})
    other_pair.save_alerts({Condition.DOWN: NOON})
    other_pair.save_alerts({})
    assert pair.open_alerts() == {Condition.HELD: NOON}


def test_a_pair_is_known_by_name_alone(store: StateStore, pair: PairStore) -> None:
    """A pair that refuses to run, as it stands for another list now, is one to alert about."""
    pair.save_alerts({Condition.CONFIGURATION: NOON})

    known = store.known_pair("main")

    assert known is not None
    assert known.open_alerts() == {Condition.CONFIGURATION: NOON}
    assert store.known_pair("unknown") is None
