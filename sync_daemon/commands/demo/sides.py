"""Both sandboxes as somebody sees them who opens both dashboards: people, values, tags, and who may be mailed."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from sync_daemon.model.policy import Direction, FieldRule
from sync_daemon.model.system import SystemName
from sync_daemon.sandbox.emailoctopus.model import Contact as Subscriber
from sync_daemon.sandbox.ghl.contact import Contact
from sync_daemon.sandbox.server import Sandbox

GHL, EMAILOCTOPUS = SystemName.GHL, SystemName.EMAILOCTOPUS
_CUSTOM = "custom."


@dataclass(slots=True)
class Comparison:
    """How many people are on both sides and equal, and what differs between those who are not."""

    equal: int = 0
    differences: list[str] = field(default_factory=list)
    alone: Counter[SystemName] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Sides:
    """Looks straight into both worlds, past the APIs and past everything that the synchronisation remembers."""

    sandbox: Sandbox
    rules: tuple[FieldRule, ...]

    def contacts(self) -> list[Contact]:
        """Every GHL contact."""
        return list(self.sandbox.ghl.world.contacts)

    def subscribers(self) -> list[Subscriber]:
        """Every EmailOctopus contact, whatever its status."""
        return list(self.sandbox.emailoctopus.world.lists[self.sandbox.list_id].contacts)

    def contact(self, ghl_id: str) -> Contact:
        """One GHL contact."""
        return self.sandbox.ghl.world.contacts.get(ghl_id)

    def subscriber(self, emailoctopus_id: str) -> Subscriber:
        """One EmailOctopus contact."""
        return self.sandbox.emailoctopus.world.contact(emailoctopus_id)

    def value(self, system: SystemName, contact_id: str | None, name: str) -> str:
        """What a field shows there now, by its configuration name."""
        if contact_id is None:
            return ""
        if system is EMAILOCTOPUS:
            return str(self.subscriber(contact_id).fields.get(name, ""))
        return self._ghl_value(self.contact(contact_id), name)

    def tags(self, system: SystemName, contact_id: str | None) -> list[str]:
        """The tags somebody has there now."""
        if contact_id is None:
            return []
        return sorted(self.contact(contact_id).tags if system is GHL else self.subscriber(contact_id).tags)

    def name(self, ghl_id: str | None, emailoctopus_id: str | None) -> str:
        """Whom a pair of ids stands for."""
        if ghl_id is not None:
            contact = self.contact(ghl_id)
            return contact.name or contact.email or ghl_id
        if emailoctopus_id is None:
            return "?"
        subscriber = self.subscriber(emailoctopus_id)
        names = (str(subscriber.fields.get(part, "")) for part in ("FirstName", "LastName"))
        return " ".join(filter(None, names)) or subscriber.email_address

    def meetings(self) -> Iterator[tuple[Contact, Subscriber]]:
        """The people of both sides, by address; of GHL's duplicates the one that agrees best."""
        by_address: dict[str, list[Contact]] = {}
        for contact in self.contacts():
            by_address.setdefault((contact.email or "").lower(), []).append(contact)
        for subscriber in self.subscribers():
            if found := by_address.get(subscriber.email_address.lower()):
                yield min(found, key=lambda one: len(self._different(one, subscriber))), subscriber

    def compare(self) -> Comparison:
        """Hold one side against the other, field by field, tag by tag."""
        result = Comparison()
        met: set[str] = set()
        for contact, subscriber in self.meetings():
            met |= {contact.id, subscriber.id}
            different = self._different(contact, subscriber)
            result.equal += not different
            result.differences += [f"{contact.name}: {what}" for what in different]
        result.alone[GHL] = sum(one.id not in met for one in self.contacts())
        result.alone[EMAILOCTOPUS] = sum(one.id not in met for one in self.subscribers())
        return result

    def _different(self, contact: Contact, subscriber: Subscriber) -> list[str]:
        found = [
            rule.ghl
            for rule in self.rules
            if rule.direction is not Direction.TO_GHL
            and self._ghl_value(contact, rule.ghl) != str(subscriber.fields.get(rule.emailoctopus, ""))
        ]
        if {tag.lower() for tag in contact.tags} != {tag.lower() for tag in subscriber.tags}:
            found.append("tags")
        if may_be_mailed(contact) != (subscriber.status in ("subscribed", "pending")):
            found.append("consent")
        return found

    def _ghl_value(self, contact: Contact, name: str) -> str:
        if name == "phone":
            return contact.phone or ""
        if not name.startswith(_CUSTOM):
            return str(contact.fields.get(name, ""))
        definition = self.sandbox.ghl.world.location.find_field(name.removeprefix(_CUSTOM), long_keys=False)
        return str(contact.custom.get(definition.id, "")) if definition else ""


def may_be_mailed(contact: Contact) -> bool:
    """Whether GHL lets e-mails go to somebody."""
    return not contact.dnd and contact.dnd_settings.get("Email", {}).get("status", "inactive") == "inactive"
