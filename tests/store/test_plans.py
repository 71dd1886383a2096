"""How both databases answer what is asked all the time: by an index, however much waits or was done."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from sync_daemon.model.deeds import DeedState
from sync_daemon.model.state import Staged
from sync_daemon.ports import Commit
from sync_daemon.store.engine import writing
from sync_daemon.store.pair import SqlPairStore
from tests.store.examples import GHL, NOON

# PostgreSQL decides by what there is: much that lies still, little that is asked for.
_FILL = """
INSERT INTO inbox (pair_id, system, contact_id, sequence, revoked, moved, absent, payload)
SELECT :pair, 'ghl', 'c' || i, i, i % 500 = 0, i % 500 = 1, i % 500 = 2, payload
FROM generate_series(2, 3000) i, inbox;
INSERT INTO parked (pair_id, ghl_id, emailoctopus_id, what, code, message, attempts, next_try)
SELECT :pair, 'c' || i, '', 'tags', 'refused', 'x', 1, 4e15 + i FROM generate_series(1, 3000) i;
INSERT INTO held (pair_id, ghl_id, emailoctopus_id, action, reason, since, approved)
SELECT :pair, 'c' || i, '', 'blank', 'many', 0, i = 7 FROM generate_series(1, 3000) i;
INSERT INTO activity (pair_id, ghl_id, emailoctopus_id, written, open_tasks)
SELECT :pair, 'c' || i, '', 'x', CASE WHEN i % 500 = 0 THEN 'x'::bytea END FROM generate_series(1, 3000) i;
INSERT INTO deeds (pair_id, key, what, ghl_id, emailoctopus_id, state, at, attempts, code, message, digest)
SELECT :pair, 'd' || i, 'add_tag', 'c' || i, '', 'done', i, 1, '', '', 'x' FROM generate_series(1, 3000) i;
INSERT INTO events (pair_id, system, event_id, contact_id, kind, verified, received_at, heeded_at, engagement)
SELECT :pair, 'emailoctopus', 'e' || i, 'c' || i, 'engaged', true, i, i, 'opened' FROM generate_series(1, 3000) i;
ANALYZE
"""

QUESTIONS: dict[str, tuple[Callable[[SqlPairStore], object], str]] = {
    "revocations": (lambda pair: pair.next_staged(GHL, 0, 100, revoked=True), "ix_inbox_revoked"),
    "who moved": (lambda pair: pair.next_staged(GHL, 0, 100, moved=True), "ix_inbox_moved"),
    "who is missing": (lambda pair: pair.next_staged(GHL, 0, 100, absent=True), "ix_inbox_absent"),
    "parked and due": (lambda pair: pair.parked(due=NOON), "ix_parked_next_try"),
    "held and decided about": (lambda pair: pair.held(ordered=True), "ix_held_ordered"),
    "open tasks": (lambda pair: pair.ids_with_activity(open_tasks=True), "ix_activity_open_tasks"),
    "newest deeds": (lambda pair: pair.newest_deeds(DeedState.DONE, 20), "ix_deeds_state"),
    "occasions": (lambda pair: pair.occasions(["e7"]), "pk_events"),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_it_is_found_by_an_index(pair: SqlPairStore, engine: Engine, question: str) -> None:
    ask, index = QUESTIONS[question]
    if engine.dialect.name == "postgresql":
        pair.commit(Commit(staged=[Staged(GHL, "c1", None)]))
        with writing(engine) as connection:
            for statement in _FILL.split(";\n"):
                connection.execute(text(statement), {"pair": pair._pair_id} if ":pair" in statement else {})
    (plan,) = plans(engine, lambda: ask(pair))
    assert index in plan or index.replace("pk_events", "sqlite_autoindex_events_1") in plan, plan
    assert not any(word in plan for word in ("Seq Scan", "SCAN")), plan


def plans(engine: Engine, ask: Callable[[], object]) -> list[str]:
    """How the database answers each question that is asked."""
    asked: list[tuple[str, Any]] = []

    def note(*call: Any) -> None:
        if call[2].startswith("SELECT"):
            asked.append((call[2], call[3]))

    event.listen(engine, "before_cursor_execute", note)
    ask()
    event.remove(engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    with engine.connect() as connection:
        rows = [
            connection.exec_driver_sql(f"{explain} {statement}", parameters).all() for statement, parameters in asked
        ]
    return ["\n".join(str(row[-1]) for row in one) for one in rows]
