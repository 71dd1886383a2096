"""What rules do in one location: operations of the catalogue, and looks at what they have made (facts: §6.1, §6.2)."""

from collections.abc import Mapping

from sync_daemon.model.activity import Note, Task
from sync_daemon.model.errors import Refused
from sync_daemon.systems.ghl.activity import GhlActivity, task_of
from sync_daemon.systems.ghl.catalogue.catalogue import operation
from sync_daemon.systems.ghl.catalogue.prepare import BadParameters, PreparedCall, prepare
from sync_daemon.systems.ghl.client import Client

BAD_VALUES = "bad_values"
"""The code of a call that isn't sent, as the operation doesn't take such values."""


class GhlActions:
    """The catalogue of one location, for rules."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._activity = GhlActivity(client)

    def call(self, operation: str, values: Mapping[str, object]) -> None:
        """Do it. Raises `AnswerLost` for what isn't repeatable, `Refused` also for values that it doesn't take."""
        self._client.call(self._prepared(operation, values))

    def repeatable(self, operation: str, values: Mapping[str, object]) -> bool:
        """Whether doing it twice is as good as doing it once."""
        return self._prepared(operation, values).idempotent

    def tasks(self, contact_id: str) -> list[Task]:
        """A contact's tasks; their list doesn't tell when they were added."""
        return [task_of(row) for row in self._client.tasks_of(contact_id) if not row.deleted]

    def notes(self, contact_id: str) -> list[Note]:
        """A contact's notes."""
        return self._activity.notes_of(contact_id)

    def _prepared(self, name: str, values: Mapping[str, object]) -> PreparedCall:
        settings = self._client.settings
        try:
            return prepare(operation(name), values, settings.location_id, settings.version)
        except BadParameters as error:
            raise Refused(BAD_VALUES, "; ".join(error.problems)) from error
