"""What writes replaced comes back as it was, to those who ask for its run or for conflicts, until its time is over."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, make_url, select

from sync_daemon.model.plan import Action
from sync_daemon.model.undo import Replaced
from sync_daemon.ports import Commit, PairStore
from sync_daemon.store.engine import reading
from sync_daemon.store.housekeeping import Retention
from sync_daemon.store.installation import StateStore
from sync_daemon.store.tables import undo_journal
from tests.store.conftest import StoppedClock
from tests.store.examples import GHL, NOON, replaced

WEEK = timedelta(days=7)
ALWAYS = timedelta(days=9000)


def test_every_part_comes_back_under_its_run(pair: PairStore, other_pair: PairStore, clock: StoppedClock) -> None:
    written = replaced("g1", "e1")
    pair.commit(Commit(replaced=[written]), "one")
    pair.commit(Commit(replaced=[replaced("g2", "e2")]), "two")
    other_pair.commit(Commit(replaced=[replaced("g3", "e3")]), "one")

    (back,) = pair.replaced("one", None, 9)

    assert (back.run_id, back.at) == ("one", clock.now())
    assert (back.system, back.action, back.ghl_id, back.emailoctopus_id) == (
        written.system, written.action, "g1", "e1",
    )  # fmt: skip
    assert (back.fields, back.unread, back.address) == (written.fields, written.unread, written.address)
    assert (back.tags, back.conflicts, back.digest) == (written.tags, written.conflicts, written.digest)
    assert pair.replaced_by(back.id) == back
    assert other_pair.replaced_by(back.id) is None
    assert pair.count_replaced(["one", "two", "three"]) == {"one": 1, "two": 1}


def test_a_run_is_read_page_by_page(pair: PairStore) -> None:
    pair.commit(Commit(replaced=[replaced(f"g{number}", "") for number in range(5)]), "run")
    first = pair.replaced("run", None, 2)
    rest = pair.replaced("run", first[-1], 9)
    assert [one.ghl_id for one in (*first, *rest)] == [f"g{number}" for number in range(5)]
    assert rest[0].emailoctopus_id is None


def test_conflicts_are_told_newest_first(pair: PairStore) -> None:
    lost = [replaced(f"g{number}", "e") for number in range(3)]
    pair.commit(Commit(replaced=[*lost, replaced("g9", "e9", conflicts=frozenset())]), "run")

    newest = pair.conflicts(2)

    assert [one.ghl_id for one in newest] == ["g2", "g1"]
    assert [one.ghl_id for one in pair.conflicts(2, newest[-1].id)] == ["g0"]


def test_what_was_created_has_no_former_value(pair: PairStore) -> None:
    pair.commit(Commit(replaced=[Replaced(GHL, Action.CREATE, "g1", "e1", updated_at=NOON)]), "run")
    (back,) = pair.replaced("run", None, 9)
    assert (back.action, back.fields, back.updated_at, back.target_id) == (Action.CREATE, {}, NOON, "g1")


def test_what_is_older_is_erased_and_nothing_else(store: StateStore, pair: PairStore, clock: StoppedClock) -> None:
    pair.commit(Commit(replaced=[replaced("g1", "e1")]), "old")
    clock.sleep(WEEK.total_seconds())
    pair.commit(Commit(replaced=[replaced("g2", "e2")]), "new")
    assert store.tidy(Retention(ALWAYS, ALWAYS, WEEK)).undo == 0
    clock.sleep(1)
    assert store.tidy(Retention(ALWAYS, ALWAYS, WEEK)).undo == 1
    assert pair.count_replaced(["old", "new"]) == {"new": 1}
    assert store.tidy(Retention(ALWAYS, ALWAYS, timedelta(0))).undo == 1, "0 days keep none"


def test_what_was_erased_is_nowhere_in_the_files(
    store: StateStore, pair: PairStore, engine: Engine, clock: StoppedClock, database_url: str
) -> None:
    """Not even encrypted: a copy of the file and the key, taken later, tell nothing of it."""
    pair.commit(Commit(replaced=[replaced(f"g{number}", "e") for number in range(200)]), "run")
    with reading(engine) as connection:
        tokens = connection.scalars(select(undo_journal.c.payload)).all()
    assert len(tokens) == 200
    clock.sleep(1)
    assert store.tidy(Retention(ALWAYS, ALWAYS, timedelta(0))).undo == 200
    if database_url.startswith("sqlite"):
        path = Path(make_url(database_url).database or "")
        files = b"".join(file.read_bytes() for file in path.parent.iterdir() if file.name.startswith(path.name))
        assert [token for token in tokens if token[:40] in files] == []


def test_nothing_is_said_of_a_person_in_clear(pair: PairStore, engine: Engine) -> None:
    pair.commit(Commit(replaced=[replaced("g1", "e1")]), "run")
    with reading(engine) as connection:
        row = connection.execute(select(undo_journal)).mappings().one()
    assert set(row) - {"payload"} == {
        "id", "pair_id", "run_id", "at", "system", "action", "ghl_id", "emailoctopus_id", "conflict", "digest",
    }  # fmt: skip
    assert b"Jan" not in row["payload"]
