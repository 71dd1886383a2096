"""Jobs of several processes in PostgreSQL: one of a pair at a time, urgent ones first, what dead workers left ended."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import pytest
from sqlalchemy import text

from sync_daemon.model.wishes import DuePair
from sync_daemon.store.engine import open_engine, reading, writing
from sync_daemon.workers.queue import JobQueue
from tests.databases import Server
from tests.e2e.office import PATIENCE_S, until

pytestmark = pytest.mark.postgres
DEAD = (
    "INSERT INTO workers.procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute')",
    (
        "INSERT INTO workers.procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args, status, worker_id) "
        "SELECT 'default', 'pair', 'pair:1', 'pair:1', '{}', 'doing', id FROM workers.procrastinate_workers"
    ),
)
HOUSEKEEPING = (
    "SET LOCAL search_path = workers",
    (
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, scheduled_at) "
        "VALUES ('default', 'tidy', '{\"timestamp\": 0}', 'todo', now() + interval '1 hour')"
    ),
)


class Work:
    """What jobs do: they are counted, wait as long as the gate is closed, and must not overlap those of their pair."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.overlaps = 0
        self.gate = threading.Event()
        self.begun: set[int] = set()
        self.due: list[Callable[[], None]] = []
        self.ticks = 0
        self._under_way: Counter[str] = Counter()

    def __call__(self, pair: str) -> None:
        self._under_way[pair] += 1
        self.overlaps += self._under_way[pair] > 1
        self.gate.wait(PATIENCE_S)
        self._under_way[pair] -= 1
        self.done.append(pair)

    def busy(self) -> int:
        return self._under_way.total()

    def tick(self, process: int) -> None:
        """As the dispatcher does: what is due is put into the queue every second, until it stands there."""
        self.begun.add(process)
        self.ticks += 1
        for put in list(self.due):
            put()


@contextmanager
def queues(url: str, work: Work, *, processes: int, concurrency: int) -> Iterator[list[JobQueue]]:
    with ExitStack() as stack:
        opened = [JobQueue(url, concurrency) for _ in range(processes)]
        for number, one in enumerate(opened):
            one.start(work, partial(work.tick, number), lambda: None)
            stack.callback(one.stop, 20)
            stack.callback(work.gate.set)
        until(lambda: len(work.begun) == processes, "all have begun")
        yield opened


def test_of_one_pair_one_job_is_done_at_a_time_and_nothing_is_left(postgres_server: Server) -> None:
    work, url = Work(), postgres_server.emptied_database()
    with queues(url, work, processes=2, concurrency=3) as (one, other):
        one.put(DuePair("one", 1))
        until(lambda: work.busy() == 1, "the first is under way")
        for _ in range(3):  # what waits already isn't put there again
            other.put(DuePair("one", 1))
        one.put(DuePair("two", 2))
        until(lambda: work.busy() == 2, "the other pair doesn't wait for it")
        until(lambda: one.waiting() == 1 or len(work.done) > 0, "one of the first waits")
        work.gate.set()
        until(lambda: len(work.done) >= 3 and not work.busy(), "done")
        until(lambda: rows(url) == 0, "nothing is left")
        assert all(queue.stop(20) for queue in (one, other))
    assert (work.overlaps, Counter(work.done)["one"]) == (0, 2)


def test_what_waits_already_is_not_even_tried_again(postgres_server: Server) -> None:
    work, url = Work(), postgres_server.emptied_database()
    pairs = [DuePair(f"pair{number}", number) for number in range(20)]
    with queues(url, work, processes=1, concurrency=1) as (queue,):
        queue.put(pairs[0])
        until(work.busy, "the only place is taken")
        work.due.append(lambda: queue.put_all(pairs[1:]))
        until(lambda: queue.waiting() == 19, "all others wait")
        tried, ticks = _numbered(url), work.ticks
        until(lambda: work.ticks > ticks + 2, "they were due again")
        assert _numbered(url) == tried
        work.due.clear()
        work.gate.set()
        until(lambda: sorted(work.done) == sorted(pair.name for pair in pairs), "each was done once")


def test_what_a_dead_worker_left_in_the_middle_does_not_wait_its_turn(postgres_server: Server) -> None:
    work, url = Work(), postgres_server.emptied_database()
    with queues(url, work, processes=1, concurrency=1) as (queue,):
        queue.put(DuePair("zero", 0))
        until(work.busy, "the only place is taken")
        queue.put_all([DuePair(f"pair{number}", number) for number in range(1, 20)])
        until(lambda: queue.waiting() == 19, "many wait")
        queue.put_all([DuePair("left", 20, abandoned=True)])
        until(lambda: queue.waiting() == 20, "it waits, too")
        work.gate.set()
        until(lambda: len(work.done) == 21, "all are done")
    assert work.done[1] == "left"


def test_urgent_ones_go_first_and_what_a_dead_worker_left_holds_nobody_up(postgres_server: Server) -> None:
    work, url = Work(), postgres_server.emptied_database()
    engine = open_engine(url)
    with writing(engine) as connection:
        for statement in (*DEAD, *HOUSEKEEPING):
            connection.execute(text(statement))
    engine.dispose()
    with queues(url, work, processes=1, concurrency=1) as (queue,):
        queue.put(DuePair("zero", 0))
        until(work.busy, "the only place is taken")
        work.due.append(lambda: queue.put(DuePair("one", 1)))  # whose lock the dead one has
        work.due.append(lambda: queue.put(DuePair("two", 2)))
        until(lambda: queue.waiting() == 2, "both wait")
        work.due.append(lambda: queue.put(DuePair("three", 3), urgent=True))
        until(lambda: queue.waiting() == 3, "all wait")
        work.due.clear()
        work.gate.set()
        until(lambda: len(work.done) >= 4, "done, the one after the dead one's, too")
        assert work.done.index("three") < work.done.index("two")


def rows(url: str) -> int:
    return _number(url, "SELECT count(*) FROM workers.procrastinate_jobs")


def _numbered(url: str) -> int:
    """How many jobs were ever begun to be stored: the database numbers those that it refuses, too."""
    return _number(url, "SELECT last_value FROM workers.procrastinate_jobs_id_seq")


def _number(url: str, question: str) -> int:
    engine = open_engine(url)
    with reading(engine) as connection:
        answer = connection.execute(text(question)).scalar_one()
    engine.dispose()
    return int(answer)
