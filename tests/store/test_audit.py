"""The audit log answers by run, contact, field, system and time, page by page, and from an index each time."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from sync_daemon.model.audit import ChangeFilter, LoggedChange
from sync_daemon.model.contact import Consent
from sync_daemon.model.person import Person
from sync_daemon.model.state import Change, Tombstone
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit, PairStore
from tests.store.conftest import StoppedClock
from tests.store.examples import EMAILOCTOPUS, GHL, NOON

FIRST = Change("written", GHL, "g1", "e1", "firstName", "FirstName changed in EmailOctopus")
TAGS = Change("written", EMAILOCTOPUS, "g2", "e2", "add_tags", "tag changed in GoHighLevel")
SKIPPED = Change("skipped", GHL, "g3", None, "creation", "no_email")
REPORTED = Change("reported", None, None, "e2", "consent", "an unknown status")


@pytest.fixture
def told(pair: PairStore, other_pair: PairStore, clock: StoppedClock) -> PairStore:
    """Two runs a minute apart; and another pair's, which never shows."""
    other_pair.commit(Commit(changes=[FIRST]), "run-1")
    pair.commit(Commit(changes=[FIRST, SKIPPED]), "run-1")
    clock.sleep(60)
    pair.commit(Commit(changes=[TAGS, REPORTED]), "run-2")
    return pair


def changes(lines: list[LoggedChange]) -> list[Change]:
    return [one.change for one in lines]


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (ChangeFilter(), [REPORTED, TAGS, SKIPPED, FIRST]),
        (ChangeFilter(run_id="run-1"), [SKIPPED, FIRST]),
        (ChangeFilter(run_id="run-3"), []),
        (ChangeFilter(contacts=frozenset({"g1", "e2"})), [REPORTED, TAGS, FIRST]),
        (ChangeFilter(contacts=frozenset()), []),
        (ChangeFilter(contacts=frozenset({""})), []),
        (ChangeFilter(what=frozenset({"firstName", "consent"})), [REPORTED, FIRST]),
        (ChangeFilter(system=EMAILOCTOPUS), [TAGS]),
        (ChangeFilter(run_id="run-1", system=GHL, what=frozenset({"creation"})), [SKIPPED]),
    ],
)
def test_a_question_is_answered_newest_first(told: PairStore, asked: ChangeFilter, answer: list[Change]) -> None:
    assert changes(told.logged(asked, 10)) == answer
    assert changes(list(told.every_logged(asked))) == answer[::-1]


def test_times_are_from_including_until_excluding(told: PairStore, clock: StoppedClock) -> None:
    later, earlier = clock.moment, clock.moment - timedelta(seconds=60)
    assert [one.at for one in told.logged(ChangeFilter(), 10)] == [later, later, earlier, earlier]
    assert changes(told.logged(ChangeFilter(since=later), 10)) == [REPORTED, TAGS]
    assert changes(told.logged(ChangeFilter(until=later), 10)) == [SKIPPED, FIRST]
    assert told.logged(ChangeFilter(since=later, until=later), 10) == []


def test_pages_follow_each_other_either_way(told: PairStore) -> None:
    for newest_first in (True, False):
        whole = told.logged(ChangeFilter(), 10, newest_first=newest_first)
        page = told.logged(ChangeFilter(), 3, newest_first=newest_first)
        rest = told.logged(ChangeFilter(), 3, beyond=page[-1].place, newest_first=newest_first)
        assert [*page, *rest] == whole


def test_everything_is_told_however_much_there_is(pair: PairStore) -> None:
    pair.commit(Commit(changes=[Change("written", GHL, f"g{one}", None, "phone", "") for one in range(2500)]), "run-1")
    assert [one.change.ghl_id for one in pair.every_logged(ChangeFilter())] == [f"g{one}" for one in range(2500)]


def test_no_question_reads_the_whole_log(told: PairStore, engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL chooses by statistics, and a small table is read as a whole")
    asked: list[tuple[str, Any]] = []

    def note(*call: Any) -> None:
        if call[2].startswith("SELECT"):
            asked.append((call[2], call[3]))

    event.listen(engine, "before_cursor_execute", note)
    for question in (
        ChangeFilter(),
        ChangeFilter(run_id="run-1"),
        ChangeFilter(contacts=frozenset({"g1"})),
        ChangeFilter(what=frozenset({"firstName"})),
        ChangeFilter(since=NOON, until=NOON),
    ):
        told.logged(question, 10)
    told.contacts_at(SystemName.GHL, [b"digest"])
    told.tombstones_of(Person(frozenset({"g1"}), frozenset({"e1"}), frozenset({b"digest"})))
    told.opt_outs_of(["e1"])
    assert len(asked) == 10
    with engine.connect() as connection:
        for statement, parameters in asked:
            plan = [str(row[-1]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            assert not [step for step in plan if step.startswith("SCAN")], (statement, plan)
            searches = [step for step in plan if step.startswith("SEARCH")]
            assert all("USING INDEX ix_" in step for step in searches), (statement, plan)


def test_tombstones_are_found_by_each_of_their_ids_and_by_the_address(pair: PairStore, clock: StoppedClock) -> None:
    stone = Tombstone("g1", "e1", GHL, clock.moment, "unsubscribe", Consent.GRANTED, b"digest")
    pair.commit(Commit(tombstones=[stone, Tombstone("g2", None, EMAILOCTOPUS, clock.moment, "nothing", None, None)]))
    for person in (
        Person(ghl=frozenset({"g1"})),
        Person(emailoctopus=frozenset({"e1"})),
        Person(addresses=frozenset({b"digest"})),
        Person(frozenset({"g1"}), frozenset({"e1"}), frozenset({b"digest"})),
    ):
        assert pair.tombstones_of(person) == [stone]
    assert pair.tombstones_of(Person(ghl=frozenset({"g3"}))) == []
