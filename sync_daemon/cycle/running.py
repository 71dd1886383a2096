"""What every run has around it, whatever it does: the lease, its outcome and costs, and the row that tells of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from structlog.contextvars import bound_contextvars

from sync_daemon.cycle.outcome import conclude
from sync_daemon.cycle.pair import Pair, Run
from sync_daemon.model.errors import IncompleteRead, PairBusy, PairPaused, Refused, StateStoreAway, StopSystem
from sync_daemon.model.report import CycleOutcome, CycleReport, Mode
from sync_daemon.model.state import PairState
from sync_daemon.model.system import SystemName


def as_a_run(pair: Pair, report: CycleReport, begin: Callable[[PairState], Run], work: Callable[[Run], None]) -> None:
    """Hold the pair, do the work, and write down how it ended; nothing is begun while a person has the pair paused.

    What a user can cause ends in the report's outcome, never in an exception. Who lost the pair on the way writes
    nothing down: whoever took it over tells what became of it.
    """
    try:
        with bound_contextvars(run=report.run_id, pair=pair.name), pair.lease.held(), _written_down(pair, report):
            state = pair.store.state()
            if state.paused_since is not None:
                raise PairPaused(pair.name, state.paused_since)
            run = begin(state)
            try:
                work(run)
            except StopSystem as error:
                run.sender.stopped.setdefault(error.system, error)
            except (IncompleteRead, Refused) as error:
                run.interrupted = error
            conclude(run)
    except PairBusy as error:
        report.outcome, report.message = CycleOutcome.BUSY, str(error)
        report.paused = isinstance(error, PairPaused)


@contextmanager
def _written_down(pair: Pair, report: CycleReport) -> Iterator[None]:
    """Count what the run costs, and save it as long as it holds the pair and the database answers."""
    started, began = pair.clock.now(), pair.clock.monotonic()
    before = {name: pair.systems[name].usage() for name in SystemName}
    storable = True
    try:
        yield
    except (PairBusy, StateStoreAway):
        storable = False
        raise
    except BaseException:
        report.outcome = CycleOutcome.ERROR
        raise
    finally:
        for name in SystemName:
            usage = pair.systems[name].usage()
            report.requests[name] = usage.requests - before[name].requests
            report.throttled[name] = usage.throttled - before[name].throttled
            if usage.daily_remaining is not None:
                report.quota_left[name] = usage.daily_remaining
            if usage.daily_limit is not None:
                report.quota_limit[name] = usage.daily_limit
        report.duration_s = pair.clock.monotonic() - began
        if storable and not _is_an_echo(report):
            pair.store.save_run(report, started, pair.clock.now())


def _is_an_echo(report: CycleReport) -> bool:
    """Whether webhooks told nothing but what this program had written: nobody needs to read of that."""
    return report.mode is Mode.HINTS and report.outcome is CycleOutcome.OK and not report.written
