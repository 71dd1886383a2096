"""Starting automations (facts: EmailOctopus section 13)."""

from contextlib import suppress

from sync_daemon.model.errors import AlreadyExists, NotFound, Refused
from sync_daemon.systems.emailoctopus.client import Client
from sync_daemon.systems.emailoctopus.errors import Forbidden


class EmailOctopusAutomations:
    """The automations of the list's account."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def start(self, automation_id: str, contact_id: str) -> None:
        """Let a contact enter an automation; one who entered it already is fine, which also makes repeating it safe.

        Raises `Refused` for an automation that can't be started so.
        """
        try:
            with suppress(AlreadyExists):
                self._client.start_automation(automation_id, contact_id)
        except (Forbidden, NotFound) as refused:
            raise Refused(
                "automation",
                f"EmailOctopus doesn't start the automation {automation_id}. It must be active, have the trigger "
                "Started via API, and belong to the account of this list; its id is the end of its address in the "
                "dashboard.",
            ) from refused
