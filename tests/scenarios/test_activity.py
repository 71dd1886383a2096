"""Tasks, notes and appointments of GHL contacts, shown in EmailOctopus's fields (contract, section 9)."""

from datetime import timedelta
from typing import Any

from sync_daemon.model.activity import ActivityPolicy, AppointmentFields, NoteFields, TaskFields
from tests.worlds import World, world

ADA = "ada@example.com"
TASKS = TaskFields("OpenTasks", "NextTask", "NextTaskDue", "TaskDone", "TaskDoneOn")
NOTES = NoteFields("LastNote", "LastNoteOn", max_length=40)
APPOINTMENTS = AppointmentFields("NextAppt", "NextApptOn", "NextApptTime", "NextApptStatus", "LastApptOn")


def shown(here: World, email: str = ADA) -> dict[str, Any]:
    """The fields of the list that aren't names."""
    fields = here.in_emailoctopus(email)["fields"]
    return {name: value for name, value in fields.items() if name not in ("FirstName", "LastName") and value}


def test_the_open_task_that_is_due_first_is_shown(database_url: str) -> None:
    with world(database_url, activity=ActivityPolicy(tasks=TASKS)) as here:
        ghl_id, _ = here.linked()
        here.ghl.add_task(ghl_id, "Call back", due_in=timedelta(days=3))
        here.ghl.add_task(ghl_id, "Send the offer", due_in=timedelta(days=1))
        here.later(minutes=15)
        here.reconcile()
        due = (here.clock.now() + timedelta(days=1)).date().isoformat()
        assert shown(here) == {"OpenTasks": 2, "NextTask": "Send the offer", "NextTaskDue": due}
        here.assert_quiet()
