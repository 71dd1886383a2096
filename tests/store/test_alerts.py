"""What somebody is alerted to is remembered, for each pair and for every process, until it is over."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sync_daemon.model.alarm import Condition
from sync_daemon.reconcile.alerting import Standing, Standings
from sync_daemon.store.installation import StateStore
from sync_daemon.store.pair import SqlPairStore
from tests.store.examples import NOON

EARLIER = NOON - timedelta(days=3, microseconds=1)
HELD = {Condition.HELD: Standing("3 contacts wait.", NOON, told=True)}
DOWN = {Condition.DOWN: Standing("GHL can't be reached.", EARLIER, gone_since=NOON)}


def test_what_stands_comes_back_as_it_was(pair: SqlPairStore) -> None:
    assert pair.standings() == {}

    pair.weigh_alerts(lambda before: {**before, **HELD, **DOWN})

    assert pair.standings() == {**HELD, **DOWN}
    assert pair.open_alerts() == {Condition.HELD: NOON}, "what isn't told yet isn't open"


def test_exactly_what_stands_now_is_remembered(pair: SqlPairStore) -> None:
    pair.weigh_alerts(lambda _: {**HELD, **DOWN})
    pair.weigh_alerts(lambda _: DOWN)
    assert pair.standings() == DOWN

    pair.weigh_alerts(lambda _: {})
    assert pair.standings() == {}


def test_of_many_that_weigh_at_once_each_sees_what_the_one_before_made_of_it(pair: SqlPairStore) -> None:
    seen: list[Standings] = []

    def weigh(before: Standings) -> Standings:
        seen.append(before)
        return HELD

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: pair.weigh_alerts(weigh), range(8)))
    assert seen == [{}, *[HELD] * 7]


def test_a_pair_never_sees_anothers_alerts(pair: SqlPairStore, other_pair: SqlPairStore) -> None:
    pair.weigh_alerts(lambda _: HELD)
    other_pair.weigh_alerts(lambda _: DOWN)
    other_pair.weigh_alerts(lambda _: {})
    assert pair.standings() == HELD


def test_a_pair_is_known_by_name_alone(store: StateStore, pair: SqlPairStore) -> None:
    """A pair that refuses to run, as it stands for another list now, is one to alert about."""
    pair.weigh_alerts(lambda _: HELD)

    known = store.known_pair("main")

    assert known is not None
    assert known.standings() == HELD
    assert store.known_pair("unknown") is None
