"""An account's state and the one way in which its contacts change, whoever changes them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

from sync_daemon.sandbox.clock import Clock
from sync_daemon.sandbox.emailoctopus.automations import Automations
from sync_daemon.sandbox.emailoctopus.errors import ProblemError
from sync_daemon.sandbox.emailoctopus.model import (
    Campaign,
    Change,
    Contact,
    Field,
    FieldValue,
    Status,
)
from sync_daemon.sandbox.emailoctopus.quirks import Quirks
from sync_daemon.sandbox.emailoctopus.roster import Roster, md5_of
from sync_daemon.sandbox.emailoctopus.watching import Cause, Effect, Watcher
from sync_daemon.sandbox.weather import Weather


@dataclass(slots=True)
class MailingList:
    """A list: its schema, its contacts, and what it remembers of deleted ones (MD5 -> id, had opted out)."""

    id: str
    name: str
    created_at: int
    last_updated_at: int
    double_opt_in: bool = False
    fields: dict[str, Field] = field(default_factory=dict)
    tags: dict[str, int] = field(default_factory=dict)  # name -> second of its making
    contacts: Roster = field(default_factory=Roster)
    deleted: dict[str, tuple[str, bool]] = field(default_factory=dict)


class State:
    """Everything one account holds, and what its writes set off."""

    def __init__(
        self, clock: Clock, random: Random, quirks: Quirks | None = None, weather: Weather | None = None
    ) -> None:
        self.clock = clock
        self.quirks = quirks if quirks is not None else Quirks()
        self.weather = weather if weather is not None else Weather()
        self.lists: dict[str, MailingList] = {}
        self.campaigns: dict[str, Campaign] = {}
        self.automations = Automations()
        self.api_keys: set[str] = set()
        self.foreign_ids: set[str] = set()  # lists, campaigns and automations of other accounts
        self.confirmation_mails: list[tuple[str, int]] = []  # contact id, second
        self.watcher: Watcher | None = None
        self.cause: Cause = "outside"
        self._random = random

    def new_id(self) -> str:
        """Draw the next id: a UUID."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def seconds(self) -> int:
        """Tell the time as the API keeps it."""
        return int(self.clock.now().timestamp())

    def contact(self, contact_id: str) -> Contact:
        """Find a contact by its id in whichever list; raises KeyError."""
        for mailing_list in self.lists.values():
            if (contact := mailing_list.contacts.find(contact_id)) is not None:
                return contact
        raise KeyError(f"No list has a contact {contact_id}.")

    def listed_tag(self, mailing_list: MailingList, name: str) -> str | None:
        """Find the list's own spelling of a tag."""
        if name in mailing_list.tags or self.quirks.tags_case_sensitive:
            return name if name in mailing_list.tags else None
        return next((tag for tag in mailing_list.tags if tag.lower() == name.lower()), None)

    def enrol(self, mailing_list: MailingList, email_address: str, status: Status) -> Contact:
        """Put a new contact on a list, without values yet; raises the problem of a full plan."""
        if status == "subscribed":
            self.demand_room()
        now = self.seconds()
        contact_id, status = self._as_remembered(mailing_list, email_address, status)
        stored = email_address.lower() if self.quirks.email_case == "lowered" else email_address
        contact = Contact(contact_id, mailing_list.id, stored, status, now, now)
        mailing_list.contacts.place(contact)
        return contact

    def apply(
        self,
        contact: Contact,
        change: Change,
        *,
        status_touches: bool,
        noop_touches: bool = False,
        told: bool = True,
    ) -> Contact:
        """Make a change whose values are already as they are stored, move the timestamp if this kind of
        change does, start the automations that watch it, and tell it unless somebody else does. Raises the
        problem of a full plan.
        """
        mailing_list = self.lists[contact.list_id]
        if change.status == "subscribed" and contact.status != "subscribed":
            self.demand_room()
        changed = dict(self._changed_fields(contact, change))
        tags = {name: on for name, on in change.tags.items() if on != (name in contact.tags)}
        new_address = change.email_address not in (None, contact.email_address)
        new_status = change.status not in (None, contact.status)
        effect = Effect(bool(changed or tags), new_address, contact.status if new_status else None)
        self._set(contact, change, changed, tags)
        if (
            changed
            or new_address
            or (tags and self.quirks.tag_change_touches)
            or (new_status and status_touches)
            or (noop_touches and not (tags or new_status))
        ):
            contact.last_updated_at = self.seconds()
        if new_address and not self.quirks.address_change_keeps_id:
            mailing_list.contacts.remove(contact.id)
            contact.id = self.new_id()
        mailing_list.contacts.place(contact)
        now = self.seconds()
        written = change.fields if self.quirks.equal_value_fires else changed
        self.automations.fire(contact, "field_updated", written, now)
        self.automations.fire(contact, "tag_added", (name for name, on in tags.items() if on), now)
        if told and self.watcher is not None:
            self.watcher.changed(contact, effect)
        return contact

    def added(self, contact: Contact) -> None:
        """Let a contact be new: start the automations that wait for one, and tell it."""
        self.automations.fire(contact, "contact_added", [""], self.seconds())
        if self.watcher is not None:
            self.watcher.created(contact)

    def mail_confirmation(self, contact: Contact) -> None:
        """Mail the question of a double opt-in list to a pending contact."""
        if contact.status == "pending" and self.lists[contact.list_id].double_opt_in:
            self.confirmation_mails.append((contact.id, self.seconds()))

    def erase(self, contact: Contact) -> None:
        """Delete a contact; only the switches about re-adding remember it."""
        mailing_list = self.lists[contact.list_id]
        opted_out = contact.status not in ("subscribed", "pending")
        mailing_list.deleted[md5_of(contact.email_address)] = (contact.id, opted_out)
        mailing_list.contacts.remove(contact.id)
        if self.watcher is not None:
            self.watcher.deleted(contact)

    def demand_room(self) -> None:
        """Raise the problem of a full plan unless one more subscribed contact fits (facts: §16)."""
        limit = self.weather.plan_limit
        if limit is None:
            return
        counted = ("subscribed", "pending") if self.quirks.pending_counts_for_plan else ("subscribed",)
        if sum(each.contacts.count(status) for each in self.lists.values() for status in counted) >= limit:
            raise self.out_of_limits("Your plan's number of subscribers would be exceeded.")

    def out_of_limits(self, detail: str) -> ProblemError:
        """Make the problem of a plan limit; its HTTP status is uncertain."""
        return ProblemError(self.quirks.out_of_limits_status, slug="out-of-limits", detail=detail)

    def _changed_fields(self, contact: Contact, change: Change) -> Iterator[tuple[str, FieldValue | None]]:
        for tag, value in change.fields.items():
            if contact.fields.get(tag) != value:
                yield tag, value

    def _set(
        self, contact: Contact, change: Change, fields: dict[str, FieldValue | None], tags: dict[str, bool]
    ) -> None:
        for tag, value in fields.items():
            if value is None:
                contact.fields.pop(tag, None)
            else:
                contact.fields[tag] = value
        for name, on in tags.items():
            if on:
                contact.tags[name] = None
                self.lists[contact.list_id].tags.setdefault(name, self.seconds())
            else:
                contact.tags.pop(name, None)
        if change.email_address is not None:
            lowered = self.quirks.email_case == "lowered"
            contact.email_address = change.email_address.lower() if lowered else change.email_address
        if change.status is not None:
            contact.status = change.status
            if change.status in ("subscribed", "pending"):
                contact.suppressed = None

    def _as_remembered(self, mailing_list: MailingList, email: str, status: Status) -> tuple[str, Status]:
        old_id, opted_out = mailing_list.deleted.get(md5_of(email), ("", False))
        keeps_out = opted_out and self.quirks.readd_remembers_opt_out
        return (
            old_id if old_id and self.quirks.readd_keeps_id else self.new_id(),
            "unsubscribed" if keeps_out else status,
        )
