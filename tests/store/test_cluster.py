"""What processes that share pairs agree on, each on an engine of its own, as if they were far apart."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from sync_daemon.model.errors import StateStoreError
from sync_daemon.model.report import Mode
from sync_daemon.model.wishes import Wishes
from sync_daemon.store.cluster import Cluster
from sync_daemon.store.cluster_tables import SCHEMA, metadata
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import open_engine, reading
from sync_daemon.store.installation import StateStore
from sync_daemon.store.pair import SqlPairStore
from sync_daemon.wiring.clock import SystemClock
from tests.databases import Server
from tests.store.conftest import SECRET, StoppedClock
from tests.store.examples import NOON

pytestmark = pytest.mark.postgres
NAMES = ("main", "other", "third")


@pytest.fixture
def stores(postgres_server: Server, clock: StoppedClock) -> Iterator[list[StateStore]]:
    """Two processes' ways to one database."""
    url = postgres_server.emptied_database()
    opened = [StateStore(open_engine(url), Secrets(SECRET), clock) for _ in range(2)]
    yield opened
    for one in opened:
        one.close()


@pytest.fixture
def pairs(stores: list[StateStore]) -> list[SqlPairStore]:
    return [stores[0].open_pair(name, f"{name} location", f"{name} list") for name in NAMES]


def wish(pair: SqlPairStore, minutes: float, mode: Mode = Mode.INCREMENTAL) -> None:
    wanted = {mode: NOON + timedelta(minutes=minutes)}
    pair.change_wishes(lambda wishes: replace(wishes, wanted={**wishes.wanted, **wanted}))


def due(store: StateStore, late: float = 0.0) -> list[str]:
    return [one.name for one in store.cluster.due(NAMES, timedelta(minutes=late), most=9)]


def test_the_tables_are_those_that_migrations_make(stores: list[StateStore]) -> None:
    with reading(stores[0]._engine) as connection:
        options = {
            "include_schemas": True,
            "compare_type": True,
            "include_name": lambda name, kind, _: kind != "schema" or name == SCHEMA,
            "include_object": lambda _, name, kind, *__: kind != "table" or not name.startswith("procrastinate"),
        }
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


def test_wishes_come_back_as_they_were(stores: list[StateStore], pairs: list[SqlPairStore]) -> None:
    seen: list[Wishes] = []
    wishes = Wishes({Mode.HINTS: NOON}, NOON, 3, Mode.FULL, NOON - timedelta(microseconds=1), "somebody")

    def put(before: Wishes) -> Wishes:
        seen.append(before)
        return wishes

    pairs[0].change_wishes(put)
    stores[1].open_pair("main", "main location", "main list").change_wishes(put)
    assert seen == [Wishes(), wishes]


def test_who_waits_longest_is_first_and_who_is_patient_isnt_due(
    stores: list[StateStore], pairs: list[SqlPairStore]
) -> None:
    for pair, minutes in zip(pairs, (-1, -3, -2), strict=True):
        wish(pair, minutes, Mode.HINTS)
        wish(pair, 60, Mode.FULL)
    assert due(stores[1]) == ["other", "third", "main"]
    assert due(stores[1], late=1.5) == ["other", "third"]
    pairs[1].change_wishes(lambda wishes: replace(wishes, resume_at=NOON + timedelta(minutes=1)))
    assert due(stores[1]) == ["third", "main"]
    assert stores[1].cluster.due(["main"], most=1)[0].number == pairs[0].number


def test_what_somebody_has_in_hand_is_due_when_nobody_holds_the_pair_any_more(
    stores: list[StateStore], pairs: list[SqlPairStore], clock: StoppedClock
) -> None:
    taken = Wishes({Mode.FULL: NOON + timedelta(hours=9)}, None, 0, Mode.INCREMENTAL, NOON, "somebody")
    pairs[0].change_wishes(lambda _: taken)
    assert pairs[0].acquire("somebody", 40)
    for seconds, names in ((0, []), (39, []), (1, ["main"])):
        clock.sleep(seconds)
        assert due(stores[1]) == names
    wish(pairs[1], -60)
    found = [(one.name, one.abandoned) for one in stores[1].cluster.due(NAMES, most=9)]
    assert found == [("main", True), ("other", False)], "it goes before who waits longer, as many as these may be"


def test_one_process_does_for_all_what_one_has_to_do_and_another_one_after_its_death(
    stores: list[StateStore], clock: StoppedClock
) -> None:
    one, other = (store.cluster for store in stores)
    assert (one.on_duty("dispatch", "one", 10), other.on_duty("dispatch", "other", 10)) == (True, False)
    clock.sleep(9)
    assert (one.on_duty("dispatch", "one", 10), other.on_duty("dispatch", "other", 10)) == (True, False)
    assert other.on_duty("something else", "other", 10)
    clock.sleep(10)
    assert (other.on_duty("dispatch", "other", 10), one.on_duty("dispatch", "one", 10)) == (True, False)


def test_nobody_misses_what_another_one_changed(stores: list[StateStore]) -> None:
    def count(store: StateStore) -> None:
        for _ in range(10):
            store.cluster.change("key", lambda state, _now: (state + b".", None))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(count, stores))
    assert stores[0].cluster.change("key", lambda state, _now: (state, len(state))) == 20


def test_a_clock_that_is_wrong_is_told(stores: list[StateStore], clock: StoppedClock) -> None:
    Cluster(stores[0]._engine, SystemClock()).refuse_another_time(5.0)
    with pytest.raises(StateStoreError, match=r"this machine's clock is \d+ s behind the database's.*NTP"):
        stores[0].cluster.refuse_another_time(5.0)
