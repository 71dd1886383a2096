"""A commit is stored whole or not at all, even when the process is killed in the middle."""

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from sync_daemon.model.errors import StateStoreError
from sync_daemon.model.state import Cause, Change, KnownContact, Link
from sync_daemon.ports import Commit, PairStore
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import writing
from sync_daemon.store.installation import StateStore
from sync_daemon.store.pair import SqlPairStore
from tests.e2e.forked import Forked
from tests.store.conftest import SECRET, StoppedClock
from tests.store.examples import (
    EMAILOCTOPUS,
    GHL,
    NOON,
    deed,
    digest,
    full_link,
    held,
    known,
    parked,
    replaced,
    shown,
    staged,
    tombstone,
)

REPOSITORY = Path(__file__).resolve().parents[2]


def test_an_empty_commit_changes_nothing(pair: PairStore) -> None:
    before = pair.state()
    pair.commit(Commit())

    assert pair.state() == before


def test_nothing_is_stored_of_a_commit_that_fails(pair: PairStore) -> None:
    pair.commit(Commit(links=[Link("g1", "e1")], staged=[staged("waits")], parked=[parked("g1", None)]))
    waiting = pair.next_staged(GHL, 0, 10)

    with pytest.raises(StateStoreError):
        pair.commit(
            Commit(
                contacts=[known("a")],
                additional_addresses={"a": (digest(1),)},
                links=[Link("g2", "e1")],
                done=waiting,
                staged=[staged("a")],
                parked=[parked("a", None)],
                unparked=[parked("g1", None)],
                held=[held("a", None)],
                tombstones=[tombstone("a", None)],
                revoked_addresses={digest(1): Cause.POLICY},
                watermarks={"ghl.contacts": NOON},
                looked_at={"counts": NOON},
                batch_size=1,
            )
        )

    assert pair.contacts(GHL, ["a"]) == {}
    assert pair.holders_of_additional([digest(1)]) == {}
    assert pair.next_staged(GHL, 0, 10) == waiting
    assert [row.ghl_id for row in pair.parked(everything=True)] == ["g1"]
    assert pair.held(everything=True) == []
    assert pair.revoked_at([digest(1)]) == {}
    assert (pair.state().watermarks, pair.state().looked_at) == ({}, {})
    assert pair.state().batch_size != 1


def test_reads_see_what_was_committed_and_no_more(pair: PairStore, engine: Engine) -> None:
    pair.commit(Commit(contacts=[KnownContact(GHL, "a", scan=1)]))

    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE contacts SET scan = 2")
        assert pair.contacts(GHL, ["a"])["a"].scan == 1

    assert pair.contacts(GHL, ["a"])["a"].scan == 2


@pytest.mark.parametrize("removed", [False, True])
def test_postgresql_is_asked_as_often_for_many_records_as_for_few(
    pair: SqlPairStore, engine: Engine, *, removed: bool
) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite is asked in this process: there is nothing to save")
    asked: list[tuple[str, bool]] = []
    event.listen(engine, "before_cursor_execute", lambda *call: asked.append((call[2], call[5])))
    pair.commit(everything(1))  # numbers the mapping rows' keys
    counts = []
    for people in (2, 300):
        whole = everything(people)
        pair.commit(whole)
        if removed:
            whole = without(pair, people)
        asked.clear()
        pair.commit(whole)
        counts.append(len(asked))
        assert [statement for statement, one_by_one in asked if one_by_one] == []
    assert counts[0] == counts[1]


def everything(people: int) -> Commit:
    """A commit with a row of every kind for each of some people."""
    ids = [f"c{number:03}" for number in range(people)]
    return Commit(
        contacts=[known(one, system) for one in ids for system in (GHL, EMAILOCTOPUS)],
        additional_addresses={one: (digest(number),) for number, one in enumerate(ids)},
        links=[full_link(one, one) for one in ids],
        staged=[staged(one) for one in ids],
        parked=[parked(one, None) for one in ids],
        held=[held(one, None) for one in ids],
        tombstones=[tombstone(one, None) for one in ids],
        revoked_addresses={digest(number): Cause.POLICY for number in range(people)},
        activity=[shown(one, one) for one in ids],
        deeds=[deed(one) for one in ids],
        changes=[Change("written", GHL, one, None, "tags", "changed in GHL") for one in ids],
        replaced=[replaced(one, one) for one in ids],
    )


def without(pair: SqlPairStore, people: int) -> Commit:
    """A commit that removes what `everything` stored."""
    whole = everything(people)
    ids = [link.ghl_id for link in whole.links]
    return Commit(
        done=list(pair.staged(GHL, ids).values()),
        unlink=whole.links,
        unparked=pair.parked(ghl=ids),
        unheld=pair.held(ghl=ids),
        regranted_addresses=list(whole.revoked_addresses),
        activity_over=ids,
        additional_addresses=dict.fromkeys(ids, ()),
    )


PROGRAM = """
import sys
from datetime import UTC, datetime
from sync_daemon.model.state import KnownContact, Link, Staged
from sync_daemon.model.system import SystemName
from sync_daemon.ports import Commit
from sync_daemon.store.crypto import Secrets
from sync_daemon.store.engine import open_engine
from sync_daemon.store.installation import StateStore

class Clock:
    def now(self):
        return datetime(2026, 11, 1, tzinfo=UTC)

GHL = SystemName.GHL
pair = StateStore(open_engine(sys.argv[1]), Secrets(sys.argv[2]), Clock()).open_pair("main", "location", "list")
step = int(sys.argv[3])
while True:
    step += 1
    pair.commit(Commit(
        contacts=[KnownContact(GHL, f"{step}-{part}", scan=step) for part in range(50)],
        links=[Link(f"{step}-{part}", f"{step}-{part}") for part in range(50)],
        staged=[Staged(GHL, f"{step}-{part}", None) for part in range(50)],
        done=list(pair.staged(GHL, [f"{step - 1}-{part}" for part in range(50)]).values()),
        watermarks={"ghl.contacts": datetime.fromtimestamp(step, UTC)},
    ))
    print(step, flush=True)
"""


def test_a_process_killed_while_it_commits_leaves_a_whole_store(
    database_url: str, engine: Engine, clock: StoppedClock, tmp_path: Path
) -> None:
    pair = StateStore(engine, Secrets(SECRET), clock).open_pair("main", "location", "list")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    step = 0
    for kill in range(4):
        acknowledged = _commit_until_killed(program, (database_url, SECRET, str(step)), step + 5 + kill)
        step = _whole_steps(pair)
        assert step >= acknowledged, "what was acknowledged is stored"

    pair.commit(Commit(contacts=[known("alive")]))
    assert "alive" in pair.contacts(GHL, ["alive"])


def _commit_until_killed(program: Path, arguments: Sequence[str], last: int) -> int:
    """Kill a process that commits without a pause, after it said that a step is stored; the last one it said is."""
    process = Forked(arguments, program.parent, os.environ, program=program)
    step = 0
    while step < last:
        step = int(process.stdout.readline())
    process.kill()
    rest, _ = process.communicate(timeout=30)
    return int(rest.split()[-1]) if rest.split() else step


def _whole_steps(pair: PairStore) -> int:
    """How many steps are stored; fails unless each of them is, with all its parts."""
    pair.commit(Commit())  # waits for the end of what the killed process had under way
    step = int(pair.state().watermarks["ghl.contacts"].timestamp())
    ids = [f"{number}-{part}" for number in range(step + 2) for part in range(50)]
    expected = set(ids[50:-50])
    assert set(pair.contacts(GHL, ids)) == expected
    assert {link.ghl_id for link in pair.links(ghl=ids)} == expected
    assert set(pair.staged(GHL, ids)) == set(ids[-100:-50])
    return step


def test_what_the_guard_counts_adds_up_over_its_window(pair: PairStore, clock: StoppedClock) -> None:
    pair.commit(Commit(mass_changes={"deletion": 2}))
    clock.sleep(60)
    since = clock.now()
    pair.commit(Commit(mass_changes={"deletion": 3, "blank": 1}))
    pair.commit(Commit(mass_changes={"deletion": 4}))

    assert pair.mass_changes(since) == {"deletion": 7, "blank": 1}
    assert pair.mass_changes(since - timedelta(minutes=1)) == {"deletion": 9, "blank": 1}


def test_what_the_guard_counted_is_forgotten_after_a_day(
    pair: PairStore, other_pair: PairStore, clock: StoppedClock
) -> None:
    began = clock.now()
    pair.commit(Commit(mass_changes={"deletion": 2}))
    other_pair.commit(Commit(mass_changes={"deletion": 5}))
    clock.sleep(timedelta(hours=24).total_seconds())
    pair.commit(Commit(mass_changes={"blank": 1}))
    assert pair.mass_changes(began) == {"deletion": 2, "blank": 1}
    clock.sleep(1)
    pair.commit(Commit(mass_changes={"blank": 1}))
    assert pair.mass_changes(began) == {"blank": 2}
    assert other_pair.mass_changes(began) == {"deletion": 5}
