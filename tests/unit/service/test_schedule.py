"""What happens by the clock: spread, never twice at a time, and not for ever less because it failed once."""

from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from sync_daemon.service.schedule import Schedule

LATER = datetime(2100, 1, 1, tzinfo=UTC)


def nothing() -> None:
    """A job that is never begun here."""


@pytest.mark.parametrize(
    ("every", "jitter"),
    [
        (timedelta(seconds=1), None),
        (timedelta(seconds=60), 6),
        (timedelta(hours=24), 300),
    ],
)
def test_a_job_is_spread_by_a_tenth_of_its_interval_and_five_minutes_at_most(
    every: timedelta, jitter: int | None
) -> None:
    schedule = Schedule()
    schedule.every(every, "poll main", nothing)
    [job] = schedule._scheduler.get_jobs()
    assert (job.trigger.interval, job.trigger.jitter) == (every, jitter)


def test_a_job_never_overlaps_itself_and_missed_times_become_one() -> None:
    schedule = Schedule()
    schedule._scheduler.start(paused=True)
    schedule.every(timedelta(seconds=60), "poll main", nothing)
    [job] = schedule._scheduler.get_jobs()
    assert (job.max_instances, job.coalesce, job.misfire_grace_time) == (1, True, None)
    schedule.stop()


def test_a_job_begins_when_it_is_due() -> None:
    schedule = Schedule()
    schedule._scheduler.start(paused=True)
    schedule.every(timedelta(seconds=1), "full scan main", nothing, first=LATER)
    [job] = schedule._scheduler.get_jobs()
    assert job.next_run_time == LATER
    schedule.stop()


def test_a_job_that_fails_is_an_event_and_is_done_again() -> None:
    def fails() -> None:
        raise ValueError("ada@example.com")

    schedule = Schedule()
    schedule.every(timedelta(seconds=60), "housekeeping", fails)
    [job] = schedule._scheduler.get_jobs()
    with capture_logs() as events:
        job.func()
        job.func()
    assert [(event["event"], event["job"]) for event in events] == [("job_failed", "housekeeping")] * 2
