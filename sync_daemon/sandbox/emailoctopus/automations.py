"""Automations: who enters one and who has been in it already (facts: §13)."""

from collections.abc import Iterable

from sync_daemon.sandbox.emailoctopus.model import Automation, AutomationStart, Contact, Trigger

REST_S = 24 * 3600  # no contact enters the same automation twice within this time (documented: H379)


class Automations:
    """The automations of an account and every start of one, in order."""

    def __init__(self) -> None:
        self.starts: list[AutomationStart] = []
        self._by_id: dict[str, Automation] = {}
        self._latest: dict[tuple[str, str], int] = {}

    def add(self, automation: Automation) -> Automation:
        """Set up an automation."""
        self._by_id[automation.id] = automation
        return automation

    def find(self, automation_id: str) -> Automation | None:
        """Find an automation by its id."""
        return self._by_id.get(automation_id)

    def fire(self, contact: Contact, trigger: Trigger, what: Iterable[str], now: int) -> None:
        """Start the active automations that watch one of these things for a contact."""
        if not self._by_id:
            return
        watched = set(what)
        for automation in self._by_id.values():
            if (
                automation.active
                and automation.list_id == contact.list_id
                and automation.trigger == trigger
                and (automation.watches in watched or (watched and not automation.watches))
            ):
                self.start(automation, contact, now)

    def start(self, automation: Automation, contact: Contact, now: int) -> bool:
        """Let a contact enter; False when it was in already and may not repeat yet."""
        key = (automation.id, contact.id)
        latest = self._latest.get(key)
        if latest is not None and not self._may_repeat(automation, now - latest):
            return False
        self._latest[key] = now
        self.starts.append(AutomationStart(automation.id, contact.id, now))
        return True

    def _may_repeat(self, automation: Automation, seconds: int) -> bool:
        return automation.repeats and automation.trigger != "contact_added" and seconds >= REST_S
