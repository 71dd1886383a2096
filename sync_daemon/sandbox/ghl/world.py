"""GHL without its API: what people, workflows and mail servers do there.

Every method obeys the system's own normalisation and timestamps, and knows no limits, tokens or weather. Call them
from the thread that serves, or while no request is under way.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from sync_daemon.sandbox.ghl.activity import Activity
from sync_daemon.sandbox.ghl.contact import Contact
from sync_daemon.sandbox.ghl.contacts import retagged
from sync_daemon.sandbox.ghl.dnd import Channel, Status
from sync_daemon.sandbox.ghl.moments import to_ms
from sync_daemon.sandbox.ghl.normalise import e164
from sync_daemon.sandbox.ghl.quirks import GhlQuirks
from sync_daemon.sandbox.ghl.writes import written


class GhlWorld(Activity):
    """One agency and the outside world acting on it."""

    # People who work in the app

    def create(
        self,
        *,
        location_id: str | None = None,
        at: datetime | None = None,
        custom: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Contact:
        """Somebody adds a contact, by hand or by import: any API field, and `custom` by key or id.

        Nothing is refused: neither a duplicate nor a bad address. With `at`, it has been there since then and
        the search knows it already.
        """
        location = self.location_of(location_id)
        blank = self.contacts.new(location, to_ms(at) if at is not None else None)
        contact = written(blank, _body(fields, custom), location, self._by_hand())
        if at is not None:
            self.contacts.settle(contact)
            return contact
        return self.contacts.add(contact)

    def edit(self, contact_id: str, *, custom: Mapping[str, Any] | None = None, **fields: Any) -> Contact:
        """Somebody changes values by hand; None clears one, `custom` goes by key or id, `tags` replaces."""
        return self._change(contact_id, _body(fields, custom))

    def delete(self, contact_id: str) -> None:
        """Somebody deletes a contact."""
        self.remove_contact(contact_id)

    def merge(self, winner_id: str, loser_id: str) -> Contact:
        """Somebody merges two contacts: the loser's id disappears, its values fill the winner's blanks.

        Raises ValueError for one and the same.
        """
        if winner_id == loser_id:
            raise ValueError("A contact can't be merged with itself.")
        winner, loser = self.contacts.get(winner_id), self.contacts.get(loser_id)
        for task in self.tasks.of(loser_id):
            self.tasks.save(replace(task, contact_id=winner_id))
        for event in self.calendars.of_contact(loser_id):
            self.calendars.events[event.id] = replace(event, contact_id=winner_id)
        self.notes.hand_over(loser_id, winner_id)
        self.remove_contact(loser_id, told=self.quirks.webhook_merge_deletes)
        emails = [email for email in loser.all_emails() if email not in winner.all_emails()]
        merged = replace(
            winner,
            email=winner.email or loser.email,
            phone=winner.phone or loser.phone,
            fields={**loser.fields, **winner.fields},
            custom={**loser.custom, **winner.custom},
            tags=tuple(dict.fromkeys(winner.tags + loser.tags)),
            dnd=winner.dnd or loser.dnd,
            dnd_settings={**loser.dnd_settings, **winner.dnd_settings},
            additional_emails=(*winner.additional_emails, *(emails if winner.email else emails[1:])),
        )
        return self.contacts.save(winner, merged)

    def add_tags(self, contact_id: str, tags: list[str]) -> Contact:
        """Somebody, or a workflow, tags a contact."""
        contact = self.contacts.get(contact_id)
        return self.contacts.save(contact, retagged(contact, "add", tags))

    def remove_tags(self, contact_id: str, tags: list[str]) -> Contact:
        """Somebody, or a workflow, takes tags from a contact."""
        contact = self.contacts.get(contact_id)
        return self.contacts.save(contact, retagged(contact, "remove", tags))

    def add_email(self, contact_id: str, email: str) -> Contact:
        """Somebody gives a contact one more address, which only the app can do."""
        contact = self.contacts.get(contact_id)
        return self.contacts.save(
            contact, replace(contact, additional_emails=(*contact.additional_emails, email.lower()))
        )

    def remove_email(self, contact_id: str, email: str) -> Contact:
        """Somebody takes an additional address away again."""
        contact = self.contacts.get(contact_id)
        kept = tuple(one for one in contact.additional_emails if one != email.lower())
        return self.contacts.save(contact, replace(contact, additional_emails=kept))

    def add_phone(self, contact_id: str, phone: str) -> Contact:
        """Somebody gives a contact one more number, which only the app can do."""
        contact = self.contacts.get(contact_id)
        number = e164(phone, self.locations[contact.location_id].country) or phone
        return self.contacts.save(contact, replace(contact, additional_phones=(*contact.additional_phones, number)))

    def touch(self, contact_id: str) -> Contact:
        """A workflow passes by: dateUpdated moves, nothing else."""
        return self.contacts.touch(contact_id)

    # Do not disturb

    def set_dnd(
        self, contact_id: str, status: Status = "active", channel: Channel = "Email", message: str = ""
    ) -> Contact:
        """Somebody sets the status of one channel, in whichever direction."""
        setting = {"status": status, **({"message": message} if message else {})}
        return self._change(contact_id, {"dndSettings": {channel: setting}})

    def set_dnd_all(self, contact_id: str, *, dnd: bool) -> Contact:
        """Somebody turns the switch for all channels."""
        return self._change(contact_id, {"dnd": dnd})

    def unsubscribe(self, contact_id: str) -> Contact:
        """The person follows an unsubscribe link (documented: it sets e-mail DND)."""
        return self.set_dnd(contact_id, "active", "Email", "Unsubscribed by link")

    def complain(self, contact_id: str) -> Contact:
        """The person reports a mail as spam."""
        return self.set_dnd(contact_id, "active", "Email", "Marked as spam")

    def bounce(self, contact_id: str) -> Contact:
        """A mail comes back for good."""
        return self.set_dnd(contact_id, "permanent", "Email", "Permanent bounce")

    def _by_hand(self) -> GhlQuirks:
        # The app's own forms clear what is emptied, whatever the API does.
        return msgspec.structs.replace(
            self.quirks,
            null_clears=True,
            custom_null_clears=True,
            empty_text="clears",
            date_of_birth_dropped=False,
            permanent_email_clearable=True,
        )

    def _change(self, contact_id: str, body: Mapping[str, Any]) -> Contact:
        contact = self.contacts.get(contact_id)
        location = self.locations[contact.location_id]
        return self.contacts.save(contact, written(contact, body, location, self._by_hand()))


def _body(fields: Mapping[str, Any], custom: Mapping[str, Any] | None) -> dict[str, Any]:
    entries = [{"id": key, "field_value": value} for key, value in (custom or {}).items()]
    return {**fields, "customFields": entries} if entries else dict(fields)
