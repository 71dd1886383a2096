"""`sync-daemon run` with activity: what GHL's webhooks tell of it is in EmailOctopus's fields in a moment."""

from datetime import timedelta
from typing import Any

import pytest

from tests.e2e.test_service import service, somebody, until
from tests.e2e.trial import Trial

ACTIVITY = """\
    activity:
      poll_every: 1h
      tasks: {open_count: OpenTasks}
      appointments: {next_title: NextAppt, next_status: NextApptStatus, on_booked: {automation: %s}}
      notes: {latest: LastNote}
"""


@pytest.mark.usefixtures("with_tables")
def test_a_booking_that_a_webhook_tells_is_shown_in_a_moment(trial: Trial) -> None:
    automation = str(trial.emailoctopus.create_automation(trial.sandbox.list_id, trigger="api").id)
    trial.config += ACTIVITY % automation
    calendar = str(trial.ghl.add_calendar("Fittings")["id"])
    with service(trial) as here:
        ghl_id, subscriber_id = somebody(trial)

        def shown(name: str) -> Any:
            return trial.emailoctopus.contact(subscriber_id).fields.get(name)

        start = trial.sandbox.clock.now() + timedelta(days=1)
        event = trial.ghl.book(ghl_id, calendar, start, title="Fitting")
        until(lambda: shown("NextAppt") == "Fitting", "the booking is shown")
        until(lambda: [one.contact_id for one in trial.emailoctopus.automations.starts] == [subscriber_id], "started")
        trial.ghl.set_appointment(event.id, "cancelled")
        until(lambda: not shown("NextAppt"), "what is called off is gone")
        trial.ghl.add_note(ghl_id, "<p>Prefers mornings</p>")
        until(lambda: shown("LastNote") == "Prefers mornings", "the note is shown")
        task = trial.ghl.add_task(ghl_id, "Call back", start)  # whose event doesn't tell whose it is
        trial.ghl.complete_task(task.id)
        other = trial.ghl.add_task(ghl_id, "Send the offer", start)
        trial.ghl.delete_task(trial.ghl.add_task(ghl_id, "Nothing", start).id)
        until(lambda: shown("OpenTasks") == 1, "the open task is counted")
        trial.ghl.complete_task(other.id)
        until(lambda: shown("OpenTasks") == 0, "none is open any more")
        assert here.figure("cycles_total", mode="incremental") == 0  # no poll was needed
        assert len(trial.emailoctopus.automations.starts) == 1
        here.stop()
        log = here.log.read_text(encoding="utf-8")
        assert "Fitting" not in log
        assert "mornings" not in log
