"""What happens by the clock: polls, full scans, retries, housekeeping; APScheduler keeps the times."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from sync_daemon.model.errors import SyncError

_log = structlog.get_logger(__name__)
logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # what a job raises is logged here, without its words

_JITTER = 0.1
"""Of an interval, so that pairs spread out instead of asking at the same second."""
_MOST_JITTER = timedelta(minutes=5)


class Schedule:
    """Jobs at intervals, in threads of their own. None overlaps itself, and several missed times become one."""

    def __init__(self) -> None:
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={"default": ThreadPoolExecutor(max_workers=4)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def every(self, interval: timedelta, name: str, job: Callable[[], object], first: datetime | None = None) -> None:
        """Do something at an interval, a little spread; for the first time at `first`, else after one interval."""
        jitter = int(min(interval * _JITTER, _MOST_JITTER).total_seconds()) or None
        trigger = IntervalTrigger(seconds=max(1, int(interval.total_seconds())), start_date=first, jitter=jitter)
        self._scheduler.add_job(_Logged(name, job), trigger, id=name, name=name)

    def drop(self, names: Iterable[str]) -> None:
        """Do some jobs no more."""
        for name in names:
            self._scheduler.remove_job(name)

    def names(self) -> Iterable[str]:
        """The jobs there are."""
        return [job.id for job in self._scheduler.get_jobs()]

    def start(self) -> None:
        """Begin."""
        self._scheduler.start()

    def stop(self) -> None:
        """Begin no further job."""
        self._scheduler.shutdown(wait=False)


class _Logged:
    """A job whose failure is an event in the log, and no reason not to be tried at its next time."""

    def __init__(self, name: str, job: Callable[[], object]) -> None:
        self._name, self._job = name, job

    def __call__(self) -> None:
        try:
            self._job()
        except SyncError as error:
            _log.error("job_failed", job=self._name, why=error.shown)
        except Exception:  # noqa: BLE001 - whatever it is, the next time is the repair
            _log.exception("job_failed", job=self._name)
