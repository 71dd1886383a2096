"""Jobs in PostgreSQL by Procrastinate. What its documents don't tell of locks, and how that is lived with here:

A freed lock wakes nobody, so each worker looks for jobs four times a second. A job scheduled for later would block the
others with its lock: none is. With a lock and a queueing lock, a retry by the library can leave a job under way for
ever: pair jobs have none, what isn't done is due again. For the same reason what a dead worker left under way isn't put
back in the queue, but ended.
"""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ProcrastinateException
from procrastinate.jobs import Job, Status
from sqlalchemy import make_url

from sync_daemon.model.errors import SyncError
from sync_daemon.model.wishes import DuePair
from sync_daemon.store.cluster_tables import SCHEMA

_FETCH_EVERY_S = 0.25
_HEARTBEAT_S, _STALLED_AFTER_S = 5.0, 20.0
_TICK_S, _RESCUE_EVERY_S, _START_AGAIN_S = 1.0, 5.0, 2.0
_ANSWERS_WITHIN_S = 5.0
_URGENT = 5
_PAIR = "pair"
_HOUSEKEEPING = "23 * * * *"
_log = structlog.get_logger(__name__)
for _talkative in ("procrastinate", "psycopg.pool"):  # what goes wrong is logged here, without their words
    logging.getLogger(_talkative).setLevel(logging.CRITICAL)


class JobQueue:
    """`service.shared.Queue` on a database with the schema `workers`; `concurrency` pairs at once in this process."""

    def __init__(self, database_url: str, concurrency: int) -> None:
        self._app = App(connector=PsycopgConnector(conninfo=_conninfo(database_url), **_POOL))
        self._concurrency = concurrency
        self._loop: asyncio.AbstractEventLoop | None = None
        self._serving: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="jobs", daemon=True)
        self._tick: Callable[[], None] = lambda: None

    def start(self, work: Callable[[str], None], tick: Callable[[], None], tidy: Callable[[], None]) -> None:
        """Begin to do jobs: `work` is told the pair; `tick` is called every second, `tidy` by one process an hour."""
        self._tick = tick

        @self._app.task(name=_PAIR)
        def _pair(pair: str) -> None:
            _logged("pair_job_failed", lambda: work(pair), pair=pair)

        @self._app.periodic(cron=_HOUSEKEEPING)
        @self._app.task(name="tidy", lock="tidy", queueing_lock="tidy")
        def _tidy(timestamp: int) -> None:  # noqa: ARG001 - the form of the library's periodic tasks
            _logged("job_failed", tidy, job="housekeeping")

        self._thread.start()

    def put(self, pair: DuePair, *, urgent: bool = False, after: float = 0.0) -> None:
        """Have a pair worked on, `after` some seconds; urgent ones go before others. Never raises, and never waits."""
        self._soon(lambda: _in_background(self._defer(pair, _URGENT if urgent else 0, after)))

    def put_all(self, pairs: Collection[DuePair]) -> None:
        """Have those pairs worked on, in their order, that don't wait for it yet; abandoned ones before all others.

        Never raises, and never waits.
        """
        if pairs:
            self._soon(lambda: _in_background(self._defer_all(pairs)))

    def waiting(self) -> int:
        """How many pairs wait for a worker. Raises `TimeoutError` when the database doesn't tell in time."""
        if self._loop is None:
            return 0
        asked = asyncio.run_coroutine_threadsafe(self._app.job_manager.list_queues_async(task=_PAIR), self._loop)
        return sum(int(queue["todo"]) for queue in asked.result(_ANSWERS_WITHIN_S))

    def stop(self, within: float) -> bool:
        """Begin no further job; whether those under way ended in time."""
        self._soon(lambda: self._serving.cancel() if self._serving is not None else None)
        self._thread.join(within)
        return not self._thread.is_alive()

    def is_alive(self) -> bool:
        """Whether jobs are done."""
        return self._thread.is_alive()

    def _soon(self, function: Callable[[], object]) -> None:
        """Have something done in the thread of jobs; nothing before it has begun, or after its end."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(function)

    async def _serve(self) -> None:
        """Do jobs, tick and rescue until cancelled; what fails is begun again."""
        loop = self._loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(self._concurrency + 2, thread_name_prefix="job"))
        loop.set_exception_handler(lambda _loop, context: _log.warning("job_not_ended", why=_kind(context)))
        self._serving = asyncio.create_task(self._serve_for_ever())
        await asyncio.wait([self._serving])

    async def _serve_for_ever(self) -> None:
        async with asyncio.TaskGroup() as together:
            together.create_task(_again(self._do_jobs, _START_AGAIN_S, "jobs_interrupted"))
            together.create_task(_again(lambda: asyncio.to_thread(self._tick), _TICK_S, "tick_failed"))
            together.create_task(_again(self._rescue, _RESCUE_EVERY_S, "rescue_failed"))

    async def _do_jobs(self) -> None:
        async with self._app.open_async():
            await self._app.run_worker_async(
                concurrency=self._concurrency,
                fetch_job_polling_interval=_FETCH_EVERY_S,
                update_heartbeat_interval=_HEARTBEAT_S,
                stalled_worker_timeout=_STALLED_AFTER_S,
                delete_jobs="always",
                install_signal_handlers=False,
            )

    async def _rescue(self) -> None:
        """End what workers that are no more had under way: their pairs are due again by what stands in the agendas."""
        for job in await self._app.job_manager.get_stalled_jobs(seconds_since_heartbeat=_STALLED_AFTER_S):
            await self._end(job)

    async def _end(self, job: Job) -> None:
        if job.id is None:
            return
        try:
            await self._app.job_manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)
        except ProcrastinateException:
            return  # another worker was quicker
        _log.warning("job_of_a_dead_worker_ended", job=job.task_name, pair=job.task_kwargs.get("pair"))

    async def _defer_all(self, pairs: Collection[DuePair]) -> None:
        """What waits is asked for once: to have the database refuse each of many that wait costs it much more."""
        try:
            jobs = await self._app.job_manager.list_jobs_async(task=_PAIR, status=Status.TODO.value)
        except Exception as error:  # noqa: BLE001 - what is due is put in the queue at the next tick
            _log.warning("jobs_not_queued", why=_shown(error))
            return
        waiting = {job.lock for job in jobs}
        for pair in pairs:
            if _lock(pair) not in waiting:
                await self._defer(pair, _URGENT if pair.abandoned else 0, 0.0)

    async def _defer(self, pair: DuePair, priority: int, after: float) -> None:
        await asyncio.sleep(after)
        lock = _lock(pair)
        task = self._app.configure_task(_PAIR, lock=lock, queueing_lock=lock, priority=priority)
        try:
            await task.defer_async(pair=pair.name)
        except AlreadyEnqueued:
            return
        except Exception as error:  # noqa: BLE001 - what is due is put in the queue again at the next tick
            _log.warning("job_not_queued", pair=pair.name, why=_shown(error))


_POOL: dict[str, Any] = {
    "min_size": 1,
    "max_size": 4,
    "kwargs": {"options": f"-c search_path={SCHEMA}", "application_name": "sync-daemon worker"},
}
_background: set[asyncio.Task[None]] = set()


def _lock(pair: DuePair) -> str:
    return f"pair:{pair.number}"


def _conninfo(database_url: str) -> str:
    return make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)


def _in_background(coroutine: Any) -> None:
    task = asyncio.ensure_future(coroutine)
    _background.add(task)  # the loop itself keeps no task alive
    task.add_done_callback(_background.discard)


async def _again(step: Callable[[], Awaitable[None]], pause: float, event: str) -> None:
    """Do something again and again, whatever comes of it."""
    while True:
        try:
            await step()
        except Exception as error:  # noqa: BLE001 - the next time is the repair
            _log.warning(event, why=_shown(error))
        await asyncio.sleep(pause)


def _logged(event: str, work: Callable[[], None], **what: str) -> None:
    """Do a job whose failure is an event in the log, and no reason not to be due again."""
    try:
        work()
    except Exception:  # noqa: BLE001 - as above
        _log.exception(event, **what)


def _kind(context: dict[str, Any]) -> str:
    error = context.get("exception")
    return _shown(error) if isinstance(error, BaseException) else "nobody knows"


def _shown(error: BaseException) -> str:
    """What may be said of an error: a library's own words can hold anything."""
    return error.shown if isinstance(error, SyncError) else type(error).__name__
