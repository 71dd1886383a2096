"""What is logged names the run and the pair, in whatever thread it happened."""

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from sync_daemon.model.system import SystemName
from tests.worlds import EMAILOCTOPUS, GHL, world


@pytest.mark.parametrize("system", [GHL, EMAILOCTOPUS])
def test_every_event_of_a_cycle_names_its_run_and_pair(database_url: str, system: SystemName) -> None:
    with world(database_url) as here:
        here.person("ada@example.com")
        here.fault(system, kind="error", method="GET", times=1)  # asked for by a thread that reads
        here.fault(system, kind="error", method="POST", times=1)  # or writes
        with capture_logs(processors=[merge_contextvars]) as events:
            report = here.full()
        failed = [event for event in events if event["event"] == "http.failed"]
        assert failed
        assert {(event.get("run"), event.get("pair")) for event in events} == {(report.run_id, "main")}
