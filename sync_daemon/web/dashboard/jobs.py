"""What takes longer than a page may: plans and the like, made in threads of their own, one of a kind for each pair."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog

from sync_daemon.model.errors import SyncError
from sync_daemon.wiring.stopping import told_to_stop
from sync_daemon.wiring.tally import Tally

_KEPT_FOR = timedelta(minutes=30)
"""A plan tells what was so when it was made, and may be large."""
_PATIENCE_S, _ASK_AGAIN_S = 60.0, 0.5
T = TypeVar("T")
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Job:
    """One piece of work, about `what`. Under way until `ended`; then `result` is there, or `problem` says why not."""

    what: Any
    began: datetime
    tally: Tally = field(default_factory=Tally)
    ended: datetime | None = None
    result: Any = None
    problem: str = ""

    @property
    def number(self) -> str:
        """What tells it from another one."""
        return f"{self.began.timestamp():.6f}"


def patiently(work: Callable[[], T], is_busy: Callable[[T], bool]) -> T:
    """Do something that needs a pair for itself, again and again while a cycle has it; for a minute at most."""
    deadline = time.monotonic() + _PATIENCE_S
    while is_busy(ended := work()) and time.monotonic() < deadline and not told_to_stop():
        time.sleep(_ASK_AGAIN_S)
    return ended


@dataclass(slots=True)
class Jobs:
    """The last job of each kind and pair."""

    now: Callable[[], datetime]
    _jobs: dict[tuple[str, str], Job] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, kind: str, pair: str, what: Any, work: Callable[[Tally], Any]) -> bool:
        """Begin a job; False, and nothing begins, while another one of the kind is under way."""
        with self._lock:
            before = self._jobs.get((kind, pair))
            if before is not None and before.ended is None:
                return False
            self._jobs = {key: one for key, one in self._jobs.items() if not self._is_old(one)}
            job = self._jobs[kind, pair] = Job(what, self.now())
        threading.Thread(target=self._work, args=(job, work), name=f"{kind} {pair}", daemon=True).start()
        return True

    def last(self, kind: str, pair: str) -> Job | None:
        """The last job of a kind for a pair, unless it ended too long ago."""
        with self._lock:
            job = self._jobs.get((kind, pair))
            return None if job is None or self._is_old(job) else job

    def _is_old(self, job: Job) -> bool:
        return job.ended is not None and self.now() - job.ended > _KEPT_FOR

    def _work(self, job: Job, work: Callable[[Tally], Any]) -> None:
        try:
            job.result = work(job.tally)
        except SyncError as error:
            job.problem = error.shown
        except Exception:  # noqa: BLE001 - the page says that it failed; the log tells why
            _log.exception("job_failed")
            job.problem = "This should not have happened. The service's log tells what went wrong."
        finally:
            job.ended = self.now()
