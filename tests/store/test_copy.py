"""A private copy of a pair's state: the same rows, and nothing written to it comes back."""

from sqlalchemy import Engine, func, select

from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit, PairStore
from sync_daemon.store.copy import private_copy
from sync_daemon.store.installation import StateStore
from sync_daemon.store.tables import changes, metadata, runs, undo_journal
from tests.store.examples import full_link, known, replaced

GHL = SystemName.GHL


def rows() -> Commit:
    return Commit(
        contacts=[known("a"), known("b")],
        links=[full_link("a", "e")],
        additional_addresses={"a": (b"x",)},
        replaced=[replaced("a", "e")],
    )


def test_a_copy_has_every_row_of_its_pair_but_the_logs_and_none_of_another(
    engine: Engine, pair: PairStore, other_pair: PairStore
) -> None:
    pair.commit(rows(), "run")
    other_pair.commit(rows(), "run")

    with private_copy(engine, "main") as copy, copy.connect() as copied, engine.connect() as original:
        for table in metadata.sorted_tables:
            count = select(func.count()).select_from(table)
            there = original.scalar(count.where(table.c.pair_id == 1) if "pair_id" in table.c else count)
            expected = 0 if table in (runs, changes, undo_journal) else 1 if table.name == "pairs" else there
            assert copied.scalar(count) == expected, table.name


def test_what_is_written_to_a_copy_stays_there(store: StateStore, pair: PairStore) -> None:
    with store.private_copy("main") as copy:
        own = copy.open_pair("main", "location", "list")
        own.commit(rows())
        assert set(own.contacts(GHL, ["a", "b"])) == {"a", "b"}
    assert pair.contacts(GHL, ["a", "b"]) == {}


def test_a_pair_that_nobody_knows_yet_has_an_empty_copy(store: StateStore) -> None:
    with store.private_copy("new") as copy:
        assert copy.pairs() == []
        copy.open_pair("new", "location", "list")
    assert store.pairs() == []
