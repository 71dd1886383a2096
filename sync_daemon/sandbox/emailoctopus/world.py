"""EmailOctopus without its API: what people, subscribers and mail servers do there.

Every method obeys the account's own normalisation and timestamps, and knows no limits, keys or weather except the
plan's. Call them from the thread that serves, or while no request is under way.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from sync_daemon.sandbox.emailoctopus.account import Account
from sync_daemon.sandbox.emailoctopus.model import (
    Change,
    Contact,
    EventKind,
    FieldValue,
    Status,
    Suppression,
)
from sync_daemon.sandbox.emailoctopus.state import MailingList
from sync_daemon.sandbox.emailoctopus.statuses import status_of_new
from sync_daemon.sandbox.emailoctopus.values import stored_value

Values = Mapping[str, FieldValue | None]


class EmailOctopusWorld(Account):
    """One account and the outside world acting on its contacts."""

    # People who subscribe, and what becomes of their mail

    def sign_up(
        self, list_id: str, email_address: str, fields: Values | None = None, tags: list[str] | None = None
    ) -> Contact:
        """Somebody fills in a form: a new contact, or an old one who opts in again; double opt-in asks first."""
        mailing_list = self.lists[list_id]
        status = status_of_new(None, self.quirks, double_opt_in=mailing_list.double_opt_in)
        contact = mailing_list.contacts.with_address(email_address)
        if contact is None:
            contact = self.add(list_id, email_address, fields, tags, status)
        else:
            opts_in = contact.status not in ("subscribed", "pending")
            change = self._change(mailing_list, fields, tags, status if opts_in else None)
            self.apply(contact, change, status_touches=self.quirks.confirm_touches)
        self.mail_confirmation(contact)
        return contact

    def confirm(self, contact_id: str) -> Contact:
        """A pending contact follows the link of the confirmation mail."""
        contact = self.contact(contact_id)
        if contact.status != "pending":
            raise ValueError(f"Contact {contact_id} is {contact.status}; only a pending one can confirm.")
        return self.apply(contact, Change(status="subscribed"), status_touches=self.quirks.confirm_touches)

    def unsubscribe(self, contact_id: str, campaign_id: str = "") -> Contact:
        """A contact follows the unsubscribe link, of a campaign if one is named."""
        return self._opt_out(contact_id, "unsubscribed", "unsubscribed", campaign_id)

    def complain(self, contact_id: str, campaign_id: str = "") -> Contact:
        """A contact marks a mail as spam."""
        return self._opt_out(contact_id, self._suppressed_as("complained"), "complained", campaign_id)

    def bounce(self, contact_id: str, campaign_id: str = "", *, hard: bool = True) -> Contact:
        """A mail comes back; a hard bounce ends the subscription, a soft one is only reported."""
        contact = self.contact(contact_id)
        if not hard:
            self.report(contact, "bounced", campaign_id, hard=False)
            return contact
        return self._opt_out(contact_id, self._suppressed_as("bounced"), "bounced", campaign_id)

    def open_mail(self, contact_id: str, campaign_id: str) -> Contact:
        """A contact opens a campaign's mail."""
        return self._engage(contact_id, "opened", campaign_id, "")

    def click(self, contact_id: str, campaign_id: str, url: str = "https://example.com/promo-1") -> Contact:
        """A contact clicks a link of a campaign."""
        return self._engage(contact_id, "clicked", campaign_id, url)

    # People who work in the dashboard

    def add(
        self,
        list_id: str,
        email_address: str,
        fields: Values | None = None,
        tags: list[str] | None = None,
        status: Status = "subscribed",
        *,
        at: datetime | None = None,
    ) -> Contact:
        """Somebody adds a contact by hand; raises ValueError when the list has the address.

        With `at`, it has been there since then; no automation starts, and no webhook tells it.
        """
        mailing_list = self.lists[list_id]
        if mailing_list.contacts.with_address(email_address) is not None:
            raise ValueError(f"The list {list_id} has this address already.")
        change = self._change(mailing_list, fields, tags, None)
        contact = self.enrol(mailing_list, email_address, status)
        self.apply(contact, change, status_touches=False, told=False)
        if at is None:
            self.added(contact)
        else:
            contact.created_at = contact.last_updated_at = int(at.timestamp())
            mailing_list.contacts.place(contact)
        return contact

    def edit(self, contact_id: str, fields: Values) -> Contact:
        """Somebody, or the contact on the profile page, changes values; None removes one."""
        contact = self.contact(contact_id)
        change = self._change(self.lists[contact.list_id], fields, None, None)
        return self.apply(contact, change, status_touches=False)

    def change_address(self, contact_id: str, email_address: str) -> Contact:
        """Somebody corrects an address; raises ValueError when another contact has it."""
        contact = self.contact(contact_id)
        holder = self.lists[contact.list_id].contacts.with_address(email_address)
        if holder is not None and holder is not contact:
            raise ValueError(f"Contact {holder.id} has this address already.")
        return self.apply(contact, Change(email_address=email_address), status_touches=False)

    def add_tags(self, contact_id: str, tags: list[str]) -> Contact:
        """Somebody tags a contact."""
        return self._tag(contact_id, tags, on=True)

    def remove_tags(self, contact_id: str, tags: list[str]) -> Contact:
        """Somebody takes tags from a contact."""
        return self._tag(contact_id, tags, on=False)

    def set_status(self, contact_id: str, status: Literal["pending", "subscribed", "unsubscribed"]) -> Contact:
        """Somebody sets a status by hand, in whichever direction."""
        touches = self.quirks.status_change_touches
        return self.apply(self.contact(contact_id), Change(status=status), status_touches=touches)

    def delete(self, contact_id: str) -> None:
        """Somebody deletes a contact."""
        self.erase(self.contact(contact_id))

    def import_rows(
        self,
        list_id: str,
        rows: list[dict[str, FieldValue | None]],
        status: Literal["subscribed", "unsubscribed"] = "subscribed",
        *,
        update_existing: bool = True,
    ) -> list[Contact]:
        """Somebody imports a CSV file whose columns are `EmailAddress` and field tags.

        It can unsubscribe but never subscribe anybody again (documented: H259); it sends no confirmation mail.
        """
        mailing_list = self.lists[list_id]
        self.cause = "import"
        try:
            rows_taken = (self._import_row(mailing_list, row, status, update_existing=update_existing) for row in rows)
            return [contact for contact in rows_taken if contact is not None]
        finally:
            self.cause = "outside"

    def _import_row(
        self,
        mailing_list: MailingList,
        row: dict[str, FieldValue | None],
        status: Literal["subscribed", "unsubscribed"],
        *,
        update_existing: bool,
    ) -> Contact | None:
        address = str(row["EmailAddress"])
        fields = {tag: value for tag, value in row.items() if tag != "EmailAddress"}
        contact = mailing_list.contacts.with_address(address)
        if contact is None:
            return self.add(mailing_list.id, address, fields, None, status)
        if not update_existing:
            return None
        opts_out = status if status == "unsubscribed" and contact.suppressed is None else None
        change = self._change(mailing_list, fields, None, opts_out)
        return self.apply(contact, change, status_touches=self.quirks.status_change_touches)

    def _change(
        self, mailing_list: MailingList, fields: Values | None, tags: list[str] | None, status: Status | None
    ) -> Change:
        unknown = sorted((fields or {}).keys() - mailing_list.fields.keys())
        if unknown:
            raise ValueError(f"The list {mailing_list.id} has no field {', '.join(unknown)}.")
        values = {
            tag: stored_value(mailing_list.fields[tag], value, self.quirks) for tag, value in (fields or {}).items()
        }
        return Change(None, values, dict.fromkeys(tags or (), True), status)

    def _tag(self, contact_id: str, tags: list[str], *, on: bool) -> Contact:
        change = Change(tags=dict.fromkeys(tags, on))
        return self.apply(self.contact(contact_id), change, status_touches=False)

    def _suppressed_as(self, suppression: Suppression) -> Status:
        return suppression if self.quirks.suppressed_reads_as == "own" else "unsubscribed"

    def _opt_out(self, contact_id: str, status: Status, event: EventKind, campaign_id: str) -> Contact:
        contact = self.contact(contact_id)
        self.apply(contact, Change(status=status), status_touches=self.quirks.unsubscribe_touches, told=False)
        if event in ("bounced", "complained"):
            contact.suppressed = "bounced" if event == "bounced" else "complained"
        self.report(contact, event, campaign_id)
        return contact

    def _engage(self, contact_id: str, event: EventKind, campaign_id: str, url: str) -> Contact:
        contact = self.contact(contact_id)
        self.report(contact, event, campaign_id, url=url)
        return self.apply(contact, Change(), status_touches=False, noop_touches=self.quirks.engagement_touches)
